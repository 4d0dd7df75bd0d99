//! The cycle's limits as constraints of the allocation, and the candidates as its columns.

use thalweg_domain::ActionId;

use super::input::{Candidate, Menu};
use crate::allocate::{
    AllocateParams, Allocation, Constraint, MaxActions, Problem, Resource, Sense, allocate, improve_from,
};
use crate::exact::Exact;

/// The cost column.
const COST: Resource = Resource::Column(0);

/// One constraint per limit: `budget`, then `NAME capacity`, `NAME budget` and `NAME minimum` per channel, then `NAME cap` per offer,
/// then the further ones.
pub(super) fn constraints(menu: &Menu<'_>) -> Vec<Constraint> {
    let with = |covers: &dyn Fn(&thalweg_domain::Action) -> bool| -> Vec<u16> {
        (0_u16..)
            .zip(menu.actions)
            .filter(|(_, action)| covers(action))
            .map(|(id, _)| id)
            .collect()
    };
    let mut rows = vec![Constraint::at_most("budget", COST, menu.limits.budget)];
    for (index, (channel, limit)) in menu.channels.iter().zip(&menu.limits.channels).enumerate() {
        let actions = with(&|action| action.channel == index);
        if let Some(capacity) = limit.capacity {
            let row = Constraint::at_most(
                format!("{} capacity", channel.name),
                Resource::Rows,
                capacity as f64,
            );
            rows.push(row.on_actions(actions.clone()));
        }
        if let Some(budget) = limit.budget {
            rows.push(
                Constraint::at_most(format!("{} budget", channel.name), COST, budget)
                    .on_actions(actions.clone()),
            );
        }
        if let Some(minimum) = limit.minimum {
            let row = Constraint::at_least(
                format!("{} minimum", channel.name),
                Resource::Rows,
                minimum as f64,
            );
            rows.push(row.on_actions(actions));
        }
    }
    for (index, (offer, cap)) in menu.offers.iter().zip(&menu.limits.offer_caps).enumerate() {
        if let Some(cap) = cap {
            let row = Constraint::at_most(format!("{} cap", offer.name), Resource::Rows, *cap as f64);
            rows.push(row.on_actions(with(&|action| action.offer == Some(index))));
        }
    }
    rows.extend(menu.limits.further.iter().cloned());
    rows
}

/// Whether a constraint counts this action of this customer.
pub(super) fn covers(row: &Constraint, customer: usize, candidate: &Candidate) -> bool {
    let action = candidate.action.0;
    let of_action = row.actions.as_ref().is_none_or(|set| set.contains(&action));
    of_action && row.customers.as_ref().is_none_or(|mask| mask[customer])
}

/// How much of a constraint a candidate of a customer uses.
pub(super) fn amount(row: &Constraint, customer: usize, candidate: &Candidate) -> f64 {
    match row.resource {
        _ if !covers(row, customer, candidate) => 0.0,
        Resource::Rows => 1.0,
        Resource::Column(_) => candidate.cost,
    }
}

/// 1 for a ceiling, -1 for a floor: what one more unit in use does to the room that is left.
pub(super) const fn sign(row: &Constraint) -> f64 {
    match row.sense {
        Sense::AtMost => 1.0,
        Sense::AtLeast => -1.0,
    }
}

/// Exact use of every constraint by some customers' candidates.
pub(super) fn use_of<'a>(
    rows: &[Constraint],
    taken: impl Iterator<Item = (usize, &'a Candidate)>,
) -> Vec<f64> {
    let mut used = vec![Exact::ZERO; rows.len()];
    for (customer, candidate) in taken {
        for (sum, row) in used.iter_mut().zip(rows) {
            *sum = sum.plus(amount(row, customer, candidate));
        }
    }
    used.into_iter().map(Exact::get).collect()
}

/// Some customers' candidates as columns. Left-out customers stay, without candidates.
pub(super) struct Columns<'a> {
    candidates: &'a [Candidate],
    offsets: Vec<u64>,
    actions: Vec<u16>,
    values: Vec<f64>,
    costs: Vec<f64>,
    /// Index into `candidates` of every entry.
    source: Vec<usize>,
}

impl<'a> Columns<'a> {
    pub(super) fn new(
        offsets: &[usize],
        candidates: &'a [Candidate],
        included: impl Fn(usize, &Candidate) -> bool,
    ) -> Self {
        let mut columns = Self {
            candidates,
            offsets: vec![0],
            actions: Vec::new(),
            values: Vec::new(),
            costs: Vec::new(),
            source: Vec::new(),
        };
        for (customer, pair) in offsets.windows(2).enumerate() {
            for (index, candidate) in (pair[0]..).zip(&candidates[pair[0]..pair[1]]) {
                if included(customer, candidate) {
                    columns.actions.push(candidate.action.0);
                    columns.values.push(candidate.planning_value);
                    columns.costs.push(candidate.cost);
                    columns.source.push(index);
                }
            }
            columns.offsets.push(columns.source.len() as u64);
        }
        columns
    }

    /// Allocates, one action per customer.
    pub(super) fn allocate(
        &self,
        rows: &[Constraint],
        params: &AllocateParams,
    ) -> thalweg_domain::Result<Allocation> {
        self.with_problem(rows, |problem| allocate(problem, params))
    }

    /// Allocates from the actions given, one entry per customer.
    pub(super) fn improve(
        &self,
        rows: &[Constraint],
        from: &[Option<ActionId>],
        params: &AllocateParams,
    ) -> thalweg_domain::Result<Allocation> {
        let mut chosen = vec![false; self.source.len()];
        for (customer, action) in from.iter().enumerate() {
            for entry in self.entries(customer) {
                chosen[entry] = action.is_some_and(|action| action.0 == self.actions[entry]);
            }
        }
        self.with_problem(rows, |problem| improve_from(problem, chosen, params))
    }

    fn with_problem<T>(&self, rows: &[Constraint], solve: impl FnOnce(&Problem<'_>) -> T) -> T {
        solve(&Problem {
            offsets: &self.offsets,
            actions: &self.actions,
            values: &self.values,
            resources: &[&self.costs],
            max_actions: MaxActions::Same(1),
            constraints: rows,
            exclusions: &[],
        })
    }

    fn entries(&self, customer: usize) -> std::ops::Range<usize> {
        self.offsets[customer] as usize..self.offsets[customer + 1] as usize
    }

    /// The action per customer of an allocation.
    pub(super) fn actions_of(&self, allocation: &Allocation) -> Vec<Option<ActionId>> {
        let mut actions = vec![None; self.offsets.len() - 1];
        let mut customer = 0;
        for entry in &allocation.chosen {
            while self.offsets[customer + 1] <= *entry {
                customer += 1;
            }
            actions[customer] = Some(self.candidates[self.source[*entry as usize]].action);
        }
        actions
    }
}
