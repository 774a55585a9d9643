//! Pages as PDF 1.7: vector pictures, words that can be searched and copied, the letters in use embedded.
//!
//! Words are glyph numbers of a subset of the program's own font (a CID-keyed TrueType font, ISO 32000-1, 9.7), with a map back to
//! Unicode. Equal pages give equal files: nothing in them tells when or where they were written.

use std::collections::BTreeMap;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use glam::{Vec2, vec2};
use pdf_writer::types::{CidFontType, FontFlags, LineCapStyle, LineJoinStyle, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Filter, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr};
use subsetter::GlyphRemapper;

use crate::drawing::svg::rgb;
use crate::drawing::{Drawing, Ink, Pixels, Shape, Stroke, Word, fonts};
use crate::window::theme::LIGHT;

/// ISO A4, points.
pub const A4: Vec2 = vec2(595.28, 841.89);

/// Why a page could not be written.
#[derive(Debug, thiserror::Error)]
pub enum PdfError {
    /// The program's font could not be cut down to the letters in use.
    #[error("the font of the report cannot be embedded: {0}")]
    Font(String),
}

const REGULAR: Name<'static> = Name(b"F0");
const STRONG: Name<'static> = Name(b"F1");

/// Writes pages, each a picture of its own size, with a title and a language (`en`, `ko`).
///
/// # Errors
/// When the font cannot be embedded.
pub fn write(title: &str, language: &str, pages: &[Drawing]) -> Result<Vec<u8>, PdfError> {
    let mut writer = Writer::default();
    let (catalog, tree, info) = (writer.next(), writer.next(), writer.next());
    let fonts = [0, 1].map(|_| [(); 5].map(|()| writer.next()));
    let mut pdf = Pdf::new();
    let mut kids = Vec::new();
    for page in pages {
        let (id, content_id) = (writer.next(), writer.next());
        kids.push(id);
        let mut images = Vec::new();
        let mut content = Content::new();
        // PDF has y up.
        content.transform([1.0, 0.0, 0.0, -1.0, 0.0, page.size.y]);
        content.set_line_cap(LineCapStyle::RoundCap).set_line_join(LineJoinStyle::RoundJoin);
        for shape in &page.shapes {
            writer.draw(&mut content, shape, &mut images);
        }
        pdf.stream(content_id, &packed(content.finish().as_slice())).filter(Filter::FlateDecode);
        let mut entry = pdf.page(id);
        entry.media_box(Rect::new(0.0, 0.0, page.size.x, page.size.y)).parent(tree).contents(content_id);
        let mut resources = entry.resources();
        resources.fonts().pair(REGULAR, fonts[0][0]).pair(STRONG, fonts[1][0]);
        let mut objects = resources.x_objects();
        for (index, (image, _)) in images.iter().enumerate() {
            objects.pair(Name(image_name(index).as_bytes()), *image);
        }
        objects.finish();
        resources.finish();
        entry.finish();
        for (image, pixels) in images {
            let packed = packed(&pixels.rgb);
            let mut object = pdf.image_xobject(image, &packed);
            object.filter(Filter::FlateDecode);
            object.width(pixels.width as i32).height(pixels.height as i32);
            object.color_space().device_rgb();
            object.bits_per_component(8);
        }
    }
    pdf.pages(tree).kids(kids.iter().copied()).count(kids.len() as i32);
    for (is_strong, ids) in [false, true].into_iter().zip(fonts) {
        writer.font(&mut pdf, is_strong, ids)?;
    }
    pdf.catalog(catalog).pages(tree).lang(TextStr(language));
    pdf.document_info(info).title(TextStr(title)).creator(TextStr("K-Fold Studio"));
    Ok(pdf.finish())
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing to memory cannot fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

fn image_name(index: usize) -> String {
    format!("I{index}")
}

#[derive(Default)]
struct Writer {
    last: i32,
    cuts: [Cut; 2],
}

/// The letters in use of one font.
#[derive(Default)]
struct Cut {
    glyphs: GlyphRemapper,
    /// By number in the subset: the letter and its width as a share of the size.
    letters: BTreeMap<u16, (char, f32)>,
}

impl Writer {
    fn next(&mut self) -> Ref {
        self.last += 1;
        Ref::new(self.last)
    }

    fn draw(&mut self, content: &mut Content, shape: &Shape, images: &mut Vec<(Ref, Arc<Pixels>)>) {
        match shape {
            Shape::Line(points, stroke) => {
                set_stroke(content, stroke);
                trace(content, points);
                content.stroke();
            }
            Shape::Area(points, ink) => {
                set_fill(content, *ink);
                trace(content, points);
                content.fill_nonzero();
            }
            Shape::Circle { center, radius, fill, stroke } => {
                paint(content, *fill, stroke.as_ref(), |content| circle(content, *center, *radius));
            }
            Shape::Rect { low, high, radius, fill, stroke } => {
                paint(content, *fill, stroke.as_ref(), |content| {
                    let corners = crate::drawing::round_box(*low, *high, *radius);
                    trace(content, &corners);
                    content.close_path();
                });
            }
            Shape::Word(word) => self.word(content, word),
            Shape::Picture { low, high, pixels } => {
                let name = image_name(images.len());
                images.push((self.next(), Arc::clone(pixels)));
                let size = *high - *low;
                content.save_state();
                // An image fills the unit square, its first row at the top.
                content.transform([size.x, 0.0, 0.0, -size.y, low.x, high.y]);
                content.x_object(Name(name.as_bytes()));
                content.restore_state();
            }
        }
    }

    fn word(&mut self, content: &mut Content, word: &Word) {
        let cut = &mut self.cuts[usize::from(word.is_strong)];
        let mut codes = Vec::new();
        for letter in word.text.chars() {
            let (glyph, width) = fonts::glyph(letter, word.is_strong);
            let code = cut.glyphs.remap(glyph);
            cut.letters.entry(code).or_insert((letter, width));
            codes.extend(code.to_be_bytes());
        }
        let (start, drop) = (word.start(), word.size * 0.36);
        let place = word.place;
        content.begin_text();
        content.set_font(if word.is_strong { STRONG } else { REGULAR }, word.size);
        set_fill(content, word.ink);
        // Turned back, as everything is drawn with y down.
        content.set_text_matrix(if word.is_upright {
            [0.0, -1.0, -1.0, 0.0, place.x + drop, place.y - start]
        } else {
            [1.0, 0.0, 0.0, -1.0, place.x + start, place.y + drop]
        });
        content.show(Str(&codes));
        content.end_text();
    }

    fn font(
        &self,
        pdf: &mut Pdf,
        is_strong: bool,
        [font, cid, descriptor, map, data]: [Ref; 5],
    ) -> Result<(), PdfError> {
        let cut = &self.cuts[usize::from(is_strong)];
        let (bytes, name) = if is_strong {
            (fonts::STRONG, Name(b"KFOLDS+Pretendard-SemiBold"))
        } else {
            (fonts::REGULAR, Name(b"KFOLDS+Pretendard-Regular"))
        };
        let subset = subsetter::subset(bytes, 0, &cut.glyphs).map_err(|error| PdfError::Font(error.to_string()))?;
        let system = || SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };
        pdf.type0_font(font)
            .base_font(name)
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(cid)
            .to_unicode(map);
        let mut entry = pdf.cid_font(cid);
        entry.subtype(CidFontType::Type2).base_font(name).system_info(system()).font_descriptor(descriptor);
        entry.cid_to_gid_map_predefined(Name(b"Identity"));
        let mut widths = entry.widths();
        for (code, (_, width)) in &cut.letters {
            widths.consecutive(*code, [width * 1000.0]);
        }
        widths.finish();
        entry.finish();
        pdf.font_descriptor(descriptor)
            .name(name)
            .flags(FontFlags::SYMBOLIC)
            .bbox(Rect::new(-500.0, -300.0, 1500.0, 1100.0))
            .italic_angle(0.0)
            .ascent(950.0)
            .descent(-250.0)
            .cap_height(710.0)
            .stem_v(if is_strong { 110.0 } else { 80.0 })
            .font_file2(data);
        let mut unicode = UnicodeCmap::new(Name(b"Unicode"), system());
        for (code, (letter, _)) in &cut.letters {
            unicode.pair(*code, *letter);
        }
        pdf.stream(map, &packed(unicode.finish().as_slice())).filter(Filter::FlateDecode);
        pdf.stream(data, &packed(&subset)).filter(Filter::FlateDecode).pair(Name(b"Length1"), subset.len() as i32);
        Ok(())
    }
}

