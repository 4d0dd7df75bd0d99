//! The decision record: one immutable row per customer and plan.

mod codec;
mod insert;
mod select;

use serde::{Deserialize, Serialize};
use thalweg_domain::{ActionId, Arm, CustomerKey, Decision, EligibleAction, Reason, Timestamp};

use crate::PlanRecord;

pub(crate) use codec::to_json;
pub(crate) use insert::insert;

/// An action by its names, as it stands in a plan's list of actions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionRow {
    /// The channel.
    pub channel: String,
    /// The offer, if any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub offer: Option<String>,
}

impl ActionRow {
    /// `email` or `email + discount-10`.
    #[must_use]
    pub fn label(&self) -> String {
        match &self.offer {
            Some(offer) => format!("{} + {offer}", self.channel),
            None => self.channel.clone(),
        }
    }
}

/// The name of the decision in `row` of the cycle's table; names of one plan sort by row.
#[must_use]
pub fn decision_id(plan_id: &str, row: u64) -> String {
    format!("{plan_id}-{row:07}")
}

/// What was decided for one customer.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionRow {
    /// Its name: see [`decision_id`].
    pub decision_id: String,
    /// The plan.
    pub plan_id: String,
    /// The cycle.
    pub cycle: u32,
    /// The customer.
    pub customer: CustomerKey,
    /// Who shares the arm (a household, say).
    pub cluster: Option<CustomerKey>,
    /// Row of the customer in the cycle's table.
    pub row: u64,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// The arm.
    pub arm: Arm,
    /// What the plan takes or would take: `none` or an action's label.
    pub intended: String,
    /// The same as an index into the plan's actions; `None` is nothing.
    pub intended_id: Option<ActionId>,
    /// What is done: `none` or an action's label.
    pub action: String,
    /// The same as an index into the plan's actions; `None` is nothing.
    pub action_id: Option<ActionId>,
    /// The action's channel.
    pub channel: Option<String>,
    /// The action's offer.
    pub offer: Option<String>,
    /// True when the last repair changed this row.
    pub repaired: bool,
    /// Everything that could have been done, *none* included.
    pub eligible: Vec<EligibleAction>,
    /// Probability with which `action` was chosen.
    pub propensity: f64,
    /// Probability of nothing (1 in the hold-out).
    pub propensity_none: f64,
    /// P(outcome | no action).
    pub risk: f64,
    /// Expected effect of `action` (0 for nothing).
    pub effect: f64,
    /// Standard deviation of `effect`.
    pub effect_sd: f64,
    /// Money at stake.
    pub value: f64,
    /// Expected cost of `action`.
    pub cost: f64,
    /// Probability that the offer is accepted.
    pub acceptance: f64,
    /// Hash of the model.
    pub model_hash: String,
    /// Hash of the configuration.
    pub config_hash: String,
    /// Hash of the customers' table.
    pub data_hash: String,
    /// The seed.
    pub seed: u64,
    /// Top reasons for the risk.
    pub reasons: Vec<Reason>,
    /// The constraint that keeps this customer from a better action, if any.
    pub binding: Option<String>,
    /// The day of the cycle on which the contact is due, counted from 1; `None` is at once.
    pub day: Option<u16>,
    /// How often the action is still the one planned when effects are drawn from what is believed about them.
    pub survival: Option<f64>,
}

/// The label of doing nothing.
const NONE: &str = "none";

impl DecisionRow {
    /// The row for a decision of a plan.
    #[must_use]
    pub fn of(plan: &PlanRecord, decision: &Decision, cluster: Option<CustomerKey>) -> Self {
        let row = u64::try_from(decision.row).unwrap_or(u64::MAX);
        let taken = action_of(plan, decision.action);
        let chosen = entry(decision, decision.action);
        let nothing = entry(decision, None);
        Self {
            decision_id: decision_id(&plan.plan_id, row),
            plan_id: plan.plan_id.clone(),
            cycle: plan.cycle,
            customer: decision.customer.clone(),
            cluster,
            row,
            decided_at: plan.created_at,
            arm: decision.arm,
            intended: label(action_of(plan, decision.intended)),
            intended_id: decision.intended,
            action: label(taken),
            action_id: decision.action,
            channel: taken.map(|action| action.channel.clone()),
            offer: taken.and_then(|action| action.offer.clone()),
            repaired: decision.repaired,
            eligible: decision.eligible.clone(),
            propensity: decision.propensity,
            propensity_none: if decision.arm == Arm::Holdout {
                1.0
            } else {
                nothing.map_or(0.0, |e| e.propensity)
            },
            risk: decision.risk,
            effect: chosen.map_or(0.0, |e| e.effect),
            effect_sd: chosen.map_or(0.0, |e| e.effect_sd),
            value: decision.value,
            cost: chosen.map_or(0.0, |e| e.cost),
            acceptance: chosen.map_or(0.0, |e| e.acceptance),
            model_hash: plan.model_hash.clone(),
            config_hash: plan.config_hash.clone(),
            data_hash: plan.data_hash.clone(),
            seed: plan.seed,
            reasons: decision.reasons.clone(),
            binding: decision.binding.clone(),
            day: decision.day,
            survival: decision.survival,
        }
    }
}

fn action_of(plan: &PlanRecord, id: Option<ActionId>) -> Option<&ActionRow> {
    plan.actions.get(usize::from(id?.0))
}

fn label(action: Option<&ActionRow>) -> String {
    action.map_or_else(|| NONE.to_owned(), ActionRow::label)
}

fn entry(decision: &Decision, action: Option<ActionId>) -> Option<&EligibleAction> {
    decision.eligible.iter().find(|entry| entry.action == action)
}
