//! 95 % intervals of the two-class metrics: a formula where there is one, else a bootstrap over customers.

use thalweg_domain::{Estimate, Result, Seed};

use super::bootstrap::{Clusters, bootstrap, normal_within, standard_deviation, thinned};
use super::delong::auc_error;
use super::groups::take;
use super::metrics::{Economics, METRIC_NAMES, Metrics, SLOPE, Sorted};
use super::recalibration::recalibration_errors;

/// How a metric's 95 % interval was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntervalMethod {
    /// Normal, with the standard error of DeLong et al. 1988; clustered as by Obuchowski 1997 where customers repeat.
    DeLong,
    /// Normal, with the robust ("sandwich") standard error of Liang and Zeger 1986.
    Sandwich,
    /// Normal, with a bootstrap standard error; customers are drawn with replacement.
    Bootstrap,
}

impl IntervalMethod {
    /// As it is printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DeLong => "DeLong",
            Self::Sandwich => "sandwich",
            Self::Bootstrap => "bootstrap",
        }
    }
}

/// The method behind the interval of a metric of that name.
#[must_use]
pub fn interval_method(metric: &str) -> IntervalMethod {
    match metric {
        "auc" => IntervalMethod::DeLong,
        "calibration_slope" | "calibration_intercept" => IntervalMethod::Sandwich,
        _ => IntervalMethod::Bootstrap,
    }
}

/// The standard error of each metric, in the order of [`METRIC_NAMES`]; see [`interval_method`].
pub(super) fn standard_errors(
    p: &[f64],
    y: &[bool],
    group: &[u64],
    economics: &Economics<'_>,
    seed: Seed,
) -> Result<[f64; METRIC_NAMES.len()]> {
    let clusters = Clusters::new(group);
    let mut errors = match thinned(&clusters) {
        None => bootstrap_errors(&Sorted::new(p, y, economics)?, &clusters, seed),
        Some((rows, scale)) => {
            // refuses what the rows left out hold as well
            Sorted::new(p, y, economics)?;
            let economics = Economics {
                value: &take(economics.value, &rows),
                ..*economics
            };
            let sorted = Sorted::new(&take(p, &rows), &take(y, &rows), &economics)?;
            bootstrap_errors(&sorted, &Clusters::new(&take(group, &rows)), seed).map(|error| scale * error)
        }
    };
    errors[0] = auc_error(p, y, &clusters).1;
    let scores: Vec<(f64, bool)> = p.iter().copied().zip(y.iter().copied()).collect();
    let [slope, intercept] = recalibration_errors(&scores, &clusters);
    errors[SLOPE] = slope;
    errors[SLOPE + 1] = intercept;
    Ok(errors)
}

fn bootstrap_errors(sorted: &Sorted, clusters: &Clusters, seed: Seed) -> [f64; METRIC_NAMES.len()] {
    let draws: Vec<Metrics> = bootstrap(clusters, seed, |weight| sorted.replicate(Some(weight)));
    std::array::from_fn(|metric| standard_deviation(draws.iter().map(|draw| draw.0[metric])))
}

/// Intervals of `mean ± 1.96 standard errors`, cut to the metric's range.
pub(super) fn estimates(
    means: &Metrics,
    errors: &[f64; METRIC_NAMES.len()],
) -> Vec<(&'static str, Estimate)> {
    let each = METRIC_NAMES.iter().zip(means.0.iter().zip(errors));
    each.map(|(name, (mean, error))| (*name, normal_within(*mean, *error, range(name))))
        .collect()
}

/// Least and highest value of a metric.
pub(super) fn range(metric: &str) -> (f64, f64) {
    match metric {
        "profit_per_customer" | "calibration_slope" | "calibration_intercept" => {
            (f64::NEG_INFINITY, f64::INFINITY)
        }
        "r2" => (f64::NEG_INFINITY, 1.0),
        "log_loss" | "expected_maximum_profit" | "rmse" | "mae" | "median_absolute_error" => {
            (0.0, f64::INFINITY)
        }
        "top_decile_lift" => (0.0, 10.0),
        _ => (0.0, 1.0),
    }
}
