//! Carried columns looked into: the names of a file's columns, a batch's distinct texts, identities, and some of its rows.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray};
use datafusion::arrow::compute::{cast, filter};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use thalweg_domain::{Error, Result};

use super::{Batch, Shared, csv_rows::CsvRows, parquet_rows};
use crate::source::{Format, resolve};

/// The columns of the first file of a pattern, in its order.
///
/// # Errors
/// `TW0201` to `TW0222` for a file that cannot be read, `TW0216` for JSON lines, which have no header.
pub fn column_names(base: &Path, pattern: &str) -> Result<Vec<String>> {
    let file = resolve(base, pattern)?
        .into_iter()
        .next()
        .ok_or_else(|| Error::new("TW0222", format!("no file matches \"{pattern}\"")))?;
    match file.format {
        Format::Parquet => parquet_rows::column_names(&file),
        Format::Csv => {
            let nothing = Shared {
                columns: Vec::new(),
                carried: Vec::new(),
                carried_types: Vec::new(),
            };
            Ok(CsvRows::open(file, &nothing)?.into_names())
        }
        Format::JsonLines => Err(Error::new(
            "TW0216",
            format!("\"{}\" has no header: JSON lines cannot be read here", file.shown),
        )
        .hint("give a CSV or Parquet file")
        .at(&file.shown, None, None)),
    }
}

/// The distinct texts of a column in a batch.
pub struct Levels {
    /// In the order of their first row.
    pub names: Vec<String>,
    /// For each row the index of its text; `None` where the cell is missing.
    pub of_row: Vec<Option<u32>>,
}

impl Batch {
    /// The distinct texts of the carried column at this place; numbers are written out.
    ///
    /// # Errors
    /// `TW0901` when there is no such column (a fault of the caller).
    pub fn levels(&self, carried: usize) -> Result<Levels> {
        let texts = texts(self.carried_array(carried)?)?;
        let mut known: BTreeMap<&str, u32> = BTreeMap::new();
        let mut recent: Vec<(&str, u32)> = Vec::new();
        let mut levels = Levels {
            names: Vec::new(),
            of_row: Vec::with_capacity(texts.len()),
        };
        for text in &texts {
            let code = text.map(|text| {
                // a handful of levels is found faster by looking through them
                if let Some((_, code)) = recent.iter().find(|(name, _)| *name == text) {
                    return *code;
                }
                let code = *known.entry(text).or_insert_with(|| {
                    levels.names.push(text.to_owned());
                    u32::try_from(levels.names.len() - 1).unwrap_or(u32::MAX)
                });
                if recent.len() < 8 {
                    recent.push((text, code));
                }
                code
            });
            levels.of_row.push(code);
        }
        Ok(levels)
    }

    /// A number per row of the carried column at this place, the same for the same cell; `None` where it is missing.
    ///
    /// Different cells share a number with a probability of about `n * n / 2^65` among `n` of them.
    ///
    /// # Errors
    /// `TW0901` when there is no such column (a fault of the caller).
    pub fn identities(&self, carried: usize) -> Result<Vec<Option<u64>>> {
        let array = self.carried_array(carried)?;
        if array.data_type() == &DataType::Int64 {
            let whole = array.as_primitive::<Int64Type>();
            return Ok(whole.iter().map(|cell| cell.map(scattered)).collect());
        }
        let texts = texts(array)?;
        let mut last: Option<(&str, u64)> = None;
        let identity = |text: Option<&'_ str>| text.map(hash);
        let mut identities = Vec::with_capacity(texts.len());
        for text in &texts {
            // rows of one customer follow each other
            let known = last
                .filter(|(before, _)| Some(*before) == text)
                .map(|(_, hash)| hash);
            let own = known.or_else(|| identity(text));
            last = text.zip(own);
            identities.push(own);
        }
        Ok(identities)
    }

    /// The rows with `true`.
    ///
    /// # Errors
    /// `TW0901` when there is not one entry per row (a fault of the caller).
    pub fn kept(&self, rows: &[bool]) -> Result<Self> {
        let mask = BooleanArray::from(rows.to_vec());
        let carried = self.carried.iter().map(|array| filter(array, &mask));
        let picked: Vec<usize> = (0..rows.len())
            .filter(|row| rows.get(*row) == Some(&true))
            .collect();
        Ok(Self {
            table: self.table.take(&picked),
            tally: self.tally.clone(),
            first_row: self.first_row,
            carried: carried.collect::<std::result::Result<_, _>>().map_err(internal)?,
        })
    }

    fn carried_array(&self, at: usize) -> Result<&ArrayRef> {
        self.carried
            .get(at)
            .ok_or_else(|| internal(format!("there is no carried column {at}")))
    }
}

fn texts(array: &ArrayRef) -> Result<StringArray> {
    let texts = cast(array, &DataType::Utf8).map_err(internal)?;
    Ok(texts.as_string::<i32>().clone())
}

/// A number one to one with the cell, its bits well mixed (the finish of SplitMix64).
const fn scattered(cell: i64) -> u64 {
    let mut z = u64::from_le_bytes(cell.to_le_bytes());
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn hash(cell: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    cell.hash(&mut hasher);
    hasher.finish()
}

fn internal(cause: impl std::fmt::Display) -> Error {
    Error::new("TW0901", format!("internal error: carried columns: {cause}"))
}
