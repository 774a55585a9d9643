#import "post/fullscreen.wgsl"

// Smooths edges of a finished picture: where brightness jumps, two pairs of samples along the edge are averaged, the
// wider pair only if it stays between the darkest and brightest neighbour (after Lottes, FXAA, 2009). Also scales a
// picture drawn with fewer pixels to its full size.

@group(0) @binding(0) var picture: texture_2d<f32>;
@group(0) @binding(1) var linear_sampler: sampler;

fn brightness(color: vec4<f32>) -> f32 {
    return dot(color.rgb, vec3<f32>(0.299, 0.587, 0.114)) + 0.25 * color.a;
}

// Size of the picture that is written, in pixels; it may differ from the size of the one that is read.
@group(0) @binding(2) var<uniform> output_size: vec4<f32>;

@fragment
fn smooth_fragment(@builtin(position) place: vec4<f32>) -> @location(0) vec4<f32> {
    return smoothed(place.xy / output_size.xy, vec2<f32>(textureDimensions(picture)));
}

fn smoothed(uv: vec2<f32>, size: vec2<f32>) -> vec4<f32> {
    // Most pixels have no edge: five plain loads find out, which cost a software adapter far less than filtering.
    let last = vec2<i32>(size) - 1;
    let place = clamp(vec2<i32>(uv * size), vec2<i32>(0), last);
    let middle = textureLoad(picture, place, 0);
    let m = brightness(middle);
    let n = brightness(textureLoad(picture, clamp(place + vec2<i32>(0, -1), vec2<i32>(0), last), 0));
    let s = brightness(textureLoad(picture, clamp(place + vec2<i32>(0, 1), vec2<i32>(0), last), 0));
    let w = brightness(textureLoad(picture, clamp(place + vec2<i32>(-1, 0), vec2<i32>(0), last), 0));
    let e = brightness(textureLoad(picture, clamp(place + vec2<i32>(1, 0), vec2<i32>(0), last), 0));
    let darkest = min(m, min(min(n, s), min(w, e)));
    let brightest = max(m, max(max(n, s), max(w, e)));
    let is_scaled = output_size.x != size.x;
    if brightest - darkest < max(0.03, 0.10 * brightest) {
        if is_scaled {
            return textureSampleLevel(picture, linear_sampler, uv, 0.0);
        }
        return middle;
    }
    let pixel = 1.0 / size;
    let nw = brightness(textureSampleLevel(picture, linear_sampler, uv + vec2<f32>(-0.5, -0.5) * pixel, 0.0));
    let ne = brightness(textureSampleLevel(picture, linear_sampler, uv + vec2<f32>(0.5, -0.5) * pixel, 0.0));
    let sw = brightness(textureSampleLevel(picture, linear_sampler, uv + vec2<f32>(-0.5, 0.5) * pixel, 0.0));
    let se = brightness(textureSampleLevel(picture, linear_sampler, uv + vec2<f32>(0.5, 0.5) * pixel, 0.0));
    var direction = vec2<f32>(-((nw + ne) - (sw + se)), (nw + sw) - (ne + se));
    let reduce = max((nw + ne + sw + se) * 0.03125, 0.0078);
    direction = clamp(direction / (min(abs(direction.x), abs(direction.y)) + reduce), vec2<f32>(-8.0), vec2<f32>(8.0))
        * pixel;
    let close = 0.5 * (textureSampleLevel(picture, linear_sampler, uv - direction / 6.0, 0.0)
        + textureSampleLevel(picture, linear_sampler, uv + direction / 6.0, 0.0));
    let wide = 0.5 * close + 0.25 * (textureSampleLevel(picture, linear_sampler, uv - direction * 0.5, 0.0)
        + textureSampleLevel(picture, linear_sampler, uv + direction * 0.5, 0.0));
    let wide_brightness = brightness(wide);
    return select(wide, close, wide_brightness < darkest || wide_brightness > brightest);
}
