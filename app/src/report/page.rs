//! The report on one sheet of A4: pictures left, numbers right, settings and provenance below.
//!
//! The foot takes what it needs, at most a fifth of the sheet; pictures shrink together until they fit, and tables lose their last
//! rows, which is said, until they do.

use std::sync::Arc;

use glam::{Vec2, vec2};

use super::pdf::A4;
use super::{Report, Table};
use crate::drawing::{Anchor, Drawing, Ink, Shape, Stroke, Word, fonts};

const MARGIN: f32 = 34.0;
const GUTTER: f32 = 18.0;
const ROW: f32 = 11.2;
const LETTERS: f32 = 7.6;

/// Lays the report out.
pub(super) fn page(report: &Report) -> Drawing {
    let mut sheet = Sheet { shapes: Vec::new() };
    let width = A4.x - 2.0 * MARGIN;
    let mut y = MARGIN;
    sheet.word(vec2(MARGIN, y + 9.0), &fonts::cut(&report.title, 20.0, true, width), 20.0, Ink::Text, true);
    y += 25.0;
    sheet.word(vec2(MARGIN, y), &fonts::cut(&report.subtitle, 9.5, false, width), 9.5, Ink::Muted, false);
    y += 13.0;
    y = sheet.trust(&report.trust, y, width);
    let foot = foot(report, width);
    let bottom = A4.y - MARGIN - foot.size.y - 8.0;
    let column = (width - GUTTER) * 0.5;
    sheet.pictures(report, vec2(MARGIN, y), vec2(column, bottom - y));
    sheet.tables(&report.tables, vec2(MARGIN + column + GUTTER, y), vec2(column, bottom - y));
    sheet.add(foot, vec2(MARGIN, bottom + 8.0), 1.0);
    Drawing { size: A4, description: report.title.clone(), shapes: sheet.shapes }
}

struct Sheet {
    shapes: Vec<Shape>,
}

impl Sheet {
    fn word(&mut self, place: Vec2, text: &str, size: f32, ink: Ink, is_strong: bool) {
        let word = Word::new(place, text, size, ink);
        self.shapes.push(Shape::Word(if is_strong { word.strong() } else { word }));
    }

    fn trust(&mut self, trust: &[String], top: f32, width: f32) -> f32 {
        if trust.is_empty() {
            return top;
        }
        let lines: Vec<String> =
            trust.iter().flat_map(|sentence| fonts::wrap(sentence, 8.4, false, width - 18.0)).take(10).collect();
        let height = lines.len() as f32 * 11.0 + 9.0;
        let (low, high) = (vec2(MARGIN, top), vec2(MARGIN + width, top + height));
        let fill = Some(Ink::Rgb(0xfd, 0xf6, 0xe9));
        self.shapes.push(Shape::Rect { low, high, radius: 0.0, fill, stroke: None });
        let bar = vec2(MARGIN + 3.0, top + height);
        self.shapes.push(Shape::Rect { low, high: bar, radius: 0.0, fill: Some(Ink::Warning), stroke: None });
        for (index, line) in lines.iter().enumerate() {
            self.word(vec2(MARGIN + 11.0, top + 10.0 + 11.0 * index as f32), line, 8.4, Ink::Text, false);
        }
        top + height + 12.0
    }

    /// Puts a picture here at a scale.
    fn add(&mut self, drawing: Drawing, place: Vec2, scale: f32) {
        self.shapes.extend(drawing.shapes.into_iter().map(|shape| placed(shape, place, scale)));
    }

