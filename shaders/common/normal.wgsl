// Unit vectors in two numbers by the octahedral map (Cigolle et al., JCGT 2014, 3(2)).

fn sign_not_zero(value: vec2<f32>) -> vec2<f32> {
    return select(vec2<f32>(-1.0), vec2<f32>(1.0), value >= vec2<f32>(0.0));
}

fn encode_normal(normal: vec3<f32>) -> vec2<f32> {
    let flat = normal.xy / (abs(normal.x) + abs(normal.y) + abs(normal.z));
    return select((1.0 - abs(flat.yx)) * sign_not_zero(flat), flat, normal.z >= 0.0);
}

fn decode_normal(encoded: vec2<f32>) -> vec3<f32> {
    var normal = vec3<f32>(encoded, 1.0 - abs(encoded.x) - abs(encoded.y));
    if normal.z < 0.0 {
        normal = vec3<f32>((1.0 - abs(normal.yx)) * sign_not_zero(normal.xy), normal.z);
    }
    return normalize(normal);
}
