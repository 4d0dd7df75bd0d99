//! Newton's method with Levenberg damping on the smoothed dual, prices kept between zero and a ceiling.

use super::compiled::Compiled;
use super::evaluate::{Dual, Sample, evaluate};
use super::shape::Shape;

/// The best that is known about the dual.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    /// Prices with the lowest exact dual value seen over all customers.
    pub(super) prices: Vec<f64>,
    /// That value: no allocation is worth more.
    pub(super) value: f64,
}

/// How large things are, so that steps and tolerances have no units.
#[derive(Debug, Clone)]
pub(super) struct Scale {
    /// Mean over customers of the best value (or of its size when none is positive).
    pub(super) value: f64,
    /// Mean size of what one candidate counts towards each row.
    pub(super) rows: Vec<f64>,
}

impl Scale {
    pub(super) fn of(compiled: &Compiled<'_>, sample: Sample) -> Self {
        let mut rows = vec![(0.0, 0_u32); compiled.n_rows];
        let (mut best_sum, mut size_sum, mut seen) = (0.0, 0.0, 0_u32);
        for customer in (0..compiled.n_customers).step_by(sample.stride) {
            let mut best = 0.0_f64;
            for candidate in compiled.candidates(customer) {
                let value = compiled.values[candidate];
                best = best.max(value);
                size_sum += value.abs();
                for (row, amount) in compiled
                    .uses(customer, candidate)
                    .filter(|(_, amount)| *amount != 0.0)
                {
                    rows[row].0 += amount.abs();
                    rows[row].1 += 1;
                }
            }
            best_sum += best;
            seen += 1;
        }
        let seen = f64::from(seen.max(1));
        let value = if best_sum > 0.0 {
            best_sum / seen
        } else {
            size_sum / seen
        };
        let value = if value > 0.0 { value } else { 1.0 };
        let rows = rows
            .iter()
            .map(|(sum, n)| if *n == 0 { 1.0 } else { sum / f64::from(*n) })
            .collect();
        Self { value, rows }
    }

    /// The natural unit of a row's price.
    pub(super) fn price(&self, row: usize) -> f64 {
        self.value / self.rows[row]
    }
}

/// Something whose dual can be looked at.
pub(super) trait Outlook {
    fn shape(&self) -> &Shape;
    fn dual(&self, prices: &[f64], temperature: f64) -> Dual;
    /// Whether all customers are in it: then its exact value is a bound.
    fn is_whole(&self) -> bool;
}

/// The customers of a sample, or everyone.
pub(super) struct Seen<'a> {
    pub(super) compiled: &'a Compiled<'a>,
    pub(super) sample: Sample,
}

impl Outlook for Seen<'_> {
    fn shape(&self) -> &Shape {
        &self.compiled.shape
    }

    fn dual(&self, prices: &[f64], temperature: f64) -> Dual {
        evaluate(self.compiled, prices, temperature, self.sample)
    }

    fn is_whole(&self) -> bool {
        self.sample.stride == 1
    }
}

/// One run of Newton steps at falling temperatures.
#[derive(Debug, Clone)]
pub(super) struct Descent<'a> {
    /// Temperatures as multiples of the value scale, falling.
    pub(super) temperatures: &'a [f64],
    /// Newton steps tried at each temperature.
    pub(super) steps: usize,
    /// A step that would lower the dual by less than this share of it is not made.
    pub(super) worthwhile: f64,
    /// Highest price of each row, in its natural unit.
    pub(super) ceiling: f64,
}

/// No step changes what a mean candidate pays by more than so many temperatures: further away the quadratic model,
/// which only knows the customers near another choice, says nothing.
const REACH: f64 = 40.0;

/// Minimises the smoothed dual from `prices`; returns the last point and improves `bound` when everyone is looked at.
pub(super) fn descend(
    outlook: &impl Outlook,
    scale: &Scale,
    descent: &Descent<'_>,
    prices: Vec<f64>,
    bound: &mut Bound,
) -> Vec<f64> {
    let mut prices = prices;
    let mut damping = 1e-3;
    for temperature in descent.temperatures {
        let temperature = temperature * scale.value;
        let mut here = look(outlook, &prices, temperature, bound);
        for _ in 0..descent.steps {
            let free = free_rows(&here, &prices, scale, descent.ceiling);
            if settled(outlook.shape(), &here, &free) {
                break;
            }
            let step = damped_step(&here, &free, scale, damping, temperature);
            let next: Vec<f64> = (0..prices.len())
                .map(|row| {
                    let most = REACH * temperature / scale.rows[row];
                    let price = prices[row] + step[row].clamp(-most, most);
                    price.clamp(0.0, descent.ceiling * scale.price(row))
                })
                .collect();
            let predicted = predicted_fall(&here, &prices, &next);
            if predicted.abs() < descent.worthwhile * here.smooth.abs() {
                break;
            }
            let there = look(outlook, &next, temperature, bound);
            let fell = here.smooth - there.smooth;
            if fell > 1e-4 * predicted && fell > 0.0 {
                damping = if fell > 0.5 * predicted {
                    damping / 8.0
                } else {
                    damping
                };
                (prices, here) = (next, there);
            } else {
                damping *= 16.0;
                if damping > 1e9 {
                    break;
                }
            }
            damping = damping.max(1e-9);
        }
        damping = damping.min(1e-2);
    }
    prices
}

