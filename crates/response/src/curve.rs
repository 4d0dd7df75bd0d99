//! Saturation: how a channel's effect flattens as spend grows, with its derivatives.

/// The form of the curve, between 0 at no spend and 1 (for the linear one: 1 at the highest spend seen).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Saturation {
    /// `(1 - exp(-lam x)) / (1 + exp(-lam x))`, as `LogisticSaturation` of PyMC-Marketing.
    #[default]
    Logistic,
    /// `x^n / (x^n + k^n)`: may be S-shaped.
    Hill,
    /// `x`: no saturation; the last remedy when the data cannot tell a curve.
    Linear,
}

impl Saturation {
    /// How many parameters it has.
    #[must_use]
    pub const fn parameters(self) -> usize {
        match self {
            Self::Linear => 0,
            Self::Logistic => 1,
            Self::Hill => 2,
        }
    }

    /// `logistic`, `hill` or `linear`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Logistic => "logistic",
            Self::Hill => "hill",
            Self::Linear => "linear",
        }
    }

    /// The curve at `x` (spend divided by its highest): `first` is lam or k, `second` is n.
    #[must_use]
    pub fn at(self, x: f64, first: f64, second: f64) -> f64 {
        match self {
            Self::Logistic => {
                let decay = (-first * x).exp();
                (1.0 - decay) / (1.0 + decay)
            }
            Self::Hill => {
                if x <= 0.0 {
                    return 0.0;
                }
                1.0 / (1.0 + (second * (first / x).ln()).exp())
            }
            Self::Linear => x,
        }
    }

    /// Derivatives by x, by the first and by the second parameter, given the curve's `value` at `x`.
    #[must_use]
    pub fn slopes(self, x: f64, value: f64, first: f64, second: f64) -> [f64; 3] {
        match self {
            Self::Logistic => {
                let rest = 0.5 * (1.0 - value * value);
                [first * rest, x * rest, 0.0]
            }
            Self::Hill => {
                if x <= 0.0 {
                    return [0.0; 3];
                }
                let rest = value * (1.0 - value);
                [second / x * rest, -second / first * rest, rest * (x / first).ln()]
            }
            Self::Linear => [1.0, 0.0, 0.0],
        }
    }

    /// The spend (in units of the highest) at which half of the greatest effect is reached; infinite without saturation.
    #[must_use]
    pub fn half(self, first: f64) -> f64 {
        match self {
            Self::Logistic => 3.0_f64.ln() / first,
            Self::Hill => first,
            Self::Linear => f64::INFINITY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_pymc_marketing() {
        // pymc_marketing.mmm.transformers.logistic_saturation(0.4, lam=3.0), hill_function(0.4, slope=2.0, kappa=0.5)
        assert!((Saturation::Logistic.at(0.4, 3.0, 0.0) - 0.537_049_566_998_035_3).abs() < 1e-12);
        assert!((Saturation::Hill.at(0.4, 0.5, 2.0) - 0.390_243_902_439_024_4).abs() < 1e-12);
        assert!((Saturation::Logistic.at(Saturation::Logistic.half(3.0), 3.0, 0.0) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn slopes_are_those_of_differences() {
        for (form, a, b) in [(Saturation::Logistic, 2.7, 0.0), (Saturation::Hill, 0.6, 1.8)] {
            for x in [0.05, 0.4, 0.9] {
                let (value, h) = (form.at(x, a, b), 1e-6);
                let own = form.slopes(x, value, a, b);
                let by_x = (form.at(x + h, a, b) - form.at(x - h, a, b)) / (2.0 * h);
                let by_a = (form.at(x, a + h, b) - form.at(x, a - h, b)) / (2.0 * h);
                let by_b = (form.at(x, a, b + h) - form.at(x, a, b - h)) / (2.0 * h);
                for (mine, theirs) in own.iter().zip([by_x, by_a, by_b]) {
                    assert!((mine - theirs).abs() < 1e-8, "{form:?} {x}");
                }
            }
        }
    }
}
