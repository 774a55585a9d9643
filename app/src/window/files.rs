//! Where things live and what a file is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use kfold_inference::job::files::write_whole;
use serde::{Deserialize, Serialize};

use super::dock::Layout;
use crate::texts::Language;

/// Recent files kept.
const RECENT: usize = 10;
/// Saved layouts kept.
const LAYOUTS: usize = 20;

/// Folders and programs that the window uses.
#[derive(Clone, Debug)]
pub struct Places {
    /// The samples that came with the program, if they are found.
    pub samples: Option<PathBuf>,
    /// Where runs live.
    pub runs: PathBuf,
    /// Where sessions without a name are saved.
    pub sessions: PathBuf,
    /// Where the lessons of this user lie.
    pub lessons: PathBuf,
    /// The preferences file.
    pub preferences: PathBuf,
    /// The program to call with `worker JOBDIR`; this program itself.
    pub worker: Option<PathBuf>,
    /// Whether the system is likely to offer file dialogs.
    pub has_dialogs: bool,
}

impl Places {
    /// The places of this system and user.
    #[must_use]
    pub fn of_this_user() -> Self {
        Self {
            samples: find_samples(),
            runs: user_folder("XDG_DATA_HOME", ".local/share").join("runs"),
            sessions: user_folder("XDG_DATA_HOME", ".local/share").join("sessions"),
            lessons: user_folder("XDG_DATA_HOME", ".local/share").join("lessons"),
            preferences: user_folder("XDG_CONFIG_HOME", ".config").join("preferences.json"),
            worker: std::env::current_exe().ok(),
            has_dialogs: super::dialogs::has_system_dialogs(),
        }
    }

    /// A folder for a new run of this query that does not exist yet: `NAME`, then `NAME-2` and so on.
    #[must_use]
    pub fn new_run(&self, query_name: &str) -> PathBuf {
        let base = if query_name.is_empty() { "query" } else { query_name };
        (1_u32..)
            .map(|number| self.runs.join(if number == 1 { base.to_owned() } else { format!("{base}-{number}") }))
            .find(|path| !path.exists())
            .unwrap_or_else(|| self.runs.join(base))
    }
}

/// The program's folder under a base folder of the user's (XDG base directory specification on Linux).
fn user_folder(variable: &str, fallback: &str) -> PathBuf {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = if cfg!(windows) {
        absolute("APPDATA")
    } else if cfg!(target_os = "macos") {
        absolute("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        absolute(variable).or_else(|| absolute("HOME").map(|home| home.join(fallback)))
    };
    base.unwrap_or_else(|| PathBuf::from(".")).join("kfold-studio")
}

/// The samples folder: beside the program, above it (a build in the source tree), or where packages put shared data.
fn find_samples() -> Option<PathBuf> {
    let program = std::env::current_exe().ok();
    let above = program.iter().flat_map(|path| path.ancestors().skip(1)).map(|folder| folder.join("samples"));
    let current = std::env::current_dir().ok().map(|folder| folder.join("samples"));
    let shared = ["/usr/share/kfold-studio/samples", "/usr/local/share/kfold-studio/samples"].map(PathBuf::from);
    above.chain(current).chain(shared).find(|folder| folder.join("kinase/query.yaml").is_file())
}

/// One of the samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Folder name.
    pub name: String,
    /// Its query.
    pub query: PathBuf,
}

/// The samples in a folder, in the order in which they are shown.
#[must_use]
pub fn samples_in(folder: &Path) -> Vec<Sample> {
    const ORDER: [&str; 6] =
        ["kinase", "protease", "nuclear-receptor", "thrombin-series", "adenylate-kinase", "dna-complex"];
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut samples: Vec<Sample> = entries
        .flatten()
        .filter_map(|entry| {
            let query = entry.path().join("query.yaml");
            query.is_file().then(|| Sample { name: entry.file_name().to_string_lossy().into_owned(), query })
        })
        .collect();
    let place = |sample: &Sample| ORDER.iter().position(|name| *name == sample.name).unwrap_or(ORDER.len());
    samples.sort_by(|a, b| place(a).cmp(&place(b)).then_with(|| a.name.cmp(&b.name)));
    samples
}

/// Keys of a sample's title and of the line below it.
#[must_use]
pub fn sample_keys(name: &str) -> Option<(&'static str, &'static str)> {
    Some(match name {
        "kinase" => ("sample-kinase", "sample-kinase-note"),
        "protease" => ("sample-protease", "sample-protease-note"),
        "nuclear-receptor" => ("sample-nuclear-receptor", "sample-nuclear-receptor-note"),
        "thrombin-series" => ("sample-thrombin-series", "sample-thrombin-series-note"),
        "adenylate-kinase" => ("sample-adenylate-kinase", "sample-adenylate-kinase-note"),
        "dna-complex" => ("sample-dna-complex", "sample-dna-complex-note"),
        _ => return None,
    })
}

/// What a file is to the window, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A query.
    Query,
    /// A structure.
    Structure,
    /// Small molecules.
    Molecules,
    /// Sequences.
    Sequences,
    /// A ligand series.
    Series,
    /// The folder of a run.
    Run,
    /// A session.
    Session,
}

