//! ONNX models by other programs against onnxruntime, and our own models out and in again.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod import;
mod refused;
mod support;
