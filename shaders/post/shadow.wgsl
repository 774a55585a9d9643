#import "common/frame.wgsl"

// Soft shadows of the key light from its depth map: the distance to what stands in the way sets the width of the
// penumbra, within which the map is averaged (percentage-closer soft shadows, Fernando, SIGGRAPH 2005 sketches). The
// places are on a spiral that is turned from pixel to pixel and from one accumulated picture to the next.

@group(1) @binding(10) var shadow_map: texture_depth_2d;

const SHADOW_GOLDEN_ANGLE: f32 = 2.399963;
const BLOCKER_PLACES: u32 = 8u;
const FILTER_PLACES: u32 = 12u;

fn shadow_depth(texel: vec2<f32>, size: vec2<f32>) -> f32 {
    let value = textureLoad(shadow_map, vec2<i32>(clamp(texel, vec2<f32>(0.0), size - 1.0)), 0);
    return frame.light.z / max(value, 1e-9);
}

// The part of the key light that arrives at a point of view space.
fn sunlight(position: vec3<f32>, normal: vec3<f32>, pixel: vec2<f32>) -> f32 {
    let size = vec2<f32>(textureDimensions(shadow_map));
    let first = (frame.light_from_view * vec4<f32>(position, 1.0)).xyz;
    // Length of a texel at that depth, Å.
    let texel = -first.z * frame.light_shape.y;
    let place = (frame.light_from_view * vec4<f32>(position + normal * (0.06 + 1.5 * texel), 1.0)).xyz;
    let depth = -place.z;
    let device = place.xy / depth * frame.light.xy;
    if any(abs(device) > vec2<f32>(1.0)) {
        return 1.0;
    }
    let center = vec2<f32>(device.x + 1.0, 1.0 - device.y) * 0.5 * size;
    // Interleaved gradient noise (Jimenez 2014).
    let noise = fract(52.9829189 * fract(dot(pixel, vec2<f32>(0.06711056, 0.00583715))));
    let turn = noise * 6.2831853 + frame.occlusion.w;

    let reach = frame.light_shape.x * frame.light_shape.z;
    var sum = 0.0;
    var count = 0.0;
    for (var index = 0u; index < BLOCKER_PLACES; index++) {
        let radius = sqrt((f32(index) + 0.5) / f32(BLOCKER_PLACES)) * reach;
        let angle = f32(index) * SHADOW_GOLDEN_ANGLE + turn;
        let found = shadow_depth(center + vec2<f32>(cos(angle), sin(angle)) * (radius / texel), size);
        if found < depth - 0.1 - 0.5 * radius {
            sum += found;
            count += 1.0;
        }
    }
    if count == 0.0 {
        return 1.0;
    }
    let penumbra = clamp((depth - sum / count) * frame.light_shape.x, 1.5 * texel, reach);
    var arrived = 0.0;
    for (var index = 0u; index < FILTER_PLACES; index++) {
        let radius = sqrt((f32(index) + 0.5) / f32(FILTER_PLACES)) * penumbra;
        let angle = f32(index) * SHADOW_GOLDEN_ANGLE + turn;
        let found = shadow_depth(center + vec2<f32>(cos(angle), sin(angle)) * (radius / texel), size);
        arrived += select(1.0, 0.0, found < depth - 0.1 - 0.5 * radius);
    }
    return mix(1.0, arrived / f32(FILTER_PLACES), frame.light.w);
}
