//! The plan in numbers: counts, spend, value, channels.

use thalweg_domain::{Arm, Estimate};

use super::input::Candidate;
use super::limits::{sign, use_of};
use super::{Choice, PlanResult};
use crate::allocate::{ConstraintUse, Shortfall};
use crate::exact::exact_sum;

/// The one-sided 95 % quantile of the standard normal distribution (the two-sided 90 % one).
const ONE_SIDED_95: f64 = Estimate::Z90;

/// How many customers are where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// All.
    pub customers: usize,
    /// Those who get an action, by plan or by draw.
    pub treated: usize,
    /// Never contacted.
    pub holdout: usize,
    /// Drawing at random.
    pub explore: usize,
    /// Following the plan.
    pub exploit: usize,
    /// Rows changed so that hard limits hold; left out of inverse-propensity estimates.
    pub repaired: usize,
}

/// One channel in the plan, exploration included.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ChannelSummary {
    /// Index into the channel list.
    pub channel: usize,
    /// Customers contacted.
    pub customers: usize,
    /// Expected spend.
    pub spend: f64,
    /// Expected value net of cost.
    pub expected_value: f64,
    /// Standard deviation of the expected value, effect errors shared by the channel's customers.
    pub expected_value_sd: f64,
    /// Net value of one more unit of currency in this channel.
    pub marginal_return: f64,
    /// Standard deviation of the marginal return, from the doubt about the effects.
    pub marginal_return_sd: f64,
}

impl Choice<'_> {
    pub(super) fn result(&self) -> PlanResult {
        let taken = self.taken();
        let decisions = self.decisions();
        let channels = self.channels(&taken);
        let spend = exact_sum(taken.iter().map(|(_, candidate)| candidate.cost));
        PlanResult {
            counts: Counts {
                customers: decisions.len(),
                treated: taken.len(),
                holdout: self.arms.count(Arm::Holdout),
                explore: self.arms.count(Arm::Explore),
                exploit: self.arms.count(Arm::Exploit),
                repaired: decisions.iter().filter(|decision| decision.repaired).count(),
            },
            spend,
            spend_q95: spend + ONE_SIDED_95 * self.spend_variance(&taken).sqrt(),
            expected_value: exact_sum(taken.iter().map(|(_, candidate)| candidate.expected_value)),
            expected_value_sd: channels
                .iter()
                .map(|c| c.expected_value_sd.powi(2))
                .sum::<f64>()
                .sqrt(),
            constraints: self.constraint_uses(&taken),
            value: self.allocation.value,
            upper_bound: self.allocation.upper_bound,
            gap: self.allocation.gap,
            feasible: self.allocation.feasible,
            conflicts: self.allocation.conflicts.clone(),
            shortfalls: self.shortfalls(&taken),
            channels,
            // The budget is the first constraint.
            budget_price: self.allocation.prices.first().copied().unwrap_or(0.0),
            intended_limits: Vec::new(),
            intended_prices: Vec::new(),
            decisions,
        }
    }

    /// Every action taken: customer and candidate.
    fn taken(&self) -> Vec<(usize, &Candidate)> {
        let own = |customer: usize| {
            let action = self.actions[customer]?;
            self.input
                .of(customer)
                .iter()
                .find(|c| c.action == action)
                .map(|candidate| (customer, candidate))
        };
        (0..self.actions.len()).filter_map(own).collect()
    }

    fn constraint_uses(&self, taken: &[(usize, &Candidate)]) -> Vec<ConstraintUse> {
        let used = use_of(self.rows, taken.iter().copied());
        let rows = self.rows.iter().zip(used).zip(&self.allocation.prices);
        rows.map(|((row, used), price)| ConstraintUse {
            name: row.name.clone(),
            sense: row.sense,
            limit: row.limit,
            used,
            shadow_price: sign(row) * price + 0.0,
        })
        .collect()
    }

    /// What floors that conflict lack; what explorers drew counts.
    fn shortfalls(&self, taken: &[(usize, &Candidate)]) -> Vec<Shortfall> {
        let drawn = taken
            .iter()
            .filter(|(customer, _)| self.arms.arm[*customer] == Arm::Explore);
        let drawn = use_of(self.rows, drawn.copied());
        let with_drawn = |short: &Shortfall| {
            let place = self.rows.iter().position(|row| row.name == short.name)?;
            Some(Shortfall {
                name: short.name.clone(),
                required: self.rows[place].limit,
                reachable: short.reachable + drawn[place],
            })
        };
        self.allocation.shortfalls.iter().filter_map(with_drawn).collect()
    }

    /// Variance of the spend: acceptance by chance, `p (1 - p) o^2` per customer, plus the doubt about each offer's
    /// acceptance, shared by all who get it, `(sum o)^2 sd^2` per offer; `o` is the offer's cost when accepted.
    fn spend_variance(&self, taken: &[(usize, &Candidate)]) -> f64 {
        let mut at_stake = vec![0.0; self.input.menu.offers.len()];
        let mut chance = 0.0;
        for (_, candidate) in taken {
            let action = self.input.menu.action(candidate);
            let unit = self.input.menu.channels[action.channel].unit_cost.get();
            if let Some(offer) = action.offer
                && candidate.acceptance > 0.0
            {
                let share = self.partner_share(action.channel, candidate);
                let paid = (candidate.cost - unit - share).max(0.0) / candidate.acceptance;
                chance += candidate.acceptance * (1.0 - candidate.acceptance) * paid * paid;
                at_stake[offer] += paid;
            }
        }
        let doubt = at_stake
            .iter()
            .zip(self.input.acceptance_sd)
            .map(|(paid, sd)| (paid * sd).powi(2));
        chance + doubt.sum::<f64>()
    }

    /// What of a candidate's cost is the partner's share.
    fn partner_share(&self, channel: usize, candidate: &Candidate) -> f64 {
        let mut partners = self.input.partners.iter();
        let own = partners.find(|terms| terms.channel == channel);
        own.map_or(0.0, |terms| {
            terms.share_of(candidate.expected_value + candidate.cost)
        })
    }

    fn channels(&self, taken: &[(usize, &Candidate)]) -> Vec<ChannelSummary> {
        let marginal = self.marginal_returns();
        let mut channels: Vec<ChannelSummary> = (0..)
            .zip(marginal)
            .map(|(channel, margin)| ChannelSummary {
                channel,
                marginal_return: margin.mean,
                marginal_return_sd: margin.sd,
                ..ChannelSummary::default()
            })
            .collect();
        for (customer, candidate) in taken {
            let channel = &mut channels[self.input.menu.action(candidate).channel];
            channel.customers += 1;
            channel.spend += candidate.cost;
            channel.expected_value += candidate.expected_value;
            channel.expected_value_sd +=
                self.money_per_effect(*customer, candidate).abs() * candidate.effect_sd;
        }
        channels
    }
}
