//! Points in time and spans, in UTC microseconds; text forms live at the edges.

/// A point in time: microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// A span of time in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(pub i64);

const MICROS_PER_DAY: i64 = 86_400_000_000;

impl Duration {
    /// A span of whole days.
    #[must_use]
    pub const fn days(days: i64) -> Self {
        Self(days.saturating_mul(MICROS_PER_DAY))
    }

    /// The span in days, with fractions.
    #[must_use]
    pub fn as_days(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "spans are far below 2^52 microseconds")]
        let micros = self.0 as f64;
        micros / 86_400_000_000.0
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}
