//! Counts as floating-point numbers: the one place that vouches for the conversion.

/// A count as a number; exact below 2^53.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of customers and bytes are far below 2^53"
)]
pub(crate) const fn to_f64(count: usize) -> f64 {
    count as f64
}
