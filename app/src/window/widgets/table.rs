//! A table whose rows are buttons: click or arrow keys choose one, and each row reads as one sentence.

use egui::{Align2, Key, Rect, Response, Role, ScrollArea, Sense, Stroke, TextStyle, Ui, WidgetInfo, pos2, vec2};

use super::super::theme::{self, palette};
use super::Tone;
use super::icon::{Icon, paint_icon};

/// Height of a row, points.
const ROW_HEIGHT: f32 = 23.0;

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Head.
    pub title: String,
    /// What it means, shown over the head.
    pub explanation: String,
    /// Share of the table's width.
    pub share: f32,
    /// Numbers stand right, words left.
    pub is_number: bool,
}

impl Column {
    /// A column of words.
    #[must_use]
    pub fn words(title: String, share: f32) -> Self {
        Self { title, explanation: String::new(), share, is_number: false }
    }

    /// A column of numbers.
    #[must_use]
    pub fn number(title: String, explanation: String, share: f32) -> Self {
        Self { title, explanation, share, is_number: true }
    }
}

/// A cell.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// What stands in it.
    pub text: String,
    /// Its tone; a sign is painted in front.
    pub tone: Option<Tone>,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, tone: None }
    }
}

/// What the user did to the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableResponse {
    /// The row now chosen, when that changed or was confirmed.
    pub chosen: Option<usize>,
    /// The row under the pointer.
    pub hovered: Option<usize>,
}

/// Shows a table. `cells` makes a row's cells when it is in sight; `sentence` says the row for assistive technology.
pub fn table(
    ui: &mut Ui,
    salt: &str,
    columns: &[Column],
    rows: usize,
    selected: Option<usize>,
    max_height: f32,
    mut row: impl FnMut(usize) -> (Vec<Cell>, String),
) -> TableResponse {
    let colours = palette(ui);
    let mut result = TableResponse::default();
    let width = ui.available_width();
    // Rows that scroll leave room for the bar, or it would cover the last column.
    let bar = if rows as f32 * ROW_HEIGHT > max_height { ui.spacing().scroll.allocated_width() } else { 0.0 };
    let total: f32 = columns.iter().map(|column| column.share).sum::<f32>().max(f32::EPSILON);
    let mut edges = vec![0.0];
    for column in columns {
        edges.push(edges.last().copied().unwrap_or(0.0) + (width - bar - 10.0) * column.share / total);
    }
    let cell_rect = |rect: Rect, index: usize| {
        let left = rect.left() + 6.0 + edges.get(index).copied().unwrap_or(0.0);
        let right = rect.left() + 6.0 + edges.get(index + 1).copied().unwrap_or(width);
        Rect::from_min_max(pos2(left, rect.top()), pos2(right, rect.bottom()))
    };

    let (head, _) = ui.allocate_exact_size(vec2(width, ROW_HEIGHT), Sense::hover());
    let head_font = TextStyle::Small.resolve(ui.style());
    for (index, column) in columns.iter().enumerate() {
        let rect = cell_rect(head, index);
        let (position, align) = place(rect, column.is_number);
        ui.painter().with_clip_rect(rect).text(position, align, &column.title, head_font.clone(), colours.text_muted);
        if !column.explanation.is_empty() {
            let id = ui.scope_id().with((salt, "head", index));
            let response = ui.interact(rect, id, Sense::hover()).on_hover_text(&column.explanation);
            response.widget_info(|| WidgetInfo::labeled(Role::ColumnHeader, true, &column.title));
        }
    }
    ui.painter().hline(head.x_range(), head.bottom(), Stroke::new(1.0, colours.line_strong));
    ui.add_space(-ui.spacing().item_spacing.y);

    let font = TextStyle::Body.resolve(ui.style());
    let strong = theme::strong_style().resolve(ui.style());
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        // In a panel that scrolls itself, what is left of its height is no reason to scroll.
        let height = max_height.min(rows as f32 * ROW_HEIGHT);
        let area = ScrollArea::vertical().id_salt(salt).max_height(max_height).min_scrolled_height(height);
        area.auto_shrink([false, true]).show_rows(ui, ROW_HEIGHT, rows, |ui, range| {
            for index in range {
                let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT), Sense::click());
                let (cells, sentence) = row(index);
                let is_selected = selected == Some(index);
                response.widget_info(|| WidgetInfo::selected(Role::Row, true, is_selected, &sentence));
                if response.hovered() {
                    result.hovered = Some(index);
                }
                if response.clicked() {
                    response.request_focus();
                    result.chosen = Some(index);
                }
                if let Some(next) = keyboard_step(ui, &response, index, rows) {
                    result.chosen = Some(next);
                }
                if is_selected && ui.memory(|memory| memory.has_focus(response.id)) {
                    // The highlight below shows the focus as well.
                    response.scroll_to_me(None);
                }
                let ground = if is_selected {
                    colours.accent_soft
                } else if response.hovered() || response.has_focus() {
                    colours.hover
                } else {
                    egui::Color32::TRANSPARENT
                };
                ui.painter().rect_filled(rect, 3.0, ground);
                ui.painter().hline(rect.x_range(), rect.bottom(), Stroke::new(1.0, colours.line));
                if is_selected {
                    let bar = Rect::from_min_size(rect.min, vec2(3.0, rect.height()));
                    ui.painter().rect_filled(bar, 1.0, colours.accent);
                }
                for (column_index, (column, cell)) in columns.iter().zip(&cells).enumerate() {
                    let mut cell_area = cell_rect(rect, column_index);
                    if let Some(tone) = cell.tone {
                        let sign = Rect::from_center_size(
                            pos2(cell_area.right() - 8.0, cell_area.center().y),
                            vec2(10.0, 10.0),
                        );
                        let icon = if tone == Tone::Bad { Icon::Cross } else { tone.icon() };
                        paint_icon(ui.painter(), icon, sign, tone.colour(colours));
                        cell_area.set_right(sign.left() - 4.0);
                    }
                    let (position, align) = place(cell_area, column.is_number);
                    let mut font = if is_selected { strong.clone() } else { font.clone() };
                    let painter = ui.painter().with_clip_rect(cell_area.intersect(ui.clip_rect()));
                    if column.is_number {
                        // A number that lost its first digits is another number.
                        let wide = painter.layout_no_wrap(cell.text.clone(), font.clone(), colours.text).size().x;
                        font.size *= ((cell_area.width() - 4.0) / wide.max(1.0)).clamp(0.3, 1.0);
                    }
                    painter.text(position, align, &cell.text, font, colours.text);
                }
            }
        });
    });
    result
}

