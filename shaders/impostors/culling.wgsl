#import "common/frame.wgsl"
#import "common/sphere_bounds.wgsl"

// Which impostors are drawn, in two phases, so that what is hidden costs next to nothing and nothing seen is missing as long
// as the lists have room (`MOST_LIST_BYTES` of `renderer/culling.rs`):
// first those that were seen in the last picture; then, against the depth that these left, every other one that is not
// hidden (after Haar & Aaltonen, SIGGRAPH 2015 courses, "GPU-driven rendering pipelines"; Hi-Z: Greene, Kass & Miller,
// SIGGRAPH 1993). Impostors lie in Morton order in chunks of 64; a group of threads takes one chunk of one copy of the
// object, and looks at its impostors only where the sphere around the chunk may be seen. Which were seen is one bit each.
//
// Of a chunk so far away that its atoms are smaller than a pixel, every second, fourth, ... is drawn, grown to fill the
// same space: it stays below a pixel. Which ones follows from the order alone.

// Arguments of an indirect draw.
struct DrawArguments {
    vertices: atomic<u32>,
    instances: u32,
    first_vertex: u32,
    first_instance: u32,
}

// Arguments of an indirect dispatch over the small spheres of a list (`small_sphere.wgsl`), and how many they are.
struct SmallArguments {
    groups: atomic<u32>,
    groups_y: u32,
    groups_z: u32,
    count: atomic<u32>,
}

// Of both phases.
struct Arguments {
    drawn: array<DrawArguments, 2>,
    small: array<SmallArguments, 2>,
}

@group(1) @binding(0) var<storage, read> positions: array<f32>;
@group(1) @binding(1) var<storage, read> world_from_object: array<mat4x4<f32>>;
// Middle and radius of a sphere around each chunk, in the object's coordinates.
@group(1) @binding(2) var<storage, read> chunks: array<vec4<f32>>;
// Two words for each chunk, copy by copy.
@group(1) @binding(3) var<storage, read_write> seen: array<atomic<u32>>;
@group(1) @binding(4) var<storage, read_write> arguments: Arguments;
// Farthest depth value (least: reverse-Z) of each tile of `TILE` pixels a side, row by row; after them those of four tiles
// together, and so on up to one.
@group(1) @binding(5) var<storage, read> pyramid: array<f32>;

const CHUNK: u32 = 64u;
const TILE: f32 = 8.0;
// Tiles along a side that are looked at.
const MOST_TILES: f32 = 3.0;
// Radius in pixels to which far atoms grow.
const FAR_RADIUS: f32 = 0.75;
// Threads of a group of `small_sphere.wgsl`.
const SMALL_GROUP: u32 = 64u;

// One impostor of one copy.
struct Place {
    chunk: u32,
    copy: u32,
    index: u32,
    word: u32,
    bit: u32,
    is_there: bool,
}

// A grid of 65535 groups a side holds more chunks than there is memory for.
fn place_of(group: vec3<u32>, lane: u32, groups: vec3<u32>, count: u32) -> Place {
    let number = group.y * groups.x + group.x;
    let chunk_count = arrayLength(&chunks);
    let chunk = number % chunk_count;
    let copy = number / chunk_count;
    let index = chunk * CHUNK + lane;
    let is_there = index < count && copy < arrayLength(&world_from_object);
    return Place(chunk, copy, index, 2u * number + lane / 32u, 1u << (lane % 32u), is_there);
}

fn was_seen(place: Place) -> bool {
    return (atomicLoad(&seen[place.word]) & place.bit) != 0u;
}

fn note(place: Place, was: bool, is_seen: bool) {
    if was != is_seen {
        atomicXor(&seen[place.word], place.bit);
    }
}

// View space.
fn place_of_atom(atom: u32, copy: u32) -> vec3<f32> {
    let at = 3u * atom;
    let own = vec4<f32>(positions[at], positions[at + 1u], positions[at + 2u], 1.0);
    return view_from_world_point((world_from_object[copy] * own).xyz);
}

// The sphere around a chunk, with what far atoms grow.
fn sphere_of_chunk(place: Place) -> vec4<f32> {
    let chunk = chunks[place.chunk];
    let center = view_from_world_point((world_from_object[place.copy] * vec4<f32>(chunk.xyz, 1.0)).xyz);
    return vec4<f32>(center, chunk.w + FAR_RADIUS * frame.projection.w * max(-center.z, 0.0));
}

// Every how many of a chunk's spheres of about this radius is drawn: a power of two.
fn step_of(chunk: vec4<f32>, radius: f32) -> u32 {
    let nearest = max(-chunk.z - chunk.w, frame.projection.z);
    let growth = FAR_RADIUS * frame.projection.w * nearest / max(radius, 1e-6);
    return 1u << u32(clamp(floor(3.0 * log2(max(growth, 1.0))), 0.0, 6.0));
}

fn is_hidden(extent: Extent) -> bool {
    let size = frame.viewport.zw;
    let low_pixel = clamp(extent.pixels.xy, vec2<f32>(0.0), size - 1.0);
    let high_pixel = clamp(extent.pixels.zw, vec2<f32>(0.0), size - 1.0);
    var tile = TILE;
    var grid = vec2<i32>(ceil(size / TILE));
    var first = 0;
    let span = max(high_pixel.x - low_pixel.x, high_pixel.y - low_pixel.y);
    while span > MOST_TILES * tile && any(grid > vec2<i32>(1)) {
        first += grid.x * grid.y;
        grid = (grid + 1) / 2;
        tile *= 2.0;
    }
    let low = min(vec2<i32>(low_pixel / tile), grid - 1);
    let high = min(vec2<i32>(high_pixel / tile), grid - 1);
    for (var row = low.y; row <= high.y; row++) {
        for (var column = low.x; column <= high.x; column++) {
            if pyramid[first + row * grid.x + column] < extent.nearest {
                return false;
            }
        }
    }
    return true;
}

fn may_be_seen(sphere: vec4<f32>) -> bool {
    let extent = extent_of(sphere);
    return extent.is_inside && !is_hidden(extent);
}

// A place in the list of a phase, for an impostor of so many vertices; `capacity` where it is full. Drawn ones fill the list
// from its beginning, small ones from its end.
fn claim(phase: u32, vertices: u32, capacity: u32) -> u32 {
    let place = atomicAdd(&arguments.drawn[phase].vertices, vertices) / vertices;
    if place + atomicLoad(&arguments.small[phase].count) >= capacity {
        atomicSub(&arguments.drawn[phase].vertices, vertices);
        return capacity;
    }
    return place;
}

fn claim_small(phase: u32, vertices: u32, capacity: u32) -> u32 {
    let place = atomicAdd(&arguments.small[phase].count, 1u);
    if place + atomicLoad(&arguments.drawn[phase].vertices) / vertices >= capacity {
        atomicSub(&arguments.small[phase].count, 1u);
        return capacity;
    }
    atomicMax(&arguments.small[phase].groups, place / SMALL_GROUP + 1u);
    return capacity - 1u - place;
}
