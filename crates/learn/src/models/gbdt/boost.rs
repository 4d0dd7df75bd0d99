//! The boosting rounds.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use thalweg_domain::{Error, Result, Seed};

use super::bins::{Bins, Slot};
use super::derivatives::{Units, noise};
use super::grow::{Grower, Grown, Size};
use super::loss::{Loss, log_sum_exp};
use super::params::GbdtParams;
use super::partition::Scratch;
use super::split::Rules;
use super::tree::Tree;
use crate::models::Examples;

/// Rows of which sums are taken together; fixed, so that sums do not depend on threads.
const CHUNK_ROWS: usize = 1 << 14;

/// What all runs on a table share.
pub(super) struct Boosting<'a> {
    bins: &'a Bins,
    examples: &'a Examples,
    params: &'a GbdtParams,
    loss: Loss,
    /// Brings the weights to mean 1.
    weight_scale: f64,
    /// Per slot.
    monotone: Vec<i8>,
    max_second: f64,
}

/// Which rows to boost on and to validate on, and for how long.
pub(super) struct Plan<'a> {
    pub(super) fit: &'a [usize],
    pub(super) validation: &'a [usize],
    pub(super) rounds: usize,
}

/// What a run has come to.
pub(super) struct Run {
    pub(super) base: Vec<f64>,
    /// Per round one tree per output.
    pub(super) rounds: Vec<Vec<Tree>>,
    /// Rounds with the lowest validation loss, at least 1; all of them without validation.
    pub(super) best_round: usize,
}

/// Margins and buffers of a run.
struct State {
    /// All rows of the first output, then of the next.
    margins: Vec<f64>,
    n_outputs: usize,
    /// Whether the plan fits on the row.
    is_fitted: Vec<bool>,
    /// Per row of the table.
    derivatives: Vec<i64>,
    rows: Vec<u32>,
    scratch: Scratch,
}

impl<'a> Boosting<'a> {
    pub(super) fn new(
        bins: &'a Bins,
        examples: &'a Examples,
        params: &'a GbdtParams,
        monotone: &[i8],
    ) -> Self {
        let loss = Loss::new(examples, params.loss);
        let n = examples.weight.len() as f64;
        let weight_scale = n / examples.weight.iter().sum::<f64>();
        let of_slot = |slot: &Slot| match slot {
            Slot::Number { column, .. } => monotone.get(*column).copied().unwrap_or_default(),
            Slot::OneHot { .. } => 0,
        };
        let most = examples.weight.iter().copied().fold(0.0, f64::max) * weight_scale;
        Self {
            bins,
            examples,
            params,
            loss,
            weight_scale,
            monotone: bins.slots.iter().map(of_slot).collect(),
            max_second: most * loss.max_second(),
        }
    }

    /// Boosts on the plan's rows.
    ///
    /// # Errors
    /// `TW0308` when the loss stops being a number.
    pub(super) fn run(&self, plan: &Plan<'_>, seed: Seed) -> Result<Run> {
        let base = self.loss.base(self.examples);
        let mut state = State::new(&base, self.bins.n_rows, plan);
        let mut rounds = Vec::new();
        let mut best = (f64::INFINITY, 0);
        for round in 0..plan.rounds {
            let trees = self.round(&mut state, seed.nth(round as u64))?;
            let is_spent = trees.iter().all(|tree| tree.nodes.len() == 1);
            rounds.push(trees);
            if !plan.validation.is_empty() {
                let loss = self.mean_loss(plan.validation, &state);
                if loss < best.0 {
                    best = (loss, round + 1);
                } else if round + 1 - best.1 >= self.params.patience {
                    break;
                }
            }
            // with all rows and columns shown, the next round would see the same
            if is_spent && self.params.row_share >= 1.0 && self.params.column_share >= 1.0 {
                break;
            }
        }
        let best_round = if plan.validation.is_empty() {
            rounds.len()
        } else {
            best.1.max(1)
        };
        Ok(Run {
            base,
            rounds,
            best_round,
        })
    }

