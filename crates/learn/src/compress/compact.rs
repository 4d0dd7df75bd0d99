//! A compressed net as a model: scores through its own arithmetic, explanations through the plain net it stands for.

use serde::{Deserialize, Serialize};

use super::int8::Int8Net;
use super::layers::Dense;
use super::sparse::SparseNet;
use crate::models::mlp::{Mlp, TargetScale};
use crate::models::{Contributions, Margins};
use crate::prepare::DenseMatrix;

/// A net of 8-bit weights, or one of few.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CompactNet {
    /// 8-bit weights and activations.
    Int8(Int8Net),
    /// Only the weights that were kept.
    Sparse(SparseNet),
}

/// A compressed net with the scale of its target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Compact {
    net: CompactNet,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<TargetScale>,
}

impl Compact {
    pub(super) const fn new(net: CompactNet, target: Option<TargetScale>) -> Self {
        Self { net, target }
    }

    /// Bytes of the numbers as they are stored, before base64.
    pub(crate) fn n_bytes(&self) -> usize {
        match &self.net {
            CompactNet::Int8(net) => net.n_bytes(),
            CompactNet::Sparse(net) => net.n_bytes(),
        }
    }

    fn layers(&self) -> Vec<Dense> {
        match &self.net {
            CompactNet::Int8(net) => net.plain_layers(),
            CompactNet::Sparse(net) => net.plain_layers(),
        }
    }

    /// The scores of each row before any link.
    pub(crate) fn margins(&self, x: &DenseMatrix) -> Margins {
        let outputs = match &self.net {
            CompactNet::Int8(net) => net.outputs(&x.data),
            CompactNet::Sparse(net) => net.outputs(&x.data),
        };
        let scaled = |sum: f32| {
            let sum = f64::from(sum);
            self.target
                .map_or(sum, |target| target.mean + target.deviation * sum)
        };
        Margins {
            n_outputs: outputs.len() / x.n_rows.max(1),
            cells: outputs.into_iter().map(scaled).collect(),
        }
    }

    /// Integrated gradients of the net in plain arithmetic; what rounding of activations adds to a row's score is shared out in
    /// proportion to the absolute contributions, so that each row adds up to its own score.
    pub(crate) fn contributions(&self, x: &DenseMatrix, output: usize) -> Contributions {
        let plain = self.plain();
        let mut contributions = plain.contributions(x, output);
        let margins = self.margins(x);
        let base = contributions.base;
        let rows = contributions
            .cells
            .chunks_exact_mut(contributions.n_columns.max(1));
        for (cells, own) in rows.zip(margins.rows()) {
            let (sum, size): (f64, f64) = cells
                .iter()
                .fold((0.0, 0.0), |(sum, size), cell| (sum + cell, size + cell.abs()));
            let error = own[output] - base - sum;
            if size > 0.0 {
                cells
                    .iter_mut()
                    .for_each(|cell| *cell += error * cell.abs() / size);
            }
        }
        contributions
    }

    /// The net in plain arithmetic, with the numbers that its weights stand for.
    pub(crate) fn plain(&self) -> Mlp {
        let layers: Vec<_> = self.layers().into_iter().map(Dense::unfolded).collect();
        Mlp::from_layers(&layers, self.target)
    }
}
