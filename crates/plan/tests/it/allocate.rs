//! Allocations against the exact optimum, hard cases, and sizes as they come.

use proptest::prelude::*;
use thalweg_plan::allocate::{
    AllocateParams, Allocation, Constraint, MaxActions, Problem, Resource, allocate,
};

use crate::small::{Small, small};

fn solve(problem: &Small, params: &AllocateParams) -> Allocation {
    problem.solve_with(|problem| allocate(problem, params).unwrap())
}

/// Random problems per property: 500, or what `THALWEG_ALLOCATIONS` says (the study runs 10,000).
fn cases() -> u32 {
    let asked = std::env::var("THALWEG_ALLOCATIONS").ok();
    asked.map_or(500, |cases| cases.parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn small_problems_are_solved_exactly(problem in small()) {
        let plan = solve(&problem, &AllocateParams::default());
        match problem.optimum() {
            Some(optimum) => {
                prop_assert!(plan.feasible);
                prop_assert!(problem.keeps_all(&plan.chosen), "{:?}", plan);
                prop_assert!(plan.upper_bound >= optimum - 1e-9, "bound {} optimum {optimum}", plan.upper_bound);
                prop_assert!((plan.value - optimum).abs() < 1e-9, "value {} optimum {optimum}", plan.value);
            }
            None => {
                prop_assert!(!plan.feasible && plan.chosen.is_empty());
                prop_assert!(plan.infeasibility_proved);
            }
        }
    }

    #[test]
    fn without_the_search_the_bound_still_holds_and_nothing_is_violated(problem in small()) {
        let plan = solve(&problem, &AllocateParams { search_nodes: 0, ..AllocateParams::default() });
        if let Some(optimum) = problem.optimum() {
            prop_assert!(plan.upper_bound >= optimum - 1e-9, "bound {} optimum {optimum}", plan.upper_bound);
            prop_assert!(!plan.infeasibility_proved, "{:?}", plan.conflicts);
        } else {
            prop_assert!(!plan.feasible);
        }
        prop_assert!(!plan.feasible || problem.keeps_all(&plan.chosen), "{:?}", plan);
    }

    #[test]
    fn named_conflicts_really_conflict(problem in small()) {
        let plan = solve(&problem, &AllocateParams::default());
        if plan.infeasibility_proved {
            let mut fewer = problem.clone();
            fewer.constraints.retain(|row| plan.conflicts.contains(&row.name));
            prop_assert!(!fewer.constraints.is_empty());
            prop_assert_eq!(fewer.optimum(), None, "{:?}", plan.conflicts);
        }
    }

    #[test]
    fn use_and_value_are_what_the_chosen_add_up_to(problem in small()) {
        let plan = solve(&problem, &AllocateParams::default());
        let value: f64 = plan.chosen.iter().map(|c| problem.values[*c as usize]).sum();
        prop_assert!((plan.value - value).abs() < 1e-9);
        if plan.feasible {
            for (row, of) in problem.constraints.iter().zip(&plan.constraints) {
                prop_assert!((problem.used(row, &plan.chosen) - of.used).abs() < 1e-9);
            }
        }
    }
}

/// Customers by `width` actions with values and costs from a formula; no two alike, or all alike.
fn formula(
    n: usize,
    width: usize,
    value: impl Fn(usize, usize) -> f64,
    cost: impl Fn(usize, usize) -> f64,
) -> Small {
    let grid = |f: &dyn Fn(usize, usize) -> f64| {
        (0..n * width)
            .map(|c| f(c / width, c % width))
            .collect::<Vec<_>>()
    };
    Small {
        offsets: (0..=n).map(|i| (i * width) as u64).collect(),
        actions: (0..n * width).map(|c| (c % width) as u16).collect(),
        values: grid(&value),
        costs: grid(&cost),
        max_actions: vec![1; n],
        constraints: vec![],
        exclusions: vec![],
    }
}

fn wave(i: usize, a: usize) -> f64 {
    let x = ((i * 7919 + a * 104_729) % 100_003) as f64 / 100_003.0;
    x * x
}

fn check_gap(problem: &Small, most: f64) -> Allocation {
    let plan = solve(problem, &AllocateParams::default());
    assert!(plan.feasible && problem.keeps_all(&plan.chosen));
    assert!(plan.gap <= most, "gap {} > {most}", plan.gap);
    plan
}

#[test]
fn whole_segments_of_equal_customers() {
    // Three kinds of customers, 3,000 of each; every price is a tie for a third of them.
    let mut problem = formula(
        9000,
        3,
        |i, a| (1 + i % 3) as f64 * (1.0 + a as f64),
        |_, a| 1.0 + a as f64,
    );
    problem.constraints = vec![
        Constraint::at_most("budget", Resource::Column(0), 10_000.0),
        Constraint::at_most("capacity", Resource::Rows, 1500.0).on_actions(vec![2]),
    ];
    check_gap(&problem, 1e-5);
}

#[test]
fn everything_worth_nothing_or_less_is_left() {
    let mut problem = formula(500, 3, |_, a| -(a as f64), |_, _| 1.0);
    problem.constraints = vec![Constraint::at_most("budget", Resource::Column(0), 100.0)];
    let plan = check_gap(&problem, 0.0);
    assert!(plan.value.abs() < 1e-12);
}

#[test]
fn free_actions_need_no_budget() {
    let mut problem = formula(500, 2, |i, a| wave(i, a) + 0.1, |_, a| a as f64);
    problem.constraints = vec![Constraint::at_most("budget", Resource::Column(0), 0.0)];
    let plan = check_gap(&problem, 1e-9);
    assert_eq!(plan.chosen.len(), 500);
}

#[test]
fn minimum_spend_takes_on_the_cheapest_losses() {
    let mut problem = formula(400, 2, |i, a| wave(i, a) - 0.8, |_, _| 1.0);
    problem.constraints = vec![Constraint::at_least("least", Resource::Column(0), 200.0)];
    let plan = check_gap(&problem, 1e-3);
    assert_eq!(plan.chosen.len(), 200);
    assert!(plan.constraints[0].shadow_price < 0.0, "requiring more costs");
}

#[test]
fn a_floor_for_a_segment_against_the_budget_is_named() {
    let mut problem = formula(300, 2, wave, |_, _| 2.0);
    let north: Vec<bool> = (0..300).map(|i| i < 100).collect();
    problem.constraints = vec![
        Constraint::at_most("capacity", Resource::Rows, 150.0),
        Constraint::at_most("budget", Resource::Column(0), 120.0),
        Constraint::at_least("north", Resource::Rows, 80.0).on_customers(north),
    ];
    let plan = solve(&problem, &AllocateParams::default());
    assert!(!plan.feasible && plan.infeasibility_proved);
    assert_eq!(plan.conflicts, ["budget", "north"]);
    assert_eq!(plan.conflict_error().unwrap().code, "TW0504");
}

#[test]
fn a_telco_sized_plan_with_fifteen_limits() {
    let mut problem = formula(
        7043,
        16,
        |i, a| 200.0 * wave(i, 99) * (0.05 + 0.02 * a as f64) * (0.5 + wave(i, a)) - 0.3 * a as f64,
        |i, a| 0.02 + 0.3 * a as f64 + 0.5 * wave(i, 7),
    );
    problem.constraints = vec![Constraint::at_most("budget", Resource::Column(0), 3000.0)];
    for channel in 0..6_u16 {
        let actions: Vec<u16> = (0..16).filter(|a| a % 6 == channel).collect();
        let rows = Constraint::at_most(format!("capacity {channel}"), Resource::Rows, 600.0);
        problem.constraints.push(rows.on_actions(actions.clone()));
        let spend = Constraint::at_most(format!("spend {channel}"), Resource::Column(0), 700.0);
        problem.constraints.push(spend.on_actions(actions));
    }
    for offer in 0..2_u16 {
        let actions: Vec<u16> = (0..16).filter(|a| a / 6 == 1 + offer).collect();
        problem
            .constraints
            .push(Constraint::at_most(format!("offer {offer}"), Resource::Rows, 500.0).on_actions(actions));
    }
    check_gap(&problem, 1e-3);
}

#[test]
fn several_actions_per_customer_at_size() {
    let mut problem = formula(4000, 5, |i, a| wave(i, a) - 0.2, |i, a| 0.5 + wave(i, a + 11));
    problem.max_actions = (0..4000).map(|i| 1 + (i % 3) as u16).collect();
    problem.constraints = vec![
        Constraint::at_most("budget", Resource::Column(0), 1500.0),
        Constraint::at_most("capacity", Resource::Rows, 900.0).on_actions(vec![0, 1]),
    ];
    check_gap(&problem, 1e-3);
}

#[test]
fn exclusions_hold_at_size() {
    let mut problem = formula(4000, 5, |i, a| wave(i, a) - 0.2, |i, a| 0.5 + wave(i, a + 11));
    problem.max_actions = (0..4000).map(|i| 1 + (i % 3) as u16).collect();
    problem.constraints = vec![
        Constraint::at_most("budget", Resource::Column(0), 1500.0),
        Constraint::at_most("capacity", Resource::Rows, 900.0).on_actions(vec![0, 1]),
    ];
    let free = solve(&problem, &AllocateParams::default());
    problem.exclusions = vec![(0, 1), (2, 3), (3, 4)];
    assert!(!problem.keeps_all(&free.chosen), "the exclusions bind");
    let plan = check_gap(&problem, 1e-3);
    assert!(plan.value < free.value);
}

#[test]
fn what_if_from_warm_prices_is_as_good_as_from_cold() {
    let mut problem = formula(6000, 4, |i, a| wave(i, a) - 0.1, |i, a| 0.5 + wave(i, a + 11));
    problem.constraints = vec![
        Constraint::at_most("budget", Resource::Column(0), 2000.0),
        Constraint::at_most("capacity", Resource::Rows, 700.0).on_actions(vec![0, 1]),
    ];
    let base = check_gap(&problem, 1e-3);
    for share in [0.5, 0.8, 1.25, 2.0] {
        problem.constraints[0].limit = 2000.0 * share;
        let cold = check_gap(&problem, 1e-3);
        let params = AllocateParams {
            warm_start: Some(base.prices.clone()),
            ..AllocateParams::default()
        };
        let warm = solve(&problem, &params);
        assert!(
            problem.keeps_all(&warm.chosen) && warm.gap <= 1e-3,
            "gap {}",
            warm.gap
        );
        assert!((warm.value / cold.value - 1.0).abs() < 1e-3);
    }
}

#[test]
fn threads_do_not_change_a_byte() {
    let mut problem = formula(30_000, 6, |i, a| wave(i, a) - 0.1, |i, a| 0.5 + wave(i, a + 11));
    problem.constraints = vec![
        Constraint::at_most("budget", Resource::Column(0), 9000.0),
        Constraint::at_most("capacity", Resource::Rows, 2500.0).on_actions(vec![0, 1]),
    ];
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| format!("{:?}", solve(&problem, &AllocateParams::default())))
    };
    assert_eq!(with(1), with(2));
}

