//! The map of predicted errors between pairs of tokens: a square picture on which a box can be drawn.

use std::ops::Range;
use std::sync::Arc;

use egui::{
    Align2, Color32, ColorImage, Pos2, Rect, Role, Sense, Stroke, StrokeKind, TextStyle, TextureHandle, TextureOptions,
    Ui, WidgetInfo, pos2, vec2,
};

use super::super::theme::palette;
use crate::drawing::pair_errors::{PairErrors, TokenBox, ramp};

/// Words of the map.
pub struct MapWords<'a> {
    /// What it is, for assistive technology.
    pub name: &'a str,
    /// The axis of rows.
    pub aligned_on: &'a str,
    /// The axis of columns.
    pub scored: &'a str,
}

/// Shows the map with the box in force; dragging draws a new one and a click without dragging takes it away. Returns the new box
/// (or none) when it changed. `marked` are the tokens that are selected elsewhere, `place` names a token, e.g. `A 45 GLY`.
pub fn error_map(
    ui: &mut Ui,
    words: &MapWords<'_>,
    errors: &PairErrors,
    chosen: Option<&TokenBox>,
    marked: &[bool],
    place: impl Fn(usize) -> String,
) -> Option<Option<TokenBox>> {
    let colours = palette(ui);
    let font = TextStyle::Small.resolve(ui.style());
    let margin = vec2(22.0, 20.0);
    let side = (ui.available_width() - margin.x - 6.0).clamp(60.0, 340.0);
    let (rect, response) =
        ui.allocate_exact_size(vec2(margin.x + side + 6.0, margin.y + side + 34.0), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, words.name));
    if errors.tokens == 0 {
        return None;
    }
    super::describe(&response, || {
        let tokens = errors.tokens;
        format!("{tokens} × {tokens}, {} × {}, 0 – {:.0} Å", words.aligned_on, words.scored, errors.highest)
    });
    let area = Rect::from_min_size(rect.min + margin, vec2(side, side));
    let texture = texture(ui, errors);
    let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    let painter = ui.painter();
    painter.image(texture.id(), area, whole, Color32::WHITE);
    let per_token = side / errors.tokens as f32;
    for start in &errors.chain_starts {
        let offset = *start as f32 * per_token;
        painter.vline(area.left() + offset, area.y_range(), Stroke::new(1.0, colours.text_muted));
        painter.hline(area.x_range(), area.top() + offset, Stroke::new(1.0, colours.text_muted));
    }
    painter.rect_stroke(area, 0.0, Stroke::new(1.0, colours.line_strong), StrokeKind::Outside);
    for run in runs(marked) {
        let (low, high) =
            (run.start as f32 * per_token, (run.end as f32 * per_token).max(run.start as f32 * per_token + 1.5));
        let across = Rect::from_x_y_ranges(area.left() + low..=area.left() + high, area.top() - 4.0..=area.top());
        let along = Rect::from_x_y_ranges(area.left() - 4.0..=area.left(), area.top() + low..=area.top() + high);
        painter.rect_filled(across, 0.0, colours.accent);
        painter.rect_filled(along, 0.0, colours.accent);
    }
    painter.text(
        pos2(area.center().x, rect.top() + 2.0),
        Align2::CENTER_TOP,
        words.scored,
        font.clone(),
        colours.text_muted,
    );
    let galley = painter.layout_no_wrap(words.aligned_on.to_owned(), font.clone(), colours.text_muted);
    let start = pos2(rect.left() + 2.0, area.center().y + galley.size().x * 0.5);
    painter
        .add(egui::epaint::TextShape::new(start, galley, colours.text_muted).with_angle(-std::f32::consts::FRAC_PI_2));
    scale_bar(ui, Rect::from_min_size(pos2(area.left(), area.bottom() + 8.0), vec2(side, 8.0)), errors.highest);

    let token = |position: Pos2| {
        let index = |along: f32| ((along / per_token).max(0.0) as usize).min(errors.tokens - 1);
        (index(position.y - area.top()), index(position.x - area.left()))
    };
    let drawing = drawn_box(ui, &response, area, token);
    if let Some(shown) = drawing.as_ref().map(|(shown, _)| shown).or(chosen) {
        let corner = |row: usize, column: usize| area.min + vec2(column as f32, row as f32) * per_token;
        let frame = Rect::from_min_max(
            corner(shown.aligned_on.start, shown.scored.start),
            corner(shown.aligned_on.end, shown.scored.end),
        );
        let painter = ui.painter();
        painter.rect_stroke(frame, 0.0, Stroke::new(3.0, colours.card), StrokeKind::Outside);
        painter.rect_stroke(frame, 0.0, Stroke::new(1.5, colours.accent), StrokeKind::Outside);
    }
    let change = match drawing {
        Some((shown, true)) => Some(Some(shown)),
        None if response.clicked() && chosen.is_some() => Some(None),
        _ => None,
    };
    if let Some((row, column)) = response.hover_pos().filter(|position| area.contains(*position)).map(token)
        && let Some(error) = errors.at(row, column)
    {
        let text = format!("{error:.1} Å\n{}: {}\n{}: {}", words.aligned_on, place(row), words.scored, place(column));
        response.on_hover_text_at_pointer(text);
    }
    change
}

