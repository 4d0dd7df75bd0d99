//! Scores of the trees, and what each column contributes to them.

use std::fmt;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use thalweg_domain::Result;

use super::shap::Explainer;
use super::source::Source;
use super::tree::Tree;
use crate::models::{Contributions, Margins};
use crate::prepare::RawMatrix;

/// Cells read at a time by one thread: they stay in the second cache.
const CHUNK_CELLS: usize = 1 << 16;

/// Grown trees.
#[derive(Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub(crate) struct Gbdt {
    /// The margins that the trees begin with, one per output.
    pub(super) base: Vec<f64>,
    /// Per round one tree per output.
    pub(super) rounds: Vec<Vec<Tree>>,
    pub(super) n_columns: usize,
}

/// As it is stored, unchecked.
#[derive(Deserialize)]
struct Stored {
    base: Vec<f64>,
    rounds: Vec<Vec<Tree>>,
    n_columns: usize,
}

impl TryFrom<Stored> for Gbdt {
    type Error = String;

    fn try_from(stored: Stored) -> std::result::Result<Self, String> {
        let Stored {
            base,
            rounds,
            n_columns,
        } = stored;
        if base.is_empty() || rounds.iter().any(|round| round.len() != base.len()) {
            return Err("a round of boosting has not one tree per output".to_owned());
        }
        let mut questions = rounds
            .iter()
            .flatten()
            .flat_map(|tree| &tree.nodes)
            .filter_map(|node| node.parts());
        if questions.any(|(column, ..)| column >= n_columns) {
            return Err("a tree asks about a column that does not exist".to_owned());
        }
        Ok(Self {
            base,
            rounds,
            n_columns,
        })
    }
}

impl Gbdt {
    /// The scores of each row: log-odds, one logit per class, or values.
    ///
    /// # Errors
    /// Those of the source.
    pub(crate) fn margins(&self, source: &dyn Source) -> Result<Margins> {
        let n_outputs = self.base.len();
        let chunks = self.chunks(source, |raw| {
            let mut cells = vec![0.0; raw.n_rows * n_outputs];
            for output in 0..n_outputs {
                let mut sums = vec![self.base[output]; raw.n_rows];
                self.trees(output).for_each(|tree| tree.add_to(raw, &mut sums));
                let own = cells.iter_mut().skip(output).step_by(n_outputs);
                own.zip(sums).for_each(|(cell, sum)| *cell = sum);
            }
            cells
        })?;
        Ok(Margins {
            cells: chunks.concat(),
            n_outputs,
        })
    }

    /// Each column's Shapley value for each row (path-dependent TreeSHAP: a column that is not known is averaged over
    /// the training rows that reached the node; Lundberg et al. 2018, arXiv 1802.03888). Base and cells add up to the
    /// row's score of the output.
    ///
    /// # Errors
    /// Those of the source.
    pub(crate) fn contributions(&self, source: &dyn Source, output: usize) -> Result<Contributions> {
        let explainers: Vec<Explainer> = self.trees(output).map(Explainer::new).collect();
        let mean: f64 = explainers.iter().map(Explainer::mean).sum();
        let chunks = self.chunks(source, |raw| {
            let mut cells = vec![0.0; raw.n_rows * self.n_columns];
            for (row, out) in cells.chunks_exact_mut(self.n_columns).enumerate() {
                let cell = |column: usize| raw.data[column * raw.n_rows + row];
                explainers
                    .iter()
                    .for_each(|explainer| explainer.add_to(&cell, out));
            }
            cells
        })?;
        Ok(Contributions {
            base: self.base[output] + mean,
            cells: chunks.concat(),
            n_columns: self.n_columns,
        })
    }

    /// Decrease of the training loss by the questions about each raw column, over all trees.
    pub(crate) fn gains(&self) -> Vec<f64> {
        let mut gains = vec![0.0; self.n_columns];
        for tree in self.rounds.iter().flatten() {
            for (node, gain) in tree.nodes.iter().zip(&tree.gain) {
                if let Some((column, ..)) = node.parts() {
                    gains[column] += f64::from(*gain);
                }
            }
        }
        gains
    }

    /// The starting margin of each output.
    pub(crate) fn base(&self) -> &[f64] {
        &self.base
    }

    /// The trees of an output, in the order of growing.
    pub(crate) fn trees(&self, output: usize) -> impl Iterator<Item = &Tree> {
        self.rounds.iter().filter_map(move |round| round.get(output))
    }

    /// What `of_chunk` makes of all rows, some at a time.
    fn chunks(
        &self,
        source: &dyn Source,
        of_chunk: impl Fn(&RawMatrix) -> Vec<f64> + Sync,
    ) -> Result<Vec<Vec<f64>>> {
        let n_rows = source.n_rows();
        let chunk = (CHUNK_CELLS / self.n_columns.max(1)).clamp(64, 8192);
        (0..n_rows.div_ceil(chunk))
            .into_par_iter()
            .map(|index| {
                let rows: Vec<usize> = (index * chunk..n_rows.min((index + 1) * chunk)).collect();
                Ok(of_chunk(&source.raw(&rows)?))
            })
            .collect()
    }
}

impl fmt::Debug for Gbdt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Gbdt({} rounds of {} trees)",
            self.rounds.len(),
            self.base.len()
        )
    }
}
