//! Predicted errors between all pairs of tokens (PAE, PDE), and their picture.
//!
//! A row is the token whose frame the complex is aligned on, a column the token whose position is scored, as the public
//! viewers draw it. Light is a large error: lightness alone carries the value, so the map reads without colours too.

use std::ops::Range;
use std::sync::Arc;

use super::{Drawing, Ink, Pixels, plots};

/// More pixels on a side are not worth their memory on a panel; larger maps are drawn from the mean of each pixel's pairs.
const MOST_PIXELS: usize = 1024;

/// The largest error that K-Fold's confidence head says, Å.
pub const LARGEST_ERROR: f32 = 32.0;

/// Colours from no error to the largest, and how far along they stand.
const RAMP: [(f32, [u8; 3]); 4] =
    [(0.0, [0, 68, 27]), (0.25, [35, 139, 69]), (0.6, [161, 217, 155]), (1.0, [247, 252, 245])];

/// Errors of all pairs.
#[derive(Clone, Debug)]
pub struct PairErrors {
    /// Tokens.
    pub tokens: usize,
    /// Å, `tokens` × `tokens`: row after row, aligned on the row and scored at the column.
    pub values: Arc<Vec<f32>>,
    /// The largest error that the model can say, Å.
    pub highest: f32,
    /// First token of each chain but the first.
    pub chain_starts: Vec<usize>,
}

/// A box on the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenBox {
    /// Rows.
    pub aligned_on: Range<usize>,
    /// Columns.
    pub scored: Range<usize>,
}

impl PairErrors {
    /// The error of a pair, Å.
    #[must_use]
    pub fn at(&self, aligned_on: usize, scored: usize) -> Option<f32> {
        (scored < self.tokens).then(|| self.values.get(aligned_on * self.tokens + scored).copied()).flatten()
    }

    /// The mean over a box, Å.
    #[must_use]
    pub fn mean(&self, area: &TokenBox) -> Option<f32> {
        let pairs = area.aligned_on.clone().flat_map(|row| area.scored.clone().map(move |column| (row, column)));
        let (sum, count) = pairs
            .filter_map(|(row, column)| self.at(row, column))
            .filter(|value| value.is_finite())
            .fold((0.0_f64, 0_u32), |(sum, count), value| (sum + f64::from(value), count + 1));
        (count > 0).then(|| (sum / f64::from(count)) as f32)
    }

    /// The map as pixels, one a token while they are few enough.
    #[must_use]
    pub fn pixels(&self) -> Pixels {
        let side = self.tokens.clamp(1, MOST_PIXELS);
        let span = |pixel: usize| {
            let first = pixel * self.tokens / side;
            first..((pixel + 1) * self.tokens / side).max(first + 1)
        };
        let mut rgb = Vec::with_capacity(side * side * 3);
        for pixel in 0..side * side {
            let area = TokenBox { aligned_on: span(pixel / side), scored: span(pixel % side) };
            rgb.extend(self.mean(&area).map_or([128; 3], |error| ramp(error / self.highest)));
        }
        Pixels { width: side as u32, height: side as u32, rgb }
    }

    /// The map with its axes and scale, for paper.
    #[must_use]
    pub fn drawing(&self, side: f32, names: (&str, &str), description: &str) -> Drawing {
        let breaks: Vec<f32> =
            self.chain_starts.iter().map(|start| *start as f32 / self.tokens.max(1) as f32).collect();
        let scale = |step: u8| {
            let [red, green, blue] = ramp((f32::from(step) + 0.5) / 48.0);
            Ink::Rgb(red, green, blue)
        };
        let scale: Vec<Ink> = (0..48).map(scale).collect();
        let highest = format!("{:.0} Å", self.highest);
        plots::pair_map(side, Arc::new(self.pixels()), names, &breaks, &scale, ("0 Å", &highest), description)
    }
}

/// The colour of a share of the largest error.
#[must_use]
pub fn ramp(share: f32) -> [u8; 3] {
    let share = share.clamp(0.0, 1.0);
    let upper = RAMP.iter().position(|(place, _)| *place >= share).unwrap_or(RAMP.len() - 1).max(1);
    let ((low, from), (high, to)) = (RAMP[upper - 1], RAMP[upper]);
    let along = (share - low) / (high - low);
    let mix = |a: u8, b: u8| (f32::from(a) + (f32::from(b) - f32::from(a)) * along).round() as u8;
    [mix(from[0], to[0]), mix(from[1], to[1]), mix(from[2], to[2])]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_has_the_mean_of_its_pairs() {
        let values = (0..9).map(|value| value as f32).collect();
        let errors = PairErrors { tokens: 3, values: Arc::new(values), highest: 8.0, chain_starts: vec![2] };
        assert_eq!(errors.at(1, 2), Some(5.0));
        assert_eq!(errors.at(1, 3), None, "not the next row's first");
        let corner = TokenBox { aligned_on: 1..3, scored: 0..2 };
        assert_eq!(errors.mean(&corner), Some((3.0 + 4.0 + 6.0 + 7.0) / 4.0));
        assert_eq!(errors.mean(&TokenBox { aligned_on: 3..4, scored: 0..2 }), None);
    }

    #[test]
    fn a_larger_error_is_lighter() {
        let lightness = |share: f32| {
            let [red, green, blue] = ramp(share).map(f32::from);
            0.2126 * red + 0.7152 * green + 0.0722 * blue
        };
        let levels: Vec<f32> = (0..=40).map(|step| lightness(step as f32 / 40.0)).collect();
        assert!(levels.windows(2).all(|pair| pair[0] < pair[1]), "{levels:?}");
        assert_eq!(ramp(7.0), ramp(1.0));
    }

    #[test]
    fn large_maps_are_drawn_smaller() {
        let tokens = MOST_PIXELS + 500;
        let errors =
            PairErrors { tokens, values: Arc::new(vec![2.0; tokens * tokens]), highest: 4.0, chain_starts: Vec::new() };
        let picture = errors.pixels();
        assert_eq!([picture.width, picture.height], [MOST_PIXELS as u32; 2]);
        assert!(picture.rgb.chunks(3).all(|pixel| pixel == ramp(0.5)));
    }
}
