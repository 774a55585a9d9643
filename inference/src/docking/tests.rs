//! Tests of docking as a whole, on the samples.

use std::path::{Path, PathBuf};
use std::slice;
use std::sync::Arc;

use glam::Vec3;
use kfold_molecule::formats::{read_small_molecules, read_structure};
use kfold_molecule::{Bond, BondOrder, Element, SmallMolecule, SmallMoleculeAtom};

use super::energy::ExactLandscape;
use super::ligand_tree::LigandTree;
use super::minimize::Landscape;
use super::scoring::EmpiricalFunction;
use super::side_chains::SideChains;
use super::{Docking, DockingError, Receptor, SearchBox, Site, dock_ligand, score_pose};
use crate::engine::{Engine, EngineError, Events, Progress, Sample};
use crate::query::{Entity, Ligand, LigandSource, Pocket, Query};
use crate::settings::{DockingSettings, ScoringFunction, Settings};

/// Listens, and cancels when told to.
#[derive(Default)]
struct Listener {
    stages: Vec<String>,
    warnings: Vec<String>,
    cancels: bool,
}

impl Events for Listener {
    fn progress(&mut self, progress: Progress) {
        if self.stages.last() != Some(&progress.stage) {
            self.stages.push(progress.stage);
        }
    }
    fn warning(&mut self, message: &str) {
        self.warnings.push(message.to_owned());
    }
    fn is_cancelled(&self) -> bool {
        self.cancels
    }
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples").join(name)
}

fn complex(name: &str) -> (Arc<Receptor>, SmallMolecule) {
    let structure = read_structure(&sample(name).join("receptor.pdb")).unwrap();
    let ligand = read_small_molecules(&sample(name).join("ligand.sdf")).unwrap().remove(0);
    (Arc::new(Receptor::new(&structure, &[]).unwrap()), ligand)
}

fn box_around(ligand: &SmallMolecule, padding: f32) -> SearchBox {
    SearchBox::around(ligand.conformers[0].iter().copied(), padding).unwrap()
}

fn quick() -> DockingSettings {
    DockingSettings { exhaustiveness: 2, ..DockingSettings::default() }
}

/// The golden numbers are what `tests/benchmark/vina_scores.py` prints. Vina reads its energies from tables on r² with
/// 32 entries for each Å² and takes the middle of each entry: that alone differs from the exact sum by 0.01 kcal/mol.
#[test]
fn scores_are_those_of_autodock_vina() {
    let golden: serde_json::Value = serde_json::from_str(include_str!("vina_scores.json")).unwrap();
    for (name, functions) in golden.as_object().unwrap() {
        let (receptor, ligand) = complex(name);
        for (key, function) in [("vina", ScoringFunction::Vina), ("vinardo", ScoringFunction::Vinardo)] {
            let expected = |field: &str| functions[key][field].as_f64().unwrap() as f32;
            let found = score_pose(&receptor, &ligand, function, false).unwrap().score;
            assert!((found.score_kcal_per_mol - expected("score")).abs() < 0.012, "{name} {key}: {found:?}");
            assert!((found.intermolecular_kcal_per_mol - expected("intermolecular")).abs() < 0.02, "{name} {key}");
            assert!((found.intramolecular_kcal_per_mol - expected("intramolecular")).abs() < 0.01, "{name} {key}");
        }
    }
}

