//! Fields: what a template may say about a customer.

use std::collections::BTreeMap;

use serde::Serialize;

/// The fields of a message by name.
pub type Fields = BTreeMap<String, FieldValue>;

/// One field's value.
#[derive(Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum FieldValue {
    /// Text.
    Text(String),
    /// A finite number.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// Not known: empty in text and files.
    Missing,
}

/// Fields are personal data: only the kind is shown.
impl std::fmt::Debug for FieldValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(…)",
            Self::Number(_) => "Number(…)",
            Self::Boolean(_) => "Boolean(…)",
            Self::Missing => "Missing",
        })
    }
}

impl FieldValue {
    /// The value as a person would write it; empty when missing.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Boolean(flag) => flag.to_string(),
            Self::Missing => String::new(),
        }
    }
}
