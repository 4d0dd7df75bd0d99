//! Gradients over batches: chunks of rows beside each other, sums in a fixed order whatever the number of threads.

use std::ops::Range;

use rand::Rng;
use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::dropout::Dropout;
use super::inputs::Part;
use super::layout::{Layout, Shape};
use super::loss::Objective;
use super::norm::MOVING;
use super::optimise::Stepper;
use super::params::{MlpParams, Optimizer};
use super::pass::{CHUNK_ROWS, Net, Packed, Pass};
use super::schedule;

/// Rows whose activations are held at once; a larger batch is passed through in blocks, and their gradients add up.
const BLOCK_ROWS: usize = 4096;
/// Multiplications in a batch from which threads pay.
const PARALLEL_FROM: usize = 4_000_000;
/// Inputs whose weights' gradients one thread sums up.
const STRIP: usize = 48;

/// The weights on their way, and the buffers of the loop.
pub(super) struct Trainer {
    pub(super) layout: Layout,
    shape: Shape,
    objective: Objective,
    pub(super) params: Vec<f32>,
    pub(super) moving: Vec<f32>,
    /// The last batch's gradient.
    pub(super) gradient: Vec<f32>,
    stepper: Stepper,
    /// Weights that are held at 0.
    held: Vec<usize>,
    /// Per row of the part, the Euclidean norm to which its own gradient is scaled down where it is longer; empty for none.
    pub(super) row_limits: Vec<f32>,
    packed: Packed,
    passes: Vec<Pass>,
    dropouts: Vec<Option<Dropout>>,
    chunk_rows: usize,
    steps: usize,
}

impl Trainer {
    /// `n_rows` is the number of training rows; weights and dropout draw from `rng`.
    pub(super) fn new(shape: &Shape, params: &MlpParams, n_rows: usize, rng: &mut impl Rng) -> Self {
        let layout = Layout::new(shape);
        let batch = batch_rows(params, n_rows);
        // batch statistics need the whole batch in one chunk
        let chunk_rows = if layout.has_batch_norm() {
            batch
        } else {
            batch.min(CHUNK_ROWS)
        };
        let n_chunks = batch.min(BLOCK_ROWS.max(chunk_rows)).div_ceil(chunk_rows);
        let start = layout.initial(rng);
        let mut pass = Pass::new(&layout, chunk_rows);
        if !layout.tables.is_empty() {
            pass.input_delta = vec![0.0; chunk_rows * layout.width];
        }
        Self {
            params: start,
            moving: layout.initial_moving(),
            gradient: vec![0.0; layout.n_params],
            stepper: Stepper::new(&layout, params),
            held: Vec::new(),
            row_limits: Vec::new(),
            packed: Packed::default(),
            passes: vec![pass; n_chunks],
            dropouts: (0..n_chunks).map(|_| Dropout::new(params.dropout, rng)).collect(),
            objective: Objective::new(shape.output, params),
            shape: shape.clone(),
            layout,
            chunk_rows,
            steps: 0,
        }
    }

    /// Starts from given weights instead of random ones, and holds those that are 0 at 0.
    pub(super) fn start_from(&mut self, params: &[f32], moving: &[f32]) {
        self.params.copy_from_slice(params);
        self.moving.copy_from_slice(moving);
        let zero = |at: &usize| params[*at] == 0.0;
        self.held = self.layout.decayed().into_iter().flatten().filter(zero).collect();
    }

    /// One pass over the part in a fresh random order; gives the mean loss.
    pub(super) fn epoch(&mut self, part: &Part<'_>, params: &MlpParams, rng: &mut impl Rng) -> f64 {
        let mut order: Vec<usize> = (0..part.len()).collect();
        order.shuffle(rng);
        let batch = batch_rows(params, part.len());
        let steps_per_epoch = part.len().div_ceil(batch);
        let mut total = 0.0;
        for rows in order.chunks(batch) {
            total += self.gradient_of(part, rows, 1.0 / rows.len() as f32);
            let share = schedule::share(params.schedule, self.steps, steps_per_epoch, params.epochs);
            self.step(params.learning_rate * share);
        }
        total / part.len() as f64
    }

