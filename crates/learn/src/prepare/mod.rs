//! From a typed table to the numbers that models read: impute, encode, scale, fitted on training rows only.
//!
//! Two encodings of the same columns. *Dense* is for the net and the logistic regression: missing numbers become
//! the training median with an indicator column, categories one-hot, everything standardised to mean 0 and
//! standard deviation 1 over the training rows. *Raw* is for trees: numbers as they are with NaN for missing,
//! categories of up to [`MAX_RAW_ONE_HOT`] levels one-hot, larger ones as the rank of the level by training
//! frequency (0 is the most frequent), which a tree can split without a column per level.
//!
//! Text is not read yet; such columns are named by [`Preparer::ignored`]. Columns without variation in training
//! are left out of the encodings.

mod column;
mod levels;
mod matrix;
mod scale;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use thalweg_domain::{Column, ColumnKind, ColumnSchema, Error, Result, Table};

pub(crate) use matrix::{DenseMatrix, RawMatrix};

use column::{Cells, Encoder};

/// Levels of a category that get a column of their own in the dense encoding; the rest are pooled into "other".
pub const MAX_LEVELS: usize = 50;
/// Categories with more levels than this are encoded by frequency rank in the raw encoding.
pub const MAX_RAW_ONE_HOT: usize = 12;

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
    /// Learns medians, levels, means and scales from the given rows of a table.
    ///
    /// # Errors
    /// `TW0303` when there are no rows or no column that varies; `TW0304` for an infinite number.
    pub fn fit(table: &Table, rows: &[usize]) -> Result<Self> {
        if rows.is_empty() {
            return Err(
                Error::new("TW0303", "there is nothing to learn from: the table has no rows")
                    .hint("check the source and the filters of the table"),
            );
        }
        let mut columns = Vec::new();
        let mut ignored = Vec::new();
        for column in table.columns() {
            if column.kind() == ColumnKind::Text {
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
                "include at least one number, category, boolean or date column that differs between rows",
            ));
        }
        Ok(Self { columns, ignored })
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
        let mut matrix = DenseMatrix::zeros(rows.len(), self.dense_sources().len());
        let mut offset = 0;
        for prepared in &self.columns {
            let cells = Cells::new(self.find(table, prepared)?, &prepared.encoder, rows)?;
            prepared.encoder.write_dense(&cells, &mut matrix, offset);
            offset += prepared.encoder.dense_width();
        }
        Ok(matrix)
    }

    /// The raw encoding of the given rows.
    ///
    /// # Errors
    /// As [`Self::dense`].
    pub(crate) fn raw(&self, table: &Table, rows: &[usize]) -> Result<RawMatrix> {
        let mut matrix = RawMatrix::with_rows(rows.len());
        for prepared in &self.columns {
            let cells = Cells::new(self.find(table, prepared)?, &prepared.encoder, rows)?;
            prepared.encoder.write_raw(&cells, &mut matrix);
        }
        Ok(matrix)
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
        if column.kind() != expected && column.n_missing() < column.len() {
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
