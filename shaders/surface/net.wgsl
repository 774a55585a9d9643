#import "surface/grid.wgsl"
#import "surface/vertex.wgsl"

// Surface nets (Gibson, MICCAI 1998): a vertex in every cell of the grid through which the surface passes, and a
// quadrilateral across every edge of the grid that the surface cuts, between the four cells around the edge. Cells and
// edges are counted, the running sums of the counts give each its place, and both are written there: equal input, equal
// mesh.

@group(0) @binding(7) var<storage, read> field: array<f32>;
// Vertices and quadrilaterals that belong to each point of the grid; later the sums of all before it.
@group(0) @binding(9) var<storage, read_write> counts: array<vec2<u32>>;
@group(0) @binding(10) var<storage, read_write> triangles: array<u32>;

const STEP: array<vec3<u32>, 3> = array<vec3<u32>, 3>(
    vec3<u32>(1u, 0u, 0u),
    vec3<u32>(0u, 1u, 0u),
    vec3<u32>(0u, 0u, 1u),
);

fn index_of(point: vec3<u32>) -> u32 {
    return (point.z * grid.points.y + point.y) * grid.points.x + point.x;
}

fn corner(index: u32) -> vec3<u32> {
    return vec3<u32>(index & 1u, (index >> 1u) & 1u, index >> 2u);
}

// Whether the surface passes through the cell whose lowest corner is this point.
fn is_cut(point: vec3<u32>) -> bool {
    if any(point + vec3<u32>(1u) >= grid.points.xyz) {
        return false;
    }
    var inside = 0u;
    for (var index = 0u; index < 8u; index++) {
        inside += select(0u, 1u, field[index_of(point + corner(index))] > 0.0);
    }
    return inside != 0u && inside != 8u;
}

// Whether the edge from this point along an axis has a quadrilateral.
fn crosses(point: vec3<u32>, axis: u32) -> bool {
    let next = point + STEP[axis];
    // The four cells around the edge must be there.
    let around = vec3<u32>(1u) - STEP[axis];
    if any(next >= grid.points.xyz) || any(point < around) || any(point + around >= grid.points.xyz) {
        return false;
    }
    return (field[index_of(point)] > 0.0) != (field[index_of(next)] > 0.0);
}

// Whether the corners of a cell in this set, a bit each, hang together along its edges.
fn hangs_together(corners: u32) -> bool {
    var reached = corners & (~corners + 1u);
    for (var step = 0u; step < 7u; step++) {
        let across = ((reached & 0x55u) << 1u) | ((reached & 0xaau) >> 1u);
        let along = ((reached & 0x33u) << 2u) | ((reached & 0xccu) >> 2u);
        let up = ((reached & 0x0fu) << 4u) | ((reached & 0xf0u) >> 4u);
        reached |= (across | along | up) & corners;
    }
    return reached == corners;
}

@compute @workgroup_size(64)
fn count_net(invocation: Invocation) {
    let index = item(invocation);
    if index >= grid.range.y {
        return;
    }
    let point = point_of(index);
    var quadrilaterals = 0u;
    for (var axis = 0u; axis < 3u; axis++) {
        quadrilaterals += select(0u, 1u, crosses(point, axis));
    }
    counts[index] = vec2<u32>(select(0u, 1u, is_cut(point)), quadrilaterals);
}

@compute @workgroup_size(64)
fn write_vertices(invocation: Invocation) {
    let index = item(invocation);
    if index >= grid.range.y || counts[index].x == counts[index + 1u].x {
        return;
    }
    let point = point_of(index);
    var values: array<f32, 8>;
    var inside = 0u;
    for (var at = 0u; at < 8u; at++) {
        values[at] = field[index_of(point + corner(at))];
        inside |= select(0u, 1u << at, values[at] > 0.0);
    }
    // The mean of the places where the surface cuts the edges.
    var sum = vec3<f32>(0.0);
    var count = 0.0;
    for (var at = 0u; at < 8u; at++) {
        for (var axis = 0u; axis < 3u; axis++) {
            let other = at | (1u << axis);
            if other != at && (values[at] > 0.0) != (values[other] > 0.0) {
                let fraction = clamp(values[at] / (values[at] - values[other]), 0.0, 1.0);
                sum += mix(vec3<f32>(corner(at)), vec3<f32>(corner(other)), fraction);
                count += 1.0;
            }
        }
    }
    let position = place_of(point) + sum / count * grid.origin.w;
    let vertex = counts[index].x;
    write_vertex(vertex, position, vec3<f32>(0.0, 0.0, 1.0), 0u);
    vertices[vertex].has_sheets = select(1u, 0u, hangs_together(inside) && hangs_together(~inside & 0xffu));
}

@compute @workgroup_size(64)
fn write_triangles(invocation: Invocation) {
    let index = item(invocation);
    if index >= grid.range.y {
        return;
    }
    var place = 6u * counts[index].y;
    if place == 6u * counts[index + 1u].y {
        return;
    }
    let point = point_of(index);
    for (var axis = 0u; axis < 3u; axis++) {
        if !crosses(point, axis) {
            continue;
        }
        let first = STEP[(axis + 1u) % 3u];
        let second = STEP[(axis + 2u) % 3u];
        // Around the edge, counter-clockwise as seen from its end: that is outside if its beginning is inside.
        var around = array<u32, 4>(
            counts[index_of(point - first - second)].x,
            counts[index_of(point - second)].x,
            counts[index].x,
            counts[index_of(point - first)].x,
        );
        if field[index] <= 0.0 {
            let kept = around[1];
            around[1] = around[3];
            around[3] = kept;
        }
        // Along the shorter diagonal. Both triangles have the diagonal at the same place: pictures of the net leave it out.
        let one = distance(vertex_place(around[0]), vertex_place(around[2]));
        let other = distance(vertex_place(around[1]), vertex_place(around[3]));
        let turn = select(0u, 1u, other < one);
        for (var step = 0u; step < 3u; step++) {
            triangles[place + step] = around[(step + turn) % 4u];
            triangles[place + 3u + step] = around[(select(step + 1u, 0u, step == 0u) + turn) % 4u];
        }
        place += 6u;
    }
}
