//! Secondary structure by hydrogen bonds: DSSP (Kabsch & Sander, Biopolymers 1983, 22, 2577).
//!
//! How it works. Every peptide N-H gets a hydrogen 1 Å from N, opposite to the C=O before it. The energy of a hydrogen
//! bond from N-H to C=O is 27.9 kcal/mol·Å times (1/r(ON) + 1/r(CH) - 1/r(OH) - 1/r(CN)); below -0.5 kcal/mol it is
//! a bond, and each residue keeps its two best as donor and as acceptor. From bonds follow, in the paper's terms:
//! n-turns (a bond from residue i+n to i), helices (two turns in a row), bridges between two stretches of three, ladders
//! (bridges in a row) with bulges, and bends (the chain turns by more than 70° over five alpha carbons).
//!
//! Where the paper leaves a choice we follow today's use of the method (Joosten et al., Nucleic Acids Res. 2011, 39,
//! D411; Touw et al., 2015, 43, D364): pi helices win over alpha helices, a bridge needs alpha carbons within 9 Å, a
//! chain is broken where C-N exceeds 2.5 Å. A residue counts when N, CA, C and O are there.
//!
//! Chains of alpha carbons alone have no such bonds; there the distances along the trace are compared with those of an
//! ideal helix and strand (the criteria of TM-align: Zhang & Skolnick, Nucleic Acids Res. 2005, 33, 2302).

use std::collections::VecDeque;

use glam::DVec3;
use serde::{Deserialize, Serialize};

use super::neighbour_grid::NeighbourGrid;
use crate::structure::{Model, ResidueKind};

/// What a residue's backbone does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondaryStructure {
    /// Alpha helix (4-turns), `H`.
    AlphaHelix,
    /// 3-10 helix (3-turns), `G`.
    Helix310,
    /// Pi helix (5-turns), `I`.
    PiHelix,
    /// Part of a ladder of at least two bridges, `E`.
    Strand,
    /// A bridge alone, `B`.
    Bridge,
    /// Inside a hydrogen-bonded turn, `T`.
    Turn,
    /// A bend without such a bond, `S`.
    Bend,
    /// None of these, and everything that is not protein.
    #[default]
    Coil,
}

impl SecondaryStructure {
    /// Whether it is any of the three helices.
    #[must_use]
    pub const fn is_helix(self) -> bool {
        matches!(self, Self::AlphaHelix | Self::Helix310 | Self::PiHelix)
    }

    /// Whether it is a strand of a sheet (not a lone bridge).
    #[must_use]
    pub const fn is_strand(self) -> bool {
        matches!(self, Self::Strand)
    }

    /// The letter of the method; a space for coil.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::AlphaHelix => 'H',
            Self::Helix310 => 'G',
            Self::PiHelix => 'I',
            Self::Strand => 'E',
            Self::Bridge => 'B',
            Self::Turn => 'T',
            Self::Bend => 'S',
            Self::Coil => ' ',
        }
    }
}

/// -332 kcal/mol·Å/e² times the partial charges 0.42 and 0.20 e of C=O and N-H.
const COUPLING: f64 = -27.888;
/// Below this a hydrogen bond is one, kcal/mol.
const BOND_LIMIT: f64 = -0.5;
/// Energies are cut off here, kcal/mol.
const LOWEST_ENERGY: f64 = -9.9;
/// Residues whose alpha carbons are farther apart than this have no hydrogen bond, Å.
const NEAR: f32 = 9.0;
/// A longer C-N is a chain break, Å.
const PEPTIDE_LIMIT: f64 = 2.5;
/// More residues than this in one cell of the search is a damaged file.
const CROWDED: usize = 1000;

/// Secondary structure of every residue of the model, in order.
#[must_use]
pub fn assign(model: &Model) -> Vec<SecondaryStructure> {
    let mut assigned = vec![SecondaryStructure::Coil; model.topology.residues.len()];
    let (full, traces) = collect(model);
    for (residue, structure) in full.iter().zip(by_hydrogen_bonds(&full)) {
        assigned[residue.index] = structure;
    }
    for trace in traces {
        for (index, structure) in by_trace(&trace) {
            assigned[index] = structure;
        }
    }
    // The other form of a residue does what the one that was looked at does.
    let topology = &model.topology;
    for index in (0..assigned.len()).filter(|index| crate::residues::is_minor_form(topology, *index)) {
        let place = (topology.residues[index].number, topology.residues[index].insertion_code);
        let shares_place = |other: &usize| {
            let residue = &topology.residues[*other];
            (residue.number, residue.insertion_code) == place && !crate::residues::is_minor_form(topology, *other)
        };
        let major = (index.saturating_sub(25)..(index + 26).min(assigned.len())).find(shares_place);
        assigned[index] = major.map_or(SecondaryStructure::Coil, |major| assigned[major]);
    }
    assigned
}

