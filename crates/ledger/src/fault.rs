//! What can go wrong beneath a ledger call, and how it is told to a person.

use std::path::Path;

use sqlx::migrate::MigrateError;
use thalweg_domain::Error;

/// A failure inside a ledger call: the database's, or one that is already told in the user's words.
#[derive(Debug)]
pub(crate) enum Fault {
    Database(sqlx::Error),
    Migration(MigrateError),
    Told(Box<Error>),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<MigrateError> for Fault {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => Self::Database(error),
            other => Self::Migration(other),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Told(Box::new(error))
    }
}

impl Fault {
    /// The error for a person: `path` is the ledger's file, `doing` what the call was for.
    pub(crate) fn tell(self, path: &Path, doing: &str) -> Error {
        let error = match self {
            Self::Told(error) => *error,
            Self::Migration(error) => tell_migration(error, path),
            Self::Database(error) => tell_database(error, path, doing),
        };
        error.doing(doing)
    }
}

fn tell_migration(error: MigrateError, path: &Path) -> Error {
    let file = path.display();
    if let MigrateError::VersionMissing(version) = error {
        return Error::new("TW0803", format!("\"{file}\" has tables of version {version}, which this program does not know"))
            .hint("a newer Thalweg has written this ledger: use that version, or restore the copy from before the update")
            .cause(error);
    }
    Error::new(
        "TW0802",
        format!("the tables in \"{file}\" are not the ones that this program made"),
    )
    .hint("restore the file from a copy; the ledger's tables must not be changed by hand")
    .cause(error)
}

/// SQLite's primary result code: <https://www.sqlite.org/rescode.html>.
fn primary_code(error: &sqlx::Error) -> Option<i32> {
    extended_code(error).map(|code| code & 0xff)
}

fn extended_code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}

const CONSTRAINT_TRIGGER: i32 = 1811;

fn tell_database(error: sqlx::Error, path: &Path, doing: &str) -> Error {
    let file = path.display();
    let told = match (primary_code(&error), extended_code(&error)) {
        (_, Some(CONSTRAINT_TRIGGER)) => Error::new(
            "TW0807",
            format!("the ledger refuses to rewrite history while {doing}"),
        )
        .hint("what was decided and done stays; record a correction instead"),
        (Some(5 | 6), _) => Error::new("TW0804", format!("another process is writing to \"{file}\""))
            .hint("wait until the other command has finished, then run this one again"),
        (Some(11 | 26), _) => Error::new("TW0802", format!("\"{file}\" is damaged or is not a ledger")).hint(
            "restore it from a copy, or move it away to start a new ledger (what was decided is then lost)",
        ),
        (Some(13), _) => Error::new("TW0805", format!("no space left to write \"{file}\""))
            .hint("free some space, then run the same command again: nothing was half-written"),
        (Some(3 | 8 | 14), _) => Error::new(
            "TW0801",
            format!("\"{file}\" cannot be opened for reading and writing"),
        )
        .hint("check that the folder exists and that you may write to it and to the file"),
        (Some(10), _) => Error::new(
            "TW0805",
            format!("reading or writing \"{file}\" failed while {doing}"),
        )
        .hint("check the disk, then run the same command again: nothing was half-written"),
        _ if is_unreadable(&error) => Error::new(
            "TW0802",
            format!("a row in \"{file}\" cannot be read while {doing}"),
        )
        .hint("restore the file from a copy; the ledger's rows must not be changed by hand"),
        _ => Error::new("TW0806", format!("the ledger could not be used while {doing}"))
            .hint("run the same command again; if it fails again, report it with the cause below"),
    };
    told.cause(error)
}

const fn is_unreadable(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. })
}
