//! Shrinkage: measured relative effects, drawn towards what was assumed and towards each other.

use thalweg_domain::{Action, ActionId, Belief, Error, Estimate, Result};

use crate::linalg::{Cholesky, packed};

/// What was measured of one action, on the relative scale: effect and its standard error over the controls' mean risk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The action.
    pub action: ActionId,
    /// Relative effect, unshrunk.
    pub relative: f64,
    /// Its standard error, above 0.
    pub standard_error: f64,
}

/// Actions and what was assumed about their parts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShrinkPriors<'a> {
    /// All actions; [`ActionId`] is an index into this list.
    pub actions: &'a [Action],
    /// Per channel: relative effect believed before measuring.
    pub channels: &'a [Belief],
    /// Per offer: relative effect on top, believed before measuring.
    pub offers: &'a [Belief],
}

/// What is believed of one action after measuring.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shrunk {
    /// The action.
    pub action: ActionId,
    /// Relative effect with its 90 % interval; times the controls' mean risk it is on the scale of the unshrunk effect.
    pub relative: Estimate,
    /// Whether the action itself was measured; otherwise it follows from the prior and from its relatives.
    pub measured: bool,
}

/// Empirical Bayes: beliefs about every action's relative effect.
///
/// Effect of action (channel c, offer o) = `b_c + b_o - m_c m_o + u`, `b_c ~ N(m_c, s_c²)`, `b_o ~ N(m_o, s_o²)`,
/// `u ~ N(0, tau²)` for what a pair has of its own; measured value = effect + N(0, se²). So the prior covariance of two
/// actions is `s_c²` if they share the channel plus `s_o²` if they share the offer. `tau` maximises the marginal likelihood times
/// `tau exp(-tau² / 2 s²)`, `s` half the mean assumed sd, over a grid: that keeps it off 0 (Chung et al. 2013,
/// doi:10.1007/s11336-013-9328-2) and at `s` while there are no measurements. Then the exact Gaussian posterior.
/// Returns one entry per action, in order; 90 % normal intervals, which leave out the doubt about `tau` itself.
///
/// Assumptions that it cannot check: measurements of different actions are independent given the effects (they are, but for
/// shared controls); customers who got an action are like those it is for.
///
/// Source: Efron and Morris 1973, doi:10.1080/01621459.1973.10481350.
///
/// # Errors
/// `TW0720` when an action has no prior or a prior is not a number, `TW0721` when a measurement cannot be used or is given twice.
pub fn shrink(measured: &[Measured], priors: ShrinkPriors<'_>) -> Result<Vec<Shrunk>> {
    priors.check()?;
    check(measured, priors)?;
    let tau = fitted_tau(measured, priors);
    let factor = covariance(measured, priors, tau).ok_or_else(singular)?;
    let weights = factor.solve(&misses(measured, priors));
    Ok((0..priors.actions.len())
        .map(|index| belief(index, measured, priors, (tau, &factor, &weights)))
        .collect())
}

fn singular() -> Error {
    Error::new("TW0722", "the shrinkage equations have no solution")
}

impl ShrinkPriors<'_> {
    fn check(&self) -> Result<()> {
        let known = |action: &Action| {
            action.channel < self.channels.len() && action.offer.is_none_or(|offer| offer < self.offers.len())
        };
        if let Some(action) = self.actions.iter().find(|action| !known(action)) {
            return Err(Error::new(
                "TW0720",
                format!("no assumed effect for action {action:?}"),
            ));
        }
        let sound = |belief: &Belief| belief.mean.is_finite() && belief.sd.is_finite() && belief.sd >= 0.0;
        match self
            .channels
            .iter()
            .chain(self.offers)
            .find(|belief| !sound(belief))
        {
            Some(belief) => Err(Error::new(
                "TW0720",
                format!("an assumed effect of {belief:?} cannot be used"),
            )),
            None => Ok(()),
        }
    }

    /// What `tau` is believed to be about: half the mean assumed sd.
    pub(super) fn pair_scale(&self) -> f64 {
        let sds: Vec<f64> = self
            .channels
            .iter()
            .chain(self.offers)
            .map(|belief| belief.sd)
            .collect();
        (0.5 * sds.iter().sum::<f64>() / sds.len().max(1) as f64).max(1e-6)
    }

    fn mean(&self, index: usize) -> f64 {
        let action = self.actions[index];
        let channel = self.channels[action.channel].mean;
        action.offer.map_or(channel, |offer| {
            1.0 - (1.0 - channel) * (1.0 - self.offers[offer].mean)
        })
    }

    fn shared_variance(&self, a: usize, b: usize) -> f64 {
        let (a, b) = (self.actions[a], self.actions[b]);
        let channel = if a.channel == b.channel {
            self.channels[a.channel].sd.powi(2)
        } else {
            0.0
        };
        let offer = a
            .offer
            .filter(|_| a.offer == b.offer)
            .map_or(0.0, |offer| self.offers[offer].sd.powi(2));
        channel + offer
    }
}

