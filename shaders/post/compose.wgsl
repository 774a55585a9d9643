#import "common/frame.wgsl"
#import "common/color.wgsl"
#import "common/normal.wgsl"
#import "common/lighting.wgsl"
#import "post/shadow.wgsl"
#import "post/fullscreen.wgsl"

// Puts the picture together from what the geometry passes wrote: light, occlusion, depth cue, transparent parts,
// silhouettes, highlights. Writes sRGB, premultiplied.

@group(1) @binding(0) var depths: texture_depth_2d;
@group(1) @binding(1) var albedos: texture_2d<f32>;
@group(1) @binding(2) var normals: texture_2d<f32>;
@group(1) @binding(3) var atom_numbers: texture_2d<u32>;
@group(1) @binding(4) var occlusion: texture_2d<f32>;
@group(1) @binding(5) var transparent_sums: texture_2d<f32>;
@group(1) @binding(6) var transparent_covered: texture_2d<f32>;
@group(1) @binding(7) var mask: texture_2d<f32>;
@group(1) @binding(8) var nearest: texture_2d<i32>;

const SELECTED_COLOR: vec3<f32> = vec3<f32>(0.02, 0.72, 0.22);
const HOVERED_COLOR: vec3<f32> = vec3<f32>(0.95, 0.62, 0.05);
const NO_DEPTH: f32 = 1.0e9;

fn depth_at(pixel: vec2<i32>, size: vec2<i32>) -> f32 {
    return textureLoad(depths, clamp(pixel, vec2<i32>(0), size - 1), 0);
}

// How strong the outline of highlighted pixels is beside them: a line, and a glow around it; weaker around what is hidden.
fn halo(pixel: vec2<i32>, seed: vec2<i32>, channel: u32) -> f32 {
    if seed.x < 0 {
        return 0.0;
    }
    let scale = frame.style.w;
    let distance = length(vec2<f32>(seed - pixel));
    let line = saturate(2.0 * scale + 0.9 - distance);
    let glow = saturate(1.0 - distance / (7.0 * scale));
    let is_seen = textureLoad(mask, seed, 0)[channel] > 0.5;
    return max(line, 0.45 * glow * glow) * select(0.4, 1.0, is_seen);
}

// Openness at a pixel from the four nearest occlusion pixels at about its depth.
fn openness(pixel: vec2<f32>, depth: f32) -> f32 {
    let step = f32(frame.counts.y);
    let size = vec2<i32>(textureDimensions(occlusion));
    if step < 1.5 {
        return textureLoad(occlusion, vec2<i32>(pixel), 0).x;
    }
    let place = pixel / step - 0.5;
    let corner = vec2<i32>(floor(place));
    let fraction = place - floor(place);
    let tolerance = 1.0 / max(0.5, 0.01 * depth);
    var sum = 0.0;
    var weights = 0.0;
    for (var index = 0; index < 4; index++) {
        let offset = vec2<i32>(index & 1, index >> 1u);
        let other = textureLoad(occlusion, clamp(corner + offset, vec2<i32>(0), size - 1), 0).xy;
        let near = mix(1.0 - fraction, fraction, vec2<f32>(offset));
        let weight = near.x * near.y / (1.0 + 4.0 * abs(other.y - depth) * tolerance) + 1e-5;
        sum += other.x * weight;
        weights += weight;
    }
    return sum / weights;
}

// How far a neighbour stands out in front of this pixel, 0-1. Depth values are linear across the screen on planes, so
// their second difference vanishes on slanted faces and leaves only steps.
fn silhouette(pixel: vec2<i32>, size: vec2<i32>, value: f32) -> f32 {
    let width = frame.style.x;
    let near = frame.projection.z;
    var strongest = 0.0;
    let reach = i32(ceil(width));
    for (var y = -reach; y <= reach; y++) {
        for (var x = -reach; x <= reach; x++) {
            // Half of the neighbourhood: the other half is the mirrored offset.
            if y < 0 || (y == 0 && x <= 0) {
                continue;
            }
            let distance = length(vec2<f32>(f32(x), f32(y)));
            let coverage = saturate(width + 0.5 - distance);
            if coverage <= 0.0 {
                continue;
            }
            let offset = vec2<i32>(x, y);
            let one = depth_at(pixel + offset, size);
            let other = depth_at(pixel - offset, size);
            let front = max(one, other);
            let step = one + other - 2.0 * value;
            if step <= 0.0 || front <= value {
                continue;
            }
            // The step as a distance behind the front.
            let front_depth = near / front;
            let jump = front_depth * step / max(front - step, 1e-3 * front);
            let limit = max(frame.style.y, 3.0 * distance * frame.projection.w * front_depth);
            strongest = max(strongest, coverage * smoothstep(0.7 * limit, 1.6 * limit, jump));
        }
    }
    return strongest;
}

