//! The 3D view: draws the scene into the renderer's texture, turns the mouse and the keys into camera moves, and asks
//! which atom is under the pointer.
//!
//! The texture is drawn only when something changed; egui shows the same texture on all other frames. While the camera
//! moves, a software adapter draws half the size; when it rests, the full picture follows.

mod overlay;

use std::ops::ControlFlow;
use std::sync::Arc;

use egui::{Key, Modifiers, PointerButton, Pos2, Rect, Role, Sense, Ui, WidgetInfo, vec2};
use glam::Vec3;
use kfold_molecule::analysis::interactions::InteractionKind;
use kfold_molecule::{Model, Topology};
use kfold_viewer::{
    AtomSelection, Camera, Color, Coloring, Gpu, Label, Legend, Object, ObjectId, Pick, Preset, RenderSettings,
    Renderer, Representation, Scene, Shape, Stereo, ViewerError,
};

use self::overlay::{Drawing, axes_ui};
use super::document::ColourBy;
use super::measure::Labels;
use super::opaque::Picture;
use super::region::{Region, Tool};
use super::scene::{Built, LIGAND, Plan, RECEPTOR, SECOND_PART, Selected};
use super::theme::palette;
use super::widgets::{Tone, message};
use crate::texts::Texts;

/// Radians that a drag across the view's height turns.
const ORBIT_SPEED: f32 = 3.0;
/// Radians, or a fraction of the height, for one press of a key.
const KEY_STEP: f32 = 0.12;
/// Seconds that the camera takes to a new place.
const FLIGHT_SECONDS: f64 = 0.35;
/// Seconds after the last move when the full picture is drawn.
const REST_SECONDS: f64 = 0.18;
/// Radius around a picked atom when the view goes there, Å.
const ATOM_RADIUS: f32 = 9.0;
/// The object of lines that measure; no other has it.
const MEASUREMENTS: ObjectId = ObjectId::MAX;
/// Room around what is selected when the view goes there, Å.
const SELECTION_MARGIN: f32 = 3.0;

/// The view.
pub struct Viewport {
    device: Result<Device, String>,
    /// For the picture at the right where there are two.
    second: Option<Device>,
    context: egui::Context,
    /// Where the picture is taken from.
    pub camera: Camera,
    flight: Option<Flight>,
    scene: Scene,
    plan: Option<Plan>,
    all: Vec<Vec3>,
    focus: Vec<Vec3>,
    legends: Vec<(ColourBy, Legend)>,
    interactions: Vec<InteractionKind>,
    /// What a drag with the left button does.
    pub tool: Tool,
    /// The box or loop that is being drawn.
    drawing: Option<Drawing>,
    /// One that is complete.
    region: Option<Region>,
    /// The look, for how many eyes, and whether there are axes.
    look: Look,
    /// Where the pictures were shown last, each with its camera.
    pictures: Vec<(Rect, Camera)>,
    focus_next: bool,
    hovered: Option<Pick>,
    clicked: Option<Pick>,
    selected: Selected,
    /// Where the pointer was when an atom was asked for.
    asked_at: Option<Pos2>,
    is_asking: bool,
    /// Whether the picture at the right was asked.
    asked_second: bool,
    press: Option<Press>,
    moved_at: f64,
    aspect: f32,
    failure: Option<ViewerError>,
    wants_keyboard: bool,
    /// The camera that the next new scene is looked at with.
    restored: Option<Camera>,
    /// The camera that was told last, and whether the program moved it there.
    told: Camera,
    is_own_move: bool,
}

struct Device {
    renderer: Renderer,
    state: egui_wgpu::RenderState,
    /// The picture that is shown, of which of the renderer's textures, and whether a pixel of it is one of the window.
    picture: Option<(Picture, u64, bool)>,
}

/// How the view is drawn, apart from what is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Look {
    /// A look with a name; else the window's.
    pub preset: Option<Preset>,
    /// For one eye or two.
    pub stereo: Stereo,
    /// Whether the axes are shown.
    pub axes: bool,
}

