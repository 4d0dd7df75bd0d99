//! What earlier cycles taught: decisions that were carried out, with what happened afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use thalweg_domain::{CustomerKey, Error, Result, Timestamp};
use thalweg_ledger::{CycleState, DecisionRow, DeliveryState, PlanRow};

use crate::session::Session;
use crate::spend::{self, Prices};
use crate::wire::{IterateOut, PlanOut};

/// A carried-out plan with its decisions and their outcomes.
pub(crate) struct PastCycle {
    pub(crate) cycle: u32,
    pub(crate) plan: PlanRow,
    /// The plan as it was printed: its shares and its contact costs.
    pub(crate) summary: PlanOut,
    pub(crate) decisions: Rc<Vec<DecisionRow>>,
    /// Whether the outcome happened within the horizon, per decision.
    pub(crate) outcome: Vec<bool>,
    /// Whether the offer was accepted, per decision.
    pub(crate) accepted: Vec<bool>,
    /// Whether the contact was handed to its channel, per decision.
    pub(crate) reached: Vec<bool>,
    pub(crate) prices: Prices,
}

impl PastCycle {
    /// What a decision really cost: the contact with a partner's share if it took place, plus the offer if it was taken.
    pub(crate) fn realised_cost(&self, index: usize) -> f64 {
        let Some(decision) = self.decisions.get(index) else {
            return 0.0;
        };
        let is = |flags: &[bool]| flags.get(index).copied().unwrap_or(false);
        let part = |is: bool, cost: f64| if is { cost } else { 0.0 };
        part(is(&self.reached), self.prices.contact(decision))
            + part(is(&self.accepted), self.prices.offer(decision))
    }
}

/// Whether a decision says what happens without an action: nothing was done, by chance that is known.
pub(crate) fn is_untreated(decision: &DecisionRow) -> bool {
    decision.action_id.is_none() && !decision.repaired && decision.propensity_none > 0.0
}

/// Channels of which an action has been measured against controls in a closed cycle.
pub(crate) fn measured(session: &Session) -> Result<BTreeSet<String>> {
    let mut channels = BTreeSet::new();
    for measurement in session.ledger.measurements("iterate")? {
        // a measurement that another version kept says nothing here; the effects were fitted anew anyway
        let Ok(out) = serde_json::from_str::<IterateOut>(&measurement.payload) else {
            continue;
        };
        channels.extend(out.lift.into_iter().map(|lift| lift.channel));
    }
    Ok(channels)
}

/// Closed cycles with a delivered plan, by cycle.
pub(crate) fn closed_plans(session: &Session) -> Result<Vec<PlanRow>> {
    let closed: BTreeSet<u32> = session
        .ledger
        .cycles()?
        .into_iter()
        .filter(|cycle| cycle.state == CycleState::Closed)
        .map(|cycle| cycle.cycle)
        .collect();
    let mut plans = session.ledger.executed_plans()?;
    plans.retain(|plan| closed.contains(&plan.plan.cycle));
    Ok(plans)
}

/// The decisions of plans, joined to what happened afterwards.
pub(crate) fn join(session: &Session, plans: Vec<PlanRow>) -> Result<Vec<PastCycle>> {
    let accepted = spend::accepted(session)?;
    plans
        .into_iter()
        .map(|plan| join_one(session, plan, &accepted))
        .collect()
}

fn join_one(session: &Session, plan: PlanRow, accepted: &BTreeSet<String>) -> Result<PastCycle> {
    let outcome = &session.workspace.config.outcome;
    let from = plan.plan.created_at;
    let happened: BTreeMap<CustomerKey, Timestamp> =
        session
            .ledger
            .outcomes(&outcome.event, from, from + outcome.horizon)?;
    let reached = reached(session, plan.plan.cycle)?;
    let decisions = session.decisions(&plan.plan.plan_id)?;
    let summary = summary(&plan)?;
    let is_in = |ids: &BTreeSet<String>| {
        decisions
            .iter()
            .map(|own| ids.contains(&own.decision_id))
            .collect()
    };
    Ok(PastCycle {
        cycle: plan.plan.cycle,
        outcome: decisions
            .iter()
            .map(|decision| happened.contains_key(&decision.customer) != outcome.absent)
            .collect(),
        accepted: is_in(accepted),
        reached: is_in(&reached),
        prices: Prices::of(&summary),
        summary,
        decisions,
        plan,
    })
}

/// Decisions of a cycle whose contact was handed to its channel.
fn reached(session: &Session, cycle: u32) -> Result<BTreeSet<String>> {
    let deliveries = session.ledger.deliveries(cycle)?.into_iter();
    let sent = deliveries.filter(|row| row.state == DeliveryState::Sent);
    Ok(sent.map(|row| row.decision_id).collect())
}

/// A plan as it was printed.
pub(crate) fn summary(plan: &PlanRow) -> Result<PlanOut> {
    serde_json::from_str(&plan.plan.summary).map_err(|cause| {
        Error::new(
            "TW0823",
            format!(
                "the plan {} was kept by another version and cannot be read",
                plan.plan.plan_id
            ),
        )
        .hint("use the version that made it, or start a new workspace folder")
        .cause(cause)
    })
}

/// Whether feedback is complete up to the end of the plan's horizon.
pub(crate) fn is_mature(session: &Session, plan: &PlanRow) -> Result<bool> {
    let end = plan.plan.created_at + session.workspace.config.outcome.horizon;
    Ok(session.ledger.complete_until()?.is_some_and(|until| until >= end))
}
