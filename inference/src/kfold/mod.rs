//! K-Fold: the networks of KAIST's K-Fold 1.0.0 and AtlasFold 1.0.4 in candle, written anew from their published sources.
//!
//! The way of a prediction: [`input::FoldingInput`] holds the features of one query; the trunk (`model`) embeds it, merges
//! the language and structure encoders' views and refines a pair state z of shape [1, N, N, c_z] over several cycles; the
//! score model then walks the apo structures to the complex, and the confidence head judges the result.
//!
//! Conventions that hold in the whole room:
//! - One file a module, in the reference's vocabulary, with the reference's parameter names, so that a published checkpoint
//!   loads as it is: `load(vb, ..)` takes a `VarBuilder` already at the module's prefix, `forward` computes.
//! - Sizes come from `config.yaml` ([`config::KFoldConfig`]) and from the tensors; nothing is sized in code.
//! - Features are unbatched ([`input::FoldingInput`]); embeddings carry the reference's leading batch dimension of 1.
//! - Randomness is an argument ([`noise::Noise`]): seeded in production, a recorded tape in the golden tests.
//! - Tensors are f32 and contiguous unless a function says otherwise. Where the tensors are on the processor the heavy
//!   operations run in `primitives::cpu`; elsewhere, and in the tests that check those, as candle compositions.

#![allow(clippy::needless_pass_by_value, reason = "candle hands a VarBuilder on by value")]

pub mod apo_download;
pub mod atlasfold;
pub mod checkpoint;
pub mod config;
pub mod device;
pub mod encoders;
pub mod engine;
mod error;
pub mod features;
pub mod geometry;
pub mod input;
pub mod layers;
mod loading;
pub mod manifest;
pub mod memory;
pub mod mersenne_twister;
pub mod model;
pub mod model_folder;
pub mod modules;
pub mod noise;
pub mod output;
pub mod plan;
pub mod precision;
pub mod prediction;
pub mod primitives;
pub mod record;
pub mod run_times;
pub mod settings;

pub use error::{KFoldError, Result};
