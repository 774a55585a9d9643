//! K-Fold from a query file to the result tree, with tiny random weights.
//!
//! Where the reference's draws are played back, the tree holds the reference's numbers: every `kf_e2e*` of `tests/goldens` and of
//! `$KFOLD_GOLDENS` is run twice, as a job whose files are read back and as a call of the library. A golden's apo files are
//! looked for beside it, then beside the one in the tree.
//!
//! cargo test --release --workspace --test end_to_end -- --nocapture

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "goldens/harness.rs"]
mod harness;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use harness::{Golden, Row};
use kfold_inference::engine::{Engine, EngineName, Events, Progress};
use kfold_inference::job::{Job, JobError, Results, worker};
use kfold_inference::kfold::engine::{Draws, KFoldEngine};
use kfold_inference::kfold::modules::affinity_head::{AffinityHead, AffinityInput, CropLimits};
use kfold_inference::kfold::noise::TapeNoise;
use kfold_inference::kfold::prediction::PredictedComplexes;
use kfold_inference::query::Query;
use kfold_inference::settings::Settings;
use kfold_molecule::formats;
use kfold_molecule::structure::BondOrder;
use tempfile::TempDir;

/// What the harness asks of whoever uses it; nothing here.
type Check = fn(&Golden) -> Option<harness::Result<Vec<Row>>>;

/// Å, and units of the confidence scores.
const BAR: f32 = 1e-3;
/// Half a unit of the last decimal of coordinates in a file.
const ROUNDING: f32 = 0.5e-3 + 1e-5;

fn goldens() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/goldens")
}

/// Hears nothing and never stops; counts stages.
#[derive(Default)]
struct Heard {
    stages: Vec<String>,
    cancel_at: Option<&'static str>,
    cancelled: bool,
}

impl Events for Heard {
    fn progress(&mut self, progress: Progress) {
        assert!(progress.steps == 0 || progress.step <= progress.steps, "{progress:?}");
        self.cancelled |= self.cancel_at == Some(&progress.stage);
        if self.stages.last() != Some(&progress.stage) {
            self.stages.push(progress.stage);
        }
    }
    fn warning(&mut self, _message: &str) {}
    fn is_cancelled(&self) -> bool {
        self.cancelled
    }
}

/// The tiny model with the tiny AtlasFold and AtlasFold-M, as published: each file with its usual name.
fn models_with_atlasfold() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(goldens().join("tiny_model")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    for (golden, stem) in [("atlasfold_full", "atlasfold-260703"), ("atlasfold_m_full", "atlasfold-m-260725")] {
        let (golden, place) = (goldens().join(golden), folder.path().join(stem));
        std::fs::copy(golden.join("weights.safetensors"), place.with_extension("safetensors")).unwrap();
        std::fs::copy(golden.join("sizes.yaml"), place.with_extension("yaml")).unwrap();
    }
    folder
}

fn settings(models: &Path) -> Settings {
    let mut settings = Settings { engine: EngineName::KFold, ..Settings::default() };
    settings.kfold.models = models.to_owned();
    (settings.kfold.num_recycles, settings.kfold.num_steps, settings.kfold.num_samples) = (1, 4, 2);
    for apo in [&mut settings.kfold.apo.monomer, &mut settings.kfold.apo.multimer] {
        (apo.num_recycles, apo.num_samples, apo.num_steps) = (1, 2, Some(3));
    }
    settings
}

fn write_query(folder: &Path, text: &str) -> Query {
    let file = folder.join("query.yaml");
    std::fs::write(&file, text).unwrap();
    Query::read(&file).unwrap()
}

/// Every file below a folder with its content, but those that say when and how often there was a worker.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("events.jsonl") && !path.ends_with("worker.lock") {
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// The engine that draws what the golden's reference drew.
fn replaying(golden: &Golden) -> KFoldEngine {
    let inputs: std::collections::HashMap<String, Tensor> = golden.inputs.clone();
    KFoldEngine::drawing(move |_| {
        let noise = Box::new(TapeNoise::from_tensors(&inputs)?);
        Ok(Draws { noise, reference_positions: inputs.get("atom.ref_pos").cloned() })
    })
}