struct Flight {
    from: Camera,
    to: Camera,
    since: Option<f64>,
}

/// A click whose atom is being asked for.
#[derive(Clone, Copy)]
struct Press {
    is_double: bool,
    with_shift: bool,
}

/// A click in the view.
#[derive(Clone, Copy, Debug)]
pub struct Click {
    /// What was clicked; nothing beside the molecules.
    pub pick: Option<Pick>,
    /// Whether Shift was down.
    pub with_shift: bool,
}

impl Viewport {
    /// A view on the window's own device. Without one, the view says so and the rest of the window works.
    #[must_use]
    pub fn new(state: Option<&egui_wgpu::RenderState>, context: &egui::Context) -> Self {
        let device = state
            .ok_or_else(|| "the window has no graphics device of its own".to_owned())
            .and_then(|state| Device::new(state, context).map_err(|error| error.to_string()));
        Self {
            device,
            second: None,
            context: context.clone(),
            camera: Camera::default(),
            flight: None,
            scene: Scene::default(),
            plan: None,
            all: Vec::new(),
            focus: Vec::new(),
            legends: Vec::new(),
            interactions: Vec::new(),
            tool: Tool::Turn,
            drawing: None,
            region: None,
            look: Look::default(),
            pictures: Vec::new(),
            focus_next: false,
            hovered: None,
            clicked: None,
            selected: Selected::default(),
            asked_at: None,
            is_asking: false,
            asked_second: false,
            press: None,
            moved_at: f64::NEG_INFINITY,
            aspect: 1.4,
            failure: None,
            wants_keyboard: false,
            restored: None,
            told: Camera::default(),
            is_own_move: false,
        }
    }

    /// What the view was last built from.
    #[must_use]
    pub const fn plan(&self) -> Option<&Plan> {
        self.plan.as_ref()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.plan.as_ref().is_none_or(Plan::is_empty)
    }

