//! The net by itself, on rows of numbers: for programs that bring their own preparation.

use thalweg_domain::{Error, Result, Seed};

use super::fit::{Epoch, fit};
use super::params::MlpParams;
use super::predict::Mlp;
use crate::prepare::DenseMatrix;
use crate::task::{Examples, Target};

impl Mlp {
    /// Trains a net on rows of numbers, row after row in `cells`, each with the same weight. Inputs should be near mean 0
    /// and deviation 1; number targets are standardised inside. The history has one entry per epoch.
    ///
    /// ```
    /// use thalweg_domain::Seed;
    /// use thalweg_learn::models::mlp::{Mlp, MlpParams, Optimizer};
    /// use thalweg_learn::task::Target;
    ///
    /// // exclusive or: no line tells the corners apart
    /// let cells = [-1.0, -1.0, -1.0, 1.0, 1.0, -1.0, 1.0, 1.0];
    /// let target = [false, true, true, false];
    /// let params = MlpParams {
    ///     hidden: vec![8],
    ///     dropout: 0.0,
    ///     optimizer: Optimizer::Adam,
    ///     learning_rate: 0.05,
    ///     epochs: 200,
    ///     validation: 0.0,
    ///     ..MlpParams::default()
    /// };
    /// let (net, history) = Mlp::train(&cells, &Target::Binary(&target), &params, Seed(1))?;
    /// assert_eq!(history.len(), 200);
    /// let log_odds = net.predict(&cells)?;
    /// assert!(log_odds[1] > 2.0 && log_odds[3] < -2.0);
    /// # Ok::<(), thalweg_domain::Error>(())
    /// ```
    ///
    /// # Errors
    /// `TW0303` without rows or when the cells do not make whole rows, `TW0304` for a cell or target that is no finite number,
    /// `TW0301` for a constant target, `TW0307` for a parameter out of range, `TW0308` when the loss stops being a number.
    pub fn train(
        cells: &[f32],
        target: &Target<'_>,
        params: &MlpParams,
        seed: Seed,
    ) -> Result<(Self, Vec<Epoch>)> {
        let n = target.len();
        if n == 0 || cells.is_empty() || !cells.len().is_multiple_of(n) {
            let message = format!("{} cells cannot be shared out among {n} rows", cells.len());
            return Err(
                Error::new("TW0303", message).hint("give each row the same number of cells, at least one")
            );
        }
        let x = matrix(cells, cells.len() / n)?;
        let examples = Examples {
            task: target.task(),
            target: (0..n).map(|row| target.number(row)).collect(),
            weight: vec![1.0; n],
            group: (0..n as u64).collect(),
        };
        examples.check()?;
        fit(&x, &examples, params, seed)
    }

    /// The scores of rows of numbers, before any link: log-odds, a logit per class, or the value.
    ///
    /// # Errors
    /// `TW0303` when the cells do not make whole rows, `TW0304` for a cell that is no finite number.
    pub fn predict(&self, cells: &[f32]) -> Result<Vec<f64>> {
        let n_columns = self.dense_inputs().max(1);
        if !cells.len().is_multiple_of(n_columns) {
            let message = format!("{} cells do not make rows of {n_columns}", cells.len());
            return Err(Error::new("TW0303", message).hint("give each row as many cells as in training"));
        }
        Ok(self.margins(&matrix(cells, n_columns)?).cells)
    }
}

fn matrix(cells: &[f32], n_columns: usize) -> Result<DenseMatrix> {
    if let Some(at) = cells.iter().position(|cell| !cell.is_finite()) {
        let message = format!(
            "cell {} of row {} is {}",
            at % n_columns + 1,
            at / n_columns + 1,
            cells[at]
        );
        return Err(Error::new("TW0304", message).hint("fill missing cells in before training"));
    }
    Ok(DenseMatrix {
        data: cells.to_vec(),
        n_rows: cells.len() / n_columns,
        n_columns,
    })
}
