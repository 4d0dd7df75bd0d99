//! From one element type to another.

use thalweg_domain::{Error, Result};

use super::{Kernel, Versions, one};
use crate::number::{narrow, real, truncate};
use crate::proto::NodeProto;
use crate::tensor::{Data, Tensor, mismatch};

pub(super) fn kernel(node: &NodeProto, _: Versions) -> Result<Option<Kernel>> {
    Ok(match node.op.as_str() {
        "Cast" => {
            let to = Target::of(node.int("to", 0)).ok_or_else(|| {
                Error::new(
                    "TW0341",
                    format!("the model casts to the element type {}", node.int("to", 0)),
                )
                .hint("export it with float, double, integer, boolean or string cells")
            })?;
            Some(one(move |inputs| cast(inputs.get(0)?, to)))
        }
        "CastLike" => Some(one(|inputs| {
            let to = match inputs.get(1)?.data() {
                Data::F32(_) => Target::F32,
                Data::F64(_) => Target::F64,
                Data::Int(_) => Target::Int(i64::MIN, i64::MAX),
                Data::Bool(_) => Target::Bool,
                Data::Text(_) => Target::Text,
            };
            cast(inputs.get(0)?, to)
        })),
        _ => None,
    })
}

/// What is cast to. Integers carry the least and the greatest number of their width.
#[derive(Debug, Clone, Copy)]
enum Target {
    F32,
    F64,
    Int(i64, i64),
    Bool,
    Text,
}

impl Target {
    fn of(element: i64) -> Option<Self> {
        Some(match element {
            1 => Self::F32,
            2 => Self::Int(0, i64::from(u8::MAX)),
            3 => Self::Int(i64::from(i8::MIN), i64::from(i8::MAX)),
            4 => Self::Int(0, i64::from(u16::MAX)),
            5 => Self::Int(i64::from(i16::MIN), i64::from(i16::MAX)),
            6 => Self::Int(i64::from(i32::MIN), i64::from(i32::MAX)),
            7 => Self::Int(i64::MIN, i64::MAX),
            8 => Self::Text,
            9 => Self::Bool,
            11 => Self::F64,
            12 => Self::Int(0, i64::from(u32::MAX)),
            13 => Self::Int(0, i64::MAX),
            _ => return None,
        })
    }
}

fn cast(x: &Tensor, to: Target) -> Result<Tensor> {
    let numbers = || match x.data() {
        Data::Text(cells) => cells
            .iter()
            .map(|cell| {
                cell.trim()
                    .parse()
                    .map_err(|_| mismatch(format!("\"{cell}\" as a number")))
            })
            .collect(),
        _ => x.numbers(),
    };
    let data = match to {
        Target::F32 => Data::F32(numbers()?.into_iter().map(narrow).collect()),
        Target::F64 => Data::F64(numbers()?),
        Target::Bool => Data::Bool(numbers()?.into_iter().map(|cell| cell != 0.0).collect()),
        Target::Int(low, high) => Data::Int(
            ints(x, numbers)?
                .into_iter()
                .map(|cell| cell.clamp(low, high))
                .collect(),
        ),
        Target::Text => Data::Text(texts(x)),
    };
    Tensor::result(x.shape().to_vec(), data)
}

fn ints(x: &Tensor, numbers: impl Fn() -> Result<Vec<f64>>) -> Result<Vec<i64>> {
    match x.data() {
        Data::Int(cells) => Ok(cells.clone()),
        _ => Ok(numbers()?.into_iter().map(truncate).collect()),
    }
}

/// Numbers as onnxruntime writes them where that is plain: integers without a point, truth values as 1 and 0.
fn texts(x: &Tensor) -> Vec<std::sync::Arc<str>> {
    let written = |cell: f64| format!("{cell}").into();
    match x.data() {
        Data::Text(cells) => cells.clone(),
        Data::Int(cells) => cells.iter().map(|cell| cell.to_string().into()).collect(),
        Data::Bool(cells) => cells.iter().map(|cell| written(real(i64::from(*cell)))).collect(),
        Data::F32(cells) => cells.iter().map(|cell| format!("{cell}").into()).collect(),
        Data::F64(cells) => cells.iter().map(|cell| written(*cell)).collect(),
    }
}
