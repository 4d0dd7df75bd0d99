//! The problem made ready for the inner loops: every constraint "at most", grouped by what it covers.
//!
//! Customers that the same filters cover form a *class*; class and action form a *cell*. All candidates of a
//! cell meet the same constraints, so prices and use are kept per cell and resource, and the cost of the inner
//! loops does not grow with the number of constraints.

use std::collections::BTreeMap;
use std::ops::Range;

use super::problem::{Problem, Resource, Sense};
use crate::chunks::map_chunks;

/// One constraint's share in a cell: `sign * amount(resource)` counts towards `row`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Term {
    pub(super) row: usize,
    /// 0 counts candidates, `1 + j` is resource column `j`.
    pub(super) resource: usize,
    pub(super) sign: f64,
}

/// A checked problem with its constraints in normal form `sum a z <= limit`.
pub(super) struct Compiled<'a> {
    pub(super) problem: &'a Problem<'a>,
    pub(super) values: &'a [f64],
    pub(super) n_customers: usize,
    pub(super) n_rows: usize,
    pub(super) n_resources: usize,
    pub(super) n_cells: usize,
    pub(super) limits: Vec<f64>,
    pub(super) max_candidates: usize,
    /// Largest size of an amount, per resource.
    largest: Vec<f64>,
    n_actions: usize,
    class_of: Vec<u32>,
    terms: Vec<Term>,
    term_starts: Vec<usize>,
}

impl<'a> Compiled<'a> {
    pub(super) fn new(problem: &'a Problem<'a>) -> Self {
        let n_customers = problem.n_customers();
        let n_actions = problem
            .actions
            .iter()
            .max()
            .map_or(1, |max| usize::from(*max) + 1);
        let (class_of, classes) = classes(problem);
        let (terms, term_starts) = terms(problem, n_actions, &classes);
        let sign = |sense| if sense == Sense::AtMost { 1.0 } else { -1.0 };
        let widths = problem
            .offsets
            .windows(2)
            .map(|pair| (pair[1] - pair[0]) as usize);
        Self {
            problem,
            values: problem.values,
            n_customers,
            n_rows: problem.constraints.len(),
            n_resources: 1 + problem.resources.len(),
            n_cells: n_actions * classes.len(),
            limits: problem
                .constraints
                .iter()
                .map(|row| sign(row.sense) * row.limit)
                .collect(),
            max_candidates: widths.max().unwrap_or(0),
            largest: std::iter::once(1.0)
                .chain(problem.resources.iter().map(|c| largest(c)))
                .collect(),
            n_actions,
            class_of,
            terms,
            term_starts,
        }
    }

    /// The candidates of a customer.
    pub(super) fn candidates(&self, customer: usize) -> Range<usize> {
        self.problem.offsets[customer] as usize..self.problem.offsets[customer + 1] as usize
    }

    /// First cell of the customer's class; add the action to get the cell.
    pub(super) fn first_cell(&self, customer: usize) -> usize {
        self.class_of
            .get(customer)
            .map_or(0, |class| *class as usize * self.n_actions)
    }

    pub(super) fn cell(&self, customer: usize, candidate: usize) -> usize {
        self.first_cell(customer) + usize::from(self.problem.actions[candidate])
    }

    pub(super) fn terms(&self, cell: usize) -> &[Term] {
        &self.terms[self.term_starts[cell]..self.term_starts[cell + 1]]
    }

    /// How much of a resource a candidate uses.
    pub(super) fn amount(&self, resource: usize, candidate: usize) -> f64 {
        resource
            .checked_sub(1)
            .map_or(1.0, |column| self.problem.resources[column][candidate])
    }

    /// The largest size of an amount that counts towards a row.
    pub(super) fn largest_of(&self, row: usize) -> f64 {
        match self.problem.constraints[row].resource {
            Resource::Rows => 1.0,
            Resource::Column(column) => self.largest[1 + column],
        }
    }

    /// Row and signed amount of every constraint that the candidate counts towards.
    pub(super) fn uses(&self, customer: usize, candidate: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let terms = self.terms(self.cell(customer, candidate)).iter();
        terms.map(move |term| (term.row, term.sign * self.amount(term.resource, candidate)))
    }

