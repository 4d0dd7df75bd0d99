//! The best split of a node: sums per bin, then every candidate of every column.

use rayon::prelude::*;

use super::Outcomes;
use super::bins::Binned;
use super::grow::Draw;

/// Up to so many levels every pair of sets is tried.
const ALL_SETS: usize = 8;

/// A split: a customer goes left when the column's bin is marked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Split {
    pub(crate) column: usize,
    /// Per bin, that of missing cells last.
    pub(crate) left: Vec<bool>,
    /// By how much the sum of squares falls.
    pub(crate) gain: f64,
    /// `sum_d gain_d / residual variance_d`: how far the split is from chance.
    pub(crate) evidence: f64,
}

/// The best split of a node and how many were tried.
pub(crate) struct Best {
    pub(crate) split: Option<Split>,
    pub(crate) n_tried: usize,
}

/// Least customers on each side, in the growing half and in the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Least {
    pub(crate) grow: usize,
    pub(crate) check: usize,
}

/// Looks at every column; of equal splits the first of the first column wins.
pub(crate) fn best_split(columns: &[Binned], y: &Outcomes, draw: &Draw<'_>, least: Least) -> Best {
    let found: Vec<Best> = columns
        .par_iter()
        .enumerate()
        .map(|(index, column)| Histogram::of(column, y, draw).best(index, column, least))
        .collect();
    let n_tried = found.iter().map(|best| best.n_tried).sum();
    let mut split: Option<Split> = None;
    for candidate in found.into_iter().filter_map(|best| best.split) {
        if split.as_ref().is_none_or(|best| candidate.gain > best.gain) {
            split = Some(candidate);
        }
    }
    Best { split, n_tried }
}

/// Counts and sums of some customers.
#[derive(Debug, Clone, PartialEq)]
struct Sums {
    grow: usize,
    check: usize,
    y: Vec<f64>,
}

impl Sums {
    fn empty(width: usize) -> Self {
        Self {
            grow: 0,
            check: 0,
            y: vec![0.0; width],
        }
    }

    fn add(&mut self, other: &Self) {
        self.grow += other.grow;
        self.check += other.check;
        for (sum, y) in self.y.iter_mut().zip(&other.y) {
            *sum += y;
        }
    }
}

/// A node's customers by bin of one column.
struct Histogram {
    bins: Vec<Sums>,
    all: Sums,
    /// Sum of squares per outcome.
    squares: Vec<f64>,
}

/// The best so far while candidates of a column are tried.
struct Trial<'a> {
    histogram: &'a Histogram,
    least: Least,
    gain: f64,
    left: Option<(Vec<bool>, Sums)>,
    n_tried: usize,
}

impl Histogram {
    fn of(column: &Binned, y: &Outcomes, draw: &Draw<'_>) -> Self {
        let mut bins = vec![Sums::empty(y.width); column.n_bins];
        let mut squares = vec![0.0; y.width];
        for row in draw.grow {
            let bin = &mut bins[usize::from(column.bin_of[*row])];
            bin.grow += 1;
            for ((sum, square), value) in bin.y.iter_mut().zip(&mut squares).zip(y.of(*row)) {
                *sum += value;
                *square += value * value;
            }
        }
        for row in draw.check {
            bins[usize::from(column.bin_of[*row])].check += 1;
        }
        let mut all = Sums::empty(y.width);
        for bin in &bins {
            all.add(bin);
        }
        Self { bins, all, squares }
    }

    fn best(&self, index: usize, column: &Binned, least: Least) -> Best {
        let mut trial = Trial {
            histogram: self,
            least,
            gain: 0.0,
            left: None,
            n_tried: 0,
        };
        if column.scale.is_ordered() {
            trial.thresholds();
        } else {
            trial.sets();
        }
        let n_tried = trial.n_tried;
        let split = trial.left.map(|(left, sums)| Split {
            column: index,
            left,
            gain: self.gains(&sums).iter().sum(),
            evidence: self.evidence(&sums),
        });
        Best { split, n_tried }
    }

