#import "common/surface.wgsl"

// Exact transparency by depth peeling (Everitt, NVIDIA 2001): each pass draws the nearest surface behind the one that the
// pass before drew, down to what is solid.

@group(2) @binding(0) var solid_depths: texture_depth_2d;
// Depths of the layer before; a texture of another size than the picture stands for none.
@group(2) @binding(1) var previous_depths: texture_depth_2d;

struct Peeled {
    // Linear light, premultiplied.
    @location(0) color: vec4<f32>,
    @builtin(frag_depth) depth: f32,
}

fn peel(surface: Surface, place: vec2<f32>) -> Peeled {
    let value = frame.projection.z / -surface.position.z;
    let pixel = vec2<i32>(place);
    if value <= textureLoad(solid_depths, pixel, 0) {
        discard;
    }
    let is_first = any(textureDimensions(previous_depths) != textureDimensions(solid_depths));
    if !is_first && value >= textureLoad(previous_depths, pixel, 0) {
        discard;
    }
    let glazed = glaze(surface);
    return Peeled(vec4<f32>(glazed.rgb * glazed.a, glazed.a), value);
}
