//! Columns of numbers: impute, scale, normalise, put side by side, take some.

use thalweg_domain::{Error, Result};

use crate::ops::{Inputs, Kernel, gather, one};
use crate::proto::NodeProto;
use crate::tensor::{Data, Tensor, mismatch};

pub(super) fn kernel(node: &NodeProto) -> Result<Option<Kernel>> {
    Ok(match node.op.as_str() {
        "Imputer" => Some(imputer(node)),
        "Scaler" => Some(scaler(node)),
        "Normalizer" => Some(normalizer(node)?),
        "FeatureVectorizer" => Some(one(side_by_side)),
        "ArrayFeatureExtractor" => Some(one(|inputs| extract(inputs.get(0)?, inputs.get(1)?))),
        "Binarizer" => {
            let threshold = f64::from(node.float("threshold", 0.0));
            Some(one(move |inputs| {
                let x = inputs.get(0)?;
                let cells = x
                    .numbers()?
                    .into_iter()
                    .map(|cell| f64::from(cell > threshold))
                    .collect();
                Tensor::result(x.shape().to_vec(), x.like(cells))
            }))
        }
        // maps and matrices say the same; the matrix goes on
        "ZipMap" => Some(one(|inputs| Ok(inputs.get(0)?.clone()))),
        _ => None,
    })
}

/// Numbers in double precision, from single-precision attributes.
fn doubles(node: &NodeProto, name: &str) -> Vec<f64> {
    let floats = node.floats(name).unwrap_or_default();
    floats.into_iter().map(f64::from).collect()
}

/// Fails unless there is one number for all columns or one for each.
fn per_column(numbers: &[f64], columns: usize) -> Result<impl Iterator<Item = f64> + Clone> {
    if numbers.len() != columns && numbers.len() != 1 {
        let message = format!("{} numbers for {columns} columns", numbers.len());
        return Err(mismatch(message));
    }
    Ok(numbers.iter().copied().cycle())
}

fn imputer(node: &NodeProto) -> Kernel {
    let (mut values, mut gap) = (
        doubles(node, "imputed_value_floats"),
        f64::from(node.float("replaced_value_float", f32::NAN)),
    );
    if let Some(ints) = node.ints("imputed_value_int64s") {
        values = ints.into_iter().map(crate::number::real).collect();
        gap = crate::number::real(node.int("replaced_value_int64", 0));
    }
    one(move |inputs| {
        let x = inputs.get(0)?;
        let (_, columns) = x.ml_rows();
        let values = per_column(&values, columns)?;
        #[expect(
            clippy::float_cmp,
            reason = "the value that stands for a missing cell is met exactly"
        )]
        let is_gap = |cell: f64| if gap.is_nan() { cell.is_nan() } else { cell == gap };
        let numbers = x.numbers()?;
        let filled = numbers
            .into_iter()
            .zip(values)
            .map(|(cell, value)| if is_gap(cell) { value } else { cell });
        let data = match x.data() {
            Data::Int(_) => Data::Int(filled.map(crate::number::truncate).collect()),
            _ => x.like(filled.collect()),
        };
        Tensor::result(x.shape().to_vec(), data)
    })
}

fn scaler(node: &NodeProto) -> Kernel {
    let (offset, scale) = (doubles(node, "offset"), doubles(node, "scale"));
    one(move |inputs| {
        let x = inputs.get(0)?;
        let (_, columns) = x.ml_rows();
        let both = per_column(&offset, columns)?.zip(per_column(&scale, columns)?);
        let cells = x.numbers()?.into_iter().zip(both);
        let cells = cells
            .map(|(cell, (offset, scale))| (cell - offset) * scale)
            .collect();
        Tensor::result(x.shape().to_vec(), as_floats(cells))
    })
}

/// These operators give single precision whatever they are given.
fn as_floats(cells: Vec<f64>) -> Data {
    Data::F32(cells.into_iter().map(crate::number::narrow).collect())
}

fn normalizer(node: &NodeProto) -> Result<Kernel> {
    let size: fn(&[f64]) -> f64 = match node.text("norm", "MAX").as_str() {
        "MAX" => |row| row.iter().map(|cell| cell.abs()).fold(0.0, f64::max),
        "L1" => |row| row.iter().map(|cell| cell.abs()).sum(),
        "L2" => |row| row.iter().map(|cell| cell * cell).sum::<f64>().sqrt(),
        other => {
            return Err(
                Error::new("TW0341", format!("{} has the norm {other}", node.place()))
                    .hint("export the model with the norm MAX, L1 or L2"),
            );
        }
    };
    Ok(one(move |inputs| {
        let x = inputs.get(0)?;
        let (_, columns) = x.ml_rows();
        let numbers = x.numbers()?;
        let rows = numbers.chunks(columns.max(1));
        let cells = rows.flat_map(|row| {
            let size = size(row);
            row.iter()
                .map(move |cell| if size > 0.0 { cell / size } else { *cell })
        });
        Tensor::result(x.shape().to_vec(), as_floats(cells.collect()))
    }))
}

fn side_by_side(inputs: &Inputs<'_>) -> Result<Tensor> {
    let parts = inputs
        .iter()
        .map(|x| Ok((x.ml_rows(), x.numbers()?)))
        .collect::<Result<Vec<_>>>()?;
    let rows = parts.first().map_or(0, |((rows, _), _)| *rows);
    if parts.iter().any(|((own, _), _)| *own != rows) {
        return Err(mismatch("columns of different length side by side".to_owned()));
    }
    let width = parts.iter().map(|((_, columns), _)| columns).sum();
    let mut cells = Vec::with_capacity(rows * width);
    for row in 0..rows {
        for ((_, columns), numbers) in &parts {
            cells.extend(numbers.iter().skip(row * columns).take(*columns));
        }
    }
    Tensor::result(vec![rows, width], as_floats(cells))
}

/// The cells along the last axis that the indices name; a vector counts as one row.
fn extract(x: &Tensor, indices: &Tensor) -> Result<Tensor> {
    let flat = indices.reshaped(vec![indices.len()])?;
    let x = if x.rank() < 2 {
        x.reshaped(vec![1, x.len()])?
    } else {
        x.clone()
    };
    gather(&x, &flat, -1)
}
