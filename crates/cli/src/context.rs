//! What every command needs from the global options: folder, clock, seed, threads, progress.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use thalweg_domain::{Error, Result, Timestamp};
use thalweg_engine::clock::parse_time;
use thalweg_engine::{Options, Session};

use crate::args::Global;
use crate::output::Output;
use crate::progress::Bars;

/// The settings of this invocation.
pub(crate) struct Context {
    pub(crate) output: Output,
    dir: Option<PathBuf>,
    seed: Option<u64>,
    as_of: Timestamp,
    as_of_given: bool,
    pub(crate) timings: bool,
}

impl Context {
    pub(crate) fn new(global: &Global) -> Result<Self> {
        if let Some(threads) = global.threads {
            use_threads(threads)?;
        }
        let as_of = global.as_of.as_deref().map(parse_time).transpose()?;
        Ok(Self {
            output: Output { json: global.json },
            dir: global.dir.clone(),
            seed: global.seed,
            as_of: as_of.unwrap_or_else(now),
            as_of_given: as_of.is_some(),
            timings: global.timings,
        })
    }

    /// The workspace folder: the positional one, else `-C`, else the current folder.
    pub(crate) fn dir(&self, place: Option<&Path>) -> PathBuf {
        place
            .map(Path::to_owned)
            .or_else(|| self.dir.clone())
            .unwrap_or_else(|| PathBuf::from("."))
    }

    /// Whether the workspace folder was named by `-C`.
    pub(crate) const fn dir_given(&self) -> bool {
        self.dir.is_some()
    }

    /// The engine's settings.
    pub(crate) fn options(&self) -> Options {
        Options {
            as_of: self.as_of,
            as_of_given: self.as_of_given,
            seed: self.seed,
            again: false,
            progress: Arc::new(Bars::new(self.output.json)),
        }
    }

    /// Opens the workspace.
    pub(crate) fn session(&self, place: Option<&Path>) -> Result<Session> {
        Session::open(&self.dir(place), self.options())
    }
}

fn use_threads(threads: usize) -> Result<()> {
    if threads == 0 {
        return Err(Error::new("TW0109", "--threads 0 is not a number of threads").hint("give 1 or more"));
    }
    thalweg_engine::use_threads(threads)
}

/// The one place where the wall clock is read.
#[expect(
    clippy::disallowed_methods,
    reason = "the command line hands the engine its clock"
)]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