#[test]
fn exact_gradient_is_that_of_the_energy() {
    let (receptor, ligand) = complex("kinase");
    let tree = LigandTree::new(&ligand).unwrap();
    let frame = tree.frame(&ligand, &ligand.conformers[0]).unwrap();
    // Vinardo only: Vina's wide Gaussian is cut off at 8 Å where it is still 0.004 kcal/mol, and differences across that
    // step say nothing.
    let function = EmpiricalFunction::of(ScoringFunction::Vinardo);
    let mut landscape = ExactLandscape::new(&tree, &frame, receptor.cells(), function);
    let mut pose = tree.pose_as_given(&frame);
    for (index, torsion) in pose.torsions.iter_mut().enumerate() {
        *torsion = 0.05 * index as f32;
    }
    let mut gradient = vec![0.0; tree.degrees_of_freedom()];
    let mut ignored = gradient.clone();
    landscape.evaluate(&pose, &mut gradient);
    for index in 0..gradient.len() {
        let mut direction = vec![0.0; gradient.len()];
        direction[index] = 1.0;
        let mut at = |length: f32| {
            let mut moved = pose.clone();
            moved.advance(&direction, length);
            landscape.evaluate(&moved, &mut ignored)
        };
        let expected = (at(2e-3) - at(-2e-3)) / 4e-3;
        let tolerance = 0.03 * (1.0 + expected.abs());
        assert!((gradient[index] - expected).abs() < tolerance, "{index}: {} for {expected}", gradient[index]);
    }
}

#[test]
fn a_steroid_finds_its_place_on_any_number_of_threads() {
    let (receptor, ligand) = complex("nuclear-receptor");
    let search_box = box_around(&ligand, 8.0);
    let dock = |threads: u32, seed: u64| {
        let mut site = Site::new(Arc::clone(&receptor), search_box, ScoringFunction::Vina).unwrap();
        let settings = DockingSettings { threads, ..quick() };
        let mut listener = Listener::default();
        let poses = dock_ligand(slice::from_mut(&mut site), &ligand, &[], &settings, seed, &mut listener).unwrap();
        assert_eq!(listener.stages.first().map(String::as_str), Some("prepare"));
        poses
    };
    let (one, three) = (dock(1, 7), dock(3, 7));
    assert_eq!(one.len(), three.len());
    for (a, b) in one.iter().zip(&three) {
        assert_eq!((a.score, &a.molecule), (b.score, &b.molecule));
    }
    let best = &one[0];
    assert!(best.score.score_kcal_per_mol < -10.5, "{:?}", best.score);
    let rmsd = kfold_molecule::analysis::superpose::rmsd(&best.molecule.conformers[0], &ligand.conformers[0]).unwrap();
    assert!(rmsd < 2.0, "{rmsd}");
    // The score of a pose does not depend on how it was found.
    let again = score_pose(&receptor, &best.molecule, ScoringFunction::Vina, false).unwrap();
    assert!((again.score.score_kcal_per_mol - best.score.score_kcal_per_mol).abs() < 1e-3);
    // Each is far from the others, and none is better than the first.
    for (index, pose) in one.iter().enumerate().skip(1) {
        assert!(
            pose.score.rmsd_to_best >= 1.0 && pose.score.score_kcal_per_mol >= one[index - 1].score.score_kcal_per_mol
        );
    }
}

#[test]
fn minimising_goes_downhill_and_stays_near() {
    let (receptor, ligand) = complex("kinase");
    let before = score_pose(&receptor, &ligand, ScoringFunction::Vinardo, false).unwrap();
    let after = score_pose(&receptor, &ligand, ScoringFunction::Vinardo, true).unwrap();
    assert!(after.score.score_kcal_per_mol < before.score.score_kcal_per_mol - 0.3);
    let (a, b) = (&after.molecule.conformers[0], &before.molecule.conformers[0]);
    assert!(kfold_molecule::analysis::superpose::rmsd(a, b).unwrap() < 1.5);
}