/// The golden's query as a file, its apo files beside it, and its settings.
fn query_of(golden: &Golden, folder: &Path) -> (Query, Settings) {
    let file = folder.join("query.json");
    let value = golden.value("query").unwrap();
    std::fs::write(&file, value.to_string()).unwrap();
    let entries = value["sequences"].as_array().unwrap().iter().flat_map(|entry| entry.as_object().unwrap().values());
    let lists = entries.flat_map(|entry| ["apo", "prior"].map(|role| entry.get(role).and_then(|list| list.as_array())));
    for name in lists.flatten().flatten().map(|name| Path::new(name.as_str().unwrap())) {
        let path = &folder.join(name);
        let places = [golden.directory.join(name), goldens().join("kf_e2e").join(name)];
        let source = places.iter().find(|place| place.is_file()).unwrap_or_else(|| panic!("no {}", name.display()));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::copy(source, path).unwrap();
    }
    let query = Query::read(&file).unwrap();
    let mut settings = settings(&golden.directory.with_file_name("tiny_model"));
    let seed = golden.size("seed").unwrap() as u64;
    (settings.seeds, settings.seed) = (vec![seed], seed);
    let size = |name: &str| golden.size(name).unwrap() as u32;
    (settings.kfold.num_recycles, settings.kfold.num_steps) = (size("num_recycles"), size("num_steps"));
    settings.kfold.num_samples = size("num_samples");
    (query, settings)
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_dtype(DType::F32).unwrap().to_vec1().unwrap()
}

/// Largest difference of two lists of as many numbers.
fn difference(ours: &[f32], reference: &[f32]) -> f32 {
    assert_eq!(ours.len(), reference.len());
    let largest = ours.iter().zip(reference).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(ours.iter().all(|value| value.is_finite()));
    largest
}

/// All numbers of a JSON value by their path.
fn numbers(value: &serde_json::Value, path: &str, found: &mut BTreeMap<String, f64>) {
    if let Some(number) = value.as_f64() {
        found.insert(path.to_owned(), number);
    }
    for (key, value) in value.as_object().into_iter().flatten() {
        numbers(value, &format!("{path}/{key}"), found);
    }
}

fn compare_summaries(name: &str, ours: &serde_json::Value, reference: &serde_json::Value) {
    let [mut of_ours, mut of_reference] = [BTreeMap::new(), BTreeMap::new()];
    numbers(ours, "", &mut of_ours);
    numbers(reference, "", &mut of_reference);
    assert_eq!(of_ours.keys().collect::<Vec<_>>(), of_reference.keys().collect::<Vec<_>>(), "{name}");
    for (key, reference) in &of_reference {
        let ours = of_ours[key];
        assert!((ours - reference).abs() <= f64::from(BAR), "{name}: {key} is {ours}, the reference has {reference}");
    }
}

#[test]
fn the_references_numbers_come_out() {
    let directories: Vec<PathBuf> = harness::directories()
        .into_iter()
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("kf_e2e")))
        .collect();
    assert!(!directories.is_empty() || std::env::var_os("GOLDENS_ONLY").is_some());
    for directory in directories {
        let golden = Golden::load(&directory).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (query, settings) = query_of(&golden, folder.path());
        library(&golden, &query, &settings);
        tree(&golden, &query, &settings, &folder.path().join("out"));
    }
}

/// As a call of the library: full precision, and every pair's aligned error.
fn library(golden: &Golden, query: &Query, settings: &Settings) {
    let prediction = replaying(golden).predict(query, settings, &mut Heard::default()).unwrap();
    let complexes: PredictedComplexes = *prediction.complexes.unwrap();
    let coordinates = golden.output("coordinates").unwrap();
    for (index, sample) in complexes.samples.iter().enumerate() {
        let reference = values(&coordinates.get(index).unwrap().narrow(0, 0, sample.positions.len()).unwrap());
        let ours: Vec<f32> = sample.positions.iter().flat_map(|place| place.to_array()).collect();
        let off = difference(&ours, &reference);
        let plddt = values(golden.output(&format!("{index}.plddt")).unwrap());
        let plddt_off = difference(&sample.confidence.plddt, &plddt);
        println!("{} sample {index}: coordinates off by {off:.1e} Å, pLDDT by {plddt_off:.1e}", golden.name);
        assert!(off <= BAR, "{} sample {index}: coordinates off by {off} Å", golden.name);
        assert!(plddt_off <= BAR, "{} sample {index}: pLDDT off by {plddt_off}", golden.name);
    }
    let pae_off = difference(&complexes.samples[0].confidence.pae, &values(golden.output("pae0").unwrap()));
    assert!(pae_off <= BAR, "{}: PAE off by {pae_off} Å", golden.name);
}

