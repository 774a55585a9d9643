#import "surface/atoms.wgsl"

// Where the solvent-accessible surface has creases: arcs of the circles in which the balls of two atoms meet that no
// third ball covers. `count_arcs` and, at the places that the running sum of the counts gives, `write_arcs` go over the
// pairs of neighbours; a pair is listed in both orders, sorted by its first atom, so that the arcs of an atom lie side
// by side.

// First pair of each atom, and the number of pairs at the end.
@group(0) @binding(3) var<storage, read> pair_starts: array<u32>;
@group(0) @binding(4) var<storage, read> pairs: array<vec2<u32>>;
@group(0) @binding(5) var<storage, read_write> arc_counts: array<vec2<u32>>;
@group(0) @binding(6) var<storage, read_write> arcs: array<Arc>;

struct Arc {
    // Of the circle.
    center_and_radius: vec4<f32>,
    // Unit vector from the centre to the arc's middle, cosine of half its angle.
    middle: vec4<f32>,
    // Unit vector along the axis, sine of half the angle.
    axis: vec4<f32>,
}

// Balls that cut one circle. More than this are seen only where atoms lie in each other.
const MOST_CUTS: u32 = 128u;
const TURN: f32 = 6.2831853;
const EPSILON: f32 = 1e-5;

// Of the balls that cut the circle at hand: a unit vector in its plane towards the ball, and the cosine of half of the
// angle that the ball covers.
var<private> cuts: array<vec3<f32>, MOST_CUTS>;
var<private> cut_count: u32;
// The cut that covered the last direction asked for covers the next one as well, more often than not.
var<private> last_cover: u32;

struct Circle {
    exists: bool,
    center: vec3<f32>,
    radius: f32,
    axis: vec3<f32>,
    x: vec3<f32>,
    y: vec3<f32>,
}

// The circle of a pair, with `cuts` filled; it does not exist where the balls do not meet or a third covers all of it.
fn circle_of(pair: vec2<u32>) -> Circle {
    var circle: Circle;
    circle.exists = false;
    let a = atoms[pair.x];
    let b = atoms[pair.y];
    let distance = length(b.xyz - a.xyz);
    if distance < 1e-3 {
        return circle;
    }
    circle.axis = (b.xyz - a.xyz) / distance;
    let along = 0.5 * (distance + (a.w * a.w - b.w * b.w) / distance);
    let squared = a.w * a.w - along * along;
    if squared < 1e-6 {
        return circle;
    }
    circle.radius = sqrt(squared);
    circle.center = a.xyz + circle.axis * along;
    // Any two directions across the axis.
    let other = select(vec3<f32>(1.0, 0.0, 0.0), vec3<f32>(0.0, 1.0, 0.0), abs(circle.axis.x) > 0.7);
    circle.x = normalize(cross(circle.axis, other));
    circle.y = cross(circle.axis, circle.x);
    cut_count = 0u;
    for (var index = pair_starts[pair.x]; index < pair_starts[pair.x + 1u]; index++) {
        let third = pairs[index].y;
        if third == pair.y {
            continue;
        }
        let ball = atoms[third];
        let offset = ball.xyz - circle.center;
        let flat = vec2<f32>(dot(offset, circle.x), dot(offset, circle.y));
        let aside = length(flat);
        let excess = squared + dot(offset, offset) - ball.w * ball.w;
        let range = 2.0 * circle.radius * aside;
        if excess <= -range {
            return circle;
        }
        if excess < range && cut_count < MOST_CUTS {
            cuts[cut_count] = vec3<f32>(flat / aside, excess / range);
            cut_count++;
        }
    }
    circle.exists = true;
    last_cover = 0u;
    return circle;
}

fn is_covered(direction: vec2<f32>, except: u32) -> bool {
    if last_cover < cut_count && last_cover != except
        && dot(direction, cuts[last_cover].xy) > cuts[last_cover].z + EPSILON {
        return true;
    }
    for (var index = 0u; index < cut_count; index++) {
        if index != except && dot(direction, cuts[index].xy) > cuts[index].z + EPSILON {
            last_cover = index;
            return true;
        }
    }
    return false;
}

// Where a cut ends (`side` 1) or begins (-1), counter-clockwise.
fn edge_of(cut: vec3<f32>, side: f32) -> vec2<f32> {
    let sine = sqrt(max(1.0 - cut.z * cut.z, 0.0)) * side;
    return vec2<f32>(cut.x * cut.z - cut.y * sine, cut.y * cut.z + cut.x * sine);
}

@compute @workgroup_size(64)
fn count_arcs(invocation: Invocation) {
    let index = item(invocation);
    if index >= grid.range.y {
        return;
    }
    let circle = circle_of(pairs[index]);
    var count = 0u;
    if circle.exists {
        count = select(0u, 1u, cut_count == 0u);
        for (var cut = 0u; cut < cut_count; cut++) {
            if !is_covered(edge_of(cuts[cut], 1.0), cut) {
                count++;
            }
        }
    }
    arc_counts[index] = vec2<u32>(count, 0u);
}

@compute @workgroup_size(64)
fn write_arcs(invocation: Invocation) {
    let index = item(invocation);
    if index >= grid.range.y {
        return;
    }
    var place = arc_counts[index].x;
    let end = arc_counts[index + 1u].x;
    if place == end {
        return;
    }
    let circle = circle_of(pairs[index]);
    let center = vec4<f32>(circle.center, circle.radius);
    if cut_count == 0u {
        arcs[place] = Arc(center, vec4<f32>(circle.x, -1.0), vec4<f32>(circle.axis, 0.0));
        return;
    }
    for (var cut = 0u; cut < cut_count && place < end; cut++) {
        let start = edge_of(cuts[cut], 1.0);
        if is_covered(start, cut) {
            continue;
        }
        // The arc ends where the next cut begins.
        var angle = TURN;
        for (var other = 0u; other < cut_count; other++) {
            let stop = edge_of(cuts[other], -1.0);
            var turned = atan2(start.x * stop.y - start.y * stop.x, dot(start, stop));
            turned = select(turned, turned + TURN, turned < -EPSILON);
            angle = min(angle, max(turned, 0.0));
        }
        let half_angle = 0.5 * angle;
        let cosine = cos(half_angle);
        let sine = sin(half_angle);
        let middle = vec2<f32>(start.x * cosine - start.y * sine, start.y * cosine + start.x * sine);
        arcs[place] = Arc(
            center,
            vec4<f32>(circle.x * middle.x + circle.y * middle.y, cosine),
            vec4<f32>(circle.axis, sine),
        );
        place++;
    }
}
