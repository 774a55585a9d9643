//! What each atom of a molecule can take part in: the same list for a ligand (from its perceived chemistry) and for a
//! receptor (from residue names, and from bonds and distances for everything else).
//!
//! Protonation: a receptor file rarely has hydrogens, so histidine nitrogens count as donor and acceptor alike and only
//! a histidine named as doubly protonated (HIP, HSP) is a cation. In the ligand, groups that are charged in water near
//! pH 7 count as charged whether the input draws the charge or not: carboxylic, phosphoric and sulfonic acids,
//! aliphatic amines, amidines and guanidines.

use glam::Vec3;

use crate::chemistry::descriptors::roles;
use crate::chemistry::perception::Hybridisation;
use crate::chemistry::{ChemistryError, Perception, perceive};
use crate::structure::{BondOrder, Model, ResidueKind};
use crate::{Element, SmallMolecule, residues};

/// Where the hydrogens of a donor can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DonorShape {
    /// Anywhere: water.
    Free,
    /// On a cone around the only bond: hydroxyl, thiol, ammonium.
    Cone,
    /// Two in the plane of a conjugated group: amide NH2, aniline, guanidinium.
    PlanarPair,
    /// Opposite to the bonds, in their plane: amide NH, pyrrole, aromatic C-H.
    Planar,
    /// In the free corners of a tetrahedron with two or three bonds.
    Tetrahedral,
}

/// A charged group: the atoms that carry the charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub atoms: Vec<u32>,
}

/// What the atoms of one molecule can take part in; lists and flags by atom index.
#[derive(Clone, Debug, Default)]
pub(super) struct Sites {
    pub elements: Vec<Element>,
    /// Whether the atom is used at all: heavy, and of the primary location.
    pub is_used: Vec<bool>,
    /// Bonded heavy atoms.
    pub neighbours: Vec<Vec<u32>>,
    pub donors: Vec<Option<DonorShape>>,
    pub acceptors: Vec<bool>,
    /// Carbon that gives a weak hydrogen bond.
    pub weak_donors: Vec<Option<DonorShape>>,
    pub hydrophobic: Vec<bool>,
    /// N, O or S with a lone pair for a metal.
    pub ligating: Vec<bool>,
    pub waters: Vec<bool>,
    pub cations: Vec<Group>,
    pub anions: Vec<Group>,
    /// Aromatic rings.
    pub rings: Vec<Vec<u32>>,
}

impl Sites {
    fn sized(elements: Vec<Element>) -> Self {
        let count = elements.len();
        Self {
            is_used: vec![false; count],
            neighbours: vec![Vec::new(); count],
            donors: vec![None; count],
            acceptors: vec![false; count],
            weak_donors: vec![None; count],
            hydrophobic: vec![false; count],
            ligating: vec![false; count],
            waters: vec![false; count],
            elements,
            ..Self::default()
        }
    }

    fn element(&self, atom: u32) -> Element {
        self.elements[atom as usize]
    }

    fn around(&self, atom: u32) -> &[u32] {
        &self.neighbours[atom as usize]
    }

    /// Carbon bonded to carbon alone, and heavier halogens on carbon.
    fn mark_hydrophobic(&mut self) {
        for atom in 0..self.elements.len() {
            let around = &self.neighbours[atom];
            let only_carbon = around.iter().all(|&next| self.elements[next as usize] == Element::C);
            self.hydrophobic[atom] = self.is_used[atom]
                && only_carbon
                && (self.elements[atom] == Element::C
                    || (!around.is_empty() && matches!(self.elements[atom], Element::CL | Element::BR | Element::I)));
        }
    }

