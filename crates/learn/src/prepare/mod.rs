//! From a typed table to the numbers that models read: impute, encode, scale, fitted on training rows only.
//!
//! Two encodings of the same columns. *Dense* is for the net and the logistic regression: missing numbers become
//! the training median with an indicator column, categories one-hot, everything standardised to mean 0 and
//! standard deviation 1 over the training rows. *Raw* is for trees: numbers as they are with NaN for missing,
//! categories of up to [`MAX_RAW_ONE_HOT`] levels one-hot, larger ones as the rank of the level by training
//! frequency (0 is the most frequent), which a tree can split without a column per level.
//!
//! Text is read in two ways. [`Preparer::fit_supervised`] gives nets and trees a few plain numbers and the scores of a
//! sparse linear model of the text; the linear models read the TF-IDF weights of its terms beside the dense columns
//! ([`Preparer::fit_terms`]). [`Preparer::fit`] does not read it: such columns are named by [`Preparer::ignored`].
//! Columns without variation in training are left out of the encodings.

mod codes;
mod column;
mod levels;
mod matrix;
mod scale;
pub(crate) mod structure;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use thalweg_domain::{Column, ColumnData, ColumnKind, ColumnSchema, Error, Result, Seed, Table};

pub(crate) use codes::Codes;
pub(crate) use matrix::{DenseMatrix, RawMatrix, SparseMatrix};

use crate::models::logistic::{Inputs, Terms};
use crate::task::Examples;
use column::{Encoder, Reader};
use text::TextCells;

/// Levels of a category that get a column of their own in the dense encoding; the rest are pooled into "other".
pub const MAX_LEVELS: usize = 50;
/// Categories with more levels than this are encoded by frequency rank in the raw encoding.
pub const MAX_RAW_ONE_HOT: usize = 12;

/// Rows that are encoded in one go: their cells of all columns stay in the cache.
const BLOCK: usize = 1024;

/// The fitted preparation of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preparer {
    columns: Vec<PreparedColumn>,
    ignored: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct PreparedColumn {
    name: String,
    encoder: Encoder,
}

impl Preparer {
    /// Learns medians, levels, means and scales from the given rows of a table. Text is not read.
    ///
    /// # Errors
    /// `TW0303` when there are no rows or no column that varies; `TW0304` for an infinite number.
    pub fn fit(table: &Table, rows: &[usize]) -> Result<Self> {
        Self::learn(table, rows, false)
    }

    /// The same, and the terms of text columns, for the linear models: see [`Self::inputs`].
    ///
    /// # Errors
    /// As [`Self::fit`].
    pub(crate) fn fit_terms(table: &Table, rows: &[usize]) -> Result<Self> {
        Self::learn(table, rows, true)
    }

    /// The same, and for each text column a linear model whose scores nets and trees read. `examples` are those of
    /// `rows`, in the same order.
    ///
    /// The second result is the table to train on, if there is text: in it the texts have been replaced by what the
    /// encodings are made of, with out-of-fold scores, so that a model learns how far to trust them. The penalties of
    /// columns that are not given one are chosen out of fold.
    ///
    /// # Errors
    /// As [`Self::fit`], and `TW0308` when the model of a text does not converge.
    pub(crate) fn fit_supervised(
        table: &Table,
        rows: &[usize],
        examples: &Examples,
        (penalties, seed): (&BTreeMap<String, f64>, Seed),
    ) -> Result<(Self, Option<Table>)> {
        let mut preparer = Self::learn(table, rows, true)?;
        let mut made = Vec::new();
        for (number, prepared) in preparer.columns.iter_mut().enumerate() {
            if let (Encoder::Text(text), Some(column)) = (&mut prepared.encoder, table.column(&prepared.name))
            {
                let seed = seed.stream("text scores").nth(number as u64);
                let penalty = penalties.get(&prepared.name).copied();
                let columns = text.score((TextCells::of(column), rows), examples, penalty, seed)?;
                made.extend(spread(&prepared.name, columns, rows, table.n_rows()));
            }
        }
        if made.is_empty() {
            return Ok((preparer, None));
        }
        let others = table
            .columns()
            .iter()
            .filter(|column| column.kind() != ColumnKind::Text);
        let training = Table::new(others.cloned().chain(made).collect())?;
        Ok((preparer, Some(training)))
    }

    /// The penalty of each text column's linear model.
    pub(crate) fn text_penalties(&self) -> BTreeMap<String, f64> {
        let penalty = |column: &PreparedColumn| match &column.encoder {
            Encoder::Text(text) => text.penalty().map(|penalty| (column.name.clone(), penalty)),
            _ => None,
        };
        self.columns.iter().filter_map(penalty).collect()
    }

