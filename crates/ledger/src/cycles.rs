//! Cycles: turns of the loop, exactly one of them open.

use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, query};
use thalweg_domain::{Error, Result, Timestamp};

use crate::Ledger;
use crate::cells::Cells;
use crate::fault::Fault;

/// Whether a cycle still takes plans and deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CycleState {
    /// Being planned, delivered or waited for.
    Open,
    /// Measured and done with.
    Closed,
}

impl CycleState {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "open" => Some(Self::Open),
            "closed" => Some(Self::Closed),
            _ => None,
        }
    }
}

/// One turn of the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CycleRow {
    /// Its number, from 1.
    pub cycle: u32,
    /// Open or closed.
    pub state: CycleState,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
}

impl Ledger {
    /// The open cycle; `None` before the first.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn open_cycle(&self) -> Result<Option<CycleRow>> {
        self.read("reading the cycle", async |connection| {
            Ok(find_open(connection).await?)
        })
    }

    /// The open cycle; opens cycle 1 at `now` when there is none yet.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read or written.
    pub fn current_cycle(&self, now: Timestamp) -> Result<CycleRow> {
        if let Some(cycle) = self.open_cycle()? {
            return Ok(cycle);
        }
        self.write("opening a cycle", async |connection| {
            match find_open(connection).await? {
                Some(cycle) => Ok(cycle),
                None => Ok(open(connection, 1, now).await?),
            }
        })
    }

    /// All cycles, the oldest first.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn cycles(&self) -> Result<Vec<CycleRow>> {
        self.read("reading the cycles", async |connection| {
            let rows = query("SELECT cycle, state, opened_at, closed_at FROM cycles ORDER BY cycle")
                .fetch_all(connection)
                .await?;
            Ok(rows.iter().map(cycle_row).collect::<sqlx::Result<_>>()?)
        })
    }

    /// Closes `cycle` and opens the next; returns the cycle that is then open. Closing it again changes nothing.
    ///
    /// # Errors
    /// `TW0808` for a cycle that does not exist; `TW08xx` when the ledger cannot be written.
    pub fn close_cycle(&self, cycle: u32, at: Timestamp) -> Result<CycleRow> {
        self.write("closing the cycle", async |connection| {
            require(connection, cycle).await?;
            let open_one = find_open(connection).await?;
            match open_one {
                Some(other) if other.cycle != cycle => Ok(other),
                _ => Ok(turn_over(connection, cycle, at).await?),
            }
        })
    }
}

async fn turn_over(connection: &mut SqliteConnection, cycle: u32, at: Timestamp) -> sqlx::Result<CycleRow> {
    query("UPDATE cycles SET state = 'closed', closed_at = $1 WHERE cycle = $2")
        .bind(at.0)
        .bind(i64::from(cycle))
        .execute(&mut *connection)
        .await?;
    open(connection, cycle.saturating_add(1), at).await
}

async fn open(connection: &mut SqliteConnection, cycle: u32, at: Timestamp) -> sqlx::Result<CycleRow> {
    query("INSERT INTO cycles (cycle, state, opened_at) VALUES ($1, 'open', $2)")
        .bind(i64::from(cycle))
        .bind(at.0)
        .execute(connection)
        .await?;
    Ok(CycleRow {
        cycle,
        state: CycleState::Open,
        opened_at: at,
        closed_at: None,
    })
}

async fn find_open(connection: &mut SqliteConnection) -> sqlx::Result<Option<CycleRow>> {
    let row = query("SELECT cycle, state, opened_at, closed_at FROM cycles WHERE state = 'open'")
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(cycle_row).transpose()
}

/// The cycle of that number, or an error that says which there are.
pub(crate) async fn require(connection: &mut SqliteConnection, cycle: u32) -> Result<CycleRow, Fault> {
    let row = query("SELECT cycle, state, opened_at, closed_at FROM cycles WHERE cycle = $1")
        .bind(i64::from(cycle))
        .fetch_optional(connection)
        .await?;
    match row {
        Some(row) => Ok(cycle_row(&row)?),
        None => Err(Error::new("TW0808", format!("the ledger has no cycle {cycle}"))
            .hint("see which cycles there are: thalweg status")
            .into()),
    }
}

fn cycle_row(row: &SqliteRow) -> sqlx::Result<CycleRow> {
    let mut cells = Cells::new(row);
    Ok(CycleRow {
        cycle: cells.cycle()?,
        state: cells.named(CycleState::from_name)?,
        opened_at: cells.time()?,
        closed_at: cells.time_or_none()?,
    })
}
