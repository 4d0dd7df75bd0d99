//! Randomisation: who is held out, who explores, and what they draw.

pub(crate) mod draw;
mod explore;
mod holdout;
mod rounding;

pub(crate) use draw::{Generator, systematic};
pub(crate) use explore::{ExploreLimits, Uses, explore_probabilities};
pub use holdout::in_holdout;
pub(crate) use rounding::round_dependent;
