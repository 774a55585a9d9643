#import "common/frame.wgsl"
#import "common/sphere_bounds.wgsl"

// Which spheres are drawn, in two phases, so that what is hidden costs next to nothing and nothing seen is ever missing:
// first those that were seen in the last picture; then, against the depth that these left, every other one that is not
// hidden (after Haar & Aaltonen, SIGGRAPH 2015 courses, "GPU-driven rendering pipelines"). Depth is kept as the farthest
// of each tile of 16 by 16 pixels: spheres of a few pixels need no pyramid.

struct SphereInstance {
    atom: u32,
    radius: f32,
}

// Arguments of an indirect draw.
struct DrawArguments {
    vertices: atomic<u32>,
    instances: u32,
    first_vertex: u32,
    first_instance: u32,
}

@group(1) @binding(0) var<storage, read> positions: array<f32>;
@group(1) @binding(1) var<storage, read> instances: array<SphereInstance>;
// Whether each sphere was seen in the last picture.
@group(1) @binding(2) var<storage, read_write> seen: array<u32>;
@group(1) @binding(3) var<storage, read_write> early: array<SphereInstance>;
@group(1) @binding(4) var<storage, read_write> late: array<SphereInstance>;
@group(1) @binding(5) var<storage, read_write> arguments: array<DrawArguments, 2>;
// Farthest depth value (least: reverse-Z) of each tile, row by row.
@group(1) @binding(6) var<storage, read> tiles: array<f32>;

const TILE: f32 = 16.0;
// A sphere over more tiles than this along a side counts as seen.
const MOST_TILES: i32 = 8;
const VERTICES: u32 = 6u;

struct Extent {
    // Left, top, right, bottom in pixels.
    pixels: vec4<f32>,
    // Depth value of the nearest point.
    nearest: f32,
    is_inside: bool,
}

fn extent_of(sphere: SphereInstance) -> Extent {
    let at = 3u * sphere.atom;
    let center = view_from_world_point(vec3<f32>(positions[at], positions[at + 1u], positions[at + 2u]));
    let near = frame.projection.z;
    let depth = -center.z;
    if !(depth + sphere.radius > near) || sphere.radius <= 0.0 {
        return Extent(vec4<f32>(0.0), 0.0, false);
    }
    let x = slope_bounds(vec2<f32>(center.x, depth), sphere.radius, near) * frame.projection.x + frame.viewport.x;
    let y = slope_bounds(vec2<f32>(center.y, depth), sphere.radius, near) * frame.projection.y + frame.viewport.y;
    let is_inside = x.y > -1.0 && x.x < 1.0 && y.y > -1.0 && y.x < 1.0;
    let size = frame.viewport.zw;
    let pixels = vec4<f32>(
        (x.x + 1.0) * 0.5 * size.x, (1.0 - y.y) * 0.5 * size.y, (x.y + 1.0) * 0.5 * size.x, (1.0 - y.x) * 0.5 * size.y);
    return Extent(pixels, near / max(depth - sphere.radius, near), is_inside);
}

fn is_hidden(extent: Extent) -> bool {
    let grid = vec2<i32>(ceil(frame.viewport.zw / TILE));
    let low = clamp(vec2<i32>(floor(extent.pixels.xy / TILE)), vec2<i32>(0), grid - 1);
    let high = clamp(vec2<i32>(floor(extent.pixels.zw / TILE)), vec2<i32>(0), grid - 1);
    if any(high - low >= vec2<i32>(MOST_TILES)) {
        return false;
    }
    for (var row = low.y; row <= high.y; row++) {
        for (var column = low.x; column <= high.x; column++) {
            if tiles[row * grid.x + column] < extent.nearest {
                return false;
            }
        }
    }
    return true;
}

// A grid of 65535 groups a side holds more spheres than there is memory for.
fn sphere_index(group: vec3<u32>, local: u32, groups: vec3<u32>) -> u32 {
    return (group.y * groups.x + group.x) * 64u + local;
}

@compute @workgroup_size(64)
fn cull_early(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = sphere_index(group, local, groups);
    if index >= arrayLength(&seen) || seen[index] == 0u {
        return;
    }
    let sphere = instances[index];
    if !extent_of(sphere).is_inside {
        return;
    }
    let place = atomicAdd(&arguments[0].vertices, VERTICES) / VERTICES;
    early[place] = sphere;
}

@compute @workgroup_size(64)
fn cull_late(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = sphere_index(group, local, groups);
    if index >= arrayLength(&seen) {
        return;
    }
    let sphere = instances[index];
    let extent = extent_of(sphere);
    let is_seen = extent.is_inside && !is_hidden(extent);
    // Those that were seen before have been drawn already, where they are inside.
    if is_seen && seen[index] == 0u {
        let place = atomicAdd(&arguments[1].vertices, VERTICES) / VERTICES;
        late[place] = sphere;
    }
    seen[index] = select(0u, 1u, is_seen);
}
