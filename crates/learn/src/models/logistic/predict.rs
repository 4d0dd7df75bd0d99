//! Scores of the regression, and what each column contributes to them.

use serde::{Deserialize, Serialize};

use crate::models::{Contributions, Margins};
use crate::prepare::DenseMatrix;

/// A fitted regression on standardised columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Logistic {
    /// Intercept, then one slope per column.
    beta: Vec<f64>,
    /// Their standard errors (of the penalised fit: the curvature at the optimum, as Laplace's approximation).
    standard_errors: Vec<f64>,
}

impl Logistic {
    pub(super) const fn new(beta: Vec<f64>, standard_errors: Vec<f64>) -> Self {
        Self {
            beta,
            standard_errors,
        }
    }

    /// Each coefficient with its standard error, the intercept first.
    pub(crate) fn coefficients(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.beta
            .iter()
            .copied()
            .zip(self.standard_errors.iter().copied())
    }

    /// The log-odds of each row.
    pub(crate) fn margins(&self, x: &DenseMatrix) -> Margins {
        let (intercept, slopes) = (self.beta[0], &self.beta[1..]);
        let margins = (0..x.n_rows)
            .map(|row| {
                intercept
                    + x.row(row)
                        .iter()
                        .zip(slopes)
                        .map(|(x, slope)| f64::from(*x) * slope)
                        .sum::<f64>()
            })
            .collect();
        Margins::single(margins)
    }

    /// Slope times the distance from the training mean (0 in the standardised columns).
    pub(crate) fn contributions(&self, x: &DenseMatrix, _output: usize) -> Contributions {
        let slopes = &self.beta[1..];
        let cells = (0..x.n_rows)
            .flat_map(|row| {
                x.row(row)
                    .iter()
                    .zip(slopes)
                    .map(|(x, slope)| f64::from(*x) * slope)
            })
            .collect();
        Contributions {
            base: self.beta[0],
            cells,
            n_columns: x.n_columns,
        }
    }
}
