//! Scores poses with the networks again and again, and says how long a pose takes: our half of `tests/benchmark/gnina.py`.
//!
//! gnina_benchmark RECEPTOR POSES.sdf THREADS ROUNDS

#![allow(clippy::print_stdout, reason = "this is its output")]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use kfold_inference::docking::Receptor;
use kfold_inference::docking::gnina::Scorer;
use kfold_molecule::formats;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [receptor, poses, threads, rounds] = &arguments[..] else {
        return Err("usage: gnina_benchmark RECEPTOR POSES.sdf THREADS ROUNDS".into());
    };
    let receptor = Receptor::new(&formats::read_structure(Path::new(receptor))?, &[])?;
    let molecules = formats::read_small_molecules(Path::new(poses))?;
    let ligand = molecules.first().ok_or("no poses")?;
    let positions = molecules.iter().filter_map(|molecule| molecule.conformers.first().map(Vec::as_slice));
    let positions: Vec<_> = positions.filter(|positions| positions.len() == ligand.atoms.len()).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.parse()?).build()?;
    let started = Instant::now();
    let scorer = Scorer::new(&receptor)?;
    let prepared = started.elapsed().as_secs_f64();
    let mut seconds = Vec::new();
    let mut scores = Vec::new();
    for _ in 0..rounds.parse()? {
        let started = Instant::now();
        scores = pool.install(|| scorer.score(ligand, &positions))?;
        seconds.push(started.elapsed().as_secs_f64() / positions.len() as f64);
    }
    println!("{}", serde_json::json!({"prepare_s": prepared, "s_per_pose": seconds, "scores": scores}));
    Ok(())
}
