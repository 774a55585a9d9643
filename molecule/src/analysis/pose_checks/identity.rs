//! Is the pose the molecule that was put in? Then all other checks.

use std::collections::BTreeMap;

use glam::Vec3;

use super::{LigandReference, PoseCheck, PoseCheckKind, ReceptorSpace};
use crate::chemistry::graph::{Graph, Matcher};
use crate::chemistry::hydrogens::renumbered;
use crate::chemistry::template::best_by_stereo;
use crate::chemistry::{ChemistryError, Perception, perceive, remove_hydrogens};
use crate::{Bond, Element, SmallMolecule, Stereo};

/// Checks poses that come as molecules of their own, in any order of atoms: whether each is the input, and then its
/// shape, energy and surroundings. What depends on the graph alone is kept from pose to pose.
#[derive(Debug)]
pub struct PoseChecker<'a> {
    receptor: Option<&'a ReceptorSpace>,
    input: Option<Input>,
    /// Number of conformers for the energies; 0 leaves them out.
    conformers: usize,
    seed: u64,
    known: Option<Known>,
}

/// The molecule asked for.
#[derive(Debug)]
struct Input {
    whole: Perception,
    /// Without hydrogens.
    bare: SmallMolecule,
}

/// The last graph seen, and what it is held against.
#[derive(Debug)]
struct Known {
    elements: Vec<(Element, i8)>,
    bonds: Vec<Bond>,
    identity: Vec<PoseCheck>,
    reference: LigandReference,
    /// Lays the input on the pose, if they are the same molecule.
    matcher: Option<Matcher>,
}

/// Pairs tried before the search for a matching stops.
const MAX_STEPS: usize = 200_000;

impl<'a> PoseChecker<'a> {
    /// `input` is the molecule asked for; where it states no stereo and has a conformer, that conformer does. Without one,
    /// identity and stereo are not checked. `conformers` are made for the energies (8 are enough, 0 leaves the energies
    /// out).
    ///
    /// # Errors
    /// When the input breaks the rules of valence.
    pub fn new(
        receptor: Option<&'a ReceptorSpace>,
        input: Option<&SmallMolecule>,
        conformers: usize,
        seed: u64,
    ) -> Result<Self, ChemistryError> {
        let input = input.map(perceive).transpose()?.map(|whole| {
            let (bare, _) = remove_hydrogens(&whole.molecule);
            Input { whole, bare }
        });
        Ok(Self { receptor, input, conformers, seed, known: None })
    }

