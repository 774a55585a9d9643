//! Runs every network against the numbers of the reference (K-Fold 1.0.0 and AtlasFold 1.0.4 in PyTorch, float32).
//!
//! Every directory of `tests/goldens` and of `$KFOLD_GOLDENS` is a golden: `config.json`, `weights.safetensors`,
//! `inputs.safetensors`, `outputs.safetensors`. Each is shown to the families below in turn; one that nobody knows fails, and
//! so does one of whose outputs any is not compared. `GOLDENS_ONLY=prefix[,prefix..]` runs a part.
//!
//! What the reference runs under autocast is compared once more with its matrices rounded to bf16 ([`rounded`]).
//!
//! cargo test --release -p kfold-inference --test goldens -- --nocapture

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "goldens/harness.rs"]
mod harness;

#[path = "goldens/atlasfold.rs"]
mod atlasfold;
#[path = "goldens/encoders.rs"]
mod encoders;
#[path = "goldens/features.rs"]
mod features;
#[path = "goldens/layers.rs"]
mod layers;
#[path = "goldens/modules.rs"]
mod modules;
#[path = "goldens/primitives.rs"]
mod primitives;
#[path = "goldens/rounded.rs"]
mod rounded;
#[path = "goldens/tokenizers.rs"]
mod tokenizers;
#[path = "goldens/trunk.rs"]
mod trunk;

use harness::{Golden, Result, Row};

/// What a family says to a golden: not mine, or the comparison.
type Check = fn(&Golden) -> Option<Result<Vec<Row>>>;

const FAMILIES: [Check; 8] = [
    primitives::check,
    layers::check,
    modules::check,
    trunk::check,
    encoders::check,
    tokenizers::check,
    atlasfold::check,
    features::check,
];

#[test]
fn goldens() {
    let directories = harness::directories();
    assert!(!directories.is_empty(), "there is no golden to run");
    let mut failed = Vec::new();
    for directory in &directories {
        let report = harness::run(directory, &FAMILIES);
        println!("{report}");
        if !report.ok() {
            failed.push(report.name().to_owned());
        }
    }
    println!("{} goldens, {} failed", directories.len(), failed.len());
    assert!(failed.is_empty(), "{} of {} goldens failed: {}", failed.len(), directories.len(), failed.join(", "));
}
