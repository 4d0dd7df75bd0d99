//! What the plan stage decides on: customers, their candidate actions, and the limits of the cycle.

use thalweg_domain::{Action, ActionId, Channel, CustomerKey, Error, Offer, Result};

use super::partners::PartnerTerms;
use crate::allocate::{Constraint, Resource, malformed};

/// An action that a customer may get, with what is believed about it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Which action.
    pub action: ActionId,
    /// Expected decrease of P(churn), increase of P(conversion), or increase of money.
    pub effect: f64,
    /// Standard deviation of `effect`, not negative.
    pub effect_sd: f64,
    /// Value times effect minus cost, in money.
    pub expected_value: f64,
    /// What the allocation adds up: usually `expected_value`, or a posterior draw of it (Thompson sampling).
    pub planning_value: f64,
    /// Expected cost: contact plus P(accept) times the offer's cost; not negative.
    pub cost: f64,
    /// P(accept), 0 without an offer.
    pub acceptance: f64,
}

/// A customer to decide on.
#[derive(Debug, Clone, PartialEq)]
pub struct Customer {
    /// The key.
    pub key: CustomerKey,
    /// Who shares it gets the same arm (a household); `None` stands alone.
    pub cluster: Option<String>,
    /// P(outcome | no action).
    pub risk: f64,
    /// Money at stake.
    pub value: f64,
}

/// Limits of one channel in the cycle.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ChannelLimit {
    /// Contacts; `None` is without limit.
    pub capacity: Option<u64>,
    /// Expected spend; `None` is bounded by the total budget only.
    pub budget: Option<f64>,
    /// Contacts that there must be; `None` is no floor.
    pub minimum: Option<u64>,
}

/// Limits of the cycle.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Expected spend over all channels.
    pub budget: f64,
    /// One per channel.
    pub channels: Vec<ChannelLimit>,
    /// Contacts per offer, one per offer; `None` is without limit.
    pub offer_caps: Vec<Option<u64>>,
    /// Ceilings and floors of any other group of customers and actions, each with a name of its own. They count contacts
    /// ([`Resource::Rows`]) or add up the expected cost (`Resource::Column(0)`); a limit is not negative.
    pub further: Vec<Constraint>,
}

impl Limits {
    /// The budget with the limits that channels and offers carry, and no further ones.
    #[must_use]
    pub fn new(budget: f64, channels: &[Channel], offers: &[Offer]) -> Self {
        let limit = |channel: &Channel| ChannelLimit {
            capacity: channel.capacity,
            budget: channel.budget.map(thalweg_domain::Money::get),
            minimum: None,
        };
        Self {
            budget,
            channels: channels.iter().map(limit).collect(),
            offer_caps: offers.iter().map(|offer| offer.cap).collect(),
            further: Vec::new(),
        }
    }
}

/// The cycle's channels, offers and actions with their limits.
#[derive(Debug, Clone, Copy)]
pub struct Menu<'a> {
    /// The actions that [`ActionId`] points into.
    pub actions: &'a [Action],
    /// The channels.
    pub channels: &'a [Channel],
    /// The offers.
    pub offers: &'a [Offer],
    /// What may be used.
    pub limits: &'a Limits,
}

impl Menu<'_> {
    /// The action of a candidate; checked on entry.
    pub(super) fn action(&self, candidate: &Candidate) -> Action {
        self.actions[usize::from(candidate.action.0)]
    }

    /// Checks that indices and limits make sense; masks of constraints have one entry per customer.
    pub(super) fn check(&self, n_customers: usize) -> Result<()> {
        if self.limits.channels.len() != self.channels.len()
            || self.limits.offer_caps.len() != self.offers.len()
        {
            return Err(malformed(
                "there is not one limit per channel and per offer".to_owned(),
            ));
        }
        let exists = |action: &Action| {
            action.channel < self.channels.len() && action.offer.is_none_or(|offer| offer < self.offers.len())
        };
        if !self.actions.iter().all(exists) {
            return Err(malformed(
                "an action names a channel or offer that is not there".to_owned(),
            ));
        }
        let budgets = self.limits.channels.iter().zip(self.channels);
        let budgets = budgets
            .filter_map(|(limit, channel)| limit.budget.map(|b| (format!("{} budget", channel.name), b)));
        for (name, budget) in std::iter::once(("budget".to_owned(), self.limits.budget)).chain(budgets) {
            if !(budget.is_finite() && budget >= 0.0) {
                return Err(
                    Error::new("TW0502", format!("constraint \"{name}\" has the limit {budget}"))
                        .hint("a budget is a finite amount, not negative"),
                );
            }
        }
        let mut further = self.limits.further.iter();
        further.try_for_each(|row| check_further(row, n_customers))
    }
}

