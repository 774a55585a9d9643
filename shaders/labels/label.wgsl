#import "common/frame.wgsl"

// Letters from an atlas of signed distances, laid over the composed picture. Each stands at a point of the scene and is
// hidden by what lies before that point.

struct LetterInstance {
    // World space, Å; w: 1 where nothing hides it.
    anchor: vec4<f32>,
    // Left, bottom, width, height in pixels from the anchor at a line scale of 1.
    place: vec4<f32>,
    // Left, top, width, height in the atlas, texels.
    cell: vec4<f32>,
    // Packed sRGB of letter and outline, pixels for one texel at a line scale of 1 (bits), not used.
    colors: vec4<u32>,
}

@group(1) @binding(0) var<storage, read> letters: array<LetterInstance>;
@group(1) @binding(1) var atlas: texture_2d<f32>;
@group(1) @binding(2) var atlas_sampler: sampler;
@group(1) @binding(3) var label_depths: texture_depth_2d;

// Texels around an outline within which distance is told; `SPREAD` of viewer/src/labels/font.rs.
const SPREAD: f32 = 6.0;
// A label stands this far before its point, so that the atom it names does not hide it, Å.
const BEFORE: f32 = 2.2;

struct Varyings {
    @builtin(position) clip: vec4<f32>,
    @location(0) texel: vec2<f32>,
    @location(1) @interpolate(flat) colors: vec2<u32>,
    @location(2) @interpolate(flat) depth: f32,
    // Pixels for one texel.
    @location(3) @interpolate(flat) scale: f32,
}

@vertex
fn label_vertex(@builtin(vertex_index) vertex: u32) -> Varyings {
    let letter = letters[vertex / 6u];
    let corner = vertex % 6u;
    let right = select(0.0, 1.0, corner == 1u || corner == 2u || corner == 4u);
    let top = select(0.0, 1.0, corner == 2u || corner == 4u || corner == 5u);
    let center = view_from_world_point(letter.anchor.xyz);
    let depth = -center.z;
    var out: Varyings;
    out.texel = letter.cell.xy + letter.cell.zw * vec2<f32>(right, 1.0 - top);
    out.colors = letter.colors.xy;
    out.depth = select(max(depth - BEFORE, frame.projection.z), frame.projection.z, letter.anchor.w > 0.5);
    out.scale = bitcast<f32>(letter.colors.z) * frame.style.w;
    if depth < frame.projection.z {
        // Behind the viewer: all corners in one place, outside.
        out.clip = vec4<f32>(2.0, 2.0, 0.0, 1.0);
        return out;
    }
    let offset = (letter.place.xy + letter.place.zw * vec2<f32>(right, top)) * frame.style.w;
    let base = clip_from_view(center);
    out.clip = vec4<f32>(base.xy + offset * 2.0 / frame.viewport.zw * base.w, base.z, base.w);
    return out;
}

@fragment
fn label_fragment(in: Varyings) -> @location(0) vec4<f32> {
    let size = vec2<f32>(textureDimensions(atlas));
    let share = textureSampleLevel(atlas, atlas_sampler, in.texel / size, 0.0).x;
    if textureLoad(label_depths, vec2<i32>(in.clip.xy), 0) > frame.projection.z / in.depth {
        discard;
    }
    // Distance from the outline in pixels, positive inside.
    let distance = (share - 0.5) * 2.0 * SPREAD * in.scale;
    let ink = saturate(distance + 0.5);
    let reach = min(2.0 * frame.style.w, (SPREAD - 1.0) * in.scale);
    let ground = saturate(distance + reach + 0.5) * 0.85;
    let alpha = max(ink, ground);
    let color = mix(unpack4x8unorm(in.colors.y).rgb, unpack4x8unorm(in.colors.x).rgb, ink);
    return vec4<f32>(color * alpha, alpha);
}
