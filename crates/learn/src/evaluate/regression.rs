//! The metrics of predicted numbers, of predicted quantiles and of intervals.

use thalweg_domain::{Error, Estimate, Result, Seed};

use super::NamedEstimates;
use super::bootstrap::{Clusters, bootstrap, clustered_mean, normal_within, standard_deviation, thinned};
use super::groups::take;
use super::input::{check_finite, check_rows, check_same};
use super::interval::range;

/// The metrics of predicted numbers in the order in which they are reported.
pub const VALUE_METRIC_NAMES: [&str; 4] = ["rmse", "mae", "median_absolute_error", "r2"];

/// The value of each metric, in the order of [`VALUE_METRIC_NAMES`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValueMetrics(pub [f64; VALUE_METRIC_NAMES.len()]);

impl ValueMetrics {
    /// The metric of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        let place = VALUE_METRIC_NAMES.iter().position(|own| *own == name)?;
        self.0.get(place).copied()
    }
}

/// Computes every metric of predictions against values.
///
/// * `rmse`, `mae`, `median_absolute_error`: root mean square, mean and median of |prediction - value|, in its unit.
/// * `r2`: 1 - squared error / squared deviation from the mean; where all values are the same 1 for a perfect
///   prediction, else 0.
///
/// `prediction`, `y` and `weight` (all 1 for none) have one entry per row.
///
/// # Errors
/// `TW0303` without rows; `TW0320` for numbers or weights that cannot be used; `TW0901` when lengths differ.
pub fn value_metrics(prediction: &[f64], y: &[f64], weight: Option<&[f64]>) -> Result<ValueMetrics> {
    check_rows(prediction, y.len(), weight)?;
    check_finite("value", y)?;
    Ok(Prepared::new(prediction, y).metrics(weight))
}

/// Every metric with a 95 % interval: normal, with a bootstrap standard error over customers (`group`, one per row).
///
/// # Errors
/// As [`value_metrics`].
pub fn value_estimates(prediction: &[f64], y: &[f64], group: &[u64], seed: Seed) -> Result<NamedEstimates> {
    let means = value_metrics(prediction, y, None)?;
    check_same(&[group.len(), y.len()])?;
    let clusters = Clusters::new(group);
    let seed = seed.stream("value_metrics");
    let (draws, scale) = match thinned(&clusters) {
        None => (draws(prediction, y, &clusters, seed), 1.0),
        Some((rows, scale)) => {
            let clusters = Clusters::new(&take(group, &rows));
            (
                draws(&take(prediction, &rows), &take(y, &rows), &clusters, seed),
                scale,
            )
        }
    };
    let estimate = |place: usize| {
        let error = scale * standard_deviation(draws.iter().map(|draw| draw.0[place]));
        normal_within(means.0[place], error, range(VALUE_METRIC_NAMES[place]))
    };
    let named = VALUE_METRIC_NAMES.iter().enumerate();
    Ok(named.map(|(place, name)| (*name, estimate(place))).collect())
}

fn draws(prediction: &[f64], y: &[f64], clusters: &Clusters, seed: Seed) -> Vec<ValueMetrics> {
    let prepared = Prepared::new(prediction, y);
    bootstrap(clusters, seed, |weight| prepared.metrics(Some(weight)))
}

/// Rows by rising absolute error.
struct Prepared<'a> {
    y: &'a [f64],
    errors: Vec<(f64, usize)>,
}

impl<'a> Prepared<'a> {
    fn new(prediction: &[f64], y: &'a [f64]) -> Self {
        let absolute = prediction
            .iter()
            .zip(y)
            .map(|(prediction, y)| (prediction - y).abs());
        let mut errors: Vec<(f64, usize)> = absolute.zip(0..).collect();
        errors.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self { y, errors }
    }

