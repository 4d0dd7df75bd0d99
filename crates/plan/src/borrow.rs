//! What to believe about a channel without data: the beliefs about measured channels of its kind, pooled.

use thalweg_domain::{Belief, ChannelKind};

/// What is believed of a kind of channel before anything is known: wide, so that a pilot soon outweighs it.
///
/// Online 5 % ± 5, offline 8 % ± 8, partner 5 % ± 6 relative effect: our own guesses, no study's result.
#[must_use]
pub const fn kind_default(kind: ChannelKind) -> Belief {
    match kind {
        ChannelKind::Online => Belief { mean: 0.05, sd: 0.05 },
        ChannelKind::Offline => Belief { mean: 0.08, sd: 0.08 },
        ChannelKind::Partner => Belief { mean: 0.05, sd: 0.06 },
    }
}

/// The predictive belief about one more channel, from beliefs about others of its kind (empirical Bayes).
///
/// The others are taken as `m_j ~ N(mu, tau² + s_j²)`. `tau²` is the average of the default's variance, which counts
/// as one channel, and the moment estimate of DerSimonian and Laird (1986, doi:10.1016/0197-2456(86)90046-2), which
/// counts as `k - 1`; mu weighs every channel and the default by `1 / (tau² + s²)`. The belief's variance is
/// `tau²` plus that of mu. Without others it is the default.
///
/// Assumes that channels of a kind are exchangeable; what is new is often not.
#[must_use]
pub fn borrow(default: Belief, others: &[Belief]) -> Belief {
    if others.is_empty() {
        return default;
    }
    let k = others.len() as f64;
    let own = default.sd.powi(2);
    let between = (own + (k - 1.0) * between_variance(others)) / k;
    let (mut weight, mut weighted) = (0.0, 0.0);
    for belief in others.iter().chain(std::iter::once(&default)) {
        let w = 1.0 / (between + belief.sd.powi(2)).max(1e-12);
        weight += w;
        weighted += w * belief.mean;
    }
    Belief {
        mean: weighted / weight,
        sd: (between + 1.0 / weight).sqrt(),
    }
}

/// Variance between true effects, by the method of moments of DerSimonian and Laird: `max(0, (Q - (k - 1)) / C)` with
/// `w = 1 / s²`, `Q = sum w (m - mean)²`, `C = sum w - sum w² / sum w`; 0 with fewer than two.
fn between_variance(others: &[Belief]) -> f64 {
    let weights: Vec<f64> = others
        .iter()
        .map(|belief| 1.0 / belief.sd.powi(2).max(1e-12))
        .collect();
    let total: f64 = weights.iter().sum();
    let mean = others
        .iter()
        .zip(&weights)
        .map(|(belief, w)| w * belief.mean)
        .sum::<f64>()
        / total;
    let spread: f64 = others
        .iter()
        .zip(&weights)
        .map(|(belief, w)| w * (belief.mean - mean).powi(2))
        .sum();
    let scale = total - weights.iter().map(|w| w * w).sum::<f64>() / total;
    if scale <= 0.0 {
        return 0.0;
    }
    ((spread - (others.len() as f64 - 1.0)) / scale).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal::quantile;
    use crate::randomise::Generator;

    fn beliefs(pairs: &[(f64, f64)]) -> Vec<Belief> {
        pairs
            .iter()
            .map(|(mean, sd)| Belief { mean: *mean, sd: *sd })
            .collect()
    }

    #[test]
    fn the_between_variance_agrees_with_statsmodels() {
        // statsmodels 0.14.5: combine_effects([.1, .3, .35, .65, .45, .15], variance = [.03, .03, .05, .01, .05, .02],
        // method_re = "dl").tau2
        let six = beliefs(&[
            (0.10, 0.03_f64.sqrt()),
            (0.30, 0.03_f64.sqrt()),
            (0.35, 0.05_f64.sqrt()),
            (0.65, 0.01_f64.sqrt()),
            (0.45, 0.05_f64.sqrt()),
            (0.15, 0.02_f64.sqrt()),
        ]);
        assert!(
            (between_variance(&six) - 0.039_785_966_460_723_785).abs() < 1e-12,
            "{}",
            between_variance(&six)
        );
        assert!(between_variance(&beliefs(&[(0.1, 0.05), (0.1, 0.05)])).abs() < 1e-15);
    }

    #[test]
    fn without_others_the_default_stands_and_many_outweigh_it() {
        let default = kind_default(ChannelKind::Online);
        assert_eq!(borrow(default, &[]), default);
        let many = beliefs(&[(0.12, 0.005); 40]);
        let pooled = borrow(default, &many);
        assert!(
            (pooled.mean - 0.12).abs() < 0.01 && pooled.sd < 0.015,
            "{pooled:?}"
        );
        let one = borrow(default, &beliefs(&[(0.12, 0.01)]));
        assert!(
            one.mean > 0.05 && one.mean < 0.12 && one.sd > default.sd,
            "one channel moves the middle and says nothing about the spread: {one:?}"
        );
    }

    #[test]
    fn intervals_for_a_new_channel_cover_it() {
        let mut generator = Generator::new(thalweg_domain::Seed(11));
        let mut normal = || quantile(generator.uniform().clamp(1e-12, 1.0 - 1e-12));
        let rounds = 2000;
        let mut covered = 0.0_f64;
        for _ in 0..rounds {
            let centre = 0.05 + 0.05 * normal();
            let mut draw = |sd: f64| {
                let truth = centre + 0.03 * normal();
                (truth, truth + sd * normal())
            };
            let others: Vec<Belief> = [0.01, 0.02, 0.03, 0.02, 0.01]
                .iter()
                .map(|sd| Belief {
                    mean: draw(*sd).1,
                    sd: *sd,
                })
                .collect();
            let new = draw(0.0).0;
            let believed = borrow(kind_default(ChannelKind::Online), &others);
            covered += f64::from((new - believed.mean).abs() <= 1.645 * believed.sd) / f64::from(rounds);
        }
        // nominal 90 %; five channels say little about their spread, and the default's part makes it wide
        assert!((0.86..=0.97).contains(&covered), "{covered}");
    }
}
