//! The tabular neural network: fully connected, ReLU, dropout, sigmoid output, trained by our own fused loop.

mod fit;
mod kernel;
mod net;
mod params;
mod predict;
mod simd;
#[cfg(test)]
mod tests;

pub use fit::Epoch;
pub use params::{Loss, MlpParams, Optimizer};

pub(crate) use fit::fit;
pub(crate) use predict::Mlp;
