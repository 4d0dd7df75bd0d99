//! How far the same groups come out again: the tree grown on resampled customers.

use rayon::prelude::*;

use super::bins::Binned;
use super::grow::{Draw, Tree};
use super::rand_index::adjusted_rand;
use super::{Outcomes, SegmentParams};
use crate::randomise::draw::Generator;

/// Two first splits are near when they part at least this share of the customers alike.
const NEAR: f64 = 0.95;

/// How far resamples agree with the groups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stability {
    /// Resamples.
    pub resamples: usize,
    /// Share of the resamples that split the same column first.
    pub same_column: f64,
    /// Share that split it first where at least 95 % of the customers fall on the same side.
    pub near_threshold: f64,
    /// Mean adjusted Rand index between the groups and a resample's.
    pub adjusted_rand: f64,
}

/// One resample's answer.
struct Again {
    same_column: bool,
    near: bool,
    rand: f64,
}

/// Grows the tree on customers drawn with replacement (Efron 1979, doi:10.1214/aos/1176344552), each resample with halves of its
/// own, and compares on at most `2 max_rows` customers. `order` is the customers in random order.
pub(super) fn stability(
    columns: &[Binned],
    y: &Outcomes,
    (tree, leaf_of, order): (&Tree, &[usize], &[usize]),
    params: &SegmentParams,
) -> Stability {
    let n = order.len();
    let compared = order.get(..n.min(2 * params.max_rows)).unwrap_or_default();
    let own: Vec<usize> = compared.iter().map(|row| leaf_of[*row]).collect();
    let seed = params.seed.stream("resamples");
    let again: Vec<Again> = (0..params.resamples)
        .into_par_iter()
        .map(|index| {
            let mut generator = Generator::new(seed.nth(index as u64));
            let drawn: Vec<usize> = compared
                .iter()
                .map(|_| compared[generator.below(compared.len())])
                .collect();
            let (grow, check) = drawn.split_at(drawn.len() / 2);
            let other = Tree::grow(columns, y, &Draw { grow, check }, params);
            let groups: Vec<usize> = compared.iter().map(|row| other.assign(columns, *row)).collect();
            let alike = alike(columns, (tree, &other), compared);
            Again {
                same_column: alike.is_some(),
                near: alike.is_some_and(|share| share >= NEAR),
                rand: adjusted_rand(&own, &groups),
            }
        })
        .collect();
    let share = |holds: fn(&Again) -> bool| {
        again.iter().filter(|again| holds(again)).count() as f64 / again.len().max(1) as f64
    };
    Stability {
        resamples: again.len(),
        same_column: share(|again| again.same_column),
        near_threshold: share(|again| again.near),
        adjusted_rand: again.iter().map(|again| again.rand).sum::<f64>() / again.len().max(1) as f64,
    }
}

/// The share of customers on the same side of both first splits, if both split the same column (or both nothing).
fn alike(columns: &[Binned], (one, other): (&Tree, &Tree), rows: &[usize]) -> Option<f64> {
    let (one, other) = match (one.first(), other.first()) {
        (None, None) => return Some(1.0),
        (Some(one), Some(other)) if one.column == other.column => (one, other),
        _ => return None,
    };
    let bin_of = &columns[one.column].bin_of;
    let same = rows
        .iter()
        .filter(|row| {
            let bin = usize::from(bin_of[**row]);
            one.left[bin] == other.left[bin]
        })
        .count();
    let share = same as f64 / rows.len().max(1) as f64;
    // sets of levels may have changed sides
    Some(if columns[one.column].scale.is_ordered() {
        share
    } else {
        share.max(1.0 - share)
    })
}
