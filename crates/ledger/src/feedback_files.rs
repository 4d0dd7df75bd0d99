//! Feedback files: which were loaded, and up to when each is complete.

use sqlx::{SqliteConnection, query, query_scalar};
use thalweg_domain::{Result, Timestamp};

use crate::Ledger;
use crate::cells::Cells;

/// A file of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedbackFile {
    /// Hash of its bytes.
    pub file_hash: String,
    /// Its name, as the user gave it.
    pub name: String,
    /// Up to when it holds every event; `None` when that is not known.
    pub complete_until: Option<Timestamp>,
    /// When it was loaded.
    pub loaded_at: Timestamp,
}

impl Ledger {
    /// Up to when the events are complete: the latest of all files.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn complete_until(&self) -> Result<Option<Timestamp>> {
        self.read("reading how far the events go", async |connection| {
            let latest: Option<i64> = query_scalar("SELECT MAX(complete_until) FROM feedback_files")
                .fetch_one(connection)
                .await?;
            Ok(latest.map(Timestamp))
        })
    }

    /// All feedback files, the first loaded first.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn feedback_files(&self) -> Result<Vec<FeedbackFile>> {
        self.read("reading the feedback files", async |connection| {
            let rows = query(
                "SELECT file_hash, name, complete_until, loaded_at FROM feedback_files ORDER BY loaded_at, file_hash",
            )
            .fetch_all(connection)
            .await?;
            let files = rows.iter().map(|row| {
                let mut cells = Cells::new(row);
                Ok(FeedbackFile {
                    file_hash: cells.text()?,
                    name: cells.text()?,
                    complete_until: cells.time_or_none()?,
                    loaded_at: cells.time()?,
                })
            });
            Ok(files.collect::<sqlx::Result<_>>()?)
        })
    }
}

/// Records the file; loaded again, only a later `complete_until` is taken over.
pub(crate) async fn record(connection: &mut SqliteConnection, file: &FeedbackFile) -> sqlx::Result<()> {
    query(
        "INSERT INTO feedback_files (file_hash, name, complete_until, loaded_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (file_hash) DO UPDATE SET complete_until = excluded.complete_until
         WHERE feedback_files.complete_until IS NULL OR excluded.complete_until > feedback_files.complete_until",
    )
    .bind(&file.file_hash)
    .bind(&file.name)
    .bind(file.complete_until.map(|time| time.0))
    .bind(file.loaded_at.0)
    .execute(connection)
    .await?;
    Ok(())
}
