//! The program's two fonts, and how wide words are in them.

use std::sync::OnceLock;

use skrifa::MetadataProvider as _;
use skrifa::instance::{LocationRef, Size};

/// The ordinary cut (Pretendard, SIL Open Font License).
pub static REGULAR: &[u8] = kfold_viewer::LABEL_FONT;
/// The heavier cut.
pub static STRONG: &[u8] = include_bytes!("../../../assets/fonts/Pretendard-SemiBold.ttf");

/// A letter that the font does not have is as wide as this share of its size.
const UNKNOWN: f32 = 0.6;

/// A font, read.
#[must_use]
pub fn font(is_strong: bool) -> Option<&'static skrifa::FontRef<'static>> {
    static FONTS: OnceLock<[Option<skrifa::FontRef<'static>>; 2]> = OnceLock::new();
    let fonts = FONTS.get_or_init(|| [REGULAR, STRONG].map(|bytes| skrifa::FontRef::new(bytes).ok()));
    fonts[usize::from(is_strong)].as_ref()
}

/// The glyph of a letter and how far it moves on, as a share of the size.
#[must_use]
pub fn glyph(letter: char, is_strong: bool) -> (u16, f32) {
    let found = font(is_strong).and_then(|font| {
        let glyph = font.charmap().map(letter)?;
        let advance = font.glyph_metrics(Size::new(1000.0), LocationRef::default()).advance_width(glyph)?;
        Some((glyph.to_u32() as u16, advance / 1000.0))
    });
    found.unwrap_or((0, UNKNOWN))
}

/// The width of a line of words, points.
#[must_use]
pub fn width(text: &str, size: f32, is_strong: bool) -> f32 {
    text.chars().map(|letter| glyph(letter, is_strong).1).sum::<f32>() * size
}

/// The text cut to a width with an ellipsis where it is longer.
#[must_use]
pub fn cut(text: &str, size: f32, is_strong: bool, most: f32) -> String {
    if width(text, size, is_strong) <= most {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = width("…", size, is_strong);
    for letter in text.chars() {
        used += glyph(letter, is_strong).1 * size;
        if used > most {
            break;
        }
        kept.push(letter);
    }
    kept.push('…');
    kept
}

/// The text in lines of a width at most, broken at blanks, and within words that are wider.
#[must_use]
pub fn wrap(text: &str, size: f32, is_strong: bool, most: f32) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut word = word.to_owned();
        while let Some(line) = lines.last_mut() {
            let joined = if line.is_empty() { word.clone() } else { format!("{line} {word}") };
            if width(&joined, size, is_strong) <= most {
                *line = joined;
                break;
            }
            if !line.is_empty() {
                lines.push(String::new());
                continue;
            }
            // A word that is wider than the line: as many letters as fit, at least one.
            let mut used = 0.0;
            let place = word.char_indices().position(|(_, letter)| {
                used += glyph(letter, is_strong).1 * size;
                used > most
            });
            let count = place.unwrap_or(word.chars().count()).max(1);
            let rest: String = word.chars().skip(count).collect();
            *line = word.chars().take(count).collect();
            if rest.is_empty() {
                break;
            }
            lines.push(String::new());
            word = rest;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_both_languages_have_glyphs_and_widths() {
        for letter in "Pose −9.4 kcal/mol Å ° ± π – 예측한 결합 자세 ₂ ⁺".chars() {
            assert!(glyph(letter, false).0 != 0, "{letter}");
            assert!(glyph(letter, true).0 != 0, "{letter}");
        }
        assert!(width("MM", 10.0, false) > 2.0 * width("i", 10.0, false));
        assert!((width("abc", 20.0, false) - 2.0 * width("abc", 10.0, false)).abs() < 1e-3);
    }

    #[test]
    fn lines_keep_every_word_and_their_width() {
        let text = "a long sentence with averyverylongwordthatdoesnotfit and 한국어 문장";
        let lines = wrap(text, 10.0, false, 60.0);
        assert!(lines.iter().all(|line| width(line, 10.0, false) <= 60.0), "{lines:?}");
        assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
        assert!(width(&cut(text, 10.0, false, 60.0), 10.0, false) <= 60.0);
    }
}
