//! Is the model as good for every group of customers as for the others?

use thalweg_domain::{Check, CheckVerdict, Estimate, Result};

use super::{passed, raised};
use crate::evaluate::bootstrap::{Clusters, normal_within};
use crate::evaluate::delong::auc_error;
use crate::evaluate::groups::{Group, Grouping, take};
use crate::evaluate::input::{check_rows, check_same};
use crate::evaluate::wilson;
use crate::measure::normal_cdf;

const NAME: &str = "subgroup_quality";
/// Columns with more levels are not judged.
const MOST_LEVELS: usize = 20;
/// A level needs this many rows for its probabilities, and of each class for its ranking, to be judged.
const LEAST_ROWS: usize = 30;
const LEAST_OF_CLASS: usize = 10;
/// A group ranked upside down stops the loop from so many rows on; a smaller one is only pointed out.
const FAIL_ROWS: usize = 500;
/// Smaller gaps do no harm: in AUC, and in probability points.
const GAP: f64 = 0.05;
/// Level of all tests together (Holm).
const LEVEL: f64 = 0.05;

/// How the model fares for one level of one column.
#[derive(Debug, Clone, PartialEq)]
pub struct SubgroupFigures {
    /// The column.
    pub column: String,
    /// The level.
    pub level: String,
    /// Number of rows.
    pub n: usize,
    /// The level's own AUC with its 95 % interval; absent with fewer than 10 rows of a class.
    pub auc: Option<Estimate>,
    /// The AUC of all other rows.
    pub auc_of_rest: f64,
    /// Mean probability.
    pub predicted: f64,
    /// Share of positives, with its 95 % Wilson interval.
    pub observed: Estimate,
    /// P-value of "its AUC is that of the rest", adjusted for all tests made; 1 when not judged.
    pub auc_p_value: f64,
    /// P-value of "its mean probability is its share of positives", adjusted for all tests made; 1 when not judged.
    pub calibration_p_value: f64,
    /// P-value of "it ranks no worse than chance", adjusted for all tests made; 1 when not judged.
    pub chance_p_value: f64,
}

/// The figures of every level, and the check on them.
#[derive(Debug, Clone, PartialEq)]
pub struct Subgroups {
    /// In the order of the columns and their levels.
    pub figures: Vec<SubgroupFigures>,
    /// FAIL when a level of at least 500 rows is ranked worse than by chance; REVIEW when a smaller one is, or when a level's AUC is more than 0.05 below that of the
    /// other rows or its mean probability more than 0.05 off; each beyond doubt.
    pub check: Check,
}

