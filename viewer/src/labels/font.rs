//! Letters as signed distances, made from the outlines of the typeface.
//!
//! The distance of every texel to the nearest piece of the outline is computed as it is; whether it is inside follows from
//! the winding number. An atlas texture is filled shelf by shelf.

use std::collections::HashMap;

use glam::Vec2;
use rayon::prelude::*;
use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use skrifa::{FontRef, GlyphId, MetadataProvider};

use super::FONT;

/// Side of the atlas in texels.
pub(crate) const ATLAS_SIDE: u32 = 1024;
/// Texels for the size of the typeface (its em).
pub(crate) const EM: f32 = 40.0;
/// Texels around an outline within which distance is told.
pub(crate) const SPREAD: f32 = 6.0;
/// Letters of a picture at most.
const MOST_LETTERS: usize = 20_000;

/// A letter in its place in a word: texels from the beginning of the line, y up from the base line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Placed {
    /// Left and bottom of the cell.
    pub origin: Vec2,
    /// Left and top in the atlas, and size of the cell.
    pub cell: Cell,
}

/// Where a letter is in the atlas, texels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    pub left: u32,
    pub top: u32,
    pub width: u32,
    pub height: u32,
}

/// A straight piece of an outline.
type Piece = (Vec2, Vec2);

/// Flattens outlines.
#[derive(Default)]
struct Pen {
    pieces: Vec<Piece>,
    start: Vec2,
    here: Vec2,
}

impl Pen {
    fn curve(&mut self, count: u32, at: impl Fn(f32) -> Vec2) {
        for step in 1..=count {
            let next = at(step as f32 / count as f32);
            self.pieces.push((self.here, next));
            self.here = next;
        }
    }
}

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.start = Vec2::new(x, y);
        self.here = self.start;
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let next = Vec2::new(x, y);
        self.pieces.push((self.here, next));
        self.here = next;
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        let (from, control, to) = (self.here, Vec2::new(cx, cy), Vec2::new(x, y));
        self.curve(5, |t| from.lerp(control, t).lerp(control.lerp(to, t), t));
    }

    fn curve_to(&mut self, cx0: f32, cy0: f32, cx1: f32, cy1: f32, x: f32, y: f32) {
        let (from, one, two, to) = (self.here, Vec2::new(cx0, cy0), Vec2::new(cx1, cy1), Vec2::new(x, y));
        self.curve(8, |t| {
            let (a, b, c) = (from.lerp(one, t), one.lerp(two, t), two.lerp(to, t));
            a.lerp(b, t).lerp(b.lerp(c, t), t)
        });
    }

    fn close(&mut self) {
        if self.here != self.start {
            self.pieces.push((self.here, self.start));
            self.here = self.start;
        }
    }
}

/// Distance to the outline in texels, positive inside.
fn signed_distance(point: Vec2, pieces: &[Piece]) -> f32 {
    let mut nearest = f32::INFINITY;
    let mut winding = 0;
    for &(a, b) in pieces {
        let along = b - a;
        let length = along.length_squared();
        let t = if length > 0.0 { ((point - a).dot(along) / length).clamp(0.0, 1.0) } else { 0.0 };
        nearest = nearest.min(point.distance_squared(a + along * t));
        if (a.y <= point.y) != (b.y <= point.y) {
            let side = along.perp_dot(point - a);
            if b.y > a.y && side > 0.0 {
                winding += 1;
            } else if b.y <= a.y && side < 0.0 {
                winding -= 1;
            }
        }
    }
    if winding == 0 { -nearest.sqrt() } else { nearest.sqrt() }
}

/// A letter before it has a place in the atlas.
struct Drawn {
    /// Left and bottom of the cell, texels.
    origin: Vec2,
    width: u32,
    height: u32,
    /// Row by row from the top: 128 on the outline, 255 inside.
    texels: Vec<u8>,
}

fn draw(font: &FontRef<'_>, glyph: GlyphId) -> Option<Drawn> {
    let outline = font.outline_glyphs().get(glyph)?;
    let mut pen = Pen::default();
    outline.draw(DrawSettings::unhinted(Size::new(EM), LocationRef::default()), &mut pen).ok()?;
    let points = || pen.pieces.iter().flat_map(|(a, b)| [*a, *b]);
    let low = points().fold(Vec2::INFINITY, Vec2::min) - SPREAD;
    let high = points().fold(Vec2::NEG_INFINITY, Vec2::max) + SPREAD;
    if !low.is_finite() || !high.is_finite() {
        return None;
    }
    let origin = low.floor();
    let (width, height) = ((high.x - origin.x).ceil() as u32, (high.y - origin.y).ceil() as u32);
    if width > ATLAS_SIDE / 4 || height > ATLAS_SIDE / 4 {
        return None;
    }
    let mut texels = Vec::with_capacity((width * height) as usize);
    for row in 0..height {
        for column in 0..width {
            let point = origin + Vec2::new(column as f32 + 0.5, (height - 1 - row) as f32 + 0.5);
            let share = 0.5 + 0.5 * signed_distance(point, &pen.pieces) / SPREAD;
            texels.push((share.clamp(0.0, 1.0) * 255.0 + 0.5) as u8);
        }
    }
    Some(Drawn { origin, width, height, texels })
}

/// The letters that are known, and the texture that holds them.
pub(crate) struct Atlas {
    /// `ATLAS_SIDE` squared, a byte each.
    pub texels: Vec<u8>,
    letters: HashMap<char, Letter>,
    /// Left end of the free part of the current shelf, its top and its height.
    shelf: (u32, u32, u32),
    /// Changes with the texels.
    pub generation: u64,
}

