//! Nets of which only the weights that were kept are stored and multiplied.

use serde::{Deserialize, Serialize};

use super::bytes::{Reader, Writer, from_base64, to_base64};
use super::layers::{After, Dense};

/// Rows scored beside each other: the lanes of the products.
const ROWS: usize = 32;

/// A net with few weights that are not 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub(crate) struct SparseNet {
    layers: Vec<Layer>,
}

#[derive(Debug, Clone, PartialEq)]
struct Layer {
    inputs: usize,
    bias: Vec<f32>,
    /// Where each unit's weights begin, and one past the last.
    starts: Vec<usize>,
    /// The input of each weight, rising within a unit.
    from: Vec<usize>,
    weights: Vec<f32>,
    after: After,
}

impl SparseNet {
    /// The weights of a net that are not 0.
    pub(crate) fn new(layers: &[Dense]) -> Self {
        Self {
            layers: layers.iter().map(Layer::new).collect(),
        }
    }

    /// The layers with their zeros.
    pub(crate) fn plain_layers(&self) -> Vec<Dense> {
        self.layers.iter().map(Layer::plain).collect()
    }

    /// Bytes of the numbers as they are stored, before base64.
    pub(crate) fn n_bytes(&self) -> usize {
        self.layers.iter().map(|layer| layer.packed().len()).sum()
    }

    /// The outputs of each row, row after row; `x` is rows x inputs.
    pub(crate) fn outputs(&self, x: &[f32]) -> Vec<f32> {
        let (Some(first), Some(last)) = (self.layers.first(), self.layers.last()) else {
            return Vec::new();
        };
        let units = last.bias.len();
        let mut all = Vec::with_capacity(x.len() / first.inputs * units);
        for chunk in x.chunks(ROWS * first.inputs) {
            let mut cells = turned(chunk, first.inputs);
            for layer in &self.layers {
                cells = layer.forward(&cells);
            }
            let rows = chunk.len() / first.inputs;
            all.extend((0..rows).flat_map(|row| cells.iter().skip(row).step_by(ROWS).take(units)));
        }
        all
    }
}

/// Columns of [`ROWS`] cells, the last rows 0 where there are fewer.
fn turned(x: &[f32], inputs: usize) -> Vec<f32> {
    let mut out = vec![0.0; inputs * ROWS];
    for (row, cells) in x.chunks_exact(inputs).enumerate() {
        for (input, cell) in cells.iter().enumerate() {
            out[input * ROWS + row] = *cell;
        }
    }
    out
}

impl Layer {
    fn new(dense: &Dense) -> Self {
        let mut layer = Self {
            inputs: dense.inputs,
            bias: dense.bias.clone(),
            starts: vec![0],
            from: Vec::new(),
            weights: Vec::new(),
            after: dense.after.clone(),
        };
        for unit in 0..dense.units {
            for (input, weight) in dense
                .of_unit(unit)
                .enumerate()
                .filter(|(_, weight)| *weight != 0.0)
            {
                layer.from.push(input);
                layer.weights.push(weight);
            }
            layer.starts.push(layer.from.len());
        }
        layer
    }

    fn plain(&self) -> Dense {
        let units = self.bias.len();
        let mut weights = vec![0.0; self.inputs * units];
        for (unit, bounds) in self.starts.windows(2).enumerate() {
            for at in bounds[0]..bounds[1] {
                weights[self.from[at] * units + unit] = self.weights[at];
            }
        }
        Dense {
            inputs: self.inputs,
            units,
            weights,
            bias: self.bias.clone(),
            after: self.after.clone(),
        }
    }

    /// What the next layer reads, column after column of [`ROWS`] cells.
    fn forward(&self, x: &[f32]) -> Vec<f32> {
        let mut out = Vec::with_capacity(self.bias.len() * ROWS);
        for (bias, bounds) in self.bias.iter().zip(self.starts.windows(2)) {
            let mut sums = [*bias; ROWS];
            let own = bounds[0]..bounds[1];
            for (from, weight) in self.from[own.clone()].iter().zip(&self.weights[own]) {
                let column = &x[from * ROWS..(from + 1) * ROWS];
                sums.iter_mut()
                    .zip(column)
                    .for_each(|(sum, cell)| *sum += weight * cell);
            }
            out.extend_from_slice(&sums);
        }
        if self.after.norm.is_none() {
            self.after.apply(&mut out, ROWS);
            return out;
        }
        let units = self.bias.len();
        let mut rows: Vec<f32> = (0..ROWS)
            .flat_map(|row| out.iter().skip(row).step_by(ROWS).copied())
            .collect();
        self.after.apply(&mut rows, units);
        turned(&rows, units)
    }

    /// Per unit how many weights and the gaps between their inputs, then the weights and the biases.
    fn packed(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        for bounds in self.starts.windows(2) {
            writer.varint(bounds[1] - bounds[0]);
            let mut next = 0;
            for from in &self.from[bounds[0]..bounds[1]] {
                writer.varint(from - next);
                next = from + 1;
            }
        }
        writer.f32s(&self.weights);
        writer.f32s(&self.bias);
        writer.bytes
    }
}

/// The file's form.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Stored {
    layers: Vec<StoredLayer>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct StoredLayer {
    inputs: usize,
    units: usize,
    #[serde(flatten)]
    after: After,
    /// Base64 of: per unit the number of its weights and the gaps between their inputs (seven bits a byte), then the weights and
    /// the biases (f32, little end first).
    packed: String,
}

impl From<SparseNet> for Stored {
    fn from(net: SparseNet) -> Self {
        let layers = net.layers.into_iter().map(|layer| StoredLayer {
            packed: to_base64(&layer.packed()),
            inputs: layer.inputs,
            units: layer.bias.len(),
            after: layer.after,
        });
        Self {
            layers: layers.collect(),
        }
    }
}

impl TryFrom<Stored> for SparseNet {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let mut width = None;
        let mut layers = Vec::with_capacity(stored.layers.len());
        for layer in stored.layers {
            if width.is_some_and(|width| width != layer.inputs) || layer.inputs == 0 || layer.units == 0 {
                return Err("the layers of a pruned net do not fit each other");
            }
            width = Some(layer.units);
            layers.push(
                layer
                    .unpacked()
                    .ok_or("the packed numbers of a pruned net are damaged")?,
            );
        }
        Ok(Self { layers })
    }
}

impl StoredLayer {
    fn unpacked(self) -> Option<Layer> {
        let bytes = from_base64(&self.packed)?;
        let mut reader = Reader { rest: &bytes };
        let (mut starts, mut from) = (vec![0], Vec::new());
        for _ in 0..self.units {
            let mut next = 0;
            for _ in 0..reader.varint()? {
                let input = reader.varint()?.checked_add(next)?;
                if input >= self.inputs {
                    return None;
                }
                from.push(input);
                next = input + 1;
            }
            starts.push(from.len());
        }
        let layer = Layer {
            inputs: self.inputs,
            weights: reader.f32s(from.len())?,
            bias: reader.f32s(self.units)?,
            starts,
            from,
            after: self.after,
        };
        (reader.rest.is_empty() && layer.after.fits(layer.bias.len())).then_some(layer)
    }
}