fn place(rect: Rect, is_number: bool) -> (egui::Pos2, Align2) {
    if is_number {
        (pos2(rect.right() - 4.0, rect.center().y), Align2::RIGHT_CENTER)
    } else {
        (pos2(rect.left(), rect.center().y), Align2::LEFT_CENTER)
    }
}

/// The row that a focused row's arrow keys, Home, End, Enter or Space ask for.
fn keyboard_step(ui: &Ui, response: &Response, index: usize, rows: usize) -> Option<usize> {
    if !response.has_focus() {
        return None;
    }
    ui.memory_mut(|memory| {
        let filter = egui::EventFilter { vertical_arrows: true, ..egui::EventFilter::default() };
        memory.set_focus_lock_filter(response.id, filter);
    });
    let step = ui.input(|input| {
        if input.key_pressed(Key::ArrowDown) {
            Some(index + 1)
        } else if input.key_pressed(Key::ArrowUp) {
            index.checked_sub(1)
        } else if input.key_pressed(Key::Home) {
            Some(0)
        } else if input.key_pressed(Key::End) {
            rows.checked_sub(1)
        } else if input.key_pressed(Key::Enter) || input.key_pressed(Key::Space) {
            Some(index)
        } else {
            None
        }
    })?;
    let step = step.min(rows.saturating_sub(1));
    if step != index {
        // The rows' identities follow from their order, so the neighbour takes the focus when it is laid out.
        ui.memory_mut(|memory| {
            memory.move_focus(if step > index { egui::FocusDirection::Next } else { egui::FocusDirection::Previous });
        });
    }
    Some(step)
}
