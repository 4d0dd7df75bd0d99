//! Reading artifacts back.

use std::path::Path;

use thalweg_domain::{Error, Result};

/// The text of an artifact.
///
/// # Errors
/// `TW0822` when it is gone or unreadable.
pub(crate) fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|cause| unreadable(path).cause(cause))
}

/// Refuses to go on where an artifact is gone.
///
/// # Errors
/// `TW0822` when it is.
pub(crate) fn require(path: &Path) -> Result<()> {
    if path.is_file() {
        Ok(())
    } else {
        Err(unreadable(path))
    }
}

fn unreadable(path: &Path) -> Error {
    Error::new(
        "TW0822",
        format!("the artifact \"{}\" cannot be read", path.display()),
    )
    .hint("thalweg run --again makes it anew")
}
