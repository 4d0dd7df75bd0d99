//! A trained net layer by layer, without padding: for export, quantisation and pruning.

use super::inputs::TargetScale;
use super::layout::{EmbeddingTable, Layout, Output, Place, Shape};
use super::norm::EPSILON;
use super::params::{Activation, Norm};
use super::predict::Mlp;

/// One fully connected layer: `z = x W + b`, then its normalisation, then its activation.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense {
    /// Width of what it reads.
    pub inputs: usize,
    /// Units.
    pub outputs: usize,
    /// Input after input, `outputs` cells each: `weights[input * outputs + output]`.
    pub weights: Vec<f32>,
    /// One per unit.
    pub bias: Vec<f32>,
    /// What is done to the sums before the activation.
    pub norm: Option<Normalisation>,
    /// `None` for the output layer, whose sums are the scores before any link.
    pub activation: Option<Activation>,
}

/// `gain * (z - mean) / sqrt(variance + epsilon) + shift`, per unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Normalisation {
    /// Batch or layer.
    pub norm: Norm,
    /// One per unit.
    pub gain: Vec<f32>,
    /// One per unit.
    pub shift: Vec<f32>,
    /// The moving statistics of batch normalisation; empty for layer normalisation, which takes each row's own.
    pub mean: Vec<f32>,
    /// As `mean`.
    pub variance: Vec<f32>,
    /// Added to variances.
    pub epsilon: f32,
}

impl Mlp {
    /// Hidden layers first to last, then the output layer.
    #[must_use]
    pub fn layers(&self) -> Vec<Dense> {
        let layout = Layout::new(&self.shape);
        let n_hidden = layout.hidden.len();
        let dense = |(layer, place): (usize, &Place)| Dense {
            inputs: place.inputs,
            outputs: place.units,
            weights: (0..place.inputs)
                .flat_map(|input| self.cells(place.weights + input * place.n, place.units))
                .copied()
                .collect(),
            bias: self.cells(place.bias, place.units).to_vec(),
            norm: self.normalisation(place),
            activation: (layer < n_hidden).then_some(self.shape.activation),
        };
        layout.places().enumerate().map(dense).collect()
    }

    /// A net of given layers, without embeddings; one output is read through the sigmoid unless there is a scale of a number target.
    pub(crate) fn from_layers(layers: &[Dense], target: Option<TargetScale>) -> Self {
        let (hidden, output) = layers.split_at(layers.len().saturating_sub(1));
        let outputs = output.first().map_or(1, |layer| layer.outputs);
        let norm = |layer: &Dense| layer.norm.as_ref().map_or(Norm::None, |norm| norm.norm);
        let shape = Shape {
            inputs: layers.first().map_or(0, |layer| layer.inputs),
            hidden: hidden.iter().map(|layer| layer.outputs).collect(),
            activation: hidden
                .first()
                .and_then(|layer| layer.activation)
                .unwrap_or_default(),
            norms: hidden.iter().map(norm).collect(),
            output: match (target, outputs) {
                (Some(_), _) => Output::Linear,
                (None, 1) => Output::Sigmoid,
                (None, _) => Output::Softmax,
            },
            outputs,
            tables: Vec::new(),
        };
        let layout = Layout::new(&shape);
        let (n_params, n_moving) = (layout.n_params, layout.n_moving);
        let mut net = Self::new(shape, vec![0.0; n_params], vec![0.0; n_moving], target).with_layers(layers);
        for (place, layer) in layout.places().zip(layers) {
            let Some(norm) = &layer.norm else { continue };
            net.params[place.gain..place.gain + place.units].copy_from_slice(&norm.gain);
            net.params[place.gain + place.n..place.gain + place.n + place.units].copy_from_slice(&norm.shift);
            if norm.norm == Norm::Batch {
                net.moving[place.moving..place.moving + place.units].copy_from_slice(&norm.mean);
                net.moving[place.moving + place.n..place.moving + place.n + place.units]
                    .copy_from_slice(&norm.variance);
            }
        }
        net
    }

    fn cells(&self, start: usize, len: usize) -> &[f32] {
        &self.params[start..start + len]
    }

    fn normalisation(&self, place: &Place) -> Option<Normalisation> {
        let moving = |offset: usize| match place.norm {
            Norm::Batch => self.moving[place.moving + offset..place.moving + offset + place.units].to_vec(),
            _ => Vec::new(),
        };
        (place.norm != Norm::None).then(|| Normalisation {
            norm: place.norm,
            gain: self.cells(place.gain, place.units).to_vec(),
            shift: self.cells(place.gain + place.n, place.units).to_vec(),
            mean: moving(0),
            variance: moving(place.n),
            epsilon: EPSILON,
        })
    }

    /// The same net with other weights and biases, layer by layer as [`Self::layers`] gives them; normalisation stays.
    #[must_use]
    pub fn with_layers(&self, layers: &[Dense]) -> Self {
        let layout = Layout::new(&self.shape);
        let mut net = self.clone();
        for (place, layer) in layout.places().zip(layers) {
            for (input, weights) in layer.weights.chunks_exact(place.units).enumerate() {
                let start = place.weights + input * place.n;
                net.params[start..start + place.units].copy_from_slice(weights);
            }
            net.params[place.bias..place.bias + place.units].copy_from_slice(&layer.bias);
        }
        net
    }

    /// Columns of the dense encoding that it reads; embedded vectors follow them in the first layer's input.
    #[must_use]
    pub const fn dense_inputs(&self) -> usize {
        self.shape.inputs
    }

    /// What the output layer's sums mean.
    #[must_use]
    pub const fn output(&self) -> Output {
        self.shape.output
    }

    /// The scale of a number target: the value is `mean + deviation * sum`.
    #[must_use]
    pub const fn target_scale(&self) -> Option<TargetScale> {
        self.target
    }

    /// Embedding tables with their vectors, row after row; the last two rows are for unseen and missing cells.
    #[must_use]
    pub fn tables(&self) -> Vec<(EmbeddingTable, &[f32])> {
        let layout = Layout::new(&self.shape);
        let each = self.shape.tables.iter().zip(&layout.tables);
        each.map(|(table, place)| (*table, self.cells(place.start, table.rows * table.dims)))
            .collect()
    }
}
