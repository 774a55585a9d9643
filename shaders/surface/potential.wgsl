#import "surface/vertex.wgsl"

// The electrostatic potential by Coulomb's law with a dielectric that grows with the distance (4 r, r in Å), 1.4 Å
// outside the surface, where the middle of a water or of a ligand's atom can be: kcal/(mol e).

// Place of a charge, charge in e.
@group(0) @binding(11) var<storage, read> charges: array<vec4<f32>>;

// Coulomb's constant, kcal Å / (mol e²).
const COULOMB: f32 = 332.06371;
const DIELECTRIC: f32 = 4.0;
const OFFSET: f32 = 1.4;

@compute @workgroup_size(64)
fn potential_of_vertices(invocation: Invocation) {
    let index = item(invocation);
    if index >= grid.range.y {
        return;
    }
    let position = vertex_place(index) + decode_normal(unpack2x16snorm(vertices[index].normal)) * OFFSET;
    var sum = 0.0;
    for (var charge = 0u; charge < arrayLength(&charges); charge++) {
        let way = position - charges[charge].xyz;
        sum += charges[charge].w / max(dot(way, way), 0.25);
    }
    vertices[index].potential = COULOMB / DIELECTRIC * sum;
}
