//! From a query to what the networks read.
//!
//! ```text
//! Query ── reference (which atoms) ──┬── prior (where each sample starts) ──┐
//!            │ component (chemistry)  │                                       ├── tokens ── FoldingInput
//! apo files ─┴── apo (laid onto the query's residues) ────────────────────────┘
//! ```
//!
//! Two random streams, both NumPy's and both made from the seed alone, as in the reference: stream 0 for the priors, stream
//! 1 for the reference conformers.

pub mod apo;
pub mod component;
pub mod langevin;
pub mod numpy_random;
pub mod placement;
pub mod prior;
pub mod reference;
pub mod tokens;
pub mod vocabulary;

use std::collections::HashMap;

use apo::{Apo, ResidueCoordinates};
use component::ComponentLibrary;
use numpy_random::NumpyGenerator;
use reference::ReferenceStructure;
use tokens::Padding;

use super::Result;
use super::input::FoldingInput;
use crate::query::Query;

/// A query made ready for the networks.
#[derive(Debug)]
pub struct PreparedInput {
    /// The complex without coordinates; atoms in the order of the outputs.
    pub structure: ReferenceStructure,
    /// The features.
    pub input: FoldingInput,
}

/// Parts of the complex whose shape is given, where samples start: by sequential assembly.
#[derive(Clone, Debug, Default)]
pub struct Starts {
    /// The parts; a chain is in one at most.
    pub bodies: Vec<RigidBody>,
}

/// Chains that start as one rigid body.
#[derive(Clone, Debug)]
pub struct RigidBody {
    /// Indices of the chains, with the coordinates of their atoms, Å.
    pub chains: Vec<(usize, Vec<[f32; 3]>)>,
}

/// Prepares a query. `apos` and `priors` hold for each protein chain (by index in [`ReferenceStructure::chains`]) its apo
/// structures and the structures that samples start from; `starts` go before the latter.
///
/// # Errors
/// When the query cannot be built (unknown component, wrong SMILES, wrong bond) or a protein has no structure to start from.
pub fn prepare(
    structure: ReferenceStructure,
    apos: &HashMap<usize, Vec<Apo>>,
    priors: &HashMap<usize, Vec<ResidueCoordinates>>,
    starts: &Starts,
    seed: u64,
    samples: usize,
    padding: Padding,
) -> Result<PreparedInput> {
    let mut stream = NumpyGenerator::from_entropy(&[seed, 0]);
    let places = prior::sample(&structure, priors, starts, samples, &mut stream)?;
    let input = tokens::build(&structure, apos, &places, padding, &mut NumpyGenerator::from_entropy(&[seed, 1]))?;
    Ok(PreparedInput { structure, input })
}

/// The complex of a query, with the dictionary inside the program.
///
/// # Errors
/// As for [`ReferenceStructure::of_query`].
pub fn reference_structure(query: &Query) -> Result<ReferenceStructure> {
    ReferenceStructure::of_query(query, &mut ComponentLibrary::new()?)
}
