//! Partners with terms: who is worth the fee, found by planning with and without each.

use std::collections::BTreeMap;

use thalweg_domain::{ActionId, Arm, Result};

use crate::allocate::malformed;
use crate::exact::exact_sum;

use super::input::{ChannelLimit, Limits, PlanInput};
use super::{DecideParams, Menu, PlanResult, decide};

/// Up to so many partners with a fee or a minimum every combination is planned; more are dropped one by one.
const ALL_COMBINATIONS: usize = 4;
/// A set of partners is kept as bits.
const MOST_PARTNERS: usize = 60;

/// What a partner asks for.
///
/// The revenue share is part of each candidate's cost already: `revenue_share · max(0, value · effect)` of a contact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PartnerTerms {
    /// Index into the channel list.
    pub channel: usize,
    /// Share of a contact's expected incremental value, in [0, 1).
    pub revenue_share: f64,
    /// Paid once when the partner is used, in money.
    pub fixed_fee: f64,
    /// Contacts that the partner must get when used.
    pub minimum_volume: u64,
}

impl PartnerTerms {
    /// Whether the partner has to be used or not as a whole.
    fn is_a_decision(&self) -> bool {
        self.fixed_fee > 0.0 || self.minimum_volume > 0
    }

    /// What a contact with this expected incremental value (before cost) pays to the partner.
    #[must_use]
    pub fn share_of(&self, incremental_value: f64) -> f64 {
        self.revenue_share * incremental_value.max(0.0)
    }
}

/// A plan with the partners that are worth their terms.
#[derive(Debug, Clone, PartialEq)]
pub struct PartnerPlan {
    /// The plan; fees are neither in its spend nor in its expected value.
    pub result: PlanResult,
    /// Fees of the partners in use, off the budget.
    pub fees: f64,
    /// One per terms, in their order.
    pub partners: Vec<PartnerChoice>,
}

/// What was decided about a partner.
#[derive(Debug, Clone, PartialEq)]
pub struct PartnerChoice {
    /// Whether the plan uses the partner.
    pub used: bool,
    /// The plan with the partner, the others as decided; `None` when it cannot be made.
    pub with: Option<PlanWorth>,
    /// The plan without.
    pub without: Option<PlanWorth>,
    /// Why `with` cannot be made.
    pub obstacle: Option<Obstacle>,
}

/// Why a partner cannot be used.
#[derive(Debug, Clone, PartialEq)]
pub enum Obstacle {
    /// The fees are more than the budget.
    Fee,
    /// Not so many customers may be contacted through the partner.
    Reach(u64),
    /// The limits contradict the minimum.
    Limits(Vec<String>),
}

/// What a plan is worth, without the luck of this cycle's draws.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanWorth {
    /// Expected value of the exploit arm's actions, plus that of every explorer's draw averaged over its probabilities,
    /// less the fees.
    pub worth: f64,
    /// Price of one more unit of the budget that the fees leave.
    pub budget_price: f64,
    /// Contacts per channel, by the draws.
    pub contacts: Vec<u64>,
    /// Everybody's action.
    pub actions: Vec<Option<ActionId>>,
}

/// Decides what every customer gets, and which partners are worth their fee and minimum.
///
/// For a set of partners in use: their fees come off the budget, their minimum volumes are floors (exploration
/// counts), the candidates of the others are left out. Up to four partners with a fee or a minimum all sets are planned; with
/// more, all are taken first, then the one whose dropping (or taking back) gains most is dropped, until none gains: no set
/// that differs in one partner is worth more. The set with the greatest worth wins, the smaller one on ties. A set whose plan is not feasible, or falls short of a minimum, never wins while another is
/// feasible.
///
/// # Errors
/// As [`decide`].
pub fn decide_with_partners(input: &PlanInput<'_>, params: &DecideParams) -> Result<PartnerPlan> {
    let mut search = Search {
        input,
        params,
        tried: BTreeMap::new(),
        best: None,
    };
    let optional: Vec<usize> = (0..input.partners.len())
        .filter(|index| input.partners[*index].is_a_decision())
        .collect();
    if input.partners.is_empty() {
        return Ok(PartnerPlan {
            result: decide(input, params)?,
            fees: 0.0,
            partners: Vec::new(),
        });
    }
    input.check()?;
    let always: u64 = (0..input.partners.len())
        .filter(|index| !input.partners[*index].is_a_decision())
        .map(bit)
        .sum();
    if optional.len() <= ALL_COMBINATIONS {
        search.all(&optional, always)?;
    } else {
        search.one_by_one(&optional, always)?;
    }
    search.finish(always)
}

const fn bit(index: usize) -> u64 {
    1 << index
}

/// Whether a change of the set is worse than another: worth, then dropping before taking, then the higher fee, then the
/// earlier partner.
fn before(own: (f64, bool, f64, u64), other: (f64, bool, f64, u64)) -> bool {
    let order = own.0.total_cmp(&other.0);
    order
        .then(own.1.cmp(&other.1))
        .then(own.2.total_cmp(&other.2))
        .is_lt()
}

