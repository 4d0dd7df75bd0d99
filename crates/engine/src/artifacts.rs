//! Reading artifacts back.

use std::path::Path;

use thalweg_domain::{Error, Result};

/// The text of an artifact.
///
/// # Errors
/// `TW0822` when it is gone or unreadable.
pub(crate) fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|cause| {
        Error::new(
            "TW0822",
            format!("the artifact \"{}\" cannot be read", path.display()),
        )
        .hint("thalweg run --again makes it anew")
        .cause(cause)
    })
}
