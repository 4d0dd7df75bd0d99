//! What matters overall, with intervals: by shuffling a feature, and by what features contribute to scores.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use thalweg_domain::{Column, Error, Estimate, Result, Seed, Table};

use super::bootstrap::{Clusters, bootstrap, clustered_error, normal_within, standard_deviation};
use super::input::{check_finite, check_same};
use crate::measure::student_quantile;

/// What a feature is worth.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureImportance {
    /// The feature.
    pub feature: String,
    /// How much worse the model is without it, in the unit of the loss or metric, with a 95 % interval; 0 or less: it can
    /// be left out.
    pub importance: Estimate,
}

/// A feature whose cells are to be taken from other rows before scoring.
#[derive(Debug, Clone, Copy)]
pub struct Shuffled<'a> {
    /// Place of the feature in the list of features.
    pub feature: usize,
    /// For each row the row whose cell it gets.
    pub order: &'a [usize],
}

/// A table with the cells of one column in another order.
///
/// # Errors
/// `TW0320` when the table has no such column.
pub fn shuffle_column(table: &Table, column: &str, order: &[usize]) -> Result<Table> {
    if table.column(column).is_none() {
        return Err(
            Error::new("TW0320", format!("there is no column \"{column}\" to shuffle"))
                .hint("name a column of the table"),
        );
    }
    let columns = table.columns().iter().map(|own| Column {
        name: own.name.clone(),
        data: if own.name == column {
            own.take(order).data
        } else {
            own.data.clone()
        },
    });
    Table::new(columns.collect())
}

/// How much each feature's information lowers the loss: the mean over rows of the loss with the feature shuffled minus
/// the loss as it is (Breiman 2001, doi:10.1023/A:1010933404324; model reliance of Fisher, Rudin and Dominici 2019,
/// <https://jmlr.org/papers/v20/18-760.html>). Falling order.
///
/// `loss` gives the loss of each row (log loss, squared error) with a feature shuffled, or as it is for none: score rows
/// that the model has not seen. `group`: the customer of each row. Each feature is shuffled `repeats` times, at least
/// once. The normal interval holds the spread over rows, summed by customer, and that over the repeats. Features that
/// say the same thing share their importance: each alone looks dispensable.
///
/// # Errors
/// Those of `loss`; `TW0303` without rows; `TW0320` for losses that are not numbers; `TW0901` when lengths differ.
pub fn permutation_importance(
    features: &[String],
    group: &[u64],
    (repeats, seed): (usize, Seed),
    loss: impl Fn(Option<Shuffled<'_>>) -> Result<Vec<f64>> + Sync,
) -> Result<Vec<FeatureImportance>> {
    let n = group.len();
    let losses = |shuffled: Option<Shuffled<'_>>| {
        let losses = loss(shuffled)?;
        check_same(&[losses.len(), n])?;
        check_finite("loss", &losses)?;
        Ok(losses)
    };
    let plain = losses(None)?;
    let clusters = Clusters::new(group);
    let repeats = repeats.max(1);
    let of_feature = |feature: usize| {
        let mut rise = vec![0.0; n];
        let mut means = Vec::new();
        for repeat in 0..repeats {
            let order = shuffled_rows(
                n,
                seed.stream("permutation").nth(feature as u64).nth(repeat as u64),
            );
            let with = losses(Some(Shuffled {
                feature,
                order: &order,
            }))?;
            let added: Vec<f64> = with
                .iter()
                .zip(&plain)
                .map(|(with, plain)| with - plain)
                .collect();
            means.push(added.iter().sum::<f64>() / n as f64);
            rise.iter_mut()
                .zip(&added)
                .for_each(|(rise, added)| *rise += added / repeats as f64);
        }
        let over_repeats = standard_deviation(means.iter().copied()) / (repeats as f64).sqrt();
        let error = clustered_error(&rise, &clusters).hypot(over_repeats);
        let mean = rise.iter().sum::<f64>() / n as f64;
        Ok(FeatureImportance {
            feature: features[feature].clone(),
            importance: Estimate::normal(mean, error, Estimate::Z95),
        })
    };
    let found = (0..features.len())
        .into_par_iter()
        .map(of_feature)
        .collect::<Result<Vec<_>>>()?;
    Ok(falling(found))
}

