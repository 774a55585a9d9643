//! Reading text by lines and columns without trusting it.

/// Lines with their numbers from 1; `\n`, `\r\n` and, in files without any `\n`, `\r` end a line.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut rest = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let end = if rest.contains(&b'\n') { b'\n' } else { b'\r' };
    let mut number = 0;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        number += 1;
        let line = match rest.iter().position(|byte| *byte == end) {
            Some(position) => {
                let line = &rest[..position];
                rest = &rest[position + 1..];
                line
            }
            None => std::mem::take(&mut rest),
        };
        Some((number, line.strip_suffix(b"\r").unwrap_or(line)))
    })
}

/// The columns `first..last` (from 0) of a line, as far as the line goes.
pub(crate) fn columns(line: &[u8], first: usize, last: usize) -> &[u8] {
    line.get(first..last.min(line.len())).unwrap_or_default()
}

/// The columns `first..last` without spaces around them; empty when they are not ASCII text.
pub(crate) fn field(line: &[u8], first: usize, last: usize) -> &str {
    let bytes = columns(line, first, last).trim_ascii();
    if bytes.is_ascii() { std::str::from_utf8(bytes).unwrap_or_default() } else { "" }
}

/// A finite number, or nothing.
pub(crate) fn number(text: &str) -> Option<f32> {
    text.parse::<f32>().ok().filter(|value| value.is_finite())
}
