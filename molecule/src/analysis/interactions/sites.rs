//! What each atom of a molecule can take part in: the same list for a ligand (from its perceived chemistry) and for a
//! receptor (from residue names, and from bonds and distances for everything else).
//!
//! Protonation: where a residue has hydrogens on its nitrogens and oxygens, they say who gives, who takes and what is
//! charged. Where it has none, histidine nitrogens count as donor and acceptor alike and only a histidine named as doubly
//! protonated (HIP, HSP) is a cation. A ligand counts as it is in water at pH 7.4 ([`crate::chemistry::ionise`]), whether
//! the input draws the charges or not.

use glam::Vec3;

use crate::chemistry::descriptors::roles;
use crate::chemistry::perception::Hybridisation;
use crate::chemistry::{ChemistryError, Perception, ionise, perceive, remove_hydrogens};
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
    /// Bonded hydrogens, where there are any.
    pub hydrogens: Vec<Vec<u32>>,
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
            hydrogens: vec![Vec::new(); count],
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

    /// The same for some of the atoms alone: groups and rings count if all their atoms are among them.
    pub fn restricted(&self, keep: impl Fn(u32) -> bool) -> Self {
        let mut part = self.clone();
        for (atom, is_used) in part.is_used.iter_mut().enumerate() {
            *is_used &= keep(atom as u32);
        }
        part.cations.retain(|group| group.atoms.iter().all(|&atom| keep(atom)));
        part.anions.retain(|group| group.atoms.iter().all(|&atom| keep(atom)));
        part.rings.retain(|ring| ring.iter().all(|&atom| keep(atom)));
        part
    }

    /// How many bonds apart two atoms are, counted up to four.
    pub fn bonds_apart(&self, first: u32, second: u32) -> usize {
        const FAR: usize = 4;
        let mut reached = vec![first];
        let mut front = vec![first];
        for bonds in 0..FAR {
            if front.contains(&second) {
                return bonds;
            }
            let mut next = Vec::new();
            for atom in front {
                for &far in self.around(atom) {
                    if !reached.contains(&far) {
                        reached.push(far);
                        next.push(far);
                    }
                }
            }
            front = next;
        }
        FAR
    }

    /// What a ligand's graph says, in water at pH 7.4.
    pub fn of_ligand(ligand: &SmallMolecule) -> Result<Self, ChemistryError> {
        let mut graph = ligand.clone();
        graph.conformers.clear();
        let perceived = perceive(&graph)?.molecule;
        // Without hydrogen atoms the atoms keep their order; `kept` leads back.
        let (bare, kept) = remove_hydrogens(&perceived);
        let perception = perceive(&ionise(&bare)?.molecule)?;
        let of_bare = Self::of_bare_ligand(&perception);

        let mut sites = Self::sized(perceived.atoms.iter().map(|atom| atom.element).collect());
        let there = |atoms: &[u32]| atoms.iter().map(|&atom| kept[atom as usize]).collect::<Vec<u32>>();
        let group = |group: &Group| Group { atoms: there(&group.atoms) };
        for (place, &atom) in kept.iter().enumerate() {
            let atom = atom as usize;
            sites.is_used[atom] = of_bare.is_used[place];
            sites.neighbours[atom] = there(&of_bare.neighbours[place]);
            sites.donors[atom] = of_bare.donors[place];
            sites.acceptors[atom] = of_bare.acceptors[place];
            sites.weak_donors[atom] = of_bare.weak_donors[place];
            sites.hydrophobic[atom] = of_bare.hydrophobic[place];
            sites.ligating[atom] = of_bare.ligating[place];
        }
        sites.cations = of_bare.cations.iter().map(group).collect();
        sites.anions = of_bare.anions.iter().map(group).collect();
        sites.rings = of_bare.rings.iter().map(|ring| there(ring)).collect();
        for (atom, around) in perceived.neighbours().into_iter().enumerate() {
            let hydrogens: Vec<u32> =
                around.into_iter().map(|(next, _)| next).filter(|&next| sites.element(next) == Element::H).collect();
            // Drawn with another charge than in water, the hydrogens stand elsewhere.
            let place = kept.iter().position(|&held| held as usize == atom);
            if place.is_some_and(|place| usize::from(perception.hydrogens[place]) == hydrogens.len()) {
                sites.hydrogens[atom] = hydrogens;
            }
        }
        Ok(sites)
    }

    fn of_bare_ligand(perception: &Perception) -> Self {
        let molecule = &perception.molecule;
        let mut sites = Self::sized(molecule.atoms.iter().map(|atom| atom.element).collect());
        for (atom, around) in molecule.neighbours().into_iter().enumerate() {
            sites.is_used[atom] = sites.elements[atom] != Element::H;
            sites.neighbours[atom] =
                around.into_iter().map(|(next, _)| next).filter(|&next| sites.element(next) != Element::H).collect();
        }
        let roles = roles(perception);
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
        sites.charge_ligand(perception);
        sites
    }

    /// Groups of atoms that share a charge: the end atoms of an acid, the nitrogens of an amidine, guanidine or tetrazole;
    /// any other charged atom by itself.
    fn charge_ligand(&mut self, perception: &Perception) {
        let molecule = &perception.molecule;
        let bonds = molecule.neighbours();
        for atom in 0..self.elements.len() as u32 {
            let charge = molecule.atoms[atom as usize].formal_charge;
            let is_paired = bonds[atom as usize]
                .iter()
                .any(|(next, _)| molecule.atoms[*next as usize].formal_charge.signum() * charge.signum() < 0);
            if charge == 0 || is_paired || self.element(atom).is_metal() {
                continue;
            }
            let centre = self.around(atom).first().copied();
            let shared: Vec<u32> = match (self.element(atom), centre) {
                (Element::O | Element::S, Some(centre)) => self
                    .around(centre)
                    .iter()
                    .copied()
                    .filter(|&end| self.around(end).len() == 1 && self.acceptors[end as usize])
                    .collect(),
                (Element::N, _) if perception.aromatic_atoms[atom as usize] && charge < 0 => perception
                    .rings
                    .iter()
                    .filter(|ring| ring.contains(&atom))
                    .flatten()
                    .copied()
                    .filter(|&member| self.element(member) == Element::N)
                    .collect(),
                (Element::N, _) if charge > 0 && !perception.aromatic_atoms[atom as usize] => {
                    let carbon = bonds[atom as usize].iter().find(|(next, bond)| {
                        molecule.bonds[*bond as usize].order == BondOrder::Double && self.element(*next) == Element::C
                    });
                    carbon.map_or_else(Vec::new, |&(carbon, _)| {
                        self.around(carbon).iter().copied().filter(|&next| self.element(next) == Element::N).collect()
                    })
                }
                _ => Vec::new(),
            };
            let mut atoms = if shared.contains(&atom) { shared } else { vec![atom] };
            atoms.sort_unstable();
            atoms.dedup();
            let groups = if charge > 0 { &mut self.cations } else { &mut self.anions };
            let group = Group { atoms };
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
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
            for (heavy, hydrogen) in [(a, b), (b, a)] {
                if a < count
                    && b < count
                    && sites.elements[hydrogen] == Element::H
                    && sites.is_used[heavy]
                    && model.positions[hydrogen].is_finite()
                    && topology.is_primary_location(hydrogen)
                {
                    sites.hydrogens[heavy].push(hydrogen as u32);
                }
            }
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
                        sites.donors[atom] = Some(DonorShape::Free);
                        sites.acceptors[atom] = true;
                    }
                }
                _ if residues::template_of(&residue.name).is_some() && residue.is_polymer() => {
                    sites.standard_residue(model, index);
                }
                _ => sites.other_residue(model, index),
            }
            if residue.kind != ResidueKind::Water {
                sites.heed_hydrogens(model, index);
            }
        }
        sites.mark_hydrophobic();
        sites
    }

    /// Where a residue has hydrogens on nitrogen, oxygen or sulfur, they are all there: what has none does not give, a ring
    /// nitrogen with one does not take, and charges follow.
    fn heed_hydrogens(&mut self, model: &Model, index: usize) {
        let topology = &model.topology;
        let residue = &topology.residues[index];
        let polar: Vec<u32> = topology
            .atoms_of(residue)
            .map(|atom| atom as u32)
            .filter(|&atom| {
                self.is_used[atom as usize] && matches!(self.element(atom), Element::N | Element::O | Element::S)
            })
            .collect();
        // The hydrogen of the backbone alone says nothing about the side chain.
        let says = |atom: &u32| {
            !self.hydrogens[*atom as usize].is_empty()
                && (residue.kind != ResidueKind::Protein || topology.atoms[*atom as usize].name != "N")
        };
        if !polar.iter().any(says) {
            return;
        }
        let count = |atom: u32| self.hydrogens[atom as usize].len();
        let is_kept = |group: &Group, cation: bool| {
            let Some(&first) = group.atoms.first() else { return false };
            if topology.atoms[first as usize].residue as usize != index {
                return true;
            }
            let hydrogens: usize = group.atoms.iter().map(|&atom| count(atom)).sum();
            let bonds: usize = group.atoms.iter().map(|&atom| self.around(atom).len()).sum();
            match (cation, group.atoms.len()) {
                // Ammonium: four bonds. Guanidinium and the like: each of its nitrogens has three.
                (true, 1) => hydrogens + bonds >= 4,
                (true, size) => hydrogens + bonds >= 3 * size,
                (false, _) => hydrogens == 0,
            }
        };
        let cations = self.cations.iter().filter(|group| is_kept(group, true)).cloned().collect();
        let anions = self.anions.iter().filter(|group| is_kept(group, false)).cloned().collect();
        self.cations = cations;
        self.anions = anions;
        let mut ring_nitrogens = Vec::new();
        for &atom in &polar {
            let (hydrogens, bonds) = (count(atom), self.around(atom).len());
            let is_ring_nitrogen = self.element(atom) == Element::N && bonds == 2 && self.acceptors[atom as usize];
            if hydrogens == 0 {
                self.donors[atom as usize] = None;
            } else if self.donors[atom as usize].is_none() {
                self.donors[atom as usize] = Some(DonorShape::Cone);
            }
            if is_ring_nitrogen {
                self.acceptors[atom as usize] = hydrogens == 0;
                self.ligating[atom as usize] = hydrogens == 0;
                ring_nitrogens.push(atom);
            }
        }
        // Histidine with both hydrogens.
        if topology.residues[index].name == "HIS"
            && ring_nitrogens.len() == 2
            && ring_nitrogens.iter().all(|&atom| count(atom) > 0)
        {
            self.cations.push(Group { atoms: ring_nitrogens });
        }
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
