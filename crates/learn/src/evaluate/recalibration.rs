//! Are probabilities too bold or too timid? Cox's recalibration line with robust errors, and the Brier score's parts.

use super::bootstrap::Clusters;
use super::calibration::{fit_logistic, isotonic_fit};
use super::metrics::{CALIBRATION_BINS, bin_of};
use crate::models::sigmoid;

/// The logistic regression of the outcome on the log-odds of the probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recalibration {
    /// 1 is perfect; below 1 the probabilities are too bold, above 1 too timid. 0 where it is undefined.
    pub slope: f64,
    /// The line's value at even odds; 0 is perfect.
    pub intercept: f64,
}

/// Probabilities are kept this far from 0 and 1.
const MARGIN: f64 = f64::EPSILON;

fn log_odds(p: f64) -> f64 {
    let p = p.clamp(MARGIN, 1.0 - MARGIN);
    (p / (1.0 - p)).ln()
}

/// Fits `logit P(y) = intercept + slope logit(p)` by maximum likelihood (Cox 1958, doi:10.1093/biomet/45.3-4.562).
///
/// `scores`: probability in [0, 1] and outcome of each row; `weight`: one per row, all 1 for none. Without both
/// classes, or when every probability is the same, the slope is 0 and the intercept the log-odds of the base rate
/// (0 without both classes). Scores that separate the classes have no finite slope: its growth is stopped after a hundred steps.
#[must_use]
pub fn recalibration(scores: &[(f64, bool)], weight: Option<&[f64]>) -> Recalibration {
    let weight = weight.map_or_else(|| vec![1.0; scores.len()], <[f64]>::to_vec);
    let total: f64 = weight.iter().sum();
    let target: Vec<f64> = scores.iter().map(|(_, y)| f64::from(u8::from(*y))).collect();
    let positives: f64 = target.iter().zip(&weight).map(|(y, weight)| y * weight).sum();
    if positives <= 0.0 || positives >= total {
        return Recalibration {
            slope: 0.0,
            intercept: 0.0,
        };
    }
    let flat = Recalibration {
        slope: 0.0,
        intercept: (positives / (total - positives)).ln(),
    };
    let first = scores.first().map_or(0.5, |(p, _)| *p);
    if scores.iter().all(|(p, _)| *p == first) {
        return flat;
    }
    let features: Vec<f64> = scores.iter().flat_map(|(p, _)| [log_odds(*p), 1.0]).collect();
    fit_logistic(&features, &target, &weight, (0.0, &[1.0, 0.0])).map_or(flat, |beta| Recalibration {
        slope: beta[0],
        intercept: beta[1],
    })
}

/// Standard errors of slope and intercept: the sandwich estimator, summed over customers (Liang and Zeger 1986,
/// doi:10.1093/biomet/73.1.13). 0 where the fit is undefined.
pub(super) fn recalibration_errors(scores: &[(f64, bool)], clusters: &Clusters) -> [f64; 2] {
    let fit = recalibration(scores, None);
    let mut bread = [0.0; 3];
    let mut meat = vec![[0.0; 2]; clusters.n];
    for ((p, y), cluster) in scores.iter().zip(&clusters.index) {
        let x = log_odds(*p);
        let fitted = sigmoid(fit.slope * x + fit.intercept);
        let (curve, slope) = (fitted * (1.0 - fitted), f64::from(u8::from(*y)) - fitted);
        bread = [bread[0] + curve * x * x, bread[1] + curve * x, bread[2] + curve];
        meat[*cluster] = [meat[*cluster][0] + slope * x, meat[*cluster][1] + slope];
    }
    let determinant = bread[0] * bread[2] - bread[1] * bread[1];
    if fit.slope == 0.0 || determinant <= 0.0 {
        return [0.0; 2];
    }
    let influence = |row: &[f64; 2]| {
        [
            (bread[2] * row[0] - bread[1] * row[1]) / determinant,
            (bread[0] * row[1] - bread[1] * row[0]) / determinant,
        ]
    };
    let sums = meat.iter().map(influence).fold([0.0; 2], |sums, row| {
        [sums[0] + row[0] * row[0], sums[1] + row[1] * row[1]]
    });
    sums.map(f64::sqrt)
}

