//! How the window looks: colours, type and spacing, all in one place.
//!
//! Two palettes with the same tokens. Text on its ground keeps a contrast of at least 4.5 : 1 and shapes that carry
//! meaning 3 : 1 (WCAG 2.2, 1.4.3 and 1.4.11; tested below). Nothing outside this file names a colour, a font or a
//! margin of its own.

use std::sync::Arc;

use egui::epaint::text::{FontData, FontDefinitions};
use egui::{Color32, CornerRadius, FontFamily, FontId, Margin, Shadow, Stroke, TextStyle, Theme, Vec2, vec2};

use crate::drawing::fonts;

/// Gap between things that belong together, points.
pub const GAP_SMALL: f32 = 4.0;
/// Gap between neighbouring controls, points.
pub const GAP: f32 = 8.0;
/// Gap between groups, points.
pub const GAP_LARGE: f32 = 16.0;
/// Height of a control, points.
pub const CONTROL_HEIGHT: f32 = 26.0;
/// Corner radius of controls and cards, points.
pub const RADIUS: u8 = 5;
/// Width of the query panel, points.
pub const QUERY_WIDTH: f32 = 344.0;
/// Width of the results panel, points.
pub const RESULTS_WIDTH: f32 = 408.0;

/// The colours of one appearance.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    /// Panels and bars.
    pub ground: Color32,
    /// Cards, fields and tables that lie on the ground.
    pub card: Color32,
    /// Thin lines between things.
    pub line: Color32,
    /// Borders of controls.
    pub line_strong: Color32,
    /// Text.
    pub text: Color32,
    /// Labels and units.
    pub text_muted: Color32,
    /// The one thing to press, the selected thing, links.
    pub accent: Color32,
    /// Text on the accent.
    pub on_accent: Color32,
    /// Ground of the selected row.
    pub accent_soft: Color32,
    /// Ground under the pointer.
    pub hover: Color32,
    /// Passed.
    pub good: Color32,
    /// Worth a look.
    pub warning: Color32,
    /// Wrong.
    pub bad: Color32,
    /// Ground of a wrong letter or field.
    pub bad_soft: Color32,
    /// Ground of the 3D view.
    pub view: Color32,
    /// Nitrogen, oxygen, sulphur, halogens and phosphorus in 2D pictures.
    pub nitrogen: Color32,
    /// Oxygen in 2D pictures.
    pub oxygen: Color32,
    /// Sulphur in 2D pictures.
    pub sulphur: Color32,
    /// Halogens in 2D pictures.
    pub halogen: Color32,
    /// Phosphorus in 2D pictures.
    pub phosphorus: Color32,
}

/// A colour of a thing in the scene, as the interface shows it: `0xRRGGBB`.
#[must_use]
pub const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// Light appearance.
pub const LIGHT: Palette = Palette {
    ground: rgb(0xF4F6F8),
    card: rgb(0xFFFFFF),
    line: rgb(0xDCE1E8),
    line_strong: rgb(0xB9C2CE),
    text: rgb(0x18202B),
    text_muted: rgb(0x525E6E),
    accent: rgb(0x1B5EA6),
    on_accent: rgb(0xFFFFFF),
    accent_soft: rgb(0xDDE9F6),
    hover: rgb(0xE9EEF4),
    good: rgb(0x1B7445),
    warning: rgb(0x8A5500),
    bad: rgb(0xB0251D),
    bad_soft: rgb(0xFBE3E1),
    view: rgb(0xFFFFFF),
    nitrogen: rgb(0x234FC4),
    oxygen: rgb(0xC0251D),
    sulphur: rgb(0x8A6A00),
    halogen: rgb(0x1B7A3A),
    phosphorus: rgb(0xB2570B),
};

/// Dark appearance.
pub const DARK: Palette = Palette {
    ground: rgb(0x181B20),
    card: rgb(0x21252C),
    line: rgb(0x313741),
    line_strong: rgb(0x4D5664),
    text: rgb(0xE4E8EE),
    text_muted: rgb(0xA0ABB9),
    accent: rgb(0x74B3F0),
    on_accent: rgb(0x0B1622),
    accent_soft: rgb(0x233951),
    hover: rgb(0x2A3039),
    good: rgb(0x63CC90),
    warning: rgb(0xE6B860),
    bad: rgb(0xF38B83),
    bad_soft: rgb(0x4A2525),
    view: rgb(0x121418),
    nitrogen: rgb(0x8FB1FF),
    oxygen: rgb(0xFF8D82),
    sulphur: rgb(0xE2C458),
    halogen: rgb(0x72D690),
    phosphorus: rgb(0xF5A85A),
};

