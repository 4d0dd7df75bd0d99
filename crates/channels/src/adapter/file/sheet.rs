//! The channel's CSV file: one row per message, columns for its fields, safe to open in a spreadsheet.

use std::collections::BTreeSet;

use thalweg_domain::{Error, Result};

use crate::{FieldValue, Message};

/// The file's bytes: `decision_id, customer, channel, offer`, the fields in the order of their names, then `day`,
/// `contact_window` and `message` when any row has one.
///
/// A spreadsheet takes a cell that starts with `=`, `+`, `-` or `@` for a formula, so such text gets a leading `'`
/// (numbers and telephone numbers are left alone). The JSON outbox holds the text as it is.
pub(super) fn bytes(channel: &str, messages: &[&Message]) -> Result<Vec<u8>> {
    let columns = Columns::of(messages);
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns.header()).map_err(unwritable)?;
    for message in messages {
        writer
            .write_record(columns.row(channel, message))
            .map_err(unwritable)?;
    }
    writer
        .into_inner()
        .map_err(|error| unwritable(error.into_error()))
}

fn unwritable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new("TW0901", "internal error: a CSV row cannot be made").cause(error)
}

/// Which columns the sheet has.
struct Columns<'m> {
    fields: BTreeSet<&'m str>,
    has_day: bool,
    has_window: bool,
    has_text: bool,
}

impl<'m> Columns<'m> {
    fn of(messages: &[&'m Message]) -> Self {
        Self {
            fields: messages
                .iter()
                .flat_map(|message| message.fields.keys().map(String::as_str))
                .collect(),
            has_day: messages.iter().any(|message| message.day.is_some()),
            has_window: messages.iter().any(|message| message.contact_window.is_some()),
            has_text: messages.iter().any(|message| message.text.is_some()),
        }
    }

    fn header(&self) -> Vec<&str> {
        let mut header = vec!["decision_id", "customer", "channel", "offer"];
        header.extend(&self.fields);
        header.extend(self.has_day.then_some("day"));
        header.extend(self.has_window.then_some("contact_window"));
        header.extend(self.has_text.then_some("message"));
        header
    }

    fn row(&self, channel: &str, message: &Message) -> Vec<String> {
        let mut row = vec![
            safe(&message.decision_id),
            safe(message.customer.reveal()),
            safe(channel),
            safe(message.offer.as_deref().unwrap_or_default()),
        ];
        row.extend(self.fields.iter().map(|name| cell(message.fields.get(*name))));
        if self.has_day {
            row.push(message.day.map_or_else(String::new, |day| day.to_string()));
        }
        if self.has_window {
            row.push(
                message
                    .contact_window
                    .map_or_else(String::new, |window| window.to_string()),
            );
        }
        if self.has_text {
            row.push(safe(message.text.as_deref().unwrap_or_default()));
        }
        row
    }
}

fn cell(value: Option<&FieldValue>) -> String {
    match value {
        Some(FieldValue::Text(text)) => safe(text),
        Some(other) => other.to_text(),
        None => String::new(),
    }
}

/// The text, kept from being taken for a formula.
fn safe(text: &str) -> String {
    let starts_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if starts_formula && !is_number_or_telephone(text) {
        return format!("'{text}");
    }
    text.to_owned()
}

/// A sign, then digits, spaces, points, brackets and dashes only.
fn is_number_or_telephone(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or_default();
    !digits.is_empty()
        && digits
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, ' ' | '.' | '(' | ')' | '-'))
}
