//! Planning as pure mathematics: allocation under constraints, hold-out and exploration, verdicts, pilots.
//!
//! No IO, no clock; randomness comes as a seed. Same inputs and seed give the same bytes, whatever the
//! number of threads.
#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "dense numeric code: lengths are checked on entry, counts stay far below 2^52"
)]

pub mod allocate;
pub mod borrow;
mod chunks;
pub mod decide;
mod exact;
mod normal;
pub mod pilot;
pub mod power;
pub mod randomise;
pub mod segment;
pub mod verdict;
