#import "impostors/culling.wgsl"

struct CylinderInstance {
    a: u32,
    b: u32,
    plane: u32,
    offset: f32,
    radius: f32,
    range: u32,
    flags: u32,
    copy: u32,
}

@group(1) @binding(6) var<storage, read> instances: array<CylinderInstance>;
// What the phase draws.
@group(1) @binding(7) var<storage, read_write> list: array<CylinderInstance>;

const VERTICES: u32 = 18u;

// Puts a cylinder into the list; whether there was room.
fn draw(phase: u32, place: Place) -> bool {
    let at = claim(phase, VERTICES, arrayLength(&list));
    if at < arrayLength(&list) {
        list[at] = instances[place.index];
        list[at].copy = place.copy;
        return true;
    }
    return false;
}

// A sphere around it, view space.
fn sphere_around(place: Place) -> vec4<f32> {
    let cylinder = instances[place.index];
    let a = place_of_atom(cylinder.a, place.copy);
    let b = place_of_atom(cylinder.b, place.copy);
    return vec4<f32>(0.5 * (a + b), 0.5 * distance(a, b) + abs(cylinder.offset) + cylinder.radius);
}

@compute @workgroup_size(64)
fn cull_early(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let place = place_of(group, lane, groups, arrayLength(&instances));
    if place.is_there && was_seen(place) && extent_of(sphere_around(place)).is_inside {
        _ = draw(0u, place);
    }
}

@compute @workgroup_size(64)
fn cull_late(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let place = place_of(group, lane, groups, arrayLength(&instances));
    if !place.is_there {
        return;
    }
    let was = was_seen(place);
    var is_seen = may_be_seen(sphere_of_chunk(place)) && may_be_seen(sphere_around(place));
    // Those that were seen before have been drawn already, where they are inside.
    if is_seen && !was {
        is_seen = draw(1u, place);
    }
    note(place, was, is_seen);
}