/// A residue with its whole backbone.
struct Backbone {
    /// In the topology.
    index: usize,
    n: DVec3,
    ca: DVec3,
    c: DVec3,
    o: DVec3,
    is_proline: bool,
    /// Whether the residue before it in the list is bonded to it.
    follows: bool,
    /// Residues in one unbroken stretch have the same number.
    stretch: usize,
    chain: u32,
}

/// An alpha carbon of a chain that has little else: residue index and position.
type Trace = Vec<(usize, DVec3)>;

/// Residues with whole backbones, and the traces of chains that are mostly alpha carbons.
fn collect(model: &Model) -> (Vec<Backbone>, Vec<Trace>) {
    let topology = &*model.topology;
    let mut full: Vec<Backbone> = Vec::new();
    let mut traces = Vec::new();
    let mut stretch = 0;
    for (chain_index, chain) in topology.chains.iter().enumerate() {
        let mut found: Vec<Backbone> = Vec::new();
        let mut trace = Trace::new();
        for index in chain.residues.start as usize..chain.residues.end as usize {
            let Some(residue) = topology.residues.get(index).filter(|residue| residue.kind == ResidueKind::Protein)
            else {
                continue;
            };
            let place = |name: &str| {
                let position = model.positions.get(topology.atom_named(residue, name)?)?;
                position.is_finite().then(|| position.as_dvec3())
            };
            let Some(ca) = place("CA") else { continue };
            trace.push((index, ca));
            // The first terminal oxygen of CHARMM files stands for O.
            let oxygen = place("O").or_else(|| place("OT1"));
            if let (Some(n), Some(c), Some(o)) = (place("N"), place("C"), oxygen) {
                let is_proline = residue.name == "PRO";
                let chain = chain_index as u32;
                found.push(Backbone { index, n, ca, c, o, is_proline, follows: false, stretch: 0, chain });
            }
        }
        if found.len() * 2 < trace.len() {
            traces.push(trace);
            continue;
        }
        stretch += 1;
        let mut before: Option<DVec3> = None;
        for residue in &mut found {
            residue.follows = before.is_some_and(|c| c.distance(residue.n) <= PEPTIDE_LIMIT);
            if before.is_some() && !residue.follows {
                stretch += 1;
            }
            residue.stretch = stretch;
            before = Some(residue.c);
        }
        full.extend(found);
    }
    (full, traces)
}

/// A partner in a hydrogen bond and the energy of it; the default is no bond.
#[derive(Clone, Copy, Default)]
struct Partner {
    residue: usize,
    energy: f64,
}

/// The hydrogen bonds: for each residue its two best acceptors.
struct HydrogenBonds {
    acceptors: Vec<[Partner; 2]>,
}

impl HydrogenBonds {
    /// Whether the N-H of `donor` is bonded to the C=O of `acceptor`.
    fn has(&self, donor: usize, acceptor: usize) -> bool {
        self.acceptors[donor].iter().any(|partner| partner.residue == acceptor && partner.energy < BOND_LIMIT)
    }
}

fn energy(donor: &Backbone, hydrogen: DVec3, acceptor: &Backbone) -> f64 {
    let distances = [
        hydrogen.distance(acceptor.o),
        hydrogen.distance(acceptor.c),
        donor.n.distance(acceptor.c),
        donor.n.distance(acceptor.o),
    ];
    if distances.iter().any(|distance| *distance < 0.5) {
        return LOWEST_ENERGY;
    }
    let [ho, hc, nc, no] = distances;
    let energy = COUPLING * (1.0 / ho - 1.0 / hc + 1.0 / nc - 1.0 / no);
    // To 0.001, as the method prints and compares it.
    ((energy * 1000.0).round() / 1000.0).max(LOWEST_ENERGY)
}

