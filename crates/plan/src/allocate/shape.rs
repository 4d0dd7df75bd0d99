//! What all parts of a problem share: which constraints a class of customers and an action count towards, and the limits.

use std::collections::BTreeMap;

use super::problem::{Problem, Resource};

/// One constraint's share in a cell: `sign * amount(resource)` counts towards `row`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Term {
    pub(super) row: usize,
    /// 0 counts candidates, `1 + j` is resource column `j`.
    pub(super) resource: usize,
    pub(super) sign: f64,
}

/// The constraints in normal form `sum a z <= limit`, by cell: a class of customers and an action.
pub(super) struct Shape {
    pub(super) limits: Vec<f64>,
    pub(super) n_actions: usize,
    pub(super) n_cells: usize,
    pub(super) n_resources: usize,
    terms: Vec<Term>,
    term_starts: Vec<usize>,
    /// `n_actions x n_actions`: may not go to the same customer; empty when every pair may.
    excluded: Vec<bool>,
}

impl Shape {
    pub(super) fn new(problem: &Problem<'_>, last_action: Option<u16>, classes: &[Vec<bool>]) -> Self {
        let n_actions = last_action.map_or(1, |last| usize::from(last) + 1);
        let (terms, term_starts) = terms(problem, n_actions, classes);
        Self {
            limits: problem
                .constraints
                .iter()
                .map(|row| row.sense.sign() * row.limit)
                .collect(),
            n_actions,
            n_cells: n_actions * classes.len(),
            n_resources: 1 + problem.resources.len(),
            terms,
            term_starts,
            excluded: excluded(problem.exclusions, n_actions),
        }
    }

    pub(super) fn terms(&self, cell: usize) -> &[Term] {
        &self.terms[self.term_starts[cell]..self.term_starts[cell + 1]]
    }

    /// Whether any two actions may not go to the same customer.
    pub(super) const fn has_exclusions(&self) -> bool {
        !self.excluded.is_empty()
    }

    /// Whether the two actions may not go to the same customer.
    pub(super) fn excludes(&self, a: u16, b: u16) -> bool {
        self.has_exclusions() && self.excluded[usize::from(a) * self.n_actions + usize::from(b)]
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

    /// Use per constraint from use per cell and resource.
    pub(super) fn row_use(&self, cell_use: &[f64]) -> Vec<f64> {
        let mut rows = vec![0.0; self.limits.len()];
        for cell in 0..self.n_cells {
            for term in self.terms(cell) {
                rows[term.row] += term.sign * cell_use[cell * self.n_resources + term.resource];
            }
        }
        rows
    }

    /// `lambda.b`.
    pub(super) fn at_limits(&self, prices: &[f64]) -> f64 {
        prices
            .iter()
            .zip(&self.limits)
            .map(|(price, limit)| price * limit)
            .sum()
    }
}

fn excluded(pairs: &[(u16, u16)], n_actions: usize) -> Vec<bool> {
    let inside = |action: u16| usize::from(action) < n_actions;
    let mut excluded = Vec::new();
    for (a, b) in pairs.iter().filter(|(a, b)| inside(*a) && inside(*b)) {
        excluded.resize(n_actions * n_actions, false);
        for (a, b) in [(*a, *b), (*b, *a)] {
            excluded[usize::from(a) * n_actions + usize::from(b)] = true;
        }
    }
    excluded
}

/// Class per customer (empty when there is only one) and, per class, which customer masks cover it.
pub(super) fn classes(problem: &Problem<'_>) -> (Vec<u32>, Vec<Vec<bool>>) {
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
                    terms.push(Term {
                        row,
                        resource,
                        sign: constraint.sense.sign(),
                    });
                }
            }
            starts.push(terms.len());
        }
    }
    (terms, starts)
}
