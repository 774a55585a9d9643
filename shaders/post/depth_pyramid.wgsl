#import "common/frame.wgsl"

// The farthest depth value of each tile of 8 by 8 pixels, row by row; after them of four tiles together, and so on up to one
// for the whole picture.

@group(1) @binding(0) var depths: texture_depth_2d;
@group(1) @binding(1) var<storage, read_write> pyramid: array<f32>;

const TILE: u32 = 8u;
const THREADS: u32 = 256u;

@compute @workgroup_size(8, 8)
fn pyramid_base(@builtin(global_invocation_id) tile: vec3<u32>) {
    let size = vec2<u32>(frame.viewport.zw);
    let grid = (size + TILE - 1u) / TILE;
    if any(tile.xy >= grid) {
        return;
    }
    let end = min((tile.xy + 1u) * TILE, size);
    var least = 1.0;
    for (var row = tile.y * TILE; row < end.y; row++) {
        for (var column = tile.x * TILE; column < end.x; column++) {
            least = min(least, textureLoad(depths, vec2<u32>(column, row), 0));
        }
    }
    pyramid[tile.y * grid.x + tile.x] = least;
}

// One group of threads goes up level by level.
@compute @workgroup_size(256)
fn pyramid_levels(@builtin(local_invocation_index) thread: u32) {
    var grid = (vec2<u32>(frame.viewport.zw) + TILE - 1u) / TILE;
    var first = 0u;
    while any(grid > vec2<u32>(1u)) {
        let above = (grid + 1u) / 2u;
        let above_first = first + grid.x * grid.y;
        for (var index = thread; index < above.x * above.y; index += THREADS) {
            let low = 2u * vec2<u32>(index % above.x, index / above.x);
            let high = min(low + 1u, grid - 1u);
            pyramid[above_first + index] = min(
                min(pyramid[first + low.y * grid.x + low.x], pyramid[first + low.y * grid.x + high.x]),
                min(pyramid[first + high.y * grid.x + low.x], pyramid[first + high.y * grid.x + high.x]),
            );
        }
        storageBarrier();
        first = above_first;
        grid = above;
    }
}
