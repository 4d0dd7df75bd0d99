//! Small logistic fits: Platt's sigmoid and the beta map.

use super::Calibrator;
use crate::linalg::Cholesky;
use crate::models::sigmoid;

/// Pull towards the identity in Platt's fit, and in the beta map's, where it only keeps separated classes finite.
const PLATT_RIDGE: f64 = 1e-3;
const BETA_RIDGE: f64 = 1e-9;
const MAX_STEPS: usize = 100;
/// A step is cut to this length: log-odds fits far from their optimum overshoot.
const MAX_STEP: f64 = 2.0;
const TOLERANCE: f64 = 1e-12;
/// A step that ends where the loss rises by more than this part of how it fell at its start was too long.
const OVERSHOT: f64 = 0.5;

/// Coefficients that minimise `sum of weight * log loss + ridge / 2 * |beta - start|^2`, by damped Newton steps.
///
/// `features` holds `start.len()` numbers per row, row after row; `target` in [0, 1] and `weight` one. None when the
/// features are collinear.
pub(crate) fn fit_logistic(
    features: &[f64],
    target: &[f64],
    weight: &[f64],
    (ridge, start): (f64, &[f64]),
) -> Option<Vec<f64>> {
    let mut beta = start.to_vec();
    let mut last: Option<(Vec<f64>, f64)> = None;
    for _ in 0..MAX_STEPS {
        let (gradient, hessian) = derivatives(features, target, weight, (ridge, start, &beta));
        if let Some((step, descent)) = &mut last
            && -dot(step, &gradient) > OVERSHOT * *descent
        {
            // past the minimum along the step, where it rises nearly as steeply as it fell: go half-way back
            step.iter_mut().for_each(|step| *step *= 0.5);
            *descent *= 0.5;
            beta.iter_mut().zip(&*step).for_each(|(beta, step)| *beta += step);
            continue;
        }
        let Some(factor) = Cholesky::of_square(beta.len(), &hessian) else {
            // collinear from the start, or as good as separated by now
            return last.map(|_| beta);
        };
        let mut step = factor.solve(&gradient);
        let longest = largest(&step);
        let shrink = 1.0 / (longest / MAX_STEP).max(1.0);
        step.iter_mut().for_each(|step| *step *= shrink);
        beta.iter_mut().zip(&step).for_each(|(beta, step)| *beta -= step);
        if longest < TOLERANCE * (1.0 + largest(&beta)) {
            break;
        }
        let descent = dot(&step, &gradient);
        last = Some((step, descent));
    }
    beta.iter().all(|beta| beta.is_finite()).then_some(beta)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn largest(numbers: &[f64]) -> f64 {
    numbers.iter().fold(0.0, |most, number| most.max(number.abs()))
}

/// Gradient and lower triangle of the Hessian of the penalised loss at `beta`.
fn derivatives(
    features: &[f64],
    target: &[f64],
    weight: &[f64],
    (ridge, start, beta): (f64, &[f64], &[f64]),
) -> (Vec<f64>, Vec<f64>) {
    let k = beta.len();
    let mut gradient: Vec<f64> = beta
        .iter()
        .zip(start)
        .map(|(own, start)| ridge * (own - start))
        .collect();
    let mut hessian = vec![0.0; k * k];
    (0..k).for_each(|i| hessian[i * k + i] = ridge);
    for ((row, target), weight) in features.chunks_exact(k).zip(target).zip(weight) {
        let p = sigmoid(dot(row, beta));
        let (slope, curve) = (weight * (p - target), weight * p * (1.0 - p));
        for i in 0..k {
            gradient[i] += slope * row[i];
            (0..=i).for_each(|j| hessian[i * k + j] += curve * row[i] * row[j]);
        }
    }
    (gradient, hessian)
}

/// Platt's sigmoid on smoothed targets, with a weak ridge towards the identity.
pub(super) fn platt(margins: &[f64], target: &[bool], weight: &[f64]) -> Calibrator {
    let positives = target.iter().filter(|target| **target).count() as f64;
    let negatives = target.len() as f64 - positives;
    let (high, low) = ((positives + 1.0) / (positives + 2.0), 1.0 / (negatives + 2.0));
    let smoothed: Vec<f64> = target
        .iter()
        .map(|target| if *target { high } else { low })
        .collect();
    let features: Vec<f64> = margins.iter().flat_map(|margin| [*margin, 1.0]).collect();
    fit_logistic(&features, &smoothed, weight, (PLATT_RIDGE, &[1.0, 0.0])).map_or(
        Calibrator::Identity,
        |beta| Calibrator::Platt {
            slope: beta[0].max(1e-6),
            intercept: beta[1],
        },
    )
}

/// `ln p` and `-ln(1 - p)` of the probability that log-odds stand for.
pub(super) fn beta_features(margin: f64) -> [f64; 2] {
    let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
    [-softplus(-margin), softplus(margin)]
}

/// The beta map by maximum likelihood. A negative exponent is left out, as its authors do: the map stays monotone.
pub(super) fn beta(margins: &[f64], target: &[bool], weight: &[f64]) -> Calibrator {
    let target: Vec<f64> = target.iter().map(|target| f64::from(u8::from(*target))).collect();
    let both: Vec<[f64; 2]> = margins.iter().map(|margin| beta_features(*margin)).collect();
    let full: Vec<f64> = both.iter().flat_map(|[x, z]| [*x, *z, 1.0]).collect();
    let single = |which: usize| {
        let features: Vec<f64> = both.iter().flat_map(|pair| [pair[which], 1.0]).collect();
        let fitted = fit_logistic(&features, &target, weight, (BETA_RIDGE, &[1.0, 0.0]));
        fitted.map(|beta| (beta[0].max(0.0), beta[1]))
    };
    let fitted = fit_logistic(&full, &target, weight, (BETA_RIDGE, &[1.0, 1.0, 0.0]));
    let map = fitted.and_then(|beta| match (beta[0] < 0.0, beta[1] < 0.0) {
        (true, _) => single(1).map(|(b, c)| (0.0, b, c)),
        (false, true) => single(0).map(|(a, c)| (a, 0.0, c)),
        _ => Some((beta[0], beta[1], beta[2])),
    });
    map.map_or(Calibrator::Identity, |(a, b, c)| Calibrator::Beta { a, b, c })
}
