//! Operators that move cells without changing them.

use thalweg_domain::{Error, Result};

use super::choose::joined;
use super::{Inputs, Kernel, Versions, one};
use crate::number::signed;
use crate::proto::{Attribute, NodeProto};
use crate::tensor::{Data, Tensor, axis_of, broadcast_shape, cells_of, mismatch, places};

pub(super) fn kernel(node: &NodeProto, _: Versions) -> Result<Option<Kernel>> {
    let axis = node.int("axis", 0);
    let stated = node.ints("axes");
    let kernel = match node.op.as_str() {
        "Identity" | "Dropout" => one(|inputs| Ok(inputs.get(0)?.clone())),
        "Reshape" => {
            let literal = node.int("allowzero", 0) != 0;
            one(move |inputs| reshape(inputs.get(0)?, &inputs.get(1)?.ints()?, literal))
        }
        "Flatten" => {
            let axis = node.int("axis", 1);
            one(move |inputs| flatten(inputs.get(0)?, axis))
        }
        "Squeeze" => one(move |inputs| squeeze(inputs.get(0)?, axes(inputs, stated.as_ref())?)),
        "Unsqueeze" => one(move |inputs| {
            unsqueeze(
                inputs.get(0)?,
                &axes(inputs, stated.as_ref())?.unwrap_or_default(),
            )
        }),
        "Concat" => one(move |inputs| concat(inputs, axis)),
        "Transpose" => {
            let order = node.ints("perm");
            one(move |inputs| transpose(inputs.get(0)?, order.as_deref()))
        }
        "Gather" => one(move |inputs| gather(inputs.get(0)?, inputs.get(1)?, axis)),
        "Slice" => {
            let bounds = (node.ints("starts"), node.ints("ends"), node.ints("axes"));
            one(move |inputs| slice(inputs, &bounds))
        }
        "Split" => return Ok(Some(split(node))),
        "Shape" => {
            let (start, end) = (node.int("start", 0), node.int("end", i64::MAX));
            one(move |inputs| shape_of(inputs.get(0)?, start, end))
        }
        "Expand" => one(|inputs| {
            let x = inputs.get(0)?;
            let shape = broadcast_shape(x.shape(), &sizes(&inputs.get(1)?.ints()?)?)?;
            picked(x, shape.clone(), places(x.shape(), &shape).into_iter())
        }),
        "Tile" => one(|inputs| tile(inputs.get(0)?, &sizes(&inputs.get(1)?.ints()?)?)),
        "Constant" => constant(node)?,
        "ConstantOfShape" => {
            let value = node.tensor("value").cloned();
            let value = value.unwrap_or_else(|| Tensor::vector(Data::F32(vec![0.0])));
            one(move |inputs| {
                let shape = sizes(&inputs.get(0)?.ints()?)?;
                let cells =
                    cells_of(&shape).ok_or_else(|| mismatch(format!("a constant of shape {shape:?}")))?;
                picked(&value, shape, std::iter::repeat_n(0, cells))
            })
        }
        _ => return Ok(None),
    };
    Ok(Some(kernel))
}

/// The cells at these places in a new shape.
fn picked(x: &Tensor, shape: Vec<usize>, places: impl Iterator<Item = usize>) -> Result<Tensor> {
    let data = x.data().pick(places);
    Tensor::result(
        shape,
        data.ok_or_else(|| mismatch(format!("a place outside the shape {:?}", x.shape())))?,
    )
}

fn sizes(dims: &[i64]) -> Result<Vec<usize>> {
    let sizes: Option<Vec<usize>> = dims.iter().map(|dim| usize::try_from(*dim).ok()).collect();
    sizes.ok_or_else(|| mismatch(format!("a shape of {dims:?}")))
}

/// Axes were an attribute up to operator set 12, then an operand.
fn axes(inputs: &Inputs<'_>, stated: Option<&Vec<i64>>) -> Result<Option<Vec<i64>>> {
    match inputs.optional(1) {
        Some(axes) => Ok(Some(axes.ints()?)),
        None => Ok(stated.cloned()),
    }
}

