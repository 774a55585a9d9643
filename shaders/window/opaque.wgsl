// Large opaque areas of the window: the ground under the panels, and the picture of the molecules. Nothing here branches,
// because a software adapter goes both ways of a branch at every pixel.

struct Corner {
    @builtin(position) position: vec4<f32>,
    @location(0) place: vec2<f32>,
};

/// One triangle over all of the viewport.
@vertex
fn cover(@builtin(vertex_index) index: u32) -> Corner {
    let place = vec2<f32>(f32((index << 1u) & 2u), f32(index & 2u));
    return Corner(vec4<f32>(place.x * 2.0 - 1.0, 1.0 - place.y * 2.0, 0.0, 1.0), place);
}

/// The colour is the blend constant.
@fragment
fn ground() -> @location(0) vec4<f32> {
    return vec4<f32>(1.0);
}

@group(0) @binding(0) var picture: texture_2d<f32>;
@group(0) @binding(1) var smoothing: sampler;

@fragment
fn molecules(corner: Corner) -> @location(0) vec4<f32> {
    return vec4<f32>(textureSample(picture, smoothing, corner.place).rgb, 1.0);
}

/// The same for targets that make gamma out of what is written.
@fragment
fn molecules_linear(corner: Corner) -> @location(0) vec4<f32> {
    let gamma = textureSample(picture, smoothing, corner.place).rgb;
    let low = gamma / 12.92;
    let high = pow((gamma + 0.055) / 1.055, vec3<f32>(2.4));
    return vec4<f32>(select(high, low, gamma < vec3<f32>(0.04045)), 1.0);
}