#[test]
fn boxes_and_ligands_that_do_not_work_say_why() {
    let (receptor, ligand) = complex("kinase");
    let far = SearchBox { center: Vec3::splat(500.0), size: Vec3::splat(20.0) };
    let error = Site::new(Arc::clone(&receptor), far, ScoringFunction::Vina).unwrap_err();
    assert!(error.to_string().contains("no receptor atom within 8 Å"), "{error}");
    let center = box_around(&ligand, 0.0).center;
    let small = SearchBox { center, size: Vec3::splat(3.0) };
    let mut site = Site::new(Arc::clone(&receptor), small, ScoringFunction::Vina).unwrap();
    let error =
        dock_ligand(slice::from_mut(&mut site), &ligand, &[], &quick(), 1, &mut Listener::default()).unwrap_err();
    assert!(error.to_string().contains("enlarge the box to at least"), "{error}");
    let mut site = Site::new(receptor, box_around(&ligand, 8.0), ScoringFunction::Vina).unwrap();
    let mut listener = Listener { cancels: true, ..Listener::default() };
    let error = dock_ligand(slice::from_mut(&mut site), &ligand, &[], &quick(), 1, &mut listener).unwrap_err();
    assert!(matches!(error, DockingError::Cancelled));
}

/// A chain of carbons, zigzag, with so many atoms.
fn chain(atoms: usize) -> SmallMolecule {
    SmallMolecule {
        name: format!("chain of {atoms}"),
        atoms: (0..atoms)
            .map(|_| SmallMoleculeAtom {
                element: Element::C,
                formal_charge: 0,
                isotope: None,
                fixed_hydrogens: None,
                name: Default::default(),
            })
            .collect(),
        bonds: (1..atoms as u32).map(|atom| Bond::new(atom - 1, atom, BondOrder::Single)).collect(),
        conformers: vec![(0..atoms).map(|atom| Vec3::new(1.26 * atom as f32, 0.87 * (atom % 2) as f32, 0.0)).collect()],
        ..SmallMolecule::default()
    }
}

#[test]
fn few_torsions_and_many_are_docked() {
    let (receptor, ligand) = complex("nuclear-receptor");
    let site = || Site::new(Arc::clone(&receptor), box_around(&ligand, 4.0), ScoringFunction::Vinardo).unwrap();
    for (atoms, torsions) in [(1, 0), (2, 0), (6, 3)] {
        let settings = DockingSettings { exhaustiveness: 1, poses: 2, ..DockingSettings::default() };
        let mut listener = Listener::default();
        let poses = dock_ligand(&mut [site()], &chain(atoms), &[], &settings, 1, &mut listener).unwrap();
        assert_eq!(poses[0].score.rotatable_bonds, torsions);
        assert!(poses[0].molecule.conformers[0].iter().all(|position| position.is_finite()));
    }
}

#[test]
fn forty_torsions_are_docked_to_the_end_or_left_at_any_time() {
    let (receptor, ligand) = complex("kinase");
    let site = || Site::new(Arc::clone(&receptor), box_around(&ligand, 10.0), ScoringFunction::Vina).unwrap();
    let long = chain(43);
    let tree = LigandTree::new(&long).unwrap();
    assert_eq!((tree.torsions(), tree.torsion_count()), (40, 40.0));
    let settings = DockingSettings { exhaustiveness: 1, poses: 1, ..DockingSettings::default() };
    let poses = dock_ligand(&mut [site()], &long, &[], &settings, 1, &mut Listener::default()).unwrap();
    let positions = &poses[0].molecule.conformers[0];
    assert_eq!(poses[0].score.rotatable_bonds, 40);
    // It was folded into the box: each bond is as long as before, and the chain is no longer the straight one.
    let bond = |pair: &[Vec3]| pair[0].distance(pair[1]);
    assert!(positions.windows(2).all(|pair| (bond(pair) - bond(&long.conformers[0][..2])).abs() < 1.0e-3));
    assert!(positions[0].distance(positions[42]) < 0.8 * long.conformers[0][0].distance(long.conformers[0][42]));
    assert!(poses[0].score.score_kcal_per_mol < 0.0, "{:?}", poses[0].score);
    let mut impatient = Impatient { reports_left: 20 };
    let error = dock_ligand(&mut [site()], &long, &[], &quick(), 1, &mut impatient).unwrap_err();
    assert!(matches!(error, DockingError::Cancelled));
}

