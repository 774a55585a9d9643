#import "common/surface.wgsl"
#import "common/sphere_ray.wgsl"
#import "post/fullscreen.wgsl"

// From the spheres that `impostors/small_sphere.wgsl` found nearest to what the other impostors write: colour, normal, atom
// number and depth, tested against what is drawn already.

struct VisibleSphere {
    center_and_radius: vec4<f32>,
    color: u32,
    atom_number: u32,
    unused_a: u32,
    unused_b: u32,
}
struct VisibleSpheres {
    count: u32,
    unused_a: u32,
    unused_b: u32,
    unused_c: u32,
    list: array<VisibleSphere>,
}

// Low and high word of each pixel.
@group(2) @binding(0) var<storage, read> visible: array<vec2<u32>>;
@group(2) @binding(1) var<storage, read> spheres: VisibleSpheres;

override PHASE: u32 = 0u;

@fragment
fn visibility_fragment(@builtin(position) place: vec4<f32>) -> Opaque {
    let pixel = vec2<u32>(place.xy);
    let value = visible[pixel.y * u32(frame.viewport.z) + pixel.x];
    // What the phase before put here is in the picture already.
    if value.y == 0u || (value.x >> 31u) != PHASE {
        discard;
    }
    let sphere = spheres.list[value.x & 0x7fffffffu];
    let normal = cast_at_sphere(sphere.center_and_radius, slope_from_pixel(place.xy)).normal;
    let color = vec4<f32>(unpack4x8unorm(sphere.color).rgb, 1.0);
    return Opaque(color, encode_normal(normal), sphere.atom_number, bitcast<f32>(value.y));
}
