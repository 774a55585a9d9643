//! A picture of lines and words in the window.

use egui::epaint::TextShape;
use egui::{Align2, Color32, FontId, Painter, Pos2, Rect, Sense, Shape as Painted, StrokeKind, Ui, pos2, vec2};

use super::super::theme::{self, Palette, palette};
use crate::drawing::svg::rgb;
use crate::drawing::{Anchor, Drawing, Ink, Shape, Stroke, Word};

/// Shows a picture scaled to the width at hand, no larger than it is and no higher than `most`; the response covers it. The second
/// value turns a place in the picture into one on the screen.
pub fn drawing(ui: &mut Ui, picture: &Drawing, most: f32, sense: Sense) -> (egui::Response, Rect, f32) {
    let scale = (ui.available_width() / picture.size.x.max(1.0)).min(most / picture.size.y.max(1.0)).min(1.0);
    let size = vec2(picture.size.x, picture.size.y) * scale;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), size.y), sense);
    let area = Rect::from_center_size(rect.center(), size);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, &picture.description));
    if ui.is_rect_visible(rect) {
        paint(&ui.painter_at(rect), palette(ui), &picture.shapes, area.min, scale);
    }
    (response, area, scale)
}

/// Paints lines and words whose own origin lies here.
pub fn paint(painter: &Painter, colours: &Palette, shapes: &[Shape], origin: Pos2, scale: f32) {
    let place = |point: glam::Vec2| origin + vec2(point.x, point.y) * scale;
    let ink = |ink: Ink| {
        let [red, green, blue] = rgb(ink, colours);
        Color32::from_rgb(red, green, blue)
    };
    let line = |stroke: &Stroke| egui::Stroke::new((stroke.width * scale).max(0.7), ink(stroke.ink));
    for shape in shapes {
        match shape {
            Shape::Line(points, stroke) => {
                let points: Vec<Pos2> = points.iter().map(|point| place(*point)).collect();
                match stroke.dash {
                    Some([dash, gap]) => {
                        painter.extend(Painted::dashed_line(&points, line(stroke), dash * scale, gap * scale));
                    }
                    None => {
                        painter.add(Painted::line(points, line(stroke)));
                    }
                }
            }
            Shape::Area(points, fill) => {
                let points = points.iter().map(|point| place(*point)).collect();
                painter.add(Painted::convex_polygon(points, ink(*fill), egui::Stroke::NONE));
            }
            Shape::Circle { center, radius, fill, stroke } => {
                let stroke = stroke.as_ref().map_or(egui::Stroke::NONE, line);
                painter.circle(place(*center), radius * scale, fill.map_or(Color32::TRANSPARENT, ink), stroke);
            }
            Shape::Rect { low, high, radius, fill, stroke } => {
                let rect = Rect::from_min_max(place(*low), place(*high));
                let stroke = stroke.as_ref().map_or(egui::Stroke::NONE, line);
                let fill = fill.map_or(Color32::TRANSPARENT, ink);
                painter.rect(rect, radius * scale, fill, stroke, StrokeKind::Middle);
            }
            Shape::Word(word) => write(painter, word, place(word.place), scale, ink(word.ink)),
            // Pixels are shown by widgets that keep their texture.
            Shape::Picture { .. } => {}
        }
    }
}

fn write(painter: &Painter, word: &Word, place: Pos2, scale: f32, ink: Color32) {
    let size = word.size * scale;
    let font = if word.is_strong { FontId::new(size, theme::strong_family()) } else { FontId::proportional(size) };
    if word.is_upright {
        let galley = painter.layout_no_wrap(word.text.clone(), font, ink);
        let start = -word.start() * scale;
        let corner = pos2(place.x - galley.size().y * 0.5, place.y + start);
        painter.add(TextShape::new(corner, galley, ink).with_angle(-std::f32::consts::FRAC_PI_2));
        return;
    }
    let align = match word.anchor {
        Anchor::Start => Align2::LEFT_CENTER,
        Anchor::Middle => Align2::CENTER_CENTER,
        Anchor::End => Align2::RIGHT_CENTER,
    };
    painter.text(place, align, &word.text, font, ink);
}
