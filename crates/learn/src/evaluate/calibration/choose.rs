//! The choice of a calibrator by its log loss on rows that it was not fitted on.

use super::Calibrator;
use super::fit::{beta, platt};
use super::isotonic::isotonic;
use crate::evaluate::metrics::log_loss;

/// Isotonic must beat the others by this much log loss, since it has many more degrees of freedom.
const ISOTONIC_MARGIN: f64 = 0.0005;
/// Isotonic is considered from this many rows on.
const ISOTONIC_ROWS: usize = 1000;

/// Out-of-fold log-odds with their outcomes, weights and folds.
pub(crate) struct OutOfFold<'a> {
    pub(crate) margins: &'a [f64],
    pub(crate) target: &'a [bool],
    pub(crate) weight: &'a [f64],
    pub(crate) fold: &'a [u8],
}

type FitCalibrator = fn(&[f64], &[bool], &[f64]) -> Calibrator;

/// Fits each kind on all folds but one, scores that one, and keeps the kind with the lowest log loss, fitted on all
/// rows. Gives the cross-fitted log loss with it. On equal losses the simpler kind wins.
pub(crate) fn choose_calibrator(scores: &OutOfFold<'_>) -> (Calibrator, f64) {
    let mut kinds: Vec<(FitCalibrator, f64)> = vec![(identity, 0.0), (platt, 0.0), (beta, 0.0)];
    if scores.margins.len() >= ISOTONIC_ROWS {
        kinds.push((isotonic, ISOTONIC_MARGIN));
    }
    let first = (identity as FitCalibrator, f64::INFINITY);
    let (fit, loss) = kinds.into_iter().fold(first, |best, (fit, margin)| {
        let loss = cross_fitted_loss(scores, fit);
        if loss + margin < best.1 { (fit, loss) } else { best }
    });
    (fit(scores.margins, scores.target, scores.weight), loss)
}

const fn identity(_: &[f64], _: &[bool], _: &[f64]) -> Calibrator {
    Calibrator::Identity
}

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
