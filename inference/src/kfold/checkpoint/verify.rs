//! Whether a file holds exactly the tensors that a model expects.

use std::collections::BTreeSet;
use std::fmt;

use super::Checkpoint;

/// Names shown of a long list; the counts are always whole.
const SHOWN: usize = 20;

/// A tensor that a model needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpectedTensor {
    /// Its name in the checkpoint.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
}

/// What a model expects of its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// The tensors it needs.
    pub tensors: Vec<ExpectedTensor>,
    /// Parts of names that may be there without being needed, e.g. `sequence_head.` of the RNA model.
    pub ignored: Vec<String>,
}

impl Expected {
    /// Adds a part of names that may be there without being needed.
    #[must_use]
    pub fn ignoring(mut self, part: &str) -> Self {
        self.ignored.push(part.to_owned());
        self
    }

    /// Whether a tensor may be there without being needed.
    #[must_use]
    pub fn ignores(&self, name: &str) -> bool {
        self.ignored.iter().any(|part| name.contains(part.as_str()))
    }
}

/// A tensor of the wrong shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misshapen {
    /// Its name.
    pub name: String,
    /// The shape the model needs.
    pub expected: Vec<usize>,
    /// The shape in the file.
    pub found: Vec<usize>,
}

/// How a file compares with what a model expects. Lists are sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Tensors that are there with the right shape.
    pub matched: usize,
    /// Needed and not there.
    pub missing: Vec<ExpectedTensor>,
    /// There and not known.
    pub extra: Vec<String>,
    /// There with another shape.
    pub misshapen: Vec<Misshapen>,
    /// There, known, and not needed.
    pub ignored: Vec<String>,
}

impl Report {
    /// Whether the file fits.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.missing.is_empty() && self.extra.is_empty() && self.misshapen.is_empty()
    }
}

/// Compares a file with what a model expects.
#[must_use]
pub fn verify(checkpoint: &Checkpoint, expected: &Expected) -> Report {
    let mut report = Report::default();
    let mut needed = BTreeSet::new();
    for tensor in &expected.tensors {
        needed.insert(tensor.name.as_str());
        match checkpoint.describe(&tensor.name) {
            None => report.missing.push(tensor.clone()),
            Some((_, found)) if found == tensor.shape => report.matched += 1,
            Some((_, found)) => report.misshapen.push(Misshapen {
                name: tensor.name.clone(),
                expected: tensor.shape.clone(),
                found: found.to_vec(),
            }),
        }
    }
    for name in checkpoint.names().filter(|name| !needed.contains(name)) {
        if expected.ignores(name) { &mut report.ignored } else { &mut report.extra }.push(name.to_owned());
    }
    report.missing.sort();
    report.misshapen.sort_by(|a, b| a.name.cmp(&b.name));
    report
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tensors as expected", self.matched)?;
        if !self.ignored.is_empty() {
            write!(f, ", {} not needed", self.ignored.len())?;
        }
        let missing = self.missing.iter().map(|tensor| format!("{} {:?}", tensor.name, tensor.shape)).collect();
        list(f, "missing", missing)?;
        list(f, "extra", self.extra.clone())?;
        let misshapen = self
            .misshapen
            .iter()
            .map(|tensor| format!("{} {:?} instead of {:?}", tensor.name, tensor.found, tensor.expected))
            .collect();
        list(f, "misshapen", misshapen)
    }
}

fn list(f: &mut fmt::Formatter<'_>, what: &str, items: Vec<String>) -> fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    write!(f, "\n{} {what}:", items.len())?;
    for item in items.iter().take(SHOWN) {
        write!(f, "\n  {item}")?;
    }
    if items.len() > SHOWN {
        write!(f, "\n  and {} more", items.len() - SHOWN)?;
    }
    Ok(())
}
