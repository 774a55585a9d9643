//! Guide points of helices moved onto the helix axis, for tubes.
//!
//! Weights 1 for a residue and its neighbours and 0.3475 for the next ones cancel a turn of 100° a residue exactly: what
//! is left is the axis, which may bend. At the ends, where neighbours are missing, the axis goes on straight.

use glam::Vec3;

use super::trace::Trace;
use crate::ribbon::RibbonKind;

/// Of the residues two before and after.
const OUTER: f32 = 0.347_5;

/// The trace with its helices straightened; they are then coil for the curve, which follows its points.
pub(super) fn straightened(trace: &Trace) -> Trace {
    let mut moved = trace.clone();
    let guides = &trace.guides;
    let mut start = 0;
    while start < guides.len() {
        let kind = guides[start].kind;
        let length = guides[start..].iter().take_while(|guide| guide.kind == kind).count().max(1);
        if kind == RibbonKind::Helix {
            let places: Vec<Vec3> = guides[start..start + length].iter().map(|guide| guide.position).collect();
            for (guide, place) in moved.guides[start..start + length].iter_mut().zip(axis(&places)) {
                guide.position = place;
                guide.kind = RibbonKind::Coil;
                guide.side = Vec3::ZERO;
            }
        }
        start += length;
    }
    moved
}

/// The points of the axis beside these.
fn axis(places: &[Vec3]) -> Vec<Vec3> {
    let count = places.len();
    let inner: Vec<Vec3> = (2..count.saturating_sub(2))
        .map(|index| {
            let near = places[index - 1] + places[index] + places[index + 1];
            let far = places[index - 2] + places[index + 2];
            (near + far * OUTER) / (3.0 + 2.0 * OUTER)
        })
        .collect();
    let mean = places.iter().sum::<Vec3>() / count.max(1) as f32;
    let ends = places.last().zip(places.first()).map_or(Vec3::X, |(last, first)| *last - *first);
    // On the line through `point` beside `place`.
    let beside = |point: Vec3, direction: Vec3, place: Vec3| point + direction * (place - point).dot(direction);
    let direction = |from: usize, to: usize| match (inner.get(from), inner.get(to)) {
        (Some(from), Some(to)) if from != to => (*to - *from).normalize_or(ends.normalize_or(Vec3::X)),
        _ => ends.normalize_or(Vec3::X),
    };
    (0..count)
        .map(|index| match (index.checked_sub(2).and_then(|index| inner.get(index)), inner.first(), inner.last()) {
            (Some(place), ..) => *place,
            (None, Some(first), _) if index < 2 => beside(*first, direction(0, inner.len().min(3) - 1), places[index]),
            (None, _, Some(last)) => {
                beside(*last, direction(inner.len().saturating_sub(3), inner.len() - 1), places[index])
            }
            _ => beside(mean, ends.normalize_or(Vec3::X), places[index]),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ideal_helix_has_a_straight_axis() {
        let places: Vec<Vec3> = (0..14)
            .map(|index| {
                let (sin, cos) = (100.0 * index as f32).to_radians().sin_cos();
                Vec3::new(2.3 * cos, 2.3 * sin, 1.5 * index as f32)
            })
            .collect();
        for (index, place) in axis(&places).into_iter().enumerate() {
            assert!(place.truncate().length() < 0.01, "{place} is off the axis");
            assert!((place.z - 1.5 * index as f32).abs() < 0.01);
        }
        for count in 0..6 {
            assert_eq!(axis(&places[..count]).len(), count);
        }
    }
}
