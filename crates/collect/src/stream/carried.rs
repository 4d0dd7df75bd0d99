//! Carried columns looked into: the names of a file's columns, a batch's distinct texts, identities, and some of its rows.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use datafusion::arrow::array::{AnyDictionaryArray, Array, ArrayRef, AsArray, BooleanArray, StringArray};
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

/// Texts met so far, and their codes.
#[derive(Default)]
struct Known {
    names: Vec<String>,
    codes: BTreeMap<String, u32>,
}

/// A handful of levels is found faster by looking through them.
const FEW: usize = 8;

impl Known {
    fn code(&mut self, text: &str) -> u32 {
        if let Some(place) = self.names.iter().take(FEW).position(|name| name == text) {
            return u32::try_from(place).unwrap_or(u32::MAX);
        }
        if let Some(code) = self.codes.get(text) {
            return *code;
        }
        let code = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.codes.insert(text.to_owned(), code);
        self.names.push(text.to_owned());
        code
    }

    /// Each of the dictionary's texts is looked up once, not once a row.
    fn of_dictionary(&mut self, dictionary: &dyn AnyDictionaryArray) -> Result<Vec<Option<u32>>> {
        let texts = texts(dictionary.values())?;
        if texts.is_empty() {
            return Ok(vec![None; dictionary.len()]);
        }
        let mut codes: Vec<Option<u32>> = vec![None; texts.len()];
        let keys = dictionary.normalized_keys().into_iter().enumerate();
        let of_row = keys.map(|(row, key)| {
            if dictionary.is_null(row) || texts.is_null(key) {
                return None;
            }
            let code = codes.get_mut(key)?;
            Some(*code.get_or_insert_with(|| self.code(texts.value(key))))
        });
        Ok(of_row.collect())
    }
}

impl Batch {
    /// The distinct texts of the carried column at this place; numbers are written out.
    ///
    /// # Errors
    /// `TW0901` when there is no such column (a fault of the caller).
    pub fn levels(&self, carried: usize) -> Result<Levels> {
        let array = self.carried_array(carried)?;
        let mut known = Known::default();
        let of_row = match array.as_any_dictionary_opt() {
            Some(dictionary) => known.of_dictionary(dictionary)?,
            None => texts(array)?
                .iter()
                .map(|text| text.map(|text| known.code(text)))
                .collect(),
        };
        Ok(Levels {
            names: known.names,
            of_row,
        })
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{DictionaryArray, Int8Array};
    use thalweg_domain::Table;

    use super::*;
    use crate::stream::Tally;

    #[test]
    fn a_dictionary_has_the_levels_of_its_texts() {
        let keys = Int8Array::from(vec![Some(2), Some(0), None, Some(2), Some(1)]);
        let texts = StringArray::from(vec![Some("x"), None, Some("y")]);
        let coded = DictionaryArray::try_new(keys, Arc::new(texts)).unwrap();
        let plain = StringArray::from(vec![Some("y"), Some("x"), None, Some("y"), None]);
        let nothing = DictionaryArray::try_new(
            Int8Array::from(vec![None, None]),
            Arc::new(StringArray::from(Vec::<&str>::new())),
        );
        let batch = Batch {
            table: Table::default(),
            tally: Tally::default(),
            first_row: 1,
            carried: vec![Arc::new(coded), Arc::new(plain), Arc::new(nothing.unwrap())],
        };
        for place in [0, 1] {
            let levels = batch.levels(place).unwrap();
            assert_eq!(levels.names, ["y", "x"], "{place}");
            assert_eq!(levels.of_row, [Some(0), Some(1), None, Some(0), None], "{place}");
        }
        assert_eq!(batch.levels(2).unwrap().of_row, [None, None]);
        assert!(batch.levels(3).is_err_and(|error| error.code == "TW0901"));
    }
}