/// Checks that terms name channels that exist and are numbers that can be used.
pub(super) fn check(partners: &[PartnerTerms], n_channels: usize) -> Result<()> {
    if partners.len() > MOST_PARTNERS {
        return Err(malformed(format!(
            "{} partners with terms, at most {MOST_PARTNERS} can be planned",
            partners.len()
        )));
    }
    for (index, terms) in partners.iter().enumerate() {
        if terms.channel >= n_channels || partners[..index].iter().any(|own| own.channel == terms.channel) {
            return Err(malformed(format!(
                "partner terms {index} name a channel that is not there, or one twice"
            )));
        }
        let usable =
            (0.0..1.0).contains(&terms.revenue_share) && (0.0..f64::INFINITY).contains(&terms.fixed_fee);
        if !usable {
            return Err(malformed(format!(
                "partner terms {index}: revenue share {} or fee {} is out of range",
                terms.revenue_share, terms.fixed_fee
            )));
        }
    }
    Ok(())
}

/// A set of partners that was planned with.
type Tried = std::result::Result<PlanWorth, Obstacle>;

struct Search<'a> {
    input: &'a PlanInput<'a>,
    params: &'a DecideParams,
    tried: BTreeMap<u64, Tried>,
    /// The best set so far with its plan.
    best: Option<(u64, PlanResult)>,
}

