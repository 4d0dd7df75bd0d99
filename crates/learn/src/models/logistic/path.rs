//! The ridge penalty of text terms, chosen by an inner cross-validation from strong to weak with warm starts.

use rayon::prelude::*;
use thalweg_domain::{Error, Result, Seed};

use super::fit::not_converged;
use super::lbfgs::{Minimum, minimise};
use super::loss::Loss;
use super::problem::{Inputs, Problem};
use crate::task::Examples;

/// Penalties tried, strongest first, in the units of one row's loss. (scikit-learn's C is the inverse.)
const PENALTIES: [f64; 7] = [8.0, 4.0, 2.0, 1.0, 0.5, 0.25, 0.12];
/// Expected decrease per row, in loss, at which a fit inside the cross-validation ends.
const TOLERANCE: f64 = 1e-5;
const MAX_STEPS: usize = 100;

/// The penalty with the lowest loss on left-out rows.
#[derive(Debug)]
pub(crate) struct Path {
    pub(crate) l2: f64,
    /// Scores of each row by the fit that left out its fold: row after row, one or one per class.
    pub(crate) out_of_fold: Vec<f64>,
    /// The mean of the folds' parameters: where the fit on all rows starts.
    pub(crate) start: Vec<f64>,
}

/// Tries the penalties on grouped, stratified folds. Stops at the first that does worse than the one before.
///
/// # Errors
/// `TW0308` when a fit cannot be started (collinear beyond the penalty).
pub(crate) fn choose_penalty(
    inputs: &Inputs,
    examples: &Examples,
    (l2, folds): (f64, usize),
    seed: Seed,
) -> Result<Path> {
    let fold = assign(examples, folds, seed);
    let weight = mean_one(&examples.weight);
    let mut starts: Vec<Option<Vec<f64>>> = vec![None; folds];
    let mut best: Option<(f64, Path)> = None;
    for text_l2 in PENALTIES {
        let fits: Vec<Result<Minimum>> = (0..folds)
            .into_par_iter()
            .map(|own| {
                let weight: Vec<f64> = weight
                    .iter()
                    .zip(&fold)
                    .map(|(weight, fold)| if *fold == own { 0.0 } else { *weight })
                    .collect();
                let problem = problem(inputs, examples, &weight, (l2, text_l2));
                fit_part(&problem, starts[own].clone())
            })
            .collect();
        let fits = fits.into_iter().collect::<Result<Vec<_>>>()?;
        let out_of_fold = gather(&fits, &fold, examples.task.n_outputs());
        let loss = problem(inputs, examples, &weight, (l2, text_l2))
            .fit_loss(&out_of_fold)
            .0;
        if best.as_ref().is_some_and(|(lowest, _)| loss >= *lowest) {
            break;
        }
        let start = mean_of(&fits);
        let path = Path {
            l2: text_l2,
            out_of_fold,
            start,
        };
        best = Some((loss, path));
        starts = fits.into_iter().map(|fit| Some(fit.parameters)).collect();
    }
    best.map(|(_, path)| path).ok_or_else(|| {
        Error::new("TW0308", "the linear model of the text did not converge")
            .hint("look for numbers on a huge scale")
    })
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
