//! Linear models with a ridge penalty, solved exactly: logistic regression for two outcomes, softmax regression for
//! several classes, least squares for numbers. The yardstick, and often the best model of a small table or of text.

mod fit;
mod gram;
mod information;
mod lbfgs;
mod loss;
mod newton;
mod params;
mod path;
mod predict;
mod problem;
mod ridge;
#[cfg(test)]
mod tests;

pub use params::LogisticParams;

pub(crate) use fit::{cross_fit, fit};
pub(crate) use predict::Logistic;
pub(crate) use problem::{Inputs, Terms};
