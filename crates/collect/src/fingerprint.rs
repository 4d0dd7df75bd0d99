//! One hash over the bytes of every file that collecting reads.

use thalweg_domain::Result;

use crate::source::{SourceFile, read_bytes, resolve};
use crate::spec::CollectSpec;

/// Collects file hashes in the order in which they are read.
pub(crate) struct Fingerprint(blake3::Hasher);

impl Fingerprint {
    pub(crate) fn new() -> Self {
        Self(blake3::Hasher::new())
    }

    /// Adds one file; `shown` keeps a renamed file from looking unchanged.
    pub(crate) fn add(&mut self, shown: &str, bytes: &[u8]) {
        self.0.update(&(shown.len() as u64).to_le_bytes());
        self.0.update(shown.as_bytes());
        self.0.update(blake3::hash(bytes).as_bytes());
    }

    pub(crate) fn finish(&self) -> String {
        self.0.finalize().to_hex().to_string()
    }
}

/// The patterns that collecting reads, customers first.
pub(crate) fn patterns(spec: &CollectSpec) -> Vec<&str> {
    spec.source
        .as_deref()
        .into_iter()
        .chain(spec.events.iter().map(|event| event.source.as_str()))
        .collect()
}

/// A BLAKE3 hash (hex) over the bytes of every file that [`crate::collect`] would read, and of `features.sql`.
///
/// The rest of the specification is not part of it.
///
/// # Errors
/// `TW0201`, `TW0216` or `TW0222` when a source is not there.
pub fn source_fingerprint(spec: &CollectSpec) -> Result<String> {
    let mut fingerprint = Fingerprint::new();
    if let Some(sql) = &spec.features_sql {
        fingerprint.add(&sql.name, sql.text.as_bytes());
    }
    for pattern in patterns(spec) {
        for SourceFile { path, shown, .. } in resolve(&spec.base, pattern)? {
            fingerprint.add(&shown, &read_bytes(&path, &shown)?);
        }
    }
    Ok(fingerprint.finish())
}
