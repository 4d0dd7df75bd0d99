//! Stages: what ran, on which inputs, and what came out.

use sqlx::query;
use sqlx::sqlite::SqliteRow;
use thalweg_domain::{Result, Stage, Timestamp};

use crate::Ledger;
use crate::cells::Cells;

/// One run of one stage.
#[derive(Debug, Clone, PartialEq)]
pub struct StageRecord {
    /// The cycle it ran in.
    pub cycle: u32,
    /// Which stage.
    pub stage: Stage,
    /// Hash of everything that its result depends on.
    pub fingerprint: String,
    /// Name of the artifact it made, if any.
    pub artifact: Option<String>,
    /// When it finished.
    pub finished_at: Timestamp,
    /// How long it took.
    pub seconds: f64,
    /// The result, as JSON.
    pub summary: String,
}

impl Ledger {
    /// Adds a run to the history.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be written.
    pub fn record_stage(&self, record: &StageRecord) -> Result<()> {
        self.write("recording a stage", async |connection| {
            query(
                "INSERT INTO stages (cycle, stage, fingerprint, artifact, finished_at, seconds, summary)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(i64::from(record.cycle))
            .bind(record.stage.name())
            .bind(&record.fingerprint)
            .bind(&record.artifact)
            .bind(record.finished_at.0)
            .bind(record.seconds)
            .bind(&record.summary)
            .execute(connection)
            .await?;
            Ok(())
        })
    }

    /// The last run of a stage in a cycle.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn latest_stage(&self, cycle: u32, stage: Stage) -> Result<Option<StageRecord>> {
        self.read("reading a stage", async |connection| {
            let row = query(
                "SELECT cycle, stage, fingerprint, artifact, finished_at, seconds, summary FROM stages
                 WHERE cycle = $1 AND stage = $2 ORDER BY id DESC LIMIT 1",
            )
            .bind(i64::from(cycle))
            .bind(stage.name())
            .fetch_optional(connection)
            .await?;
            Ok(row.as_ref().map(stage_record).transpose()?)
        })
    }

    /// The last `limit` runs of any stage, the newest first.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn stage_history(&self, limit: u32) -> Result<Vec<StageRecord>> {
        self.read("reading the stages' history", async |connection| {
            let rows = query(
                "SELECT cycle, stage, fingerprint, artifact, finished_at, seconds, summary FROM stages
                 ORDER BY id DESC LIMIT $1",
            )
            .bind(i64::from(limit))
            .fetch_all(connection)
            .await?;
            Ok(rows.iter().map(stage_record).collect::<sqlx::Result<_>>()?)
        })
    }
}

fn stage_record(row: &SqliteRow) -> sqlx::Result<StageRecord> {
    let mut cells = Cells::new(row);
    Ok(StageRecord {
        cycle: cells.cycle()?,
        stage: cells.named(Stage::from_name)?,
        fingerprint: cells.text()?,
        artifact: cells.text_or_none()?,
        finished_at: cells.time()?,
        seconds: cells.number()?,
        summary: cells.text()?,
    })
}