fn look(outlook: &impl Outlook, prices: &[f64], temperature: f64, bound: &mut Bound) -> Dual {
    let dual = outlook.dual(prices, temperature);
    if outlook.is_whole() && dual.exact < bound.value {
        bound.value = dual.exact;
        bound.prices = prices.to_vec();
    }
    dual
}

/// Rows whose price may move: not held at zero or at the ceiling by the gradient.
fn free_rows(dual: &Dual, prices: &[f64], scale: &Scale, ceiling: f64) -> Vec<usize> {
    let held = |row: &usize| {
        (prices[*row] <= 0.0 && dual.gradient[*row] >= 0.0)
            || (prices[*row] >= ceiling * scale.price(*row) && dual.gradient[*row] <= 0.0)
    };
    (0..prices.len()).filter(|row| !held(row)).collect()
}

/// Use meets the limit closely enough in every free row.
fn settled(shape: &Shape, dual: &Dual, free: &[usize]) -> bool {
    free.iter().all(|row| {
        let limit = shape.limits[*row];
        let size = limit.abs().max((limit - dual.gradient[*row]).abs());
        dual.gradient[*row].abs() <= 2e-6 * size
    })
}

/// Solves `(H + damping D) step = -gradient` on the free rows, D the diagonal of H with a floor.
fn damped_step(dual: &Dual, free: &[usize], scale: &Scale, damping: f64, temperature: f64) -> Vec<f64> {
    let k = dual.gradient.len();
    let n = free.len();
    let floor = |row: usize| scale.rows[row] * scale.rows[row] / temperature;
    let mut matrix = vec![0.0; n * n];
    for (i, row) in free.iter().enumerate() {
        for (j, other) in free.iter().enumerate() {
            matrix[i * n + j] = dual.hessian[row * k + other];
        }
        let diagonal = matrix[i * n + i];
        matrix[i * n + i] += damping * diagonal.max(floor(*row)) + 1e-9 * floor(*row);
    }
    let right: Vec<f64> = free.iter().map(|row| -dual.gradient[*row]).collect();
    let solved = solve_positive(matrix, right);
    let mut step = vec![0.0; k];
    for (row, x) in free.iter().zip(solved) {
        step[*row] = x;
    }
    step
}

/// Fall of the quadratic model between two points.
fn predicted_fall(dual: &Dual, from: &[f64], to: &[f64]) -> f64 {
    let k = from.len();
    let step: Vec<f64> = to.iter().zip(from).map(|(to, from)| to - from).collect();
    let mut change = 0.0;
    for i in 0..k {
        let curve: f64 = (0..k).map(|j| dual.hessian[i * k + j] * step[j]).sum();
        change += step[i] * (dual.gradient[i] + 0.5 * curve);
    }
    -change
}

/// Solves a symmetric positive definite system by Cholesky; a pivot that is not positive is raised.
fn solve_positive(mut matrix: Vec<f64>, mut right: Vec<f64>) -> Vec<f64> {
    let n = right.len();
    for i in 0..n {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| matrix[i * n + k] * matrix[j * n + k]).sum();
            let rest = matrix[i * n + j] - dot;
            matrix[i * n + j] = if i == j {
                rest.max(1e-14 * matrix[i * n + i].abs())
                    .max(f64::MIN_POSITIVE)
                    .sqrt()
            } else {
                rest / matrix[j * n + j]
            };
        }
    }
    for i in 0..n {
        let dot: f64 = (0..i).map(|k| matrix[i * n + k] * right[k]).sum();
        right[i] = (right[i] - dot) / matrix[i * n + i];
    }
    for i in (0..n).rev() {
        let dot: f64 = (i + 1..n).map(|k| matrix[k * n + i] * right[k]).sum();
        right[i] = (right[i] - dot) / matrix[i * n + i];
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cholesky_solves_a_known_system() {
        let x = solve_positive(vec![4.0, 2.0, 2.0, 3.0], vec![10.0, 9.0]);
        assert!((x[0] - 1.5).abs() < 1e-12 && (x[1] - 2.0).abs() < 1e-12);
    }
}
