//! Numbers and paths as they are shown.

use std::path::Path;

/// A number with a fixed count of digits after the point and a true minus sign.
#[must_use]
pub fn number(value: f32, digits: usize) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let text = format!("{value:.digits$}");
    // Rounding may leave a zero with a sign.
    if let Some(rest) = text.strip_prefix('-') {
        if rest.chars().all(|letter| matches!(letter, '0' | '.')) { rest.to_owned() } else { format!("−{rest}") }
    } else {
        text
    }
}

/// A path with the user's home folder as `~`, as people write it.
#[must_use]
pub fn path(path: &Path) -> String {
    match std::env::home_dir()
        .filter(|home| home.parent().is_some())
        .and_then(|home| path.strip_prefix(home).ok().map(|rest| Path::new("~").join(rest)))
    {
        Some(short) => short.display().to_string(),
        None => path.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{number, path};

    #[test]
    fn home_is_a_tilde() {
        let home = std::env::home_dir().unwrap();
        assert_eq!(path(&home.join("a").join("b")), "~/a/b");
        assert_eq!(path(Path::new("/elsewhere/b")), "/elsewhere/b");
    }

    #[test]
    fn minus_is_a_minus_and_zero_has_none() {
        assert_eq!(number(-9.44, 1), "−9.4");
        assert_eq!(number(-0.004, 2), "0.00");
        assert_eq!(number(3.0, 0), "3");
        assert_eq!(number(f32::NAN, 2), "–");
    }
}
