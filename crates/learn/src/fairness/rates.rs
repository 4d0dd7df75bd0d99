//! A rate among customers, and the difference and ratio of two of them, with their intervals.

use thalweg_domain::Estimate;

use crate::evaluate::bootstrap::{Clusters, clustered_error};
use crate::evaluate::wilson;

/// A rate with the rows behind it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// The rate with its Wilson interval (95 %); mean 0 and the interval from 0 to 1 without rows.
    pub estimate: Estimate,
    /// Number of rows that it is a share of.
    pub n: usize,
    /// As many independent rows as say the same: fewer where a customer has several rows that agree.
    pub effective_n: f64,
}

impl Rate {
    /// The share of `hits`; `group` is the customer of each.
    #[must_use]
    pub fn of(hits: &[bool], group: &[u64]) -> Self {
        let n = hits.len();
        if n == 0 {
            return Self {
                estimate: Estimate {
                    mean: 0.0,
                    low: 0.0,
                    high: 1.0,
                },
                n,
                effective_n: 0.0,
            };
        }
        let cells: Vec<f64> = hits.iter().map(|hit| f64::from(u8::from(*hit))).collect();
        let mean = cells.iter().sum::<f64>() / n as f64;
        let clusters = Clusters::new(group);
        let error = clustered_error(&cells, &clusters);
        let effective_n = if clusters.n == n {
            n as f64
        } else if error > 0.0 {
            (mean * (1.0 - mean) / (error * error)).clamp(1.0, n as f64)
        } else {
            clusters.n as f64
        };
        Self {
            estimate: wilson(mean, effective_n, Estimate::Z95),
            n,
            effective_n,
        }
    }

    /// The Wilson interval at another level.
    pub(crate) fn at(&self, z: f64) -> Estimate {
        if self.n == 0 {
            self.estimate
        } else {
            wilson(self.estimate.mean, self.effective_n, z)
        }
    }
}

/// `a - b` with Newcombe's hybrid score interval (1998, method 10, doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I).
/// `z` sets the level: 1.96 for 95 %.
#[must_use]
pub fn newcombe_difference(a: &Rate, b: &Rate, z: f64) -> Estimate {
    let (own, other) = (a.at(z), b.at(z));
    let mean = own.mean - other.mean;
    Estimate {
        mean,
        low: mean - (own.mean - own.low).hypot(other.high - other.mean),
        high: mean + (own.high - own.mean).hypot(other.mean - other.low),
    }
}

/// `a / b` with the interval of Katz et al. 1978 (doi:10.2307/2530610) on the log scale; half a hit is added to each
/// where one has none. Without rows from 0 to infinity.
#[must_use]
pub fn ratio_interval(a: &Rate, b: &Rate, z: f64) -> Estimate {
    if a.n == 0 || b.n == 0 {
        return Estimate {
            mean: 1.0,
            low: 0.0,
            high: f64::INFINITY,
        };
    }
    let none = a.estimate.mean == 0.0 || b.estimate.mean == 0.0;
    let part = |rate: &Rate| {
        let add = if none { 0.5 } else { 0.0 };
        let (hits, n) = (
            rate.estimate.mean * rate.effective_n + add,
            rate.effective_n + add,
        );
        (hits / n, (1.0 / hits - 1.0 / n).max(0.0))
    };
    let ((own, own_variance), (other, other_variance)) = (part(a), part(b));
    let mean = own / other;
    let reach = (z * (own_variance + other_variance).sqrt()).exp();
    Estimate {
        mean,
        low: mean / reach,
        high: mean * reach,
    }
}