/// 0 keeps a dimension (unless `literal`), -1 is what remains.
fn reshape(x: &Tensor, wanted: &[i64], literal: bool) -> Result<Tensor> {
    let mut shape = Vec::with_capacity(wanted.len());
    for (place, dim) in wanted.iter().enumerate() {
        shape.push(match dim {
            -1 => None,
            0 if !literal => Some(x.shape().get(place).copied().unwrap_or(0)),
            dim => Some(usize::try_from(*dim).map_err(|_| mismatch(format!("the shape {wanted:?}")))?),
        });
    }
    let known: Vec<usize> = shape.iter().flatten().copied().collect();
    let known = cells_of(&known).ok_or_else(|| mismatch(format!("the shape {wanted:?}")))?;
    let rest = x.len().checked_div(known).unwrap_or(0);
    x.reshaped(shape.into_iter().map(|dim| dim.unwrap_or(rest)).collect())
}

fn flatten(x: &Tensor, axis: i64) -> Result<Tensor> {
    let axis = if axis == signed(x.rank()) {
        x.rank()
    } else {
        x.axis(axis)?
    };
    let (before, behind) = x.shape().split_at(axis.min(x.rank()));
    x.reshaped(vec![before.iter().product(), behind.iter().product()])
}

fn squeeze(x: &Tensor, axes: Option<Vec<i64>>) -> Result<Tensor> {
    let gone = match axes {
        Some(axes) => axes
            .iter()
            .map(|axis| x.axis(*axis))
            .collect::<Result<Vec<_>>>()?,
        None => (0..x.rank())
            .filter(|axis| x.shape().get(*axis) == Some(&1))
            .collect(),
    };
    let kept = x.shape().iter().enumerate();
    let shape = kept
        .filter(|(axis, _)| !gone.contains(axis))
        .map(|(_, size)| *size)
        .collect();
    x.reshaped(shape)
}

fn unsqueeze(x: &Tensor, axes: &[i64]) -> Result<Tensor> {
    let rank = x.rank() + axes.len();
    let new = axes
        .iter()
        .map(|axis| axis_of(*axis, rank))
        .collect::<Result<Vec<_>>>()?;
    let mut old = x.shape().iter().copied();
    let shape = (0..rank)
        .map(|axis| {
            if new.contains(&axis) {
                1
            } else {
                old.next().unwrap_or(1)
            }
        })
        .collect();
    x.reshaped(shape)
}

fn concat(inputs: &Inputs<'_>, axis: i64) -> Result<Tensor> {
    let first = inputs.get(0)?;
    let axis = first.axis(axis)?;
    let others = |x: &Tensor| {
        let mut shape = x.shape().to_vec();
        (axis < shape.len()).then(|| shape.remove(axis));
        shape
    };
    let (before, _, _) = first.around(axis);
    let mut data = first
        .data()
        .pick(std::iter::empty())
        .unwrap_or(Data::Bool(Vec::new()));
    let (mut widths, mut along) = (Vec::new(), 0);
    for x in inputs.iter() {
        if x.rank() != first.rank() || others(x) != others(first) {
            let shapes = (first.shape(), x.shape());
            return Err(mismatch(format!(
                "shapes side by side that do not fit: {shapes:?}"
            )));
        }
        let (_, own, behind) = x.around(axis);
        widths.push((data.len(), own * behind));
        along += own;
        data = joined(&data, x.data()).ok_or_else(|| x.unfit("cells of the same type"))?;
    }
    let mut shape = first.shape().to_vec();
    if let Some(dim) = shape.get_mut(axis) {
        *dim = along;
    }
    // the operands lie one after the other: take a stretch of each in turn
    let order = (0..before).flat_map(|outer| {
        let stretches = widths.iter();
        stretches.flat_map(move |(start, width)| start + outer * width..start + (outer + 1) * width)
    });
    picked(&Tensor::vector(data), shape, order)
}

