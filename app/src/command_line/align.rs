//! `align MOBILE TARGET`: one structure laid on another, by sequence, by shape or by a selection.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use kfold_molecule::analysis::structure_alignment::{ChainMatch, Pairing, StructureAlignment, match_selected};
use kfold_molecule::analysis::superpose::{Transform, rmsd};
use kfold_molecule::{Model, Selection, Structure, formats};
use serde::Serialize;

use super::common::{first_model, write_structure};
use super::{Outcome, standard_output};
use crate::superposition::{Fit, Laid, LayError, lay, points};

/// How residues are paired.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    /// Sequence alignment, chains paired as they lie in space
    Sequence,
    /// TM-align, whatever the sequence
    Shape,
}

impl By {
    const fn pairing(self) -> Pairing {
        match self {
            Self::Sequence => Pairing::Sequence,
            Self::Shape => Pairing::Shape,
        }
    }
}

/// Lays one structure on another and says how well they fit.
#[derive(Debug, Args)]
pub(super) struct Align {
    /// The structure that is moved: PDB, mmCIF or BinaryCIF, plain or .gz
    mobile: PathBuf,
    /// The structure that it is laid on
    target: PathBuf,
    /// By what residues are paired
    #[arg(long, value_enum, default_value_t = By::Sequence)]
    by: By,
    /// Leave pairs farther apart than this, in Å, out of the superposition (by sequence)
    #[arg(long, value_name = "Å")]
    cutoff: Option<f32>,
    /// Superpose these atoms, paired by residue and name (docs/selections.md)
    #[arg(long, value_name = "SELECTION")]
    select: Option<Selection>,
    /// The same for the target, where it differs
    #[arg(long, value_name = "SELECTION", requires = "select")]
    target_select: Option<Selection>,
    /// Also the fit of every model of the moved structure, each laid by itself
    #[arg(long)]
    models: bool,
    /// Also the RMSD of these atoms after the superposition, e.g. ligand
    #[arg(long, value_name = "SELECTION")]
    rmsd: Option<Selection>,
    /// Write the moved structure, all its models
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// JSON on standard output, with the distance of each pair of residues
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    mobile: String,
    target: String,
    by: &'static str,
    chains: Vec<ChainMatch>,
    residues_of_mobile: usize,
    residues_of_target: usize,
    paired_residues: usize,
    identical_residues: usize,
    /// Of all paired residues after the superposition.
    rmsd_angstrom: f32,
    /// Pairs that the superposition is made from, and their RMSD.
    superposed_pairs: usize,
    superposed_rmsd_angstrom: f32,
    tm_score_by_mobile: f64,
    tm_score_by_target: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    selected: Option<Selected>,
    /// Rows of the rotation, then the translation in Å.
    rotation: [[f32; 3]; 3],
    translation_angstrom: [f32; 3],
    distances: Vec<PairDistance>,
    /// The fit of each model, with `--models`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    models: Vec<Fit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
}

/// The RMSD of the atoms of `--rmsd`.
#[derive(Debug, Serialize)]
struct Selected {
    selection: String,
    atoms: usize,
    rmsd_angstrom: f32,
}

#[derive(Debug, Serialize)]
struct PairDistance {
    mobile: String,
    target: String,
    distance_angstrom: f32,
}