/// As a job, whose files are then read.
fn tree(golden: &Golden, query: &Query, settings: &Settings, out: &Path) {
    Job::create(out, query, settings).unwrap();
    worker::run(out, &[&replaying(golden)]).unwrap();
    let (name, seed) = (&query.name, settings.seed);
    let folder = out.join(name).join(format!("{name}_seed-{seed}"));
    assert!(folder.join("done.txt").is_file());
    let coordinates = golden.output("coordinates").unwrap();
    for index in 0..settings.kfold.num_samples as usize {
        let prefix = format!("{name}_seed-{seed}_sample-{index}");
        let file = folder.join(format!("{prefix}_model.cif"));
        let structure = formats::read_structure(&file).unwrap();
        let model = structure.first().unwrap();
        let reference = values(&coordinates.get(index).unwrap().narrow(0, 0, model.positions.len()).unwrap());
        let ours: Vec<f32> = model.positions.iter().flat_map(|place| place.to_array()).collect();
        let off = difference(&ours, &reference);
        assert!(off <= BAR + ROUNDING, "{prefix}: coordinates off by {off} Å");
        let plddt = values(golden.output(&format!("{index}.plddt")).unwrap());
        assert!(difference(&model.b_factors, &plddt) <= BAR + 10.0 * ROUNDING, "{prefix}: B-factors");
        let confidence = folder.join(format!("{prefix}_confidence.json"));
        let confidence = serde_json::from_slice(&std::fs::read(confidence).unwrap()).unwrap();
        compare_summaries(&prefix, &confidence, &golden.value("summary").unwrap()[index]);
        let theirs = golden.directory.join(format!("{prefix}_model.cif"));
        if theirs.is_file() {
            let [ours, theirs] = [file, theirs].map(|path| atom_lines(&std::fs::read_to_string(path).unwrap()));
            assert_eq!(ours, theirs, "{prefix}: atoms");
        }
    }
}

/// The atoms of a file as they are named: everything but coordinates and B-factors.
fn atom_lines(text: &str) -> Vec<Vec<String>> {
    let atoms = text.lines().filter(|line| line.starts_with("ATOM ") || line.starts_with("HETATM "));
    let named = |line: &str| {
        let columns = line.split_whitespace().enumerate().filter(|(column, _)| ![10, 11, 12, 14].contains(column));
        columns.map(|(_, text)| text.to_owned()).collect()
    };
    atoms.map(named).collect()
}

/// An apo file of a seed. Random weights fold to coordinates that PDB has no columns for; mmCIF takes them.
fn apo_file(folder: &Path, stem: &str) -> PathBuf {
    let place = |format| folder.join("apo").join(format!("{stem}.{format}"));
    ["pdb", "cif"].map(place).into_iter().find(|path| path.is_file()).unwrap_or_else(|| place("pdb"))
}

const COMPLEX: &str = "
name: small
sequences:
- protein: {id: [A, B], sequence: MKTAYG}
- protein_pair: {id1: [H, M], id2: [L, N], sequence1: GWMX, sequence2: AVK}
- rna: {id: R, sequence: GUAC}
- ligand: {id: X, smiles: 'C[C@H](N)C(=O)O'}
- ligand: {id: Y, ccd: MG}
";

