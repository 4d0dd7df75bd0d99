//! What earlier cycles taught: decisions that were carried out, with what happened afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use thalweg_domain::{CustomerKey, Error, Result, Timestamp};
use thalweg_ledger::{CycleState, DecisionRow, PlanRow};

use crate::session::Session;
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
}

impl PastCycle {
    /// What a decision really cost: the contact with a partner's share, plus the offer's cost when it was taken.
    pub(crate) fn realised_cost(&self, index: usize) -> f64 {
        let Some(decision) = self.decisions.get(index) else {
            return 0.0;
        };
        let Some(channel) = &decision.channel else {
            return 0.0;
        };
        let unit = self
            .summary
            .channels
            .iter()
            .find(|own| own.name == *channel)
            .map_or(0.0, |own| own.unit_cost);
        let accepted = self.accepted.get(index).copied().unwrap_or(false);
        let share = self.partner_share(decision);
        let offer_part = (decision.cost - unit - share).max(0.0);
        unit + share
            + if accepted && decision.acceptance > 0.0 {
                offer_part / decision.acceptance
            } else {
                0.0
            }
    }
}

impl PastCycle {
    /// What the plan pays to a partner for a contact, of what it is expected to bring.
    fn partner_share(&self, decision: &DecisionRow) -> f64 {
        let mut partners = self.summary.partners.iter();
        let own = partners.find(|own| Some(&own.name) == decision.channel.as_ref());
        own.map_or(0.0, |own| {
            own.revenue_share * (decision.value * decision.effect).max(0.0)
        })
    }

    /// Fees of the partners that the cycle used.
    pub(crate) fn fees(&self) -> f64 {
        self.summary.partners.iter().map(|own| own.fee).sum()
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
    let accepted: BTreeSet<String> = session
        .ledger
        .events_for_decisions("Offer Accepted")?
        .into_iter()
        .map(|event| event.decision_id)
        .collect();
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
    let decisions = session.decisions(&plan.plan.plan_id)?;
    let summary = serde_json::from_str(&plan.plan.summary).map_err(|cause| {
        Error::new(
            "TW0823",
            format!(
                "the plan {} was kept by another version and cannot be read",
                plan.plan.plan_id
            ),
        )
        .hint("use the version that made it, or start a new workspace folder")
        .cause(cause)
    })?;
    Ok(PastCycle {
        summary,
        cycle: plan.plan.cycle,
        outcome: decisions
            .iter()
            .map(|decision| happened.contains_key(&decision.customer) != outcome.absent)
            .collect(),
        accepted: decisions
            .iter()
            .map(|decision| accepted.contains(&decision.decision_id))
            .collect(),
        decisions,
        plan,
    })
}

/// Whether feedback is complete up to the end of the plan's horizon.
pub(crate) fn is_mature(session: &Session, plan: &PlanRow) -> Result<bool> {
    let end = plan.plan.created_at + session.workspace.config.outcome.horizon;
    Ok(session.ledger.complete_until()?.is_some_and(|until| until >= end))
}
