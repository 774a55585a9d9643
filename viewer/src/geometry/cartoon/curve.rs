//! A smooth line through guide atoms, with the direction of the ribbon's width along it.
//!
//! The line is a cubic Hermite spline. What makes helices round is the length and direction of the tangents: an arc of
//! angle θ and radius R is followed best by tangents of length 4 R tan(θ/4) (the usual cubic approximation of a circle),
//! which for the 100° between residues of a helix is nearly twice what Catmull and Rom's tangents give. So tangents in
//! helices are taken apart: the part along the helix axis keeps its length, the part around it is scaled. The axis comes
//! from the second differences of the CA atoms, which point straight away from it (Kahn, Computers Chem. 1989, 13, 185).
//!
//! Strands zigzag by 0.9 Å; averaging each guide with its neighbours (weights 1, 2, 1) takes that away. Coils are
//! averaged lightly (1, 5, 1): it takes the nervousness out of loops and moves them by a few tenths of an Å.

use glam::Vec3;

use super::trace::Trace;
use crate::ribbon::RibbonKind;

/// A point of the line with its frame: `tangent` along it, `side` along the ribbon's width, both of unit length and
/// perpendicular.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub position: Vec3,
    pub tangent: Vec3,
    pub side: Vec3,
}

impl Frame {
    /// Across the ribbon's face; side × face = tangent.
    pub fn face(&self) -> Vec3 {
        self.tangent.cross(self.side)
    }
}

/// 4 tan(25°) / (2 sin 100°): scale of the chord between the neighbours to the best tangent, for steps of 100°.
const HELIX_TENSION: f32 = 0.947;
/// Catmull and Rom's tension is 0.5; a little more rounds the corners of loops.
const COIL_TENSION: f32 = 0.58;
/// Strands are straight; short tangents keep them from bulging.
const STRAND_TENSION: f32 = 0.5;

/// `divisions` frames for each residue and one at the end.
pub(super) fn frames(trace: &Trace, divisions: usize) -> Vec<Frame> {
    let points = smoothed(trace);
    let axes = helix_axes(trace, &points);
    let tangents = tangents(trace, &points, &axes);
    let sides = sides(trace, &points, &tangents, &axes);
    let count = points.len();
    let mut frames = Vec::with_capacity((count - 1) * divisions + 1);
    for index in 0..count - 1 {
        let (from, to) = (points[index], points[index + 1]);
        let (leaving, arriving) = (tangents[index], tangents[index + 1]);
        let steps = if index + 2 == count { divisions + 1 } else { divisions };
        for step in 0..steps {
            let t = step as f32 / divisions as f32;
            let (t2, t3) = (t * t, t * t * t);
            let position = from * (2.0 * t3 - 3.0 * t2 + 1.0)
                + leaving * (t3 - 2.0 * t2 + t)
                + to * (3.0 * t2 - 2.0 * t3)
                + arriving * (t3 - t2);
            let velocity = from * (6.0 * t2 - 6.0 * t)
                + leaving * (3.0 * t2 - 4.0 * t + 1.0)
                + to * (6.0 * t - 6.0 * t2)
                + arriving * (3.0 * t2 - 2.0 * t);
            let tangent = velocity.normalize_or((to - from).normalize_or(Vec3::X));
            let eased = t2 * (3.0 - 2.0 * t);
            let side = sides[index].lerp(sides[index + 1], eased);
            frames.push(Frame { position, tangent, side: perpendicular(side, tangent) });
        }
    }
    frames
}

/// The part of `side` perpendicular to `tangent`, unit length; any perpendicular if there is none.
fn perpendicular(side: Vec3, tangent: Vec3) -> Vec3 {
    let part = side - tangent * side.dot(tangent);
    if part.length_squared() > 1e-6 { part.normalize_or_zero() } else { tangent.any_orthonormal_vector() }
}

fn smoothed(trace: &Trace) -> Vec<Vec3> {
    let guides = &trace.guides;
    let original: Vec<Vec3> = guides.iter().map(|guide| guide.position).collect();
    if trace.nucleic {
        return original;
    }
    let mut points = original.clone();
    for index in 1..guides.len().saturating_sub(1) {
        let weight = match guides[index].kind {
            RibbonKind::Strand => 2.0,
            RibbonKind::Coil => 5.0,
            RibbonKind::Helix => continue,
        };
        points[index] = (original[index - 1] + original[index] * weight + original[index + 1]) / (weight + 2.0);
    }
    points
}

/// Runs of one kind, as inclusive ranges.
fn runs(trace: &Trace, kind: RibbonKind) -> Vec<(usize, usize)> {
    let guides = &trace.guides;
    let mut found = Vec::new();
    let mut index = 0;
    while index < guides.len() {
        let length = guides[index..].iter().take_while(|guide| guide.kind == kind).count();
        if length > 0 {
            found.push((index, index + length - 1));
        }
        index += length.max(1);
    }
    found
}

