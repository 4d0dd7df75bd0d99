//! `plan --scenario`: the plan under other configurations, beside the one in force; nothing is put on record.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use thalweg_collect::Collected;
use thalweg_domain::{Error, Estimate, Result};
use thalweg_learn::effect::ActionLoad;
use thalweg_learn::outcome::OutcomeTraining;

use super::{Inputs, decide_all, describe, partners, prepare, refuse_failed_checks, response, salt};
use crate::config::scenarios::AS_CONFIGURED;
use crate::config::{Config, Scenario, parse_scenarios};
use crate::effects::{Effects, Menu};
use crate::hash::json_bytes;
use crate::session::Session;
use crate::stages::{collect, train};
use crate::wire::{DifferenceOut, EvaluationOut, PlanOut, ScenarioChannelOut, ScenarioOut, ScenariosOut};

/// Reads a file of scenarios; `file` is relative to where the program was started.
pub(crate) fn read(session: &Session, file: &Path) -> Result<Vec<Scenario>> {
    let text = std::fs::read_to_string(file).map_err(|cause| {
        Error::new(
            "TW0109",
            format!("the file of scenarios \"{}\" cannot be read", file.display()),
        )
        .hint("give the path of a TOML file with [[scenario]] sections")
        .cause(cause)
    })?;
    let name = file.file_name().map_or_else(
        || file.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    );
    parse_scenarios(&name, &text, &session.workspace.config)
}

/// Where the last comparison is kept.
fn kept_at(session: &Session) -> PathBuf {
    session.workspace.artifact("scenarios", "last", "json")
}

/// The last comparison; one that another version kept is none.
pub(crate) fn last(session: &Session) -> Option<ScenariosOut> {
    let text = std::fs::read_to_string(kept_at(session)).ok()?;
    serde_json::from_str(&text).ok()
}

/// What every scenario is planned on.
struct Ground {
    collected: Rc<Collected>,
    training: Rc<OutcomeTraining>,
    rows: Vec<usize>,
    effects: Effects,
    salt: String,
    table_id: String,
    model: String,
    /// Response curves, whose veto counts in every column.
    curves: Option<response::Fitted>,
}

/// A scenario's plan, with what differences need.
struct Planned {
    out: PlanOut,
    gross: Vec<ActionLoad>,
}

/// Plans the configuration as it is and every scenario, and keeps the comparison for the report.
///
/// All of them have the same customers, risks, hold-out salt and seed. The interval of a difference counts an error in
/// an effect once for both plans, so that it is narrower than the two plans' own intervals suggest.
pub(crate) fn compare(
    session: &mut Session,
    (table_id, evaluation): (&str, &EvaluationOut),
    scenarios: Vec<Scenario>,
) -> Result<ScenariosOut> {
    refuse_failed_checks(evaluation)?;
    let menu = Menu::of(session);
    let collected = collect::load(session, table_id)?;
    let (rows, _) = collect::to_decide(session, &collected)?;
    let effects = Effects::current(session, &menu)?;
    let weekly = response::read(session, &effects)?;
    let ground = Ground {
        training: train::load(session, &evaluation.model)?,
        curves: weekly.map(|own| own.fitted(session, &menu)).transpose()?,
        effects,
        salt: salt(session)?,
        table_id: table_id.to_owned(),
        model: evaluation.model.clone(),
        collected,
        rows,
    };
    let progress = std::sync::Arc::clone(&session.options.progress);
    progress.start("scenarios", Some(scenarios.len() + 1));
    let compared = all(session, &ground, scenarios);
    progress.finish();
    let out = ScenariosOut {
        cycle: session.cycle()?,
        currency: session.workspace.config.currency.clone(),
        model: ground.model,
        data: ground.table_id,
        config: session.workspace.config_hash.clone(),
        seed: session.seed().0,
        scenarios: compared?,
    };
    thalweg_collect::write_bytes_atomic(&kept_at(session), &json_bytes(&out)?)?;
    Ok(out)
}

fn all(session: &mut Session, ground: &Ground, scenarios: Vec<Scenario>) -> Result<Vec<ScenarioOut>> {
    let configured = session.workspace.config.clone();
    let base = plan(session, ground, (configured.clone(), false))?;
    session.options.progress.advance(1);
    let mut columns = vec![column(
        &configured,
        (AS_CONFIGURED.to_owned(), Vec::new()),
        (&base, None),
    )];
    for scenario in scenarios {
        let planned = plan(session, ground, (scenario.config.clone(), scenario.other_beliefs))?;
        session.options.progress.advance(1);
        let same_ground = (!scenario.other_beliefs).then_some(&ground.effects);
        let difference = difference(&planned, &base, same_ground);
        columns.push(column(
            &scenario.config,
            (scenario.name, scenario.changes),
            (&planned, Some(difference)),
        ));
    }
    Ok(columns)
}

