//! Settings that hold for the life of a workspace, such as the hold-out's salt.

use sqlx::{SqliteConnection, query, query_scalar};
use thalweg_domain::Result;

use crate::Ledger;

impl Ledger {
    /// The setting's value, if it was ever set.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn setting(&self, key: &str) -> Result<Option<String>> {
        self.read("reading a setting", async |connection| {
            Ok(value(connection, key).await?)
        })
    }

    /// Sets `key` when it was never set, and returns the value that holds: the first one, for ever.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be written.
    pub fn set_setting_once(&self, key: &str, value: &str) -> Result<String> {
        self.write("keeping a setting", async |connection| {
            query("INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING")
                .bind(key)
                .bind(value)
                .execute(&mut *connection)
                .await?;
            Ok(self::value(connection, key)
                .await?
                .unwrap_or_else(|| value.to_owned()))
        })
    }
}

async fn value(connection: &mut SqliteConnection, key: &str) -> sqlx::Result<Option<String>> {
    query_scalar("SELECT value FROM settings WHERE key = $1")
        .bind(key)
        .fetch_optional(connection)
        .await
}
