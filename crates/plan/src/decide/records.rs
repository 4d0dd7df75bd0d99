//! The decision record of every customer.

use thalweg_domain::{ActionId, Arm, Decision, EligibleAction};

use super::Choice;
use super::input::Candidate;
use super::limits::{amount, sign};

impl Choice<'_> {
    pub(super) fn decisions(&self) -> Vec<Decision> {
        (0..self.input.customers.len())
            .map(|row| self.decision(row))
            .collect()
    }

    fn decision(&self, row: usize) -> Decision {
        let customer = &self.input.customers[row];
        let (arm, action, intended) = (self.arms.arm[row], self.actions[row], self.intended[row]);
        let eligible = self.eligible(row);
        let propensity = eligible
            .iter()
            .find(|e| e.action == action)
            .map_or(0.0, |e| e.propensity);
        let changed = arm == Arm::Exploit && action != intended;
        Decision {
            row,
            customer: customer.key.clone(),
            arm,
            intended,
            action,
            repaired: changed || self.arms.taken_back[row],
            eligible,
            propensity,
            risk: customer.risk,
            value: customer.value,
            binding: self.binding(row),
            reasons: Vec::new(),
            day: None,
            survival: None,
        }
    }

    /// *None* first, then the candidates in their order.
    fn eligible(&self, row: usize) -> Vec<EligibleAction> {
        let held = self.arms.arm[row] == Arm::Holdout;
        let explore = self.params.explore;
        let propensity = |action: Option<ActionId>, q: f64| {
            let planned = if self.intended[row] == action {
                1.0 - explore
            } else {
                0.0
            };
            if held {
                f64::from(action.is_none())
            } else {
                planned + explore * q
            }
        };
        let none_q = self.arms.none(self.input, row);
        let none = EligibleAction {
            action: None,
            propensity: propensity(None, none_q),
            explore_probability: none_q,
            expected_value: 0.0,
            effect: 0.0,
            effect_sd: 0.0,
            cost: 0.0,
            acceptance: 0.0,
        };
        let own = (self.input.offsets[row]..)
            .zip(self.input.of(row))
            .map(|(index, candidate)| EligibleAction {
                action: Some(candidate.action),
                propensity: propensity(Some(candidate.action), self.arms.q[index]),
                explore_probability: self.arms.q[index],
                expected_value: candidate.expected_value,
                effect: candidate.effect,
                effect_sd: candidate.effect_sd,
                cost: candidate.cost,
                acceptance: candidate.acceptance,
            });
        std::iter::once(none).chain(own).collect()
    }

    /// The limit whose price takes most from the action with the best expected value, when that is not intended.
    fn binding(&self, row: usize) -> Option<String> {
        let best = self.input.of(row).iter().max_by(|a, b| {
            a.expected_value
                .total_cmp(&b.expected_value)
                .then(b.action.cmp(&a.action))
        })?;
        if best.expected_value <= 0.0 || self.intended[row] == Some(best.action) {
            return None;
        }
        let charges = self.charges(row, best);
        let (index, charge) = charges
            .into_iter()
            .enumerate()
            .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))?;
        (charge > 0.0).then(|| self.rows[index].name.clone())
    }

    /// Price times use of every limit; what helps to reach a floor is charged less than nothing.
    pub(super) fn charges(&self, customer: usize, candidate: &Candidate) -> Vec<f64> {
        let prices = self.rows.iter().zip(&self.allocation.prices);
        prices
            .map(|(row, price)| sign(row) * price * amount(row, customer, candidate))
            .collect()
    }
}