/// Unit vector along the axis at each residue of a helix; zero elsewhere and where it cannot be told.
fn helix_axes(trace: &Trace, points: &[Vec3]) -> Vec<Vec3> {
    let mut axes = vec![Vec3::ZERO; points.len()];
    if trace.nucleic {
        return axes;
    }
    for (start, end) in runs(trace, RibbonKind::Helix) {
        let outward: Vec<Vec3> = (start..=end)
            .map(|index| {
                if index == 0 || index + 1 >= points.len() {
                    Vec3::ZERO
                } else {
                    (points[index] * 2.0 - points[index - 1] - points[index + 1]).normalize_or_zero()
                }
            })
            .collect();
        let raw: Vec<Vec3> = outward.windows(2).map(|pair| pair[0].cross(pair[1])).collect();
        let mean: Vec3 = raw.iter().copied().sum();
        for index in start..=end {
            // The steps around this residue, two to each side.
            let here = index - start;
            let near: Vec3 =
                raw[here.saturating_sub(2).min(raw.len())..(here + 2).min(raw.len())].iter().copied().sum();
            axes[index] = near.try_normalize().or_else(|| mean.try_normalize()).unwrap_or(Vec3::ZERO);
        }
    }
    axes
}

fn tangents(trace: &Trace, points: &[Vec3], axes: &[Vec3]) -> Vec<Vec3> {
    let last = points.len() - 1;
    (0..points.len())
        .map(|index| {
            if index == 0 || index == last {
                // Ends of the chain: as if the curve went on straight.
                let (from, to) = if index == 0 { (0, 1) } else { (last - 1, last) };
                return (points[to] - points[from]) * 0.8;
            }
            let chord = points[index + 1] - points[index - 1];
            match trace.guides[index].kind {
                _ if trace.nucleic => chord * COIL_TENSION,
                RibbonKind::Helix if axes[index] != Vec3::ZERO => {
                    let along = axes[index] * chord.dot(axes[index]);
                    along * 0.5 + (chord - along) * HELIX_TENSION
                }
                RibbonKind::Strand => chord * STRAND_TENSION,
                _ => chord * COIL_TENSION,
            }
        })
        .collect()
}

/// Direction of the ribbon's width at each residue, without half turns inside a run.
fn sides(trace: &Trace, points: &[Vec3], tangents: &[Vec3], axes: &[Vec3]) -> Vec<Vec3> {
    let guides = &trace.guides;
    let last = points.len() - 1;
    let mut sides: Vec<Vec3> = (0..points.len())
        .map(|index| {
            let tangent = tangents[index].normalize_or(Vec3::X);
            let bend = if index == 0 || index == last {
                Vec3::ZERO
            } else {
                points[index] * 2.0 - points[index - 1] - points[index + 1]
            };
            let raw = if trace.nucleic {
                tangent.cross(guides[index].side)
            } else if guides[index].kind == RibbonKind::Helix && axes[index] != Vec3::ZERO {
                axes[index]
            } else if guides[index].side != Vec3::ZERO {
                guides[index].side
            } else {
                tangent.cross(bend)
            };
            perpendicular(raw, tangent)
        })
        .collect();
    // No half turns: the width has no front, so a direction and its opposite are the same.
    for index in 1..sides.len() {
        if sides[index].dot(sides[index - 1]) < 0.0 {
            sides[index] = -sides[index];
        }
    }
    let smooth = |sides: &mut Vec<Vec3>, wanted: &dyn Fn(usize) -> bool| {
        let before = sides.clone();
        for index in 1..last {
            if wanted(index) {
                let mean = before[index - 1] + before[index] * 2.0 + before[index + 1];
                sides[index] = perpendicular(mean, tangents[index].normalize_or(Vec3::X));
            }
        }
    };
    if trace.nucleic {
        for _ in 0..2 {
            smooth(&mut sides, &|_| true);
        }
        return sides;
    }
    let in_strand = |index: usize| guides[index].kind == RibbonKind::Strand;
    for _ in 0..2 {
        smooth(&mut sides, &|index| in_strand(index) && in_strand(index - 1) && in_strand(index + 1));
    }
    // Coils are round: their frame may follow the neighbour's, so that ends of helices and strands do not twist.
    for kind in [RibbonKind::Helix, RibbonKind::Strand] {
        for (start, end) in runs(trace, kind) {
            let mut follow = |from: usize, to: usize| {
                if guides[to].kind == RibbonKind::Coil {
                    sides[to] = perpendicular(sides[from], tangents[to].normalize_or(Vec3::X));
                }
            };
            if start > 0 {
                follow(start, start - 1);
            }
            if end < last {
                follow(end, end + 1);
            }
        }
    }
    sides
}
