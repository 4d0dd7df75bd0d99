//! A table's rows as the net reads them: dense columns, and codes of the categories with many levels.

use thalweg_domain::{Result, Table};

use super::inputs::Inputs;
use super::params::{EMBED_ABOVE, MlpParams};
use super::predict::Mlp;
use crate::prepare::{Codes, DenseMatrix, Preparer};

/// Rows of a table, prepared for a net.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Coded {
    dense: DenseMatrix,
    codes: Codes,
}

impl Coded {
    /// The given rows, the given features as codes.
    ///
    /// # Errors
    /// `TW0304`, `TW0305` and `TW0306` when the table does not fit the preparation.
    pub(crate) fn read(
        preparer: &Preparer,
        table: &Table,
        rows: &[usize],
        embedded: &[usize],
    ) -> Result<Self> {
        Ok(Self {
            dense: preparer.dense_without(table, rows, embedded)?,
            codes: preparer.codes(table, rows, embedded)?,
        })
    }
}

impl<'a> From<&'a Coded> for Inputs<'a> {
    fn from(coded: &'a Coded) -> Self {
        Self {
            dense: &coded.dense,
            codes: &coded.codes.codes,
            levels: &coded.codes.levels,
        }
    }
}

impl MlpParams {
    /// The features that a net with these parameters embeds, by index.
    pub(crate) fn embedded(&self, preparer: &Preparer) -> Vec<usize> {
        if self.embedding.is_some() {
            preparer.categories_above(EMBED_ABOVE)
        } else {
            Vec::new()
        }
    }
}

impl Mlp {
    /// The features that it embeds, by index.
    pub(crate) fn embedded(&self, preparer: &Preparer) -> Vec<usize> {
        if self.shape.tables.is_empty() {
            Vec::new()
        } else {
            preparer.categories_above(EMBED_ABOVE)
        }
    }

    /// For each column of [`Mlp::contributions`] the index of its feature.
    pub(crate) fn sources(&self, preparer: &Preparer) -> Vec<usize> {
        let embedded = self.embedded(preparer);
        let mut sources = preparer.dense_sources_without(&embedded);
        sources.extend(embedded);
        sources
    }
}
