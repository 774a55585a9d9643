//! Asking for a file: the system's dialog where there is one, a field for the path where there is none.
//!
//! On Linux the dialog comes from the desktop portal, which a bare window manager or a remote session may lack; rfd then
//! answers at once, as if the user had cancelled. No person cancels within [`QUICK`], so that answer opens the field.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::background::Outbox;
use super::message::Message;

/// An answer without a file that comes sooner than this did not come from a person.
const QUICK: Duration = Duration::from_millis(350);

/// What a file is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Anything the window opens.
    Open,
    /// The folder of a run.
    OpenRun,
    /// The receptor's structure.
    Structure,
    /// A ligand with coordinates.
    Ligand,
    /// A list of ligands.
    Series,
    /// The ligand that marks the pocket.
    PocketLigand,
    /// An unbound structure of the polymer entity of this index.
    Apo(usize),
    /// A structure to compare with what is shown.
    Compare,
    /// The certificate of a server.
    Certificate,
    /// Where to save the query.
    SaveQuery,
    /// Where to write an export.
    Export(ExportKind),
    /// Where to write the numbers behind a plot.
    Numbers,
    /// Where to save the session.
    SaveSession,
}

/// What can be exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExportKind {
    /// The shown complex, or all models of an ensemble.
    Pdb,
    /// The poses with their scores.
    Sdf,
    /// The table.
    Csv,
    /// The picture.
    Png,
    /// The shown complex as mmCIF.
    Cif,
    /// A script that rebuilds the view in PyMOL.
    PyMol,
    /// A script that rebuilds the view in ChimeraX.
    ChimeraX,
    /// A scene file with its molecules and kept views.
    Scene,
    /// The triangles of the view for other programs.
    Gltf,
    /// A page about the result for browsers.
    ReportHtml,
    /// The same for paper.
    ReportPdf,
    /// The interaction diagram as vectors.
    DiagramSvg,
    /// The interaction diagram as pixels.
    DiagramPng,
    /// The map of errors as a picture.
    MapPng,
    /// The map of errors as numbers.
    MapCsv,
}

impl ExportKind {
    /// All in the order of the menu.
    pub const ALL: [Self; 15] = [
        Self::Pdb,
        Self::Cif,
        Self::Sdf,
        Self::Csv,
        Self::ReportHtml,
        Self::ReportPdf,
        Self::Png,
        Self::DiagramSvg,
        Self::DiagramPng,
        Self::MapPng,
        Self::MapCsv,
        Self::Scene,
        Self::Gltf,
        Self::PyMol,
        Self::ChimeraX,
    ];

    /// Key of its entry in the menu.
    #[must_use]
    pub const fn command(self) -> &'static str {
        match self {
            Self::Pdb => "command-export-pdb",
            Self::Sdf => "command-export-sdf",
            Self::Csv => "command-export-csv",
            Self::Png => "command-export-png",
            Self::Cif => "command-export-cif",
            Self::PyMol => "command-export-pymol",
            Self::ChimeraX => "command-export-chimerax",
            Self::Scene => "command-export-scene",
            Self::Gltf => "command-export-gltf",
            Self::ReportHtml => "command-export-report-html",
            Self::ReportPdf => "command-export-report-pdf",
            Self::DiagramSvg => "command-export-diagram-svg",
            Self::DiagramPng => "command-export-diagram-png",
            Self::MapPng => "command-export-map-png",
            Self::MapCsv => "command-export-map-csv",
        }
    }

    /// Extension of its files.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Pdb => "pdb",
            Self::Sdf => "sdf",
            Self::Csv => "csv",
            Self::Png | Self::DiagramPng | Self::MapPng => "png",
            Self::Cif => "cif",
            Self::PyMol => "pml",
            Self::ChimeraX => "cxc",
            Self::Scene => "json",
            Self::Gltf => "glb",
            Self::ReportHtml => "html",
            Self::ReportPdf => "pdf",
            Self::DiagramSvg => "svg",
            Self::MapCsv => "csv",
        }
    }

    /// What stands between the query's name and the extension in the name that is suggested.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Scene => "_scene",
            Self::ReportHtml | Self::ReportPdf => "_report",
            Self::DiagramSvg | Self::DiagramPng => "_site",
            Self::MapPng | Self::MapCsv => "_errors",
            _ => "",
        }
    }

    /// Whether there must be a result, not only something in the view.
    #[must_use]
    pub const fn needs_result(self) -> bool {
        !matches!(self, Self::Pdb | Self::Png | Self::Cif | Self::PyMol | Self::ChimeraX | Self::Scene | Self::Gltf)
    }

    /// Key of the dialog's title.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Pdb => "dialog-export-pdb",
            Self::Sdf => "dialog-export-sdf",
            Self::Csv => "dialog-export-csv",
            Self::Png => "dialog-export-png",
            Self::Cif => "dialog-export-cif",
            Self::PyMol => "dialog-export-pymol",
            Self::ChimeraX => "dialog-export-chimerax",
            Self::Scene => "dialog-export-scene",
            Self::Gltf => "dialog-export-gltf",
            Self::ReportHtml | Self::ReportPdf => "dialog-export-report",
            Self::DiagramSvg | Self::DiagramPng => "dialog-export-diagram",
            Self::MapPng | Self::MapCsv => "dialog-export-map",
        }
    }
}