/// The plan that another configuration would get.
fn plan(session: &mut Session, ground: &Ground, (config, other_beliefs): (Config, bool)) -> Result<Planned> {
    session.as_if(config, |session| {
        let menu = Menu::of(session);
        let effects = if other_beliefs {
            Effects::current(session, &menu)?
        } else {
            ground.effects.clone()
        };
        let inputs = Inputs {
            table_id: &ground.table_id,
            model: &ground.model,
            fingerprint: "",
            salt: &ground.salt,
        };
        let planning = prepare(
            session,
            &ground.collected,
            (menu, effects),
            &ground.rows,
            &ground.training,
        )?;
        let plan = decide_all(session, &planning, &inputs)?;
        let gross = planning.loads(&describe::taken(&plan.result));
        let out = describe::plan(session, &planning, &plan.result, &inputs)?;
        let mut out = partners::settle(session, (&planning, &plan), out);
        if let Some(curves) = &ground.curves {
            response::tell(&mut out, curves.clone(), plan.result.budget_price);
        }
        Ok(Planned { out, gross })
    })
}

/// How much more a plan is expected to bring; the interval only where both believe in the same effects.
fn difference(planned: &Planned, base: &Planned, same_ground: Option<&Effects>) -> DifferenceOut {
    let mean = planned.out.expected_value.mean - base.out.expected_value.mean;
    let ci90 = same_ground.map(|effects| {
        let sd = effects.posterior.total(&less(&planned.gross, &base.gross)).sd;
        let interval = Estimate::normal(mean, sd, Estimate::Z90);
        [interval.low, interval.high]
    });
    DifferenceOut { mean, ci90 }
}

/// Action by action what one plan puts on it beyond another.
pub(super) fn less(plan: &[ActionLoad], base: &[ActionLoad]) -> Vec<ActionLoad> {
    let beyond = |(own, other): (&ActionLoad, &ActionLoad)| ActionLoad {
        action: own.action,
        weight: own.weight - other.weight,
        weighted_phi: own
            .weighted_phi
            .iter()
            .zip(&other.weighted_phi)
            .map(|(own, other)| own - other)
            .collect(),
    };
    plan.iter().zip(base).map(beyond).collect()
}

fn column(
    config: &Config,
    (name, changes): (String, Vec<String>),
    (planned, difference): (&Planned, Option<DifferenceOut>),
) -> ScenarioOut {
    let out = &planned.out;
    let price = |name: &str| {
        let found = out.constraints.iter().find(|limit| limit.name == name);
        found.map_or(0.0, |limit| limit.shadow_price)
    };
    let channels = out.channels.iter().map(|own| ScenarioChannelOut {
        name: own.name.clone(),
        on: config
            .channels
            .iter()
            .any(|entry| entry.on && entry.channel.name.as_str() == own.name),
        customers: own.customers,
        spend: own.spend,
        expected_value: own.expected_value,
        marginal_return: own.marginal_return,
        verdict: own.verdict.clone(),
        reason: own.reason.clone(),
    });
    ScenarioOut {
        name,
        changes,
        feasible: out.feasible,
        conflicts: out.conflicts.clone(),
        customers: out.customers,
        treated: out.treated,
        holdout: out.holdout,
        explore: out.explore,
        budget: out.budget,
        spend: out.spend,
        spend_q95: out.spend_q95,
        expected_value: out.expected_value,
        difference,
        upper_bound: out.upper_bound,
        gap: out.gap,
        budget_price: price("budget"),
        constraints: out.constraints.clone(),
        channels: channels.collect(),
        partners: out.partners.clone(),
    }
}

#[cfg(test)]
mod tests {
    use thalweg_domain::ActionId;
    use thalweg_learn::effect::ActionLoad;

    use super::less;

    #[test]
    fn what_both_plans_do_cancels() {
        let load = |weight: f64, phi: f64| {
            let mut load = ActionLoad::new(ActionId(0), 1);
            load.add(weight, &[phi]);
            load
        };
        let both = less(&[load(5.0, 2.0)], &[load(5.0, 2.0)]);
        assert!(both[0].weight.abs() < 1e-12 && both[0].weighted_phi[0].abs() < 1e-12);
        let beyond = less(&[load(5.0, 2.0)], &[load(2.0, 1.0)]);
        assert!((beyond[0].weight - 3.0).abs() < 1e-12);
        assert!((beyond[0].weighted_phi[0] - 8.0).abs() < 1e-12);
    }
}
