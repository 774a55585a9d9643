//! A picture as SVG 1.1, by itself: no fonts or files outside it are needed.

use std::fmt::Write as _;

use super::{Anchor, Drawing, Ink, Pixels, Shape, Stroke, Word};
use crate::window::theme::{LIGHT, Palette};

/// A colour in a palette: red, green, blue.
#[must_use]
pub fn rgb(ink: Ink, colours: &Palette) -> [u8; 3] {
    let colour = match ink {
        Ink::Text => colours.text,
        Ink::Muted => colours.text_muted,
        Ink::Line => colours.line,
        Ink::Border => colours.line_strong,
        Ink::Accent => colours.accent,
        Ink::AccentSoft => colours.accent_soft,
        Ink::Ground => colours.card,
        Ink::Good => colours.good,
        Ink::Warning => colours.warning,
        Ink::Bad => colours.bad,
        Ink::Nitrogen => colours.nitrogen,
        Ink::Oxygen => colours.oxygen,
        Ink::Sulphur => colours.sulphur,
        Ink::Halogen => colours.halogen,
        Ink::Phosphorus => colours.phosphorus,
        Ink::Rgb(red, green, blue) => return [red, green, blue],
    };
    [colour.r(), colour.g(), colour.b()]
}

/// Text with what XML and HTML take for their own escaped.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // XML knows no other control characters.
            letter if letter.is_control() && !matches!(letter, '\t' | '\n' | '\r') => {}
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// Bytes in base 64 (RFC 4648), for pictures within pages.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| chunk.get(index).copied().map_or(0, u32::from);
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let letter = LETTERS[(group >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

/// Pixels as a PNG file.
#[must_use]
pub fn png(pixels: &Pixels) -> Option<Vec<u8>> {
    let image = image::RgbImage::from_raw(pixels.width, pixels.height, pixels.rgb.clone())?;
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).ok()?;
    Some(bytes.into_inner())
}

impl Drawing {
    /// The picture as an SVG file.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let mut svg = String::new();
        let (width, height) = (self.size.x, self.size.y);
        // Writing to a string cannot fail.
        let _ = writeln!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"{width:.1}\" \
             height=\"{height:.1}\" viewBox=\"0 0 {width:.1} {height:.1}\" role=\"img\" \
             font-family=\"Pretendard, 'Noto Sans KR', 'Malgun Gothic', Arial, sans-serif\">"
        );
        let _ = writeln!(svg, "<title>{}</title>", escape(&self.description));
        for shape in &self.shapes {
            write_shape(&mut svg, shape);
        }
        svg.push_str("</svg>\n");
        svg
    }
}

fn colour(ink: Ink) -> String {
    let [red, green, blue] = rgb(ink, &LIGHT);
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn stroke_text(stroke: &Stroke) -> String {
    let mut text = format!(
        "stroke=\"{}\" stroke-width=\"{:.2}\" stroke-linecap=\"round\" stroke-linejoin=\"round\"",
        colour(stroke.ink),
        stroke.width
    );
    if let Some([dash, gap]) = stroke.dash {
        let _ = write!(text, " stroke-dasharray=\"{dash:.1} {gap:.1}\"");
    }
    text
}

fn looks(fill: Option<Ink>, stroke: Option<&Stroke>) -> String {
    let fill = fill.map_or_else(|| "none".to_owned(), colour);
    format!("fill=\"{fill}\" {}", stroke.map(stroke_text).unwrap_or_default())
}

fn write_shape(svg: &mut String, shape: &Shape) {
    let points = |points: &[glam::Vec2]| {
        points.iter().map(|point| format!("{:.2},{:.2}", point.x, point.y)).collect::<Vec<_>>().join(" ")
    };
    let _ = match shape {
        Shape::Line(line, stroke) => {
            writeln!(svg, "<polyline points=\"{}\" fill=\"none\" {}/>", points(line), stroke_text(stroke))
        }
        Shape::Area(area, ink) => writeln!(svg, "<polygon points=\"{}\" fill=\"{}\"/>", points(area), colour(*ink)),
        Shape::Circle { center, radius, fill, stroke } => writeln!(
            svg,
            "<circle cx=\"{:.2}\" cy=\"{:.2}\" r=\"{radius:.2}\" {}/>",
            center.x,
            center.y,
            looks(*fill, stroke.as_ref())
        ),
        Shape::Rect { low, high, radius, fill, stroke } => writeln!(
            svg,
            "<rect x=\"{:.2}\" y=\"{:.2}\" width=\"{:.2}\" height=\"{:.2}\" rx=\"{radius:.1}\" {}/>",
            low.x,
            low.y,
            high.x - low.x,
            high.y - low.y,
            looks(*fill, stroke.as_ref())
        ),
        Shape::Word(word) => writeln!(svg, "{}", word_text(word)),
        Shape::Picture { low, high, pixels } => {
            let data = png(pixels).map(|bytes| base64(&bytes)).unwrap_or_default();
            writeln!(
                svg,
                "<image x=\"{:.2}\" y=\"{:.2}\" width=\"{:.2}\" height=\"{:.2}\" preserveAspectRatio=\"none\" \
                 style=\"image-rendering:pixelated\" xlink:href=\"data:image/png;base64,{data}\"/>",
                low.x,
                low.y,
                high.x - low.x,
                high.y - low.y
            )
        }
    };
}

fn word_text(word: &Word) -> String {
    let anchor = match word.anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    // The middle of capital letters stands at the place; not every reader knows `dominant-baseline`.
    let drop = word.size * 0.36;
    let weight = if word.is_strong { " font-weight=\"600\"" } else { "" };
    let (x, y) = (word.place.x, word.place.y);
    let place = if word.is_upright {
        format!("transform=\"translate({:.2} {y:.2}) rotate(-90)\"", x + drop)
    } else {
        format!("x=\"{x:.2}\" y=\"{:.2}\"", y + drop)
    };
    format!(
        "<text {place} font-size=\"{:.1}\" text-anchor=\"{anchor}\" fill=\"{}\"{weight}>{}</text>",
        word.size,
        colour(word.ink),
        escape(&word.text)
    )
}

#[cfg(test)]
mod tests {
    use glam::vec2;

    use super::*;

    #[test]
    fn bytes_become_letters() {
        assert_eq!(base64(b""), "");
        assert_eq!(base64(b"f"), "Zg==");
        assert_eq!(base64(b"fo"), "Zm8=");
        assert_eq!(base64(b"foobar"), "Zm9vYmFy");
    }

    #[test]
    fn names_cannot_become_markup() {
        let word = Word::new(vec2(1.0, 2.0), "<script>\u{1}&\"'", 10.0, Ink::Text);
        let drawing = Drawing { size: vec2(10.0, 10.0), description: "a < b".into(), shapes: vec![Shape::Word(word)] };
        let svg = drawing.to_svg();
        assert!(svg.contains("&lt;script&gt;&amp;&quot;&#39;</text>"), "{svg}");
        assert!(svg.contains("<title>a &lt; b</title>"));
        assert!(!svg.contains('\u{1}'));
    }
}
