// Running sums in place: `sum_blocks` replaces each value by the sum of those before it in its block and writes the
// block's total; once the totals are running sums themselves, `add_totals` adds them.

@group(0) @binding(0) var<storage, read_write> values: array<vec2<u32>>;
@group(0) @binding(1) var<storage, read_write> totals: array<vec2<u32>>;

// Values that one workgroup sums: eight for each of its 128 invocations.
const BLOCK: u32 = 1024u;
const EACH: u32 = 8u;

var<workgroup> sums: array<vec2<u32>, 128>;

@compute @workgroup_size(128)
fn sum_blocks(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let block = workgroup.y * workgroups.x + workgroup.x;
    let first = block * BLOCK + local * EACH;
    let length = arrayLength(&values);
    var own: array<vec2<u32>, 8>;
    var sum = vec2<u32>(0u);
    for (var index = 0u; index < EACH; index++) {
        own[index] = sum;
        if first + index < length {
            sum += values[first + index];
        }
    }
    sums[local] = sum;
    workgroupBarrier();
    for (var step = 1u; step < 128u; step *= 2u) {
        var added = vec2<u32>(0u);
        if local >= step {
            added = sums[local - step];
        }
        workgroupBarrier();
        sums[local] += added;
        workgroupBarrier();
    }
    let before = sums[local] - sum;
    for (var index = 0u; index < EACH; index++) {
        if first + index < length {
            values[first + index] = before + own[index];
        }
    }
    if local == 127u && block < arrayLength(&totals) {
        totals[block] = sums[127];
    }
}

@compute @workgroup_size(128)
fn add_totals(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let block = workgroup.y * workgroups.x + workgroup.x;
    if block >= arrayLength(&totals) {
        return;
    }
    for (var index = 0u; index < EACH; index++) {
        let place = block * BLOCK + local * EACH + index;
        if place < arrayLength(&values) {
            values[place] += totals[block];
        }
    }
}
