//! Dense tensors of numbers, truth values and texts, and what all operators share: shapes, axes, broadcasting.

use std::sync::Arc;

use thalweg_domain::{Error, Result};

use crate::number::{narrow, real, truncate};

/// More cells than this are refused, so that a damaged model cannot take all memory.
const MAX_CELLS: usize = 1 << 28;

/// Cells in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tensor {
    shape: Vec<usize>,
    data: Data,
}

/// The cells. Integers of any width are kept as 64-bit ones.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Data {
    F32(Vec<f32>),
    F64(Vec<f64>),
    Int(Vec<i64>),
    Bool(Vec<bool>),
    Text(Vec<Arc<str>>),
}

/// Runs the same code on the cells whatever their type.
macro_rules! each_type {
    ($data:expr, $cells:ident => $run:expr) => {
        match $data {
            $crate::tensor::Data::F32($cells) => $crate::tensor::Data::F32($run),
            $crate::tensor::Data::F64($cells) => $crate::tensor::Data::F64($run),
            $crate::tensor::Data::Int($cells) => $crate::tensor::Data::Int($run),
            $crate::tensor::Data::Bool($cells) => $crate::tensor::Data::Bool($run),
            $crate::tensor::Data::Text($cells) => $crate::tensor::Data::Text($run),
        }
    };
}

impl Data {
    pub(crate) const fn len(&self) -> usize {
        match self {
            Self::F32(cells) => cells.len(),
            Self::F64(cells) => cells.len(),
            Self::Int(cells) => cells.len(),
            Self::Bool(cells) => cells.len(),
            Self::Text(cells) => cells.len(),
        }
    }

    /// The cells at these places, in this order; `None` when one lies outside.
    pub(crate) fn pick(&self, places: impl Iterator<Item = usize>) -> Option<Self> {
        Some(each_type!(self, cells => places.map(|place| cells.get(place).cloned()).collect::<Option<_>>()?))
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::F32(_) => "float",
            Self::F64(_) => "double",
            Self::Int(_) => "integer",
            Self::Bool(_) => "boolean",
            Self::Text(_) => "string",
        }
    }
}

impl Tensor {
    /// `None` when the shape and the number of cells differ.
    pub(crate) fn new(shape: Vec<usize>, data: Data) -> Option<Self> {
        (cells_of(&shape) == Some(data.len())).then_some(Self { shape, data })
    }

    /// As [`Self::new`], for an operator's result.
    ///
    /// # Errors
    /// `TW0344` when the shape and the number of cells differ.
    pub(crate) fn result(shape: Vec<usize>, data: Data) -> Result<Self> {
        let (length, stated) = (data.len(), format!("{shape:?}"));
        Self::new(shape, data)
            .ok_or_else(|| mismatch(format!("{length} cells do not fill the shape {stated}")))
    }

    pub(crate) fn scalar_int(value: i64) -> Self {
        Self {
            shape: Vec::new(),
            data: Data::Int(vec![value]),
        }
    }

    pub(crate) fn vector(data: Data) -> Self {
        Self {
            shape: vec![data.len()],
            data,
        }
    }

    pub(crate) fn shape(&self) -> &[usize] {
        &self.shape
    }

    pub(crate) const fn data(&self) -> &Data {
        &self.data
    }

    pub(crate) const fn len(&self) -> usize {
        self.data.len()
    }

    pub(crate) const fn rank(&self) -> usize {
        self.shape.len()
    }

    /// The same cells in another shape.
    pub(crate) fn reshaped(&self, shape: Vec<usize>) -> Result<Self> {
        Self::result(shape, self.data.clone())
    }

    /// Rows (the first dimension) and columns (all others together); a vector is one column unless `row` is set.
    pub(crate) fn rows_and_columns(&self) -> (usize, usize) {
        match self.shape.as_slice() {
            [] => (1, 1),
            [n] => (*n, 1),
            [n, rest @ ..] => (*n, rest.iter().product()),
        }
    }

    /// As [`Self::rows_and_columns`] by the rules of the `ai.onnx.ml` operators: a vector is one row.
    pub(crate) fn ml_rows(&self) -> (usize, usize) {
        match self.shape.as_slice() {
            [n] => (1, *n),
            _ => self.rows_and_columns(),
        }
    }

    /// The cells as double-precision numbers; truth values are 0 and 1.
    ///
    /// # Errors
    /// `TW0344` for texts.
    pub(crate) fn numbers(&self) -> Result<Vec<f64>> {
        Ok(match &self.data {
            Data::F32(cells) => cells.iter().map(|cell| f64::from(*cell)).collect(),
            Data::F64(cells) => cells.clone(),
            Data::Int(cells) => cells.iter().map(|cell| real(*cell)).collect(),
            Data::Bool(cells) => cells.iter().map(|cell| f64::from(*cell)).collect(),
            Data::Text(_) => return Err(self.unfit("numbers")),
        })
    }

    /// The cells as single-precision numbers.
    ///
    /// # Errors
    /// As [`Self::numbers`].
    pub(crate) fn floats(&self) -> Result<Vec<f32>> {
        match &self.data {
            Data::F32(cells) => Ok(cells.clone()),
            _ => Ok(self.numbers()?.into_iter().map(narrow).collect()),
        }
    }

    /// The cells as integers.
    ///
    /// # Errors
    /// `TW0344` for texts.
    pub(crate) fn ints(&self) -> Result<Vec<i64>> {
        match &self.data {
            Data::Int(cells) => Ok(cells.clone()),
            _ => Ok(self.numbers()?.into_iter().map(truncate).collect()),
        }
    }

