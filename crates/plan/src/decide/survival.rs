//! How often what is planned would be planned again, were the values drawn from what is believed about them.

use rayon::prelude::*;
use thalweg_domain::{Action, ActionId, Result, Seed};

use super::input::{Candidate, check_candidates};
use super::limits::{Columns, amount, sign};
use crate::allocate::{AllocateParams, Constraint, malformed};
use crate::exact::exact_sum;
use crate::randomise::{Generator, systematic};

/// Up to so many customers' plans are solved anew in every draw; the others choose at the prices found.
const SOLVED: usize = 2_000;
/// Draws whose plans are held in memory at a time.
const TOGETHER: usize = 16;

/// What was planned, and within which limits.
#[derive(Debug, Clone, Copy)]
pub struct SurvivalInput<'a> {
    /// One more entry than customers.
    pub offsets: &'a [usize],
    /// The candidates that were planned with.
    pub candidates: &'a [Candidate],
    /// What [`Candidate::action`] points into.
    pub actions: &'a [Action],
    /// Number of channels.
    pub n_channels: usize,
    /// The limits of the plan over everyone: [`super::PlanResult::intended_limits`].
    pub limits: &'a [Constraint],
    /// Their prices, to start from.
    pub prices: &'a [f64],
    /// What everyone gets or would get.
    pub intended: &'a [Option<ActionId>],
    /// Picks the customers that are solved for when there are many.
    pub seed: Seed,
}

/// How a plan fares when values are drawn anew.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Survival {
    /// Per customer the share of draws in which the intended action, or nothing, is what is planned again.
    pub of: Vec<f64>,
    /// Draws that could be planned with.
    pub draws: usize,
    /// Customers whose plan was solved for in each draw.
    pub solved: usize,
    /// Per channel and draw, in order, how many customers are planned.
    pub contacts: Vec<Vec<usize>>,
}

/// Plans again in every draw, from the prices of the plan.
///
/// `draw(d)` gives the values of draw `d`: a function of the customer and one of their candidates; draws must be joint, so that
/// customers share what is uncertain about a channel. Up to 2,000 customers the whole allocation is solved anew; of more, that
/// many are taken at even distances in random order, the limits scaled to them, and the others take what is worth most at the
/// prices found there. Draws are independent of each other: the result does not depend on the number of threads. A draw without
/// a feasible plan is left out.
///
/// # Errors
/// `TW0501` for numbers that cannot be used, `TW0502` for limits.
pub fn survival<V: Fn(usize, &Candidate) -> f64>(
    input: &SurvivalInput<'_>,
    draws: usize,
    draw: impl Fn(usize) -> V + Sync,
) -> Result<Survival> {
    check_candidates(input.offsets, input.candidates, input.actions.len())?;
    let n = input.offsets.len().saturating_sub(1);
    if input.intended.len() != n || input.prices.len() != input.limits.len() {
        return Err(malformed(
            "there is not one intended action per customer and one price per limit".to_owned(),
        ));
    }
    let sample = Sample::of(input, n);
    let mut found = Survival {
        of: vec![0.0; n],
        draws: 0,
        solved: sample.size,
        contacts: vec![Vec::new(); input.n_channels],
    };
    for from in (0..draws).step_by(TOGETHER) {
        let numbers = from..draws.min(from + TOGETHER);
        let all: Vec<Option<Vec<Option<ActionId>>>> = numbers
            .into_par_iter()
            .map(|number| planned(input, &sample, &draw(number)))
            .collect::<Result<_>>()?;
        all.iter().flatten().for_each(|actions| found.add(input, actions));
    }
    let share = 1.0 / found.draws.max(1) as f64;
    found.of.iter_mut().for_each(|survived| *survived *= share);
    Ok(found)
}

impl Survival {
    /// Counts one draw's plan.
    fn add(&mut self, input: &SurvivalInput<'_>, actions: &[Option<ActionId>]) {
        self.draws += 1;
        let mut contacts = vec![0; input.n_channels];
        for ((action, intended), survived) in actions.iter().zip(input.intended).zip(&mut self.of) {
            *survived += f64::from(action == intended);
            if let Some(action) = action {
                contacts[input.actions[usize::from(action.0)].channel] += 1;
            }
        }
        for (all, own) in self.contacts.iter_mut().zip(contacts) {
            all.push(own);
        }
    }
}

/// The customers that are solved for, and the limits that are theirs.
struct Sample {
    taken: Vec<bool>,
    size: usize,
    limits: Vec<Constraint>,
}

impl Sample {
    fn of(input: &SurvivalInput<'_>, n: usize) -> Self {
        if n <= SOLVED {
            return Self {
                taken: vec![true; n],
                size: n,
                limits: input.limits.to_vec(),
            };
        }
        let mut generator = Generator::new(input.seed.stream("survival"));
        let mut taken = vec![false; n];
        for customer in systematic(n, SOLVED as f64 / n as f64, &mut generator) {
            taken[customer] = true;
        }
        let scaled = |row: &Constraint| {
            let covered = |customer: &usize| row.customers.as_ref().is_none_or(|mask| mask[*customer]);
            let all = (0..n).filter(covered).count();
            let own = (0..n).filter(covered).filter(|customer| taken[*customer]).count();
            row.clone().with_limit(row.limit * own as f64 / all.max(1) as f64)
        };
        Self {
            limits: input.limits.iter().map(scaled).collect(),
            size: taken.iter().filter(|taken| **taken).count(),
            taken,
        }
    }
}

/// Everybody's action with the values of one draw; `None` when no plan keeps the limits.
fn planned(
    input: &SurvivalInput<'_>,
    sample: &Sample,
    value: &impl Fn(usize, &Candidate) -> f64,
) -> Result<Option<Vec<Option<ActionId>>>> {
    let mut drawn = input.candidates.to_vec();
    for (customer, pair) in input.offsets.windows(2).enumerate() {
        for candidate in &mut drawn[pair[0]..pair[1]] {
            candidate.planning_value = value(customer, candidate);
        }
    }
    let columns = Columns::new(input.offsets, &drawn, |customer, _| sample.taken[customer]);
    let params = AllocateParams {
        target_gap: 1e-3,
        warm_start: Some(input.prices.to_vec()),
        ..AllocateParams::default()
    };
    let allocation = columns.allocate(&sample.limits, &params)?;
    if !allocation.feasible {
        return Ok(None);
    }
    let mut actions = columns.actions_of(&allocation);
    for (customer, action) in actions.iter_mut().enumerate() {
        if !sample.taken[customer] {
            let own = &drawn[input.offsets[customer]..input.offsets[customer + 1]];
            *action = best_at(&allocation.prices, &sample.limits, customer, own);
        }
    }
    Ok(Some(actions))
}

/// What is worth most after paying for what it uses; nothing when nothing is.
fn best_at(prices: &[f64], rows: &[Constraint], customer: usize, own: &[Candidate]) -> Option<ActionId> {
    let reduced = |candidate: &Candidate| {
        let charged = rows.iter().zip(prices).filter(|(_, price)| **price != 0.0);
        let charges = charged.map(|(row, price)| sign(row) * price * amount(row, customer, candidate));
        candidate.planning_value - exact_sum(charges)
    };
    let worth = own.iter().map(|candidate| (candidate.action, reduced(candidate)));
    worth
        .filter(|(_, worth)| *worth > 0.0)
        .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
        .map(|(action, _)| action)
}
