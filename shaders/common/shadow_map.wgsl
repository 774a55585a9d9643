#import "common/surface.wgsl"

// What the key light sees: depth alone.

struct Cast {
    @builtin(frag_depth) depth: f32,
}

fn cast_shadow(surface: Surface) -> Cast {
    // Lines and dashes are signs, not things; what the camera cuts off is not there.
    if (draw.flags & UNLIT) != 0u || dot(frame.cut.xyz, surface.position) + frame.cut.w < 0.0 {
        discard;
    }
    return Cast(frame.projection.z / -surface.position.z);
}