    /// # Errors
    /// `TW0344` for anything but truth values.
    pub(crate) fn bools(&self) -> Result<&[bool]> {
        match &self.data {
            Data::Bool(cells) => Ok(cells),
            _ => Err(self.unfit("truth values")),
        }
    }

    /// Numbers of the precision of this tensor: single unless it is double.
    pub(crate) fn like(&self, cells: Vec<f64>) -> Data {
        match self.data {
            Data::F64(_) => Data::F64(cells),
            _ => Data::F32(cells.into_iter().map(narrow).collect()),
        }
    }

    pub(crate) fn unfit(&self, wanted: &str) -> Error {
        mismatch(format!("{} cells where {wanted} are needed", self.data.kind()))
    }

    /// An axis that may be counted from the end, as an index.
    ///
    /// # Errors
    /// `TW0344` when there is no such axis.
    pub(crate) fn axis(&self, axis: i64) -> Result<usize> {
        axis_of(axis, self.rank())
    }

    /// How many cells lie before, along and behind an axis: the product of the dimensions.
    pub(crate) fn around(&self, axis: usize) -> (usize, usize, usize) {
        let (before, rest) = self.shape.split_at(axis.min(self.shape.len()));
        let along = rest.first().copied().unwrap_or(1);
        let behind = rest.iter().skip(1).product();
        (before.iter().product(), along, behind)
    }
}

/// Number of cells of a shape; `None` beyond what is allowed.
pub(crate) fn cells_of(shape: &[usize]) -> Option<usize> {
    let cells = shape
        .iter()
        .try_fold(1_usize, |cells, dim| cells.checked_mul(*dim))?;
    (cells <= MAX_CELLS).then_some(cells)
}

pub(crate) fn axis_of(axis: i64, rank: usize) -> Result<usize> {
    let index = if axis < 0 {
        usize::try_from(-(axis + 1))
            .ok()
            .and_then(|back| rank.checked_sub(back + 1))
    } else {
        usize::try_from(axis).ok()
    };
    index
        .filter(|index| *index < rank.max(1))
        .ok_or_else(|| mismatch(format!("axis {axis} of a tensor with {rank} axes")))
}

/// The shape of two operands together (the rules of NumPy).
///
/// # Errors
/// `TW0344` when they do not fit.
pub(crate) fn broadcast_shape(a: &[usize], b: &[usize]) -> Result<Vec<usize>> {
    let rank = a.len().max(b.len());
    let dim = |shape: &[usize], place: usize| {
        (place + shape.len())
            .checked_sub(rank)
            .and_then(|index| shape.get(index).copied())
            .unwrap_or(1)
    };
    let shape: Result<Vec<usize>> = (0..rank)
        .map(|place| match (dim(a, place), dim(b, place)) {
            (x, y) if x == y => Ok(x),
            (1, y) => Ok(y),
            (x, 1) => Ok(x),
            _ => Err(mismatch(format!("shapes {a:?} and {b:?} together"))),
        })
        .collect();
    shape.and_then(|shape| {
        cells_of(&shape).ok_or_else(|| mismatch(format!("a result of shape {shape:?}")))?;
        Ok(shape)
    })
}

/// For each cell of `out` the place of the cell of `shape` that stands there after broadcasting.
pub(crate) fn places(shape: &[usize], out: &[usize]) -> Vec<usize> {
    let cells: usize = shape.iter().product();
    let total: usize = out.iter().product();
    if cells == 1 {
        return vec![0; total];
    }
    if out.ends_with(shape) {
        return (0..cells).cycle().take(total).collect();
    }
    let mut places = vec![0];
    let mut stride = 1;
    let own: Vec<usize> = std::iter::repeat_n(1, out.len() - shape.len().min(out.len()))
        .chain(shape.iter().copied())
        .collect();
    // the last axis first: each axis repeats what is there, moved by its stride unless it is broadcast
    for (dim, size) in own.iter().zip(out).rev() {
        let step = if *dim == 1 { 0 } else { stride };
        places = (0..*size)
            .flat_map(|index| places.iter().map(move |place| place + index * step))
            .collect();
        stride *= dim;
    }
    places
}

/// `TW0344`: the model asks for something that its own tensors do not allow.
pub(crate) fn mismatch(what: String) -> Error {
    Error::new("TW0344", format!("the model cannot be computed: {what}")).hint(
        "check that the rows have the columns the model was trained on, in that order; else export it again",
    )
}

#[cfg(test)]
mod tests {
    use super::{axis_of, broadcast_shape, places};

    #[test]
    fn broadcasting_follows_numpy() {
        let cases: [(&[usize], &[usize], &[usize]); 4] = [
            (&[2, 3], &[3], &[2, 3]),
            (&[2, 1], &[1, 3], &[2, 3]),
            (&[], &[4], &[4]),
            (&[0, 3], &[1], &[0, 3]),
        ];
        for (a, b, out) in cases {
            assert_eq!(broadcast_shape(a, b).unwrap(), out);
        }
        assert_eq!(broadcast_shape(&[2], &[3]).unwrap_err().code, "TW0344");
        assert_eq!(places(&[2, 1], &[2, 3]), [0, 0, 0, 1, 1, 1]);
        assert_eq!(places(&[3], &[2, 3]), [0, 1, 2, 0, 1, 2]);
        assert_eq!(places(&[2, 1, 2], &[2, 2, 2]), [0, 1, 0, 1, 2, 3, 2, 3]);
        assert_eq!(places(&[1, 3], &[2, 3]), [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn axes_count_from_either_end() {
        assert_eq!((axis_of(-1, 2).unwrap(), axis_of(1, 2).unwrap()), (1, 1));
        for axis in [2, -3, i64::MIN, i64::MAX] {
            assert!(axis_of(axis, 2).is_err());
        }
    }
}
