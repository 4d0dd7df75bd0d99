//! Scores of the trees, and what each column contributes to them.

use std::fmt;

use forust_ml::gradientbooster::ContributionsMethod;
use forust_ml::{GradientBooster, Matrix};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::models::{Contributions, Margins};
use crate::prepare::RawMatrix;

/// Grown trees.
#[derive(Serialize, Deserialize)]
pub(crate) struct Gbdt {
    booster: GradientBooster,
    n_columns: usize,
}

impl Gbdt {
    pub(super) const fn new(booster: GradientBooster, n_columns: usize) -> Self {
        Self { booster, n_columns }
    }

    /// The log-odds of each row.
    pub(crate) fn margins(&self, x: &RawMatrix) -> Margins {
        Margins::single(
            self.booster
                .predict(&Matrix::new(&x.data, x.n_rows, x.n_columns), false),
        )
    }

    /// Per column, the change of the node's mean value along the row's path (Saabas' method on averaged node
    /// values; XGBoost calls it approximate contributions). Each row adds up to its log-odds.
    pub(crate) fn contributions(&self, x: &RawMatrix, _output: usize) -> Contributions {
        let matrix = Matrix::new(&x.data, x.n_rows, x.n_columns);
        let flat = self
            .booster
            .predict_contributions(&matrix, ContributionsMethod::Average, false);
        let width = self.n_columns + 1;
        let base = flat.get(self.n_columns).copied().unwrap_or(0.0);
        let cells = flat
            .par_chunks_exact(width)
            .flat_map_iter(|row| row[..width - 1].iter().copied())
            .collect();
        Contributions {
            base,
            cells,
            n_columns: self.n_columns,
        }
    }
}

impl fmt::Debug for Gbdt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gbdt({} trees)", self.booster.trees.len())
    }
}
