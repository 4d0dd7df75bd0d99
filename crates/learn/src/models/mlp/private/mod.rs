//! Training with differential privacy: Poisson-sampled batches, clipped gradients of each customer, Gaussian noise.
//!
//! DP-SGD (Abadi et al. 2016, arXiv 1607.00133) with any of the optimisers, which only ever see the noisy gradient. A row's gradient is
//! never written out: its norm follows from the layers' inputs and the gradients of their sums (Goodfellow 2015, arXiv 1510.01799),
//! and scaling the latter by the clipping factor scales the row's whole gradient (ghost clipping: Li et al. 2022, arXiv 2110.05679).
//! The weights given back are the mean over the second half of the steps, which costs no privacy (tail averaging: Shamir and
//! Zhang 2013, arXiv 1212.1824).

use std::collections::BTreeMap;
use std::ops::Range;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use thalweg_domain::{Error, Result, Seed};

use crate::models::Examples;
use crate::models::mlp::fit::{diverged, shape_of};
use crate::models::mlp::inputs::{Inputs, Part, class_weighted, target_scale};
use crate::models::mlp::kernel::dot;
use crate::models::mlp::layout::Layout;
use crate::models::mlp::params::{ClassWeights, MlpParams, Norm, Optimizer};
use crate::models::mlp::pass::{Net, Pass};
use crate::models::mlp::predict::Mlp;
use crate::models::mlp::schedule;
use crate::models::mlp::trainer::Trainer;
use crate::privacy::{NoiseSource, PrivacyKey, PrivacyParams, PrivacyStatement, Terms};

#[cfg(test)]
mod tests;

impl MlpParams {
    /// Checks private training and what cannot go with it.
    ///
    /// # Errors
    /// `TW0330` for a key out of range, `TW0332` for an option that reads the batch or the training rows as a whole.
    pub(in crate::models::mlp) fn check_privacy(&self) -> Result<()> {
        let Some(privacy) = &self.privacy else {
            return Ok(());
        };
        privacy.check()?;
        let refuse = |option: &str, why: &str, instead: &str| {
            let message = format!("[model.mlp] {option} cannot be used with privacy: {why}");
            Err(Error::new("TW0332", message).hint(instead))
        };
        if self.norm.contains(&Norm::Batch) {
            let why = "it mixes the rows of a batch, so that no row's share has a bound";
            return refuse("norm = \"batch\"", why, "use norm = [\"layer\"] or none");
        }
        if self.class_weights == ClassWeights::Balanced {
            let why = "the weights depend on every row";
            return refuse("class_weights = \"balanced\"", why, "give the weights as numbers");
        }
        Ok(())
    }
}

/// Trains a net privately. Every customer (group of the examples) counts as one unit, however many rows it has.
///
/// # Errors
/// `TW0307`, `TW0330` and `TW0332` for parameters that cannot be used, `TW0331` when the budget cannot be kept, `TW0308` when the
/// weights stop being numbers.
pub(in crate::models::mlp) fn fit(
    inputs: Inputs<'_>,
    examples: &Examples,
    (params, privacy): (&MlpParams, &PrivacyParams),
    seed: Seed,
) -> Result<Mlp> {
    params.check()?;
    params.check_for(&examples.task)?;
    let customers = Customers::new(examples);
    let (sample_rate, steps) = match params.optimizer {
        Optimizer::Gd => (1.0, privacy.epochs),
        _ => privacy.plan(customers.rows.len()),
    };
    let noise_multiplier = privacy.noise(sample_rate, steps)?;
    let base = privacy.key.clone().unwrap_or_else(|| PrivacyKey::from_seed(seed));
    let key = base.derive(purpose(inputs, examples, seed));
    let statement = PrivacyStatement::new(&Terms {
        delta: privacy.delta,
        noise_multiplier,
        sample_rate,
        steps,
        clip: privacy.clip,
        customers: customers.rows.len(),
        key: key.origin(),
    })?;
    let mut run = Run::new(inputs, examples, (params, privacy), &statement, seed);
    let mut source = NoiseSource::new(&key);
    let mut joined = Vec::new();
    for step in 0..steps {
        source.poisson_sample(customers.rows.len(), sample_rate, &mut joined);
        run.step(&customers.rows_of(&joined), &mut source, step);
    }
    let mut net = run.finish().ok_or_else(|| diverged(privacy.epochs, params))?;
    net.privacy = Some(statement);
    Ok(net)
}

