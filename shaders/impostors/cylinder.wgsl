#import "common/surface.wgsl"
#import "common/peel.wgsl"
#import "common/mask.wgsl"
#import "common/shadow_map.wgsl"

// Cylinders by ray casting: bonds, dashes, lines. Eighteen vertices for each come from the vertex number: the three
// faces of its bounding box that look away from the eye, which cover its image wherever the eye is. The hit is found in
// the frame of the axis; ends are flat or round. Each half takes the colour of its atom.

struct CylinderInstance {
    a: u32,
    b: u32,
    // A third atom that spans the plane in which copies of a multiple bond lie side by side; `NO_ATOM` for none.
    plane: u32,
    // Distance of this copy from the axis, towards the third atom, Å.
    offset: f32,
    // Å, or pixels.
    radius: f32,
    // Where between the atoms it begins and ends, 0-1, as two 16-bit fractions.
    range: u32,
    // 1: round ends.
    flags: u32,
    // Which copy of the object, where it is not the draw call that counts them.
    copy: u32,
}

const NO_ATOM: u32 = 0xffffffffu;
const ROUND_ENDS: u32 = 1u;

@group(1) @binding(3) var<storage, read> instances: array<CylinderInstance>;

struct Varyings {
    @builtin(position) clip: vec4<f32>,
    // View-space position on the box; the ray goes through it.
    @location(0) on_box: vec3<f32>,
    @location(1) @interpolate(flat) start_and_radius: vec4<f32>,
    // Axis times length, and the place of the change of colour along it, 0-1.
    @location(2) @interpolate(flat) span_and_middle: vec4<f32>,
    @location(3) @interpolate(flat) colors_and_numbers: vec4<u32>,
    @location(4) @interpolate(flat) flags: u32,
}

@vertex
fn cylinder_vertex(@builtin(vertex_index) vertex: u32, @builtin(instance_index) drawn_copy: u32) -> Varyings {
    let instance = instances[vertex / 18u];
    let copy = drawn_copy + instance.copy;
    let place = vertex % 18u;
    let end_a = view_from_object_point(position_of(instance.a), copy);
    let end_b = view_from_object_point(position_of(instance.b), copy);
    let whole = end_b - end_a;
    let whole_length = length(whole);
    let axis = select(vec3<f32>(0.0, 0.0, 1.0), whole / whole_length, whole_length > 1e-6);

    var shift = vec3<f32>(0.0);
    if instance.offset != 0.0 {
        // Without a third atom, or with one on the axis, copies lie side by side on the screen.
        var toward = cross(axis, 0.5 * (end_a + end_b));
        if instance.plane != NO_ATOM {
            let third = view_from_object_point(position_of(instance.plane), copy) - end_a;
            let perpendicular = third - axis * dot(third, axis);
            if dot(perpendicular, perpendicular) > 1e-4 {
                toward = perpendicular;
            }
        }
        shift = toward * (instance.offset * inverseSqrt(max(dot(toward, toward), 1e-12)));
    }
    let range = unpack2x16unorm(instance.range);
    let start = end_a + whole * range.x + shift;
    let span = whole * (range.y - range.x);
    let span_length = length(span);
    let center = start + 0.5 * span;

    var radius = instance.radius;
    if (draw.flags & PIXEL_RADII) != 0u {
        radius = radius * frame.style.w * frame.projection.w * max(-center.z, frame.projection.z);
    }
    let extra = select(0.0, radius, (instance.flags & ROUND_ENDS) != 0u);

    // A frame whose second and third axes are perpendicular to the cylinder.
    let helper = select(vec3<f32>(0.0, 1.0, 0.0), vec3<f32>(1.0, 0.0, 0.0), abs(axis.y) > 0.8);
    let second = normalize(cross(axis, helper));
    let third = cross(axis, second);
    let extents = array<vec3<f32>, 3>(axis * (0.5 * span_length + extra), second * radius, third * radius);

    // Of each pair of faces take the one whose outside looks away from the eye.
    let face = place / 6u;
    let corner = place % 6u;
    let u = select(-1.0, 1.0, corner == 1u || corner == 2u || corner == 4u);
    let v = select(-1.0, 1.0, corner == 2u || corner == 4u || corner == 5u);
    let normal = extents[face];
    let side = select(-1.0, 1.0, dot(normal, center) > 0.0);
    let on_box = center + normal * side + extents[(face + 1u) % 3u] * u + extents[(face + 2u) % 3u] * v;

    var out: Varyings;
    out.clip = clip_from_view(on_box);
    out.on_box = on_box;
    out.start_and_radius = vec4<f32>(start, radius);
    // The colour changes half way between the atoms, not half way along this piece.
    let middle = select(0.5, (0.5 - range.x) / (range.y - range.x), range.y - range.x > 1e-4);
    out.span_and_middle = vec4<f32>(span, middle);
    out.colors_and_numbers = vec4<u32>(
        colors[instance.a], colors[instance.b], number_of(instance.a, copy), number_of(instance.b, copy));
    out.flags = instance.flags;
    return out;
}