    /// What a ligand's graph says.
    pub fn of_ligand(ligand: &SmallMolecule) -> Result<Self, ChemistryError> {
        let mut graph = ligand.clone();
        graph.conformers.clear();
        let perception = perceive(&graph)?;
        let molecule = &perception.molecule;
        let mut sites = Self::sized(molecule.atoms.iter().map(|atom| atom.element).collect());
        for (atom, around) in molecule.neighbours().into_iter().enumerate() {
            sites.is_used[atom] = sites.elements[atom] != Element::H;
            sites.neighbours[atom] =
                around.into_iter().map(|(next, _)| next).filter(|&next| sites.element(next) != Element::H).collect();
        }
        let roles = roles(&perception);
        sites.acceptors = roles.acceptors;
        for atom in 0..sites.elements.len() {
            let is_flat = perception.hybridisation[atom] == Hybridisation::Sp2;
            let bonds = sites.neighbours[atom].len();
            let shape = match (bonds, is_flat) {
                (0, _) => DonorShape::Free,
                (1, true) if sites.elements[atom] == Element::N => DonorShape::PlanarPair,
                (1, _) => DonorShape::Cone,
                (_, true) => DonorShape::Planar,
                (_, false) => DonorShape::Tetrahedral,
            };
            sites.donors[atom] = roles.donors[atom].then_some(shape);
            let is_polar =
                sites.neighbours[atom].iter().any(|&next| matches!(sites.element(next), Element::N | Element::O));
            if sites.elements[atom] == Element::C
                && perception.hydrogens[atom] > 0
                && bonds >= 2
                && (perception.aromatic_atoms[atom] || is_polar)
            {
                sites.weak_donors[atom] = Some(shape);
            }
            sites.ligating[atom] = sites.acceptors[atom]
                || (molecule.atoms[atom].formal_charge <= 0 && matches!(sites.elements[atom], Element::O | Element::S));
        }
        sites.mark_hydrophobic();
        sites.rings = perception.aromatic_rings().cloned().collect();
        sites.charge_ligand(&perception);
        Ok(sites)
    }

    fn charge_ligand(&mut self, perception: &Perception) {
        let molecule = &perception.molecule;
        let bonds = molecule.neighbours();
        let count = self.elements.len() as u32;
        let is_double = |a: u32, b: u32| {
            bonds[a as usize].iter().any(|&(next, bond)| {
                next == b
                    && molecule.bonds[bond as usize].order == BondOrder::Double
                    && !perception.aromatic_bonds[bond as usize]
            })
        };
        let mut taken = vec![false; count as usize];
        // Acids: carbon with two end oxygens, phosphorus with two, sulfur with three.
        for centre in 0..count {
            let ends: Vec<u32> = self
                .around(centre)
                .iter()
                .copied()
                .filter(|&next| self.element(next) == Element::O && self.around(next).len() == 1)
                .collect();
            let enough = match self.element(centre) {
                Element::C | Element::P => 2,
                Element::S => 3,
                _ => continue,
            };
            let has_acid = ends
                .iter()
                .any(|&end| molecule.atoms[end as usize].formal_charge < 0 || perception.hydrogens[end as usize] > 0);
            if ends.len() >= enough && has_acid && ends.iter().any(|&end| is_double(centre, end)) {
                for &end in &ends {
                    taken[end as usize] = true;
                }
                self.anions.push(Group { atoms: ends });
            }
        }
        // Amidines and guanidines without a group that takes the charge away.
        for centre in 0..count {
            if self.element(centre) != Element::C || perception.aromatic_atoms[centre as usize] {
                continue;
            }
            let nitrogens: Vec<u32> = self
                .around(centre)
                .iter()
                .copied()
                .filter(|&next| self.element(next) == Element::N && !perception.aromatic_atoms[next as usize])
                .collect();
            let is_basic = nitrogens.len() >= 2
                && nitrogens.iter().any(|&nitrogen| is_double(centre, nitrogen))
                && nitrogens.iter().all(|&nitrogen| {
                    self.around(nitrogen).iter().all(|&next| {
                        next == centre || (self.element(next) == Element::C && !self.is_electron_poor(next, &is_double))
                    })
                });
            if is_basic {
                for &nitrogen in &nitrogens {
                    taken[nitrogen as usize] = true;
                    self.acceptors[nitrogen as usize] = false;
                }
                self.cations.push(Group { atoms: nitrogens });
            }
        }
        for atom in 0..count {
            if taken[atom as usize] {
                continue;
            }
            let charge = molecule.atoms[atom as usize].formal_charge;
            let has_opposite = bonds[atom as usize]
                .iter()
                .any(|(next, _)| molecule.atoms[*next as usize].formal_charge.signum() == -charge.signum());
            if charge != 0 && !has_opposite && !self.element(atom).is_metal() {
                let groups = if charge > 0 { &mut self.cations } else { &mut self.anions };
                groups.push(Group { atoms: vec![atom] });
                continue;
            }
            // Aliphatic amines: saturated nitrogen between saturated carbons.
            let is_amine = self.element(atom) == Element::N
                && charge == 0
                && perception.hybridisation[atom as usize] == Hybridisation::Sp3
                && !self.around(atom).is_empty()
                && self.around(atom).iter().all(|&next| {
                    self.element(next) == Element::C && perception.hybridisation[next as usize] == Hybridisation::Sp3
                });
            if is_amine {
                self.cations.push(Group { atoms: vec![atom] });
                if self.donors[atom as usize].is_none() {
                    self.donors[atom as usize] = Some(DonorShape::Tetrahedral);
                }
            }
        }
    }

