//! A set of the atoms of one model: one bit an atom.

use crate::structure::Topology;

const BITS: usize = u64::BITS as usize;

/// A set of atoms by their indices in a topology.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AtomSet {
    atoms: usize,
    words: Vec<u64>,
}

impl AtomSet {
    /// No atom of a topology with so many.
    #[must_use]
    pub fn empty(atoms: usize) -> Self {
        Self { atoms, words: vec![0; atoms.div_ceil(BITS)] }
    }

    /// All atoms of a topology with so many.
    #[must_use]
    pub fn full(atoms: usize) -> Self {
        let mut set = Self::empty(atoms);
        set.insert_range(0..atoms);
        set
    }

    /// These atoms of a topology with so many; indices beyond are left out.
    #[must_use]
    pub fn from_indices(atoms: usize, indices: impl IntoIterator<Item = usize>) -> Self {
        let mut set = Self::empty(atoms);
        for index in indices {
            set.insert(index);
        }
        set
    }

    /// Words of 64 atoms each, as made by `word(first atom of the word)`.
    pub(super) fn from_words(atoms: usize, words: Vec<u64>) -> Self {
        let mut set = Self { atoms, words };
        set.words.resize(atoms.div_ceil(BITS), 0);
        set.clear_beyond();
        set
    }

    /// Atoms of the topology, in the set or not.
    #[must_use]
    pub fn atom_count(&self) -> usize {
        self.atoms
    }

    /// Atoms in the set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether no atom is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Whether an atom is in it.
    #[must_use]
    pub fn contains(&self, atom: usize) -> bool {
        atom < self.atoms && self.words[atom / BITS] & (1 << (atom % BITS)) != 0
    }

    /// Puts an atom in; one beyond the topology is left out.
    pub fn insert(&mut self, atom: usize) {
        if atom < self.atoms {
            self.words[atom / BITS] |= 1 << (atom % BITS);
        }
    }

    /// Takes an atom out.
    pub fn remove(&mut self, atom: usize) {
        if atom < self.atoms {
            self.words[atom / BITS] &= !(1 << (atom % BITS));
        }
    }

    /// Puts a range of atoms in.
    pub fn insert_range(&mut self, range: std::ops::Range<usize>) {
        let (first, last) = (range.start.min(self.atoms), range.end.min(self.atoms));
        if first >= last {
            return;
        }
        let (first_word, last_word) = (first / BITS, (last - 1) / BITS);
        let (head, tail) = (u64::MAX << (first % BITS), u64::MAX >> (BITS - 1 - (last - 1) % BITS));
        if first_word == last_word {
            self.words[first_word] |= head & tail;
            return;
        }
        self.words[first_word] |= head;
        self.words[first_word + 1..last_word].fill(u64::MAX);
        self.words[last_word] |= tail;
    }

    /// Whether an atom of the range is in it.
    #[must_use]
    pub fn intersects_range(&self, range: std::ops::Range<usize>) -> bool {
        range.into_iter().any(|atom| self.contains(atom))
    }

    /// Puts in what another set of the same topology has.
    pub fn unite(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
        self.clear_beyond();
    }

    /// Keeps only what another set of the same topology has, too.
    pub fn intersect(&mut self, other: &Self) {
        for (index, word) in self.words.iter_mut().enumerate() {
            *word &= other.words.get(index).copied().unwrap_or(0);
        }
    }

    /// Takes out what another set of the same topology has.
    pub fn subtract(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
    }

    /// Every atom that was not in it.
    pub fn invert(&mut self) {
        for word in &mut self.words {
            *word = !*word;
        }
        self.clear_beyond();
    }

    /// Its atoms, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(index, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                (left != 0).then(|| {
                    let bit = left.trailing_zeros() as usize;
                    left &= left - 1;
                    index * BITS + bit
                })
            })
        })
    }

    /// Residues with an atom in the set, ascending.
    #[must_use]
    pub fn residues(&self, topology: &Topology) -> Vec<u32> {
        let mut residues: Vec<u32> =
            self.iter().filter_map(|atom| topology.atoms.get(atom)).map(|atom| atom.residue).collect();
        residues.dedup();
        residues
    }

    fn clear_beyond(&mut self) {
        let used = self.atoms % BITS;
        if let (Some(last), true) = (self.words.last_mut(), used > 0) {
            *last &= u64::MAX >> (BITS - used);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::AtomSet;

    proptest! {
        #[test]
        fn agrees_with_a_set_of_numbers(
            atoms in 0_usize..300,
            first in prop::collection::vec(0_usize..320, 0..50),
            second in prop::collection::vec(0_usize..320, 0..50),
            range in (0_usize..320, 0_usize..320),
        ) {
            let plain = |list: &[usize]| list.iter().copied().filter(|atom| *atom < atoms).collect::<BTreeSet<usize>>();
            let (a, b) = (plain(&first), plain(&second));
            let other = AtomSet::from_indices(atoms, second.iter().copied());
            let check = |change: &dyn Fn(&mut AtomSet), expected: BTreeSet<usize>| {
                let mut set = AtomSet::from_indices(atoms, first.iter().copied());
                change(&mut set);
                assert_eq!(set.iter().collect::<BTreeSet<usize>>(), expected);
                assert_eq!(set.len(), expected.len());
                assert_eq!(set.is_empty(), expected.is_empty());
            };
            check(&|_| (), a.clone());
            check(&|set| set.unite(&other), &a | &b);
            check(&|set| set.intersect(&other), &a & &b);
            check(&|set| set.subtract(&other), &a - &b);
            check(&AtomSet::invert, &(0..atoms).collect() - &a);
            let span = range.0..range.1;
            check(&|set| set.insert_range(span.clone()), &a | &span.clone().filter(|atom| *atom < atoms).collect());
            let set = AtomSet::from_indices(atoms, first.iter().copied());
            prop_assert_eq!(set.intersects_range(span.clone()), a.iter().any(|atom| span.contains(atom)));
            prop_assert_eq!(AtomSet::full(atoms).len(), atoms);
        }
    }
}
