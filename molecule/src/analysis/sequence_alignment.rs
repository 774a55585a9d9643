//! Which residue of one chain is which of another: global alignment with affine gaps.
//!
//! Needleman & Wunsch, J. Mol. Biol. 1970, 48, 443, with Gotoh's three states (J. Mol. Biol. 1982, 162, 705), gaps at the
//! ends free, scores from BLOSUM62 (Henikoff & Henikoff, PNAS 1992, 89, 10915). Meant for states of one protein with
//! other numbering, gaps and tags, and for close relatives.

/// Cost of opening a gap; BLAST's usual 11 + 1.
const OPEN: i32 = 12;
/// Cost of each further residue in it.
const EXTEND: i32 = 1;
/// Cost of a gap where the chain is known to be broken, whatever its length.
const BREAK: i32 = 2;
/// Scores for nucleotides: NUC.4.4, where a base that is not known costs less than a wrong one.
const SAME_BASE: i32 = 5;
const OTHER_BASE: i32 = -4;
const UNKNOWN_BASE: i32 = -2;
/// Tables larger than this many cells are not filled; the chains are then paired by position along their diagonal.
const MAX_CELLS: usize = 30_000_000;

/// BLOSUM62 in the order of its letters.
const LETTERS: &str = "ARNDCQEGHILKMFPSTWYVBZX";
#[rustfmt::skip]
const BLOSUM62: [[i8; 23]; 23] = [
    [ 4, -1, -2, -2,  0, -1, -1,  0, -2, -1, -1, -1, -1, -2, -1,  1,  0, -3, -2,  0, -2, -1,  0],
    [-1,  5,  0, -2, -3,  1,  0, -2,  0, -3, -2,  2, -1, -3, -2, -1, -1, -3, -2, -3, -1,  0, -1],
    [-2,  0,  6,  1, -3,  0,  0,  0,  1, -3, -3,  0, -2, -3, -2,  1,  0, -4, -2, -3,  3,  0, -1],
    [-2, -2,  1,  6, -3,  0,  2, -1, -1, -3, -4, -1, -3, -3, -1,  0, -1, -4, -3, -3,  4,  1, -1],
    [ 0, -3, -3, -3,  9, -3, -4, -3, -3, -1, -1, -3, -1, -2, -3, -1, -1, -2, -2, -1, -3, -3, -2],
    [-1,  1,  0,  0, -3,  5,  2, -2,  0, -3, -2,  1,  0, -3, -1,  0, -1, -2, -1, -2,  0,  3, -1],
    [-1,  0,  0,  2, -4,  2,  5, -2,  0, -3, -3,  1, -2, -3, -1,  0, -1, -3, -2, -2,  1,  4, -1],
    [ 0, -2,  0, -1, -3, -2, -2,  6, -2, -4, -4, -2, -3, -3, -2,  0, -2, -2, -3, -3, -1, -2, -1],
    [-2,  0,  1, -1, -3,  0,  0, -2,  8, -3, -3, -1, -2, -1, -2, -1, -2, -2,  2, -3,  0,  0, -1],
    [-1, -3, -3, -3, -1, -3, -3, -4, -3,  4,  2, -3,  1,  0, -3, -2, -1, -3, -1,  3, -3, -3, -1],
    [-1, -2, -3, -4, -1, -2, -3, -4, -3,  2,  4, -2,  2,  0, -3, -2, -1, -2, -1,  1, -4, -3, -1],
    [-1,  2,  0, -1, -3,  1,  1, -2, -1, -3, -2,  5, -1, -3, -1,  0, -1, -3, -2, -2,  0,  1, -1],
    [-1, -1, -2, -3, -1,  0, -2, -3, -2,  1,  2, -1,  5,  0, -2, -1, -1, -1, -1,  1, -3, -1, -1],
    [-2, -3, -3, -3, -2, -3, -3, -3, -1,  0,  0, -3,  0,  6, -4, -2, -2,  1,  3, -1, -3, -3, -1],
    [-1, -2, -2, -1, -3, -1, -1, -2, -2, -3, -3, -1, -2, -4,  7, -1, -1, -4, -3, -2, -2, -1, -2],
    [ 1, -1,  1,  0, -1,  0,  0,  0, -1, -2, -2,  0, -1, -2, -1,  4,  1, -3, -2, -2,  0,  0,  0],
    [ 0, -1,  0, -1, -1, -1, -1, -2, -2, -1, -1, -1, -1, -2, -1,  1,  5, -2, -2,  0, -1, -1,  0],
    [-3, -3, -4, -4, -2, -2, -3, -2, -2, -3, -2, -3, -1,  1, -4, -3, -2, 11,  2, -3, -4, -3, -2],
    [-2, -2, -2, -3, -2, -1, -2, -3,  2, -1, -1, -2, -1,  3, -3, -2, -2,  2,  7, -1, -3, -2, -1],
    [ 0, -3, -3, -3, -1, -2, -2, -3, -3,  3,  1, -2,  1, -1, -2, -2,  0, -3, -1,  4, -3, -2, -1],
    [-2, -1,  3,  4, -3,  0,  1, -1,  0, -3, -4,  0, -3, -3, -2,  0, -1, -4, -3, -3,  4,  1, -1],
    [-1,  0,  0,  1, -3,  3,  4, -2,  0, -3, -3,  1, -1, -3, -1,  0, -1, -3, -2, -2,  1,  4, -1],
    [ 0, -1, -1, -1, -2, -1, -1, -1, -1, -1, -1, -1, -1, -1, -2,  0,  0, -2, -1, -1, -1, -1, -1],
];