fn channels(ink: Ink) -> [f32; 3] {
    rgb(ink, &LIGHT).map(|channel| f32::from(channel) / 255.0)
}

fn set_fill(content: &mut Content, ink: Ink) {
    let [red, green, blue] = channels(ink);
    content.set_fill_rgb(red, green, blue);
}

fn set_stroke(content: &mut Content, stroke: &Stroke) {
    let [red, green, blue] = channels(stroke.ink);
    content.set_stroke_rgb(red, green, blue).set_line_width(stroke.width);
    content.set_dash_pattern(stroke.dash.unwrap_or_default().into_iter().filter(|part| *part > 0.0), 0.0);
}

fn trace(content: &mut Content, points: &[Vec2]) {
    for (index, point) in points.iter().enumerate() {
        if index == 0 {
            content.move_to(point.x, point.y)
        } else {
            content.line_to(point.x, point.y)
        };
    }
}

fn paint(content: &mut Content, fill: Option<Ink>, stroke: Option<&Stroke>, path: impl Fn(&mut Content)) {
    if let Some(ink) = fill {
        set_fill(content, ink);
        path(content);
        content.fill_nonzero();
    }
    if let Some(stroke) = stroke {
        set_stroke(content, stroke);
        path(content);
        content.close_and_stroke();
    }
}

/// Four Bézier curves, each a quarter within a thousandth of the radius.
fn circle(content: &mut Content, center: Vec2, radius: f32) {
    const BOW: f32 = 0.552_285;
    content.move_to(center.x + radius, center.y);
    for quarter in 0..4 {
        let axis = |step: usize| Vec2::from_angle(std::f32::consts::FRAC_PI_2 * step as f32) * radius;
        let (from, to) = (axis(quarter), axis(quarter + 1));
        let (first, second, end) = (center + from + to * BOW, center + to + from * BOW, center + to);
        content.cubic_to(first.x, first.y, second.x, second.y, end.x, end.y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_its_font_and_is_always_the_same() {
        let word = |text: &str| Shape::Word(Word::new(vec2(40.0, 60.0), text, 12.0, Ink::Text));
        let page = Drawing { size: A4, description: String::new(), shapes: vec![word("pLDDT 예측 ± 1.2 Å")] };
        let bytes = write("Report", "ko", std::slice::from_ref(&page)).unwrap();
        assert!(bytes.starts_with(b"%PDF-1.7"));
        assert!(bytes.len() < 40_000, "{} bytes: the whole font is in it", bytes.len());
        let has = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        assert!(has(b"Pretendard-Regular") && has(b"/Lang"));
        assert_eq!(bytes, write("Report", "ko", &[page]).unwrap());
    }
}
