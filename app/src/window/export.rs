//! Writing what is shown: structures, tables, pictures, scripts, reports. All of it off the window's thread, whole files only.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kfold_inference::job::files::write_whole;
use kfold_molecule::formats::{mmcif, pdb, sdf};
use kfold_molecule::{SmallMolecule, Structure};
use kfold_viewer::scene_file::{Beside, SceneFile};
use kfold_viewer::{Camera, Gpu, gltf};

use super::app::Studio;
use super::background::Lane;
use super::dialogs::ExportKind;
use super::message::Message;
use super::reading::{MapKind, Maps, residue_text, site_diagram};
use crate::drawing::Pixels;
use crate::exports::{csv_of, map_csv, png_bytes, poses, with_pose};
use crate::report::Report;
use crate::scripts::{self, Program};

/// Width of an exported picture, pixels.
const PICTURE_WIDTH: u32 = 2400;
/// Width of the picture in a report, pixels.
const REPORT_WIDTH: u32 = 1400;

fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), String> {
    write_whole(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}

impl Studio {
    /// Whether there is something to export.
    pub(super) fn can_export(&self, kind: ExportKind) -> bool {
        let has_result = |outcome: &super::outcome::Outcome| outcome.pose_count() > 0 || !outcome.complexes.is_empty();
        match kind {
            ExportKind::Pdb
            | ExportKind::Cif
            | ExportKind::Png
            | ExportKind::Scene
            | ExportKind::Gltf
            | ExportKind::PyMol
            | ExportKind::ChimeraX => self.shown_structure().is_some(),
            ExportKind::Sdf | ExportKind::Csv | ExportKind::ReportHtml | ExportKind::ReportPdf => {
                self.outcome.as_deref().is_some_and(has_result)
            }
            ExportKind::DiagramSvg | ExportKind::DiagramPng => self.shown_site().is_some(),
            ExportKind::MapPng | ExportKind::MapCsv => {
                self.shown_complex().is_some_and(|complex| complex.arrays.is_some())
            }
        }
    }

    /// The ligand whose site is in the view, with its interactions.
    pub(super) fn shown_site(
        &self,
    ) -> Option<(Arc<SmallMolecule>, Arc<Vec<kfold_molecule::analysis::interactions::Interaction>>)> {
        if let Some(pose) = self.shown_pose() {
            return Some((Arc::clone(&pose.molecule), Arc::clone(&pose.interactions)));
        }
        let complex = self.shown_complex()?;
        let ligand = complex.ligands.get(self.reading.ligand).or(complex.ligands.first())?;
        Some((Arc::clone(&ligand.molecule), Arc::clone(&ligand.interactions)))
    }

    /// The structure in the view with the pose in it.
    fn whole_structure(&self) -> Option<Structure> {
        let (structure, model) = self.shown_structure()?;
        if self.ensemble.is_some() {
            return Some(Structure::clone(&structure));
        }
        Some(with_pose(&structure, model, self.shown_pose().map(|pose| pose.molecule.as_ref())))
    }

    /// Writes an export.
    pub(super) fn export(&mut self, kind: ExportKind, path: PathBuf) {
        match kind {
            ExportKind::Pdb => {
                let Some(whole) = self.whole_structure() else { return };
                self.write(path, move |path| {
                    let text = pdb::write(&whole).map_err(|error| error.to_string())?;
                    write_bytes(path, text.as_bytes())
                });
            }
            ExportKind::Cif => {
                let Some(whole) = self.whole_structure() else { return };
                self.write(path, move |path| write_bytes(path, mmcif::write(&whole).as_bytes()));
            }
            ExportKind::Sdf => {
                let Some(outcome) = self.outcome.clone() else { return };
                let (wanted, notes) = (self.wanted_ligands(&outcome), self.document.ligand_notes.clone());
                self.write(path, move |path| {
                    write_bytes(path, sdf::write(&poses(&outcome, wanted.as_ref(), &notes)).as_bytes())
                });
            }
            ExportKind::Csv => {
                let Some(outcome) = self.outcome.clone() else { return };
                let (wanted, notes) = (self.wanted_ligands(&outcome), self.document.ligand_notes.clone());
                self.write(path, move |path| {
                    let bytes = csv_of(&outcome, wanted.as_ref(), &notes)
                        .map_err(|error| format!("{}: {error}", path.display()))?;
                    write_bytes(path, &bytes)
                });
            }
            ExportKind::Png => {
                let picture = self.viewport.picture(PICTURE_WIDTH);
                self.write(path, move |path| {
                    let image = picture?()?;
                    let bytes = png_bytes(&image).map_err(|error| format!("{}: {error}", path.display()))?;
                    write_bytes(path, &bytes)
                });
            }
            ExportKind::PyMol | ExportKind::ChimeraX => self.export_script(kind, path),
            ExportKind::Scene => self.export_scene(path),
            ExportKind::Gltf => {
                let scene = self.viewport.scene().0.clone();
                let gpu = self.viewport.gpu();
                self.write(path, move |path| {
                    let bytes = gltf::to_glb(&scene, || gpu.clone().map_or_else(Gpu::headless, Ok));
                    write_bytes(path, &bytes.map_err(|error| error.to_string())?)
                });
            }
            ExportKind::ReportHtml | ExportKind::ReportPdf => self.export_report(kind, path),
            ExportKind::DiagramSvg | ExportKind::DiagramPng => self.export_diagram(kind, path),
            ExportKind::MapPng | ExportKind::MapCsv => self.export_map(kind, path),
        }
    }

    /// A scene file, and a file of mmCIF beside it for each molecule.
    fn export_scene(&mut self, path: PathBuf) {
        let (scene, camera, _) = self.viewport.scene();
        let scene = scene.clone();
        let look = self.document.view.look.unwrap_or_default();
        let labels = self.names();
        let measurements = self.measured_points();
        let views: Vec<(String, Camera)> =
            self.document.saved_views.iter().map(|view| (view.name.clone(), view.camera)).collect();
        self.write(path, move |path| {
            let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let mut files = Vec::new();
            let beside = Beside { style: look, views: &views, labels: &labels, measurements: &measurements };
            let file = SceneFile::of_scene(&scene, &camera, &beside, |object| {
                files.push((format!("{name}_{}.cif", files.len() + 1), scripts::object_text(object, &name)));
                files.last().map(|(file, _)| PathBuf::from(file)).unwrap_or_default()
            });
            let text = file.to_text().map_err(|error| error.to_string())?;
            for (file, text) in files {
                write_bytes(&path.with_file_name(file), text.as_bytes())?;
            }
            // The scene comes last: with it everything is there.
            write_bytes(path, text.as_bytes())
        });
    }

    fn export_script(&mut self, kind: ExportKind, path: PathBuf) {
        let program = if kind == ExportKind::PyMol { Program::PyMol } else { Program::ChimeraX };
        let (scene, camera, aspect) = self.viewport.scene();
        let scene = scene.clone();
        self.write(path, move |path| {
            let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            // The script comes last: with it everything is there.
            for (file, text) in scripts::files(program, &name, &scene, &camera, aspect) {
                write_bytes(&path.with_file_name(file), text.as_bytes())?;
            }
            Ok(())
        });
    }

    fn export_report(&mut self, kind: ExportKind, path: PathBuf) {
        let Some(outcome) = self.outcome.clone() else { return };
        let texts = Arc::clone(&self.texts);
        let picture = self.viewport.picture(REPORT_WIDTH);
        let ligand = if outcome.complexes.is_empty() { self.shown_ligand } else { self.reading.ligand };
        let pose = self.shown_pose;
        self.write(path, move |path| {
            // A report without its picture is still a report.
            let picture = picture.and_then(|picture| picture()).ok().map(|image| {
                let rgb = image.pixels().flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
                Arc::new(Pixels { width: image.width(), height: image.height(), rgb })
            });
            let report = Report::of(&outcome, ligand, pose, picture, &texts);
            match kind {
                ExportKind::ReportPdf => write_bytes(path, &report.to_pdf().map_err(|error| error.to_string())?),
                _ => write_bytes(path, report.to_html().as_bytes()),
            }
        });
    }

    fn export_diagram(&mut self, kind: ExportKind, path: PathBuf) {
        let Some((molecule, interactions)) = self.shown_site() else { return };
        let texts = Arc::clone(&self.texts);
        self.write(path, move |path| {
            let drawing = site_diagram(&texts, &molecule, &interactions)?.drawing;
            match kind {
                ExportKind::DiagramPng => {
                    let bytes = drawing.to_png(3.0).ok_or("the diagram has nothing to show")?;
                    write_bytes(path, &bytes)
                }
                _ => write_bytes(path, drawing.to_svg().as_bytes()),
            }
        });
    }

    fn export_map(&mut self, kind: ExportKind, path: PathBuf) {
        let Some(complex) = self.shown_complex().cloned() else { return };
        let Some(arrays) = complex.arrays else { return };
        let (texts, map) = (Arc::clone(&self.texts), self.reading.map);
        self.write(path, move |path| {
            let model = complex.structure.first().ok_or("there are no atoms")?;
            let maps = Maps::read(&arrays, model)?;
            let errors = maps.of(map);
            if kind == ExportKind::MapCsv {
                let name = |token: usize| {
                    let atom = maps.tokens.get(token).map_or(0, |atoms| atoms.start as usize);
                    residue_text(
                        &model.topology,
                        model.topology.atoms.get(atom).map_or(0, |atom| atom.residue as usize),
                    )
                };
                let bytes = map_csv(errors, name).map_err(|error| format!("{}: {error}", path.display()))?;
                return write_bytes(path, &bytes);
            }
            let (down, across, title) = match map {
                MapKind::Aligned => ("errors-aligned-on", "errors-scored", "errors-map-pae"),
                MapKind::Distance => ("errors-first", "errors-second", "errors-map-pde"),
            };
            let drawing = errors.drawing(512.0, (&texts.get(down), &texts.get(across)), &texts.get(title));
            write_bytes(path, &drawing.to_png(2.0).ok_or("the map has nothing to show")?)
        });
    }

    pub(super) fn write(&mut self, path: PathBuf, work: impl FnOnce(&Path) -> Result<(), String> + Send + 'static) {
        self.submit(Lane::Files, move || {
            let result = work(&path);
            Message::Written { path, is_query: false, is_silent: false, result }
        });
    }
}