    /// The gradient of the summed loss of some rows times `per_row`, in training, into `gradient`; gives the summed loss.
    pub(super) fn gradient_of(&mut self, part: &Part<'_>, rows: &[usize], per_row: f32) -> f64 {
        self.gradient.fill(0.0);
        self.packed.refresh(&self.layout, &self.params);
        let mut total = 0.0;
        for block in rows.chunks(self.chunk_rows * self.passes.len()) {
            self.pass_block(part, block, per_row);
            let n_chunks = block.len().div_ceil(self.chunk_rows);
            self.add_gradients(n_chunks, is_parallel(&self.layout, block.len()));
            let losses = self.passes[..n_chunks].iter().map(|pass| f64::from(pass.loss));
            total += losses.sum::<f64>();
            follow_statistics(&self.layout, &self.passes[0], block.len(), &mut self.moving);
        }
        total
    }

    /// Forward and backward for every chunk of a block.
    fn pass_block(&mut self, part: &Part<'_>, block: &[usize], per_row: f32) {
        let net = Net {
            layout: &self.layout,
            activation: self.shape.activation,
            params: &self.params,
            moving: &self.moving,
            packed: &self.packed,
        };
        let (objective, limits) = (self.objective, &self.row_limits);
        let both = |pass: &mut Pass, dropout: &mut Option<Dropout>, rows: &[usize]| {
            part.load(rows.iter().copied(), net.layout, net.params, pass);
            pass.forward(&net, dropout.as_mut(), true);
            pass.backpropagate(&net, &objective, per_row);
            if !limits.is_empty() {
                pass.clip_rows(&net, rows.iter().map(|row| limits[*row]));
            }
        };
        if is_parallel(&self.layout, block.len()) {
            (self.passes.par_iter_mut().zip(&mut self.dropouts))
                .zip(block.par_chunks(self.chunk_rows))
                .for_each(|((pass, dropout), rows)| both(pass, dropout, rows));
        } else {
            (self.passes.iter_mut().zip(&mut self.dropouts))
                .zip(block.chunks(self.chunk_rows))
                .for_each(|((pass, dropout), rows)| both(pass, dropout, rows));
        }
    }

    /// Adds the chunks' gradients, cell by cell in the order of the chunks.
    fn add_gradients(&mut self, n_chunks: usize, parallel: bool) {
        let passes = &self.passes[..n_chunks];
        let net = Net {
            layout: &self.layout,
            activation: self.shape.activation,
            params: &self.params,
            moving: &self.moving,
            packed: &self.packed,
        };
        for pass in passes {
            pass.add_narrow(&net, &mut self.gradient);
        }
        for (layer, place) in self
            .layout
            .places()
            .enumerate()
            .filter(|(_, place)| place.is_wide())
        {
            let strip = |(index, out): (usize, &mut [f32])| {
                for pass in passes {
                    pass.add_weights(layer, place, index * STRIP, out);
                }
            };
            let weights = &mut self.gradient[place.weights..place.bias];
            if parallel {
                weights
                    .par_chunks_mut(STRIP * place.n)
                    .enumerate()
                    .for_each(strip);
            } else {
                weights.chunks_mut(STRIP * place.n).enumerate().for_each(strip);
            }
        }
    }

    /// Adds the L2 term's gradient, and drops that of held weights.
    pub(super) fn penalise(&mut self) {
        self.stepper.penalise(&self.params, &mut self.gradient);
        self.held.iter().for_each(|at| self.gradient[*at] = 0.0);
    }

    /// Steps along the gradient.
    pub(super) fn step(&mut self, rate: f64) {
        self.penalise();
        self.stepper.step(&mut self.params, &mut self.gradient, rate);
        self.steps += 1;
    }

