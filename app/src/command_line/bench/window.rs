//! `bench window`: how long the window takes from an input to the picture that shows what it did.
//!
//! The whole window runs on the adapter that it would have, with folders of its own: pointer moves, drags and keys are fed
//! to it one at a time, and each picture is waited for before the next event. Without `--on-screen` there is no display:
//! the picture goes into a texture that is read back, and each part of the way has a time of its own. With `--on-screen` a
//! real window is opened and the time between two pictures is measured, with all that the system does to present them.
//! `--empty` draws nothing but a ground of that size: the least that any window of this kind takes on this machine.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::{Args, ValueEnum};
use egui::{Event, Key, Modifiers, PointerButton, Pos2, RawInput, Rect, pos2, vec2};
use kfold_inference::engine::EngineName;
use kfold_inference::job::Job;
use kfold_inference::settings::Settings;
use serde::Serialize;

use super::super::picture::parse_size;
use super::super::{Outcome, standard_output};
use super::percentile;
use crate::window::{Places, Studio};

/// Longest wait for what is opened to be read and drawn.
const PATIENCE: Duration = Duration::from_secs(120);
/// Pictures without an event between two scenarios, so that animations and snapshots of the last are over.
const PAUSE: Duration = Duration::from_millis(900);

/// What is done to the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Scenario {
    /// The pointer moves over the panel at the left
    HoverLeft,
    /// The pointer moves over the panel at the right
    HoverRight,
    /// The pointer moves over the molecules
    HoverView,
    /// Letters are typed into the selection field
    Type,
    /// The molecules are turned
    Turn,
}

/// Measures the window from input to picture.
#[derive(Debug, Args)]
pub(in super::super) struct WindowBench {
    /// What is opened: a query, a structure, a run's folder; else the sample with a kinase
    path: Option<PathBuf>,
    /// Width and height in points
    #[arg(long, default_value = "1440x900", value_parser = parse_size, value_name = "WxH")]
    size: (u32, u32),
    /// Events of each kind
    #[arg(long, default_value_t = 60, value_name = "N", value_parser = clap::value_parser!(u32).range(4..=10_000))]
    events: u32,
    /// Only these kinds of events
    #[arg(long, value_delimiter = ',', value_name = "KIND,...")]
    only: Vec<Scenario>,
    /// While a docking job runs, as the window starts one
    #[arg(long)]
    busy: bool,
    /// In a real window; needs a display
    #[arg(long)]
    on_screen: bool,
    /// An empty window of that size
    #[arg(long)]
    empty: bool,
    /// A table for programs
    #[arg(long)]
    json: bool,
}

/// Times of one picture, milliseconds.
#[derive(Clone, Copy, Debug, Default)]
struct Times {
    /// Laying out and answering: the program's own part.
    layout: f64,
    /// Drawing the molecules, where they are drawn anew.
    molecules: f64,
    /// Triangles of the panels.
    triangles: f64,
    /// Drawing the panels.
    panels: f64,
    /// Reading the picture back, in place of presenting it.
    readback: f64,
    /// How often a pixel is painted by the panels, on the average.
    coats: f64,
    /// From the event to the picture.
    all: f64,
}

#[derive(Debug, Serialize)]
struct Percentiles {
    p50: f64,
    p95: f64,
    p99: f64,
}

/// What was measured of one kind of event, milliseconds.
#[derive(Debug, Serialize)]
struct Row {
    events: Scenario,
    layout: Percentiles,
    molecules: Percentiles,
    triangles: Percentiles,
    panels: Percentiles,
    readback: Percentiles,
    all: Percentiles,
    coats: Percentiles,
}

#[derive(Debug, Serialize)]
struct Report {
    adapter: String,
    width: u32,
    height: u32,
    events: u32,
    busy: bool,
    on_screen: bool,
    empty: bool,
    rows: Vec<Row>,
}

