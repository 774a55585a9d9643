//! Plots as pictures: lines along a sequence, points on two axes, maps of pairs. Every axis says what it is, with its unit.

use std::sync::Arc;

use glam::{Vec2, vec2};

use super::{Drawing, Ink, Pixels, Shape, Stroke, Word, fonts};

/// Letters of axes, points.
const LETTERS: f32 = 9.0;

/// A step of 1, 2 or 5 times a power of ten that divides a span into about `parts`.
#[must_use]
pub fn tidy_step(span: f32, parts: u32) -> f32 {
    let raw = (span / parts as f32).max(1e-6);
    let power = 10.0_f32.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= raw).unwrap_or(10.0);
    step * power
}

/// A number at a tick of an axis.
#[must_use]
pub fn tick_text(value: f32, step: f32) -> String {
    let digits = if step >= 1.0 { 0 } else { (-step.log10()).ceil().clamp(1.0, 6.0) as usize };
    crate::window::format::number(value, digits)
}

/// Ground and axes of a plot.
struct Frame {
    low: Vec2,
    high: Vec2,
    x: (f32, f32),
    y: (f32, f32),
    shapes: Vec<Shape>,
}

impl Frame {
    fn new(size: Vec2, x: (f32, f32), y: (f32, f32), (x_name, y_name): (&str, &str)) -> Self {
        let (low, high) = (vec2(44.0, 10.0), size - vec2(12.0, 36.0));
        let mut frame = Self { low, high, x, y, shapes: Vec::new() };
        frame.ticks(true);
        frame.ticks(false);
        let stroke = Some(Stroke::new(1.0, Ink::Border));
        frame.shapes.push(Shape::Rect { low, high, radius: 0.0, fill: None, stroke });
        let across = vec2((low.x + high.x) * 0.5, size.y - 9.0);
        frame.shapes.push(Shape::Word(Word::new(across, x_name, LETTERS, Ink::Muted).centred()));
        let along = vec2(9.0, (low.y + high.y) * 0.5);
        frame.shapes.push(Shape::Word(Word::new(along, y_name, LETTERS, Ink::Muted).centred().upright()));
        frame
    }

    fn ticks(&mut self, is_across: bool) {
        let (low, high) = if is_across { self.x } else { self.y };
        let step = tidy_step(high - low, if is_across { 6 } else { 4 });
        let mut tick = (low / step).ceil();
        while tick * step <= high + step * 1e-3 {
            let value = tick * step;
            let at = if is_across { self.at(value, self.y.0) } else { self.at(self.x.0, value) };
            let far = if is_across { vec2(at.x, self.low.y) } else { vec2(self.high.x, at.y) };
            self.shapes.push(Shape::Line(vec![at, far], Stroke::new(0.6, Ink::Line)));
            let text = tick_text(value, step);
            let word = if is_across {
                Word::new(at + vec2(0.0, 9.0), text, LETTERS, Ink::Muted).centred()
            } else {
                Word::new(at - vec2(5.0, 0.0), text, LETTERS, Ink::Muted).ending()
            };
            self.shapes.push(Shape::Word(word));
            tick += 1.0;
        }
    }

    fn at(&self, x: f32, y: f32) -> Vec2 {
        let share = vec2((x - self.x.0) / (self.x.1 - self.x.0), (y - self.y.0) / (self.y.1 - self.y.0));
        vec2(self.low.x + (self.high.x - self.low.x) * share.x, self.high.y - (self.high.y - self.low.y) * share.y)
    }

    fn drawing(self, size: Vec2, description: &str) -> Drawing {
        Drawing { size, description: description.to_owned(), shapes: self.shapes }
    }
}

/// Values along a sequence. `bands` are grounds behind the line: from, to, colour. `breaks` are positions where a chain begins.
#[must_use]
pub fn along_sequence(
    size: Vec2,
    values: &[f32],
    range: (f32, f32),
    (x_name, y_name): (&str, &str),
    bands: &[(f32, f32, Ink)],
    breaks: &[usize],
) -> Drawing {
    let last = values.len().saturating_sub(1).max(1) as f32;
    let mut frame = Frame::new(size, (0.0, last), range, (x_name, y_name));
    for (low, high, ink) in bands {
        // A thin stripe at the left edge: grounds behind the whole line would drown it on paper.
        let corner = frame.at(0.0, *high);
        let other = frame.at(0.0, *low);
        let (low, high) = (corner - vec2(4.0, 0.0), vec2(other.x, other.y));
        frame.shapes.push(Shape::Rect { low, high, radius: 0.0, fill: Some(*ink), stroke: None });
    }
    for place in breaks {
        let (from, to) = (frame.at(*place as f32 - 0.5, range.0), frame.at(*place as f32 - 0.5, range.1));
        frame.shapes.push(Shape::Line(vec![from, to], Stroke::dashed(1.0, Ink::Muted, [3.0, 3.0])));
    }
    let mut run: Vec<Vec2> = Vec::new();
    for (index, value) in values.iter().enumerate() {
        if breaks.contains(&index) || !value.is_finite() {
            flush(&mut frame.shapes, &mut run);
        }
        if value.is_finite() {
            run.push(frame.at(index as f32, value.clamp(range.0, range.1)));
        }
    }
    flush(&mut frame.shapes, &mut run);
    frame.drawing(size, y_name)
}

fn flush(shapes: &mut Vec<Shape>, run: &mut Vec<Vec2>) {
    match run.as_slice() {
        [] => {}
        [only] => {
            shapes.push(Shape::Circle { center: *only, radius: 1.4, fill: Some(Ink::Accent), stroke: None });
        }
        points => shapes.push(Shape::Line(points.to_vec(), Stroke::new(1.4, Ink::Accent))),
    }
    run.clear();
}

