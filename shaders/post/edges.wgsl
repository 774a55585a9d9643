#import "post/fullscreen.wgsl"

// Where colour jumps: x at the left border of a pixel, y at its upper border. First of the three passes that smooth edges of
// a finished picture (Jimenez, Echevarria, Sousa & Gutierrez, "SMAA", CGF 2012, 31(2)). A jump beside one twice as large is
// none (their local contrast adaptation).

@group(0) @binding(0) var picture: texture_2d<f32>;

// sRGB codes; half of what is seen as an edge by most.
const THRESHOLD: f32 = 0.05;

fn color_at(pixel: vec2<i32>, last: vec2<i32>) -> vec4<f32> {
    return textureLoad(picture, clamp(pixel, vec2<i32>(0), last), 0);
}

fn jump(a: vec4<f32>, b: vec4<f32>) -> f32 {
    let apart = abs(a - b);
    return max(max(apart.r, apart.g), max(apart.b, apart.a));
}

@fragment
fn edges_fragment(@builtin(position) place: vec4<f32>) -> @location(0) vec2<f32> {
    let last = vec2<i32>(textureDimensions(picture)) - 1;
    let pixel = vec2<i32>(place.xy);
    let here = color_at(pixel, last);
    let left = color_at(pixel - vec2<i32>(1, 0), last);
    let above = color_at(pixel - vec2<i32>(0, 1), last);
    let jumps = vec2<f32>(jump(here, left), jump(here, above));
    if all(jumps < vec2<f32>(THRESHOLD)) {
        return vec2<f32>(0.0);
    }
    let around = max(
        max(jump(here, color_at(pixel + vec2<i32>(1, 0), last)), jump(here, color_at(pixel + vec2<i32>(0, 1), last))),
        max(
            jump(left, color_at(pixel - vec2<i32>(2, 0), last)),
            jump(above, color_at(pixel - vec2<i32>(0, 2), last)),
        ),
    );
    let largest = max(around, max(jumps.x, jumps.y));
    return select(vec2<f32>(0.0), vec2<f32>(1.0), jumps >= vec2<f32>(max(THRESHOLD, 0.5 * largest)));
}
