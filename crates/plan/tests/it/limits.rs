//! What the limits are worth: shadow prices beside finite differences, other budgets, shortfalls, and days.

use thalweg_plan::allocate::{
    AllocateParams, Allocation, CHANGES, Candidates, Constraint, Pace, Resource, Sense, allocate,
    check_paces, days, what_if,
};

fn wave(i: usize, a: usize) -> f64 {
    let x = ((i * 7919 + a * 104_729) % 100_003) as f64 / 100_003.0;
    x * x
}

fn customers(n: usize) -> Candidates {
    let mut all = Candidates::new(1);
    for i in 0..n {
        for a in 0..4_u16 {
            all.actions.push(a);
            all.values.push(wave(i, usize::from(a)) - 0.1);
            all.resources[0].push(0.5 + wave(i, usize::from(a) + 11));
        }
        all.end_customer();
    }
    all
}

fn limits() -> Vec<Constraint> {
    vec![
        Constraint::at_most("budget", Resource::Column(0), 2000.0),
        Constraint::at_most("capacity", Resource::Rows, 500.0).on_actions(vec![0, 1]),
        Constraint::at_least("letters", Resource::Rows, 600.0).on_actions(vec![2]),
    ]
}

fn solve(all: &Candidates, constraints: &[Constraint]) -> Allocation {
    all.with_problem(1, constraints, &[], |problem| {
        allocate(problem, &AllocateParams::default()).unwrap()
    })
}

#[test]
fn shadow_prices_are_the_slope_of_the_relaxed_optimum() {
    // the bound is the optimum of the relaxed problem, as far as the dual is solved: its slope in a limit is the price
    let all = customers(6000);
    let base = solve(&all, &limits());
    for row in 0..3 {
        let step = 0.01 * limits()[row].limit;
        let at = |change: f64| {
            let mut changed = limits();
            changed[row].limit += change;
            solve(&all, &changed).upper_bound
        };
        let slope = (at(step) - at(-step)) / (2.0 * step);
        let price = base.constraints[row].shadow_price;
        assert!(slope.abs() > 1e-3, "row {row} binds");
        assert!(
            (price - slope).abs() < 0.03 * slope.abs(),
            "row {row}: price {price}, slope {slope}"
        );
    }
}

#[test]
fn other_budgets_are_as_good_as_solved_from_scratch() {
    let all = customers(6000);
    let base = solve(&all, &limits());
    let table = all.with_problem(1, &limits(), &[], |problem| {
        what_if(problem, &base, (0, &CHANGES), &AllocateParams::default()).unwrap()
    });
    assert_eq!(table.len(), 8);
    for row in &table {
        let mut changed = limits();
        changed[0].limit *= 1.0 + row.change;
        let cold = solve(&all, &changed);
        assert!((row.limit - changed[0].limit).abs() < 1e-9);
        assert!(row.feasible && row.used <= row.limit);
        assert!(
            (row.value / cold.value - 1.0).abs() < 1e-3,
            "{row:?} {}",
            cold.value
        );
        let bounds = (row.upper_bound, cold.upper_bound);
        assert!(
            row.value <= bounds.0 + 1e-9 && bounds.0 <= 1.001 * bounds.1,
            "{row:?} {bounds:?}"
        );
    }
    // more money is worth more, and ever less so
    let prices: Vec<f64> = table.iter().map(|row| row.shadow_price).collect();
    assert!(
        table.windows(2).all(|pair| pair[0].value <= pair[1].value),
        "{table:?}"
    );
    assert!(
        prices.windows(2).all(|pair| pair[0] >= 0.999 * pair[1]),
        "{prices:?}"
    );
}

#[test]
fn a_limit_without_a_price_changes_nothing() {
    let all = customers(3000);
    let mut loose = limits();
    loose[0].limit = 9000.0;
    let base = solve(&all, &loose);
    assert!(base.constraints[0].shadow_price.abs() < 1e-12);
    let table = all.with_problem(1, &loose, &[], |problem| {
        what_if(problem, &base, (0, &[-0.1, 1.0]), &AllocateParams::default()).unwrap()
    });
    assert!(
        table
            .iter()
            .all(|row| (row.value - base.value).abs() < 1e-12 && row.used <= row.limit)
    );
}

/// 270 customers in two groups, by mail (0.02) or call (4), with a discount that costs more or without.
fn two_groups() -> (Candidates, Vec<bool>) {
    let mut all = Candidates::new(1);
    let mut basic = Vec::new();
    for i in 0..270 {
        basic.push(i % 3 == 0);
        let risk = if i % 3 == 0 { 0.57 } else { 0.15 } * (0.8 + 0.4 * wave(i, 5));
        let fee = 20.0 + (80.0 * wave(i, 1)).floor();
        for (a, (effect, contact)) in [(0.1, 0.02), (0.145, 0.02), (0.1, 4.0), (0.145, 4.0)]
            .iter()
            .enumerate()
        {
            let cost = contact + if a % 2 == 1 { 0.06 * fee } else { 0.0 };
            all.actions.push(a as u16);
            all.values.push(12.0 * fee * risk * effect - cost);
            all.resources[0].push(cost);
        }
        all.end_customer();
    }
    (all, basic)
}

