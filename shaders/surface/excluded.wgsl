#import "surface/nearest.wgsl"
#import "surface/vertex.wgsl"

// The solvent-excluded surface: the points inside the solvent-accessible surface that lie from it as far as the probe is
// wide.

@group(0) @binding(7) var<storage, read_write> field: array<f32>;

// Signed distance, positive inside, exact within the band around the surface.
@compute @workgroup_size(64)
fn excluded_field(invocation: Invocation) {
    let index = item(invocation);
    if index >= grid.range.y {
        return;
    }
    let nearest = nearest_accessible(place_of(point_of(index)), grid.shape.x + grid.shape.y);
    field[index] = nearest.distance - grid.shape.x;
}

// Moves vertices onto the surface along the way to the nearest accessible point, which is also where the normal points.
@compute @workgroup_size(64)
fn excluded_vertices(invocation: Invocation) {
    let index = item(invocation);
    if index >= grid.range.y {
        return;
    }
    let start = vertex_place(index);
    var position = start;
    var normal = vec3<f32>(0.0, 0.0, 1.0);
    var atom = NO_ATOM;
    for (var step = 0u; step < 2u; step++) {
        let nearest = nearest_accessible(position, grid.shape.x + 2.0 * grid.shape.y);
        atom = nearest.atom;
        let way = nearest.point - position;
        let distance = length(way);
        if !nearest.found || distance < 1e-4 {
            // In a corner too narrow for the grid.
            if step == 0u && atom != NO_ATOM {
                normal = normalize(position - atoms[atom].xyz + vec3<f32>(0.0, 0.0, 1e-6));
            }
            break;
        }
        normal = way / distance;
        position = held_near(start, nearest.point - normal * grid.shape.x);
    }
    write_vertex(index, position, normal, atom);
}
