//! The neural network: fully connected, any depth, trained by our own fused loop.
//!
//! `params` says what can be set, `check` in which range; `layout` where each weight lies; `pass` and `backward` go
//! through the net and back over a chunk of rows; `trainer` makes gradients of batches, `optimise` steps of gradients;
//! `fit` is the loop around them, `pretrain` what can come before it, `private` the loop with differential privacy; `predict` and
//! `layers` are what a trained net offers.

mod activation;
mod alone;
mod backward;
mod check;
mod coded;
mod dropout;
mod fit;
mod fused;
mod inputs;
mod kernel;
mod layers;
mod layout;
mod loss;
mod norm;
mod optimise;
mod params;
mod pass;
mod predict;
mod pretrain;
mod private;
mod schedule;
mod simd;
#[cfg(test)]
mod tests;
mod trainer;

pub use fit::Epoch;
pub use inputs::TargetScale;
pub use layers::{Dense, Normalisation};
pub use layout::{EmbeddingTable, Output};
pub use params::{
    Activation, ClassWeights, EMBED_ABOVE, Embedding, Loss, MlpParams, Norm, Optimizer, Schedule,
};
pub use predict::Mlp;
pub use pretrain::Pretrain;

pub(crate) use coded::Coded;
pub(crate) use fit::{fit, refit};