/// The parts of a Brier score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BrierDecomposition {
    /// Mean squared distance of a bin's mean probability from its share of positives; 0 is perfect.
    pub reliability: f64,
    /// Mean squared distance of a bin's share from the base rate; more is better.
    pub resolution: f64,
    /// Variance of the outcome itself.
    pub uncertainty: f64,
    /// Mean variance of the probabilities inside a bin.
    pub within_bin_variance: f64,
    /// Twice the mean covariance of probability and outcome inside a bin.
    pub within_bin_covariance: f64,
    /// What the best monotone recalibration would take off the score (CORP).
    pub miscalibration: f64,
    /// What that recalibration is worth against always saying the base rate (CORP).
    pub discrimination: f64,
}

/// Splits the Brier score in two exact ways.
///
/// Over ten bins of equal width: `reliability - resolution + uncertainty + within_bin_variance -
/// within_bin_covariance` (Murphy 1973, doi:10.1175/1520-0450(1973)012<0595:ANVPOT>2.0.CO;2, with the two terms of
/// Stephenson et al. 2008, doi:10.1175/2007WAF2006116.1). Without bins: `miscalibration - discrimination +
/// uncertainty` by isotonic regression (Dimitriadis, Gneiting and Jordan 2021, doi:10.1073/pnas.2016191118).
///
/// `p` in [0, 1], `y` and `weight` (all 1 for none) have one entry per row. All parts are 0 without rows.
#[must_use]
pub fn brier_decomposition(p: &[f64], y: &[bool], weight: Option<&[f64]>) -> BrierDecomposition {
    let weight = weight.map_or_else(|| vec![1.0; p.len()], <[f64]>::to_vec);
    let total: f64 = weight.iter().sum();
    let scale = if total > 0.0 { 1.0 / total } else { 0.0 };
    let rows = || {
        p.iter()
            .zip(y)
            .zip(&weight)
            .map(|((p, y), weight)| (*p, f64::from(u8::from(*y)), *weight))
    };
    let mut bins = [[0.0; 3]; CALIBRATION_BINS];
    for (p, y, weight) in rows() {
        let bin = &mut bins[bin_of(p)];
        *bin = [bin[0] + weight, bin[1] + weight * p, bin[2] + weight * y];
    }
    let means = bins.map(|[weight, p, y]| {
        if weight > 0.0 {
            [p / weight, y / weight]
        } else {
            [0.0; 2]
        }
    });
    let base_rate = scale * bins.iter().map(|bin| bin[2]).sum::<f64>();
    let over_bins = |term: fn([f64; 2], f64) -> f64| {
        scale
            * bins
                .iter()
                .zip(means)
                .map(|(bin, mean)| bin[0] * term(mean, base_rate))
                .sum::<f64>()
    };
    let (mut variance, mut covariance, mut brier) = (0.0, 0.0, 0.0);
    for (p, y, weight) in rows() {
        let [mean_p, mean_y] = means[bin_of(p)];
        variance += weight * (p - mean_p) * (p - mean_p);
        covariance += 2.0 * weight * (p - mean_p) * (y - mean_y);
        brier += weight * (p - y) * (p - y);
    }
    let recalibrated = isotonic_fit(p, y, &weight);
    let best: f64 = rows()
        .zip(recalibrated)
        .map(|((_, y, weight), p)| weight * (p - y) * (p - y))
        .sum();
    let uncertainty = base_rate * (1.0 - base_rate);
    BrierDecomposition {
        reliability: over_bins(|[p, y], _| (p - y) * (p - y)),
        resolution: over_bins(|[_, y], base_rate| (y - base_rate) * (y - base_rate)),
        uncertainty,
        within_bin_variance: scale * variance,
        within_bin_covariance: scale * covariance,
        miscalibration: scale * (brier - best),
        discrimination: uncertainty - scale * best,
    }
}