#[test]
fn a_macrocycle_is_docked_as_several_ring_conformers() {
    let settings = Settings { docking: quick(), ..Settings::default() };
    let query = query("nuclear-receptor", LigandSource::Smiles("O=C1CCCCCCCCCCCCCO1".into()));
    let prediction = Docking.predict(&query, &settings, &mut Listener::default()).unwrap();
    // Its ring has no torsions to search, so poses differ in shape only if several conformers went in.
    assert_eq!(prediction.samples[0].score.rotatable_bonds, 0);
    let ring_shape = |sample: &Sample| {
        let positions = &sample.pose.conformers[0];
        let across = |first: usize| positions[first].distance(positions[first + 7]);
        (2..8).map(across).collect::<Vec<f32>>()
    };
    let shapes: Vec<Vec<f32>> = prediction.samples.iter().map(ring_shape).collect();
    let differs = |a: &[f32], b: &[f32]| a.iter().zip(b).any(|(a, b)| (a - b).abs() > 0.3);
    assert!(shapes.iter().any(|shape| differs(shape, &shapes[0])), "{shapes:?}");
    assert!(prediction.samples[0].checks.iter().all(|check| check.passed), "{:?}", prediction.samples[0].checks);
}

#[test]
fn a_structure_without_a_cleft_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read_to_string(sample("nuclear-receptor").join("receptor.pdb")).unwrap();
    let piece: String =
        whole.lines().filter(|line| line.starts_with("ATOM")).take(40).map(|line| format!("{line}\n")).collect();
    let file = folder.path().join("piece.pdb");
    std::fs::write(&file, piece).unwrap();
    let known = query("nuclear-receptor", LigandSource::Smiles("CCO".into()));
    let query = Query { structure: Some(file), pocket: None, ..known };
    let error = Docking.predict(&query, &Settings::default(), &mut Listener::default()).unwrap_err().to_string();
    assert!(error.contains("no pocket was found") && error.contains("reference ligand"), "{error}");
}

/// Cancels after so many reports.
struct Impatient {
    reports_left: usize,
}

impl Events for Impatient {
    fn progress(&mut self, _: Progress) {
        self.reports_left = self.reports_left.saturating_sub(1);
    }
    fn warning(&mut self, _: &str) {}
    fn is_cancelled(&self) -> bool {
        self.reports_left == 0
    }
}

fn query(name: &str, source: LigandSource) -> Query {
    Query {
        name: "test".to_owned(),
        sequences: vec![Entity::Ligand(Ligand { ids: vec!["L".to_owned()], source, description: None })],
        structure: Some(sample(name).join("receptor.pdb")),
        pocket: Some(Pocket::Ligand { file: sample(name).join("ligand.sdf"), padding: 6.0 }),
        ..Query::default()
    }
}

#[test]
fn a_query_gives_whole_samples() {
    let query = query(
        "nuclear-receptor",
        LigandSource::Smiles("CC(=O)[C@H]1CC[C@H]2[C@@H]3CCC4=CC(=O)CC[C@]4(C)[C@H]3CC[C@]12C".into()),
    );
    let settings = Settings { docking: quick(), ..Settings::default() };
    let prediction = Docking.predict(&query, &settings, &mut Listener::default()).unwrap();
    let best = &prediction.samples[0];
    assert_eq!((best.rank, best.ligand_name.as_str()), (1, "L"));
    let function = settings.docking.scoring.display_name();
    assert_eq!(best.provenance.display_name(), format!("docking ({function} + GNINA CNN)"));
    assert!(best.score.cnn.is_some_and(|cnn| cnn.pose_probability > 0.5 && cnn.pk_spread > 0.0), "{:?}", best.score);
    assert!(prediction.samples.windows(2).all(|pair| pair[0].score.better_first(&pair[1].score).is_le()));
    assert_eq!(best.score.rmsd_to_best, 0.0);
    assert!(best.score.rmsd_to_reference.is_some());
    assert!(!best.interactions.is_empty() && best.checks.len() > 4);
    assert!(best.pose.atoms.iter().any(|atom| atom.element == Element::H));
}

