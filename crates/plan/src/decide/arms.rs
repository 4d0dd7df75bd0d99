//! Arms of the cycle: hold-out, exploration and its draws, everyone else.

use std::collections::BTreeMap;

use thalweg_domain::{ActionId, Arm, Result};

use super::DecideParams;
use super::input::{Candidate, PlanInput};
use super::limits::{amount, covers};
use crate::allocate::{Constraint, Sense};
use crate::exact::Exact;
use crate::randomise::{
    ExploreLimits, Generator, Uses, explore_probabilities, in_holdout, round_dependent, systematic,
};

/// Who is in which arm, what explorers drew, and with which probabilities.
pub(super) struct Arms {
    pub(super) arm: Vec<Arm>,
    /// Action drawn by explorers; `None` for *none* and for everyone else.
    pub(super) drawn: Vec<Option<ActionId>>,
    /// Explorers whose draw did not fit a hard limit and was taken back to *none*.
    pub(super) taken_back: Vec<bool>,
    /// q_i(a), one per candidate; 0 in the hold-out.
    pub(super) q: Vec<f64>,
}

impl Arms {
    pub(super) fn assign(input: &PlanInput<'_>, rows: &[Constraint], params: &DecideParams) -> Self {
        let n = input.customers.len();
        let mut arm = vec![Arm::Exploit; n];
        for (customer, arm) in input.customers.iter().zip(&mut arm) {
            let unit = customer
                .cluster
                .as_deref()
                .unwrap_or_else(|| customer.key.reveal());
            if in_holdout(&params.salt, unit, params.holdout) {
                *arm = Arm::Holdout;
            }
        }
        let units = units(input, &arm);
        let mut generator = Generator::new(params.seed.stream("explore"));
        for unit in systematic(units.len(), params.explore, &mut generator) {
            units[unit]
                .iter()
                .for_each(|customer| arm[*customer] = Arm::Explore);
        }
        let mut arms = Self {
            q: probabilities(input, &arm, &params.pilots),
            arm,
            drawn: vec![None; n],
            taken_back: vec![false; n],
        };
        arms.draw(input, rows, params);
        arms
    }

    fn draw(&mut self, input: &PlanInput<'_>, rows: &[Constraint], params: &DecideParams) {
        let explorers: Vec<usize> = (0..self.arm.len())
            .filter(|customer| self.arm[*customer] == Arm::Explore)
            .collect();
        let chances: Vec<Vec<(usize, f64)>> = explorers
            .iter()
            .map(|customer| self.chances(input, *customer))
            .collect();
        let mut generator = Generator::new(params.seed.stream("draw"));
        let drawn = round_dependent(&chances, 1 + input.menu.actions.len(), &mut generator);
        let mut order: Vec<(usize, Candidate)> = Vec::new();
        for (customer, option) in explorers.into_iter().zip(drawn) {
            let wanted = option.checked_sub(1);
            let candidate = input
                .of(customer)
                .iter()
                .find(|c| Some(usize::from(c.action.0)) == wanted);
            order.extend(candidate.map(|candidate| (customer, *candidate)));
        }
        generator.shuffle(&mut order);
        let mut used = vec![Exact::ZERO; rows.len()];
        for (customer, candidate) in order {
            let after: Vec<Exact> = used
                .iter()
                .zip(rows)
                .map(|(u, row)| u.plus(amount(row, customer, &candidate)))
                .collect();
            let fits =
                |(used, row): (&Exact, &Constraint)| row.sense == Sense::AtLeast || used.get() <= row.limit;
            if after.iter().zip(rows).all(fits) {
                used = after;
                self.drawn[customer] = Some(candidate.action);
            } else {
                self.taken_back[customer] = true;
            }
        }
    }

    /// Probability of each option of an explorer: 0 is *none*, `1 + a` is action `a`.
    fn chances(&self, input: &PlanInput<'_>, customer: usize) -> Vec<(usize, f64)> {
        let start = input.offsets[customer];
        let mut chances = vec![(0, self.none(input, customer))];
        for (index, candidate) in (start..).zip(input.of(customer)) {
            chances.push((1 + usize::from(candidate.action.0), self.q[index]));
        }
        chances
    }

    /// q_i(none).
    pub(super) fn none(&self, input: &PlanInput<'_>, customer: usize) -> f64 {
        1.0 - self.q[input.offsets[customer]..input.offsets[customer + 1]]
            .iter()
            .sum::<f64>()
    }

    pub(super) fn count(&self, arm: Arm) -> usize {
        self.arm.iter().filter(|other| **other == arm).count()
    }
}

