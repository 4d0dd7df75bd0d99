//! How one column is learned and encoded.

use serde::{Deserialize, Serialize};
use thalweg_domain::{Column, ColumnData, ColumnKind, Error, Result};

use super::RawMatrix;
use super::levels::{DenseLevel, Levels, Rank};
use super::scale::Scale;
use super::text::{TextCells, TextEncoder};

const MICROS_PER_DAY: f64 = 86_400_000_000.0;

/// What was learned about one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Encoder {
    Number(Scale),
    Date(Scale),
    Boolean(Scale),
    Category(Levels),
    Text(Box<TextEncoder>),
}

/// A table's column as an encoder reads it; what depends on the whole column has been looked up.
pub(super) enum Reader<'t> {
    Numbers(&'t str, &'t [f64]),
    Booleans(&'t [Option<bool>]),
    Dates(&'t [Option<i64>]),
    /// Codes, and the rank of each.
    Codes(&'t [u32], Vec<Rank>),
    /// Words, one by one.
    Words(&'t [Option<String>], &'t Levels),
    Text(TextCells<'t>),
    /// The raw columns of a text, made before.
    Made(Vec<&'t [f64]>),
    /// No cell has a value.
    Absent,
}

/// Some cells of a column, read for one encoder: numbers (NaN is missing), ranks into the encoder's levels, or the raw
/// columns of a text.
pub(super) enum Cells {
    Numbers(Vec<f64>),
    Ranks(Vec<Rank>),
    Columns(Vec<Vec<f64>>),
}

impl Encoder {
    /// Learns a column from its training rows; `None` when it does not vary.
    pub(super) fn fit(column: &Column, rows: &[usize]) -> Result<Option<Self>> {
        Ok(match &column.data {
            ColumnData::Category { codes, levels } => Levels::fit(codes, levels, rows).map(Self::Category),
            ColumnData::Text(_) => {
                TextEncoder::fit(TextCells::of(column), rows).map(|text| Self::Text(Box::new(text)))
            }
            ColumnData::Number(_) => Scale::fit(&numbers(column, rows)?, true).map(Self::Number),
            ColumnData::Date(_) => Scale::fit(&numbers(column, rows)?, true).map(Self::Date),
            ColumnData::Boolean(_) => Scale::fit(&numbers(column, rows)?, false).map(Self::Boolean),
        })
    }

    pub(super) const fn kind(&self) -> ColumnKind {
        match self {
            Self::Number(_) => ColumnKind::Number,
            Self::Date(_) => ColumnKind::Date,
            Self::Boolean(_) => ColumnKind::Boolean,
            Self::Category(_) => ColumnKind::Category,
            Self::Text(_) => ColumnKind::Text,
        }
    }

    /// Whether a column of that kind can be read: its own, and words for words.
    pub(super) fn reads(&self, kind: ColumnKind) -> bool {
        let is_words = |kind| matches!(kind, ColumnKind::Category | ColumnKind::Text);
        kind == self.kind() || (is_words(kind) && is_words(self.kind()))
    }

    /// The levels of training, sorted; empty unless it is a category.
    pub(super) fn levels(&self) -> Vec<String> {
        let Self::Category(levels) = self else {
            return Vec::new();
        };
        let mut names = levels.names().to_vec();
        names.sort();
        names
    }

    pub(super) fn dense_width(&self) -> usize {
        match self {
            Self::Number(scale) | Self::Date(scale) | Self::Boolean(scale) => scale.width(),
            Self::Category(levels) => levels.dense_columns().count(),
            Self::Text(text) => text.scales().map(Scale::width).sum(),
        }
    }

    pub(super) fn dense_names(&self, name: &str) -> Vec<String> {
        let missing = |name: &str| format!("{name} is missing");
        let scaled = |name: String, scale: &Scale| {
            let indicator = scale.has_missing().then(|| missing(&name));
            std::iter::once(name).chain(indicator)
        };
        match self {
            Self::Number(scale) | Self::Date(scale) | Self::Boolean(scale) => {
                scaled(name.to_owned(), scale).collect()
            }
            Self::Category(levels) => levels
                .dense_columns()
                .map(|(level, _)| match level {
                    DenseLevel::Kept(rank) => format!("{name} = {}", levels.level(rank)),
                    DenseLevel::Other => format!("{name} = other"),
                    DenseLevel::Missing => missing(name),
                })
                .collect(),
            Self::Text(text) => {
                let named = text.raw_names(name).into_iter().zip(text.scales());
                named.flat_map(|(name, scale)| scaled(name, scale)).collect()
            }
        }
    }

    pub(super) fn raw_width(&self) -> usize {
        match self {
            Self::Category(levels) if levels.one_hot_in_raw() => levels.raw_ranks().len(),
            Self::Text(text) => text.scales().count(),
            _ => 1,
        }
    }

    /// Writes the cells into rows of `width` columns, from column `offset` on.
    pub(super) fn write_dense(&self, cells: &Cells, rows: &mut [f32], (width, offset): (usize, usize)) {
        match (self, cells) {
            (Self::Category(levels), Cells::Ranks(ranks)) => levels.write_dense(ranks, rows, (width, offset)),
            (Self::Number(scale) | Self::Date(scale) | Self::Boolean(scale), Cells::Numbers(numbers)) => {
                scale.write_dense(numbers, rows, (width, offset));
            }
            (Self::Text(text), Cells::Columns(columns)) => {
                let mut offset = offset;
                for (scale, numbers) in text.scales().zip(columns) {
                    scale.write_dense(numbers, rows, (width, offset));
                    offset += scale.width();
                }
            }
            _ => {}
        }
    }

    pub(super) fn write_raw(&self, cells: &Cells, matrix: &mut RawMatrix) {
        match (self, cells) {
            (Self::Category(levels), Cells::Ranks(ranks)) => levels.write_raw(ranks, matrix),
            (_, Cells::Numbers(numbers)) => matrix.push_column(numbers.iter().copied()),
            (_, Cells::Columns(columns)) => {
                columns
                    .iter()
                    .for_each(|column| matrix.push_column(column.iter().copied()));
            }
            _ => {}
        }
    }

    /// How to read a column that [`Self::reads`] allows, or one without a value.
    pub(super) fn reader<'t>(&'t self, column: &'t Column) -> Reader<'t> {
        match (self, &column.data) {
            (Self::Category(known), ColumnData::Category { codes, levels }) => {
                Reader::Codes(codes, known.ranks(levels))
            }
            (Self::Category(known), ColumnData::Text(words)) => Reader::Words(words, known),
            (Self::Text(_), ColumnData::Text(_) | ColumnData::Category { .. }) => {
                Reader::Text(TextCells::of(column))
            }
            (Self::Number(_), ColumnData::Number(cells)) => Reader::Numbers(&column.name, cells),
            (Self::Boolean(_), ColumnData::Boolean(cells)) => Reader::Booleans(cells),
            (Self::Date(_), ColumnData::Date(cells)) => Reader::Dates(cells),
            _ => Reader::Absent,
        }
    }

    /// Reads some rows.
    ///
    /// # Errors
    /// `TW0304` for an infinite number.
    pub(super) fn read(&self, reader: &Reader<'_>, rows: &[usize]) -> Result<Cells> {
        Ok(match (self, reader) {
            (_, Reader::Numbers(name, cells)) => Cells::Numbers(finite(name, cells, rows)?),
            (_, Reader::Booleans(cells)) => Cells::Numbers(booleans(cells, rows)),
            (_, Reader::Dates(cells)) => Cells::Numbers(days(cells, rows)),
            (_, Reader::Codes(codes, ranks)) => {
                Cells::Ranks(rows.iter().map(|row| Levels::rank(ranks, codes[*row])).collect())
            }
            (_, Reader::Words(words, known)) => Cells::Ranks(
                rows.iter()
                    .map(|row| known.rank_of(words[*row].as_deref()))
                    .collect(),
            ),
            (_, Reader::Made(columns)) => {
                let taken = |column: &&[f64]| rows.iter().map(|row| column[*row]).collect();
                Cells::Columns(columns.iter().map(taken).collect())
            }
            (Self::Text(text), Reader::Text(cells)) => Cells::Columns(text.raw(*cells, rows)),
            (Self::Text(text), _) => Cells::Columns(text.raw(TextCells::Absent, rows)),
            (Self::Category(_), _) => Cells::Ranks(vec![Rank::Missing; rows.len()]),
            _ => Cells::Numbers(vec![f64::NAN; rows.len()]),
        })
    }
}

/// The cells of a number, boolean (0 or 1) or date (days since 1970) column.
fn numbers(column: &Column, rows: &[usize]) -> Result<Vec<f64>> {
    match &column.data {
        ColumnData::Number(cells) => finite(&column.name, cells, rows),
        ColumnData::Boolean(cells) => Ok(booleans(cells, rows)),
        ColumnData::Date(cells) => Ok(days(cells, rows)),
        ColumnData::Category { .. } | ColumnData::Text(_) => Ok(vec![f64::NAN; rows.len()]),
    }
}

fn booleans(cells: &[Option<bool>], rows: &[usize]) -> Vec<f64> {
    rows.iter()
        .map(|row| cells[*row].map_or(f64::NAN, f64::from))
        .collect()
}

fn days(cells: &[Option<i64>], rows: &[usize]) -> Vec<f64> {
    rows.iter()
        .map(|row| cells[*row].map_or(f64::NAN, |micros| micros as f64 / MICROS_PER_DAY))
        .collect()
}

fn finite(name: &str, cells: &[f64], rows: &[usize]) -> Result<Vec<f64>> {
    let cells: Vec<f64> = rows.iter().map(|row| cells[*row]).collect();
    if let Some(position) = cells.iter().position(|cell| cell.is_infinite()) {
        let message = format!(
            "column \"{name}\" is infinite in row {} of the table",
            rows[position] + 1
        );
        return Err(
            Error::new("TW0304", message).hint("mend the cell, or leave it empty: missing cells are imputed")
        );
    }
    Ok(cells)
}
