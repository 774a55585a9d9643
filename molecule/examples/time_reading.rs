//! Reads each file several times and prints, as JSON lines, the atoms, the least seconds from path to molecule (bonds
//! and kinds included) on the clock and of the processors, the same for the bond search alone, and the peak memory of the
//! process in MiB.
//!
//! `cargo run --release -p kfold-molecule --example time_reading -- REPEATS FILE...`
//! (`tests/benchmark/reading.py` runs it beside gemmi)

#![allow(clippy::print_stdout, missing_docs)]

use std::path::Path;
use std::time::Instant;

use kfold_molecule::{bonds, formats};

/// Peak resident memory, MiB; Linux tells it.
fn peak_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<f64>().ok().map(|kib| kib / 1024.0)
}

/// Seconds that all threads have spent on processors; Linux tells it.
fn processor_seconds() -> f64 {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return 0.0 };
    let texts = threads.flatten().filter_map(|thread| std::fs::read_to_string(thread.path().join("schedstat")).ok());
    texts.filter_map(|text| text.split(' ').next()?.parse::<f64>().ok()).sum::<f64>() * 1.0e-9
}

/// Runs `work`, keeping the least of clock and processor seconds.
fn timed<T>(least: &mut [f64; 2], work: impl FnOnce() -> T) -> T {
    let (clock, processor) = (Instant::now(), processor_seconds());
    let result = work();
    let taken = [clock.elapsed().as_secs_f64(), processor_seconds() - processor];
    *least = [0, 1].map(|kind| least[kind].min(taken[kind]));
    result
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let repeats: usize = arguments.next().ok_or("how many times?")?.parse()?;
    for argument in arguments {
        let mut all = [f64::INFINITY; 2];
        let mut bond_search = [f64::INFINITY; 2];
        let mut atoms = 0;
        let mut memory = None;
        for _ in 0..repeats {
            let structure = timed(&mut all, || formats::read_structure(Path::new(&argument)))?;
            atoms = structure.atom_count();
            memory = memory.or_else(peak_memory);
            if let Some(model) = structure.first() {
                let mut bare = (*model.topology).clone();
                bare.bonds.clear();
                timed(&mut bond_search, || bonds::assign(&mut bare, &model.positions));
            }
        }
        println!(
            "{}",
            serde_json::json!({
                "file": argument, "atoms": atoms, "seconds": all, "bond_seconds": bond_search,
                "peak_mib": memory,
            })
        );
    }
    Ok(())
}
