//! `render FILE_OR_JOB -o FILE.png`: a picture without a window, on whatever adapter there is; or a `.glb` for other
//! programs.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::Context;
use clap::Args;
use kfold_inference::job::{Job, files};
use kfold_viewer::scene_file::BuiltScene;
use kfold_viewer::{Gpu, Renderer, ViewerError, gltf};

use super::common::count_interrupts;
use super::picture::{PictureArguments, write_png};
use super::terminal::Status;
use super::{Outcome, standard_output};

/// Draws a structure, small molecules or the best pose of a job.
#[derive(Debug, Args)]
pub(super) struct Render {
    #[command(flatten)]
    picture: PictureArguments,
    /// The picture (.png), or the triangles that it would show (.glb)
    #[arg(short, long, value_name = "FILE.png")]
    output: PathBuf,
}

impl Render {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let built = self.picture.gather()?;
        let is_glb = self.output.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("glb"));
        if is_glb {
            let bytes = gltf::to_glb(&built.scene, Gpu::headless)?;
            files::write_whole(&self.output, &bytes)
                .with_context(|| format!("cannot write {}", self.output.display()))?;
        } else {
            let interrupts = count_interrupts()?;
            let mut renderer = Renderer::new(Gpu::headless()?)?;
            let mut status = Status::new();
            let mut progress = |done: u32, all: u32| {
                status.show("drawing", &format!("drawing: {:.0} %", 100.0 * f64::from(done) / f64::from(all.max(1))));
                if interrupts.load(Ordering::Relaxed) == 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            };
            let BuiltScene { scene, camera, settings, size } = &built;
            match self.picture.stereo().render(&mut renderer, scene, camera, *size, settings, &mut progress) {
                Ok(picture) => write_png(&self.output, &picture)?,
                Err(ViewerError::Cancelled) => return Ok(Outcome::Cancelled),
                Err(error) => return Err(error.into()),
            }
        }
        standard_output::line(&self.output.display().to_string())?;
        Ok(Outcome::Done)
    }
}

/// Draws the best pose of a job, or its receptor where there is none, into `NAME.png` of its folder.
pub(super) fn render_job(job: &Job) -> anyhow::Result<PathBuf> {
    let BuiltScene { scene, camera, settings, size } = PictureArguments::for_input(job.folder()).gather()?;
    let picture = Renderer::new(Gpu::headless()?)?.render_to_image(&scene, &camera, size.0, size.1, &settings)?;
    let path = job.folder().join(format!("{}.png", job.query().name));
    write_png(Path::new(&path), &picture)?;
    Ok(path)
}

/// The best result of a job as [`render_job`] draws it.
pub(super) fn picture_of(job: &Path) -> anyhow::Result<image::RgbaImage> {
    let BuiltScene { scene, camera, settings, size } = PictureArguments::for_input(job).gather()?;
    Ok(Renderer::new(Gpu::headless()?)?.render_to_image(&scene, &camera, size.0, size.1, &settings)?)
}
