//! The nouns of Thalweg, valid by construction: what every other crate speaks in.
//!
//! No IO, no clock, no dependencies. These are not wire formats: crates at the edge (the config file,
//! the ledger, JSON) have types of their own and convert.

mod action;
mod belief;
mod check;
mod codes;
mod decision;
mod error;
mod estimate;
mod names;
mod outcome;
mod quantity;
mod seed;
mod stage;
mod table;
mod time;

pub use action::{Action, ActionId, Channel, ChannelKind, Offer};
pub use belief::{Belief, EffectSource};
pub use check::{Check, CheckVerdict};
pub use codes::{CODES, CodeInfo, ExitClass, code_info};
pub use decision::{Arm, Decision, EligibleAction, Reason};
pub use error::{Error, Place, Result};
pub use estimate::Estimate;
pub use names::{ChannelName, CustomerKey, OfferName};
pub use outcome::OutcomeKind;
pub use quantity::{Money, Probability};
pub use seed::Seed;
pub use stage::{Stage, StageInfo};
pub use table::{Column, ColumnData, ColumnKind, ColumnSchema, MISSING_LEVEL, Table};
pub use time::{Duration, Timestamp};
