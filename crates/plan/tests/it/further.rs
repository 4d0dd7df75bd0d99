//! Further limits of a plan: ceilings, floors and minimum spend of groups, through hold-out, exploration and repair.

use thalweg_domain::{ActionId, Arm};
use thalweg_plan::allocate::{Constraint, Resource, Sense};
use thalweg_plan::decide::PlanResult;

use crate::decide::{Business, business, check_limits, noise, params};

const COST: Resource = Resource::Column(0);

/// A third of the customers, the same ones for the same `group`.
fn third(business: &Business, group: usize) -> Vec<bool> {
    (0..business.customers.len())
        .map(|i| (noise(i, 77) * 3.0) as usize == group)
        .collect()
}

fn of_channel(business: &Business, channel: usize) -> Vec<u16> {
    let actions = (0_u16..).zip(&business.actions);
    actions
        .filter(|(_, action)| action.channel == channel)
        .map(|(id, _)| id)
        .collect()
}

/// What the actions taken add up to, by hand.
fn used(business: &Business, plan: &PlanResult, row: &Constraint, arm: Option<Arm>) -> f64 {
    let mut sum = 0.0;
    for (customer, decision) in plan.decisions.iter().enumerate() {
        let counts = row.customers.as_ref().is_none_or(|mask| mask[customer])
            && arm.is_none_or(|arm| decision.arm == arm);
        let Some(ActionId(id)) = decision.action.filter(|_| counts) else {
            continue;
        };
        if row.actions.as_ref().is_some_and(|set| !set.contains(&id)) {
            continue;
        }
        let own = &business.candidates[business.offsets[customer]..business.offsets[customer + 1]];
        let candidate = own.iter().find(|c| c.action.0 == id).unwrap();
        sum += if row.resource == Resource::Rows {
            1.0
        } else {
            candidate.cost
        };
    }
    sum
}

#[test]
fn ceilings_and_floors_hold_over_everyone_contacted() {
    let mut business = business(7043, 5000.0);
    let free = business.decide(&params(1));
    let letters = of_channel(&business, 3);
    let (north, south) = (third(&business, 0), third(&business, 1));
    let by_hand = |row: &Constraint| used(&business, &free, row, None);
    let floor = Constraint::at_least("south letters", Resource::Rows, 0.0)
        .on_actions(letters.clone())
        .on_customers(south.clone());
    let spend = Constraint::at_least("letter spend", COST, 0.0).on_actions(letters);
    let ceiling = Constraint::at_most("north", Resource::Rows, 0.0).on_customers(north);
    let limits = [
        ceiling.clone().with_limit((0.5 * by_hand(&ceiling)).floor()),
        floor.clone().with_limit((1.5 * by_hand(&floor)).ceil() + 20.0),
        spend.clone().with_limit(1.25 * by_hand(&spend) + 7.77),
    ];
    business.limits.further = limits.to_vec();
    for seed in 1..4 {
        let plan = business.decide(&params(seed));
        assert!(
            plan.feasible && plan.gap < 2e-3,
            "{:?} {}",
            plan.conflicts,
            plan.gap
        );
        check_limits(&business, &plan);
        for row in &limits {
            let own = plan.constraints.iter().find(|own| own.name == row.name).unwrap();
            let sum = used(&business, &plan, row, None);
            assert!((own.used - sum).abs() < 1e-6, "{own:?} {sum}");
            // all three bind: a ceiling's price is what one more earns, a floor's what it costs
            let sign = if row.sense == Sense::AtMost { 1.0 } else { -1.0 };
            assert!(sign * own.shadow_price > 1e-4, "{own:?}");
            assert!((sum - row.limit).abs() < 0.05 * row.limit + 2.0, "{own:?}");
        }
        let few = plan.counts.repaired as f64 / plan.counts.treated as f64;
        assert!(few < 0.06, "{few} of the treated were repaired");
        for decision in plan.decisions.iter().filter(|d| d.arm != Arm::Holdout) {
            let total: f64 = decision.eligible.iter().map(|own| own.propensity).sum();
            assert!((total - 1.0).abs() < 1e-12);
        }
        // exploration uses its share of the ceiling and no more
        let explored = used(&business, &plan, &limits[0], Some(Arm::Explore));
        assert!(
            (explored / limits[0].limit - 0.09).abs() < 0.04,
            "{explored} of {}",
            limits[0].limit
        );
    }
}

#[test]
fn a_ceiling_of_zero_forbids_and_exploration_obeys() {
    let mut business = business(3000, 2000.0);
    let (north, calls) = (third(&business, 0), of_channel(&business, 2));
    let none = Constraint::at_most("no calls in the north", Resource::Rows, 0.0)
        .on_actions(calls.clone())
        .on_customers(north.clone());
    business.limits.further = vec![none.clone()];
    let plan = business.decide(&params(3));
    assert!(plan.feasible);
    assert!(used(&business, &plan, &none, None).abs() < 1e-12);
    let elsewhere = Constraint {
        customers: Some(north.iter().map(|own| !own).collect()),
        ..none
    };
    assert!(used(&business, &plan, &elsewhere, Some(Arm::Explore)) >= 1.0);
    for (decision, north) in plan.decisions.iter().zip(&north) {
        for own in &decision.eligible {
            let is_call = own.action.is_some_and(|id| calls.contains(&id.0));
            if is_call && *north {
                assert!(own.propensity.abs() < 1e-12 && own.explore_probability.abs() < 1e-12);
            }
        }
        assert!(!decision.repaired || decision.arm == Arm::Exploit);
    }
}

#[test]
fn a_floor_nobody_can_reach_is_named_with_what_can_be_reached() {
    let mut business = business(900, 500.0);
    let north = third(&business, 0);
    let size = north.iter().filter(|own| **own).count() as f64;
    business.limits.further =
        vec![Constraint::at_least("all of the north", Resource::Rows, size).on_customers(north.clone())];
    let plan = business.decide(&params(4));
    assert!(!plan.feasible);
    assert_eq!(plan.conflicts, ["all of the north"]);
    let short = &plan.shortfalls[0];
    // the hold-out is never contacted, and explorers keep what they drew
    let free = plan.decisions.iter().zip(&north).filter(|(decision, north)| {
        **north
            && decision.eligible.len() > 1
            && (decision.arm == Arm::Exploit || decision.arm == Arm::Explore && decision.action.is_some())
    });
    assert!((short.required - size).abs() < 1e-9);
    assert!((short.reachable - free.count() as f64).abs() < 0.5, "{short:?}");
}

#[test]
fn limits_that_cannot_be_used_are_refused() {
    let mut business = business(50, 10.0);
    let mut code = |row: Constraint| {
        business.limits.further = vec![row];
        let input = thalweg_plan::decide::PlanInput {
            customers: &business.customers,
            offsets: &business.offsets,
            candidates: &business.candidates,
            menu: thalweg_plan::decide::Menu {
                actions: &business.actions,
                channels: &business.channels,
                offers: &business.offers,
                limits: &business.limits,
            },
            acceptance_sd: &[0.1, 0.1],
            partners: &[],
        };
        thalweg_plan::decide::decide(&input, &params(1)).unwrap_err().code
    };
    let row = |limit| Constraint::at_least("own", Resource::Rows, limit);
    assert_eq!(code(row(-1.0)), "TW0502");
    assert_eq!(code(row(f64::NAN)), "TW0502");
    assert_eq!(code(row(1.0).on_customers(vec![true; 49])), "TW0502");
    assert_eq!(
        code(Constraint::at_most("own", Resource::Column(1), 1.0)),
        "TW0502"
    );
}
