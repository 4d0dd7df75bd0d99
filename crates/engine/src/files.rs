//! Small text files that the user names in the configuration: feature SQL and templates.

use std::path::Path;

use thalweg_domain::{Error, Result};

/// Reads a text file relative to the workspace.
///
/// # Errors
/// `TW0110` when it cannot be read as text.
pub(crate) fn read_text(dir: &Path, name: &str) -> Result<String> {
    std::fs::read_to_string(dir.join(name)).map_err(|cause| {
        Error::new(
            "TW0110",
            format!("cannot read \"{name}\", which thalweg.toml names"),
        )
        .hint("the path is relative to the workspace folder")
        .cause(cause)
    })
}
