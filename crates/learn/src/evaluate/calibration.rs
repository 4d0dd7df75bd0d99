//! From log-odds to probabilities that mean what they say: Platt's sigmoid or an isotonic curve, chosen out of fold.

use serde::{Deserialize, Serialize};

use super::metrics::log_loss;
use crate::models::logistic::{cholesky, solve};
use crate::models::sigmoid;

/// Isotonic must beat Platt by this much log loss, since it has many more degrees of freedom.
const ISOTONIC_MARGIN: f64 = 0.0005;

/// A monotone map from a model's log-odds to a probability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calibrator {
    /// `1 / (1 + exp(-(slope * margin + intercept)))` (Platt 1999).
    Platt {
        /// Factor of the log-odds, above 0.
        slope: f64,
        /// Added to them.
        intercept: f64,
    },
    /// The pool-adjacent-violators fit (Zadrozny and Elkan 2002), flat within its
    /// blocks and linear between them.
    Isotonic {
        /// Lowest and highest log-odds of each block, rising.
        margins: Vec<f64>,
        /// Probability at each of them, not falling.
        probabilities: Vec<f64>,
    },
}

impl Calibrator {
    /// The probability for log-odds.
    #[must_use]
    pub fn apply(&self, margin: f64) -> f64 {
        match self {
            Self::Platt { slope, intercept } => sigmoid(slope * margin + intercept),
            Self::Isotonic {
                margins,
                probabilities,
            } => interpolate(margins, probabilities, margin),
        }
    }

    /// `platt` or `isotonic`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Platt { .. } => "platt",
            Self::Isotonic { .. } => "isotonic",
        }
    }
}

/// Out-of-fold log-odds with their outcomes, weights and folds.
pub(crate) struct OutOfFold<'a> {
    pub(crate) margins: &'a [f64],
    pub(crate) target: &'a [bool],
    pub(crate) weight: &'a [f64],
    pub(crate) fold: &'a [u8],
}

/// Fits both kinds on all folds but one, scores that one, and keeps the kind with the lower log loss, fitted on all
/// rows. Gives the cross-fitted log loss with it. Isotonic is considered from 1,000 rows on.
pub(crate) fn choose_calibrator(scores: &OutOfFold<'_>) -> (Calibrator, f64) {
    let platt_loss = cross_fitted_loss(scores, platt);
    if scores.margins.len() >= 1000 {
        let isotonic_loss = cross_fitted_loss(scores, isotonic);
        if isotonic_loss + ISOTONIC_MARGIN < platt_loss {
            return (
                isotonic(scores.margins, scores.target, scores.weight),
                isotonic_loss,
            );
        }
    }
    (platt(scores.margins, scores.target, scores.weight), platt_loss)
}

type FitCalibrator = fn(&[f64], &[bool], &[f64]) -> Calibrator;

fn cross_fitted_loss(scores: &OutOfFold<'_>, fit: FitCalibrator) -> f64 {
    let folds = scores.fold.iter().max().map_or(0, |last| usize::from(*last) + 1);
    let mut p = vec![0.0; scores.margins.len()];
    for fold in 0..folds {
        let (inside, outside): (Vec<usize>, Vec<usize>) =
            (0..p.len()).partition(|row| usize::from(scores.fold[*row]) == fold);
        let margins: Vec<f64> = outside.iter().map(|row| scores.margins[*row]).collect();
        let target: Vec<bool> = outside.iter().map(|row| scores.target[*row]).collect();
        let weight: Vec<f64> = outside.iter().map(|row| scores.weight[*row]).collect();
        let calibrator = fit(&margins, &target, &weight);
        inside
            .into_iter()
            .for_each(|row| p[row] = calibrator.apply(scores.margins[row]));
    }
    log_loss(&p, scores.target, scores.weight)
}

