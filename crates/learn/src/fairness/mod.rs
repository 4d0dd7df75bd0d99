//! Are groups of customers treated alike? Rates by group with intervals, gaps to a reference, a verdict in words; and
//! thresholds by group that close a gap, with what they cost.
//!
//! Nothing here decides what is fair: being selected may be a favour or a burden, and rates that must not differ in one
//! use may have to in another. It measures, and says what it measured.

mod equalise;
mod rates;
mod report;
#[cfg(test)]
mod tests;

pub use equalise::{Equalised, GroupThreshold, Parity, equalise};
pub use rates::{Rate, newcombe_difference, ratio_interval};
pub use report::{Comparison, Decided, FairnessReport, GroupRates, Reference, fairness};
