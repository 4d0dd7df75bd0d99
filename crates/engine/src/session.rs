//! One invocation on one workspace: its lock, its ledger, its clock and seed, and how a stage is run or skipped.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thalweg_collect::Collected;
use thalweg_domain::{Error, Result, Seed, Stage, Timestamp};
use thalweg_learn::outcome::OutcomeTraining;
use thalweg_ledger::{AuditRow, DecisionRow, Ledger, StageRecord};

use crate::config::Config;
use crate::progress::Progress;
use crate::wire::StageOut;
use crate::workspace::Workspace;

/// Settings of an invocation.
#[derive(Clone)]
pub struct Options {
    /// The clock.
    pub as_of: Timestamp,
    /// Whether the user gave the clock; then feature SQL sees exactly this moment, else the start of the day.
    pub as_of_given: bool,
    /// Overrides the workspace's seed.
    pub seed: Option<u64>,
    /// Run stages even if nothing changed.
    pub again: bool,
    /// Who is told about progress.
    pub progress: Arc<dyn Progress>,
}

/// An open workspace.
pub struct Session {
    /// The folder and its configuration.
    pub workspace: Workspace,
    /// The settings.
    pub options: Options,
    pub(crate) ledger: Ledger,
    pub(crate) memo: Memo,
    _lock: File,
}

/// What was read once in this invocation: tables, models and decisions never change under their id.
#[derive(Default)]
pub(crate) struct Memo {
    pub(crate) tables: Shelf<Collected>,
    pub(crate) trainings: Shelf<OutcomeTraining>,
    pub(crate) decisions: Shelf<Vec<DecisionRow>>,
}

/// Things by id, each made at most once.
pub(crate) struct Shelf<T>(RefCell<BTreeMap<String, Rc<T>>>);

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<T> Shelf<T> {
    /// The thing of that id, made if it is not there yet.
    pub(crate) fn get(&self, id: &str, make: impl FnOnce() -> Result<T>) -> Result<Rc<T>> {
        if let Some(found) = self.0.borrow().get(id) {
            return Ok(Rc::clone(found));
        }
        let made = Rc::new(make()?);
        self.0.borrow_mut().insert(id.to_owned(), Rc::clone(&made));
        Ok(made)
    }
}

/// A stage's result with the line that reports it.
pub(crate) struct Done<T> {
    pub(crate) out: StageOut,
    pub(crate) result: T,
}

/// What a stage returns when it ran: the id of its artifact, its result, one line for people.
pub(crate) struct Made<T> {
    pub(crate) artifact: String,
    pub(crate) result: T,
    pub(crate) line: String,
}

/// Which run of a stage.
pub(crate) struct StageKey<'a> {
    pub(crate) cycle: u32,
    pub(crate) stage: Stage,
    pub(crate) fingerprint: &'a str,
}

/// A stage's result as the ledger keeps it.
#[derive(Serialize, Deserialize)]
struct Kept<T> {
    line: String,
    result: T,
}

impl Drop for Session {
    fn drop(&mut self) {
        // what is on record is safe either way; a whole file is easier to copy
        let _kept = self.ledger.fold();
    }
}

impl Session {
    /// Opens a workspace: checks its configuration, takes its lock, opens its ledger.
    ///
    /// # Errors
    /// `TW01xx` for the configuration, `TW08xx` for lock and ledger.
    pub fn open(dir: &Path, options: Options) -> Result<Self> {
        let workspace = Workspace::open(dir)?;
        let lock = workspace.lock()?;
        let ledger = Ledger::open(workspace.ledger_path())?;
        Ok(Self {
            workspace,
            options,
            ledger,
            memo: Memo::default(),
            _lock: lock,
        })
    }

    /// Asks something as if the workspace had another configuration; its own is back afterwards.
    pub(crate) fn as_if<T>(&mut self, config: Config, ask: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        let own = std::mem::replace(&mut self.workspace.config, config);
        let answer = ask(self);
        self.workspace.config = own;
        answer
    }

    /// The seed in force.
    #[must_use]
    pub fn seed(&self) -> Seed {
        self.options.seed.map_or(self.workspace.config.seed, Seed)
    }

    /// A plan's decisions.
    pub(crate) fn decisions(&self, plan_id: &str) -> Result<Rc<Vec<DecisionRow>>> {
        self.memo
            .decisions
            .get(plan_id, || self.ledger.decisions(plan_id))
    }

    /// The open cycle's number; the first call opens cycle 1.
    pub(crate) fn cycle(&self) -> Result<u32> {
        Ok(self.ledger.current_cycle(self.options.as_of)?.cycle)
    }

    /// A command to suggest, with the folder it needs.
    #[must_use]
    pub fn suggest(&self, command: &str) -> String {
        let dir = self.workspace.dir.display().to_string();
        if dir == "." {
            return format!("thalweg {command}");
        }
        match command {
            "run" | "status" | "report" | "segments" => format!("thalweg {command} {dir}"),
            _ => format!("thalweg {command} -C {dir}"),
        }
    }

