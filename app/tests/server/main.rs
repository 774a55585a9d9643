//! The server end to end: the program serves over real HTTP, its workers dock, its client sends, follows and fetches; then
//! everything that may go wrong, by accident and on purpose.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod attacks;
#[path = "../desk/mod.rs"]
mod desk;
mod disk;
mod faults;
mod kfold;
mod network;
mod runs;
mod service;
mod slurm;
mod window;
