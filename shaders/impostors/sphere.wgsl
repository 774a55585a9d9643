#import "common/surface.wgsl"
#import "common/sphere_bounds.wgsl"
#import "common/sphere_ray.wgsl"
#import "common/peel.wgsl"
#import "common/mask.wgsl"
#import "common/shadow_map.wgsl"

// Spheres by ray casting. Six vertices for each sphere come from the vertex number; they span the exact rectangle that
// the perspective image of the sphere fills (Mara & McGuire, JCGT 2013, 2(2), section 3), laid on the front of the
// sphere so that the depth of every hit lies behind it. A sphere cut by the near plane shows a flat cap.

struct SphereInstance {
    atom: u32,
    radius: f32,
    // Which copy of the object, where it is not the draw call that counts them.
    copy: u32,
}

@group(1) @binding(3) var<storage, read> instances: array<SphereInstance>;

struct Varyings {
    @builtin(position) clip: vec4<f32>,
    @location(0) slope: vec2<f32>,
    @location(1) @interpolate(flat) center_and_radius: vec4<f32>,
    @location(2) @interpolate(flat) color: u32,
    @location(3) @interpolate(flat) atom_number: u32,
}

@vertex
fn sphere_vertex(@builtin(vertex_index) vertex: u32, @builtin(instance_index) drawn_copy: u32) -> Varyings {
    let instance = instances[vertex / 6u];
    let copy = drawn_copy + instance.copy;
    let corner = vertex % 6u;
    let right = corner == 1u || corner == 2u || corner == 4u;
    let top = corner == 2u || corner == 4u || corner == 5u;

    let center = view_from_object_point(position_of(instance.atom), copy);
    let near = frame.projection.z;
    let depth = -center.z;
    var out: Varyings;
    out.center_and_radius = vec4<f32>(center, instance.radius);
    out.color = colors[instance.atom];
    out.atom_number = number_of(instance.atom, copy);
    if depth + instance.radius <= near || instance.radius <= 0.0 {
        // Behind the viewer: all corners in one place, outside.
        out.clip = vec4<f32>(2.0, 2.0, 0.0, 1.0);
        out.slope = vec2<f32>(0.0);
        return out;
    }
    let x = slope_bounds(vec2<f32>(center.x, depth), instance.radius, near);
    let y = slope_bounds(vec2<f32>(center.y, depth), instance.radius, near);
    out.slope = vec2<f32>(select(x.x, x.y, right), select(y.x, y.y, top));
    out.clip = clip_from_slope(out.slope, max(depth - instance.radius, near));
    return out;
}

fn sphere_surface(in: Varyings) -> Surface {
    let hit = cast_at_sphere(in.center_and_radius, in.slope);
    if !hit.is_there {
        discard;
    }
    return Surface(vec3<f32>(in.slope, -1.0) * hit.depth, hit.normal, in.color, in.atom_number);
}

@fragment
fn sphere_opaque(in: Varyings) -> Opaque {
    return opaque(sphere_surface(in));
}

@fragment
fn sphere_transparent(in: Varyings) -> Transparent {
    return transparent(sphere_surface(in));
}

@fragment
fn sphere_peel(in: Varyings) -> Peeled {
    return peel(sphere_surface(in), in.clip.xy);
}

@fragment
fn sphere_mask(in: Varyings) -> @location(0) vec4<f32> {
    return mark(sphere_surface(in), in.clip.xy);
}

@fragment
fn sphere_shadow(in: Varyings) -> Cast {
    return cast_shadow(sphere_surface(in));
}
