//! Events in: JSON lines after the Segment specification, each line checked, errors with their line.

mod line;
#[cfg(test)]
mod tests;

use std::io::{BufRead, Lines};

use thalweg_domain::{CustomerKey, Error, Result, Timestamp};

/// The type of an event, after the Segment specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// Who somebody is.
    Identify,
    /// What somebody did.
    Track,
    /// What somebody looked at.
    Page,
    /// Which group somebody belongs to.
    Group,
    /// Two identities are the same person.
    Alias,
}

impl EventKind {
    /// All types.
    pub const ALL: [Self; 5] = [Self::Identify, Self::Track, Self::Page, Self::Group, Self::Alias];

    /// `identify`, `track`, `page`, `group` or `alias`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identify => "identify",
            Self::Track => "track",
            Self::Page => "page",
            Self::Group => "group",
            Self::Alias => "alias",
        }
    }

    /// The type of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// One event.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    /// Its line in the file, from 1.
    pub line: u64,
    /// The sender's identifier: a second event with the same one is a duplicate.
    pub message_id: String,
    /// Its type.
    pub kind: EventKind,
    /// Whose event it is: `userId`.
    pub user: CustomerKey,
    /// The device's or browser's identifier, if there is one.
    pub anonymous_id: Option<String>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What happened: the name of a `track` event.
    pub name: Option<String>,
    /// The decision that it answers: `properties.decision_id`.
    pub decision_id: Option<String>,
    /// The properties (of `identify` and `group` the traits) as JSON text with sorted keys.
    pub properties: String,
}

/// Properties may hold personal data, so they are not shown.
impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Event")
            .field("line", &self.line)
            .field("message_id", &self.message_id)
            .field("kind", &self.kind)
            .field("name", &self.name)
            .field("occurred_at", &self.occurred_at)
            .finish_non_exhaustive()
    }
}

/// The events of a file, line by line; see [`parse`].
#[derive(Debug)]
pub struct Events<R> {
    file: String,
    lines: Lines<R>,
    line: u64,
}

/// Reads events, one JSON object per line; blank lines are passed over. `file` names the source in errors.
///
/// Each item is an event, or an error placed at its line: `TW0701` no JSON object, `TW0702` no messageId, `TW0703` no
/// userId, `TW0704` no timestamp, `TW0705` unknown type, `TW0706` a track event without a name, `TW0708` properties that
/// are no object. Lines after a wrong one are still read. `TW0707`, when the file itself cannot be read on, is the last.
pub fn parse<R: BufRead>(file: &str, reader: R) -> Events<R> {
    Events {
        file: file.to_owned(),
        lines: reader.lines(),
        line: 0,
    }
}

impl<R: BufRead> Iterator for Events<R> {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.line += 1;
            let text = match self.lines.next()? {
                Ok(text) => text,
                Err(error) => return Some(Err(self.unreadable(error))),
            };
            let text = text.trim_start_matches('\u{feff}').trim();
            if !text.is_empty() {
                let event = line::parse(text, self.line);
                return Some(event.map_err(|error| error.at(&self.file, Some(self.line), None)));
            }
        }
    }
}

impl<R> Events<R> {
    fn unreadable(&self, error: std::io::Error) -> Error {
        Error::new("TW0707", "the file cannot be read")
            .at(&self.file, Some(self.line), None)
            .hint("save the file as UTF-8 text, one JSON object per line")
            .cause(error)
    }
}
