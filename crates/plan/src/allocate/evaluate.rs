//! The dual function at given prices: exact, smoothed, with gradient and curvature, over all customers or a sample.

use super::compiled::Compiled;
use super::shape::Shape;
use super::soft_sets::soft_sets;
use super::soft_top::soft_top;
use crate::chunks::map_chunks;

/// Below `exp(-NEGLIGIBLE)` a candidate has no share in the smoothed maximum.
const NEGLIGIBLE: f64 = 32.0;

/// Which customers are looked at: one of every `stride`, at a scrambled place in its block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) stride: usize,
}

impl Sample {
    /// Everyone.
    pub(super) const ALL: Self = Self { stride: 1 };

    /// About `wanted` of `n` customers.
    pub(super) fn about(n: usize, wanted: usize) -> Self {
        Self {
            stride: (n / wanted).max(1),
        }
    }

    /// Whether the customer is in the sample.
    pub(super) fn holds(self, customer: usize, n: usize) -> bool {
        self.customer(customer / self.stride, n) == customer
    }

    fn len(self, n: usize) -> usize {
        n.div_ceil(self.stride)
    }

    fn customer(self, place: usize, n: usize) -> usize {
        if self.stride == 1 {
            return place;
        }
        let start = place * self.stride;
        let width = self.stride.min(n - start);
        let scrambled = (place as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        start + (scrambled % width as u64) as usize
    }
}

/// The dual at one point. Everything is scaled up from the sample to all customers.
pub(super) struct Dual {
    /// `g(lambda) = lambda.b + sum_i (sum of the at most m_i largest positive reduced values)`.
    pub(super) exact: f64,
    /// `g` with each inner maximum replaced by `T log sum exp(. / T)`; never below `exact`.
    pub(super) smooth: f64,
    /// Gradient of `smooth`: limit minus use.
    pub(super) gradient: Vec<f64>,
    /// Curvature of `smooth`, `n_rows x n_rows`, full.
    pub(super) hessian: Vec<f64>,
}

/// Evaluates the dual at `prices` (one per constraint, not negative) and temperature `T > 0`.
///
/// Smoothing after Nesterov 2005 (doi:10.1007/s10107-004-0552-5). For `m_i = 1` the curvature is exact: the
/// covariance of use under the softmax, over T. For `m_i > 1` the cross terms are replaced by `mu mu' / m_i`,
/// which keeps it positive semi-definite.
pub(super) fn evaluate(compiled: &Compiled<'_>, prices: &[f64], temperature: f64, sample: Sample) -> Dual {
    let n = sample.len(compiled.n_customers);
    let weight = if n == 0 {
        1.0
    } else {
        compiled.n_customers as f64 / n as f64
    };
    let table = compiled.price_table(prices);
    sums(compiled, &table, temperature, sample).dual(&compiled.shape, prices, temperature, weight)
}

/// What the customers add to the dual: sums over chunks, in the order of the chunks.
#[derive(Debug, Clone)]
pub(super) struct Sums {
    exact: f64,
    smooth: f64,
    cell_use: Vec<f64>,
    hessian: Vec<f64>,
}

impl Sums {
    pub(super) fn none(shape: &Shape) -> Self {
        let k = shape.limits.len();
        Self {
            exact: 0.0,
            smooth: 0.0,
            cell_use: vec![0.0; shape.n_cells * shape.n_resources],
            hessian: vec![0.0; k * k],
        }
    }

    pub(super) fn add(&mut self, part: &Self) {
        self.exact += part.exact;
        self.smooth += part.smooth;
        add(&mut self.cell_use, &part.cell_use);
        add(&mut self.hessian, &part.hessian);
    }

