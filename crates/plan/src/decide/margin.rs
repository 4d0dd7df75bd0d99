//! The return of one more unit of currency in each channel.

use thalweg_domain::{Arm, Belief};

use super::Choice;
use super::input::Candidate;
use super::limits::{amount, sign};
use crate::allocate::Constraint;

/// Costs below this count as this, so that the return of a free contact stays a finite number.
const LEAST_COST: f64 = 0.01;

/// A candidate that could be bought (or was bought last) with its gain, the doubt about it and its cost.
#[derive(Debug, Clone, Copy)]
struct Purchase {
    gain: f64,
    sd: f64,
    cost: f64,
}

impl Purchase {
    fn ratio(&self) -> f64 {
        self.gain / self.cost
    }
}

impl Choice<'_> {
    /// Net value of one more unit of currency for each channel: mean and standard deviation.
    ///
    /// The best candidates of the channel that the exploit arm does not take, up to one unit of cost, one per
    /// customer: value less the price of offer caps and further limits, less the reduced value of what the customer has now, over
    /// cost. The channel's own limits and the total budget are not charged, since the unit relaxes them. When
    /// nothing is left to buy, the least good ones taken stand in; without any, 0. The doubt is the effects' own,
    /// shared by the candidates averaged.
    pub(super) fn marginal_returns(&self) -> Vec<Belief> {
        let n_channels = self.input.menu.channels.len();
        let mut open = vec![Vec::new(); n_channels];
        let mut taken = vec![Vec::new(); n_channels];
        for customer in (0..self.actions.len()).filter(|customer| self.arms.arm[*customer] == Arm::Exploit) {
            self.collect(customer, &mut open, &mut taken);
        }
        open.into_iter()
            .zip(taken)
            .map(|(open, taken)| margin(open, taken))
            .collect()
    }

    /// Puts the customer's best open purchase per channel, and the one taken, where they belong.
    fn collect(&self, customer: usize, open: &mut [Vec<Purchase>], taken: &mut [Vec<Purchase>]) {
        let current = self
            .input
            .of(customer)
            .iter()
            .find(|c| self.actions[customer] == Some(c.action));
        let reduced = current.map_or(0.0, |c| {
            c.planning_value - self.charges(customer, c).iter().sum::<f64>()
        });
        let mut best: Vec<Option<Purchase>> = vec![None; open.len()];
        for candidate in self.input.of(customer) {
            let channel = self.input.menu.action(candidate).channel;
            if self.actions[customer] == Some(candidate.action) {
                taken[channel].push(self.purchase(customer, candidate, 0.0));
                continue;
            }
            let purchase = self.purchase(customer, candidate, reduced);
            if best[channel].is_none_or(|best| purchase.ratio() > best.ratio()) {
                best[channel] = Some(purchase);
            }
        }
        for (open, best) in open.iter_mut().zip(best) {
            open.extend(best);
        }
    }

    fn purchase(&self, customer: usize, candidate: &Candidate, given_up: f64) -> Purchase {
        Purchase {
            gain: candidate.planning_value - self.other_charges(customer, candidate) - given_up,
            sd: self.money_per_effect(customer, candidate).abs() * candidate.effect_sd,
            cost: candidate.cost.max(LEAST_COST),
        }
    }

    /// What offer caps and further limits charge, without those that are the channel's own.
    fn other_charges(&self, customer: usize, candidate: &Candidate) -> f64 {
        let menu = &self.input.menu;
        let caps = menu.limits.offer_caps.iter().flatten().count();
        let first = self.rows.len() - menu.limits.further.len() - caps;
        let channel = menu.action(candidate).channel;
        let is_own = |row: &Constraint| {
            let of_channel = |action: &u16| menu.actions[usize::from(*action)].channel == channel;
            row.customers.is_none() && row.actions.as_ref().is_some_and(|set| set.iter().all(of_channel))
        };
        let rows = self.rows.iter().zip(&self.allocation.prices).enumerate();
        rows.skip(first)
            .filter(|(place, (row, _))| *place < first + caps || !is_own(row))
            .map(|(_, (row, price))| sign(row) * price * amount(row, customer, candidate))
            .sum()
    }

    /// Money per unit of effect, read off the candidate's own expected value.
    pub(super) fn money_per_effect(&self, customer: usize, candidate: &Candidate) -> f64 {
        if candidate.effect == 0.0 {
            return self.input.customers[customer].value;
        }
        (candidate.expected_value + candidate.cost) / candidate.effect
    }
}

fn margin(mut open: Vec<Purchase>, mut taken: Vec<Purchase>) -> Belief {
    open.sort_by(|a, b| b.ratio().total_cmp(&a.ratio()));
    taken.sort_by(|a, b| a.ratio().total_cmp(&b.ratio()));
    let list = if open.is_empty() { taken } else { open };
    let (mut gain, mut sd, mut cost) = (0.0, 0.0, 0.0);
    for purchase in list {
        gain += purchase.gain;
        sd += purchase.sd;
        cost += purchase.cost;
        if cost >= 1.0 {
            break;
        }
    }
    if cost == 0.0 {
        Belief { mean: 0.0, sd: 0.0 }
    } else {
        Belief {
            mean: gain / cost,
            sd: sd / cost,
        }
    }
}
