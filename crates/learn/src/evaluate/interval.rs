//! 95 % intervals of the metrics by a bootstrap over customers.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use thalweg_domain::{Estimate, Result, Seed};

use super::metrics::{Economics, METRIC_NAMES, Metrics, Sorted};

/// Rows looked at over all replicates: large tables get fewer of them.
const ROW_BUDGET: usize = 20_000_000;
const MIN_REPLICATES: usize = 100;
const MAX_REPLICATES: usize = 500;

/// The standard error of each metric: customers (all rows of a group together) are drawn with replacement, and the
/// metric's standard deviation over the draws is taken (Efron 1979).
///
/// 100 to 500 draws, so that the standard error itself is off by 3 to 7 %.
pub(super) fn standard_errors(
    p: &[f64],
    y: &[bool],
    group: &[u64],
    economics: &Economics<'_>,
    seed: Seed,
) -> Result<[f64; METRIC_NAMES.len()]> {
    let sorted = Sorted::new(p, y, economics)?;
    let groups = group_index(group);
    let n_groups = groups.iter().max().map_or(0, |last| last + 1);
    let replicates = (ROW_BUDGET / p.len()).clamp(MIN_REPLICATES, MAX_REPLICATES);
    let draws: Vec<Metrics> = (0..replicates)
        .into_par_iter()
        .map(|replicate| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed.nth(replicate as u64).0);
            let mut counts = vec![0.0; n_groups];
            (0..n_groups).for_each(|_| counts[rng.random_range(0..n_groups)] += 1.0);
            let weight: Vec<f64> = groups.iter().map(|group| counts[*group]).collect();
            sorted.metrics(Some(&weight))
        })
        .collect();
    Ok(std::array::from_fn(|metric| standard_deviation(&draws, metric)))
}

/// Intervals of `mean ± 1.96 standard errors`, cut to the metric's range.
pub(super) fn estimates(
    means: &Metrics,
    errors: &[f64; METRIC_NAMES.len()],
) -> Vec<(&'static str, Estimate)> {
    let each = METRIC_NAMES.iter().zip(means.0.iter().zip(errors));
    each.map(|(name, (mean, error))| {
        let plain = Estimate::normal(*mean, *error, Estimate::Z95);
        let (least, most) = range(name);
        (
            *name,
            Estimate {
                mean: *mean,
                low: plain.low.max(least),
                high: plain.high.min(most),
            },
        )
    })
    .collect()
}

fn range(metric: &str) -> (f64, f64) {
    match metric {
        "profit_per_customer" => (f64::NEG_INFINITY, f64::INFINITY),
        "log_loss" => (0.0, f64::INFINITY),
        "top_decile_lift" => (0.0, 10.0),
        _ => (0.0, 1.0),
    }
}

/// Groups numbered from 0 in order of first appearance.
fn group_index(group: &[u64]) -> Vec<usize> {
    let mut numbers = BTreeMap::new();
    group
        .iter()
        .map(|group| {
            let next = numbers.len();
            *numbers.entry(*group).or_insert(next)
        })
        .collect()
}

fn standard_deviation(draws: &[Metrics], metric: usize) -> f64 {
    let n = draws.len() as f64;
    let mean = draws.iter().map(|draw| draw.0[metric]).sum::<f64>() / n;
    let squares: f64 = draws.iter().map(|draw| (draw.0[metric] - mean).powi(2)).sum();
    (squares / (n - 1.0)).sqrt()
}
