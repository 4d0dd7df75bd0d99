//! Resampling of customers: the one bootstrap that every interval without a formula uses.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use thalweg_domain::{Estimate, Seed};

/// Rows looked at over all replicates: large tables get fewer of them.
const ROW_BUDGET: usize = 20_000_000;
const MIN_REPLICATES: usize = 100;
const MAX_REPLICATES: usize = 500;
/// Tables with more rows are thinned before they are resampled.
const MOST_ROWS: usize = 200_000;

/// Which rows belong to the same customer.
#[derive(Debug)]
pub(crate) struct Clusters {
    /// Customer of each row, numbered from 0 in order of first appearance.
    pub(crate) index: Vec<usize>,
    /// Number of customers.
    pub(crate) n: usize,
}

impl Clusters {
    pub(crate) fn new(group: &[u64]) -> Self {
        let mut numbers = BTreeMap::new();
        let index = group
            .iter()
            .map(|group| {
                let next = numbers.len();
                *numbers.entry(*group).or_insert(next)
            })
            .collect();
        Self {
            index,
            n: numbers.len(),
        }
    }
}

/// The rows of every so-many-th customer, about 100,000 to 200,000 of them, and what to multiply a standard error on them
/// by to get that on all rows; none when there are no more rows than that.
///
/// The error of an estimate that is as good as a mean falls with the root of the number of customers, so that resampling
/// all of a very large table would find the same at many times the cost.
pub(crate) fn thinned(clusters: &Clusters) -> Option<(Vec<usize>, f64)> {
    let step = clusters.index.len().div_ceil(MOST_ROWS);
    if step < 2 || clusters.n < 2 * step {
        return None;
    }
    let rows: Vec<usize> = (0..clusters.index.len())
        .filter(|row| clusters.index[*row].is_multiple_of(step))
        .collect();
    let kept = clusters.n.div_ceil(step) as f64;
    Some((rows, (kept / clusters.n as f64).sqrt()))
}

/// Draws of `statistic` under weights that count how often each row's customer was drawn with replacement (Efron 1979,
/// doi:10.1214/aos/1176344552).
///
/// 100 to 500 draws, by the number of rows, so that a standard deviation over them is itself off by 3 to 7 %. Each
/// draw has its own generator: the result does not depend on the number of threads.
pub(crate) fn bootstrap<T: Send>(
    clusters: &Clusters,
    seed: Seed,
    statistic: impl Fn(&[f64]) -> T + Sync,
) -> Vec<T> {
    let replicates = (ROW_BUDGET / clusters.index.len().max(1)).clamp(MIN_REPLICATES, MAX_REPLICATES);
    (0..replicates)
        .into_par_iter()
        .map(|replicate| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed.nth(replicate as u64).0);
            let mut counts = vec![0.0; clusters.n];
            (0..clusters.n).for_each(|_| counts[rng.random_range(0..clusters.n)] += 1.0);
            let weight: Vec<f64> = clusters.index.iter().map(|cluster| counts[*cluster]).collect();
            statistic(&weight)
        })
        .collect()
}

/// Standard deviation of draws.
pub(crate) fn standard_deviation(draws: impl Iterator<Item = f64> + Clone) -> f64 {
    let n = draws.clone().count() as f64;
    if n < 2.0 {
        return 0.0;
    }
    let mean = draws.clone().sum::<f64>() / n;
    (draws.map(|draw| (draw - mean) * (draw - mean)).sum::<f64>() / (n - 1.0)).sqrt()
}

/// `mean ± 1.96 error`, cut to the range of the quantity.
pub(crate) fn normal_within(mean: f64, error: f64, (least, most): (f64, f64)) -> Estimate {
    let plain = Estimate::normal(mean, error, Estimate::Z95);
    Estimate {
        mean,
        low: plain.low.max(least),
        high: plain.high.min(most),
    }
}

/// Standard error of a mean of rows: their deviations summed by customer (Liang and Zeger 1986).
pub(crate) fn clustered_error(values: &[f64], clusters: &Clusters) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let mut sums = vec![0.0; clusters.n];
    for (value, cluster) in values.iter().zip(&clusters.index) {
        sums[*cluster] += value - mean;
    }
    let customers = clusters.n as f64;
    let correct = if customers > 1.0 {
        customers / (customers - 1.0)
    } else {
        0.0
    };
    (correct * sums.iter().map(|sum| sum * sum).sum::<f64>()).sqrt() / n
}

/// The mean of rows with a normal 95 % interval.
pub(crate) fn clustered_mean(values: &[f64], clusters: &Clusters) -> Estimate {
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    Estimate::normal(mean, clustered_error(values, clusters), Estimate::Z95)
}
