//! `bench render`: how fast this machine draws, on a fixed camera path.
//!
//! Scenes are balls of atoms as dense as a protein, made here, so that they are the same on every machine, and copies of
//! such a ball, or of a file, that stand on a sphere as in a virus; a file brings its own scenes besides. A frame is one
//! live picture, waited for: what a window shows while the camera moves.

mod window;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use glam::{Mat4, Quat, Vec3};
use kfold_molecule::structure::{Atom, Chain, Model, Residue, ResidueKind, Topology};
use kfold_molecule::{Element, formats};
use kfold_viewer::{
    AtomSelection, Camera, Gpu, Object, Quality, RenderSettings, Renderer, Representation, Scene, Tier, ViewerError,
};
use serde::Serialize;

use super::common::count_interrupts;
use super::picture::parse_size;
use super::terminal::Status;
use super::{Outcome, standard_output};
use crate::assembly;

/// What is measured.
#[derive(Debug, Subcommand)]
pub(super) enum Bench {
    /// Frames of scenes from a small protein to millions of atoms
    Render(RenderBench),
    /// From an input to the picture, in the whole window
    Window(window::WindowBench),
}

impl Bench {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        match self {
            Self::Render(bench) => bench.run(),
            Self::Window(bench) => bench.run(),
        }
    }
}

/// Measures frames on a fixed camera path.
#[derive(Debug, Args)]
pub(super) struct RenderBench {
    /// A structure to draw besides, as ribbons and as spheres
    file: Option<PathBuf>,
    /// Of the structure, the biological assembly of this name, drawn as copies
    #[arg(long, value_name = "ID", requires = "file")]
    assembly: Option<String>,
    /// Width and height in pixels
    #[arg(long, default_value = "2560x1440", value_parser = parse_size, value_name = "WxH")]
    size: (u32, u32),
    /// Frames of each scene
    #[arg(long, default_value_t = 120, value_name = "N", value_parser = clap::value_parser!(u32).range(4..=10_000))]
    frames: u32,
    /// Only scenes with this in their name
    #[arg(long, value_name = "WORD")]
    only: Option<String>,
    /// Atoms of the made scenes; 0: none
    #[arg(long, value_delimiter = ',', default_value = "5000,100000,1000000", value_name = "N,...")]
    atoms: Vec<u32>,
    /// Atoms of a scene of copies on a sphere, of the structure or of a made ball; 0: none
    #[arg(long, default_value_t = 5_000_000, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=50_000_000))]
    copied_atoms: u32,
    /// Plain spheres: no occlusion, no outlines
    #[arg(long)]
    plain: bool,
    /// Nothing left out: every sphere is drawn, as in pictures to keep
    #[arg(long)]
    whole: bool,
    /// How spheres of a few pixels are drawn; without it, as suits the adapter
    #[arg(long, value_enum, value_name = "TIER")]
    tier: Option<TierChoice>,
    /// A table for programs
    #[arg(long)]
    json: bool,
}

/// A way to draw spheres of a few pixels.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum TierChoice {
    /// As triangles, like all others
    Triangles,
    /// By a compute shader; needs 64-bit atomic operations
    Compute,
}

/// What was measured.
#[derive(Debug, Serialize)]
struct Report {
    adapter: String,
    width: u32,
    height: u32,
    frames: u32,
    scenes: Vec<SceneReport>,
}

/// What was measured of one scene; times in milliseconds.
#[derive(Debug, Serialize)]
struct SceneReport {
    name: String,
    /// In all copies together.
    atoms: usize,
    /// Reading the file, for scenes that have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    reading_ms: Option<f64>,
    /// From the scene to the first picture with anything of it: shaders, upload.
    first_ms: f64,
    /// From the scene to the first picture with everything in it: ribbons too.
    complete_ms: f64,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    /// Time of all processors for one frame, the mean; where the system tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    processor_ms: Option<f64>,
    /// Graphics memory, where the back end counts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    /// The camera of each frame, so that another program can draw the same.
    cameras: Vec<CameraReport>,
}

/// A camera, Å and degrees.
#[derive(Debug, Serialize)]
struct CameraReport {
    eye: Vec3,
    center: Vec3,
    up: Vec3,
    vertical_fov: f32,
}