impl Align {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let mut structure = formats::read_structure(&self.mobile)?;
        let mobile = structure.models.first().with_context(|| format!("{} has no atoms", self.mobile.display()))?;
        let target = first_model(&self.target)?;
        let sets = match &self.select {
            Some(select) => {
                let other = self.target_select.as_ref().unwrap_or(select);
                let sets = (select.select(mobile), other.select(&target));
                if sets.0.is_empty() || sets.1.is_empty() {
                    bail!("no atom of one of the two structures is selected by `{select}`");
                }
                Some(sets)
            }
            None => None,
        };
        let laid =
            lay(mobile, &target, self.by.pairing(), self.cutoff, sets.as_ref()).map_err(|error| match error {
                LayError::TooFew => {
                    let (mobile, target) = (self.mobile.display(), self.target.display());
                    anyhow::anyhow!("{mobile} and {target}: {error}")
                }
                LayError::TooFewSelected => error.into(),
            })?;
        let Laid { found, transform, pairs, rmsd: laid_rmsd } = laid;
        let superposed = (pairs, laid_rmsd);
        let mut report = self.report(mobile, &target, &found, &transform, superposed)?;
        if self.models {
            report.models = self.fits(&structure, &target)?;
        }
        if let Some(path) = &self.output {
            for model in &mut structure.models {
                model.positions.iter_mut().for_each(|position| *position = transform.apply(*position));
            }
            write_structure(path, &structure)?;
            report.file = Some(path.display().to_string());
        }
        if self.json {
            standard_output::json(&report)?;
        } else {
            standard_output::write(&text(&report))?;
        }
        Ok(Outcome::Done)
    }

    /// The fit of each model, laid on the target by itself.
    fn fits(&self, structure: &Structure, target: &Model) -> anyhow::Result<Vec<Fit>> {
        let fit = |(index, mobile): (usize, &Model)| {
            let other = self.target_select.as_ref().or(self.select.as_ref());
            let sets = self.select.as_ref().zip(other).map(|(own, other)| (own.select(mobile), other.select(target)));
            let laid = lay(mobile, target, self.by.pairing(), self.cutoff, sets.as_ref());
            let laid = laid.with_context(|| format!("{}, model {}", self.mobile.display(), index + 1))?;
            Ok(laid.fit(mobile, target))
        };
        structure.models.iter().enumerate().map(fit).collect()
    }

    fn report(
        &self,
        mobile: &Model,
        target: &Model,
        found: &StructureAlignment,
        transform: &Transform,
        superposed: (usize, f32),
    ) -> anyhow::Result<Report> {
        let (a, b) = points(mobile, target, &found.pairs);
        let moved: Vec<glam::Vec3> = a.iter().map(|point| transform.apply(*point)).collect();
        let distances = moved.iter().zip(&b).zip(&found.pairs).map(|((a, b), pair)| PairDistance {
            mobile: residue_text(mobile, pair.0),
            target: residue_text(target, pair.1),
            distance_angstrom: a.distance(*b),
        });
        let selected = match &self.rmsd {
            Some(selection) => {
                let sets = (selection.select(mobile), selection.select(target));
                let pairs = match_selected((mobile, &sets.0), (target, &sets.1), &found.pairs);
                let (a, b) = points(mobile, target, &pairs);
                let moved: Vec<glam::Vec3> = a.iter().map(|point| transform.apply(*point)).collect();
                let rmsd_angstrom = rmsd(&moved, &b)
                    .with_context(|| format!("no atoms of `{selection}` can be paired by residue and name"))?;
                Some(Selected { selection: selection.to_string(), atoms: pairs.len(), rmsd_angstrom })
            }
            None => None,
        };
        Ok(Report {
            mobile: self.mobile.display().to_string(),
            target: self.target.display().to_string(),
            by: match (&self.select, self.by) {
                (Some(_), _) => "selection",
                (None, By::Sequence) => "sequence",
                (None, By::Shape) => "shape",
            },
            chains: found.chains.clone(),
            residues_of_mobile: found.residues[0],
            residues_of_target: found.residues[1],
            paired_residues: found.pairs.len(),
            identical_residues: found.identical,
            rmsd_angstrom: rmsd(&moved, &b).unwrap_or(found.rmsd),
            superposed_pairs: superposed.0,
            superposed_rmsd_angstrom: superposed.1,
            tm_score_by_mobile: found.tm_score_by_mobile,
            tm_score_by_target: found.tm_score_by_target,
            selected,
            rotation: transform.rotation.transpose().to_cols_array_2d(),
            translation_angstrom: transform.translation.to_array(),
            distances: distances.collect(),
            models: Vec::new(),
            file: None,
        })
    }
}

/// Chain, name and number, e.g. `A ASP 381`.
fn residue_text(model: &Model, atom: u32) -> String {
    let residue = model.topology.residue_of(atom as usize);
    format!("{} {} {}", model.topology.chain_of(residue).id, residue.name, residue.number_text()).trim().to_owned()
}

fn text(report: &Report) -> String {
    let mut text = String::new();
    for chain in &report.chains {
        text.push_str(&format!(
            "chain {} on {}: {} residues paired, {} identical\n",
            chain.mobile, chain.target, chain.paired, chain.identical
        ));
    }
    text.push_str(&format!("RMSD {:.2} Å over {} pairs of residues\n", report.rmsd_angstrom, report.paired_residues));
    text.push_str(&format!(
        "superposed on {} pairs, {:.2} Å\n",
        report.superposed_pairs, report.superposed_rmsd_angstrom
    ));
    text.push_str(&format!(
        "TM-score {:.4} by the mobile structure ({} residues), {:.4} by the target ({})\n",
        report.tm_score_by_mobile, report.residues_of_mobile, report.tm_score_by_target, report.residues_of_target
    ));
    if let Some(selected) = &report.selected {
        text.push_str(&format!(
            "RMSD {:.2} Å over {} atoms of `{}`\n",
            selected.rmsd_angstrom, selected.atoms, selected.selection
        ));
    }
    for (index, fit) in report.models.iter().enumerate() {
        let (mobile, target) = (fit.tm_score_by_mobile, fit.tm_score_by_target);
        let rmsd = fit.rmsd_angstrom;
        text.push_str(&format!("model {}: RMSD {rmsd:.2} Å, TM-score {mobile:.4} and {target:.4}\n", index + 1));
    }
    if let Some(file) = &report.file {
        text.push_str(&format!("{file}\n"));
    }
    text
}
