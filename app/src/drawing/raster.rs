//! A picture as PNG.

use glam::{Vec2, vec2};
use skrifa::MetadataProvider as _;
use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, PixmapPaint, StrokeDash, Transform,
};

use super::svg::rgb;
use super::{Drawing, Ink, Shape, Stroke, Word, fonts};
use crate::window::theme::LIGHT;

/// Most pixels on a side.
const MOST_SIDE: f32 = 8192.0;

impl Drawing {
    /// The picture as a PNG file on white ground, `scale` pixels a point. `None` for a picture without size.
    #[must_use]
    pub fn to_png(&self, scale: f32) -> Option<Vec<u8>> {
        let scale = scale.min(MOST_SIDE / self.size.max_element().max(1.0));
        let pixels = (self.size * scale).ceil();
        let mut map = Pixmap::new(pixels.x as u32, pixels.y as u32)?;
        map.fill(Color::WHITE);
        for shape in &self.shapes {
            draw(&mut map, shape, Transform::from_scale(scale, scale));
        }
        map.encode_png().ok()
    }
}

fn paint(ink: Ink) -> Paint<'static> {
    let [red, green, blue] = rgb(ink, &LIGHT);
    let mut paint = Paint::default();
    paint.set_color_rgba8(red, green, blue, 255);
    paint.anti_alias = true;
    paint
}

fn fill(map: &mut Pixmap, path: &Path, ink: Ink, transform: Transform) {
    map.fill_path(path, &paint(ink), FillRule::Winding, transform, None);
}

fn line(map: &mut Pixmap, path: &Path, stroke: &Stroke, transform: Transform) {
    let style = tiny_skia::Stroke {
        width: stroke.width,
        line_cap: LineCap::Round,
        line_join: LineJoin::Round,
        dash: stroke.dash.and_then(|dash| StrokeDash::new(dash.to_vec(), 0.0)),
        ..tiny_skia::Stroke::default()
    };
    map.stroke_path(path, &paint(stroke.ink), &style, transform, None);
}

fn polygon(points: &[Vec2], is_closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    let (first, rest) = points.split_first()?;
    builder.move_to(first.x, first.y);
    for point in rest {
        builder.line_to(point.x, point.y);
    }
    if is_closed {
        builder.close();
    }
    builder.finish()
}

/// The corners of a box with round corners, points.
#[must_use]
pub fn round_box(low: Vec2, high: Vec2, radius: f32) -> Vec<Vec2> {
    let radius = radius.min((high - low).min_element() * 0.5).max(0.0);
    if radius == 0.0 {
        return vec![low, vec2(high.x, low.y), high, vec2(low.x, high.y)];
    }
    let corners = [vec2(high.x, low.y), high, vec2(low.x, high.y), low];
    let inward = [vec2(-1.0, 1.0), vec2(-1.0, -1.0), vec2(1.0, -1.0), vec2(1.0, 1.0)];
    let mut points = Vec::new();
    for quarter in 0..4 {
        let center = corners[quarter] + inward[quarter] * radius;
        for step in 0..=6 {
            let angle = std::f32::consts::FRAC_PI_2 * (quarter as f32 - 1.0 + step as f32 / 6.0);
            points.push(center + Vec2::from_angle(angle) * radius);
        }
    }
    points
}

fn draw(map: &mut Pixmap, shape: &Shape, transform: Transform) {
    match shape {
        Shape::Line(points, stroke) => {
            if let Some(path) = polygon(points, false) {
                line(map, &path, stroke, transform);
            }
        }
        Shape::Area(points, ink) => {
            if let Some(path) = polygon(points, true) {
                fill(map, &path, *ink, transform);
            }
        }
        Shape::Circle { center, radius, fill: inside, stroke } => {
            if let Some(path) = PathBuilder::from_circle(center.x, center.y, *radius) {
                if let Some(ink) = inside {
                    fill(map, &path, *ink, transform);
                }
                if let Some(stroke) = stroke {
                    line(map, &path, stroke, transform);
                }
            }
        }
        Shape::Rect { low, high, radius, fill: inside, stroke } => {
            if let Some(path) = polygon(&round_box(*low, *high, *radius), true) {
                if let Some(ink) = inside {
                    fill(map, &path, *ink, transform);
                }
                if let Some(stroke) = stroke {
                    line(map, &path, stroke, transform);
                }
            }
        }
        Shape::Word(word) => draw_word(map, word, transform),
        Shape::Picture { low, high, pixels } => {
            let Some(mut image) = Pixmap::new(pixels.width, pixels.height) else { return };
            for (to, from) in image.data_mut().chunks_exact_mut(4).zip(pixels.rgb.chunks_exact(3)) {
                to.copy_from_slice(&[from[0], from[1], from[2], 255]);
            }
            let size = *high - *low;
            let (across, down) = (size.x / pixels.width as f32, size.y / pixels.height as f32);
            let transform = transform.pre_translate(low.x, low.y).pre_scale(across, down);
            map.draw_pixmap(0, 0, image.as_ref(), &PixmapPaint::default(), transform, None);
        }
    }
}

/// Takes outlines of letters; fonts have y up.
struct Pen {
    builder: PathBuilder,
    x: f32,
}

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.builder.move_to(self.x + x, -y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.builder.line_to(self.x + x, -y);
    }

    fn quad_to(&mut self, cx0: f32, cy0: f32, x: f32, y: f32) {
        self.builder.quad_to(self.x + cx0, -cy0, self.x + x, -y);
    }

    fn curve_to(&mut self, cx0: f32, cy0: f32, cx1: f32, cy1: f32, x: f32, y: f32) {
        self.builder.cubic_to(self.x + cx0, -cy0, self.x + cx1, -cy1, self.x + x, -y);
    }

    fn close(&mut self) {
        self.builder.close();
    }
}

fn draw_word(map: &mut Pixmap, word: &Word, transform: Transform) {
    let Some(font) = fonts::font(word.is_strong) else { return };
    let outlines = font.outline_glyphs();
    let mut pen = Pen { builder: PathBuilder::new(), x: word.start() };
    for letter in word.text.chars() {
        let (glyph, advance) = fonts::glyph(letter, word.is_strong);
        if let Some(outline) = outlines.get(skrifa::GlyphId::new(u32::from(glyph))) {
            let settings = DrawSettings::unhinted(Size::new(word.size), LocationRef::default());
            // A glyph that cannot be drawn leaves its space.
            let _ = outline.draw(settings, &mut pen);
        }
        pen.x += advance * word.size;
    }
    if let Some(path) = pen.builder.finish() {
        let drop = word.size * 0.36;
        let turned = if word.is_upright {
            transform.pre_translate(word.place.x + drop, word.place.y).pre_rotate(-90.0)
        } else {
            transform.pre_translate(word.place.x, word.place.y + drop)
        };
        fill(map, &path, word.ink, turned);
    }
}
