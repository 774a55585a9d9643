//! Queries, engines and jobs.
//!
//! A query says what to predict, an engine predicts it, a job is the directory in which that happens. This crate knows
//! nothing of drawing or windows.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod docking;
pub mod download;
pub mod elastic_network;
pub mod engine;
pub mod folders;
mod geometry;
pub mod job;
pub mod kfold;
pub mod machine;
pub mod morph;
pub mod network;
pub mod query;
pub mod remote;
pub mod settings;
pub mod statistics;
