//! What another limit would bring: the same problem with one limit changed, solved from the prices that are known.

use thalweg_domain::Result;

use super::problem::{Constraint, Problem, Sense};
use super::solve::{AllocateParams, Allocation, allocate};

/// The plan under another limit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct WhatIf {
    /// Change of the limit as a share: -0.5 is half of it less.
    pub change: f64,
    /// The limit then.
    pub limit: f64,
    /// Value of the plan; 0 when no plan keeps the constraints.
    pub value: f64,
    /// No plan is worth more.
    pub upper_bound: f64,
    /// The certified gap.
    pub gap: f64,
    /// Whether a plan keeps the constraints.
    pub feasible: bool,
    /// How much of the limit is used.
    pub used: f64,
    /// Value of one more unit of it.
    pub shadow_price: f64,
}

impl WhatIf {
    /// What a plan makes of the limit of constraint `row`, which must be one of its constraints.
    #[must_use]
    pub fn of(plan: &Allocation, row: usize, change: f64) -> Self {
        let own = &plan.constraints[row];
        Self {
            change,
            limit: own.limit,
            value: plan.value,
            upper_bound: plan.upper_bound,
            gap: plan.gap,
            feasible: plan.feasible,
            used: own.used,
            shadow_price: own.shadow_price,
        }
    }
}

/// The changes of a budget that are looked at.
pub const CHANGES: [f64; 8] = [-0.5, -0.25, -0.1, 0.0, 0.1, 0.25, 0.5, 1.0];

/// Solves the problem with the limit of constraint `row` changed by each share in turn, from the prices of `base`.
///
/// A change of 0 gives `base` itself, and so does a change of a limit that has no price and still holds. The other constraints stay as they are.
///
/// # Errors
/// As [`allocate`].
pub fn what_if(
    problem: &Problem<'_>,
    base: &Allocation,
    (row, changes): (usize, &[f64]),
    params: &AllocateParams,
) -> Result<Vec<WhatIf>> {
    let mut prices = base.prices.clone();
    let mut constraints: Vec<Constraint> = problem.constraints.to_vec();
    let Some(limit) = problem.constraints.get(row).map(|own| own.limit) else {
        return Ok(Vec::new());
    };
    let at = |change: &f64| {
        let own = &base.constraints[row];
        let changed = limit * (1.0 + change);
        // a limit without a price that the plan keeps as well: neither the plan nor its bound change
        if *change == 0.0 || (own.shadow_price == 0.0 && keeps(&problem.constraints[row], own.used, changed))
        {
            return Ok(WhatIf {
                limit: changed,
                ..WhatIf::of(base, row, *change)
            });
        }
        constraints[row].limit = changed;
        let other = Problem {
            constraints: &constraints,
            ..*problem
        };
        let params = AllocateParams {
            warm_start: Some(std::mem::take(&mut prices)),
            ..params.clone()
        };
        let plan = allocate(&other, &params)?;
        let found = WhatIf::of(&plan, row, *change);
        prices = plan.prices;
        Ok(found)
    };
    changes.iter().map(at).collect()
}

fn keeps(row: &Constraint, used: f64, limit: f64) -> bool {
    match row.sense {
        Sense::AtMost => used <= limit,
        Sense::AtLeast => used >= limit,
    }
}