/// A number for what is trained on, so that different trainings under one key draw different noise: FNV-1a over the data and the
/// seed. It is only ever mixed with the key.
fn purpose(inputs: Inputs<'_>, examples: &Examples, seed: Seed) -> u64 {
    let cells = inputs.dense.data.iter().map(|cell| u64::from(cell.to_bits()));
    let targets = examples
        .target
        .iter()
        .chain(&examples.weight)
        .map(|cell| cell.to_bits());
    let all = std::iter::once(seed.0)
        .chain(cells)
        .chain(targets)
        .chain(inputs.codes.iter().map(|code| u64::from(*code)));
    all.fold(0xcbf2_9ce4_8422_2325, |hash, cell| {
        (hash ^ cell).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The rows of each customer.
struct Customers {
    rows: Vec<Vec<usize>>,
}

impl Customers {
    fn new(examples: &Examples) -> Self {
        let mut by_group: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (row, group) in examples.group.iter().enumerate() {
            by_group.entry(*group).or_default().push(row);
        }
        Self {
            rows: by_group.into_values().collect(),
        }
    }

    fn rows_of(&self, joined: &[usize]) -> Vec<usize> {
        joined
            .iter()
            .flat_map(|customer| self.rows[*customer].iter().copied())
            .collect()
    }

    /// A row may add `clip` over the number of its customer's rows, so that the customer adds at most `clip`.
    fn limits(&self, clip: f64, n_rows: usize) -> Vec<f32> {
        let mut limits = vec![0.0; n_rows];
        for rows in &self.rows {
            rows.iter()
                .for_each(|row| limits[*row] = (clip / rows.len() as f64) as f32);
        }
        limits
    }
}

/// A training under way.
struct Run<'a> {
    params: MlpParams,
    trainer: Trainer,
    part: Part<'a>,
    net: Mlp,
    /// Parameters that are not padding.
    real: Vec<Range<usize>>,
    noise_sd: f64,
    /// Customers expected in a step.
    expected: f64,
    steps: usize,
    sample_rate: f64,
    /// Sums of the second half's parameters, and how many.
    mean: Vec<f64>,
    averaged: usize,
}

impl<'a> Run<'a> {
    fn new(
        inputs: Inputs<'a>,
        examples: &Examples,
        (params, privacy): (&MlpParams, &PrivacyParams),
        statement: &PrivacyStatement,
        seed: Seed,
    ) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed.stream("mlp").0);
        let n_rows = examples.target.len();
        let everything: Vec<usize> = (0..n_rows).collect();
        let shape = shape_of(inputs, examples, params);
        let scale = target_scale(examples, &everything);
        let weights = class_weighted(examples, params);
        let expected = statement.sample_rate * statement.customers as f64;
        let own = MlpParams {
            learning_rate: privacy.learning_rate.unwrap_or_else(|| default_rate(params)),
            batch: (1.25 * statement.sample_rate * n_rows as f64).ceil() as usize,
            epochs: privacy.epochs,
            ..params.clone()
        };
        let mut trainer = Trainer::new(&shape, &own, n_rows, &mut rng);
        trainer.row_limits = Customers::new(examples).limits(statement.clip, n_rows);
        let layout = Layout::new(&shape);
        Self {
            real: real_parameters(&layout),
            mean: vec![0.0; layout.n_params],
            averaged: 0,
            noise_sd: statement.noise_multiplier * statement.clip,
            expected,
            steps: statement.steps,
            sample_rate: statement.sample_rate,
            part: Part::new(inputs, examples, &everything, &weights, scale).unscaled(&weights),
            net: Mlp::new(shape, Vec::new(), Vec::new(), scale),
            trainer,
            params: own,
        }
    }

    /// One noisy step; `rows` may be empty.
    fn step(&mut self, rows: &[usize], source: &mut NoiseSource, step: usize) {
        self.trainer.gradient_of(&self.part, rows, 1.0);
        for range in &self.real {
            for cell in &mut self.trainer.gradient[range.clone()] {
                let noisy = f64::from(*cell) + self.noise_sd * source.gaussian();
                *cell = (noisy / self.expected) as f32;
            }
        }
        let steps_per_epoch = (1.0 / self.sample_rate).round() as usize;
        let share = schedule::share(self.params.schedule, step, steps_per_epoch, self.params.epochs);
        self.trainer.step(self.params.learning_rate * share);
        if step >= self.steps / 2 {
            let cells = self.mean.iter_mut().zip(&self.trainer.params);
            cells.for_each(|(mean, param)| *mean += f64::from(*param));
            self.averaged += 1;
        }
    }

    /// The net with averaged weights; `None` when they are not numbers.
    fn finish(self) -> Option<Mlp> {
        let n = self.averaged.max(1) as f64;
        let mut net = self.net;
        net.params = self.mean.iter().map(|sum| (sum / n) as f32).collect();
        net.moving = self.trainer.moving;
        net.params.iter().all(|param| param.is_finite()).then_some(net)
    }
}

