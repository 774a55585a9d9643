#import "common/color.wgsl"
#import "post/fullscreen.wgsl"

// Averages pictures taken with the camera shifted by fractions of a pixel. The average is of light, not of its sRGB
// code. `accumulate_fragment` adds one picture (the blend state adds); `resolve_fragment` writes the average.

@group(0) @binding(0) var picture: texture_2d<f32>;
// x: weight.
@group(0) @binding(2) var<uniform> weight: vec4<f32>;

@fragment
fn accumulate_fragment(@builtin(position) place: vec4<f32>) -> @location(0) vec4<f32> {
    let color = textureLoad(picture, vec2<i32>(place.xy), 0);
    // Premultiplied: the code is of the colour before it was multiplied.
    let light = linear_from_srgb(color.rgb / max(color.a, 1e-4)) * color.a;
    return vec4<f32>(light, color.a) * weight.x;
}

@fragment
fn resolve_fragment(@builtin(position) place: vec4<f32>) -> @location(0) vec4<f32> {
    let sum = textureLoad(picture, vec2<i32>(place.xy), 0) * weight.x;
    let alpha = saturate(sum.a);
    return vec4<f32>(srgb_from_linear(sum.rgb / max(alpha, 1e-4)) * alpha, alpha);
}
