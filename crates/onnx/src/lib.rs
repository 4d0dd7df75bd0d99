//! ONNX in and out: models of other tools, and ours for them.
//!
//! *In*: [`Model::parse`] reads a model that scikit-learn, PyTorch, Keras or another program exported, and
//! [`Model::predict`] gives the probability of the positive class for the rows of a table. The operators of tabular
//! models are computed by a small interpreter of our own, including the `ai.onnx.ml` domain (trees, linear models,
//! encoders), on CPU, with the same result whatever the number of threads.
//!
//! *Out*: [`export`] writes an [`thalweg_learn::outcome::OutcomeModel`] with its preparation and calibration.
//!
//! Why not a general runtime: `docs/decisions/009-onnx.md`.

mod export;
mod feed;
mod ml;
mod model;
mod number;
#[cfg(test)]
mod operators;
mod ops;
mod plan;
mod proto;
mod reading;
mod tensor;

pub use export::{ML_OPSET, OPSET, export};
pub use model::{Description, Model, Scores};
pub use reading::{Reading, Scale};
