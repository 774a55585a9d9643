//! A series for K-Fold: a complex for each ligand, one after the other.
//!
//! The public program predicts one complex for a query and takes a folder of queries for many. A series is such a folder
//! within one job, with the ligands in turn beside the same polymers; each has the tree of a query of its own
//! ([`super::complexes`]), so whatever reads one reads them all:
//!
//! ```text
//! NAME_LIGAND/           the tree of the complex with that ligand
//!   NAME_LIGAND_seed-1/failed.txt    instead of done.txt: why this ligand cannot be predicted
//! NAME_series.csv        the best sample of each ligand, best first
//! NAME_model.cif         the best of all
//! ```
//!
//! Each of these is a job of the same directory ([`Job::members`]) to everything that writes and reads results. Unbound
//! structures do not depend on the ligand: those of the first complex are copied to the others.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{ComplexResult, Job, JobError, complexes, files};
use crate::engine::EngineName;
use crate::query::{Query, SeriesLigand};

/// What says in a seed's folder that its ligand cannot be predicted, and why.
pub(crate) const FAILED: &str = "failed.txt";

/// The longest part of a ligand's name that its files carry.
const NAME_LENGTH: usize = 60;

impl Job {
    /// Whether this is a series of complexes.
    #[must_use]
    pub fn is_complex_series(&self) -> bool {
        self.settings.engine == EngineName::KFold && !self.query.series.is_empty()
    }

    /// The jobs within this one, each with the ligand that makes it one: a complex for each ligand of a series that K-Fold
    /// predicts, in order. Any other job is its own only member.
    #[must_use]
    pub fn members(&self) -> Vec<(Option<String>, Self)> {
        if !self.is_complex_series() {
            return vec![(None, self.clone())];
        }
        let base = Query { series: Vec::new(), ..self.query.clone() };
        let member = |ligand: &SeriesLigand| {
            let query = Query { name: member_name(&self.query.name, &ligand.name), ..base.with_ligand(ligand) };
            let job = Self { folder: self.folder.clone(), query, settings: self.settings.clone() };
            (Some(ligand.name.clone()), job)
        };
        self.query.series.iter().map(member).collect()
    }

    /// The file that says why a seed of this member cannot be predicted.
    pub(super) fn failure_mark(&self, seed: u64) -> PathBuf {
        self.seed_folder(seed).join(FAILED)
    }

    /// Whether nothing is left to do for a seed of this member.
    pub(super) fn is_member_done(&self, seed: u64) -> bool {
        self.is_seed_done(seed) || self.failure_mark(seed).is_file()
    }

    /// Whether nothing is left to do for a seed of any ligand of the series.
    pub(super) fn is_series_done(&self, seed: u64) -> bool {
        self.query.series.iter().all(|ligand| {
            let name = member_name(&self.query.name, &ligand.name);
            let folder = self.folder.join(&name).join(format!("{name}_seed-{seed}"));
            ["done.txt", FAILED].iter().any(|mark| folder.join(mark).is_file())
        })
    }
}