impl FileKind {
    /// The kind of a file or folder; `None` when it is none of ours.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        if path.is_dir() {
            return path.join("query.json").is_file().then_some(Self::Run);
        }
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        let extension = name.rsplit_once('.')?.1;
        Some(match extension {
            "yaml" | "yml" | "json" => Self::Query,
            "pdb" | "ent" | "cif" | "mmcif" => Self::Structure,
            "sdf" | "mol" | "sd" => Self::Molecules,
            "fasta" | "fa" | "faa" | "fna" | "seq" => Self::Sequences,
            super::session::EXTENSION => Self::Session,
            "csv" | "smi" | "smiles" | "tsv" => Self::Series,
            _ => return None,
        })
    }
}

/// The run that a folder within it belongs to: what it wrote for a query or a seed. Nothing where the folder is one of ours
/// itself, or of no run.
#[must_use]
pub fn run_around(folder: &Path) -> Option<PathBuf> {
    // The folder of a seed has a query too, but no settings.
    let is_run = |folder: &Path| folder.join("query.json").is_file() && folder.join("settings.json").is_file();
    if !folder.is_dir() || is_run(folder) {
        return None;
    }
    folder.ancestors().skip(1).take(3).find(|above| is_run(above)).map(Path::to_path_buf)
}

/// What the user chose once and for all; kept between sessions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// Language of the window; the system's until it is switched.
    pub language: Language,
    /// Light or dark; the system's when `None`.
    pub dark: Option<bool>,
    /// Files opened lately, the last first.
    pub recent: Vec<PathBuf>,
    /// How the panes lie, once they were moved.
    pub layout: Option<Layout>,
    /// Size of the text; 1 is as it was made.
    pub text_scale: f32,
    /// Tasks of each lesson that are done.
    pub lessons: BTreeMap<String, BTreeSet<usize>>,
    /// Whether no connection may be opened.
    pub offline: bool,
    /// Layouts that were saved, by name.
    pub layouts: Vec<(String, Layout)>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            language: Language::from_environment(),
            dark: None,
            recent: Vec::new(),
            layout: None,
            text_scale: 1.0,
            lessons: BTreeMap::new(),
            offline: false,
            layouts: Vec::new(),
        }
    }
}

impl Preferences {
    /// Reads them; defaults when there is no file or it does not read, because preferences are never worth an error.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        std::fs::read_to_string(path).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    /// Writes them.
    ///
    /// # Errors
    /// When the folder cannot be made or the file cannot be written.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        write_whole(path, serde_json::to_string_pretty(self)?.as_bytes())
    }

    /// Keeps a layout under a name, in place of one that has it.
    pub fn save_layout(&mut self, name: String, layout: Layout) {
        self.layouts.retain(|(held, _)| *held != name);
        self.layouts.push((name, layout));
        if self.layouts.len() > LAYOUTS {
            self.layouts.remove(0);
        }
    }

    /// Puts a file in front of the recent ones.
    pub fn remember(&mut self, path: &Path) {
        self.recent.retain(|held| held != path);
        self.recent.insert(0, path.to_owned());
        self.recent.truncate(RECENT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_names() {
        for (name, kind) in [
            ("a.yaml", Some(FileKind::Query)),
            ("1AKE.PDB", Some(FileKind::Structure)),
            ("1ake.cif.gz", Some(FileKind::Structure)),
            ("l.sdf", Some(FileKind::Molecules)),
            ("l.csv", Some(FileKind::Series)),
            ("l.docx", None),
            ("noextension", None),
        ] {
            assert_eq!(FileKind::of(Path::new(name)), kind, "{name}");
        }
    }

    #[test]
    fn a_folder_within_a_run_opens_the_run() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        let inner = run.join("name/name_seed-1");
        std::fs::create_dir_all(&inner).unwrap();
        assert_eq!(run_around(&inner), None);
        for file in [run.join("query.json"), run.join("settings.json"), inner.join("query.json")] {
            std::fs::write(file, "{}").unwrap();
        }
        assert_eq!(run_around(&inner), Some(run.clone()));
        assert_eq!(run_around(&run.join("name")), Some(run.clone()));
        assert_eq!((run_around(&run), run_around(folder.path())), (None, None));
    }

    #[test]
    fn recent_files_have_no_twins_and_an_end() {
        let mut preferences = Preferences::default();
        for number in 0..20 {
            preferences.remember(Path::new(&format!("/a/{}", number % 12)));
        }
        assert_eq!(preferences.recent.len(), RECENT);
        assert_eq!(preferences.recent[0], Path::new("/a/7"));
    }

    #[test]
    fn preferences_survive_and_a_broken_file_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/preferences.json");
        let mut preferences = Preferences { language: Language::Korean, ..Preferences::default() };
        preferences.remember(Path::new("/a/b.pdb"));
        preferences.write(&path).unwrap();
        assert_eq!(Preferences::read(&path), preferences);
        std::fs::write(&path, "{ not json").unwrap();
        assert_eq!(Preferences::read(&path).recent.len(), 0);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