    /// Whether meshes are still being built.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        let is_building = |device: &Device| device.renderer.is_building();
        self.device.as_ref().is_ok_and(is_building) || self.second.as_ref().is_some_and(is_building)
    }

    /// Whether the camera is on its way.
    #[must_use]
    pub const fn is_travelling(&self) -> bool {
        self.flight.is_some()
    }

    /// Whether the processor draws.
    #[must_use]
    pub fn is_software(&self) -> bool {
        self.device.as_ref().is_ok_and(|device| device.renderer.gpu().is_software())
    }

    /// Takes a built scene; looks at it anew when it shows other molecules.
    pub fn take_scene(&mut self, built: Built) {
        if let Some(drawn) = built.drawn {
            // Where there is nothing yet, there is nothing to look at: a camera to restore waits for what comes.
            let is_other = |plan: &Plan| built.plan.shows_other_molecules(plan) || plan.is_empty();
            let is_new = !built.plan.is_empty() && self.plan.as_ref().is_none_or(is_other);
            let has_ligand = built.plan.ligand.is_some() || built.plan.reference.is_some();
            self.scene.objects = drawn.objects;
            self.all = drawn.all;
            self.focus = drawn.focus;
            self.legends = drawn.legends;
            self.interactions = drawn.interactions;
            self.hovered = None;
            if is_new {
                self.clicked = None;
                self.flight = None;
                let restored = self.restored.take();
                self.is_own_move = true;
                self.camera = if let Some(camera) = restored {
                    camera
                } else if has_ligand {
                    Camera::looking_into_pocket(&self.focus, &self.all, self.aspect)
                } else {
                    Camera::looking_at(&self.all, self.aspect)
                };
                if has_ligand && !self.focus_next && restored.is_none() {
                    self.camera.frame(&self.all, self.aspect);
                }
            } else if self.focus_next {
                self.fly_to(Camera::looking_into_pocket(&self.focus, &self.all, self.aspect));
                self.is_own_move = true;
            }
            self.focus_next = false;
        }
        self.scene.selected.clone_from(&built.selected.atoms);
        self.selected = built.selected;
        self.plan = Some(built.plan);
    }

    /// Where an atom is in the file, Å.
    #[must_use]
    pub fn position(&self, object: ObjectId, atom: u32) -> Option<Vec3> {
        let object = self.scene.objects.iter().find(|held| held.id == object)?;
        object.positions.get(atom as usize).copied()
    }

    /// Where an atom is in a copy of its molecule, Å; nothing when there are not so many.
    #[must_use]
    pub fn position_in(&self, object: ObjectId, atom: u32, copy: u32) -> Option<Vec3> {
        let held = self.scene.objects.iter().find(|held| held.id == object)?;
        Some(held.places().get(copy as usize)?.transform_point3(self.position(object, atom)?))
    }

    /// Where a point appears in the view that fills `area`; nothing before the eye.
    #[must_use]
    pub fn project(&self, point: Vec3, area: Rect) -> Option<Pos2> {
        let size = glam::Vec2::new(area.width(), area.height());
        self.camera.project(point, size).map(|(place, _)| area.min + vec2(place.x, place.y))
    }

    /// An atom as people write it.
    #[must_use]
    pub fn atom_text(&self, texts: &Texts, object: ObjectId, atom: u32) -> Option<String> {
        atom_name(texts, object, self.topology_of(object)?, atom as usize)
    }

    /// Names of what is selected, and where they belong; so many at most.
    #[must_use]
    pub fn labels(&self, labels: Labels, most: usize) -> Vec<(Vec3, String)> {
        let mut named = Vec::new();
        for (object, atoms) in self.selected.atoms.iter().filter(|_| labels != Labels::Off) {
            let Some(topology) = self.topology_of(*object) else { continue };
            let mut last = None;
            for atom in atoms.indices(topology) {
                let held = &topology.atoms[atom as usize];
                let residue = topology.residue_of(atom as usize);
                let text = match labels {
                    Labels::Atoms => held.name.to_string(),
                    _ if last.replace(held.residue) == Some(held.residue) => continue,
                    _ => format!("{} {}", residue.name, residue.number_text()),
                };
                // A residue's name stands at its alpha carbon, or where the selection enters it.
                let guide = ["CA", "C4'"].iter().find_map(|name| topology.atom_named(residue, name));
                let place = if labels == Labels::Atoms { atom as usize } else { guide.unwrap_or(atom as usize) };
                if let Some(point) = self.position(*object, place as u32) {
                    named.push((point, text));
                }
                if named.len() >= most {
                    return named;
                }
            }
        }
        named
    }

    /// Words, and dashed lines that measure, from now on.
    pub fn set_words(&mut self, labels: Vec<Label>, lines: Vec<[Vec3; 2]>, color: Color) {
        // The renderer tells lists apart by where they are: the same words keep theirs.
        if *self.scene.labels != labels {
            self.scene.labels = Arc::new(labels);
        }
        let held = self.scene.objects.iter().position(|object| object.id == MEASUREMENTS);
        let shape = held.map(|index| &self.scene.objects[index].representations[0]);
        let is_same = match shape.map(|held| (&held.shape, &held.coloring)) {
            Some((Shape::Measured(drawn), Coloring::Uniform(held))) => **drawn == lines && *held == color,
            _ => lines.is_empty(),
        };
        if is_same {
            return;
        }
        self.scene.objects.retain(|object| object.id != MEASUREMENTS);
        if !lines.is_empty() {
            // Lines belong to no atoms: an object needs a model, so they hang on an empty one.
            let carrier = Model { number: 1, topology: Arc::default(), positions: Vec::new(), b_factors: Vec::new() };
            let measured = Representation::new(Shape::Measured(Arc::new(lines)), Coloring::Uniform(color));
            self.scene.objects.push(Object::new(MEASUREMENTS, &carrier).with(measured));
        }
    }

    /// What colours mean, of the polymer and its surface; and the kinds of interactions that are drawn.
    #[must_use]
    pub fn legends(&self) -> (&[(ColourBy, Legend)], &[InteractionKind]) {
        (&self.legends, &self.interactions)
    }

    /// The look, for how many eyes and with what in the corner, from now on.
    pub fn set_look(&mut self, look: Look) {
        if look.stereo == Stereo::Off {
            self.second = None;
        }
        if look.stereo.count() != self.look.stereo.count() {
            // What fits into the picture fits into the narrower one too.
            let aspect = self.aspect * (self.look.stereo.count() as f32) / look.stereo.count() as f32;
            self.camera.zoom(aspect.min(1.0) / self.aspect.min(1.0));
            self.aspect = aspect;
        }
        self.look = look;
    }

    /// The colour behind the molecules, where the window's is `usual`.
    #[must_use]
    pub fn ground(&self, usual: Color) -> Color {
        match self.look.preset {
            // A dark picture is dark in a light window too.
            Some(Preset::Dark) => Preset::Dark.settings().background,
            _ => usual,
        }
    }

    /// The camera, or where it is flying to.
    #[must_use]
    pub fn resting_camera(&self) -> Camera {
        self.flight.as_ref().map_or(self.camera, |flight| flight.to)
    }

    /// Goes where a view was kept.
    pub fn go_to(&mut self, camera: Camera) {
        self.fly_to(camera);
    }

    /// A box or loop that has been drawn.
    pub const fn take_region(&mut self) -> Option<Region> {
        self.region.take()
    }

    /// What is selected.
    #[must_use]
    pub const fn selected(&self) -> &Selected {
        &self.selected
    }

    /// Whether an atom is selected.
    #[must_use]
    pub fn is_selected(&self, pick: &Pick) -> bool {
        self.selected.atoms.iter().any(|(object, atoms)| {
            *object == pick.object
                && self.topology_of(*object).is_some_and(|topology| atoms.indices(topology).contains(&pick.atom))
        })
    }

    /// The atoms of an object in the view.
    #[must_use]
    pub fn topology_of(&self, object: ObjectId) -> Option<&Topology> {
        self.scene.objects.iter().find(|held| held.id == object).map(|held| &*held.topology)
    }

    /// Goes to the ligand when the next scene comes.
    pub const fn focus_next_scene(&mut self) {
        self.focus_next = true;
    }

    /// Takes the keyboard in the next frame.
    pub const fn ask_for_keyboard(&mut self) {
        self.wants_keyboard = true;
    }

    /// Frames everything.
    pub fn frame_all(&mut self) {
        let mut camera = self.camera;
        camera.frame(&self.all, self.aspect);
        self.fly_to(camera);
    }

    /// Frames the ligand, or the pocket.
    pub fn frame_focus(&mut self) {
        if self.focus.is_empty() {
            self.frame_all();
        } else if self.plan.as_ref().is_some_and(|plan| plan.ligand.is_some() || plan.reference.is_some()) {
            self.fly_to(Camera::looking_into_pocket(&self.focus, &self.all, self.aspect));
        } else {
            let mut camera = self.camera;
            camera.frame(&self.focus, self.aspect);
            self.fly_to(camera);
        }
    }

    /// Goes to a point, showing `radius` Å around it.
    pub fn focus_on(&mut self, point: Vec3, radius: f32) {
        let mut camera = self.camera;
        camera.frame_sphere(point, radius, self.aspect);
        self.fly_to(camera);
    }

    /// Frames what is selected.
    pub fn frame_selected(&mut self) {
        let (center, radius) = kfold_viewer::bounding_sphere(&self.selected.points);
        if !self.selected.points.is_empty() {
            self.focus_on(center, (radius + SELECTION_MARGIN).max(ATOM_RADIUS));
        }
    }

    /// Goes where the view was before; a scene that is on its way is looked at from there too.
    pub fn restore(&mut self, camera: Option<Camera>) {
        self.restored = camera;
        if let Some(camera) = camera.filter(|camera| *camera != self.camera) {
            self.fly_to(camera);
        }
    }

    /// The camera, where it has come to rest in another place since this was last asked; and whether the program moved it
    /// there of its own accord.
    pub fn take_move(&mut self) -> Option<(Camera, bool)> {
        if self.flight.is_some() || self.camera == self.told {
            return None;
        }
        self.told = self.camera;
        Some((self.camera, std::mem::take(&mut self.is_own_move)))
    }

    fn fly_to(&mut self, camera: Camera) {
        self.is_own_move = false;
        self.flight = Some(Flight { from: self.camera, to: camera, since: None });
    }

    /// The work of drawing the view at a width of its own in pixels, for a thread: it brings its own renderer on the
    /// window's device, so the view goes on meanwhile.
    ///
    /// # Errors
    /// When there is no adapter that can draw.
    pub fn picture(
        &self,
        width: u32,
    ) -> Result<impl FnOnce() -> Result<image::RgbaImage, String> + Send + 'static, String> {
        let device = self.device.as_ref().map_err(|reason| reason.clone())?;
        let gpu = device.renderer.gpu().clone();
        let stereo = self.look.stereo;
        let width = width / stereo.count();
        let look = self.look.preset.map_or_else(|| RenderSettings::live(&gpu), Preset::settings);
        let background = self.ground(Color::WHITE);
        let settings = RenderSettings { background, ..look }.still().for_height((width as f32 / self.aspect) as u32);
        let mut scene = self.scene.clone();
        scene.hovered.clear();
        // The picture has a ground of its own, whatever the window's.
        let on_white =
            |label: &Label| Label { color: Label::new(Vec3::ZERO, "").color, ..label.clone() }.on_ground(background);
        scene.labels = Arc::new(scene.labels.iter().map(on_white).collect());
        let camera = self.camera;
        let height = ((width as f32 / self.aspect) as u32).clamp(1, gpu.max_side());
        let width = width.min(gpu.max_side());
        Ok(move || {
            let mut renderer = Renderer::new(gpu).map_err(|error| error.to_string())?;
            let mut go_on = |_, _| ControlFlow::Continue(());
            let drawn = stereo.render(&mut renderer, &scene, &camera, (width, height), &settings, &mut go_on);
            drawn.map_err(|error| error.to_string())
        })
    }

    /// The device that draws, if there is one.
    #[must_use]
    pub fn gpu(&self) -> Option<Gpu> {
        self.device.as_ref().ok().map(|device| device.renderer.gpu().clone())
    }

    /// What is drawn and from where, and the view's width over its height.
    #[must_use]
    pub const fn scene(&self) -> (&Scene, Camera, f32) {
        (&self.scene, self.camera, self.aspect)
    }

    /// The atom under the pointer, or the selected one, as people write it.
    #[must_use]
    pub fn readout(&self, texts: &Texts) -> Option<String> {
        let (pick, key) = match (&self.hovered, &self.clicked) {
            (Some(pick), _) => (pick, "readout-hovered"),
            (None, Some(pick)) => (pick, "readout-clicked"),
            (None, None) => return None,
        };
        let topology = self.topology_of(pick.object)?;
        Some(texts.with(key, [("atom", atom_name(texts, pick.object, topology, pick.atom as usize)?.into())]))
    }

    /// Shows the view. Returns the click whose atom is known by now.
    pub fn ui(&mut self, ui: &mut Ui, texts: &Texts) -> Option<Click> {
        let (rect, response) = ui.allocate_exact_size(ui.available_size(), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, texts.get("view-name")));
        if let Err(reason) = &self.device {
            let text = texts.with("view-no-device", [("reason", reason.clone().into())]);
            ui.scope_builder(egui::UiBuilder::new().max_rect(rect.shrink(24.0)), |ui| message(ui, Tone::Bad, &text));
            return None;
        }
        let pixels_per_point = ui.ctx().pixels_per_point();
        let size = (
            (rect.width() * pixels_per_point).round().max(1.0) as u32,
            (rect.height() * pixels_per_point).round().max(1.0) as u32,
        );
        let width = rect.width() / self.look.stereo.count() as f32;
        self.aspect = (width / rect.height().max(1.0)).clamp(0.05, 20.0);
        let now = ui.input(|input| input.time);
        if response.clicked() || response.drag_started() || std::mem::take(&mut self.wants_keyboard) {
            response.request_focus();
        }
        self.fly(ui, now);
        if !self.draw_region(ui, &response) {
            self.turn(ui, &response, rect, now);
        }
        let size = (size.0 / self.look.stereo.count(), size.1);
        self.pictures = self.places(rect);
        let clicked = self.point(ui, &response, pixels_per_point);
        self.draw(ui, size, now);
        self.region_ui(ui);
        if self.look.axes {
            for (rect, camera) in &self.pictures {
                axes_ui(ui, *rect, camera);
            }
        }
        if response.has_focus() {
            let colours = palette(ui);
            let stroke = egui::Stroke::new(1.5, colours.accent);
            ui.painter().rect_stroke(rect.shrink(1.0), 0.0, stroke, egui::StrokeKind::Inside);
        }
        clicked
    }

    fn fly(&mut self, ui: &Ui, now: f64) {
        let Some(flight) = &mut self.flight else { return };
        let since = *flight.since.get_or_insert(now);
        let share = ((now - since) / FLIGHT_SECONDS).clamp(0.0, 1.0) as f32;
        self.camera = flight.from.interpolate(&flight.to, share);
        self.moved_at = now;
        if share >= 1.0 {
            self.camera = flight.to;
            self.flight = None;
        }
        ui.ctx().request_repaint();
    }

    /// Mouse and keys to camera moves.
    fn turn(&mut self, ui: &Ui, response: &egui::Response, rect: Rect, now: f64) {
        let before = self.camera;
        let shift = ui.input(|input| input.modifiers.shift);
        let drag = response.drag_delta() / rect.height().max(1.0);
        if response.dragged_by(PointerButton::Primary) && !shift {
            self.camera.orbit(drag.x * ORBIT_SPEED, -drag.y * ORBIT_SPEED);
        } else if response.dragged_by(PointerButton::Secondary)
            || response.dragged_by(PointerButton::Middle)
            || response.dragged_by(PointerButton::Primary)
        {
            self.camera.pan(drag.x, -drag.y);
        }
        if response.hovered() {
            let (scroll, zoom) = ui.input(|input| (input.smooth_scroll_delta.y, input.zoom_delta()));
            self.camera.zoom((scroll * 0.0025).exp() * zoom);
        }
        if response.has_focus() {
            self.keys(ui, response);
        }
        if self.camera != before {
            self.flight = None;
            self.restored = None;
            self.is_own_move = false;
            self.moved_at = now;
        }
    }

    fn keys(&mut self, ui: &Ui, response: &egui::Response) {
        ui.memory_mut(|memory| {
            let filter =
                egui::EventFilter { horizontal_arrows: true, vertical_arrows: true, ..egui::EventFilter::default() };
            memory.set_focus_lock_filter(response.id, filter);
        });
        ui.input_mut(|input| {
            for (key, x, y) in [
                (Key::ArrowLeft, -1.0, 0.0),
                (Key::ArrowRight, 1.0, 0.0),
                (Key::ArrowUp, 0.0, 1.0),
                (Key::ArrowDown, 0.0, -1.0),
            ] {
                let shifted = input.count_and_consume_key(Modifiers::SHIFT, key) as f32;
                let plain = input.count_and_consume_key(Modifiers::NONE, key) as f32;
                self.camera.pan(shifted * x * KEY_STEP, shifted * y * KEY_STEP);
                self.camera.orbit(plain * x * KEY_STEP, plain * y * KEY_STEP);
            }
            for (key, factor) in [(Key::Plus, 1.15_f32), (Key::Equals, 1.15), (Key::Minus, 1.0 / 1.15)] {
                let times = input.count_and_consume_key(Modifiers::NONE, key);
                self.camera.zoom(factor.powi(times as i32));
            }
        });
    }

    /// Asks which atom is under the pointer and takes the answer.
    fn point(&mut self, ui: &Ui, response: &egui::Response, pixels_per_point: f32) -> Option<Click> {
        let Ok(device) = &mut self.device else { return None };
        let mut clicked = None;
        let answered = match &mut self.second {
            Some(second) if self.asked_second => second.renderer.poll_pick(),
            _ => device.renderer.poll_pick(),
        };
        match answered {
            Ok(Some(pick)) => {
                self.is_asking = false;
                self.hovered.clone_from(&pick);
                if let Some(press) = self.press.take() {
                    let place = pick.as_ref().and_then(|pick| {
                        let object = self.scene.objects.iter().find(|object| object.id == pick.object)?;
                        object.positions.get(pick.atom as usize).copied()
                    });
                    match place.filter(|_| press.is_double) {
                        Some(place) => self.focus_on(place, ATOM_RADIUS),
                        None => clicked = Some(Click { pick, with_shift: press.with_shift }),
                    }
                    self.clicked = pick;
                }
            }
            Ok(None) => {
                if self.is_asking {
                    ui.ctx().request_repaint_after(std::time::Duration::from_millis(16));
                }
            }
            Err(error) => self.failure = Some(error),
        }
        let Ok(device) = &mut self.device else { return clicked };
        let pointer = response.interact_pointer_pos().or(response.hover_pos());
        let is_click = response.clicked() || response.double_clicked();
        let is_moving = response.dragged() || self.flight.is_some();
        match pointer {
            Some(pointer) if is_click || (!is_moving && self.press.is_none() && self.asked_at != Some(pointer)) => {
                if is_click {
                    let with_shift = ui.input(|input| input.modifiers.shift);
                    self.press = Some(Press { is_double: response.double_clicked(), with_shift });
                }
                let index = self.pictures.iter().position(|(rect, _)| rect.contains(pointer)).unwrap_or(0);
                let origin = self.pictures.get(index).map_or(pointer, |(rect, _)| rect.min);
                let place = (pointer - origin) * pixels_per_point;
                self.asked_second = index > 0 && self.second.is_some();
                let asked = match &mut self.second {
                    Some(second) if self.asked_second => second.renderer.begin_pick(place.x, place.y),
                    _ => device.renderer.begin_pick(place.x, place.y),
                };
                if let Err(error) = asked {
                    self.failure = Some(error);
                }
                self.asked_at = Some(pointer);
                self.is_asking = true;
                ui.ctx().request_repaint();
            }
            None if !response.hovered() => {
                self.hovered = None;
                self.asked_at = None;
            }
            _ => {}
        }
        // On a software adapter an outline under the pointer would cost a whole picture at every move.
        self.scene.hovered = self
            .hovered
            .as_ref()
            .filter(|_| !device.renderer.gpu().is_software())
            .map(|pick| vec![(pick.object, AtomSelection::of(vec![pick.atom]))])
            .unwrap_or_default();
        clicked
    }

    fn draw(&mut self, ui: &Ui, size: (u32, u32), now: f64) {
        let colours = palette(ui);
        let [red, green, blue, _] = colours.view.to_array();
        let background = self.ground(Color::hex(u32::from(red) << 16 | u32::from(green) << 8 | u32::from(blue)));
        let Ok(device) = &mut self.device else { return };
        let line_scale = ui.ctx().pixels_per_point();
        let live = RenderSettings::live(device.renderer.gpu());
        let look = self.look.preset.map_or(live, |preset| RenderSettings {
            samples: live.samples,
            quality: live.quality,
            ..preset.settings()
        });
        let still = RenderSettings { background, line_scale, ..look };
        let is_moving = now - self.moved_at < REST_SECONDS;
        let settings = if is_moving { still.while_moving(device.renderer.gpu()) } else { still };
        if is_moving {
            ui.ctx().request_repaint_after(std::time::Duration::from_secs_f64(REST_SECONDS));
        }
        if self.pictures.len() > 1 && self.second.is_none() {
            match Device::new(&device.state, &self.context) {
                Ok(made) => self.second = Some(made),
                Err(error) => self.failure = Some(error),
            }
        }
        let devices = std::iter::once(device).chain(&mut self.second);
        for ((rect, camera), device) in self.pictures.iter().zip(devices) {
            match device.show(&self.scene, camera, size, &settings) {
                Ok(picture) => {
                    if let Some(picture) = picture {
                        picture.paint(ui, *rect);
                    }
                    if device.renderer.needs_render(&self.scene, camera, size, &settings)
                        && !device.renderer.is_building()
                    {
                        ui.ctx().request_repaint();
                    }
                }
                Err(error) => self.failure = Some(error),
            }
        }
        if let (Some(error), Some((rect, _))) = (&self.failure, self.pictures.first()) {
            let place = Rect::from_min_size(rect.min + vec2(16.0, 12.0), vec2(rect.width() - 32.0, 40.0));
            let painter = ui.painter();
            painter.text(
                place.min,
                egui::Align2::LEFT_TOP,
                error.to_string(),
                egui::TextStyle::Body.resolve(ui.style()),
                colours.bad,
            );
        }
    }
}

