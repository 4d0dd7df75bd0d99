//! From examples to a fitted linear model: which solver, at which penalty, how exactly.

use thalweg_domain::{Error, Result, Seed};

use super::information;
use super::lbfgs::{Minimum, minimise};
use super::loss::Loss;
use super::params::LogisticParams;
use super::path::{choose_penalty, mean_one, problem};
use super::predict::{Logistic, TextWeights};
use super::problem::{Inputs, Problem, Terms};
use super::{newton, ridge};
use crate::task::Examples;

/// Folds of the inner cross-validation that chooses the penalty of text terms.
const TEXT_FOLDS: usize = 3;
/// Expected decrease per row, in loss, at which the last fit ends: without text as good as rounding allows.
const EXACT: f64 = 1e-23;
const TEXT_TOLERANCE: f64 = 1e-9;
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
    if inputs.terms.is_some() && params.text_l2.is_none() {
        return cross_fit(inputs, examples, params, (TEXT_FOLDS, seed)).map(|(model, _)| model);
    }
    let scaled = Scaled::new(examples);
    scaled.fit(inputs, params, params.text_l2.unwrap_or(params.l2), None)
}

/// The same with a penalty of the terms that an inner cross-validation of so many folds chooses; also gives the
/// out-of-fold scores at that penalty, row after row.
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
    let path = choose_penalty(
        inputs,
        &scaled.examples,
        (params.l2, folds),
        seed.stream("text penalty"),
    )?;
    let model = scaled.fit(inputs, params, path.l2, Some(path.start))?;
    let scores = path
        .out_of_fold
        .into_iter()
        .map(|score| scaled.mean + scaled.sd * score);
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
    let per_row = if problem.inputs.terms.is_some() {
        TEXT_TOLERANCE
    } else {
        EXACT
    };
    let tolerance = per_row * problem.target.len() as f64;
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