impl Percentiles {
    fn of(times: &[Times], part: impl Fn(&Times) -> f64) -> Self {
        let mut values: Vec<f64> = times.iter().map(part).collect();
        values.sort_by(f64::total_cmp);
        Self { p50: percentile(&values, 0.5), p95: percentile(&values, 0.95), p99: percentile(&values, 0.99) }
    }
}

impl Row {
    fn of(events: Scenario, times: &[Times]) -> Self {
        Self {
            events,
            layout: Percentiles::of(times, |one| one.layout),
            molecules: Percentiles::of(times, |one| one.molecules),
            triangles: Percentiles::of(times, |one| one.triangles),
            panels: Percentiles::of(times, |one| one.panels),
            readback: Percentiles::of(times, |one| one.readback),
            all: Percentiles::of(times, |one| one.all),
            coats: Percentiles::of(times, |one| one.coats),
        }
    }
}

impl WindowBench {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let folder = tempfile::tempdir().context("a folder for the window's files")?;
        // Without preferences there would be the tour.
        std::fs::write(folder.path().join("preferences.json"), r#"{"language":"english","dark":false}"#)?;
        let user = Places::of_this_user();
        let samples = user.samples.clone();
        let places = Places {
            runs: folder.path().join("runs"),
            sessions: folder.path().join("sessions"),
            lessons: folder.path().join("lessons"),
            preferences: folder.path().join("preferences.json"),
            has_dialogs: false,
            ..user
        };
        let sample = samples.map(|samples| samples.join("kinase/query.yaml"));
        let path = match &self.path {
            Some(path) => path.clone(),
            None => sample.clone().context("the samples are not found; name what to open")?,
        };
        let job = match self.busy {
            true => Some(Busy::start(folder.path(), &sample.context("the samples are not found")?)?),
            false => None,
        };
        let scenarios = if self.only.is_empty() { Scenario::value_variants() } else { &self.only };
        let (adapter, rows) = if self.on_screen {
            self.on_screen(&path, places, scenarios)?
        } else {
            self.without_display(&path, places, scenarios)?
        };
        if let Some(mut job) = job {
            anyhow::ensure!(job.is_running(), "the docking job ended before the window was measured");
        }
        let report = Report {
            adapter,
            width: self.size.0,
            height: self.size.1,
            events: self.events,
            busy: self.busy,
            on_screen: self.on_screen,
            empty: self.empty,
            rows,
        };
        if self.json {
            standard_output::json(&report)?;
        } else {
            standard_output::write(&table(&report))?;
        }
        Ok(Outcome::Done)
    }

