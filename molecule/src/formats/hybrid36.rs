//! Numbers in columns too narrow for them: hybrid-36 (Grosse-Kunstleve, <http://cci.lbl.gov/hybrid_36>).
//!
//! A field of width w holds decimals up to 10^w - 1, then base 36 with upper-case letters starting at `A000...`, then
//! with lower-case letters. Fields of plain decimals are unchanged, negative ones included.

/// Reads a field that is `width` wide. Blank and unreadable fields are nothing.
pub(crate) fn decode(field: &[u8], width: u32) -> Option<i32> {
    let trimmed = field.trim_ascii();
    let first = *trimmed.first()?;
    if !first.is_ascii_alphabetic() {
        return std::str::from_utf8(trimmed).ok()?.parse().ok();
    }
    if field.len() != width as usize || trimmed.len() != field.len() {
        return None;
    }
    let is_upper = first.is_ascii_uppercase();
    let mut value = 0_i64;
    for byte in field {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'Z' if is_upper => byte - b'A' + 10,
            b'a'..=b'z' if !is_upper => byte - b'a' + 10,
            _ => return None,
        };
        value = value * 36 + i64::from(digit);
    }
    let unit = 36_i64.pow(width - 1);
    let offset = if is_upper { -10 * unit } else { 16 * unit };
    i32::try_from(value + offset + 10_i64.pow(width)).ok()
}

/// The number in `width` columns, or nothing when even hybrid-36 cannot hold it.
pub(crate) fn encode(value: i32, width: u32) -> Option<String> {
    let value = i64::from(value);
    let decimals = 10_i64.pow(width);
    if value > -(decimals / 10) && value < decimals {
        return Some(format!("{value:>width$}", width = width as usize));
    }
    let unit = 36_i64.pow(width - 1);
    let beyond = value - decimals;
    let (mut rest, letter) = match beyond {
        _ if beyond < 0 => return None,
        _ if beyond < 26 * unit => (beyond + 10 * unit, b'A'),
        _ if beyond < 52 * unit => (beyond - 26 * unit + 10 * unit, b'a'),
        _ => return None,
    };
    let mut digits = Vec::new();
    for _ in 0..width {
        let digit = (rest % 36) as u8;
        digits.push(if digit < 10 { b'0' + digit } else { letter + digit - 10 });
        rest /= 36;
    }
    digits.reverse();
    String::from_utf8(digits).ok()
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn numbers_survive_and_known_values_are_right() {
        for (value, text) in [(-999, "-999"), (0, "   0"), (9999, "9999"), (10_000, "A000"), (10_035, "A00Z")] {
            assert_eq!(encode(value, 4).as_deref(), Some(text));
            assert_eq!(decode(text.as_bytes(), 4), Some(value));
        }
        assert_eq!(encode(100_000, 5).as_deref(), Some("A0000"));
        assert_eq!(encode(43_770_015, 5).as_deref(), Some("ZZZZZ"));
        assert_eq!(encode(43_770_016, 5).as_deref(), Some("a0000"));
        assert_eq!(encode(-1000, 4), None);
        assert_eq!(encode(i32::MAX, 5), None);
        for value in [99_999, 100_000, 43_770_016, 87_440_031] {
            assert_eq!(decode(encode(value, 5).unwrap().as_bytes(), 5), Some(value));
        }
        assert_eq!(decode(b"*****", 5), None);
        assert_eq!(decode(b"A0 0", 4), None);
    }
}
