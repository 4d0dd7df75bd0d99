//! Learning from tables: outcome models, their evaluation, effects of actions, measurement.
//!
//! Pure computation: no IO, no clock; the same inputs and seed give the same bytes, whatever the number of threads.
#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "dense numeric code: lengths are checked on entry, counts stay far below 2^52"
)]

pub mod compress;
pub mod drift;
pub mod effect;
pub mod evaluate;
pub mod fairness;
pub mod layered;
pub mod leakage;
mod linalg;
pub mod measure;
pub mod models;
pub mod outcome;
pub mod prepare;
pub mod privacy;
pub mod task;