    fn without_display(
        &self,
        path: &Path,
        places: Places,
        scenarios: &[Scenario],
    ) -> anyhow::Result<(String, Vec<Row>)> {
        let mut screen = Screen::new(self.size)?;
        let mut studio = match self.empty {
            true => None,
            false => Some(Studio::new(&screen.context, Some(&screen.state), places)?),
        };
        if let Some(studio) = &mut studio {
            studio.open(path);
            let start = Instant::now();
            let mut still = 0;
            while still < 4 {
                screen.picture(Some(studio), Vec::new())?;
                still = if studio.is_settled() { still + 1 } else { 0 };
                anyhow::ensure!(start.elapsed() < PATIENCE, "{} does not come to rest", path.display());
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        let mut rows = Vec::new();
        for &scenario in scenarios {
            for event in scenario.before(self.size) {
                screen.picture(studio.as_mut(), vec![event])?;
            }
            screen.rest(studio.as_mut())?;
            let mut times = Vec::new();
            for number in 0..self.events {
                times.push(screen.picture(studio.as_mut(), scenario.event(number, self.events, self.size))?);
            }
            rows.push(Row::of(scenario, &times));
            for event in scenario.after(self.size) {
                screen.picture(studio.as_mut(), vec![event])?;
            }
            screen.rest(studio.as_mut())?;
        }
        let info = screen.state.adapter.get_info();
        Ok((format!("{} ({})", info.name, info.backend), rows))
    }

    fn on_screen(&self, path: &Path, places: Places, scenarios: &[Scenario]) -> anyhow::Result<(String, Vec<Row>)> {
        let found: Arc<Mutex<(String, Vec<Row>)>> = Arc::default();
        let (size, events, is_empty) = (self.size, self.events, self.empty);
        let (kept, path, scenarios) = (Arc::clone(&found), path.to_owned(), scenarios.to_vec());
        let mut options = crate::window::native_options();
        options.viewport = options.viewport.with_inner_size([size.0 as f32, size.1 as f32]).with_position([0.0, 0.0]);
        let create: eframe::AppCreator<'static> = Box::new(move |creation| {
            let studio = if is_empty {
                None
            } else {
                let mut studio = Studio::new(&creation.egui_ctx, creation.wgpu_render_state.as_ref(), places)?;
                studio.open(&path);
                Some(studio)
            };
            let info = creation.wgpu_render_state.as_ref().map(|state| state.adapter.get_info());
            let adapter = info.map(|info| format!("{} ({})", info.name, info.backend)).unwrap_or_default();
            Ok(Box::new(Driven { studio, found: kept, adapter, size, events, scenarios, stage: Stage::new() }))
        });
        eframe::run_native("K-Fold Studio", options, create)
            .map_err(|error| anyhow::anyhow!("the window cannot be opened: {error}"))?;
        let found = std::mem::take(&mut *found.lock().unwrap_or_else(PoisonError::into_inner));
        anyhow::ensure!(!found.1.is_empty(), "the window was closed before it was measured");
        Ok(found)
    }
}

impl Scenario {
    /// Where the pointer is at a share of the way.
    fn place(self, share: f32, size: (u32, u32)) -> Pos2 {
        let (width, height) = (size.0 as f32, size.1 as f32);
        let turn = share * std::f32::consts::TAU;
        match self {
            Self::HoverLeft => pos2(0.1 * width, (0.15 + 0.7 * share) * height),
            Self::HoverRight => pos2(0.9 * width, (0.15 + 0.7 * share) * height),
            Self::HoverView | Self::Turn | Self::Type => {
                pos2(0.5 * width, 0.5 * height) + vec2(turn.cos(), turn.sin()) * 0.12 * height
            }
        }
    }

    fn button(self, pressed: bool, size: (u32, u32)) -> Event {
        let share = if pressed { 0.0 } else { 1.0 };
        let pos = self.place(share, size);
        Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE }
    }

    fn before(self, size: (u32, u32)) -> Vec<Event> {
        match self {
            Self::HoverLeft | Self::HoverRight | Self::HoverView => {
                vec![Event::PointerMoved(self.place(0.0, size))]
            }
            Self::Turn => vec![Event::PointerMoved(self.place(0.0, size)), self.button(true, size)],
            Self::Type => key(Key::F, Modifiers::COMMAND),
        }
    }

    fn event(self, number: u32, of: u32, size: (u32, u32)) -> Vec<Event> {
        match self {
            // Words that are selections now and then, so that the molecules are outlined anew too.
            Self::Type => match "resi 700 or chain A and name CA ".chars().nth(number as usize % 32) {
                Some(letter) => vec![Event::Text(letter.to_string())],
                None => Vec::new(),
            },
            _ => vec![Event::PointerMoved(self.place((number + 1) as f32 / of as f32, size))],
        }
    }

    fn after(self, size: (u32, u32)) -> Vec<Event> {
        match self {
            Self::HoverLeft | Self::HoverRight | Self::HoverView => Vec::new(),
            Self::Turn => vec![self.button(false, size)],
            Self::Type => {
                [key(Key::A, Modifiers::COMMAND), key(Key::Delete, Modifiers::NONE), key(Key::Escape, Modifiers::NONE)]
                    .concat()
            }
        }
    }
}

/// A key pressed and let go.
fn key(key: Key, modifiers: Modifiers) -> Vec<Event> {
    let button = |pressed| Event::Key { key, physical_key: None, pressed, repeat: false, modifiers };
    let held = Event::ModifiersChanged(modifiers);
    vec![held, button(true), button(false), Event::ModifiersChanged(Modifiers::NONE)]
}

