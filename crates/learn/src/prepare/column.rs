//! How one column is learned and encoded.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thalweg_domain::{Column, ColumnData, ColumnKind, Error, MISSING_LEVEL, Result};

use super::{DenseMatrix, MAX_LEVELS, MAX_RAW_ONE_HOT, RawMatrix};

const MICROS_PER_DAY: f64 = 86_400_000_000.0;
/// Numbers are clipped to the quartiles plus or minus this many inter-quartile ranges before scaling.
const CLIP_RANGES: f64 = 5.0;
/// No standardised cell is larger than this, so that one odd row cannot throw a net off.
const MAX_STANDARDISED: f64 = 10.0;

/// What was learned about one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Encoder {
    Number(Scale),
    Date(Scale),
    Boolean(Scale),
    Category(Levels),
}

/// Median, clipping range and standardisation of a number; `missing` is there if training had missing cells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Scale {
    median: f64,
    low: f64,
    high: f64,
    mean: f64,
    sd: f64,
    missing: Option<Moments>,
}

/// Mean and standard deviation of a 0/1 column.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Moments {
    mean: f64,
    sd: f64,
}

/// The levels of a category, most frequent first, and one 0/1 column for each of the first [`MAX_LEVELS`], for the
/// pooled rest, and for missing cells, if training had them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Levels {
    levels: Vec<String>,
    columns: Vec<Moments>,
    other: Option<Moments>,
    missing: Option<Moments>,
}

/// The cells of a column, read for one encoder: numbers (NaN is missing) or ranks into the encoder's levels.
pub(super) enum Cells {
    Numbers(Vec<f64>),
    Ranks(Vec<Rank>),
}

