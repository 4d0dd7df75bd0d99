//! Skips: customers whom the contact policy kept from a delivery, with the reason.

use std::collections::BTreeSet;

use sqlx::{QueryBuilder, Sqlite, SqliteConnection, query};
use thalweg_domain::Result;

use crate::cells::Cells;
use crate::{DeliveryPlan, Ledger};

/// A delivery that does not take place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSkip {
    /// The decision.
    pub decision_id: String,
    /// The channel.
    pub channel: String,
    /// Stable name of the reason, such as `no_consent`.
    pub reason: String,
}

/// How many were skipped on a channel for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkipCount {
    /// The channel.
    pub channel: String,
    /// The reason.
    pub reason: String,
    /// How many.
    pub count: u64,
}

impl Ledger {
    /// The skips of a cycle by channel and reason, in that order.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn skip_counts(&self, cycle: u32) -> Result<Vec<SkipCount>> {
        self.read("reading the skips", async |connection| {
            let rows = query(
                "SELECT channel, reason, COUNT(*) FROM skips WHERE cycle = $1
                 GROUP BY channel, reason ORDER BY channel, reason",
            )
            .bind(i64::from(cycle))
            .fetch_all(connection)
            .await?;
            let counts = rows.iter().map(|row| {
                let mut cells = Cells::new(row);
                Ok(SkipCount {
                    channel: cells.text()?,
                    reason: cells.text()?,
                    count: cells.whole()?,
                })
            });
            Ok(counts.collect::<sqlx::Result<_>>()?)
        })
    }
}

impl Ledger {
    /// The decisions of a cycle that were skipped.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn skipped(&self, cycle: u32) -> Result<BTreeSet<String>> {
        self.read("reading the skips", async |connection| {
            let rows = query("SELECT decision_id FROM skips WHERE cycle = $1 ORDER BY decision_id")
                .bind(i64::from(cycle))
                .fetch_all(connection)
                .await?;
            let ids = rows.iter().map(|row| Cells::new(row).text());
            Ok(ids.collect::<sqlx::Result<_>>()?)
        })
    }
}

/// Adds the skips that are not there yet.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    plan: &DeliveryPlan<'_>,
    cycle: u32,
) -> sqlx::Result<u64> {
    let mut added = 0;
    for chunk in plan.skips.chunks(ROWS_PER_INSERT) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO skips (decision_id, channel, cycle, reason, skipped_at) ",
        );
        insert.push_values(chunk, |mut row, skip| {
            row.push_bind(&skip.decision_id)
                .push_bind(&skip.channel)
                .push_bind(i64::from(cycle))
                .push_bind(&skip.reason)
                .push_bind(plan.at.0);
        });
        insert.push(" ON CONFLICT (decision_id, channel) DO NOTHING");
        added += insert.build().execute(&mut *connection).await?.rows_affected();
    }
    Ok(added)
}

const ROWS_PER_INSERT: usize = 400;