fn hydrogen_bonds(residues: &[Backbone], near: &[(usize, usize)]) -> HydrogenBonds {
    let hydrogens: Vec<Option<DVec3>> = residues
        .iter()
        .enumerate()
        .map(|(index, residue)| {
            if residue.is_proline {
                return None;
            }
            let before = residues.get(index.wrapping_sub(1)).filter(|_| residue.follows);
            // Without a residue before it the direction is not known; the hydrogen then lies at N.
            let direction = before.map_or(DVec3::ZERO, |before| (before.c - before.o).normalize_or_zero());
            Some(residue.n + direction)
        })
        .collect();
    let mut bonds = HydrogenBonds { acceptors: vec![[Partner::default(); 2]; residues.len()] };
    let mut consider = |donor: usize, acceptor: usize| {
        let Some(hydrogen) = hydrogens[donor] else { return };
        let energy = energy(&residues[donor], hydrogen, &residues[acceptor]);
        let [first, second] = &mut bonds.acceptors[donor];
        let partner = Partner { residue: acceptor, energy };
        if energy < first.energy {
            *second = *first;
            *first = partner;
        } else if energy < second.energy {
            *second = partner;
        }
    };
    for &(a, b) in near {
        consider(a, b);
        // The N-H of the next residue and this C=O are one peptide.
        if b != a + 1 || residues[a].chain != residues[b].chain {
            consider(b, a);
        }
    }
    bonds
}

fn by_hydrogen_bonds(residues: &[Backbone]) -> Vec<SecondaryStructure> {
    let mut assigned = vec![SecondaryStructure::Coil; residues.len()];
    let carbons: Vec<glam::Vec3> = residues.iter().map(|residue| residue.ca.as_vec3()).collect();
    let grid = NeighbourGrid::new(&carbons, NEAR);
    if grid.fullest_cell() > CROWDED {
        return assigned;
    }
    let mut near = Vec::new();
    grid.for_each_pair(NEAR, |a, b, _| near.push((a as usize, b as usize)));
    near.sort_unstable();
    let bonds = hydrogen_bonds(residues, &near);
    sheets(residues, &bonds, &near, &mut assigned);
    helices(residues, &bonds, &mut assigned);
    assigned
}

