//! Selecting what lies within a box or a loop that is drawn over the view.
//!
//! Everything that is drawn there counts, hidden by other things or not, as far as it is not hidden by the user. What is
//! found becomes a selection in words, like what is clicked: whole residues as ranges of each chain, and of those that are
//! cut the names of their atoms.

use std::collections::{BTreeMap, BTreeSet};

use egui::{Pos2, Rect};
use kfold_molecule::{Selection, Topology};

use super::app::Studio;
use super::selection::{Grain, quoted};
use super::widgets::icon::Icon;

/// What a drag with the left button does in the view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tool {
    /// It turns.
    #[default]
    Turn,
    /// It selects within a box.
    Box,
    /// It selects within a loop.
    Lasso,
}

impl Tool {
    /// All in the order of the switch.
    pub const ALL: [Self; 3] = [Self::Turn, Self::Box, Self::Lasso];

    /// Key of its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Turn => "tool-turn",
            Self::Box => "tool-box",
            Self::Lasso => "tool-lasso",
        }
    }

    /// Its sign.
    #[must_use]
    pub const fn icon(self) -> Icon {
        match self {
            Self::Turn => Icon::Turn,
            Self::Box => Icon::Box,
            Self::Lasso => Icon::Lasso,
        }
    }
}

/// What becomes of what is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It is what is selected.
    Replace,
    /// It is selected too.
    Add,
    /// It is not selected any more.
    Remove,
}

/// A box or loop that was drawn.
#[derive(Clone, Debug)]
pub struct Region {
    /// Its corners on the screen.
    pub outline: Vec<Pos2>,
    /// What becomes of what is found.
    pub mode: Mode,
}

/// The corners of what is being drawn: of a box from its diagonal.
#[must_use]
pub fn outline(tool: Tool, points: &[Pos2]) -> Vec<Pos2> {
    match (tool, points) {
        (Tool::Box, [first, .., last]) => {
            let rect = Rect::from_two_pos(*first, *last);
            vec![rect.left_top(), rect.right_top(), rect.right_bottom(), rect.left_bottom()]
        }
        _ => points.to_vec(),
    }
}

/// Whether a point is within an outline, by the number of edges to its right.
#[must_use]
pub fn contains(outline: &[Pos2], point: Pos2) -> bool {
    let mut is_inside = false;
    let mut before = match outline.last() {
        Some(last) if outline.len() > 2 => *last,
        _ => return false,
    };
    for &corner in outline {
        if (corner.y > point.y) != (before.y > point.y) {
            let x = corner.x + (point.y - corner.y) / (before.y - corner.y) * (before.x - corner.x);
            is_inside ^= point.x < x;
        }
        before = corner;
    }
    is_inside
}

/// The selection of these atoms, or of what they belong to. `drawn` are the atoms that could have been found: a residue is
/// whole when all of its drawn atoms are there.
#[must_use]
pub fn selection_of_atoms(topology: &Topology, atoms: &[u32], drawn: &[u32], grain: Grain) -> Option<Selection> {
    let count = |atoms: &[u32]| {
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        for atom in atoms {
            if let Some(atom) = topology.atoms.get(*atom as usize) {
                *counts.entry(atom.residue).or_default() += 1;
            }
        }
        counts
    };
    let found = count(atoms);
    if found.is_empty() {
        return None;
    }
    let chain_of = |residue: u32| topology.residues.get(residue as usize).map(|residue| residue.chain);
    if grain == Grain::Chain {
        let chains: BTreeSet<u32> = found.keys().filter_map(|residue| chain_of(*residue)).collect();
        let named: Vec<u32> =
            chains.iter().copied().filter(|chain| !topology.chains[*chain as usize].id.is_empty()).collect();
        if named.len() == chains.len() {
            let names: Vec<String> = named.iter().map(|chain| quoted(&topology.chains[*chain as usize].id)).collect();
            return Selection::parse(&format!("chain {}", names.join("+"))).ok();
        }
    }
    let all = if grain == Grain::Atom { count(drawn) } else { BTreeMap::new() };
    let is_whole =
        |residue: u32, count: usize| grain != Grain::Atom || all.get(&residue).is_none_or(|all| count >= *all);
    let whole: Vec<u32> =
        found.iter().filter(|(residue, count)| is_whole(**residue, **count)).map(|(r, _)| *r).collect();
    let mut terms = residue_terms(topology, &whole);
    let mut names: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for atom in atoms {
        let Some(atom) = topology.atoms.get(*atom as usize) else { continue };
        if whole.binary_search(&atom.residue).is_err() {
            names.entry(atom.residue).or_default().push(quoted(&atom.name));
        }
    }
    for (residue, names) in names {
        terms.extend(
            residue_terms(topology, &[residue]).pop().map(|term| format!("{term} and name {}", names.join("+"))),
        );
    }
    let text = terms.iter().map(|term| format!("({term})")).collect::<Vec<_>>().join(" or ");
    let text = if grain == Grain::Molecule { format!("bymolecule ({text})") } else { text };
    Selection::parse(&text).ok()
}

