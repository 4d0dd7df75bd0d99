//! Quantiles and tails of the distributions that measuring needs: the one place that calls `statrs`.

use statrs::distribution::{ChiSquared, ContinuousCDF, Normal, StudentsT};

/// `P(Z <= z)` for a standard normal `Z`; NaN for NaN.
#[must_use]
pub fn normal_cdf(z: f64) -> f64 {
    Normal::standard().cdf(z)
}

/// The `z` with `P(Z <= z) = p` for a standard normal `Z`; NaN unless 0 < p < 1.
#[must_use]
pub fn normal_quantile(p: f64) -> f64 {
    if p > 0.0 && p < 1.0 {
        Normal::standard().inverse_cdf(p)
    } else {
        f64::NAN
    }
}

/// The `t` with `P(T <= t) = p` for Student's t with `df` > 0 degrees of freedom; NaN outside of the ranges.
///
/// At 1e6 degrees of freedom and above it is the normal quantile.
#[must_use]
pub fn student_quantile(p: f64, df: f64) -> f64 {
    if !(p > 0.0 && p < 1.0 && df > 0.0) {
        return f64::NAN;
    }
    if df >= 1e6 {
        return normal_quantile(p);
    }
    StudentsT::new(0.0, 1.0, df).map_or(f64::NAN, |student| student.inverse_cdf(p))
}

/// `P(X >= x)` for a chi-squared `X` with `df` > 0 degrees of freedom; NaN outside of the ranges.
#[must_use]
pub fn chi_squared_tail(x: f64, df: f64) -> f64 {
    ChiSquared::new(df).map_or(f64::NAN, |chi| chi.sf(x))
}
