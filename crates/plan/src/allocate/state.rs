//! An integer assignment with its exact use and value, and the moves that change it.

use std::ops::Range;

use super::compiled::Compiled;
use super::soft_sets::best_set;
use crate::chunks::map_chunks;
use crate::exact::Exact;

/// A change to one customer: give up one candidate, take another, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Move {
    pub(super) customer: usize,
    pub(super) drop: Option<usize>,
    pub(super) add: Option<usize>,
}

/// Which candidates are chosen, and what they use.
#[derive(Clone)]
pub(super) struct State<'a> {
    pub(super) compiled: &'a Compiled<'a>,
    pub(super) chosen: Vec<bool>,
    counts: Vec<u16>,
    used: Vec<Exact>,
    value: Exact,
    n_chosen: usize,
    alone: bool,
}

/// What customers that are not looked at any more use and bring.
#[derive(Debug, Clone)]
pub(super) struct Fixed {
    pub(super) used: Vec<Exact>,
    pub(super) value: Exact,
    pub(super) n_chosen: usize,
}

impl Fixed {
    pub(super) fn none(n_rows: usize) -> Self {
        Self {
            used: vec![Exact::ZERO; n_rows],
            value: Exact::ZERO,
            n_chosen: 0,
        }
    }

    /// Adds a chosen candidate.
    pub(super) fn add(&mut self, compiled: &Compiled<'_>, customer: usize, candidate: usize) {
        self.n_chosen += 1;
        self.value = self.value.plus(compiled.values[candidate]);
        for (row, amount) in compiled.uses(customer, candidate) {
            self.used[row] = self.used[row].plus(amount);
        }
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.n_chosen += other.n_chosen;
        self.value = self.value.join(other.value);
        for (sum, part) in self.used.iter_mut().zip(&other.used) {
            *sum = sum.join(*part);
        }
    }
}

impl<'a> State<'a> {
    /// The assignment with these candidates chosen; at most `m_i` per customer.
    pub(super) fn of(compiled: &'a Compiled<'a>, chosen: Vec<bool>) -> Self {
        Self::on_top(compiled, chosen, &Fixed::none(compiled.n_rows))
    }

    /// As [`Self::of`], on top of what customers elsewhere have for good.
    pub(super) fn on_top(compiled: &'a Compiled<'a>, chosen: Vec<bool>, fixed: &Fixed) -> Self {
        let parts = map_chunks(compiled.n_customers, |customers| {
            let mut part = Fixed::none(compiled.n_rows);
            let mut counts = Vec::with_capacity(customers.len());
            for customer in customers {
                let before = part.n_chosen;
                let own = compiled.candidates(customer);
                for candidate in own.filter(|candidate| chosen[*candidate]) {
                    part.add(compiled, customer, candidate);
                }
                counts.push((part.n_chosen - before) as u16);
            }
            (part, counts)
        });
        let mut sum = fixed.clone();
        let mut all_counts = Vec::with_capacity(compiled.n_customers);
        for (part, counts) in parts {
            sum.join(&part);
            all_counts.extend(counts);
        }
        Self {
            compiled,
            chosen,
            counts: all_counts,
            used: sum.used,
            value: sum.value,
            n_chosen: sum.n_chosen,
            alone: fixed.n_chosen == 0,
        }
    }

    /// Nobody else's choices stand.
    pub(super) const fn is_alone(&self) -> bool {
        self.alone
    }

    /// Everyone gets their best positive candidates at these prices, whatever the limits say.
    pub(super) fn rounded(compiled: &'a Compiled<'a>, table: &[f64]) -> Self {
        let parts = map_chunks(compiled.n_customers, |customers| {
            let start = compiled.problem.offsets[customers.start] as usize;
            let end = compiled.problem.offsets[customers.end] as usize;
            let mut chosen = vec![false; end - start];
            let mut reduced = vec![0.0; compiled.max_candidates];
            for customer in customers {
                let own = compiled.candidates(customer);
                compiled.reduced_of(table, &own, compiled.first_cell(customer), &mut reduced);
                let chosen = &mut chosen[own.start - start..own.end - start];
                choose(
                    compiled,
                    &own,
                    &mut reduced[..own.len()],
                    (compiled.problem.max_actions.of(customer), chosen),
                );
            }
            chosen
        });
        Self::of(compiled, parts.concat())
    }

    pub(super) fn value(&self) -> f64 {
        self.value.get()
    }

    pub(super) fn used(&self, row: usize) -> f64 {
        self.used[row].get()
    }

    pub(super) const fn n_chosen(&self) -> usize {
        self.n_chosen
    }

    /// How far a row is over its limit; 0 when it holds.
    pub(super) fn excess(&self, row: usize) -> f64 {
        (self.used(row) - self.compiled.shape.limits[row]).max(0.0)
    }

    pub(super) fn violated(&self) -> Vec<usize> {
        (0..self.compiled.n_rows)
            .filter(|row| self.excess(*row) > 0.0)
            .collect()
    }

    /// The move still means what it meant: what it gives up is there, what it takes is not, and it fits `m_i`.
    pub(super) fn valid(&self, change: &Move) -> bool {
        let more = i32::from(change.add.is_some()) - i32::from(change.drop.is_some());
        let m = self.compiled.problem.max_actions.of(change.customer) as i32;
        change.drop.is_none_or(|candidate| self.chosen[candidate])
            && change.add.is_none_or(|candidate| !self.chosen[candidate])
            && i32::from(self.counts[change.customer]) + more <= m
            && change
                .add
                .is_none_or(|add| self.may_join(change.customer, change.drop, add))
    }

