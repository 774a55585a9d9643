#import "impostors/culling.wgsl"

struct SphereInstance {
    atom: u32,
    radius: f32,
    copy: u32,
}

@group(1) @binding(6) var<storage, read> instances: array<SphereInstance>;
// What the phase draws.
@group(1) @binding(7) var<storage, read_write> list: array<SphereInstance>;

// Whether far spheres are thinned out: where they fill space, and are not the ends of sticks.
override THINS: bool = true;

// A sphere at most so many pixels high and wide is drawn by a compute shader; 0: none is.
override SMALL: f32 = 0.0;

const VERTICES: u32 = 6u;

// Puts a sphere into the list; whether there was room.
fn draw(phase: u32, sphere: SphereInstance, radius: f32, copy: u32, extent: Extent) -> bool {
    let size = extent.pixels.zw - extent.pixels.xy;
    var at: u32;
    // Nearer than 1 would be cut by the near plane.
    if max(size.x, size.y) <= SMALL && extent.nearest < 1.0 {
        at = claim_small(phase, VERTICES, arrayLength(&list));
    } else {
        at = claim(phase, VERTICES, arrayLength(&list));
    }
    if at < arrayLength(&list) {
        list[at] = SphereInstance(sphere.atom, radius, copy);
        return true;
    }
    return false;
}

// The radius with which a sphere of a chunk is drawn now; 0 where it is not.
fn radius_of(place: Place, chunk: vec4<f32>, sphere: SphereInstance) -> f32 {
    if !THINS {
        return sphere.radius;
    }
    // All of a chunk take the step of its first.
    let step = step_of(chunk, instances[place.chunk * CHUNK].radius);
    return select(0.0, sphere.radius * pow(f32(step), 1.0 / 3.0), place.index % step == 0u);
}

@compute @workgroup_size(64)
fn cull_early(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let place = place_of(group, lane, groups, arrayLength(&instances));
    if !place.is_there || !was_seen(place) {
        return;
    }
    let sphere = instances[place.index];
    let radius = radius_of(place, sphere_of_chunk(place), sphere);
    let extent = extent_of(vec4<f32>(place_of_atom(sphere.atom, place.copy), radius));
    if extent.is_inside {
        _ = draw(0u, sphere, radius, place.copy, extent);
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
    var is_seen = false;
    let chunk = sphere_of_chunk(place);
    if may_be_seen(chunk) {
        let sphere = instances[place.index];
        let radius = radius_of(place, chunk, sphere);
        let extent = extent_of(vec4<f32>(place_of_atom(sphere.atom, place.copy), radius));
        is_seen = extent.is_inside && !is_hidden(extent);
        // Those that were seen before have been drawn already, where they are inside.
        if is_seen && !was {
            is_seen = draw(1u, sphere, radius, place.copy, extent);
        }
    }
    note(place, was, is_seen);
}
