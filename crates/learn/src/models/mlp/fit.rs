//! The training loop: shuffled batches, early stopping on a stratified validation part, best weights kept.

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use thalweg_domain::{Error, Result, Seed};

use super::net::{Batch, Dropout, Passes, Shape, row_loss};
use super::params::{MlpParams, Optimizer};
use super::predict::Mlp;
use crate::models::Examples;
use crate::outcome::stratified_split;
use crate::prepare::DenseMatrix;

/// Losses after one pass over the training rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Counted from 1.
    pub epoch: usize,
    /// Mean training loss over the epoch's batches, with dropout on.
    pub train_loss: f64,
    /// Mean validation loss after the epoch, with dropout off; none without a validation part.
    pub validation_loss: Option<f64>,
}

/// Rows validated in one go.
const CHUNK: usize = 256;

/// Trains a net; the history has one entry per epoch run, the weights are those of the best of them.
///
/// # Errors
/// `TW0307` for a parameter out of range; `TW0308` when the loss stops being a number.
pub(crate) fn fit(
    x: &DenseMatrix,
    examples: &Examples,
    params: &MlpParams,
    seed: Seed,
) -> Result<(Mlp, Vec<Epoch>)> {
    params.check()?;
    let shape = Shape::new(x.n_columns, &params.hidden);
    let mut rng = ChaCha8Rng::seed_from_u64(seed.stream("mlp").0);
    let (fit_rows, validation_rows) =
        stratified_split(examples, params.validation, seed.stream("validation"));
    let part = Part::new(x, examples, &fit_rows);
    let validation = (!validation_rows.is_empty()).then(|| Part::new(x, examples, &validation_rows));
    let mut trainer = Trainer::new(&shape, params, &mut rng);
    let mut best = (f64::INFINITY, trainer.params.clone());
    let mut best_epoch = 0;
    let mut history = Vec::new();
    for epoch in 1..=params.epochs {
        let train_loss = trainer.epoch(&part, params, &mut rng);
        let validation_loss = validation.as_ref().map(|part| trainer.loss(part, params));
        let watched = validation_loss.unwrap_or(train_loss);
        if !watched.is_finite() || !train_loss.is_finite() {
            return Err(diverged(epoch, params));
        }
        history.push(Epoch {
            epoch,
            train_loss,
            validation_loss,
        });
        if watched < best.0 || validation_loss.is_none() {
            best = (watched, trainer.params.clone());
            best_epoch = epoch;
        } else if epoch - best_epoch >= params.patience {
            break;
        }
    }
    Ok((Mlp::new(shape, best.1), history))
}

fn diverged(epoch: usize, params: &MlpParams) -> Error {
    let message = format!("the net's loss stopped being a number in epoch {epoch}");
    Error::new("TW0308", message).hint(format!(
        "lower [model.mlp] learning_rate (it is {}) or use optimizer = \"adam\"",
        params.learning_rate
    ))
}

/// Some of the rows, laid out for the loop; weights are scaled to mean 1.
struct Part {
    x: DenseMatrix,
    y: Vec<f32>,
    weight: Vec<f32>,
}

impl Part {
    fn new(x: &DenseMatrix, examples: &Examples, rows: &[usize]) -> Self {
        let total: f64 = rows.iter().map(|row| examples.weight[*row]).sum();
        let scale = rows.len() as f64 / total;
        Self {
            x: x.take(rows),
            y: rows.iter().map(|row| examples.target[*row] as f32).collect(),
            weight: rows
                .iter()
                .map(|row| (examples.weight[*row] * scale) as f32)
                .collect(),
        }
    }
}

/// The weights on their way, and the buffers of the loop.
struct Trainer {
    params: Vec<f32>,
    gradient: Vec<f32>,
    first_moment: Vec<f32>,
    second_moment: Vec<f32>,
    steps: i32,
    dropout: Dropout,
    passes: Passes,
    validation_passes: Passes,
}

impl Trainer {
    fn new(shape: &Shape, params: &MlpParams, rng: &mut impl Rng) -> Self {
        let n = shape.n_params();
        Self {
            params: shape.initial(rng),
            gradient: vec![0.0; n],
            first_moment: vec![0.0; n],
            second_moment: vec![0.0; n],
            steps: 0,
            dropout: Dropout::new(params.dropout, rng),
            passes: Passes::new(shape, params.batch),
            validation_passes: Passes::new(shape, CHUNK),
        }
    }

    /// One pass over the part in a fresh random order; gives the mean loss.
    fn epoch(&mut self, part: &Part, params: &MlpParams, rng: &mut impl Rng) -> f64 {
        let mut order: Vec<usize> = (0..part.y.len()).collect();
        order.shuffle(rng);
        let (mut x, mut y, mut weight) = (Vec::new(), Vec::new(), Vec::new());
        let mut total = 0.0;
        for rows in order.chunks(params.batch) {
            x.clear();
            rows.iter().for_each(|row| x.extend_from_slice(part.x.row(*row)));
            y.clear();
            y.extend(rows.iter().map(|row| part.y[*row]));
            weight.clear();
            weight.extend(rows.iter().map(|row| part.weight[*row]));
            let batch = Batch {
                x: &x,
                y: &y,
                weight: &weight,
            };
            self.passes
                .forward(&self.params, batch.x, rows.len(), Some(&mut self.dropout));
            total += f64::from(
                self.passes
                    .backward(&self.params, &batch, params.loss, &mut self.gradient),
            );
            self.step(params);
        }
        total / part.y.len() as f64
    }

    fn step(&mut self, params: &MlpParams) {
        let rate = params.learning_rate as f32;
        let cells = self.params.iter_mut().zip(&self.gradient);
        match params.optimizer {
            Optimizer::Sgd => cells.for_each(|(param, gradient)| *param -= rate * gradient),
            Optimizer::Momentum => {
                for ((param, gradient), velocity) in cells.zip(&mut self.first_moment) {
                    *velocity = 0.9 * *velocity - rate * gradient;
                    *param += *velocity;
                }
            }
            Optimizer::Adam => {
                self.steps = self.steps.saturating_add(1);
                let rate =
                    rate * (1.0 - 0.999_f32.powi(self.steps)).sqrt() / (1.0 - 0.9_f32.powi(self.steps));
                let moments = self.first_moment.iter_mut().zip(&mut self.second_moment);
                for ((param, gradient), (first, second)) in cells.zip(moments) {
                    *first = 0.9 * *first + 0.1 * gradient;
                    *second = 0.999 * *second + 0.001 * gradient * gradient;
                    *param -= rate * *first / (second.sqrt() + 1e-7);
                }
            }
        }
    }

    /// The weighted mean loss of a part, without dropout.
    fn loss(&mut self, part: &Part, params: &MlpParams) -> f64 {
        let mut total = 0.0;
        for start in (0..part.y.len()).step_by(CHUNK) {
            let rows = CHUNK.min(part.y.len() - start);
            let x = &part.x.data[start * part.x.n_columns..(start + rows) * part.x.n_columns];
            let logits = self.validation_passes.forward(&self.params, x, rows, None);
            let examples = part.y[start..].iter().zip(&part.weight[start..]);
            for (logit, (y, weight)) in logits.iter().zip(examples) {
                total += f64::from(weight * row_loss(*logit, *y, params.loss));
            }
        }
        total / part.y.len() as f64
    }
}