/// The tensor with its axes in another order.
pub(super) fn transposed(x: &Tensor, order: &[usize]) -> Result<Tensor> {
    let mut sorted = order.to_vec();
    sorted.sort_unstable();
    if sorted != (0..x.rank()).collect::<Vec<_>>() {
        return Err(mismatch(format!(
            "the axes of {:?} in the order {order:?}",
            x.shape()
        )));
    }
    let mut strides = vec![1; x.rank()];
    let mut stride = 1;
    for (own, size) in strides.iter_mut().zip(x.shape()).rev() {
        *own = stride;
        stride *= size;
    }
    let axis = |axis: &usize| Some((*x.shape().get(*axis)?, *strides.get(*axis)?));
    let moved: Vec<(usize, usize)> = order.iter().filter_map(axis).collect();
    let mut places = vec![0];
    for (size, stride) in moved.iter().rev() {
        places = (0..*size)
            .flat_map(|index| places.iter().map(move |place| place + index * stride))
            .collect();
    }
    picked(
        x,
        moved.iter().map(|(size, _)| *size).collect(),
        places.into_iter(),
    )
}

fn transpose(x: &Tensor, order: Option<&[i64]>) -> Result<Tensor> {
    let order = match order {
        Some(order) => order
            .iter()
            .map(|axis| x.axis(*axis))
            .collect::<Result<Vec<_>>>()?,
        None => (0..x.rank()).rev().collect(),
    };
    transposed(x, &order)
}

/// The slices of `x` along `axis` that the indices name.
pub(crate) fn gather(x: &Tensor, indices: &Tensor, axis: i64) -> Result<Tensor> {
    let axis = x.axis(axis)?;
    let (before, along, behind) = x.around(axis);
    let wanted = indices.ints()?;
    let wanted = wanted
        .iter()
        .map(|index| axis_of(*index, along))
        .collect::<Result<Vec<_>>>()?;
    let order = (0..before).flat_map(|outer| {
        wanted.iter().flat_map(move |index| {
            let start = (outer * along + index) * behind;
            start..start + behind
        })
    });
    let (head, tail) = x.shape().split_at(axis.min(x.rank()));
    let tail = tail.iter().skip(1);
    let shape = head.iter().chain(indices.shape()).chain(tail).copied().collect();
    picked(x, shape, order)
}

type Bounds = (Option<Vec<i64>>, Option<Vec<i64>>, Option<Vec<i64>>);

/// Bounds were attributes up to operator set 9, then operands.
fn slice(inputs: &Inputs<'_>, stated: &Bounds) -> Result<Tensor> {
    let operand = |place: usize, stated: &Option<Vec<i64>>| match inputs.optional(place) {
        Some(operand) => operand.ints().map(Some),
        None => Ok(stated.clone()),
    };
    let starts = operand(1, &stated.0)?.unwrap_or_default();
    let ends = operand(2, &stated.1)?.unwrap_or_default();
    let axes = operand(3, &stated.2)?.unwrap_or_else(|| (0..signed(starts.len())).collect());
    let steps = operand(4, &None)?.unwrap_or_else(|| vec![1; starts.len()]);
    let mut x = inputs.get(0)?.clone();
    for (((start, end), axis), step) in starts.iter().zip(&ends).zip(&axes).zip(&steps) {
        let size = signed(x.around(x.axis(*axis)?).1);
        let indices = Tensor::vector(Data::Int(stretch((*start, *end, *step), size)?));
        x = gather(&x, &indices, *axis)?;
    }
    Ok(x)
}