fn cylinder_surface(in: Varyings) -> Surface {
    let start = in.start_and_radius.xyz;
    let radius = in.start_and_radius.w;
    let span = in.span_and_middle.xyz;
    let near = frame.projection.z;
    // Points of the ray are `ray * depth`.
    let ray = in.on_box / -in.on_box.z;
    let span_length = length(span);
    let axis = select(vec3<f32>(0.0, 0.0, 1.0), span / span_length, span_length > 1e-6);

    let ray_along = dot(ray, axis);
    let ray_across = ray - axis * ray_along;
    let start_along = dot(start, axis);
    let start_across = start - axis * start_along;
    let a = dot(ray_across, ray_across);

    var depth = -1.0;
    var normal = vec3<f32>(0.0, 0.0, 1.0);
    // Body.
    if a > 1e-12 {
        let closest = dot(ray_across, start_across) / a;
        let aside = start_across - ray_across * closest;
        let inside = radius * radius - dot(aside, aside);
        if inside >= 0.0 {
            let hit = closest - sqrt(inside / a);
            let along = hit * ray_along - start_along;
            if along >= 0.0 && along <= span_length && hit > near {
                depth = hit;
                normal = (ray_across * hit - start_across) / radius;
            } else if hit <= near {
                // Cut open by the near plane: a flat cap where the plane is inside.
                let cut = ray * near - start;
                let cut_along = dot(cut, axis);
                let cut_across = cut - axis * cut_along;
                if cut_along >= 0.0 && cut_along <= span_length && dot(cut_across, cut_across) <= radius * radius {
                    depth = near;
                }
            }
        }
    }
    if depth < 0.0 {
        if (in.flags & ROUND_ENDS) != 0u {
            // Half spheres: nearest hit of the two.
            let length_squared = dot(ray, ray);
            for (var end = 0; end < 2; end++) {
                let center = start + span * f32(end);
                let closest = dot(ray, center) / length_squared;
                let aside = center - ray * closest;
                let inside = radius * radius - dot(aside, aside);
                if inside >= 0.0 {
                    let hit = closest - sqrt(inside / length_squared);
                    if hit > near && (depth < 0.0 || hit < depth) {
                        depth = hit;
                        normal = (ray * hit - center) / radius;
                    }
                }
            }
        } else if abs(ray_along) > 1e-9 {
            // Flat ends: the one that looks at the eye.
            let at = select(start_along, start_along + span_length, ray_along < 0.0);
            let hit = at / ray_along;
            let across = ray_across * hit - start_across;
            if hit > near && dot(across, across) <= radius * radius {
                depth = hit;
                normal = axis * -sign(ray_along);
            }
        }
    }
    if depth < 0.0 {
        discard;
    }
    let along = (depth * ray_along - start_along) / max(span_length, 1e-6);
    let first = along < in.span_and_middle.w;
    return Surface(
        ray * depth,
        normal,
        select(in.colors_and_numbers.y, in.colors_and_numbers.x, first),
        select(in.colors_and_numbers.w, in.colors_and_numbers.z, first),
    );
}

@fragment
fn cylinder_opaque(in: Varyings) -> Opaque {
    return opaque(cylinder_surface(in));
}

@fragment
fn cylinder_transparent(in: Varyings) -> Transparent {
    return transparent(cylinder_surface(in));
}

@fragment
fn cylinder_peel(in: Varyings) -> Peeled {
    return peel(cylinder_surface(in), in.clip.xy);
}

@fragment
fn cylinder_mask(in: Varyings) -> @location(0) vec4<f32> {
    return mark(cylinder_surface(in), in.clip.xy);
}

@fragment
fn cylinder_shadow(in: Varyings) -> Cast {
    return cast_shadow(cylinder_surface(in));
}