/// An alignment of two sequences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alignment {
    /// Positions from 0 in the first and second sequence that stand for each other, ascending.
    pub pairs: Vec<(usize, usize)>,
    /// The score; at or below 0 the sequences have nothing in common.
    pub score: i32,
}

impl Alignment {
    /// How many of the pairs have the same letter.
    #[must_use]
    pub fn identical(&self, first: &[char], second: &[char]) -> usize {
        self.pairs.iter().filter(|(a, b)| first.get(*a).is_some() && first.get(*a) == second.get(*b)).count()
    }
}

fn substitution(a: char, b: char, is_protein: bool) -> i32 {
    if !is_protein {
        let plain = |letter: char| if letter == 'U' { 'T' } else { letter };
        return match (plain(a), plain(b)) {
            ('A' | 'C' | 'G' | 'T', 'A' | 'C' | 'G' | 'T') if plain(a) == plain(b) => SAME_BASE,
            ('A' | 'C' | 'G' | 'T', 'A' | 'C' | 'G' | 'T') => OTHER_BASE,
            _ => UNKNOWN_BASE,
        };
    }
    // Selenocysteine counts as cysteine, pyrrolysine as lysine, whatever else is not in the table as X.
    let position = |letter: char| {
        let letter = match letter {
            'U' => 'C',
            'O' => 'K',
            other => other,
        };
        LETTERS.find(letter).unwrap_or(LETTERS.len() - 1)
    };
    i32::from(BLOSUM62[position(a)][position(b)])
}

/// Aligns two sequences of one-letter codes end to end; gaps at the ends cost nothing.
#[must_use]
pub fn align(first: &[char], second: &[char], is_protein: bool) -> Alignment {
    align_with_breaks(first, second, is_protein, [&[], &[]])
}

