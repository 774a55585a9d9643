//! How to predict: the settings file of a job.

use serde::{Deserialize, Serialize};

use crate::engine::EngineName;
use crate::kfold::settings::KFoldSettings;
use crate::query::Query;

/// Seeds of one run at most.
const MAX_SEEDS: usize = 1_000;

/// Settings of a run. Equal settings on equal builds give equal files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Who predicts.
    pub engine: EngineName,
    /// Seeds to run, one after the other; each has its own folder of outputs.
    pub seeds: Vec<u64>,
    /// The seed of this call of the engine; the worker sets it from `seeds`.
    pub seed: u64,
    /// Docking settings.
    pub docking: DockingSettings,
    /// K-Fold's settings.
    pub kfold: KFoldSettings,
}

/// Settings of the docking engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DockingSettings {
    /// Scoring function.
    pub scoring: ScoringFunction,
    /// Whether trained networks (GNINA's) rank the poses that the search finds and predict pK.
    pub cnn: bool,
    /// Search effort, proportional to time; one to three independent searches are started for each.
    pub exhaustiveness: u32,
    /// Poses kept for each ligand, at most.
    pub poses: u32,
    /// Poses closer than this to a better one are dropped: symmetry-aware RMSD in Å.
    pub min_rmsd: f32,
    /// Poses worse than the best by more than this are dropped: kcal/mol.
    pub energy_range_kcal_per_mol: f32,
    /// Threads; 0 for all cores. The result does not depend on it.
    pub threads: u32,
    /// Conformers of the protein to make by the elastic network, 0 for none.
    pub ensemble_conformers: u32,
    /// Amplitude of those conformers: Å RMSD over CA.
    pub ensemble_amplitude: f32,
    /// Whether ligands are docked into those conformers too; each pose says into which.
    pub dock_into_ensemble: bool,
    /// Pockets that are searched, best first, where the query names none.
    pub pockets: u32,
    /// Residues whose side chains turn during the search, e.g. `A:145`.
    pub flexible: Vec<String>,
    /// Side chains this near to the reference ligand (or the box's middle) turn too: Å, 0 for none.
    pub flexible_within: f32,
    /// Whether the largest part that a ligand shares with the reference ligand is held where that has it.
    pub hold_scaffold: bool,
}

/// Empirical scoring functions with published constants. The default is the one whose best pose is right more often on
/// the complexes of `docs/benchmarks.md`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoringFunction {
    /// Trott & Olson, J. Comput. Chem. 2010, 31, 455.
    #[default]
    Vina,
    /// Quiroga & Villarreal, PLoS ONE 2016, 11, e0155183.
    Vinardo,
}

impl ScoringFunction {
    /// Name as published.
    #[must_use]
    pub const fn display_name(self) -> &'static str {
        match self {
            Self::Vina => "Vina",
            Self::Vinardo => "Vinardo",
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            engine: EngineName::Docking,
            seeds: vec![1],
            seed: 1,
            docking: DockingSettings::default(),
            kfold: KFoldSettings::default(),
        }
    }
}

impl Default for DockingSettings {
    fn default() -> Self {
        Self {
            scoring: ScoringFunction::default(),
            cnn: true,
            exhaustiveness: 8,
            poses: 9,
            min_rmsd: 1.5,
            energy_range_kcal_per_mol: 3.0,
            threads: 0,
            ensemble_conformers: 0,
            ensemble_amplitude: 1.5,
            dock_into_ensemble: false,
            pockets: 3,
            flexible: Vec::new(),
            flexible_within: 0.0,
            hold_scaffold: false,
        }
    }
}

impl EngineName {
    /// Every engine.
    pub const ALL: [Self; 2] = [Self::Docking, Self::KFold];

