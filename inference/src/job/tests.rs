//! Whole jobs, run by workers that live and by workers that are killed.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use glam::Vec3;
use kfold_molecule::formats;
use kfold_molecule::{SmallMolecule, Structure};
use rand::{RngExt, SeedableRng};

use super::events::{EventKind, EventReader};
use super::*;
use crate::engine::{
    Engine, EngineError, EngineName, Events, PoseScore, Prediction, Progress, Provenance, ReceptorEnsemble, Sample,
};
use crate::query::{Entity, Ligand, LigandSource, SeriesLigand};

/// Names the job of [`worker_process`].
const JOB_VARIABLE: &str = "KFOLD_TEST_JOB";

/// Moves the ligand about at random and counts receptor atoms nearby: small, but it does everything that an engine does.
struct Contacts {
    /// Steps of a search, each this long.
    steps: u64,
    pause: Duration,
}

const QUICK: Contacts = Contacts { steps: 3, pause: Duration::ZERO };

impl Engine for Contacts {
    fn name(&self) -> EngineName {
        EngineName::Docking
    }

    fn predict(&self, query: &Query, settings: &Settings, events: &mut dyn Events) -> Result<Prediction, EngineError> {
        let input = |error: &dyn std::fmt::Display| EngineError::Input(error.to_string());
        let path = query.receptor_file().ok_or_else(|| EngineError::Unsupported {
            engine: self.name().display_name(),
            reason: "there is no structure; add `structure`".into(),
        })?;
        let receptor = formats::read_structure(path).map_err(|error| input(&error))?;
        let Some(LigandSource::Sdf { file, .. }) = query.ligands().next().map(|ligand| &ligand.source) else {
            return Err(EngineError::Input("the ligand is no SDF".into()));
        };
        let ligand = formats::read_small_molecules(file).map_err(|error| input(&error))?.swap_remove(0);
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(settings.seed);
        let mut found: Vec<(f32, SmallMolecule)> = Vec::new();
        for step in 0..self.steps {
            if events.is_cancelled() {
                return Err(EngineError::Cancelled);
            }
            events.progress(Progress { stage: "search".into(), step, steps: self.steps, message: String::new() });
            std::thread::sleep(self.pause);
            let shift = Vec3::from_array(std::array::from_fn(|_| random.random_range(-2.0..2.0)));
            let mut pose = ligand.clone();
            pose.conformers[0].iter_mut().for_each(|position| *position += shift);
            let near = |position: &&Vec3| pose.conformers[0].iter().any(|atom| atom.distance(**position) < 5.0);
            let contacts = receptor.models[0].positions.iter().filter(near).count();
            found.push((-0.01 * contacts as f32, pose));
        }
        events.warning("this engine only counts contacts");
        found.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let samples = found.into_iter().enumerate().map(|(index, (score, pose))| Sample {
            provenance: Provenance {
                engine: self.name(),
                version: "test".into(),
                seed: settings.seed,
                scoring: "contacts".into(),
            },
            rank: index as u32 + 1,
            ligand_name: "L".into(),
            pocket: None,
            conformer: None,
            receptor: std::sync::Arc::new(receptor.clone()),
            moved_atoms: Vec::new(),
            pose,
            score: PoseScore { score_kcal_per_mol: score, ..PoseScore::default() },
            interactions: Vec::new(),
            checks: Vec::new(),
            measured_pk: None,
        });
        let samples: Vec<Sample> = samples.collect();
        events.finished(&samples);
        let residues = receptor.models[0].topology.residues.len();
        let receptor_ensemble = (settings.docking.ensemble_conformers > 0).then(|| ReceptorEnsemble {
            structure: Structure {
                name: String::new(),
                models: [1, 2].map(|number| kfold_molecule::Model { number, ..receptor.models[0].clone() }).to_vec(),
            },
            rmsf: (0..residues).map(|index| 0.5 + index as f32 / 100.0).collect(),
            amplitudes: vec![1.5],
        });
        Ok(Prediction { samples, receptor_ensemble, complexes: None })
    }
}

