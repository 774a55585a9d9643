//! Types of the receptor's atoms, from names and bonds; hydrogens are not needed.
//!
//! Amino acids and nucleotides have their roles by name, at the charge they have at neutral pH. Both nitrogens of a
//! histidine without hydrogens give and take: a crystal structure seldom tells its tautomer and flip, and a pose must
//! not be lost to a guess; only a metal tells. Of anything else (cofactors, modified residues) the geometry tells: a carbon-oxygen bond
//! below 1.30 Å is a carbonyl, a nitrogen with three heavy neighbours gives nothing. Waters are left out; metals and
//! cofactors stay.

use glam::Vec3;
use kfold_molecule::{Element, Model, Residue, ResidueKind, Topology};

use super::AtomType;

/// The receptor as the scoring functions see it.
#[derive(Clone, Debug, Default)]
pub struct TypedReceptor {
    /// Å.
    pub positions: Vec<Vec3>,
    /// One for each position.
    pub types: Vec<AtomType>,
    /// Index of each atom in the model.
    pub atoms: Vec<u32>,
    /// Elements without parameters that were left out, with how many atoms.
    pub ignored: Vec<(Element, usize)>,
}

impl TypedReceptor {
    /// The atoms, by index in the model, that are wanted.
    #[must_use]
    pub fn restricted(&self, is_wanted: impl Fn(u32) -> bool) -> Self {
        let kept: Vec<usize> = (0..self.atoms.len()).filter(|&place| is_wanted(self.atoms[place])).collect();
        Self {
            positions: kept.iter().map(|&place| self.positions[place]).collect(),
            types: kept.iter().map(|&place| self.types[place]).collect(),
            atoms: kept.iter().map(|&place| self.atoms[place]).collect(),
            ignored: self.ignored.clone(),
        }
    }
}

/// Types the heavy atoms of a model that are not water, primary locations only.
#[must_use]
pub fn receptor_types(model: &Model) -> TypedReceptor {
    let topology = &*model.topology;
    let neighbours = topology.neighbours();
    let mut typed = TypedReceptor::default();
    for residue in &topology.residues {
        if residue.kind == ResidueKind::Water {
            continue;
        }
        let has_hydrogens = topology.atoms_of(residue).any(|atom| topology.atoms[atom].element == Element::H);
        for atom in topology.atoms_of(residue) {
            let element = topology.atoms[atom].element;
            if element == Element::H || !topology.is_primary_location(atom) {
                continue;
            }
            let surroundings = Surroundings {
                model,
                topology,
                all_neighbours: &neighbours,
                neighbours: &neighbours[atom],
                atom,
                has_hydrogens,
            };
            match surroundings.kind(residue) {
                Some(kind) => {
                    typed.positions.push(model.positions[atom]);
                    typed.types.push(kind);
                    typed.atoms.push(atom as u32);
                }
                None => match typed.ignored.iter_mut().find(|(ignored, _)| *ignored == element) {
                    Some((_, count)) => *count += 1,
                    None => typed.ignored.push((element, 1)),
                },
            }
        }
    }
    typed
}

struct Surroundings<'a> {
    model: &'a Model,
    topology: &'a Topology,
    all_neighbours: &'a [Vec<(u32, u32)>],
    /// Of the atom itself.
    neighbours: &'a [(u32, u32)],
    atom: usize,
    has_hydrogens: bool,
}