    /// The dual, with the sums scaled up by `weight`.
    pub(super) fn dual(mut self, shape: &Shape, prices: &[f64], temperature: f64, weight: f64) -> Dual {
        let at_limits = shape.at_limits(prices);
        let used = shape.row_use(&self.cell_use);
        for x in &mut self.hessian {
            *x *= weight / temperature;
        }
        mirror(&mut self.hessian, shape.limits.len());
        Dual {
            exact: at_limits + weight * self.exact,
            smooth: at_limits + weight * self.smooth,
            gradient: shape
                .limits
                .iter()
                .zip(&used)
                .map(|(limit, used)| limit - weight * used)
                .collect(),
            hessian: self.hessian,
        }
    }
}

/// The sums over everyone in the sample; `table` has the prices by cell.
pub(super) fn sums(compiled: &Compiled<'_>, table: &[f64], temperature: f64, sample: Sample) -> Sums {
    let n = sample.len(compiled.n_customers);
    let parts = map_chunks(n, |places| {
        let mut part = Part::new(compiled, table, temperature);
        for place in places {
            part.add(sample.customer(place, compiled.n_customers));
        }
        part.sums
    });
    let mut sums = Sums::none(&compiled.shape);
    for part in &parts {
        sums.add(part);
    }
    sums
}

/// As [`sums`] over everyone, on one thread and in one chunk: for a part of a problem whose parts run side by side.
pub(super) fn sums_in_order(compiled: &Compiled<'_>, table: &[f64], temperature: f64) -> Sums {
    let mut part = Part::new(compiled, table, temperature);
    for customer in 0..compiled.n_customers {
        part.add(customer);
    }
    part.sums
}

fn add(sum: &mut [f64], part: &[f64]) {
    for (s, p) in sum.iter_mut().zip(part) {
        *s += p;
    }
}

fn mirror(matrix: &mut [f64], k: usize) {
    for i in 0..k {
        for j in 0..i {
            matrix[j * k + i] = matrix[i * k + j];
        }
    }
}

/// Place and value of the largest number; the first of equals.
fn largest(numbers: &[f64]) -> (usize, f64) {
    let mut best = (0, f64::NEG_INFINITY);
    for (place, number) in numbers.iter().enumerate() {
        if *number > best.1 {
            best = (place, *number);
        }
    }
    best
}

/// The sums over one chunk of customers, with the scratch space of the inner loop.
struct Part<'a> {
    compiled: &'a Compiled<'a>,
    table: &'a [f64],
    temperature: f64,
    sums: Sums,
    reduced: Vec<f64>,
    shares: Vec<f64>,
    mean_use: Vec<f64>,
    touched: Vec<usize>,
    amounts: Vec<(usize, f64)>,
}

impl<'a> Part<'a> {
    fn new(compiled: &'a Compiled<'a>, table: &'a [f64], temperature: f64) -> Self {
        Self {
            compiled,
            table,
            temperature,
            sums: Sums::none(&compiled.shape),
            reduced: vec![0.0; compiled.max_candidates],
            shares: vec![0.0; compiled.max_candidates],
            mean_use: vec![0.0; compiled.n_rows],
            touched: Vec::with_capacity(compiled.n_rows),
            amounts: Vec::with_capacity(compiled.n_rows),
        }
    }

    fn add(&mut self, customer: usize) {
        let candidates = self.compiled.candidates(customer);
        let m = self
            .compiled
            .problem
            .max_actions
            .of(customer)
            .min(candidates.len());
        if m == 0 {
            return;
        }
        let first_cell = self.compiled.first_cell(customer);
        self.compiled
            .reduced_of(self.table, &candidates, first_cell, &mut self.reduced);
        let n = candidates.len();
        if m > 1 {
            self.soft_sum(&candidates, m);
            return self.add_mixed(&candidates, first_cell, m);
        }
        let (place, best) = largest(&self.reduced[..n]);
        self.sums.exact += best.max(0.0);
        if self.soft_max(n, best.max(0.0)) {
            self.add_mixed(&candidates, first_cell, 1);
        } else if best > 0.0 {
            self.add_use(candidates.start + place, first_cell, 1.0);
        }
    }

