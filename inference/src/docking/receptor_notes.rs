//! What the user should know of a receptor before believing poses in it.

use kfold_molecule::residues::component_code;
use kfold_molecule::{Element, Model, ResidueKind, components};

use super::pocket::SearchBox;
use super::site::Receptor;

/// Å around a box within which a residue takes part.
const REACH: f32 = 3.0;

/// Residues that one note names; more are counted.
const MOST_NAMED: usize = 6;

/// Notes on a structure whose `occupants` make place for the ligand, and on what is left of it in the boxes.
pub(super) fn notes(structure: &Model, occupants: &[usize], receptor: &Receptor, boxes: &[SearchBox]) -> Vec<String> {
    let mut notes = occupants_notes(structure, occupants);
    for (element, count) in &receptor.typed().ignored {
        notes.push(format!(
            "{count} receptor atoms of {} are ignored: the scoring function has no parameters for them",
            if *element == Element::UNKNOWN { "unknown element" } else { element.symbol() }
        ));
    }
    let near = |atom: usize| boxes.iter().any(|search_box| search_box.distance(structure.positions[atom]) < REACH);
    let topology = &*structure.topology;
    let (mut incomplete, mut alternate) = (Vec::new(), Vec::new());
    for (index, residue) in topology.residues.iter().enumerate() {
        if residue.kind != ResidueKind::Protein || !topology.atoms_of(residue).any(near) {
            continue;
        }
        if lacks_atoms(structure, index) {
            incomplete.push(index);
        }
        if topology.atoms_of(residue).any(|atom| !topology.is_primary_location(atom)) {
            alternate.push(index);
        }
    }
    if !incomplete.is_empty() {
        notes.push(format!(
            "{} where the ligand goes: side chain atoms are missing in the file, and poses may lie where they belong; complete \
             the structure",
            named(structure, &incomplete)
        ));
    }
    if !alternate.is_empty() {
        notes.push(format!(
            "{} where the ligand goes: the file has alternate locations; those of highest occupancy are used",
            named(structure, &alternate)
        ));
    }
    notes
}

fn occupants_notes(structure: &Model, occupants: &[usize]) -> Vec<String> {
    let topology = &*structure.topology;
    let mut notes = Vec::new();
    for &index in occupants {
        let name = named(structure, &[index]);
        notes.push(format!("{name} is where the ligand goes; it is left out of the receptor"));
        let residue_of = |atom: u32| topology.atoms[atom as usize].residue as usize;
        let partner = topology.bonds.iter().find_map(|bond| {
            let ends = [residue_of(bond.a), residue_of(bond.b)];
            let other = ends.into_iter().find(|&end| end != index)?;
            (ends.contains(&index) && topology.residues[other].is_polymer()).then_some(other)
        });
        if let Some(partner) = partner {
            notes.push(format!(
                "{name} is bonded to {} in the file; docking places ligands that are not bonded, so poses cannot show that bond",
                named(structure, &[partner])
            ));
        }
    }
    notes
}

/// Whether a residue has fewer heavy atoms than its component, its end of the chain left aside.
fn lacks_atoms(structure: &Model, index: usize) -> bool {
    let topology = &*structure.topology;
    let residue = &topology.residues[index];
    let Ok(Some(component)) = components::lookup(component_code(&residue.name, residue.kind)) else { return false };
    component
        .atoms
        .iter()
        .filter(|atom| atom.element != Element::H && !atom.is_leaving)
        .any(|atom| topology.atom_named(residue, &atom.name).is_none())
}

