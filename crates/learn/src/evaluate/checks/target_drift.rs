//! Does the target change from fold to fold? With folds in time it says that the past may not tell the future.

use thalweg_domain::{Check, CheckVerdict, Result};

use super::{passed, raised};
use crate::evaluate::input::{check_finite, check_same};
use crate::evaluate::multiclass::check_codes;
use crate::measure::chi_squared_tail;

const NAME: &str = "target_drift";
const ADVICE: &str = "the target changes from fold to fold: learn from the latest periods, or look for a change in how \
                      the outcome is recorded";
/// Beyond doubt: among a thousand tables without drift one is reported.
const P_VALUE: f64 = 0.001;
/// Share of the target's variance between folds; smaller drift does no harm.
const EFFECT: f64 = 0.01;

/// A test of whether a target is distributed alike in all folds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Homogeneity {
    /// Chi-squared distributed without drift.
    pub statistic: f64,
    /// Probability of a statistic this large without drift; 1 with fewer than two folds or classes.
    pub p_value: f64,
    /// Share of the target's variance that lies between folds, from 0: Cramer's V squared, or eta squared of the ranks.
    pub effect: f64,
}

const SAME: Homogeneity = Homogeneity {
    statistic: 0.0,
    p_value: 1.0,
    effect: 0.0,
};

/// REVIEW when the shares of the classes differ between folds beyond doubt (p < 0.001) and by more than a hundredth of
/// the target's variance.
///
/// `y` (codes below `n_classes`; 0 and 1 for two classes) and `fold` have one entry per row. Random folds agree by
/// construction: the check speaks about folds in time.
///
/// # Errors
/// `TW0303` without rows, `TW0320` for a code that does not exist, `TW0901` when lengths differ.
pub fn target_drift(y: &[u32], n_classes: usize, fold: &[u8]) -> Result<Check> {
    let counts = counts(y, n_classes, fold)?;
    let found = homogeneity_of(&counts);
    let shares = |class: usize| {
        let filled = counts.iter().filter(|fold| fold.iter().sum::<f64>() > 0.0);
        filled
            .map(|fold| fold[class] / fold.iter().sum::<f64>())
            .collect::<Vec<f64>>()
    };
    let span = |class: usize| {
        let shares = shares(class);
        let least = shares.iter().copied().fold(f64::INFINITY, f64::min);
        let most = shares.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        (least, most, class)
    };
    let first = if n_classes == 2 { 1 } else { 0 };
    let widest = (first..n_classes)
        .map(span)
        .max_by(|a, b| (a.1 - a.0).total_cmp(&(b.1 - b.0)));
    let (least, most, class) = widest.unwrap_or((0.0, 0.0, 0));
    let what = if n_classes == 2 {
        "positives".to_owned()
    } else {
        format!("class {class}")
    };
    Ok(verdict(
        &found,
        format!("{:.1} to {:.1} % {what} by fold", 100.0 * least, 100.0 * most),
    ))
}

/// The same for numbers: by the Kruskal-Wallis test.
///
/// # Errors
/// As [`target_drift`]; `TW0320` for values that are not numbers.
pub fn target_drift_of_values(y: &[f64], fold: &[u8]) -> Result<Check> {
    let found = value_homogeneity(y, fold)?;
    let medians = by_fold(fold)
        .into_iter()
        .filter(|rows| !rows.is_empty())
        .map(|rows| {
            let mut values: Vec<f64> = rows.iter().map(|row| y[*row]).collect();
            values.sort_by(f64::total_cmp);
            0.5 * (values[(values.len() - 1) / 2] + values[values.len() / 2])
        });
    let (least, most) = medians.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), median| {
        (median.min(least), median.max(most))
    });
    Ok(verdict(&found, format!("median {least:.4} to {most:.4} by fold")))
}

fn verdict(found: &Homogeneity, detail: String) -> Check {
    if found.p_value < P_VALUE && found.effect > EFFECT {
        return raised(NAME, CheckVerdict::Review, detail, ADVICE, "TW0321");
    }
    passed(NAME, detail)
}

