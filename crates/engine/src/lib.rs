//! The loop as a library: open a workspace, run its stages, read what they found.
//!
//! Stage files decide *when* and record *what*; the mathematics in `learn` and `plan` knows nothing of runs, tables or time.

mod artifacts;
pub mod card;
pub mod clock;
pub mod compress;
pub mod config;
mod count;
pub mod demo;
mod effects;
mod experience;
pub mod export;
mod files;
mod foreign;
mod hash;
mod judgement;
pub mod init {
    //! Making a workspace.
    pub use crate::stages::init::{InitRequest, init};
}
mod progress;
mod report;
pub mod response;
mod run;
pub mod score;
mod secret;
mod segments;
mod session;
pub mod show;
mod spend;
mod stages;
mod status;
mod target;
pub mod tools;
pub mod wire;
mod workspace;

pub use progress::{Progress, Silent};
pub use session::{Options, Session};
pub use workspace::{CONFIG_FILE, Workspace};

use thalweg_domain::{Error, Result};

/// Uses so many threads for everything that runs in parallel; no result depends on it.
///
/// # Errors
/// `TW0901` when threads are in use already.
pub fn use_threads(threads: usize) -> Result<()> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .map_err(|cause| {
            Error::new("TW0901", "internal error: the number of threads was set twice").cause(cause)
        })
}
