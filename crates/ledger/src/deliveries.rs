//! Deliveries: one row per decision and channel, from pending to sent, so that nothing is sent twice.

use std::collections::BTreeMap;

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, query};
use thalweg_domain::{CustomerKey, Result, Timestamp};

use crate::cells::Cells;
use crate::fault::Fault;
use crate::{Ledger, NewSkip, plans, skips};

/// How far a delivery has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// To be sent.
    Pending,
    /// Handed to the channel.
    Sent,
    /// The channel refused it.
    Failed,
}

impl DeliveryState {
    const ALL: [Self; 3] = [Self::Pending, Self::Sent, Self::Failed];

    /// `pending`, `sent` or `failed`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// A delivery that is to take place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// The decision.
    pub decision_id: String,
    /// The channel.
    pub channel: String,
    /// The customer.
    pub customer: CustomerKey,
    /// The offer, if any.
    pub offer: Option<String>,
}

/// What delivering a plan will do: who is reached and who is not.
#[derive(Debug, Clone, Copy)]
pub struct DeliveryPlan<'a> {
    /// The plan; from now on it cannot be superseded.
    pub plan_id: &'a str,
    /// Now.
    pub at: Timestamp,
    /// Who is reached.
    pub deliveries: &'a [NewDelivery],
    /// Who is not, and why.
    pub skips: &'a [NewSkip],
}

/// What [`Ledger::plan_deliveries`] added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlannedDeliveries {
    /// Deliveries that were not there before.
    pub new: u64,
    /// Skips that were not there before, or not for that reason.
    pub skipped: u64,
}

/// A delivery as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// The decision.
    pub decision_id: String,
    /// The channel.
    pub channel: String,
    /// How far it has come.
    pub state: DeliveryState,
    /// The cycle.
    pub cycle: u32,
    /// The customer.
    pub customer: CustomerKey,
    /// The offer, if any.
    pub offer: Option<String>,
    /// When it was planned.
    pub planned_at: Timestamp,
    /// When it was handed to the channel.
    pub sent_at: Option<Timestamp>,
    /// What the channel said, when it failed.
    pub detail: Option<String>,
}

impl Ledger {
    /// Commits a plan to delivery: marks it delivered and adds its deliveries (pending) and skips, in one
    /// transaction. What is there already stays as it is, so that it can be called again after a crash; only who was
    /// held back ([`crate::HELD_BACK`]) may be delivered to, or skipped for another reason, later.
    ///
    /// # Errors
    /// `TW0808` for an unknown plan, `TW0811` for one that was superseded or whose cycle is closed; `TW08xx` when
    /// the ledger cannot be written.
    pub fn plan_deliveries(&self, plan: &DeliveryPlan<'_>) -> Result<PlannedDeliveries> {
        self.write("planning deliveries", async |connection| {
            let cycle = plans::mark_delivered(connection, plan.plan_id, plan.at).await?;
            let mut new = 0;
            for chunk in plan.deliveries.chunks(ROWS_PER_INSERT) {
                new += insert_chunk(connection, chunk, cycle, plan.at).await?;
            }
            skips::release(connection, cycle).await?;
            let skipped = skips::insert(connection, plan, cycle).await?;
            Ok(PlannedDeliveries { new, skipped })
        })
    }

