//! `pockets STRUCTURE`: where a small molecule could bind.

use std::path::PathBuf;

use clap::Args;
use kfold_molecule::Model;
use kfold_molecule::analysis::pockets::{Pocket, pockets};
use serde::Serialize;

use super::common::first_model;
use super::table::aligned;
use super::{Outcome, standard_output, terminal};

/// Finds cavities that a small molecule could fill, best first. Waters and small molecules of the file count as space.
#[derive(Debug, Args)]
pub(super) struct Pockets {
    /// The structure: PDB, mmCIF or BinaryCIF, plain or .gz
    structure: PathBuf,
    /// Pockets to list, at most
    #[arg(long, default_value_t = 10, value_name = "N")]
    count: usize,
    /// JSON on standard output
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Record {
    rank: usize,
    score: f32,
    volume_cubic_angstrom: f32,
    center: [f32; 3],
    alpha_spheres: usize,
    apolar_share: f32,
    hydrophobic_density: f32,
    atoms_within_8_angstrom: f32,
    residues: Vec<String>,
}

impl Pockets {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let model = first_model(&self.structure)?;
        let found = pockets(&model);
        let records: Vec<Record> = found
            .iter()
            .take(self.count)
            .enumerate()
            .map(|(index, pocket)| record(&model, index + 1, pocket))
            .collect();
        if self.json {
            standard_output::json(&records)?;
            return Ok(Outcome::Done);
        }
        if records.is_empty() {
            terminal::say("no pocket was found: the structure has no cleft that a small molecule could fill");
            return Ok(Outcome::Done);
        }
        let header = ["pocket", "score", "volume Å³", "spheres", "apolar", "centre Å"];
        let mut lines = vec![header.map(str::to_owned).to_vec()];
        lines.extend(records.iter().map(|record| {
            vec![
                record.rank.to_string(),
                format!("{:.1}", record.score),
                format!("{:.0}", record.volume_cubic_angstrom),
                record.alpha_spheres.to_string(),
                format!("{:.0} %", 100.0 * record.apolar_share),
                record.center.map(|coordinate| format!("{coordinate:.1}")).join(" "),
            ]
        }));
        // Residues after the columns: there may be fifty of them.
        let residues = records.iter().map(|record| record.residues.join(" "));
        let residues = std::iter::once("residues".to_owned()).chain(residues);
        for (line, residues) in aligned(&lines).lines().zip(residues) {
            standard_output::line(&format!("{line}  {residues}"))?;
        }
        Ok(Outcome::Done)
    }
}

fn record(model: &Model, rank: usize, pocket: &Pocket) -> Record {
    let residues = pocket.residues.iter().map(|&residue| {
        let residue = &model.topology.residues[residue as usize];
        format!("{}:{}", model.topology.chain_of(residue).id, residue.number_text())
    });
    Record {
        rank,
        score: pocket.score,
        volume_cubic_angstrom: pocket.volume,
        center: pocket.center.to_array(),
        alpha_spheres: pocket.spheres.len(),
        apolar_share: pocket.apolar_share,
        hydrophobic_density: pocket.hydrophobic_density,
        atoms_within_8_angstrom: pocket.burial,
        residues: residues.collect(),
    }
}
