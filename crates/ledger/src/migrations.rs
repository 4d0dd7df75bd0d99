//! The tables' history: SQL files compiled into the program, applied in order when a ledger is opened.

use sqlx::migrate::{Migrate, Migration, MigrationType, Migrator};
use sqlx::{Connection, SqlSafeStr, SqliteConnection};

use crate::fault::Fault;

/// Every migration ever released; files are added, never changed.
const FILES: [(i64, &str, &str); 7] = [
    (1, "loop", include_str!("../migrations/0001_loop.sql")),
    (2, "decisions", include_str!("../migrations/0002_decisions.sql")),
    (3, "deliveries", include_str!("../migrations/0003_deliveries.sql")),
    (4, "events", include_str!("../migrations/0004_events.sql")),
    (5, "results", include_str!("../migrations/0005_results.sql")),
    (6, "audit", include_str!("../migrations/0006_audit.sql")),
    (
        7,
        "days and survival",
        include_str!("../migrations/0007_days_and_survival.sql"),
    ),
];

/// Brings the tables to this program's version; does nothing when they are there already.
///
/// Only when something is missing it takes the write lock, for all of it: processes that start together then wait for
/// each other, and one that only reads is not kept waiting by another's work.
pub(crate) async fn run(connection: &mut SqliteConnection) -> Result<(), Fault> {
    let migrator = migrator();
    connection.ensure_migrations_table(&migrator.table_name).await?;
    if connection
        .list_applied_migrations(&migrator.table_name)
        .await?
        .len()
        >= FILES.len()
    {
        return Ok(migrator.run_direct(None, connection, false).await?);
    }
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    migrator.run_direct(None, &mut *transaction, false).await?;
    Ok(transaction.commit().await?)
}

fn migrator() -> Migrator {
    Migrator::with_migrations(FILES.into_iter().map(migration).collect())
}

fn migration((version, description, sql): (i64, &'static str, &'static str)) -> Migration {
    Migration::new(
        version,
        description.into(),
        MigrationType::Simple,
        sql.into_sql_str(),
        false,
    )
}
