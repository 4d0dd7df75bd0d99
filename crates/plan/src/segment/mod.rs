//! Who the groups are that differ in risk, value and response: a shallow honest tree over the customers' columns.
//!
//! The tree is grown on one half of the customers and described on the other (honest trees: Athey and Imbens 2016,
//! doi:10.1073/pnas.1510489113), so that the figures of a group are not those that made it look like a group. Resampling says
//! how far the same groups would have come out again.

mod bins;
mod grow;
mod rand_index;
mod region;
mod split;
mod stability;

use thalweg_domain::{Error, Result, Seed, Table};

use self::bins::bin_columns;
use self::grow::{Draw, Tree};
use crate::randomise::draw::Generator;

pub use self::rand_index::adjusted_rand;
pub use self::stability::Stability;

/// How groups are looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SegmentParams {
    /// Most splits on the way to a group, 1 or more.
    pub max_depth: usize,
    /// Least customers of a group in each half.
    pub min_rows: usize,
    /// Least share of the customers of each half in a group.
    pub min_share: f64,
    /// A split must explain at least this share of all that differs between the customers of its half.
    pub min_gain: f64,
    /// Most customers on whom the tree is grown.
    pub max_rows: usize,
    /// Resamples for the stability; 0 skips it.
    pub resamples: usize,
    /// Draws the halves and the resamples.
    pub seed: Seed,
}

impl SegmentParams {
    /// Three splits deep, groups of at least 30 customers and 5 % in each half, 40 resamples.
    #[must_use]
    pub const fn new(seed: Seed) -> Self {
        Self {
            max_depth: 3,
            min_rows: 30,
            min_share: 0.05,
            min_gain: 0.01,
            max_rows: 20_000,
            resamples: 40,
            seed,
        }
    }
}

/// One group: the customers for whom all rules hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Each rule in words, such as `tenure <= 12`; none when there is one group only.
    pub rules: Vec<String>,
}

/// The groups.
#[derive(Debug, Clone, PartialEq)]
pub struct Segmentation {
    /// Every group, in the order of the tree.
    pub leaves: Vec<Leaf>,
    /// The group of each customer.
    pub leaf_of: Vec<usize>,
    /// True for the customers on whom the tree was not grown: figures come from them.
    pub honest: Vec<bool>,
    /// Share of what differs between the honest customers that the groups explain; mean over the outcomes.
    pub explained: f64,
    /// Column of the first split.
    pub first: Option<String>,
    /// How far resamples agree; `None` when they were not asked for.
    pub stability: Option<Stability>,
}

/// Finds the groups.
///
/// A split is the one that lowers `sum_d sum_i (y_id - mean_d)^2 / var_d` most over the growing half, for outcomes `d` that are
/// each divided by their variance over all customers. Numbers and dates split at a threshold with missing cells on either
/// side, or known against missing; categories and truth values into two sets of levels (missing is a level), every pair of
/// sets for up to eight levels, those along each outcome's order of means for more (Fisher 1958, doi:10.1080/01621459.1958.10501479).
/// A split must also be larger than chance would make the best of so many candidates: `sum_d` of its gain over the node's
/// residual variance above the 95 % bound of a chi-square maximum (Laurent and Massart 2000, doi:10.1214/aos/1015957395).
///
/// `outcomes` has one list per outcome with one finite number per row of `table`. Same input and seed give the same groups
/// whatever the number of threads. Columns of text, and categories with more than 64 levels, are not split on. The
/// bound on chance assumes outcomes that are not far from uncorrelated within a group.
///
/// # Errors
/// `TW0901` when an outcome has another length than the table, or a number that is not finite.
pub fn segments(table: &Table, outcomes: &[&[f64]], params: &SegmentParams) -> Result<Segmentation> {
    check(table, outcomes)?;
    let n = table.n_rows();
    let y = standardised(outcomes, n);
    let columns = bin_columns(table);
    let mut order: Vec<usize> = (0..n).collect();
    Generator::new(params.seed.stream("halves")).shuffle(&mut order);
    let n_grow = (n / 2).min(params.max_rows);
    let (grown_on, rest) = order.split_at(n_grow);
    let draw = Draw {
        grow: grown_on,
        check: rest,
    };
    let tree = Tree::grow(&columns, &y, &draw, params);
    let leaf_of = tree.assign_all(&columns, n);
    let mut honest = vec![false; n];
    for row in rest {
        honest[*row] = true;
    }
    let stability = (params.resamples > 0 && n > 0)
        .then(|| stability::stability(&columns, &y, (&tree, &leaf_of, &order), params));
    Ok(Segmentation {
        leaves: tree.leaves(&columns),
        explained: explained(&y, rest, &leaf_of),
        first: tree.first().map(|split| columns[split.column].name.clone()),
        leaf_of,
        honest,
        stability,
    })
}

fn check(table: &Table, outcomes: &[&[f64]]) -> Result<()> {
    for outcome in outcomes {
        if outcome.len() != table.n_rows() {
            return Err(Error::new(
                "TW0901",
                format!(
                    "internal error: {} outcomes for {} customers to group",
                    outcome.len(),
                    table.n_rows()
                ),
            ));
        }
        if let Some(value) = outcome.iter().find(|value| !value.is_finite()) {
            return Err(Error::new(
                "TW0901",
                format!("internal error: an outcome to group by is {value}"),
            ));
        }
    }
    Ok(())
}

/// Outcomes row by row, `outcomes.len()` numbers each, with mean 0 and variance 1; a constant outcome is 0.
pub(crate) struct Outcomes {
    pub(crate) width: usize,
    cells: Vec<f64>,
}

impl Outcomes {
    pub(crate) fn of(&self, row: usize) -> &[f64] {
        &self.cells[row * self.width..(row + 1) * self.width]
    }
}

fn standardised(outcomes: &[&[f64]], n: usize) -> Outcomes {
    let width = outcomes.len();
    let mut cells = vec![0.0; n * width];
    for (index, outcome) in outcomes.iter().enumerate() {
        let mean = outcome.iter().sum::<f64>() / n.max(1) as f64;
        let variance = outcome.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / n.max(1) as f64;
        let scale = if variance > 0.0 {
            variance.sqrt().recip()
        } else {
            0.0
        };
        for (row, y) in outcome.iter().enumerate() {
            cells[row * width + index] = (y - mean) * scale;
        }
    }
    Outcomes { width, cells }
}

/// `1 - within / total` over the given rows, both summed over the outcomes.
fn explained(y: &Outcomes, rows: &[usize], leaf_of: &[usize]) -> f64 {
    let n_leaves = rows.iter().map(|row| leaf_of[*row] + 1).max().unwrap_or(0);
    let mut leaf = vec![vec![0.0; y.width + 1]; n_leaves];
    let mut all = vec![0.0; y.width + 1];
    let mut squares = 0.0;
    for row in rows {
        for sums in [&mut leaf[leaf_of[*row]], &mut all] {
            sums[y.width] += 1.0;
            for (sum, value) in sums.iter_mut().zip(y.of(*row)) {
                *sum += value;
            }
        }
        squares += y.of(*row).iter().map(|value| value * value).sum::<f64>();
    }
    let between = |sums: &[f64]| {
        let n = sums[y.width].max(1.0);
        sums[..y.width].iter().map(|sum| sum * sum / n).sum::<f64>()
    };
    let total = squares - between(&all);
    if total <= 0.0 {
        return 0.0;
    }
    (leaf.iter().map(|sums| between(sums)).sum::<f64>() - between(&all)) / total
}

#[cfg(test)]
mod tests;