#[derive(Clone, Copy, Default)]
struct Letter {
    advance: f32,
    /// Nothing for a space, or where the atlas was full.
    placed: Option<(Vec2, Cell)>,
}

impl Default for Atlas {
    fn default() -> Self {
        Self {
            texels: vec![0; (ATLAS_SIDE * ATLAS_SIDE) as usize],
            letters: HashMap::new(),
            shelf: (0, 0, 0),
            generation: 0,
        }
    }
}

impl Atlas {
    /// Makes sure that the letters of these texts are there. When the atlas is full, it is begun anew with these alone;
    /// letters that have no room then are left out.
    pub fn prepare<'a>(&mut self, texts: impl Iterator<Item = &'a str>) {
        let mut wanted: Vec<char> = texts.flat_map(str::chars).take(MOST_LETTERS).collect();
        wanted.sort_unstable();
        wanted.dedup();
        if wanted.iter().all(|letter| self.letters.contains_key(letter)) {
            return;
        }
        let missing = wanted.iter().filter(|letter| !self.letters.contains_key(letter)).copied().collect::<Vec<_>>();
        if !self.add(&missing) {
            *self = Self { generation: self.generation, ..Self::default() };
            self.add(&wanted);
        }
        self.generation += 1;
    }

    /// Draws letters; returns whether all had room.
    fn add(&mut self, letters: &[char]) -> bool {
        let Ok(font) = FontRef::new(FONT) else { return true };
        let map = font.charmap();
        let metrics = font.glyph_metrics(Size::new(EM), LocationRef::default());
        let glyphs: Vec<(char, GlyphId)> =
            letters.iter().map(|&letter| (letter, map.map(letter).unwrap_or(GlyphId::NOTDEF))).collect();
        let drawn: Vec<Option<Drawn>> = glyphs.par_iter().map(|(_, glyph)| draw(&font, *glyph)).collect();
        let mut had_room = true;
        for ((letter, glyph), drawn) in glyphs.into_iter().zip(drawn) {
            let placed = drawn.and_then(|drawn| {
                let cell = self.place(drawn.width, drawn.height);
                had_room &= cell.is_some();
                let cell = cell?;
                for row in 0..cell.height {
                    let from = (row * cell.width) as usize;
                    let to = ((cell.top + row) * ATLAS_SIDE + cell.left) as usize;
                    let width = cell.width as usize;
                    self.texels[to..to + width].copy_from_slice(&drawn.texels[from..from + width]);
                }
                Some((drawn.origin, cell))
            });
            self.letters.insert(letter, Letter { advance: metrics.advance_width(glyph).unwrap_or(0.0), placed });
        }
        had_room
    }

    /// Room for a cell; a texel is left free around each.
    fn place(&mut self, width: u32, height: u32) -> Option<Cell> {
        let (mut left, mut top, mut tallest) = self.shelf;
        if left + width > ATLAS_SIDE {
            (left, top, tallest) = (0, top + tallest + 1, 0);
        }
        if top + height > ATLAS_SIDE {
            return None;
        }
        self.shelf = (left + width + 1, top, tallest.max(height));
        Some(Cell { left, top, width, height })
    }

    /// A line of text: its letters and its width, texels.
    pub fn line(&self, text: &str) -> (Vec<Placed>, f32) {
        let mut at = 0.0;
        let mut placed = Vec::new();
        for letter in text.chars().take(MOST_LETTERS) {
            let Some(known) = self.letters.get(&letter) else { continue };
            if let Some((origin, cell)) = known.placed {
                placed.push(Placed { origin: origin + Vec2::new(at, 0.0), cell });
            }
            at += known.advance;
        }
        (placed, at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_a_square() {
        let corners = [Vec2::ZERO, Vec2::new(10.0, 0.0), Vec2::splat(10.0), Vec2::new(0.0, 10.0)];
        let pieces: Vec<Piece> = (0..4).map(|index| (corners[index], corners[(index + 1) % 4])).collect();
        for (point, expected) in [((5.0, 5.0), 5.0), ((2.0, 5.0), 2.0), ((-3.0, 5.0), -3.0), ((13.0, 14.0), -5.0)] {
            let found = signed_distance(Vec2::new(point.0, point.1), &pieces);
            assert!((found - expected).abs() < 1e-5, "{point:?}: {found}");
        }
    }

    #[test]
    fn words_of_both_scripts_have_letters() {
        let mut atlas = Atlas::default();
        atlas.prepare(["ASP 189", "리간드 거리 2.71 Å"].into_iter());
        let first = atlas.generation;
        let (letters, width) = atlas.line("ASP 189");
        assert_eq!(letters.len(), 6);
        assert!(width > 3.0 * EM && width < 5.0 * EM, "{width}");
        let (hangul, _) = atlas.line("리간드");
        assert_eq!(hangul.len(), 3);
        for letter in letters.iter().chain(&hangul) {
            let inside = (0..letter.cell.height)
                .flat_map(|row| (0..letter.cell.width).map(move |column| (row, column)))
                .filter(|(row, column)| {
                    atlas.texels[((letter.cell.top + row) * ATLAS_SIDE + letter.cell.left + column) as usize] > 128
                })
                .count();
            assert!(inside > 40, "{letter:?} has {inside} texels inside");
        }
        atlas.prepare(["89 거리"].into_iter());
        assert_eq!(atlas.generation, first, "nothing was missing");
    }

    #[test]
    fn more_letters_than_fit_are_survived() {
        let mut atlas = Atlas::default();
        let many: String = ('가'..='깋').collect();
        atlas.prepare([many.as_str()].into_iter());
        atlas.prepare(["힣"].into_iter());
        assert_eq!(atlas.line("힣").0.len(), 1, "the atlas is begun anew");
    }
}