    /// Price of each resource in each cell, `n_cells x n_resources`.
    pub(super) fn price_table(&self, prices: &[f64]) -> Vec<f64> {
        let mut table = vec![0.0; self.n_cells * self.n_resources];
        for cell in 0..self.n_cells {
            for term in self.terms(cell) {
                table[cell * self.n_resources + term.resource] += term.sign * prices[term.row];
            }
        }
        table
    }

    /// Value of a candidate after paying for what it uses.
    pub(super) fn reduced(&self, table: &[f64], cell: usize, candidate: usize) -> f64 {
        let prices = &table[cell * self.n_resources..(cell + 1) * self.n_resources];
        let mut reduced = self.values[candidate] - prices[0];
        for (price, column) in prices[1..].iter().zip(self.problem.resources) {
            reduced -= price * column[candidate];
        }
        reduced
    }

    /// Reduced values of all candidates of a customer, into the first places of `out`.
    pub(super) fn reduced_of(&self, table: &[f64], own: &Range<usize>, first_cell: usize, out: &mut [f64]) {
        let width = self.n_resources;
        let values = &self.values[own.clone()];
        let actions = &self.problem.actions[own.clone()];
        let prices = &table[first_cell * width..];
        if let [column] = self.problem.resources {
            let amounts = &column[own.clone()];
            for (((out, value), action), amount) in out.iter_mut().zip(values).zip(actions).zip(amounts) {
                let price = 2 * usize::from(*action);
                *out = value - prices[price] - prices[price + 1] * amount;
            }
            return;
        }
        for ((out, action), candidate) in out.iter_mut().zip(actions).zip(own.clone()) {
            *out = self.reduced(table, first_cell + usize::from(*action), candidate);
        }
    }

    /// Use per constraint from use per cell and resource.
    pub(super) fn row_use(&self, cell_use: &[f64]) -> Vec<f64> {
        let mut rows = vec![0.0; self.n_rows];
        for cell in 0..self.n_cells {
            for term in self.terms(cell) {
                rows[term.row] += term.sign * cell_use[cell * self.n_resources + term.resource];
            }
        }
        rows
    }
}

fn largest(column: &[f64]) -> f64 {
    let parts = map_chunks(column.len(), |range| {
        column[range].iter().fold(0.0_f64, |most, x| most.max(x.abs()))
    });
    parts.into_iter().fold(0.0, f64::max)
}

/// Class per customer (empty when there is only one) and, per class, which customer masks cover it.
fn classes(problem: &Problem<'_>) -> (Vec<u32>, Vec<Vec<bool>>) {
    let masks: Vec<_> = problem
        .constraints
        .iter()
        .filter_map(|row| row.customers.as_ref())
        .collect();
    if masks.is_empty() {
        return (Vec::new(), vec![Vec::new()]);
    }
    let mut known: BTreeMap<Vec<bool>, u32> = BTreeMap::new();
    let mut classes = Vec::new();
    let class_of = (0..problem.n_customers()).map(|customer| {
        let pattern: Vec<bool> = masks.iter().map(|mask| mask[customer]).collect();
        *known.entry(pattern).or_insert_with_key(|pattern| {
            classes.push(pattern.clone());
            classes.len() as u32 - 1
        })
    });
    let class_of = class_of.collect();
    if classes.is_empty() {
        classes.push(vec![false; masks.len()]);
    }
    (class_of, classes)
}

fn terms(problem: &Problem<'_>, n_actions: usize, classes: &[Vec<bool>]) -> (Vec<Term>, Vec<usize>) {
    let mut terms = Vec::new();
    let mut starts = vec![0];
    for class in classes {
        for action in 0..n_actions {
            let mut mask = class.iter();
            for (row, constraint) in problem.constraints.iter().enumerate() {
                let covers_class = constraint.customers.is_none() || mask.next().copied().unwrap_or(false);
                let covers_action = constraint
                    .actions
                    .as_ref()
                    .is_none_or(|set| set.iter().any(|a| usize::from(*a) == action));
                if covers_class && covers_action {
                    let resource = match constraint.resource {
                        Resource::Rows => 0,
                        Resource::Column(column) => 1 + column,
                    };
                    let sign = if constraint.sense == Sense::AtMost {
                        1.0
                    } else {
                        -1.0
                    };
                    terms.push(Term { row, resource, sign });
                }
            }
            starts.push(terms.len());
        }
    }
    (terms, starts)
}