/// Platt's sigmoid by Newton's method on smoothed targets, with a weak ridge towards the identity.
fn platt(margins: &[f64], target: &[bool], weight: &[f64]) -> Calibrator {
    const RIDGE: f64 = 1e-3;
    let positives = target.iter().filter(|target| **target).count() as f64;
    let negatives = target.len() as f64 - positives;
    let (high, low) = ((positives + 1.0) / (positives + 2.0), 1.0 / (negatives + 2.0));
    let mut beta = [1.0, 0.0];
    for _ in 0..50 {
        let mut gradient = [RIDGE * (beta[0] - 1.0), RIDGE * beta[1]];
        let mut hessian = [RIDGE, 0.0, 0.0, RIDGE];
        for ((margin, target), weight) in margins.iter().zip(target).zip(weight) {
            let p = sigmoid(beta[0] * margin + beta[1]);
            let slope = weight * (p - if *target { high } else { low });
            let curve = weight * p * (1.0 - p);
            gradient[0] += slope * margin;
            gradient[1] += slope;
            hessian[0] += curve * margin * margin;
            hessian[2] += curve * margin;
            hessian[3] += curve;
        }
        let Some(factor) = cholesky(hessian.to_vec(), 2) else {
            break;
        };
        let step = solve(&factor, &gradient);
        let shrink = 1.0 / (step[0].abs().max(step[1].abs()) / 2.0).max(1.0);
        beta = [beta[0] - shrink * step[0], beta[1] - shrink * step[1]];
        if step[0].abs().max(step[1].abs()) < 1e-10 {
            break;
        }
    }
    Calibrator::Platt {
        slope: beta[0].max(1e-6),
        intercept: beta[1],
    }
}

/// The isotonic map. A positive row below all others and a negative one above them keep it away from 0 and 1.
fn isotonic(margins: &[f64], target: &[bool], weight: &[f64]) -> Calibrator {
    let lowest = margins.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = margins.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let blocks = pool(
        &[margins, &[lowest, highest]].concat(),
        &[target, &[true, false]].concat(),
        &[weight, &[1.0, 1.0]].concat(),
    );
    let ends = blocks.iter().flat_map(|block| [block.low, block.high]).collect();
    let probabilities = blocks
        .iter()
        .flat_map(|block| [block.share(), block.share()])
        .collect();
    Calibrator::Isotonic {
        margins: ends,
        probabilities,
    }
}

/// Pool adjacent violators: blocks of rows by rising log-odds whose shares of positives rise strictly.
fn pool(margins: &[f64], target: &[bool], weight: &[f64]) -> Vec<Block> {
    let mut order: Vec<usize> = (0..margins.len()).collect();
    order.sort_by(|a, b| margins[*a].total_cmp(&margins[*b]));
    let mut blocks: Vec<Block> = Vec::new();
    for tie in order.chunk_by(|a, b| margins[*a] == margins[*b]) {
        let mut block = Block::at(tie.first().map_or(0.0, |row| margins[*row]));
        tie.iter().for_each(|row| block.add(target[*row], weight[*row]));
        while let Some(last) = blocks.last().filter(|last| last.share() >= block.share()) {
            block.merge(last);
            blocks.pop();
        }
        blocks.push(block);
    }
    blocks
}

/// The unsmoothed share of each row's block, for rows given by rising log-odds.
#[cfg(test)]
pub(super) fn isotonic_shares(margins: &[f64], target: &[bool], weight: &[f64]) -> Vec<f64> {
    let blocks = pool(margins, target, weight);
    let sizes = blocks.iter().map(|block| (block.share(), block.n_rows));
    sizes
        .flat_map(|(share, n_rows)| std::iter::repeat_n(share, n_rows))
        .collect()
}

/// Rows with log-odds from `low` to `high`.
struct Block {
    low: f64,
    high: f64,
    weight: f64,
    positives: f64,
    n_rows: usize,
}

impl Block {
    const fn at(margin: f64) -> Self {
        Self {
            low: margin,
            high: margin,
            weight: 0.0,
            positives: 0.0,
            n_rows: 0,
        }
    }

    fn add(&mut self, positive: bool, weight: f64) {
        self.weight += weight;
        self.positives += weight * f64::from(positive);
        self.n_rows += 1;
    }

    /// Takes in the block below.
    fn merge(&mut self, below: &Self) {
        self.low = below.low;
        self.weight += below.weight;
        self.positives += below.positives;
        self.n_rows += below.n_rows;
    }

    fn share(&self) -> f64 {
        self.positives / self.weight
    }
}

fn interpolate(xs: &[f64], ys: &[f64], x: f64) -> f64 {
    let above = xs.partition_point(|own| *own < x);
    match (above.checked_sub(1), xs.get(above)) {
        (None, _) => ys.first().copied().unwrap_or(0.5),
        (Some(below), None) => ys[below],
        (Some(below), Some(right)) => {
            let width = right - xs[below];
            let share = if width > 0.0 { (x - xs[below]) / width } else { 0.0 };
            ys[below] + share * (ys[above] - ys[below])
        }
    }
}
