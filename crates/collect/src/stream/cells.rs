//! From text or typed arrays to a column of the wanted kind, counting as it goes.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::arrow::error::ArrowError;
use thalweg_domain::{Column, ColumnData, ColumnKind, ColumnSchema, Error, MISSING_LEVEL};

use super::tally::ColumnTally;
use crate::arrow::{dates, numbers};
use crate::infer::{Cell, is_missing, shortened};
use crate::spec::MissingTokens;

/// A column that is read, with what a cell of it may be.
pub(super) struct Wanted {
    schema: ColumnSchema,
    /// Texts that mean "missing" besides the usual ones.
    tokens: Vec<String>,
    /// Those of them that are numbers.
    number_tokens: Vec<f64>,
    /// Whether some level of training is a word: then a file without any word holds something else.
    has_words: bool,
}

/// A cell that cannot be used: its row among the cells, and why.
pub(super) struct Fault {
    pub(super) row: usize,
    text: String,
    infinite: bool,
}

/// Cells of text become a column of a kind.
type Typed<T> = Result<Vec<T>, Fault>;

impl Wanted {
    pub(super) fn new(schema: &ColumnSchema, missing: &MissingTokens) -> Self {
        let tokens = missing.get(&schema.name).cloned().unwrap_or_default();
        Self {
            number_tokens: tokens
                .iter()
                .filter_map(|token| token.trim().parse().ok())
                .collect(),
            has_words: schema
                .levels
                .iter()
                .any(|level| Cell::of(level, &[]) == Cell::Word),
            tokens,
            schema: schema.clone(),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.schema.name
    }

    /// Whether a typed column of a file can hold what is wanted.
    pub(super) fn fits(&self, data_type: &DataType) -> bool {
        match (self.schema.kind, data_type) {
            (_, DataType::Null) => true,
            (_, DataType::Dictionary(_, value)) => self.fits(value),
            (_, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) => true,
            (ColumnKind::Number, DataType::Duration(_)) => true,
            (ColumnKind::Number, other) => other.is_numeric(),
            (ColumnKind::Boolean, DataType::Boolean) => true,
            (ColumnKind::Date, DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _)) => true,
            _ => false,
        }
    }

    /// The error for a file whose column is of another kind altogether.
    pub(super) fn misfit(&self, found: &str, shown: &str) -> Error {
        let message = format!(
            "column \"{}\" was of kind {} in training, here it is {found}",
            self.name(),
            self.schema.kind.as_str()
        );
        Error::new("TW0306", message)
            .hint("give the column the same kind as in training, or train again on such a table")
            .at(shown, None, Some(self.name()))
    }

