//! Why K-Fold cannot predict a query on this machine: the one rule that the engine, `auto` and the window go by.

use std::path::PathBuf;

use crate::kfold::model_folder::ModelFolder;
use crate::query::{LigandSource, Query};

/// What stands against a prediction by K-Fold here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// There is nothing to fold.
    #[error("it has no sequence; put the protein's into `sequences`")]
    NoSequence,
    /// A ligand whose chemistry K-Fold would have to guess.
    #[error("a ligand is given as a 3D file; give its SMILES or its component code")]
    LigandFile,
    /// The weights were never fetched.
    #[error("there are no weights in {}; `kfold-studio models pull` fetches them", folder.display())]
    NoWeights {
        /// Where they are looked for.
        folder: PathBuf,
    },
    /// Files of the weights that the query needs.
    #[error("weights are missing in {}: {}", folder.display(), parts.join(", "))]
    Weights {
        /// Where they are looked for.
        folder: PathBuf,
        /// What is missing, as people call it.
        parts: Vec<&'static str>,
    },
    /// The configuration beside the weights is not one of K-Fold 1.0.0.
    #[error("{0}")]
    Configuration(String),
}

impl Obstacle {
    /// What stands against the query, weights aside.
    #[must_use]
    pub fn of_query(query: &Query) -> Option<Self> {
        if query.sequences.is_empty() {
            return Some(Self::NoSequence);
        }
        let ligands = query.ligands().map(|ligand| &ligand.source);
        let mut sources = ligands.chain(query.series.iter().map(|ligand| &ligand.source));
        sources.any(|source| matches!(source, LigandSource::Sdf { .. })).then_some(Self::LigandFile)
    }

    /// What stands against predicting it with the weights in a folder.
    #[must_use]
    pub fn of(query: &Query, models: &ModelFolder) -> Option<Self> {
        let no_weights =
            || models.config_file().is_none().then(|| Self::NoWeights { folder: models.path().to_owned() });
        Self::of_query(query).or_else(no_weights).or_else(|| match super::missing_weights(query, models) {
            Ok(parts) if parts.is_empty() => None,
            Ok(parts) => Some(Self::Weights { folder: models.path().to_owned(), parts }),
            Err(error) => Some(Self::Configuration(error.to_string())),
        })
    }

    /// Whether K-Fold on another machine could not either.
    #[must_use]
    pub const fn is_of_query(&self) -> bool {
        matches!(self, Self::NoSequence | Self::LigandFile)
    }
}