/// A window without a display.
struct Screen {
    context: egui::Context,
    state: egui_wgpu::RenderState,
    target: wgpu::Texture,
    buffer: wgpu::Buffer,
    size: (u32, u32),
    start: Instant,
}

/// Bytes of a row of the picture that is read back.
const fn row_bytes(width: u32) -> u32 {
    (width * 4).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT)
}

impl Screen {
    fn new(size: (u32, u32)) -> anyhow::Result<Self> {
        let setup = egui_wgpu::WgpuSetup::without_display_handle();
        let instance = pollster::block_on(setup.new_instance());
        let configuration = egui_wgpu::WgpuConfiguration { wgpu_setup: setup, ..Default::default() };
        let options = egui_wgpu::RendererOptions { dithering: crate::window::DITHERING, ..Default::default() };
        let state = pollster::block_on(egui_wgpu::RenderState::create(&configuration, &instance, None, options))
            .context("no graphics adapter draws the window")?;
        let (width, height) = size;
        let target = state.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("window"),
            size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: state.target_format,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        });
        let buffer = state.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("window"),
            size: u64::from(row_bytes(width)) * u64::from(height),
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        Ok(Self { context: egui::Context::default(), state, target, buffer, size, start: Instant::now() })
    }

    fn wait(&self) -> anyhow::Result<()> {
        self.state.device.poll(wgpu::PollType::wait_indefinitely()).context("the adapter stopped")?;
        Ok(())
    }

    /// Pictures until what was started is over.
    fn rest(&mut self, mut studio: Option<&mut Studio>) -> anyhow::Result<()> {
        let start = Instant::now();
        while start.elapsed() < PAUSE || studio.as_ref().is_some_and(|studio| !studio.is_settled()) {
            self.picture(studio.as_deref_mut(), Vec::new())?;
            anyhow::ensure!(start.elapsed() < PATIENCE, "the window does not come to rest");
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// One picture after these events.
    fn picture(&mut self, mut studio: Option<&mut Studio>, events: Vec<Event>) -> anyhow::Result<Times> {
        let points = vec2(self.size.0 as f32, self.size.1 as f32);
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, points)),
            time: Some(self.start.elapsed().as_secs_f64()),
            focused: true,
            events,
            ..RawInput::default()
        };
        let clock = Instant::now();
        let mut last = 0.0;
        let mut lap = || {
            let now = super::milliseconds(clock);
            now - std::mem::replace(&mut last, now)
        };
        let output = self.context.run_ui(input, |ui| match &mut studio {
            Some(studio) => studio.frame_ui(ui),
            None => empty_ui(ui),
        });
        let layout = lap();
        self.wait()?;
        let molecules = lap();
        let primitives = self.context.tessellate(output.shapes, output.pixels_per_point);
        let triangles = lap();
        self.paint(&output.textures_delta, &primitives, output.pixels_per_point)?;
        let panels = lap();
        self.read_back()?;
        let readback = lap();
        let all = super::milliseconds(clock);
        let coats = painted(&primitives) / f64::from(points.x * points.y);
        Ok(Times { layout, molecules, triangles, panels, readback, all, coats })
    }

    fn paint(
        &self,
        textures: &egui::TexturesDelta,
        primitives: &[egui::ClippedPrimitive],
        pixels_per_point: f32,
    ) -> anyhow::Result<()> {
        let (device, queue) = (&self.state.device, &self.state.queue);
        let mut renderer = self.state.renderer.write();
        for (id, images) in &textures.set {
            for image in images {
                renderer.update_texture(device, queue, *id, image);
            }
        }
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("window") });
        let screen = egui_wgpu::ScreenDescriptor { size_in_pixels: [self.size.0, self.size.1], pixels_per_point };
        let buffers = renderer.update_buffers(device, queue, &mut encoder, primitives, &screen);
        let view = self.target.create_view(&wgpu::TextureViewDescriptor::default());
        {
            let mut pass = encoder
                .begin_render_pass(&wgpu::RenderPassDescriptor {
                    label: Some("window"),
                    color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                        view: &view,
                        resolve_target: None,
                        ops: wgpu::Operations {
                            load: wgpu::LoadOp::Clear(wgpu::Color::BLACK),
                            store: wgpu::StoreOp::Store,
                        },
                        depth_slice: None,
                    })],
                    ..wgpu::RenderPassDescriptor::default()
                })
                .forget_lifetime();
            renderer.render(&mut pass, primitives, &screen);
        }
        queue.submit(buffers.into_iter().chain([encoder.finish()]));
        for id in &textures.free {
            renderer.free_texture(id);
        }
        drop(renderer);
        self.wait()
    }

    fn read_back(&self) -> anyhow::Result<()> {
        let (width, height) = self.size;
        let mut encoder = self.state.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let layout = wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(row_bytes(width)),
            rows_per_image: Some(height),
        };
        encoder.copy_texture_to_buffer(
            self.target.as_image_copy(),
            wgpu::TexelCopyBufferInfo { buffer: &self.buffer, layout },
            wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
        );
        self.state.queue.submit([encoder.finish()]);
        self.buffer.slice(..).map_async(wgpu::MapMode::Read, |_| {});
        self.wait()?;
        self.buffer.unmap();
        Ok(())
    }
}