struct Composed {
    @location(0) color: vec4<f32>,
}

@fragment
fn compose_fragment(@builtin(position) place: vec4<f32>) -> Composed {
    let size = vec2<i32>(frame.viewport.zw);
    let pixel = vec2<i32>(place.xy);
    let value = textureLoad(depths, pixel, 0);
    if value <= 0.0 && frame.style.x == 0.0 && (frame.counts.z | frame.counts.w) == 0u {
        return Composed(frame.plain_background);
    }
    var color = frame.background.rgb * frame.background.a;
    var alpha = frame.background.a;
    var depth = NO_DEPTH;
    if value > 0.0 {
        depth = frame.projection.z / value;
        let albedo = textureLoad(albedos, pixel, 0);
        color = linear_from_srgb(albedo.rgb);
        if albedo.a > 0.5 {
            let normal = decode_normal(textureLoad(normals, pixel, 0).xy);
            let eye = normalize(vec3<f32>(-slope_from_pixel(place.xy), 1.0));
            var open = 1.0;
            if frame.occlusion.x > 0.0 {
                open = openness(place.xy, depth);
            }
            var sun = 1.0;
            if frame.light.w > 0.0 {
                sun = sunlight(vec3<f32>(slope_from_pixel(place.xy), -1.0) * depth, normal, place.xy);
            }
            color = shade(color, normal, eye, open, sun);
        }
        color = fade(color, depth);
        alpha = 1.0;
    }
    if frame.style.x > 0.0 {
        let line = silhouette(pixel, size, value);
        let ink = mix(vec3<f32>(0.004), frame.background.rgb, 0.0);
        color = mix(color, ink, line);
        alpha = max(alpha, line);
    }
    if frame.counts.w != 0u {
        let sum = textureLoad(transparent_sums, pixel, 0);
        // One minus the product of what each layer lets through.
        var through = 1.0 - sum.a;
        if frame.counts.w == 1u {
            through = textureLoad(transparent_covered, pixel, 0).x;
        }
        if sum.a > 1e-5 {
            color = mix(sum.rgb / sum.a, color, through);
            alpha = 1.0 - (1.0 - alpha) * through;
            if frame.background.a == 0.0 && value <= 0.0 {
                color = sum.rgb / sum.a * (1.0 - through);
            }
        }
    }
    if frame.counts.z != 0u {
        let marks = textureLoad(mask, pixel, 0);
        let seeds = textureLoad(nearest, pixel, 0);
        if marks.y > 0.5 {
            color = mix(color, vec3<f32>(1.0, 0.9, 0.6), 0.22);
        }
        // Hidden parts shine through what hides them.
        let ghost = select(0.0, 0.30, marks.z > 0.5 && marks.x < 0.5);
        color = mix(color, SELECTED_COLOR, ghost);
        var hovered = 0.0;
        if marks.w < 0.5 {
            hovered = 0.9 * halo(pixel, seeds.zw, 1u);
        }
        var selected = 0.0;
        if marks.z < 0.5 {
            selected = halo(pixel, seeds.xy, 0u);
        }
        color = mix(color, HOVERED_COLOR, hovered);
        color = mix(color, SELECTED_COLOR, selected);
        alpha = max(alpha, max(ghost, max(selected, hovered)));
    }
    // The code is of the light before it was multiplied.
    let encoded = srgb_from_linear(color / max(alpha, 1e-4)) * alpha;
    return Composed(vec4<f32>(encoded, alpha));
}
