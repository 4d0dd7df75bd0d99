//! Skips: customers whom the contact policy or the budget kept from a delivery, with the reason.

use std::collections::BTreeMap;

use sqlx::{QueryBuilder, Sqlite, SqliteConnection, query};
use thalweg_domain::Result;

use crate::cells::Cells;
use crate::{DeliveryPlan, Ledger};

/// The one reason that may pass: the budget has no room for the contact. It goes out when there is room, and any other
/// reason takes its place.
pub const HELD_BACK: &str = "budget";

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

    /// The decisions of a cycle that were skipped, with the reason.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn skipped(&self, cycle: u32) -> Result<BTreeMap<String, String>> {
        self.read("reading the skips", async |connection| {
            let rows = query("SELECT decision_id, reason FROM skips WHERE cycle = $1 ORDER BY decision_id")
                .bind(i64::from(cycle))
                .fetch_all(connection)
                .await?;
            let reasons = rows.iter().map(|row| {
                let mut cells = Cells::new(row);
                Ok((cells.text()?, cells.text()?))
            });
            Ok(reasons.collect::<sqlx::Result<_>>()?)
        })
    }

    /// Why a decision was skipped, if it was.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn skip_reason(&self, decision_id: &str) -> Result<Option<String>> {
        self.read("reading the skips", async |connection| {
            let row = query("SELECT reason FROM skips WHERE decision_id = $1")
                .bind(decision_id)
                .fetch_optional(connection)
                .await?;
            Ok(row.map(|row| Cells::new(&row).text()).transpose()?)
        })
    }
}

/// Adds the skips that are not there yet; who was held back may be skipped for another reason now.
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
        insert
            .push(
                " ON CONFLICT (decision_id, channel) DO UPDATE SET reason = excluded.reason,
                skipped_at = excluded.skipped_at WHERE skips.reason <> excluded.reason AND skips.reason = ",
            )
            .push_bind(HELD_BACK);
        added += insert.build().execute(&mut *connection).await?.rows_affected();
    }
    Ok(added)
}

/// Forgets that contacts were held back which go out now.
pub(crate) async fn release(connection: &mut SqliteConnection, cycle: u32) -> sqlx::Result<()> {
    query(
        "DELETE FROM skips WHERE cycle = $1 AND reason = $2
         AND decision_id IN (SELECT decision_id FROM deliveries WHERE cycle = $1)",
    )
    .bind(i64::from(cycle))
    .bind(HELD_BACK)
    .execute(connection)
    .await?;
    Ok(())
}

const ROWS_PER_INSERT: usize = 400;
