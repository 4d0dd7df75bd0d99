//! The best way to cut a leaf in two, from its histogram.

use rayon::prelude::*;

use super::bins::{Bins, Slot};
use super::derivatives::{Sums, Units};

/// Slots below which one thread searches alone.
const MIN_PARALLEL: usize = 256;

/// What a split must keep to.
pub(super) struct Rules<'a> {
    pub(super) l2: f64,
    pub(super) min_leaf_weight: f64,
    pub(super) min_rows: usize,
    /// The largest second derivative of a row.
    pub(super) max_second: f64,
    /// Per slot: 1 rises, -1 falls, 0 is free.
    pub(super) monotone: &'a [i8],
    /// Slots that this tree may use.
    pub(super) used: &'a [bool],
    pub(super) units: Units,
}

/// Least and greatest value that a leaf may have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Range {
    pub(super) const FREE: Self = Self {
        low: f64::NEG_INFINITY,
        high: f64::INFINITY,
    };
}

/// A cut of one slot: bins up to `bin` go left (of a category: all levels but the one of `bin`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Split {
    pub(super) slot: usize,
    pub(super) bin: u8,
    pub(super) missing_left: bool,
    /// Twice the decrease of the penalised loss.
    pub(super) gain: f64,
    /// The packed sums of the left side.
    pub(super) left: i64,
    pub(super) left_value: f64,
    pub(super) right_value: f64,
}

/// A leaf to be cut.
#[derive(Clone, Copy)]
pub(super) struct Leaf<'a> {
    pub(super) sums: &'a [i64],
    pub(super) total: i64,
    pub(super) n_rows: usize,
    pub(super) range: Range,
}

impl Rules<'_> {
    /// The value of a leaf: the Newton step, within its range.
    pub(super) fn value(&self, sums: Sums, range: Range) -> f64 {
        let curvature = sums.second + self.l2;
        if curvature > 0.0 {
            (-sums.first / curvature).clamp(range.low, range.high)
        } else {
            0.0
        }
    }

    /// Twice the loss that a leaf of this value saves.
    fn saving(&self, sums: Sums, value: f64) -> f64 {
        -(2.0 * sums.first + (sums.second + self.l2) * value) * value
    }

    /// The best split that leaves both sides about `min_rows` rows, counted by second derivatives.
    pub(super) fn best(&self, bins: &Bins, leaf: &Leaf<'_>, min_rows: usize) -> Option<Split> {
        let total = self.units.unpack(leaf.total);
        let search = Search {
            rules: self,
            leaf,
            total,
            saved: self.saving(total, self.value(total, leaf.range)),
            floor: (1.0 - 1e-9)
                * self
                    .min_leaf_weight
                    .max(total.second * (min_rows as f64 - 0.5) / leaf.n_rows.max(1) as f64),
        };
        let of_slot = |slot: usize| self.used[slot].then(|| search.slot(bins, slot)).flatten();
        if bins.slots.len() < MIN_PARALLEL {
            (0..bins.slots.len()).filter_map(of_slot).reduce(better)
        } else {
            (0..bins.slots.len())
                .into_par_iter()
                .filter_map(of_slot)
                .reduce_with(better)
        }
    }
}

/// The one that gains more; on a tie the one of the earlier slot.
fn better(a: Split, b: Split) -> Split {
    if b.gain > a.gain || (b.gain == a.gain && b.slot < a.slot) {
        b
    } else {
        a
    }
}

struct Search<'a> {
    rules: &'a Rules<'a>,
    leaf: &'a Leaf<'a>,
    total: Sums,
    /// What the leaf saves uncut.
    saved: f64,
    /// Least sum of second derivatives of a side.
    floor: f64,
}

impl Search<'_> {
    fn slot(&self, bins: &Bins, slot: usize) -> Option<Split> {
        let cells = &self.leaf.sums[bins.offsets[slot]..bins.offsets[slot + 1]];
        let mut best = None;
        match &bins.slots[slot] {
            Slot::Number { .. } => {
                let missing = cells[0];
                self.scan(slot, cells, 0, &mut best);
                if missing != 0 {
                    self.scan(slot, cells, missing, &mut best);
                }
            }
            Slot::OneHot { .. } => self.one_against_rest(slot, cells, &mut best),
        }
        best
    }

    /// Every cut of a number, with the missing cells on the left (`start` holds them) or on the right (it is 0).
    fn scan(&self, slot: usize, cells: &[i64], start: i64, best: &mut Option<Split>) {
        let missing_left = (cells[0] != 0).then_some(start != 0);
        // with missing cells on the right, "all numbers left" is a cut too
        let last = if missing_left == Some(false) {
            cells.len()
        } else {
            cells.len() - 1
        };
        let mut left = start;
        for (bin, cell) in cells.iter().enumerate().take(last).skip(1) {
            left = left.wrapping_add(*cell);
            if *cell != 0 {
                self.consider(slot, bin as u8, missing_left, left, best);
            }
        }
    }

    /// Every level of a category against the others, with the missing cells on either side.
    fn one_against_rest(&self, slot: usize, cells: &[i64], best: &mut Option<Split>) {
        let missing = cells[0];
        for (bin, cell) in cells.iter().enumerate().skip(2) {
            if *cell == 0 {
                continue;
            }
            let with_missing = self.leaf.total.wrapping_sub(*cell);
            self.consider(
                slot,
                bin as u8,
                (missing != 0).then_some(true),
                with_missing,
                best,
            );
            if missing != 0 {
                self.consider(
                    slot,
                    bin as u8,
                    Some(false),
                    with_missing.wrapping_sub(missing),
                    best,
                );
            }
        }
    }

    /// Keeps a cut if it is the best so far; `missing_left` is none where no cell is missing.
    #[inline]
    fn consider(
        &self,
        slot: usize,
        bin: u8,
        missing_left: Option<bool>,
        left: i64,
        best: &mut Option<Split>,
    ) {
        let units = &self.rules.units;
        let sums = units.unpack(left);
        let second = self.total.second - sums.second;
        if sums.second < self.floor || second < self.floor {
            return;
        }
        let others = Sums {
            first: self.total.first - sums.first,
            second,
        };
        let (range, monotone) = (self.leaf.range, self.rules.monotone[slot]);
        let left_value = self.rules.value(sums, range);
        let right_value = self.rules.value(others, range);
        if f64::from(monotone) * (right_value - left_value) < 0.0 {
            return;
        }
        let gain = self.rules.saving(sums, left_value) + self.rules.saving(others, right_value) - self.saved;
        if gain > best.as_ref().map_or(1e-12 * self.saved.abs(), |best| best.gain) && gain > 0.0 {
            // cells that were never missing in training go where most rows went
            let missing_left = missing_left.unwrap_or(2.0 * sums.second >= self.total.second);
            *best = Some(Split {
                slot,
                bin,
                missing_left,
                gain,
                left,
                left_value,
                right_value,
            });
        }
    }
}
