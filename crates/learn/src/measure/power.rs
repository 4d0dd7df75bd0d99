//! Power: the smallest effect that an experiment of a given size would detect.

use super::distributions::normal_quantile;

/// Smallest true difference in means that a two-sided 5 % test detects with 80 % probability.
///
/// `(z_0.975 + z_0.80) sd sqrt(1 / n_t + 1 / n_c)`, about 2.80 standard errors. `n_t`, `n_c`: units per arm; `sd`: standard
/// deviation of the outcome within an arm (after adjustment: times `sqrt(1 - R²)`), in the unit of the result.
/// Infinite when an arm is empty. Assumes normal means: a few dozen units per arm.
///
/// Source: Cohen, *Statistical Power Analysis for the Behavioral Sciences*, 2nd ed., chapter 2.
///
/// ```
/// let effect = thalweg_learn::measure::detectable_effect(1000, 1000, 1.0);
/// assert!((effect - 0.1253).abs() < 1e-4);
/// ```
#[must_use]
pub fn detectable_effect(n_treated: u64, n_control: u64, sd: f64) -> f64 {
    let per_unit = (1.0 / n_treated as f64 + 1.0 / n_control as f64).sqrt();
    (normal_quantile(0.975) + normal_quantile(0.8)) * sd * per_unit
}
