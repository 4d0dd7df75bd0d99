//! The permanent hold-out: a salted hash of the customer's key (or cluster).

/// Whether a customer belongs to the hold-out: `hash(salt, key) / 2^64 < share`.
///
/// The hash is BLAKE3 of the key, keyed by the salt's own BLAKE3 hash; its first 8 bytes are read as a little-endian
/// number. The answer depends on nothing else, so it is the same in every cycle, and a larger share only adds
/// customers. Customers of one cluster go together when the caller passes the cluster as `key`.
///
/// `share` lies in [0, 1]. Assumes that keys were not chosen by somebody who knows the salt.
///
/// ```
/// use thalweg_plan::randomise::in_holdout;
/// let held = (0..10_000).filter(|n| in_holdout(b"salt", &format!("customer {n}"), 0.1)).count();
/// assert!((900..1100).contains(&held));
/// ```
#[must_use]
pub fn in_holdout(salt: &[u8], key: &str, share: f64) -> bool {
    let hash = blake3::keyed_hash(blake3::hash(salt).as_bytes(), key.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    // 2^64 is exact; the nearest double of the number may round up to 2^64, then only share > 1 includes it.
    (u64::from_le_bytes(first) as f64) / 18_446_744_073_709_551_616.0 < share
}