#[test]
fn apo_structures_are_generated_and_the_tree_is_read() {
    let (models, folder) = (models_with_atlasfold(), tempfile::tempdir().unwrap());
    let query = write_query(folder.path(), COMPLEX);
    let mut settings = settings(models.path());
    settings.seeds = vec![3, 1];
    settings.kfold.num_apos = 2;
    settings.kfold.save_confidence = true;
    settings.kfold.save_distogram = true;
    settings.kfold.save_embeddings = true;
    settings.kfold.save_trajectory = true;
    let out = folder.path().join("out");
    let job = Job::create(&out, &query, &settings).unwrap();
    worker::run(&out, &[&KFoldEngine::new()]).unwrap();
    assert!(job.is_done());

    let written = files(&out);
    let text = |path: &str| String::from_utf8(written[Path::new(path)].clone()).unwrap();
    for seed in [1, 3] {
        let folder = format!("small/small_seed-{seed}");
        for (entry, apos) in [("monomer-1", 2), ("multimer-2", 2)] {
            assert!(written.contains_key(Path::new(&format!("{folder}/apo/{entry}.done"))));
            for (role, models) in [("apo", apos), ("prior", apos * 2)] {
                let file = apo_file(&out.join(&folder), &format!("{entry}_{role}"));
                assert_eq!(formats::read_structure(&file).unwrap().models.len(), models, "{}", file.display());
            }
        }
        let kept: serde_json::Value = serde_json::from_str(&text(&format!("{folder}/query.json"))).unwrap();
        let wanted = apo_file(&out.join(&folder), "monomer-1_apo");
        let wanted = format!("apo/{}", wanted.file_name().unwrap().to_str().unwrap());
        assert_eq!(kept["sequences"][0]["protein"]["apo"][0], wanted);
        let apo: serde_json::Value = serde_json::from_str(&text(&format!("{folder}/apo_setting.json"))).unwrap();
        assert_eq!(apo["apo_seeds"], serde_json::json!([seed * 10 + 1, seed * 10 + 2]));
        for name in ["embeddings.npz", "distogram.npz"] {
            assert!(written[Path::new(&format!("{folder}/small_seed-{seed}_{name}"))].starts_with(b"PK\x03\x04"));
        }
    }
    let summary = text("small/small_summary.csv");
    assert!(summary.starts_with("seed,sample,ranking_score,plddt,ptm,iptm,pde,has_clash\r\n"), "{summary}");
    assert_eq!(summary.lines().count(), 5);

    let results = Results::load(&out).unwrap();
    let ranked = results.ranked_complexes();
    assert_eq!(ranked.len(), 4);
    let best = ranked[0];
    let model = best.structure.first().unwrap();
    let chains: Vec<&str> = model.topology.chains.iter().map(|chain| chain.id.as_str()).collect();
    assert_eq!(chains, ["A", "B", "H", "L", "M", "N", "R", "X", "Y"]);
    let mean = model.b_factors.iter().sum::<f32>() / model.b_factors.len() as f32;
    assert!((mean - best.confidence.complex.plddt).abs() < 0.01);
    let prefix = format!("small/small_seed-{0}/small_seed-{0}_sample-{1}", best.seed, best.sample);
    assert_eq!(text(&format!("{prefix}_model.cif")), text("small/small_model.cif"), "the best is above the seeds");
    let trajectory = formats::read_structure(&out.join(format!("{prefix}_trajectory.cif"))).unwrap();
    assert_eq!(trajectory.models.len(), settings.kfold.num_steps as usize + 1);

    // The ligand keeps the input's bond orders; whether it kept the input's stereo is said either way.
    let (molecule, record) = &best.ligands[0];
    assert_eq!((record.chain.as_str(), molecule.atoms.len()), ("X", 6));
    assert_eq!(molecule.bonds.iter().filter(|bond| bond.order == BondOrder::Double).count(), 1);
    assert!(record.checks.len() > 5, "{:?}", record.checks);
    let docking = record.docking_score.as_ref().expect("the docking engine scores the pose");
    assert_eq!((docking.engine, docking.scoring.as_str()), (EngineName::Docking, "Vina"));
    assert!(best.ligands[1].1.checks.is_empty(), "an ion has nothing to check");
    let stereo: Vec<bool> = ranked.iter().map(|complex| complex.ligands[0].1.wrong_stereo.is_empty()).collect();
    println!("stereo kept: {stereo:?}");

    // A seed whose mark is gone, and one apo structure too: made again, and everything is as it was.
    std::fs::remove_file(out.join("small/small_seed-3/done.txt")).unwrap();
    std::fs::remove_file(out.join("small/small_seed-3/apo/multimer-2.done")).unwrap();
    std::fs::write(apo_file(&out.join("small/small_seed-3"), "multimer-2_apo"), "half a fi").unwrap();
    std::fs::write(out.join("small/small_seed-3/.writing-x"), "half a fi").unwrap();
    worker::run(&out, &[&KFoldEngine::new()]).unwrap();
    let again = files(&out);
    for (path, content) in &written {
        assert!(again.get(path) == Some(content), "{} differs after a resumed run", path.display());
    }
    assert_eq!(again.len(), written.len());
}

