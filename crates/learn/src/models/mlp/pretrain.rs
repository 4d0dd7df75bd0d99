//! Greedy layer-wise pre-training: each hidden layer starts as the encoder of a denoising autoencoder of the layer below.
//!
//! Vincent et al. 2010 (JMLR 11, 3371-3408): some cells of the input are put to 0 (the mean of a standardised column), and
//! the layer with a linear decoder of its own weights learns to give the undamaged cells back, by squared error. The
//! decoder is thrown away; what the layer makes of undamaged rows is the next one's input.

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use thalweg_domain::{Error, Result, Seed};

use super::check::within;
use super::inputs::Part;
use super::layout::{Layout, Output, Place, Shape};
use super::optimise::Stepper;
use super::params::{Activation, MlpParams, Norm, Optimizer};
use super::pass::{CHUNK_ROWS, Net, Packed, Pass};
use super::trainer::{Trainer, follow_statistics};
use crate::prepare::DenseMatrix;

/// How the hidden layers are pre-trained, each with Adam in steps of 64 rows and without dropout or L2.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pretrain {
    /// Passes over the training rows for each layer, at least 1.
    pub epochs: usize,
    /// Share of a row's cells that are put to 0, in [0, 0.9].
    pub noise: f64,
}

/// Adam's usual step size; inputs and activations are of the order of 1.
const LEARNING_RATE: f64 = 0.001;

impl Default for Pretrain {
    fn default() -> Self {
        Self {
            epochs: 10,
            noise: 0.2,
        }
    }
}

impl MlpParams {
    /// Checks the pre-training and what cannot go with it.
    ///
    /// # Errors
    /// `TW0307` for a key out of range, without hidden layers or with embeddings, `TW0332` with privacy.
    pub(super) fn check_pretrain(&self) -> Result<()> {
        let Some(pretrain) = &self.pretrain else {
            return Ok(());
        };
        let Pretrain { epochs, noise } = *pretrain;
        within("pretrain epochs", epochs as f64, epochs >= 1, "at least 1")?;
        let share = (0.0..=0.9).contains(&noise);
        within("pretrain noise", noise, share, "a share between 0 and 0.9")?;
        let refuse = |code: &'static str, why: &str, hint: &str| {
            Err(Error::new(code, format!("[model.mlp] pretrain cannot be used {why}")).hint(hint))
        };
        if self.privacy.is_some() {
            let why = "with privacy: it reads the rows without noise";
            return refuse("TW0332", why, "leave pretrain away, or train without privacy");
        }
        if self.hidden.is_empty() {
            let why = "without hidden layers: there is nothing to pre-train";
            return refuse(
                "TW0307",
                why,
                "give hidden at least one layer, or leave pretrain away",
            );
        }
        if self.embedding.is_some() {
            let why = "with embedding: a layer would learn to give back vectors that are still random";
            return refuse("TW0307", why, "leave one of the two away");
        }
        Ok(())
    }
}

/// Gives the hidden layers of a trainer pre-trained weights, biases and normalisations; the output layer stays as it is.
///
/// # Errors
/// `TW0308` when an autoencoder's loss stops being a number.
pub(super) fn pretrain(
    trainer: &mut Trainer,
    shape: &Shape,
    part: &Part<'_>,
    how: Pretrain,
    seed: Seed,
) -> Result<()> {
    let mut below: Option<DenseMatrix> = None;
    for layer in 0..shape.hidden.len() {
        let x = below.as_ref().unwrap_or_else(|| part.dense());
        let mut rng = ChaCha8Rng::seed_from_u64(seed.nth(layer as u64).0);
        let mut coder = Autoencoder::new(x.n_columns, shape, layer, &mut rng);
        coder.train(x, part.weight(), how, &mut rng)?;
        coder.give(trainer, layer);
        below = (layer + 1 < shape.hidden.len()).then(|| coder.encode(x));
    }
    Ok(())
}

/// A hidden layer with a decoder, as a net of its own.
pub(super) struct Autoencoder {
    /// Counted from 0.
    layer: usize,
    activation: Activation,
    pub(super) layout: Layout,
    pub(super) params: Vec<f32>,
    moving: Vec<f32>,
    pub(super) gradient: Vec<f32>,
    packed: Packed,
    pass: Pass,
    stepper: Stepper,
}

impl Autoencoder {
    pub(super) fn new(inputs: usize, shape: &Shape, layer: usize, rng: &mut ChaCha8Rng) -> Self {
        let own = Shape {
            inputs,
            hidden: shape.hidden.get(layer).copied().into_iter().collect(),
            activation: shape.activation,
            norms: shape.norms.get(layer).copied().into_iter().collect(),
            output: Output::Linear,
            outputs: inputs,
            tables: Vec::new(),
        };
        let adam = MlpParams {
            optimizer: Optimizer::Adam,
            ..MlpParams::default()
        };
        let layout = Layout::new(&own);
        Self {
            layer,
            activation: shape.activation,
            params: layout.initial(rng),
            moving: layout.initial_moving(),
            gradient: vec![0.0; layout.n_params],
            packed: Packed::default(),
            pass: Pass::new(&layout, CHUNK_ROWS),
            stepper: Stepper::new(&layout, &adam),
            layout,
        }
    }

