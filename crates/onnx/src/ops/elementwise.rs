//! Cell by cell: arithmetic and activations.
//!
//! Single-precision cells are computed in double precision and rounded once. For `+ - * /` and the square root that
//! gives exactly the single-precision result; for the others it is at least as close.

use statrs::function::erf::erf;
use thalweg_domain::Result;

use super::{Inputs, Kernel, Versions, one};
use crate::number::narrow;
use crate::proto::NodeProto;
use crate::tensor::{Data, Tensor, broadcast_shape, mismatch, places};

type Unary = Box<dyn Fn(f64) -> f64 + Send + Sync>;

pub(super) fn kernel(node: &NodeProto, _: Versions) -> Result<Option<Kernel>> {
    if let Some(function) = activation(node).or_else(|| plain(&node.op)) {
        return Ok(Some(one(move |inputs| unary(inputs.get(0)?, &function))));
    }
    let kernel = match node.op.as_str() {
        "Add" => arithmetic(|a, b| a + b, i64::checked_add),
        "Sub" => arithmetic(|a, b| a - b, i64::checked_sub),
        "Mul" => arithmetic(|a, b| a * b, i64::checked_mul),
        "Div" => arithmetic(|a, b| a / b, i64::checked_div),
        "Pow" => arithmetic(f64::powf, |a, b| {
            u32::try_from(b).ok().and_then(|b| a.checked_pow(b))
        }),
        "PRelu" => arithmetic(
            |x, slope| if x < 0.0 { x * slope } else { x },
            |x, slope| {
                if x < 0 { x.checked_mul(slope) } else { Some(x) }
            },
        ),
        "Sum" => variadic(|a, b| a + b, false),
        "Mean" => variadic(|a, b| a + b, true),
        "Max" => variadic(larger, false),
        "Min" => variadic(smaller, false),
        _ => return Ok(None),
    };
    Ok(Some(kernel))
}

/// As NumPy's `maximum`: a number that is missing stays missing.
pub(super) fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}

/// As NumPy's `minimum`.
pub(super) fn smaller(a: f64, b: f64) -> f64 {
    if a.is_nan() || a < b { a } else { b }
}

fn unary(x: &Tensor, function: &Unary) -> Result<Tensor> {
    let data = match x.data() {
        Data::F32(cells) => Data::F32(
            cells
                .iter()
                .map(|cell| narrow(function(f64::from(*cell))))
                .collect(),
        ),
        Data::F64(cells) => Data::F64(cells.iter().map(|cell| function(*cell)).collect()),
        Data::Int(cells) => Data::Int(
            cells
                .iter()
                .map(|cell| crate::number::truncate(function(crate::number::real(*cell))))
                .collect(),
        ),
        _ => return Err(x.unfit("numbers")),
    };
    Tensor::result(x.shape().to_vec(), data)
}

fn plain(op: &str) -> Option<Unary> {
    let function: fn(f64) -> f64 = match op {
        "Abs" => f64::abs,
        "Neg" => |x| -x,
        "Exp" => f64::exp,
        "Log" => f64::ln,
        "Sqrt" => f64::sqrt,
        "Reciprocal" => |x| 1.0 / x,
        "Floor" => f64::floor,
        "Ceil" => f64::ceil,
        "Round" => f64::round_ties_even,
        "Sign" => |x| if x == 0.0 || x.is_nan() { x } else { x.signum() },
        "Sin" => f64::sin,
        "Cos" => f64::cos,
        "Tanh" => f64::tanh,
        "Sigmoid" => |x| 1.0 / (1.0 + (-x).exp()),
        "Relu" => |x| larger(x, 0.0),
        "Erf" => erf,
        "Softplus" => softplus,
        "Softsign" => |x| x / (1.0 + x.abs()),
        "HardSwish" => |x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
        "Mish" => |x| x * softplus(x).tanh(),
        _ => return None,
    };
    Some(Box::new(function))
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// Activations with attributes.
fn activation(node: &NodeProto) -> Option<Unary> {
    let alpha = |default: f32| f64::from(node.float("alpha", default));
    Some(match node.op.as_str() {
        "Elu" => {
            let alpha = alpha(1.0);
            Box::new(move |x| if x < 0.0 { alpha * x.exp_m1() } else { x })
        }
        "Celu" => {
            let alpha = alpha(1.0);
            Box::new(move |x| x.max(0.0) + (alpha * (x / alpha).exp_m1()).min(0.0))
        }
        "Selu" => {
            let (alpha, gamma) = (alpha(1.673_263_2), f64::from(node.float("gamma", 1.050_701)));
            Box::new(move |x| gamma * if x < 0.0 { alpha * x.exp_m1() } else { x })
        }
        "LeakyRelu" => {
            let alpha = alpha(0.01);
            Box::new(move |x| if x < 0.0 { alpha * x } else { x })
        }
        "ThresholdedRelu" => {
            let alpha = alpha(1.0);
            Box::new(move |x| if x > alpha { x } else { 0.0 })
        }
        "HardSigmoid" => {
            let (alpha, beta) = (alpha(0.2), f64::from(node.float("beta", 0.5)));
            Box::new(move |x| (alpha * x + beta).clamp(0.0, 1.0))
        }
        "Swish" => {
            let alpha = alpha(1.0);
            Box::new(move |x| x / (1.0 + (-alpha * x).exp()))
        }
        "Gelu" if node.text("approximate", "none") == "tanh" => {
            let scale = (2.0 / std::f64::consts::PI).sqrt();
            Box::new(move |x| 0.5 * x * (1.0 + (scale * (x + 0.044_715 * x * x * x)).tanh()))
        }
        "Gelu" => Box::new(|x| 0.5 * x * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2))),
        _ => return None,
    })
}