impl Surroundings<'_> {
    fn kind(&self, residue: &Residue) -> Option<AtomType> {
        let atom = &self.topology.atoms[self.atom];
        Some(match atom.element {
            Element::C if self.heavy().any(|(element, _)| element != Element::C) => AtomType::CarbonPolar,
            Element::C => AtomType::CarbonHydrophobic,
            Element::N => self
                .nitrogen_by_name(&residue.name, &atom.name, residue.kind)
                .unwrap_or_else(|| self.nitrogen_by_geometry()),
            Element::O => {
                let by_name = oxygen_is_donor(&residue.name, &atom.name, residue.kind, self.heavy().count());
                AtomType::oxygen(by_name.unwrap_or_else(|| self.oxygen_by_geometry()))
            }
            Element::S | Element::SE => AtomType::Sulfur,
            Element::P | Element::AS => AtomType::Phosphorus,
            Element::F => AtomType::Fluorine,
            Element::CL => AtomType::Chlorine,
            Element::BR => AtomType::Bromine,
            Element::I => AtomType::Iodine,
            Element::SI => AtomType::Silicon,
            Element::B => AtomType::Boron,
            metal if metal.is_metal() => AtomType::Metal,
            _ => return None,
        })
    }

    /// Elements and distances of the bonded heavy atoms, metals left out.
    fn heavy(&self) -> impl Iterator<Item = (Element, f32)> {
        let own = self.model.positions[self.atom];
        self.neighbours.iter().filter_map(move |&(other, _)| {
            let element = self.topology.atoms[other as usize].element;
            let is_counted =
                element != Element::H && !element.is_metal() && self.topology.is_primary_location(other as usize);
            is_counted.then(|| (element, self.model.positions[other as usize].distance(own)))
        })
    }

    fn has_hydrogen(&self) -> bool {
        self.neighbours.iter().any(|&(other, _)| self.topology.atoms[other as usize].element == Element::H)
    }

    fn nitrogen_by_name(&self, residue: &str, name: &str, kind: ResidueKind) -> Option<AtomType> {
        match kind {
            ResidueKind::Protein => match (residue, name) {
                (_, "N") if self.heavy().count() >= 3 => Some(AtomType::NitrogenPlain),
                (_, "N") => Some(AtomType::NitrogenDonor),
                ("ARG", _) | ("LYS", "NZ") | ("ASN", "ND2") | ("GLN", "NE2") | ("TRP", "NE1") => {
                    Some(AtomType::NitrogenDonor)
                }
                ("HIS" | "HIE" | "HID" | "HIP" | "HSD" | "HSE" | "HSP", "ND1" | "NE2") => {
                    Some(self.histidine(residue, name))
                }
                _ => None,
            },
            ResidueKind::Dna | ResidueKind::Rna => {
                let base = residue.trim_start_matches('D');
                match (base, name) {
                    ("A" | "G", "N9") | ("C" | "U" | "T", "N1") => Some(AtomType::NitrogenPlain),
                    ("A", "N1" | "N3" | "N7") | ("G", "N3" | "N7") | ("C", "N3") => Some(AtomType::NitrogenAcceptor),
                    ("A", "N6") | ("G", "N1" | "N2") | ("C", "N4") | ("U" | "T", "N3") => Some(AtomType::NitrogenDonor),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn histidine(&self, residue: &str, name: &str) -> AtomType {
        let binds_metal = |atom: usize| {
            self.all_neighbours[atom].iter().any(|&(other, _)| self.topology.atoms[other as usize].element.is_metal())
        };
        let own_residue = self.topology.residue_of(self.atom);
        let other = self.topology.atom_named(own_residue, if name == "ND1" { "NE2" } else { "ND1" });
        match (residue, name) {
            ("HIE" | "HSE", "NE2") | ("HID" | "HSD", "ND1") | ("HIP" | "HSP", _) => AtomType::NitrogenDonor,
            ("HIE" | "HSE", "ND1") | ("HID" | "HSD", "NE2") => AtomType::NitrogenAcceptor,
            _ if self.has_hydrogens => AtomType::nitrogen(self.has_hydrogen(), !self.has_hydrogen()),
            // At a metal one nitrogen holds the metal and the other the hydrogen.
            _ if binds_metal(self.atom) => AtomType::NitrogenAcceptor,
            _ if other.is_some_and(binds_metal) => AtomType::NitrogenDonor,
            _ => AtomType::NitrogenDonorAcceptor,
        }
    }

    fn nitrogen_by_geometry(&self) -> AtomType {
        let distances: Vec<f32> = self.heavy().map(|(_, distance)| distance).collect();
        if self.has_hydrogens {
            let connections = distances.len() + self.neighbours.len().saturating_sub(distances.len());
            return AtomType::nitrogen(self.has_hydrogen(), connections < 3);
        }
        match distances.len() {
            0 => AtomType::NitrogenDonor,
            1 if distances[0] < 1.22 => AtomType::NitrogenAcceptor,
            1 => AtomType::NitrogenDonor,
            // Two aromatic or double bonds: a pyridine's nitrogen takes; longer bonds belong to amides and amines.
            2 if distances.iter().sum::<f32>() < 2.70 => AtomType::NitrogenDonorAcceptor,
            2 => AtomType::NitrogenDonor,
            _ => AtomType::NitrogenPlain,
        }
    }

    fn oxygen_by_geometry(&self) -> bool {
        if self.has_hydrogens {
            return self.has_hydrogen();
        }
        let mut heavy = self.heavy();
        match (heavy.next(), heavy.next()) {
            (None, _) => true,
            (Some((Element::C, distance)), None) => distance > 1.30,
            _ => false,
        }
    }
}

fn oxygen_is_donor(residue: &str, name: &str, kind: ResidueKind, heavy: usize) -> Option<bool> {
    match kind {
        ResidueKind::Protein => match (residue, name) {
            ("SER", "OG") | ("THR", "OG1") | ("TYR", "OH") => Some(heavy < 2),
            (_, "O" | "OXT") | ("ASP", "OD1" | "OD2") | ("GLU", "OE1" | "OE2") | ("ASN", "OD1") | ("GLN", "OE1") => {
                Some(false)
            }
            _ => None,
        },
        ResidueKind::Dna | ResidueKind::Rna => match name {
            "O2'" | "O3'" | "O5'" => Some(heavy < 2),
            _ => Some(false),
        },
        _ => None,
    }
}
