#import "common/surface.wgsl"
#import "common/peel.wgsl"
#import "common/mask.wgsl"
#import "common/shadow_map.wgsl"

// Triangles: cartoons. The colour belongs to the first vertex of a triangle, so that it changes at the border of a
// residue and nowhere else.

struct VertexInput {
    @location(0) position: vec3<f32>,
    @location(1) normal: vec4<f32>,
    @location(2) atom: u32,
}

struct Varyings {
    @builtin(position) clip: vec4<f32>,
    @location(0) position: vec3<f32>,
    @location(1) normal: vec3<f32>,
    @location(2) @interpolate(flat, first) color: u32,
    @location(3) @interpolate(flat, first) atom_number: u32,
}

@vertex
fn mesh_vertex(in: VertexInput, @builtin(instance_index) copy: u32) -> Varyings {
    let position = view_from_object_point(in.position, copy);
    let normal = view_from_object_direction(in.normal.xyz, copy);
    return Varyings(clip_from_view(position), position, normal, colors[in.atom], number_of(in.atom, copy));
}

fn mesh_surface(in: Varyings) -> Surface {
    var normal = normalize(in.normal);
    // The inside of a ribbon shows where the near plane cuts it.
    if dot(normal, in.position) > 0.0 {
        normal = normal - 2.0 * dot(normal, normalize(in.position)) * normalize(in.position);
    }
    return Surface(in.position, normal, in.color, in.atom_number);
}

@fragment
fn mesh_opaque(in: Varyings) -> Opaque {
    return opaque(mesh_surface(in));
}

@fragment
fn mesh_transparent(in: Varyings) -> Transparent {
    return transparent(mesh_surface(in));
}

@fragment
fn mesh_peel(in: Varyings) -> Peeled {
    return peel(mesh_surface(in), in.clip.xy);
}

@fragment
fn mesh_mask(in: Varyings) -> @location(0) vec4<f32> {
    return mark(mesh_surface(in), in.clip.xy);
}

@fragment
fn mesh_shadow(in: Varyings) -> Cast {
    return cast_shadow(mesh_surface(in));
}
