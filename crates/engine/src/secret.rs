//! The key of private training: from the operating system, unless the caller asks for a training that can be repeated.

use rand::TryRng;
use rand::rngs::SysRng;
use thalweg_domain::{Error, Result};
use thalweg_learn::outcome::OutcomeParams;
use thalweg_learn::privacy::PrivacyKey;

/// Gives the net's private training its key; `repeatable` leaves it to the seed, which protects nobody who knows it.
///
/// # Errors
/// `TW0821` when the operating system gives no random numbers.
pub(crate) fn add_key(mut params: OutcomeParams, repeatable: bool) -> Result<OutcomeParams> {
    if let Some(privacy) = params.learners.mlp.privacy.as_mut().filter(|_| !repeatable) {
        let mut bytes = [0; 32];
        SysRng.try_fill_bytes(&mut bytes).map_err(|cause| {
            Error::new(
                "TW0821",
                "the operating system gives no random numbers for private training",
            )
            .cause(cause)
        })?;
        privacy.key = Some(PrivacyKey::secret(bytes));
    }
    Ok(params)
}
