//! What an all-knowing planner believes about one customer and one action.
//!
//! Hidden traits (mood, liking) are independent of the record and drawn anew each cycle, so the
//! expectation given everything observable is exact, whatever the customer's past: on the log-odds of
//! leaving the mood is one normal term, with the same variance with and without a contact, and
//! P(leave | record, action) = E[logistic(score - response + mood_sd z)], by quadrature.

use thalweg_domain::Action;

use crate::catalogue;
use crate::customer::Customer;
use crate::features::{Features, features};
use crate::luck::Luck;
use crate::quadrature::{logistic, logistic_normal_mean};
use crate::world::World;

/// The true expectations for one customer and one action, given everything observable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Truth {
    /// P(the customer leaves within the horizon).
    pub p_outcome: f64,
    /// P(the offer is accepted); 0 without an offer.
    pub acceptance: f64,
    /// Cost of the contact; 0 without one.
    pub contact_cost: f64,
    /// Cost of the offer if it is accepted; 0 without an offer.
    pub offer_cost: f64,
}

impl Truth {
    /// `contact_cost + acceptance x offer_cost`.
    #[must_use]
    pub fn expected_cost(&self) -> f64 {
        self.contact_cost + self.acceptance * self.offer_cost
    }
}

/// A customer with what the hidden formulas need of them, computed once per cycle.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) customer: Customer,
    pub(crate) features: Features,
    /// Log-odds of leaving when left alone, at a mood of zero.
    pub(crate) risk_score: f64,
    /// P(leave | record, no action).
    pub(crate) p_alone: f64,
}

impl Person {
    pub(crate) fn new(world: &World, customer: Customer) -> Self {
        let features = features(&customer);
        let risk_score = world.risk_score(&features);
        let p_alone = logistic_normal_mean(risk_score, world.mood_sd);
        Self {
            customer,
            features,
            risk_score,
            p_alone,
        }
    }

    /// The expectations under a valid action; `unit_cost` is its channel's.
    pub(crate) fn truth(&self, world: &World, action: Option<Action>, unit_cost: f64) -> Truth {
        let Some(action) = action else {
            return Truth {
                p_outcome: self.p_alone,
                acceptance: 0.0,
                contact_cost: 0.0,
                offer_cost: 0.0,
            };
        };
        let response = world.response(&self.features, self.risk_score, action);
        let (acceptance, offer_cost) = action.offer.map_or((0.0, 0.0), |offer| {
            let score = world.acceptance_score(&self.features, self.risk_score, action.channel, offer);
            (
                logistic_normal_mean(score, world.acceptance_sd()),
                catalogue::offer_cost(offer, &self.customer),
            )
        });
        Truth {
            p_outcome: logistic_normal_mean(self.risk_score - response, world.mood_sd),
            acceptance,
            contact_cost: unit_cost,
            offer_cost,
        }
    }

    /// Whether the customer leaves within the horizon, given this cycle's luck.
    pub(crate) fn leaves(&self, world: &World, action: Option<Action>, luck: &Luck) -> bool {
        let (response, mood) = action.map_or((0.0, luck.mood), |action| {
            let fresh = (1.0 - world.mood_kept.powi(2)).sqrt();
            let mood = world.mood_kept * luck.mood + fresh * luck.mood_on_contact;
            (world.response(&self.features, self.risk_score, action), mood)
        });
        luck.leaves < logistic(self.risk_score - response + world.mood_sd * mood)
    }

    /// Whether the customer accepts the action's offer, given this cycle's luck.
    pub(crate) fn accepts(&self, world: &World, action: Action, luck: &Luck) -> bool {
        action.offer.is_some_and(|offer| {
            let score = world.acceptance_score(&self.features, self.risk_score, action.channel, offer);
            luck.accepts < logistic(score + world.acceptance_shift(luck.mood, luck.liking))
        })
    }
}