    /// One tree per output, all from the margins before the round.
    fn round(&self, state: &mut State, seed: Seed) -> Result<Vec<Tree>> {
        let normalisers = if state.n_outputs > 1 {
            state.normalisers()
        } else {
            Vec::new()
        };
        let (shown, others) = self.draw_rows(state, seed.stream("rows"));
        let mut trees = Vec::with_capacity(state.n_outputs);
        for output in 0..state.n_outputs {
            let seed = seed.nth(output as u64);
            let units = self.derive(state, output, &normalisers, seed)?;
            let used = self.draw_slots(seed.stream("columns"));
            state.rows.clear();
            state.rows.extend_from_slice(&shown);
            let grower = Grower {
                bins: self.bins,
                rules: self.rules(&used, units),
                size: Size {
                    leaves: self.params.leaves,
                    depth: self.params.depth,
                },
                shrinkage: self.params.learning_rate,
                derivatives: &state.derivatives,
            };
            let grown = grower.grow(&mut state.rows, &mut state.scratch);
            self.add(&grown, &others, state, output);
            trees.push(grown.tree);
        }
        Ok(trees)
    }

    const fn rules<'r>(&'r self, used: &'r [bool], units: Units) -> Rules<'r> {
        Rules {
            l2: self.params.l2,
            min_leaf_weight: self.params.min_leaf_weight,
            min_rows: self.params.min_rows,
            max_second: self.max_second,
            monotone: self.monotone.as_slice(),
            used,
            units,
        }
    }

    /// The rows that a round is shown, and those that only follow its trees.
    fn draw_rows(&self, state: &State, seed: Seed) -> (Vec<u32>, Vec<u32>) {
        let share = self.params.row_share;
        let limit = (share * 4_294_967_296.0) as u64;
        let is_shown =
            |row: usize| state.is_fitted[row] && (share >= 1.0 || noise(seed.0, row) >> 32 < limit);
        let mut shown = Vec::with_capacity(state.is_fitted.len());
        let mut others = Vec::new();
        for row in 0..state.is_fitted.len() {
            if is_shown(row) {
                shown.push(row as u32)
            } else {
                others.push(row as u32)
            }
        }
        (shown, others)
    }