/// A job on a tripeptide and benzene.
fn create(folder: &Path, settings: &Settings) -> Job {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let query = Query {
        name: "small".into(),
        sequences: vec![Entity::Ligand(Ligand {
            ids: vec!["L".into()],
            source: LigandSource::sdf(data.join("benzene.sdf")),
            description: None,
        })],
        structure: Some(data.join("tripeptide.pdb")),
        ..Query::default()
    };
    Job::create(folder, &query, settings).unwrap()
}

fn settings(seeds: &[u64]) -> Settings {
    Settings { seeds: seeds.to_vec(), ..Settings::default() }
}

/// Every output file with its content: all but events and lock, whose content depends on time and process.
fn outputs(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(place) = folders.pop() {
        for entry in std::fs::read_dir(place).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name != "events.jsonl" && name != "worker.lock" {
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

fn event_kinds(folder: &Path) -> Vec<EventKind> {
    let mut reader = EventReader::new(folder.join("events.jsonl"));
    reader.read_new().unwrap().into_iter().map(|event| event.kind).collect()
}

#[test]
fn a_job_runs_and_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut with_ensemble = settings(&[1, 7]);
    with_ensemble.docking.ensemble_conformers = 1;
    let job = create(folder.path(), &with_ensemble);
    assert!(!job.is_done());
    assert!(Results::load(folder.path()).unwrap().seeds.is_empty());
    worker::run(folder.path(), &[&QUICK]).unwrap();
    assert!(job.is_done());
    let names: Vec<String> = outputs(folder.path()).into_keys().collect();
    let expected = [
        "inputs/benzene.sdf",
        "inputs/tripeptide.pdb",
        "query.json",
        "seed-1/done",
        "seed-1/ensemble.json",
        "seed-1/ensemble.pdb",
        "seed-1/poses.json",
        "seed-1/poses.sdf",
        "seed-1/receptor.pdb",
        "seed-1/rmsf.csv",
        "seed-1/settings.json",
        "seed-1/small_complex_1.cif",
        "seed-1/small_complex_2.cif",
        "seed-1/small_complex_3.cif",
    ];
    assert_eq!(names[..expected.len()], expected);
    for name in ["settings.json", "small_affinity.csv", "small_docking.json", "small_model.cif", "small_summary.csv"] {
        assert!(names.iter().any(|found| found == name), "{name} is missing in {names:?}");
    }

    let results = Results::load(folder.path()).unwrap();
    assert_eq!(results.seeds.iter().map(|seed| seed.seed).collect::<Vec<_>>(), [1, 7]);
    let seed = &results.seeds[0];
    assert_eq!(seed.poses.len(), 3);
    assert_eq!(seed.poses[0].molecule.atoms.len(), 12);
    assert_eq!(seed.poses[0].molecule.property("engine"), Some("docking"));
    assert!(seed.poses[0].molecule.property("score_kcal_per_mol").is_some());
    let receptor = seed.receptor.as_ref().unwrap();
    let complex = formats::read_structure(&job.model_path()).unwrap();
    assert_eq!(complex.atom_count(), receptor.atom_count() + 12);
    assert_eq!(complex.models[0].topology.chains.last().unwrap().id, "L");
    let ensemble = seed.ensemble.as_ref().unwrap();
    assert_eq!((ensemble.structure.models.len(), ensemble.amplitudes.as_slice()), (2, [1.5].as_slice()));
    assert_eq!(ensemble.rmsf, [0.5, 0.51, 0.52]);
    let ranked = results.ranked_poses();
    assert!(
        ranked
            .windows(2)
            .all(|pair| { pair[0].1.record.score.score_kcal_per_mol <= pair[1].1.record.score.score_kcal_per_mol })
    );
    let table = std::fs::read_to_string(job.summary_path()).unwrap();
    assert_eq!(table.lines().count(), 7);
    assert!(table.lines().nth(1).unwrap().starts_with("L,"));

    let kinds = event_kinds(folder.path());
    assert!(matches!(kinds[0], EventKind::Started { seeds: 2, seeds_done: 0, ligands: 1, .. }));
    assert!(kinds.iter().any(|kind| matches!(kind, EventKind::LigandFinished { poses: 3, .. })));
    assert!(kinds.contains(&EventKind::Warning { message: "this engine only counts contacts".into() }));
    assert_eq!(kinds.last(), Some(&EventKind::Finished));

    // Run again: nothing is left to do, nothing changes.
    let before = outputs(folder.path());
    worker::run(folder.path(), &[&QUICK]).unwrap();
    assert_eq!(outputs(folder.path()), before);
    assert!(matches!(create_again(folder.path()), JobError::Exists { .. }));
}

fn create_again(folder: &Path) -> JobError {
    let job = Job::open(folder).unwrap();
    Job::create(folder, job.query(), job.settings()).unwrap_err()
}

/// Not a test by itself: the worker process of the tests below.
#[test]
fn worker_process() {
    let Some(folder) = std::env::var_os(JOB_VARIABLE) else { return };
    let engine = Contacts { steps: 10, pause: Duration::from_millis(3) };
    worker::run(Path::new(&folder), &[&engine]).unwrap();
}

fn spawn_worker(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "job::tests::worker_process", "--test-threads", "1", "-q"])
        .env(JOB_VARIABLE, folder)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_killed_worker_leaves_a_job_that_finishes_with_the_same_files() {
    let seeds = settings(&[1, 2, 3]);
    let undisturbed = tempfile::tempdir().unwrap();
    create(undisturbed.path(), &seeds);
    assert!(spawn_worker(undisturbed.path()).wait().unwrap().success());
    let expected = outputs(undisturbed.path());

    let disturbed = tempfile::tempdir().unwrap();
    let job = create(disturbed.path(), &seeds);
    let mut kills = 0;
    // Ever longer, so that the kills fall into every part of a worker's life and the job still ends.
    for milliseconds in (1..).map(|kill| kill * 4) {
        let mut child = spawn_worker(disturbed.path());
        std::thread::sleep(Duration::from_millis(milliseconds));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        // Whatever is there is whole.
        for seed in Results::load(disturbed.path()).unwrap().seeds {
            assert_eq!(seed.poses.len(), 10);
        }
    }
    assert!(kills >= 3, "only {kills} workers could be killed");
    assert!(job.is_done());
    assert_eq!(outputs(disturbed.path()), expected);
    assert_eq!(event_kinds(disturbed.path()).last(), Some(&EventKind::Finished));
}

#[test]
fn one_job_one_worker_and_cancelling() {
    let folder = tempfile::tempdir().unwrap();
    let job = create(folder.path(), &settings(&[1, 2]));
    let slow = Contacts { steps: 100_000, pause: Duration::from_millis(2) };
    std::thread::scope(|scope| {
        let first = scope.spawn(|| worker::run(folder.path(), &[&slow]));
        while !event_kinds(folder.path()).iter().any(|kind| matches!(kind, EventKind::Progress(_))) {
            std::thread::sleep(Duration::from_millis(2));
        }
        assert!(Job::is_running(folder.path()));
        let second = worker::run(folder.path(), &[&slow]).unwrap_err();
        assert!(matches!(second, JobError::Running { process: Some(_), .. }), "{second}");
        Job::request_cancel(folder.path()).unwrap();
        assert!(first.join().unwrap().unwrap_err().is_cancelled());
    });
    assert!(!Job::is_running(folder.path()));
    assert_eq!(event_kinds(folder.path()).last(), Some(&EventKind::Cancelled));
    // Still cancelled until somebody takes it back.
    assert!(worker::run(folder.path(), &[&QUICK]).unwrap_err().is_cancelled());
    Job::clear_cancel(folder.path()).unwrap();
    worker::run(folder.path(), &[&QUICK]).unwrap();
    assert!(job.is_done());
}

#[test]
fn a_worker_whose_folder_is_gone_stops() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("job");
    create(&place, &settings(&[1]));
    let slow = Contacts { steps: 1_000_000, pause: Duration::from_millis(2) };
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| worker::run(&place, &[&slow]));
        while !event_kinds(&place).iter().any(|kind| matches!(kind, EventKind::Progress(_))) {
            std::thread::sleep(Duration::from_millis(2));
        }
        std::fs::remove_dir_all(&place).unwrap();
        assert!(worker.join().unwrap().is_err());
    });
}

