//! Figures of a group of customers: means with their doubt, who can be reached, what the plan does for them.

use thalweg_domain::{ActionId, Arm, Belief, Decision, Estimate};
use thalweg_plan::decide::{Candidate, PlanResult};

use super::Planning;
use crate::count::to_f64;
use crate::wire::{Mean95, ReachOut};

/// The action that each customer is believed to gain most from; what it costs counts, limits do not.
pub(super) struct Best(Vec<Option<Candidate>>);

impl Best {
    pub(super) fn of_all(planning: &Planning) -> Self {
        let best = |customer: usize| {
            let own = planning.of(customer).iter();
            own.max_by(|a, b| {
                a.expected_value
                    .total_cmp(&b.expected_value)
                    .then(b.action.cmp(&a.action))
            })
            .copied()
        };
        Self((0..planning.customers.len()).map(best).collect())
    }

    pub(super) fn of(&self, customer: usize) -> Option<&Candidate> {
        self.0.get(customer).and_then(Option::as_ref)
    }

    /// The best action if it pays.
    pub(super) fn paying(&self, customer: usize) -> Option<&Candidate> {
        self.of(customer).filter(|best| best.expected_value > 0.0)
    }

    /// What the best action is expected to gain; nothing where none pays.
    pub(super) fn gain(&self, customer: usize) -> f64 {
        self.paying(customer).map_or(0.0, |best| best.expected_value)
    }
}

/// The mean of a figure over a sample of customers, in doubt by who is in the sample.
pub(super) fn mean(figures: impl Iterator<Item = f64>) -> Belief {
    let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for figure in figures {
        n += 1.0;
        let before = if n > 1.0 { sum / (n - 1.0) } else { figure };
        sum += figure;
        squares += (figure - before) * (figure - sum / n);
    }
    if n < 1.0 {
        return Belief { mean: 0.0, sd: 0.0 };
    }
    let variance = if n > 1.0 { squares / (n - 1.0) } else { 0.0 };
    Belief {
        mean: sum / n,
        sd: (variance / n).max(0.0).sqrt(),
    }
}

/// A mean with a 95 % interval.
pub(super) fn interval(belief: Belief) -> Mean95 {
    Mean95::from(Estimate::normal(belief.mean, belief.sd, Estimate::Z95))
}

/// Two doubts that have nothing to do with each other.
pub(super) fn with_doubt(belief: Belief, sd: f64) -> Belief {
    Belief {
        mean: belief.mean,
        sd: belief.sd.hypot(sd),
    }
}

/// The standard deviation of a weighted sum of relative effects; all customers of a channel share its error.
pub(super) fn shared_sd(planning: &Planning, parts: impl Iterator<Item = (usize, ActionId, f64)>) -> f64 {
    let mut loads = planning.menu.loads(&planning.phi);
    let mut any = false;
    for (customer, action, weight) in parts {
        if let Some(load) = loads.get_mut(usize::from(action.0)) {
            load.add(weight, planning.phi.of(customer));
            any = true;
        }
    }
    if any {
        planning.effects.posterior.total(&loads).sd
    } else {
        0.0
    }
}

/// What the plan does for a group.
pub(super) struct Planned {
    pub(super) treated: usize,
    pub(super) spend: f64,
    /// Expected gain net of cost.
    pub(super) gain: f64,
    /// Contacts per channel.
    pub(super) contacts: Vec<usize>,
}

impl Planned {
    pub(super) fn of(planning: &Planning, result: &PlanResult, customers: &[usize]) -> Self {
        let mut planned = Self {
            treated: 0,
            spend: 0.0,
            gain: 0.0,
            contacts: vec![0; planning.menu.channels.len()],
        };
        for customer in customers {
            let Some(chosen) = chosen(planning, result, *customer) else {
                continue;
            };
            planned.treated += 1;
            planned.spend += chosen.cost;
            planned.gain += chosen.expected_value;
            let channel = channel_of(planning, chosen.action);
            if let Some(contacts) = channel.and_then(|channel| planned.contacts.get_mut(channel)) {
                *contacts += 1;
            }
        }
        planned
    }

    /// The channel with most contacts, of equal ones the first.
    pub(super) fn channel(&self, planning: &Planning) -> Option<String> {
        let most = *self.contacts.iter().max().filter(|most| **most > 0)?;
        let first = self.contacts.iter().position(|contacts| *contacts == most)?;
        let channel = planning.menu.channels.get(first)?;
        Some(channel.name.to_string())
    }
}

/// The action that a customer gets.
pub(super) fn chosen<'a>(
    planning: &'a Planning,
    result: &PlanResult,
    customer: usize,
) -> Option<&'a Candidate> {
    let action = result.decisions.get(customer)?.action?;
    planning
        .of(customer)
        .iter()
        .find(|candidate| candidate.action == action)
}

/// Whether a customer is never contacted.
pub(super) fn is_held_out(result: &PlanResult, customer: usize) -> bool {
    let decision: Option<&Decision> = result.decisions.get(customer);
    decision.is_some_and(|decision| decision.arm == Arm::Holdout)
}

pub(super) fn channel_of(planning: &Planning, action: ActionId) -> Option<usize> {
    let action = planning.menu.actions.get(usize::from(action.0))?;
    Some(action.channel)
}

/// Per channel the share of the customers who may be contacted through it.
pub(super) fn reach(planning: &Planning, customers: &[usize]) -> Vec<ReachOut> {
    let mut eligible = vec![0_usize; planning.menu.channels.len()];
    for customer in customers {
        let mut seen = vec![false; eligible.len()];
        for candidate in planning.of(*customer) {
            let channel = channel_of(planning, candidate.action);
            if let Some(seen) = channel.and_then(|channel| seen.get_mut(channel)) {
                *seen = true;
            }
        }
        for (count, seen) in eligible.iter_mut().zip(seen) {
            *count += usize::from(seen);
        }
    }
    let channels = planning.menu.channels.iter().zip(eligible);
    channels
        .map(|(channel, eligible)| ReachOut {
            channel: channel.name.to_string(),
            share: share(eligible, customers.len()),
        })
        .collect()
}

/// A part of a whole; nothing of nothing is 0.
pub(super) fn share(part: usize, whole: usize) -> f64 {
    to_f64(part) / to_f64(whole.max(1))
}

#[cfg(test)]
mod tests {
    use super::mean;

    #[test]
    fn a_mean_has_its_standard_error() {
        let found = mean([1.0, 2.0, 4.0, 9.0].into_iter());
        assert!((found.mean - 4.0).abs() < 1e-12);
        // variance 38 / 3, over four
        assert!((found.sd - (38.0_f64 / 12.0).sqrt()).abs() < 1e-12);
        let one = mean(std::iter::once(3.0));
        assert_eq!((one.mean, one.sd), (3.0, 0.0));
        assert_eq!(mean(std::iter::empty()).mean, 0.0);
    }
}