/// A scene to measure.
struct Case {
    name: String,
    objects: Vec<Object>,
    reading_ms: Option<f64>,
}

impl RenderBench {
    fn run(&self) -> anyhow::Result<Outcome> {
        let interrupts = count_interrupts()?;
        let gpu = Gpu::headless()?;
        let mut status = Status::new();
        let mut report = Report {
            adapter: gpu.description(),
            width: self.size.0,
            height: self.size.1,
            frames: self.frames,
            scenes: Vec::new(),
        };
        let mut cases: Vec<Case> = Vec::new();
        let mut file_model = None;
        if let Some(path) = &self.file {
            let start = Instant::now();
            let structure = formats::read_structure(path)?;
            let reading = Some(milliseconds(start));
            if let Some(id) = &self.assembly {
                let pieces = assembly::pieces(path, &structure, id)?;
                let object = |(id, (model, places)): (u64, (Model, Vec<Mat4>))| {
                    Object::new(id, &model).copied(places).with(Representation::spheres(1.0))
                };
                let objects = (0..).zip(pieces).map(object).collect();
                cases.push(Case { name: format!("assembly {id}, spheres"), objects, reading_ms: reading });
            }
            let model = structure.models.into_iter().next().with_context(|| format!("{} is empty", path.display()))?;
            let ribbons = vec![Object::new(1, &model).with(Representation::cartoon())];
            cases.push(Case { name: "file, ribbons".into(), objects: ribbons, reading_ms: reading });
            let spheres = vec![Object::new(1, &model).with(Representation::spheres(1.0))];
            cases.push(Case { name: "file, spheres".into(), objects: spheres, reading_ms: None });
            file_model = Some(model);
        }
        for &count in self.atoms.iter().filter(|count| **count > 0) {
            let objects = vec![Object::new(1, &ball(count as usize)).with(Representation::spheres(1.0))];
            cases.push(Case { name: format!("{count} atoms, spheres"), objects, reading_ms: None });
        }
        if self.copied_atoms > 0 {
            let (what, model) = match file_model {
                Some(model) => ("the file", model),
                None => ("a ball", ball(20_000)),
            };
            let count = (self.copied_atoms as usize).div_ceil(model.positions.len().max(1)).min(10_000);
            let object = Object::new(1, &model).copied(on_sphere(&model.positions, count));
            let objects = vec![object.with(Representation::spheres(1.0))];
            cases.push(Case { name: format!("{count} copies of {what}"), objects, reading_ms: None });
        }
        cases.retain(|case| self.only.as_ref().is_none_or(|word| case.name.contains(word.as_str())));
        for Case { name, objects, reading_ms } in cases {
            status.show(&name, &format!("drawing {name}"));
            if interrupts.load(std::sync::atomic::Ordering::Relaxed) > 0 {
                return Ok(Outcome::Cancelled);
            }
            let scene = Scene { objects, ..Scene::default() };
            report.scenes.push(self.measure(&gpu, name, &scene, reading_ms)?);
        }
        drop(status);
        if self.json {
            standard_output::json(&report)?;
        } else {
            standard_output::write(&table(&report))?;
        }
        Ok(Outcome::Done)
    }

