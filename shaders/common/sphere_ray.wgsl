#import "common/frame.wgsl"

// Where the ray of a pixel meets a sphere.
struct SphereHit {
    depth: f32,
    normal: vec3<f32>,
    is_there: bool,
}

// Middle (view space) and radius of a sphere; the slope of the ray. What the near plane cuts shows a flat cap.
fn cast_at_sphere(sphere: vec4<f32>, slope: vec2<f32>) -> SphereHit {
    let center = sphere.xyz;
    let radius = sphere.w;
    let near = frame.projection.z;
    // Points of the ray are `ray * depth`.
    let ray = vec3<f32>(slope, -1.0);
    let length_squared = dot(ray, ray);
    let closest = dot(ray, center) / length_squared;
    let aside = center - ray * closest;
    let inside = radius * radius - dot(aside, aside);
    let half_chord = sqrt(max(inside, 0.0) / length_squared);
    let depth = closest - half_chord;
    if inside < 0.0 || closest + half_chord < near {
        return SphereHit(0.0, vec3<f32>(0.0), false);
    }
    if depth < near {
        return SphereHit(near, vec3<f32>(0.0, 0.0, 1.0), true);
    }
    return SphereHit(depth, (ray * depth - center) / radius, true);
}
