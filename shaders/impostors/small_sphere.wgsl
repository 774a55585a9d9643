#import "common/draw.wgsl"
#import "common/sphere_bounds.wgsl"
#import "common/sphere_ray.wgsl"

// Spheres of a few pixels, drawn by threads instead of triangles: a thread takes a sphere and casts the rays of the pixels
// that it may fill. What is nearest in a pixel is the greatest of 64-bit numbers: the depth value above (reverse-Z: nearer is
// greater, and floats that are not negative are ordered as their bits), below which sphere it is. `post/visibility.wgsl` makes
// colours, normals and atom numbers of it. After Schuetz, Kerbl & Wimmer (CGF 40(4), 2021), who draw points so, and mdlib's
// clusters of atoms. For devices with 64-bit atomics.

struct SphereInstance {
    atom: u32,
    radius: f32,
    copy: u32,
}

// `SmallArguments` of `culling.wgsl`; both phases.
struct SmallArguments {
    groups: u32,
    groups_y: u32,
    groups_z: u32,
    count: u32,
}
struct Arguments {
    drawn: array<vec4<u32>, 2>,
    small: array<SmallArguments, 2>,
}

// `VisibleSphere` of `post/visibility.wgsl`.
struct VisibleSphere {
    center_and_radius: vec4<f32>,
    color: u32,
    atom_number: u32,
    unused_a: u32,
    unused_b: u32,
}
struct VisibleSpheres {
    count: atomic<u32>,
    unused_a: u32,
    unused_b: u32,
    unused_c: u32,
    list: array<VisibleSphere>,
}

// The list of a phase, of which small spheres fill the end.
@group(1) @binding(3) var<storage, read> instances: array<SphereInstance>;
// Row by row.
@group(2) @binding(0) var<storage, read_write> visible: array<atomic<u64>>;
@group(2) @binding(1) var<storage, read_write> spheres: VisibleSpheres;
@group(3) @binding(0) var<storage, read> arguments: Arguments;

override PHASE: u32 = 0u;

@compute @workgroup_size(64)
fn draw_small_spheres(@builtin(global_invocation_id) thread: vec3<u32>) {
    if thread.x >= arguments.small[PHASE].count {
        return;
    }
    let instance = instances[arrayLength(&instances) - 1u - thread.x];
    let sphere = vec4<f32>(view_from_object_point(position_of(instance.atom), instance.copy), instance.radius);
    let extent = extent_of(sphere);
    let number = atomicAdd(&spheres.count, 1u);
    if !extent.is_inside || number >= arrayLength(&spheres.list) {
        return;
    }
    spheres.list[number] =
        VisibleSphere(sphere, colors[instance.atom], number_of(instance.atom, instance.copy), 0u, 0u);
    let below = u64(number | (PHASE << 31u));
    let size = vec2<i32>(frame.viewport.zw);
    // Pixels whose middle may be covered, and a hair more.
    let low = max(vec2<i32>(ceil(extent.pixels.xy - 0.51)), vec2<i32>(0));
    let high = min(vec2<i32>(floor(extent.pixels.zw - 0.49)), size - 1);
    for (var row = low.y; row <= high.y; row++) {
        for (var column = low.x; column <= high.x; column++) {
            let hit = cast_at_sphere(sphere, slope_from_pixel(vec2<f32>(f32(column), f32(row)) + 0.5));
            if hit.is_there {
                let value = bitcast<u32>(frame.projection.z / hit.depth);
                atomicMax(&visible[row * size.x + column], (u64(value) << 32u) | below);
            }
        }
    }
}
