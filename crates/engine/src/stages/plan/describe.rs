//! The plan in numbers, as its JSON contract has it.

use thalweg_domain::{ActionId, Arm, Estimate, Result};
use thalweg_learn::measure::detectable_effect;
use thalweg_plan::allocate::AllocateParams;
use thalweg_plan::decide::{InformedInput, InformedPlan, Limits, PlanResult, allocate_with_limits};

use super::partners::Narrowed;
use super::{Inputs, Planning, channels, off};
use crate::count::to_f64;
use crate::session::Session;
use crate::wire::{ConstraintOut, DetectableOut, Mean90, PlanOut, SegmentsOut, ShortfallOut, WhatIfOut};

/// Shares of the budget that the what-if table tries.
const WHAT_IF: &[f64] = &[0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0];

/// Every action taken, by the customer's place.
pub(super) fn taken(result: &PlanResult) -> Vec<(usize, ActionId)> {
    let decisions = result.decisions.iter().enumerate();
    decisions
        .filter_map(|(customer, decision)| decision.action.map(|action| (customer, action)))
        .collect()
}

/// The summary; its `plan` id is filled in when it is kept, its what-if table by [`what_if`].
pub(super) fn plan(
    session: &Session,
    planning: &Planning,
    result: &PlanResult,
    inputs: &Inputs<'_>,
) -> Result<PlanOut> {
    let config = &session.workspace.config;
    let money = planning.money(&taken(result));
    let interval = Estimate::normal(result.expected_value, money.sd, Estimate::Z90);
    let channels = off::mark(session, channels::channels(session, planning, result)?);
    // the bound is certified for those who follow the plan; what the randomised draw is worth is fixed
    let upper_bound = result.upper_bound + (result.expected_value - result.value);
    let measured = channels
        .iter()
        .filter(|channel| channel.effect.source == "measured")
        .count();
    Ok(PlanOut {
        plan: String::new(),
        cycle: session.cycle()?,
        customers: result.counts.customers,
        treated: result.counts.treated,
        holdout: result.counts.holdout,
        explore: result.counts.explore,
        holdout_share: config.plan.holdout,
        explore_share: config.plan.explore,
        spend: result.spend,
        spend_q95: result.spend_q95,
        budget: config.plan.budget,
        expected_value: Mean90::from(interval),
        upper_bound,
        gap: (upper_bound - result.expected_value).max(0.0) / upper_bound.abs().max(1e-9),
        feasible: result.feasible,
        conflicts: result.conflicts.clone(),
        shortfalls: result
            .shortfalls
            .iter()
            .map(|short| ShortfallOut {
                name: short.name.clone(),
                required: short.required,
                reachable: short.reachable,
            })
            .collect(),
        detectable: detectable(planning, result),
        constraints: result
            .constraints
            .iter()
            .map(|constraint| ConstraintOut {
                name: constraint.name.clone(),
                sense: crate::wire::sense(constraint.sense).to_owned(),
                limit: constraint.limit,
                used: constraint.used,
                // without a plan the prices are those of a proof, which say nothing about money
                shadow_price: if result.feasible {
                    constraint.shadow_price
                } else {
                    0.0
                },
            })
            .collect(),
        effects: match measured {
            0 => "assumed",
            all if all == channels.len() => "measured",
            _ => "mixed",
        }
        .to_owned(),
        channels,
        model: inputs.model.to_owned(),
        data: inputs.table_id.to_owned(),
        config: session.workspace.config_hash.clone(),
        seed: session.seed().0,
        partners: Vec::new(),
        what_if: Vec::new(),
        days: Vec::new(),
        pacing: Vec::new(),
        robust: None,
        segments: SegmentsOut::default(),
        market: None,
        response: None,
    })
}

/// What the hold-out will show: the smallest total at 80 % power, and how many cycles the expected total needs.
fn detectable(planning: &Planning, result: &PlanResult) -> DetectableOut {
    let held = result.counts.holdout;
    let others = result.counts.customers - held;
    if held == 0 || others == 0 {
        return DetectableOut::default();
    }
    let variance: f64 = planning
        .customers
        .iter()
        .map(|person| person.value * person.value * person.risk * (1.0 - person.risk))
        .sum::<f64>()
        / to_f64(planning.customers.len());
    let per_customer = detectable_effect(others as u64, held as u64, variance.sqrt());
    let total = per_customer * to_f64(others);
    // the total grows with the cycles, its error with their square root
    let gross = result.expected_value + result.spend;
    let cycles = if gross <= 0.0 {
        0.0
    } else {
        (total / gross).powi(2).ceil().clamp(1.0, 10_000.0)
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 10,000"
    )]
    let cycles = cycles as u32;
    DetectableOut {
        total_effect: total,
        cycles_to_80_power: cycles,
    }
}

/// The best plan's expected value at other budgets, the hold-out kept; without a value where the fees cannot be paid.
pub(super) fn what_if(
    session: &Session,
    (planning, narrowed): (&Planning, &Narrowed),
    result: &PlanResult,
) -> Result<Vec<Option<WhatIfOut>>> {
    let contactable: Vec<bool> = result
        .decisions
        .iter()
        .map(|decision| decision.arm != Arm::Holdout)
        .collect();
    let mut prices: Option<Vec<f64>> = None;
    let mut rows = Vec::new();
    for share in WHAT_IF {
        let budget = session.workspace.config.plan.budget * share;
        if budget < narrowed.fees {
            rows.push(None);
            continue;
        }
        let limits = Limits {
            budget: budget - narrowed.fees,
            ..narrowed.limits.clone()
        };
        let input = InformedInput {
            offsets: &narrowed.offsets,
            candidates: &narrowed.candidates,
            menu: thalweg_plan::decide::Menu {
                limits: &limits,
                ..planning.plan_menu()
            },
            contactable: Some(&contactable),
        };
        let params = AllocateParams {
            warm_start: prices.take(),
            target_gap: 1e-3,
            ..AllocateParams::default()
        };
        let plan = allocate_with_limits(&input, &params)?;
        rows.push(plan.allocation.feasible.then_some(WhatIfOut {
            budget,
            expected_value: expected(session, narrowed, &plan) - narrowed.fees,
        }));
        prices = Some(plan.allocation.prices);
    }
    Ok(rows)
}

/// What a plan is expected to bring, whatever values it was planned with.
fn expected(session: &Session, narrowed: &Narrowed, plan: &InformedPlan) -> f64 {
    if session.workspace.config.plan.robust.is_none() {
        return plan.allocation.value;
    }
    let customers = plan.actions.iter().zip(narrowed.offsets.windows(2));
    let chosen = customers.filter_map(|(action, pair)| {
        let [from, until] = pair else { return None };
        let own = narrowed.candidates.get(*from..*until)?;
        own.iter()
            .find(|candidate| Some(candidate.action) == *action)
            .map(|candidate| candidate.expected_value)
    });
    chosen.sum()
}
