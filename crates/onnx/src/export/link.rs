//! From scores to predictions as a graph: calibration, softmax, or nothing.

use thalweg_learn::evaluate::Calibrator;
use thalweg_learn::outcome::Link;

use super::builder::{Builder, Value};
use crate::proto::Attribute;

/// The predictions for scores, in double precision: the probability of the outcome, one per class, or the value.
pub(super) fn predictions(builder: &mut Builder, scores: &Value, link: &Link) -> Value {
    match link {
        Link::Identity => scores.clone(),
        Link::Softmax(temperature) => {
            let temperature = builder.doubles(vec![temperature.temperature]);
            let cooled = builder.op("Div", &[scores, &temperature]);
            builder.op_with("Softmax", &[&cooled], &[("axis", Attribute::Int(1))])
        }
        Link::Calibrated(calibrator) => calibrated(builder, scores, calibrator),
    }
}

fn calibrated(builder: &mut Builder, scores: &Value, calibrator: &Calibrator) -> Value {
    match calibrator {
        Calibrator::Identity => builder.op("Sigmoid", &[scores]),
        Calibrator::Platt { slope, intercept } => {
            let logit = affine(builder, scores, *slope, *intercept);
            builder.op("Sigmoid", &[&logit])
        }
        Calibrator::Beta { a, b, c } => {
            // ln p = -softplus(-m) and -ln(1 - p) = softplus(m)
            let turned = builder.op("Neg", &[scores]);
            let (below, above) = (softplus(builder, &turned), softplus(builder, scores));
            let below = affine(builder, &below, -a, *c);
            let above = affine(builder, &above, *b, 0.0);
            let logit = builder.op("Add", &[&below, &above]);
            builder.op("Sigmoid", &[&logit])
        }
        Calibrator::Isotonic {
            margins,
            probabilities,
        } => piecewise(builder, scores, margins, probabilities),
    }
}

fn affine(builder: &mut Builder, x: &Value, slope: f64, intercept: f64) -> Value {
    let (slope, intercept) = (builder.doubles(vec![slope]), builder.doubles(vec![intercept]));
    let scaled = builder.op("Mul", &[x, &slope]);
    builder.op("Add", &[&scaled, &intercept])
}

/// `max(x, 0) + ln(1 + exp(-|x|))`, which does not overflow.
fn softplus(builder: &mut Builder, x: &Value) -> Value {
    let (zero, one) = (builder.doubles(vec![0.0]), builder.doubles(vec![1.0]));
    let size = builder.op("Abs", &[x]);
    let fall = builder.op("Neg", &[&size]);
    let share = builder.op("Exp", &[&fall]);
    let sum = builder.op("Add", &[&share, &one]);
    let rest = builder.op("Log", &[&sum]);
    let positive = builder.op("Max", &[x, &zero]);
    builder.op("Add", &[&positive, &rest])
}

/// The line through rising points, flat beyond them: the first height plus, for each rise, how much of it lies below.
fn piecewise(builder: &mut Builder, x: &Value, places: &[f64], heights: &[f64]) -> Value {
    let start = heights.first().copied().unwrap_or(0.5);
    let ends = places.windows(2).zip(heights.windows(2));
    let rises: Vec<(f64, f64, f64)> = ends
        .filter_map(|(places, heights)| match (places, heights) {
            ([from, to], [low, high]) if to > from && high > low => Some((*from, to - from, high - low)),
            _ => None,
        })
        .collect();
    let height = builder.doubles(vec![start]);
    if rises.is_empty() {
        let none = builder.doubles(vec![0.0]);
        let flat = builder.op("Mul", &[x, &none]);
        return builder.op("Add", &[&flat, &height]);
    }
    let from = builder.doubles(rises.iter().map(|(from, _, _)| *from).collect());
    let width = builder.doubles(rises.iter().map(|(_, width, _)| *width).collect());
    let rise = builder.doubles(rises.iter().map(|(_, _, rise)| *rise).collect());
    let (zero, one) = (builder.doubles(vec![0.0]), builder.doubles(vec![1.0]));
    let beyond = builder.op("Sub", &[x, &from]);
    let share = builder.op("Div", &[&beyond, &width]);
    let share = builder.op("Max", &[&share, &zero]);
    let share = builder.op("Min", &[&share, &one]);
    let parts = builder.op("Mul", &[&share, &rise]);
    let axis = builder.ints(vec![1]);
    let sum = builder.op("ReduceSum", &[&parts, &axis]);
    builder.op("Add", &[&sum, &height])
}
