#import "common/frame.wgsl"
#import "post/fullscreen.wgsl"

// Averages openness over the 4 by 4 pattern of the sampling, over pixels at about the same depth.

@group(1) @binding(0) var occlusion: texture_2d<f32>;

@fragment
fn blur_fragment(@builtin(position) place: vec4<f32>) -> @location(0) vec2<f32> {
    let size = vec2<i32>(textureDimensions(occlusion));
    let cell = vec2<i32>(place.xy);
    let center = textureLoad(occlusion, cell, 0).xy;
    if center.y > 9.0e3 {
        return center;
    }
    // One percent of the depth or 0.8 Å: about the thickness of a ribbon.
    let tolerance = 1.0 / max(0.8, 0.01 * center.y);
    var sum = 0.0;
    var weights = 0.0;
    for (var y = -2; y < 2; y++) {
        for (var x = -2; x < 2; x++) {
            let other = textureLoad(occlusion, clamp(cell + vec2<i32>(x, y), vec2<i32>(0), size - 1), 0).xy;
            let weight = saturate(1.2 - abs(other.y - center.y) * tolerance);
            sum += other.x * weight;
            weights += weight;
        }
    }
    return vec2<f32>(select(center.x, sum / weights, weights > 1e-3), center.y);
}
