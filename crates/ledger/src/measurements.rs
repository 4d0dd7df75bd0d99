//! Measurements: what each cycle changed, as JSON per kind (lift, effects, totals).

use sqlx::query;
use sqlx::sqlite::SqliteRow;
use thalweg_domain::{Result, Timestamp};

use crate::Ledger;
use crate::cells::Cells;

/// One kind of result of one cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measurement {
    /// The cycle that was measured.
    pub cycle: u32,
    /// What was measured, such as `lift`.
    pub kind: String,
    /// The result, as JSON.
    pub payload: String,
    /// When.
    pub measured_at: Timestamp,
}

impl Ledger {
    /// Keeps a measurement; one of the same cycle and kind is replaced (more outcomes have become known).
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be written, or the cycle does not exist.
    pub fn record_measurement(&self, measurement: &Measurement) -> Result<()> {
        self.write("keeping a measurement", async |connection| {
            query(
                "INSERT INTO measurements (cycle, kind, payload, measured_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (cycle, kind) DO UPDATE SET payload = excluded.payload, measured_at = excluded.measured_at",
            )
            .bind(i64::from(measurement.cycle))
            .bind(&measurement.kind)
            .bind(&measurement.payload)
            .bind(measurement.measured_at.0)
            .execute(connection)
            .await?;
            Ok(())
        })
    }

    /// The measurement of a kind in a cycle.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn measurement(&self, cycle: u32, kind: &str) -> Result<Option<Measurement>> {
        self.read("reading a measurement", async |connection| {
            let row = query(
                "SELECT cycle, kind, payload, measured_at FROM measurements WHERE cycle = $1 AND kind = $2",
            )
            .bind(i64::from(cycle))
            .bind(kind)
            .fetch_optional(connection)
            .await?;
            Ok(row.as_ref().map(measurement_row).transpose()?)
        })
    }

    /// All measurements of a kind, by cycle.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn measurements(&self, kind: &str) -> Result<Vec<Measurement>> {
        self.read("reading the measurements", async |connection| {
            let rows = query(
                "SELECT cycle, kind, payload, measured_at FROM measurements WHERE kind = $1 ORDER BY cycle",
            )
            .bind(kind)
            .fetch_all(connection)
            .await?;
            Ok(rows.iter().map(measurement_row).collect::<sqlx::Result<_>>()?)
        })
    }
}

fn measurement_row(row: &SqliteRow) -> sqlx::Result<Measurement> {
    let mut cells = Cells::new(row);
    Ok(Measurement {
        cycle: cells.cycle()?,
        kind: cells.text()?,
        payload: cells.text()?,
        measured_at: cells.time()?,
    })
}