/// Aligns as [`align`] does two chains that lack residues: `breaks` says for each sequence after which positions its
/// chain is broken (empty for nowhere). A gap there costs next to nothing, because residues are known to be missing.
#[must_use]
pub fn align_with_breaks(first: &[char], second: &[char], is_protein: bool, breaks: [&[bool]; 2]) -> Alignment {
    let (rows, columns) = (first.len(), second.len());
    if rows == 0 || columns == 0 {
        return Alignment::default();
    }
    if first == second || rows.saturating_mul(columns) > MAX_CELLS {
        let pairs: Vec<(usize, usize)> = (0..rows.min(columns)).map(|index| (index, index)).collect();
        let score = pairs.iter().map(|(a, b)| substitution(first[*a], second[*b], is_protein)).sum();
        return Alignment { pairs, score };
    }
    const IMPOSSIBLE: i32 = i32::MIN / 4;
    // States: 0 pair, 1 gap in the second, 2 gap in the first. `from` packs, for each cell and state, the state before.
    let width = columns + 1;
    let mut from = vec![[0_u8; 3]; (rows + 1) * width];
    let mut above = vec![[0, IMPOSSIBLE, IMPOSSIBLE]; width];
    let mut here = above.clone();
    let best_of = |scores: [i32; 3]| {
        let mut best = 0;
        for state in 1..3 {
            if scores[state] > scores[best] {
                best = state;
            }
        }
        (scores[best], best as u8)
    };
    let mut end = (IMPOSSIBLE, 0, 0);
    // Costs of opening and extending a gap in a sequence after its position.
    let costs = |side: usize, position: usize| {
        if breaks[side].get(position) == Some(&true) { (BREAK, 0) } else { (OPEN, EXTEND) }
    };
    for row in 1..=rows {
        let (open_first, extend_first) = costs(0, row - 1);
        here[0] = [0, IMPOSSIBLE, IMPOSSIBLE];
        for column in 1..=columns {
            let cell = row * width + column;
            let (pair, before) = best_of(above[column - 1]);
            here[column][0] = pair + substitution(first[row - 1], second[column - 1], is_protein);
            from[cell][0] = before;
            let (open, extend) = costs(1, column - 1);
            let up = above[column];
            let (score, before) = best_of([up[0] - open, up[1] - extend, up[2] - open]);
            here[column][1] = score;
            from[cell][1] = before;
            let left = here[column - 1];
            let (score, before) = best_of([left[0] - open_first, left[1] - open_first, left[2] - extend_first]);
            here[column][2] = score;
            from[cell][2] = before;
            // What follows the last residue of either sequence is free.
            if (row == rows || column == columns) && here[column][0] > end.0 {
                end = (here[column][0], row, column);
            }
        }
        std::mem::swap(&mut above, &mut here);
    }
    let (score, mut row, mut column) = end;
    let mut state = 0;
    let mut pairs = Vec::new();
    while row > 0 && column > 0 {
        let before = from[row * width + column][state as usize];
        match state {
            0 => {
                pairs.push((row - 1, column - 1));
                row -= 1;
                column -= 1;
            }
            1 => row -= 1,
            _ => column -= 1,
        }
        state = before;
    }
    pairs.reverse();
    Alignment { pairs, score }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    #[test]
    fn the_table_is_symmetric() {
        for (a, row) in BLOSUM62.iter().enumerate() {
            for (b, score) in row.iter().enumerate() {
                assert_eq!(*score, BLOSUM62[b][a], "{a} {b}");
            }
        }
    }

    #[test]
    fn tags_gaps_and_mutations_are_bridged() {
        let first = letters("MGSSHHHHHHMKVLAAGIVGLPWERTYQDNFCKAE");
        let second = letters("MKVLAAGIVWERTYQDDFCKAEGGS");
        let alignment = align(&first, &second, true);
        // M K V L A A G I V stand at 10..19 of the first, then three residues are missing.
        for index in 0..9 {
            assert!(alignment.pairs.contains(&(index + 10, index)), "{:?}", alignment.pairs);
        }
        for index in 9..22 {
            assert!(alignment.pairs.contains(&(index + 13, index)), "{:?}", alignment.pairs);
        }
        assert_eq!(alignment.pairs.len(), 22);
        assert_eq!(alignment.identical(&first, &second), 21);
    }

    #[test]
    fn gaps_fall_where_the_chains_are_broken() {
        let first = letters("MKVLAAGIVSTPWWFYAVLGISTMREL");
        let second = letters("MKVLAAGIVSTPKDENAVLGISTMREL");
        let mut breaks = [vec![false; first.len()], vec![false; second.len()]];
        // Each lacks what the other has between positions 11 and 16.
        breaks[0][11] = true;
        breaks[1][15] = true;
        let alignment = align_with_breaks(&first, &second, true, [&breaks[0], &breaks[1]]);
        assert_eq!(alignment.pairs.len(), first.len() - 4);
        assert!(alignment.pairs.iter().all(|(a, b)| first[*a] == second[*b]));
    }

    #[test]
    fn the_score_is_that_of_the_pairs() {
        let (first, second) = (letters("HEAGAWGHEE"), letters("PAWHEAE"));
        let alignment = align(&first, &second, true);
        let mut score: i32 = alignment.pairs.iter().map(|(a, b)| substitution(first[*a], second[*b], true)).sum();
        for pair in alignment.pairs.windows(2) {
            let gaps = [pair[1].0 - pair[0].0 - 1, pair[1].1 - pair[0].1 - 1];
            score -= gaps.iter().filter(|gap| **gap > 0).map(|gap| OPEN + EXTEND * (*gap as i32 - 1)).sum::<i32>();
        }
        assert_eq!(score, alignment.score);
        assert!(align(&letters("WWWW"), &letters("GGGG"), true).score <= 0);
        assert!(align(&[], &letters("G"), true).pairs.is_empty());
        assert_eq!(align(&letters("ACGU"), &letters("ACGT"), false).score, 20);
    }
}