    /// The deliveries of a cycle that are still to be sent on a channel, by decision.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn pending(&self, cycle: u32, channel: &str) -> Result<Vec<DeliveryRow>> {
        let mut rows = self.deliveries(cycle)?;
        rows.retain(|row| row.channel == channel && row.state == DeliveryState::Pending);
        Ok(rows)
    }

    /// All deliveries of a cycle, by channel and decision.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn deliveries(&self, cycle: u32) -> Result<Vec<DeliveryRow>> {
        self.read("reading deliveries", async |connection| {
            let rows = query(
                "SELECT decision_id, channel, state, cycle, customer_key, offer, planned_at, sent_at, detail
                 FROM deliveries WHERE cycle = $1 ORDER BY channel, decision_id",
            )
            .bind(i64::from(cycle))
            .fetch_all(connection)
            .await?;
            Ok(rows.iter().map(delivery_row).collect::<sqlx::Result<_>>()?)
        })
    }

    /// Marks deliveries as handed to the channel; returns how many were not sent before.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be written.
    pub fn mark_sent(&self, channel: &str, decision_ids: &[&str], at: Timestamp) -> Result<u64> {
        self.write("recording what was sent", async |connection| {
            let mut changed = 0;
            for chunk in decision_ids.chunks(IDS_PER_UPDATE) {
                let mut update = QueryBuilder::<Sqlite>::new(
                    "UPDATE deliveries SET state = 'sent', detail = NULL, sent_at = ",
                );
                update.push_bind(at.0);
                changed += finish_update(connection, update, channel, chunk).await?;
            }
            Ok(changed)
        })
    }

    /// Marks deliveries as refused by the channel; those that were sent stay sent.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be written.
    pub fn mark_failed(&self, channel: &str, decision_ids: &[&str], detail: &str) -> Result<u64> {
        self.write("recording what failed", async |connection| {
            let mut changed = 0;
            for chunk in decision_ids.chunks(IDS_PER_UPDATE) {
                let mut update =
                    QueryBuilder::<Sqlite>::new("UPDATE deliveries SET state = 'failed', detail = ");
                update.push_bind(detail);
                changed += finish_update(connection, update, channel, chunk).await?;
            }
            Ok(changed)
        })
    }

    /// How often each customer was contacted at or after `since`, over all channels.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn contacts_since(&self, since: Timestamp) -> Result<BTreeMap<CustomerKey, u32>> {
        self.read("counting contacts", async |connection| {
            let rows = query(
                "SELECT customer_key, COUNT(*) FROM deliveries WHERE state = 'sent' AND sent_at >= $1
                 GROUP BY customer_key ORDER BY customer_key",
            )
            .bind(since.0)
            .fetch_all(connection)
            .await?;
            let counts = rows.iter().map(|row| {
                let mut cells = Cells::new(row);
                Ok((cells.customer()?, cells.whole()?))
            });
            Ok(counts.collect::<sqlx::Result<_>>()?)
        })
    }

    /// How many deliveries of a cycle were sent, by channel.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn sent_counts(&self, cycle: u32) -> Result<BTreeMap<String, u64>> {
        self.read("counting what was sent", async |connection| {
            let rows = query(
                "SELECT channel, COUNT(*) FROM deliveries WHERE cycle = $1 AND state = 'sent'
                 GROUP BY channel ORDER BY channel",
            )
            .bind(i64::from(cycle))
            .fetch_all(connection)
            .await?;
            let counts = rows.iter().map(|row| {
                let mut cells = Cells::new(row);
                Ok((cells.text()?, cells.whole()?))
            });
            Ok(counts.collect::<sqlx::Result<_>>()?)
        })
    }
}

/// Rows per statement: few round trips, well below the limit on bound values.
const ROWS_PER_INSERT: usize = 400;
const IDS_PER_UPDATE: usize = 500;

async fn insert_chunk(
    connection: &mut SqliteConnection,
    deliveries: &[NewDelivery],
    cycle: u32,
    at: Timestamp,
) -> Result<u64, Fault> {
    let mut insert = QueryBuilder::<Sqlite>::new(
        "INSERT INTO deliveries (decision_id, channel, state, cycle, customer_key, offer, planned_at) ",
    );
    insert.push_values(deliveries, |mut row, delivery| {
        row.push_bind(&delivery.decision_id)
            .push_bind(&delivery.channel)
            .push_bind(DeliveryState::Pending.as_str())
            .push_bind(i64::from(cycle))
            .push_bind(delivery.customer.reveal())
            .push_bind(&delivery.offer)
            .push_bind(at.0);
    });
    insert.push(" ON CONFLICT (decision_id, channel) DO NOTHING");
    Ok(insert.build().execute(connection).await?.rows_affected())
}

/// Ends an update of the deliveries of `channel` and these decisions that were not sent yet, and runs it.
async fn finish_update(
    connection: &mut SqliteConnection,
    mut update: QueryBuilder<Sqlite>,
    channel: &str,
    decision_ids: &[&str],
) -> Result<u64, Fault> {
    update
        .push(" WHERE state <> 'sent' AND channel = ")
        .push_bind(channel)
        .push(" AND decision_id IN (");
    let mut ids = update.separated(", ");
    for id in decision_ids {
        ids.push_bind(*id);
    }
    update.push(")");
    Ok(update.build().execute(connection).await?.rows_affected())
}

fn delivery_row(row: &SqliteRow) -> sqlx::Result<DeliveryRow> {
    let mut cells = Cells::new(row);
    Ok(DeliveryRow {
        decision_id: cells.text()?,
        channel: cells.text()?,
        state: cells.named(DeliveryState::from_name)?,
        cycle: cells.cycle()?,
        customer: cells.customer()?,
        offer: cells.text_or_none()?,
        planned_at: cells.time()?,
        sent_at: cells.time_or_none()?,
        detail: cells.text_or_none()?,
    })
}
