//! Products of matrices: Gemm and MatMul, with the broadcasting of batches.

use thalweg_domain::Result;

use super::{Inputs, Kernel, Versions, one};
use crate::number::narrow;
use crate::proto::NodeProto;
use crate::tensor::{Data, Tensor, broadcast_shape, mismatch, places};

pub(super) fn kernel(node: &NodeProto, _: Versions) -> Result<Option<Kernel>> {
    Ok(match node.op.as_str() {
        "MatMul" => Some(one(|inputs| matmul(inputs.get(0)?, inputs.get(1)?))),
        "Gemm" => {
            let (alpha, beta) = (node.float("alpha", 1.0), node.float("beta", 1.0));
            let turned = (node.int("transA", 0) != 0, node.int("transB", 0) != 0);
            Some(one(move |inputs| gemm(inputs, (alpha, beta), turned)))
        }
        _ => None,
    })
}

/// A matrix as the product needs it: rows, columns, cells row after row.
struct Matrix<T> {
    rows: usize,
    columns: usize,
    cells: Vec<T>,
}

impl<T: Copy> Matrix<T> {
    fn turned(self, turn: bool) -> Self {
        if !turn {
            return self;
        }
        let cells = (0..self.columns)
            .flat_map(|column| {
                self.cells
                    .iter()
                    .skip(column)
                    .step_by(self.columns.max(1))
                    .copied()
            })
            .collect();
        Self {
            rows: self.columns,
            columns: self.rows,
            cells,
        }
    }
}

/// Numbers that can be multiplied and added.
trait Real: Copy + std::ops::AddAssign + std::ops::Mul<Output = Self> + Default {}
impl Real for f32 {}
impl Real for f64 {}

/// `a b`; row by row and, within a row, operand by operand, so that the compiler can use wide registers.
fn product<T: Real>(a: &Matrix<T>, b: &Matrix<T>) -> Result<Vec<T>> {
    if a.columns != b.rows {
        return Err(mismatch(format!(
            "the product of a {} x {} and a {} x {} matrix",
            a.rows, a.columns, b.rows, b.columns
        )));
    }
    let mut result = vec![T::default(); a.rows * b.columns];
    if b.columns == 0 || a.columns == 0 {
        return Ok(result);
    }
    for (sums, row) in result
        .chunks_exact_mut(b.columns)
        .zip(a.cells.chunks_exact(a.columns))
    {
        for (factor, weights) in row.iter().zip(b.cells.chunks_exact(b.columns)) {
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum += *factor * *weight;
            }
        }
    }
    Ok(result)
}

fn matmul(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if b.rank() > 2 || a.rank() == 0 || b.rank() == 0 {
        let shapes = (a.shape(), b.shape());
        return Err(mismatch(format!("a product of tensors of the shapes {shapes:?}")));
    }
    let columns_of_a = a.shape().last().copied().unwrap_or(1);
    let rows_of_a = a.len().checked_div(columns_of_a).unwrap_or(0);
    let (rows_of_b, columns_of_b) = b.rows_and_columns();
    let data = multiply(
        (a, rows_of_a, columns_of_a),
        (b, rows_of_b, columns_of_b),
        (false, false),
    )?;
    let mut shape: Vec<usize> = a.shape().to_vec();
    shape.pop();
    if b.rank() == 2 {
        shape.push(columns_of_b);
    }
    Tensor::result(shape, data)
}

type Sized<'a> = (&'a Tensor, usize, usize);

fn multiply(a: Sized<'_>, b: Sized<'_>, turned: (bool, bool)) -> Result<Data> {
    fn matrix<T>((_, rows, columns): Sized<'_>, cells: Vec<T>) -> Matrix<T> {
        Matrix { rows, columns, cells }
    }
    Ok(match (a.0.data(), b.0.data()) {
        (Data::F32(_), Data::F32(_)) => Data::F32(product(
            &matrix(a, a.0.floats()?).turned(turned.0),
            &matrix(b, b.0.floats()?).turned(turned.1),
        )?),
        (Data::Int(_), Data::Int(_)) => {
            let cells = product(
                &matrix(a, a.0.numbers()?).turned(turned.0),
                &matrix(b, b.0.numbers()?).turned(turned.1),
            )?;
            Data::Int(cells.into_iter().map(crate::number::truncate).collect())
        }
        _ => Data::F64(product(
            &matrix(a, a.0.numbers()?).turned(turned.0),
            &matrix(b, b.0.numbers()?).turned(turned.1),
        )?),
    })
}

/// `alpha a b + beta c`.
fn gemm(inputs: &Inputs<'_>, (alpha, beta): (f32, f32), turned: (bool, bool)) -> Result<Tensor> {
    let (a, b) = (inputs.get(0)?, inputs.get(1)?);
    let (ra, ca) = a.rows_and_columns();
    let (rb, cb) = b.rows_and_columns();
    let rows = if turned.0 { ca } else { ra };
    let columns = if turned.1 { rb } else { cb };
    let shape = vec![rows, columns];
    let mut data = multiply((a, ra, ca), (b, rb, cb), turned)?;
    let (bias, from) = match inputs.optional(2) {
        Some(c) if broadcast_shape(c.shape(), &shape)? == shape => (c.numbers()?, places(c.shape(), &shape)),
        Some(c) => return Err(mismatch(format!("a bias of shape {:?} for {shape:?}", c.shape()))),
        None => (vec![0.0], vec![0; rows * columns]),
    };
    let added = |cell: f64, place: &usize| {
        f64::from(alpha) * cell + f64::from(beta) * bias.get(*place).copied().unwrap_or_default()
    };
    match &mut data {
        Data::F32(cells) => cells
            .iter_mut()
            .zip(&from)
            .for_each(|(cell, place)| *cell = narrow(added(f64::from(*cell), place))),
        Data::F64(cells) => cells
            .iter_mut()
            .zip(&from)
            .for_each(|(cell, place)| *cell = added(*cell, place)),
        _ => return Err(a.unfit("real numbers")),
    }
    Tensor::result(shape, data)
}
