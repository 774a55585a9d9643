#import "surface/atoms.wgsl"
#import "surface/vertex.wgsl"

// The Gaussian surface (Grant & Pickup, J. Phys. Chem. 1995, 99, 3503; Krone et al., EuroVis 2012): where the sum of
// exp(-sharpness (distance² / radius² - 1)) over the atoms is one. A single atom keeps its radius; neighbours melt into
// each other.

@group(0) @binding(7) var<storage, read_write> field: array<f32>;

struct Density {
    // About the distance from the surface, Å, positive inside.
    value: f32,
    gradient: vec3<f32>,
    atom: u32,
}

fn density_at(position: vec3<f32>) -> Density {
    let sharpness = grid.shape.z;
    var sum = 0.0;
    var gradient = vec3<f32>(0.0);
    var nearest = 1e9;
    var atom = NO_ATOM;
    for (var index = 0u; index < 9u; index++) {
        let span = row(position, index);
        for (var other = span.x; other < span.y; other++) {
            let ball = atoms[other];
            let way = position - ball.xyz;
            let squared = dot(way, way) / (ball.w * ball.w);
            let weight = exp(sharpness * (1.0 - squared));
            sum += weight;
            gradient -= way * (weight * 2.0 * sharpness / (ball.w * ball.w));
            let away = length(way) - ball.w;
            if away < nearest {
                nearest = away;
                atom = other;
            }
        }
    }
    if sum < 1e-6 {
        return Density(-2.0, vec3<f32>(0.0), atom);
    }
    // The logarithm is nearly straight; near an atom of 1.7 Å this scale makes it a length.
    let scale = 1.7 / (2.0 * sharpness);
    return Density(max(log(sum) * scale, -2.0), gradient * (scale / sum), atom);
}

@compute @workgroup_size(64)
fn gaussian_field(invocation: Invocation) {
    let index = item(invocation);
    if index >= grid.range.y {
        return;
    }
    field[index] = density_at(place_of(point_of(index))).value;
}

@compute @workgroup_size(64)
fn gaussian_vertices(invocation: Invocation) {
    let index = item(invocation);
    if index >= grid.range.y {
        return;
    }
    let start = vertex_place(index);
    var position = start;
    var normal = vec3<f32>(0.0, 0.0, 1.0);
    var atom = NO_ATOM;
    for (var step = 0u; step < 3u; step++) {
        let density = density_at(position);
        atom = density.atom;
        let squared = dot(density.gradient, density.gradient);
        if squared < 1e-8 {
            break;
        }
        normal = -density.gradient * inverseSqrt(squared);
        if step < 2u {
            position = held_near(start, position - density.gradient * (density.value / squared));
        }
    }
    write_vertex(index, position, normal, atom);
}
