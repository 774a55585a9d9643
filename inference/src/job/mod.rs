//! Jobs.

pub mod files;
