//! Comparisons, logic, and choices by them.

use thalweg_domain::Result;

use super::elementwise::{larger, smaller, zipped};
use super::{Inputs, Kernel, Versions, one};
use crate::number::truncate;
use crate::proto::NodeProto;
use crate::tensor::{Data, Tensor, broadcast_shape, mismatch, places};

pub(super) fn kernel(node: &NodeProto, _: Versions) -> Result<Option<Kernel>> {
    let kernel = match node.op.as_str() {
        "Equal" => one(equal),
        "Greater" => compare(|a, b| a > b),
        "GreaterOrEqual" => compare(|a, b| a >= b),
        "Less" => compare(|a, b| a < b),
        "LessOrEqual" => compare(|a, b| a <= b),
        "And" => logic(|a, b| a && b),
        "Or" => logic(|a, b| a || b),
        "Xor" => logic(|a, b| a != b),
        "Not" => one(|inputs| {
            let x = inputs.get(0)?;
            let cells = x.bools()?.iter().map(|cell| !cell).collect();
            Tensor::result(x.shape().to_vec(), Data::Bool(cells))
        }),
        "IsNaN" => one(|inputs| {
            let x = inputs.get(0)?;
            let cells = x.numbers()?.into_iter().map(f64::is_nan).collect();
            Tensor::result(x.shape().to_vec(), Data::Bool(cells))
        }),
        "Where" => one(choose),
        "Clip" => {
            let limit = |name: &str, none: f64| {
                node.attribute(name)
                    .map_or(none, |_| f64::from(node.float(name, 0.0)))
            };
            let limits = (limit("min", f64::NEG_INFINITY), limit("max", f64::INFINITY));
            one(move |inputs| clip(inputs, limits))
        }
        _ => return Ok(None),
    };
    Ok(Some(kernel))
}

fn compare(holds: fn(f64, f64) -> bool) -> Kernel {
    one(move |inputs| {
        let (a, b) = (inputs.get(0)?, inputs.get(1)?);
        let shape = broadcast_shape(a.shape(), b.shape())?;
        let cells = match (a.data(), b.data()) {
            // compared as integers, which may be beyond what a double can tell apart
            (Data::Int(x), Data::Int(y)) => zipped(x, y, (a, b), &shape, |x, y| {
                holds(f64::from(i8::from(x > y) - i8::from(x < y)), 0.0)
            }),
            _ => zipped(&a.numbers()?, &b.numbers()?, (a, b), &shape, holds),
        };
        Tensor::result(shape, Data::Bool(cells))
    })
}

fn equal(inputs: &Inputs<'_>) -> Result<Tensor> {
    let (a, b) = (inputs.get(0)?, inputs.get(1)?);
    let shape = broadcast_shape(a.shape(), b.shape())?;
    let cells = match (a.data(), b.data()) {
        (Data::Text(x), Data::Text(y)) => {
            let (left, right) = (places(a.shape(), &shape), places(b.shape(), &shape));
            let pairs = left.into_iter().zip(right);
            pairs.map(|(left, right)| x.get(left) == y.get(right)).collect()
        }
        (Data::Int(x), Data::Int(y)) => zipped(x, y, (a, b), &shape, |x, y| x == y),
        #[expect(clippy::float_cmp, reason = "ONNX's Equal is exact")]
        _ => zipped(&a.numbers()?, &b.numbers()?, (a, b), &shape, |x, y| x == y),
    };
    Tensor::result(shape, Data::Bool(cells))
}

fn logic(holds: fn(bool, bool) -> bool) -> Kernel {
    one(move |inputs| {
        let (a, b) = (inputs.get(0)?, inputs.get(1)?);
        let shape = broadcast_shape(a.shape(), b.shape())?;
        let cells = zipped(a.bools()?, b.bools()?, (a, b), &shape, holds);
        Tensor::result(shape, Data::Bool(cells))
    })
}

fn choose(inputs: &Inputs<'_>) -> Result<Tensor> {
    let (condition, yes, no) = (inputs.get(0)?, inputs.get(1)?, inputs.get(2)?);
    let shape = broadcast_shape(condition.shape(), &broadcast_shape(yes.shape(), no.shape())?)?;
    let asked = condition.bools()?;
    let from = places(condition.shape(), &shape);
    let sides = places(yes.shape(), &shape)
        .into_iter()
        .zip(places(no.shape(), &shape));
    // both sides one after the other, so that one pick chooses among them
    let chosen = from.into_iter().zip(sides).map(|(place, (yes_place, no_place))| {
        if asked.get(place) == Some(&true) {
            yes_place
        } else {
            yes.len() + no_place
        }
    });
    let both = joined(yes.data(), no.data()).ok_or_else(|| no.unfit("cells of the same type"))?;
    let data = both
        .pick(chosen)
        .ok_or_else(|| mismatch("a choice outside its cells".to_owned()))?;
    Tensor::result(shape, data)
}

/// The cells of two tensors of one type, one after the other.
pub(super) fn joined(a: &Data, b: &Data) -> Option<Data> {
    Some(match (a, b) {
        (Data::F32(a), Data::F32(b)) => Data::F32([a.as_slice(), b].concat()),
        (Data::F64(a), Data::F64(b)) => Data::F64([a.as_slice(), b].concat()),
        (Data::Int(a), Data::Int(b)) => Data::Int([a.as_slice(), b].concat()),
        (Data::Bool(a), Data::Bool(b)) => Data::Bool([a.as_slice(), b].concat()),
        (Data::Text(a), Data::Text(b)) => Data::Text([a.as_slice(), b].concat()),
        _ => return None,
    })
}

fn clip(inputs: &Inputs<'_>, (low, high): (f64, f64)) -> Result<Tensor> {
    let x = inputs.get(0)?;
    let limit = |place: usize, stated: f64| match inputs.optional(place) {
        Some(limit) => Ok(limit.numbers()?.first().copied().unwrap_or(stated)),
        None => Ok(stated),
    };
    let (low, high) = (limit(1, low)?, limit(2, high)?);
    let cells: Vec<f64> = x
        .numbers()?
        .into_iter()
        .map(|cell| smaller(larger(cell, low), high))
        .collect();
    let data = match x.data() {
        Data::Int(_) => Data::Int(cells.into_iter().map(truncate).collect()),
        _ => x.like(cells),
    };
    Tensor::result(x.shape().to_vec(), data)
}
