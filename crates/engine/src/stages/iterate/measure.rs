//! Lift per action, the programme's total, and the checks that they rest on.

use std::collections::BTreeMap;

use thalweg_domain::{ActionId, Arm, Belief, Check, CheckVerdict, CustomerKey, Result};
use thalweg_learn::measure::{
    ActionLift, LiftParams, LiftRow, Measured, ShrinkPriors, Shrunk, TotalParams, TotalRow, lift,
    sample_ratio, shrink, total,
};
use thalweg_ledger::DecisionRow;

use crate::effects::{Menu, translated};
use crate::experience::PastCycle;
use crate::session::Session;
use crate::stages::train::group_of;
use crate::wire::{
    CheckOut, IterateOut, LiftEffectOut, LiftOut, Mean90, Mean95, PromotionOut, TotalOut, TotalValueOut,
};

/// Measures all cycles so far; the last of `past` is the one that is being closed.
pub(super) fn measure(session: &Session, menu: &Menu, past: &[PastCycle]) -> Result<IterateOut> {
    let rows = lift_rows(menu, past);
    let planned = planned_units(&rows);
    let (lifts, overlap) = lift(
        &rows,
        LiftParams {
            kind: menu.kind,
            planned_units: planned,
        },
    )?;
    let shrunk = shrunk(menu, &lifts)?;
    let (total, total_check) = programme(session, menu, past)?;
    let mut checks = vec![arms(past)?, outcomes(session, past), named(menu, overlap)];
    checks.extend(total_check);
    let (cycle, mature) = past
        .last()
        .map_or((0, 0), |last| (last.cycle, last.decisions.len()));
    Ok(IterateOut {
        cycle,
        mature,
        immature: 0,
        lift: lifts.iter().map(|lift| describe(menu, lift, &shrunk)).collect(),
        total,
        checks: checks.iter().map(CheckOut::from).collect(),
        drift: Vec::new(),
        promotion: PromotionOut::default(),
        closed: false,
    })
}

/// Every decision of every cycle, in terms of the actions in force.
pub(super) fn lift_rows(menu: &Menu, past: &[PastCycle]) -> Vec<LiftRow> {
    let first = first_cycles(past);
    let mut rows = Vec::new();
    for cycle in past {
        let table = menu.translate(&cycle.plan.plan.actions);
        for (index, decision) in cycle.decisions.iter().enumerate() {
            let newcomer = first.get(&decision.customer) == Some(&cycle.cycle);
            let row = lift_row(cycle, index, (decision, newcomer), &table);
            rows.push(if newcomer {
                row.counting_holdout(cycle.summary.holdout_share)
            } else {
                row
            });
        }
        rows.extend(pilot_rows(menu, cycle, &table));
    }
    rows
}

/// A pilot's rows: nobody is intended to get its actions, so explorers who drew one are compared with explorers who
/// could have and drew nothing, each weighted by what it was drawn with.
fn pilot_rows(menu: &Menu, cycle: &PastCycle, table: &[Option<ActionId>]) -> Vec<LiftRow> {
    let piloted = |action: ActionId| {
        let channel = menu
            .actions
            .get(usize::from(action.0))
            .and_then(|own| menu.channels.get(own.channel));
        channel.is_some_and(|channel| cycle.summary.pilots(channel.name.as_str()))
    };
    let mut rows = Vec::new();
    for (index, decision) in cycle.decisions.iter().enumerate() {
        if decision.arm != Arm::Explore || decision.repaired {
            continue;
        }
        let chance = |id: Option<ActionId>| {
            let found = decision.eligible.iter().find(|own| own.action == id);
            found.map_or(0.0, |own| own.explore_probability)
        };
        let drawn = decision.action_id.map(|id| translated(id, table));
        for eligible in decision
            .eligible
            .iter()
            .filter(|own| own.explore_probability > 0.0)
        {
            let Some(action) = eligible.action.and_then(|id| translated(id, table)) else {
                continue;
            };
            // drawn is Some(None) for an action that is gone
            if !piloted(action) || !matches!(drawn, None | Some(Some(_))) {
                continue;
            }
            rows.push(LiftRow {
                intended: Some(action),
                action: drawn.flatten(),
                propensity_taken: eligible.explore_probability,
                propensity_none: chance(None),
                usable: true,
                ..lift_row(cycle, index, (decision, false), table)
            });
        }
    }
    rows
}