    /// A carbon that pulls electrons from a nitrogen beside it: carbonyl, nitrile.
    fn is_electron_poor(&self, carbon: u32, is_double: &impl Fn(u32, u32) -> bool) -> bool {
        self.around(carbon).iter().any(|&next| {
            (matches!(self.element(next), Element::O | Element::S) && is_double(carbon, next))
                || (self.element(next) == Element::N && self.around(next).len() == 1)
        })
    }

    /// What the atoms of a receptor can do.
    pub fn of_receptor(model: &Model) -> Self {
        let topology = &model.topology;
        let mut sites = Self::sized(topology.atoms.iter().map(|atom| atom.element).collect());
        let count = sites.elements.len().min(model.positions.len());
        for atom in 0..count {
            sites.is_used[atom] = sites.elements[atom] != Element::H
                && model.positions[atom].is_finite()
                && topology.is_primary_location(atom);
        }
        let assigned;
        let bonds = if topology.bonds.is_empty() && count == topology.atoms.len() {
            let mut copy = topology.as_ref().clone();
            crate::bonds::assign(&mut copy, &model.positions);
            assigned = copy.bonds;
            &assigned
        } else {
            &topology.bonds
        };
        for bond in bonds {
            let (a, b) = (bond.a as usize, bond.b as usize);
            if bond.order != BondOrder::Coordination
                && a < count
                && b < count
                && sites.is_used[a]
                && sites.is_used[b]
                && !sites.elements[a].is_metal()
                && !sites.elements[b].is_metal()
            {
                sites.neighbours[a].push(bond.b);
                sites.neighbours[b].push(bond.a);
            }
        }
        for (index, residue) in topology.residues.iter().enumerate() {
            if residue.atoms.end as usize > count {
                break;
            }
            match residue.kind {
                ResidueKind::Water => {
                    for atom in topology.atoms_of(residue).filter(|&atom| sites.elements[atom] == Element::O) {
                        sites.waters[atom] = sites.is_used[atom];
                    }
                }
                _ if residues::template_of(&residue.name).is_some() && residue.is_polymer() => {
                    sites.standard_residue(model, index);
                }
                _ => sites.other_residue(model, index),
            }
        }
        sites.mark_hydrophobic();
        sites
    }