/// Every ligand of a series by [`Contacts`], until it is told to stop after so many.
struct OneByOne {
    stops_after: usize,
    docked: std::sync::Mutex<Vec<String>>,
}

/// Hears nothing and goes on.
struct Deaf;

impl Events for Deaf {
    fn progress(&mut self, _: Progress) {}
    fn warning(&mut self, _: &str) {}
    fn is_cancelled(&self) -> bool {
        false
    }
}

impl Engine for OneByOne {
    fn name(&self) -> EngineName {
        EngineName::Docking
    }

    fn predict(&self, query: &Query, settings: &Settings, events: &mut dyn Events) -> Result<Prediction, EngineError> {
        let mut prediction = Prediction::default();
        for (index, ligand) in query.series.iter().enumerate() {
            if index == self.stops_after {
                return Err(EngineError::Cancelled);
            }
            self.docked.lock().unwrap().push(ligand.name.clone());
            let entry = Ligand { ids: vec!["L".into()], source: ligand.source.clone(), description: None };
            let single = Query { sequences: vec![Entity::Ligand(entry)], series: Vec::new(), ..query.clone() };
            let mut samples = QUICK.predict(&single, settings, &mut Deaf)?.samples;
            for sample in &mut samples {
                sample.ligand_name.clone_from(&ligand.name);
                // What another version made is not gone on with.
                sample.provenance.version = env!("CARGO_PKG_VERSION").into();
                sample.moved_atoms = vec![(3, [0.25, 0.5, 1.0 / 3.0])];
            }
            events.finished(&samples);
            prediction.samples.extend(samples);
        }
        Ok(prediction)
    }
}

