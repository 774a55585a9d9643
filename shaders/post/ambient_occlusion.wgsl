#import "common/frame.wgsl"
#import "common/normal.wgsl"
#import "post/fullscreen.wgsl"

// How much of the hemisphere above each point is closed by what the depth buffer shows. Samples lie on a spiral around
// the pixel, as in Scalable Ambient Obscurance (McGuire, Mara & Luebke, HPG 2012), half of them within a small radius
// for crevices between atoms and half within a large one for pockets and domains: one radius cannot show both. A sample
// counts by its height above the surface and less with distance, so that something far in front casts no halo.

@group(1) @binding(0) var depths: texture_depth_2d;
@group(1) @binding(1) var normals: texture_2d<f32>;

const GOLDEN_ANGLE: f32 = 2.399963;

fn view_position(pixel: vec2<i32>, value: f32) -> vec3<f32> {
    let depth = frame.projection.z / value;
    return vec3<f32>(slope_from_pixel(vec2<f32>(pixel) + 0.5), -1.0) * depth;
}

// Writes openness (1: nothing in the way) and depth.
@fragment
fn occlusion_fragment(@builtin(position) place: vec4<f32>) -> @location(0) vec2<f32> {
    let size = vec2<i32>(frame.viewport.zw);
    let step = i32(frame.counts.y);
    let cell = vec2<i32>(place.xy);
    let pixel = min(cell * step + step / 2, size - 1);
    let value = textureLoad(depths, pixel, 0);
    if value <= 0.0 {
        return vec2<f32>(1.0, 1.0e4);
    }
    let position = view_position(pixel, value);
    let normal = decode_normal(textureLoad(normals, pixel, 0).xy);
    let depth = -position.z;

    // A 4 by 4 pattern of turns, averaged away by the blur of the same size.
    let tile = (cell.x & 3) + 4 * (((cell.x ^ cell.y) & 3));
    let turn = frame.occlusion.w + f32(tile) * (6.2831853 / 16.0);
    let count = frame.counts.x;
    var sums = vec2<f32>(0.0);
    for (var scale = 0u; scale < 2u; scale++) {
        let radius = select(frame.occlusion.y, frame.occlusion.z, scale == 1u);
        // Radius on the screen, kept within what the cache likes.
        let reach = clamp(radius / (depth * frame.projection.w), 2.0, 0.22 * frame.fog.w);
        var sum = 0.0;
        for (var index = 0u; index < count; index++) {
            let fraction = (f32(index) + 0.5 + f32(tile & 3) * 0.2) / f32(count);
            let angle = f32(index) * GOLDEN_ANGLE + turn + f32(scale) * 1.3;
            let offset = vec2<f32>(cos(angle), sin(angle)) * (fraction * reach);
            let other = pixel + vec2<i32>(round(offset));
            if any(other < vec2<i32>(0)) || any(other >= size) {
                continue;
            }
            let other_value = textureLoad(depths, other, 0);
            if other_value <= 0.0 {
                continue;
            }
            let toward = view_position(other, other_value) - position;
            let squared = dot(toward, toward);
            let height = dot(toward, normal) * inverseSqrt(max(squared, 1e-6));
            let near_weight = saturate(1.0 - squared / (radius * radius));
            sum += saturate(height * 1.15 - 0.10) * near_weight;
        }
        if scale == 0u {
            sums.x = sum / f32(count);
        } else {
            sums.y = sum / f32(count);
        }
    }
    let closed = saturate(2.0 * sums.x + 4.6 * sums.y);
    let open = pow(1.0 - closed * 0.95, 1.0 + 0.6 * frame.occlusion.x);
    return vec2<f32>(mix(1.0, open, frame.occlusion.x), depth);
}
