//! JSON lines in pieces: blocks of whole lines are cut off one after the other and parsed later.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use thalweg_domain::{Error, Result, Table};

use super::csv_rows::text_array;
use super::tally::Tally;
use super::{Batch, FileName, MAX_ROW_BYTES, Shared, SourceFile, failing, no_content, open_file};
use crate::source::TextCells;
use crate::source::csv_file::not_utf8;
use crate::source::json_lines::{broken, twice};

/// Bytes of a block, unless a line is longer.
const BLOCK_BYTES: usize = 4 << 20;

/// A JSON lines file that is being read.
pub(super) struct JsonRows {
    file: Arc<FileName>,
    source: File,
    /// What was read beyond the latest block.
    rest: Vec<u8>,
    ended: bool,
    position: u64,
    line: u64,
    n_rows: u64,
}

/// Whole lines.
pub(super) struct JsonPiece {
    file: Arc<FileName>,
    text: Vec<u8>,
    /// The line before the first.
    line: u64,
    n_rows: usize,
}

impl JsonRows {
    pub(super) fn open(file: SourceFile) -> Result<Self> {
        Ok(Self {
            source: open_file(&file)?,
            file: Arc::new(FileName {
                path: file.path,
                shown: file.shown,
            }),
            rest: Vec::new(),
            ended: false,
            position: 0,
            line: 0,
            n_rows: 0,
        })
    }

    /// Bytes handed out so far.
    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    /// The next lines; `None` at the end of the file.
    pub(super) fn next_piece(&mut self) -> Result<Option<JsonPiece>> {
        loop {
            let text = self.next_block()?;
            if text.is_empty() {
                return if self.n_rows == 0 {
                    Err(no_content(&self.file.shown))
                } else {
                    Ok(None)
                };
            }
            let piece = JsonPiece {
                file: Arc::clone(&self.file),
                line: self.line,
                n_rows: lines(&text).filter(|line| !is_blank(line)).count(),
                text,
            };
            self.position += piece.text.len() as u64;
            self.line += piece.text.iter().filter(|byte| **byte == b'\n').count() as u64;
            self.n_rows += piece.n_rows as u64;
            if piece.n_rows > 0 {
                return Ok(Some(piece));
            }
        }
    }

    /// Bytes up to the last line end of a block; empty at the end of the file.
    fn next_block(&mut self) -> Result<Vec<u8>> {
        let mut text = std::mem::take(&mut self.rest);
        while !self.ended {
            let before = text.len();
            let read = (&self.source)
                .take(BLOCK_BYTES as u64)
                .read_to_end(&mut text)
                .map_err(|cause| failing(&self.file.shown, cause))?;
            self.ended = read < BLOCK_BYTES;
            let fresh = text.get(before..).unwrap_or_default();
            if let Some(end) = fresh.iter().rposition(|byte| *byte == b'\n') {
                self.rest = text.split_off(before + end + 1);
                return Ok(text);
            }
            if text.len() as u64 > MAX_ROW_BYTES {
                return Err(self.too_long());
            }
        }
        Ok(text)
    }

    fn too_long(&self) -> Error {
        Error::new(
            "TW0218",
            format!("the line has more than {} MiB", MAX_ROW_BYTES >> 20),
        )
        .hint("every line must be one JSON object, and every object one line")
        .at(&self.file.shown, Some(self.line + 1), None)
    }
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n')
}

fn is_blank(line: &[u8]) -> bool {
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
    line.iter().all(u8::is_ascii_whitespace)
}

impl JsonPiece {
    pub(super) const fn n_rows(&self) -> usize {
        self.n_rows
    }

    pub(super) fn read(self, shared: &Shared, first_row: u64) -> Result<Batch> {
        let mut rows = ParsedRows::new(shared, self.n_rows);
        for (number, line) in (self.line + 1..).zip(lines(&self.text)) {
            let line = match number {
                1 => line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line),
                _ => line,
            };
            if !is_blank(line) {
                rows.push(&self.file.shown, number, line)?;
            }
        }
        let mut columns = Vec::with_capacity(shared.columns.len());
        let mut tally = Tally {
            rows: self.n_rows as u64,
            ..Tally::default()
        };
        for (at, wanted) in shared.columns.iter().enumerate() {
            let empty = TextCells::default();
            let cells = rows.cells.get(at).unwrap_or(&empty);
            let (column, mut counts) = wanted.text_column(cells.iter()).map_err(|fault| {
                let line = rows.numbers.get(fault.row).copied();
                wanted
                    .unusable(&fault)
                    .at(&self.file.shown, line, Some(wanted.name()))
            })?;
            counts.met = rows.met.get(at).copied().unwrap_or(false);
            columns.push(column);
            tally.columns.push(counts);
        }
        let n_wanted = shared.columns.len();
        let carried: Vec<ArrayRef> = rows.cells.iter().skip(n_wanted).map(text_array).collect();
        let met = |at: usize| rows.met.get(n_wanted + at).copied().unwrap_or(false);
        tally.carried = shared.carried_tally(&carried, met);
        Ok(Batch {
            table: Table::new(columns)?,
            tally,
            first_row,
            carried,
        })
    }
}