    fn standard_residue(&mut self, model: &Model, index: usize) {
        use DonorShape::{Cone, Planar, PlanarPair, Tetrahedral};
        let topology = &model.topology;
        let residue = &topology.residues[index];
        let named = |name: &str| topology.atom_named(residue, name).map(|atom| atom as u32);
        for atom in topology.atoms_of(residue) {
            if !self.is_used[atom] {
                continue;
            }
            let name = topology.atoms[atom].name.as_str();
            let bonds = self.neighbours[atom].len();
            let (donor, acceptor) = match (residue.name.as_str(), name) {
                (_, "O" | "OXT" | "OT1" | "OT2") => (None, true),
                // The first residue's ammonium, the others' amide; proline and other tertiary amides have none.
                (_, "N") => (
                    match bonds {
                        0 | 1 => Some(Cone),
                        2 if residue.name != "PRO" => Some(Planar),
                        _ => None,
                    },
                    false,
                ),
                ("SER", "OG") | ("THR", "OG1") | ("TYR", "OH") => (Some(Cone), true),
                ("CYS" | "CYX" | "CYM", "SG") => ((bonds == 1).then_some(Cone), true),
                ("MET", "SD") | ("MSE", "SE") => (None, name == "SD"),
                ("ASN" | "ASP" | "ASH", "OD1") | ("ASP" | "ASH", "OD2") => (None, true),
                ("GLN" | "GLU" | "GLH", "OE1") | ("GLU" | "GLH", "OE2") => (None, true),
                ("ASN", "ND2") | ("GLN", "NE2") | ("ARG" | "ARN", "NH1" | "NH2") => (Some(PlanarPair), false),
                ("LYS" | "LYN", "NZ") => (Some(Cone), false),
                ("ARG" | "ARN", "NE") | ("TRP", "NE1") => (Some(Planar), false),
                ("HIP" | "HSP", "ND1" | "NE2") | ("HID" | "HSD", "ND1") | ("HIE" | "HSE", "NE2") => {
                    (Some(Planar), false)
                }
                ("HID" | "HSD", "NE2") | ("HIE" | "HSE", "ND1") => (None, true),
                ("HIS", "ND1" | "NE2") => (Some(Planar), true),
                _ if residue.kind == ResidueKind::Protein => (None, false),
                // Nucleotides.
                (_, "N4" | "N6" | "N2") => (Some(PlanarPair), false),
                (_, "O2'" | "O2*") => (Some(Cone), true),
                (_, "O3'" | "O3*" | "O5'" | "O5*") => ((bonds == 1).then_some(Cone), true),
                (base, "N1") => {
                    let gives = base.ends_with('G') || base.ends_with('I') || base == "GUA";
                    (gives.then_some(Planar), !gives && bonds == 2)
                }
                (base, "N3") => {
                    let gives = base.ends_with('U') || base.ends_with('T') || base == "URA" || base == "THY";
                    (gives.then_some(Planar), !gives)
                }
                (_, "N7") => (None, true),
                _ => (None, self.elements[atom] == Element::O),
            };
            self.donors[atom] = donor;
            self.acceptors[atom] = acceptor;
            self.ligating[atom] = acceptor || name == "SG" || name == "SD";
            self.weak_donors[atom] = match (residue.name.as_str(), name) {
                ("GLY", "CA") => Some(Tetrahedral),
                (_, "CA") if residue.kind == ResidueKind::Protein => Some(Tetrahedral),
                ("HIS" | "HID" | "HIE" | "HIP" | "HSD" | "HSE" | "HSP", "CD2" | "CE1")
                | ("TRP", "CD1" | "CE3" | "CZ2" | "CZ3" | "CH2")
                | ("PHE" | "TYR", "CD1" | "CD2" | "CE1" | "CE2")
                | ("PHE", "CZ") => Some(Planar),
                _ => None,
            };
        }
        let all =
            |names: &[&str]| -> Option<Vec<u32>> { names.iter().map(|name| named(name)).collect::<Option<Vec<u32>>>() };
        let group = |names: &[&str]| all(names).map(|atoms| Group { atoms });
        let (cation, anion) = match residue.name.as_str() {
            "ARG" => (group(&["NE", "NH1", "NH2"]), None),
            "LYS" => (group(&["NZ"]), None),
            "HIP" | "HSP" => (group(&["ND1", "NE2"]), None),
            "ASP" => (None, group(&["OD1", "OD2"])),
            "GLU" => (None, group(&["OE1", "OE2"])),
            _ => (None, None),
        };
        self.cations.extend(cation);
        self.anions.extend(anion);
        self.anions.extend(group(&["O", "OXT"]));
        self.anions.extend(group(&["OP1", "OP2"]).or_else(|| group(&["O1P", "O2P"])));
        let rings: &[&[&str]] = match residue.name.as_str() {
            "PHE" | "TYR" => &[&["CG", "CD1", "CE1", "CZ", "CE2", "CD2"]],
            "TRP" => &[&["CG", "CD1", "NE1", "CE2", "CD2"], &["CD2", "CE2", "CZ2", "CH2", "CZ3", "CE3"]],
            "HIS" | "HID" | "HIE" | "HIP" | "HSD" | "HSE" | "HSP" => &[&["CG", "ND1", "CE1", "NE2", "CD2"]],
            _ if residue.kind == ResidueKind::Protein => &[],
            _ => &[&["N1", "C2", "N3", "C4", "C5", "C6"], &["N9", "C8", "N7", "C5", "C4"]],
        };
        self.rings.extend(rings.iter().filter_map(|names| all(names)));
    }

