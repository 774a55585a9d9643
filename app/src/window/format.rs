//! Numbers as they are shown.

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

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn minus_is_a_minus_and_zero_has_none() {
        assert_eq!(number(-9.44, 1), "−9.4");
        assert_eq!(number(-0.004, 2), "0.00");
        assert_eq!(number(3.0, 0), "3");
        assert_eq!(number(f32::NAN, 2), "–");
    }
}
