// What every pass of a frame reads. Keep in step with `FrameUniform` in viewer/src/renderer/uniforms.rs.
//
// View space: x right, y up, z towards the viewer. "Depth" is the distance before the eye along -z in Å; the depth
// buffer holds near / depth (reverse-Z, infinite far plane), which is linear across the screen on planes.
// A "slope" is a view-space position divided by its depth: the direction of a pixel.

struct Frame {
    view_from_world: mat4x4<f32>,
    // Scales of a slope to device coordinates (x, y), near plane in Å, slope of one pixel.
    projection: vec4<f32>,
    // Shift of the picture in device coordinates (for accumulation), size in pixels.
    viewport: vec4<f32>,
    // Linear light, alpha.
    background: vec4<f32>,
    // Depth where fading begins, one over its range, strength, height of the whole picture in pixels (a tile is a part of it).
    fog: vec4<f32>,
    // Strength, small radius, large radius (Å), turn of the sampling pattern (radians).
    occlusion: vec4<f32>,
    // Silhouette width (pixels), depth jump that draws it (Å), lighting (0 studio, 1 soft, 2 flat), pixels for one pixel
    // of the widths that are given in pixels.
    style: vec4<f32>,
    // Occlusion samples, pixels for one occlusion pixel, whether atoms are highlighted, transparent parts (0 none, 1
    // weighted and blended, 2 exact).
    counts: vec4<u32>,
    // The background as it is written: sRGB, premultiplied.
    plain_background: vec4<f32>,
    // From this view space to that of the key light, which is a camera far away.
    light_from_view: mat4x4<f32>,
    // Scales of a slope seen from the light to device coordinates (x, y), near plane of the light, strength of shadows.
    light: vec4<f32>,
    // Tangent of the light's angular radius, slope of one texel of the shadow map, farthest that a penumbra is looked
    // for (Å), not used.
    light_shape: vec4<f32>,
    // Plane (view space) before which nothing casts a shadow: what the camera cuts off is not there for the light.
    cut: vec4<f32>,
}

@group(0) @binding(0) var<uniform> frame: Frame;

fn clip_from_view(position: vec3<f32>) -> vec4<f32> {
    let depth = -position.z;
    return vec4<f32>(position.xy * frame.projection.xy + frame.viewport.xy * depth, frame.projection.z, depth);
}

fn clip_from_slope(slope: vec2<f32>, depth: f32) -> vec4<f32> {
    return vec4<f32>((slope * frame.projection.xy + frame.viewport.xy) * depth, frame.projection.z, depth);
}

fn slope_from_pixel(pixel: vec2<f32>) -> vec2<f32> {
    let device = vec2<f32>(pixel.x, frame.viewport.w - pixel.y) / frame.viewport.zw * 2.0 - 1.0;
    return (device - frame.viewport.xy) / frame.projection.xy;
}

fn view_from_world_point(position: vec3<f32>) -> vec3<f32> {
    return (frame.view_from_world * vec4<f32>(position, 1.0)).xyz;
}
