//! From examples to a fitted linear model: which solver, at which penalty, how exactly.

use thalweg_domain::{Error, Result, Seed};

use super::information;
use super::lbfgs::{Minimum, minimise};
use super::loss::Loss;
use super::params::LogisticParams;
use super::path::{Chosen, Parts, choose_penalty, mean_one, out_of_fold, problem};
use super::predict::{Logistic, TextWeights};
use super::problem::{Inputs, Problem, Terms};
use super::{newton, ridge};
use crate::task::Examples;

/// Expected decrease per row, in loss, at which the last fit ends: without text as good as rounding allows.
const EXACT: f64 = 1e-23;
/// With text, whose weights are many and weakly held, far below what sampling leaves open: a hundredth of a unit of
/// log-likelihood in all for 10,000 rows. Fewer rows cost little and are fitted more exactly.
const TEXT_TOLERANCE: f64 = 1e-6;
const MANY_ROWS: f64 = 10_000.0;
/// L-BFGS steps for each Newton step that the parameters allow.
const STEPS_PER_NEWTON_STEP: usize = 40;

/// Maximises the penalised likelihood; weights are scaled to mean 1.
///
/// # Errors
/// `TW0307` for a parameter out of range; `TW0308` when the solver does not converge.
pub(crate) fn fit(
    inputs: &Inputs,
    examples: &Examples,
    params: &LogisticParams,
    seed: Seed,
) -> Result<Logistic> {
    params.check()?;
    let scaled = Scaled::new(examples);
    if inputs.terms.is_none() {
        return scaled.fit(inputs, params, params.l2, None);
    }
    let chosen = scaled.chosen(inputs, params, seed)?;
    scaled.fit(inputs, params, chosen.l2, chosen.start)
}

/// The same, and scores out of so many folds, row after row: for text.
///
/// # Errors
/// As [`fit`].
pub(crate) fn cross_fit(
    inputs: &Inputs,
    examples: &Examples,
    params: &LogisticParams,
    (folds, seed): (usize, Seed),
) -> Result<(Logistic, Vec<f64>)> {
    params.check()?;
    let scaled = Scaled::new(examples);
    let chosen = scaled.chosen(inputs, params, seed)?;
    let folds = (folds, seed.stream("text scores"));
    let (scores, start) = out_of_fold(&scaled.parts(inputs, params), &chosen, folds)?;
    let model = scaled.fit(inputs, params, chosen.l2, Some(start))?;
    let scores = scores.into_iter().map(|score| scaled.mean + scaled.sd * score);
    Ok((model, scores.collect()))
}

/// Examples whose numbers have mean 0 and standard deviation 1, and what those were; classes stay as they are.
struct Scaled {
    examples: Examples,
    weight: Vec<f64>,
    mean: f64,
    sd: f64,
}

impl Scaled {
    fn new(examples: &Examples) -> Self {
        let weight = mean_one(&examples.weight);
        let mut scaled = Self {
            examples: examples.clone(),
            weight,
            mean: 0.0,
            sd: 1.0,
        };
        if examples.task.is_classification() {
            return scaled;
        }
        scaled.mean = scaled.average(|target| target);
        let mean = scaled.mean;
        let sd = scaled.average(|target| (target - mean) * (target - mean)).sqrt();
        scaled.sd = if sd > 0.0 { sd } else { 1.0 };
        let sd = scaled.sd;
        scaled
            .examples
            .target
            .iter_mut()
            .for_each(|target| *target = (*target - mean) / sd);
        scaled
    }

    fn parts<'a>(&'a self, inputs: &'a Inputs, params: &LogisticParams) -> Parts<'a> {
        Parts {
            inputs,
            examples: &self.examples,
            weight: &self.weight,
            l2: params.l2,
        }
    }

    /// The penalty of the terms: that of the parameters, or the one that cross-validation finds.
    fn chosen(&self, inputs: &Inputs, params: &LogisticParams, seed: Seed) -> Result<Chosen> {
        match params.text_l2 {
            Some(l2) => Ok(Chosen { l2, start: None }),
            None => choose_penalty(&self.parts(inputs, params), seed.stream("text penalty")),
        }
    }

    fn average(&self, value: impl Fn(f64) -> f64) -> f64 {
        let weighted = self.examples.target.iter().zip(&self.weight);
        weighted
            .map(|(target, weight)| weight * value(*target))
            .sum::<f64>()
            / self.weight.len().max(1) as f64
    }

    fn fit(
        &self,
        inputs: &Inputs,
        params: &LogisticParams,
        text_l2: f64,
        start: Option<Vec<f64>>,
    ) -> Result<Logistic> {
        params.check()?;
        let problem = problem(inputs, &self.examples, &self.weight, (params.l2, text_l2));
        let (parameters, standard_errors) = solve(&problem, params, start)?;
        let model = assemble(&problem, parameters, standard_errors);
        Ok(if self.examples.task.is_classification() {
            model
        } else {
            model.rescaled(self.mean, self.sd)
        })
    }
}

pub(super) fn not_converged() -> Error {
    Error::new("TW0308", "the linear model did not converge")
        .hint("raise its l2 penalty, or look for a column that repeats another one on a huge scale")
}

/// The parameters, and the standard errors of the dense ones.
fn solve(
    problem: &Problem<'_>,
    params: &LogisticParams,
    start: Option<Vec<f64>>,
) -> Result<(Vec<f64>, Vec<f64>)> {
    match (problem.loss, &problem.inputs.terms) {
        (Loss::Logistic, None) => {
            let newton = newton::solve(problem, params)?;
            let errors = information::roots(&newton.information);
            Ok((newton.beta, errors))
        }
        (Loss::Squares, None) => {
            let beta = ridge::solve(problem).ok_or_else(not_converged)?;
            let errors = information::standard_errors(problem, &problem.margins(&beta));
            Ok((beta, errors.ok_or_else(not_converged)?))
        }
        _ => {
            let minimum = search(problem, params, start)?;
            let errors = information::standard_errors(problem, &minimum.margins);
            Ok((minimum.parameters, errors.ok_or_else(not_converged)?))
        }
    }
}

fn search(problem: &Problem<'_>, params: &LogisticParams, start: Option<Vec<f64>>) -> Result<Minimum> {
    let preconditioner = problem.preconditioner().ok_or_else(not_converged)?;
    let n_rows = problem.target.len() as f64;
    let per_row = if problem.inputs.terms.is_some() {
        TEXT_TOLERANCE * (n_rows / MANY_ROWS).min(1.0)
    } else {
        EXACT
    };
    let tolerance = per_row * n_rows;
    let max_steps = params.max_steps.saturating_mul(STEPS_PER_NEWTON_STEP);
    let minimum = minimise(
        problem,
        &preconditioner,
        start.unwrap_or_else(|| vec![0.0; problem.size()]),
        (tolerance, max_steps),
    );
    if !minimum.converged {
        return Err(not_converged());
    }
    Ok(minimum)
}

fn assemble(problem: &Problem<'_>, mut parameters: Vec<f64>, standard_errors: Vec<f64>) -> Logistic {
    let of_terms = parameters.split_off(problem.n_dense());
    let text = problem
        .inputs
        .terms
        .as_ref()
        .map(|terms| text_weights(problem, terms, &of_terms));
    Logistic::new(problem.n_outputs, parameters, standard_errors, text)
}

fn text_weights(problem: &Problem<'_>, terms: &Terms, of_terms: &[f64]) -> TextWeights {
    let weights: Vec<f32> = of_terms.iter().map(|weight| *weight as f32).collect();
    TextWeights::new(weights, problem.n_outputs, &terms.by_row, problem.text_l2)
}
