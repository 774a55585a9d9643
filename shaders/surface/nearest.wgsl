#import "surface/arcs.wgsl"

// The nearest point of the solvent-accessible surface from inside it, exactly.
//
// The solvent-accessible surface bounds the union of balls (atoms grown by the probe). Let `depth` be the largest of
// radius - distance over the balls: the union holds a ball of that radius around the point, so nothing of its boundary is
// nearer. Where the way straight out of the deepest ball ends uncovered, that is the nearest point. Elsewhere the nearest
// point lies on a crease: on one of the arcs of a ball that holds the point, or at an end of it.

struct Nearest {
    distance: f32,
    point: vec3<f32>,
    // The atom whose van der Waals surface is nearest.
    atom: u32,
    // Whether `point` was found.
    found: bool,
}

// From `position`, as far as `limit`; outside, the distance is negative and only a bound.
fn nearest_accessible(position: vec3<f32>, limit: f32) -> Nearest {
    var nearest = Nearest(-1e9, position, NO_ATOM, false);
    for (var index = 0u; index < 9u; index++) {
        let span = row(position, index);
        for (var atom = span.x; atom < span.y; atom++) {
            let depth = atoms[atom].w - distance(position, atoms[atom].xyz);
            if depth > nearest.distance {
                nearest.distance = depth;
                nearest.atom = atom;
            }
        }
    }
    if nearest.distance <= 0.0 || nearest.distance >= limit {
        return nearest;
    }
    let ball = atoms[nearest.atom];
    let outward = position - ball.xyz;
    let away = length(outward);
    let point = ball.xyz + select(vec3<f32>(ball.w, 0.0, 0.0), outward * (ball.w / away), away > 1e-6);
    var covered = false;
    for (var pair = pair_starts[nearest.atom]; pair < pair_starts[nearest.atom + 1u] && !covered; pair++) {
        let other = atoms[pairs[pair].y];
        let offset = point - other.xyz;
        let reach = other.w - 1e-4;
        covered = dot(offset, offset) < reach * reach;
    }
    if !covered {
        nearest.point = point;
        nearest.found = true;
        return nearest;
    }
    var best = limit * limit;
    for (var index = 0u; index < 9u; index++) {
        let span = row(position, index);
        for (var atom = span.x; atom < span.y; atom++) {
            let candidate = atoms[atom];
            let offset = position - candidate.xyz;
            if dot(offset, offset) > candidate.w * candidate.w {
                continue;
            }
            let end = arc_counts[pair_starts[atom + 1u]].x;
            for (var place = arc_counts[pair_starts[atom]].x; place < end; place++) {
                let arc = arcs[place];
                let from_center = position - arc.center_and_radius.xyz;
                let along = dot(from_center, arc.axis.xyz);
                let flat = from_center - arc.axis.xyz * along;
                let aside = length(flat);
                var direction = select(arc.middle.xyz, flat / aside, aside > 1e-6);
                if dot(direction, arc.middle.xyz) < arc.middle.w {
                    let across = cross(arc.axis.xyz, arc.middle.xyz);
                    let side = select(-arc.axis.w, arc.axis.w, dot(flat, across) >= 0.0);
                    direction = arc.middle.xyz * arc.middle.w + across * side;
                }
                let on_arc = arc.center_and_radius.xyz + direction * arc.center_and_radius.w;
                let way = position - on_arc;
                let squared = dot(way, way);
                if squared < best {
                    best = squared;
                    nearest.point = on_arc;
                    nearest.found = true;
                }
            }
        }
    }
    nearest.distance = sqrt(best);
    return nearest;
}