/// The area of all triangles in square points; of those that are cut, the share that their frame has in view.
fn painted(primitives: &[egui::ClippedPrimitive]) -> f64 {
    let mut sum = 0.0;
    for primitive in primitives {
        let egui::epaint::Primitive::Mesh(mesh) = &primitive.primitive else { continue };
        for corners in mesh.indices.chunks_exact(3) {
            let place = |corner: &u32| mesh.vertices.get(*corner as usize).map(|vertex| vertex.pos);
            let [Some(a), Some(b), Some(c)] = [place(&corners[0]), place(&corners[1]), place(&corners[2])] else {
                continue;
            };
            let frame = Rect::from_points(&[a, b, c]);
            let seen = frame.intersect(primitive.clip_rect);
            if !seen.is_positive() {
                continue;
            }
            let area = 0.5 * ((b - a).x * (c - a).y - (b - a).y * (c - a).x).abs();
            sum += f64::from(area * seen.area() / frame.area().max(f32::MIN_POSITIVE));
        }
    }
    sum
}

fn empty_ui(ui: &mut egui::Ui) {
    egui::CentralPanel::default().show(ui, |_| {});
}

/// A real window whose input comes from here.
struct Driven {
    studio: Option<Studio>,
    found: Arc<Mutex<(String, Vec<Row>)>>,
    adapter: String,
    size: (u32, u32),
    events: u32,
    scenarios: Vec<Scenario>,
    stage: Stage,
}

/// How far the measurement is.
struct Stage {
    since: Instant,
    scenario: usize,
    /// Events of this scenario that are still to be sent before it is measured and when it is over.
    pending: std::collections::VecDeque<Event>,
    is_begun: bool,
    number: u32,
    last: Option<Instant>,
    layout: f64,
    times: Vec<Times>,
    still: u32,
}

impl Stage {
    fn new() -> Self {
        Self {
            since: Instant::now(),
            scenario: 0,
            pending: std::collections::VecDeque::new(),
            is_begun: false,
            number: 0,
            last: None,
            layout: 0.0,
            times: Vec::new(),
            still: 0,
        }
    }
}

