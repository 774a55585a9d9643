//! Signs drawn with lines, so that they are sharp at every scale and need no font.

use egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, pos2};

/// A sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// Arrow back.
    Undo,
    /// Arrow forth.
    Redo,
    /// Triangle.
    Play,
    /// Two bars.
    Pause,
    /// A cross: remove, close, failed.
    Cross,
    /// A tick: passed.
    Check,
    /// A triangle with a mark.
    Warning,
    /// A circle with a mark.
    Info,
    /// A half-filled circle: light or dark.
    Appearance,
    /// A question mark.
    Help,
    /// Two sliders: settings.
    Settings,
    /// A magnifying glass: everything that can be done.
    Search,
    /// Four corners: show everything.
    Reset,
    /// A target: centre the view on this.
    Focus,
    /// An arrow around a point: turn.
    Turn,
    /// A dashed box: select within it.
    Box,
    /// A loop with an end: select within it.
    Lasso,
}

/// Paints a sign into a rectangle.
pub fn paint_icon(painter: &Painter, icon: Icon, rect: Rect, colour: Color32) {
    let stroke = Stroke::new((rect.width() / 9.0).max(1.3), colour);
    let at = |x: f32, y: f32| -> Pos2 { pos2(rect.left() + x * rect.width(), rect.top() + y * rect.height()) };
    let line = |points: &[(f32, f32)]| {
        painter.add(Shape::line(points.iter().map(|&(x, y)| at(x, y)).collect(), stroke));
    };
    let arc = |from: f32, to: f32, centre: (f32, f32), radius: f32| {
        let steps = 14;
        let points: Vec<Pos2> = (0..=steps)
            .map(|step| {
                let angle = from + (to - from) * step as f32 / steps as f32;
                at(centre.0 + radius * angle.cos(), centre.1 + radius * angle.sin())
            })
            .collect();
        painter.add(Shape::line(points, stroke));
    };
    let half = std::f32::consts::FRAC_PI_2;
    match icon {
        Icon::Settings => {
            line(&[(0.05, 0.28), (0.95, 0.28)]);
            line(&[(0.05, 0.72), (0.95, 0.72)]);
            painter.circle_filled(at(0.66, 0.28), rect.width() * 0.14, colour);
            painter.circle_filled(at(0.32, 0.72), rect.width() * 0.14, colour);
        }
        Icon::Search => {
            arc(0.0, 4.0 * half, (0.42, 0.42), 0.32);
            line(&[(0.66, 0.66), (0.95, 0.95)]);
        }
        Icon::Undo => {
            line(&[(0.30, 0.12), (0.06, 0.36), (0.30, 0.60)]);
            line(&[(0.06, 0.36), (0.62, 0.36)]);
            arc(-half, half, (0.62, 0.62), 0.26);
            line(&[(0.62, 0.88), (0.30, 0.88)]);
        }
        Icon::Redo => {
            line(&[(0.70, 0.12), (0.94, 0.36), (0.70, 0.60)]);
            line(&[(0.94, 0.36), (0.38, 0.36)]);
            arc(-half, -3.0 * half, (0.38, 0.62), 0.26);
            line(&[(0.38, 0.88), (0.70, 0.88)]);
        }
        Icon::Play => {
            painter.add(Shape::convex_polygon(
                vec![at(0.18, 0.05), at(0.95, 0.5), at(0.18, 0.95)],
                colour,
                Stroke::NONE,
            ));
        }
        Icon::Pause => {
            painter.rect_filled(Rect::from_two_pos(at(0.15, 0.08), at(0.40, 0.92)), 1.0, colour);
            painter.rect_filled(Rect::from_two_pos(at(0.60, 0.08), at(0.85, 0.92)), 1.0, colour);
        }
        Icon::Cross => {
            line(&[(0.15, 0.15), (0.85, 0.85)]);
            line(&[(0.85, 0.15), (0.15, 0.85)]);
        }
        Icon::Check => line(&[(0.08, 0.55), (0.38, 0.85), (0.92, 0.18)]),
        Icon::Warning => {
            painter.add(Shape::closed_line(vec![at(0.5, 0.06), at(0.97, 0.92), at(0.03, 0.92)], stroke));
            line(&[(0.5, 0.36), (0.5, 0.62)]);
            painter.circle_filled(at(0.5, 0.77), stroke.width * 0.62, colour);
        }
        Icon::Info => {
            painter.circle_stroke(at(0.5, 0.5), rect.width() * 0.45, stroke);
            line(&[(0.5, 0.46), (0.5, 0.74)]);
            painter.circle_filled(at(0.5, 0.28), stroke.width * 0.62, colour);
        }
        Icon::Appearance => {
            painter.circle_stroke(at(0.5, 0.5), rect.width() * 0.42, stroke);
            let steps = 16;
            let points = (0..=steps)
                .map(|step| {
                    let angle = -half + std::f32::consts::PI * step as f32 / steps as f32;
                    at(0.5 + 0.42 * angle.cos(), 0.5 + 0.42 * angle.sin())
                })
                .collect();
            painter.add(Shape::convex_polygon(points, colour, Stroke::NONE));
        }
        Icon::Help => {
            arc(-2.0 * half, half, (0.5, 0.30), 0.22);
            line(&[(0.5, 0.52), (0.5, 0.68)]);
            painter.circle_filled(at(0.5, 0.86), stroke.width * 0.62, colour);
        }
        Icon::Reset => {
            for (x, y) in [(0.05, 0.05), (0.95, 0.05), (0.05, 0.95), (0.95, 0.95)] {
                let inward = |value: f32| if value < 0.5 { value + 0.28 } else { value - 0.28 };
                line(&[(inward(x), y), (x, y), (x, inward(y))]);
            }
            painter.circle_filled(at(0.5, 0.5), rect.width() * 0.14, colour);
        }
        Icon::Turn => {
            arc(-half * 0.6, 2.7 * half, (0.5, 0.5), 0.40);
            line(&[(0.58, 0.16), (0.83, 0.17), (0.85, 0.44)]);
            painter.circle_filled(at(0.5, 0.5), rect.width() * 0.12, colour);
        }
        Icon::Box => {
            for (x, y, across, down) in
                [(0.06, 0.1, 0.0, 0.0), (0.94, 0.1, 1.0, 0.0), (0.06, 0.9, 0.0, 1.0), (0.94, 0.9, 1.0, 1.0)]
            {
                let (inward_x, inward_y) = (0.26 - 0.52 * across, 0.24 - 0.48 * down);
                line(&[(x + inward_x, y), (x, y), (x, y + inward_y)]);
            }
            for (x, y) in [(0.5, 0.1), (0.5, 0.9)] {
                line(&[(x - 0.07, y), (x + 0.07, y)]);
            }
            for (x, y) in [(0.06, 0.5), (0.94, 0.5)] {
                line(&[(x, y - 0.06), (x, y + 0.06)]);
            }
        }
        Icon::Lasso => {
            let steps = 20;
            let points: Vec<Pos2> = (0..=steps)
                .map(|step| {
                    let angle = step as f32 / steps as f32 * 4.0 * half;
                    at(0.5 + 0.45 * angle.cos(), 0.38 + 0.30 * angle.sin())
                })
                .collect();
            painter.add(Shape::line(points, stroke));
            line(&[(0.30, 0.64), (0.24, 0.80), (0.34, 0.97)]);
        }
        Icon::Focus => {
            painter.circle_stroke(at(0.5, 0.5), rect.width() * 0.30, stroke);
            line(&[(0.5, 0.0), (0.5, 0.30)]);
            line(&[(0.5, 0.70), (0.5, 1.0)]);
            line(&[(0.0, 0.5), (0.30, 0.5)]);
            line(&[(0.70, 0.5), (1.0, 0.5)]);
        }
    }
}
