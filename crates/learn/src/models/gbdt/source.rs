//! Where the trees read their numbers: a few rows at a time, so that no second copy of the table is made.

use std::ops::Range;

use thalweg_domain::{ColumnKind, Result, Table};

use crate::prepare::{Preparer, RawMatrix};

/// Rows in the raw encoding, read on demand.
pub(crate) trait Source: Sync {
    fn n_rows(&self) -> usize;
    fn n_columns(&self) -> usize;
    /// The rows at these positions, in this order.
    ///
    /// # Errors
    /// When a cell cannot be used.
    fn raw(&self, positions: &[usize]) -> Result<RawMatrix>;
    /// Runs of 0/1 columns of which at most one is set in a row; rising, apart from each other.
    fn exclusive(&self) -> Vec<Range<usize>>;
}

/// Some rows of a table through its preparation.
pub(crate) struct Rows<'a> {
    pub(crate) preparer: &'a Preparer,
    pub(crate) table: &'a Table,
    pub(crate) rows: &'a [usize],
}

impl Source for Rows<'_> {
    fn n_rows(&self) -> usize {
        self.rows.len()
    }

    fn n_columns(&self) -> usize {
        self.preparer.raw_sources().len()
    }

    fn raw(&self, positions: &[usize]) -> Result<RawMatrix> {
        let rows: Vec<usize> = positions.iter().map(|position| self.rows[*position]).collect();
        self.preparer.raw(self.table, &rows)
    }

    fn exclusive(&self) -> Vec<Range<usize>> {
        let sources = self.preparer.raw_sources();
        let schema = self.preparer.schema();
        let mut start = 0;
        let mut groups = Vec::new();
        for run in sources.chunk_by(|a, b| a == b) {
            let is_category = schema[run[0]].kind == ColumnKind::Category;
            if is_category && run.len() > 1 {
                groups.push(start..start + run.len());
            }
            start += run.len();
        }
        groups
    }
}

#[cfg(test)]
impl Source for RawMatrix {
    fn n_rows(&self) -> usize {
        self.n_rows
    }

    fn n_columns(&self) -> usize {
        self.n_columns
    }

    fn raw(&self, positions: &[usize]) -> Result<RawMatrix> {
        let mut taken = Self::with_rows(positions.len());
        for column in self.data.chunks_exact(self.n_rows) {
            taken.push_column(positions.iter().map(|row| column[*row]));
        }
        Ok(taken)
    }

    fn exclusive(&self) -> Vec<Range<usize>> {
        Vec::new()
    }
}