    /// Words for error messages: `collecting telco`.
    pub(crate) fn doing(&self, verb: &str) -> String {
        format!("{verb} {}", self.workspace.config.name)
    }

    /// Runs a stage, or gives the stored result when nothing that it depends on has changed.
    ///
    /// `usable` tells whether a stored result's artifact is still there.
    pub(crate) fn stage<T: Serialize + DeserializeOwned>(
        &self,
        stage: Stage,
        fingerprint: &str,
        usable: impl FnOnce(&str) -> bool,
        run: impl FnOnce() -> Result<Made<T>>,
    ) -> Result<Done<T>> {
        let cycle = self.cycle()?;
        if let Some(done) = self.stored(cycle, stage, fingerprint, usable)? {
            return Ok(done);
        }
        let begun = Instant::now();
        self.options.progress.start(stage.name(), None);
        let made = run();
        self.options.progress.finish();
        self.record_result(
            made?,
            &StageKey {
                cycle,
                stage,
                fingerprint,
            },
            begun.elapsed().as_secs_f64(),
        )
    }

    /// Puts a stage's result on record.
    pub(crate) fn record_result<T: Serialize>(
        &self,
        made: Made<T>,
        key: &StageKey<'_>,
        seconds: f64,
    ) -> Result<Done<T>> {
        let kept = Kept {
            line: made.line,
            result: made.result,
        };
        self.ledger.record_stage(&StageRecord {
            cycle: key.cycle,
            stage: key.stage,
            fingerprint: key.fingerprint.to_owned(),
            artifact: Some(made.artifact.clone()),
            finished_at: self.options.as_of,
            seconds,
            summary: to_json(&kept)?,
        })?;
        let out = stage_out(key.stage, "ran", &made.artifact, seconds, &kept.line);
        Ok(Done {
            out,
            result: kept.result,
        })
    }

    fn stored<T: DeserializeOwned>(
        &self,
        cycle: u32,
        stage: Stage,
        fingerprint: &str,
        usable: impl FnOnce(&str) -> bool,
    ) -> Result<Option<Done<T>>> {
        if self.options.again {
            return Ok(None);
        }
        let Some(record) = self.ledger.latest_stage(cycle, stage)? else {
            return Ok(None);
        };
        let artifact = record.artifact.unwrap_or_default();
        if record.fingerprint != fingerprint || !usable(&artifact) {
            return Ok(None);
        }
        // a record of an older program version that no longer parses is simply made again
        let Ok(kept) = serde_json::from_str::<Kept<T>>(&record.summary) else {
            return Ok(None);
        };
        let out = stage_out(stage, "unchanged", &artifact, 0.0, &kept.line);
        Ok(Some(Done {
            out,
            result: kept.result,
        }))
    }

    /// Puts a step that touches customers into the audit trail.
    pub(crate) fn audit(&self, action: &str, detail: &str) -> Result<()> {
        self.ledger.record_audit(&AuditRow {
            at: self.options.as_of,
            actor: "command line".to_owned(),
            action: action.to_owned(),
            detail: detail.to_owned(),
        })
    }

    /// The line and artifact of the latest run of a stage in a cycle.
    pub(crate) fn stage_line(&self, cycle: u32, stage: Stage) -> Result<Option<(StageRecord, String)>> {
        let Some(record) = self.ledger.latest_stage(cycle, stage)? else {
            return Ok(None);
        };
        let line = line_of(&record);
        Ok(Some((record, line)))
    }

    /// The stored result of the latest run of a stage in a cycle, whatever its fingerprint.
    pub(crate) fn stage_result<T: DeserializeOwned>(&self, cycle: u32, stage: Stage) -> Result<Option<T>> {
        let Some(record) = self.ledger.latest_stage(cycle, stage)? else {
            return Ok(None);
        };
        Ok(serde_json::from_str::<Kept<T>>(&record.summary)
            .ok()
            .map(|kept| kept.result))
    }
}

/// The one line of a stage record.
pub(crate) fn line_of(record: &StageRecord) -> String {
    serde_json::from_str::<Kept<serde::de::IgnoredAny>>(&record.summary)
        .map_or_else(|_| String::new(), |kept| kept.line)
}

fn stage_out(stage: Stage, state: &str, artifact: &str, seconds: f64, line: &str) -> StageOut {
    StageOut {
        stage: stage.name().to_owned(),
        state: state.to_owned(),
        artifact: artifact.to_owned(),
        seconds,
        summary: line.to_owned(),
    }
}

/// Compact JSON.
pub(crate) fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|cause| {
        Error::new("TW0901", "internal error: a result cannot be written as JSON").cause(cause)
    })
}