    fn learn(table: &Table, rows: &[usize], with_text: bool) -> Result<Self> {
        if rows.is_empty() {
            return Err(
                Error::new("TW0303", "there is nothing to learn from: the table has no rows")
                    .hint("check the source and the filters of the table"),
            );
        }
        let mut columns = Vec::new();
        let mut ignored = Vec::new();
        for column in table.columns() {
            if column.kind() == ColumnKind::Text && !with_text {
                ignored.push(column.name.clone());
            } else if let Some(encoder) = Encoder::fit(column, rows)? {
                columns.push(PreparedColumn {
                    name: column.name.clone(),
                    encoder,
                });
            }
        }
        if columns.is_empty() {
            return Err(Error::new(
                "TW0303",
                "there is nothing to learn from: no column varies over the training rows",
            )
            .hint(
                "include at least one number, category, boolean, date or text column that differs between rows",
            ));
        }
        Ok(Self { columns, ignored })
    }

    /// Nothing is prepared: for a model that brings its own preparation.
    pub(crate) const fn none() -> Self {
        Self {
            columns: Vec::new(),
            ignored: Vec::new(),
        }
    }

    /// The original columns that models see, in table order.
    #[must_use]
    pub fn features(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// What a table must hold to be encoded, in table order.
    #[must_use]
    pub fn schema(&self) -> Vec<ColumnSchema> {
        let schema = |column: &PreparedColumn| ColumnSchema {
            name: column.name.clone(),
            kind: column.encoder.kind(),
            levels: column.encoder.levels(),
        };
        self.columns.iter().map(schema).collect()
    }

    /// Text columns, which are not read.
    #[must_use]
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// The dense encoding of all rows of a table: row after row, and the number of columns. For models outside this crate's
    /// learners, such as the effect model.
    ///
    /// # Errors
    /// `TW0305` when a column is missing, `TW0306` when its kind has changed, `TW0304` for an infinite number.
    pub fn encode(&self, table: &Table) -> Result<(Vec<f32>, usize)> {
        let rows: Vec<usize> = (0..table.n_rows()).collect();
        let matrix = self.dense(table, &rows)?;
        Ok((matrix.data, matrix.n_columns))
    }

    /// For each dense column the index of its feature.
    pub(crate) fn dense_sources(&self) -> Vec<usize> {
        self.sources(Encoder::dense_width)
    }

    /// What each dense column says: `age`, `age is missing`, `plan = basic`, `plan = other`.
    pub(crate) fn dense_names(&self) -> Vec<String> {
        self.columns
            .iter()
            .flat_map(|column| column.encoder.dense_names(&column.name))
            .collect()
    }

    /// For each raw column the index of its feature.
    pub(crate) fn raw_sources(&self) -> Vec<usize> {
        self.sources(Encoder::raw_width)
    }

    fn sources(&self, width: impl Fn(&Encoder) -> usize) -> Vec<usize> {
        let widths = self.columns.iter().map(|column| width(&column.encoder));
        widths
            .enumerate()
            .flat_map(|(index, width)| std::iter::repeat_n(index, width))
            .collect()
    }

    /// The dense encoding of the given rows.
    ///
    /// # Errors
    /// `TW0305` when a column is missing, `TW0306` when its kind has changed, `TW0304` for an infinite number.
    pub(crate) fn dense(&self, table: &Table, rows: &[usize]) -> Result<DenseMatrix> {
        let readers = self.readers(table)?;
        let widths: Vec<usize> = self
            .columns
            .iter()
            .map(|column| column.encoder.dense_width())
            .collect();
        let width = widths.iter().sum();
        let mut matrix = DenseMatrix::zeros(rows.len(), width);
        let blocks: Vec<Result<()>> = matrix
            .data
            .par_chunks_mut((BLOCK * width).max(1))
            .zip(rows.par_chunks(BLOCK))
            .map(|(cells, rows)| {
                let mut offset = 0;
                for ((prepared, reader), own) in self.columns.iter().zip(&readers).zip(&widths) {
                    let read = prepared.encoder.read(reader, rows)?;
                    prepared.encoder.write_dense(&read, cells, (width, offset));
                    offset += own;
                }
                Ok(())
            })
            .collect();
        // the first fault in row order, whichever thread met one first
        blocks.into_iter().collect::<Result<()>>()?;
        Ok(matrix)
    }

    /// The raw encoding of the given rows.
    ///
    /// # Errors
    /// As [`Self::dense`].
    pub(crate) fn raw(&self, table: &Table, rows: &[usize]) -> Result<RawMatrix> {
        let mut matrix = RawMatrix::with_rows(rows.len());
        for (prepared, reader) in self.columns.iter().zip(self.readers(table)?) {
            let cells = prepared.encoder.read(&reader, rows)?;
            prepared.encoder.write_raw(&cells, &mut matrix);
        }
        Ok(matrix)
    }

    /// What a linear model reads of the given rows: the dense encoding and the terms of the text columns, ready to be
    /// fitted on or only to be scored.
    ///
    /// # Errors
    /// As [`Self::dense`].
    pub(crate) fn inputs(&self, table: &Table, rows: &[usize], to_fit: bool) -> Result<Inputs> {
        let dense = self.dense(table, rows)?;
        let mut parts = Vec::new();
        for prepared in &self.columns {
            if let Encoder::Text(text) = &prepared.encoder {
                let cells = TextCells::of(self.find(table, prepared)?);
                parts.push((text.terms(cells, rows), text.width()));
            }
        }
        let by_row = (!parts.is_empty()).then(|| SparseMatrix::beside(&parts, rows.len()));
        let terms = by_row.map(|by_row| {
            if to_fit {
                Terms::new(by_row)
            } else {
                Terms::to_score(by_row)
            }
        });
        Ok(Inputs { dense, terms })
    }

    /// For each column of [`Self::inputs`], that is each dense one and then each text column, the index of its feature.
    pub(crate) fn input_sources(&self) -> Vec<usize> {
        let texts = self.columns.iter().enumerate();
        let texts = texts.filter(|(_, column)| matches!(column.encoder, Encoder::Text(_)));
        self.dense_sources()
            .into_iter()
            .chain(texts.map(|(index, _)| index))
            .collect()
    }

    /// For each text column and row the terms that push a score most, with what each adds to it, strongest first.
    /// `weights` are those of a linear model of [`Self::inputs`]; without, each column's own model is asked.
    ///
    /// # Errors
    /// As [`Self::dense`].
    pub(crate) fn text_reasons(
        &self,
        table: &Table,
        rows: &[usize],
        weights: Option<&[f32]>,
        (output, n_outputs, top): (usize, usize, usize),
    ) -> Result<Vec<TextReasons>> {
        let mut reasons = Vec::new();
        let mut start = 0;
        for prepared in &self.columns {
            let Encoder::Text(text) = &prepared.encoder else {
                continue;
            };
            let cells = TextCells::of(self.find(table, prepared)?);
            let end = start + text.width() * n_outputs;
            let own = weights.map(|weights| weights.get(start..end).unwrap_or_default());
            let of_row = |row: &usize| text.reasons(cells.get(*row), own, (output, n_outputs, top));
            reasons.push(TextReasons {
                column: prepared.name.clone(),
                rows: rows.iter().map(of_row).collect(),
            });
            start = end;
        }
        Ok(reasons)
    }

    fn readers<'t>(&'t self, table: &'t Table) -> Result<Vec<Reader<'t>>> {
        self.columns
            .iter()
            .map(|prepared| self.reader(table, prepared))
            .collect()
    }

    fn reader<'t>(&'t self, table: &'t Table, prepared: &'t PreparedColumn) -> Result<Reader<'t>> {
        let name = &prepared.name;
        if matches!(prepared.encoder, Encoder::Text(_)) && table.column(&made_name(name, 0)).is_some() {
            let columns = (0..prepared.encoder.raw_width()).map_while(|number| {
                match table.column(&made_name(name, number)).map(|column| &column.data) {
                    Some(ColumnData::Number(cells)) => Some(cells.as_slice()),
                    _ => None,
                }
            });
            return Ok(Reader::Made(columns.collect()));
        }
        Ok(prepared.encoder.reader(self.find(table, prepared)?))
    }

    /// The table's column for a prepared one. A column without any value fits whatever its kind.
    fn find<'t>(&self, table: &'t Table, prepared: &PreparedColumn) -> Result<&'t Column> {
        let name = &prepared.name;
        let Some(column) = table.column(name) else {
            return Err(Error::new(
                "TW0305",
                format!("the model was trained with column \"{name}\", which this table lacks"),
            )
            .hint("add the column to the source (its cells may be empty), or train again without it"));
        };
        let expected = prepared.encoder.kind();
        if !prepared.encoder.reads(column.kind()) && column.n_missing() < column.len() {
            let found = column.kind().as_str();
            let message = format!(
                "column \"{name}\" was of kind {} in training, here it is {found}",
                expected.as_str()
            );
            return Err(Error::new("TW0306", message)
                .hint("give the column the same kind as in training, or train again on the new table"));
        }
        Ok(column)
    }
}

/// What the terms of one text column add to a score of some rows.
#[derive(Debug, Clone, PartialEq)]
pub struct TextReasons {
    /// The text column.
    pub column: String,
    /// For each row its strongest terms with what each adds to the score, strongest first.
    pub rows: Vec<Vec<(String, f64)>>,
}

/// The name of a column that a text was replaced by; no column of a source is called so.
fn made_name(text: &str, number: usize) -> String {
    format!("{text}\u{1f}{number}")
}

/// Columns of the training rows as columns of the whole table, NaN elsewhere.
fn spread(text: &str, columns: Vec<Vec<f64>>, rows: &[usize], n_rows: usize) -> impl Iterator<Item = Column> {
    let spread = move |(number, cells): (usize, Vec<f64>)| {
        let mut all = vec![f64::NAN; n_rows];
        rows.iter().zip(cells).for_each(|(row, cell)| all[*row] = cell);
        Column {
            name: made_name(text, number),
            data: ColumnData::Number(all),
        }
    };
    columns.into_iter().enumerate().map(spread)
}
