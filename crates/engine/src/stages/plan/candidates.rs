//! Who may get what, and what each action is believed to be worth.

use std::collections::BTreeSet;

use thalweg_collect::Collected;
use thalweg_domain::{Action, ActionId, Belief, CustomerKey, OutcomeKind, Result};
use thalweg_plan::decide::{Candidate, Customer};

use super::robust::Valuing;
use super::{Planning, off, partners};
use crate::session::Session;
use crate::stages::collect;

/// The customers to decide on.
pub(super) fn customers(collected: &Collected, rows: &[usize], risks: &[f64]) -> Result<Vec<Customer>> {
    let values = collect::values(collected)?;
    let cluster = |row: usize| {
        collected
            .cluster
            .as_ref()
            .and_then(|cluster| cluster.get(row).cloned())
    };
    rows.iter()
        .zip(risks)
        .map(|(row, risk)| {
            Ok(Customer {
                key: CustomerKey::new(collected.keys.get(*row).cloned().unwrap_or_default())?,
                cluster: cluster(*row),
                risk: *risk,
                value: values.get(*row).copied().unwrap_or(0.0),
            })
        })
        .collect()
}

/// Adds every customer's candidate actions: allowed by consent and by the customer's own wish not to be contacted.
pub(super) fn fill(session: &Session, collected: &Collected, planning: &mut Planning) -> Result<()> {
    let offer_costs = planning
        .menu
        .offers
        .iter()
        .map(|offer| collect::offer_costs(collected, offer.name.as_str()))
        .collect::<Result<Vec<_>>>()?;
    let consent = consent(session, collected);
    let valuing = Valuing::of(session, &planning.effects)?;
    let unsubscribed: BTreeSet<CustomerKey> = session.ledger.unsubscribed_keys()?;
    for (customer, row) in planning.rows.clone().into_iter().enumerate() {
        let silent = planning
            .customers
            .get(customer)
            .is_some_and(|person| unsubscribed.contains(&person.key));
        for (index, action) in planning.menu.actions.clone().into_iter().enumerate() {
            let agreed = consent
                .get(action.channel)
                .copied()
                .flatten()
                .is_none_or(|flags| flags.get(row) == Some(&true));
            if silent || !agreed || !off::is_on(&session.workspace.config, action) {
                continue;
            }
            let offer_cost = action
                .offer
                .and_then(|offer| offer_costs.get(offer)?.get(row).copied())
                .unwrap_or(0.0);
            let id = ActionId::at(index);
            let mut candidate = candidate(planning, customer, (id, action), offer_cost);
            candidate.planning_value = valuing.value(planning, customer, &candidate);
            planning.candidates.push(candidate);
        }
        planning.offsets.push(planning.candidates.len());
    }
    Ok(())
}

/// Per channel the consent column, if it asks for one.
fn consent<'a>(session: &Session, collected: &'a Collected) -> Vec<Option<&'a [bool]>> {
    let column = |name: &String| collected.flags.get(name).map(Vec::as_slice);
    session
        .workspace
        .config
        .channels
        .iter()
        .map(|entry| entry.consent.as_ref().and_then(column))
        .collect()
}

fn candidate(
    planning: &Planning,
    customer: usize,
    (id, action): (ActionId, Action),
    offer_cost: f64,
) -> Candidate {
    let (risk, value) = planning
        .customers
        .get(customer)
        .map_or((0.0, 0.0), |person| (person.risk, person.value));
    let relative = planning.effects.posterior.relative(id, planning.phi.of(customer));
    let effect = absolute(planning.menu.kind, risk, relative);
    let acceptance = planning.effects.acceptance.rate(action).mean;
    let unit = planning
        .menu
        .channels
        .get(action.channel)
        .map_or(0.0, |channel| channel.unit_cost.get());
    let share = partners::share(planning, action, value * effect.mean);
    let cost = unit + share + acceptance * offer_cost;
    let expected_value = value * effect.mean - cost;
    Candidate {
        action: id,
        effect: effect.mean,
        effect_sd: effect.sd,
        expected_value,
        planning_value: expected_value,
        cost,
        acceptance,
    }
}

/// From the relative effect to probability points: no more than all of the risk, or all that is left to win.
pub(super) fn absolute(kind: OutcomeKind, risk: f64, relative: Belief) -> Belief {
    let most = match kind {
        OutcomeKind::Churn => risk,
        OutcomeKind::Conversion | OutcomeKind::Value => 1.0 - risk,
    };
    let least = match kind {
        OutcomeKind::Churn => risk - 1.0,
        OutcomeKind::Conversion | OutcomeKind::Value => -risk,
    };
    Belief {
        mean: (risk * relative.mean).clamp(least, most),
        sd: risk * relative.sd,
    }
}

#[cfg(test)]
mod tests {
    use super::{Belief, OutcomeKind, absolute};

    #[test]
    fn effects_stay_within_what_is_there_to_change() {
        let relative = |mean| Belief { mean, sd: 0.1 };
        assert!((absolute(OutcomeKind::Churn, 0.5, relative(0.2)).mean - 0.1).abs() < 1e-12);
        assert!((absolute(OutcomeKind::Churn, 0.5, relative(3.0)).mean - 0.5).abs() < 1e-12);
        assert!((absolute(OutcomeKind::Churn, 0.8, relative(-1.0)).mean + 0.2).abs() < 1e-12);
        assert!((absolute(OutcomeKind::Conversion, 0.9, relative(1.0)).mean - 0.1).abs() < 1e-12);
    }
}
