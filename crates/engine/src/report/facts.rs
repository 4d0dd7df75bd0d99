//! What the report tells, read from the ledger: the latest plan, the evaluation behind it, the last measurement.

use serde::de::DeserializeOwned;
use thalweg_domain::{Error, Result, Stage};
use thalweg_ledger::PlanRow;

use super::words::Words;
use crate::clock::format_time;
use crate::session::Session;
use crate::stages::plan;
use crate::wire::{EvaluationOut, IterateOut, PlanOut, ScenariosOut, TableOut};

/// Everything that the report tells.
pub(super) struct Facts {
    pub(super) name: String,
    pub(super) currency: String,
    pub(super) words: Words,
    /// The clock of the invocation.
    pub(super) as_of: String,
    /// The event that counts as the outcome.
    pub(super) event: String,
    pub(super) plan: PlanOut,
    pub(super) made_at: String,
    pub(super) delivered_at: Option<String>,
    /// Until when outcomes of the plan's decisions count.
    pub(super) outcomes_until: String,
    pub(super) table: Option<TableOut>,
    pub(super) evaluation: Option<EvaluationOut>,
    /// The last measurement of any cycle.
    pub(super) proof: Option<IterateOut>,
    /// The last comparison of scenarios.
    pub(super) scenarios: Option<ScenariosOut>,
}

impl Facts {
    /// # Errors
    /// `TW0740` without a plan, `TW0823` for a record that this version cannot read.
    pub(super) fn gather(session: &Session) -> Result<Self> {
        let row = latest_plan(session)?.ok_or_else(|| {
            Error::new("TW0740", "there is no plan to report on").hint(session.suggest("run"))
        })?;
        let config = &session.workspace.config;
        let cycle = row.plan.cycle;
        Ok(Self {
            name: config.name.clone(),
            currency: config.currency.clone(),
            words: Words::of(config.outcome.kind),
            as_of: format_time(session.options.as_of),
            event: config.outcome.event.clone(),
            plan: parse(&row.plan.summary)?,
            made_at: format_time(row.plan.created_at),
            delivered_at: row.delivered_at.map(format_time),
            outcomes_until: format_time(row.plan.created_at + config.outcome.horizon),
            table: session.stage_result(cycle, Stage::Collect)?,
            evaluation: session.stage_result(cycle, Stage::Evaluate)?,
            proof: last_measurement(session)?,
            scenarios: plan::scenarios::last(session),
        })
    }

    /// An amount with the currency.
    pub(super) fn money(&self, number: f64) -> String {
        format!("{} {}", super::words::amount(number), self.currency)
    }
}

/// The open cycle's active plan, else that of the last cycle that has one.
pub(crate) fn latest_plan(session: &Session) -> Result<Option<PlanRow>> {
    for cycle in session.ledger.cycles()?.iter().rev() {
        if let Some(plan) = session.ledger.active_plan(cycle.cycle)? {
            return Ok(Some(plan));
        }
    }
    Ok(None)
}

fn last_measurement(session: &Session) -> Result<Option<IterateOut>> {
    session
        .ledger
        .measurements("iterate")?
        .last()
        .map(|measurement| parse(&measurement.payload))
        .transpose()
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|cause| {
        Error::new(
            "TW0823",
            "a record in the ledger was kept by another version and cannot be read",
        )
        .hint("use the version that made it, or start a new workspace folder")
        .cause(cause)
    })
}
