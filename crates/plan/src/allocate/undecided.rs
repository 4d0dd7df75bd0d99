//! Everyone's choice at given prices, and who is nearest to another one: among them the limits are repaired.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::candidates::Candidates;
use super::compiled::Compiled;
use super::moves::Pricing;
use super::newton::Bound;
use super::problem::{MaxActions, Problem};
use super::shape::Shape;
use super::solve::{AllocateParams, Allocation, finish, report};
use super::state::{Fixed, State, choose};

/// Customers apart from those whose choice stands.
pub(super) struct Undecided {
    candidates: Candidates,
    /// Candidates that each may get.
    max_actions: Vec<u16>,
    /// Their classes; empty when there is one.
    classes: Vec<u32>,
    /// What they have so far.
    chosen: Vec<bool>,
    /// Where each of their candidates is among all.
    source: Vec<u64>,
    /// What the others use and bring.
    fixed: Fixed,
    /// The others' chosen candidates among all.
    settled: Vec<u64>,
}

impl Undecided {
    pub(super) fn none(n_rows: usize, n_resources: usize) -> Self {
        Self {
            candidates: Candidates::new(n_resources),
            max_actions: Vec::new(),
            classes: Vec::new(),
            chosen: Vec::new(),
            source: Vec::new(),
            fixed: Fixed::none(n_rows),
            settled: Vec::new(),
        }
    }

    pub(super) fn append(&mut self, part: &Self) {
        self.candidates.append(&part.candidates);
        self.max_actions.extend_from_slice(&part.max_actions);
        self.classes.extend_from_slice(&part.classes);
        self.chosen.extend_from_slice(&part.chosen);
        self.source.extend_from_slice(&part.source);
        self.fixed.join(&part.fixed);
        self.settled.extend_from_slice(&part.settled);
    }

    /// The allocation when the limits can be kept among the undecided.
    pub(super) fn settle(
        self,
        whole: &Problem<'_>,
        shape: &Arc<Shape>,
        bound: &Bound,
        params: &AllocateParams,
    ) -> Option<Allocation> {
        let resources: Vec<&[f64]> = self.candidates.resources.iter().map(Vec::as_slice).collect();
        let problem = Problem {
            offsets: &self.candidates.offsets,
            actions: &self.candidates.actions,
            values: &self.candidates.values,
            resources: &resources,
            max_actions: MaxActions::Each(&self.max_actions),
            ..*whole
        };
        let compiled = Compiled::part(&problem, Arc::clone(shape), self.classes);
        let pricing = Pricing::new(&compiled, &bound.prices);
        let mut bound = bound.clone();
        let state = State::on_top(&compiled, self.chosen, &self.fixed);
        let finished = finish(state, &pricing, &mut bound, params);
        finished.feasible.then(|| {
            let mut plan = report(&finished.state, &bound);
            let own = plan.chosen.iter().map(|own| self.source[*own as usize]);
            plan.chosen = own.chain(self.settled).collect();
            plan.chosen.par_sort_unstable();
            plan
        })
    }
}

/// Below `exp(-NEGLIGIBLE)` another choice has no share.
const NEGLIGIBLE: f64 = 32.0;

/// Chooses for these customers and keeps the `keep` nearest to another choice undecided.
///
/// A choice within reach of another at the temperature is drawn: Gumbel noise of that temperature on every reduced value
/// gives each action the share it has in the smoothed dual (exactly so for one action per customer).
pub(super) fn split(
    compiled: &Compiled<'_>,
    (table, temperature): (&[f64], f64),
    (customers, keep): (Range<usize>, usize),
    first_candidate: usize,
) -> Undecided {
    let first = compiled.candidates(customers.start).start;
    let last = compiled.problem.offsets[customers.end] as usize;
    let mut chosen = vec![false; last - first];
    let mut margins = Vec::with_capacity(customers.len());
    let mut reduced = vec![0.0; compiled.max_candidates];
    let mut sorted = Vec::with_capacity(compiled.max_candidates);
    for customer in customers.clone() {
        let own = compiled.candidates(customer);
        let m = compiled.problem.max_actions.of(customer).min(own.len());
        let reduced = &mut reduced[..own.len()];
        compiled.reduced_of(table, &own, compiled.first_cell(customer), reduced);
        let margin = margin(reduced, m, &mut sorted);
        margins.push((margin, customer));
        if margin < NEGLIGIBLE * temperature {
            shake(reduced, m, temperature, first_candidate + own.start);
        }
        let chosen = &mut chosen[own.start - first..own.end - first];
        choose(compiled, &own, reduced, (m, chosen));
    }
    let mut undecided = Undecided::none(compiled.n_rows, compiled.problem.resources.len());
    let mut is_open = vec![false; customers.len()];
    for customer in nearest(margins, keep) {
        is_open[customer - customers.start] = true;
    }
    for customer in customers.clone() {
        let own = compiled.candidates(customer);
        let chosen = &chosen[own.start - first..own.end - first];
        if is_open[customer - customers.start] {
            push(&mut undecided, compiled, customer, (chosen, first_candidate));
            continue;
        }
        for (candidate, _) in own.zip(chosen).filter(|(_, chosen)| **chosen) {
            undecided.fixed.add(compiled, customer, candidate);
            undecided.settled.push((first_candidate + candidate) as u64);
        }
    }
    undecided
}