    fn measure(
        &self,
        gpu: &Gpu,
        name: String,
        scene: &Scene,
        reading_ms: Option<f64>,
    ) -> Result<SceneReport, ViewerError> {
        let points: Vec<Vec3> = scene.objects.iter().flat_map(|object| object.points(&AtomSelection::All)).collect();
        let aspect = self.size.0 as f32 / self.size.1 as f32;
        let base = if self.plain {
            RenderSettings { ambient_occlusion: 0.0, ..RenderSettings::default() }
        } else {
            RenderSettings { silhouette_width: 1.0, ..RenderSettings::default() }
        };
        let settings = RenderSettings { samples: 1, quality: Quality::Normal, ..base };
        let camera = Camera::looking_at(&points, aspect);
        let start = Instant::now();
        let tier = match self.tier {
            Some(TierChoice::Triangles) => Tier::Triangles,
            Some(TierChoice::Compute) => Tier::Compute,
            None => Tier::suited(gpu),
        };
        let mut renderer = Renderer::with_tier(gpu.clone(), tier)?;
        let mut first_ms = None;
        let complete_ms = loop {
            renderer.render(scene, &camera, self.size, &settings)?;
            // Waits for the picture.
            gpu.allocated_bytes()?;
            first_ms = first_ms.or(Some(milliseconds(start)));
            if !renderer.is_building() {
                break milliseconds(start);
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        };
        let mut times = Vec::with_capacity(self.frames as usize);
        let mut bytes = None;
        let before = processor_milliseconds();
        let cameras: Vec<Camera> =
            (0..self.frames).map(|frame| path(&camera, frame as f32 / self.frames as f32)).collect();
        for camera in &cameras {
            let start = Instant::now();
            if self.whole {
                renderer.render_to_image(scene, camera, self.size.0, self.size.1, &settings)?;
            } else {
                renderer.render(scene, camera, self.size, &settings)?;
            }
            bytes = gpu.allocated_bytes()?;
            times.push(milliseconds(start));
        }
        let spent = processor_milliseconds().zip(before).map(|(after, before)| after - before);
        times.sort_by(f64::total_cmp);
        Ok(SceneReport {
            name,
            atoms: points.len(),
            reading_ms,
            first_ms: first_ms.unwrap_or(complete_ms),
            complete_ms,
            p50_ms: percentile(&times, 0.50),
            p95_ms: percentile(&times, 0.95),
            p99_ms: percentile(&times, 0.99),
            processor_ms: spent.map(|spent| spent / f64::from(self.frames)),
            bytes,
            cameras: cameras.iter().map(camera_report).collect(),
        })
    }
}

/// What this process has used of all processors so far, where `/proc` tells.
fn processor_milliseconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name in brackets may hold spaces; user and system time are the twelfth and thirteenth number after it.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    // Linux reports hundredths of a second to programs, whatever its clock.
    Some((ticks()? + ticks()?) * 10.0)
}

/// Places of so many copies of some points on a sphere, side by side: a Fibonacci lattice, the same side outwards.
fn on_sphere(points: &[Vec3], count: usize) -> Vec<Mat4> {
    let (center, radius) = kfold_viewer::bounding_sphere(points);
    // Each has a circle of its radius, of which some nine tenths fit.
    let shell = radius * (count as f32 / (4.0 * 0.8)).sqrt();
    let golden = std::f32::consts::PI * (3.0 - 5_f32.sqrt());
    let place = |index: usize| {
        let z = 1.0 - (2 * index + 1) as f32 / count as f32;
        let angle = golden * index as f32;
        let ring = (1.0 - z * z).max(0.0).sqrt();
        let outward = Vec3::new(ring * angle.cos(), ring * angle.sin(), z);
        let turn = Quat::from_rotation_arc(Vec3::Z, outward);
        Mat4::from_rotation_translation(turn, outward * shell) * Mat4::from_translation(-center)
    };
    (0..count).map(place).collect()
}