/// The same for a metric of all rows together, such as an AUC: how much it falls when a feature is shuffled.
///
/// `metric` gives the metric, more being better. The interval is Student's over at least two repeats: it says how far
/// shuffling decides the figure, not how far the rows do. Falling order.
///
/// # Errors
/// Those of `metric`; `TW0303` without rows; `TW0320` for a metric that is not a number.
pub fn permutation_importance_of_metric(
    features: &[String],
    n_rows: usize,
    (repeats, seed): (usize, Seed),
    metric: impl Fn(Option<Shuffled<'_>>) -> Result<f64> + Sync,
) -> Result<Vec<FeatureImportance>> {
    check_same(&[n_rows])?;
    let plain = metric(None)?;
    check_finite("metric", &[plain])?;
    let repeats = repeats.max(2);
    let of_feature = |feature: usize| {
        let fall = |repeat: usize| {
            let order = shuffled_rows(
                n_rows,
                seed.stream("permutation").nth(feature as u64).nth(repeat as u64),
            );
            Ok(plain
                - metric(Some(Shuffled {
                    feature,
                    order: &order,
                }))?)
        };
        let falls = (0..repeats).map(fall).collect::<Result<Vec<f64>>>()?;
        check_finite("metric", &falls)?;
        let n = repeats as f64;
        let error = standard_deviation(falls.iter().copied()) / n.sqrt();
        Ok(FeatureImportance {
            feature: features[feature].clone(),
            importance: Estimate::normal(
                falls.iter().sum::<f64>() / n,
                error,
                student_quantile(0.975, n - 1.0),
            ),
        })
    };
    let found = (0..features.len())
        .into_par_iter()
        .map(of_feature)
        .collect::<Result<Vec<_>>>()?;
    Ok(falling(found))
}

fn falling(mut found: Vec<FeatureImportance>) -> Vec<FeatureImportance> {
    found.sort_by(|a, b| b.importance.mean.total_cmp(&a.importance.mean));
    found
}

/// A uniformly drawn order of the rows (Fisher and Yates).
fn shuffled_rows(n: usize, seed: Seed) -> Vec<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed.0);
    let mut order: Vec<usize> = (0..n).collect();
    for last in (1..n).rev() {
        order.swap(last, rng.random_range(0..=last));
    }
    order
}

/// What a feature contributes to scores.
#[derive(Debug, Clone, PartialEq)]
pub struct ContributionImportance {
    /// The feature.
    pub feature: String,
    /// Mean over rows of the absolute contribution, in its unit, with a 95 % interval.
    pub mean_absolute: Estimate,
    /// Its part of the sum over all features, in [0, 1], with a 95 % interval.
    pub share: Estimate,
}

/// Mean absolute contribution of each feature (Lundberg et al. 2020, doi:10.1038/s42256-019-0138-9), falling.
///
/// `contributions`: one number per feature, row after row, that add up to a row's score but for its base; `group`: the
/// customer of each row. Intervals are normal ones with a bootstrap standard error over customers: they say how far the
/// rows decide the figures, for this model.
///
/// # Errors
/// `TW0303` without rows or features; `TW0320` for contributions that are not numbers; `TW0901` when lengths differ.
pub fn contribution_importance(
    contributions: &[f64],
    features: &[String],
    group: &[u64],
    seed: Seed,
) -> Result<Vec<ContributionImportance>> {
    let k = features.len();
    check_same(&[contributions.len(), group.len() * k])?;
    check_finite("contribution", contributions)?;
    let customers = Clusters::new(group);
    // sums by customer: a draw then costs as much as there are customers
    let mut sums = vec![0.0; customers.n * (k + 1)];
    for (row, customer) in contributions.chunks_exact(k).zip(&customers.index) {
        let own = &mut sums[customer * (k + 1)..(customer + 1) * (k + 1)];
        own[k] += 1.0;
        own.iter_mut().zip(row).for_each(|(sum, cell)| *sum += cell.abs());
    }
    let means = |weight: &dyn Fn(usize) -> f64| {
        let mut totals = vec![0.0; k + 1];
        for (customer, own) in sums.chunks_exact(k + 1).enumerate() {
            let weight = weight(customer);
            totals
                .iter_mut()
                .zip(own)
                .for_each(|(total, sum)| *total += weight * sum);
        }
        let rows = totals.pop().unwrap_or(1.0);
        let all: f64 = totals.iter().sum();
        let share = |total: f64| if all > 0.0 { total / all } else { 0.0 };
        totals
            .into_iter()
            .map(|total| (total / rows, share(total)))
            .collect::<Vec<(f64, f64)>>()
    };
    let each_once = Clusters {
        index: (0..customers.n).collect(),
        n: customers.n,
    };
    let draws = bootstrap(&each_once, seed.stream("contributions"), |weight| {
        means(&|customer| weight[customer])
    });
    let plain = means(&|_| 1.0);
    let mut found: Vec<ContributionImportance> = features
        .iter()
        .enumerate()
        .map(|(feature, name)| {
            let error =
                |of: fn(&(f64, f64)) -> f64| standard_deviation(draws.iter().map(|draw| of(&draw[feature])));
            ContributionImportance {
                feature: name.clone(),
                mean_absolute: normal_within(plain[feature].0, error(|own| own.0), (0.0, f64::INFINITY)),
                share: normal_within(plain[feature].1, error(|own| own.1), (0.0, 1.0)),
            }
        })
        .collect();
    found.sort_by(|a, b| b.mean_absolute.mean.total_cmp(&a.mean_absolute.mean));
    Ok(found)
}
