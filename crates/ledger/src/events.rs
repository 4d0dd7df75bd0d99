//! Events: what customers did, each message once.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, query, query_scalar};
use thalweg_domain::{CustomerKey, Result, Timestamp};

use crate::cells::Cells;
use crate::fault::Fault;
use crate::feedback_files;
use crate::{FeedbackFile, Ledger};

/// Whether an event counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventState {
    /// It counts.
    Ok,
    /// It is kept but does not count; the reason says why.
    Quarantined,
}

impl EventState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Quarantined => "quarantined",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Ok, Self::Quarantined]
            .into_iter()
            .find(|state| state.as_str() == name)
    }
}

/// One event.
#[derive(Clone, PartialEq, Eq)]
pub struct EventRow {
    /// The sender's identifier: a second event with the same one is a duplicate.
    pub message_id: String,
    /// `identify`, `track`, `page`, `group` or `alias`.
    pub kind: String,
    /// The event's name (of a `track`).
    pub event: Option<String>,
    /// Whose event it is.
    pub user: CustomerKey,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The decision that it answers, if it names one.
    pub decision_id: Option<String>,
    /// Its properties, as JSON.
    pub properties: String,
    /// Whether it counts.
    pub state: EventState,
    /// Why it is quarantined.
    pub reason: Option<String>,
}

/// Properties may hold personal data, so they are not shown.
impl std::fmt::Debug for EventRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventRow")
            .field("message_id", &self.message_id)
            .field("event", &self.event)
            .field("occurred_at", &self.occurred_at)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// What became of the events of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Inserted {
    /// New and counting.
    pub new: u64,
    /// Known already, or twice in the file.
    pub duplicates: u64,
    /// New, kept, not counting.
    pub quarantined: u64,
}

/// The first answer to a decision under one event name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionEvent {
    /// The decision.
    pub decision_id: String,
    /// When it was first answered so.
    pub occurred_at: Timestamp,
}

impl Ledger {
    /// Adds a file and its events in one transaction; messages that are known already are left as they were.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be written.
    pub fn insert_events(&self, file: &FeedbackFile, events: &[EventRow]) -> Result<Inserted> {
        self.write("recording events", async |connection| {
            feedback_files::record(connection, file).await?;
            let before = count_quarantined(connection, &file.file_hash).await?;
            let mut added = 0;
            for chunk in events.chunks(ROWS_PER_INSERT) {
                added += insert_chunk(connection, &file.file_hash, chunk).await?;
            }
            let quarantined = count_quarantined(connection, &file.file_hash)
                .await?
                .saturating_sub(before);
            let total = u64::try_from(events.len()).unwrap_or(u64::MAX);
            Ok(Inserted {
                new: added.saturating_sub(quarantined),
                duplicates: total.saturating_sub(added),
                quarantined,
            })
        })
    }

