//! Ridge logistic regression: the yardstick, and often the best model of a small table.

mod fit;
mod params;
mod predict;
#[cfg(test)]
mod tests;

pub use params::LogisticParams;

pub(crate) use fit::{cholesky, fit, solve};
pub(crate) use predict::Logistic;
