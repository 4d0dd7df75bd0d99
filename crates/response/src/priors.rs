//! Prior densities on natural parameters, with the change to the unconstrained scale that the sampler walks on.

use crate::carry::Adstock;
use crate::curve::Saturation;
use crate::normal::quantile;

/// A prior with the transform that belongs to its support.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Prior {
    /// On (0, 1), sampled as a logit.
    Beta(f64, f64),
    /// On the positive numbers with shape and rate, sampled as a logarithm.
    Gamma(f64, f64),
    /// |N(0, sd)|, sampled as a logarithm.
    HalfNormal(f64),
}

impl Prior {
    /// The natural value at an unconstrained one, and its derivative.
    pub(crate) fn natural(self, free: f64) -> (f64, f64) {
        match self {
            Self::Beta(..) => {
                let value = (1.0 / (1.0 + (-free).exp())).clamp(1e-12, 1.0 - 1e-12);
                (value, value * (1.0 - value))
            }
            Self::Gamma(..) | Self::HalfNormal(_) => {
                let value = free.clamp(-500.0, 500.0).exp();
                (value, value)
            }
        }
    }

    /// The unconstrained value of a natural one.
    pub(crate) fn free(self, value: f64) -> f64 {
        match self {
            Self::Beta(..) => (value / (1.0 - value)).ln(),
            Self::Gamma(..) | Self::HalfNormal(_) => value.ln(),
        }
    }

    /// Log density on the unconstrained scale (with the Jacobian, without constants), and its derivative there.
    pub(crate) fn log_density(self, free: f64) -> (f64, f64) {
        let (value, _) = self.natural(free);
        match self {
            Self::Beta(a, b) => {
                let below = -softplus(-free);
                (a * below + b * (below - free), a * (1.0 - value) - b * value)
            }
            Self::Gamma(shape, rate) => (shape * free - rate * value, shape - rate * value),
            Self::HalfNormal(sd) => {
                let ratio = (value / sd).powi(2);
                (free - 0.5 * ratio, 1.0 - ratio)
            }
        }
    }

    /// The natural value below which the prior has mass `p`, by bisection where there is no closed form.
    pub(crate) fn quantile(self, p: f64) -> f64 {
        match self {
            Self::HalfNormal(sd) => sd * quantile(0.5 + 0.5 * p),
            Self::Beta(..) | Self::Gamma(..) => self.by_integration(p),
        }
    }

    /// The density's mean.
    pub(crate) fn mean(self) -> f64 {
        match self {
            Self::Beta(a, b) => a / (a + b),
            Self::Gamma(shape, rate) => shape / rate,
            Self::HalfNormal(sd) => sd * (2.0 / std::f64::consts::PI).sqrt(),
        }
    }

    /// The unconstrained density is smooth and decays exponentially: a sum over a fine grid is exact to many digits.
    fn by_integration(self, p: f64) -> f64 {
        const STEPS: usize = 8000;
        let at = |step: usize| -40.0 + 80.0 * step as f64 / STEPS as f64;
        let most = (0..STEPS)
            .map(|step| self.log_density(at(step)).0)
            .fold(f64::NEG_INFINITY, f64::max);
        let mass: Vec<f64> = (0..STEPS)
            .map(|step| (self.log_density(at(step)).0 - most).exp())
            .collect();
        let total: f64 = mass.iter().sum();
        let mut below = 0.0;
        for (step, own) in mass.iter().enumerate() {
            if below + own >= p * total {
                let within = (p * total - below) / own - 0.5;
                return self.natural(at(step) + within * 80.0 / STEPS as f64).0;
            }
            below += own;
        }
        f64::NAN
    }
}

/// ln(1 + exp(x)) without overflow.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// Priors of the carry-over: those of PyMC-Marketing's `GeometricAdstock` and `WeibullPDFAdstock`.
pub(crate) const fn of_adstock(form: Adstock) -> [Prior; 2] {
    match form {
        Adstock::Geometric => [Prior::Beta(1.0, 3.0), Prior::Beta(1.0, 1.0)],
        // shape with mean 3 and sd 1, scale with mean 2 and sd 1
        Adstock::Weibull => [Prior::Gamma(9.0, 3.0), Prior::Gamma(4.0, 2.0)],
    }
}

/// Priors of the curve; the logistic one is that of PyMC-Marketing's `LogisticSaturation`.
pub(crate) const fn of_saturation(form: Saturation) -> [Prior; 2] {
    match form {
        Saturation::Logistic | Saturation::Linear => [Prior::Gamma(3.0, 1.0), Prior::Gamma(1.0, 1.0)],
        Saturation::Hill => [Prior::Gamma(3.0, 5.0), Prior::Gamma(4.0, 2.5)],
    }
}

/// Prior of a curve's height, in units of the highest outcome.
pub(crate) const HEIGHT: Prior = Prior::HalfNormal(0.5);
/// Prior of the noise, in the same unit.
pub(crate) const NOISE: Prior = Prior::HalfNormal(0.5);
/// Prior of the spread of a channel's height between geographies, on the logarithm.
pub(crate) const SPREAD: Prior = Prior::HalfNormal(0.5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_scipy() {
        // scipy.stats: beta(1, 3).ppf(0.95), gamma(3).ppf(0.05), halfnorm(scale=0.5).ppf(0.5)
        assert!((Prior::Beta(1.0, 3.0).quantile(0.95) - 0.631_596_850_201_374_5).abs() < 1e-4);
        assert!((Prior::Gamma(3.0, 1.0).quantile(0.05) - 0.817_691_447_292_339_8).abs() < 1e-4);
        assert!((HEIGHT.quantile(0.5) - 0.337_244_875_098_040_9).abs() < 1e-6);
    }

    #[test]
    fn slopes_are_those_of_differences() {
        for prior in [
            Prior::Beta(1.0, 3.0),
            Prior::Gamma(3.0, 0.7),
            Prior::HalfNormal(0.4),
        ] {
            for free in [-2.0, -0.3, 1.1] {
                let h = 1e-5;
                let slope = (prior.log_density(free + h).0 - prior.log_density(free - h).0) / (2.0 * h);
                assert!((slope - prior.log_density(free).1).abs() < 1e-6);
                let turn = (prior.natural(free + h).0 - prior.natural(free - h).0) / (2.0 * h);
                assert!((turn - prior.natural(free).1).abs() < 1e-8);
                assert!((prior.free(prior.natural(free).0) - free).abs() < 1e-9);
            }
        }
    }
}