#[test]
fn shared_apo_structures_lie_beside_the_seeds() {
    let (models, folder) = (models_with_atlasfold(), tempfile::tempdir().unwrap());
    let query = write_query(folder.path(), "name: shared\nsequences:\n- protein: {id: A, sequence: MKTAY}\n");
    let mut settings = settings(models.path());
    settings.seeds = vec![1, 2];
    (settings.kfold.share_apo_seeds, settings.kfold.num_shared_apos) = (vec![5, 6, 7], 2);
    let out = folder.path().join("out");
    Job::create(&out, &query, &settings).unwrap();
    worker::run(&out, &[&KFoldEngine::new()]).unwrap();
    let written = files(&out.join("shared"));
    for name in ["query.json", "apo_setting.json", "apo/monomer-1.done", "shared_seed-2/done.txt"] {
        assert!(written.contains_key(Path::new(name)), "{name}: {:?}", written.keys());
    }
    assert!(!written.keys().any(|path| path.starts_with("shared_seed-1/apo")));
    assert_eq!(formats::read_structure(&apo_file(&out.join("shared"), "monomer-1_apo")).unwrap().models.len(), 3);
}

#[test]
fn a_series_is_a_complex_for_each_ligand() {
    let (models, folder) = (models_with_atlasfold(), tempfile::tempdir().unwrap());
    let protein = "name: NAME\nsequences:\n- protein: {id: A, sequence: MKTAY}\n";
    let query = write_query(
        folder.path(),
        &(protein.replace("NAME", "s")
            + "series:\n- {id: one, smiles: CCO}\n- {id: broken, smiles: '[H][H]'}\n- {id: two, smiles: CCN}\n"),
    );
    let mut settings = settings(models.path());
    settings.seeds = vec![2, 1];
    let out = folder.path().join("series");
    let job = Job::create(&out, &query, &settings).unwrap();
    worker::run(&out, &[&KFoldEngine::new()]).unwrap();
    assert!(job.is_done());
    let series = files(&out);
    // Each ligand has the files of a query of its own.
    for (name, smiles) in [("s_one", "CCO"), ("s_two", "CCN")] {
        let text = protein.replace("NAME", name) + "- ligand: {id: L, smiles: " + smiles + "}\n";
        let single = folder.path().join(name);
        Job::create(&single, &write_query(folder.path(), &text), &settings).unwrap();
        worker::run(&single, &[&KFoldEngine::new()]).unwrap();
        let alone = files(&single.join(name));
        let within = files(&out.join(name));
        assert_eq!(alone.keys().collect::<Vec<_>>(), within.keys().collect::<Vec<_>>());
        for (path, content) in &alone {
            assert!(within[path] == *content, "{name}: {} differs", path.display());
        }
    }
    // What cannot be predicted is told, in the table too.
    let failed = std::fs::read_to_string(out.join("s_broken/s_broken_seed-1/failed.txt")).unwrap();
    let table = std::fs::read_to_string(out.join("s_series.csv")).unwrap();
    assert!(table.lines().count() == 4 && table.contains("broken") && table.contains(&failed[..10]), "{table}");
    let events = std::fs::read_to_string(out.join("events.jsonl")).unwrap();
    assert_eq!(events.matches("complex_finished").count(), 6, "{events}");
    assert!(events.contains("\"warning\"") && events.contains("broken: "), "{events}");
    let results = Results::load(&out).unwrap();
    assert_eq!(results.ranked_complexes().len(), 8);
    let best = results.ranked_complexes()[0].ligand.clone().unwrap();
    assert_eq!(series[Path::new("s_model.cif")], series[&PathBuf::from(format!("s_{best}/s_{best}_model.cif"))]);

    // A worker that was lost in the middle: the same files.
    std::fs::remove_file(out.join("s_two/s_two_seed-1/done.txt")).unwrap();
    std::fs::remove_file(out.join("s_broken/s_broken_seed-1/failed.txt")).unwrap();
    std::fs::remove_file(out.join("s_series.csv")).unwrap();
    assert!(!job.is_done());
    worker::run(&out, &[&KFoldEngine::new()]).unwrap();
    let again = files(&out);
    assert_eq!(again.keys().collect::<Vec<_>>(), series.keys().collect::<Vec<_>>());
    assert!(series.iter().all(|(path, content)| again[path] == *content));
}

