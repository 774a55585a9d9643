//! Global alignment on a table of similarities, as TM-align has it: a gap costs when it opens, its length and gaps at
//! the ends cost nothing (Needleman & Wunsch 1970 with that one cost). Each cell keeps its best state only, so a gap that
//! ties with a pair is forgotten: a little less than the optimum, but the alignments that the TM-scores of others come from.

/// Memory for alignments of two chains of one length each.
pub(super) struct Table {
    rows: usize,
    columns: usize,
    /// From where each cell comes.
    from: Vec<Step>,
    above: Vec<f32>,
    here: Vec<f32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Pair,
    Up,
    Left,
}

impl Table {
    pub(super) fn new(rows: usize, columns: usize) -> Self {
        let width = columns + 1;
        Self {
            rows,
            columns,
            from: vec![Step::Up; (rows + 1) * width],
            above: vec![0.0; width],
            here: vec![0.0; width],
        }
    }

    /// The best alignment; `gap` is zero or negative.
    pub(super) fn align(&mut self, gap: f32, similarity: impl Fn(usize, usize) -> f32) -> Vec<(usize, usize)> {
        let width = self.columns + 1;
        self.above.fill(0.0);
        for row in 1..=self.rows {
            self.here[0] = 0.0;
            for column in 1..=self.columns {
                let cell = row * width + column;
                let after = |step: Step, value: f32| if step == Step::Pair { value + gap } else { value };
                let pair = self.above[column - 1] + similarity(row - 1, column - 1);
                let up = after(self.from[cell - width], self.above[column]);
                let left = after(self.from[cell - 1], self.here[column - 1]);
                (self.from[cell], self.here[column]) = if pair >= up && pair >= left {
                    (Step::Pair, pair)
                } else if left >= up {
                    (Step::Left, left)
                } else {
                    (Step::Up, up)
                };
            }
            std::mem::swap(&mut self.above, &mut self.here);
        }
        let (mut row, mut column) = (self.rows, self.columns);
        let mut pairs = Vec::with_capacity(row.min(column));
        while row > 0 && column > 0 {
            match self.from[row * width + column] {
                Step::Pair => {
                    row -= 1;
                    column -= 1;
                    pairs.push((row, column));
                }
                Step::Up => row -= 1,
                Step::Left => column -= 1,
            }
        }
        pairs.reverse();
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_open_at_a_cost_and_grow_for_nothing() {
        let first = b"HHHHEEEE";
        let second = b"HHHHCCCCCCEEEE";
        let mut table = Table::new(first.len(), second.len());
        let pairs = table.align(-0.6, |a, b| if first[a] == second[b] { 1.0 } else { 0.0 });
        let expected: Vec<(usize, usize)> = (0..4).map(|i| (i, i)).chain((4..8).map(|i| (i, i + 6))).collect();
        assert_eq!(pairs, expected);
        // Where a gap costs more than it brings, none is made.
        let pairs = table.align(-9.0, |a, b| if first[a] == second[b] { 1.0 } else { 0.0 });
        assert!(pairs.windows(2).all(|pair| pair[1].0 - pair[0].0 == pair[1].1 - pair[0].1), "{pairs:?}");
    }
}