    /// The column of these texts.
    pub(super) fn text_column<'t>(
        &self,
        texts: impl Iterator<Item = &'t str> + Clone,
    ) -> Result<(Column, ColumnTally), Fault> {
        let mut tally = ColumnTally::of(self.name());
        tally.met = true;
        let data = match self.schema.kind {
            ColumnKind::Number => ColumnData::Number(self.number_cells(texts)?),
            ColumnKind::Boolean => ColumnData::Boolean(self.each(texts, |cell| match cell {
                Cell::Boolean(truth) => Some(truth),
                _ => None,
            })?),
            ColumnKind::Date => ColumnData::Date(self.each(texts, |cell| match cell {
                Cell::Date(micros) => Some(micros),
                _ => None,
            })?),
            ColumnKind::Text => ColumnData::Text(
                texts
                    .map(|text| (!is_missing(text, &self.tokens)).then(|| text.to_owned()))
                    .collect(),
            ),
            ColumnKind::Category => self.category(texts, &mut tally),
        };
        Ok(self.counted(data, tally))
    }

    /// The column of an array whose type [`Self::fits`].
    pub(super) fn array_column(&self, array: &ArrayRef) -> Result<(Column, ColumnTally), Trouble> {
        let typed = match (self.schema.kind, array.data_type()) {
            (_, DataType::Null) => self.all_missing(array.len()),
            (ColumnKind::Number, data_type) if !is_text(data_type) => {
                ColumnData::Number(self.plain_numbers(array)?)
            }
            (ColumnKind::Boolean, data_type) if !is_text(data_type) => {
                ColumnData::Boolean(cast(array, &DataType::Boolean)?.as_boolean().iter().collect())
            }
            (ColumnKind::Date, data_type) if !is_text(data_type) => ColumnData::Date(dates(array)?),
            _ => {
                let texts = cast(array, &DataType::Utf8)?;
                let texts = texts.as_string::<i32>();
                let cells = texts.iter().map(|cell| cell.unwrap_or_default().trim());
                return Ok(self.text_column(cells)?);
            }
        };
        let mut tally = ColumnTally::of(self.name());
        tally.met = true;
        Ok(self.counted(typed, tally))
    }

    fn all_missing(&self, n: usize) -> ColumnData {
        match self.schema.kind {
            ColumnKind::Number => ColumnData::Number(vec![f64::NAN; n]),
            ColumnKind::Boolean => ColumnData::Boolean(vec![None; n]),
            ColumnKind::Date => ColumnData::Date(vec![None; n]),
            ColumnKind::Text => ColumnData::Text(vec![None; n]),
            ColumnKind::Category => ColumnData::Category {
                codes: vec![MISSING_LEVEL; n],
                levels: self.schema.levels.clone(),
            },
        }
    }

    fn counted(&self, data: ColumnData, mut tally: ColumnTally) -> (Column, ColumnTally) {
        let missing = match &data {
            ColumnData::Number(cells) => cells.iter().filter(|cell| cell.is_nan()).count(),
            ColumnData::Category { codes, .. } => codes.iter().filter(|code| **code == MISSING_LEVEL).count(),
            ColumnData::Boolean(cells) => cells.iter().filter(|cell| cell.is_none()).count(),
            ColumnData::Date(cells) => cells.iter().filter(|cell| cell.is_none()).count(),
            ColumnData::Text(cells) => cells.iter().filter(|cell| cell.is_none()).count(),
        };
        let column = Column {
            name: self.schema.name.clone(),
            data,
        };
        tally.missing = missing as u64;
        tally.present = (column.len() - missing) as u64;
        (column, tally)
    }

    /// Typed numbers; tokens are missing, an infinite one is refused.
    fn plain_numbers(&self, array: &ArrayRef) -> Result<Vec<f64>, Trouble> {
        let mut cells = match array.as_primitive_opt::<Float64Type>() {
            Some(plain) if plain.null_count() == 0 => plain.values().to_vec(),
            _ => numbers(array)?,
        };
        if !self.number_tokens.is_empty() {
            for cell in &mut cells {
                if self.number_tokens.contains(cell) {
                    *cell = f64::NAN;
                }
            }
        }
        // the branch-free pass over all cells finds out whether any is infinite at all
        if cells.iter().fold(false, |any, cell| any | cell.is_infinite()) {
            let row = cells.iter().position(|cell| cell.is_infinite()).unwrap_or(0);
            let text = cells.get(row).map_or_else(String::new, ToString::to_string);
            return Err(Fault {
                row,
                text,
                infinite: true,
            }
            .into());
        }
        Ok(cells)
    }

    fn number_cells<'t>(&self, texts: impl Iterator<Item = &'t str>) -> Typed<f64> {
        let number = |(row, text): (usize, &str)| match Cell::of(text, &self.tokens) {
            Cell::Number(number) => Ok(number),
            Cell::Missing => Ok(f64::NAN),
            cell => Err(fault(row, text, cell)),
        };
        texts.enumerate().map(number).collect()
    }

    fn each<'t, T>(
        &self,
        texts: impl Iterator<Item = &'t str>,
        value: impl Fn(Cell) -> Option<T>,
    ) -> Typed<Option<T>> {
        let read = |(row, text): (usize, &str)| match Cell::of(text, &self.tokens) {
            Cell::Missing => Ok(None),
            cell => value(cell).map(Some).ok_or_else(|| fault(row, text, cell)),
        };
        texts.enumerate().map(read).collect()
    }

    /// Codes into the levels of training; what training did not have shares one further level.
    fn category<'t>(
        &self,
        texts: impl Iterator<Item = &'t str> + Clone,
        tally: &mut ColumnTally,
    ) -> ColumnData {
        let mut levels = self.schema.levels.clone();
        let unseen_text = texts
            .clone()
            .find(|text| !is_missing(text, &self.tokens) && self.known(text).is_none());
        let unseen_at = unseen_text.map(|text| {
            let at = levels.partition_point(|level| level.as_str() < text);
            levels.insert(at, text.to_owned());
            at
        });
        let code = |text: &str, tally: &mut ColumnTally| {
            if is_missing(text, &self.tokens) {
                return MISSING_LEVEL;
            }
            let at = match (self.known(text), unseen_at) {
                (Some(at), Some(unseen)) if at >= unseen => at + 1,
                (Some(at), _) => at,
                (None, unseen) => {
                    tally.unseen += 1;
                    tally.words += u64::from(!self.has_words || Cell::of(text, &self.tokens) == Cell::Word);
                    tally.add_example(text);
                    unseen.unwrap_or(levels.len())
                }
            };
            u32::try_from(at).unwrap_or(MISSING_LEVEL)
        };
        ColumnData::Category {
            codes: texts.map(|text| code(text, tally)).collect(),
            levels,
        }
    }

    fn known(&self, text: &str) -> Option<usize> {
        self.schema
            .levels
            .binary_search_by(|level| level.as_str().cmp(text))
            .ok()
    }

    /// The error for a cell, without its place.
    pub(super) fn unusable(&self, fault: &Fault) -> Error {
        let (name, shown) = (self.name(), shortened(&fault.text));
        if fault.infinite {
            return Error::new(
                "TW0223",
                format!("column \"{name}\" has an infinite number, \"{shown}\""),
            )
            .hint("mend the cell, or leave it empty: missing cells are imputed");
        }
        let kind = self.schema.kind.as_str();
        Error::new(
            "TW0306",
            format!("column \"{name}\" was of kind {kind} in training, here it is \"{shown}\""),
        )
        .hint("mend the cell, leave it empty (missing cells are imputed), or train again on such a table")
    }
}

/// What can go wrong with an array.
pub(super) enum Trouble {
    Cell(Fault),
    Array(ArrowError),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Cell(fault)
    }
}

impl From<ArrowError> for Trouble {
    fn from(cause: ArrowError) -> Self {
        Self::Array(cause)
    }
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, value) => is_text(value),
        _ => false,
    }
}

fn fault(row: usize, text: &str, cell: Cell) -> Fault {
    Fault {
        row,
        text: text.to_owned(),
        infinite: cell == Cell::Infinite,
    }
}
