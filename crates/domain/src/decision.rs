//! The decision record: one immutable row per customer and cycle; measurement, audit and explanation read it.

use crate::{ActionId, CustomerKey};

/// Which arm of the cycle's experiment a customer is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Arm {
    /// Never contacted, for ever.
    Holdout,
    /// Gets what the plan intends.
    Exploit,
    /// Gets an action drawn at random this cycle.
    Explore,
}

impl Arm {
    /// `holdout`, `exploit` or `explore`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Holdout => "holdout",
            Self::Exploit => "exploit",
            Self::Explore => "explore",
        }
    }

    /// The arm of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Holdout, Self::Exploit, Self::Explore]
            .into_iter()
            .find(|arm| arm.as_str() == name)
    }
}

/// An action that could have been taken, with its logged probability and its expected value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EligibleAction {
    /// Which action; `None` is doing nothing.
    pub action: Option<ActionId>,
    /// Probability with which the cycle's policy chooses it for this customer.
    pub propensity: f64,
    /// Probability with which the exploration arm chooses it (q in the design).
    pub explore_probability: f64,
    /// Expected incremental value net of cost, in the workspace currency.
    pub expected_value: f64,
    /// Expected decrease of churn (increase of conversion, of money) by the action.
    pub effect: f64,
    /// Standard deviation of `effect`.
    pub effect_sd: f64,
    /// Expected cost: contact plus acceptance times offer cost.
    pub cost: f64,
    /// Probability that the offer is accepted (0 without an offer).
    pub acceptance: f64,
}

/// A reason for a risk score: a feature, its value in words and its contribution.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// Column name.
    pub feature: String,
    /// The customer's value, as text.
    pub value: String,
    /// Contribution to the risk in probability points (positive raises it).
    pub contribution: f64,
}

/// What was decided for one customer in one cycle.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Row of the customer in the cycle's table.
    pub row: usize,
    /// The customer.
    pub customer: CustomerKey,
    /// The arm.
    pub arm: Arm,
    /// The action that the plan takes or would take, found the same way in every arm; `None` is nothing.
    pub intended: Option<ActionId>,
    /// The action taken; `None` is nothing.
    pub action: Option<ActionId>,
    /// True when the last repair changed this row: it is left out of inverse-propensity estimates.
    pub repaired: bool,
    /// Everything that could have been done, *none* included.
    pub eligible: Vec<EligibleAction>,
    /// Probability with which `action` was chosen.
    pub propensity: f64,
    /// P(outcome | no action).
    pub risk: f64,
    /// Money at stake.
    pub value: f64,
    /// Name of the constraint that keeps this customer from a better action, if any.
    pub binding: Option<String>,
    /// Top reasons for the risk.
    pub reasons: Vec<Reason>,
    /// The day of the cycle on which the contact is due, counted from 1; `None` is at once.
    pub day: Option<u16>,
    /// How often `intended` is still what is planned when effects are drawn from what is believed about them, in [0, 1];
    /// `None` when that was not looked at.
    pub survival: Option<f64>,
}