impl eframe::App for Driven {
    fn raw_input_hook(&mut self, context: &egui::Context, input: &mut RawInput) {
        // The pointer of the display must not speak into it.
        input.events.clear();
        input.focused = true;
        let now = Instant::now();
        let stage = &mut self.stage;
        if let Some(last) = stage.last.take() {
            // The picture before this one has been handed over.
            let all = now.duration_since(last).as_secs_f64() * 1000.0;
            stage.times.push(Times { layout: stage.layout, all, ..Times::default() });
        }
        let is_settled = self.studio.as_ref().is_none_or(Studio::is_settled);
        stage.still = if is_settled { stage.still + 1 } else { 0 };
        if let Some(event) = stage.pending.pop_front() {
            input.events.push(event);
            stage.since = now;
        } else if !stage.is_begun {
            if stage.still > 4 && stage.since.elapsed() > PAUSE {
                match self.scenarios.get(stage.scenario) {
                    Some(scenario) => {
                        stage.pending.extend(scenario.before(self.size));
                        stage.is_begun = true;
                        stage.number = 0;
                        stage.since = now;
                    }
                    None => context.send_viewport_cmd(egui::ViewportCommand::Close),
                }
            }
        } else if let Some(scenario) = self.scenarios.get(stage.scenario) {
            if stage.number == 0 && stage.since.elapsed() < PAUSE {
                // What came before it is over first.
            } else if stage.number < self.events {
                stage.number += 1;
                input.events.extend(scenario.event(stage.number - 1, self.events, self.size));
                stage.last = Some(now);
            } else {
                let row = Row::of(*scenario, &std::mem::take(&mut stage.times));
                let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
                found.0.clone_from(&self.adapter);
                found.1.push(row);
                stage.pending.extend(scenario.after(self.size));
                stage.scenario += 1;
                stage.is_begun = false;
                stage.since = now;
            }
        }
        context.request_repaint();
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let start = Instant::now();
        match &mut self.studio {
            Some(studio) => studio.frame_ui(ui),
            None => empty_ui(ui),
        }
        self.stage.layout = super::milliseconds(start);
    }
}

/// A docking job that goes on for as long as it is held.
struct Busy {
    worker: Child,
}

impl Busy {
    fn start(folder: &Path, query: &Path) -> anyhow::Result<Self> {
        let query = kfold_inference::query::Query::read(query)?;
        let mut settings = Settings { engine: EngineName::Docking, ..Settings::default() };
        settings.docking.exhaustiveness = 4096;
        let job = folder.join("busy");
        Job::create(&job, &query, &settings)?;
        let own = std::env::current_exe().context("cannot find this program's own file")?;
        let mut command = Command::new(own);
        command.arg("worker").arg(&job).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self { worker: command.spawn().context("cannot start the docking job")? })
    }

    fn is_running(&mut self) -> bool {
        self.worker.try_wait().is_ok_and(|ended| ended.is_none())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        // One that has ended cannot be ended.
        let _ = self.worker.kill();
        let _ = self.worker.wait();
    }
}

fn table(report: &Report) -> String {
    let flags = [(report.busy, ", while docking"), (report.on_screen, ", on the screen"), (report.empty, ", empty")];
    let flags: String = flags.iter().filter(|(holds, _)| *holds).map(|(_, text)| *text).collect();
    let mut text =
        format!("{}, {}x{}, {} events each{flags}\n", report.adapter, report.width, report.height, report.events);
    text += &format!("{:<12} {:>24} {:>8}", "ms", "all p50    p95    p99", "layout");
    if !report.on_screen {
        text += &format!(" {:>10} {:>10} {:>7} {:>9} {:>6}", "molecules", "triangles", "panels", "readback", "coats");
    }
    text.push('\n');
    for row in &report.rows {
        let name = row.events.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        let all = format!("{:>10.1} {:>6.1} {:>6.1}", row.all.p50, row.all.p95, row.all.p99);
        text += &format!("{name:<12} {all:>24} {:>8.1}", row.layout.p50);
        if !report.on_screen {
            text += &format!(
                " {:>10.1} {:>10.1} {:>7.1} {:>9.1} {:>6.2}",
                row.molecules.p50, row.triangles.p50, row.panels.p50, row.readback.p50, row.coats.p50
            );
        }
        text.push('\n');
    }
    text
}
