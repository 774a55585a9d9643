//! What is drawn over the view and found below it: boxes and loops that select, and the axes.

use egui::{Key, PointerButton, Pos2, Rect, Ui, vec2};
use glam::Vec3;
use kfold_viewer::{Camera, Object, ObjectId, Shape};

use super::Viewport;
use crate::window::region::{self, Mode, Region, Tool};
use crate::window::scene::{LIGAND, RECEPTOR, REFERENCE, SECOND_PART};
use crate::window::theme::palette;

/// Corners of a loop at most.
const MOST_CORNERS: usize = 2000;
/// Length of the axes in the corner, points.
const AXIS: f32 = 26.0;

/// A box or loop that is being drawn.
pub(super) struct Drawing {
    tool: Tool,
    points: Vec<Pos2>,
}

impl Viewport {
    /// Where the pictures lie, side by side, each with its camera.
    pub(super) fn places(&self, rect: Rect) -> Vec<(Rect, Camera)> {
        let cameras = self.look.stereo.cameras(&self.camera);
        let width = rect.width() / cameras.len() as f32;
        let place =
            |index: usize| Rect::from_min_size(rect.min + vec2(width * index as f32, 0.0), vec2(width, rect.height()));
        cameras.into_iter().enumerate().map(|(index, camera)| (place(index), camera)).collect()
    }

    /// Places in the picture that a camera frames: one for each drawn atom of each copy.
    #[must_use]
    pub const fn point_count(&self) -> usize {
        self.all.len()
    }

    /// The atoms that are drawn within a region, of each molecule, and all of it that are drawn.
    #[must_use]
    pub fn atoms_within(&self, region: &Region) -> Vec<(ObjectId, Vec<u32>, Vec<u32>)> {
        let Some(first) = region.outline.first() else { return Vec::new() };
        let picture = self.pictures.iter().find(|(rect, _)| rect.contains(*first)).or(self.pictures.first());
        let Some((rect, camera)) = picture else { return Vec::new() };
        let size = glam::Vec2::new(rect.width(), rect.height());
        let bounds = Rect::from_points(&region.outline);
        let molecules = self.scene.objects.iter().filter(|object| {
            // Parts of an assembly come after all others; lines that measure have no atoms.
            matches!(object.id, RECEPTOR | LIGAND | REFERENCE)
                || (object.id >= SECOND_PART && !object.positions.is_empty())
        });
        let within = |object: &Object| {
            let mut drawn: Vec<u32> = object
                .representations
                .iter()
                .filter(|shown| shown.visible && !matches!(shown.shape, Shape::Dashes(_)))
                .flat_map(|shown| shown.atoms.indices(&object.topology))
                .collect();
            drawn.sort_unstable();
            drawn.dedup();
            let is_within = |atom: &u32| {
                let is_within = |point: Vec3| {
                    camera.project(point, size).is_some_and(|(place, _)| {
                        let place = rect.min + vec2(place.x, place.y);
                        bounds.contains(place) && region::contains(&region.outline, place)
                    })
                };
                let point = object.positions.get(*atom as usize);
                point.is_some_and(|point| object.places().iter().any(|copy| is_within(copy.transform_point3(*point))))
            };
            (object.id, drawn.iter().copied().filter(is_within).collect(), drawn)
        };
        molecules.map(within).collect()
    }

    /// Draws a box or a loop with the mouse: with a tool of the toolbar, or a box with the Control key. Returns whether
    /// the mouse is busy with it.
    pub(super) fn draw_region(&mut self, ui: &Ui, response: &egui::Response) -> bool {
        let (modifiers, origin) = ui.input(|input| (input.modifiers, input.pointer.press_origin()));
        if response.drag_started_by(PointerButton::Primary)
            && let Some(origin) = origin
        {
            let tool = match self.tool {
                Tool::Turn if modifiers.command => Tool::Box,
                tool => tool,
            };
            if tool != Tool::Turn {
                self.drawing = Some(Drawing { tool, points: vec![origin] });
            }
        }
        let is_cancelled = ui.input(|input| input.key_pressed(Key::Escape));
        if is_cancelled && self.drawing.is_none() && response.has_focus() {
            self.tool = Tool::Turn;
        }
        let Some(drawing) = &mut self.drawing else { return false };
        if is_cancelled {
            self.drawing = None;
            return true;
        }
        if let Some(pointer) = response.interact_pointer_pos() {
            let is_far = drawing.points.last().is_none_or(|last| last.distance(pointer) > 2.0);
            if drawing.tool == Tool::Box {
                drawing.points.truncate(1);
                drawing.points.push(pointer);
            } else if is_far && drawing.points.len() < MOST_CORNERS {
                drawing.points.push(pointer);
            }
        }
        if !response.dragged() {
            let mode = if modifiers.shift {
                Mode::Add
            } else if modifiers.alt {
                Mode::Remove
            } else {
                Mode::Replace
            };
            self.region = Some(Region { outline: region::outline(drawing.tool, &drawing.points), mode });
            self.drawing = None;
        }
        ui.ctx().request_repaint();
        true
    }

