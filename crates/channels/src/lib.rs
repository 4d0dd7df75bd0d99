//! Delivery and what comes back: contact policy, templates, one folder per adapter, and the events that customers send.
//!
//! The flow of a delivery: [`admit`] says who may be contacted, [`Template`] fills in the text, an [`Adapter`] hands
//! the [`Batch`] to the channel. [`parse_events`] reads the answers. No clock, no randomness, no ledger.

mod adapter;
mod events;
mod field;
mod message;
mod policy;
mod template;

pub use adapter::{Adapter, Batch, Failure, FileAdapter, FileConfig, Mode, Receipt};
pub use events::{Event, EventKind, Events, parse as parse_events};
pub use field::{FieldValue, Fields};
pub use message::Message;
pub use policy::{ContactRequest, ContactWindow, PolicyParams, QuietHours, SkipReason, admit};
pub use template::{Template, render};
