//! The accountant: what many noisy steps cost together, as epsilon at a delta, and the noise that a budget asks for.

use thalweg_domain::{Error, Result};

use super::rdp::sampled_gaussian;

/// Name of the method, for model cards.
pub const ACCOUNTANT: &str =
    "Renyi DP of the Poisson-sampled Gaussian mechanism (arXiv 1908.10530), converted by arXiv 2004.00010";

/// The orders at which divergences are kept: 1.1 to 10.9 by tenths, 11 to 63, 128, 256, 512 and 1024 (the same as the
/// PyPI package `dp-accounting` uses, so that results can be held against it).
fn orders() -> impl Iterator<Item = f64> {
    let fine = (1..100_u32).map(|tenth| 1.0 + f64::from(tenth) / 10.0);
    let whole = (11..64_u32).chain([128, 256, 512, 1024]).map(f64::from);
    fine.chain(whole)
}

/// Renyi divergences of everything released so far, by order.
///
/// ```
/// use thalweg_learn::privacy::Accountant;
///
/// let mut accountant = Accountant::new();
/// accountant.compose(1.1, 256.0 / 60_000.0, 14_062)?; // 60 epochs over 60,000 rows in batches of 256
/// assert!((accountant.spent(1e-5)?.epsilon - 2.596_556).abs() < 1e-6);
/// # Ok::<(), thalweg_domain::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Accountant {
    /// Order and divergence in nats.
    divergences: Vec<(f64, f64)>,
}

impl Default for Accountant {
    fn default() -> Self {
        Self::new()
    }
}

/// What has been spent at a delta.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spent {
    /// Upper bound of epsilon, in nats.
    pub epsilon: f64,
    /// The order at which the bound is smallest.
    pub order: f64,
}

impl Accountant {
    /// Nothing released yet, at the usual orders.
    #[must_use]
    pub fn new() -> Self {
        Self {
            divergences: orders().map(|order| (order, 0.0)).collect(),
        }
    }

    /// Nothing released yet, at orders of your own (above 1).
    ///
    /// # Errors
    /// `TW0330` for an order that is not a number above 1.
    pub fn with_orders(orders: &[f64]) -> Result<Self> {
        orders
            .iter()
            .try_for_each(|order| check("order", *order, *order > 1.0 && order.is_finite(), "above 1"))?;
        Ok(Self {
            divergences: orders.iter().map(|order| (*order, 0.0)).collect(),
        })
    }

    /// Adds `steps` releases of a sum over a batch that each unit joins with probability `sample_rate` (in (0, 1]),
    /// with noise of `noise_multiplier` (above 0) times the largest norm of a unit's share. Divergences of the same
    /// order add up (Mironov 2017, arXiv 1702.07476, proposition 1), also when later steps depend on earlier results.
    ///
    /// # Errors
    /// `TW0330` for an argument out of range.
    pub fn compose(&mut self, noise_multiplier: f64, sample_rate: f64, steps: usize) -> Result<()> {
        check_mechanism(noise_multiplier, sample_rate, steps)?;
        for (order, divergence) in &mut self.divergences {
            *divergence += steps as f64 * sampled_gaussian(noise_multiplier, sample_rate, *order);
        }
        Ok(())
    }

    /// Orders and the divergences released so far at them, in nats.
    #[must_use]
    pub fn divergences(&self) -> &[(f64, f64)] {
        &self.divergences
    }

    /// The smallest epsilon over the orders that holds with `delta` (in (0, 1)):
    /// `r + ln(1 - 1/a) - ln(delta a) / (a - 1)` for divergence `r` of order `a` (Canonne, Kamath and Steinke 2020, arXiv
    /// 2004.00010, proposition 12; the same bound follows from Balle et al. 2020, arXiv 1905.09982, theorem 21). It is 0 when
    /// `1 - exp(-r) <= delta^2`, for then the total variation distance alone is within delta (Bretagnolle and Huber).
    ///
    /// # Errors
    /// `TW0330` for a delta out of range.
    pub fn spent(&self, delta: f64) -> Result<Spent> {
        check_delta(delta)?;
        let bounds = self.divergences.iter().map(|(order, divergence)| Spent {
            epsilon: epsilon_at(*order, *divergence, delta),
            order: *order,
        });
        let nothing_known = Spent {
            epsilon: f64::INFINITY,
            order: 1.0,
        };
        Ok(bounds.fold(nothing_known, |best, next| {
            if next.epsilon < best.epsilon { next } else { best }
        }))
    }
}

