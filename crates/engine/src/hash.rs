//! Fingerprints and ids: blake3 over everything a result depends on.

use serde::Serialize;

/// Collects what a result depends on; equal inputs give equal fingerprints.
pub(crate) struct Fingerprint(blake3::Hasher);

impl Fingerprint {
    /// Starts with a purpose, so that different purposes never share a fingerprint, and the format version.
    pub(crate) fn new(purpose: &str) -> Self {
        Self(blake3::Hasher::new())
            .with("purpose", purpose)
            .with("version", env!("CARGO_PKG_VERSION"))
    }

    /// Adds a named text.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        for part in [name, value] {
            self.0.update(&(part.len() as u64).to_le_bytes());
            self.0.update(part.as_bytes());
        }
        self
    }

    /// Adds a named value by its debug text (for plain parameter structs).
    pub(crate) fn with_debug(self, name: &str, value: &impl std::fmt::Debug) -> Self {
        let text = format!("{value:?}");
        self.with(name, &text)
    }

    /// The fingerprint as hexadecimal text.
    pub(crate) fn finish(self) -> String {
        short(&self.0.finalize())
    }
}

/// The id of some bytes: 12 hexadecimal digits of their blake3 hash.
pub(crate) fn content_id(prefix: &str, bytes: &[u8]) -> String {
    format!("{prefix}-{}", short(&blake3::hash(bytes)))
}

fn short(hash: &blake3::Hash) -> String {
    hash.to_hex().chars().take(12).collect()
}

/// A value as pretty JSON bytes with a final line end.
pub(crate) fn json_bytes(value: &impl Serialize) -> thalweg_domain::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|cause| {
        thalweg_domain::Error::new("TW0901", "internal error: a result cannot be written as JSON")
            .cause(cause)
    })?;
    bytes.push(b'\n');
    Ok(bytes)
}
