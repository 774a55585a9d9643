#import "surface/grid.wgsl"
#import "common/normal.wgsl"

// A vertex of a surface in the making. Keep in step with `ComputedVertex` in viewer/src/surface/compute.rs.
struct Vertex {
    x: f32,
    y: f32,
    z: f32,
    // Octahedral map, two signed fractions of 16 bits.
    normal: u32,
    // Index among the sorted atoms.
    atom: u32,
    // Electrostatic potential, kcal/(mol e).
    potential: f32,
    // 1: more than one sheet of the surface may pass through its cell.
    has_sheets: u32,
}

@group(0) @binding(8) var<storage, read_write> vertices: array<Vertex>;

fn vertex_place(index: u32) -> vec3<f32> {
    return vec3<f32>(vertices[index].x, vertices[index].y, vertices[index].z);
}

fn write_vertex(index: u32, position: vec3<f32>, normal: vec3<f32>, atom: u32) {
    vertices[index] =
        Vertex(position.x, position.y, position.z, pack2x16snorm(encode_normal(normal)), atom, 0.0,
        vertices[index].has_sheets);
}

// A vertex keeps near the cell it belongs to, or triangles would fold over.
fn held_near(start: vec3<f32>, wanted: vec3<f32>) -> vec3<f32> {
    let way = wanted - start;
    let most = 0.7 * grid.origin.w;
    return start + way * min(1.0, most / max(length(way), 1e-6));
}
