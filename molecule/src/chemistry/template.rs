//! Bond orders for a ligand that a structure file gives without them, from a template of known chemistry.
//!
//! PDB files say which atoms a ligand has and where they are, not how they are bonded. The template (a SMILES, the
//! component dictionary's entry) knows the bonds but not the places. The two graphs are matched by elements and
//! connections; of several matchings the one whose coordinates show the template's stereo is taken.

use glam::Vec3;

use super::ChemistryError;
use super::graph::{Graph, Matcher};
use super::hydrogens::remove_hydrogens;
use super::perception::perceive;
use crate::structure::Model;
use crate::{Element, SmallMolecule};

/// Pairs tried before the search for a matching stops.
const MAX_STEPS: usize = 200_000;

/// The ligand of one residue of a model with the chemistry of the template: the residue's heavy atoms in their order
/// (primary locations), their names and positions, the template's bond orders and charges. Its stereo is what the
/// coordinates show, which in a poor structure need not be the template's.
///
/// # Errors
/// When the template breaks the rules of valence, or when the residue is not the same molecule: atoms missing from
/// the structure (then their number is given), other elements, other connections.
pub fn molecule_with_template(
    model: &Model,
    residue: usize,
    template: &SmallMolecule,
) -> Result<SmallMolecule, ChemistryError> {
    let topology = &model.topology;
    let Some(held) = topology.residues.get(residue) else {
        return Err(ChemistryError::NoAtoms);
    };
    let text = format!("{} {} {}", topology.chain_of(held).id, held.name, held.number_text()).trim().to_owned();
    let differs = |reason: String| ChemistryError::Template { residue: text.clone(), reason };
    let (bare, _) = remove_hydrogens(&perceive(template)?.molecule);
    let atoms: Vec<usize> = topology
        .atoms_of(held)
        .filter(|&atom| topology.atoms[atom].element != Element::H && topology.is_primary_location(atom))
        .collect();
    if atoms.len() != bare.atoms.len() {
        return Err(differs(format!(
            "the structure has {} heavy atoms, the template {}",
            atoms.len(),
            bare.atoms.len()
        )));
    }
    let places: Vec<Vec3> = atoms.iter().map(|&atom| model.positions[atom]).collect();
    let elements: Vec<Element> = atoms.iter().map(|&atom| topology.atoms[atom].element).collect();
    let found = Graph {
        labels: elements.iter().map(|element| u64::from(element.atomic_number())).collect(),
        neighbours: connections(&elements, &places),
    };
    let wanted = Graph {
        labels: bare.atoms.iter().map(|atom| u64::from(atom.element.atomic_number())).collect(),
        neighbours: bare
            .neighbours()
            .into_iter()
            .map(|around| around.into_iter().map(|(next, _)| (next, 0)).collect())
            .collect(),
    };
    let matcher = Matcher::new(wanted, found)
        .ok_or_else(|| differs("elements or connections differ from the template's".to_owned()))?;
    let best = best_by_stereo(&matcher, &bare, &places)
        .ok_or_else(|| differs("its connections differ from the template's".to_owned()))?;

    // Into the residue's order.
    let mut place = vec![u32::MAX; bare.atoms.len()];
    let mut origin = vec![0; bare.atoms.len()];
    for (of_template, &of_residue) in best.iter().enumerate() {
        place[of_template] = of_residue;
        origin[of_residue as usize] = of_template;
    }
    let mut molecule = SmallMolecule {
        name: held.name.to_string(),
        atoms: origin.iter().map(|&index| bare.atoms[index].clone()).collect(),
        bonds: bare
            .bonds
            .iter()
            .map(|bond| crate::Bond::new(place[bond.a as usize], place[bond.b as usize], bond.order))
            .collect(),
        stereo: Vec::new(),
        conformers: vec![places],
        properties: Vec::new(),
    };
    molecule.bonds.sort_unstable();
    for (atom, &index) in molecule.atoms.iter_mut().zip(&atoms) {
        atom.name = topology.atoms[index].name.clone();
    }
    Ok(perceive(&molecule)?.molecule)
}