/// Pearson's chi-squared test of fold against class (1900), with Cramer's V squared as the effect.
///
/// # Errors
/// As [`target_drift`].
pub fn class_homogeneity(y: &[u32], n_classes: usize, fold: &[u8]) -> Result<Homogeneity> {
    Ok(homogeneity_of(&counts(y, n_classes, fold)?))
}

fn counts(y: &[u32], n_classes: usize, fold: &[u8]) -> Result<Vec<Vec<f64>>> {
    check_same(&[y.len(), fold.len()])?;
    check_codes(y, n_classes)?;
    let mut counts = vec![vec![0.0; n_classes]; folds(fold)];
    for (y, fold) in y.iter().zip(fold) {
        counts[usize::from(*fold)][*y as usize] += 1.0;
    }
    Ok(counts)
}

fn folds(fold: &[u8]) -> usize {
    fold.iter().max().map_or(0, |last| usize::from(*last) + 1)
}

fn homogeneity_of(counts: &[Vec<f64>]) -> Homogeneity {
    let of_fold: Vec<f64> = counts.iter().map(|fold| fold.iter().sum()).collect();
    let n: f64 = of_fold.iter().sum();
    let n_classes = counts.first().map_or(0, Vec::len);
    let of_class: Vec<f64> = (0..n_classes)
        .map(|class| counts.iter().map(|fold| fold[class]).sum())
        .collect();
    let present = |totals: &[f64]| totals.iter().filter(|total| **total > 0.0).count();
    let (folds, classes) = (present(&of_fold), present(&of_class));
    if folds < 2 || classes < 2 {
        return SAME;
    }
    let mut statistic = 0.0;
    for (fold, total) in counts.iter().zip(&of_fold) {
        for (count, class) in fold.iter().zip(&of_class) {
            let expected = total * class / n;
            if expected > 0.0 {
                statistic += (count - expected).powi(2) / expected;
            }
        }
    }
    Homogeneity {
        statistic,
        p_value: chi_squared_tail(statistic, ((folds - 1) * (classes - 1)) as f64),
        effect: statistic / n / ((folds - 1).min(classes - 1) as f64),
    }
}

fn by_fold(fold: &[u8]) -> Vec<Vec<usize>> {
    let mut rows = vec![Vec::new(); folds(fold)];
    fold.iter()
        .enumerate()
        .for_each(|(row, fold)| rows[usize::from(*fold)].push(row));
    rows
}

/// The test of Kruskal and Wallis 1952 (doi:10.1080/01621459.1952.10483441) with midranks, and eta squared of the ranks.
///
/// # Errors
/// As [`target_drift_of_values`].
pub fn value_homogeneity(y: &[f64], fold: &[u8]) -> Result<Homogeneity> {
    check_same(&[y.len(), fold.len()])?;
    check_finite("value", y)?;
    let n = y.len() as f64;
    let mut order: Vec<usize> = (0..y.len()).collect();
    order.sort_by(|a, b| y[*a].total_cmp(&y[*b]));
    let mut rank = vec![0.0; y.len()];
    let (mut below, mut ties) = (0.0, 0.0);
    for tie in order.chunk_by(|a, b| y[*a] == y[*b]) {
        let size = tie.len() as f64;
        tie.iter().for_each(|row| rank[*row] = below + 0.5 * (size + 1.0));
        below += size;
        ties += size * size * size - size;
    }
    let filled: Vec<Vec<usize>> = by_fold(fold)
        .into_iter()
        .filter(|rows| !rows.is_empty())
        .collect();
    let correction = 1.0 - ties / (n * n * n - n);
    if filled.len() < 2 || n < 3.0 || correction <= 0.0 {
        return Ok(SAME);
    }
    let squares: f64 = filled
        .iter()
        .map(|rows| rows.iter().map(|row| rank[*row]).sum::<f64>().powi(2) / rows.len() as f64)
        .sum();
    let statistic = (12.0 / (n * (n + 1.0)) * squares - 3.0 * (n + 1.0)) / correction;
    let df = (filled.len() - 1) as f64;
    Ok(Homogeneity {
        statistic,
        p_value: chi_squared_tail(statistic.max(0.0), df),
        effect: ((statistic - df) / (n - df - 1.0).max(1.0)).max(0.0),
    })
}
