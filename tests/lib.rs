//! Tests that cross crates, run on the samples. This library only says where the samples are.

use std::path::PathBuf;

/// Folder of a sample in the repository.
#[must_use]
pub fn sample(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../samples").join(name)
}

/// The samples that hold a query.
pub const SAMPLES: [&str; 6] =
    ["kinase", "protease", "nuclear-receptor", "adenylate-kinase", "thrombin-series", "dna-complex"];
