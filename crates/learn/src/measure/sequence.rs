//! Asymptotic confidence sequences: intervals that may be looked at every day.

use thalweg_domain::{Error, Estimate, Result};

/// Always-valid intervals are shown from this many units per arm; before, the asymptotics do not hold.
pub const LEAST_UNITS_PER_ARM: u64 = 100;

/// An asymptotic confidence sequence for a mean, tuned to be tightest at a planned number of units.
///
/// With `t` units seen, an estimate's standard error `s` (so `s sqrt(t)` estimates the sd per unit), level `alpha`:
///
/// `half width = s sqrt( 2 (t r² + 1) / (t r²) * ln( sqrt(t r² + 1) / alpha ) )`, with
/// `r² = (-2 ln alpha + ln(-2 ln alpha + 1)) / t*` and `t*` the planned number of units.
///
/// The intervals cover the truth at *all* times at once with probability `1 - alpha` (asymptotically, as the first look is
/// made later), so one may look every day and stop when one likes. At `t = t*` and 5 % they are 1.5 times as wide
/// as the fixed interval.
///
/// Assumptions that it cannot check: units come independently (or in clusters, with a standard error that knows), the same
/// quantity is estimated all the time, with finite variance; the estimator is asymptotically linear (means, differences
/// and regression adjustments are).
///
/// Source: Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, *Time-uniform central limit theory and asymptotic confidence
/// sequences*, arXiv:2103.06476, theorem 2.2 and appendix on tuning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConfidenceSequence {
    alpha: f64,
    rho_squared: f64,
}

impl ConfidenceSequence {
    /// A sequence at level `alpha` (0.05 for 95 %), tightest at `planned_units` (at least 1) units of all arms together.
    ///
    /// # Errors
    /// `TW0724` outside of these ranges.
    pub fn new(alpha: f64, planned_units: f64) -> Result<Self> {
        if !(alpha > 0.0 && alpha < 1.0) {
            return Err(Error::new(
                "TW0724",
                format!("a level of {alpha} is not between 0 and 1"),
            ));
        }
        if !(planned_units >= 1.0 && planned_units.is_finite()) {
            return Err(Error::new(
                "TW0724",
                format!("{planned_units} planned customers cannot be used"),
            )
            .hint("give the number of customers that the measurement is planned for"));
        }
        let surprise = -2.0 * alpha.ln();
        Ok(Self {
            alpha,
            rho_squared: (surprise + surprise.ln_1p()) / planned_units,
        })
    }

    /// Half the width of the interval after `units` (above 0) units, given the estimate's standard error then.
    #[must_use]
    pub fn half_width(&self, standard_error: f64, units: f64) -> f64 {
        let scaled = units * self.rho_squared;
        let log = (scaled + 1.0).ln() / 2.0 - self.alpha.ln();
        standard_error * (2.0 * (scaled + 1.0) / scaled * log).sqrt()
    }

    /// The interval around an estimate after `units` units.
    #[must_use]
    pub fn interval(&self, mean: f64, standard_error: f64, units: f64) -> Estimate {
        let half = self.half_width(standard_error, units);
        Estimate {
            mean,
            low: mean - half,
            high: mean + half,
        }
    }
}
