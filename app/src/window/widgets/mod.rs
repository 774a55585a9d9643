//! Controls of our own, each with a name and a role for assistive technology.

pub mod depiction;
pub mod error_map;
pub mod icon;
pub mod matrix;
pub mod paint;
pub mod plot;
pub mod sequence;
pub mod table;

use egui::{Align, CornerRadius, Layout, Margin, Response, RichText, Role, Sense, Stroke, Ui, WidgetInfo, vec2};

use super::theme::{self, GAP_SMALL, palette};
use icon::{Icon, paint_icon};

/// How serious a sentence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Good news.
    Good,
    /// Neutral.
    Info,
    /// Worth a look.
    Warning,
    /// Wrong.
    Bad,
}

impl Tone {
    /// Its colour in a palette.
    #[must_use]
    pub const fn colour(self, colours: &theme::Palette) -> egui::Color32 {
        match self {
            Self::Good => colours.good,
            Self::Info => colours.accent,
            Self::Warning => colours.warning,
            Self::Bad => colours.bad,
        }
    }

    /// Its sign, so that colour is never the only carrier of meaning.
    #[must_use]
    pub const fn icon(self) -> Icon {
        match self {
            Self::Good => Icon::Check,
            Self::Info => Icon::Info,
            Self::Warning | Self::Bad => Icon::Warning,
        }
    }
}

/// Says what a picture shows to those who do not see it. The words are made only where somebody listens.
pub fn describe(response: &Response, words: impl FnOnce() -> String) {
    response.ctx.accesskit_node_builder(response.id, |node| node.set_description(words()));
}

/// A name with its value. Whoever listens hears both in one: `RMSD: 6.88 Å`.
pub fn fact(ui: &mut Ui, name: &str, value: &str) -> Response {
    let colours = palette(ui);
    ui.horizontal(|ui| {
        ui.spacing_mut().interact_size.y = 17.0;
        ui.set_height(17.0);
        ui.add(egui::Label::new(RichText::new(name).color(colours.text_muted)).selectable(false).truncate());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let response = ui.label(RichText::new(value).text_style(theme::strong_style()));
            response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{name}: {value}")));
            response
        })
        .inner
    })
    .inner
}

/// A box to tick. An empty one is empty: egui fills it like the rail of a slider.
pub fn checkbox(ui: &mut Ui, value: &mut bool, text: impl Into<egui::WidgetText>) -> Response {
    let text = text.into();
    ui.scope(|ui| {
        let card = palette(ui).card;
        let widgets = &mut ui.visuals_mut().widgets;
        for look in [&mut widgets.noninteractive, &mut widgets.inactive, &mut widgets.hovered] {
            look.bg_fill = card;
        }
        ui.checkbox(value, text)
    })
    .inner
}

/// A square button with a sign; `label` is its tooltip and its name.
pub fn icon_button(ui: &mut Ui, icon: Icon, label: &str, enabled: bool) -> Response {
    let size = vec2(theme::CONTROL_HEIGHT, theme::CONTROL_HEIGHT);
    let sense = if enabled { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(size, sense);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, label));
    if ui.is_rect_visible(rect) {
        let colours = palette(ui);
        if enabled && (response.hovered() || response.has_focus()) {
            let stroke = if response.has_focus() { Stroke::new(1.5, colours.accent) } else { Stroke::NONE };
            ui.painter().rect(rect, CornerRadius::same(theme::RADIUS), colours.hover, stroke, egui::StrokeKind::Inside);
        }
        let colour = if enabled { colours.text } else { colours.line_strong };
        paint_icon(ui.painter(), icon, rect.shrink(6.0), colour);
    }
    response.on_hover_text(label)
}

/// A sign that is one choice of several; `label` is its name.
pub fn icon_choice(ui: &mut Ui, icon: Icon, label: &str, is_chosen: bool) -> Response {
    let size = vec2(theme::CONTROL_HEIGHT, theme::CONTROL_HEIGHT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, ui.is_enabled(), is_chosen, label));
    if ui.is_rect_visible(rect) {
        let colours = palette(ui);
        let is_lit = response.hovered() || response.has_focus();
        let fill = if is_chosen { colours.accent_soft } else { colours.hover };
        if is_chosen || is_lit {
            let stroke = if response.has_focus() { Stroke::new(1.5, colours.accent) } else { Stroke::NONE };
            ui.painter().rect(rect, CornerRadius::same(theme::RADIUS), fill, stroke, egui::StrokeKind::Inside);
        }
        let ink = if is_chosen { colours.accent } else { colours.text };
        paint_icon(ui.painter(), icon, rect.shrink(6.0), ink);
    }
    response
}

/// A titled group of the query or results panel, always open.
pub fn section<R>(ui: &mut Ui, title: &str, add_contents: impl FnOnce(&mut Ui) -> R) -> R {
    section_with(ui, title, |_| {}, add_contents)
}

/// [`section`] with controls at the right end of the title's line.
pub fn section_with<R>(
    ui: &mut Ui,
    title: &str,
    add_controls: impl FnOnce(&mut Ui),
    add_contents: impl FnOnce(&mut Ui) -> R,
) -> R {
    ui.add_space(GAP_SMALL);
    ui.horizontal(|ui| {
        ui.label(RichText::new(title).text_style(theme::title_style()));
        ui.with_layout(Layout::right_to_left(Align::Center), add_controls);
    });
    let result = ui.vertical(add_contents).inner;
    ui.add_space(theme::GAP);
    result
}