/// What a cycle's exploration is expected to do in one channel.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ExploreUse {
    /// Customers contacted through it.
    pub contacts: f64,
    /// Customers who may be contacted through it and draw *none*.
    pub controls: f64,
}

/// What the exploration of [`super::decide`] with the same input and choices is expected to do, one entry per channel.
///
/// Who is in the hold-out is averaged over, so that no salt is needed.
///
/// # Errors
/// As [`super::decide`], for the input and the shares.
pub fn explore_use(input: &PlanInput<'_>, params: &DecideParams) -> Result<Vec<ExploreUse>> {
    params.check()?;
    input.check()?;
    let everyone = vec![Arm::Exploit; input.customers.len()];
    let q = probabilities(input, &everyone, &params.pilots);
    let share = (1.0 - params.holdout) * params.explore;
    let mut uses = vec![ExploreUse::default(); input.menu.channels.len()];
    for pair in input.offsets.windows(2) {
        let own = || {
            input.candidates[pair[0]..pair[1]]
                .iter()
                .zip(&q[pair[0]..pair[1]])
        };
        let none = 1.0 - own().map(|(_, q)| q).sum::<f64>();
        let mut reached: Vec<usize> = Vec::new();
        for (candidate, q) in own() {
            let channel = input.menu.action(candidate).channel;
            uses[channel].contacts += share * q;
            if !reached.contains(&channel) {
                reached.push(channel);
                uses[channel].controls += share * none;
            }
        }
    }
    Ok(uses)
}

/// Groups of customers outside the hold-out that get the same arm, in order of their first row.
fn units(input: &PlanInput<'_>, arm: &[Arm]) -> Vec<Vec<usize>> {
    let mut units: Vec<Vec<usize>> = Vec::new();
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    for (row, customer) in input
        .customers
        .iter()
        .enumerate()
        .filter(|(row, _)| arm[*row] != Arm::Holdout)
    {
        let next = units.len();
        let unit = customer
            .cluster
            .as_deref()
            .map_or(next, |cluster| *known.entry(cluster).or_insert(next));
        if unit == next {
            units.push(Vec::new());
        }
        units[unit].push(row);
    }
    units
}

/// q over everyone outside the hold-out; it must not depend on who was drawn to explore.
fn probabilities(input: &PlanInput<'_>, arm: &[Arm], pilots: &[usize]) -> Vec<f64> {
    let mut offsets = vec![0];
    let mut source = Vec::new();
    for (customer, pair) in input.offsets.windows(2).enumerate() {
        if arm[customer] != Arm::Holdout {
            source.extend((pair[0]..pair[1]).map(|index| (customer, index)));
        }
        offsets.push(source.len());
    }
    let uses: Vec<Uses> = source
        .iter()
        .map(|(_, index)| uses(input, &input.candidates[*index], pilots))
        .collect();
    let limits = ExploreLimits {
        further: further_uses(input, &source),
        ..explore_limits(input)
    };
    let mut q = vec![0.0; input.candidates.len()];
    let shares = explore_probabilities(&offsets, &uses, &limits);
    for ((_, index), share) in source.into_iter().zip(shares) {
        q[index] = share;
    }
    q
}

/// Per further ceiling its limit, and place and use of every candidate in `source` (customer and index) that it covers.
fn further_uses(input: &PlanInput<'_>, source: &[(usize, usize)]) -> Vec<(f64, Vec<(usize, f64)>)> {
    let further = input.menu.limits.further.iter();
    let ceilings = further.filter(|row| row.sense == Sense::AtMost);
    let uses = |row: &Constraint| {
        let places = source.iter().enumerate();
        let own = places.filter_map(|(place, (customer, index))| {
            let candidate = &input.candidates[*index];
            covers(row, *customer, candidate).then(|| (place, amount(row, *customer, candidate)))
        });
        (row.limit, own.collect())
    };
    ceilings.map(uses).collect()
}

fn uses(input: &PlanInput<'_>, candidate: &Candidate, pilots: &[usize]) -> Uses {
    let action = input.menu.action(candidate);
    Uses {
        channel: action.channel,
        offer: action.offer,
        cost: candidate.cost,
        pilot: pilots.contains(&action.channel),
    }
}

fn explore_limits(input: &PlanInput<'_>) -> ExploreLimits {
    let count = |limit: Option<u64>| limit.map_or(f64::INFINITY, |limit| limit as f64);
    let limits = input.menu.limits;
    ExploreLimits {
        budget: limits.budget,
        channels: limits
            .channels
            .iter()
            .map(|l| (count(l.capacity), l.budget.unwrap_or(f64::INFINITY)))
            .collect(),
        offers: limits.offer_caps.iter().map(|cap| count(*cap)).collect(),
        further: Vec::new(),
    }
}
