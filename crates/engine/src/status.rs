//! Where the loop stands, and the next useful command.

use thalweg_domain::{Result, Stage};

use crate::clock::format_time;
use crate::session::Session;
use crate::stages::deliver::delivered_count;
use crate::wire::{StatusOut, StatusStageOut};

pub(crate) fn status(session: &Session) -> Result<StatusOut> {
    let cycle = session.cycle()?;
    let mut stages = vec![StatusStageOut {
        stage: Stage::Init.name().to_owned(),
        state: "done".to_owned(),
        finished_at: None,
        artifact: Some(session.workspace.config_hash.clone()),
        summary: "thalweg.toml is there and checked".to_owned(),
    }];
    for stage in Stage::ALL.into_iter().skip(1) {
        stages.push(row(session, cycle, stage)?);
    }
    let plan = session.ledger.active_plan(cycle)?;
    let until = session.ledger.complete_until()?;
    let delivered = plan.as_ref().is_some_and(|plan| plan.delivered_at.is_some());
    let mature = plan.as_ref().is_some_and(|plan| {
        until.is_some_and(|until| until >= plan.plan.created_at + session.workspace.config.outcome.horizon)
    });
    let next = match (&plan, delivered, mature) {
        (None, ..) => "run",
        (Some(_), false, _) => "deliver --dry-run",
        (Some(_), true, false) => "feedback events.jsonl",
        (Some(_), true, true) => "iterate",
    };
    Ok(StatusOut {
        workspace: session.workspace.config.name.clone(),
        cycle,
        stages,
        plan: plan.map(|plan| plan.plan.plan_id),
        delivered: delivered_count(session, cycle)?,
        events: session.ledger.events_known()?,
        complete_until: until.map(format_time),
        next: session.suggest(next),
    })
}

fn row(session: &Session, cycle: u32, stage: Stage) -> Result<StatusStageOut> {
    let (state, record, summary) = match session.stage_line(cycle, stage)? {
        Some((record, line)) => ("done", Some(record), line),
        None => ("to do", None, stage.info().question.to_owned()),
    };
    Ok(StatusStageOut {
        stage: stage.name().to_owned(),
        state: state.to_owned(),
        finished_at: record.as_ref().map(|record| format_time(record.finished_at)),
        artifact: record
            .and_then(|record| record.artifact)
            .filter(|artifact| !artifact.is_empty()),
        summary,
    })
}