/// A term for each chain's part of the polymer, and for each kind of what is none. The residues ascend.
fn residue_terms(topology: &Topology, residues: &[u32]) -> Vec<String> {
    let mut numbers: BTreeMap<(u32, Option<&str>), Vec<u32>> = BTreeMap::new();
    for index in residues {
        let Some(residue) = topology.residues.get(*index as usize) else { continue };
        // Waters and ligands may have numbers that a residue of the chain has as well.
        let name = if residue.is_polymer() { None } else { Some(residue.name.as_str()) };
        numbers.entry((residue.chain, name)).or_default().push(*index);
    }
    let mut terms = Vec::new();
    for ((chain, name), residues) in numbers {
        let Some(held) = topology.chains.get(chain as usize) else { continue };
        let mut parts = Vec::new();
        if !held.id.is_empty() {
            parts.push(format!("chain {}", quoted(&held.id)));
        }
        match name {
            Some(name) => parts.push(format!("resn {}", quoted(name))),
            None if is_mixed(topology, chain) => parts.push("polymer".to_owned()),
            None => {}
        }
        parts.push(format!("resi {}", ranges(topology, &residues)));
        terms.push(parts.join(" and "));
    }
    terms
}

/// Whether a chain has residues of other kinds beside its polymer.
fn is_mixed(topology: &Topology, chain: u32) -> bool {
    topology.chains.get(chain as usize).is_some_and(|chain| {
        let range = chain.residues.start as usize..(chain.residues.end as usize).min(topology.residues.len());
        topology.residues[range].iter().any(|residue| !residue.is_polymer())
    })
}

/// Numbers of residues, those that follow each other as ranges. Where one number stands for several residues, ranges end:
/// they would take them all.
fn ranges(topology: &Topology, residues: &[u32]) -> String {
    let number = |index: u32| topology.residues.get(index as usize).map(|residue| residue.number);
    let is_shared = |index: u32| {
        let own = number(index);
        (index > 0 && number(index - 1) == own) || number(index + 1) == own
    };
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &index in residues {
        match runs.last_mut() {
            Some((_, last))
                if index == *last + 1
                    && number(index) == number(*last).map(|number| number + 1)
                    && !is_shared(index)
                    && !is_shared(*last) =>
            {
                *last = index;
            }
            _ => runs.push((index, index)),
        }
    }
    let text = |index: u32| topology.residues.get(index as usize).map(|one| one.number_text().to_string());
    let run = |(first, last): &(u32, u32)| {
        let first_text = text(*first).unwrap_or_default();
        if first == last { first_text } else { format!("{first_text}-{}", text(*last).unwrap_or_default()) }
    };
    runs.iter().map(run).collect::<Vec<_>>().join("+")
}