    /// Epoch after epoch in fresh random order and with fresh damage.
    pub(super) fn train(
        &mut self,
        x: &DenseMatrix,
        weight: &[f32],
        how: Pretrain,
        rng: &mut ChaCha8Rng,
    ) -> Result<()> {
        let mut order: Vec<usize> = (0..x.n_rows).collect();
        for epoch in 1..=how.epochs {
            order.shuffle(rng);
            let mut total = 0.0;
            for rows in order.chunks(CHUNK_ROWS) {
                total += self.gradient_of(x, weight, rows, |row| damage(row, how.noise, rng));
                self.stepper
                    .step(&mut self.params, &mut self.gradient, LEARNING_RATE);
                follow_statistics(&self.layout, &self.pass, rows.len(), &mut self.moving);
            }
            if !total.is_finite() {
                let message = format!(
                    "pre-training of hidden layer {} stopped giving numbers in epoch {epoch}",
                    self.layer + 1
                );
                return Err(Error::new("TW0308", message)
                    .hint("look for huge numbers among the features, or leave [model.mlp] pretrain away"));
            }
        }
        Ok(())
    }

    /// The gradient of half the squared error, averaged over rows (at most a chunk) whose inputs `damage` may change, into
    /// `gradient`; gives the summed loss.
    pub(super) fn gradient_of(
        &mut self,
        x: &DenseMatrix,
        weight: &[f32],
        rows: &[usize],
        mut damage: impl FnMut(&mut [f32]),
    ) -> f64 {
        let width = self.layout.width;
        self.pass.rows = rows.len();
        for (cells, row) in self.pass.x.chunks_exact_mut(width).zip(rows) {
            cells.copy_from_slice(x.row(*row));
            damage(cells);
        }
        self.packed.refresh(&self.layout, &self.params);
        let weights = (self.params.as_slice(), self.moving.as_slice());
        let net = net(&self.layout, self.activation, weights, &self.packed);
        let pass = &mut self.pass;
        pass.forward(&net, None, true);
        let n = net.layout.output.n;
        let sums = pass.sums.chunks_exact(n).zip(pass.delta.chunks_exact_mut(n));
        let mut total = 0.0;
        for ((sums, delta), row) in sums.zip(rows) {
            let mut loss = 0.0;
            for ((slope, sum), cell) in delta.iter_mut().zip(sums).zip(x.row(*row)) {
                let error = sum - cell;
                loss += 0.5 * error * error;
                *slope = error * weight[*row] / rows.len() as f32;
            }
            total += f64::from(weight[*row] * loss);
        }
        pass.chain(&net, true);
        pass.fill_panels(&net);
        self.gradient.fill(0.0);
        pass.add_narrow(&net, &mut self.gradient);
        let wide = net.layout.places().enumerate();
        for (layer, place) in wide.filter(|(_, place)| place.is_wide()) {
            pass.add_weights(layer, place, 0, &mut self.gradient[place.weights..place.bias]);
        }
        total
    }

    /// What the layer makes of undamaged rows, as in use: rows x its units.
    pub(super) fn encode(&mut self, x: &DenseMatrix) -> DenseMatrix {
        self.packed.refresh(&self.layout, &self.params);
        let weights = (self.params.as_slice(), self.moving.as_slice());
        let net = net(&self.layout, self.activation, weights, &self.packed);
        let place = net.place(0);
        let mut data = Vec::with_capacity(x.n_rows * place.units);
        for rows in x.data.chunks(CHUNK_ROWS * x.n_columns) {
            self.pass.x[..rows.len()].copy_from_slice(rows);
            self.pass.rows = rows.len() / x.n_columns;
            self.pass.forward(&net, None, false);
            for units in self.pass.input_of(1, place.n).chunks_exact(place.n) {
                data.extend_from_slice(&units[..place.units]);
            }
        }
        DenseMatrix {
            data,
            n_rows: x.n_rows,
            n_columns: place.units,
        }
    }

    /// Puts the encoder in the place of a trainer's hidden layer.
    pub(super) fn give(&self, trainer: &mut Trainer, layer: usize) {
        let (Some(from), Some(to)) = (self.layout.hidden.first(), trainer.layout.hidden.get(layer)) else {
            return;
        };
        let Place { n, units, .. } = *from;
        let mut copy = |from: usize, to: usize| {
            trainer.params[to..to + units].copy_from_slice(&self.params[from..from + units]);
        };
        for input in 0..from.inputs {
            copy(from.weights + input * n, to.weights + input * n);
        }
        copy(from.bias, to.bias);
        if from.norm != Norm::None {
            copy(from.gain, to.gain);
            copy(from.gain + n, to.gain + n);
        }
        if from.norm == Norm::Batch {
            trainer.moving[to.moving..to.moving + 2 * n].copy_from_slice(&self.moving);
        }
    }
}

const fn net<'a>(
    layout: &'a Layout,
    activation: Activation,
    (params, moving): (&'a [f32], &'a [f32]),
    packed: &'a Packed,
) -> Net<'a> {
    Net {
        layout,
        activation,
        params,
        moving,
        packed,
    }
}

/// Masking noise: each cell is put to 0 with the given probability.
fn damage(row: &mut [f32], noise: f64, rng: &mut ChaCha8Rng) {
    for cell in row {
        if rng.random_bool(noise) {
            *cell = 0.0;
        }
    }
}