    fn metrics(&self, weight: Option<&[f64]>) -> ValueMetrics {
        let weight_of = |row: usize| weight.map_or(1.0, |weight| weight[row]);
        let total: f64 = (0..self.y.len()).map(weight_of).sum();
        let mean = self
            .y
            .iter()
            .enumerate()
            .map(|(row, y)| weight_of(row) * y)
            .sum::<f64>()
            / total;
        let (mut squares, mut absolute, mut deviation) = (0.0, 0.0, 0.0);
        for (error, row) in &self.errors {
            let weight = weight_of(*row);
            squares += weight * error * error;
            absolute += weight * error;
            deviation += weight * (self.y[*row] - mean).powi(2);
        }
        let r2 = match (deviation > 0.0, squares > 0.0) {
            (true, _) => 1.0 - squares / deviation,
            (false, true) => 0.0,
            (false, false) => 1.0,
        };
        let median = self.median(&weight_of, total);
        ValueMetrics([(squares / total).sqrt(), absolute / total, median, r2])
    }

    /// The weighted median: the mean of the two middle errors where half of the weight lies below.
    fn median(&self, weight_of: &dyn Fn(usize) -> f64, total: f64) -> f64 {
        let mut below = 0.0;
        let mut counted = self
            .errors
            .iter()
            .filter(|(_, row)| weight_of(*row) > 0.0)
            .peekable();
        while let Some((error, row)) = counted.next() {
            below += weight_of(*row);
            if (below - 0.5 * total).abs() <= 1e-12 * total {
                return counted.peek().map_or(*error, |(next, _)| 0.5 * (error + next));
            }
            if below > 0.5 * total {
                return *error;
            }
        }
        0.0
    }
}

/// The pinball loss of predicted quantiles: mean of `q (y - prediction)` where y is above and `(1 - q) (prediction - y)`
/// where below (Koenker and Bassett 1978, doi:10.2307/1913643). `q` in (0, 1); the others as [`value_metrics`].
///
/// # Errors
/// As [`value_metrics`]; `TW0320` for a `q` out of range.
pub fn pinball_loss(prediction: &[f64], y: &[f64], weight: Option<&[f64]>, q: f64) -> Result<f64> {
    check_rows(prediction, y.len(), weight)?;
    check_finite("value", y)?;
    check_level("quantile", q)?;
    let (mut sum, mut total) = (0.0, 0.0);
    for (row, (prediction, y)) in prediction.iter().zip(y).enumerate() {
        let weight = weight.map_or(1.0, |weight| weight[row]);
        let over = y - prediction;
        sum += weight * if over >= 0.0 { q * over } else { (q - 1.0) * over };
        total += weight;
    }
    Ok(sum / total)
}

pub(crate) fn check_level(what: &str, level: f64) -> Result<()> {
    if level > 0.0 && level < 1.0 {
        return Ok(());
    }
    Err(
        Error::new("TW0320", format!("the {what} {level} is not between 0 and 1"))
            .hint("give a share such as 0.9"),
    )
}

/// How intervals fared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IntervalQuality {
    /// Share of values inside, ends included, with a 95 % interval by customer.
    pub coverage: Estimate,
    /// Mean width.
    pub mean_width: f64,
    /// Mean interval score (Winkler 1972): width plus `2 / (1 - level)` times the distance of a value outside.
    pub interval_score: f64,
}

/// Holds prediction intervals that should cover a share `level` against what came.
///
/// `low`, `high`, `y` and `group` (the customer) have one entry per row; ends may be infinite.
///
/// # Errors
/// `TW0303` without rows; `TW0320` for a level or value that cannot be used; `TW0901` when lengths differ.
pub fn interval_quality(
    low: &[f64],
    high: &[f64],
    y: &[f64],
    group: &[u64],
    level: f64,
) -> Result<IntervalQuality> {
    check_same(&[low.len(), high.len(), y.len(), group.len()])?;
    check_finite("value", y)?;
    check_level("level", level)?;
    let n = y.len() as f64;
    let inside = |row: usize| f64::from(u8::from((low[row]..=high[row]).contains(&y[row])));
    let outside = |row: usize| (low[row] - y[row]).max(y[row] - high[row]).max(0.0);
    let covered: Vec<f64> = (0..y.len()).map(inside).collect();
    let mean_width = low.iter().zip(high).map(|(low, high)| high - low).sum::<f64>() / n;
    Ok(IntervalQuality {
        coverage: clustered_mean(&covered, &Clusters::new(group)),
        mean_width,
        interval_score: mean_width + 2.0 / (1.0 - level) * (0..y.len()).map(outside).sum::<f64>() / n,
    })
}
