//! Forms of histidine, and side chains that fit better turned round, by the company their polar atoms keep.
//!
//! The energy of a polar atom is counted from its contacts: one for a full hydrogen bond (donor to acceptor at 2.8 Å, fading
//! to nothing at 3.6 Å and sideways), minus one for two donors or two acceptors as close, three for a metal on a bare
//! nitrogen. That is crude beside what optimised networks do (Word et al. 1999), and enough for what one side chain's own
//! neighbours tell; decisions with little between them are not made.

use glam::Vec3;

use super::sites::Surroundings;
use crate::Element;
use crate::analysis::neighbour_grid::NeighbourGrid;
use crate::bonds::CROWDED;
use crate::residues;
use crate::structure::{BondOrder, Model, ResidueKind, Topology};

/// Contacts are looked for within this, Å.
const REACH: f32 = 3.6;
/// Full strength up to here, Å.
const FULL: f32 = 2.8;
/// What the second proton of histidine costs at pH 7.4.
const DOUBLE_COST: f32 = 1.2;
/// What a proton on ND1 costs against one on NE2.
const DELTA_COST: f32 = 0.3;
/// A side chain is called turned when the other way gains at least this.
const FLIP_GAIN: f32 = 1.0;

/// Where histidine has its protons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HistidineForm {
    /// On ND1 (HID).
    Delta,
    /// On NE2 (HIE).
    Epsilon,
    /// On both, charged (HIP).
    Both,
    /// On neither: two metals.
    Neither,
}

impl HistidineForm {
    /// Whether ND1 has a proton.
    #[must_use]
    pub fn has_delta(self) -> bool {
        matches!(self, Self::Delta | Self::Both)
    }

    /// Whether NE2 has a proton.
    #[must_use]
    pub fn has_epsilon(self) -> bool {
        matches!(self, Self::Epsilon | Self::Both)
    }
}

/// A histidine and the form chosen for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Histidine {
    /// Index of the residue.
    pub residue: u32,
    /// The form as the side chain lies in the structure.
    pub as_found: HistidineForm,
    /// The form with the side chain turned round, where that fits better.
    pub turned: Option<HistidineForm>,
}

impl Histidine {
    /// The form, with the side chain turned where `apply_flips`.
    #[must_use]
    pub fn form(&self, apply_flips: bool) -> HistidineForm {
        self.turned.filter(|_| apply_flips).unwrap_or(self.as_found)
    }
}

/// A side chain that fits better turned round by half a turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Flip {
    /// Index of the residue.
    pub residue: u32,
    /// What turning gains, in hydrogen bonds.
    pub gain: f32,
    /// Pairs of atoms that trade places, by index.
    pub swaps: Vec<(u32, u32)>,
}

#[derive(Default)]
pub(super) struct Choices {
    pub histidines: Vec<Histidine>,
    pub flips: Vec<Flip>,
}

/// What an atom does in hydrogen bonds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Donor,
    Acceptor,
    Both,
    Metal,
    None,
}

pub(super) fn role(topology: &Topology, surroundings: &Surroundings, atom: usize) -> Role {
    let around = &surroundings.heavy[atom];
    let has = |wanted: &[BondOrder]| around.iter().any(|(_, order)| wanted.contains(order));
    let residue = topology.residue_of(atom);
    match topology.atoms[atom].element {
        element if element.is_metal() => Role::Metal,
        Element::O if has(&[BondOrder::Double]) || around.len() > 1 => Role::Acceptor,
        Element::O => {
            // The other oxygen of an acid has the same right to the double bond.
            let shares = around.iter().any(|(centre, _)| {
                let centre = *centre as usize;
                surroundings.heavy[centre].iter().any(|(other, order)| {
                    *order == BondOrder::Double && topology.atoms[*other as usize].element == Element::O
                })
            });
            if shares { Role::Acceptor } else { Role::Both }
        }
        Element::N
            if residue.kind == ResidueKind::Protein
                && matches!(topology.atoms[atom].name.as_str(), "ND1" | "NE2")
                && residues::component_code(&residue.name, residue.kind) == "HIS" =>
        {
            Role::Both
        }
        Element::N if around.len() == 2 && has(&[BondOrder::Aromatic, BondOrder::Double]) => Role::Acceptor,
        Element::N if around.len() >= 3 || (around.len() == 2 && residue.name == "PRO") => Role::None,
        Element::N => Role::Donor,
        _ => Role::None,
    }
}

