//! The learners: a net, boosted trees and a logistic regression behind one pair of functions.

pub mod foreign;
pub mod gbdt;
pub mod logistic;
pub mod mlp;
mod reading;
pub mod structure;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thalweg_domain::{ColumnSchema, Result, Seed, Table};

use crate::compress::Compact;
use crate::prepare::{Preparer, TextReasons};
pub(crate) use crate::task::{Examples, Margins};
use foreign::{Foreign, ForeignFile, ForeignScores};
use gbdt::{Gbdt, GbdtParams};
use logistic::{Logistic, LogisticParams};
use mlp::{Epoch, Mlp, MlpParams};
pub(crate) use reading::{NO_PENALTIES, Reading, TextPenalties};

/// A kind of outcome model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Learner {
    /// The neural network.
    Mlp,
    /// Gradient-boosted trees.
    Gbdt,
    /// Ridge logistic regression.
    Logistic,
    /// A model that was trained elsewhere and registered (ONNX): never trained here, so not among [`Self::ALL`].
    Onnx,
}

impl Learner {
    /// All learners that are trained here; on a tie in choosing, the earlier one wins.
    pub const ALL: [Self; 3] = [Self::Logistic, Self::Gbdt, Self::Mlp];

    /// `mlp`, `gbdt`, `logistic` or `onnx`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mlp => "mlp",
            Self::Gbdt => "gbdt",
            Self::Logistic => "logistic",
            Self::Onnx => "onnx",
        }
    }

    /// The learner of that name, among [`Self::ALL`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|learner| learner.as_str() == name)
    }
}

/// The parameters of every learner.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LearnerParams {
    /// The net's.
    pub mlp: MlpParams,
    /// The trees'.
    pub gbdt: GbdtParams,
    /// The regression's.
    pub logistic: LogisticParams,
}

/// A fitted learner with its preparation.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Fitted {
    preparer: Preparer,
    model: FittedModel,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FittedModel {
    Mlp(Mlp),
    Gbdt(Box<Gbdt>),
    Logistic(Logistic),
    Compact(Compact),
    Foreign(Box<Foreign>),
}

/// What each encoded column adds to each row's log-odds: `margin = base + sum of the row's cells`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Contributions {
    pub(crate) base: f64,
    /// Row after row.
    pub(crate) cells: Vec<f64>,
    pub(crate) n_columns: usize,
}

impl Contributions {
    /// The same, summed over the encoded columns of each original one.
    fn by_feature(&self, sources: &[usize], n_features: usize) -> Self {
        let mut cells = Vec::with_capacity(self.cells.len() / self.n_columns.max(1) * n_features);
        for row in self.cells.chunks_exact(self.n_columns.max(1)) {
            let mut sums = vec![0.0; n_features];
            for (source, cell) in sources.iter().zip(row) {
                sums[*source] += cell;
            }
            cells.extend(sums);
        }
        Self {
            base: self.base,
            cells,
            n_columns: n_features,
        }
    }
}

/// Fits one learner on some rows of a table. `examples` are those of `rows`, in the same order.
///
/// # Errors
/// `TW0303` and `TW0304` for data that cannot be learned from, `TW0307` for parameters out of range, `TW0308` when
/// training diverges.
pub(crate) fn fit(
    learner: Learner,
    table: &Table,
    rows: &[usize],
    examples: &Examples,
    params: &LearnerParams,
    seed: Seed,
) -> Result<(Fitted, Vec<Epoch>)> {
    let learners = std::iter::once(learner);
    Reading::new((table, rows), examples, &NO_PENALTIES, seed, learners)?.fit(learner, params)
}

impl Fitted {
    /// The net; `None` for the other learners.
    pub(crate) const fn net(&self) -> Option<&Mlp> {
        match &self.model {
            FittedModel::Mlp(net) => Some(net),
            _ => None,
        }
    }

    /// Bytes of a net's numbers, 4 for each parameter of a plain one; `None` for the other learners.
    pub(crate) fn net_bytes(&self) -> Option<usize> {
        match &self.model {
            FittedModel::Mlp(net) => {
                let each = net.layers().into_iter().map(|layer| {
                    let norm = layer
                        .norm
                        .map_or(0, |norm| 2 * norm.gain.len() + 2 * norm.mean.len());
                    layer.weights.len() + layer.bias.len() + norm
                });
                Some(4 * each.sum::<usize>())
            }
            FittedModel::Compact(net) => Some(net.n_bytes()),
            FittedModel::Gbdt(_) | FittedModel::Logistic(_) | FittedModel::Foreign(_) => None,
        }
    }

    /// The same preparation with a compact net in place of the net.
    pub(crate) fn compacted(&self, net: Compact) -> Self {
        Self {
            preparer: self.preparer.clone(),
            model: FittedModel::Compact(net),
        }
    }

    pub(crate) const fn preparer(&self) -> &Preparer {
        &self.preparer
    }

    /// A model that was trained elsewhere, which brings its own preparation.
    pub(crate) fn foreign(model: Foreign) -> Self {
        Self {
            preparer: Preparer::none(),
            model: FittedModel::Foreign(Box::new(model)),
        }
    }

    /// The same model once more if it was trained elsewhere; `None` for our own learners.
    pub(crate) fn trained_elsewhere(&self) -> Option<Self> {
        match &self.model {
            FittedModel::Foreign(model) => Some(Self::foreign(Foreign::clone(model))),
            _ => None,
        }
    }

