#import "post/fullscreen.wgsl"

// The nearest highlighted pixel of every pixel, by jump flooding (Rong & Tan, I3D 2006): steps that halve from one pass to
// the next. Writes its place for what is selected (xy) and hovered (zw).

@group(0) @binding(0) var mask: texture_2d<f32>;
@group(0) @binding(1) var previous: texture_2d<i32>;
struct Flood {
    // Pixels.
    length: i32,
    // Whether it is the first, which reads the mask.
    is_first: u32,
    unused: vec2<u32>,
}
@group(0) @binding(2) var<uniform> flood: Flood;

const NOWHERE: i32 = -30000;

fn seeds_at(place: vec2<i32>) -> vec4<i32> {
    if flood.is_first == 0u {
        return textureLoad(previous, place, 0);
    }
    let marks = textureLoad(mask, place, 0);
    return vec4<i32>(
        select(vec2<i32>(NOWHERE), place, marks.z > 0.5),
        select(vec2<i32>(NOWHERE), place, marks.w > 0.5),
    );
}

@fragment
fn flood_fragment(@builtin(position) position: vec4<f32>) -> @location(0) vec4<i32> {
    let pixel = vec2<i32>(position.xy);
    let size = vec2<i32>(textureDimensions(mask));
    var nearest = vec4<i32>(NOWHERE);
    var squared = vec2<i32>(1000000000);
    for (var index = 0; index < 9; index++) {
        let place = pixel + vec2<i32>(index % 3 - 1, index / 3 - 1) * flood.length;
        if any(place < vec2<i32>(0)) || any(place >= size) {
            continue;
        }
        let seeds = seeds_at(place);
        let first = seeds.xy - pixel;
        let second = seeds.zw - pixel;
        let found = vec2<i32>(dot(first, first), dot(second, second));
        if seeds.x != NOWHERE && found.x < squared.x {
            squared.x = found.x;
            nearest = vec4<i32>(seeds.xy, nearest.zw);
        }
        if seeds.z != NOWHERE && found.y < squared.y {
            squared.y = found.y;
            nearest = vec4<i32>(nearest.xy, seeds.zw);
        }
    }
    return nearest;
}
