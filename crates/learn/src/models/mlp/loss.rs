//! The losses, and their slopes with respect to the last layer's sums.

use super::layout::Output;
use super::params::{Loss, MlpParams};

/// A loss on a kind of output.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Objective {
    pub(super) output: Output,
    pub(super) loss: Loss,
    pub(super) huber_delta: f32,
}

impl Objective {
    pub(super) const fn new(output: Output, params: &MlpParams) -> Self {
        Self {
            output,
            loss: params.loss,
            huber_delta: params.huber_delta as f32,
        }
    }

    /// The loss of one row with the given sums (without padding), and its slope with respect to each into `slopes`.
    /// `y` is 0 or 1, the class's code, or the standardised value.
    #[inline]
    pub(super) fn row(&self, sums: &[f32], y: f32, slopes: &mut [f32]) -> f32 {
        match self.output {
            Output::Sigmoid => {
                let p = sigmoid(sums[0]);
                slopes[0] = match self.loss {
                    Loss::CrossEntropy => p - y,
                    Loss::Mse => (p - y) * p * (1.0 - p),
                    Loss::Huber => self.bounded(p - y) * p * (1.0 - p),
                };
                match self.loss {
                    Loss::CrossEntropy => sums[0].max(0.0) - sums[0] * y + (-sums[0].abs()).exp().ln_1p(),
                    _ => self.of_error(p - y),
                }
            }
            Output::Linear => {
                let error = sums[0] - y;
                slopes[0] = self.bounded(error);
                self.of_error(error)
            }
            Output::Softmax => self.softmax_row(sums, y as usize, slopes),
        }
    }

    fn softmax_row(&self, sums: &[f32], class: usize, slopes: &mut [f32]) -> f32 {
        let highest = sums.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut total = 0.0;
        for (p, sum) in slopes.iter_mut().zip(sums) {
            *p = (sum - highest).exp();
            total += *p;
        }
        slopes.iter_mut().for_each(|p| *p /= total);
        if self.loss == Loss::CrossEntropy {
            slopes[class] -= 1.0;
            return total.ln() + highest - sums[class];
        }
        let error = |k: usize, p: f32| p - f32::from(u8::from(k == class));
        let (mut loss, mut mean) = (0.0, 0.0);
        for (k, p) in slopes.iter().enumerate() {
            loss += self.of_error(error(k, *p));
            mean += p * self.bounded(error(k, *p));
        }
        for (k, p) in slopes.iter_mut().enumerate() {
            *p *= self.bounded(error(k, *p)) - mean;
        }
        loss
    }

    /// Half the squared error, or Huber's loss of it.
    fn of_error(&self, error: f32) -> f32 {
        let bounded = self.bounded(error);
        bounded * (error - 0.5 * bounded)
    }

    /// The slope of [`Self::of_error`].
    fn bounded(&self, error: f32) -> f32 {
        if self.loss == Loss::Huber {
            error.clamp(-self.huber_delta, self.huber_delta)
        } else {
            error
        }
    }
}

pub(super) fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}