/// The indices from `start` to before `end`; both may count from the end and are cut to the axis.
fn stretch((start, end, step): (i64, i64, i64), size: i64) -> Result<Vec<i64>> {
    let from_end = |bound: i64| {
        if bound < 0 {
            bound.saturating_add(size)
        } else {
            bound
        }
    };
    let every = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
    match step {
        0 => Err(mismatch("a slice with the step 0".to_owned())),
        1.. => {
            let (start, end) = (from_end(start).clamp(0, size), from_end(end).clamp(0, size));
            Ok((start..end).step_by(every).collect())
        }
        _ => {
            let (start, end) = (
                from_end(start).clamp(-1, size - 1),
                from_end(end).clamp(-1, size - 1),
            );
            Ok((end + 1..=start).rev().step_by(every).collect())
        }
    }
}

fn split(node: &NodeProto) -> Kernel {
    let axis = node.int("axis", 0);
    let stated = node.ints("split");
    let parts = signed(node.outputs.len());
    Box::new(move |inputs| {
        let x = inputs.get(0)?;
        let size = signed(x.around(x.axis(axis)?).1);
        let widths = match inputs.optional(1) {
            Some(widths) => widths.ints()?,
            // equal parts; the last one may be smaller
            None => stated.clone().unwrap_or_else(|| {
                let width = size.saturating_add(parts - 1) / parts.max(1);
                (0..parts)
                    .map(|part| width.min(size - part * width).max(0))
                    .collect()
            }),
        };
        let mut start = 0_i64;
        let mut results = Vec::with_capacity(widths.len());
        for width in widths {
            let indices = (start..start.saturating_add(width).min(size)).collect();
            results.push(gather(x, &Tensor::vector(Data::Int(indices)), axis)?);
            start = start.saturating_add(width);
        }
        Ok(results)
    })
}

fn shape_of(x: &Tensor, start: i64, end: i64) -> Result<Tensor> {
    let dims: Vec<i64> = x.shape().iter().map(|dim| signed(*dim)).collect();
    let size = signed(dims.len());
    let all = Tensor::vector(Data::Int(dims));
    gather(
        &all,
        &Tensor::vector(Data::Int(stretch((start, end, 1), size)?)),
        0,
    )
}

fn tile(x: &Tensor, repeats: &[usize]) -> Result<Tensor> {
    if repeats.len() != x.rank() {
        return Err(mismatch(format!(
            "{repeats:?} repeats of the shape {:?}",
            x.shape()
        )));
    }
    let mut result = x.clone();
    for (axis, repeats) in repeats.iter().enumerate() {
        let size = result.around(axis).1;
        if size.checked_mul(*repeats).is_none_or(|size| size > 1 << 24) {
            return Err(mismatch(format!(
                "{repeats} repeats of the shape {:?}",
                x.shape()
            )));
        }
        let indices = (0..signed(size)).collect::<Vec<_>>().repeat(*repeats);
        result = gather(&result, &Tensor::vector(Data::Int(indices)), signed(axis))?;
    }
    Ok(result)
}

fn constant(node: &NodeProto) -> Result<Kernel> {
    let value = match node.attributes.first().map(|(_, attribute)| attribute) {
        Some(Attribute::Tensor(tensor)) => tensor.clone(),
        Some(Attribute::Float(value)) => Tensor::result(Vec::new(), Data::F32(vec![*value]))?,
        Some(Attribute::Int(value)) => Tensor::scalar_int(*value),
        Some(Attribute::Floats(values)) => Tensor::vector(Data::F32(values.clone())),
        Some(Attribute::Ints(values)) => Tensor::vector(Data::Int(values.clone())),
        Some(Attribute::Text(value)) => Tensor::result(Vec::new(), Data::Text(vec![value.as_str().into()]))?,
        Some(Attribute::Texts(values)) => Tensor::vector(Data::Text(
            values.iter().map(|value| value.as_str().into()).collect(),
        )),
        _ => {
            return Err(Error::new(
                "TW0341",
                format!("the constant {} has no dense value", node.place()),
            )
            .hint("export the model with dense constants"));
        }
    };
    Ok(one(move |_| Ok(value.clone())))
}
