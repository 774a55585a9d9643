//! The window and the command line of K-Fold Studio.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod assembly;
pub mod command_line;
pub mod drawing;
pub mod exports;
pub mod report;
pub mod scripts;
pub mod superposition;
pub mod texts;
pub mod window;
