#import "post/fullscreen.wgsl"

// Puts a peeled layer behind those before it; the blend state multiplies by what they let through.

@group(0) @binding(0) var layer: texture_2d<f32>;

@fragment
fn peel_blend_fragment(@builtin(position) place: vec4<f32>) -> @location(0) vec4<f32> {
    return textureLoad(layer, vec2<i32>(place.xy), 0);
}
