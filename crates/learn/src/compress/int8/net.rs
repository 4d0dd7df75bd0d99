//! A quantised net: how it is stored, and how it scores.

use serde::{Deserialize, Serialize};

use super::kernel::{LANES, joined, paired, products};
use crate::compress::bytes::{Reader, Writer, from_base64, to_base64};
use crate::compress::layers::{After, Dense};

/// Layers with fewer units than this read unrounded activations: padding them to whole registers would cost more.
const FEW_UNITS: usize = 8;

/// A net with 8-bit weights.
///
/// A layer's inputs are read as `(q - zero) * step` with q in 0..=255, its weights as `w * scale_c` with w in -127..=127 and a scale
/// per output channel; so its sums are `step * scale_c * (sum q w - zero * sum w) + bias_c`, whole numbers up to the last
/// two operations (Jacob et al. 2018, arXiv 1712.05877).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub(crate) struct Int8Net {
    layers: Vec<Layer>,
}

/// One layer, quantised.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quantized {
    pub(super) inputs: usize,
    pub(super) units: usize,
    /// Of the inputs: one unit of q, and the q of 0.
    pub(super) step: f32,
    pub(super) zero: u8,
    /// Input after input, `units` cells each.
    pub(super) weights: Vec<i8>,
    /// Per unit; numbers whose last 16 bits are 0, so that two bytes hold them.
    pub(super) scales: Vec<f32>,
    pub(super) bias: Vec<f32>,
    pub(super) after: After,
}

/// A layer ready to run.
#[derive(Debug, Clone, PartialEq)]
struct Layer {
    own: Quantized,
    /// For the kernel; empty for a layer of few units.
    paired: Vec<i16>,
    /// `units` rounded up to whole registers.
    width: usize,
    /// Per unit: the step times the scale.
    factor: Vec<f32>,
    /// Per unit: zero times the sum of its weights.
    correction: Vec<i32>,
    /// Unit after unit, the weights as numbers, for a layer of few units.
    plain: Vec<f32>,
}

impl Layer {
    fn new(own: Quantized) -> Self {
        let (inputs, units) = (own.inputs, own.units);
        let few = !own.rounds_inputs();
        let weight = |input: usize, unit: usize| own.weights[input * units + unit];
        let column_sum = |unit| {
            (0..inputs)
                .map(|input| i32::from(weight(input, unit)))
                .sum::<i32>()
        };
        let plain = |unit: usize| (0..inputs).map(move |input| (input, unit));
        Self {
            paired: if few {
                Vec::new()
            } else {
                paired(inputs, units, weight)
            },
            width: units.next_multiple_of(LANES),
            factor: own.scales.iter().map(|scale| own.step * scale).collect(),
            correction: (0..units)
                .map(|unit| i32::from(own.zero) * column_sum(unit))
                .collect(),
            plain: if few {
                let all = (0..units).flat_map(plain);
                all.map(|(input, unit)| f32::from(weight(input, unit)) * own.scales[unit])
                    .collect()
            } else {
                Vec::new()
            },
            own,
        }
    }

    /// What the next layer reads, rows x units.
    fn forward(&self, x: &[f32], buffers: &mut Buffers) -> Vec<f32> {
        let Quantized { inputs, units, .. } = self.own;
        let rows = x.len() / inputs;
        let mut out = if self.paired.is_empty() {
            self.plain_sums(x)
        } else {
            self.round_inputs(x, &mut buffers.inputs);
            buffers.sums.resize(rows * self.width, 0);
            products(&buffers.inputs, &self.paired, self.width, &mut buffers.sums);
            self.unrounded(&buffers.sums, rows)
        };
        self.own.after.apply(&mut out, units);
        out
    }

    fn round_inputs(&self, x: &[f32], out: &mut Vec<i32>) {
        let (inverse, zero) = (1.0 / self.own.step, f32::from(self.own.zero));
        // adding 2^23 rounds to the nearest whole number, which then stands in the lowest bits
        let round = |cell: f32| ((cell * inverse + zero).clamp(0.0, 255.0) + 8_388_608.0).to_bits() as u8;
        let round = |cell: f32| i16::from(round(cell));
        out.clear();
        for row in x.chunks_exact(self.own.inputs) {
            let pairs = row.chunks_exact(2);
            // the partner of a last odd input has weights of 0
            let last = pairs.remainder().first().map(|cell| joined(round(*cell), 0));
            out.extend(pairs.map(|pair| joined(round(pair[0]), round(pair[1]))));
            out.extend(last);
        }
    }

    fn unrounded(&self, sums: &[i32], rows: usize) -> Vec<f32> {
        let mut out = Vec::with_capacity(rows * self.own.units);
        for row in sums.chunks_exact(self.width) {
            let each = row
                .iter()
                .zip(&self.correction)
                .zip(self.factor.iter().zip(&self.own.bias));
            out.extend(
                each.map(|((sum, correction), (factor, bias))| (sum - correction) as f32 * factor + bias),
            );
        }
        out
    }

