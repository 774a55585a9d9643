#import "common/surface.wgsl"
#import "common/peel.wgsl"
#import "common/mask.wgsl"
#import "common/shadow_map.wgsl"

// Molecular surfaces: triangles whose colour, where atoms give it, changes exactly where another atom becomes the
// nearest. A triangle lies between the atoms of its three corners, so each pixel chooses among those, by distance less
// radius. A surface of a part of the atoms ends in the same way, at the border of their nearest atoms.

// Number of vertices; then for each vertex place, normal (octahedral, 16 bits each), atom with the topmost bit set where
// it is not to be shown, radius of the atom, potential (kcal/(mol e)); then three vertices for each triangle, two triangles of a
// quadrilateral together. Keep in step with `SurfaceVertex` in viewer/src/surface/mod.rs.
@group(1) @binding(3) var<storage, read> surface: array<u32>;

const VERTEX_WORDS: u32 = 7u;
const NOT_SHOWN: u32 = 0x80000000u;
// Half the width of the lines of a net, pixels.
const HALF_LINE: f32 = 0.7;

struct Varyings {
    @builtin(position) clip: vec4<f32>,
    @location(0) position: vec3<f32>,
    @location(1) normal: vec3<f32>,
    @location(2) potential: f32,
    // 0 on an edge of the quadrilateral, 1 at the corner opposite, for the two edges that the triangle has of it.
    @location(3) from_edges: vec2<f32>,
    @location(4) @interpolate(flat) atoms: vec3<u32>,
    @location(5) @interpolate(flat) colors: vec3<u32>,
    // View space, radius.
    @location(6) @interpolate(flat) first: vec4<f32>,
    @location(7) @interpolate(flat) second: vec4<f32>,
    @location(8) @interpolate(flat) third: vec4<f32>,
    @location(9) @interpolate(flat) copy: u32,
}

fn ball_of(atom: u32, radius: u32, copy: u32) -> vec4<f32> {
    return vec4<f32>(view_from_object_point(position_of(atom & ~NOT_SHOWN), copy), bitcast<f32>(radius));
}

@vertex
fn surface_vertex(@builtin(vertex_index) vertex: u32, @builtin(instance_index) copy: u32) -> Varyings {
    let triangle = vertex / 3u;
    let corner = vertex % 3u;
    let first_index = 1u + VERTEX_WORDS * surface[0] + 3u * triangle;
    let own = 1u + VERTEX_WORDS * surface[first_index + corner];
    let place = vec3<f32>(bitcast<f32>(surface[own]), bitcast<f32>(surface[own + 1u]), bitcast<f32>(surface[own + 2u]));
    var out: Varyings;
    out.copy = copy;
    out.position = view_from_object_point(place, copy);
    out.clip = clip_from_view(out.position);
    let normal = decode_normal(unpack2x16snorm(surface[own + 3u]));
    out.normal = view_from_object_direction(normal, copy);
    out.potential = bitcast<f32>(surface[own + 6u]);
    // A quadrilateral a b c d is drawn as a b c and a c d: the diagonal is no edge of the net.
    let other = select(2u, 1u, (triangle & 1u) == 1u);
    out.from_edges = vec2<f32>(f32(corner == 0u), f32(corner == other));
    let corners = vec3<u32>(surface[first_index], surface[first_index + 1u], surface[first_index + 2u]);
    let at = vec3<u32>(1u) + VERTEX_WORDS * corners;
    out.atoms = vec3<u32>(surface[at.x + 4u], surface[at.y + 4u], surface[at.z + 4u]);
    let known = out.atoms & vec3<u32>(~NOT_SHOWN);
    out.colors = vec3<u32>(colors[known.x], colors[known.y], colors[known.z]);
    out.first = ball_of(out.atoms.x, surface[at.x + 5u], copy);
    out.second = ball_of(out.atoms.y, surface[at.y + 5u], copy);
    out.third = ball_of(out.atoms.z, surface[at.z + 5u], copy);
    return out;
}

// `RED_WHITE_BLUE` of viewer/src/color.rs, from -1 to 1.
fn color_of_potential(potential: f32) -> u32 {
    let white = vec3<f32>(0.949, 0.941, 0.922);
    let end = select(vec3<f32>(0.788, 0.251, 0.184), vec3<f32>(0.231, 0.435, 0.769), potential > 0.0);
    return pack4x8unorm(vec4<f32>(mix(white, end, saturate(abs(potential))), 1.0));
}

// `hides_back` leaves the inside out.
fn surface_of(in: Varyings, is_front: bool, hides_back: bool) -> Surface {
    // Derivatives come before anything that ends the pixel.
    let from_edges = in.from_edges / max(fwidth(in.from_edges), vec2<f32>(1e-6));
    let is_net = (draw.flags & NET) != 0u;
    if is_net && min(from_edges.x, from_edges.y) > HALF_LINE {
        discard;
    }
    if hides_back && !is_front && !is_net {
        discard;
    }
    var atom = in.atoms.x;
    var color = in.colors.x;
    var nearest = distance(in.position, in.first.xyz) - in.first.w;
    let second = distance(in.position, in.second.xyz) - in.second.w;
    if second < nearest {
        nearest = second;
        atom = in.atoms.y;
        color = in.colors.y;
    }
    if distance(in.position, in.third.xyz) - in.third.w < nearest {
        atom = in.atoms.z;
        color = in.colors.z;
    }
    if (atom & NOT_SHOWN) != 0u {
        discard;
    }
    if (draw.flags & BY_POTENTIAL) != 0u {
        color = color_of_potential(in.potential / draw.potential_range);
    }
    var normal = normalize(in.normal);
    if dot(normal, in.position) > 0.0 {
        normal = normal - 2.0 * dot(normal, normalize(in.position)) * normalize(in.position);
    }
    return Surface(in.position, normal, color, number_of(atom & ~NOT_SHOWN, in.copy));
}

@fragment
fn surface_opaque(in: Varyings, @builtin(front_facing) is_front: bool) -> Opaque {
    return opaque(surface_of(in, is_front, (draw.flags & FRONT_ONLY) != 0u));
}

@fragment
fn surface_transparent(in: Varyings, @builtin(front_facing) is_front: bool) -> Transparent {
    return transparent(surface_of(in, is_front, true));
}

@fragment
fn surface_peel(in: Varyings, @builtin(front_facing) is_front: bool) -> Peeled {
    return peel(surface_of(in, is_front, true), in.clip.xy);
}

@fragment
fn surface_mask(in: Varyings, @builtin(front_facing) is_front: bool) -> @location(0) vec4<f32> {
    return mark(surface_of(in, is_front, false), in.clip.xy);
}

@fragment
fn surface_shadow(in: Varyings, @builtin(front_facing) is_front: bool) -> Cast {
    return cast_shadow(surface_of(in, is_front, false));
}
