#import "common/surface.wgsl"

// Where highlighted atoms are, seen or hidden: x selected and seen, y hovered and seen, z selected, w hovered. Drawn
// without a depth test, the greatest kept.

// Two bits for each atom, sixteen atoms to a word: 1 selected, 2 hovered.
@group(2) @binding(2) var<storage, read> highlights: array<u32>;
@group(2) @binding(3) var mask_depths: texture_depth_2d;

fn mark(surface: Surface, place: vec2<f32>) -> vec4<f32> {
    let atom = surface.atom_number - 1u;
    let word = atom / 16u;
    if surface.atom_number == 0u || word >= arrayLength(&highlights) {
        discard;
    }
    let bits = (highlights[min(word, arrayLength(&highlights) - 1u)] >> (2u * (atom % 16u))) & 3u;
    if bits == 0u {
        discard;
    }
    let value = frame.projection.z / -surface.position.z;
    // The same surface computed by another pass may differ in the last digits.
    let is_seen = select(0.0, 1.0, value >= 0.9999 * textureLoad(mask_depths, vec2<i32>(place), 0));
    let marks = vec2<f32>(f32(bits & 1u), f32(bits >> 1u));
    return vec4<f32>(marks * is_seen, marks);
}
