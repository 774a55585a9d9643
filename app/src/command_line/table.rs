//! Poses as a table for people.

use kfold_inference::engine::{PoseScore, Sample};
use kfold_inference::job::PoseRecord;
use kfold_inference::statistics::{Comparison, Correlation};

/// Rows that a terminal shows at most.
const MAX_ROWS: usize = 40;

/// A line of the table.
pub(super) struct Row<'a> {
    ligand: &'a str,
    seed: u64,
    rank: u32,
    score: &'a PoseScore,
    measured_pk: Option<f32>,
    pocket: Option<u32>,
    conformer: Option<u32>,
    checks_failed: usize,
    checks: usize,
}

impl<'a> From<&'a PoseRecord> for Row<'a> {
    fn from(record: &'a PoseRecord) -> Self {
        Self {
            ligand: &record.ligand_name,
            seed: record.provenance.seed,
            rank: record.rank,
            score: &record.score,
            measured_pk: record.measured_pk,
            pocket: record.pocket,
            conformer: record.conformer,
            checks_failed: record.checks.iter().filter(|check| !check.passed).count(),
            checks: record.checks.len(),
        }
    }
}

impl<'a> From<&'a Sample> for Row<'a> {
    fn from(sample: &'a Sample) -> Self {
        Self {
            ligand: &sample.ligand_name,
            seed: sample.provenance.seed,
            rank: sample.rank,
            score: &sample.score,
            measured_pk: sample.measured_pk,
            pocket: sample.pocket,
            conformer: sample.conformer,
            checks_failed: sample.checks.iter().filter(|check| !check.passed).count(),
            checks: sample.checks.len(),
        }
    }
}

/// The rows as text, columns aligned; columns that say nothing are left out.
pub(super) fn table(rows: &[Row<'_>]) -> String {
    let has_reference = rows.iter().any(|row| row.score.rmsd_to_reference.is_some());
    let has_measured = rows.iter().any(|row| row.measured_pk.is_some());
    let has_checks = rows.iter().any(|row| row.checks > 0);
    let has_pockets = rows.iter().any(|row| row.pocket.is_some());
    let has_conformers = rows.iter().any(|row| row.conformer.is_some());
    let has_cnn = rows.iter().any(|row| row.score.cnn.is_some());
    let has_seeds = rows.iter().any(|row| row.seed != rows[0].seed);
    let mut header = vec!["ligand"];
    if has_seeds {
        header.push("seed");
    }
    header.extend(["rank", "kcal/mol"]);
    if has_cnn {
        header.extend(["pose probability", "pred. pK"]);
    } else {
        header.push("est. pK");
    }
    header.extend(["kcal/mol/atom", "RMSD to best"]);
    if has_reference {
        header.push("RMSD to reference");
    }
    if has_measured {
        header.push("measured pK");
    }
    if has_pockets {
        header.push("pocket");
    }
    if has_conformers {
        header.push("conformer");
    }
    if has_checks {
        header.push("checks");
    }
    let mut lines = vec![header.into_iter().map(str::to_owned).collect::<Vec<_>>()];
    for row in rows.iter().take(MAX_ROWS) {
        let mut line = vec![row.ligand.to_owned()];
        if has_seeds {
            line.push(row.seed.to_string());
        }
        line.extend([row.rank.to_string(), format!("{:.2}", row.score.score_kcal_per_mol)]);
        match &row.score.cnn {
            Some(cnn) => {
                line.extend([format!("{:.2}", cnn.pose_probability), format!("{:.1} ± {:.1}", cnn.pk, cnn.pk_spread)]);
            }
            None if has_cnn => line.extend(["-".into(), format!("{:.1}", row.score.pk_of_energy())]),
            None => line.push(format!("{:.1}", row.score.pk_of_energy())),
        }
        line.extend([
            format!("{:.2}", row.score.ligand_efficiency_kcal_per_mol),
            format!("{:.2}", row.score.rmsd_to_best),
        ]);
        if has_reference {
            line.push(row.score.rmsd_to_reference.map_or_else(|| "-".into(), |rmsd| format!("{rmsd:.2}")));
        }
        if has_measured {
            line.push(row.measured_pk.map_or_else(|| "-".into(), |pk| format!("{pk:.2}")));
        }
        let whole = |value: Option<u32>| value.map_or_else(|| "-".into(), |value| value.to_string());
        if has_pockets {
            line.push(whole(row.pocket));
        }
        if has_conformers {
            line.push(whole(row.conformer));
        }
        if has_checks {
            line.push(match row.checks_failed {
                0 => "passed".into(),
                failed => format!("{failed} of {} failed", row.checks),
            });
        }
        lines.push(line);
    }
    let mut text = aligned(&lines);
    if rows.len() > MAX_ROWS {
        text.push_str(&format!("... and {} more\n", rows.len() - MAX_ROWS));
    }
    text
}

/// How well predictions follow measurements, the number of heavy atoms beside them.
pub(super) fn comparison_text(comparison: &Comparison) -> String {
    let line = |name: &str, found: Option<Correlation>| {
        let Some(found) = found else { return vec![name.to_owned(), "-".into(), "-".into(), "-".into(), "-".into()] };
        let interval =
            found.spearman_interval.map_or_else(|| "-".into(), |(low, high)| format!("{low:.2} to {high:.2}"));
        let number = |value: f32| format!("{value:.2}");
        vec![name.to_owned(), number(found.spearman), interval, number(found.pearson), number(found.kendall)]
    };
    let title = format!("against {} measured pK", comparison.count);
    let header = [title.as_str(), "Spearman", "95 %", "Pearson", "Kendall"].map(str::to_owned).to_vec();
    aligned(&[
        header,
        line("predicted pK", Some(comparison.prediction)),
        line("number of heavy atoms", comparison.heavy_atoms),
    ])
}

/// Columns wide enough for their content: the first to the left, numbers to the right.
pub(super) fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for line in lines {
        let cells = line.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}
