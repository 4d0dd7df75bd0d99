//! The ridge penalty of text terms, chosen by an inner cross-validation from strong to weak with warm starts.

use rayon::prelude::*;
use thalweg_domain::{Error, Result, Seed};

use super::fit::not_converged;
use super::lbfgs::{Minimum, minimise};
use super::loss::Loss;
use super::problem::{Inputs, Problem};
use crate::task::Examples;

/// Penalties tried, strongest first, in the units of one row's loss. (scikit-learn's C is the inverse.)
const PENALTIES: [f64; 5] = [16.0, 4.0, 1.0, 0.25, 0.0625];
/// Folds of the cross-validation that judges them.
const FOLDS: usize = 3;
/// Rows that are enough to judge on: of large tables not every fold is left out.
const ENOUGH_ROWS: usize = 2000;
/// Expected decrease per row, in loss, at which a fit on a part of the rows ends.
const TOLERANCE: f64 = 1e-5;
const MAX_STEPS: usize = 100;

/// A penalty, and where a fit with it may start.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) l2: f64,
    /// Parameters of fits on parts of the rows, averaged; `None`: nothing has been fitted.
    pub(super) start: Option<Vec<f64>>,
}

/// The penalty with the lowest loss on left-out rows, in grouped, stratified folds. Stops at the first that does worse
/// than the one before.
///
/// # Errors
/// `TW0308` when a fit cannot be started (collinear beyond the penalty).
pub(super) fn choose_penalty(parts: &Parts<'_>, seed: Seed) -> Result<Chosen> {
    let fold = assign(parts.examples, FOLDS, seed);
    let judged = ENOUGH_ROWS.div_ceil((fold.len() / FOLDS).max(1)).clamp(1, FOLDS);
    let mut fits: Vec<Minimum> = Vec::new();
    let mut best: Option<(f64, Chosen)> = None;
    for l2 in PENALTIES {
        fits = parts.fit((&fold, judged), l2, &fits)?;
        let loss = parts.left_out_loss((&fold, judged), l2, &fits);
        if best.as_ref().is_some_and(|(lowest, _)| loss >= *lowest) {
            break;
        }
        let start = Some(mean_of(&fits));
        best = Some((loss, Chosen { l2, start }));
    }
    best.map(|(_, chosen)| chosen).ok_or_else(|| {
        Error::new("TW0308", "the linear model of the text did not converge")
            .hint("look for numbers on a huge scale")
    })
}

/// The scores of each row by the fit that left out its fold, row after row, one or one per class; and where a fit on all
/// rows may start.
///
/// # Errors
/// As [`choose_penalty`].
pub(super) fn out_of_fold(
    parts: &Parts<'_>,
    chosen: &Chosen,
    (folds, seed): (usize, Seed),
) -> Result<(Vec<f64>, Vec<f64>)> {
    let fold = assign(parts.examples, folds, seed);
    let fits = parts.fit((&fold, folds), chosen.l2, &[])?;
    Ok((
        gather(&fits, &fold, parts.examples.task.n_outputs()),
        mean_of(&fits),
    ))
}

/// Rows that are fitted on in parts.
pub(super) struct Parts<'a> {
    pub(super) inputs: &'a Inputs,
    pub(super) examples: &'a Examples,
    /// Mean 1.
    pub(super) weight: &'a [f64],
    /// The penalty of dense columns.
    pub(super) l2: f64,
}

