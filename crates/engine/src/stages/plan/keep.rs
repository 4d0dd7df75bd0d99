//! Keeping a plan: the file first, by the hash of its content, then the ledger, whole or not at all.

use serde::Serialize;
use thalweg_domain::{CustomerKey, Decision, Result};
use thalweg_ledger::{DecisionRow, PlanRecord};
use thalweg_plan::decide::PlanResult;

use super::{Inputs, Planning};
use crate::hash::{content_id, json_bytes};
use crate::session::{Made, Session, to_json};
use crate::wire::PlanOut;

/// The plan's file: `artifacts/plans/p-….json`. It holds no wall-clock time.
#[derive(Serialize)]
struct PlanFile<'a> {
    plan: &'a PlanOut,
    decisions: Vec<PlannedDecision<'a>>,
}

/// One decision in the plan's file; the ledger's row has everything.
#[derive(Serialize)]
struct PlannedDecision<'a> {
    customer: &'a str,
    arm: &'static str,
    intended: String,
    action: String,
    propensity: f64,
    risk: f64,
    value: f64,
    expected_value: f64,
    repaired: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    day: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    survival: Option<f64>,
}

pub(super) fn plan(
    session: &Session,
    planning: &Planning,
    result: &PlanResult,
    mut out: PlanOut,
    inputs: &Inputs<'_>,
) -> Result<Made<PlanOut>> {
    let decisions: Vec<PlannedDecision<'_>> = result
        .decisions
        .iter()
        .map(|decision| planned(planning, decision))
        .collect();
    let content = to_json(&PlanFile {
        plan: &out,
        decisions,
    })?;
    out.plan = content_id("p", format!("{}{content}", inputs.fingerprint).as_bytes());
    session.ledger.require_plannable(&out.plan, out.cycle)?;
    let decisions = result
        .decisions
        .iter()
        .map(|decision| planned(planning, decision))
        .collect();
    let bytes = json_bytes(&PlanFile {
        plan: &out,
        decisions,
    })?;
    thalweg_collect::write_bytes_atomic(&session.workspace.artifact("plans", &out.plan, "json"), &bytes)?;
    record(session, planning, result, &out, inputs)?;
    let line = format!(
        "{}, {}, {} of {} customers get an action",
        counted(planning.menu.channels.len(), "channel"),
        counted(planning.menu.offers.len(), "offer"),
        out.treated,
        out.customers
    );
    Ok(Made {
        artifact: out.plan.clone(),
        result: out,
        line,
    })
}

/// `1 channel`, `2 channels`.
fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn planned<'a>(planning: &Planning, decision: &'a Decision) -> PlannedDecision<'a> {
    let chosen = decision
        .eligible
        .iter()
        .find(|eligible| eligible.action == decision.action);
    PlannedDecision {
        customer: decision.customer.reveal(),
        arm: decision.arm.as_str(),
        intended: label(planning, decision.intended),
        action: label(planning, decision.action),
        propensity: decision.propensity,
        risk: decision.risk,
        value: decision.value,
        expected_value: chosen.map_or(0.0, |chosen| chosen.expected_value),
        repaired: decision.repaired,
        day: decision.day,
        survival: decision.survival,
    }
}

fn label(planning: &Planning, action: Option<thalweg_domain::ActionId>) -> String {
    let found = action.and_then(|id| planning.menu.actions.get(usize::from(id.0)));
    found.map_or_else(
        || "none".to_owned(),
        |action| action.label(&planning.menu.channels, &planning.menu.offers),
    )
}

fn record(
    session: &Session,
    planning: &Planning,
    result: &PlanResult,
    out: &PlanOut,
    inputs: &Inputs<'_>,
) -> Result<()> {
    let record = PlanRecord {
        plan_id: out.plan.clone(),
        cycle: out.cycle,
        created_at: session.options.as_of,
        fingerprint: inputs.fingerprint.to_owned(),
        config_hash: out.config.clone(),
        data_hash: out.data.clone(),
        model_hash: out.model.clone(),
        seed: out.seed,
        actions: planning.menu.rows(),
        summary: to_json(out)?,
    };
    let rows = result
        .decisions
        .iter()
        .zip(&planning.customers)
        .map(|(decision, customer)| {
            let cluster = customer.cluster.clone().map(CustomerKey::new).transpose()?;
            Ok(DecisionRow::of(&record, decision, cluster))
        })
        .collect::<Result<Vec<_>>>()?;
    session.ledger.insert_plan(&record, &rows)?;
    session.ledger.promote_model(&out.model, session.options.as_of)?;
    session.audit(
        "plan",
        &format!("cycle {}, plan {} in force", record.cycle, record.plan_id),
    )?;
    session.memo.decisions.get(&record.plan_id, || Ok(rows))?;
    Ok(())
}
