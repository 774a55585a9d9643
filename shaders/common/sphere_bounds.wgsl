#import "common/frame.wgsl"

// What the perspective image of a sphere fills.

// Smallest and largest slope of a circle of radius `radius` at `center` (offset along the axis, depth) as seen from the
// origin, of the part behind the near plane.
fn slope_bounds(center: vec2<f32>, radius: f32, near: f32) -> vec2<f32> {
    let tangent_squared = dot(center, center) - radius * radius;
    let cut = center.y - radius < near;
    // Half the width of the circle where the near plane cuts it.
    let half_width = sqrt(max(radius * radius - (near - center.y) * (near - center.y), 0.0));
    var bounds = vec2<f32>((center.x - half_width) / near, (center.x + half_width) / near);
    if tangent_squared > 0.0 {
        let tangent = sqrt(tangent_squared);
        // Tangent points: the centre turned by the half angle of the cone, at the tangent's length.
        let low = vec2<f32>(tangent * center.x - radius * center.y, radius * center.x + tangent * center.y);
        let high = vec2<f32>(tangent * center.x + radius * center.y, -radius * center.x + tangent * center.y);
        let scale = tangent / dot(center, center);
        if !cut || low.y * scale > near {
            bounds.x = low.x / low.y;
        }
        if !cut || high.y * scale > near {
            bounds.y = high.x / high.y;
        }
    }
    return bounds;
}

struct Extent {
    // Left, top, right, bottom in pixels.
    pixels: vec4<f32>,
    // Depth value of the nearest point.
    nearest: f32,
    is_inside: bool,
}

fn extent_of(sphere: vec4<f32>) -> Extent {
    let near = frame.projection.z;
    let depth = -sphere.z;
    if !(depth + sphere.w > near) || sphere.w <= 0.0 {
        return Extent(vec4<f32>(0.0), 0.0, false);
    }
    let x = slope_bounds(vec2<f32>(sphere.x, depth), sphere.w, near) * frame.projection.x + frame.viewport.x;
    let y = slope_bounds(vec2<f32>(sphere.y, depth), sphere.w, near) * frame.projection.y + frame.viewport.y;
    let is_inside = x.y > -1.0 && x.x < 1.0 && y.y > -1.0 && y.x < 1.0;
    let size = frame.viewport.zw;
    let pixels = vec4<f32>(
        (x.x + 1.0) * 0.5 * size.x, (1.0 - y.y) * 0.5 * size.y, (x.y + 1.0) * 0.5 * size.x, (1.0 - y.x) * 0.5 * size.y);
    return Extent(pixels, near / max(depth - sphere.w, near), is_inside);
}
