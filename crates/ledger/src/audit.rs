//! The audit trail: who did what and when; rows are only ever added.

use sqlx::query;
use thalweg_domain::{Result, Timestamp};

use crate::Ledger;
use crate::cells::Cells;

/// One entry of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// When.
    pub at: Timestamp,
    /// Who: a user, a key, or `cli`.
    pub actor: String,
    /// What, such as `deliver`.
    pub action: String,
    /// The details, as JSON or a sentence; without personal data.
    pub detail: String,
}

impl Ledger {
    /// Adds an entry.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be written.
    pub fn record_audit(&self, entry: &AuditRow) -> Result<()> {
        self.write("writing the audit trail", async |connection| {
            query("INSERT INTO audit (at, actor, action, detail) VALUES ($1, $2, $3, $4)")
                .bind(entry.at.0)
                .bind(&entry.actor)
                .bind(&entry.action)
                .bind(&entry.detail)
                .execute(connection)
                .await?;
            Ok(())
        })
    }

    /// The last `limit` entries, the newest first.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn audit_trail(&self, limit: u32) -> Result<Vec<AuditRow>> {
        self.read("reading the audit trail", async |connection| {
            let rows = query("SELECT at, actor, action, detail FROM audit ORDER BY id DESC LIMIT $1")
                .bind(i64::from(limit))
                .fetch_all(connection)
                .await?;
            let entries = rows.iter().map(|row| {
                let mut cells = Cells::new(row);
                Ok(AuditRow {
                    at: cells.time()?,
                    actor: cells.text()?,
                    action: cells.text()?,
                    detail: cells.text()?,
                })
            });
            Ok(entries.collect::<sqlx::Result<_>>()?)
        })
    }
}
