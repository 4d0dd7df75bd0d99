//! The report of the last cycle: one HTML file that needs no network.

use std::path::{Path, PathBuf};

use thalweg_domain::{Error, Result};

use crate::session::Session;

/// Writes the report; `out` defaults to `report.html` in the workspace.
pub(crate) fn report(session: &Session, out: Option<&Path>) -> Result<PathBuf> {
    let _ = out;
    Err(Error::new("TW0740", "there is no plan to report on").hint(session.suggest("run")))
}