struct Scene<'a> {
    model: &'a Model,
    surroundings: &'a Surroundings,
    grid: NeighbourGrid,
}

pub(super) fn choose(model: &Model, surroundings: &Surroundings) -> Choices {
    let topology = &model.topology;
    let mut choices = Choices::default();
    let mut scene = Scene { model, surroundings, grid: NeighbourGrid::new(&model.positions, REACH) };
    if scene.grid.fullest_cell() > CROWDED {
        // A heap of atoms is not matter: decided as if nothing were near anything.
        scene.grid = NeighbourGrid::new(&[], REACH);
    }
    for (index, residue) in topology.residues.iter().enumerate() {
        if residue.kind != ResidueKind::Protein || residues::is_minor_form(topology, index) {
            continue;
        }
        let index = index as u32;
        match residues::component_code(&residue.name, residue.kind) {
            "HIS" => scene.histidine(index, &mut choices),
            "ASN" => scene.amide(index, ["CG", "OD1", "ND2"], &mut choices),
            "GLN" => scene.amide(index, ["CD", "OE1", "NE2"], &mut choices),
            _ => {}
        }
    }
    choices
}

impl Scene<'_> {
    fn atoms<const N: usize>(&self, residue: u32, names: [&str; N]) -> Option<[u32; N]> {
        let topology = &self.model.topology;
        let residue = &topology.residues[residue as usize];
        let mut found = [0; N];
        for (place, name) in found.iter_mut().zip(names) {
            *place = topology.atom_named(residue, name)? as u32;
        }
        Some(found)
    }

    fn at(&self, atom: u32) -> Vec3 {
        self.model.positions[atom as usize]
    }

    /// Contacts of a place that looks away from `from`: what is there, and how strong (0 to 1).
    fn contacts(&self, residue: u32, from: Vec3, place: Vec3) -> Vec<(Role, f32)> {
        let topology = &self.model.topology;
        let outward = (place - from).normalize_or_zero();
        let mut found = Vec::new();
        for other in self.grid.within(place, REACH) {
            let other = other as usize;
            let is_own = topology.atoms.get(other).is_none_or(|atom| atom.residue == residue);
            if is_own || !topology.is_primary_location(other) {
                continue;
            }
            let role = role(topology, self.surroundings, other);
            let offset = self.model.positions[other] - place;
            let distance = offset.length();
            let sideways = outward.dot(offset / distance.max(0.1)).clamp(0.0, 1.0);
            let limit = if role == Role::Metal { 2.6 } else { FULL };
            let strength = ((REACH - distance) / (REACH - limit)).clamp(0.0, 1.0) * sideways;
            if role != Role::None && strength > 0.0 {
                found.push((role, strength));
            }
        }
        found
    }

    fn with_proton(contacts: &[(Role, f32)]) -> f32 {
        // One proton serves one partner: the best counts, rivals of the same charge all do.
        let best = contacts
            .iter()
            .filter(|(role, _)| matches!(role, Role::Acceptor | Role::Both))
            .fold(0.0_f32, |held, (_, strength)| held.max(*strength));
        let against: f32 = contacts
            .iter()
            .map(|(role, strength)| match role {
                Role::Donor => *strength,
                Role::Metal => 5.0 * strength,
                _ => 0.0,
            })
            .sum();
        against - best
    }

    fn without_proton(contacts: &[(Role, f32)]) -> f32 {
        contacts
            .iter()
            .map(|(role, strength)| match role {
                Role::Donor | Role::Both => -strength,
                Role::Metal => -3.0 * strength,
                Role::Acceptor => *strength,
                Role::None => 0.0,
            })
            .sum()
    }

    fn histidine(&self, residue: u32, choices: &mut Choices) {
        let Some([cg, nd1, ce1, ne2, cd2]) = self.atoms(residue, ["CG", "ND1", "CE1", "NE2", "CD2"]) else { return };
        let stated = match self.model.topology.residues[residue as usize].name.as_str() {
            "HID" | "HSD" => Some(HistidineForm::Delta),
            "HIE" | "HSE" => Some(HistidineForm::Epsilon),
            "HIP" | "HSP" => Some(HistidineForm::Both),
            _ => None,
        };
        let centre = [cg, nd1, ce1, ne2, cd2].iter().map(|atom| self.at(*atom)).sum::<Vec3>() / 5.0;
        let best = |delta: u32, epsilon: u32| {
            let (delta, epsilon) =
                (self.contacts(residue, centre, self.at(delta)), self.contacts(residue, centre, self.at(epsilon)));
            let has_metal = |contacts: &[(Role, f32)]| contacts.iter().any(|(role, _)| *role == Role::Metal);
            let forms = [
                (HistidineForm::Epsilon, Self::without_proton(&delta) + Self::with_proton(&epsilon)),
                (HistidineForm::Delta, Self::with_proton(&delta) + Self::without_proton(&epsilon) + DELTA_COST),
                (HistidineForm::Both, Self::with_proton(&delta) + Self::with_proton(&epsilon) + DOUBLE_COST),
            ];
            if has_metal(&delta) && has_metal(&epsilon) {
                return (HistidineForm::Neither, Self::without_proton(&delta) + Self::without_proton(&epsilon));
            }
            forms.into_iter().fold(forms[0], |held, one| if one.1 < held.1 { one } else { held })
        };
        let as_found = best(nd1, ne2);
        // Turned round, ND1 lies where CD2 was and NE2 where CE1 was.
        let turned = best(cd2, ce1);
        let gain = as_found.1 - turned.1;
        if let Some(form) = stated {
            choices.histidines.push(Histidine { residue, as_found: form, turned: None });
            return;
        }
        let is_flip = gain >= FLIP_GAIN;
        choices.histidines.push(Histidine { residue, as_found: as_found.0, turned: is_flip.then_some(turned.0) });
        if is_flip {
            choices.flips.push(Flip { residue, gain, swaps: vec![(nd1, cd2), (ce1, ne2)] });
        }
    }

    fn amide(&self, residue: u32, names: [&str; 3], choices: &mut Choices) {
        let Some([carbon, oxygen, nitrogen]) = self.atoms(residue, names) else { return };
        let from = self.at(carbon);
        let [at_oxygen, at_nitrogen] = [oxygen, nitrogen].map(|atom| self.contacts(residue, from, self.at(atom)));
        // As with_proton, but the nitrogen has two protons, so two partners count.
        let donates = |contacts: &[(Role, f32)]| {
            let mut partners: Vec<f32> = contacts
                .iter()
                .filter(|(role, _)| matches!(role, Role::Acceptor | Role::Both))
                .map(|(_, strength)| *strength)
                .collect();
            partners.sort_by(|a, b| b.total_cmp(a));
            let against: f32 = contacts
                .iter()
                .filter(|(role, _)| matches!(role, Role::Donor | Role::Metal))
                .map(|(_, strength)| *strength)
                .sum();
            against - partners.iter().take(2).sum::<f32>()
        };
        let as_found = Self::without_proton(&at_oxygen) + donates(&at_nitrogen);
        let turned = Self::without_proton(&at_nitrogen) + donates(&at_oxygen);
        let gain = as_found - turned;
        if gain >= FLIP_GAIN {
            choices.flips.push(Flip { residue, gain, swaps: vec![(oxygen, nitrogen)] });
        }
    }
}
