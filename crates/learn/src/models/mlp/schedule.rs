//! The learning rate of each step.

use std::f64::consts::PI;

use super::params::Schedule;

/// The rate as a share of `learning_rate` in a step, counted from 0 over the whole training.
pub(super) fn share(schedule: Schedule, step: usize, steps_per_epoch: usize, epochs: usize) -> f64 {
    let epoch = step / steps_per_epoch.max(1);
    let total = (steps_per_epoch * epochs).max(1) as f64;
    match schedule {
        Schedule::Constant => 1.0,
        Schedule::Step { every, factor } => factor.powf((epoch / every.max(1)) as f64),
        Schedule::Exponential { factor } => factor.powf(epoch as f64),
        Schedule::Cosine { floor } => half_cosine(1.0, floor, step as f64 / total),
        Schedule::OneCycle { warm_up } => {
            let peak = warm_up * total - 1.0;
            let at = step as f64;
            if at < peak {
                half_cosine(0.04, 1.0, at / peak)
            } else {
                half_cosine(
                    1.0,
                    4e-6,
                    (at - peak.max(0.0)) / (total - 1.0 - peak.max(0.0)).max(1.0),
                )
            }
        }
    }
}

fn half_cosine(from: f64, to: f64, share: f64) -> f64 {
    to + (from - to) * 0.5 * (1.0 + (PI * share.clamp(0.0, 1.0)).cos())
}