fn camera_report(camera: &Camera) -> CameraReport {
    CameraReport {
        eye: camera.eye(),
        center: camera.center,
        up: camera.view_from_world.inverse() * Vec3::Y,
        vertical_fov: camera.vertical_fov.to_degrees(),
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

/// Once around, coming three times nearer half way.
fn path(camera: &Camera, share: f32) -> Camera {
    let mut moved = *camera;
    moved.orbit(share * std::f32::consts::TAU, 0.4 * (share * std::f32::consts::TAU).sin());
    moved.zoom(1.0 + 2.0 * (share * std::f32::consts::PI).sin());
    moved
}

/// Of sorted values, the one that so many do not exceed.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1).min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

/// A ball of atoms as dense as a protein: one in 10 Å³ without hydrogens is too many, one in 20 about right; on a grid,
/// each moved a little, of the elements and in their shares.
fn ball(count: usize) -> Model {
    let spacing = 20_f32.cbrt();
    let radius = (3.0 * count as f32 * 20.0 / (4.0 * std::f32::consts::PI)).cbrt();
    let steps = (radius / spacing).ceil() as i32 + 1;
    let mut positions = Vec::with_capacity(count);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1_u64 << 24) as f32
    };
    let mut topology = Topology::default();
    topology.chains.push(Chain { id: "A".into(), residues: 0..1 });
    'all: for x in -steps..=steps {
        for y in -steps..=steps {
            for z in -steps..=steps {
                let place = Vec3::new(x as f32, y as f32, z as f32) * spacing;
                if place.length() > radius {
                    continue;
                }
                if positions.len() == count {
                    break 'all;
                }
                let moved = Vec3::new(random(), random(), random()) - 0.5;
                positions.push(place + moved * 1.2);
                let element = match (random() * 100.0) as u32 {
                    0..63 => Element::C,
                    63..80 => Element::N,
                    80..99 => Element::O,
                    _ => Element::S,
                };
                topology.atoms.push(Atom {
                    name: "X".into(),
                    element,
                    serial: positions.len() as i32,
                    altloc: None,
                    occupancy: 1.0,
                    formal_charge: 0,
                    residue: 0,
                });
            }
        }
    }
    topology.residues.push(Residue {
        name: "UNK".into(),
        number: 1,
        insertion_code: None,
        sequence_index: None,
        asym_id: "A".into(),
        is_hetero: true,
        kind: ResidueKind::Ligand,
        atoms: 0..positions.len() as u32,
        chain: 0,
    });
    Model { number: 1, topology: Arc::new(topology), positions, b_factors: Vec::new() }
}

fn table(report: &Report) -> String {
    let mut text = format!("{}, {}x{}, {} frames\n", report.adapter, report.width, report.height, report.frames);
    text += &format!(
        "{:<26} {:>9} {:>8} {:>9} {:>11} {:>9} {:>9} {:>9} {:>12} {:>7}\n",
        "scene", "atoms", "read ms", "first ms", "complete ms", "p50 ms", "p95 ms", "p99 ms", "processor ms", "MB"
    );
    for scene in &report.scenes {
        let optional = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.0}"));
        text += &format!(
            "{:<26} {:>9} {:>8} {:>9.0} {:>11.0} {:>9.1} {:>9.1} {:>9.1} {:>12} {:>7}\n",
            scene.name,
            scene.atoms,
            optional(scene.reading_ms),
            scene.first_ms,
            scene.complete_ms,
            scene.p50_ms,
            scene.p95_ms,
            scene.p99_ms,
            optional(scene.processor_ms),
            optional(scene.bytes.map(|bytes| bytes as f64 / 1e6)),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balls_have_as_many_atoms_as_asked() {
        for count in [100, 5000] {
            let model = ball(count);
            assert!(model.positions.len() <= count && model.positions.len() * 10 > count * 9);
            assert_eq!(model.positions.len(), model.topology.atoms.len());
        }
    }

    #[test]
    fn copies_stand_apart_on_a_sphere() {
        let model = ball(500);
        let (center, radius) = kfold_viewer::bounding_sphere(&model.positions);
        let places: Vec<Vec3> =
            on_sphere(&model.positions, 60).iter().map(|place| place.transform_point3(center)).collect();
        let closest = |place: &Vec3| {
            let others = places.iter().map(|other| other.distance(*place));
            others.filter(|distance| *distance > 0.0).fold(f32::INFINITY, f32::min)
        };
        let nearest = places.iter().map(closest).fold(f32::INFINITY, f32::min);
        assert!(nearest > 1.5 * radius && nearest < 3.0 * radius, "{nearest} {radius}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn processor_time_grows() {
        let before = processor_milliseconds().unwrap();
        let start = Instant::now();
        let mut sum = 0_u64;
        while start.elapsed().as_millis() < 60 {
            sum = std::hint::black_box(sum + 1);
        }
        let spent = processor_milliseconds().unwrap() - before;
        assert!(spent >= 10.0, "{spent} ms");
    }

    #[test]
    fn percentiles() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(
            (percentile(&values, 0.5), percentile(&values, 0.95), percentile(&values, 0.99)),
            (50.0, 95.0, 99.0)
        );
        assert_eq!(percentile(&[3.0], 0.95), 3.0);
    }
}
