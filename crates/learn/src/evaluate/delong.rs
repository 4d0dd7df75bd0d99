//! The variance of an AUC from its structural components: DeLong's, for many rows per customer Obuchowski's.

use thalweg_domain::Estimate;

use super::bootstrap::Clusters;

/// The AUC of scores with its standard error.
///
/// DeLong, DeLong and Clarke-Pearson 1988 (doi:10.2307/2531595) by the midranks of Sun and Xu 2014
/// (doi:10.1109/LSP.2014.2337313) in O(n log n); where customers have several rows, the components are summed by
/// customer (Obuchowski 1997, doi:10.2307/2533958), which equals DeLong's when each has one.
///
/// `score`: any numbers, higher for likelier positives; `y` and `group` (the customer): one per row. The AUC is 0.5 and
/// the error 0 without both classes; the error is 0 with a single row or customer of a class.
#[must_use]
pub fn auc_with_error(score: &[f64], y: &[bool], group: &[u64]) -> (f64, f64) {
    auc_error(score, y, &Clusters::new(group))
}

/// The AUC with its 95 % interval: normal, cut to [0, 1].
///
/// When no pair is out of order (or none in order) the variance is 0 and says nothing: the open end then is the exact
/// binomial bound for as many successes as there are rows of the rarer class (Clopper and Pearson 1934).
#[must_use]
pub fn auc_interval(score: &[f64], y: &[bool], group: &[u64]) -> Estimate {
    let (auc, error) = auc_with_error(score, y, group);
    interval(auc, error, y)
}

/// How much higher the AUC of `a` is than that of `b` on the same rows, with the standard error of the difference.
///
/// The paired test of DeLong, DeLong and Clarke-Pearson 1988 (doi:10.2307/2531595): the variance of the difference is that of the
/// rows' differences of structural components, so what the two scores share cancels. Arguments as [`auc_with_error`].
#[must_use]
pub fn auc_difference(a: &[f64], b: &[f64], y: &[bool], group: &[u64]) -> (f64, f64) {
    let positives = y.iter().filter(|y| **y).count();
    let negatives = y.len() - positives;
    if positives == 0 || negatives == 0 {
        return (0.0, 0.0);
    }
    let (m, n) = (positives as f64, negatives as f64);
    let own = components(a, y, m, n);
    let differences: Vec<f64> = own
        .iter()
        .zip(components(b, y, m, n))
        .map(|(a, b)| a - b)
        .collect();
    let of_positives = differences.iter().zip(y).filter(|(_, y)| **y);
    let mean = of_positives.map(|(difference, _)| difference).sum::<f64>() / m;
    let variance = clustered(&differences, y, &Clusters::new(group), (mean, m, n));
    (mean, variance.max(0.0).sqrt())
}

pub(super) fn interval(auc: f64, error: f64, y: &[bool]) -> Estimate {
    let positives = y.iter().filter(|y| **y).count();
    let rarer = positives.min(y.len() - positives);
    if rarer == 0 {
        return Estimate {
            mean: auc,
            low: 0.0,
            high: 1.0,
        };
    }
    let exact = 0.025_f64.powf(1.0 / rarer as f64);
    match auc {
        1.0 => Estimate {
            mean: 1.0,
            low: exact,
            high: 1.0,
        },
        0.0 => Estimate {
            mean: 0.0,
            low: 0.0,
            high: 1.0 - exact,
        },
        _ => super::bootstrap::normal_within(auc, error, (0.0, 1.0)),
    }
}

pub(super) fn auc_error(score: &[f64], y: &[bool], clusters: &Clusters) -> (f64, f64) {
    let positives = y.iter().filter(|y| **y).count();
    let negatives = y.len() - positives;
    if positives == 0 || negatives == 0 {
        return (0.5, 0.0);
    }
    let (m, n) = (positives as f64, negatives as f64);
    let components = components(score, y, m, n);
    let of_class = |class: bool| components.iter().zip(y).filter(move |(_, y)| **y == class);
    let auc = of_class(true).map(|(component, _)| component).sum::<f64>() / m;
    (
        auc,
        clustered(&components, y, clusters, (auc, m, n)).max(0.0).sqrt(),
    )
}

/// For a positive the share of negatives below it, for a negative the share of positives above it; ties count half.
fn components(score: &[f64], y: &[bool], m: f64, n: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..score.len()).collect();
    order.sort_by(|a, b| score[*a].total_cmp(&score[*b]));
    let mut components = vec![0.0; score.len()];
    let (mut positives_below, mut negatives_below) = (0.0, 0.0);
    for tie in order.chunk_by(|a, b| score[*a] == score[*b]) {
        let positives = tie.iter().filter(|row| y[**row]).count() as f64;
        let negatives = tie.len() as f64 - positives;
        for row in tie {
            components[*row] = if y[*row] {
                (negatives_below + 0.5 * negatives) / n
            } else {
                (m - positives_below - 0.5 * positives) / m
            };
        }
        positives_below += positives;
        negatives_below += negatives;
    }
    components
}

/// The variance, from the components' deviations summed by customer.
fn clustered(components: &[f64], y: &[bool], clusters: &Clusters, (auc, m, n): (f64, f64, f64)) -> f64 {
    let mut sums = vec![(0.0, 0.0); clusters.n];
    let mut has = vec![(false, false); clusters.n];
    for ((component, y), cluster) in components.iter().zip(y).zip(&clusters.index) {
        if *y {
            sums[*cluster].0 += component - auc;
            has[*cluster].0 = true;
        } else {
            sums[*cluster].1 += component - auc;
            has[*cluster].1 = true;
        }
    }
    let count = |which: fn(&(bool, bool)) -> bool| has.iter().filter(|has| which(has)).count() as f64;
    let correct = |n: f64| if n > 1.0 { n / (n - 1.0) } else { 0.0 };
    let spread = |which: fn(&(f64, f64)) -> f64| sums.iter().map(which).sum::<f64>();
    correct(count(|has| has.0)) * spread(|sum| sum.0 * sum.0) / (m * m)
        + correct(count(|has| has.1)) * spread(|sum| sum.1 * sum.1) / (n * n)
        + 2.0 * correct(clusters.n as f64) * spread(|sum| sum.0 * sum.1) / (m * n)
}
