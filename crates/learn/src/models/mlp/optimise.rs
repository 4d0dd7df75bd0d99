//! From a gradient to a step: L2, clipping, and the optimisers.

use super::layout::Layout;
use super::params::{MlpParams, Optimizer};
use super::simd;

/// An optimiser's settings and memory.
#[derive(Debug, Clone)]
pub(super) struct Stepper {
    optimizer: Optimizer,
    momentum: f32,
    l2: f32,
    clip_norm: Option<f64>,
    decayed: Vec<std::ops::Range<usize>>,
    first: Vec<f32>,
    second: Vec<f32>,
    steps: i32,
}

/// A step's factors.
#[derive(Debug, Clone, Copy)]
pub(super) struct AdamStep {
    /// The rate over the corrections of both moments.
    pub(super) rate: f32,
}

impl Stepper {
    pub(super) fn new(layout: &Layout, params: &MlpParams) -> Self {
        let moments = |used: bool| vec![0.0; if used { layout.n_params } else { 0 }];
        let adam = matches!(params.optimizer, Optimizer::Adam | Optimizer::Adamw);
        let plain = matches!(params.optimizer, Optimizer::Gd | Optimizer::Sgd);
        Self {
            optimizer: params.optimizer,
            momentum: params.momentum as f32,
            l2: params.l2 as f32,
            clip_norm: params.clip_norm,
            decayed: layout.decayed(),
            first: moments(!plain),
            second: moments(adam),
            steps: 0,
        }
    }

    /// Adds the gradient of the L2 term, except for decoupled decay.
    pub(super) fn penalise(&self, params: &[f32], gradient: &mut [f32]) {
        if self.l2 > 0.0 && self.optimizer != Optimizer::Adamw {
            for range in &self.decayed {
                let cells = gradient[range.clone()].iter_mut().zip(&params[range.clone()]);
                cells.for_each(|(gradient, param)| *gradient += self.l2 * param);
            }
        }
    }

    /// Moves the parameters one step along the penalised loss's gradient; `rate` is the schedule's.
    pub(super) fn step(&mut self, params: &mut [f32], gradient: &mut [f32], rate: f64) {
        if let Some(longest) = self.clip_norm {
            clip(gradient, longest);
        }
        let (rate, momentum) = (rate as f32, self.momentum);
        match self.optimizer {
            Optimizer::Gd | Optimizer::Sgd => simd::sgd(params, gradient, rate),
            Optimizer::Momentum => simd::heavy_ball(params, gradient, &mut self.first, rate, momentum),
            Optimizer::Nesterov => simd::nesterov(params, gradient, &mut self.first, rate, momentum),
            Optimizer::Adam | Optimizer::Adamw => {
                self.steps = self.steps.saturating_add(1);
                if self.optimizer == Optimizer::Adamw {
                    let kept = 1.0 - rate * self.l2;
                    for range in &self.decayed {
                        params[range.clone()].iter_mut().for_each(|param| *param *= kept);
                    }
                }
                let step = AdamStep::new(f64::from(rate), self.steps);
                simd::adam(params, gradient, &mut self.first, &mut self.second, step);
            }
        }
    }
}

/// Scales a gradient down to a length, if it is longer.
fn clip(gradient: &mut [f32], longest: f64) {
    let square: f64 = gradient
        .iter()
        .map(|cell| f64::from(*cell) * f64::from(*cell))
        .sum();
    let length = square.sqrt();
    if length > longest {
        let factor = (longest / length) as f32;
        gradient.iter_mut().for_each(|cell| *cell *= factor);
    }
}

#[inline(always)]
pub(super) fn sgd(params: &mut [f32], gradient: &[f32], rate: f32) {
    for (param, gradient) in params.iter_mut().zip(gradient) {
        *param -= rate * gradient;
    }
}

#[inline(always)]
pub(super) fn heavy_ball(
    params: &mut [f32],
    gradient: &[f32],
    velocity: &mut [f32],
    rate: f32,
    momentum: f32,
) {
    for ((param, gradient), velocity) in params.iter_mut().zip(gradient).zip(velocity) {
        *velocity = momentum * *velocity - rate * gradient;
        *param += *velocity;
    }
}

#[inline(always)]
pub(super) fn nesterov(params: &mut [f32], gradient: &[f32], velocity: &mut [f32], rate: f32, momentum: f32) {
    for ((param, gradient), velocity) in params.iter_mut().zip(gradient).zip(velocity) {
        *velocity = momentum * *velocity - rate * gradient;
        *param += momentum * *velocity - rate * gradient;
    }
}

impl AdamStep {
    fn new(rate: f64, step: i32) -> Self {
        Self {
            rate: (rate * (1.0 - 0.999_f64.powi(step)).sqrt() / (1.0 - 0.9_f64.powi(step))) as f32,
        }
    }
}

#[inline(always)]
pub(super) fn adam(
    params: &mut [f32],
    gradient: &[f32],
    first: &mut [f32],
    second: &mut [f32],
    step: AdamStep,
) {
    let moments = first.iter_mut().zip(second);
    for ((param, gradient), (first, second)) in params.iter_mut().zip(gradient).zip(moments) {
        *first += 0.1 * (gradient - *first);
        *second += 0.001 * (gradient * gradient - *second);
        *param -= step.rate * *first / (second.sqrt() + 1e-7);
    }
}