impl Studio {
    /// Selects what lies within a region.
    pub(super) fn take_region(&mut self, region: &Region) {
        let found = self.viewport.atoms_within(region);
        let parts = found.iter().filter_map(|(object, atoms, drawn)| {
            selection_of_atoms(self.viewport.topology_of(*object)?, atoms, drawn, self.grain)
        });
        let found = parts.reduce(Selection::or);
        self.history.commit(&self.document);
        let before = self.selection().filter(|_| region.mode != Mode::Replace);
        let selection = match (before, found, region.mode) {
            (Some(before), Some(found), Mode::Remove) => Some(before.without(found)),
            (Some(before), Some(found), _) => Some(before.or(found)),
            (Some(before), None, _) => Some(before),
            (None, _, Mode::Remove) => None,
            (None, found, _) => found,
        };
        self.select(selection);
    }
}

#[cfg(test)]
mod tests {
    use egui::pos2;
    use kfold_molecule::formats::pdb;

    use super::*;

    #[test]
    fn loops_hold_what_is_within() {
        let loop_ = [pos2(0.0, 0.0), pos2(10.0, 0.0), pos2(10.0, 10.0), pos2(5.0, 2.0), pos2(0.0, 10.0)];
        for (point, expected) in [
            (pos2(1.0, 1.0), true),
            (pos2(5.0, 1.0), true),
            (pos2(5.0, 6.0), false),
            (pos2(1.0, 6.0), true),
            (pos2(9.0, 6.0), true),
            (pos2(-1.0, 1.0), false),
            (pos2(5.0, 11.0), false),
        ] {
            assert_eq!(contains(&loop_, point), expected, "{point:?}");
        }
        let corners = outline(Tool::Box, &[pos2(9.0, 8.0), pos2(3.0, 1.0), pos2(2.0, 3.0)]);
        assert!(contains(&corners, pos2(5.0, 5.0)) && !contains(&corners, pos2(1.0, 5.0)));
        assert!(!contains(&[pos2(0.0, 0.0)], pos2(0.0, 0.0)));
    }

    #[test]
    fn what_was_found_is_selected_and_nothing_else() {
        let mut text = String::new();
        let mut serial = 0;
        let mut line = |head: &str, name: &str, residue: &str, place: &str, element: &str| {
            serial += 1;
            let x = 9.0 * serial as f32;
            text.push_str(&format!("{head:6}{serial:5}  {name:<3} {residue} {place}   {x:8.3}   0.000   0.000\n"));
            assert_eq!(&name[..1], element);
        };
        for place in ["A  -2 ", "A  -1 ", "A   0 ", "A   1 ", "A   2 "] {
            line("ATOM", "N", "GLY", place, "N");
            line("ATOM", "CA", "GLY", place, "C");
        }
        for place in ["A   3 ", "A   3A", "A   4 "] {
            line("ATOM", "CA", "ALA", place, "C");
        }
        line("HETATM", "O", "HOH", "A   1 ", "O");
        line("HETATM", "C1", "LIG", "B   1 ", "C");
        let structure = pdb::read(text.as_bytes()).unwrap();
        let model = structure.first().unwrap();
        let topology = &model.topology;
        let all: Vec<u32> = (0..topology.atoms.len() as u32).collect();
        let selected = |atoms: &[u32], grain| {
            let selection = selection_of_atoms(topology, atoms, &all, grain).unwrap();
            selection.select(model).iter().map(|atom| atom as u32).collect::<Vec<u32>>()
        };
        for atoms in
            [vec![0, 1], vec![1], vec![0, 1, 2, 3, 4, 5, 7], vec![10], vec![11, 13], vec![6, 7, 13], all.clone()]
        {
            assert_eq!(selected(&atoms, Grain::Atom), atoms, "{atoms:?}");
        }
        assert_eq!(selected(&[1, 4, 14], Grain::Residue), [0, 1, 4, 5, 14]);
        assert_eq!(selected(&[14], Grain::Chain), [14]);
        assert_eq!(selected(&[0], Grain::Chain), (0..14).collect::<Vec<u32>>());
        let text = selection_of_atoms(topology, &all[..10], &all, Grain::Residue).unwrap().to_string();
        assert!(text.len() < 50, "one range: {text}");
        assert!(selection_of_atoms(topology, &[], &all, Grain::Residue).is_none());
    }
}
