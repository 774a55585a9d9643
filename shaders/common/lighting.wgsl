#import "common/frame.wgsl"

// Light is fixed to the viewer, as in a photographer's studio: a key light from the upper left behind the camera, a
// fill light from the right, light from all around that is stronger from above.

const KEY_DIRECTION: vec3<f32> = vec3<f32>(-0.437, 0.583, 0.685);
const FILL_DIRECTION: vec3<f32> = vec3<f32>(0.728, -0.182, 0.661);

// How much of a light arrives when it wraps around the terminator by this much.
fn wrapped(cosine: f32, wrap: f32) -> f32 {
    let value = saturate((cosine + wrap) / (1.0 + wrap));
    return value * value * (3.0 - 2.0 * value) * 0.35 + value * 0.65;
}

// Light leaving a surface of linear colour `color` towards `eye`; `open` is 1 where nothing occludes it, `sun` is the
// part of the key light that no shadow takes.
fn shade(color: vec3<f32>, normal: vec3<f32>, eye: vec3<f32>, open: f32, sun: f32) -> vec3<f32> {
    if frame.style.z > 1.5 {
        return color * mix(1.0, open, 0.4) * mix(0.62, 1.0, sun);
    }
    let soft = frame.style.z > 0.5;
    let sky = 0.5 + 0.5 * normal.y;
    let around = mix(vec3<f32>(0.52, 0.50, 0.52), vec3<f32>(1.0, 1.02, 1.06), sky);
    let key = wrapped(dot(normal, KEY_DIRECTION), 0.35) * sun;
    let fill = wrapped(dot(normal, FILL_DIRECTION), 0.5);
    // Occlusion belongs to the light from around; a little of it on the lamps keeps crevices dark. Between bright
    // surfaces light bounces, so bright colours darken less (Jimenez et al. 2016, multi-bounce fit).
    let bounced = max(
        vec3<f32>(open),
        ((open * (2.0404 * color - 0.3324) + (-4.7951 * color + 0.6417)) * open + (2.7552 * color + 0.6903)) * open,
    );
    let lamps = mix(1.0, open, 0.8);
    var light: vec3<f32>;
    if soft {
        light = around * bounced * 0.80 + vec3<f32>(1.0, 0.985, 0.96) * (0.34 * key * lamps);
    } else {
        light = around * bounced * 0.42
            + vec3<f32>(1.0, 0.98, 0.95) * (0.78 * key * lamps)
            + vec3<f32>(0.90, 0.95, 1.0) * (0.14 * fill * lamps);
    }
    let half_way = normalize(KEY_DIRECTION + eye);
    let shine = pow(saturate(dot(normal, half_way)), 60.0) * select(0.20, 0.05, soft) * sun;
    let edge = pow(1.0 - saturate(dot(normal, eye)), 4.0) * 0.07 * sky;
    return color * light + vec3<f32>((shine + edge) * lamps * open);
}

// Fades a colour into the background with depth.
fn fade(color: vec3<f32>, depth: f32) -> vec3<f32> {
    let fraction = saturate((depth - frame.fog.x) * frame.fog.y) * frame.fog.z;
    return mix(color, frame.background.rgb, fraction);
}