    fn plain_sums(&self, x: &[f32]) -> Vec<f32> {
        let inputs = self.own.inputs;
        let each_row = x.chunks_exact(inputs);
        each_row
            .flat_map(|row| {
                let units = self.plain.chunks_exact(inputs).zip(&self.own.bias);
                units.map(|(weights, bias)| bias + lane_dot(row, weights))
            })
            .collect()
    }
}

/// The inner product in eight interleaved sums.
fn lane_dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    let (a_lanes, b_lanes) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest = a_lanes.remainder().iter().zip(b_lanes.remainder());
    let rest: f32 = rest.map(|(a, b)| a * b).sum();
    for (a, b) in a_lanes.zip(b_lanes) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    rest + sums.iter().sum::<f32>()
}

#[derive(Debug, Default)]
struct Buffers {
    inputs: Vec<i32>,
    sums: Vec<i32>,
}

/// Rows scored in one go.
const CHUNK: usize = 256;

impl Int8Net {
    pub(super) fn new(layers: Vec<Quantized>) -> Self {
        Self {
            layers: layers.into_iter().map(Layer::new).collect(),
        }
    }

    /// The outputs of each row, row after row; `x` is rows x inputs.
    pub(crate) fn outputs(&self, x: &[f32]) -> Vec<f32> {
        let Some(first) = self.layers.first() else {
            return Vec::new();
        };
        let mut buffers = Buffers::default();
        let mut all = Vec::new();
        for chunk in x.chunks(CHUNK * first.own.inputs) {
            let mut cells = first.forward(chunk, &mut buffers);
            for layer in &self.layers[1..] {
                cells = layer.forward(&cells, &mut buffers);
            }
            all.append(&mut cells);
        }
        all
    }

    /// The layers in plain arithmetic, with unrounded activations.
    pub(crate) fn plain_layers(&self) -> Vec<Dense> {
        self.layers.iter().map(|layer| layer.own.plain()).collect()
    }

    /// Bytes of the numbers as they are stored, before base64.
    pub(crate) fn n_bytes(&self) -> usize {
        self.layers.iter().map(|layer| layer.own.packed().len()).sum()
    }
}

impl Quantized {
    /// Whether the layer reads rounded inputs.
    pub(super) const fn rounds_inputs(&self) -> bool {
        self.units >= FEW_UNITS
    }

    /// The layer with the numbers that its rounded weights stand for.
    pub(super) fn plain(&self) -> Dense {
        let weights = self.weights.iter().zip(self.scales.iter().cycle());
        Dense {
            inputs: self.inputs,
            units: self.units,
            weights: weights
                .map(|(weight, scale)| f32::from(*weight) * scale)
                .collect(),
            bias: self.bias.clone(),
            after: self.after.clone(),
        }
    }

    /// Weights, scales (the upper halves) and biases.
    fn packed(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.i8s(&self.weights);
        let upper: Vec<u16> = self
            .scales
            .iter()
            .map(|scale| (scale.to_bits() >> 16) as u16)
            .collect();
        writer.u16s(&upper);
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
    step: f32,
    zero: u8,
    #[serde(flatten)]
    after: After,
    /// Base64 of: weights (i8, input after input), scales (upper 16 bits of an f32), biases (f32); little end first.
    packed: String,
}

impl From<Int8Net> for Stored {
    fn from(net: Int8Net) -> Self {
        let layers = net.layers.into_iter().map(|Layer { own, .. }| StoredLayer {
            packed: to_base64(&own.packed()),
            inputs: own.inputs,
            units: own.units,
            step: own.step,
            zero: own.zero,
            after: own.after,
        });
        Self {
            layers: layers.collect(),
        }
    }
}

impl TryFrom<Stored> for Int8Net {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let mut width = None;
        let mut layers = Vec::with_capacity(stored.layers.len());
        for layer in stored.layers {
            if width.is_some_and(|width| width != layer.inputs) || layer.inputs == 0 || layer.units == 0 {
                return Err("the layers of an 8-bit net do not fit each other");
            }
            width = Some(layer.units);
            layers.push(
                layer
                    .unpacked()
                    .ok_or("the packed numbers of an 8-bit net are damaged")?,
            );
        }
        Ok(Self::new(layers))
    }
}

impl StoredLayer {
    fn unpacked(self) -> Option<Quantized> {
        let bytes = from_base64(&self.packed)?;
        let mut reader = Reader { rest: &bytes };
        let weights = reader.i8s(self.inputs.checked_mul(self.units)?)?;
        let scales = reader
            .u16s(self.units)?
            .into_iter()
            .map(|upper| f32::from_bits(u32::from(upper) << 16));
        let layer = Quantized {
            scales: scales.collect(),
            bias: reader.f32s(self.units)?,
            weights,
            inputs: self.inputs,
            units: self.units,
            step: self.step,
            zero: self.zero,
            after: self.after,
        };
        let fits = layer.after.fits(layer.units);
        (reader.rest.is_empty() && fits).then_some(layer)
    }
}