    /// The weighted mean loss of a part, as in use: without dropout, with moving statistics.
    pub(super) fn loss(&mut self, part: &Part<'_>) -> f64 {
        self.packed.refresh(&self.layout, &self.params);
        let net = Net {
            layout: &self.layout,
            activation: self.shape.activation,
            params: &self.params,
            moving: &self.moving,
            packed: &self.packed,
        };
        let objective = self.objective;
        let forward = |pass: &mut Pass, rows: Range<usize>| {
            part.load(rows, net.layout, net.params, pass);
            pass.forward(&net, None, false);
            pass.row_losses(&net, &objective);
        };
        let mut total = 0.0;
        let block_rows = self.chunk_rows * self.passes.len();
        for start in (0..part.len()).step_by(block_rows) {
            let end = part.len().min(start + block_rows);
            let starts: Vec<usize> = (start..end).step_by(self.chunk_rows).collect();
            let rows = |start: usize| start..end.min(start + self.chunk_rows);
            if is_parallel(&self.layout, end - start) {
                let chunks = self.passes.par_iter_mut().zip(&starts);
                chunks.for_each(|(pass, start)| forward(pass, rows(*start)));
            } else {
                let chunks = self.passes.iter_mut().zip(&starts);
                chunks.for_each(|(pass, start)| forward(pass, rows(*start)));
            }
            for pass in &self.passes[..starts.len()] {
                for loss in &pass.losses[..pass.rows] {
                    total += f64::from(*loss);
                }
            }
        }
        total / part.len() as f64
    }
}

/// Moves the moving statistics of batch-normalised layers towards those of the batch that has last gone through a pass.
pub(super) fn follow_statistics(layout: &Layout, pass: &Pass, rows: usize, moving: &mut [f32]) {
    if rows < 2 {
        return;
    }
    let unbiased = rows as f32 / (rows - 1) as f32;
    let layers = layout.hidden.iter().zip(&pass.hidden);
    for (place, hidden) in layers.filter(|(_, hidden)| !hidden.mean.is_empty()) {
        let moving = &mut moving[place.moving..place.moving + 2 * place.n];
        let (mean, variance) = moving.split_at_mut(place.n);
        for unit in 0..place.n {
            mean[unit] += MOVING * (hidden.mean[unit] - mean[unit]);
            variance[unit] += MOVING * (hidden.variance[unit] * unbiased - variance[unit]);
        }
    }
}

/// Rows of a step: those of a batch, or all of them for gradient descent.
fn batch_rows(params: &MlpParams, n_rows: usize) -> usize {
    if params.optimizer == Optimizer::Gd {
        n_rows.max(1)
    } else {
        params.batch.min(n_rows).max(1)
    }
}

fn is_parallel(layout: &Layout, rows: usize) -> bool {
    let cells: usize = layout.places().map(|place| place.k * place.n).sum();
    rows > CHUNK_ROWS && rows * cells >= PARALLEL_FROM
}

#[cfg(test)]
impl Trainer {
    /// The factors that dropout will give to the first rows of the next batch, per hidden layer; none without dropout.
    pub(super) fn dropout_factors(&self, rows: usize) -> Vec<Vec<f32>> {
        let mut factors = vec![Vec::new(); self.layout.hidden.len()];
        for (chunk, dropout) in self.dropouts.iter().enumerate() {
            let Some(dropout) = dropout else { return Vec::new() };
            let mut dropout = dropout.clone();
            let rows = rows.saturating_sub(chunk * self.chunk_rows).min(self.chunk_rows);
            for (place, factors) in self.layout.hidden.iter().zip(&mut factors) {
                let (mut cells, mut slopes) = (vec![1.0; rows * place.n], vec![1.0; rows * place.n]);
                dropout.apply(&mut cells, &mut slopes);
                factors.extend(cells);
            }
        }
        factors
    }
}
