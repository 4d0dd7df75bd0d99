//! What one cell of text looks like.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A cell by its looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell {
    Missing,
    Number(f64),
    Infinite,
    /// A whole number with leading zeros: a code, such as a post code.
    Code,
    /// Microseconds since 1970 in UTC.
    Date(i64),
    Boolean(bool),
    Word,
}

impl Cell {
    /// Looks at a trimmed cell.
    pub(crate) fn of(text: &str, tokens: &[String]) -> Self {
        if is_missing(text, tokens) {
            return Self::Missing;
        }
        let first = text
            .bytes()
            .find(|byte| !matches!(byte, b'+' | b'-'))
            .unwrap_or(b' ');
        match first {
            b'0'..=b'9' | b'.' => Self::of_digits(text),
            b'i' | b'I' => Self::of_infinity(text),
            b't' | b'T' if text.eq_ignore_ascii_case("true") => Self::Boolean(true),
            b'f' | b'F' if text.eq_ignore_ascii_case("false") => Self::Boolean(false),
            _ => Self::Word,
        }
    }

    pub(crate) const fn truth(&self) -> Option<bool> {
        match self {
            Self::Boolean(truth) => Some(*truth),
            _ => None,
        }
    }

    fn of_digits(text: &str) -> Self {
        if let Some(micros) = date(text) {
            return Self::Date(micros);
        }
        if is_code(text) {
            return Self::Code;
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Self::Number(number),
            Ok(_) => Self::Infinite,
            Err(_) => Self::Word,
        }
    }

    fn of_infinity(text: &str) -> Self {
        match text.parse::<f64>() {
            Ok(_) => Self::Infinite,
            Err(_) => Self::Word,
        }
    }
}

/// Blank, `NA`, `null`, `NaN` (the last two in any case) or one of the column's tokens.
pub fn is_missing(text: &str, tokens: &[String]) -> bool {
    text.is_empty()
        || text == "NA"
        || text.eq_ignore_ascii_case("null")
        || text.eq_ignore_ascii_case("nan")
        || tokens.iter().any(|token| token.trim() == text)
}

/// A whole number with leading zeros.
pub(crate) fn is_code(text: &str) -> bool {
    text.len() > 1 && text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `2026-03-31`, `2026-03-31T14:05:00`, `2026-03-31 14:05:00.25`, each with `Z` or an offset; UTC without.
pub(crate) fn date(text: &str) -> Option<i64> {
    let shape = |at: usize| text.as_bytes().get(at).copied();
    if text.len() < 10 || shape(4) != Some(b'-') || shape(7) != Some(b'-') {
        return None;
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment.as_microsecond());
    }
    let has_offset = text.get(10..)?.contains(['Z', 'z', '+', '-', '[']);
    if has_offset {
        return None;
    }
    let civil: DateTime = text.parse().ok()?;
    TimeZone::UTC
        .to_timestamp(civil)
        .ok()
        .map(Timestamp::as_microsecond)
}

#[cfg(test)]
mod tests {
    use super::Cell;

    fn check(text: &str, expected: Cell) {
        assert_eq!(Cell::of(text, &["?".to_owned()]), expected, "{text:?}");
    }

    #[test]
    fn looks() {
        for missing in ["", "NA", "null", "NULL", "NaN", "nan", "?"] {
            check(missing, Cell::Missing);
        }
        for word in [
            "na",
            "Yes",
            "1,234",
            "0x10",
            "1_000",
            "12-31",
            ".",
            "-",
            "t",
            "2026-13-01",
            "NA2",
            "1.2.3",
        ] {
            check(word, Cell::Word);
        }
        check("1", Cell::Number(1.0));
        check("-1.5e3", Cell::Number(-1500.0));
        check("+.5", Cell::Number(0.5));
        check("0", Cell::Number(0.0));
        check("0.10", Cell::Number(0.1));
        for infinite in ["inf", "-Infinity", "1e999", "+inf"] {
            check(infinite, Cell::Infinite);
        }
        check("00501", Cell::Code);
        check("TRUE", Cell::Boolean(true));
        check("False", Cell::Boolean(false));
    }

    #[test]
    fn moments() {
        let day = 86_400_000_000;
        check("1970-01-02", Cell::Date(day));
        check("1970-01-02T00:00:01", Cell::Date(day + 1_000_000));
        check("1970-01-02 00:00:00.25", Cell::Date(day + 250_000));
        check("1970-01-02T00:00:00Z", Cell::Date(day));
        check("1970-01-02T01:00:00+01:00", Cell::Date(day));
        check("1969-12-31", Cell::Date(-day));
    }
}