    /// No other chosen candidate of the customer excludes `add` once `drop` is given up.
    fn may_join(&self, customer: usize, drop: Option<usize>, add: usize) -> bool {
        !self.compiled.shape.has_exclusions()
            || self
                .compiled
                .candidates(customer)
                .filter(|other| self.chosen[*other] && Some(*other) != drop)
                .all(|other| !self.compiled.excludes(add, other))
    }

    /// Change of value by the move.
    pub(super) fn gain(&self, change: &Move) -> f64 {
        let value =
            |candidate: Option<usize>| candidate.map_or(0.0, |candidate| self.compiled.values[candidate]);
        value(change.add) - value(change.drop)
    }

    /// Change of use of one row by the move.
    pub(super) fn change_of(&self, change: &Move, row: usize) -> f64 {
        let amount = |candidate: Option<usize>| {
            let uses = candidate.map(|candidate| self.compiled.uses(change.customer, candidate));
            uses.into_iter()
                .flatten()
                .filter(|(r, _)| *r == row)
                .map(|(_, amount)| amount)
                .sum::<f64>()
        };
        amount(change.add) - amount(change.drop)
    }

    /// Makes the move, and takes it back unless no row is further over its limit than before.
    pub(super) fn try_moves(&mut self, moves: &[Move]) -> bool {
        let before: Vec<(Exact, f64)> = (0..self.used.len())
            .map(|row| (self.used[row], self.excess(row)))
            .collect();
        let value = self.value;
        let mut done = 0;
        for change in moves {
            if !self.valid(change) {
                break;
            }
            self.make(change);
            done += 1;
        }
        let worse = |row: usize| self.excess(row) > before[row].1;
        if done == moves.len() && !(0..before.len()).any(worse) {
            return true;
        }
        for change in moves[..done].iter().rev() {
            self.mark(change.add, change.drop, change.customer);
        }
        for (used, (old, _)) in self.used.iter_mut().zip(before) {
            *used = old;
        }
        self.value = value;
        false
    }

    /// Whether one move would leave every row no further over its limit; cheaper than trying.
    pub(super) fn fits(&self, change: &Move) -> bool {
        let touched = [change.drop, change.add].into_iter().flatten();
        let mut rows = touched.flat_map(|candidate| self.compiled.uses(change.customer, candidate));
        rows.all(|(row, _)| {
            let after = self.used(row) + self.change_of(change, row);
            after <= self.compiled.shape.limits[row].max(self.used(row))
        })
    }

    /// The rows that a move would take further over their limits.
    pub(super) fn blocking(&self, change: &Move) -> Vec<usize> {
        let over = |row: &usize| {
            let after = self.used(*row) + self.change_of(change, *row);
            after > self.compiled.shape.limits[*row].max(self.used(*row))
        };
        (0..self.used.len()).filter(over).collect()
    }

    fn make(&mut self, change: &Move) {
        for (candidate, sign) in [(change.drop, -1.0), (change.add, 1.0)] {
            let Some(candidate) = candidate else { continue };
            self.value = self.value.plus(sign * self.compiled.values[candidate]);
            for (row, amount) in self.compiled.uses(change.customer, candidate) {
                self.used[row] = self.used[row].plus(sign * amount);
            }
        }
        self.mark(change.drop, change.add, change.customer);
    }

    fn mark(&mut self, off: Option<usize>, on: Option<usize>, customer: usize) {
        if let Some(candidate) = off {
            self.chosen[candidate] = false;
            self.counts[customer] -= 1;
            self.n_chosen -= 1;
        }
        if let Some(candidate) = on {
            self.chosen[candidate] = true;
            self.counts[customer] += 1;
            self.n_chosen += 1;
        }
    }

    /// Calls `visit` with every move of one customer.
    pub(super) fn for_each_move(&self, customer: usize, mut visit: impl FnMut(Move)) {
        let room = usize::from(self.counts[customer]) < self.compiled.problem.max_actions.of(customer);
        for drop in self
            .compiled
            .candidates(customer)
            .filter(|candidate| self.chosen[*candidate])
        {
            visit(Move {
                customer,
                drop: Some(drop),
                add: None,
            });
            for add in self
                .compiled
                .candidates(customer)
                .filter(|add| !self.chosen[*add] && self.may_join(customer, Some(drop), *add))
            {
                visit(Move {
                    customer,
                    drop: Some(drop),
                    add: Some(add),
                });
            }
        }
        if room {
            for add in self
                .compiled
                .candidates(customer)
                .filter(|add| !self.chosen[*add] && self.may_join(customer, None, *add))
            {
                visit(Move {
                    customer,
                    drop: None,
                    add: Some(add),
                });
            }
        }
    }
}

/// Marks the best set of at most `m` positive numbers, the first of equals; uses up `numbers`.
pub(super) fn choose(
    compiled: &Compiled<'_>,
    own: &Range<usize>,
    numbers: &mut [f64],
    (m, chosen): (usize, &mut [bool]),
) {
    if m > 1 && compiled.shape.has_exclusions() {
        let excludes = |a: usize, b: usize| compiled.excludes(own.start + a, own.start + b);
        for place in best_set(numbers, m, excludes).1 {
            chosen[place] = true;
        }
        return;
    }
    for _ in 0..m {
        let mut best = (0, 0.0);
        for (place, number) in numbers.iter().enumerate() {
            if *number > best.1 {
                best = (place, *number);
            }
        }
        if best.1 <= 0.0 {
            return;
        }
        chosen[best.0] = true;
        numbers[best.0] = 0.0;
    }
}
