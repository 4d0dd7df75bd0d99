//! Text forms of points in time (RFC 3339, UTC).

use thalweg_domain::{Error, Result, Timestamp};

/// Reads `2026-11-24`, `2026-11-24T10:00:00Z` or with an offset.
///
/// # Errors
/// `TW0108` when it is none of these.
pub fn parse_time(text: &str) -> Result<Timestamp> {
    let instant = text
        .parse::<jiff::Timestamp>()
        .or_else(|_| format!("{text}T00:00:00Z").parse::<jiff::Timestamp>());
    match instant {
        Ok(instant) => Ok(Timestamp(instant.as_microsecond())),
        Err(cause) => Err(Error::new("TW0108", format!("\"{text}\" is not a point in time"))
            .hint("write 2026-11-24 or 2026-11-24T10:00:00Z")
            .cause(cause)),
    }
}

/// Writes a point in time as `2026-11-24T10:00:00Z`.
#[must_use]
pub fn format_time(time: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(time.0)
        .map_or_else(|_| time.0.to_string(), |instant| instant.to_string())
}

/// The start of the UTC day.
pub(crate) const fn start_of_day(time: Timestamp) -> Timestamp {
    const DAY: i64 = 86_400_000_000;
    Timestamp(time.0.div_euclid(DAY) * DAY)
}
