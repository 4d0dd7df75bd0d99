//! The cycle's JSON-lines outbox: one object per message of every channel, for programs.

use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};
use thalweg_domain::{Error, Result};

use super::write::unusable;
use crate::{Fields, Message};

/// One line.
#[derive(Serialize)]
struct Line<'m> {
    decision_id: &'m str,
    customer: &'m str,
    channel: &'m str,
    offer: Option<&'m str>,
    fields: &'m Fields,
    message: Option<&'m str>,
    contact_window: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    day: Option<u16>,
}

/// What has to be known of a line that is there already.
#[derive(Deserialize)]
struct Channel {
    channel: String,
}

/// The outbox's bytes with this channel's lines replaced: channels in the order of their names, decisions within.
pub(super) fn bytes(path: &Path, channel: &str, messages: &[&Message]) -> Result<Vec<u8>> {
    let present = read(path)?;
    let mut lines = other_channels(path, channel, &present)?;
    for message in messages {
        lines.push((channel.to_owned(), json(channel, message)?));
    }
    // stable: lines of one channel keep their order, which is that of their decisions
    lines.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(lines
        .into_iter()
        .flat_map(|(_, line)| [line, "\n".to_owned()])
        .collect::<String>()
        .into_bytes())
}

fn read(path: &Path) -> Result<String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(unusable(path, "read", error)),
    }
}

fn other_channels(path: &Path, channel: &str, present: &str) -> Result<Vec<(String, String)>> {
    let mut lines = Vec::new();
    for (index, line) in present.lines().enumerate() {
        let of: Channel = serde_json::from_str(line).map_err(|error| damaged(path, index, error))?;
        if of.channel != channel {
            lines.push((of.channel, line.to_owned()));
        }
    }
    Ok(lines)
}

fn damaged(path: &Path, index: usize, error: serde_json::Error) -> Error {
    Error::new("TW0601", "the outbox has a line that Thalweg did not write")
        .at(
            path.display().to_string(),
            u64::try_from(index).ok().map(|index| index + 1),
            None,
        )
        .hint("move the file away and deliver again: it is written anew, and nothing is sent twice")
        .cause(error)
}

fn json(channel: &str, message: &Message) -> Result<String> {
    let line = Line {
        decision_id: &message.decision_id,
        customer: message.customer.reveal(),
        channel,
        offer: message.offer.as_deref(),
        fields: &message.fields,
        message: message.text.as_deref(),
        contact_window: message.contact_window.map(|window| window.to_string()),
        day: message.day,
    };
    serde_json::to_string(&line)
        .map_err(|error| Error::new("TW0901", "internal error: a message has no JSON form").cause(error))
}
