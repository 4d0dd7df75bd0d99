//! Sums, means and extremes along axes, and where the extremes are.

use thalweg_domain::Result;

use super::norm::lines;
use super::{Inputs, Kernel, Versions, one};
use crate::number::{count, signed, truncate};
use crate::proto::NodeProto;
use crate::tensor::{Data, Tensor};

pub(super) fn kernel(node: &NodeProto, _: Versions) -> Result<Option<Kernel>> {
    let keep = node.int("keepdims", 1) != 0;
    let last = node.int("select_last_index", 0) != 0;
    let axis = node.int("axis", 0);
    let reduced: fn(&[f64]) -> f64 = match node.op.as_str() {
        "ReduceSum" => |line| line.iter().sum(),
        "ReduceMean" => |line| line.iter().sum::<f64>() / count(line.len()),
        "ReduceMax" => |line| {
            line.iter()
                .copied()
                .fold(f64::NEG_INFINITY, super::elementwise::larger)
        },
        "ReduceMin" => |line| {
            line.iter()
                .copied()
                .fold(f64::INFINITY, super::elementwise::smaller)
        },
        "ReduceProd" => |line| line.iter().product(),
        "ReduceL1" => |line| line.iter().map(|cell| cell.abs()).sum(),
        "ReduceL2" => |line| line.iter().map(|cell| cell * cell).sum::<f64>().sqrt(),
        "ReduceSumSquare" => |line| line.iter().map(|cell| cell * cell).sum(),
        "ReduceLogSumExp" => |line| {
            let top = line.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            top + line.iter().map(|cell| (cell - top).exp()).sum::<f64>().ln()
        },
        "ArgMax" => {
            return Ok(Some(one(move |inputs| {
                extreme(inputs, axis, (keep, last), |a, b| a > b)
            })));
        }
        "ArgMin" => {
            return Ok(Some(one(move |inputs| {
                extreme(inputs, axis, (keep, last), |a, b| a < b)
            })));
        }
        _ => return Ok(None),
    };
    let stated = node.ints("axes");
    let nothing = node.int("noop_with_empty_axes", 0) != 0;
    Ok(Some(one(move |inputs| {
        let x = inputs.get(0)?;
        // the axes were an attribute up to operator set 12 or 17, then an operand
        let axes = match inputs.optional(1) {
            Some(axes) => axes.ints()?,
            None => stated.clone().unwrap_or_default(),
        };
        match (axes.is_empty(), nothing) {
            (true, true) => Ok(x.clone()),
            (true, false) => reduce(x, &(0..signed(x.rank())).collect::<Vec<_>>(), keep, reduced),
            _ => reduce(x, &axes, keep, reduced),
        }
    })))
}

fn reduce(x: &Tensor, axes: &[i64], keep: bool, reduced: fn(&[f64]) -> f64) -> Result<Tensor> {
    let mut axes = axes
        .iter()
        .map(|axis| x.axis(*axis))
        .collect::<Result<Vec<_>>>()?;
    axes.sort_unstable();
    axes.dedup();
    // move the reduced axes behind the others, then reduce each line of what is now the last axis
    let kept = (0..x.rank()).filter(|axis| !axes.contains(axis));
    let order: Vec<usize> = kept.clone().chain(axes.iter().copied()).collect();
    let along: usize = axes.iter().filter_map(|axis| x.shape().get(*axis)).product();
    let moved = super::shape::transposed(x, &order)?.numbers()?;
    let shape = reduced_shape(x, &axes, keep);
    let cells: Vec<f64> = if along == 0 {
        vec![reduced(&[]); shape.iter().product()]
    } else {
        moved.chunks_exact(along).map(reduced).collect()
    };
    let data = match x.data() {
        Data::Int(_) => Data::Int(cells.into_iter().map(truncate).collect()),
        Data::Bool(_) => Data::Bool(cells.into_iter().map(|cell| cell > 0.0).collect()),
        _ => x.like(cells),
    };
    Tensor::result(shape, data)
}

fn reduced_shape(x: &Tensor, axes: &[usize], keep: bool) -> Vec<usize> {
    let each = x.shape().iter().enumerate();
    each.filter_map(|(axis, size)| match (axes.contains(&axis), keep) {
        (false, _) => Some(*size),
        (true, true) => Some(1),
        (true, false) => None,
    })
    .collect()
}

fn extreme(
    inputs: &Inputs<'_>,
    axis: i64,
    (keep, last): (bool, bool),
    better: fn(f64, f64) -> bool,
) -> Result<Tensor> {
    let x = inputs.get(0)?;
    let axis = x.axis(axis)?;
    let (before, along, behind) = x.around(axis);
    let cells = x.numbers()?;
    let mut found = Vec::with_capacity(before * behind);
    for line in lines(before, along, behind) {
        let mut best: Option<(usize, f64)> = None;
        for (index, cell) in line.filter_map(|place| cells.get(place).copied()).enumerate() {
            let wins = best.is_none_or(|(_, top)| better(cell, top) || (last && !better(top, cell)));
            if wins {
                best = Some((index, cell));
            }
        }
        found.push(best.map_or(0, |(index, _)| signed(index)));
    }
    Tensor::result(reduced_shape(x, &[axis], keep), Data::Int(found))
}
