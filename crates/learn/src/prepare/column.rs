//! How one column is learned and encoded.

use serde::{Deserialize, Serialize};
use thalweg_domain::{Column, ColumnData, ColumnKind, Error, Result};

use super::levels::{DenseLevel, Levels, Rank};
use super::scale::Scale;
use super::{DenseMatrix, RawMatrix};

const MICROS_PER_DAY: f64 = 86_400_000_000.0;
/// What was learned about one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Encoder {
    Number(Scale),
    Date(Scale),
    Boolean(Scale),
    Category(Levels),
}

/// The cells of a column, read for one encoder: numbers (NaN is missing) or ranks into the encoder's levels.
pub(super) enum Cells {
    Numbers(Vec<f64>),
    Ranks(Vec<Rank>),
}

impl Encoder {
    /// Learns a column from its training rows; `None` when it does not vary.
    pub(super) fn fit(column: &Column, rows: &[usize]) -> Result<Option<Self>> {
        Ok(match &column.data {
            ColumnData::Category { codes, levels } => Levels::fit(codes, levels, rows).map(Self::Category),
            ColumnData::Text(_) => None,
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
        }
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
            Self::Number(scale) | Self::Date(scale) | Self::Boolean(scale) => {
                1 + usize::from(scale.has_missing())
            }
            Self::Category(levels) => levels.dense_columns().count(),
        }
    }

    pub(super) fn dense_names(&self, name: &str) -> Vec<String> {
        let missing = || format!("{name} is missing");
        match self {
            Self::Number(scale) | Self::Date(scale) | Self::Boolean(scale) => {
                std::iter::once(name.to_owned())
                    .chain(scale.has_missing().then(missing))
                    .collect()
            }
            Self::Category(levels) => levels
                .dense_columns()
                .map(|(level, _)| match level {
                    DenseLevel::Kept(rank) => format!("{name} = {}", levels.level(rank)),
                    DenseLevel::Other => format!("{name} = other"),
                    DenseLevel::Missing => missing(),
                })
                .collect(),
        }
    }

    pub(super) fn raw_width(&self) -> usize {
        match self {
            Self::Category(levels) if levels.one_hot_in_raw() => levels.raw_ranks().len(),
            _ => 1,
        }
    }

    pub(super) fn write_dense(&self, cells: &Cells, matrix: &mut DenseMatrix, offset: usize) {
        match (self, cells) {
            (Self::Category(levels), Cells::Ranks(ranks)) => levels.write_dense(ranks, matrix, offset),
            (Self::Number(scale) | Self::Date(scale) | Self::Boolean(scale), Cells::Numbers(numbers)) => {
                scale.write_dense(numbers, matrix, offset);
            }
            _ => {}
        }
    }

    pub(super) fn write_raw(&self, cells: &Cells, matrix: &mut RawMatrix) {
        match (self, cells) {
            (Self::Category(levels), Cells::Ranks(ranks)) => levels.write_raw(ranks, matrix),
            (_, Cells::Numbers(numbers)) => matrix.push_column(numbers.iter().copied()),
            _ => {}
        }
    }
}

impl Cells {
    /// Reads the given rows of a column that [`super::Preparer`] has found to fit the encoder.
    pub(super) fn new(column: &Column, encoder: &Encoder, rows: &[usize]) -> Result<Self> {
        match (encoder, &column.data) {
            (Encoder::Category(known), ColumnData::Category { codes, levels }) => {
                Ok(Self::Ranks(known.ranks(codes, levels, rows)))
            }
            (Encoder::Category(_), _) => Ok(Self::Ranks(vec![Rank::Missing; rows.len()])),
            (_, ColumnData::Category { .. } | ColumnData::Text(_)) => {
                Ok(Self::Numbers(vec![f64::NAN; rows.len()]))
            }
            _ => numbers(column, rows).map(Self::Numbers),
        }
    }
}

/// The cells of a number, boolean (0 or 1) or date (days since 1970) column.
fn numbers(column: &Column, rows: &[usize]) -> Result<Vec<f64>> {
    let cells: Vec<f64> = match &column.data {
        ColumnData::Number(cells) => rows.iter().map(|row| cells[*row]).collect(),
        ColumnData::Boolean(cells) => rows
            .iter()
            .map(|row| cells[*row].map_or(f64::NAN, f64::from))
            .collect(),
        ColumnData::Date(cells) => rows
            .iter()
            .map(|row| cells[*row].map_or(f64::NAN, |micros| micros as f64 / MICROS_PER_DAY))
            .collect(),
        ColumnData::Category { .. } | ColumnData::Text(_) => vec![f64::NAN; rows.len()],
    };
    if let Some(position) = cells.iter().position(|cell| cell.is_infinite()) {
        let message = format!(
            "column \"{}\" is infinite in row {} of the table",
            column.name,
            rows[position] + 1
        );
        return Err(
            Error::new("TW0304", message).hint("mend the cell, or leave it empty: missing cells are imputed")
        );
    }
    Ok(cells)
}