fn default_rate(params: &MlpParams) -> f64 {
    match params.optimizer {
        Optimizer::Gd | Optimizer::Sgd => 2.0,
        Optimizer::Momentum | Optimizer::Nesterov => 2.0 * (1.0 - params.momentum),
        Optimizer::Adam | Optimizer::Adamw => 0.02,
    }
}

/// The ranges of parameters that belong to real inputs and units.
fn real_parameters(layout: &Layout) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    for place in layout.places() {
        let mut add = |start: usize| ranges.push(start..start + place.units);
        (0..place.inputs).for_each(|input| add(place.weights + input * place.n));
        add(place.bias);
        if place.norm != Norm::None {
            add(place.gain);
            add(place.gain + place.n);
        }
    }
    if let Some(first) = layout.tables.first() {
        ranges.push(first.start..layout.n_params);
    }
    ranges
}

/// How much longer a gradient may really be than its norm in single precision says.
const NORM_SLACK: f32 = 1.0 + 1e-5;

impl Pass {
    /// The squared norm of each row's gradient over all parameters. For a layer `z = x W + b` with gradient d of the sums it is
    /// `(|x|^2 + 1) |d|^2`, exactly; normalised layers add those of gain and shift, embedded inputs that of their vector.
    pub(in crate::models::mlp) fn squared_norms(&self, net: &Net<'_>) -> Vec<f32> {
        let mut squares = vec![0.0_f32; self.rows];
        for (layer, place) in net.layout.places().enumerate() {
            let inputs = self.input_of(layer, place.k).chunks_exact(place.k);
            let deltas = self.delta_of(layer, place.n).chunks_exact(place.n);
            for (square, (input, delta)) in squares.iter_mut().zip(inputs.zip(deltas)) {
                *square += (dot(input, input) + 1.0) * dot(delta, delta);
            }
            if place.norm != Norm::None {
                let hidden = &self.hidden[layer];
                let rows = hidden
                    .shifted
                    .chunks_exact(place.n)
                    .zip(hidden.hat.chunks_exact(place.n));
                for (square, (shifted, hat)) in squares.iter_mut().zip(rows) {
                    let each = shifted.iter().zip(hat);
                    *square += each
                        .map(|(delta, hat)| delta * delta * (1.0 + hat * hat))
                        .sum::<f32>();
                }
            }
        }
        if !net.layout.tables.is_empty() {
            let dense = net
                .layout
                .tables
                .iter()
                .map(|table| table.column)
                .min()
                .unwrap_or_default();
            let rows = self.input_delta.chunks_exact(net.layout.width);
            for (square, delta) in squares.iter_mut().zip(rows) {
                *square += dot(&delta[dense..], &delta[dense..]);
            }
        }
        squares
    }

    /// Scales each row's gradient down to its limit where it is longer. Needs [`Self::backpropagate`] before.
    pub(in crate::models::mlp) fn clip_rows(&mut self, net: &Net<'_>, limits: impl Iterator<Item = f32>) {
        let squares = self.squared_norms(net);
        let factors: Vec<f32> = squares
            .iter()
            .zip(limits)
            .map(|(square, limit)| (limit / (square.sqrt() * NORM_SLACK)).min(1.0))
            .collect();
        for (layer, place) in net.layout.hidden.iter().enumerate() {
            scale_rows(&mut self.hidden[layer].delta, place.n, &factors);
            scale_rows(&mut self.hidden[layer].shifted, place.n, &factors);
        }
        scale_rows(&mut self.delta, net.layout.output.n, &factors);
        scale_rows(&mut self.input_delta, net.layout.width, &factors);
        self.fill_panels(net);
    }
}

fn scale_rows(cells: &mut [f32], n: usize, factors: &[f32]) {
    for (row, factor) in cells.chunks_exact_mut(n.max(1)).zip(factors) {
        row.iter_mut().for_each(|cell| *cell *= factor);
    }
}