impl Parts<'_> {
    /// Fits that leave out the first `left_out` folds, one after another.
    fn fit(
        &self,
        (fold, left_out): (&[usize], usize),
        text_l2: f64,
        starts: &[Minimum],
    ) -> Result<Vec<Minimum>> {
        (0..left_out)
            .into_par_iter()
            .map(|own| {
                let weight = self.only(fold, |fold| fold != own);
                let problem = problem(self.inputs, self.examples, &weight, (self.l2, text_l2));
                let start = starts.get(own).map(|start| start.parameters.clone());
                fit_part(&problem, start)
            })
            .collect()
    }

    /// The loss of the rows of the folds that were left out.
    fn left_out_loss(&self, (fold, left_out): (&[usize], usize), text_l2: f64, fits: &[Minimum]) -> f64 {
        let of_fold = |(own, fit): (usize, &Minimum)| {
            let weight = self.only(fold, |fold| fold == own);
            let problem = problem(self.inputs, self.examples, &weight, (self.l2, text_l2));
            problem.fit_loss(&fit.margins).0
        };
        fits.iter().take(left_out).enumerate().map(of_fold).sum()
    }

    /// Weights of the rows in some folds; 0 elsewhere.
    fn only(&self, fold: &[usize], keep: impl Fn(usize) -> bool) -> Vec<f64> {
        let weights = self.weight.iter().zip(fold);
        weights
            .map(|(weight, fold)| if keep(*fold) { *weight } else { 0.0 })
            .collect()
    }
}

pub(super) fn problem<'a>(
    inputs: &'a Inputs,
    examples: &'a Examples,
    weight: &'a [f64],
    (l2, text_l2): (f64, f64),
) -> Problem<'a> {
    Problem {
        inputs,
        loss: Loss::of(&examples.task),
        n_outputs: examples.task.n_outputs(),
        target: &examples.target,
        weight,
        l2,
        text_l2,
    }
}

/// Weights scaled to mean 1.
pub(super) fn mean_one(weight: &[f64]) -> Vec<f64> {
    let mean = weight.iter().sum::<f64>() / weight.len().max(1) as f64;
    weight.iter().map(|weight| weight / mean).collect()
}

fn fit_part(problem: &Problem<'_>, start: Option<Vec<f64>>) -> Result<Minimum> {
    let preconditioner = problem.preconditioner().ok_or_else(not_converged)?;
    let start = start.unwrap_or_else(|| vec![0.0; problem.size()]);
    let tolerance = TOLERANCE * problem.target.len() as f64;
    Ok(minimise(problem, &preconditioner, start, (tolerance, MAX_STEPS)))
}

fn mean_of(fits: &[Minimum]) -> Vec<f64> {
    let mut sums = vec![0.0; fits.first().map_or(0, |fit| fit.parameters.len())];
    for fit in fits {
        sums.iter_mut()
            .zip(&fit.parameters)
            .for_each(|(sum, cell)| *sum += cell / fits.len() as f64);
    }
    sums
}

/// Each row's scores from the fit of its own fold.
fn gather(fits: &[Minimum], fold: &[usize], n_outputs: usize) -> Vec<f64> {
    let rows = fold.iter().enumerate();
    rows.flat_map(|(row, fold)| {
        fits[*fold].margins[row * n_outputs..(row + 1) * n_outputs]
            .iter()
            .copied()
    })
    .collect()
}

/// A fold for each row: whole groups, dealt out in a random order within each class.
fn assign(examples: &Examples, folds: usize, seed: Seed) -> Vec<usize> {
    let strata = examples.strata();
    // by group: the class of its first row with the highest code, then a random number
    let mut lead = std::collections::BTreeMap::new();
    for (group, stratum) in examples.group.iter().zip(&strata) {
        let highest = lead.entry(*group).or_insert(*stratum);
        *highest = (*highest).max(*stratum);
    }
    let mut order: Vec<(usize, u64, u64)> = lead
        .into_iter()
        .map(|(group, stratum)| (stratum, seed.nth(group).0, group))
        .collect();
    order.sort_unstable();
    let dealt: std::collections::BTreeMap<u64, usize> = order
        .into_iter()
        .enumerate()
        .map(|(place, (_, _, group))| (group, place % folds))
        .collect();
    examples
        .group
        .iter()
        .map(|group| dealt.get(group).copied().unwrap_or_default())
        .collect()
}