/// Everything the plan decides on. Customer `i` owns `candidates[offsets[i]..offsets[i + 1]]`.
#[derive(Debug, Clone, Copy)]
pub struct PlanInput<'a> {
    /// The customers, one per row of the cycle's table.
    pub customers: &'a [Customer],
    /// One more entry than customers, starting at 0, ending at the number of candidates.
    pub offsets: &'a [usize],
    /// Candidate actions: eligible by consent and policy, at most one per action and customer.
    pub candidates: &'a [Candidate],
    /// Channels, offers, actions, limits.
    pub menu: Menu<'a>,
    /// Standard deviation of what is believed about each offer's acceptance, one per offer, shared by all
    /// customers who get it.
    pub acceptance_sd: &'a [f64],
    /// Terms of the channels that are partners' with terms, at most one per channel.
    pub partners: &'a [PartnerTerms],
}

impl PlanInput<'_> {
    /// Candidates of a customer.
    pub(super) fn of(&self, customer: usize) -> &[Candidate] {
        &self.candidates[self.offsets[customer]..self.offsets[customer + 1]]
    }

    pub(super) fn check(&self) -> Result<()> {
        self.menu.check(self.customers.len())?;
        if self.offsets.len() != self.customers.len() + 1 {
            return Err(malformed(format!(
                "{} offsets for {} customers",
                self.offsets.len(),
                self.customers.len()
            )));
        }
        if self.acceptance_sd.len() != self.menu.offers.len() {
            return Err(malformed("there is not one acceptance_sd per offer".to_owned()));
        }
        super::partners::check(self.partners, self.menu.channels.len())?;
        check_candidates(self.offsets, self.candidates, self.menu.actions.len())
    }
}

fn check_further(row: &Constraint, n_customers: usize) -> Result<()> {
    let wrong = |what: String| {
        let error = Error::new("TW0502", format!("constraint \"{}\" {what}", row.name));
        Err(error.hint("count contacts or add up expected cost, with a finite limit that is not negative"))
    };
    if !(row.limit.is_finite() && row.limit >= 0.0) {
        return wrong(format!("has the limit {}", row.limit));
    }
    match (&row.customers, row.resource) {
        (_, Resource::Column(column)) if column > 0 => wrong(format!("adds up column {column}, cost is 0")),
        (Some(mask), _) if mask.len() != n_customers => {
            wrong(format!("covers {} customers of {n_customers}", mask.len()))
        }
        _ => Ok(()),
    }
}

/// Checks offsets, action indices and numbers of candidates.
pub(super) fn check_candidates(offsets: &[usize], candidates: &[Candidate], n_actions: usize) -> Result<()> {
    let ends = offsets.first() == Some(&0) && offsets.last() == Some(&candidates.len());
    if !ends || offsets.windows(2).any(|pair| pair[0] > pair[1]) {
        return Err(malformed(format!(
            "the row offsets do not run from 0 to the {} candidates",
            candidates.len()
        )));
    }
    for (row, candidate) in candidates.iter().enumerate() {
        check_candidate(row, candidate, n_actions)?;
    }
    for (customer, pair) in offsets.windows(2).enumerate() {
        let mut actions: Vec<ActionId> = candidates[pair[0]..pair[1]].iter().map(|c| c.action).collect();
        actions.sort_unstable();
        if actions.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(malformed(format!(
                "customer row {customer} has the same action twice"
            )));
        }
    }
    Ok(())
}

fn check_candidate(row: usize, candidate: &Candidate, n_actions: usize) -> Result<()> {
    if usize::from(candidate.action.0) >= n_actions {
        return Err(malformed(format!(
            "candidate {row} has action {} of {n_actions}",
            candidate.action.0
        )));
    }
    let numbers = [
        ("effect", candidate.effect),
        ("effect_sd", candidate.effect_sd),
        ("expected value", candidate.expected_value),
        ("planning value", candidate.planning_value),
        ("cost", candidate.cost),
        ("acceptance", candidate.acceptance),
    ];
    if let Some((what, number)) = numbers.iter().find(|(_, number)| !number.is_finite()) {
        return Err(malformed(format!(
            "{what} {number} of candidate {row} is not a finite number"
        )));
    }
    if candidate.cost < 0.0 || candidate.effect_sd < 0.0 || !(0.0..=1.0).contains(&candidate.acceptance) {
        return Err(malformed(format!(
            "cost, effect_sd or acceptance of candidate {row} is out of range"
        )));
    }
    Ok(())
}
