//! Whom a channel would reach first, and what is at stake and believed there.

use thalweg_domain::Belief;
use thalweg_plan::decide::Candidate;

use super::Planning;

/// The customers whom a channel would reach first, each with the best action there.
pub(super) struct Reach {
    pub(super) picks: Vec<(usize, Candidate)>,
    pub(super) eligible: usize,
}

/// The best `capacity` eligible customers of a channel by expected value.
pub(super) fn reach(planning: &Planning, channel: usize) -> Reach {
    let belongs = |candidate: &&Candidate| {
        planning
            .menu
            .actions
            .get(usize::from(candidate.action.0))
            .is_some_and(|action| action.channel == channel)
    };
    let best = |customer: usize| {
        let own = planning.of(customer).iter().filter(belongs);
        own.max_by(|a, b| {
            a.expected_value
                .total_cmp(&b.expected_value)
                .then(b.action.cmp(&a.action))
        })
        .map(|candidate| (customer, *candidate))
    };
    let mut picks: Vec<(usize, Candidate)> = (0..planning.customers.len()).filter_map(best).collect();
    let eligible = picks.len();
    picks.sort_by(|a, b| {
        b.1.expected_value
            .total_cmp(&a.1.expected_value)
            .then(a.0.cmp(&b.0))
    });
    let capacity = planning
        .menu
        .channels
        .get(channel)
        .and_then(|channel| channel.capacity);
    picks.truncate(
        capacity
            .and_then(|capacity| usize::try_from(capacity).ok())
            .unwrap_or(eligible),
    );
    Reach { picks, eligible }
}

impl Reach {
    /// The relative effect over the customers it would reach, weighted by what is at stake.
    pub(super) fn average_effect(&self, planning: &Planning) -> Belief {
        let mut loads = planning.menu.loads(&planning.phi);
        let mut weight = 0.0;
        for (customer, candidate) in &self.picks {
            let stake = stake(planning, *customer);
            weight += stake;
            if let Some(load) = loads.get_mut(usize::from(candidate.action.0)) {
                load.add(stake, planning.phi.of(*customer));
            }
        }
        if weight <= 0.0 {
            return Belief { mean: 0.0, sd: 0.0 };
        }
        let total = planning.effects.posterior.total(&loads);
        Belief {
            mean: total.mean / weight,
            sd: total.sd / weight,
        }
    }

    /// The relative effect at which an average contact pays for itself; 0 where nothing is at stake.
    pub(super) fn breakeven(&self, planning: &Planning) -> f64 {
        let at_stake = self.sum(|(customer, _)| stake(planning, *customer));
        if at_stake <= 0.0 {
            0.0
        } else {
            self.sum(|(_, candidate)| candidate.cost) / at_stake
        }
    }

    /// Value times risk of an average customer.
    pub(super) fn value_per_effect(&self, planning: &Planning) -> f64 {
        self.mean(|(customer, _)| stake(planning, *customer))
    }

    /// The mean over the customers; 0 without any.
    pub(super) fn mean(&self, of: impl Fn(&(usize, Candidate)) -> f64) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "counts of customers are far below 2^52"
        )]
        let n = self.picks.len().max(1) as f64;
        self.sum(of) / n
    }

    fn sum(&self, of: impl Fn(&(usize, Candidate)) -> f64) -> f64 {
        self.picks.iter().map(of).sum()
    }
}

fn stake(planning: &Planning, customer: usize) -> f64 {
    planning
        .customers
        .get(customer)
        .map_or(0.0, |person| person.value * person.risk)
}