    fn pictures(&mut self, report: &Report, place: Vec2, room: Vec2) {
        const TITLE: f32 = 15.0;
        const AIR: f32 = 10.0;
        let view = report.picture.as_ref().map(|pixels| pixels.height as f32 / pixels.width.max(1) as f32 * room.x);
        let of_figure = |drawing: &Drawing| {
            let scale = (room.x / drawing.size.x.max(1.0)).min(1.0);
            drawing.size * scale
        };
        let fixed = report.figures.len() as f32 * (TITLE + AIR) + if view.is_some() { AIR } else { 0.0 };
        let wanted: f32 =
            view.unwrap_or(0.0) + report.figures.iter().map(|figure| of_figure(&figure.drawing).y).sum::<f32>();
        let shrink = ((room.y - fixed) / wanted.max(1.0)).clamp(0.05, 1.0);
        let mut y = place.y;
        if let (Some(pixels), Some(height)) = (&report.picture, view) {
            let size = vec2(room.x, height) * shrink;
            let low = vec2(place.x + (room.x - size.x) * 0.5, y);
            let pixels = Arc::clone(pixels);
            self.shapes.push(Shape::Picture { low, high: low + size, pixels });
            let stroke = Some(Stroke::new(0.6, Ink::Line));
            self.shapes.push(Shape::Rect { low, high: low + size, radius: 0.0, fill: None, stroke });
            y += size.y + AIR;
        }
        for figure in &report.figures {
            self.word(vec2(place.x, y + 5.0), &fonts::cut(&figure.title, 9.5, true, room.x), 9.5, Ink::Text, true);
            y += TITLE;
            let size = of_figure(&figure.drawing) * shrink;
            let scale = size.x / figure.drawing.size.x.max(1.0);
            self.add(figure.drawing.clone(), vec2(place.x + (room.x - size.x) * 0.5, y), scale);
            y += size.y + AIR;
        }
    }

    fn tables(&mut self, tables: &[Table], place: Vec2, room: Vec2) {
        const HEAD: f32 = 15.0 + ROW + 4.0;
        const FOOT: f32 = 16.0;
        let heights = |rows: &[usize]| -> f32 { rows.iter().map(|count| HEAD + *count as f32 * ROW + FOOT).sum() };
        let mut rows: Vec<usize> = tables.iter().map(|table| table.rows.len()).collect();
        // The longest table gives a row until all fit.
        while heights(&rows) > room.y {
            match rows.iter().enumerate().max_by_key(|(_, count)| **count) {
                Some((longest, count)) if *count > 1 => rows[longest] -= 1,
                _ => break,
            }
        }
        let mut y = place.y;
        for (table, count) in tables.iter().zip(rows) {
            if y + HEAD + FOOT + count as f32 * ROW > place.y + room.y + 1.0 {
                break;
            }
            y = self.table(table, count, vec2(place.x, y), room.x);
        }
    }

    fn table(&mut self, table: &Table, rows: usize, place: Vec2, width: f32) -> f32 {
        let mut y = place.y + 5.0;
        self.word(vec2(place.x, y), &fonts::cut(&table.title, 9.5, true, width), 9.5, Ink::Text, true);
        y += 15.0;
        let edges = columns(table, width);
        let line = |sheet: &mut Self, cells: &[String], y: f32, ink: Ink, is_strong: bool| {
            for (column, cell) in cells.iter().enumerate().take(edges.len() - 1) {
                let (left, right) = (place.x + edges[column], place.x + edges[column + 1] - 4.0);
                let text = fonts::cut(cell, LETTERS, is_strong, right - left);
                let mut word = Word::new(vec2(left, y), text, LETTERS, ink);
                if column >= table.words {
                    word.anchor = Anchor::End;
                    word.place.x = right;
                }
                sheet.shapes.push(Shape::Word(if is_strong { word.strong() } else { word }));
            }
        };
        line(self, &table.head, y, Ink::Muted, false);
        y += ROW * 0.5 + 1.0;
        let rule = |y: f32, stroke: Stroke| Shape::Line(vec![vec2(place.x, y), vec2(place.x + width, y)], stroke);
        self.shapes.push(rule(y, Stroke::new(0.8, Ink::Border)));
        for row in table.rows.iter().take(rows) {
            line(self, row, y + ROW * 0.5, Ink::Text, false);
            y += ROW;
            self.shapes.push(rule(y, Stroke::new(0.4, Ink::Line)));
        }
        let left = table.rows.len().saturating_sub(rows);
        let note = if left > 0 { format!("… +{left}") } else { table.note.clone() };
        if !note.is_empty() {
            self.word(vec2(place.x, y + 7.0), &fonts::cut(&note, 7.0, false, width), 7.0, Ink::Muted, false);
        }
        y + 16.0
    }
}

