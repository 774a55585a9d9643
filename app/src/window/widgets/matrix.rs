//! A matrix of distances between conformers as a square of cells.

use egui::{Align2, Color32, Rect, Role, Sense, Stroke, StrokeKind, TextStyle, Ui, WidgetInfo, pos2, vec2};
use kfold_viewer::{CIVIDIS, Color};

use super::super::format::number;
use super::super::theme::palette;

/// Shows a matrix and returns the pair that was clicked. `place` names a row, `unit` stands behind values.
pub fn matrix_plot(
    ui: &mut Ui,
    name: &str,
    count: usize,
    value: impl Fn(usize, usize) -> f32,
    selected: Option<usize>,
    unit: &str,
    place: impl Fn(usize) -> String,
) -> Option<(usize, usize)> {
    let colours = palette(ui);
    let side = (ui.available_width() - 8.0).clamp(60.0, 260.0);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), side + 28.0), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    if count == 0 {
        return None;
    }
    let area = Rect::from_min_size(rect.min + vec2(4.0, 2.0), vec2(side, side));
    let highest = (0..count).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| value(i, j)).fold(0.0, f32::max);
    super::describe(&response, || format!("{count} × {count}, 0 – {} {unit}", number(highest, 1)));
    let cell = side / count as f32;
    let colour = |value: f32| {
        // Dark is near: the diagonal stands out.
        let found = Color::ramp(&CIVIDIS, if highest > 0.0 { value / highest } else { 0.0 });
        Color32::from_rgb(found.r, found.g, found.b)
    };
    let corner = |row: usize, column: usize| area.min + vec2(column as f32, row as f32) * cell;
    let painter = ui.painter();
    for row in 0..count {
        for column in 0..count {
            let at = Rect::from_min_size(corner(row, column), vec2(cell + 0.3, cell + 0.3));
            painter.rect_filled(at, 0.0, colour(value(row, column)));
        }
    }
    if let Some(index) = selected.filter(|index| *index < count) {
        let across = Rect::from_min_max(corner(index, 0), corner(index, count) + vec2(0.0, cell));
        painter.rect_stroke(across, 0.0, Stroke::new(1.5, colours.accent), StrokeKind::Inside);
    }
    painter.rect_stroke(area, 0.0, Stroke::new(1.0, colours.line_strong), StrokeKind::Outside);
    let font = TextStyle::Small.resolve(ui.style());
    let bar = Rect::from_min_size(pos2(area.left(), area.bottom() + 6.0), vec2(side * 0.5, 8.0));
    for step in 0..32 {
        let left = bar.left() + bar.width() * step as f32 / 32.0;
        let piece = Rect::from_min_size(pos2(left, bar.top()), vec2(bar.width() / 32.0 + 0.4, bar.height()));
        painter.rect_filled(piece, 0.0, colour(highest * (step as f32 + 0.5) / 32.0));
    }
    let text = format!("0 – {} {unit}", number(highest, 1));
    painter.text(bar.right_center() + vec2(8.0, 0.0), Align2::LEFT_CENTER, text, font, colours.text_muted);
    let pointer = response.hover_pos().filter(|place| area.contains(*place))?;
    let index = |along: f32| ((along / cell).max(0.0) as usize).min(count - 1);
    let (row, column) = (index(pointer.y - area.top()), index(pointer.x - area.left()));
    let clicked = response.clicked();
    let text = format!("{} – {}\n{} {unit}", place(row), place(column), number(value(row, column), 2));
    response.on_hover_text_at_pointer(text);
    clicked.then_some((row, column))
}
