//! JSON lines: one object per line; keys become columns in the order in which they first appear.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use thalweg_domain::{Error, Result};

use super::RawFile;
use super::cells::{Cells, TextCells};
use super::csv_file::not_utf8;

/// Reads the whole file; a key that a line lacks is missing there.
pub(crate) fn read(shown: &str, bytes: &[u8]) -> Result<RawFile> {
    let mut columns = Columns::default();
    let mut lines = Vec::new();
    for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let number = at as u64 + 1;
        let line = if at == 0 {
            line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line)
        } else {
            line
        };
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let text = std::str::from_utf8(line)
            .map_err(|_| not_utf8(shown, "the line").at(shown, Some(number), None))?;
        let object: Object =
            serde_json::from_str(text).map_err(|cause| broken(shown, number, text, cause))?;
        columns
            .push(lines.len(), object)
            .map_err(|key| twice(shown, number, &key))?;
        lines.push(number);
    }
    Ok(columns.finish(lines))
}

pub(crate) fn broken(shown: &str, line: u64, text: &str, cause: serde_json::Error) -> Error {
    let hint = if text.trim_start().starts_with('[') {
        "the file is a JSON array; write one object per line instead"
    } else {
        "every line must be one JSON object, such as {\"customer_id\": \"C1\", \"age\": 41}"
    };
    Error::new(
        "TW0218",
        format!(
            "the line is not a JSON object: {}",
            without_position(&cause.to_string())
        ),
    )
    .hint(hint)
    .at(shown, Some(line), None)
    .cause(cause)
}

/// The parser counts lines within the one line it was given; only the column helps.
fn without_position(message: &str) -> String {
    message.replace(" at line 1 column ", " at column ")
}

pub(crate) fn twice(shown: &str, line: u64, key: &str) -> Error {
    Error::new("TW0208", format!("the line has key \"{key}\" twice"))
        .hint("every key needs a name of its own")
        .at(shown, Some(line), Some(key))
}

/// An object's entries in the order of the file.
struct Object(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Object, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Object(entries))
    }
}

#[derive(Default)]
struct Columns {
    position: BTreeMap<String, usize>,
    columns: Vec<(String, TextCells)>,
    nested: BTreeMap<String, ()>,
}

impl Columns {
    /// Adds a row; the key is the error when the object has it twice.
    fn push(&mut self, row: usize, object: Object) -> std::result::Result<(), String> {
        for (key, value) in object.0 {
            let at = self.position.get(&key).copied().unwrap_or(self.columns.len());
            if at == self.columns.len() {
                self.position.insert(key.clone(), at);
                self.columns.push((key.clone(), TextCells::default()));
            }
            let Some((_, cells)) = self.columns.get_mut(at) else {
                continue;
            };
            if cells.len() > row {
                return Err(key);
            }
            fill(cells, row);
            match value {
                Value::Null => cells.push(""),
                Value::Bool(truth) => cells.push(if truth { "true" } else { "false" }),
                Value::Number(number) => cells.push(&number.to_string()),
                Value::String(text) => cells.push(&text),
                Value::Array(_) | Value::Object(_) => {
                    cells.push("");
                    self.nested.insert(key, ());
                }
            }
        }
        Ok(())
    }

    fn finish(mut self, lines: Vec<u64>) -> RawFile {
        for (_, cells) in &mut self.columns {
            fill(cells, lines.len());
        }
        let nested = self.nested;
        let columns = self
            .columns
            .into_iter()
            .filter(|(name, _)| !nested.contains_key(name));
        RawFile {
            columns: columns.map(|(name, cells)| (name, Cells::Text(cells))).collect(),
            lines,
            nested: nested.into_keys().collect(),
        }
    }
}

/// Missing cells up to a row.
fn fill(cells: &mut TextCells, row: usize) {
    while cells.len() < row {
        cells.push("");
    }
}
