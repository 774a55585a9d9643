//! Which residue of the query an atom in the view is: chains are matched by name and sequence, because files number their
//! residues as they like and the query counts from 1.

use kfold_inference::query::{AtomReference, Entity, LigandSource, Query};
use kfold_molecule::analysis::sequence_alignment::align;
use kfold_molecule::residues::one_letter_code;
use kfold_molecule::structure::{ResidueKind, Topology};

/// Share of equal letters from which a chain of a file is one of the query.
const ALIKE: f32 = 0.7;

/// Sequences of the query: chain id, letters, whether it is a protein.
pub(super) fn chains(query: &Query) -> Vec<(&str, &str, bool)> {
    let mut chains = Vec::new();
    for entity in &query.sequences {
        match entity {
            Entity::Protein(polymer) | Entity::Dna(polymer) | Entity::Rna(polymer) => {
                let is_protein = matches!(entity, Entity::Protein(_));
                chains.extend(polymer.ids.iter().map(|id| (id.as_str(), polymer.sequence.as_str(), is_protein)));
            }
            Entity::ProteinPair(pair) => {
                chains.extend(pair.ids1.iter().map(|id| (id.as_str(), pair.sequence1.as_str(), true)));
                chains.extend(pair.ids2.iter().map(|id| (id.as_str(), pair.sequence2.as_str(), true)));
            }
            Entity::Ligand(_) => {}
        }
    }
    chains
}

/// The atom of the query that an atom of a structure stands for.
pub(super) fn place_of(query: &Query, topology: &Topology, atom: usize) -> Option<AtomReference> {
    let held = topology.atoms.get(atom)?;
    let residue = topology.residue_of(atom);
    let chain = topology.chain_of(residue);
    if !residue.is_polymer() {
        return query.ligands().find_map(|ligand| match &ligand.source {
            LigandSource::Ccd(codes) if residue.kind != ResidueKind::Water => {
                let position = codes.iter().position(|code| *code == residue.name.as_str())?;
                Some(AtomReference {
                    chain: ligand.ids.first()?.clone(),
                    residue: u32::try_from(position + 1).ok()?,
                    atom: held.name.to_string(),
                })
            }
            _ => None,
        });
    }
    let range = chain.residues.start as usize..chain.residues.end as usize;
    let own = range.clone().filter(|&index| topology.residues.get(index).is_some_and(|residue| residue.is_polymer()));
    let (mut letters, mut at) = (Vec::new(), None);
    for index in own {
        let candidate = topology.residues.get(index)?;
        if std::ptr::eq(candidate, residue) {
            at = Some(letters.len());
        }
        letters.push(one_letter_code(&candidate.name));
    }
    let at = at?;
    let is_protein = residue.kind == ResidueKind::Protein;
    let mut candidates: Vec<(&str, &str, bool)> =
        chains(query).into_iter().filter(|(_, _, protein)| *protein == is_protein).collect();
    // A chain of the same name is tried first.
    candidates.sort_by_key(|(id, ..)| *id != chain.id.as_str());
    for (id, sequence, _) in candidates {
        let wanted: Vec<char> = sequence.chars().collect();
        let alignment = align(&letters, &wanted, is_protein);
        let identical = alignment.identical(&letters, &wanted);
        let shorter = letters.len().min(wanted.len()).max(1);
        if (identical as f32) < ALIKE * shorter as f32 {
            continue;
        }
        if let Some((_, position)) = alignment.pairs.iter().find(|(first, _)| *first == at) {
            let residue = u32::try_from(position + 1).ok()?;
            return Some(AtomReference { chain: id.to_owned(), residue, atom: held.name.to_string() });
        }
    }
    None
}

/// The component code of a standard residue by its letter.
pub(super) fn component_of(letter: char, entity: &Entity) -> Option<&'static str> {
    let letter = letter.to_ascii_uppercase();
    Some(match entity {
        Entity::Protein(_) | Entity::ProteinPair(_) => match letter {
            'A' => "ALA",
            'R' => "ARG",
            'N' => "ASN",
            'D' => "ASP",
            'C' => "CYS",
            'Q' => "GLN",
            'E' => "GLU",
            'G' => "GLY",
            'H' => "HIS",
            'I' => "ILE",
            'L' => "LEU",
            'K' => "LYS",
            'M' => "MET",
            'F' => "PHE",
            'P' => "PRO",
            'S' => "SER",
            'T' => "THR",
            'W' => "TRP",
            'Y' => "TYR",
            'V' => "VAL",
            _ => return None,
        },
        Entity::Dna(_) => match letter {
            'A' => "DA",
            'C' => "DC",
            'G' => "DG",
            'T' => "DT",
            _ => return None,
        },
        Entity::Rna(_) => match letter {
            'A' => "A",
            'C' => "C",
            'G' => "G",
            'U' => "U",
            _ => return None,
        },
        Entity::Ligand(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kfold_inference::query::Polymer;

    #[test]
    fn an_atom_of_a_file_is_found_in_the_sequence() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/kinase/receptor.pdb");
        let structure = kfold_molecule::formats::read_structure(&file).unwrap();
        let topology = &structure.models[0].topology;
        let letters: String = topology
            .residues
            .iter()
            .filter(|residue| residue.is_polymer())
            .map(|residue| one_letter_code(&residue.name))
            .collect();
        // Five residues more in front: positions move by five.
        let polymer = Polymer { ids: vec!["Q".into()], sequence: format!("GSGSG{letters}"), ..Polymer::default() };
        let query = Query { sequences: vec![Entity::Protein(polymer)], ..Query::default() };
        let atom = topology.atoms.iter().position(|atom| atom.name == "CA").unwrap();
        let place = place_of(&query, topology, atom).unwrap();
        assert_eq!((place.chain.as_str(), place.residue, place.atom.as_str()), ("Q", 6, "CA"));
        let other = Polymer { ids: vec!["A".into()], sequence: "W".repeat(200), ..Polymer::default() };
        let query = Query { sequences: vec![Entity::Protein(other)], ..Query::default() };
        assert_eq!(place_of(&query, topology, atom), None);
    }
}
