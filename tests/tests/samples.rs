//! The samples are what a newcomer opens first: each must read, and docking must find the crystal pose where the ligand
//! is rigid enough that a short search is no matter of luck.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use kfold_inference::docking::Docking;
use kfold_inference::engine::Engine;
use kfold_inference::job::{Job, Results, worker};
use kfold_inference::query::Query;
use kfold_inference::settings::Settings;
use kfold_molecule::formats::read_structure;
use kfold_tests::{SAMPLES, sample};

#[test]
fn every_sample_reads() {
    for name in SAMPLES {
        let query = Query::read(&sample(name).join("query.yaml")).unwrap_or_else(|error| panic!("{name}: {error}"));
        for file in query.structure.iter() {
            let structure = read_structure(file).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(structure.atom_count() > 500, "{name}: {} atoms", structure.atom_count());
            assert!(!structure.models[0].topology.bonds.is_empty(), "{name}: no bonds were assigned");
        }
    }
}

#[test]
fn sequences_of_the_queries_are_those_of_the_structures() {
    use kfold_inference::query::Entity;
    for name in SAMPLES {
        let query = Query::read(&sample(name).join("query.yaml")).unwrap();
        let Some(file) = &query.structure else { continue };
        let structure = read_structure(file).unwrap();
        let topology = &structure.models[0].topology;
        for entity in &query.sequences {
            let (Entity::Protein(polymer) | Entity::Dna(polymer) | Entity::Rna(polymer)) = entity else { continue };
            for id in &polymer.ids {
                let chain = topology.chains.iter().find(|chain| chain.id == id.as_str());
                let chain = chain.unwrap_or_else(|| panic!("{name}: no chain {id} in the structure"));
                let residues = topology.residues[chain.residues.start as usize..chain.residues.end as usize]
                    .iter()
                    .filter(|residue| residue.is_polymer() && !matches!(residue.name.as_str(), "ACE" | "NME"))
                    .count();
                assert_eq!(residues, polymer.sequence.len(), "{name}: chain {id}");
            }
        }
    }
}

/// Runs a sample as a job in a new folder and gives what the job wrote.
fn run(name: &str, change: impl FnOnce(&mut Settings)) -> (tempfile::TempDir, Results) {
    let folder = tempfile::tempdir().unwrap();
    let query = Query::read(&sample(name).join("query.yaml")).unwrap();
    let mut settings = Settings::default();
    change(&mut settings);
    let job = folder.path().join("job");
    Job::create(&job, &query, &settings).unwrap();
    let engines: [&dyn Engine; 1] = [&Docking];
    worker::run(&job, &engines).unwrap();
    let results = Results::load(&job).unwrap();
    (folder, results)
}

#[test]
fn docking_finds_progesterone_in_its_receptor() {
    let (_folder, results) = run("nuclear-receptor", |settings| settings.docking.exhaustiveness = 2);
    let ranked = results.ranked_poses();
    let best = &ranked[0].1.record;
    let rmsd = best.score.rmsd_to_reference.expect("the sample names a reference ligand");
    assert!(rmsd < 2.0, "the best pose is {rmsd:.2} Å from the crystal's");
    assert!(best.score.score_kcal_per_mol < -7.0, "score {}", best.score.score_kcal_per_mol);
    assert!(best.checks.iter().all(|check| check.passed), "checks of the best pose: {:?}", best.checks);
    assert_eq!(best.provenance.display_name(), "docking (Vina + GNINA CNN)");
    let cnn = best.score.cnn.expect("the networks judge poses unless told not to");
    assert!(cnn.pose_probability > 0.5 && (5.0..11.0).contains(&cnn.pk), "{cnn:?}");
}

#[test]
fn equal_seeds_give_equal_poses_on_any_number_of_threads() {
    let scores = |threads| {
        let (_folder, results) = run("nuclear-receptor", |settings| {
            settings.docking.exhaustiveness = 1;
            settings.docking.threads = threads;
        });
        results.ranked_poses().iter().map(|(_, pose)| pose.molecule.conformers.clone()).collect::<Vec<_>>()
    };
    assert_eq!(scores(1), scores(2));
}
