//! What to collect: sources, roles, expressions. The engine fills it from the configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;

use thalweg_domain::Timestamp;

/// Texts that mean "missing", per column, besides blank, `NA`, `null` and `NaN`.
pub type MissingTokens = BTreeMap<String, Vec<String>>;

/// Everything that [`crate::collect`] needs to know.
#[derive(Debug, Clone)]
pub struct CollectSpec {
    /// The folder that relative sources start from.
    pub base: PathBuf,
    /// The customers: a file or a glob of CSV, Parquet or JSON lines.
    pub source: String,
    /// The column that identifies a customer; without it rows are numbered from 1.
    pub key: Option<String>,
    /// The column whose value customers of one cluster share.
    pub cluster: Option<String>,
    /// Columns that are no features.
    pub exclude: Vec<String>,
    /// Per column, further texts that mean "missing".
    pub missing: MissingTokens,
    /// One SELECT that makes further features, as of the cut-off.
    pub features_sql: Option<SqlFile>,
    /// Events at or after this moment are invisible to `features_sql`.
    pub cutoff: Timestamp,
    /// Event files; read only when `features_sql` is there to look at them.
    pub events: Vec<EventSource>,
    /// What to learn; absent when there is no labelled snapshot.
    pub target: Option<TargetSpec>,
    /// Named numeric SQL expressions over the customers' columns.
    pub expressions: Vec<(String, String)>,
    /// Named true-or-false SQL expressions over the customers' columns.
    pub conditions: Vec<(String, String)>,
    /// Columns that are read as consent: true/false, 1/0, yes/no, y/n.
    pub flags: Vec<String>,
}

impl CollectSpec {
    /// The plainest collection: one source, no roles.
    #[must_use]
    pub fn of(base: impl Into<PathBuf>, source: impl Into<String>) -> Self {
        Self {
            base: base.into(),
            source: source.into(),
            key: None,
            cluster: None,
            exclude: Vec::new(),
            missing: BTreeMap::new(),
            features_sql: None,
            cutoff: Timestamp(0),
            events: Vec::new(),
            target: None,
            expressions: Vec::new(),
            conditions: Vec::new(),
            flags: Vec::new(),
        }
    }
}

/// A SQL file: its name for messages, its text to run.
#[derive(Debug, Clone)]
pub struct SqlFile {
    /// As the user named it.
    pub name: String,
    /// One SELECT; `:cutoff` stands for the cut-off.
    pub text: String,
}

/// One `[[events]]` entry.
#[derive(Debug, Clone)]
pub struct EventSource {
    /// A file or a glob.
    pub source: String,
    /// The column with the customer's key.
    pub key: String,
    /// The column with the moment.
    pub time: String,
    /// The column with the event's name, if there is one.
    pub name: Option<String>,
}

/// The outcome column of a labelled snapshot.
#[derive(Debug, Clone)]
pub struct TargetSpec {
    /// The column.
    pub column: String,
    /// The level that counts as the outcome. Without it, of two levels the true, `1` or `yes` one counts,
    /// else the one that sorts last, and a note says which.
    pub positive: Option<String>,
}