    /// Cofactors, ions, sugars, modified residues: by element, number of bonds and bond lengths.
    fn other_residue(&mut self, model: &Model, index: usize) {
        let topology = &model.topology;
        let residue = &topology.residues[index];
        let position = |atom: u32| model.positions[atom as usize];
        let used: Vec<u32> =
            topology.atoms_of(residue).filter(|&atom| self.is_used[atom]).map(|atom| atom as u32).collect();
        for &atom in &used {
            let around = self.neighbours[atom as usize].clone();
            let shortest =
                around.iter().map(|&next| position(next).distance(position(atom))).fold(f32::INFINITY, f32::min);
            let is_flat = around.iter().any(|&next| {
                let beyond = &self.neighbours[next as usize];
                beyond.len() == 3 && is_planar(position(next), beyond.iter().map(|&far| position(far)))
            });
            let (donor, acceptor) = match (self.element(atom), around.len()) {
                (Element::O, 1) => {
                    let is_hydroxyl = shortest > 1.30 && around.iter().all(|&next| self.element(next) == Element::C);
                    (is_hydroxyl.then_some(DonorShape::Cone), true)
                }
                (Element::O, 2) => (None, true),
                (Element::N, 1) if shortest < 1.22 => (None, true),
                (Element::N, 1) if is_flat => (Some(DonorShape::PlanarPair), false),
                (Element::N, 1) => (Some(DonorShape::Cone), false),
                (Element::N, 2)
                    if residue.kind == ResidueKind::Protein && topology.atoms[atom as usize].name == "N" =>
                {
                    (Some(DonorShape::Planar), false)
                }
                // A ring nitrogen or an amide: which of the two carries a hydrogen is not known.
                (Element::N, 2) => (Some(DonorShape::Planar), true),
                (Element::N, 3) => {
                    let flat = is_planar(position(atom), around.iter().map(|&next| position(next)));
                    (None, !flat)
                }
                (Element::S, 1) => (Some(DonorShape::Cone), true),
                (Element::S, 2) => (None, true),
                _ => (None, false),
            };
            self.donors[atom as usize] = donor;
            self.acceptors[atom as usize] = acceptor;
            self.ligating[atom as usize] = acceptor;
        }
        // Acids by their end oxygens; phosphates above all.
        for &atom in &used {
            let ends: Vec<u32> = self
                .around(atom)
                .iter()
                .copied()
                .filter(|&next| self.element(next) == Element::O && self.around(next).len() == 1)
                .collect();
            let is_acid = match self.element(atom) {
                Element::P => ends.len() >= 2,
                Element::S => ends.len() >= 3,
                // Both bonds short: a carboxylate.
                Element::C => ends.len() == 2 && ends.iter().all(|&end| position(end).distance(position(atom)) < 1.32),
                _ => false,
            };
            if is_acid {
                for &end in &ends {
                    self.donors[end as usize] = None;
                }
                self.anions.push(Group { atoms: ends });
            }
        }
        self.rings.extend(flat_rings(&self.neighbours, &used, position, |atom| {
            matches!(self.elements[atom as usize], Element::C | Element::N | Element::O | Element::S)
        }));
    }
}

/// Whether three neighbours and their centre lie within 0.15 Å of a plane.
fn is_planar(centre: Vec3, around: impl Iterator<Item = Vec3>) -> bool {
    let around: Vec<Vec3> = around.take(3).collect();
    let [a, b, c] = around[..] else { return false };
    let normal = (b - a).cross(c - a).normalize_or_zero();
    normal != Vec3::ZERO && (centre - a).dot(normal).abs() < 0.15
}

/// Rings of five or six atoms that are flat to 0.1 Å.
fn flat_rings(
    neighbours: &[Vec<u32>],
    atoms: &[u32],
    position: impl Fn(u32) -> Vec3,
    is_member: impl Fn(u32) -> bool,
) -> Vec<Vec<u32>> {
    // A residue this large is not a cofactor; the search below is for small ones.
    if atoms.len() > 300 {
        return Vec::new();
    }
    let mut found: Vec<Vec<u32>> = Vec::new();
    let mut path = Vec::new();
    for &start in atoms.iter().filter(|&&atom| is_member(atom)) {
        path.clear();
        path.push(start);
        walk(neighbours, &is_member, &mut path, &mut |ring| {
            let points: Vec<Vec3> = ring.iter().map(|&atom| position(atom)).collect();
            let (centre, normal) = super::plane(&points);
            if points.iter().all(|point| (*point - centre).dot(normal).abs() < 0.1) {
                found.push(ring.to_vec());
            }
        });
    }
    found
}

/// Every ring through the first atom of the path in which that atom has the lowest index, each in one direction.
fn walk(
    neighbours: &[Vec<u32>],
    is_member: &impl Fn(u32) -> bool,
    path: &mut Vec<u32>,
    found: &mut impl FnMut(&[u32]),
) {
    let (start, last) = (path[0], path[path.len() - 1]);
    for &next in &neighbours[last as usize] {
        if next == start && path.len() >= 5 && path[1] < last {
            found(path);
        }
        if next > start && path.len() < 6 && is_member(next) && !path.contains(&next) {
            path.push(next);
            walk(neighbours, is_member, path, found);
            path.pop();
        }
    }
}