/// The palette of an appearance.
#[must_use]
pub const fn palette_of(theme: Theme) -> &'static Palette {
    match theme {
        Theme::Light => &LIGHT,
        Theme::Dark => &DARK,
    }
}

/// The palette in use.
#[must_use]
pub fn palette(ui: &egui::Ui) -> &'static Palette {
    palette_of(if ui.visuals().dark_mode { Theme::Dark } else { Theme::Light })
}

/// The heavier cut of the interface font.
#[must_use]
pub fn strong_family() -> FontFamily {
    FontFamily::Name("strong".into())
}

/// Section titles.
#[must_use]
pub fn title_style() -> TextStyle {
    TextStyle::Name("title".into())
}

/// Emphasised text at body size: table heads, key numbers.
#[must_use]
pub fn strong_style() -> TextStyle {
    TextStyle::Name("strong".into())
}

/// Puts fonts and both appearances into a context.
pub fn install(context: &egui::Context) {
    context.set_fonts(font_definitions());
    for theme in [Theme::Light, Theme::Dark] {
        context.set_visuals_of(theme, visuals(theme));
        context.style_mut_of(theme, spacing_and_type);
    }
}

/// Pretendard for everything but sequences: its Latin and Hangul are drawn to stand beside each other, so a sentence
/// may mix both. Sequences need equal widths and keep egui's Hack; what neither has falls through to the other.
fn font_definitions() -> FontDefinitions {
    let mut definitions = FontDefinitions::default();
    let regular = FontData::from_static(fonts::REGULAR);
    let strong = FontData::from_static(fonts::STRONG);
    definitions.font_data.insert("Pretendard".to_owned(), Arc::new(regular));
    definitions.font_data.insert("Pretendard SemiBold".to_owned(), Arc::new(strong));
    let mut strong_chain = vec!["Pretendard SemiBold".to_owned()];
    if let Some(chain) = definitions.families.get_mut(&FontFamily::Proportional) {
        chain.insert(0, "Pretendard".to_owned());
        strong_chain.extend(chain.iter().cloned());
    }
    if let Some(chain) = definitions.families.get_mut(&FontFamily::Monospace) {
        chain.push("Pretendard".to_owned());
    }
    definitions.families.insert(strong_family(), strong_chain);
    definitions
}

fn spacing_and_type(style: &mut egui::Style) {
    style.text_styles = [
        (TextStyle::Small, FontId::new(11.5, FontFamily::Proportional)),
        (TextStyle::Body, FontId::new(13.0, FontFamily::Proportional)),
        (TextStyle::Button, FontId::new(13.0, FontFamily::Proportional)),
        (TextStyle::Monospace, FontId::new(12.0, FontFamily::Monospace)),
        (TextStyle::Heading, FontId::new(17.0, strong_family())),
        (title_style(), FontId::new(13.5, strong_family())),
        (strong_style(), FontId::new(13.0, strong_family())),
    ]
    .into();
    let spacing = &mut style.spacing;
    spacing.item_spacing = vec2(GAP - 2.0, GAP - 2.0);
    spacing.button_padding = vec2(10.0, 4.0);
    spacing.interact_size = vec2(36.0, CONTROL_HEIGHT);
    spacing.window_margin = Margin::same(14);
    spacing.menu_margin = Margin::same(6);
    spacing.combo_width = 120.0;
    spacing.slider_width = 160.0;
    spacing.icon_width = 15.0;
    spacing.tooltip_width = 340.0;
    spacing.text_edit_width = 200.0;
    spacing.scroll = egui::style::ScrollStyle::solid();
    spacing.scroll.bar_width = 8.0;
    style.interaction.selectable_labels = true;
    style.animation_time = 0.08;
}