/// `A 145 LYS and A 148 ASP`, or the first of many.
fn named(structure: &Model, residues: &[usize]) -> String {
    let topology = &*structure.topology;
    let names: Vec<String> = residues
        .iter()
        .take(MOST_NAMED)
        .map(|&index| {
            let residue = &topology.residues[index];
            format!("{} {} {}", topology.chain_of(residue).id, residue.name, residue.number_text())
        })
        .collect();
    let names = names.join(", ");
    match residues.len().saturating_sub(MOST_NAMED) {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use glam::Vec3;
    use kfold_molecule::formats::pdb;

    use super::*;
    use crate::docking::typing::AtomType;

    /// A D-alanine, a lysine cut off after CB, a serine with two places for OG, a zinc ion, and a ligand bonded to a cysteine.
    const AWKWARD: &str = "\
HETATM    1  N   DAL A   1       0.000   0.000   0.000  1.00 10.00           N
HETATM    2  CA  DAL A   1       1.460   0.000   0.000  1.00 10.00           C
HETATM    3  C   DAL A   1       2.000   1.420   0.000  1.00 10.00           C
HETATM    4  O   DAL A   1       1.250   2.390   0.000  1.00 10.00           O
HETATM    5  CB  DAL A   1       1.990  -0.770   1.210  1.00 10.00           C
ATOM      6  N   LYS A   2       3.330   1.500   0.000  1.00 10.00           N
ATOM      7  CA  LYS A   2       3.970   2.810   0.000  1.00 10.00           C
ATOM      8  C   LYS A   2       5.480   2.690   0.000  1.00 10.00           C
ATOM      9  O   LYS A   2       6.010   1.580   0.000  1.00 10.00           O
ATOM     10  CB  LYS A   2       3.510   3.600  -1.220  1.00 10.00           C
ATOM     11  N   SER A   3       6.160   3.830   0.000  1.00 10.00           N
ATOM     12  CA  SER A   3       7.620   3.850   0.000  1.00 10.00           C
ATOM     13  C   SER A   3       8.150   5.270   0.000  1.00 10.00           C
ATOM     14  O   SER A   3       7.390   6.240   0.000  1.00 10.00           O
ATOM     15  CB  SER A   3       8.150   3.100   1.220  1.00 10.00           C
ATOM     16  OG ASER A   3       7.640   1.780   1.240  0.40 10.00           O
ATOM     17  OG BSER A   3       9.560   3.100   1.200  0.60 10.00           O
ATOM     18  N   CYS A   4       9.480   5.390   0.000  1.00 10.00           N
ATOM     19  CA  CYS A   4      10.110   6.700   0.000  1.00 10.00           C
ATOM     20  C   CYS A   4      11.620   6.580   0.000  1.00 10.00           C
ATOM     21  O   CYS A   4      12.150   5.470   0.000  1.00 10.00           O
ATOM     22  CB  CYS A   4       9.650   7.490  -1.220  1.00 10.00           C
ATOM     23  SG  CYS A   4      10.280   9.190  -1.250  1.00 10.00           S
TER
HETATM   24 ZN    ZN A 101      10.500   1.000   1.200  1.00 10.00          ZN
HETATM   25  C1  LIG A 102      12.080   9.100  -1.300  1.00 10.00           C
HETATM   26  C2  LIG A 102      12.700  10.480  -1.300  1.00 10.00           C
CONECT   23   25
CONECT   25   23   26
";

    #[test]
    fn awkward_receptors_are_told_of_and_typed() {
        let structure = pdb::read(AWKWARD.as_bytes()).unwrap();
        let model = structure.first().unwrap();
        let ligand = model.topology.residues.iter().position(|residue| residue.name == "LIG").unwrap();
        let receptor = Receptor::new(&structure, &[ligand]).unwrap();
        let around = SearchBox { center: Vec3::new(6.0, 3.0, 0.0), size: Vec3::splat(20.0) };
        let found = notes(model, &[ligand], &receptor, &[around]);
        let says = |words: &[&str]| found.iter().any(|note| words.iter().all(|word| note.contains(word)));
        assert!(says(&["A LIG 102", "left out"]), "{found:?}");
        assert!(says(&["A LIG 102 is bonded to A CYS 4"]), "{found:?}");
        assert!(says(&["A LYS 2", "missing"]) && !says(&["DAL", "missing"]), "{found:?}");
        assert!(says(&["A SER 3", "alternate"]), "{found:?}");
        // Far away nothing of it matters.
        let far = SearchBox { center: Vec3::splat(60.0), size: Vec3::splat(10.0) };
        assert_eq!(notes(model, &[], &receptor, &[far]), Vec::<String>::new());

        let typed = receptor.typed();
        let kind = |residue: &str, name: &str| {
            let topology = &receptor.structure.first().unwrap().topology;
            typed.atoms.iter().zip(&typed.types).find_map(|(&atom, &kind)| {
                let held = &topology.atoms[atom as usize];
                (topology.residue_of(atom as usize).name == residue && held.name == name).then_some(kind)
            })
        };
        assert_eq!(kind("ZN", "ZN"), Some(AtomType::Metal));
        assert_eq!(kind("DAL", "N"), Some(AtomType::NitrogenDonor));
        assert_eq!(kind("DAL", "O"), Some(AtomType::OxygenAcceptor));
        assert_eq!(kind("SER", "OG"), Some(AtomType::OxygenDonorAcceptor));
        // One serine oxygen, that of the higher occupancy.
        assert_eq!(typed.positions.iter().filter(|place| place.z > 1.19 && place.x > 7.0).count(), 3);
        assert!(typed.positions.contains(&Vec3::new(9.56, 3.1, 1.2)));
    }
}