fn check(measured: &[Measured], priors: ShrinkPriors<'_>) -> Result<()> {
    let mut seen: Vec<ActionId> = measured.iter().map(|one| one.action).collect();
    seen.sort_unstable();
    if seen.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Error::new("TW0721", "an action was measured twice"));
    }
    let sound = |one: &Measured| {
        usize::from(one.action.0) < priors.actions.len()
            && one.relative.is_finite()
            && one.standard_error.is_finite()
            && one.standard_error > 0.0
    };
    match measured.iter().find(|one| !sound(one)) {
        Some(one) => Err(Error::new(
            "TW0721",
            format!("a measured effect cannot be used: {one:?}"),
        )),
        None => Ok(()),
    }
}

fn misses(measured: &[Measured], priors: ShrinkPriors<'_>) -> Vec<f64> {
    measured
        .iter()
        .map(|one| one.relative - priors.mean(usize::from(one.action.0)))
        .collect()
}

fn covariance(measured: &[Measured], priors: ShrinkPriors<'_>, tau: f64) -> Option<Cholesky> {
    let mut cells = Vec::with_capacity(packed(measured.len(), 0));
    for (i, one) in measured.iter().enumerate() {
        for other in &measured[..i] {
            cells.push(priors.shared_variance(usize::from(one.action.0), usize::from(other.action.0)));
        }
        let own = usize::from(one.action.0);
        cells.push(priors.shared_variance(own, own) + tau * tau + one.standard_error.powi(2));
    }
    Cholesky::new(measured.len(), cells)
}

/// The grid point that maximises the marginal likelihood times `tau exp(-tau² / 2 s²)`.
pub(super) fn fitted_tau(measured: &[Measured], priors: ShrinkPriors<'_>) -> f64 {
    let scale = priors.pair_scale();
    let miss = misses(measured, priors);
    let score = |tau: f64| {
        covariance(measured, priors, tau).map_or(f64::NEG_INFINITY, |factor| {
            let fit = factor.log_determinant() + factor.inverse_quadratic(&miss);
            tau.ln() - 0.5 * ((tau / scale).powi(2) + fit)
        })
    };
    let grid = (-40..=40).map(|step| scale * 1.1_f64.powi(step));
    grid.map(|tau| (score(tau), tau))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map_or(scale, |best| best.1)
}

fn belief(
    index: usize,
    measured: &[Measured],
    priors: ShrinkPriors<'_>,
    fitted: (f64, &Cholesky, &[f64]),
) -> Shrunk {
    let (tau, factor, weights) = fitted;
    let own = |one: &Measured| usize::from(one.action.0) == index;
    let shared: Vec<f64> = measured
        .iter()
        .map(|one| {
            let pair = if own(one) { tau * tau } else { 0.0 };
            priors.shared_variance(index, usize::from(one.action.0)) + pair
        })
        .collect();
    let step: f64 = shared
        .iter()
        .zip(weights)
        .map(|(cell, weight)| cell * weight)
        .sum();
    let before = priors.shared_variance(index, index) + tau * tau;
    let variance = (before - factor.inverse_quadratic(&shared)).max(0.0);
    Shrunk {
        // an ActionId counts in u16, as does the list that it indexes
        action: ActionId(u16::try_from(index).unwrap_or(u16::MAX)),
        relative: Estimate::normal(priors.mean(index) + step, variance.sqrt(), Estimate::Z90),
        measured: measured.iter().any(own),
    }
}