/// Compares each level of each column with the rest.
///
/// The AUC of a level is held against that of all other rows with DeLong's errors; its mean probability against its
/// share of positives, with the larger of the binomial variance and that between customers. P-values are adjusted for
/// all tests by Holm's method (1979), so that among twenty models without fault one is reported. Columns with more than
/// 20 levels are left out, levels with fewer than 30 rows not judged.
///
/// `p` out-of-fold probabilities, `y` and `group` (the customer) have one entry per row.
///
/// # Errors
/// `TW0303` without rows; `TW0320` for scores or levels that cannot be used; `TW0901` when lengths differ.
pub fn subgroup_quality(p: &[f64], y: &[bool], group: &[u64], columns: &[Grouping<'_>]) -> Result<Subgroups> {
    check_rows(p, y.len(), None)?;
    check_same(&[group.len(), p.len()])?;
    let mut figures = Vec::new();
    for column in columns {
        let groups = column.groups(p.len())?;
        if groups.len() < 2 || groups.len() > MOST_LEVELS {
            continue;
        }
        figures.extend(
            groups
                .iter()
                .map(|level| figures_of(p, y, group, (column.column, level))),
        );
    }
    adjust(&mut figures);
    let check = check(&figures);
    Ok(Subgroups { figures, check })
}

fn figures_of(p: &[f64], y: &[bool], group: &[u64], (column, level): (&str, &Group)) -> SubgroupFigures {
    let mut inside = vec![false; p.len()];
    level.rows.iter().for_each(|row| inside[*row] = true);
    let others: Vec<usize> = (0..p.len()).filter(|row| !inside[*row]).collect();
    let part = |rows: &[usize]| (take(p, rows), take(y, rows), Clusters::new(&take(group, rows)));
    let (own, rest) = (part(&level.rows), part(&others));
    let (n, positives) = (own.1.len(), own.1.iter().filter(|y| **y).count());
    let enough = |y: &[bool]| {
        let positives = y.iter().filter(|y| **y).count();
        positives.min(y.len() - positives) >= LEAST_OF_CLASS
    };
    let (auc, error) = auc_error(&own.0, &own.1, &own.2);
    let (auc_of_rest, error_of_rest) = auc_error(&rest.0, &rest.1, &rest.2);
    let judged = n >= LEAST_ROWS && enough(&own.1) && error > 0.0;
    SubgroupFigures {
        column: column.to_owned(),
        level: level.name.clone(),
        n,
        auc: enough(&own.1).then(|| normal_within(auc, error, (0.0, 1.0))),
        auc_of_rest,
        predicted: own.0.iter().sum::<f64>() / n as f64,
        observed: wilson(positives as f64 / n as f64, n as f64, Estimate::Z95),
        auc_p_value: if judged && enough(&rest.1) {
            2.0 * normal_cdf(-(auc - auc_of_rest).abs() / error.hypot(error_of_rest))
        } else {
            1.0
        },
        calibration_p_value: if n >= LEAST_ROWS {
            calibration_p_value(&own)
        } else {
            1.0
        },
        chance_p_value: if judged {
            normal_cdf(-(0.5 - auc) / error)
        } else {
            1.0
        },
    }
}

/// Two-sided, of a sum of residuals of 0.
fn calibration_p_value((p, y, clusters): &(Vec<f64>, Vec<bool>, Clusters)) -> f64 {
    let mut sums = vec![0.0; clusters.n];
    for ((p, y), cluster) in p.iter().zip(y).zip(&clusters.index) {
        sums[*cluster] += f64::from(u8::from(*y)) - p;
    }
    let binomial: f64 = p.iter().map(|p| p * (1.0 - p)).sum();
    let between: f64 = sums.iter().map(|sum| sum * sum).sum();
    let variance = binomial.max(between);
    if variance > 0.0 {
        2.0 * normal_cdf(-sums.iter().sum::<f64>().abs() / variance.sqrt())
    } else {
        1.0
    }
}

/// Holm's step-down adjustment over the tests that were made.
fn adjust(figures: &mut [SubgroupFigures]) {
    let mut tests: Vec<&mut f64> = figures
        .iter_mut()
        .flat_map(|own| {
            [
                &mut own.auc_p_value,
                &mut own.calibration_p_value,
                &mut own.chance_p_value,
            ]
        })
        .filter(|p| **p < 1.0)
        .collect();
    tests.sort_by(|a, b| a.total_cmp(b));
    let n = tests.len();
    let mut least = 0.0_f64;
    for (place, p) in tests.into_iter().enumerate() {
        least = least.max((*p * (n - place) as f64).min(1.0));
        *p = least;
    }
}

fn check(figures: &[SubgroupFigures]) -> Check {
    let upside_down = figures.iter().find(|own| own.chance_p_value < LEVEL).map(|own| {
        let verdict = if own.n >= FAIL_ROWS {
            CheckVerdict::Fail
        } else {
            CheckVerdict::Review
        };
        (verdict, ranked(own))
    });
    let worse = || {
        let gap = |own: &SubgroupFigures| own.auc.map_or(0.0, |auc| own.auc_of_rest - auc.mean);
        let found = figures
            .iter()
            .filter(|own| own.auc_p_value < LEVEL && gap(own) > GAP);
        let worst = found.max_by(|a, b| gap(a).total_cmp(&gap(b)))?;
        Some((CheckVerdict::Review, ranked(worst)))
    };
    let off = || {
        let gap = |own: &SubgroupFigures| (own.predicted - own.observed.mean).abs();
        let found = figures
            .iter()
            .filter(|own| own.calibration_p_value < LEVEL && gap(own) > GAP);
        let worst = found.max_by(|a, b| gap(a).total_cmp(&gap(b)))?;
        let (observed, place) = (worst.observed.mean, place(worst));
        Some((
            CheckVerdict::Review,
            format!("{place}: predicts {:.2}, sees {observed:.2}", worst.predicted),
        ))
    };
    let advice = "the model does not serve everybody alike: add features that matter to this group, or more of its rows, \
                  and do not act on its scores until then";
    match upside_down.or_else(worse).or_else(off) {
        Some((verdict, detail)) => raised(NAME, verdict, detail, advice, "TW0322"),
        None => passed(
            NAME,
            format!(
                "{} groups, none of them worse than the rest beyond doubt",
                figures.len()
            ),
        ),
    }
}

fn place(own: &SubgroupFigures) -> String {
    format!("\"{}\" = \"{}\" (n = {})", own.column, own.level, own.n)
}

fn ranked(own: &SubgroupFigures) -> String {
    let auc = own.auc.unwrap_or_default();
    format!(
        "{}: AUC {:.3} ({:.3} to {:.3}), the rest {:.3}",
        place(own),
        auc.mean,
        auc.low,
        auc.high,
        own.auc_of_rest
    )
}