#[test]
fn an_interrupted_series_goes_on_with_its_next_ligand() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let series = ["a", "b", "c", "d"].map(|name| SeriesLigand {
        name: name.into(),
        source: LigandSource::sdf(data.join("benzene.sdf")),
        measured_pk: Some(5.0),
    });
    let query = Query {
        name: "series".into(),
        series: series.to_vec(),
        structure: Some(data.join("tripeptide.pdb")),
        ..Query::default()
    };
    let create = |folder: &Path| Job::create(folder, &query, &settings(&[1, 2])).unwrap();
    let engine = |stops_after| OneByOne { stops_after, docked: std::sync::Mutex::default() };
    let undisturbed = tempfile::tempdir().unwrap();
    create(undisturbed.path());
    worker::run(undisturbed.path(), &[&engine(9)]).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let job = create(folder.path());
    assert!(worker::run(folder.path(), &[&engine(3)]).unwrap_err().is_cancelled());
    let so_far = Results::load(folder.path()).unwrap();
    let names: Vec<&str> = so_far.seeds[0].poses.iter().map(|pose| pose.record.ligand_name.as_str()).collect();
    assert_eq!((names.first(), names.last()), (Some(&"a"), Some(&"c")));
    // A part that was being written when the machine went down.
    std::fs::write(folder.path().join("seed-1.partial/ligand-2.json"), "[").unwrap();
    let second = engine(9);
    worker::run(folder.path(), &[&second]).unwrap();
    assert_eq!(*second.docked.lock().unwrap(), ["b", "d", "a", "b", "c", "d"]);
    assert!(job.is_done());
    assert_eq!(outputs(folder.path()), outputs(undisturbed.path()));
    let results = Results::load(folder.path()).unwrap();
    let pose = &results.seeds[1].poses[0];
    assert_eq!(pose.receptor.models[0].positions[3], Vec3::new(0.25, 0.5, 1.0 / 3.0));
}

struct Broken {
    panics: bool,
}

impl Engine for Broken {
    fn name(&self) -> EngineName {
        EngineName::Docking
    }

    fn predict(&self, _: &Query, _: &Settings, _: &mut dyn Events) -> Result<Prediction, EngineError> {
        assert!(!self.panics, "lost the thread");
        Err(EngineError::Input("the receptor has no atoms".into()))
    }
}

