//! The problem made ready for the inner loops: every constraint "at most", grouped by what it covers.
//!
//! Customers that the same filters cover form a *class*; class and action form a *cell*. All candidates of a
//! cell meet the same constraints, so prices and use are kept per cell and resource, and the cost of the inner
//! loops does not grow with the number of constraints.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::problem::{Problem, Resource};
use super::shape::{Shape, Term, classes};
use crate::chunks::map_chunks;

/// A checked problem with its constraints in normal form `sum a z <= limit`.
pub(super) struct Compiled<'a> {
    pub(super) problem: &'a Problem<'a>,
    pub(super) values: &'a [f64],
    pub(super) n_customers: usize,
    pub(super) n_rows: usize,
    pub(super) n_resources: usize,
    pub(super) n_cells: usize,
    pub(super) max_candidates: usize,
    pub(super) shape: Arc<Shape>,
    /// Empty when there is one class.
    class_of: Vec<u32>,
    /// Largest size of an amount per resource column, once asked for.
    largest: OnceLock<Vec<f64>>,
}

impl<'a> Compiled<'a> {
    pub(super) fn new(problem: &'a Problem<'a>) -> Self {
        let (class_of, classes) = classes(problem);
        let shape = Shape::new(problem, problem.actions.iter().max().copied(), &classes);
        Self::part(problem, Arc::new(shape), class_of)
    }

    /// A part of a larger problem whose shape is known; no classes when there is only one.
    pub(super) fn part(problem: &'a Problem<'a>, shape: Arc<Shape>, class_of: Vec<u32>) -> Self {
        let widths = problem
            .offsets
            .windows(2)
            .map(|pair| (pair[1] - pair[0]) as usize);
        Self {
            problem,
            values: problem.values,
            n_customers: problem.n_customers(),
            n_rows: problem.constraints.len(),
            n_resources: 1 + problem.resources.len(),
            n_cells: shape.n_cells,
            max_candidates: widths.max().unwrap_or(0),
            shape,
            class_of,
            largest: OnceLock::new(),
        }
    }

    /// The candidates of a customer.
    pub(super) fn candidates(&self, customer: usize) -> Range<usize> {
        self.problem.offsets[customer] as usize..self.problem.offsets[customer + 1] as usize
    }

    /// The customer's class, where there are several.
    pub(super) fn class(&self, customer: usize) -> Option<u32> {
        self.class_of.get(customer).copied()
    }

    /// First cell of the customer's class; add the action to get the cell.
    pub(super) fn first_cell(&self, customer: usize) -> usize {
        self.class_of
            .get(customer)
            .map_or(0, |class| *class as usize * self.shape.n_actions)
    }

    pub(super) fn cell(&self, customer: usize, candidate: usize) -> usize {
        self.first_cell(customer) + usize::from(self.problem.actions[candidate])
    }

    pub(super) fn terms(&self, cell: usize) -> &[Term] {
        self.shape.terms(cell)
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
            Resource::Column(column) => self.largest()[column],
        }
    }

    fn largest(&self) -> &[f64] {
        let columns = self.problem.resources;
        self.largest
            .get_or_init(|| columns.iter().map(|column| largest(column)).collect())
    }

    /// Whether taking both would break an exclusion.
    pub(super) fn excludes(&self, candidate: usize, other: usize) -> bool {
        let actions = self.problem.actions;
        candidate != other && self.shape.excludes(actions[candidate], actions[other])
    }

    /// Row and signed amount of every constraint that the candidate counts towards.
    pub(super) fn uses(&self, customer: usize, candidate: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let terms = self.terms(self.cell(customer, candidate)).iter();
        terms.map(move |term| (term.row, term.sign * self.amount(term.resource, candidate)))
    }

    /// Price of each resource in each cell, `n_cells x n_resources`.
    pub(super) fn price_table(&self, prices: &[f64]) -> Vec<f64> {
        self.shape.price_table(prices)
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
}

fn largest(column: &[f64]) -> f64 {
    let parts = map_chunks(column.len(), |range| {
        column[range].iter().fold(0.0_f64, |most, x| most.max(x.abs()))
    });
    parts.into_iter().fold(0.0, f64::max)
}