/// Bonded pairs by distance: within 1.25 times the sum of covalent radii, which takes in strained and poorly refined
/// bonds and stays short of 1-3 distances.
fn connections(elements: &[Element], places: &[Vec3]) -> Vec<Vec<(u32, u64)>> {
    let mut neighbours = vec![Vec::new(); places.len()];
    for i in 0..places.len() {
        for j in 0..i {
            let limit = 1.25 * (elements[i].covalent_radius() + elements[j].covalent_radius());
            if places[i].distance_squared(places[j]) < limit * limit {
                neighbours[i].push((j as u32, 0));
                neighbours[j].push((i as u32, 0));
            }
        }
    }
    neighbours
}

/// Matchings that differ at a centre by two alike neighbours traded show opposite stereo. The first matching is taken
/// as it is when its stereo is right; else each class of interchangeable atoms is tried the other way round.
pub(crate) fn best_by_stereo(matcher: &Matcher, template: &SmallMolecule, places: &[Vec3]) -> Option<Vec<u32>> {
    let wrong = |partner: &[u32]| {
        let moved: Vec<Vec3> = partner.iter().map(|&atom| places[atom as usize]).collect();
        template.stereo.iter().filter(|stereo| stereo.is_satisfied_by(&moved) != Some(true)).count()
    };
    let mut best = matcher.best(MAX_STEPS, |_, _| 0.0)?.partner;
    let mut least = wrong(&best);
    let count = best.len() as u32;
    for vertex in 0..count {
        for partner in 0..count {
            if least == 0 {
                return Some(best);
            }
            // Prefers this pair, and otherwise what is held already.
            let price = |a: u32, b: u32| {
                if (a, b) == (vertex, partner) {
                    -1000.0
                } else if best[a as usize] == b {
                    -1.0
                } else {
                    0.0
                }
            };
            if best[vertex as usize] == partner || !matcher.may_pair(vertex, partner) {
                continue;
            }
            if let Some(other) = matcher.best(MAX_STEPS / 10, price) {
                let count = wrong(&other.partner);
                if count < least {
                    least = count;
                    best = other.partner;
                }
            }
        }
    }
    Some(best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chemistry::{canonical_smiles, embed_smiles, smiles::parse};

    #[test]
    fn a_residue_gets_the_bonds_of_its_template() {
        for smiles in [
            "OC(=O)[C@@H](N)Cc1c[nH]c2ccccc12",
            "CC(=O)Nc1ccc(cc1)S(N)(=O)=O",
            "C[C@H](O)[C@@H](C)/C=C/C#N",
            "OC[C@H]1O[C@@H](n2cnc3c(N)ncnc23)[C@H](O)[C@@H]1O",
            "C[C@H]1C[C@@H](C)C[C@@H](C1)N",
        ] {
            let template = parse(smiles).unwrap();
            let mut made = embed_smiles(smiles, 3, 1, &|| false).unwrap().molecule;
            let (bare, _) = remove_hydrogens(&made);
            made = bare;
            // Another order of atoms than the template's.
            let count = made.atoms.len();
            let reversed: Vec<u32> = (0..count as u32).rev().collect();
            made.atoms.reverse();
            made.conformers[0].reverse();
            made.bonds = made
                .bonds
                .iter()
                .map(|bond| crate::Bond::new(reversed[bond.a as usize], reversed[bond.b as usize], bond.order))
                .collect();
            let structure = made.to_structure("A", "LIG");
            let found = molecule_with_template(&structure.models[0], 0, &template).unwrap();
            assert_eq!(canonical_smiles(&found).unwrap(), canonical_smiles(&template).unwrap());
            let elements =
                |molecule: &SmallMolecule| molecule.atoms.iter().map(|atom| atom.element).collect::<Vec<_>>();
            assert_eq!(elements(&found), elements(&made));
            assert_eq!(found.conformers, made.conformers);
        }
    }

    #[test]
    fn another_molecule_is_refused_with_the_reason() {
        let made = remove_hydrogens(&embed_smiles("CCCO", 1, 1, &|| false).unwrap().molecule).0;
        let structure = made.to_structure("A", "LIG");
        for template in ["CCCCO", "CCCN", "CC(C)O"] {
            let found = molecule_with_template(&structure.models[0], 0, &parse(template).unwrap());
            assert!(matches!(found, Err(ChemistryError::Template { .. })), "{template}: {found:?}");
        }
    }
}
