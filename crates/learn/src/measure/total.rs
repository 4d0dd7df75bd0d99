//! The programme's total effect: everyone ever enrolled outside the hold-out against the hold-out.

use thalweg_domain::{Estimate, OutcomeKind, Result};

use super::difference::{DifferenceParams, Units, difference};
use super::lift::{oriented, scaled};

/// One customer ever enrolled, leavers included, over all cycles from the customer's first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TotalRow {
    /// Whether the customer is in the hold-out.
    pub holdout: bool,
    /// Who shares it was assigned together; the customer's own number without clusters.
    pub cluster: u64,
    /// The customer's first cycle: customers are compared with those who came when they came.
    pub first_cycle: u32,
    /// Sum over cycles of outcome times value: money lost by churn, won by conversion (kind `value`: the sum of money).
    pub outcome_value: f64,
    /// What was expected of `outcome_value` in the *first* cycle, risk times value, logged when deciding. A sum over cycles
    /// must not be used: those whom the programme keeps have more cycles, so adjusting for it would hide the effect.
    pub first_expected: f64,
}

/// What the total needs to know beyond the rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TotalParams {
    /// Which way an effect goes.
    pub kind: OutcomeKind,
    /// Number of customers that the measurement is planned for; tunes the always-valid interval. At least 1.
    pub planned_units: f64,
}

/// What the programme changed in all.
#[derive(Debug, Clone, PartialEq)]
pub struct TotalEffect {
    /// Customers outside the hold-out.
    pub n_enrolled: u64,
    /// Customers in the hold-out.
    pub n_holdout: u64,
    /// Incremental value per customer outside the hold-out, before cost; 95 % interval.
    pub per_customer: Estimate,
    /// Incremental value of those outside the hold-out together (not scaled up to the hold-out); 95 % interval.
    pub incremental_value: Estimate,
    /// The 95 % interval of `incremental_value` that holds at all times; from 100 customers per arm.
    pub always_valid: Option<Estimate>,
    /// Share of the outcome's variance that the first expectation took away.
    pub variance_reduction: f64,
    /// How it was measured, in words.
    pub method: String,
}

/// Incremental value of the programme since its start.
///
/// [`difference`] between customers outside and inside the hold-out in `outcome_value`, within their first cycle, adjusted for
/// `first_expected`, clustered; sign by kind; times the number outside. All enrolled customers count, contacted or not,
/// still there or not: later cycles alone would compare survivors, who differ by arm.
///
/// Assumptions that it cannot check: the hold-out was fixed by chance before the first cycle and never contacted; outcomes are
/// complete in both arms up to the same time.
///
/// # Errors
/// `TW0721` when a number is not finite, `TW0723` without two customers of the same first cycle in each arm, `TW0724` for
/// `planned_units` below 1.
pub fn total(rows: &[TotalRow], params: TotalParams) -> Result<TotalEffect> {
    let units = Units {
        treated: rows.iter().map(|row| !row.holdout).collect(),
        outcome: rows.iter().map(|row| row.outcome_value).collect(),
        covariates: rows.iter().map(|row| row.first_expected).collect(),
        n_covariates: 1,
        weight: vec![1.0; rows.len()],
        stratum: rows.iter().map(|row| u64::from(row.first_cycle)).collect(),
        cluster: rows.iter().map(|row| row.cluster).collect(),
    };
    let found = difference(
        &units,
        DifferenceParams {
            planned_units: params.planned_units,
        },
    )?;
    let sign = if params.kind == OutcomeKind::Churn {
        -1.0
    } else {
        1.0
    };
    let per_customer = oriented(found.effect, sign);
    let enrolled = rows.iter().filter(|row| !row.holdout).count() as u64;
    Ok(TotalEffect {
        n_enrolled: enrolled,
        n_holdout: rows.len() as u64 - enrolled,
        per_customer,
        incremental_value: scaled(per_customer, enrolled as f64),
        always_valid: found.always_valid.map(|interval| scaled(oriented(interval, sign), enrolled as f64)),
        variance_reduction: found.variance_reduction,
        method: "everyone enrolled against the hold-out since each customer's first cycle, adjusted for the first expected value, clustered by customer"
            .to_owned(),
    })
}