fn lift_row(
    cycle: &PastCycle,
    index: usize,
    (decision, newcomer): (&DecisionRow, bool),
    table: &[Option<ActionId>],
) -> LiftRow {
    let action_of = |id: Option<ActionId>| id.and_then(|id| translated(id, table));
    let gone = |id: Option<ActionId>| id.is_some() && action_of(id).is_none();
    let held = decision.arm == Arm::Holdout;
    LiftRow {
        cycle: decision.cycle,
        intended: action_of(decision.intended_id),
        action: action_of(decision.action_id),
        propensity_taken: outside(cycle, decision, decision.intended_id),
        propensity_none: outside(cycle, decision, None),
        risk: decision.risk,
        value: decision.value,
        outcome: f64::from(u8::from(cycle.outcome.get(index).copied().unwrap_or(false))),
        usable: !decision.repaired
            && (!held || newcomer)
            && !gone(decision.action_id)
            && !gone(decision.intended_id)
            && decision.intended_id.is_some(),
        cost: cycle.realised_cost(index),
    }
}

/// Probability of an action outside the hold-out; hold-out rows log 1 for nothing, so theirs is worked out from q.
fn outside(cycle: &PastCycle, decision: &DecisionRow, action: Option<ActionId>) -> f64 {
    let Some(logged) = decision
        .eligible
        .iter()
        .find(|eligible| eligible.action == action)
    else {
        return 0.0;
    };
    if decision.arm != Arm::Holdout {
        return logged.propensity;
    }
    let explore = cycle.summary.explore_share;
    let planned = if decision.intended_id == action {
        1.0 - explore
    } else {
        0.0
    };
    planned + explore * logged.explore_probability
}

fn first_cycles(past: &[PastCycle]) -> BTreeMap<&CustomerKey, u32> {
    let mut first = BTreeMap::new();
    for cycle in past {
        for decision in cycle.decisions.iter() {
            first.entry(&decision.customer).or_insert(cycle.cycle);
        }
    }
    first
}

/// The always-valid intervals are tuned to twice the customers seen so far.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of customers are far below 2^52"
)]
pub(super) fn planned_units(rows: &[LiftRow]) -> f64 {
    (2.0 * rows.len() as f64).max(1.0)
}

/// What the planner believes from here on, per action.
fn shrunk(menu: &Menu, lifts: &[ActionLift]) -> Result<Vec<Shrunk>> {
    let measured: Vec<Measured> = lifts
        .iter()
        .filter(|lift| lift.control_risk > 1e-6 && lift.standard_error > 0.0)
        .map(|lift| Measured {
            action: lift.action,
            relative: lift.effect.mean / lift.control_risk,
            standard_error: lift.standard_error / lift.control_risk,
        })
        .collect();
    let channels: Vec<Belief> = menu
        .channels
        .iter()
        .map(|channel| channel.assumed_effect)
        .collect();
    let offers: Vec<Belief> = menu.offers.iter().map(|offer| offer.assumed_effect).collect();
    shrink(
        &measured,
        ShrinkPriors {
            actions: &menu.actions,
            channels: &channels,
            offers: &offers,
        },
    )
}

fn describe(menu: &Menu, lift: &ActionLift, shrunk: &[Shrunk]) -> LiftOut {
    let index = usize::from(lift.action.0);
    let action = menu.actions.get(index).copied();
    let channel = action.and_then(|action| menu.channels.get(action.channel));
    let offer = action
        .and_then(|action| action.offer)
        .and_then(|offer| menu.offers.get(offer));
    let on_top = offer.map_or(0.0, |offer| offer.assumed_effect.mean);
    let assumed = channel.map_or(0.0, |channel| {
        1.0 - (1.0 - channel.assumed_effect.mean) * (1.0 - on_top)
    });
    let net = |value: f64| value - lift.spend;
    LiftOut {
        channel: channel.map_or_else(String::new, |channel| channel.name.to_string()),
        offer: offer.map(|offer| offer.name.to_string()),
        treated: usize::try_from(lift.n_treated).unwrap_or(usize::MAX),
        control: usize::try_from(lift.n_control).unwrap_or(usize::MAX),
        effect: LiftEffectOut {
            mean: lift.effect.mean,
            ci95: [lift.effect.low, lift.effect.high],
            always_valid_ci95: lift.always_valid.map(|interval| [interval.low, interval.high]),
            method: lift.method.clone(),
        },
        shrunk: shrunk
            .get(index)
            .map_or_else(Mean90::default, |shrunk| shrunk.relative.into()),
        assumed,
        incremental_value: Mean95 {
            mean: net(lift.incremental_value.mean),
            ci95: [net(lift.incremental_value.low), net(lift.incremental_value.high)],
        },
    }
}