    /// The name in files and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Docking => "docking",
            Self::KFold => "kfold",
        }
    }

    /// The engine of a name as [`Self::name`] gives it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|engine| engine.name() == name)
    }

    /// All names, for messages.
    #[must_use]
    pub fn list() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl Settings {
    /// The defaults with what the query itself asks for. Where it leaves the engine open ([`Query::engine_name`]) that is for
    /// whoever runs it to choose.
    #[must_use]
    pub fn for_query(query: &Query) -> Self {
        let mut settings = Self::default();
        if let Some(engine) = &query.engine {
            settings.engine = engine.name.unwrap_or(settings.engine);
            if let Some(docking) = &engine.docking {
                settings.docking.clone_from(docking);
            }
            if let Some(kfold) = &engine.kfold {
                settings.kfold.clone_from(kfold);
            }
        }
        settings
    }

    /// Checks that every number is in its range.
    ///
    /// # Errors
    /// The field and what is wrong with it.
    pub fn validate(&self) -> Result<(), SettingsError> {
        if self.seeds.is_empty() || self.seeds.len() > MAX_SEEDS {
            return Err(SettingsError::new("seeds", format!("give 1 to {MAX_SEEDS} seeds, not {}", self.seeds.len())));
        }
        for (index, seed) in self.seeds.iter().enumerate() {
            if self.seeds[..index].contains(seed) {
                return Err(SettingsError::new("seeds", format!("the seed {seed} is given twice")));
            }
        }
        if self.engine == EngineName::KFold && self.seeds.contains(&0) {
            return Err(SettingsError::new("seeds", "K-Fold's seeds begin at 1".to_owned()));
        }
        self.docking.validate().map_err(|(field, problem)| SettingsError::new(&format!("docking.{field}"), problem))?;
        self.kfold.validate().map_err(|(field, problem)| SettingsError::new(&format!("kfold.{field}"), problem))
    }
}

/// A setting outside its range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("settings: {field}: {problem}")]
pub struct SettingsError {
    /// The field, e.g. `docking.poses`.
    pub field: String,
    /// What is wrong and what to do.
    pub problem: String,
}

impl SettingsError {
    fn new(field: &str, problem: String) -> Self {
        Self { field: field.to_owned(), problem }
    }
}

impl DockingSettings {
    /// What ranks the poses, as results name it, e.g. `Vina + GNINA CNN`.
    #[must_use]
    pub fn method_name(&self) -> String {
        let scoring = self.scoring.display_name();
        if self.cnn { format!("{scoring} + GNINA CNN") } else { scoring.to_owned() }
    }

    /// The fields as files name them.
    pub(crate) const FIELDS: &[&str] = &[
        "scoring",
        "cnn",
        "exhaustiveness",
        "poses",
        "min_rmsd",
        "energy_range_kcal_per_mol",
        "threads",
        "ensemble_conformers",
        "ensemble_amplitude",
        "dock_into_ensemble",
        "pockets",
        "flexible",
        "flexible_within",
        "hold_scaffold",
    ];

    /// Checks that every number is in its range; the error is the field and what is wrong with it.
    pub(crate) fn validate(&self) -> Result<(), (&'static str, String)> {
        let whole = [
            ("exhaustiveness", self.exhaustiveness, 1, 10_000),
            ("poses", self.poses, 1, 1_000),
            ("threads", self.threads, 0, 1_024),
            ("ensemble_conformers", self.ensemble_conformers, 0, 1_000),
            ("pockets", self.pockets, 1, 100),
        ];
        for (field, value, low, high) in whole {
            if !(low..=high).contains(&value) {
                return Err((field, format!("{value} is not between {low} and {high}")));
            }
        }
        let real = [
            ("min_rmsd", self.min_rmsd, 0.0, 20.0, "Å"),
            ("energy_range_kcal_per_mol", self.energy_range_kcal_per_mol, 0.0, 1_000.0, "kcal/mol"),
            ("ensemble_amplitude", self.ensemble_amplitude, 0.0, 20.0, "Å"),
            ("flexible_within", self.flexible_within, 0.0, 20.0, "Å"),
        ];
        for (field, value, low, high, unit) in real {
            if !(low..=high).contains(&value) {
                return Err((field, format!("{value} is not between {low} and {high} {unit}")));
            }
        }
        if self.dock_into_ensemble && self.ensemble_conformers == 0 {
            return Err(("dock_into_ensemble", "there are no conformers; set ensemble_conformers".to_owned()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_docking_fields_is_complete() {
        let value = serde_json::to_value(DockingSettings::default()).unwrap();
        let fields: Vec<&String> = value.as_object().unwrap().keys().collect();
        let mut known = DockingSettings::FIELDS.to_vec();
        known.sort_unstable();
        let mut fields: Vec<&str> = fields.into_iter().map(String::as_str).collect();
        fields.sort_unstable();
        assert_eq!(fields, known);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let mut settings = Settings::default();
        assert_eq!(settings.validate(), Ok(()));
        settings.docking.poses = 0;
        assert_eq!(settings.validate().unwrap_err().field, "docking.poses");
        settings.docking.poses = 1;
        settings.docking.min_rmsd = f32::NAN;
        assert_eq!(settings.validate().unwrap_err().field, "docking.min_rmsd");
        settings = Settings { seeds: vec![3, 3], ..Settings::default() };
        assert_eq!(settings.validate().unwrap_err().field, "seeds");
    }
}
