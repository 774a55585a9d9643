#import "common/frame.wgsl"

// What one draw call reads. Keep in step with `DrawUniform` in viewer/src/renderer/uniforms.rs.
struct Draw {
    // Number of the object's first atom in the picture; atom numbers begin at 1.
    first_atom: u32,
    // 1: the atoms are points without a number. 2: light does not fall on it. 4: radii are pixels. 8: a surface is
    // coloured by the potential at its vertices. 16: of a surface, the net of its edges is drawn. 32: its inner side
    // is not.
    flags: u32,
    opacity: f32,
    // Potential of the strongest colours, kcal/(mol e).
    potential_range: f32,
    // Atoms of the object: the numbers of its copies follow one another.
    atom_count: u32,
}

const WITHOUT_NUMBERS: u32 = 1u;
const UNLIT: u32 = 2u;
const PIXEL_RADII: u32 = 4u;
const BY_POTENTIAL: u32 = 8u;
const NET: u32 = 16u;
const FRONT_ONLY: u32 = 32u;

@group(1) @binding(0) var<uniform> draw: Draw;
// Three floats for each atom, as the coordinates lie in memory.
@group(1) @binding(1) var<storage, read> positions: array<f32>;
// sRGB for each atom, red in the lowest byte.
@group(1) @binding(2) var<storage, read> colors: array<u32>;
// Where copies of the object stand; rigid motions.
@group(1) @binding(4) var<storage, read> world_from_object: array<mat4x4<f32>>;

fn position_of(atom: u32) -> vec3<f32> {
    return vec3<f32>(positions[3u * atom], positions[3u * atom + 1u], positions[3u * atom + 2u]);
}

fn view_from_object_point(position: vec3<f32>, copy: u32) -> vec3<f32> {
    return view_from_world_point((world_from_object[copy] * vec4<f32>(position, 1.0)).xyz);
}

fn view_from_object_direction(direction: vec3<f32>, copy: u32) -> vec3<f32> {
    return (frame.view_from_world * (world_from_object[copy] * vec4<f32>(direction, 0.0))).xyz;
}

fn number_of(atom: u32, copy: u32) -> u32 {
    return select(draw.first_atom + copy * draw.atom_count + atom + 1u, 0u, (draw.flags & WITHOUT_NUMBERS) != 0u);
}
