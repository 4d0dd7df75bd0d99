//! Limited-memory BFGS for the convex problems here (Nocedal 1980, doi 10.2307/2006193), started from the
//! preconditioner's curvature.

use std::collections::VecDeque;

use super::problem::{Preconditioner, Problem};

const MEMORY: usize = 6;
/// A step must lower the loss by this share of what its slope promises, and leave at most this share of the slope.
const SUFFICIENT: f64 = 1e-4;
const FLATTER: f64 = 0.5;
const MAX_TRIALS: usize = 25;

/// Where the minimisation ended.
pub(super) struct Minimum {
    pub(super) parameters: Vec<f64>,
    pub(super) margins: Vec<f64>,
    /// Whether the tolerance was met.
    pub(super) converged: bool,
}

/// A point of the search: scores are kept, so that a step along a line needs no pass over the data.
struct Point {
    parameters: Vec<f64>,
    margins: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

/// Minimises from `start` until the expected decrease `gᵀ H⁻¹ g / 2` is below `tolerance`, an amount of loss.
pub(super) fn minimise(
    problem: &Problem<'_>,
    preconditioner: &Preconditioner,
    start: Vec<f64>,
    (tolerance, max_steps): (f64, usize),
) -> Minimum {
    let mut point = Point::new(problem, start);
    let mut pairs = VecDeque::with_capacity(MEMORY);
    let mut converged = false;
    for _ in 0..max_steps {
        let scaled = preconditioner.apply(&point.gradient);
        if 0.5 * dot(&scaled, &point.gradient) <= tolerance {
            converged = true;
            break;
        }
        let step = direction(&pairs, preconditioner, &point.gradient);
        let Some(next) = point.along(problem, &step) else {
            if pairs.is_empty() {
                // nothing lower can be told from rounding
                converged = 0.5 * dot(&scaled, &point.gradient) <= 1e-9 * (1.0 + point.value.abs());
                break;
            }
            pairs.clear();
            continue;
        };
        let pair = Pair::new(&point, &next);
        if pair.curvature > 0.0 {
            if pairs.len() == MEMORY {
                pairs.pop_front();
            }
            pairs.push_back(pair);
        }
        point = next;
    }
    Minimum {
        parameters: point.parameters,
        margins: point.margins,
        converged,
    }
}

impl Point {
    fn new(problem: &Problem<'_>, parameters: Vec<f64>) -> Self {
        let margins = problem.margins(&parameters);
        let (loss, slopes) = problem.fit_loss(&margins);
        Self {
            value: loss + problem.penalty(&parameters),
            gradient: problem.gradient(&parameters, &slopes),
            parameters,
            margins,
        }
    }

    /// A lower point on the line along `step`; `None` when none was found.
    fn along(&self, problem: &Problem<'_>, step: &[f64]) -> Option<Self> {
        let slope = dot(step, &self.gradient);
        if slope >= 0.0 || !slope.is_finite() {
            return None;
        }
        let reach = problem.margins(step);
        let (mut low, mut high) = (0.0_f64, f64::INFINITY);
        let mut share = 1.0;
        let mut best: Option<(f64, f64, Vec<f64>)> = None;
        for _ in 0..MAX_TRIALS {
            let margins = moved(&self.margins, share, &reach);
            let parameters = moved(&self.parameters, share, step);
            let (loss, slopes) = problem.fit_loss(&margins);
            let value = loss + problem.penalty(&parameters);
            let here = self.slope_at(problem, (&parameters, step), (&slopes, &reach));
            let is_lower = value <= self.value + SUFFICIENT * share * slope && value < self.value;
            if is_lower && best.as_ref().is_none_or(|(_, lowest, _)| value < *lowest) {
                best = Some((share, value, slopes));
            }
            if is_lower && here.abs() <= FLATTER * slope.abs() {
                break;
            }
            if is_lower && here < 0.0 {
                low = share;
            } else {
                high = share;
            }
            share = if high.is_finite() {
                0.5 * (low + high)
            } else {
                2.0 * share
            };
        }
        let (share, value, slopes) = best?;
        let parameters = moved(&self.parameters, share, step);
        Some(Self {
            gradient: problem.gradient(&parameters, &slopes),
            margins: moved(&self.margins, share, &reach),
            parameters,
            value,
        })
    }

    fn slope_at(
        &self,
        problem: &Problem<'_>,
        (parameters, step): (&[f64], &[f64]),
        (slopes, reach): (&[f64], &[f64]),
    ) -> f64 {
        let n_dense = problem.n_dense();
        let per_output = problem.per_output();
        let of_slopes: f64 = parameters[..n_dense]
            .chunks_exact(per_output)
            .zip(step[..n_dense].chunks_exact(per_output))
            .map(|(own, step)| dot(&own[1..], &step[1..]))
            .sum();
        let of_terms = dot(&parameters[n_dense..], &step[n_dense..]);
        dot(slopes, reach) + problem.l2 * of_slopes + problem.text_l2 * of_terms
    }
}

/// A step and the change of the gradient over it.
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    curvature: f64,
}

impl Pair {
    fn new(from: &Point, to: &Point) -> Self {
        let minus = |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a - b).collect() };
        let step = minus(&to.parameters, &from.parameters);
        let change = minus(&to.gradient, &from.gradient);
        Self {
            curvature: dot(&step, &change),
            step,
            change,
        }
    }
}

/// The two-loop recursion: minus the inverse curvature times the gradient.
fn direction(pairs: &VecDeque<Pair>, preconditioner: &Preconditioner, gradient: &[f64]) -> Vec<f64> {
    let mut rest = gradient.to_vec();
    let mut shares = Vec::with_capacity(pairs.len());
    for pair in pairs.iter().rev() {
        let share = dot(&pair.step, &rest) / pair.curvature;
        add(&mut rest, -share, &pair.change);
        shares.push(share);
    }
    let mut step = preconditioner.apply(&rest);
    if let Some(last) = pairs.back() {
        let scale = last.curvature / dot(&last.change, &preconditioner.apply(&last.change));
        step.iter_mut().for_each(|cell| *cell *= scale);
    }
    for (pair, share) in pairs.iter().zip(shares.into_iter().rev()) {
        let correction = dot(&pair.change, &step) / pair.curvature;
        add(&mut step, share - correction, &pair.step);
    }
    step.iter_mut().for_each(|cell| *cell = -*cell);
    step
}

fn moved(from: &[f64], share: f64, step: &[f64]) -> Vec<f64> {
    from.iter()
        .zip(step)
        .map(|(from, step)| from + share * step)
        .collect()
}

fn add(sums: &mut [f64], share: f64, cells: &[f64]) {
    sums.iter_mut()
        .zip(cells)
        .for_each(|(sum, cell)| *sum += share * cell);
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    crate::linalg::dot(a, b)
}