    /// What a split takes off the sum of squares, per outcome: `n_l n_r / n (mean_l - mean_r)^2`.
    fn gains(&self, left: &Sums) -> Vec<f64> {
        let (n_left, n_all) = (left.grow as f64, self.all.grow as f64);
        let n_right = n_all - n_left;
        let each = left.y.iter().zip(&self.all.y);
        each.map(|(left, all)| {
            let difference = left / n_left - (all - left) / n_right;
            n_left * n_right / n_all * difference * difference
        })
        .collect()
    }

    fn evidence(&self, left: &Sums) -> f64 {
        let n = self.all.grow as f64;
        let gains = self.gains(left);
        let each = gains.iter().zip(&self.squares).zip(&self.all.y);
        each.map(|((gain, square), sum)| {
            let total = square - sum * sum / n;
            if total <= 1e-12 * n {
                return 0.0;
            }
            let residual = (total - gain).max(1e-12 * total) / (n - 2.0).max(1.0);
            gain / residual
        })
        .sum()
    }
}

impl Trial<'_> {
    /// Tries one candidate, given by its left side.
    fn consider(&mut self, left: &Sums, mark: impl Fn() -> Vec<bool>) {
        let all = &self.histogram.all;
        let enough = |grow: usize, check: usize| grow >= self.least.grow.max(1) && check >= self.least.check;
        if !enough(left.grow, left.check) || !enough(all.grow - left.grow, all.check - left.check) {
            return;
        }
        self.n_tried += 1;
        let gain: f64 = self.histogram.gains(left).iter().sum();
        if gain > self.gain {
            self.gain = gain;
            self.left = Some((mark(), left.clone()));
        }
    }

    /// At most a threshold, with missing cells on either side; then known against missing.
    fn thresholds(&mut self) {
        let bins = &self.histogram.bins;
        let Some((missing, known)) = bins.split_last() else {
            return;
        };
        let mut left = Sums::empty(missing.y.len());
        for (cut, bin) in known.iter().enumerate() {
            left.add(bin);
            let mark = |with_missing: bool| {
                let mut marks: Vec<bool> = (0..known.len()).map(|bin| bin <= cut).collect();
                marks.push(with_missing);
                marks
            };
            // the last cut leaves nothing but missing cells on the right: known against missing
            self.consider(&left, || mark(false));
            if missing.grow + missing.check > 0 && cut + 1 < known.len() {
                let mut with_missing = left.clone();
                with_missing.add(missing);
                self.consider(&with_missing, || mark(true));
            }
        }
    }

    /// Two sets of levels, missing being one.
    fn sets(&mut self) {
        let bins = &self.histogram.bins;
        let present: Vec<usize> = (0..bins.len()).filter(|bin| bins[*bin].grow > 0).collect();
        if present.len() <= ALL_SETS {
            self.all_sets(&present);
            return;
        }
        for outcome in 0..self.histogram.all.y.len() {
            let mut order = present.clone();
            let mean = |bin: &usize| bins[*bin].y[outcome] / bins[*bin].grow as f64;
            order.sort_by(|a, b| mean(a).total_cmp(&mean(b)).then(a.cmp(b)));
            for n_left in 1..order.len() {
                self.set(&order[..n_left], present.len());
            }
        }
    }

    /// The first level stays on the right, so that no pair comes twice.
    fn all_sets(&mut self, present: &[usize]) {
        let rest = present.get(1..).unwrap_or_default();
        for chosen in 1..1_usize << rest.len() {
            let left: Vec<usize> = (0..rest.len())
                .filter(|bit| chosen >> bit & 1 == 1)
                .map(|bit| rest[bit])
                .collect();
            self.set(&left, present.len());
        }
    }

    /// The side with fewer levels is marked: levels that the node has not seen go with the others.
    fn set(&mut self, left: &[usize], n_present: usize) {
        let bins = &self.histogram.bins;
        let named = 2 * left.len() <= n_present;
        let seen = |bin: &usize| bins[*bin].grow > 0;
        let marked: Vec<usize> = if named {
            left.to_vec()
        } else {
            (0..bins.len())
                .filter(|bin| seen(bin) && !left.contains(bin))
                .collect()
        };
        let mut sums = Sums::empty(self.histogram.all.y.len());
        for bin in &marked {
            sums.add(&bins[*bin]);
        }
        self.consider(&sums, || {
            (0..bins.len()).map(|bin| marked.contains(&bin)).collect()
        });
    }
}
