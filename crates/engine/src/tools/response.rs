//! `tool response`: response curves of a table of weeks, without a workspace.

use std::path::Path;

use thalweg_domain::{Result, Seed};

use crate::progress::Progress;
use crate::response::{ResponseSettings, response as fit};
use crate::wire::ResponseOut;

/// Fits the model to a file; `out` is where the table by week goes.
///
/// # Errors
/// As [`fit`].
pub fn response(
    settings: &ResponseSettings,
    out: Option<&Path>,
    seed: Option<u64>,
    progress: &dyn Progress,
) -> Result<ResponseOut> {
    fit(Path::new(""), settings, (Seed(seed.unwrap_or(42)), out), progress)
}