    /// Reads the file of a model that was trained elsewhere.
    ///
    /// # Errors
    /// Those of `load`.
    pub(crate) fn attach(
        &mut self,
        load: &dyn Fn(&ForeignFile) -> Result<Arc<dyn ForeignScores>>,
    ) -> Result<()> {
        match &mut self.model {
            FittedModel::Foreign(model) => model.attach(load),
            _ => Ok(()),
        }
    }

    /// The original columns that it reads, in table order.
    pub(crate) fn features(&self) -> Vec<String> {
        match &self.model {
            FittedModel::Foreign(model) => model.features(),
            _ => self.preparer.features(),
        }
    }

    /// The same with kinds and levels.
    pub(crate) fn schema(&self) -> Vec<ColumnSchema> {
        match &self.model {
            FittedModel::Foreign(model) => model.schema(),
            _ => self.preparer.schema(),
        }
    }

    const fn tree_rows<'a>(&'a self, table: &'a Table, rows: &'a [usize]) -> gbdt::Rows<'a> {
        gbdt::Rows {
            preparer: &self.preparer,
            table,
            rows,
        }
    }

    fn net_inputs(&self, net: &Mlp, table: &Table, rows: &[usize]) -> Result<mlp::Coded> {
        mlp::Coded::read(&self.preparer, table, rows, &net.embedded(&self.preparer))
    }

    /// The regression's coefficients; `None` for the other learners.
    pub(crate) fn coefficients(&self) -> Option<Vec<Coefficient>> {
        let FittedModel::Logistic(logistic) = &self.model else {
            return None;
        };
        let names: Vec<String> = std::iter::once("intercept".to_owned())
            .chain(self.preparer.dense_names())
            .collect();
        let of_output = |output| {
            names.iter().zip(logistic.coefficients(output)).map(
                move |(column, (estimate, standard_error))| Coefficient {
                    column: column.clone(),
                    output,
                    estimate,
                    standard_error,
                },
            )
        };
        Some((0..logistic.n_outputs()).flat_map(of_output).collect())
    }

    /// For each text column and row the terms that push one of the scores most, strongest first: by the linear model
    /// itself, or by the linear model whose score a net or trees read.
    ///
    /// # Errors
    /// As [`Self::margins`].
    pub(crate) fn text_reasons(
        &self,
        table: &Table,
        rows: &[usize],
        (output, n_outputs, top): (usize, usize, usize),
    ) -> Result<Vec<TextReasons>> {
        let weights = match &self.model {
            FittedModel::Logistic(logistic) => Some(logistic.term_weights()),
            FittedModel::Mlp(_)
            | FittedModel::Gbdt(_)
            | FittedModel::Compact(_)
            | FittedModel::Foreign(_) => None,
        };
        self.preparer
            .text_reasons(table, rows, weights, (output, n_outputs, top))
    }

    /// The scores of the given rows before any link: log-odds, logits or values.
    ///
    /// # Errors
    /// `TW0304`, `TW0305` and `TW0306` when the table does not fit the one of training.
    pub(crate) fn margins(&self, table: &Table, rows: &[usize]) -> Result<Margins> {
        Ok(match &self.model {
            FittedModel::Mlp(mlp) => mlp.margins(&self.net_inputs(mlp, table, rows)?),
            FittedModel::Gbdt(gbdt) => gbdt.margins(&self.tree_rows(table, rows))?,
            FittedModel::Logistic(logistic) => logistic.margins(&self.preparer.inputs(table, rows, false)?),
            FittedModel::Compact(net) => net.margins(&self.preparer.dense(table, rows)?),
            FittedModel::Foreign(model) => model.margins(table, rows)?,
        })
    }

    /// What each feature adds to one of the scores of the given rows (`output` is 0 unless there are several classes).
    ///
    /// # Errors
    /// As [`Self::margins`].
    pub(crate) fn contributions(
        &self,
        table: &Table,
        rows: &[usize],
        output: usize,
    ) -> Result<Contributions> {
        let (by_column, sources) = match &self.model {
            FittedModel::Foreign(model) => return model.contributions(table, rows, output),
            FittedModel::Mlp(mlp) => (
                mlp.contributions(&self.net_inputs(mlp, table, rows)?, output),
                mlp.sources(&self.preparer),
            ),
            FittedModel::Gbdt(gbdt) => (
                gbdt.contributions(&self.tree_rows(table, rows), output)?,
                self.preparer.raw_sources(),
            ),
            FittedModel::Logistic(logistic) => (
                logistic.contributions(&self.preparer.inputs(table, rows, false)?, output),
                self.preparer.input_sources(),
            ),
            FittedModel::Compact(net) => (
                net.contributions(&self.preparer.dense(table, rows)?, output),
                self.preparer.dense_sources(),
            ),
        };
        Ok(by_column.by_feature(&sources, self.preparer.features().len()))
    }
}

/// A coefficient of the linear model, per standard deviation of its column.
#[derive(Debug, Clone, PartialEq)]
pub struct Coefficient {
    /// The encoded column: `tenure`, `contract = One year`, `age is missing` or `intercept`.
    pub column: String,
    /// Which score: 0, or the number of the class.
    pub output: usize,
    /// Added to the score: log-odds, a class's logit, or the value.
    pub estimate: f64,
    /// Its standard error, from the curvature of the penalised likelihood.
    pub standard_error: f64,
}

/// `1 / (1 + exp(-margin))`.
pub(crate) fn sigmoid(margin: f64) -> f64 {
    1.0 / (1.0 + (-margin).exp())
}
