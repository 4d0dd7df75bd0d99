//! The content hash: the same customers give the same hash, whatever file they came from.

use std::collections::BTreeMap;

use thalweg_domain::{Column, ColumnData, Table};

use crate::collected::Collected;

/// A BLAKE3 hash (12 hex digits) over a canonical encoding of keys, clusters, columns, target, expressions, conditions
/// and flags.
///
/// Notes and the hash of the source files are left out: a file saved with other line ends is the same content.
#[must_use]
pub fn content_hash(collected: &Collected) -> String {
    let mut encoder = Encoder(blake3::Hasher::new());
    encoder.texts("keys", &collected.keys);
    if let Some(cluster) = &collected.cluster {
        encoder.texts("cluster", cluster);
    }
    encoder.table("features", &collected.features);
    encoder.table("raw", &collected.raw);
    if let Some(target) = &collected.target {
        encoder.label("target");
        encoder.bytes(target.iter().map(|cell| tristate(*cell)).collect());
    }
    if let Some(panel) = &collected.panel {
        encoder.label("panel");
        let moments = panel.cutoffs.iter().chain([&panel.decide_at]);
        encoder.bytes(moments.flat_map(|moment| moment.0.to_le_bytes()).collect());
        encoder.bytes(panel.horizon.0.to_le_bytes().to_vec());
        let period = panel.period.iter();
        encoder.bytes(
            period
                .flat_map(|own| own.unwrap_or(u32::MAX).to_le_bytes())
                .collect(),
        );
    }
    encoder.numbers(&collected.expressions);
    encoder.truths("conditions", &collected.conditions);
    encoder.truths("flags", &collected.flags);
    encoder.0.finalize().to_hex().chars().take(12).collect()
}

/// The hash of a table alone, 12 hex digits.
#[cfg(test)]
pub(crate) fn table_hash(table: &Table) -> String {
    let mut encoder = Encoder(blake3::Hasher::new());
    encoder.table("table", table);
    encoder.0.finalize().to_hex().chars().take(12).collect()
}

const fn tristate(cell: Option<bool>) -> u8 {
    match cell {
        None => 2,
        Some(false) => 0,
        Some(true) => 1,
    }
}

struct Encoder(blake3::Hasher);

impl Encoder {
    /// Every block is preceded by its length, so no two contents share an encoding.
    fn bytes(&mut self, bytes: Vec<u8>) {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(&bytes);
    }

    fn label(&mut self, label: &str) {
        self.bytes(label.as_bytes().to_vec());
    }

    fn texts(&mut self, label: &str, texts: &[String]) {
        self.label(label);
        self.bytes(texts.iter().flat_map(|text| text_bytes(Some(text))).collect());
    }

    fn table(&mut self, label: &str, table: &Table) {
        self.label(label);
        self.0.update(&(table.n_rows() as u64).to_le_bytes());
        for column in table.columns() {
            self.column(column);
        }
    }

    fn column(&mut self, column: &Column) {
        self.label(&column.name);
        self.label(column.kind().as_str());
        match &column.data {
            ColumnData::Number(cells) => {
                self.bytes(cells.iter().flat_map(|cell| number_bytes(*cell)).collect())
            }
            ColumnData::Category { codes, levels } => {
                self.texts("levels", levels);
                self.bytes(codes.iter().flat_map(|code| code.to_le_bytes()).collect());
            }
            ColumnData::Boolean(cells) => self.bytes(cells.iter().map(|cell| tristate(*cell)).collect()),
            ColumnData::Date(cells) => self.bytes(cells.iter().flat_map(|cell| date_bytes(*cell)).collect()),
            ColumnData::Text(cells) => {
                self.bytes(
                    cells
                        .iter()
                        .flat_map(|cell| text_bytes(cell.as_deref()))
                        .collect(),
                );
            }
        }
    }

    fn numbers(&mut self, results: &BTreeMap<String, Vec<f64>>) {
        for (name, cells) in results {
            self.label("expression");
            self.label(name);
            self.bytes(cells.iter().flat_map(|cell| number_bytes(*cell)).collect());
        }
    }

    fn truths(&mut self, what: &str, results: &BTreeMap<String, Vec<bool>>) {
        for (name, cells) in results {
            self.label(what);
            self.label(name);
            self.bytes(cells.iter().map(|cell| u8::from(*cell)).collect());
        }
    }
}

/// All NaNs mean "missing" and hash alike.
fn number_bytes(cell: f64) -> [u8; 8] {
    let cell = if cell.is_nan() { f64::NAN } else { cell };
    cell.to_bits().to_le_bytes()
}

fn date_bytes(cell: Option<i64>) -> impl Iterator<Item = u8> {
    let [present, bytes] = [
        u64::from(cell.is_some()).to_le_bytes(),
        cell.unwrap_or(0).to_le_bytes(),
    ];
    present.into_iter().chain(bytes)
}

fn text_bytes(cell: Option<&str>) -> impl Iterator<Item = u8> {
    let length = cell.map_or(u64::MAX, |text| text.len() as u64);
    length
        .to_le_bytes()
        .into_iter()
        .chain(cell.unwrap_or_default().bytes())
}
