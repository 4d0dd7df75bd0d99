//! Adapters: how a batch of messages reaches a channel. One folder each, with the same files:
//! `mod config deliver tests`.

#[cfg(test)]
mod contract;
mod file;

use std::path::PathBuf;

use thalweg_domain::Result;

use crate::Message;

pub use file::{FileAdapter, FileConfig};

/// Hands messages to the outside world.
///
/// What holds for every adapter (`check_channel` tests it): delivering the same batch again sends nothing more; a dry
/// run does everything but the last call; the order of the messages does not matter.
pub trait Adapter {
    /// The name in the configuration, such as `file`.
    fn name(&self) -> &'static str;

    /// Delivers a batch.
    ///
    /// # Errors
    /// `TW06xx` when the channel as a whole cannot be used; a refused message is a [`Failure`] in the receipt.
    fn deliver(&self, batch: &Batch<'_>, mode: Mode) -> Result<Receipt>;
}

/// Everything that goes through one channel in one cycle, delivered before or not.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// The cycle.
    pub cycle: u32,
    /// The channel's name.
    pub channel: &'a str,
    /// The messages, in any order.
    pub messages: &'a [Message],
}

/// Whether the last call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Everything but the last call.
    DryRun,
    /// For real.
    Send,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// The decisions handed over now, sorted (in a dry run: that would be).
    pub sent: Vec<String>,
    /// What the channel refused, sorted by decision.
    pub failed: Vec<Failure>,
    /// The file that was (would be) written.
    pub file: Option<PathBuf>,
}

/// A message that the channel refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The decision.
    pub decision_id: String,
    /// What the channel said.
    pub detail: String,
}