fn push(
    undecided: &mut Undecided,
    compiled: &Compiled<'_>,
    customer: usize,
    (chosen, first): (&[bool], usize),
) {
    let own = compiled.candidates(customer);
    let to = &mut undecided.candidates;
    to.actions
        .extend_from_slice(&compiled.problem.actions[own.clone()]);
    to.values.extend_from_slice(&compiled.values[own.clone()]);
    for (column, from) in to.resources.iter_mut().zip(compiled.problem.resources) {
        column.extend_from_slice(&from[own.clone()]);
    }
    to.end_customer();
    let m = compiled.problem.max_actions.of(customer);
    undecided.max_actions.push(m as u16);
    undecided.classes.extend(compiled.class(customer));
    undecided.chosen.extend_from_slice(chosen);
    undecided
        .source
        .extend(own.map(|candidate| (first + candidate) as u64));
}

fn nearest(mut margins: Vec<(f64, usize)>, keep: usize) -> Vec<usize> {
    if keep < margins.len() {
        margins.select_nth_unstable_by(keep, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        margins.truncate(keep);
    }
    margins.into_iter().map(|(_, customer)| customer).collect()
}

/// How far the nearest candidate is from being taken, or from being left.
fn margin(reduced: &[f64], m: usize, sorted: &mut Vec<f64>) -> f64 {
    if m == 0 {
        return f64::INFINITY;
    }
    if m == 1 {
        let (mut best, mut second) = (0.0, f64::NEG_INFINITY);
        for x in reduced {
            if *x > best {
                (best, second) = (*x, best);
            } else if *x > second {
                second = *x;
            }
        }
        return best - second;
    }
    sorted.clear();
    sorted.extend_from_slice(reduced);
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    let border = match (sorted.get(m - 1), sorted.get(m)) {
        (Some(last), Some(next)) if *next > 0.0 => 0.5 * (last + next),
        _ => 0.0,
    };
    sorted
        .iter()
        .map(|x| (x - border).abs())
        .fold(f64::INFINITY, f64::min)
}

/// Adds noise: to one action per customer Gumbel's, less that of *none*; to several, logistic noise to each.
fn shake(reduced: &mut [f64], m: usize, temperature: f64, seed: usize) {
    let gumbel = |place: usize| -temperature * (-uniform(seed, place).ln()).ln();
    let none = gumbel(0);
    for (place, x) in reduced.iter_mut().enumerate() {
        *x += if m == 1 {
            gumbel(1 + place) - none
        } else {
            gumbel(1 + 2 * place) - gumbel(2 + 2 * place)
        };
    }
}

/// A number in (0, 1) that depends on the two alone (SplitMix64).
fn uniform(seed: usize, place: usize) -> f64 {
    let mut z = (seed as u64)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add((place as u64).wrapping_mul(0xd1b5_4a32_d192_ed03));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (((z ^ (z >> 31)) >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_are_the_distance_to_another_choice() {
        let mut sorted = Vec::new();
        assert!((margin(&[3.0, 1.0, -2.0], 1, &mut sorted) - 2.0).abs() < 1e-12);
        assert!((margin(&[0.5, -1.0], 1, &mut sorted) - 0.5).abs() < 1e-12);
        assert!((margin(&[-0.25, -1.0], 1, &mut sorted) - 0.25).abs() < 1e-12);
        assert!((margin(&[3.0, 2.0, 1.0], 2, &mut sorted) - 0.5).abs() < 1e-12);
        assert!((margin(&[3.0, -0.1], 2, &mut sorted) - 0.1).abs() < 1e-12);
    }

    #[test]
    fn noise_takes_each_action_as_often_as_its_share() {
        let (x, temperature) = ([1.0, 0.5], 0.5_f64);
        let weights: Vec<f64> = [0.0, 1.0, 0.5]
            .iter()
            .map(|x: &f64| (x / temperature).exp())
            .collect();
        let total: f64 = weights.iter().sum();
        let mut taken = [0.0; 3];
        for seed in 0..20_000 {
            let mut noisy = x;
            shake(&mut noisy, 1, temperature, seed);
            let best = (0..2).max_by(|a, b| noisy[*a].total_cmp(&noisy[*b])).unwrap();
            taken[if noisy[best] > 0.0 { 1 + best } else { 0 }] += 1.0 / 20_000.0;
        }
        for (share, weight) in taken.iter().zip(&weights) {
            // four standard errors of a share of a half
            assert!(
                (share - weight / total).abs() < 4.0 * 0.5 / 20_000_f64.sqrt(),
                "{taken:?}"
            );
        }
    }
}