/// A sentence with a sign in front, wrapped.
pub fn message(ui: &mut Ui, tone: Tone, text: &str) -> Response {
    let colours = palette(ui);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = GAP_SMALL + 2.0;
        let (rect, _) = ui.allocate_exact_size(vec2(14.0, 16.0), Sense::hover());
        paint_icon(ui.painter(), tone.icon(), rect.shrink2(vec2(0.5, 1.5)), tone.colour(colours));
        let text = RichText::new(text).color(if tone == Tone::Info { colours.text } else { tone.colour(colours) });
        ui.add(egui::Label::new(text).wrap())
    })
    .inner
}

/// A small note in muted ink.
pub fn note(ui: &mut Ui, text: &str) -> Response {
    let colours = palette(ui);
    ui.add(egui::Label::new(RichText::new(text).small().color(colours.text_muted)).wrap())
}

/// A low button in small letters; egui's own keeps the larger ones, which do not fit between its edges.
pub fn small_button(ui: &mut Ui, text: impl Into<String>) -> Response {
    ui.add(egui::Button::new(RichText::new(text).small()))
}

/// A rounded label. Its size is known before it is placed, so that a row of them wraps.
pub fn chip(ui: &mut Ui, text: &str, tone: Option<Tone>) -> Response {
    let colours = palette(ui);
    let ink = tone.map_or(colours.text, |tone| tone.colour(colours));
    let font = egui::TextStyle::Small.resolve(ui.style());
    let galley = ui.painter().layout_no_wrap(text.to_owned(), font, ink);
    let (rect, response) = ui.allocate_exact_size(galley.size() + vec2(16.0, 5.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    ui.painter().rect_filled(rect, CornerRadius::same(9), colours.hover);
    ui.painter().galley(rect.center() - galley.size() * 0.5, galley, ink);
    response
}

/// A choice with a title and a line below it, as wide as there is room.
pub fn titled_choice(ui: &mut Ui, title: &str, text: &str, has_frame: bool) -> bool {
    let colours = palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 46.0), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, title));
    let is_lit = response.hovered() || response.has_focus();
    let stroke = match (is_lit, has_frame) {
        (true, _) => Stroke::new(1.0, colours.accent),
        (false, true) => Stroke::new(1.0, colours.line),
        (false, false) => Stroke::NONE,
    };
    let fill = if is_lit { colours.hover } else { colours.card };
    ui.painter().rect(rect, f32::from(theme::RADIUS), fill, stroke, egui::StrokeKind::Inside);
    let place = rect.min + vec2(12.0, 7.0);
    let strong = theme::strong_style().resolve(ui.style());
    let small = egui::TextStyle::Small.resolve(ui.style());
    let painter = ui.painter().with_clip_rect(rect.shrink(GAP_SMALL).intersect(ui.clip_rect()));
    painter.text(place, egui::Align2::LEFT_TOP, title, strong, colours.text);
    painter.text(place + vec2(0.0, 18.0), egui::Align2::LEFT_TOP, text, small, colours.text_muted);
    response.on_hover_cursor(egui::CursorIcon::PointingHand).clicked()
}

/// A row of choices, one of them in force. Returns whether the choice changed.
pub fn segmented<T: PartialEq + Copy>(ui: &mut Ui, name: &str, value: &mut T, choices: &[(T, String)]) -> bool {
    let before = *value;
    let colours = palette(ui);
    let frame = egui::Frame::new()
        .fill(colours.hover)
        .stroke(Stroke::new(1.0, colours.line))
        .corner_radius(CornerRadius::same(theme::RADIUS + 1))
        .inner_margin(Margin::same(2));
    frame.show(ui, |ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        ui.spacing_mut().button_padding = vec2(8.0, 2.0);
        ui.spacing_mut().interact_size.y = theme::CONTROL_HEIGHT - 4.0;
        ui.horizontal(|ui| {
            // A row that is laid out from the right begins with its last.
            let mut choices: Vec<&(T, String)> = choices.iter().collect();
            if ui.layout().prefer_right_to_left() {
                choices.reverse();
            }
            for (choice, label) in choices {
                let chosen = *choice == *value;
                let text = RichText::new(label).color(if chosen { colours.accent } else { colours.text_muted });
                let button = egui::Button::new(text)
                    .fill(if chosen { colours.card } else { colours.hover })
                    .stroke(if chosen { Stroke::new(1.0, colours.line_strong) } else { Stroke::NONE });
                let response = ui.add(button);
                response.widget_info(|| {
                    WidgetInfo::selected(Role::RadioButton, ui.is_enabled(), chosen, format!("{name}: {label}"))
                });
                if response.clicked() {
                    *value = *choice;
                }
            }
        });
    });
    *value != before
}

/// A name on the left and a control on the right, the control named by it.
pub fn field(ui: &mut Ui, label: &str, add_control: impl FnOnce(&mut Ui) -> Response) -> Response {
    let colours = palette(ui);
    ui.horizontal(|ui| {
        let width = 128.0;
        let name = ui
            .allocate_ui_with_layout(vec2(width, theme::CONTROL_HEIGHT), Layout::left_to_right(Align::Center), |ui| {
                ui.set_width(width);
                ui.label(RichText::new(label).color(colours.text_muted))
            })
            .inner;
        add_control(ui).labelled_by(name.id)
    })
    .inner
}
