//! Which constraints cannot hold together: a proof by prices, reduced to as few names as possible.

use super::compiled::Compiled;
use super::evaluate::Sample;
use super::newton::{Bound, Descent, Scale, Seen, descend};
use super::problem::{Constraint, Problem, Sense};
use super::search::search;
use super::solve::{AllocateParams, solve_dual};

/// What a constraint requires against what can be reached.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Shortfall {
    /// The constraint.
    pub name: String,
    /// What it requires at least.
    pub required: f64,
    /// No allocation reaches more while the other constraints that conflict hold.
    pub reachable: f64,
}

/// For each "at least" among constraints that conflict: the most that can be reached while the others of them hold.
///
/// The most is the dual bound of the problem that maximises the row's own sum; rows for which it is not below what
/// they require (conflicts of whole assignments only) are left out.
pub(super) fn shortfalls(problem: &Problem<'_>, names: &[String]) -> Vec<Shortfall> {
    let named = |row: &&Constraint| names.contains(&row.name);
    let floors = problem.constraints.iter().filter(named);
    let short = floors.filter(|row| row.sense == Sense::AtLeast).map(|row| {
        let others = problem.constraints.iter().filter(named);
        let others: Vec<Constraint> = others.filter(|other| *other != row).cloned().collect();
        Shortfall {
            name: row.name.clone(),
            required: row.limit,
            reachable: reachable(problem, row, &others),
        }
    });
    short.filter(|short| short.reachable < short.required).collect()
}

fn reachable(problem: &Problem<'_>, row: &Constraint, others: &[Constraint]) -> f64 {
    let only = [row.clone()];
    let counting = Problem {
        constraints: &only,
        ..*problem
    };
    let counting = Compiled::new(&counting);
    let mut amounts = vec![0.0; problem.values.len()];
    for customer in 0..counting.n_customers {
        for candidate in counting.candidates(customer) {
            let own = counting.uses(customer, candidate);
            amounts[candidate] = own.map(|(_, amount)| -amount).sum();
        }
    }
    let most = Problem {
        values: &amounts,
        constraints: others,
        ..*problem
    };
    solve_dual(&Compiled::new(&most), &AllocateParams::default()).value
}

const TEMPERATURES: [f64; 7] = [1.0, 0.2, 0.04, 8e-3, 2e-3, 5e-4, 1e-4];

/// Names of constraints that no assignment, whole or fractional, can keep together; empty when there is no proof.
///
/// By Farkas' lemma they conflict when prices >= 0 exist with `lambda.b + sum_i max(0, -lambda.c_ia) < 0`: the
/// dual of the problem with all values zero falls below zero. Constraints are then left out one by one as long
/// as the rest still conflicts.
pub(super) fn conflicts(problem: &Problem<'_>) -> Vec<String> {
    let zeros = vec![0.0; problem.values.len()];
    fewest(problem, |rows| conflict(problem, &zeros, rows))
}

/// Like [`conflicts`] for whole assignments only, by exhaustive search: for small problems.
pub(super) fn whole_conflicts(problem: &Problem<'_>, nodes: usize) -> Vec<String> {
    fewest(problem, |rows| {
        let constraints: Vec<Constraint> = rows.iter().map(|row| (*row).clone()).collect();
        let problem = Problem {
            constraints: &constraints,
            ..*problem
        };
        let found = search(&Compiled::new(&problem), &vec![0.0; rows.len()], None, nodes);
        found.complete && found.better.is_none()
    })
}

/// Leaves out constraints one by one while the rest still conflicts; empty when all together do not.
fn fewest(problem: &Problem<'_>, conflict: impl Fn(&[&Constraint]) -> bool) -> Vec<String> {
    let mut rows: Vec<&Constraint> = problem.constraints.iter().collect();
    if !conflict(&rows) {
        return Vec::new();
    }
    let mut place = 0;
    while place < rows.len() {
        let without: Vec<&Constraint> = rows
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != place)
            .map(|(_, row)| *row)
            .collect();
        if conflict(&without) {
            rows = without;
        } else {
            place += 1;
        }
    }
    rows.into_iter().map(|row| row.name.clone()).collect()
}

fn conflict(problem: &Problem<'_>, zeros: &[f64], rows: &[&Constraint]) -> bool {
    if rows.is_empty() {
        return false;
    }
    let constraints: Vec<Constraint> = rows.iter().map(|row| (*row).clone()).collect();
    let problem = Problem {
        values: zeros,
        constraints: &constraints,
        ..*problem
    };
    let compiled = Compiled::new(&problem);
    let scale = Scale::of(&compiled, Sample::ALL);
    let mut bound = Bound {
        prices: vec![0.0; rows.len()],
        value: f64::INFINITY,
    };
    let start = (0..rows.len()).map(|row| 0.5 * scale.price(row)).collect();
    let descent = Descent {
        temperatures: &TEMPERATURES,
        steps: 24,
        worthwhile: 1e-8,
        ceiling: 1.0,
    };
    let everyone = Seen {
        compiled: &compiled,
        sample: Sample::ALL,
    };
    descend(&everyone, &scale, &descent, start, &mut bound);
    let size: f64 = compiled
        .shape
        .limits
        .iter()
        .enumerate()
        .map(|(row, limit)| scale.price(row) * limit.abs())
        .sum();
    bound.value < -1e-9 * size.max(1e-9)
}
