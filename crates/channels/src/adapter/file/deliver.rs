//! Writes a batch: the channel's sheet, then the cycle's outbox, each whole or not at all.

use std::path::PathBuf;

use thalweg_domain::{Error, Result};

use super::{FileConfig, outbox, sheet, write};
use crate::{Adapter, Batch, Message, Mode, Receipt};

/// Delivers into files.
#[derive(Debug, Clone)]
pub struct FileAdapter {
    config: FileConfig,
}

impl FileAdapter {
    /// An adapter for that outbox.
    #[must_use]
    pub const fn new(config: FileConfig) -> Self {
        Self { config }
    }

    fn folder(&self, cycle: u32) -> PathBuf {
        self.config.outbox.join(cycle.to_string())
    }
}

impl Adapter for FileAdapter {
    fn name(&self) -> &'static str {
        "file"
    }

    /// Writes `CYCLE/CHANNEL.csv` and the channel's lines of `CYCLE/outbox.jsonl`; files that would not change are left
    /// alone. Nothing is written for an empty batch.
    ///
    /// # Errors
    /// `TW0601` when the outbox cannot be read or written, `TW0607` when two messages name one decision.
    fn deliver(&self, batch: &Batch<'_>, mode: Mode) -> Result<Receipt> {
        if batch.messages.is_empty() {
            return Ok(Receipt::default());
        }
        let messages = in_order(batch)?;
        let folder = self.folder(batch.cycle);
        let sheet_path = folder.join(format!("{}.csv", batch.channel));
        let outbox_path = folder.join("outbox.jsonl");
        let sheet = sheet::bytes(batch.channel, &messages)?;
        let outbox = outbox::bytes(&outbox_path, batch.channel, &messages)?;
        if mode == Mode::Send {
            write::whole(&sheet_path, &sheet)?;
            write::whole(&outbox_path, &outbox)?;
        }
        let sent = messages
            .iter()
            .filter(|message| !message.delivered)
            .map(|message| message.decision_id.clone());
        Ok(Receipt {
            sent: sent.collect(),
            failed: Vec::new(),
            file: Some(sheet_path),
        })
    }
}

/// The messages by decision; two for one decision are an error.
fn in_order<'a>(batch: &Batch<'a>) -> Result<Vec<&'a Message>> {
    let mut messages: Vec<&Message> = batch.messages.iter().collect();
    messages.sort_by(|a, b| a.decision_id.cmp(&b.decision_id));
    let twice = messages.windows(2).find_map(|pair| match pair {
        [a, b] if a.decision_id == b.decision_id => Some(&a.decision_id),
        _ => None,
    });
    match twice {
        None => Ok(messages),
        Some(id) => Err(Error::new(
            "TW0607",
            format!(
                "internal error: two messages for decision \"{id}\" on channel \"{}\"",
                batch.channel
            ),
        )),
    }
}
