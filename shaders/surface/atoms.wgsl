#import "surface/grid.wgsl"

// Atoms, sorted into cells at least as wide as an atom reaches: whatever reaches a point lies in the 27 cells around it.

// Centre, radius (for the solvent-excluded surface with the probe's added).
@group(0) @binding(1) var<storage, read> atoms: array<vec4<f32>>;
// First atom of each cell, and the number of atoms at the end.
@group(0) @binding(2) var<storage, read> cell_starts: array<u32>;

const NO_ATOM: u32 = 0xffffffffu;

// The atoms of three neighbouring cells along x lie side by side: nine rows hold the 27 cells around a point.
fn row(position: vec3<f32>, index: u32) -> vec2<u32> {
    let cells = vec3<i32>(grid.cells.xyz);
    let cell = vec3<i32>(floor((position - grid.cell_origin.xyz) / grid.cell_origin.w));
    let y = cell.y + i32(index % 3u) - 1;
    let z = cell.z + i32(index / 3u) - 1;
    let first = max(cell.x - 1, 0);
    let last = min(cell.x + 1, cells.x - 1);
    if y < 0 || z < 0 || y >= cells.y || z >= cells.z || first > last {
        return vec2<u32>(0u);
    }
    let base = (z * cells.y + y) * cells.x;
    return vec2<u32>(cell_starts[base + first], cell_starts[base + last + 1]);
}
