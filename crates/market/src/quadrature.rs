//! The mean of a logistic curve over a normal hidden trait.

/// Nodes of the 7-point Gauss-Hermite rule, zero and the positive ones (the rule is symmetric).
const NODES: [f64; 4] = [
    0.0,
    0.816_287_882_858_964_7,
    1.673_551_628_767_471,
    2.651_961_356_835_233,
];
/// Their weights, as in `Abramowitz & Stegun`, table 25.10.
const WEIGHTS: [f64; 4] = [
    0.810_264_617_556_807_3,
    0.425_607_252_610_127_8,
    0.054_515_582_819_127_03,
    0.000_971_781_245_099_519_2,
];

/// 1 / (1 + exp(-x)).
pub(crate) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// E[logistic(mean + sd z)] for standard normal z, by the 7-point Gauss-Hermite rule.
///
/// `sd` between 0 and 1.5; the error is below 1e-4 there (a test holds it against a fine grid).
pub(crate) fn logistic_normal_mean(mean: f64, sd: f64) -> f64 {
    let scale = sd * std::f64::consts::SQRT_2;
    let mut sum = WEIGHTS[0] * logistic(mean);
    for (node, weight) in NODES.iter().zip(WEIGHTS).skip(1) {
        let shift = scale * node;
        sum += weight * (logistic(mean + shift) + logistic(mean - shift));
    }
    sum / std::f64::consts::PI.sqrt()
}