/// A point with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Across.
    pub x: f32,
    /// Up.
    pub y: f32,
    /// What it is.
    pub name: String,
}

/// The span of values with some air on both sides; `None` without a finite value.
#[must_use]
pub fn range(values: impl Iterator<Item = f32>) -> Option<(f32, f32)> {
    let (low, high) = values
        .filter(|value| value.is_finite())
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        return None;
    }
    let air = ((high - low) * 0.08).max(0.1);
    Some((low - air, high + air))
}

/// Points on two axes. With `is_same_quantity` both axes have one range and the diagonal is drawn.
#[must_use]
pub fn scatter(
    size: Vec2,
    points: &[Point],
    (x_name, y_name): (&str, &str),
    is_same_quantity: bool,
    description: &str,
) -> Option<Drawing> {
    let mut x = range(points.iter().map(|point| point.x))?;
    let mut y = range(points.iter().map(|point| point.y))?;
    if is_same_quantity {
        let both = (x.0.min(y.0), x.1.max(y.1));
        (x, y) = (both, both);
    }
    let mut frame = Frame::new(size, x, y, (x_name, y_name));
    if is_same_quantity {
        let line = vec![frame.at(x.0, y.0), frame.at(x.1, y.1)];
        frame.shapes.push(Shape::Line(line, Stroke::dashed(1.0, Ink::Muted, [3.0, 3.0])));
    }
    for point in points.iter().filter(|point| point.x.is_finite() && point.y.is_finite()) {
        let center = frame.at(point.x, point.y);
        let stroke = Some(Stroke::new(1.2, Ink::Accent));
        frame.shapes.push(Shape::Circle { center, radius: 3.0, fill: Some(Ink::AccentSoft), stroke });
    }
    Some(frame.drawing(size, description))
}

/// A map of pairs with its scale: `names` are the axes down and across, `ends` the words at the scale's ends.
#[must_use]
pub fn pair_map(
    side: f32,
    pixels: Arc<Pixels>,
    (down, across): (&str, &str),
    breaks: &[f32],
    scale: &[Ink],
    ends: (&str, &str),
    description: &str,
) -> Drawing {
    let (low, air) = (vec2(24.0, 22.0), 30.0);
    let high = low + Vec2::splat(side);
    let mut shapes = vec![Shape::Picture { low, high, pixels }];
    for share in breaks {
        let offset = side * share;
        let stroke = Stroke::new(0.8, Ink::Muted);
        shapes.push(Shape::Line(vec![vec2(low.x + offset, low.y), vec2(low.x + offset, high.y)], stroke));
        shapes.push(Shape::Line(vec![vec2(low.x, low.y + offset), vec2(high.x, low.y + offset)], stroke));
    }
    let stroke = Some(Stroke::new(1.0, Ink::Border));
    shapes.push(Shape::Rect { low, high, radius: 0.0, fill: None, stroke });
    let word = |place: Vec2, text: &str| Word::new(place, text, LETTERS, Ink::Muted);
    shapes.push(Shape::Word(word(vec2((low.x + high.x) * 0.5, 11.0), across).centred()));
    shapes.push(Shape::Word(word(vec2(11.0, (low.y + high.y) * 0.5), down).centred().upright()));
    let bar = vec2(low.x, high.y + 8.0);
    let width = side / scale.len().max(1) as f32;
    for (index, ink) in scale.iter().enumerate() {
        let corner = bar + vec2(width * index as f32, 0.0);
        let end = corner + vec2(width + 0.3, 7.0);
        shapes.push(Shape::Rect { low: corner, high: end, radius: 0.0, fill: Some(*ink), stroke: None });
    }
    let below = bar.y + 15.0;
    shapes.push(Shape::Word(word(vec2(low.x, below), ends.0)));
    shapes.push(Shape::Word(word(vec2(high.x, below), ends.1).ending()));
    let size = vec2(high.x + 6.0, high.y + air);
    Drawing { size, description: description.to_owned(), shapes }
}

/// A heading above a picture.
#[must_use]
pub fn titled(mut drawing: Drawing, title: &str) -> Drawing {
    let height = 18.0;
    for shape in &mut drawing.shapes {
        super::shift_by(shape, vec2(0.0, height));
    }
    let text = fonts::cut(title, 11.0, true, drawing.size.x - 8.0);
    drawing.shapes.push(Shape::Word(Word::new(vec2(4.0, 9.0), text, 11.0, Ink::Text).strong()));
    drawing.size.y += height;
    drawing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_have_the_digits_of_their_step() {
        assert_eq!(tick_text(0.5, 0.5), "0.5");
        assert_eq!(tick_text(0.25, 0.05), "0.25");
        assert_eq!(tick_text(-20.0, 10.0), "−20");
    }

    #[test]
    fn everything_of_a_plot_lies_on_its_paper() {
        let points: Vec<Point> =
            (0..9).map(|i| Point { x: i as f32, y: (i * i) as f32, name: String::new() }).collect();
        let size = vec2(260.0, 200.0);
        let plot = scatter(size, &points, ("measured pK", "predicted pK"), false, "plot").unwrap();
        let line = along_sequence(size, &[1.0, f32::NAN, 99.0, 50.0], (0.0, 100.0), ("residue", "pLDDT"), &[], &[3]);
        for drawing in [plot, line] {
            for shape in &drawing.shapes {
                let (low, high) = super::super::bounds(shape);
                assert!(low.cmpge(Vec2::splat(-1.0)).all() && high.cmple(size + 1.0).all(), "{shape:?}");
            }
            assert!(drawing.to_png(2.0).unwrap().starts_with(b"\x89PNG"));
        }
    }
}