/// The cells of the wanted columns, then of the carried ones.
struct ParsedRows<'s> {
    /// Where a key's cells go: a carried column may be wanted too.
    places: BTreeMap<&'s str, Vec<usize>>,
    cells: Vec<TextCells>,
    met: Vec<bool>,
    /// The line of each row.
    numbers: Vec<u64>,
}

impl<'s> ParsedRows<'s> {
    fn new(shared: &'s Shared, n_rows: usize) -> Self {
        let wanted = shared.columns.iter().map(super::cells::Wanted::name);
        let names: Vec<&str> = wanted.chain(shared.carried.iter().map(String::as_str)).collect();
        let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, name) in names.iter().enumerate() {
            places.entry(name).or_default().push(at);
        }
        Self {
            places,
            cells: names.iter().map(|_| TextCells::default()).collect(),
            met: vec![false; names.len()],
            numbers: Vec::with_capacity(n_rows),
        }
    }

    fn push(&mut self, shown: &str, number: u64, line: &[u8]) -> Result<()> {
        let text = std::str::from_utf8(line)
            .map_err(|_| not_utf8(shown, "the line").at(shown, Some(number), None))?;
        let mut fault = None;
        let mut parser = serde_json::Deserializer::from_str(text);
        let object = Object {
            rows: self,
            fault: &mut fault,
        };
        object
            .deserialize(&mut parser)
            .and_then(|()| parser.end())
            .map_err(|cause| broken(shown, number, text, cause))?;
        match fault {
            Some(KeyFault::Twice(key)) => return Err(twice(shown, number, &key)),
            Some(KeyFault::Nested(key)) => return Err(nested(shown, number, &key)),
            None => {}
        }
        self.numbers.push(number);
        for cells in &mut self.cells {
            if cells.len() < self.numbers.len() {
                cells.push("");
            }
        }
        Ok(())
    }

    /// Puts a value into every column of that key.
    fn fill(&mut self, key: &str, value: &Value) -> std::result::Result<(), KeyFault> {
        let row = self.numbers.len();
        for at in self.places.get(key).map_or(&[] as &[usize], Vec::as_slice) {
            let (Some(cells), Some(met)) = (self.cells.get_mut(*at), self.met.get_mut(*at)) else {
                continue;
            };
            if cells.len() > row {
                return Err(KeyFault::Twice(key.to_owned()));
            }
            *met = true;
            match value {
                Value::Null => cells.push(""),
                Value::Bool(truth) => cells.push(if *truth { "true" } else { "false" }),
                Value::Number(number) => cells.push(&number.to_string()),
                Value::String(text) => cells.push(text),
                Value::Array(_) | Value::Object(_) => return Err(KeyFault::Nested(key.to_owned())),
            }
        }
        Ok(())
    }
}

/// What can be wrong with a key besides the text of the line.
enum KeyFault {
    Twice(String),
    Nested(String),
}

fn nested(shown: &str, line: u64, key: &str) -> Error {
    Error::new(
        "TW0306",
        format!("column \"{key}\" holds a list or a record here, which no model reads"),
    )
    .hint("give it one number, text or truth value a line")
    .at(shown, Some(line), Some(key))
}

/// Reads one object into the rows.
struct Object<'a, 's> {
    rows: &'a mut ParsedRows<'s>,
    fault: &'a mut Option<KeyFault>,
}

impl<'de> DeserializeSeed<'de> for Object<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if !self.rows.places.contains_key(key.as_ref()) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value: Value = map.next_value()?;
            if let Err(fault) = self.rows.fill(&key, &value) {
                self.fault.get_or_insert(fault);
            }
        }
        Ok(())
    }
}
