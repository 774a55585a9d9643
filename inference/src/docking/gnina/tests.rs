//! The grids against molgrid's, the networks against gninatorch's, the channels against Open Babel's; see
//! `tests/oracle/gnina.py`, which made `golden.json`.

use std::path::Path;

use glam::Vec3;
use kfold_molecule::chemistry::{add_hydrogens, smiles};
use kfold_molecule::formats::read_structure;
use kfold_molecule::{Element, ResidueKind};
use serde::Deserialize;

use super::atoms::{CHANNELS, GridAtom, ligand_kinds, receptor_atoms};
use super::convolution::Cube;
use super::density::{CELLS, density};
use super::network::ensemble;
use super::summary;
use crate::docking::Receptor;

#[derive(Deserialize)]
struct Golden {
    /// Position, channel, radius.
    atoms: Vec<(f32, f32, f32, u8, f32)>,
    /// How many of the last atoms are the ligand.
    ligand_atoms: usize,
    /// Channel, cell, mean density.
    density: Vec<(usize, usize, usize, usize, f32)>,
    channel_sums: Vec<f64>,
    /// Pose probability and pK of each member, its weights rounded to half precision as ours are.
    members: Vec<(f32, f32)>,
    /// The same with the weights as published.
    members_single: Vec<(f32, f32)>,
    /// SMILES and the channels of heavy atoms, counted within the ligand's side.
    molecules: Vec<(String, Vec<u8>)>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden.json")).unwrap()
}

fn golden_density(golden: &Golden) -> Cube {
    let atoms: Vec<GridAtom> = golden
        .atoms
        .iter()
        .map(|&(x, y, z, channel, radius)| GridAtom { position: Vec3::new(x, y, z), radius, channel })
        .collect();
    let ligand = &atoms[atoms.len() - golden.ligand_atoms..];
    let center = ligand.iter().map(|atom| atom.position).sum::<Vec3>() / ligand.len() as f32;
    density(atoms.iter(), center)
}

#[test]
fn densities_are_those_of_molgrid() {
    let golden = golden();
    let found = golden_density(&golden);
    for &(channel, x, y, z, expected) in &golden.density {
        let found = found.line(x, y)[z * CHANNELS + channel];
        assert!((found - expected).abs() < 1e-5, "channel {channel} at {x} {y} {z}: {found} is not {expected}");
    }
    let mut sums = vec![0.0_f64; CHANNELS];
    for (x, y) in (0..CELLS).flat_map(|x| (0..CELLS).map(move |y| (x, y))) {
        for (place, value) in found.line(x, y).iter().enumerate() {
            sums[place % CHANNELS] += f64::from(*value);
        }
    }
    for (channel, (found, expected)) in sums.iter().zip(&golden.channel_sums).enumerate() {
        assert!((found - expected).abs() < 0.01, "channel {channel}: {found} in all is not {expected}");
    }
}

#[test]
fn networks_say_what_the_reference_says() {
    let golden = golden();
    let input = golden_density(&golden);
    let networks = ensemble().unwrap();
    assert_eq!(networks.len(), golden.members.len());
    for (network, &(pose_probability, pk)) in networks.iter().zip(&golden.members) {
        let found = network.forward(&input);
        assert!((found.pose_probability - pose_probability).abs() < 1e-5, "{found:?} is not {pose_probability}");
        assert!((found.pk - pk).abs() < 1e-4, "{found:?} is not {pk}");
    }
}

#[test]
fn half_precision_costs_less_than_the_members_differ() {
    let golden = golden();
    let input = golden_density(&golden);
    let outputs: Vec<_> = ensemble().unwrap().iter().map(|network| network.forward(&input)).collect();
    let score = summary(&outputs);
    let count = golden.members_single.len() as f32;
    let mean = golden.members_single.iter().map(|member| member.1).sum::<f32>() / count;
    let squares = golden.members_single.iter().map(|member| (member.1 - mean).powi(2)).sum::<f32>();
    let spread = (squares / (count - 1.0)).sqrt();
    assert!(spread > 0.1 && (score.pk - mean).abs() < 0.01 * spread, "{score:?}, published {mean} ± {spread}");
    assert!((score.pk_spread - spread).abs() < 0.01 * spread, "{score:?}, published {mean} ± {spread}");
    let probability = golden.members_single.iter().map(|member| member.0).sum::<f32>() / count;
    assert!((score.pose_probability - probability).abs() < 1e-3, "{score:?}, published {probability}");
}

#[test]
fn ligand_channels_are_those_of_molgrid() {
    for (text, expected) in golden().molecules {
        let ligand = add_hydrogens(&smiles::parse(&text).unwrap()).unwrap();
        let kinds = ligand_kinds(&ligand).unwrap();
        let found: Vec<u8> = kinds.iter().flatten().map(|kind| kind.channel - 14).collect();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn receptor_channels_follow_the_component_dictionary() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/nuclear-receptor/receptor.pdb");
    let receptor = Receptor::new(&read_structure(&file).unwrap(), &[]).unwrap();
    let atoms = receptor_atoms(&receptor).unwrap();
    let topology = &receptor.structure.first().unwrap().topology;
    let mut rings = 0;
    for (atom, &index) in atoms.iter().zip(&receptor.typed().atoms) {
        let residue = topology.residue_of(index as usize);
        let place = &topology.atoms[index as usize];
        assert!(atom.channel < 14, "{} {}", residue.name, place.name);
        let expected = match (residue.name.as_str(), place.name.as_str()) {
            ("PHE" | "TYR", "CG" | "CD1" | "CD2" | "CE1" | "CE2") | ("TRP", "CG" | "CZ2" | "CH2") => 2,
            ("HIS", "CG" | "CD2" | "CE1") | ("TRP", "CD1") | ("TYR", "CZ") => 3,
            ("ASP", "OD1" | "OD2") | ("GLU", "OE1" | "OE2") => 7,
            ("SER", "OG") | ("THR", "OG1") | ("TYR", "OH") => 8,
            ("PRO", "N") => 5,
            ("LYS", "NZ") | ("ARG", "NE" | "NH1" | "NH2") | ("TRP", "NE1") => 6,
            (_, "C" | "CA") if residue.kind == ResidueKind::Protein && place.element == Element::C => 1,
            (_, "CB") if matches!(residue.name.as_str(), "ALA" | "LEU" | "VAL") => 0,
            _ => continue,
        };
        rings += usize::from(matches!(expected, 2 | 3));
        assert_eq!(atom.channel, expected, "{} {}", residue.name, place.name);
    }
    assert!(rings > 0, "the fixture has no aromatic ring");
}

#[test]
fn atoms_far_away_or_nowhere_do_not_count() {
    let nowhere = |x: f32| GridAtom { position: Vec3::new(x, 0.0, 0.0), radius: 1.9, channel: 0 };
    let empty = density([nowhere(f32::NAN), nowhere(1e30), nowhere(-20.0)].iter(), Vec3::ZERO);
    for (x, y) in (0..CELLS).flat_map(|x| (0..CELLS).map(move |y| (x, y))) {
        assert!(empty.line(x, y).iter().all(|&value| value == 0.0));
    }
    // Half in, half out.
    let edge = density([nowhere(11.75)].iter(), Vec3::ZERO);
    assert!(edge.line(CELLS - 1, CELLS / 2)[CELLS / 2 * CHANNELS] > 0.1);
}