/// Whether the residues from `a` to `b` are one unbroken stretch.
fn unbroken(residues: &[Backbone], a: usize, b: usize) -> bool {
    match (residues.get(a), residues.get(b)) {
        (Some(first), Some(last)) => first.stretch == last.stretch,
        _ => false,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum BridgeKind {
    Parallel,
    Antiparallel,
}

/// Bridges in a row: residue `first[k]` opposite `second[k]` (parallel) or `second[last - k]` (antiparallel).
struct Ladder {
    kind: BridgeKind,
    first: VecDeque<usize>,
    second: VecDeque<usize>,
    chains: (u32, u32),
}

impl Ladder {
    fn ends(list: &VecDeque<usize>) -> (usize, usize) {
        (list.front().copied().unwrap_or(0), list.back().copied().unwrap_or(0))
    }
}

fn bridge(residues: &[Backbone], bonds: &HydrogenBonds, b: usize, e: usize) -> Option<BridgeKind> {
    let (a, c, d, f) = (b.checked_sub(1)?, b + 1, e.checked_sub(1)?, e + 1);
    if !unbroken(residues, a, c) || !unbroken(residues, d, f) {
        return None;
    }
    if (bonds.has(c, e) && bonds.has(e, a)) || (bonds.has(f, b) && bonds.has(b, d)) {
        return Some(BridgeKind::Parallel);
    }
    let is_antiparallel = (bonds.has(c, d) && bonds.has(f, a)) || (bonds.has(e, b) && bonds.has(b, e));
    is_antiparallel.then_some(BridgeKind::Antiparallel)
}

fn sheets(residues: &[Backbone], bonds: &HydrogenBonds, near: &[(usize, usize)], assigned: &mut [SecondaryStructure]) {
    let mut ladders: Vec<Ladder> = Vec::new();
    for &(i, j) in near {
        if j < i + 3 {
            continue;
        }
        let Some(kind) = bridge(residues, bonds, i, j) else { continue };
        let grown = ladders.iter_mut().find(|ladder| {
            let ((_, last), (low, high)) = (Ladder::ends(&ladder.first), Ladder::ends(&ladder.second));
            ladder.kind == kind
                && last + 1 == i
                && match kind {
                    BridgeKind::Parallel => high + 1 == j,
                    BridgeKind::Antiparallel => low == j + 1,
                }
        });
        match grown {
            Some(ladder) => {
                ladder.first.push_back(i);
                match kind {
                    BridgeKind::Parallel => ladder.second.push_back(j),
                    BridgeKind::Antiparallel => ladder.second.push_front(j),
                }
            }
            None => ladders.push(Ladder {
                kind,
                first: VecDeque::from([i]),
                second: VecDeque::from([j]),
                chains: (residues[i].chain, residues[j].chain),
            }),
        }
    }
    ladders.sort_by_key(|ladder| (ladder.chains.0, Ladder::ends(&ladder.first).0));
    join_over_bulges(residues, &mut ladders);
    for ladder in &ladders {
        let structure = if ladder.first.len() > 1 { SecondaryStructure::Strand } else { SecondaryStructure::Bridge };
        for list in [&ladder.first, &ladder.second] {
            let (low, high) = Ladder::ends(list);
            for residue in low..=high {
                if assigned[residue] != SecondaryStructure::Strand {
                    assigned[residue] = structure;
                }
            }
        }
    }
}

/// Joins ladders of one kind whose gap is a bulge: at most one extra residue on one strand and four on the other.
fn join_over_bulges(residues: &[Backbone], ladders: &mut Vec<Ladder>) {
    let gap = |from: usize, to: usize| to.checked_sub(from).unwrap_or(usize::MAX);
    let mut i = 0;
    while i < ladders.len() {
        let mut j = i + 1;
        while j < ladders.len() {
            let (first, second) = (&ladders[i], &ladders[j]);
            let ((i_low, i_high), (i_partner_low, i_partner_high)) =
                (Ladder::ends(&first.first), Ladder::ends(&first.second));
            let ((j_low, j_high), (j_partner_low, j_partner_high)) =
                (Ladder::ends(&second.first), Ladder::ends(&second.second));
            let overlap = i_high >= j_low && i_low <= j_high;
            let near_gap = gap(i_high, j_low);
            let far_gap = match first.kind {
                BridgeKind::Parallel => gap(i_partner_high, j_partner_low),
                BridgeKind::Antiparallel => gap(j_partner_high, i_partner_low),
            };
            let is_bulge = first.kind == second.kind
                && unbroken(residues, i_low.min(j_low), i_high.max(j_high))
                && unbroken(residues, i_partner_low.min(j_partner_low), i_partner_high.max(j_partner_high))
                && near_gap < 6
                && !overlap
                && ((far_gap < 6 && near_gap < 3) || far_gap < 3);
            if !is_bulge {
                j += 1;
                continue;
            }
            let mut joined = ladders.remove(j);
            let ladder = &mut ladders[i];
            ladder.first.append(&mut joined.first);
            match ladder.kind {
                BridgeKind::Parallel => ladder.second.append(&mut joined.second),
                BridgeKind::Antiparallel => {
                    joined.second.append(&mut ladder.second);
                    ladder.second = joined.second;
                }
            }
        }
        i += 1;
    }
}

fn helices(residues: &[Backbone], bonds: &HydrogenBonds, assigned: &mut [SecondaryStructure]) {
    use SecondaryStructure::{AlphaHelix, Bend, Coil, Helix310, PiHelix, Turn};
    let count = residues.len();
    // Where an n-turn begins: a bond from the N-H of residue i + n to the C=O of i.
    let starts: Vec<[bool; 3]> = (0..count)
        .map(|i| [3, 4, 5].map(|n| i + n < count && unbroken(residues, i, i + n) && bonds.has(i + n, i)))
        .collect();
    let begins = |i: usize, n: usize| starts[i][n - 3] && i > 0 && starts[i - 1][n - 3];
    for i in (1..count).filter(|i| begins(*i, 4)) {
        assigned[i..(i + 4).min(count)].fill(AlphaHelix);
    }
    for i in (1..count).filter(|i| begins(*i, 3)) {
        let part = &mut assigned[i..(i + 3).min(count)];
        if part.iter().all(|structure| matches!(structure, Coil | Helix310)) {
            part.fill(Helix310);
        }
    }
    for i in (1..count).filter(|i| begins(*i, 5)) {
        let part = &mut assigned[i..(i + 5).min(count)];
        if part.iter().all(|structure| matches!(structure, Coil | PiHelix | AlphaHelix)) {
            part.fill(PiHelix);
        }
    }
    for i in 1..count.saturating_sub(1) {
        if assigned[i] != Coil {
            continue;
        }
        let in_turn = (3..=5).any(|n| (1..n).any(|back| i >= back && starts[i - back][n - 3]));
        if in_turn {
            assigned[i] = Turn;
        } else if is_bend(residues, i) {
            assigned[i] = Bend;
        }
    }
}

/// Whether the chain changes its direction by more than 70° at a residue.
fn is_bend(residues: &[Backbone], i: usize) -> bool {
    if i < 2 || !unbroken(residues, i - 2, i + 2) {
        return false;
    }
    let towards = residues[i].ca - residues[i - 2].ca;
    let away = residues[i + 2].ca - residues[i].ca;
    towards.angle_between(away) > 70.0_f64.to_radians()
}

/// Helix, strand and turn along a trace of alpha carbons.
fn by_trace(trace: &Trace) -> Vec<(usize, SecondaryStructure)> {
    let mut assigned = Vec::new();
    for window in trace.windows(5) {
        let distance = |a: usize, b: usize| window[a].1.distance(window[b].1);
        // A break in the trace makes every distance meaningless.
        if (0..4).any(|step| distance(step, step + 1) > 4.5) {
            continue;
        }
        let [two, three, four] = [
            vec![distance(0, 2), distance(1, 3), distance(2, 4)],
            vec![distance(0, 3), distance(1, 4)],
            vec![distance(0, 4)],
        ];
        let matches = |ideal: [f64; 3], tolerance: f64| {
            [&two, &three, &four]
                .iter()
                .zip(ideal)
                .all(|(found, ideal)| found.iter().all(|distance| (distance - ideal).abs() < tolerance))
        };
        let structure = if matches([5.45, 5.18, 6.37], 2.1) {
            SecondaryStructure::AlphaHelix
        } else if matches([6.1, 10.4, 13.0], 1.42) {
            SecondaryStructure::Strand
        } else if four[0] < 8.0 {
            SecondaryStructure::Turn
        } else {
            SecondaryStructure::Coil
        };
        assigned.push((window[2].0, structure));
    }
    assigned
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::formats::{pdb, read_structure};

    fn letters(model: &Model) -> String {
        let assigned = assign(model);
        let protein =
            model.topology.residues.iter().zip(assigned).filter(|(residue, _)| residue.kind == ResidueKind::Protein);
        protein.map(|(_, structure)| structure.letter()).collect()
    }

    fn of_file(path: &str) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        letters(read_structure(&path).unwrap().first().unwrap())
    }

    // The expected letters are those of mkdssp 4.2.2 with its polyproline helices (P) left out.

    #[test]
    fn helices_of_all_three_kinds_and_strands_as_the_reference_program_finds_them() {
        let closed = concat!(
            " EEEEEESTTSSHHHHHHHHHHHH   EEEHHHHHHHHHHHT TTTGGGHHHHHHT    HHHHHHHHHHHHHSGGGGG EEEES   SHHHHHHHHHTT   ",
            "SEEEEEE  GGGHHHHHHTEEEETTTTEEEETTTB  SSTTB TTT  B B  TT SHHHHHHHHHHIIIIITTHHHHHHHHHHTTSSEEEEEETTS HHHHHHH",
            "HHHHH "
        );
        assert_eq!(of_file("../samples/adenylate-kinase/closed.pdb"), closed);
    }

    #[test]
    fn sheets_over_two_chains_with_bulges() {
        let first =
            " EE SSS  EEEEEETTEEEEEEE TT SS EEES   SS  EEEEEEETTEEEEEEEEEEEEEEETTEEEEEEEEEE  SS EE HHHHTTTT EEE ";
        let second =
            " EE SSS  EEEEEETTEEEEEEE TT SS EE S   SS  EEEEEEETTEEEEEEEEEEEEEEETTEEEEEEEEES  SS EE HHHHTTTT EEE ";
        assert_eq!(of_file("../samples/protease/receptor.pdb"), format!("{first}{second}"));
    }

    #[test]
    fn selenomethionine_counts_as_a_residue() {
        let expected = "      TTS HHHHHHHHHHHHHTTT  HHHHHHHHHTHHHHTS HHHHHHHHTT TT  HHHHHHHT  ";
        assert_eq!(of_file("tests/data/1a8o.cif").len(), 70);
        assert_eq!(of_file("tests/data/1a8o.cif").trim(), expected.trim());
    }

    #[test]
    fn alpha_carbons_alone_still_show_helices_and_strands() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/adenylate-kinase/closed.pdb");
        let full = read_structure(&path).unwrap();
        let expected = letters(full.first().unwrap());
        let text = pdb::write(&full).unwrap();
        let trace: String =
            text.lines().filter(|line| line.contains("  CA  ")).map(|line| format!("{line}\n")).collect();
        let found = letters(pdb::read(trace.as_bytes()).unwrap().first().unwrap());
        let agrees = |(a, b): &(char, char)| (*a == 'H') == (*b == 'H') || *a == 'G' || *a == 'I';
        let same = expected.chars().zip(found.chars()).filter(agrees).count();
        assert!(same * 100 > expected.len() * 85, "{same} of {}\n{expected}\n{found}", expected.len());
        assert!(found.contains("EEEE"));
    }
}
