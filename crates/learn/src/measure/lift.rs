//! Lift: what each action changed, by intention to treat, against customers who would have got it and were drawn to nothing.

use thalweg_domain::{ActionId, Check, CheckVerdict, Error, Estimate, OutcomeKind, Result};

use super::difference::{Difference, DifferenceParams, Units, difference};

/// One decision with its outcome, as measurement needs it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LiftRow {
    /// The cycle.
    pub cycle: u32,
    /// What the plan took or would have taken for this customer; `None` is nothing.
    pub intended: Option<ActionId>,
    /// What was assigned, delivered or not; `None` is nothing.
    pub action: Option<ActionId>,
    /// Probability, above 0 and at most 1, that this customer would be assigned `intended`.
    pub propensity_taken: f64,
    /// Probability, above 0 and at most 1, that this customer would be assigned nothing.
    pub propensity_none: f64,
    /// Expected outcome without action, as logged when deciding.
    pub risk: f64,
    /// Money at stake.
    pub value: f64,
    /// What happened: 0 or 1 (kind `value`: money).
    pub outcome: f64,
    /// False for rows that the plan's repair changed, and for hold-out rows after their first cycle: left out.
    pub usable: bool,
    /// What the contact and an accepted offer cost, realised or expected; 0 for nothing.
    pub cost: f64,
}

impl LiftRow {
    /// The same row, its propensities counting the drawing of the hold-out as well.
    ///
    /// Use it for *every* row of a customer's first cycle (hold-out rows included, with the propensities that the customer
    /// would have had outside), since then the hold-out is a control too: `P(taken) = (1 - h) p_taken`,
    /// `P(none) = h + (1 - h) p_none`. Controls from the hold-out and from exploration then weigh the same.
    #[must_use]
    pub fn counting_holdout(mut self, holdout_share: f64) -> Self {
        self.propensity_taken *= 1.0 - holdout_share;
        self.propensity_none = holdout_share + (1.0 - holdout_share) * self.propensity_none;
        self
    }
}

/// What lift needs to know beyond the rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LiftParams {
    /// Which way an effect goes.
    pub kind: OutcomeKind,
    /// Number of customers, treated and control, that an action's measurement is planned for (over all cycles looked at);
    /// tunes the always-valid interval. At least 1.
    pub planned_units: f64,
}

/// What one action changed.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionLift {
    /// The action.
    pub action: ActionId,
    /// Customers who were assigned it as intended and were compared.
    pub n_treated: u64,
    /// Comparable customers who were drawn to nothing.
    pub n_control: u64,
    /// Decrease of P(churn), increase of P(conversion) or of money, per treated customer; 95 % interval.
    pub effect: Estimate,
    /// Standard error of `effect`.
    pub standard_error: f64,
    /// The 95 % interval of `effect` that holds at all times; from 100 customers per arm.
    pub always_valid: Option<Estimate>,
    /// Mean of the logged risk of the controls.
    pub control_risk: f64,
    /// Incremental value per treated customer, before cost, in the workspace's currency; 95 % interval.
    pub value_per_treated: Estimate,
    /// `value_per_treated` times `n_treated`.
    pub incremental_value: Estimate,
    /// Sum of the treated customers' costs.
    pub spend: f64,
    /// Share of the outcome's variance that the logged risk took away.
    pub variance_reduction: f64,
    /// How it was measured, in words.
    pub method: String,
}

/// Lift per action, and a check `overlap` for actions that were taken and could not be measured.
///
/// For action a, among usable rows with `intended` = a: those assigned a (by the plan or by exploration) against those
/// assigned nothing, [`difference`] within cycle, weighted by 1 / probability of the arm they are in, adjusted for the logged
/// risk (value: for risk times value, as the outcome is then `outcome * value`). Exploration rows that drew a third action,
/// and rows whose intended action is nothing, say nothing about a here; the effect model uses them.
/// Kind `value`: the outcome is money already, `value` is not used.
///
/// Assumptions that it cannot check: propensities are the true ones; outcomes are complete for all arms; one customer's
/// treatment does not change another's outcome. The same customer in several cycles counts as independent units, right for
/// outcomes that end the relation (churn), optimistic otherwise.
///
/// # Errors
/// `TW0721` when a propensity is not in (0, 1] or a number is not finite, `TW0724` for `planned_units` below 1.
pub fn lift(rows: &[LiftRow], params: LiftParams) -> Result<(Vec<ActionLift>, Check)> {
    rows.iter().try_for_each(check_row)?;
    let mut actions: Vec<ActionId> = rows
        .iter()
        .filter(|row| row.usable && row.action == row.intended)
        .filter_map(|row| row.action)
        .collect();
    actions.sort_unstable();
    actions.dedup();
    let (mut lifts, mut unmeasured) = (Vec::new(), Vec::new());
    for action in actions {
        match one(rows, action, params) {
            Ok(lift) => lifts.push(lift),
            Err(error) if error.code == "TW0723" => unmeasured.push(action),
            Err(error) => return Err(error),
        }
    }
    Ok((lifts, overlap(&unmeasured)))
}

