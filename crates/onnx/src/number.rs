//! The few number conversions that may lose something, in one place.

/// The nearest single-precision number.
#[expect(
    clippy::cast_possible_truncation,
    reason = "rounding to single precision is the purpose"
)]
pub(crate) const fn narrow(value: f64) -> f32 {
    value as f32
}

/// The integer part; beyond the range of integers the nearest one, 0 for NaN.
#[expect(
    clippy::cast_possible_truncation,
    reason = "cutting off the fraction is the purpose"
)]
pub(crate) const fn truncate(value: f64) -> i64 {
    value as i64
}

/// The nearest double-precision number.
pub(crate) const fn real(value: i64) -> f64 {
    value as f64
}

/// A count as a number.
pub(crate) const fn count(value: usize) -> f64 {
    value as f64
}

/// An index as ONNX keeps it.
pub(crate) fn signed(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
