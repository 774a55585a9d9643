//! Pictures made of lines and words: structural formulas, interaction diagrams, plots. One description, drawn in the window, as
//! SVG and in reports.
//!
//! Lengths are points, x to the right, y down. Colours are named by what they mean ([`Ink`]), so that a picture follows the
//! window's appearance and is light on paper. The size of words is known from the fonts of the program ([`fonts`]).

pub mod diagram;
pub mod fonts;
pub mod formula;
pub mod pair_errors;
pub mod plots;
mod raster;
pub mod svg;

use std::sync::Arc;

use glam::{Vec2, vec2};

pub use raster::round_box;

/// A colour by its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ink {
    /// Words and bonds.
    Text,
    /// Labels and units.
    Muted,
    /// Thin lines.
    Line,
    /// Borders.
    Border,
    /// What a picture is about.
    Accent,
    /// A soft ground of it.
    AccentSoft,
    /// What lies behind everything.
    Ground,
    /// Passed.
    Good,
    /// Worth a look.
    Warning,
    /// Wrong.
    Bad,
    /// Nitrogen.
    Nitrogen,
    /// Oxygen.
    Oxygen,
    /// Sulphur.
    Sulphur,
    /// Halogens.
    Halogen,
    /// Phosphorus.
    Phosphorus,
    /// The same on every ground: red, green, blue.
    Rgb(u8, u8, u8),
}

impl From<kfold_viewer::Color> for Ink {
    fn from(color: kfold_viewer::Color) -> Self {
        let channel = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
        let [red, green, blue] = color.to_vec3().to_array().map(channel);
        Self::Rgb(red, green, blue)
    }
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    /// Points.
    pub width: f32,
    /// Colour.
    pub ink: Ink,
    /// Lengths of dash and gap, points; none for a whole line.
    pub dash: Option<[f32; 2]>,
}

impl Stroke {
    /// A whole line.
    #[must_use]
    pub const fn new(width: f32, ink: Ink) -> Self {
        Self { width, ink, dash: None }
    }

    /// A dashed one.
    #[must_use]
    pub const fn dashed(width: f32, ink: Ink, dash: [f32; 2]) -> Self {
        Self { width, ink, dash: Some(dash) }
    }
}

/// Which point of a word its place is, across; up and down it is the middle of its letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Its left end.
    Start,
    /// Its middle.
    Middle,
    /// Its right end.
    End,
}

/// A word.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    /// Where.
    pub place: Vec2,
    /// What point of it.
    pub anchor: Anchor,
    /// What.
    pub text: String,
    /// Size of the letters, points.
    pub size: f32,
    /// Colour.
    pub ink: Ink,
    /// In the heavier cut.
    pub is_strong: bool,
    /// Turned a quarter to the left, to be read from below.
    pub is_upright: bool,
}

impl Word {
    /// A word that begins here.
    #[must_use]
    pub fn new(place: Vec2, text: impl Into<String>, size: f32, ink: Ink) -> Self {
        Self { place, anchor: Anchor::Start, text: text.into(), size, ink, is_strong: false, is_upright: false }
    }

    /// The same around its middle.
    #[must_use]
    pub const fn centred(mut self) -> Self {
        self.anchor = Anchor::Middle;
        self
    }

    /// The same to the left of its place.
    #[must_use]
    pub const fn ending(mut self) -> Self {
        self.anchor = Anchor::End;
        self
    }

    /// The same in the heavier cut.
    #[must_use]
    pub const fn strong(mut self) -> Self {
        self.is_strong = true;
        self
    }

    /// The same to be read from below.
    #[must_use]
    pub const fn upright(mut self) -> Self {
        self.is_upright = true;
        self
    }

    /// Its width, points.
    #[must_use]
    pub fn width(&self) -> f32 {
        fonts::width(&self.text, self.size, self.is_strong)
    }

    /// Where its letters begin, before it is turned.
    #[must_use]
    pub fn start(&self) -> f32 {
        match self.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => -self.width() * 0.5,
            Anchor::End => -self.width(),
        }
    }
}