impl Device {
    fn new(state: &egui_wgpu::RenderState, context: &egui::Context) -> Result<Self, ViewerError> {
        let gpu = Gpu::from_device(state.adapter.get_info(), state.device.clone(), state.queue.clone())?;
        let mut renderer = Renderer::new(gpu)?;
        // A surface may take seconds: it appears when it is ready, not when the pointer moves next.
        let context = context.clone();
        renderer.set_waker(move || context.request_repaint());
        Ok(Self { renderer, state: state.clone(), picture: None })
    }

    fn show(
        &mut self,
        scene: &Scene,
        camera: &Camera,
        size: (u32, u32),
        settings: &RenderSettings,
    ) -> Result<Option<&Picture>, ViewerError> {
        let view = self.renderer.render(scene, camera, size, settings)?;
        let drawn = view.texture().size();
        // Pixel on pixel there is nothing to smooth, and a software adapter is quicker without.
        let is_exact = (drawn.width, drawn.height) == size;
        let view = view.clone();
        let generation = self.renderer.texture_generation();
        if !matches!(self.picture, Some((_, held, was_exact)) if (held, was_exact) == (generation, is_exact)) {
            self.picture = Picture::new(&self.state, &view, is_exact).map(|picture| (picture, generation, is_exact));
        }
        Ok(self.picture.as_ref().map(|(picture, _, _)| picture))
    }
}

fn atom_name(texts: &Texts, object: ObjectId, topology: &Topology, index: usize) -> Option<String> {
    let atom = topology.atoms.get(index)?;
    if object != RECEPTOR && object < SECOND_PART {
        let key = if object == LIGAND { "readout-ligand" } else { "readout-reference" };
        return Some(texts.with(key, [("atom", atom.name.to_string().into())]));
    }
    let residue = topology.residues.get(atom.residue as usize)?;
    let chain = topology.chains.get(residue.chain as usize)?;
    Some(texts.with(
        "readout-atom",
        [
            ("chain", chain.id.to_string().into()),
            ("residue", residue.name.to_string().into()),
            ("number", residue.number_text().into()),
            ("atom", atom.name.to_string().into()),
        ],
    ))
}
