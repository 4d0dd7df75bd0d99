//! A simulated subscription business whose truth is known: for tests, the demo and power studies.
//!
//! [`Market`] makes customers with observable columns, channels and offers, and a hidden response to
//! every action. Policies act on copies of one market and share its luck (common random numbers), so
//! that their difference is what the policies did. [`Market::truth`] is what an all-knowing planner
//! would believe: the exact expectation given everything that can be observed, not the coin flips.
//!
//! No IO, no clock; the same seed gives the same bytes. Every range a number is drawn from is written
//! with its source in `ranges`; none was tuned to a policy.
//!
//! # Example
//! ```
//! use thalweg_domain::{Action, Seed, Timestamp};
//! use thalweg_market::{Market, MarketParams};
//!
//! let params = MarketParams { n_customers: 500, ..MarketParams::default() };
//! let mut market = Market::new(&params, Seed(1))?;
//! let nothing: Vec<Option<Action>> = vec![None; market.n_customers()];
//! assert_eq!(market.profit(&nothing)?, 0.0);
//! let events = market.step(&nothing, Timestamp(0))?;
//! assert!(!events.is_empty(), "some customers leave within a cycle");
//! # Ok::<(), thalweg_domain::Error>(())
//! ```
#![expect(
    clippy::indexing_slicing,
    reason = "arrays indexed by the variants of an enum of the same length"
)]

mod catalogue;
mod customer;
mod events;
mod evolve;
mod features;
mod generate;
mod luck;
mod market;
mod params;
mod quadrature;
mod ranges;
mod table;
#[cfg(test)]
mod tests;
mod truth;
pub mod weekly;
mod world;

pub use events::{EventKind, MarketEvent};
pub use market::{HORIZON_DAYS, Market};
pub use params::MarketParams;
pub use truth::Truth;
