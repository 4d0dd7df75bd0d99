//! The open ledger: one connection, one small runtime, and the two ways to use them (read, write).

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use thalweg_domain::{Error, Result};
use tokio::runtime::Runtime;

use crate::fault::Fault;
use crate::migrations;

/// How long a call waits for another process before it says that the ledger is in use.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The ledger of a workspace.
pub struct Ledger {
    runtime: Runtime,
    connection: Mutex<SqliteConnection>,
    path: PathBuf,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Ledger {
    /// Opens the ledger at `path`, makes it when there is none, and brings its tables up to date.
    ///
    /// # Errors
    /// `TW0801` when the file cannot be opened, `TW0802` when it is damaged or no ledger, `TW0803` when a newer
    /// program has written it, `TW0804` when another process holds it for more than five seconds.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_waiting(path.as_ref(), BUSY_TIMEOUT)
    }

    /// As [`Ledger::open`], waiting up to `busy_timeout` for another process, then and in every later call.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub fn open_waiting(path: &Path, busy_timeout: Duration) -> Result<Self> {
        let runtime = runtime()?;
        let connection = connect_patiently(&runtime, path, busy_timeout)?;
        Ok(Self {
            runtime,
            connection: Mutex::new(connection),
            path: path.to_owned(),
        })
    }

    /// The ledger's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Closes the ledger and folds the write-ahead log into the file. Dropping it is safe too; the log then stays.
    ///
    /// # Errors
    /// `TW0805` when the disk fails.
    pub fn close(self) -> Result<()> {
        let connection = self
            .connection
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        self.runtime
            .block_on(connection.close())
            .map_err(|error| Fault::from(error).tell(&self.path, "closing the ledger"))
    }

    /// Folds the write-ahead log into the file, so that the file alone is the whole ledger. Readers elsewhere may keep it
    /// from happening; then the log simply stays.
    ///
    /// # Errors
    /// `TW08xx` when the disk fails.
    pub fn fold(&self) -> Result<()> {
        self.read("folding the log into the ledger", async |connection| {
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
                .fetch_all(connection)
                .await?;
            Ok(())
        })
    }

    /// Runs `work` without a transaction: for a single query, or several that need not agree.
    pub(crate) fn read<T>(
        &self,
        doing: &str,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, Fault>,
    ) -> Result<T> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        self.runtime
            .block_on(work(&mut connection))
            .map_err(|fault| fault.tell(&self.path, doing))
    }

    /// Runs `work` in one transaction: all of it or nothing. It takes the write lock at its start, so that what it
    /// reads cannot change before it writes.
    pub(crate) fn write<T>(
        &self,
        doing: &str,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, Fault>,
    ) -> Result<T> {
        self.read(doing, async |connection| {
            let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
            let done = work(&mut transaction).await?;
            transaction.commit().await?;
            Ok(done)
        })
    }
}

fn runtime() -> Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|error| Error::new("TW0806", "the ledger's runtime cannot start").cause(error))
}

/// Turning a new file's write-ahead log on fails at once, without waiting, while another process does the same: so it is
/// tried again for as long as any lock is waited for.
fn connect_patiently(runtime: &Runtime, path: &Path, busy_timeout: Duration) -> Result<SqliteConnection> {
    const PAUSE: Duration = Duration::from_millis(20);
    let begun = Instant::now();
    loop {
        let attempt = runtime
            .block_on(connect(path, busy_timeout))
            .map_err(|fault| fault.tell(path, "opening the ledger"));
        match attempt {
            Err(error) if error.code == "TW0804" && begun.elapsed() < busy_timeout => {
                std::thread::sleep(PAUSE)
            }
            other => return other,
        }
    }
}

async fn connect(path: &Path, busy_timeout: Duration) -> Result<SqliteConnection, Fault> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .page_size(PAGE_BYTES)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(busy_timeout)
        .row_buffer_size(ROWS_AHEAD)
        // INSERT OR REPLACE would delete a row without its trigger otherwise
        .pragma("recursive_triggers", "ON")
        .disable_statement_logging();
    let mut connection = options.connect().await?;
    migrations::run(&mut connection).await?;
    Ok(connection)
}

/// Decision rows take about 1.5 KiB; on small pages a third of the file would be padding.
const PAGE_BYTES: u32 = 16_384;

/// Rows that SQLite's thread may be ahead of ours: reading many decisions then needs fewer switches between them.
const ROWS_AHEAD: usize = 1_000;
