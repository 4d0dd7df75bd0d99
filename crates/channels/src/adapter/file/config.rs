//! What the `file` adapter needs to know.

use std::path::PathBuf;

/// Where the files go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileConfig {
    /// The outbox's folder: files are `CYCLE/CHANNEL.csv` and `CYCLE/outbox.jsonl` below it.
    pub outbox: PathBuf,
}