    fn add_mixed(&mut self, candidates: &std::ops::Range<usize>, first_cell: usize, m: usize) {
        for (place, candidate) in candidates.clone().enumerate() {
            if self.shares[place] > 0.0 {
                self.add_use(candidate, first_cell, self.shares[place]);
            }
        }
        if self.compiled.n_rows > 0 {
            self.add_curvature(candidates, first_cell, m);
        }
    }

    /// `m_i = 1`: shares are a softmax over the candidates and *none*. False when only the best has a share; then
    /// `shares` is not filled in.
    fn soft_max(&mut self, n: usize, best: f64) -> bool {
        let floor = best - NEGLIGIBLE * self.temperature;
        let alive = usize::from(floor < 0.0) + self.reduced[..n].iter().filter(|x| **x > floor).count();
        if alive <= 1 {
            self.sums.smooth += best;
            return false;
        }
        let inverse = 1.0 / self.temperature;
        let mut total = if floor < 0.0 { (-best * inverse).exp() } else { 0.0 };
        for (share, reduced) in self.shares[..n].iter_mut().zip(&self.reduced) {
            *share = if *reduced > floor {
                ((reduced - best) * inverse).exp()
            } else {
                0.0
            };
            total += *share;
        }
        self.sums.smooth += best + self.temperature * total.ln();
        let scale = 1.0 / total;
        for share in &mut self.shares[..n] {
            *share *= scale;
        }
        true
    }

    fn soft_sum(&mut self, own: &std::ops::Range<usize>, m: usize) {
        let (compiled, n) = (self.compiled, own.len());
        let (reduced, shares) = (&self.reduced[..n], &mut self.shares[..n]);
        let (exact, smooth) = if compiled.shape.has_exclusions() {
            let excludes = |a: usize, b: usize| compiled.excludes(own.start + a, own.start + b);
            soft_sets(reduced, m, self.temperature, excludes, shares)
        } else {
            soft_top(reduced, m, self.temperature, shares)
        };
        self.sums.exact += exact;
        self.sums.smooth += smooth;
    }

    fn add_use(&mut self, candidate: usize, first_cell: usize, share: f64) {
        let compiled = self.compiled;
        let cell = first_cell + usize::from(compiled.problem.actions[candidate]);
        let start = cell * compiled.n_resources;
        self.sums.cell_use[start] += share;
        for (sum, column) in self.sums.cell_use[start + 1..]
            .iter_mut()
            .zip(compiled.problem.resources)
        {
            *sum += share * column[candidate];
        }
    }

    /// Adds `sum_a p_a c_a c_a' - mu mu' / m` to the lower triangle.
    fn add_curvature(&mut self, candidates: &std::ops::Range<usize>, first_cell: usize, m: usize) {
        let compiled = self.compiled;
        let k = compiled.n_rows;
        for (place, candidate) in candidates.clone().enumerate() {
            let share = self.shares[place];
            if share < 1e-12 {
                continue;
            }
            let cell = first_cell + usize::from(compiled.problem.actions[candidate]);
            self.amounts.clear();
            for term in compiled.terms(cell) {
                let amount = term.sign * compiled.amount(term.resource, candidate);
                let weighted = share * amount;
                if !self.touched.contains(&term.row) {
                    self.touched.push(term.row);
                }
                self.mean_use[term.row] += weighted;
                self.amounts.push((term.row, amount));
                for (row, other) in &self.amounts {
                    self.sums.hessian[term.row * k + row] += weighted * other;
                }
            }
        }
        let m = m as f64;
        for i in 0..self.touched.len() {
            let row = self.touched[i];
            let mean = self.mean_use[row] / m;
            for other in &self.touched {
                if *other <= row {
                    self.sums.hessian[row * k + other] -= mean * self.mean_use[*other];
                }
            }
        }
        for row in self.touched.drain(..) {
            self.mean_use[row] = 0.0;
        }
    }
}