impl Purpose {
    /// Key of the dialog's title.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Open => "dialog-open",
            Self::OpenRun => "dialog-open-run",
            Self::Structure => "dialog-structure",
            Self::Ligand => "dialog-ligand",
            Self::Series => "dialog-series",
            Self::PocketLigand => "dialog-pocket-ligand",
            Self::Apo(_) => "dialog-apo",
            Self::Compare => "dialog-compare",
            Self::SaveQuery => "dialog-save-query",
            Self::SaveSession => "dialog-save-session",
            Self::Certificate => "dialog-certificate",
            Self::Numbers => "dialog-numbers",
            Self::Export(kind) => kind.title(),
        }
    }

    /// Whether a file is written rather than read.
    #[must_use]
    pub const fn saves(self) -> bool {
        matches!(self, Self::SaveQuery | Self::SaveSession | Self::Numbers | Self::Export(_))
    }

    const fn extensions(self) -> &'static [&'static str] {
        const STRUCTURE: &[&str] = &["pdb", "ent", "cif", "mmcif", "gz"];
        match self {
            Self::Open => &[
                "yaml",
                "yml",
                "json",
                "pdb",
                "ent",
                "cif",
                "mmcif",
                "gz",
                "sdf",
                "mol",
                "csv",
                "smi",
                "fasta",
                "fa",
                "kfsession",
            ],
            Self::Structure | Self::Apo(_) | Self::Compare => STRUCTURE,
            Self::Ligand => &["sdf", "mol"],
            Self::PocketLigand => &["sdf", "mol", "pdb"],
            Self::Series => &["csv", "smi", "sdf"],
            Self::SaveQuery => &["yaml", "json"],
            Self::SaveSession => &["kfsession"],
            Self::Numbers => &["csv"],
            Self::Certificate => &["pem", "crt", "cer"],
            Self::Export(kind) => match kind {
                ExportKind::Pdb => &["pdb"],
                ExportKind::Sdf => &["sdf"],
                ExportKind::Csv | ExportKind::MapCsv => &["csv"],
                ExportKind::Png | ExportKind::DiagramPng | ExportKind::MapPng => &["png"],
                ExportKind::Cif => &["cif"],
                ExportKind::PyMol => &["pml"],
                ExportKind::ChimeraX => &["cxc"],
                ExportKind::ReportHtml => &["html"],
                ExportKind::ReportPdf => &["pdf"],
                ExportKind::DiagramSvg => &["svg"],
                ExportKind::Scene => &["json"],
                ExportKind::Gltf => &["glb"],
            },
            Self::OpenRun => &[],
        }
    }
}

/// Opens the system's dialog on a thread of its own; the answer comes as [`Message::DialogAnswered`].
///
/// # Errors
/// When the system gives no thread.
pub fn ask(
    outbox: Outbox,
    purpose: Purpose,
    title: String,
    filter: String,
    file_name: String,
    folder: Option<PathBuf>,
) -> std::io::Result<()> {
    let work = move || {
        let start = Instant::now();
        let mut dialog = rfd::AsyncFileDialog::new().set_title(title);
        if !purpose.extensions().is_empty() {
            dialog = dialog.add_filter(filter, purpose.extensions());
        }
        if let Some(folder) = folder {
            dialog = dialog.set_directory(folder);
        }
        let answer = pollster::block_on(async {
            if purpose.saves() {
                dialog.set_file_name(file_name).save_file().await
            } else if purpose == Purpose::OpenRun {
                dialog.pick_folder().await
            } else {
                dialog.pick_file().await
            }
        });
        let path = answer.map(|file| file.path().to_owned());
        let is_missing = path.is_none() && start.elapsed() < QUICK;
        // The window may be gone by now; then nobody waits for the answer.
        let _ = outbox.send(Message::DialogAnswered { purpose, path, is_missing });
    };
    std::thread::Builder::new().name("dialog".to_owned()).spawn(work).map(|_| ())
}

/// Whether a system dialog can be expected at all, so that the field opens without a pause where it cannot.
#[must_use]
pub fn has_system_dialogs() -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    let bus = std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some()
        || std::env::var_os("XDG_RUNTIME_DIR").is_some_and(|folder| PathBuf::from(folder).join("bus").exists());
    let helper = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join("zenity").is_file()));
    bus || helper
}
