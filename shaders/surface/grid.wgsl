// The grid on which a surface is found. Keep in step with `GridUniform` in viewer/src/surface/compute.rs.
//
// All passes over it bind in group 0, the same thing at the same number: 0 grid, 1 atoms, 2 cell starts, 3 pair starts,
// 4 pairs, 5 arc counts, 6 arcs, 7 field, 8 vertices, 9 counts, 10 triangles, 11 charges.

struct Grid {
    // Corner (Å), spacing.
    origin: vec4<f32>,
    // Points along each axis, points in all.
    points: vec4<u32>,
    // Corner of the cells into which atoms are sorted (Å), edge of a cell.
    cell_origin: vec4<f32>,
    // Cells along each axis, number of atoms.
    cells: vec4<u32>,
    // Radius of the probe (Å), width of the band around the surface in which distances are exact (Å), sharpness of
    // Gaussians, not used.
    shape: vec4<f32>,
    // Begin and end of this dispatch's part of the work.
    range: vec4<u32>,
}

@group(0) @binding(0) var<uniform> grid: Grid;

struct Invocation {
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
}

// Which item of the work this invocation does; workgroups of 64 are laid out in two dimensions.
fn item(invocation: Invocation) -> u32 {
    let workgroup = invocation.workgroup.y * invocation.workgroups.x + invocation.workgroup.x;
    return grid.range.x + workgroup * 64u + invocation.local;
}

fn point_of(index: u32) -> vec3<u32> {
    let row = grid.points.x;
    let layer = row * grid.points.y;
    return vec3<u32>(index % row, (index % layer) / row, index / layer);
}

fn place_of(point: vec3<u32>) -> vec3<f32> {
    return grid.origin.xyz + vec3<f32>(point) * grid.origin.w;
}
