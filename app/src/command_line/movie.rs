//! `movie FILE -o FOLDER_OR_FILE.mp4`: a turntable, or the way between two states, as numbered pictures or as a video where
//! ffmpeg is there.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, bail};
use clap::Args;
use kfold_inference::morph::morph;
use kfold_molecule::Model;
use kfold_viewer::scene_file::BuiltScene;
use kfold_viewer::{Gpu, Renderer, ViewerError};

use super::common::{count_interrupts, first_model};
use super::picture::{PictureArguments, write_png};
use super::terminal::Status;
use super::{Outcome, standard_output};

/// Endings that ffmpeg is asked for.
const VIDEOS: [&str; 4] = ["mp4", "mov", "mkv", "webm"];
/// Frames at most.
const MOST_FRAMES: u32 = 10_000;

/// Draws a turntable, or the way between two states.
#[derive(Debug, Args)]
pub(super) struct Movie {
    #[command(flatten)]
    picture: PictureArguments,
    /// A folder for numbered pictures, or a video (.mp4, .mov, .mkv, .webm; needs ffmpeg)
    #[arg(short, long, value_name = "FOLDER|FILE")]
    output: PathBuf,
    /// Pictures of a turn, or of the way there
    #[arg(long, default_value_t = 120, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=i64::from(MOST_FRAMES)))]
    frames: u32,
    /// Pictures a second of a video
    #[arg(long, default_value_t = 30, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=120))]
    rate: u32,
    /// Degrees that the camera goes around, to the right
    #[arg(long, default_value_t = 360.0, value_name = "DEGREES", allow_negative_numbers = true)]
    turn: f32,
    /// The state that the first structure changes into; the camera rests unless --turn is given
    #[arg(long, value_name = "FILE")]
    morph: Option<PathBuf>,
    /// The way back too
    #[arg(long, requires = "morph")]
    and_back: bool,
}

impl Movie {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let video = self.output.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
        let is_video = video.as_deref().is_some_and(|extension| VIDEOS.contains(&extension));
        if is_video && !has_ffmpeg() {
            bail!("a video needs ffmpeg, which is not in the path; install it, or name a folder for pictures");
        }
        let path = match &self.morph {
            Some(second) => {
                let (first, second) = (first_model(self.picture.first_input()?)?, first_model(second)?);
                morph(&first, &second, self.frames as usize)?.models
            }
            None => Vec::new(),
        };
        let built = self.picture.gather_with(path.first())?;
        let interrupts = count_interrupts()?;
        if !is_video {
            std::fs::create_dir_all(&self.output)
                .with_context(|| format!("cannot make the folder {}", self.output.display()))?;
            return match self.draw(built, &path, &self.output, &interrupts)? {
                Some(count) => {
                    standard_output::line(&format!("{} pictures in {}", count, self.output.display()))?;
                    Ok(Outcome::Done)
                }
                None => Ok(Outcome::Cancelled),
            };
        }
        // Beside the video, so that it can be renamed into place.
        let folder = self.output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let scratch = tempfile::Builder::new()
            .prefix(".movie-")
            .tempdir_in(folder)
            .with_context(|| format!("cannot write into {}", folder.display()))?;
        if self.draw(built, &path, scratch.path(), &interrupts)?.is_none() {
            return Ok(Outcome::Cancelled);
        }
        let made = scratch.path().join(format!("movie.{}", video.as_deref().unwrap_or("mp4")));
        let done = Command::new("ffmpeg")
            .args(["-y", "-loglevel", "error", "-framerate", &self.rate.to_string(), "-i"])
            .arg(scratch.path().join("frame-%05d.png"))
            // Sides must be even, and players want this form of colour.
            .args(["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p"])
            .arg(&made)
            .output()
            .context("cannot start ffmpeg")?;
        if !done.status.success() {
            bail!("ffmpeg could not make the video: {}", String::from_utf8_lossy(&done.stderr).trim());
        }
        std::fs::rename(&made, &self.output).with_context(|| format!("cannot write {}", self.output.display()))?;
        standard_output::line(&self.output.display().to_string())?;
        Ok(Outcome::Done)
    }

    /// Draws all frames into a folder; returns how many, or nothing if it was stopped.
    fn draw(
        &self,
        built: BuiltScene,
        path: &[Model],
        folder: &Path,
        interrupts: &AtomicUsize,
    ) -> anyhow::Result<Option<usize>> {
        let BuiltScene { mut scene, camera, settings, size } = built;
        let mut renderer = Renderer::new(Gpu::headless()?)?;
        let mut status = Status::new();
        let states = states(path.len(), self.and_back);
        let count = if path.is_empty() { self.frames as usize } else { states.len() };
        // Without a path a full turn ends where it began, so its last frame is left out.
        let turn = if path.is_empty() || self.turn != 360.0 { self.turn } else { 0.0 };
        for frame in 0..count {
            let mut turned = camera;
            turned.orbit((turn * frame as f32 / count as f32).to_radians(), 0.0);
            if let (Some(state), Some(object)) = (
                states.get(frame),
                scene
                    .objects
                    .iter_mut()
                    .find(|object| path.first().is_some_and(|first| Arc::ptr_eq(&first.topology, &object.topology))),
            ) {
                object.positions = Arc::new(path[*state].positions.clone());
            }
            let mut progress = |done: u32, all: u32| {
                let share = (frame as f64 + f64::from(done) / f64::from(all.max(1))) / count as f64;
                status.show("drawing", &format!("drawing: picture {} of {count}, {:.0} %", frame + 1, 100.0 * share));
                if interrupts.load(Ordering::Relaxed) == 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            };
            let stereo = self.picture.stereo();
            match stereo.render(&mut renderer, &scene, &turned, size, &settings, &mut progress) {
                Ok(picture) => write_png(&folder.join(format!("frame-{:05}.png", frame + 1)), &picture)?,
                Err(ViewerError::Cancelled) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Some(count))
    }
}

/// Which model each frame shows: there, and back without the ends twice.
fn states(models: usize, and_back: bool) -> Vec<usize> {
    let there = 0..models;
    if and_back { there.chain((1..models.saturating_sub(1)).rev()).collect() } else { there.collect() }
}

fn has_ffmpeg() -> bool {
    Command::new("ffmpeg").arg("-version").output().is_ok_and(|done| done.status.success())
}

#[cfg(test)]
mod tests {
    use super::states;

    #[test]
    fn there_and_back() {
        assert_eq!(states(4, false), [0, 1, 2, 3]);
        assert_eq!(states(4, true), [0, 1, 2, 3, 2, 1]);
        assert!(states(0, true).is_empty());
    }
}