fn epsilon_at(order: f64, divergence: f64, delta: f64) -> f64 {
    if delta * delta + (-divergence).exp_m1() > 0.0 {
        return 0.0;
    }
    let bound = divergence + (-1.0 / order).ln_1p() - (delta * order).ln() / (order - 1.0);
    if bound.is_nan() {
        f64::INFINITY
    } else {
        bound.max(0.0)
    }
}

/// The epsilon of `steps` steps of private training at `delta`: see [`Accountant::compose`] and [`Accountant::spent`].
///
/// ```
/// use thalweg_learn::privacy::{epsilon_of, noise_multiplier_for};
///
/// let noise = noise_multiplier_for(3.0, 0.05, 400, 1e-5)?;
/// assert!(epsilon_of(noise, 0.05, 400, 1e-5)? <= 3.0);
/// # Ok::<(), thalweg_domain::Error>(())
/// ```
///
/// # Errors
/// `TW0330` for an argument out of range.
pub fn epsilon_of(noise_multiplier: f64, sample_rate: f64, steps: usize, delta: f64) -> Result<f64> {
    let mut accountant = Accountant::new();
    accountant.compose(noise_multiplier, sample_rate, steps)?;
    Ok(accountant.spent(delta)?.epsilon)
}

/// Largest epsilon that can be asked for: a larger one protects nobody.
const LARGEST_EPSILON: f64 = 100.0;
/// Bounds of the search for a noise multiplier.
const NOISE_RANGE: (f64, f64) = (0.02, 1e6);

/// The least noise multiplier, within a millionth of itself, whose [`epsilon_of`] is at most `epsilon` (in (0, 100]): by
/// bisection, as epsilon falls with the noise. The one returned never overspends.
///
/// # Errors
/// `TW0330` for an argument out of range, `TW0331` when no noise multiplier up to a million is enough.
pub fn noise_multiplier_for(epsilon: f64, sample_rate: f64, steps: usize, delta: f64) -> Result<f64> {
    check(
        "epsilon",
        epsilon,
        epsilon > 0.0 && epsilon <= LARGEST_EPSILON,
        "above 0 and at most 100",
    )?;
    let fits = |noise: f64| Ok(epsilon_of(noise, sample_rate, steps, delta)? <= epsilon);
    let (mut low, mut high) = (NOISE_RANGE.0, 1.0);
    while !fits(high)? {
        low = high;
        high *= 2.0;
        if high > NOISE_RANGE.1 {
            return Err(unreachable(epsilon, steps, delta));
        }
    }
    while high > low * (1.0 + 1e-6) {
        let middle = (low * high).sqrt();
        if fits(middle)? {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(high)
}

fn unreachable(epsilon: f64, steps: usize, delta: f64) -> Error {
    let message = format!("no noise keeps {steps} steps within epsilon = {epsilon} at delta = {delta}");
    Error::new("TW0331", message).hint("allow a larger epsilon or delta, or train with fewer steps")
}

fn check_mechanism(noise_multiplier: f64, sample_rate: f64, steps: usize) -> Result<()> {
    check(
        "noise_multiplier",
        noise_multiplier,
        noise_multiplier >= NOISE_RANGE.0 && noise_multiplier.is_finite(),
        "a number of at least 0.02",
    )?;
    check(
        "sample_rate",
        sample_rate,
        sample_rate > 0.0 && sample_rate <= 1.0,
        "above 0 and at most 1",
    )?;
    check("steps", steps as f64, steps >= 1, "at least 1")
}

pub(super) fn check_delta(delta: f64) -> Result<()> {
    check(
        "delta",
        delta,
        delta > 0.0 && delta < 1.0,
        "above 0 and below 1; less than one over the number of customers is usual",
    )
}

pub(super) fn check(key: &str, value: f64, fits: bool, range: &str) -> Result<()> {
    if fits {
        return Ok(());
    }
    Err(
        Error::new("TW0330", format!("privacy: {key} = {value} cannot be used"))
            .hint(format!("give a value {range}")),
    )
}
