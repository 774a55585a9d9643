//! Prints the checks and interactions of every pose of an SDF file in a receptor, as lines of tab-separated text.
//!
//! `cargo run --release -p kfold-molecule --example examine_poses -- RECEPTOR.pdb POSES.sdf [INPUT.sdf]`: for comparison
//! with other programs. Without an input the poses are held against themselves. Waters beside the receptor
//! (`waters.pdb`) are added.

use std::io::Write;
use std::path::Path;

use kfold_molecule::analysis::interactions::{LigandSites, ReceptorSites, find_between};
use kfold_molecule::analysis::pose_checks::{PoseChecker, ReceptorSpace};
use kfold_molecule::formats::{read_small_molecule_records, read_structure};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [receptor, poses, rest @ ..] = &arguments[..] else {
        return Err("usage: examine_poses RECEPTOR.pdb POSES.sdf [INPUT.sdf]".into());
    };
    let structure = read_structure(Path::new(receptor))?;
    let model = structure.first().ok_or("no atoms")?;
    let poses = read_small_molecule_records(Path::new(poses))?.molecules;
    let input = match rest {
        [path, ..] => read_small_molecule_records(Path::new(path))?.molecules.into_iter().next(),
        [] => None,
    };
    let (space, sites) = (ReceptorSpace::new(model), ReceptorSites::new(model));
    let mut out = std::io::stdout().lock();
    for (index, pose) in poses.iter().enumerate() {
        let started = std::time::Instant::now();
        let mut checker = PoseChecker::new(Some(&space), Some(input.as_ref().unwrap_or(pose)), 8, 1)?;
        for check in checker.check(pose, &|| false)? {
            writeln!(
                out,
                "check\t{index}\t{}\t{}\t{:.4}\t{}\t{}",
                pose.name,
                serde_json::to_string(&check.kind)?,
                check.value,
                check.limit,
                if check.passed { "passed" } else { "FAILED" }
            )?;
        }
        let first = started.elapsed();
        let again = std::time::Instant::now();
        checker.check(pose, &|| false)?;
        writeln!(out, "seconds\t{index}\t{:.3}\t{:.3}", first.as_secs_f64(), again.elapsed().as_secs_f64())?;
        let positions = pose.conformers.first().map(Vec::as_slice).unwrap_or_default();
        for found in find_between(&sites, &LigandSites::new(pose)?, positions) {
            writeln!(
                out,
                "interaction\t{index}\t{}\t{}\t{:?}\t{:.2}\t{:?}",
                serde_json::to_string(&found.kind)?,
                found.residue,
                found.ligand_atoms,
                found.distance,
                found.angle.map(|angle| angle.to_degrees().round()),
            )?;
        }
    }
    Ok(())
}