#[test]
fn without_networks_the_energy_ranks() {
    let query = query("nuclear-receptor", LigandSource::Smiles("CC(=O)c1ccccc1".into()));
    let settings = Settings { docking: DockingSettings { cnn: false, ..quick() }, ..Settings::default() };
    let prediction = Docking.predict(&query, &settings, &mut Listener::default()).unwrap();
    let energies: Vec<f32> = prediction.samples.iter().map(|sample| sample.score.score_kcal_per_mol).collect();
    assert!(energies.is_sorted(), "{energies:?}");
    let best = &prediction.samples[0];
    assert_eq!(best.provenance.scoring, settings.docking.scoring.display_name());
    assert!(best.score.cnn.is_none() && best.score.predicted_pk() > 0.0);
}

#[test]
fn a_component_code_is_docked_as_its_molecule() {
    // Progesterone into its receptor.
    let query = query("nuclear-receptor", LigandSource::Ccd(vec!["STR".into()]));
    let settings = Settings { docking: quick(), ..Settings::default() };
    let prediction = Docking.predict(&query, &settings, &mut Listener::default()).unwrap();
    let best = &prediction.samples[0];
    let smiles = kfold_molecule::chemistry::canonical_smiles(&best.pose).unwrap();
    let wanted = "CC(=O)[C@H]1CC[C@H]2[C@@H]3CCC4=CC(=O)CC[C@]4(C)[C@H]3CC[C@]12C";
    let wanted = kfold_molecule::chemistry::smiles::parse(wanted).unwrap();
    assert_eq!(smiles, kfold_molecule::chemistry::canonical_smiles(&wanted).unwrap());
    // The same molecule as the reference, so that its place can be compared.
    assert!(best.score.rmsd_to_reference.is_some());
}