/// With a checkpoint of the affinity head (that of its golden, whose sizes are the tiny model's) a prediction comes with its
/// answer; where the complex is none that the head can read, without, and with the reason.
#[test]
fn affinity_is_written_beside_the_complexes() {
    let (models, folder) = (models_with_atlasfold(), tempfile::tempdir().unwrap());
    let weights = goldens().join("kf_affinity_head/weights.safetensors");
    std::fs::copy(&weights, models.path().join("affinity.safetensors")).unwrap();
    let text = "name: binder\nsequences:\n- protein: {id: A, sequence: MKTAYGWLPEDNQ}\n- ligand: {id: X, smiles: CC(=O)Oc1ccccc1}\n";
    let query = write_query(folder.path(), text);
    let mut settings = settings(models.path());
    (settings.kfold.save_embeddings, settings.kfold.save_distogram) = (true, true);
    let prediction = KFoldEngine::new().predict(&query, &settings, &mut Heard::default()).unwrap();
    let complexes = prediction.complexes.unwrap();
    let affinity = complexes.affinity.as_ref().expect("there is a head");
    assert_eq!((affinity.num_protein_tokens, affinity.num_ligand_tokens), (13, 10));
    assert_eq!(affinity.crop, (0..23).collect::<Vec<_>>());

    // The head's own answer to what the trunk made, which the files keep in half precision.
    let head = AffinityHead::open(&weights, CropLimits::default(), &Device::Cpu).unwrap();
    let (kept, logits) = (complexes.embeddings.as_ref().unwrap(), complexes.distogram.as_ref().unwrap());
    let tokens = kept.tokens;
    let tensor = |values: &[half::f16], shape: &[usize]| {
        Tensor::from_slice(values, shape, &Device::Cpu).unwrap().to_dtype(DType::F32).unwrap()
    };
    let singles = [tokens, kept.s_inputs.len() / tokens];
    let mut chain_types = vec![0_i64; tokens];
    let input = kfold_inference::kfold::features::reference_structure(&query).unwrap();
    let protein = input.chains.iter().find(|chain| chain.name == "A").unwrap();
    let ligand = input.chains.iter().find(|chain| chain.name == "X").unwrap();
    chain_types[..13].fill(protein.chain_type as i64);
    chain_types[13..].fill(ligand.chain_type as i64);
    let again = head
        .predict(AffinityInput {
            s_inputs: &tensor(&kept.s_inputs, &singles),
            s_lm: &tensor(&kept.s_lm, &singles),
            z: &tensor(&kept.z, &[tokens, tokens, kept.z.len() / tokens / tokens]),
            distogram_logits: &tensor(&logits.logits, &[tokens, tokens, logits.logits.len() / tokens / tokens]),
            chain_types: &chain_types,
        })
        .unwrap();
    println!("affinity {} and from the kept numbers {}", affinity.p_activity, again.p_activity);
    assert!((affinity.p_activity - again.p_activity).abs() < 2e-2);
    assert_eq!(affinity.checkpoint_sha256, again.checkpoint_sha256);

    let out = folder.path().join("out");
    Job::create(&out, &query, &settings).unwrap();
    worker::run(&out, &[&KFoldEngine::new()]).unwrap();
    let text = std::fs::read_to_string(out.join("binder/binder_seed-1/binder_seed-1_affinity.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!((record["p_activity"].as_f64().unwrap() - f64::from(affinity.p_activity)).abs() < 1e-5, "{text}");
    assert_eq!(record["checkpoint_sha256"], affinity.checkpoint_sha256.as_str());

    // Too short a protein for the head's windows: no answer, and the prediction stands.
    let text = "name: short\nsequences:\n- protein: {id: A, sequence: MKTAY}\n- ligand: {id: X, smiles: CCO}\n";
    let query = write_query(folder.path(), text);
    let out = folder.path().join("short");
    Job::create(&out, &query, &settings).unwrap();
    worker::run(&out, &[&KFoldEngine::new()]).unwrap();
    assert!(!out.join("short/short_seed-1/short_seed-1_affinity.json").exists());
    let events = std::fs::read_to_string(out.join("events.jsonl")).unwrap();
    assert!(events.contains("no affinity: "), "{events}");
}

#[test]
fn stages_are_carried_on_as_rigid_bodies() {
    let folder = tempfile::tempdir().unwrap();
    let text = "name: staged\nsequences:\n- rna: {id: R, sequence: GUAC}\n- dna: {id: [D, E], sequence: ACG}\n- ligand: {id: X, smiles: CCO}\n\
                assembly:\n  stages:\n  - {id: first, chains: [D, E]}\n  - {id: second, chains: [D, R]}\n";
    let query = write_query(folder.path(), text);
    let settings = settings(&goldens().join("tiny_model"));
    let out = folder.path().join("out");
    Job::create(&out, &query, &settings).unwrap();
    worker::run(&out, &[&KFoldEngine::new()]).unwrap();
    for (stage, chains) in [("first", vec!["D", "E"]), ("second", vec!["R", "D"])] {
        let file = out.join(format!("staged/staged_seed-1/assembly/{stage}_model.cif"));
        let structure = formats::read_structure(&file).unwrap();
        let found = structure.first().unwrap().topology.chains.iter().map(|chain| chain.id.to_string());
        assert_eq!(found.collect::<Vec<_>>(), chains);
    }
    // Without the stages it is another prediction.
    let staged = Results::load(&out).unwrap().ranked_complexes()[0].structure.first().unwrap().positions.clone();
    let plain = Query { assembly: None, ..query };
    let prediction = KFoldEngine::new().predict(&plain, &settings, &mut Heard::default()).unwrap();
    let complexes = prediction.complexes.unwrap();
    let positions = &complexes.samples[complexes.best().unwrap()].positions;
    assert!(positions.iter().zip(&staged).any(|(a, b)| a.distance(*b) > 0.1));
}

#[test]
fn a_run_stops_at_every_stage() {
    let (models, folder) = (models_with_atlasfold(), tempfile::tempdir().unwrap());
    let query = write_query(folder.path(), COMPLEX);
    let settings = settings(models.path());
    let mut heard = Heard::default();
    KFoldEngine::new().predict(&query, &settings, &mut heard).unwrap();
    let stages = ["prepare", "apo", "tokens", "encode", "trunk", "sampling", "confidence", "check"];
    assert_eq!(heard.stages, stages);
    for stage in &stages[..stages.len() - 1] {
        let mut heard = Heard { cancel_at: Some(stage), ..Heard::default() };
        let error = KFoldEngine::new().predict(&query, &settings, &mut heard).unwrap_err();
        assert!(matches!(error, kfold_inference::engine::EngineError::Cancelled), "{stage}: {error}");
        assert_eq!(heard.stages.last().map(String::as_str), Some(*stage), "nothing is begun after the request");
    }
}

/// What a job in `folder` fails with.
fn failure(folder: &Path, query: &Query, settings: &Settings) -> String {
    let error = Job::create(folder, query, settings).and_then(|_| worker::run(folder, &[&KFoldEngine::new()]));
    let error: JobError = error.unwrap_err();
    assert!(!error.is_cancelled());
    error.to_string()
}

#[test]
fn what_is_wrong_is_said_in_a_sentence() {
    let (models, folder) = (models_with_atlasfold(), tempfile::tempdir().unwrap());
    let query = write_query(folder.path(), COMPLEX);
    let place = |name: &str| folder.path().join(name);
    let base = settings(models.path());

    let nowhere = Settings { kfold: settings(&place("nowhere")).kfold, ..base.clone() };
    assert!(failure(&place("a"), &query, &nowhere).contains("config.yaml"));

    let lm = models.path().join("atlaslm_3b_base.safetensors");
    let whole = std::fs::read(&lm).unwrap();
    std::fs::remove_file(&lm).unwrap();
    std::fs::remove_file(models.path().join("atlasfold-m-260725.safetensors")).unwrap();
    let said = failure(&place("b"), &query, &base);
    assert!(said.contains("AtlasLM, AtlasFold-M") && said.contains("kfold-studio models"), "{said}");
    std::fs::write(&lm, &whole[..whole.len() / 2]).unwrap();
    let single = write_query(folder.path(), "name: one\nsequences:\n- protein: {id: A, sequence: MKTAY}\n");
    let said = failure(&place("c"), &single, &base);
    assert!(said.contains("atlaslm_3b_base.safetensors"), "{said}");
    std::fs::write(&lm, &whole).unwrap();

    let without_rna = Settings {
        kfold: kfold_inference::kfold::settings::KFoldSettings { disable_rna_encoder: true, ..base.kfold.clone() },
        ..base.clone()
    };
    assert!(failure(&place("d"), &query, &without_rna).contains("RNA"));
    let unknown = write_query(folder.path(), "name: one\nsequences:\n- ligand: {id: A, ccd: ZZZZZ}\n");
    assert!(failure(&place("e"), &unknown, &base).contains("ZZZZZ"));
    let taken = write_query(folder.path(), "name: cancel\nsequences:\n- ligand: {id: A, smiles: CCO}\n");
    assert!(failure(&place("f"), &taken, &base).contains("another name"));
    let nothing = write_query(folder.path(), "name: s\nsequences: []\nseries:\n- {id: l, smiles: CCO}\n");
    assert!(failure(&place("g"), &nothing, &base).contains("sequences"));
    std::fs::create_dir(place("apo")).unwrap();
    std::fs::write(
        place("apo/x.pdb"),
        "ATOM      1  CA  GLY A   1       0.000   0.000   0.000  1.00  0.00           C\n",
    )
    .unwrap();
    let other =
        write_query(folder.path(), "name: o\nsequences:\n- protein: {id: A, sequence: WWW, apo: [apo/x.pdb]}\n");
    let said = failure(&place("h"), &other, &base);
    assert!(said.contains("x.pdb") && said.contains("no residue in common"), "{said}");
}

#[test]
fn models_without_encoders_predict() {
    let folder = tempfile::tempdir().unwrap();
    let apo = "AVFGMTRSAFANLP";
    std::fs::create_dir(folder.path().join("apo")).unwrap();
    std::fs::copy(goldens().join("kf_e2e/apo/frag_apo.pdb"), folder.path().join("apo/frag.pdb")).unwrap();
    let text = format!(
        "name: light\nsequences:\n- protein: {{id: A, sequence: {apo}, apo: [apo/frag.pdb]}}\n- ligand: {{id: B, ccd: [NAG, NAG]}}\nbonds:\n- [[B, 1, O4], [B, 2, C1]]\n"
    );
    let query = write_query(folder.path(), &text);
    let mut settings = settings(&goldens().join("tiny_model"));
    settings.kfold.disable_struct_encoder = true;
    settings.kfold.disable_rna_encoder = true;
    let out = folder.path().join("out");
    Job::create(&out, &query, &settings).unwrap();
    worker::run(&out, &[&KFoldEngine::new()]).unwrap();
    let text = std::fs::read_to_string(out.join("light/light_model.cif")).unwrap();
    assert!(text.contains("2 branched"), "two sugars are a branched entity");
    let best = Results::load(&out).unwrap();
    let best = best.ranked_complexes()[0];
    let molecule = &best.ligands[0].0;
    assert_eq!(molecule.bonds.len(), molecule.atoms.len() + 1, "two rings in one piece: the query's bond joins them");
}
