#import "common/color.wgsl"
#import "post/fullscreen.wgsl"

// Mixes each pixel with the neighbours whose areas reach into it; last pass of the smoothing (Jimenez et al. 2012). Light is
// mixed, not its sRGB code.

@group(0) @binding(0) var picture: texture_2d<f32>;
@group(0) @binding(1) var areas: texture_2d<f32>;

// Premultiplied.
fn light_at(pixel: vec2<i32>) -> vec4<f32> {
    let color = textureLoad(picture, pixel, 0);
    return vec4<f32>(linear_from_srgb(color.rgb / max(color.a, 1e-4)) * color.a, color.a);
}

@fragment
fn blend_fragment(@builtin(position) place: vec4<f32>) -> @location(0) vec4<f32> {
    let pixel = vec2<i32>(place.xy);
    let last = vec2<i32>(textureDimensions(picture)) - 1;
    let own = textureLoad(areas, pixel, 0);
    // Areas at the lower and the right border belong to the pixels behind them.
    var below = 0.0;
    if pixel.y < last.y {
        below = textureLoad(areas, pixel + vec2<i32>(0, 1), 0).y;
    }
    var right = 0.0;
    if pixel.x < last.x {
        right = textureLoad(areas, pixel + vec2<i32>(1, 0), 0).w;
    }
    let vertical = vec2<f32>(own.x, below);
    let horizontal = vec2<f32>(own.z, right);
    if all(vertical + horizontal == vec2<f32>(0.0)) {
        return textureLoad(picture, pixel, 0);
    }
    // Of the two directions the one with more to it: at a corner both speak of the same piece.
    let is_vertical = max(vertical.x, vertical.y) >= max(horizontal.x, horizontal.y);
    let shares = select(horizontal, vertical, is_vertical);
    let step = select(vec2<i32>(1, 0), vec2<i32>(0, 1), is_vertical);
    let mixed = light_at(pixel) * (1.0 - shares.x - shares.y)
        + light_at(max(pixel - step, vec2<i32>(0))) * shares.x
        + light_at(min(pixel + step, last)) * shares.y;
    return vec4<f32>(srgb_from_linear(mixed.rgb / max(mixed.a, 1e-4)) * mixed.a, mixed.a);
}