/// A category cell as the encoder sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Rank {
    Known(usize),
    Unseen,
    Missing,
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

    pub(super) fn dense_width(&self) -> usize {
        match self {
            Self::Number(scale) | Self::Date(scale) | Self::Boolean(scale) => {
                1 + usize::from(scale.missing.is_some())
            }
            Self::Category(levels) => levels.dense_columns().count(),
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

impl Scale {
    fn fit(cells: &[f64], clip: bool) -> Option<Self> {
        let mut sorted: Vec<f64> = cells.iter().copied().filter(|cell| !cell.is_nan()).collect();
        sorted.sort_by(f64::total_cmp);
        let (first, last) = (*sorted.first()?, *sorted.last()?);
        let n_missing = cells.len() - sorted.len();
        if first == last && n_missing == 0 {
            return None;
        }
        let median = quantile(&sorted, 0.5);
        let range = quantile(&sorted, 0.75) - quantile(&sorted, 0.25);
        let (low, high) = if clip && range > 0.0 {
            let reach = CLIP_RANGES * range;
            (
                first.max(quantile(&sorted, 0.25) - reach),
                last.min(quantile(&sorted, 0.75) + reach),
            )
        } else {
            (first, last)
        };
        let imputed = cells.iter().map(|cell| {
            if cell.is_nan() {
                median
            } else {
                cell.clamp(low, high)
            }
        });
        let Moments { mean, sd } = Moments::of(imputed);
        let missing = (n_missing > 0).then(|| Moments::of(cells.iter().map(|cell| f64::from(cell.is_nan()))));
        Some(Self {
            median,
            low,
            high,
            mean,
            sd,
            missing,
        })
    }

    fn write_dense(&self, numbers: &[f64], matrix: &mut DenseMatrix, offset: usize) {
        for (row, number) in numbers.iter().enumerate() {
            let filled = if number.is_nan() {
                self.median
            } else {
                number.clamp(self.low, self.high)
            };
            matrix.set(row, offset, standardise(filled, self.mean, self.sd));
            if let Some(moments) = self.missing {
                matrix.set(row, offset + 1, moments.standardise(number.is_nan()));
            }
        }
    }
}

impl Moments {
    fn of(cells: impl Iterator<Item = f64> + Clone) -> Self {
        let n = cells.clone().count() as f64;
        let mean = cells.clone().sum::<f64>() / n;
        let variance = cells.map(|cell| (cell - mean) * (cell - mean)).sum::<f64>() / n;
        Self {
            mean,
            sd: variance.sqrt(),
        }
    }

    fn of_share(count: usize, n: usize) -> Self {
        let mean = count as f64 / n as f64;
        Self {
            mean,
            sd: (mean * (1.0 - mean)).sqrt(),
        }
    }

    fn standardise(self, is_set: bool) -> f32 {
        standardise(f64::from(is_set), self.mean, self.sd)
    }
}

fn standardise(cell: f64, mean: f64, sd: f64) -> f32 {
    if sd > 0.0 {
        ((cell - mean) / sd).clamp(-MAX_STANDARDISED, MAX_STANDARDISED) as f32
    } else {
        0.0
    }
}

/// The quantile of sorted numbers, interpolated linearly (Hyndman and Fan's type 7).
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let position = p * (sorted.len() - 1) as f64;
    let below = position.floor();
    let index = below as usize;
    let upper = sorted[(index + 1).min(sorted.len() - 1)];
    sorted[index] + (position - below) * (upper - sorted[index])
}

impl Levels {
    fn fit(codes: &[u32], names: &[String], rows: &[usize]) -> Option<Self> {
        let mut counts = vec![0_usize; names.len()];
        let mut n_missing = 0;
        for row in rows {
            match codes[*row] {
                MISSING_LEVEL => n_missing += 1,
                code => counts[code as usize] += 1,
            }
        }
        let mut seen: Vec<usize> = (0..names.len()).filter(|level| counts[*level] > 0).collect();
        seen.sort_by(|a, b| {
            counts[*b]
                .cmp(&counts[*a])
                .then_with(|| names[*a].cmp(&names[*b]))
        });
        if seen.len() + usize::from(n_missing > 0) < 2 {
            return None;
        }
        let n = rows.len();
        let kept = if seen.len() > MAX_LEVELS {
            MAX_LEVELS
        } else {
            seen.len()
        };
        let pooled: usize = seen[kept..].iter().map(|level| counts[*level]).sum();
        Some(Self {
            columns: seen[..kept]
                .iter()
                .map(|level| Moments::of_share(counts[*level], n))
                .collect(),
            other: (pooled > 0).then(|| Moments::of_share(pooled, n)),
            missing: (n_missing > 0).then(|| Moments::of_share(n_missing, n)),
            levels: seen.into_iter().map(|level| names[level].clone()).collect(),
        })
    }

    const fn one_hot_in_raw(&self) -> bool {
        self.levels.len() <= MAX_RAW_ONE_HOT
    }

    /// The ranks with a raw 0/1 column of their own: one column says all about two levels.
    fn raw_ranks(&self) -> std::ops::Range<usize> {
        usize::from(self.levels.len() == 2)..self.levels.len()
    }

    fn ranks(&self, codes: &[u32], names: &[String], rows: &[usize]) -> Vec<Rank> {
        let known: BTreeMap<&str, usize> = self
            .levels
            .iter()
            .enumerate()
            .map(|(rank, level)| (level.as_str(), rank))
            .collect();
        let ranks: Vec<Rank> = names
            .iter()
            .map(|name| {
                known
                    .get(name.as_str())
                    .map_or(Rank::Unseen, |rank| Rank::Known(*rank))
            })
            .collect();
        rows.iter()
            .map(|row| match codes[*row] {
                MISSING_LEVEL => Rank::Missing,
                code => ranks[code as usize],
            })
            .collect()
    }

    /// The dense columns in order: kept levels, the pooled rest, missing.
    fn dense_columns(&self) -> impl Iterator<Item = (DenseLevel, Moments)> + '_ {
        let kept = self
            .columns
            .iter()
            .enumerate()
            .map(|(rank, moments)| (DenseLevel::Kept(rank), *moments));
        let other = self.other.iter().map(|moments| (DenseLevel::Other, *moments));
        let missing = self.missing.iter().map(|moments| (DenseLevel::Missing, *moments));
        kept.chain(other).chain(missing)
    }

    /// An unseen level is *other* where the rest was pooled; else, like a missing cell that training did not
    /// have, it sets none of the columns.
    fn write_dense(&self, ranks: &[Rank], matrix: &mut DenseMatrix, offset: usize) {
        let kept = self.columns.len();
        for (column, (level, moments)) in self.dense_columns().enumerate() {
            for (row, rank) in ranks.iter().enumerate() {
                let is_set = match (level, rank) {
                    (DenseLevel::Kept(own), Rank::Known(rank)) => own == *rank,
                    (DenseLevel::Other, Rank::Known(rank)) => *rank >= kept,
                    (DenseLevel::Other, Rank::Unseen) | (DenseLevel::Missing, Rank::Missing) => true,
                    _ => false,
                };
                matrix.set(row, offset + column, moments.standardise(is_set));
            }
        }
    }

    /// One-hot: unseen sets none, missing is NaN. By rank: unseen comes after the rarest level.
    fn write_raw(&self, ranks: &[Rank], matrix: &mut RawMatrix) {
        let cell = |rank: &Rank, of_known: &dyn Fn(usize) -> f64, unseen: f64| match rank {
            Rank::Known(rank) => of_known(*rank),
            Rank::Unseen => unseen,
            Rank::Missing => f64::NAN,
        };
        if self.one_hot_in_raw() {
            for own in self.raw_ranks() {
                matrix.push_column(
                    ranks
                        .iter()
                        .map(|rank| cell(rank, &|rank| f64::from(rank == own), 0.0)),
                );
            }
        } else {
            let last = self.levels.len() as f64;
            matrix.push_column(ranks.iter().map(|rank| cell(rank, &|rank| rank as f64, last)));
        }
    }
}

#[derive(Clone, Copy)]
enum DenseLevel {
    Kept(usize),
    Other,
    Missing,
}