#[test]
fn nothing_to_plan() {
    for (offsets, n) in [(vec![0_u64], 0_u16), (vec![0, 0, 0], 2)] {
        let max_actions = vec![1; usize::from(n)];
        let problem = Problem {
            offsets: &offsets,
            actions: &[],
            values: &[],
            resources: &[],
            max_actions: MaxActions::Each(&max_actions),
            constraints: &[Constraint::at_most("rows", Resource::Rows, 3.0)],
            exclusions: &[],
        };
        let plan = allocate(&problem, &AllocateParams::default()).unwrap();
        assert!(
            plan.feasible
                && plan.chosen.is_empty()
                && plan.gap.abs() < 1e-12
                && plan.upper_bound.abs() < 1e-9
        );
    }
}

#[test]
fn bad_input_is_refused_with_a_code() {
    fn check(change: impl FnOnce(&mut Small), code: &str) {
        let mut problem = formula(4, 2, wave, |_, _| 1.0);
        problem.constraints = vec![Constraint::at_most("budget", Resource::Column(0), 2.0)];
        change(&mut problem);
        let refused = problem.solve_with(|problem| allocate(problem, &AllocateParams::default()));
        assert_eq!(refused.unwrap_err().code, code);
    }
    check(|p| p.values[3] = f64::NAN, "TW0501");
    check(|p| p.costs[3] = f64::INFINITY, "TW0501");
    check(|p| p.offsets[1] = 5, "TW0501");
    check(|p| p.actions.truncate(7), "TW0501");
    check(|p| p.max_actions.truncate(3), "TW0501");
    check(|p| p.constraints[0].limit = f64::NAN, "TW0502");
    check(|p| p.constraints[0].resource = Resource::Column(1), "TW0502");
    check(|p| p.constraints[0].customers = Some(vec![true]), "TW0502");
}