/// Left edges of the columns and the right edge of the last: as wide as what stands in them, what is left to the first.
fn columns(table: &Table, width: f32) -> Vec<f32> {
    let wide = |column: usize| {
        let cells = table.rows.iter().filter_map(|row| row.get(column)).chain(table.head.get(column));
        cells.map(|cell| fonts::width(cell, LETTERS, false)).fold(8.0, f32::max) + 6.0
    };
    let mut widths: Vec<f32> = (0..table.head.len()).map(wide).collect();
    let sum: f32 = widths.iter().sum();
    if sum > width {
        widths.iter_mut().for_each(|held| *held *= width / sum);
    } else if table.words > 0 {
        widths[0] += width - sum;
    } else {
        let extra = (width - sum) / widths.len().max(1) as f32;
        widths.iter_mut().for_each(|held| *held += extra);
    }
    let mut edges = vec![0.0];
    for held in widths {
        edges.push(edges.last().copied().unwrap_or(0.0) + held);
    }
    edges
}

fn placed(shape: Shape, place: Vec2, scale: f32) -> Shape {
    let at = |point: Vec2| place + point * scale;
    let thin = |stroke: Stroke| Stroke {
        width: (stroke.width * scale).max(0.3),
        dash: stroke.dash.map(|dash| dash.map(|part| part * scale)),
        ..stroke
    };
    match shape {
        Shape::Line(points, stroke) => Shape::Line(points.into_iter().map(at).collect(), thin(stroke)),
        Shape::Area(points, ink) => Shape::Area(points.into_iter().map(at).collect(), ink),
        Shape::Circle { center, radius, fill, stroke } => {
            Shape::Circle { center: at(center), radius: radius * scale, fill, stroke: stroke.map(thin) }
        }
        Shape::Rect { low, high, radius, fill, stroke } => {
            Shape::Rect { low: at(low), high: at(high), radius: radius * scale, fill, stroke: stroke.map(thin) }
        }
        Shape::Word(word) => Shape::Word(Word { place: at(word.place), size: word.size * scale, ..word }),
        Shape::Picture { low, high, pixels } => Shape::Picture { low: at(low), high: at(high), pixels },
    }
}

/// Settings and provenance in small print, in columns.
fn foot(report: &Report, width: f32) -> Drawing {
    const SMALL: f32 = 6.4;
    const LINE: f32 = 8.2;
    const MOST_LINES: usize = 17;
    let mut sheet = Sheet { shapes: Vec::new() };
    let [settings, provenance, _] = &report.titles;
    sheet.shapes.push(Shape::Line(vec![vec2(0.0, 0.0), vec2(width, 0.0)], Stroke::new(0.8, Ink::Border)));
    // Settings in two narrow columns, provenance, whose hashes are long, in a wide one.
    let places = [(0.0, width * 0.25 - 8.0), (width * 0.25, width * 0.25 - 8.0), (width * 0.5, width * 0.5)];
    sheet.word(vec2(0.0, 9.0), settings, 8.0, Ink::Text, true);
    sheet.word(vec2(places[2].0, 9.0), provenance, 8.0, Ink::Text, true);
    let write = |sheet: &mut Sheet, (left, room): (f32, f32), list: &[(String, String)]| {
        for (index, (name, value)) in list.iter().take(MOST_LINES).enumerate() {
            let text = fonts::cut(&format!("{name}  {value}"), SMALL, false, room);
            sheet.word(vec2(left, 19.0 + LINE * index as f32), &text, SMALL, Ink::Muted, false);
        }
    };
    let half = report.settings.len().div_ceil(2).min(MOST_LINES);
    write(&mut sheet, places[0], &report.settings[..half]);
    write(&mut sheet, places[1], &report.settings[half..]);
    write(&mut sheet, places[2], &report.provenance);
    let lines = half.max(report.provenance.len().min(MOST_LINES));
    Drawing { size: vec2(width, 19.0 + LINE * lines as f32), description: String::new(), shapes: sheet.shapes }
}
