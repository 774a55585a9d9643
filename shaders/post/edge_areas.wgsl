#import "post/fullscreen.wgsl"

// How much of each pixel lies on the other side of the straight line that an edge stands for; second pass of the smoothing
// (Jimenez et al. 2012; the lines are those of Reshetnikov, "Morphological antialiasing", HPG 2009). Along a border the edge
// is followed to both ends. Where it turns off at an end, the line meets that turn half way up; from there it falls to the
// border in the middle of the edge. The paper looks areas under the line up in a texture; under a line they are trapezoids,
// computed here.
//
// x: of the pixel above covering this one, y: of this one covering the pixel above; z, w: the same with the pixel to the left.

@group(0) @binding(0) var edges: texture_2d<f32>;

// Pixels that an edge is followed to each side.
const REACH: i32 = 32;

// Whether there is an edge at the left (channel 0) or the upper (1) border of a pixel.
fn is_edge(pixel: vec2<i32>, channel: u32) -> bool {
    let size = vec2<i32>(textureDimensions(edges));
    if any(pixel < vec2<i32>(0)) || any(pixel >= size) {
        return false;
    }
    return textureLoad(edges, pixel, 0)[channel] > 0.5;
}

// Height at an end of the edge: half a pixel towards the side that it turns to, positive before the border (above, left); none
// where it turns to both or neither. `pixel` is the one behind the border whose crossing border is looked at.
fn height(pixel: vec2<i32>, across: vec2<i32>, turn: u32) -> f32 {
    return 0.5 * (f32(is_edge(pixel - across, turn)) - f32(is_edge(pixel, turn)));
}

fn turns(pixel: vec2<i32>, across: vec2<i32>, turn: u32) -> bool {
    return is_edge(pixel, turn) || is_edge(pixel - across, turn);
}

// The area between the border and a line that falls from `height` at 0 to nothing at `middle`, from `begin` to `end`.
fn area(height: f32, middle: f32, begin: f32, end: f32) -> f32 {
    let last = min(end, middle);
    if last <= begin {
        return 0.0;
    }
    return height * (last - begin) * (1.0 - 0.5 * (begin + last) / middle);
}

// Areas for the border of a pixel: before it, behind it. `along` is the direction of the border, `across` leads from the
// pixel before it to the one behind; `channel` of the edges is that of the border, `turn` that of crossing ones.
fn areas(pixel: vec2<i32>, along: vec2<i32>, across: vec2<i32>, channel: u32, turn: u32) -> vec2<f32> {
    var before = 0;
    while before < REACH && !turns(pixel - along * before, across, turn)
        && is_edge(pixel - along * (before + 1), channel) {
        before++;
    }
    var after = 0;
    while after < REACH && !turns(pixel + along * (after + 1), across, turn)
        && is_edge(pixel + along * (after + 1), channel) {
        after++;
    }
    let first = select(0.0, height(pixel - along * before, across, turn), before < REACH);
    let second = select(0.0, height(pixel + along * (after + 1), across, turn), after < REACH);
    let middle = 0.5 * f32(before + after + 1);
    let ours = area(first, middle, f32(before), f32(before + 1));
    let others = area(second, middle, f32(after), f32(after + 1));
    return vec2<f32>(max(ours, 0.0) + max(others, 0.0), max(-ours, 0.0) + max(-others, 0.0));
}

@fragment
fn areas_fragment(@builtin(position) place: vec4<f32>) -> @location(0) vec4<f32> {
    let pixel = vec2<i32>(place.xy);
    let own = textureLoad(edges, pixel, 0).xy;
    var covered = vec4<f32>(0.0);
    if own.y > 0.5 {
        covered = vec4<f32>(areas(pixel, vec2<i32>(1, 0), vec2<i32>(0, 1), 1u, 0u).yx, 0.0, 0.0);
    }
    if own.x > 0.5 {
        covered = vec4<f32>(covered.xy, areas(pixel, vec2<i32>(0, 1), vec2<i32>(1, 0), 0u, 1u).yx);
    }
    return covered;
}