#[test]
fn floors_and_ceilings_that_hold_each_other_up_are_kept_at_every_budget() {
    let (all, basic) = two_groups();
    let others: Vec<bool> = basic.iter().map(|own| !own).collect();
    let at = |budget: f64| {
        let rows = [
            Constraint::at_most("budget", Resource::Column(0), budget),
            Constraint::at_most("call capacity", Resource::Rows, 50.0).on_actions(vec![2, 3]),
            Constraint::at_most("mail to basic", Resource::Rows, 20.0)
                .on_actions(vec![0, 1])
                .on_customers(basic.clone()),
            Constraint::at_least("calls to others", Resource::Rows, 30.0)
                .on_actions(vec![2, 3])
                .on_customers(others.clone()),
            Constraint::at_least("discounts", Resource::Column(0), 150.5).on_actions(vec![1, 3]),
        ];
        solve(&all, &rows)
    };
    // 30 calls with a discount fit 200; from there on every budget has a plan
    for step in 0..40 {
        let budget = 200.0 + 10.0 * f64::from(step);
        let plan = at(budget);
        assert!(plan.feasible, "{budget}: {:?}", plan.conflicts);
        assert!(plan.gap < 0.03, "{budget}: {}", plan.gap);
        for own in &plan.constraints {
            let holds = match own.sense {
                Sense::AtMost => own.used <= own.limit,
                Sense::AtLeast => own.used >= own.limit,
            };
            assert!(holds, "{budget}: {own:?}");
        }
    }
    let poor = at(120.0);
    assert!(!poor.feasible && poor.infeasibility_proved);
    assert_eq!(poor.conflicts[0], "budget");
}

#[test]
fn a_shortfall_says_what_can_be_reached() {
    let mut all = Candidates::new(1);
    for i in 0..300 {
        all.actions.push(u16::from(i < 100));
        all.values.push(wave(i, 0));
        all.resources[0].push(2.0);
        all.end_customer();
    }
    let constraints = [
        Constraint::at_most("budget", Resource::Column(0), 120.0),
        Constraint::at_least("north", Resource::Rows, 80.0).on_actions(vec![1]),
    ];
    let plan = solve(&all, &constraints);
    assert_eq!(plan.conflicts, ["budget", "north"]);
    let short = &plan.shortfalls[0];
    assert_eq!(short.name, "north");
    // 120 of budget pay for 60 contacts at 2
    assert!(
        (short.required - 80.0).abs() < 1e-12 && (short.reachable - 60.0).abs() < 0.01,
        "{short:?}"
    );
    let message = plan.conflict_error().unwrap().message;
    assert!(message.contains("\"north\" requires 80, at most 60"), "{message}");
}

#[test]
fn days_are_even_and_keep_every_pace() {
    let pace = |name: &str, actions: Option<Vec<u16>>, per_day| Pace {
        name: name.to_owned(),
        actions,
        per_day,
    };
    let paces = [
        pace("calls", Some(vec![2]), 3),
        pace("all", None, 10),
        pace("written", Some(vec![0, 1]), 8),
    ];
    check_paces(&paces, 3, 5).unwrap();
    // 15 calls, 34 written: as many as five days allow of calls
    let actions: Vec<u16> = (0..49)
        .map(|i| if i % 3 == 0 && i < 45 { 2 } else { (i % 2) as u16 })
        .collect();
    let days = days(&actions, &paces, 5);
    for day in 1..=5_u16 {
        let on = |counts: &dyn Fn(u16) -> bool| {
            let own = actions.iter().zip(&days);
            own.filter(|(action, own)| **own == day && counts(**action))
                .count()
        };
        assert_eq!(on(&|action| action == 2), 3);
        assert!((6..=7).contains(&on(&|action| action != 2)));
        assert!((9..=10).contains(&on(&|_| true)));
    }
    let crossing = [pace("a", Some(vec![0, 1]), 3), pace("b", Some(vec![1, 2]), 3)];
    assert_eq!(check_paces(&crossing, 3, 5).unwrap_err().code, "TW0502");
    assert_eq!(check_paces(&paces, 3, 0).unwrap_err().code, "TW0502");
}

/// Visits are dear and few, mails cheap and many: a visit more takes the room of several mails.
fn visits_and_mails() -> Candidates {
    let mut all = Candidates::new(1);
    for i in 0..300 {
        for (action, value, cost) in [(0_u16, 100.0, 60.0), (1, 150.0, 400.0)] {
            all.actions.push(action);
            all.values.push(value + wave(i, usize::from(action)));
            all.resources[0].push(cost);
        }
        all.end_customer();
    }
    all
}

#[test]
fn several_small_choices_make_room_for_a_large_one_that_a_floor_requires() {
    let all = visits_and_mails();
    let budget = Constraint::at_most("budget", Resource::Column(0), 12_000.0);
    let visits = |least: f64| Constraint::at_least("visits", Resource::Column(0), least).on_actions(vec![1]);
    for (least, n_visits) in [(1999.0, 5.0), (2100.0, 6.0), (2401.0, 7.0), (12_000.0, 30.0)] {
        let found = solve(&all, &[budget.clone(), visits(least)]);
        assert!(found.feasible, "{least}: {found:?}");
        assert!(
            (found.constraints[1].used - 400.0 * n_visits).abs() < 1e-9,
            "{least}"
        );
        assert!(found.constraints[0].used <= 12_000.0);
        // so many mails as the rest of the budget pays for, and nothing is lost beyond that
        let mails = ((12_000.0 - 400.0 * n_visits) / 60.0).floor();
        assert!(
            found.value >= 150.0 * n_visits + 100.0 * mails,
            "{least}: {}",
            found.value
        );
    }
    assert!(!solve(&all, &[budget, visits(12_001.0)]).feasible);
}
