//! Response curves as pure mathematics: what each channel returned by week, and what one more unit would.
//!
//! A Bayesian media-mix model: spend is carried over (adstock), saturates, and adds to a base of trend, seasonality,
//! holidays and controls. No IO, no clock; randomness comes as a seed, and the same inputs and seed give the same
//! bytes, whatever the number of threads.
#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "dense numeric code: lengths are checked on entry, counts stay far below 2^52"
)]

mod basis;
mod carry;
pub mod curve;
mod design;
pub mod diagnostics;
pub mod fit;
pub mod identify;
mod input;
mod model;
mod normal;
pub mod optimum;
mod prior_lift;
mod priors;
mod read;
pub mod results;
mod sample;
mod steady;

pub use carry::Adstock;
pub use curve::Saturation;
pub use design::Seasonality;
pub use input::{Holiday, LiftTest, Panel, ReturnPrior, Series};
pub use model::{Anchor, Noise, Spec};

#[cfg(test)]
mod tests;
