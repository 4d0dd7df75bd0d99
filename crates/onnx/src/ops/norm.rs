//! Normalisation: softmax, batch and layer normalisation.

use thalweg_domain::{Error, Result};

use super::{Inputs, Kernel, Versions, one};
use crate::number::count;
use crate::proto::NodeProto;
use crate::tensor::{Tensor, mismatch};

pub(super) fn kernel(node: &NodeProto, versions: Versions) -> Result<Option<Kernel>> {
    let epsilon = f64::from(node.float("epsilon", 1e-5));
    Ok(match node.op.as_str() {
        "Softmax" => Some(soft(node, versions, |shifted, sum| shifted.exp() / sum)),
        "LogSoftmax" => Some(soft(node, versions, |shifted, sum| shifted - sum.ln())),
        "BatchNormalization" => {
            if node.int("training_mode", 0) != 0 {
                return Err(Error::new(
                    "TW0341",
                    "the model normalises by the batch it is shown (training mode)",
                )
                .hint("put the model into evaluation mode before the export (PyTorch: model.eval())"));
            }
            Some(one(move |inputs| batch_normalised(inputs, epsilon)))
        }
        "LayerNormalization" => {
            let axis = node.int("axis", -1);
            Some(one(move |inputs| layer_normalised(inputs, axis, epsilon, true)))
        }
        "RMSNormalization" => {
            let axis = node.int("axis", -1);
            Some(one(move |inputs| layer_normalised(inputs, axis, epsilon, false)))
        }
        _ => None,
    })
}

/// Up to operator set 12 all axes from `axis` on (1 by default) are taken together, later just the one (the last).
fn soft(node: &NodeProto, versions: Versions, finish: fn(f64, f64) -> f64) -> Kernel {
    let together = versions.opset < 13;
    let axis = node.int("axis", if together { 1 } else { -1 });
    one(move |inputs| {
        let x = inputs.get(0)?;
        let axis = x.axis(axis)?;
        let (before, along, behind) = x.around(axis);
        let (along, behind) = if together {
            (along * behind, 1)
        } else {
            (along, behind)
        };
        let cells = x.numbers()?;
        let mut result = vec![0.0; cells.len()];
        for line in lines(before, along, behind) {
            let own: Vec<f64> = line
                .clone()
                .filter_map(|place| cells.get(place).copied())
                .collect();
            let top = own.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = own.iter().map(|cell| (cell - top).exp()).sum();
            for (place, cell) in line.zip(own) {
                if let Some(result) = result.get_mut(place) {
                    *result = finish(cell - top, sum);
                }
            }
        }
        Tensor::result(x.shape().to_vec(), x.like(result))
    })
}

type Line = std::iter::StepBy<std::ops::Range<usize>>;

/// The places of each line along an axis, given how many cells lie before, along and behind it.
pub(super) fn lines(before: usize, along: usize, behind: usize) -> impl Iterator<Item = Line> {
    (0..before).flat_map(move |outer| {
        let start = outer * along * behind;
        (0..behind).map(move |inner| (start + inner..start + along * behind).step_by(behind.max(1)))
    })
}

fn batch_normalised(inputs: &Inputs<'_>, epsilon: f64) -> Result<Tensor> {
    let x = inputs.get(0)?;
    let channel = |place: usize| inputs.get(place)?.numbers();
    let (scale, shift, mean, variance) = (channel(1)?, channel(2)?, channel(3)?, channel(4)?);
    let (_, channels, behind) = x.around(1);
    let stated = [&scale, &shift, &mean, &variance];
    if x.rank() < 2 || stated.iter().any(|stated| stated.len() != channels) {
        return Err(mismatch(format!(
            "a batch normalisation of the shape {:?}",
            x.shape()
        )));
    }
    let parts = scale.iter().zip(&shift).zip(mean.iter().zip(&variance));
    let lines: Vec<(f64, f64, f64)> = parts
        .map(|((scale, shift), (mean, variance))| (*mean, scale / (variance + epsilon).sqrt(), *shift))
        .collect();
    let cells = x
        .numbers()?
        .chunks(behind.max(1))
        .zip(lines.iter().cycle())
        .flat_map(|(cells, (mean, slope, shift))| cells.iter().map(move |cell| (cell - mean) * slope + shift))
        .collect();
    Tensor::result(x.shape().to_vec(), x.like(cells))
}

/// Over all axes from `axis` on: minus the mean (if `centred`), divided by the root of the mean square.
fn layer_normalised(inputs: &Inputs<'_>, axis: i64, epsilon: f64, centred: bool) -> Result<Tensor> {
    let (x, scale) = (inputs.get(0)?, inputs.get(1)?.numbers()?);
    let shift = inputs.optional(2).map(Tensor::numbers).transpose()?;
    let (_, along, behind) = x.around(x.axis(axis)?);
    let width = along * behind;
    let widths = [Some(scale.len()), shift.as_ref().map(Vec::len)];
    if width == 0 || widths.iter().flatten().any(|stated| *stated != width) {
        return Err(mismatch(format!(
            "a layer normalisation of the shape {:?}",
            x.shape()
        )));
    }
    let shift = shift.unwrap_or_else(|| vec![0.0; width]);
    let mut result = Vec::with_capacity(x.len());
    for row in x.numbers()?.chunks_exact(width) {
        let mean = if centred {
            row.iter().sum::<f64>() / count(width)
        } else {
            0.0
        };
        let square = row.iter().map(|cell| (cell - mean) * (cell - mean)).sum::<f64>() / count(width);
        let slope = 1.0 / (square + epsilon).sqrt();
        let each = row.iter().zip(&scale).zip(&shift);
        result.extend(each.map(|((cell, scale), shift)| (cell - mean) * slope * scale + shift));
    }
    Tensor::result(x.shape().to_vec(), x.like(result))
}
