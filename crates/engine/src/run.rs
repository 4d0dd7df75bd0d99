//! The commands on a session: the whole run up to the plan, and every stage alone with what it needs before it.

use std::path::{Path, PathBuf};

use thalweg_domain::{Result, Timestamp};

use crate::clock::format_time;
use crate::report;
use crate::session::Session;
use crate::stages::{collect, deliver, evaluate, feedback, iterate, plan, train};
use crate::wire::{
    DeliverOut, EvaluationOut, FeedbackOut, IterateOut, PlanOut, RunOut, ScenariosOut, SegmentPageOut,
    StageOut, StatusOut, TableOut, TrainOut,
};

impl Session {
    /// collect, train, evaluate, plan: only what changed.
    ///
    /// # Errors
    /// What the stages report; a failed check stops before the plan.
    pub fn run(&self) -> Result<RunOut> {
        let table = collect::ensure(self)?;
        let trained = train::ensure(self, &table.result.table)?;
        let evaluation = evaluate::ensure(self, &table.result.table, &trained.result)?;
        let plan = plan::ensure(self, &table.result.table, &evaluation.result)?;
        Ok(RunOut {
            workspace: self.workspace.config.name.clone(),
            currency: self.workspace.config.currency.clone(),
            kind: self.workspace.config.outcome.kind.as_str().to_owned(),
            as_of: format_time(self.options.as_of),
            table: table.result,
            stages: vec![table.out, trained.out, evaluation.out, plan.out],
            evaluation: evaluation.result,
            plan: plan.result,
            next: self.suggest("deliver --dry-run"),
        })
    }

    /// The table.
    ///
    /// # Errors
    /// `TW02xx` for data that cannot be used.
    pub fn collect(&self) -> Result<(StageOut, TableOut)> {
        let done = collect::ensure(self)?;
        Ok((done.out, done.result))
    }

    /// The model, with the table that it needs.
    ///
    /// # Errors
    /// As [`Session::collect`], and `TW03xx`.
    pub fn train(&self) -> Result<(StageOut, TrainOut)> {
        let table = collect::ensure(self)?.result.table;
        let done = train::ensure(self, &table)?;
        Ok((done.out, done.result))
    }

    /// The evaluation, with the model that it needs.
    ///
    /// # Errors
    /// As [`Session::train`].
    pub fn evaluate(&self) -> Result<(StageOut, EvaluationOut)> {
        let table = collect::ensure(self)?.result.table;
        let trained = train::ensure(self, &table)?.result;
        let done = evaluate::ensure(self, &table, &trained)?;
        Ok((done.out, done.result))
    }

    /// The plan, with everything that it needs.
    ///
    /// # Errors
    /// As [`Session::evaluate`], `TW04xx` for a failed check, `TW05xx`, and `TW0810` when the cycle's plan was delivered.
    pub fn plan(&self) -> Result<(StageOut, PlanOut)> {
        let table = collect::ensure(self)?.result.table;
        let trained = train::ensure(self, &table)?.result;
        let evaluation = evaluate::ensure(self, &table, &trained)?.result;
        let done = plan::ensure(self, &table, &evaluation)?;
        Ok((done.out, done.result))
    }

    /// Plans every scenario of a file beside the configuration in force; the plan in force stays as it is.
    ///
    /// # Errors
    /// As [`Session::evaluate`], `TW01xx` for the file, and `TW05xx`.
    pub fn compare(&mut self, file: &Path) -> Result<ScenariosOut> {
        let scenarios = plan::scenarios::read(self, file)?;
        let table = collect::ensure(self)?.result.table;
        let trained = train::ensure(self, &table)?.result;
        let evaluation = evaluate::ensure(self, &table, &trained)?.result;
        let doing = self.doing("comparing scenarios for");
        plan::scenarios::compare(self, (&table, &evaluation), scenarios).map_err(|error| error.doing(doing))
    }

    /// Delivers the plan; a dry run does everything but the last call.
    ///
    /// # Errors
    /// `TW06xx`.
    pub fn deliver(&self, dry_run: bool) -> Result<DeliverOut> {
        deliver::deliver(self, dry_run).map_err(|error| error.doing(self.doing("delivering")))
    }

    /// Loads events.
    ///
    /// # Errors
    /// `TW07xx`; nothing is loaded then.
    pub fn feedback(&self, file: &Path, complete_until: Option<Timestamp>) -> Result<FeedbackOut> {
        feedback::feedback(self, file, complete_until)
            .map_err(|error| error.doing(self.doing("loading feedback for")))
    }

    /// Measures and closes the cycle.
    ///
    /// # Errors
    /// `TW0730` without a delivered plan, and what the stages report.
    pub fn iterate(&self) -> Result<IterateOut> {
        iterate::iterate(self).map_err(|error| error.doing(self.doing("measuring")))
    }

    /// Where the loop stands.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn status(&self) -> Result<StatusOut> {
        crate::status::status(self)
    }

    /// The groups and the market sheet of the plan in force.
    ///
    /// # Errors
    /// `TW0740` without a plan, `TW0823` for one that another version kept.
    pub fn segments(&self) -> Result<SegmentPageOut> {
        crate::segments::page(self)
    }

    /// Writes the report of the last cycle.
    ///
    /// # Errors
    /// `TW0740` when there is nothing to report, `TW0229` when it cannot be written.
    pub fn report(&self, out: Option<&Path>) -> Result<PathBuf> {
        report::report(self, out)
    }
}
