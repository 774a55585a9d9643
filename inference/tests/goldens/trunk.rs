//! Goldens of the trunk.

use std::collections::HashMap;

use candle_core::Tensor;
use kfold_inference::kfold::input::pair_mask;
use kfold_inference::kfold::modules::{Parcae, TriangularStack};
use kfold_inference::kfold::noise::TapeNoise;

use super::harness::{Golden, MODULE_BAR, Result, Row};

/// Compares a golden of this family.
pub fn check(golden: &Golden) -> Option<Result<Vec<Row>>> {
    Some(match golden.name.as_str() {
        "kf_tri_stack" => tri_stack(golden),
        "kf_parcae" => parcae(golden),
        _ => return None,
    })
}

fn tri_stack(golden: &Golden) -> Result<Vec<Row>> {
    let stack = TriangularStack::load(golden.var_builder(), golden.size("channel_z")?, golden.size("num_blocks")?)?;
    let z = stack.forward(golden.input("z")?, golden.input("pair_mask")?)?;
    Ok(vec![golden.compare("out", &z, MODULE_BAR)?])
}

fn parcae(golden: &Golden) -> Result<Vec<Row>> {
    let mut config = golden.tiny_config()?;
    config.channel_z = golden.size("channel_z")?;
    config.lm_dropout = golden.number("lm_dropout")?;
    config.trunk.num_lm_blocks = golden.size("blocks.num_lm_blocks")?;
    config.trunk.num_main_blocks = golden.size("blocks.num_main_blocks")?;
    config.trunk.num_refine_blocks = golden.size("blocks.num_refine_blocks")?;
    let parcae = Parcae::load(golden.var_builder(), &config)?;
    // The masks of all cycles are one tensor here; as a tape they come one at a time.
    let masks = golden.input("dropout_keep")?;
    let cycles = golden.size("cycles")?;
    let tape = (0..cycles).map(|cycle| Ok((format!("tape.{cycle}.dropout_keep"), masks.get(cycle)?)));
    let mut noise = TapeNoise::from_tensors(&tape.collect::<Result<HashMap<String, Tensor>>>()?)?;
    let mask = pair_mask(golden.input("token_mask")?)?;
    let mut z = golden.input("z_init")?.copy()?;
    let mut before_main = Vec::new();
    for _ in 0..cycles {
        z = parcae.inject(z, golden.input("z_inputs")?, golden.input("z_lm")?, &mask, &mut noise)?;
        before_main.push(z.copy()?);
        z = parcae.evolve(z, &mask)?;
    }
    Ok(vec![
        golden.compare("a", parcae.a(), MODULE_BAR)?,
        golden.compare("b", parcae.b(), MODULE_BAR)?,
        golden.compare("z_pre_main", &Tensor::stack(&before_main, 0)?, MODULE_BAR)?,
        golden.compare("out", &parcae.refine(&z, &mask)?, MODULE_BAR)?,
    ])
}