/// The box under the pointer while it is drawn, and whether it is finished.
fn drawn_box(
    ui: &Ui,
    response: &egui::Response,
    area: Rect,
    token: impl Fn(Pos2) -> (usize, usize),
) -> Option<(TokenBox, bool)> {
    let finished = response.drag_stopped();
    if !response.dragged() && !finished {
        return None;
    }
    let (from, to) = ui.input(|input| (input.pointer.press_origin(), input.pointer.latest_pos()));
    let start_key = response.id.with("drag start");
    // The press is forgotten in the frame in which the button comes up.
    let from = match from {
        Some(from) => {
            ui.data_mut(|data| data.insert_temp(start_key, from));
            from
        }
        None => ui.data_mut(|data| data.get_temp(start_key))?,
    };
    if !area.contains(from) {
        return None;
    }
    let ((row, column), (other_row, other_column)) = (token(from), token(to?));
    let span = |a: usize, b: usize| a.min(b)..a.max(b) + 1;
    Some((TokenBox { aligned_on: span(row, other_row), scored: span(column, other_column) }, finished))
}

/// Made once for each map and kept by the window.
fn texture(ui: &Ui, errors: &PairErrors) -> TextureHandle {
    let key = egui::Id::unique("error map");
    let held: Option<(Arc<Vec<f32>>, TextureHandle)> = ui.data(|data| data.get_temp(key));
    if let Some((values, handle)) = held
        && Arc::ptr_eq(&values, &errors.values)
    {
        return handle;
    }
    let pixels = errors.pixels();
    let image = ColorImage::from_rgb([pixels.width as usize, pixels.height as usize], &pixels.rgb);
    let handle = ui.ctx().load_texture("error map", image, TextureOptions::NEAREST);
    ui.data_mut(|data| data.insert_temp(key, (Arc::clone(&errors.values), handle.clone())));
    handle
}

fn scale_bar(ui: &Ui, bar: Rect, highest: f32) {
    let colours = palette(ui);
    let font = TextStyle::Small.resolve(ui.style());
    let painter = ui.painter();
    let steps = 64;
    let width = bar.width() / steps as f32;
    for step in 0..steps {
        let left = bar.left() + width * step as f32;
        let piece = Rect::from_min_size(pos2(left, bar.top()), vec2(width + 0.5, bar.height()));
        let [red, green, blue] = ramp((step as f32 + 0.5) / steps as f32);
        painter.rect_filled(piece, 0.0, Color32::from_rgb(red, green, blue));
    }
    painter.rect_stroke(bar, 0.0, Stroke::new(1.0, colours.line_strong), StrokeKind::Outside);
    let under = bar.bottom() + 2.0;
    painter.text(pos2(bar.left(), under), Align2::LEFT_TOP, "0 Å", font.clone(), colours.text_muted);
    painter.text(pos2(bar.right(), under), Align2::RIGHT_TOP, format!("{highest:.0} Å"), font, colours.text_muted);
}

/// Stretches of marked tokens.
fn runs(marked: &[bool]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for index in (0..marked.len()).filter(|index| marked[*index]) {
        match runs.last_mut().filter(|run| run.end == index) {
            Some(run) => run.end = index + 1,
            None => runs.push(index..index + 1),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_tokens_come_in_stretches() {
        assert_eq!(runs(&[true, true, false, true]), [0..2, 3..4]);
        assert!(runs(&[]).is_empty());
    }
}