#[test]
fn queries_that_cannot_be_docked_say_why() {
    let settings = Settings::default();
    let fails = |query: &Query| match Docking.predict(query, &settings, &mut Listener::default()) {
        Err(error @ (EngineError::Unsupported { .. } | EngineError::Input(_))) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let smiles = LigandSource::Smiles("CCO".into());
    let unknown = fails(&query("kinase", LigandSource::Ccd(vec!["QQQQQ".into()])));
    assert!(unknown.contains("QQQQQ") && unknown.contains("SMILES"), "{unknown}");
    let several = fails(&query("kinase", LigandSource::Ccd(vec!["NAG".into(), "NAG".into()])));
    assert!(several.contains("NAG-NAG") && several.contains("SMILES"), "{several}");
    let nameless = fails(&query("kinase", LigandSource::Ccd(vec!["UNL".into()])));
    assert!(nameless.contains("UNL"), "{nameless}");
    let no_structure = fails(&Query { structure: None, ..query("kinase", smiles.clone()) });
    assert!(no_structure.contains("structure"), "{no_structure}");
    let no_ligand = fails(&Query { sequences: Vec::new(), ..query("kinase", smiles) });
    assert!(no_ligand.contains("ligand"), "{no_ligand}");
    let metal = fails(&query("kinase", LigandSource::Smiles("C[Hg]C".into())));
    assert!(metal.contains("Hg"), "{metal}");
}

#[test]
fn without_a_pocket_the_best_are_found_and_searched() {
    let known = query("nuclear-receptor", LigandSource::Ccd(vec!["STR".into()]));
    let query = Query { pocket: None, ..known };
    let settings = Settings { docking: DockingSettings { pockets: 2, ..quick() }, ..Settings::default() };
    let prediction = Docking.predict(&query, &settings, &mut Listener::default()).unwrap();
    let best = &prediction.samples[0];
    // The steroid's cavity holds it deep inside the protein.
    let (_, ligand) = complex("nuclear-receptor");
    let middle = |positions: &[Vec3]| positions.iter().sum::<Vec3>() / positions.len() as f32;
    let distance = middle(&best.pose.conformers[0]).distance(middle(&ligand.conformers[0]));
    assert!(best.pocket.is_some() && distance < 3.0, "{:?} {distance}", best.pocket);
    assert!(prediction.samples.iter().all(|sample| sample.pocket.is_some_and(|pocket| (1..=2).contains(&pocket))));
}

/// Residues of the kinase sample's pocket that can turn.
fn flexible_site(residues: Option<usize>) -> (Site, SmallMolecule) {
    let (receptor, ligand) = complex("kinase");
    let model = receptor.structure.first().unwrap();
    let mut near = SideChains::near(model, &ligand.conformers[0], 4.0);
    assert!(near.len() > 3, "{near:?}");
    near.truncate(residues.unwrap_or(usize::MAX));
    let side_chains = SideChains::new(model, receptor.typed(), &near).unwrap();
    let site = Site::new(Arc::clone(&receptor), box_around(&ligand, 6.0), ScoringFunction::Vinardo).unwrap();
    (site.with_side_chains(side_chains).unwrap(), ligand)
}

#[test]
fn side_chains_at_rest_change_no_energy_and_gradients_hold_when_they_turn() {
    let (site, ligand) = flexible_site(None);
    let tree = LigandTree::new(&ligand).unwrap().with_side_chains(site.side_chains().unwrap());
    let frame = tree.frame(&ligand, &ligand.conformers[0]).unwrap();
    let function = EmpiricalFunction::of(ScoringFunction::Vinardo);
    let mut landscape = ExactLandscape::new(&tree, &frame, site.cells(), function);
    let mut pose = tree.pose_as_given(&frame);
    let rigid = score_pose(site.receptor(), &ligand, ScoringFunction::Vinardo, false).unwrap().score;
    let energies = landscape.energies(&pose);
    assert!((energies.intermolecular - rigid.intermolecular_kcal_per_mol).abs() < 1e-3, "{energies:?} {rigid:?}");
    assert!((energies.intramolecular - rigid.intramolecular_kcal_per_mol).abs() < 1e-3);
    let (_, carried) = landscape.all_positions(&pose);
    let model = site.receptor().structure.first().unwrap();
    assert!(carried.iter().all(|&(atom, place)| place.distance(model.positions[atom as usize]) < 1e-3));
    for (index, torsion) in pose.torsions.iter_mut().enumerate() {
        *torsion = 0.04 * (index % 5) as f32;
    }
    let mut gradient = vec![0.0; tree.degrees_of_freedom()];
    let mut ignored = gradient.clone();
    landscape.evaluate(&pose, &mut gradient);
    for index in 0..gradient.len() {
        let mut direction = vec![0.0; gradient.len()];
        direction[index] = 1.0;
        let mut at = |length: f32| {
            let mut moved = pose.clone();
            moved.advance(&direction, length);
            landscape.evaluate(&moved, &mut ignored)
        };
        let expected = (at(2e-3) - at(-2e-3)) / 4e-3;
        let tolerance = 0.05 * (1.0 + expected.abs());
        assert!((gradient[index] - expected).abs() < tolerance, "{index}: {} for {expected}", gradient[index]);
    }
    // Turning keeps bonds: every carried atom stays as far from its neighbours as it was.
    let (_, carried) = landscape.all_positions(&pose);
    let mut turned = model.positions.clone();
    carried.iter().for_each(|&(atom, place)| turned[atom as usize] = place);
    for bond in &model.topology.bonds {
        let length = |places: &[Vec3]| places[bond.a as usize].distance(places[bond.b as usize]);
        assert!((length(&turned) - length(&model.positions)).abs() < 1e-3);
    }
}

#[test]
fn a_flexible_search_moves_side_chains_and_scores_what_it_returns() {
    let (site, ligand) = flexible_site(Some(2));
    let mut sites = [site];
    let settings = DockingSettings { exhaustiveness: 1, poses: 3, ..DockingSettings::default() };
    let poses = dock_ligand(&mut sites, &ligand, &[], &settings, 1, &mut Listener::default()).unwrap();
    let best = &poses[0];
    assert!(!best.moved_atoms.is_empty() && best.score.side_chains_kcal_per_mol.is_some());
    // Scored again in the receptor it left behind, the ligand meets the same energy.
    let moved = crate::engine::with_moved_atoms(&sites[0].receptor().structure, &best.moved_atoms);
    let again =
        score_pose(&Receptor::new(&moved, &[]).unwrap(), &best.molecule, ScoringFunction::Vinardo, false).unwrap();
    let difference = again.score.intermolecular_kcal_per_mol - best.score.intermolecular_kcal_per_mol;
    assert!(difference.abs() < 0.02, "{difference}");
}

#[test]
fn residues_that_cannot_turn_say_why() {
    let (receptor, _) = complex("kinase");
    let model = receptor.structure.first().unwrap();
    let named = |name: &str| SideChains::named(model, &[name.to_owned()]).unwrap_err().to_string();
    assert!(named("A145").contains("not of the form"));
    assert!(named("A:99999").contains("not in the receptor"));
    let glycine = model.topology.residues.iter().position(|residue| residue.name == "GLY").unwrap() as u32;
    let error = SideChains::new(model, receptor.typed(), &[glycine]).unwrap_err().to_string();
    assert!(error.contains("GLY") && error.contains("leave it out"), "{error}");
    let all: Vec<u32> = (0..40).collect();
    assert!(SideChains::new(model, receptor.typed(), &all).unwrap_err().to_string().contains("more than"));
}

#[test]
fn a_held_scaffold_stays_where_the_reference_has_it() {
    let known = query("kinase", LigandSource::sdf(sample("kinase").join("ligand.sdf")));
    let settings = Settings { docking: DockingSettings { hold_scaffold: true, ..quick() }, ..Settings::default() };
    let prediction = Docking.predict(&known, &settings, &mut Listener::default()).unwrap();
    let rmsd = prediction.samples[0].score.rmsd_to_reference.unwrap();
    assert!(rmsd < 1.5, "{rmsd}");
    let other =
        Query { sequences: query("kinase", LigandSource::Smiles("CCCCCCCC".into())).sequences, ..known.clone() };
    let error = Docking.predict(&other, &settings, &mut Listener::default()).unwrap_err().to_string();
    assert!(error.contains("connected heavy atoms"), "{error}");
    let error =
        Docking.predict(&Query { pocket: None, ..known }, &settings, &mut Listener::default()).unwrap_err().to_string();
    assert!(error.contains("reference ligand"), "{error}");
}

#[test]
fn poses_say_into_which_conformer_they_were_docked() {
    let query = query("nuclear-receptor", LigandSource::Ccd(vec!["STR".into()]));
    let docking = DockingSettings {
        exhaustiveness: 1,
        ensemble_conformers: 2,
        ensemble_amplitude: 0.5,
        dock_into_ensemble: true,
        ..DockingSettings::default()
    };
    let settings = Settings { docking, ..Settings::default() };
    let prediction = Docking.predict(&query, &settings, &mut Listener::default()).unwrap();
    let models = &prediction.receptor_ensemble.as_ref().unwrap().structure.models;
    assert_eq!(models.len(), 3);
    for sample in &prediction.samples {
        let conformer = sample.conformer.unwrap() as usize;
        assert_eq!(sample.receptor.models[0].positions, models[conformer - 1].positions);
    }
}
