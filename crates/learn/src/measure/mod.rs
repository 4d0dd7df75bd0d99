//! Measuring: what was really changed, with intervals that stay honest, and whether the arms are sound.

mod difference;
mod distributions;
mod lift;
mod power;
mod sample_ratio;
mod sequence;
mod shrink;
#[cfg(test)]
mod tests;
mod total;

pub use difference::{Difference, DifferenceParams, Units, difference};
pub use distributions::{chi_squared_tail, normal_cdf, normal_quantile, student_quantile};
pub use lift::{ActionLift, LiftParams, LiftRow, lift};
pub use power::detectable_effect;
pub use sample_ratio::{SampleRatio, sample_ratio};
pub use sequence::{ConfidenceSequence, LEAST_UNITS_PER_ARM};
pub use shrink::{Measured, ShrinkPriors, Shrunk, shrink};
pub use total::{TotalEffect, TotalParams, TotalRow, total};
