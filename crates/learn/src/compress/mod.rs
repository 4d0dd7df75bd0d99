//! Smaller and quicker models in place of a large one, and what that costs in accuracy, on rows that they had not seen.

pub(crate) mod bytes;
mod compact;
mod distil;
mod int8;
mod layers;
mod params;
mod procedure;
mod prune;
mod report;
mod sparse;
#[cfg(test)]
mod tests;

pub use params::{CompressParams, CompressTo};
pub use procedure::{Compressed, compress};
pub use report::CompressionReport;

pub(crate) use compact::Compact;
pub(crate) use report::{FoldScores, mean_loss};
