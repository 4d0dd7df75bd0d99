//! What to collect: sources, roles, expressions. The engine fills it from the configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;

use thalweg_domain::{Duration, Timestamp};

/// Texts that mean "missing", per column, besides blank, `NA`, `null` and `NaN`.
pub type MissingTokens = BTreeMap<String, Vec<String>>;

/// Everything that [`crate::collect`] needs to know.
#[derive(Debug, Clone)]
pub struct CollectSpec {
    /// The folder that relative sources start from.
    pub base: PathBuf,
    /// The customers: a file or a glob of CSV, Parquet or JSON lines. Only a panel can do without: then everybody
    /// who has an event is a customer.
    pub source: Option<String>,
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
    /// Learn from events, at several moments in the past; absent for a labelled snapshot.
    pub panel: Option<PanelSpec>,
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
            source: Some(source.into()),
            key: None,
            cluster: None,
            exclude: Vec::new(),
            missing: BTreeMap::new(),
            features_sql: None,
            cutoff: Timestamp(0),
            events: Vec::new(),
            target: None,
            panel: None,
            expressions: Vec::new(),
            conditions: Vec::new(),
            flags: Vec::new(),
        }
    }
}

impl CollectSpec {
    /// What the customers come from, for messages.
    pub(crate) fn source_name(&self) -> &str {
        let events = || self.events.first().map(|event| event.source.as_str());
        self.source.as_deref().or_else(events).unwrap_or_default()
    }
}

/// An outcome that is an event: customers are looked at as of several moments (cut-offs), and what they did
/// afterwards is the outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PanelSpec {
    /// The event's name; without it every event counts.
    pub event: Option<String>,
    /// Whether the outcome is that *no* such event comes (inactivity).
    pub absent: bool,
    /// The outcome counts from the cut-off until just before cut-off + horizon.
    pub horizon: Duration,
    /// The moments in the past.
    pub cutoffs: Cutoffs,
    /// When customers are decided on: only events before it are read. Without it, the moment up to which events are
    /// there (after the newest event; after its day when events carry dates alone).
    pub decide_at: Option<Timestamp>,
    /// A date column of the customers that says since when each is one; without it, the first event does.
    pub since: Option<String>,
}

/// The moments at which a panel looks at its customers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cutoffs {
    /// So far apart, from the newest for which outcomes are complete backwards, as long as the first event lies a
    /// horizon earlier; at most [`Cutoffs::MOST`].
    Every(Duration),
    /// These.
    At(Vec<Timestamp>),
}

impl Cutoffs {
    /// Cut-offs that [`Cutoffs::Every`] makes at most.
    pub const MOST: usize = 6;
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
