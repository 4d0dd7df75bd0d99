//! iterate: what did the cycle really change? Measure, retrain, compare models, close the cycle.

mod by_cycle;
mod measure;
mod promotion;

use thalweg_domain::{Check, CheckVerdict, Error, Result, Stage};
use thalweg_ledger::{Measurement, PlanRow};

pub(crate) use self::by_cycle::{CycleLift, by_cycle};
use super::{collect, evaluate, train};
use crate::clock::format_time;
use crate::effects::Menu;
use crate::experience::{self, is_mature};
use crate::session::{Made, Session, StageKey, to_json};
use crate::wire::{CheckOut, DriftOut, IterateOut, PromotionOut, TotalOut};

/// Measures the open cycle and, when its horizon has passed, closes it.
pub(crate) fn iterate(session: &Session) -> Result<IterateOut> {
    let cycle = session.cycle()?;
    let plan = session
        .ledger
        .active_plan(cycle)?
        .filter(|plan| plan.delivered_at.is_some());
    let Some(plan) = plan else {
        return again_or_nothing(session, cycle);
    };
    if !is_mature(session, &plan)? {
        return immature(session, &plan);
    }
    let mut plans = experience::closed_plans(session)?;
    plans.push(plan.clone());
    let past = experience::join(session, plans)?;
    let menu = Menu::of(session);
    let mut out = measure::measure(session, &menu, &past)?;
    out.drift = drift(session, &plan)?;
    if out.checks.iter().any(|check| check.verdict == "FAIL") {
        keep(session, &out)?;
        return Ok(out);
    }
    let champion = plan.plan.model_hash.clone();
    out.closed = true;
    // the measurement is on record before the cycle closes; a kill in between repeats it, the same
    keep(session, &out)?;
    session.ledger.close_cycle(cycle, session.options.as_of)?;
    session.audit("iterate", &format!("cycle {cycle} closed"))?;
    out.promotion = promotion::retrain(session, &champion)?;
    keep(session, &out)?;
    Ok(out)
}

/// After the cycle was closed and nothing new was delivered: the stored result, finished if it was interrupted.
fn again_or_nothing(session: &Session, cycle: u32) -> Result<IterateOut> {
    let last = cycle.checked_sub(1).filter(|last| *last > 0);
    let stored = match last {
        Some(last) => session.stage_result::<IterateOut>(last, Stage::Iterate)?,
        None => None,
    };
    let Some(mut out) = stored else {
        return Err(Error::new(
            "TW0730",
            format!("cycle {cycle} has nothing to measure: no plan was delivered"),
        )
        .hint(format!(
            "first {}, then {}",
            session.suggest("deliver"),
            session.suggest("feedback events.jsonl")
        )));
    };
    if out.promotion.champion.is_empty() {
        let plans = experience::closed_plans(session)?;
        let champion = plans
            .last()
            .map(|plan| plan.plan.model_hash.clone())
            .unwrap_or_default();
        out.promotion = promotion::retrain(session, &champion)?;
        keep(session, &out)?;
    }
    Ok(out)
}

/// The horizon has not passed: nothing is measured, and a check says from when it can be.
fn immature(session: &Session, plan: &PlanRow) -> Result<IterateOut> {
    let end = plan.plan.created_at + session.workspace.config.outcome.horizon;
    let known = session.ledger.complete_until()?.map_or_else(
        || "not loaded".to_owned(),
        |until| format!("complete until {}", format_time(until)),
    );
    let check = Check {
        name: "maturity",
        verdict: CheckVerdict::Fail,
        detail: format!(
            "outcomes count until {}, and feedback is {known}",
            format_time(end)
        ),
        advice: Some(format!(
            "load feedback that is complete until then: {}",
            session.suggest("feedback FILE")
        )),
        code: Some("TW0731"),
    };
    Ok(IterateOut {
        cycle: plan.plan.cycle,
        mature: 0,
        immature: session.decisions(&plan.plan.plan_id)?.len(),
        lift: Vec::new(),
        total: TotalOut::default(),
        checks: vec![CheckOut::from(&check)],
        drift: Vec::new(),
        promotion: PromotionOut {
            champion: plan.plan.model_hash.clone(),
            decision: "keep".to_owned(),
            ..PromotionOut::default()
        },
        closed: false,
    })
}

/// How far the customers decided on have moved from those the model learned from.
fn drift(session: &Session, plan: &PlanRow) -> Result<Vec<DriftOut>> {
    let collected = collect::load(session, &plan.plan.data_hash)?;
    let history = collected.features.take(&collect::labelled(&collected));
    let (rows, replayed) = collect::to_decide(session, &collected)?;
    if replayed || history.n_rows() == 0 {
        return Ok(Vec::new());
    }
    let found = thalweg_learn::drift::drift(&history, &collected.features.take(&rows))?;
    Ok(found
        .iter()
        .map(|column| DriftOut {
            column: column.column.clone(),
            psi: column.stability_index,
            verdict: column.check().verdict.as_str().to_owned(),
        })
        .collect())
}

fn keep(session: &Session, out: &IterateOut) -> Result<()> {
    let at = session.options.as_of;
    session.ledger.record_measurement(&Measurement {
        cycle: out.cycle,
        kind: "iterate".to_owned(),
        payload: to_json(out)?,
        measured_at: at,
    })?;
    let total = out.total.incremental_value;
    let line = format!(
        "programme total {:.0} ({:.0} to {:.0}), {} actions measured",
        total.mean,
        total.ci95[0],
        total.ci95[1],
        out.lift.len()
    );
    let made = Made {
        artifact: String::new(),
        result: out,
        line,
    };
    session.record_result(
        made,
        &StageKey {
            cycle: out.cycle,
            stage: Stage::Iterate,
            fingerprint: "iterate",
        },
        0.0,
    )?;
    Ok(())
}

/// The stages that retraining runs in the next cycle.
fn train_next(session: &Session) -> Result<crate::wire::EvaluationOut> {
    let table = collect::ensure(session)?.result.table;
    let trained = train::ensure(session, &table)?.result;
    Ok(evaluate::ensure(session, &table, &trained)?.result)
}
