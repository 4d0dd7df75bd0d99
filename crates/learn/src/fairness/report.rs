//! The report: rates by group, gaps to the reference, and a verdict with a sentence for each column.

use thalweg_domain::{Check, CheckVerdict, Error, Estimate, Result};

use super::rates::{Rate, newcombe_difference, ratio_interval};
use crate::evaluate::bootstrap::{Clusters, clustered_mean};
use crate::evaluate::checks::{passed, raised};
use crate::evaluate::input::{check_rows, check_same};
use crate::evaluate::{Grouping, take};
use crate::measure::normal_quantile;

const NAME: &str = "fairness";
/// The four-fifths rule (Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4 D).
const FOUR_FIFTHS: f64 = 0.8;
/// Gaps of true and false positive rates up to this are let pass.
const RATE_GAP: f64 = 0.10;
/// A mean probability may be this far from the share of positives.
const CALIBRATION_GAP: f64 = 0.05;
/// Groups with fewer rows are shown and not judged.
const LEAST_ROWS: usize = 30;

/// Decisions about rows, with what came.
#[derive(Debug, Clone, Copy)]
pub struct Decided<'a> {
    /// Out-of-fold probability per row.
    pub p: &'a [f64],
    /// Whether the row is selected.
    pub selected: &'a [bool],
    /// What came.
    pub y: &'a [bool],
    /// The customer.
    pub group: &'a [u64],
}

/// Whom the groups are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference<'a> {
    /// The group with the most rows.
    Largest,
    /// The level of that name.
    Level(&'a str),
}

/// The rates of one group, each with a 95 % interval.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupRates {
    /// The level.
    pub level: String,
    /// Number of rows.
    pub n: usize,
    /// Share selected (Wilson).
    pub selection: Rate,
    /// Share selected of the positives (Wilson).
    pub true_positive: Rate,
    /// Share selected of the negatives (Wilson).
    pub false_positive: Rate,
    /// Mean probability.
    pub predicted: f64,
    /// Share of positives (Wilson).
    pub observed: Rate,
    /// Mean probability minus share of positives (normal, by customer).
    pub calibration_gap: Estimate,
}

/// A group against the reference, with 95 % intervals.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The level.
    pub level: String,
    /// Selection rate over that of the reference (Katz).
    pub selection_ratio: Estimate,
    /// Differences (Newcombe).
    pub selection_gap: Estimate,
    /// The same of the true positive rate.
    pub true_positive_gap: Estimate,
    /// The same of the false positive rate.
    pub false_positive_gap: Estimate,
}

/// What was found for one column.
#[derive(Debug, Clone, PartialEq)]
pub struct FairnessReport {
    /// The column.
    pub column: String,
    /// The level that the others are compared with.
    pub reference: String,
    /// Every level with rows.
    pub groups: Vec<GroupRates>,
    /// Every level but the reference.
    pub comparisons: Vec<Comparison>,
    /// PASS, REVIEW or FAIL, with the worst finding in a sentence.
    pub check: Check,
}