#[test]
fn failures_are_told() {
    let folder = tempfile::tempdir().unwrap();
    create(folder.path(), &settings(&[1]));
    for (panics, text) in [(false, "the receptor has no atoms"), (true, "lost the thread")] {
        let error = worker::run(folder.path(), &[&Broken { panics }]).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
        assert_eq!(event_kinds(folder.path()).last(), Some(&EventKind::Failed { message: error, may_pass: false }));
    }
    assert!(matches!(worker::run(folder.path(), &[]).unwrap_err(), JobError::NoEngine("docking")));

    // An input that went away, a damaged query, no job at all.
    std::fs::remove_file(folder.path().join("inputs/benzene.sdf")).unwrap();
    let error = worker::run(folder.path(), &[&QUICK]).unwrap_err().to_string();
    assert!(error.contains("sequences[0].ligand.sdf") && error.contains("benzene.sdf"), "{error}");
    std::fs::write(folder.path().join("query.json"), "{").unwrap();
    assert!(worker::run(folder.path(), &[&QUICK]).unwrap_err().to_string().contains("query.json"));
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(worker::run(empty.path(), &[&QUICK]).unwrap_err(), JobError::Missing { .. }));
}

#[test]
fn inputs_of_the_same_name_stay_apart() {
    let folder = tempfile::tempdir().unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let other = folder.path().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("Benzene.sdf"), "not the same").unwrap();
    let query = Query {
        name: "two".into(),
        sequences: vec![Entity::Ligand(Ligand {
            ids: vec!["L".into()],
            source: LigandSource::sdf(data.join("benzene.sdf")),
            description: None,
        })],
        pocket: Some(crate::query::Pocket::Ligand { file: other.join("Benzene.sdf"), padding: 8.0 }),
        structure: Some(data.join("benzene.sdf")),
        ..Query::default()
    };
    let job = Job::create(&folder.path().join("job"), &query, &Settings::default()).unwrap();
    let mut names: Vec<_> =
        std::fs::read_dir(job.folder().join("inputs")).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["2-Benzene.sdf", "benzene.sdf"]);
    assert_eq!(Job::open(job.folder()).unwrap().query(), job.query());
    assert!(job.does(&query, &Settings::default()).unwrap());
    assert!(!job.does(&query, &settings(&[2])).unwrap());
    std::fs::write(other.join("Benzene.sdf"), "something else").unwrap();
    assert!(!job.does(&query, &Settings::default()).unwrap());
    // The directory can be moved: its query names its own files.
    let moved = folder.path().join("moved");
    std::fs::rename(job.folder(), &moved).unwrap();
    let moved = Job::open(&moved).unwrap();
    assert!(moved.query().files().iter().all(|(_, path)| path.starts_with(moved.folder())));
}

#[test]
fn ligands_are_ordered_by_affinity_and_their_poses_by_trust() {
    let record = |ligand_name: &str, score_kcal_per_mol: f32, pose_probability: f32, pk: f32| PoseRecord {
        ligand_name: ligand_name.into(),
        rank: 1,
        score: PoseScore {
            score_kcal_per_mol,
            cnn: Some(crate::engine::CnnScore { pose_probability, pk, ..Default::default() }),
            ..PoseScore::default()
        },
        interactions: Vec::new(),
        checks: Vec::new(),
        measured_pk: None,
        pocket: None,
        conformer: None,
        moved_atoms: Vec::new(),
        provenance: Provenance { engine: EngineName::Docking, version: "test".into(), seed: 1, scoring: "test".into() },
    };
    // The best energy of `weak` is not its most trusted pose, and the trusted pose's pK counts.
    let mut records = vec![
        record("weak", -9.0, 0.1, 9.0),
        record("strong", -7.0, 0.8, 8.0),
        record("weak", -8.0, 0.9, 5.0),
        // Liked equally: the energy decides.
        record("strong", -8.0, 0.8, 7.5),
    ];
    results::sort_best_first(&mut records, |record| record);
    let order: Vec<(&str, f32)> =
        records.iter().map(|record| (record.ligand_name.as_str(), record.score.score_kcal_per_mol)).collect();
    assert_eq!(order, [("strong", -8.0), ("strong", -7.0), ("weak", -8.0), ("weak", -9.0)]);
}