    /// Number of counting events.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn events_known(&self) -> Result<usize> {
        self.read("counting the events", async |connection| {
            let row = query("SELECT COUNT(*) FROM events WHERE state = 'ok'")
                .fetch_one(connection)
                .await?;
            Ok(Cells::new(&row).whole()?)
        })
    }

    /// When each customer first had an event of that name in `[from, until)`.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn outcomes(
        &self,
        event: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<BTreeMap<CustomerKey, Timestamp>> {
        self.read("reading the outcomes", async |connection| {
            let rows = query(
                "SELECT user_key, MIN(occurred_at) FROM events
                 WHERE event = $1 AND state = 'ok' AND occurred_at >= $2 AND occurred_at < $3
                 GROUP BY user_key ORDER BY user_key",
            )
            .bind(event)
            .bind(from.0)
            .bind(until.0)
            .fetch_all(connection)
            .await?;
            let outcomes = rows.iter().map(|row| {
                let mut cells = Cells::new(row);
                Ok((cells.customer()?, cells.time()?))
            });
            Ok(outcomes.collect::<sqlx::Result<_>>()?)
        })
    }

    /// All counting events of that name in `[from, until)`, in the order of time.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn events_named(&self, event: &str, from: Timestamp, until: Timestamp) -> Result<Vec<EventRow>> {
        self.read("reading events", async |connection| {
            let rows = query(
                "SELECT message_id, kind, event, user_key, occurred_at, decision_id, properties, state, reason
                 FROM events WHERE event = $1 AND state = 'ok' AND occurred_at >= $2 AND occurred_at < $3
                 ORDER BY occurred_at, message_id",
            )
            .bind(event)
            .bind(from.0)
            .bind(until.0)
            .fetch_all(connection)
            .await?;
            Ok(rows.iter().map(event_row).collect::<sqlx::Result<_>>()?)
        })
    }

    /// The decisions that were answered by an event of that name (such as `Offer Accepted`), each once.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn events_for_decisions(&self, event: &str) -> Result<Vec<DecisionEvent>> {
        self.read("reading the answers to decisions", async |connection| {
            let rows = query(
                "SELECT decision_id, MIN(occurred_at) FROM events
                 WHERE event = $1 AND state = 'ok' AND decision_id IS NOT NULL
                 GROUP BY decision_id ORDER BY decision_id",
            )
            .bind(event)
            .fetch_all(connection)
            .await?;
            let answers = rows.iter().map(|row| {
                let mut cells = Cells::new(row);
                Ok(DecisionEvent {
                    decision_id: cells.text()?,
                    occurred_at: cells.time()?,
                })
            });
            Ok(answers.collect::<sqlx::Result<_>>()?)
        })
    }

    /// Customers who have unsubscribed or complained: they are not contacted again.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn unsubscribed_keys(&self) -> Result<BTreeSet<CustomerKey>> {
        self.read("reading who has unsubscribed", async |connection| {
            let rows = query(
                "SELECT DISTINCT user_key FROM events WHERE event IN ('Unsubscribed', 'Complained') AND state = 'ok'",
            )
            .fetch_all(connection)
            .await?;
            Ok(rows.iter().map(|row| Cells::new(row).customer()).collect::<sqlx::Result<_>>()?)
        })
    }

    /// The quarantined events, in the order of time.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn quarantined_events(&self) -> Result<Vec<EventRow>> {
        self.read("reading the quarantine", async |connection| {
            let rows = query(
                "SELECT message_id, kind, event, user_key, occurred_at, decision_id, properties, state, reason
                 FROM events WHERE state = 'quarantined' ORDER BY occurred_at, message_id",
            )
            .fetch_all(connection)
            .await?;
            Ok(rows.iter().map(event_row).collect::<sqlx::Result<_>>()?)
        })
    }
}

/// Rows per statement: few round trips, well below the limit on bound values.
const ROWS_PER_INSERT: usize = 200;

async fn insert_chunk(
    connection: &mut SqliteConnection,
    file_hash: &str,
    events: &[EventRow],
) -> Result<u64, Fault> {
    let mut insert = QueryBuilder::<Sqlite>::new(
        "INSERT INTO events
         (message_id, kind, event, user_key, occurred_at, decision_id, properties, state, reason, file_hash) ",
    );
    insert.push_values(events, |mut row, event| {
        row.push_bind(&event.message_id)
            .push_bind(&event.kind)
            .push_bind(&event.event)
            .push_bind(event.user.reveal())
            .push_bind(event.occurred_at.0)
            .push_bind(&event.decision_id)
            .push_bind(&event.properties)
            .push_bind(event.state.as_str())
            .push_bind(&event.reason)
            .push_bind(file_hash);
    });
    insert.push(" ON CONFLICT (message_id) DO NOTHING");
    Ok(insert.build().execute(connection).await?.rows_affected())
}

async fn count_quarantined(connection: &mut SqliteConnection, file_hash: &str) -> sqlx::Result<u64> {
    let count: i64 =
        query_scalar("SELECT COUNT(*) FROM events WHERE file_hash = $1 AND state = 'quarantined'")
            .bind(file_hash)
            .fetch_one(connection)
            .await?;
    Ok(count.unsigned_abs())
}

fn event_row(row: &SqliteRow) -> sqlx::Result<EventRow> {
    let mut cells = Cells::new(row);
    Ok(EventRow {
        message_id: cells.text()?,
        kind: cells.text()?,
        event: cells.text_or_none()?,
        user: cells.customer()?,
        occurred_at: cells.time()?,
        decision_id: cells.text_or_none()?,
        properties: cells.text()?,
        state: cells.named(EventState::from_name)?,
        reason: cells.text_or_none()?,
    })
}
