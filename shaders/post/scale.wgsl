#import "post/fullscreen.wgsl"

// A picture drawn with fewer pixels in its full size.

@group(0) @binding(0) var picture: texture_2d<f32>;
@group(0) @binding(1) var linear_sampler: sampler;
// Size of the picture that is written, in pixels.
@group(0) @binding(2) var<uniform> output_size: vec4<f32>;

@fragment
fn scale_fragment(@builtin(position) place: vec4<f32>) -> @location(0) vec4<f32> {
    return textureSampleLevel(picture, linear_sampler, place.xy / output_size.xy, 0.0);
}
