//! What the contacts of a plan commit of the budget, and what its accepted offers have cost.

use std::collections::BTreeSet;

use thalweg_domain::Result;
use thalweg_ledger::DecisionRow;

use crate::session::Session;
use crate::wire::PlanOut;

/// The prices that a plan was made with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Prices {
    /// Channel and the cost of a contact through it.
    channels: Vec<(String, f64)>,
    /// Partner and its share of what a contact is expected to bring.
    shares: Vec<(String, f64)>,
    /// Fees of the partners in use; they are paid once, whoever is contacted.
    pub(crate) fees: f64,
}

impl Prices {
    /// The prices in a plan's summary.
    pub(crate) fn of(plan: &PlanOut) -> Self {
        let channels = plan.channels.iter();
        let partners = plan.partners.iter();
        Self {
            channels: channels.map(|own| (own.name.clone(), own.unit_cost)).collect(),
            fees: partners.clone().map(|own| own.fee).sum(),
            shares: partners
                .map(|own| (own.name.clone(), own.revenue_share))
                .collect(),
        }
    }

    /// What the contact costs whatever follows: that of the channel, with a partner's share; 0 without an action.
    pub(crate) fn contact(&self, decision: &DecisionRow) -> f64 {
        let Some(channel) = &decision.channel else {
            return 0.0;
        };
        let share = named(&self.shares, channel);
        named(&self.channels, channel) + share * (decision.value * decision.effect).max(0.0)
    }

    /// What the offer costs when it is accepted; 0 without one.
    pub(crate) fn offer(&self, decision: &DecisionRow) -> f64 {
        if decision.offer.is_none() || decision.acceptance <= 0.0 {
            return 0.0;
        }
        (decision.cost - self.contact(decision)).max(0.0) / decision.acceptance
    }
}

fn named(prices: &[(String, f64)], name: &str) -> f64 {
    let mut prices = prices.iter();
    prices
        .find(|(own, _)| own == name)
        .map_or(0.0, |(_, price)| *price)
}

/// Decisions whose offer was accepted, as far as feedback says.
pub(crate) fn accepted(session: &Session) -> Result<BTreeSet<String>> {
    let events = session.ledger.events_for_decisions("Offer Accepted")?;
    Ok(events.into_iter().map(|event| event.decision_id).collect())
}

/// What is left of a budget while contacts go out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Purse {
    pub(crate) budget: f64,
    /// Contacts that are out or go out now, with partners' shares and fees.
    pub(crate) committed: f64,
    /// Accepted offers.
    pub(crate) realised: f64,
}

impl Purse {
    /// Commits the cost of a contact unless it goes beyond the budget.
    pub(crate) fn take(&mut self, cost: f64) -> bool {
        // sums of many cents end a little beside the true one
        let most = self.budget + 1e-9 * self.budget.max(1.0);
        let fits = self.committed + self.realised + cost <= most;
        if fits {
            self.committed += cost;
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use thalweg_domain::{Arm, CustomerKey, Timestamp};

    fn decision(channel: &str, offer: Option<&str>) -> DecisionRow {
        DecisionRow {
            decision_id: "p-1-0000001".to_owned(),
            plan_id: "p-1".to_owned(),
            cycle: 1,
            customer: CustomerKey::new("C1").unwrap(),
            cluster: None,
            row: 1,
            decided_at: Timestamp(0),
            arm: Arm::Exploit,
            intended: channel.to_owned(),
            intended_id: None,
            action: channel.to_owned(),
            action_id: None,
            repaired: false,
            eligible: Vec::new(),
            propensity: 1.0,
            propensity_none: 0.0,
            risk: 0.5,
            effect: 0.1,
            effect_sd: 0.0,
            value: 200.0,
            // 4 a contact, 10 % of 200 x 0.1 to the partner, 30 for the offer that one in four accepts
            cost: 4.0 + 2.0 + 7.5,
            acceptance: 0.25,
            model_hash: String::new(),
            config_hash: String::new(),
            data_hash: String::new(),
            seed: 0,
            reasons: Vec::new(),
            binding: None,
            day: None,
            survival: None,
            channel: Some(channel.to_owned()),
            offer: offer.map(str::to_owned),
        }
    }

    fn prices() -> Prices {
        Prices {
            channels: vec![("email".to_owned(), 0.5), ("agency".to_owned(), 4.0)],
            shares: vec![("agency".to_owned(), 0.1)],
            fees: 50.0,
        }
    }

    #[test]
    fn a_contact_pays_channel_and_partner_and_an_offer_only_when_accepted() {
        let prices = prices();
        let own = decision("agency", Some("gift"));
        assert!((prices.contact(&own) - 6.0).abs() < 1e-12);
        assert!((prices.contact(&decision("email", None)) - 0.5).abs() < 1e-12);
        assert!((prices.offer(&own) - 30.0).abs() < 1e-12);
        assert!(prices.offer(&decision("agency", None)).abs() < 1e-12);
        let nothing = DecisionRow {
            channel: None,
            ..decision("agency", None)
        };
        assert!(prices.contact(&nothing).abs() < 1e-12);
    }

    #[test]
    fn a_purse_gives_up_to_the_budget_and_not_a_cent_more() {
        let mut purse = Purse {
            budget: 1.0,
            committed: 0.0,
            realised: 0.5,
        };
        for _ in 0..5 {
            assert!(purse.take(0.1));
        }
        assert!(!purse.take(0.01), "{purse:?}");
        assert!(purse.take(0.0) && (purse.committed - 0.5).abs() < 1e-12);
        purse.realised = 0.6;
        assert!(!purse.take(0.0), "beyond the budget nothing goes out");
    }
}
