//! Categories as codes, for learned vectors.

use thalweg_domain::{Result, Table};

use super::column::{Cells, Encoder};
use super::levels::Rank;
use super::{DenseMatrix, Preparer};

/// Codes of some of the categories: rows x categories.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Codes {
    /// The level's rank by training frequency; the number of levels for an unseen one, one more for a missing cell.
    pub(crate) codes: Vec<u32>,
    /// Levels of training of each category.
    pub(crate) levels: Vec<usize>,
}

impl Preparer {
    /// The categories with more levels than that, by index among [`Self::features`].
    pub(crate) fn categories_above(&self, levels: usize) -> Vec<usize> {
        let many =
            |encoder: &Encoder| matches!(encoder, Encoder::Category(own) if own.names().len() > levels);
        let each = self.columns.iter().enumerate();
        each.filter(|(_, column)| many(&column.encoder))
            .map(|(index, _)| index)
            .collect()
    }

    /// The codes of the given categories for the given rows.
    ///
    /// # Errors
    /// As [`Self::dense`].
    pub(crate) fn codes(&self, table: &Table, rows: &[usize], categories: &[usize]) -> Result<Codes> {
        let mut codes = vec![0; rows.len() * categories.len()];
        let mut levels = Vec::with_capacity(categories.len());
        for (position, index) in categories.iter().enumerate() {
            let prepared = &self.columns[*index];
            let Encoder::Category(known) = &prepared.encoder else {
                continue;
            };
            let n = known.names().len();
            let reader = self.reader(table, prepared)?;
            let Cells::Ranks(ranks) = prepared.encoder.read(&reader, rows)? else {
                continue;
            };
            let own = codes.iter_mut().skip(position).step_by(categories.len());
            own.zip(ranks).for_each(|(code, rank)| {
                *code = match rank {
                    Rank::Known(rank) => rank,
                    Rank::Unseen => n,
                    Rank::Missing => n + 1,
                } as u32;
            });
            levels.push(n);
        }
        Ok(Codes { codes, levels })
    }

    /// For each dense column the index of its feature, without the columns of the given categories.
    pub(crate) fn dense_sources_without(&self, categories: &[usize]) -> Vec<usize> {
        let mut sources = self.dense_sources();
        sources.retain(|source| !categories.contains(source));
        sources
    }

    /// The dense encoding of the given rows without the columns of the given categories.
    ///
    /// # Errors
    /// As [`Self::dense`].
    pub(crate) fn dense_without(
        &self,
        table: &Table,
        rows: &[usize],
        categories: &[usize],
    ) -> Result<DenseMatrix> {
        let all = self.dense(table, rows)?;
        if categories.is_empty() {
            return Ok(all);
        }
        let kept: Vec<usize> = (self.dense_sources().iter().enumerate())
            .filter(|(_, source)| !categories.contains(source))
            .map(|(column, _)| column)
            .collect();
        let cells = (0..all.n_rows).flat_map(|row| kept.iter().map(move |column| (row, *column)));
        Ok(DenseMatrix {
            data: cells.map(|(row, column)| all.row(row)[column]).collect(),
            n_rows: all.n_rows,
            n_columns: kept.len(),
        })
    }
}
