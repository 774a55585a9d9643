//! Goldens of the primitives.

use candle_core::Tensor;
use kfold_inference::kfold::primitives::Transition;
use kfold_inference::kfold::primitives::triangle_attention::{self, TriangleAttention};
use kfold_inference::kfold::primitives::triangle_multiplication::{self, TriangleMultiplication};

use super::harness::{Golden, MODULE_BAR, Result, Row};

/// Compares a golden of this family.
pub fn check(golden: &Golden) -> Option<Result<Vec<Row>>> {
    Some(match golden.name.as_str() {
        "kf_tri_mul_out" => multiplication(golden, triangle_multiplication::Direction::Outgoing),
        "kf_tri_mul_in" => multiplication(golden, triangle_multiplication::Direction::Incoming),
        "kf_tri_attn_start" => attention(golden, triangle_attention::Direction::Starting),
        "kf_tri_attn_end" => attention(golden, triangle_attention::Direction::Ending),
        "kf_transition_x2" | "kf_transition_x4" => transition(golden),
        _ => return None,
    })
}

fn multiplication(golden: &Golden, direction: triangle_multiplication::Direction) -> Result<Vec<Row>> {
    let layer = TriangleMultiplication::load(golden.var_builder(), golden.size("dim")?, direction)?;
    let (x, mask) = (golden.input("x")?, Some(golden.input("mask")?));
    composed_and_fused(golden, x, &layer.forward(x, mask)?, &layer.add_to(x, mask)?)
}

fn attention(golden: &Golden, direction: triangle_attention::Direction) -> Result<Vec<Row>> {
    let (channel, heads) = (golden.size("c_in")?, golden.size("no_heads")?);
    let layer = TriangleAttention::load(golden.var_builder(), channel, heads, direction)?;
    let (x, mask) = (golden.input("x")?, Some(golden.input("mask")?));
    composed_and_fused(golden, x, &layer.forward(x, mask)?, &layer.add_to(x, mask)?)
}

fn transition(golden: &Golden) -> Result<Vec<Row>> {
    let layer = Transition::load(golden.var_builder(), golden.size("channel")?, golden.size("expansion_factor")?)?;
    let x = golden.input("x")?;
    composed_and_fused(golden, x, &layer.forward(x)?, &layer.add_to(x)?)
}

/// The update as a composition of tensor operations, and its sum with the input as the fused operation makes it.
fn composed_and_fused(golden: &Golden, x: &Tensor, composed: &Tensor, fused: &Tensor) -> Result<Vec<Row>> {
    let sum = (x + golden.output("out")?)?;
    Ok(vec![golden.compare("out", composed, MODULE_BAR)?, Row::compare("x + out, fused", fused, &sum, MODULE_BAR)?])
}