fn check_row(row: &LiftRow) -> Result<()> {
    for propensity in [row.propensity_taken, row.propensity_none] {
        if row.usable && row.intended.is_some() && !(propensity > 0.0 && propensity <= 1.0) {
            return Err(Error::new("TW0721", format!("a propensity of {propensity} cannot be used"))
                .hint("log the probability with which each action, and nothing, would be drawn; or mark the row unusable"));
        }
    }
    if [row.risk, row.value, row.outcome, row.cost]
        .iter()
        .all(|cell| cell.is_finite())
    {
        return Ok(());
    }
    Err(Error::new(
        "TW0721",
        format!(
            "a risk, value, outcome or cost in cycle {} is not a number",
            row.cycle
        ),
    ))
}

fn overlap(unmeasured: &[ActionId]) -> Check {
    let names: Vec<String> = unmeasured.iter().map(|id| id.0.to_string()).collect();
    if names.is_empty() {
        let detail = "every action taken has comparable customers without it".to_owned();
        return Check {
            name: "overlap",
            verdict: CheckVerdict::Pass,
            detail,
            advice: None,
            code: None,
        };
    }
    Check {
        name: "overlap",
        verdict: CheckVerdict::Review,
        detail: format!(
            "too few comparable customers to measure action {}",
            names.join(", ")
        ),
        advice: Some(
            "raise [plan] explore, or wait for more cycles; until then these effects stay assumed".to_owned(),
        ),
        code: Some("TW0404"),
    }
}

fn one(rows: &[LiftRow], action: ActionId, params: LiftParams) -> Result<ActionLift> {
    let compared: Vec<&LiftRow> = rows
        .iter()
        .filter(|row| row.usable && row.intended == Some(action))
        .filter(|row| row.action.is_none() || row.action == Some(action))
        .collect();
    let measure = DifferenceParams {
        planned_units: params.planned_units,
    };
    let money = |row: &LiftRow| {
        if params.kind == OutcomeKind::Value {
            1.0
        } else {
            row.value
        }
    };
    let counts = difference(&units(&compared, |_| 1.0), measure)?;
    let values = difference(&units(&compared, money), measure)?;
    let sign = if params.kind == OutcomeKind::Churn {
        -1.0
    } else {
        1.0
    };
    Ok(summarise(action, &compared, sign, (&counts, &values)))
}

fn units(rows: &[&LiftRow], scale: impl Fn(&LiftRow) -> f64) -> Units {
    let taken = |row: &LiftRow| row.action.is_some();
    let weight = |row: &&LiftRow| {
        1.0 / if taken(row) {
            row.propensity_taken
        } else {
            row.propensity_none
        }
    };
    Units {
        treated: rows.iter().map(|row| taken(row)).collect(),
        outcome: rows.iter().map(|row| row.outcome * scale(row)).collect(),
        covariates: rows.iter().map(|row| row.risk * scale(row)).collect(),
        n_covariates: 1,
        weight: rows.iter().map(weight).collect(),
        stratum: rows.iter().map(|row| u64::from(row.cycle)).collect(),
        cluster: (0..rows.len() as u64).collect(),
    }
}

fn summarise(
    action: ActionId,
    rows: &[&LiftRow],
    sign: f64,
    found: (&Difference, &Difference),
) -> ActionLift {
    let (counts, values) = found;
    let controls: Vec<f64> = rows
        .iter()
        .filter(|row| row.action.is_none())
        .map(|row| row.risk)
        .collect();
    let value = oriented(values.effect, sign);
    let treated = counts.n_treated as f64;
    ActionLift {
        action,
        n_treated: counts.n_treated,
        n_control: counts.n_control,
        effect: oriented(counts.effect, sign),
        standard_error: counts.standard_error,
        always_valid: counts.always_valid.map(|interval| oriented(interval, sign)),
        control_risk: controls.iter().sum::<f64>() / controls.len() as f64,
        value_per_treated: value,
        incremental_value: scaled(value, treated),
        spend: rows
            .iter()
            .filter(|row| row.action.is_some())
            .map(|row| row.cost)
            .sum(),
        variance_reduction: counts.variance_reduction,
        method: format!(
            "intention to treat within cycle, inverse-propensity weights, adjusted for logged risk, robust t interval ({:.0} df)",
            counts.degrees_of_freedom
        ),
    }
}

/// The estimate times -1 or +1, its ends in order.
pub(crate) fn oriented(estimate: Estimate, sign: f64) -> Estimate {
    if sign > 0.0 {
        return estimate;
    }
    Estimate {
        mean: 0.0 - estimate.mean,
        low: 0.0 - estimate.high,
        high: 0.0 - estimate.low,
    }
}

/// The estimate times a factor of 0 or more.
pub(crate) fn scaled(estimate: Estimate, factor: f64) -> Estimate {
    Estimate {
        mean: estimate.mean * factor,
        low: estimate.low * factor,
        high: estimate.high * factor,
    }
}
