#import "common/draw.wgsl"
#import "common/color.wgsl"
#import "common/normal.wgsl"
#import "common/lighting.wgsl"

// A visible point of a surface, and the two ways to put it into the picture.
struct Surface {
    // View space.
    position: vec3<f32>,
    normal: vec3<f32>,
    // Packed sRGB.
    color: u32,
    atom_number: u32,
}

struct Opaque {
    // sRGB, and whether light falls on it.
    @location(0) color: vec4<f32>,
    @location(1) normal: vec2<f32>,
    @location(2) atom_number: u32,
    @builtin(frag_depth) depth: f32,
}

fn opaque(surface: Surface) -> Opaque {
    let lit = select(1.0, 0.0, (draw.flags & UNLIT) != 0u);
    return Opaque(
        vec4<f32>(unpack4x8unorm(surface.color).rgb, lit),
        encode_normal(surface.normal),
        surface.atom_number,
        frame.projection.z / -surface.position.z,
    );
}

// Weighted blended order-independent transparency (McGuire & Bavoil, JCGT 2013, 2(2)).
struct Transparent {
    @location(0) sum: vec4<f32>,
    @location(1) covered: f32,
    @builtin(frag_depth) depth: f32,
}

// Light that leaves a transparent surface, and how much of what lies behind it hides.
fn glaze(surface: Surface) -> vec4<f32> {
    let color = linear_from_srgb(unpack4x8unorm(surface.color).rgb);
    let depth = -surface.position.z;
    var lit = color;
    if (draw.flags & UNLIT) == 0u {
        lit = shade(color, surface.normal, normalize(-surface.position), 1.0, 1.0);
    }
    let shaded = fade(lit, depth);
    // Surfaces seen edge-on are thicker along the line of sight: they hide more.
    let facing = abs(dot(surface.normal, normalize(-surface.position)));
    let alpha = 1.0 - pow(1.0 - min(draw.opacity, 0.999), mix(2.2, 1.0, facing));
    return vec4<f32>(shaded, alpha);
}

fn transparent(surface: Surface) -> Transparent {
    let depth = -surface.position.z;
    let glazed = glaze(surface);
    let relative = (depth - frame.fog.x) * frame.fog.y;
    let weight = clamp(exp2(-6.0 * relative), 0.01, 64.0);
    return Transparent(vec4<f32>(glazed.rgb * glazed.a, glazed.a) * weight, glazed.a, frame.projection.z / depth);
}
