//! Differential privacy: the accountant, and the noise that private training of the net adds.
//!
//! What epsilon says: whoever sees the trained weights can tell whether a given customer was among the training rows with
//! odds at most `exp(epsilon)` times their odds before, except with probability about `delta`.

mod accountant;
mod noise;
mod params;
mod rdp;
mod statement;
#[cfg(test)]
mod tests;

pub use accountant::{ACCOUNTANT, Accountant, Spent, epsilon_of, noise_multiplier_for};
pub use noise::{KeyOrigin, NoiseSource, PrivacyKey};
pub use params::PrivacyParams;
pub use statement::PrivacyStatement;

pub(crate) use statement::Terms;