fn visuals(theme: Theme) -> egui::Visuals {
    let colours = palette_of(theme);
    let mut visuals = theme.default_visuals();
    let radius = CornerRadius::same(RADIUS);
    visuals.override_text_color = None;
    visuals.weak_text_color = Some(colours.text_muted);
    visuals.panel_fill = colours.ground;
    visuals.window_fill = colours.card;
    visuals.window_stroke = Stroke::new(1.0, colours.line);
    visuals.window_corner_radius = CornerRadius::same(RADIUS + 3);
    visuals.menu_corner_radius = CornerRadius::same(RADIUS + 1);
    let shade = if theme == Theme::Dark { 120 } else { 40 };
    visuals.window_shadow = Shadow { offset: [0, 6], blur: 24, spread: 0, color: Color32::from_black_alpha(shade) };
    visuals.popup_shadow = Shadow { offset: [0, 3], blur: 12, spread: 0, color: Color32::from_black_alpha(shade) };
    visuals.faint_bg_color = colours.hover;
    visuals.extreme_bg_color = colours.card;
    visuals.text_edit_bg_color = Some(colours.card);
    visuals.code_bg_color = colours.hover;
    visuals.warn_fg_color = colours.warning;
    visuals.error_fg_color = colours.bad;
    visuals.hyperlink_color = colours.accent;
    visuals.selection.bg_fill = colours.accent_soft;
    visuals.selection.stroke = Stroke::new(1.0, colours.accent);
    visuals.slider_trailing_fill = true;
    visuals.striped = false;

    let widgets = &mut visuals.widgets;
    widgets.noninteractive.bg_fill = colours.ground;
    widgets.noninteractive.weak_bg_fill = colours.ground;
    widgets.noninteractive.bg_stroke = Stroke::new(1.0, colours.line);
    widgets.noninteractive.fg_stroke = Stroke::new(1.0, colours.text);
    widgets.noninteractive.corner_radius = radius;
    widgets.inactive.bg_fill = colours.line_strong;
    widgets.inactive.weak_bg_fill = colours.card;
    widgets.inactive.bg_stroke = Stroke::new(1.0, colours.line_strong);
    widgets.inactive.fg_stroke = Stroke::new(1.0, colours.text);
    widgets.inactive.corner_radius = radius;
    widgets.hovered.bg_fill = colours.line_strong;
    widgets.hovered.weak_bg_fill = colours.hover;
    widgets.hovered.bg_stroke = Stroke::new(1.0, colours.accent);
    widgets.hovered.fg_stroke = Stroke::new(1.0, colours.text);
    widgets.hovered.corner_radius = radius;
    widgets.hovered.expansion = 0.0;
    widgets.active.bg_fill = colours.accent;
    widgets.active.weak_bg_fill = colours.accent_soft;
    widgets.active.bg_stroke = Stroke::new(1.5, colours.accent);
    widgets.active.fg_stroke = Stroke::new(1.0, colours.text);
    widgets.active.corner_radius = radius;
    widgets.active.expansion = 0.0;
    widgets.open = widgets.hovered;
    visuals
}

/// A card on the ground.
pub fn card(colours: &Palette) -> egui::Frame {
    egui::Frame::new()
        .fill(colours.card)
        .stroke(Stroke::new(1.0, colours.line))
        .corner_radius(CornerRadius::same(RADIUS + 1))
        .inner_margin(Margin::same(10))
}

/// A panel or bar on the window's ground.
pub fn panel(margin: Margin) -> egui::Frame {
    egui::Frame::new().inner_margin(margin)
}

/// The one button of a screen that is the next step.
pub fn primary_button<'a>(colours: &Palette, text: &str, size: Vec2) -> egui::Button<'a> {
    let text = egui::RichText::new(text).text_style(strong_style()).color(colours.on_accent);
    egui::Button::new(text).fill(colours.accent).stroke(Stroke::NONE).min_size(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(colour: Color32) -> f64 {
        let channel = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(colour.r()) + 0.7152 * channel(colour.g()) + 0.0722 * channel(colour.b())
    }

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_can_be_read_on_every_ground() {
        for colours in [&LIGHT, &DARK] {
            for ground in [colours.ground, colours.card, colours.hover, colours.accent_soft] {
                for text in [colours.text, colours.text_muted] {
                    assert!(contrast(text, ground) >= 4.5, "{text:?} on {ground:?}: {}", contrast(text, ground));
                }
            }
            for ground in [colours.ground, colours.card] {
                let inks = [colours.accent, colours.good, colours.warning, colours.bad];
                let atoms = [colours.nitrogen, colours.oxygen, colours.sulphur, colours.halogen, colours.phosphorus];
                for text in inks.into_iter().chain(atoms) {
                    assert!(contrast(text, ground) >= 4.5, "{text:?} on {ground:?}: {}", contrast(text, ground));
                }
            }
            assert!(contrast(colours.on_accent, colours.accent) >= 4.5);
            assert!(contrast(colours.bad, colours.bad_soft) >= 4.5);
        }
    }
}