    /// Checks one pose: a molecule with one conformer (further ones are not looked at). Its atoms are those of
    /// [`PoseCheck::atoms`].
    ///
    /// # Errors
    /// When the user cancels.
    pub fn check(
        &mut self,
        pose: &SmallMolecule,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<PoseCheck>, ChemistryError> {
        let elements: Vec<(Element, i8)> = pose.atoms.iter().map(|atom| (atom.element, atom.formal_charge)).collect();
        let is_known = self.known.as_ref().is_some_and(|known| known.elements == elements && known.bonds == pose.bonds);
        if !is_known {
            self.known = self.learn(pose, elements, is_cancelled)?;
        }
        let Some(known) = &self.known else {
            return Ok(vec![PoseCheck::new(PoseCheckKind::Sanitisation, 1.0, Vec::new())]);
        };
        let positions = pose.conformers.first().map(Vec::as_slice).unwrap_or_default();
        let mut checks = known.identity.clone();
        let shape = known.reference.check_with(&self.wanted_stereo(known, positions), positions);
        let says_nothing = |check: &PoseCheck| {
            matches!(check.kind, PoseCheckKind::TetrahedralStereo | PoseCheckKind::DoubleBondStereo)
                && self.input.is_none()
        };
        checks.extend(shape.into_iter().filter(|check| !says_nothing(check)));
        if let Some(receptor) = self.receptor
            && known.reference.fits(positions)
        {
            checks.extend(receptor.check(&known.reference, positions));
        }
        Ok(checks)
    }

    /// The input's stereo in the pose's numbers, if the two are the same molecule. Which of two alike atoms is which can
    /// depend on their places.
    fn wanted_stereo(&self, known: &Known, positions: &[Vec3]) -> Vec<Stereo> {
        let heavy = &known.reference.heavy;
        let (Some(input), Some(matcher), true) = (&self.input, &known.matcher, known.reference.fits(positions)) else {
            return Vec::new();
        };
        let places: Vec<Vec3> = heavy.iter().map(|&atom| positions[atom as usize]).collect();
        let Some(partner) = best_by_stereo(matcher, &input.bare, &places) else { return Vec::new() };
        let place: Vec<u32> = partner.iter().map(|&atom| heavy[atom as usize]).collect();
        input.bare.stereo.iter().filter_map(|stereo| renumbered(*stereo, &place)).collect()
    }

    /// `None` when the pose breaks the rules of valence.
    fn learn(
        &self,
        pose: &SmallMolecule,
        elements: Vec<(Element, i8)>,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Option<Known>, ChemistryError> {
        let mut graph = pose.clone();
        graph.stereo.clear();
        graph.conformers.clear();
        let Ok(perception) = perceive(&graph) else { return Ok(None) };
        let Ok(mut reference) = LigandReference::new(&graph) else { return Ok(None) };
        let mut identity = vec![PoseCheck::new(PoseCheckKind::Sanitisation, 0.0, Vec::new())];
        let mut matcher = None;
        if let Some(input) = &self.input {
            let (bare, _) = remove_hydrogens(&perception.molecule);
            let formula = formula_difference(&input.whole, &perception);
            // A wrong element is a matter of the formula; the bonds are compared all the same.
            let is_same = formula == 0;
            let found = Matcher::new(plain_graph(&input.bare, is_same), plain_graph(&bare, is_same))
                .filter(|matcher| matcher.best(MAX_STEPS, |_, _| 0.0).is_some());
            let bonds = if found.is_some() { 0 } else { input.bare.bonds.len().abs_diff(bare.bonds.len()).max(1) };
            identity.push(PoseCheck::new(PoseCheckKind::Formula, formula as f32, Vec::new()));
            identity.push(PoseCheck::new(PoseCheckKind::Connectivity, bonds as f32, Vec::new()));
            matcher = found.filter(|_| is_same);
        }
        if self.conformers > 0 {
            // Conformers of the pose's own configuration: a wrong one is not a matter of energy.
            reference = reference.with_energies(pose, self.seed, self.conformers, is_cancelled)?;
        }
        Ok(Some(Known { elements, bonds: pose.bonds.clone(), identity, reference, matcher }))
    }
}

/// Atoms that one has and the other not, by element. Hydrogens are counted less the charge, so that a proton more or
/// fewer is no difference.
fn formula_difference(first: &Perception, second: &Perception) -> usize {
    let count = |perception: &Perception| {
        let mut counts: BTreeMap<Element, i64> = BTreeMap::new();
        for (atom, implied) in perception.molecule.atoms.iter().zip(&perception.implied_hydrogens) {
            *counts.entry(atom.element).or_default() += 1;
            *counts.entry(Element::H).or_default() += i64::from(*implied) - i64::from(atom.formal_charge);
        }
        counts
    };
    let (first, second) = (count(first), count(second));
    let mut difference = 0;
    for element in first.keys().chain(second.keys().filter(|element| !first.contains_key(element))) {
        let held = |counts: &BTreeMap<Element, i64>| counts.get(element).copied().unwrap_or(0);
        difference += held(&first).abs_diff(held(&second)) as usize;
    }
    difference
}

fn plain_graph(bare: &SmallMolecule, with_elements: bool) -> Graph {
    Graph {
        labels: bare
            .atoms
            .iter()
            .map(|atom| if with_elements { u64::from(atom.element.atomic_number()) } else { 0 })
            .collect(),
        neighbours: bare
            .neighbours()
            .into_iter()
            .map(|around| around.into_iter().map(|(next, _)| (next, 0)).collect())
            .collect(),
    }
}
