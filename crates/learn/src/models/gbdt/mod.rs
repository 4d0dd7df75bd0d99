//! Gradient-boosted trees on binned columns: two classes, several classes or a number.

mod bins;
mod boost;
mod derivatives;
mod fit;
mod grow;
mod histogram;
mod importance;
mod loss;
mod params;
mod partition;
mod predict;
mod shap;
mod source;
mod split;
#[cfg(test)]
mod tests;
mod tree;

pub use params::{GbdtParams, ValueLoss};

pub(crate) use fit::fit;
pub(crate) use predict::Gbdt;
pub(crate) use source::Rows;