fn arithmetic(reals: fn(f64, f64) -> f64, ints: fn(i64, i64) -> Option<i64>) -> Kernel {
    one(move |inputs| binary(inputs.get(0)?, inputs.get(1)?, reals, ints))
}

fn binary(
    a: &Tensor,
    b: &Tensor,
    reals: fn(f64, f64) -> f64,
    ints: fn(i64, i64) -> Option<i64>,
) -> Result<Tensor> {
    let shape = broadcast_shape(a.shape(), b.shape())?;
    let data = match (a.data(), b.data()) {
        (Data::F32(x), Data::F32(y)) => Data::F32(zipped(x, y, (a, b), &shape, |x, y| {
            narrow(reals(f64::from(x), f64::from(y)))
        })),
        (Data::Int(x), Data::Int(y)) => {
            let cells = zipped(x, y, (a, b), &shape, ints);
            let cells: Option<Vec<i64>> = cells.into_iter().collect();
            Data::Int(cells.ok_or_else(|| mismatch("integers beyond their range".to_owned()))?)
        }
        _ => {
            let cells = zipped(&a.numbers()?, &b.numbers()?, (a, b), &shape, reals);
            // Pow may mix types: the first operand's counts
            a.like(cells)
        }
    };
    Tensor::result(shape, data)
}

/// Applies a function to each pair of cells after broadcasting both to `out`.
pub(super) fn zipped<T: Copy, U>(
    x: &[T],
    y: &[T],
    (a, b): (&Tensor, &Tensor),
    out: &[usize],
    function: impl Fn(T, T) -> U,
) -> Vec<U> {
    if a.shape() == b.shape() {
        return x.iter().zip(y).map(|(x, y)| function(*x, *y)).collect();
    }
    if let ([y], true) = (y, a.shape() == out) {
        return x.iter().map(|x| function(*x, *y)).collect();
    }
    let (left, right) = (places(a.shape(), out), places(b.shape(), out));
    left.into_iter()
        .zip(right)
        .filter_map(|(left, right)| Some(function(*x.get(left)?, *y.get(right)?)))
        .collect()
}

fn variadic(function: fn(f64, f64) -> f64, mean: bool) -> Kernel {
    one(move |inputs| fold(inputs, function, mean))
}

fn fold(inputs: &Inputs<'_>, function: fn(f64, f64) -> f64, mean: bool) -> Result<Tensor> {
    let mut total = inputs.get(0)?.clone();
    for operand in inputs.iter().skip(1) {
        let integer = |a: i64, b: i64| {
            let result = function(crate::number::real(a), crate::number::real(b));
            Some(crate::number::truncate(result))
        };
        let shape = broadcast_shape(total.shape(), operand.shape())?;
        let data = match (total.data(), operand.data()) {
            (Data::Int(x), Data::Int(y)) => {
                let cells = zipped(x, y, (&total, operand), &shape, integer);
                Data::Int(cells.into_iter().flatten().collect())
            }
            _ => total.like(zipped(
                &total.numbers()?,
                &operand.numbers()?,
                (&total, operand),
                &shape,
                function,
            )),
        };
        total = Tensor::result(shape, data)?;
    }
    if mean {
        let n = crate::number::count(inputs.iter().count());
        let cells = total.numbers()?.into_iter().map(|cell| cell / n).collect();
        total = Tensor::result(total.shape().to_vec(), total.like(cells))?;
    }
    Ok(total)
}
