//! A sparse linear model of a text column, whose scores stand for the text in nets and trees.

use serde::{Deserialize, Serialize};
use thalweg_domain::{Result, Seed};

use crate::models::logistic::{Inputs, Logistic, LogisticParams, Terms, cross_fit};
use crate::prepare::matrix::{DenseMatrix, SparseMatrix, SparseRow};
use crate::task::Examples;

/// Folds of the scores of training rows.
const FOLDS: usize = 5;

/// The linear model of all training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Scorer {
    model: Logistic,
    n_terms: usize,
}

impl Scorer {
    /// Fits on the training rows, with a given penalty or one that the folds choose; also gives their out-of-fold
    /// scores, row after row.
    ///
    /// # Errors
    /// `TW0308` when the model does not converge.
    pub(super) fn fit(
        (rows, n_terms): (Vec<SparseRow>, usize),
        examples: &Examples,
        penalty: Option<f64>,
        seed: Seed,
    ) -> Result<(Self, Vec<f64>)> {
        let inputs = inputs(rows, n_terms, true);
        let params = LogisticParams {
            text_l2: penalty,
            ..LogisticParams::default()
        };
        let (model, scores) = cross_fit(&inputs, examples, &params, (FOLDS, seed))?;
        Ok((Self { model, n_terms }, scores))
    }

    pub(super) const fn n_outputs(&self) -> usize {
        self.model.n_outputs()
    }

    pub(super) fn penalty(&self) -> Option<f64> {
        self.model.text_penalty()
    }

    /// The scores of new rows, row after row.
    pub(super) fn scores(&self, rows: Vec<SparseRow>) -> Vec<f64> {
        self.model.margins(&inputs(rows, self.n_terms, false)).cells
    }

    /// Term after term, one weight per output.
    pub(super) fn weights(&self) -> &[f32] {
        self.model.term_weights()
    }
}

fn inputs(rows: Vec<SparseRow>, n_terms: usize, to_fit: bool) -> Inputs {
    let n_rows = rows.len();
    let by_row = SparseMatrix::beside(&[(rows, n_terms)], n_rows);
    Inputs {
        dense: DenseMatrix::zeros(n_rows, 0),
        terms: Some(if to_fit {
            Terms::new(by_row)
        } else {
            Terms::to_score(by_row)
        }),
    }
}