impl Search<'_> {
    fn all(&mut self, optional: &[usize], always: u64) -> Result<()> {
        let mut sets: Vec<u64> = (0..bit(optional.len()))
            .map(|chosen| {
                let picked = optional.iter().enumerate();
                always
                    + picked
                        .filter(|(place, _)| chosen & bit(*place) != 0)
                        .map(|(_, index)| bit(*index))
                        .sum::<u64>()
            })
            .collect();
        // smaller sets first: a larger one has to be worth more
        sets.sort_by_key(|set| (set.count_ones(), *set));
        for set in sets {
            self.plan(set)?;
        }
        Ok(())
    }

    /// From all partners on: drops (or takes back) the one that gains most, until none gains.
    fn one_by_one(&mut self, optional: &[usize], always: u64) -> Result<()> {
        let mut set = always + optional.iter().map(|index| bit(*index)).sum::<u64>();
        self.plan(set)?;
        loop {
            let mut best: Option<(f64, bool, f64, u64)> = None;
            for index in optional {
                let other = set ^ bit(*index);
                self.plan(other)?;
                let fee = self.input.partners[*index].fixed_fee;
                let move_ = (self.worth(other), set & bit(*index) != 0, fee, other);
                if best.is_none_or(|best| before(best, move_)) {
                    best = Some(move_);
                }
            }
            match best {
                // equal worth only counts for a smaller set, so that this ends
                Some((worth, drops, _, other))
                    if worth > self.worth(set) || drops && worth >= self.worth(set) =>
                {
                    set = other;
                }
                _ => return Ok(()),
            }
        }
    }

    fn worth(&self, set: u64) -> f64 {
        match self.tried.get(&set) {
            Some(Ok(own)) => own.worth,
            _ => f64::NEG_INFINITY,
        }
    }

    fn fees(&self, set: u64) -> f64 {
        let own = self.input.partners.iter().enumerate();
        own.filter(|(index, _)| set & bit(*index) != 0)
            .map(|(_, terms)| terms.fixed_fee)
            .sum()
    }

    /// Plans with a set of partners, and keeps the plan if it is the best so far.
    fn plan(&mut self, set: u64) -> Result<()> {
        if self.tried.contains_key(&set) {
            return Ok(());
        }
        let fees = self.fees(set);
        let (tried, result) = match self.obstacle(set, fees) {
            Some(obstacle) => (Err(obstacle), None),
            None => self.decide(set, fees)?,
        };
        let worth = tried.as_ref().map_or(f64::NEG_INFINITY, |own| own.worth);
        self.tried.insert(set, tried);
        if let Some(result) = result {
            let better = match &self.best {
                None => true,
                Some((best, _)) => worth > self.worth(*best),
            };
            if better {
                self.best = Some((set, result));
            }
        }
        Ok(())
    }

    /// What can be seen without planning.
    fn obstacle(&self, set: u64, fees: f64) -> Option<Obstacle> {
        if fees > self.input.menu.limits.budget {
            return Some(Obstacle::Fee);
        }
        let short = |(index, terms): (usize, &PartnerTerms)| {
            let reach =
                (terms.minimum_volume > 0 && set & bit(index) != 0).then(|| self.reach(terms.channel))?;
            (reach < terms.minimum_volume).then_some(Obstacle::Reach(reach))
        };
        self.input.partners.iter().enumerate().find_map(short)
    }

    /// Customers who may be contacted through a channel.
    fn reach(&self, channel: usize) -> u64 {
        let input = self.input;
        let reached = |customer: &usize| {
            let own = input.of(*customer);
            own.iter()
                .any(|candidate| input.menu.action(candidate).channel == channel)
        };
        (0..input.customers.len()).filter(reached).count() as u64
    }

    fn decide(&self, set: u64, fees: f64) -> Result<(Tried, Option<PlanResult>)> {
        let input = self.input;
        let out = |channel: usize| {
            let mut own = input.partners.iter().enumerate();
            own.any(|(index, terms)| terms.channel == channel && set & bit(index) == 0)
        };
        let mut offsets = vec![0];
        let mut candidates = Vec::with_capacity(input.candidates.len());
        for customer in 0..input.customers.len() {
            let own = input.of(customer).iter();
            candidates.extend(own.filter(|candidate| !out(input.menu.action(candidate).channel)));
            offsets.push(candidates.len());
        }
        let limits = self.limits(set, fees);
        let narrowed = PlanInput {
            offsets: &offsets,
            candidates: &candidates,
            menu: Menu {
                limits: &limits,
                ..input.menu
            },
            ..*input
        };
        let result = decide(&narrowed, self.params)?;
        let contacts = contacts(input, &result);
        let short =
            input.partners.iter().enumerate().any(|(index, terms)| {
                set & bit(index) != 0 && contacts[terms.channel] < terms.minimum_volume
            });
        if !result.feasible || short {
            let names = if result.conflicts.is_empty() {
                vec!["the minimum volume".to_owned()]
            } else {
                result.conflicts.clone()
            };
            // a plan that nothing can mend is shown as it is; one that a partner spoils is not
            let kept = (fees == 0.0 && !short).then_some(result);
            return Ok((Err(Obstacle::Limits(names)), kept));
        }
        let worth = PlanWorth {
            worth: worth(&result) - fees,
            budget_price: result.budget_price,
            contacts,
            actions: result.decisions.iter().map(|decision| decision.action).collect(),
        };
        Ok((Ok(worth), Some(result)))
    }

    /// The limits that a set of partners leaves.
    fn limits(&self, set: u64, fees: f64) -> Limits {
        let mut limits = self.input.menu.limits.clone();
        limits.budget -= fees;
        for (index, terms) in self.input.partners.iter().enumerate() {
            if set & bit(index) != 0 && terms.minimum_volume > 0 {
                let own = &mut limits.channels[terms.channel];
                *own = ChannelLimit {
                    minimum: Some(terms.minimum_volume),
                    ..*own
                };
            }
        }
        limits
    }

    fn finish(mut self, always: u64) -> Result<PartnerPlan> {
        if self.best.is_none() {
            // nothing is feasible, not even without partners: that plan says why
            let (_, result) = self.decide(always, 0.0)?;
            let result = match result {
                Some(result) => result,
                None => decide(self.input, self.params)?,
            };
            self.best = Some((always, result));
        }
        let Some((set, result)) = self.best.take() else {
            return Err(malformed("no plan was made".to_owned()));
        };
        // toggled sets are only compared with; the best is out of their reach
        let mut partners = Vec::with_capacity(self.input.partners.len());
        for index in 0..self.input.partners.len() {
            let (with, without) = (set | bit(index), set & !bit(index));
            self.plan(with)?;
            self.plan(without)?;
            let found = |set: u64| {
                self.tried
                    .get(&set)
                    .and_then(|tried| tried.as_ref().ok().cloned())
            };
            let obstacle = match self.tried.get(&with) {
                Some(Err(obstacle)) => Some(obstacle.clone()),
                _ => None,
            };
            let used = set & bit(index) != 0 && result.feasible;
            partners.push(PartnerChoice {
                used,
                with: found(with),
                without: found(without),
                obstacle,
            });
        }
        Ok(PartnerPlan {
            fees: self.fees(set),
            result,
            partners,
        })
    }
}

/// Contacts per channel.
fn contacts(input: &PlanInput<'_>, result: &PlanResult) -> Vec<u64> {
    let mut contacts = vec![0; input.menu.channels.len()];
    for action in result.decisions.iter().filter_map(|decision| decision.action) {
        contacts[input.menu.actions[usize::from(action.0)].channel] += 1;
    }
    contacts
}

/// Expected value of a plan; of explorers over their probabilities, not over the one draw.
fn worth(result: &PlanResult) -> f64 {
    let of = |decision: &thalweg_domain::Decision| match decision.arm {
        Arm::Holdout => 0.0,
        Arm::Exploit => decision
            .eligible
            .iter()
            .find(|own| own.action == decision.action)
            .map_or(0.0, |own| own.expected_value),
        Arm::Explore => decision
            .eligible
            .iter()
            .map(|own| own.explore_probability * own.expected_value)
            .sum(),
    };
    exact_sum(result.decisions.iter().map(of))
}