/// Compares how the levels of a column are treated.
///
/// FAIL when, beyond doubt, a group is selected less than four fifths as often as the reference (or the reference less
/// than four fifths as often as it), or its true or false positive rate is more than 0.10 away. REVIEW when it looks so
/// but chance may explain it, or when a group's mean probability is more than 0.05 from its share of positives beyond
/// doubt. Beyond doubt: by an interval that holds at 95 % for all comparisons of the column together (Bonferroni).
/// Groups of fewer than 30 rows are shown and not judged. Selection rate, equal opportunity and equalised odds: Hardt,
/// Price and Srebro 2016, arXiv:1610.02413.
///
/// # Errors
/// `TW0303` without rows; `TW0320` for scores or levels that cannot be used, or a reference that no row has; `TW0901`
/// when lengths differ.
pub fn fairness(
    decided: &Decided<'_>,
    column: &Grouping<'_>,
    reference: Reference<'_>,
) -> Result<FairnessReport> {
    check_rows(decided.p, decided.y.len(), None)?;
    check_same(&[decided.p.len(), decided.selected.len(), decided.group.len()])?;
    let members = column.groups(decided.p.len())?;
    let groups: Vec<GroupRates> = members
        .iter()
        .map(|own| rates(decided, &own.name, &own.rows))
        .collect();
    let against = match reference {
        Reference::Largest => groups.iter().rev().max_by_key(|own| own.n),
        Reference::Level(name) => groups.iter().find(|own| own.level == name),
    };
    let Some(against) = against else {
        let message = format!("column \"{}\" has no row with the reference level", column.column);
        return Err(Error::new("TW0320", message).hint("name a level that some rows have"));
    };
    let others = groups.iter().filter(|own| own.level != against.level);
    let comparisons: Vec<Comparison> = others
        .clone()
        .map(|own| compare(own, against, Estimate::Z95))
        .collect();
    let judged: Vec<&GroupRates> = others.filter(|own| own.n >= LEAST_ROWS).collect();
    let check = judge(column.column, &groups, &judged, against);
    Ok(FairnessReport {
        column: column.column.to_owned(),
        reference: against.level.clone(),
        groups: groups.clone(),
        comparisons,
        check,
    })
}

fn rates(decided: &Decided<'_>, level: &str, rows: &[usize]) -> GroupRates {
    let rate = |rows: &[usize], hits: &[bool]| Rate::of(&take(hits, rows), &take(decided.group, rows));
    let of_class = |class: bool| -> Vec<usize> {
        rows.iter()
            .copied()
            .filter(|row| decided.y[*row] == class)
            .collect()
    };
    let gaps: Vec<f64> = rows
        .iter()
        .map(|row| decided.p[*row] - f64::from(u8::from(decided.y[*row])))
        .collect();
    let n = rows.len() as f64;
    GroupRates {
        level: level.to_owned(),
        n: rows.len(),
        selection: rate(rows, decided.selected),
        true_positive: rate(&of_class(true), decided.selected),
        false_positive: rate(&of_class(false), decided.selected),
        predicted: rows.iter().map(|row| decided.p[*row]).sum::<f64>() / n,
        observed: rate(rows, decided.y),
        calibration_gap: clustered_mean(&gaps, &Clusters::new(&take(decided.group, rows))),
    }
}

fn compare(own: &GroupRates, reference: &GroupRates, z: f64) -> Comparison {
    Comparison {
        level: own.level.clone(),
        selection_ratio: ratio_interval(&own.selection, &reference.selection, z),
        selection_gap: newcombe_difference(&own.selection, &reference.selection, z),
        true_positive_gap: newcombe_difference(&own.true_positive, &reference.true_positive, z),
        false_positive_gap: newcombe_difference(&own.false_positive, &reference.false_positive, z),
    }
}

/// A finding: how bad, how far beyond what is let pass, and in words.
struct Finding {
    verdict: CheckVerdict,
    excess: f64,
    sentence: String,
}