    fn draw_slots(&self, seed: Seed) -> Vec<bool> {
        let n = self.bins.slots.len();
        let wanted = ((self.params.column_share * n as f64).ceil() as usize).clamp(1, n);
        let mut order: Vec<usize> = (0..n).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed.0));
        let mut used = vec![false; n];
        order.into_iter().take(wanted).for_each(|slot| used[slot] = true);
        used
    }

    /// Packs the derivatives of one output for the fitted rows; the others get none.
    fn derive(&self, state: &mut State, output: usize, normalisers: &[f64], seed: Seed) -> Result<Units> {
        let n = self.bins.n_rows;
        let margins = &state.margins[output * n..(output + 1) * n];
        let is_fitted = &state.is_fitted;
        let sums: Vec<(f64, f64)> = state
            .derivatives
            .par_chunks_mut(CHUNK_ROWS)
            .enumerate()
            .map(|(chunk, out)| {
                let mut sums = (0.0, 0.0);
                for (offset, out) in out.iter_mut().enumerate() {
                    let row = chunk * CHUNK_ROWS + offset;
                    let (first, second) = if is_fitted[row] {
                        self.derivatives(row, output, margins[row], normalisers)
                    } else {
                        (0.0, 0.0)
                    };
                    sums.0 += f64::from(first.abs());
                    sums.1 += f64::from(second);
                    *out = keep(first, second);
                }
                sums
            })
            .collect();
        let sum = sums
            .iter()
            .fold((0.0, 0.0), |sum, own| (sum.0 + own.0, sum.1 + own.1));
        if !f64::is_finite(sum.0 + sum.1) {
            return Err(diverged());
        }
        let units = Units::new(sum.0, sum.1);
        let packed = state.derivatives.par_chunks_mut(CHUNK_ROWS).enumerate();
        packed.for_each(|(chunk, out)| {
            for (offset, out) in out.iter_mut().enumerate() {
                let row = chunk * CHUNK_ROWS + offset;
                let (first, second) = kept(*out);
                *out = units.pack(first, second, noise(seed.0, row));
            }
        });
        Ok(units)
    }

    #[inline]
    fn derivatives(&self, row: usize, output: usize, margin: f64, normalisers: &[f64]) -> (f32, f32) {
        let own = self.examples.target[row];
        let (target, probability) = match self.loss {
            Loss::Softmax { .. } => (
                f64::from(own as usize == output),
                (margin - normalisers[row]).exp(),
            ),
            _ => (own, 0.0),
        };
        let (first, second) = self.loss.derivatives(margin, target, probability);
        let weight = self.examples.weight[row] * self.weight_scale;
        ((first * weight) as f32, (second * weight) as f32)
    }

    /// Adds a tree to the margins of an output.
    fn add(&self, grown: &Grown, others: &[u32], state: &mut State, output: usize) {
        let n = self.bins.n_rows;
        let margins = &mut state.margins[output * n..(output + 1) * n];
        for (node, rows) in &grown.leaves {
            let value = grown.tree.nodes[*node].value().unwrap_or_default();
            state.rows[rows.clone()]
                .iter()
                .for_each(|row| margins[*row as usize] += value);
        }
        let values: Vec<f64> = others
            .par_iter()
            .map(|row| grown.value(self.bins, *row))
            .collect();
        others
            .iter()
            .zip(values)
            .for_each(|(row, value)| margins[*row as usize] += value);
    }

    /// The weighted mean loss of some rows.
    fn mean_loss(&self, rows: &[usize], state: &State) -> f64 {
        let sums: Vec<(f64, f64)> = rows
            .par_chunks(CHUNK_ROWS)
            .map(|rows| {
                let mut own = vec![0.0; state.n_outputs];
                let mut sums = (0.0, 0.0);
                for row in rows {
                    state.copy_margins(*row, &mut own);
                    let weight = self.examples.weight[*row];
                    sums.0 += weight * self.loss.value(&own, self.examples.target[*row]);
                    sums.1 += weight;
                }
                sums
            })
            .collect();
        let sum = sums
            .iter()
            .fold((0.0, 0.0), |sum, own| (sum.0 + own.0, sum.1 + own.1));
        sum.0 / sum.1
    }
}

impl State {
    fn new(base: &[f64], n_rows: usize, plan: &Plan<'_>) -> Self {
        let mut is_fitted = vec![false; n_rows];
        plan.fit.iter().for_each(|row| is_fitted[*row] = true);
        Self {
            margins: base
                .iter()
                .flat_map(|base| std::iter::repeat_n(*base, n_rows))
                .collect(),
            n_outputs: base.len(),
            derivatives: vec![0; n_rows],
            is_fitted,
            rows: Vec::with_capacity(plan.fit.len()),
            scratch: Scratch::new(plan.fit.len()),
        }
    }

    fn copy_margins(&self, row: usize, out: &mut [f64]) {
        let n = self.is_fitted.len();
        out.iter_mut()
            .enumerate()
            .for_each(|(output, out)| *out = self.margins[output * n + row]);
    }

    /// Per row the logarithm of the sum of the outputs' exponentials.
    fn normalisers(&self) -> Vec<f64> {
        let of_row = |own: &mut Vec<f64>, row: usize| {
            self.copy_margins(row, own);
            log_sum_exp(own)
        };
        let rows = (0..self.is_fitted.len()).into_par_iter();
        rows.map_init(|| vec![0.0; self.n_outputs], of_row).collect()
    }
}

/// Two derivatives side by side in one cell, until their units are known.
fn keep(first: f32, second: f32) -> i64 {
    ((u64::from(first.to_bits()) << 32) | u64::from(second.to_bits())).cast_signed()
}

fn kept(cell: i64) -> (f32, f32) {
    let bits = cell.cast_unsigned();
    (f32::from_bits((bits >> 32) as u32), f32::from_bits(bits as u32))
}

fn diverged() -> Error {
    Error::new("TW0308", "the boosted trees' loss stopped being a number")
        .hint("lower [model.gbdt] learning_rate, and look for targets on a huge scale")
}
