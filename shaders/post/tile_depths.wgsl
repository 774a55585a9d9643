#import "common/frame.wgsl"

// The farthest depth value of each tile of 16 by 16 pixels; a thread reads a column of a tile.

@group(1) @binding(0) var depths: texture_depth_2d;
@group(1) @binding(1) var<storage, read_write> tiles: array<f32>;

var<workgroup> columns: array<f32, 16>;

@compute @workgroup_size(16)
fn tile_depths(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let size = vec2<u32>(frame.viewport.zw);
    var least = 1.0;
    let column = group.x * 16u + local;
    if column < size.x {
        for (var row = group.y * 16u; row < min(group.y * 16u + 16u, size.y); row++) {
            least = min(least, textureLoad(depths, vec2<u32>(column, row), 0));
        }
    }
    columns[local] = least;
    workgroupBarrier();
    if local == 0u {
        for (var index = 1u; index < 16u; index++) {
            least = min(least, columns[index]);
        }
        tiles[group.y * ((size.x + 15u) / 16u) + group.x] = least;
    }
}
