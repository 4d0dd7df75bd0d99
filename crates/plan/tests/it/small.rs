//! Small allocation problems and their exact optimum by enumeration.

use proptest::prelude::*;
use thalweg_plan::allocate::{Constraint, MaxActions, Problem, Resource, Sense};

/// An owned problem.
#[derive(Debug, Clone)]
pub(crate) struct Small {
    pub(crate) offsets: Vec<u64>,
    pub(crate) actions: Vec<u16>,
    pub(crate) values: Vec<f64>,
    pub(crate) costs: Vec<f64>,
    pub(crate) max_actions: Vec<u16>,
    pub(crate) constraints: Vec<Constraint>,
    pub(crate) exclusions: Vec<(u16, u16)>,
}

impl Small {
    pub(crate) fn solve_with<T>(&self, solve: impl FnOnce(&Problem<'_>) -> T) -> T {
        solve(&Problem {
            offsets: &self.offsets,
            actions: &self.actions,
            values: &self.values,
            resources: &[&self.costs],
            max_actions: MaxActions::Each(&self.max_actions),
            constraints: &self.constraints,
            exclusions: &self.exclusions,
        })
    }

    fn customer(&self, candidate: usize) -> usize {
        self.offsets
            .iter()
            .filter(|start| **start <= candidate as u64)
            .count()
            - 1
    }

    /// Whether a choice keeps every limit, with sums in plain order.
    pub(crate) fn keeps_all(&self, chosen: &[u64]) -> bool {
        let mut counts = vec![0_u16; self.max_actions.len()];
        chosen
            .iter()
            .for_each(|c| counts[self.customer(*c as usize)] += 1);
        counts.iter().zip(&self.max_actions).all(|(count, m)| count <= m)
            && self.keeps_exclusions(chosen)
            && self.constraints.iter().all(|row| {
                let used = self.used(row, chosen);
                match row.sense {
                    Sense::AtMost => used <= row.limit,
                    Sense::AtLeast => used >= row.limit,
                }
            })
    }

    fn keeps_exclusions(&self, chosen: &[u64]) -> bool {
        let excluded =
            |a: u16, b: u16| self.exclusions.contains(&(a, b)) || self.exclusions.contains(&(b, a));
        self.exclusions.is_empty()
            || self.offsets.windows(2).all(|own| {
                let own: Vec<u16> = chosen
                    .iter()
                    .filter(|c| (own[0]..own[1]).contains(*c))
                    .map(|c| self.actions[*c as usize])
                    .collect();
                (0..own.len()).all(|i| own[..i].iter().all(|other| !excluded(*other, own[i])))
            })
    }

    pub(crate) fn used(&self, row: &Constraint, chosen: &[u64]) -> f64 {
        let covered = |c: &usize| {
            row.actions
                .as_ref()
                .is_none_or(|set| set.contains(&self.actions[*c]))
                && row.customers.as_ref().is_none_or(|mask| mask[self.customer(*c)])
        };
        let chosen = chosen.iter().map(|c| *c as usize).filter(covered);
        chosen
            .map(|c| {
                if row.resource == Resource::Rows {
                    1.0
                } else {
                    self.costs[c]
                }
            })
            .sum()
    }

    /// The best value over all choices; `None` when none keeps every limit.
    pub(crate) fn optimum(&self) -> Option<f64> {
        let n = self.values.len();
        let mut best: Option<f64> = None;
        for set in 0_u32..1 << n {
            let chosen: Vec<u64> = (0..n as u64).filter(|c| set >> c & 1 == 1).collect();
            if self.keeps_all(&chosen) {
                let value = chosen.iter().map(|c| self.values[*c as usize]).sum();
                best = Some(best.map_or(value, |best: f64| best.max(value)));
            }
        }
        best
    }
}

/// Up to 5 customers with up to 3 candidates each; values and costs on a coarse grid so that they tie, are zero and
/// negative; up to 4 constraints, tight and loose, at most and at least, over some actions and customers.
pub(crate) fn small() -> impl Strategy<Value = Small> {
    prop::collection::vec((0_usize..=3, 1_u16..=3), 1..=5).prop_flat_map(|customers| {
        let n: usize = customers.iter().map(|c| c.0).sum();
        let n_customers = customers.len();
        let values = prop::collection::vec((-4_i32..=8).prop_map(|v| 0.5 * f64::from(v)), n);
        let costs = prop::collection::vec(prop::sample::select(vec![0.0, 1.0, 1.5, 2.5, 0.1]), n);
        let rows = prop::collection::vec(row(n_customers), 0..=4);
        let pairs = prop::sample::select(vec![vec![], vec![(0, 1)], vec![(2, 0), (1, 2)]]);
        (Just(customers), values, costs, rows, pairs).prop_map(
            |(customers, values, costs, rows, exclusions)| {
                let mut offsets = vec![0];
                let mut actions = Vec::new();
                for (width, _) in &customers {
                    actions.extend(0..*width as u16);
                    offsets.push(actions.len() as u64);
                }
                let named = rows.into_iter().enumerate().map(|(i, row)| Constraint {
                    name: format!("row {i}"),
                    ..row
                });
                Small {
                    offsets,
                    actions,
                    values,
                    costs,
                    max_actions: customers.iter().map(|c| c.1).collect(),
                    constraints: named.collect(),
                    exclusions,
                }
            },
        )
    })
}

fn row(n_customers: usize) -> impl Strategy<Value = Constraint> {
    let some_actions = prop::option::weighted(0.6, prop::collection::vec(0_u16..3, 1..=2));
    let some_customers = prop::option::weighted(0.3, prop::collection::vec(any::<bool>(), n_customers));
    (
        any::<bool>(),
        0_u8..=9,
        0.0..1.0_f64,
        some_actions,
        some_customers,
    )
        .prop_map(|(rows, limit, least, actions, customers)| {
            let resource = if rows { Resource::Rows } else { Resource::Column(0) };
            let constraint = if least < 0.25 {
                Constraint::at_least("", resource, f64::from(limit / 3))
            } else {
                Constraint::at_most("", resource, 0.5 * f64::from(limit))
            };
            Constraint {
                actions,
                customers,
                ..constraint
            }
        })
}