fn judge(column: &str, groups: &[GroupRates], judged: &[&GroupRates], reference: &GroupRates) -> Check {
    let well_sized = groups.iter().filter(|own| own.n >= LEAST_ROWS);
    // three comparisons with the reference per group, and one of each group with itself
    let n_tests = 3 * judged.len() + well_sized.clone().count();
    let z = normal_quantile(1.0 - 0.025 / n_tests.max(1) as f64);
    let mut found: Vec<Finding> = Vec::new();
    for own in judged {
        let wide = compare(own, reference, z);
        let shown = compare(own, reference, Estimate::Z95);
        found.extend(selected(own, reference, (&wide, &shown)));
        for (what, wide, shown, rows) in [
            (
                "positives",
                wide.true_positive_gap,
                shown.true_positive_gap,
                [&own.true_positive, &reference.true_positive],
            ),
            (
                "negatives",
                wide.false_positive_gap,
                shown.false_positive_gap,
                [&own.false_positive, &reference.false_positive],
            ),
        ] {
            if rows.iter().all(|rate| rate.n > 0) {
                found.extend(apart(what, (&own.level, &reference.level), &wide, &shown));
            }
        }
    }
    found.extend(well_sized.filter_map(|own| miscalibrated(own, z)));
    let rank = |finding: &Finding| (finding.verdict == CheckVerdict::Fail, finding.excess);
    let worst = found.iter().max_by(|a, b| {
        let (a, b) = (rank(a), rank(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    });
    let advice = "if it is not meant: leave the column and its stand-ins out, or set a threshold for each group; if it is \
                  justified, write down why";
    match worst {
        Some(worst) => {
            let more = match found.len() - 1 {
                0 => String::new(),
                1 => "; and one more finding".to_owned(),
                more => format!("; and {more} more findings"),
            };
            let detail = format!("column \"{column}\": {}{more}", worst.sentence);
            raised(NAME, worst.verdict, detail, advice, "TW0324")
        }
        None => passed(NAME, nothing_found(column, judged, reference)),
    }
}

fn nothing_found(column: &str, judged: &[&GroupRates], reference: &GroupRates) -> String {
    if judged.is_empty() {
        return format!("column \"{column}\": no second group of at least {LEAST_ROWS} rows to compare");
    }
    format!(
        "column \"{column}\": {} compared with \"{}\", all selected at four fifths of its rate or more and with rates \
         within {RATE_GAP:.2}",
        match judged.len() {
            1 => "one group".to_owned(),
            n => format!("{n} groups"),
        },
        reference.level
    )
}

/// The four-fifths rule, both ways.
fn selected(
    own: &GroupRates,
    reference: &GroupRates,
    (wide, shown): (&Comparison, &Comparison),
) -> Option<Finding> {
    let ratio = &shown.selection_ratio;
    let (less, more, ratio, surely) = if ratio.mean <= 1.0 {
        (
            &own.level,
            &reference.level,
            *ratio,
            wide.selection_ratio.high < FOUR_FIFTHS,
        )
    } else {
        let turned = Estimate {
            mean: 1.0 / ratio.mean,
            low: 1.0 / ratio.high,
            high: 1.0 / ratio.low,
        };
        (
            &reference.level,
            &own.level,
            turned,
            1.0 / wide.selection_ratio.low < FOUR_FIFTHS,
        )
    };
    (ratio.mean < FOUR_FIFTHS).then(|| Finding {
        verdict: if surely {
            CheckVerdict::Fail
        } else {
            CheckVerdict::Review
        },
        excess: FOUR_FIFTHS - ratio.mean,
        sentence: format!(
            "\"{less}\" is selected {:.2} times as often as \"{more}\" ({:.2} to {:.2}), {}below four fifths",
            ratio.mean,
            ratio.low,
            ratio.high,
            if surely { "" } else { "perhaps by chance " }
        ),
    })
}

/// A gap of a rate among the positives or the negatives.
fn apart(what: &str, (own, reference): (&str, &str), wide: &Estimate, shown: &Estimate) -> Option<Finding> {
    let surely = wide.low > RATE_GAP || wide.high < -RATE_GAP;
    (shown.mean.abs() > RATE_GAP).then(|| Finding {
        verdict: if surely {
            CheckVerdict::Fail
        } else {
            CheckVerdict::Review
        },
        excess: shown.mean.abs() - RATE_GAP,
        sentence: format!(
            "of the {what}, \"{own}\" is selected {:+.2} ({:+.2} to {:+.2}) against \"{reference}\"{}",
            shown.mean,
            shown.low,
            shown.high,
            if surely { "" } else { ", perhaps by chance" }
        ),
    })
}

fn miscalibrated(own: &GroupRates, z: f64) -> Option<Finding> {
    let gap = own.calibration_gap;
    let error = (gap.high - gap.mean) / Estimate::Z95;
    (gap.mean.abs() > CALIBRATION_GAP && gap.mean.abs() > z * error).then(|| Finding {
        verdict: CheckVerdict::Review,
        excess: gap.mean.abs() - CALIBRATION_GAP,
        sentence: format!(
            "for \"{}\" the model says {:.2} and {:.2} came",
            own.level, own.predicted, own.observed.estimate.mean
        ),
    })
}
