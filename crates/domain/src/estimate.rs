//! A number with its doubt.

/// A point estimate with an interval; which level it has (90 or 95 %) is said where it is used.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Estimate {
    /// The point estimate.
    pub mean: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Estimate {
    /// A normal interval: `mean ± z sd`. For 95 % z = 1.959964, for 90 % z = 1.644854.
    #[must_use]
    pub fn normal(mean: f64, sd: f64, z: f64) -> Self {
        Self {
            mean,
            low: mean - z * sd,
            high: mean + z * sd,
        }
    }

    /// The two-sided 95 % quantile of the standard normal distribution.
    pub const Z95: f64 = 1.959_963_984_540_054;
    /// The two-sided 90 % quantile of the standard normal distribution.
    pub const Z90: f64 = 1.644_853_626_951_472_7;
}
