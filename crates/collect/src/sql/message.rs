//! DataFusion's errors in a line that a person can use.

use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;

use crate::near::suggestion;

/// A message and advice.
pub(super) struct Message {
    pub(super) text: String,
    pub(super) hint: Option<String>,
}

/// The root of the error, shortened; for an unknown column, the names near it.
pub(super) fn message(error: &DataFusionError) -> Message {
    let root = error.find_root();
    if let DataFusionError::SchemaError(schema, _) = root
        && let SchemaError::FieldNotFound { field, valid_fields } = schema.as_ref()
    {
        let known: Vec<&str> = valid_fields.iter().map(|field| field.name.as_str()).collect();
        return Message {
            text: format!("there is no column \"{}\"", field.name),
            hint: (!known.is_empty()).then(|| suggestion(&field.name, &known)),
        };
    }
    Message {
        text: first_sentence(&root.strip_backtrace()),
        hint: None,
    }
}

fn first_sentence(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let line = PREFIXES
        .iter()
        .fold(line, |line, prefix| line.strip_prefix(prefix).unwrap_or(line));
    let line = line
        .split(". This issue was likely caused by")
        .next()
        .unwrap_or(line)
        .trim_end_matches('.');
    let mut chars: Vec<char> = line.chars().take(200).collect();
    if line.chars().count() > chars.len() {
        chars.push('…');
    }
    chars.into_iter().collect()
}

const PREFIXES: &[&str] = &[
    "Error during planning: ",
    "SQL error: ",
    "Schema error: ",
    "Arrow error: ",
    "Execution error: ",
    "This feature is not implemented: ",
    "Internal error: ",
];