/// A picture of pixels, row by row, red, green, blue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    /// Across.
    pub width: u32,
    /// Down.
    pub height: u32,
    /// Three bytes a pixel.
    pub rgb: Vec<u8>,
}

/// A part of a picture.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A line through points.
    Line(Vec<Vec2>, Stroke),
    /// A filled area, convex.
    Area(Vec<Vec2>, Ink),
    /// A disc or a ring.
    Circle {
        /// Where.
        center: Vec2,
        /// Points.
        radius: f32,
        /// Inside.
        fill: Option<Ink>,
        /// Around.
        stroke: Option<Stroke>,
    },
    /// A box, upright, with round corners.
    Rect {
        /// Upper left.
        low: Vec2,
        /// Lower right.
        high: Vec2,
        /// Of the corners, points.
        radius: f32,
        /// Inside.
        fill: Option<Ink>,
        /// Around.
        stroke: Option<Stroke>,
    },
    /// Words.
    Word(Word),
    /// Pixels stretched over a box, without smoothing.
    Picture {
        /// Upper left.
        low: Vec2,
        /// Lower right.
        high: Vec2,
        /// The pixels.
        pixels: Arc<Pixels>,
    },
}

/// A picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drawing {
    /// Width and height, points.
    pub size: Vec2,
    /// What it shows, in a sentence for those who do not see it.
    pub description: String,
    /// Its parts, the first at the bottom.
    pub shapes: Vec<Shape>,
}

impl Drawing {
    /// Makes it just large enough, with some air around it. Returns how far everything was shifted.
    pub fn fit(&mut self, air: f32) -> Vec2 {
        let mut low = Vec2::INFINITY;
        let mut high = Vec2::NEG_INFINITY;
        for shape in &self.shapes {
            let (first, last) = bounds(shape);
            (low, high) = (low.min(first), high.max(last));
        }
        if !low.is_finite() || !high.is_finite() {
            return Vec2::ZERO;
        }
        let shift = Vec2::splat(air) - low;
        self.shapes.iter_mut().for_each(|shape| shift_by(shape, shift));
        self.size = high - low + Vec2::splat(2.0 * air);
        shift
    }
}

/// Corners of a shape.
#[must_use]
pub fn bounds(shape: &Shape) -> (Vec2, Vec2) {
    let of = |points: &[Vec2], air: f32| {
        let all = |a: Vec2, b: &Vec2, pick: fn(Vec2, Vec2) -> Vec2| pick(a, *b);
        let low = points.iter().fold(Vec2::INFINITY, |held, point| all(held, point, Vec2::min));
        let high = points.iter().fold(Vec2::NEG_INFINITY, |held, point| all(held, point, Vec2::max));
        (low - Vec2::splat(air), high + Vec2::splat(air))
    };
    match shape {
        Shape::Line(points, stroke) => of(points, stroke.width * 0.5),
        Shape::Area(points, _) => of(points, 0.0),
        Shape::Circle { center, radius, .. } => (*center - Vec2::splat(*radius), *center + Vec2::splat(*radius)),
        Shape::Rect { low, high, .. } | Shape::Picture { low, high, .. } => (*low, *high),
        Shape::Word(word) => {
            let (start, width, half) = (word.start(), word.width(), word.size * 0.6);
            if word.is_upright {
                (word.place + vec2(-half, -start - width), word.place + vec2(half, -start))
            } else {
                (word.place + vec2(start, -half), word.place + vec2(start + width, half))
            }
        }
    }
}

fn shift_by(shape: &mut Shape, shift: Vec2) {
    match shape {
        Shape::Line(points, _) | Shape::Area(points, _) => points.iter_mut().for_each(|point| *point += shift),
        Shape::Circle { center, .. } => *center += shift,
        Shape::Rect { low, high, .. } | Shape::Picture { low, high, .. } => {
            *low += shift;
            *high += shift;
        }
        Shape::Word(word) => word.place += shift,
    }
}