    /// Shows what is being drawn.
    pub(super) fn region_ui(&self, ui: &Ui) {
        let Some(drawing) = &self.drawing else { return };
        let corners = region::outline(drawing.tool, &drawing.points);
        let colours = palette(ui);
        let stroke = egui::Stroke::new(1.5, colours.accent);
        if drawing.tool == Tool::Box && corners.len() == 4 {
            let rect = Rect::from_points(&corners);
            ui.painter().rect(rect, 0.0, colours.accent.gamma_multiply(0.12), stroke, egui::StrokeKind::Inside);
        } else {
            ui.painter().add(egui::Shape::line(corners.clone(), stroke));
            if let (Some(first), Some(last)) = (corners.first(), corners.last()) {
                ui.painter().extend(egui::Shape::dashed_line(&[*last, *first], stroke, 5.0, 4.0));
            }
        }
    }
}

/// The axes of the coordinates, as the camera sees them.
pub(super) fn axes_ui(ui: &Ui, rect: Rect, camera: &Camera) {
    if rect.height() < 4.0 * AXIS || rect.width() < 4.0 * AXIS {
        return;
    }
    let colours = palette(ui);
    let origin = rect.left_bottom() + vec2(AXIS + 14.0, -AXIS - 14.0);
    let mut axes = [(Vec3::X, "X", colours.bad), (Vec3::Y, "Y", colours.good), (Vec3::Z, "Z", colours.accent)]
        .map(|(axis, name, colour)| (camera.view_from_world * axis, name, colour));
    // What points to the viewer lies on top.
    axes.sort_by(|(a, ..), (b, ..)| a.z.total_cmp(&b.z));
    let font = egui::TextStyle::Small.resolve(ui.style());
    for (axis, name, colour) in axes {
        let along = vec2(axis.x, -axis.y);
        let ink = colour.gamma_multiply(if axis.z < 0.0 { 0.55 } else { 1.0 });
        ui.painter().line_segment([origin, origin + along * AXIS], egui::Stroke::new(2.0, ink));
        ui.painter().text(origin + along * (AXIS + 8.0), egui::Align2::CENTER_CENTER, name, font.clone(), ink);
    }
}

#[cfg(test)]
mod tests {
    use egui::pos2;
    use glam::Mat4;
    use kfold_molecule::formats::pdb;
    use kfold_viewer::Representation;

    use super::*;

    #[test]
    fn every_copy_is_measured_and_selected_where_it_is_seen() {
        let text = "ATOM      1  CA  GLY A   1       0.000   0.000   0.000  1.00  0.00           C\n\
                    ATOM      2  CA  GLY B   1       0.000   5.000   0.000  1.00  0.00           C\n";
        let structure = pdb::read(text.as_bytes()).unwrap();
        let mut viewport = Viewport::new(None, &egui::Context::default());
        let part = |id: ObjectId, atom: u32, along: f32| {
            Object::new(id, structure.first().unwrap())
                .with(Representation::spheres(1.0).of(kfold_viewer::AtomSelection::of(vec![atom])))
                .copied(vec![Mat4::IDENTITY, Mat4::from_translation(Vec3::X * along)])
        };
        viewport.scene.objects = vec![part(RECEPTOR, 0, 20.0), part(SECOND_PART, 1, -20.0)];
        viewport.pictures = vec![(Rect::from_min_size(pos2(0.0, 0.0), vec2(200.0, 200.0)), Camera::default())];
        // From an atom of the file to one that was moved there, which is not where its coordinates say.
        let places = [(RECEPTOR, 0, 0), (SECOND_PART, 1, 1)]
            .map(|(object, atom, copy)| viewport.position_in(object, atom, copy).unwrap());
        assert_eq!(places, [Vec3::ZERO, Vec3::new(-20.0, 5.0, 0.0)]);
        assert_eq!(viewport.position_in(RECEPTOR, 0, 2), None, "there is no third copy");
        let area = Rect::from_min_size(pos2(0.0, 0.0), vec2(200.0, 200.0));
        for (object, atom, copy) in [(RECEPTOR, 0, 0), (RECEPTOR, 0, 1), (SECOND_PART, 1, 0), (SECOND_PART, 1, 1)] {
            let point = viewport.position_in(object, atom, copy).unwrap();
            let size = glam::Vec2::splat(200.0);
            let (place, _) = viewport.pictures[0].1.project(point, size).unwrap();
            let around = Rect::from_center_size(area.min + vec2(place.x, place.y), vec2(4.0, 4.0));
            let outline = vec![around.left_top(), around.right_top(), around.right_bottom(), around.left_bottom()];
            let found = viewport.atoms_within(&Region { outline, mode: Mode::Replace });
            let found: Vec<_> = found.into_iter().filter(|(_, atoms, _)| !atoms.is_empty()).collect();
            assert_eq!(found, [(object, vec![atom], vec![atom])], "copy {copy}");
        }
    }
}