/// How the files of a ligand's complex are called. A name that no file can have is cut to what one can, and told from others
/// by a digest of the whole.
fn member_name(query: &str, ligand: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let mut name: String = ligand.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
    // Letters of one case alone: some disks do not tell cases apart.
    let is_itself = name == ligand && name.len() <= NAME_LENGTH && name.to_ascii_lowercase() == name;
    if !is_itself {
        name.truncate(NAME_LENGTH);
        let digest = Sha256::digest(ligand.as_bytes());
        name.push_str(&format!("-{:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3]));
    }
    format!("{query}_{name}")
}

/// Copies the unbound structures that another ligand's complex has, where this one has none yet.
pub(super) fn share_apos(from: &Job, to: &Job, seed: u64) -> Result<(), JobError> {
    let folder = |job: &Job| match job.settings.kfold.share_apo_seeds.is_empty() {
        true => job.seed_folder(seed).join("apo"),
        false => job.output_folder().join("apo"),
    };
    let (from, to) = (folder(from), folder(to));
    if from == to || !from.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(&to).map_err(JobError::write(&to))?;
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&from).map_err(JobError::read(&from))? {
        names.push(entry.map_err(JobError::read(&from))?.file_name());
    }
    // The marks that say that an entry's structures are whole go last.
    names.sort_by_key(|name| (Path::new(name).extension().is_some_and(|end| end == "done"), name.clone()));
    for name in names.iter().filter(|name| !name.to_string_lossy().starts_with(files::TEMPORARY_PREFIX)) {
        let target = to.join(name);
        if !target.exists() {
            super::copy_file(&from.join(name), &target).map_err(JobError::write(&target))?;
        }
    }
    Ok(())
}

/// Writes the files above the ligands' complexes, the table last.
///
/// # Errors
/// When the job cannot be read or written, or no ligand could be predicted.
pub(super) fn write_summary(job: &Job) -> Result<(), JobError> {
    let mut rows: Vec<(String, Job, complexes::Row)> = Vec::new();
    let mut failed: Vec<(String, String)> = Vec::new();
    for (ligand, member) in job.members() {
        let ligand = ligand.unwrap_or_default();
        match complexes::write_summary(&member)? {
            Some(best) => rows.push((ligand, member, best)),
            None => {
                let reasons = job.settings.seeds.iter().map(|seed| std::fs::read_to_string(member.failure_mark(*seed)));
                let reason = reasons.flatten().next().unwrap_or_default();
                failed.push((ligand, reason.trim().to_owned()));
            }
        }
    }
    let score = |row: &complexes::Row| row.2.complex.ranking_score;
    rows.sort_by(|a, b| score(&b.2).total_cmp(&score(&a.2)));
    let Some((_, best, _)) = rows.first() else {
        let reason = failed.first().map_or("", |(_, reason)| reason);
        let text = format!("no ligand of the series could be predicted; of the first: {reason}");
        return Err(crate::engine::EngineError::Input(text).into());
    };
    for suffix in ["model.cif", "confidence.json", "model.pdb", "ligands.sdf"] {
        let (from, to) = (best.output_path(suffix), job.output_path(suffix));
        if from.is_file() {
            super::copy_file(&from, &to).map_err(JobError::write(&to))?;
        }
    }
    let path = job.summary_path();
    let table = table(job, &rows, &failed).map_err(|error| JobError::content(&path, error))?;
    files::write_whole(&path, &table).map_err(JobError::write(&path))
}

fn table(
    job: &Job,
    rows: &[(String, Job, complexes::Row)],
    failed: &[(String, String)],
) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "ligand",
        "seed",
        "sample",
        "ranking_score",
        "plddt",
        "ptm",
        "iptm",
        "pde",
        "has_clash",
        "measured_pk",
        "problem",
    ])?;
    let measured = |name: &str| {
        let ligand = job.query.series.iter().find(|ligand| ligand.name == name);
        ligand.and_then(|ligand| ligand.measured_pk).map_or_else(String::new, |pk| pk.to_string())
    };
    for (ligand, _, (seed, sample, summary)) in rows {
        let scores = &summary.complex;
        writer.write_record([
            ligand.clone(),
            seed.to_string(),
            sample.to_string(),
            scores.ranking_score.to_string(),
            scores.plddt.to_string(),
            scores.ptm.to_string(),
            scores.iptm.to_string(),
            scores.pde.to_string(),
            format!("{:.0}", scores.has_clash),
            measured(ligand),
            String::new(),
        ])?;
    }
    for (ligand, reason) in failed {
        let mut row = vec![ligand.clone()];
        row.extend(std::iter::repeat_n(String::new(), 8));
        row.extend([measured(ligand), reason.clone()]);
        writer.write_record(row)?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// The samples of a seed, of all ligands that are done.
pub(super) fn load_seed(job: &Job, seed: u64) -> Result<Vec<ComplexResult>, JobError> {
    let mut complexes = Vec::new();
    for (ligand, member) in job.members() {
        if member.is_seed_done(seed) {
            let loaded = complexes::load_seed(&member, seed)?;
            let predicted_activity = complexes::load_affinity(&member, seed)?.map(|found| found.p_activity);
            let named = |complex| ComplexResult { ligand: ligand.clone(), predicted_activity, ..complex };
            complexes.extend(loaded.into_iter().map(named));
        }
    }
    Ok(complexes)
}

/// Puts the outputs of pieces together: a ligand's tree is moved as it is, also that of a piece whose worker was lost later.
pub(super) fn merge(job: &Job) -> Result<(), JobError> {
    let folder = job.folder.join("pieces");
    let mut places: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(JobError::read(&folder))? {
        places.push(entry.map_err(JobError::read(&folder))?.path());
    }
    places.sort();
    for place in places.iter().filter(|place| Job::is_job(place)) {
        for (_, member) in Job::open(place)?.members() {
            let (from, to) = (member.output_folder(), job.folder.join(&member.query.name));
            let is_whole = job.settings.seeds.iter().all(|seed| member.is_member_done(*seed));
            if is_whole && from.is_dir() && !to.exists() {
                std::fs::rename(&from, &to).map_err(JobError::write(&to))?;
            }
        }
    }
    write_summary(job)
}

/// Ligands of a piece where an engine takes minutes for each, given how many there are where it takes seconds.
pub(super) fn ligands_per_piece(docked: usize) -> usize {
    docked.div_ceil(10)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::job::pieces;
    use crate::query::{Entity, LigandSource, Polymer};
    use crate::settings::Settings;

    #[test]
    fn ligands_have_files_of_their_own() {
        assert_eq!(member_name("q", "a-1"), "q_a-1");
        let names = ["a", "A", "a/b", "a_b", "a.b", "../x", "가", "나", &"x".repeat(200), &"x".repeat(199)];
        let made: HashSet<String> = names.iter().map(|name| member_name("q", name).to_lowercase()).collect();
        assert_eq!(made.len(), names.len(), "{made:?}");
        assert!(made.iter().all(|name| !name.contains(['/', '.']) && name.len() < 100), "{made:?}");
    }

    #[test]
    fn a_member_is_the_query_with_one_ligand() {
        let polymer = Polymer { ids: vec!["L".into()], sequence: "GA".into(), ..Polymer::default() };
        let ligand = |name: &str| SeriesLigand {
            name: name.into(),
            source: LigandSource::Smiles("CCO".into()),
            measured_pk: Some(5.0),
        };
        let query = Query {
            name: "q".into(),
            sequences: vec![Entity::Protein(polymer)],
            series: vec![ligand("a"), ligand("b")],
            ..Query::default()
        };
        let settings = Settings { engine: EngineName::KFold, ..Settings::default() };
        let job = Job { folder: "/nowhere".into(), query, settings };
        let members = job.members();
        assert_eq!(members.len(), 2);
        let (name, member) = &members[1];
        assert_eq!((name.as_deref(), member.query.name.as_str()), (Some("b"), "q_b"));
        assert!(member.query.validate().is_ok() && member.query.ligands().count() == 1);
        assert_eq!(member.seed_folder(3), Path::new("/nowhere/q_b/q_b_seed-3"));
        assert_eq!(job.output_path("series.csv"), Path::new("/nowhere/q_series.csv"));
        assert_eq!(pieces::count(&job.query, EngineName::KFold, 10), 2);
    }
}