/// One row per customer ever enrolled.
fn programme(session: &Session, menu: &Menu, past: &[PastCycle]) -> Result<(TotalOut, Option<Check>)> {
    let mut rows: BTreeMap<&CustomerKey, TotalRow> = BTreeMap::new();
    let mut spend = 0.0;
    for cycle in past {
        spend += cycle.prices.fees;
        for (index, decision) in cycle.decisions.iter().enumerate() {
            let outcome = cycle.outcome.get(index).copied().unwrap_or(false);
            spend += cycle.realised_cost(index);
            let cluster = decision.cluster.as_ref().unwrap_or(&decision.customer);
            let row = rows.entry(&decision.customer).or_insert_with(|| TotalRow {
                holdout: decision.arm == Arm::Holdout,
                cluster: group_of(cluster.reveal()),
                first_cycle: cycle.cycle,
                outcome_value: 0.0,
                first_expected: decision.risk * decision.value,
            });
            if outcome {
                row.outcome_value += decision.value;
            }
        }
    }
    let rows: Vec<TotalRow> = rows.into_values().collect();
    let holdout = rows.iter().filter(|row| row.holdout).count();
    let mut out = TotalOut {
        spend,
        treated: rows.len() - holdout,
        holdout,
        ..TotalOut::default()
    };
    if session.workspace.config.plan.holdout <= 0.0 {
        return Ok((out, Some(no_holdout("[plan] holdout is 0".to_owned()))));
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of customers are far below 2^52"
    )]
    let planned = (2.0 * rows.len() as f64).max(1.0);
    match total(
        &rows,
        TotalParams {
            kind: menu.kind,
            planned_units: planned,
        },
    ) {
        Ok(found) => {
            out.incremental_value = TotalValueOut {
                mean: found.incremental_value.mean,
                ci95: [found.incremental_value.low, found.incremental_value.high],
                always_valid_ci95: found.always_valid.map(|interval| [interval.low, interval.high]),
            };
            Ok((out, None))
        }
        Err(error) if error.code == "TW0723" => Ok((out, Some(no_holdout(error.message)))),
        Err(error) => Err(error),
    }
}

fn no_holdout(why: String) -> Check {
    Check {
        name: "holdout",
        verdict: CheckVerdict::Review,
        detail: format!("the programme's total cannot be measured: {why}"),
        advice: Some("keep a hold-out: [plan] holdout = 0.10".to_owned()),
        code: Some("TW0723"),
    }
}

/// FAIL when nobody had the outcome although many were expected to: then feedback lacks it, and everything learned from it
/// would be wrong.
fn outcomes(session: &Session, past: &[PastCycle]) -> Check {
    const LEAST_EXPECTED: f64 = 20.0;
    let event = &session.workspace.config.outcome.event;
    let last = past.last();
    let seen = last.map_or(0, |last| {
        last.outcome.iter().filter(|happened| **happened).count()
    });
    let expected: f64 = last.map_or(0.0, |last| {
        last.decisions.iter().map(|decision| decision.risk).sum()
    });
    let failed = seen == 0 && expected >= LEAST_EXPECTED;
    Check {
        name: "outcomes",
        verdict: if failed {
            CheckVerdict::Fail
        } else {
            CheckVerdict::Pass
        },
        detail: format!("{seen} customers had \"{event}\" within the horizon, {expected:.0} were expected to"),
        advice: failed.then(|| {
            "see that [outcome] event is spelt as in the feedback file, and that the file covers the cycle".to_owned()
        }),
        code: failed.then_some("TW0732"),
    }
}

/// Whether the arms have the sizes that they were drawn with: newcomers of the last cycle, since survivors differ by arm.
fn arms(past: &[PastCycle]) -> Result<Check> {
    let first = first_cycles(past);
    let Some(last) = past.last() else {
        return Ok(sample_ratio(&[0, 0], &[0.5, 0.5])?.check);
    };
    let mut clusters: BTreeMap<&CustomerKey, bool> = BTreeMap::new();
    for decision in last
        .decisions
        .iter()
        .filter(|decision| first.get(&decision.customer) == Some(&last.cycle))
    {
        clusters.insert(
            decision.cluster.as_ref().unwrap_or(&decision.customer),
            decision.arm == Arm::Holdout,
        );
    }
    let held = clusters.values().filter(|held| **held).count() as u64;
    let others = clusters.len() as u64 - held;
    let share = last.summary.holdout_share;
    if share <= 0.0 {
        return Ok(sample_ratio(&[0, 0], &[0.5, 0.5])?.check);
    }
    Ok(sample_ratio(&[others, held], &[1.0 - share, share])?.check)
}

/// The overlap check with actions by name.
fn named(menu: &Menu, mut check: Check) -> Check {
    if check.verdict != CheckVerdict::Pass {
        let labels: Vec<String> = menu
            .actions
            .iter()
            .enumerate()
            .map(|(id, action)| format!("{id} = {}", action.label(&menu.channels, &menu.offers)))
            .collect();
        check.detail = format!("{} ({})", check.detail, labels.join(", "));
    }
    check
}
