//! Cholesky factors of symmetric positive definite matrices, packed by rows of the lower triangle.

/// Lower factor `L` of `A = L Lᵀ`; row `i` starts at `i (i + 1) / 2`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cholesky {
    n: usize,
    lower: Vec<f64>,
}

const fn start(row: usize) -> usize {
    row * (row + 1) / 2
}

impl Cholesky {
    /// Factors the packed lower triangle of a symmetric `n x n` matrix; `None` when it is not positive definite.
    pub(crate) fn new(n: usize, mut lower: Vec<f64>) -> Option<Self> {
        if lower.len() != start(n) {
            return None;
        }
        for i in 0..n {
            for j in 0..=i {
                let (row_i, row_j) = (start(i), start(j));
                let known = dot(&lower[row_i..row_i + j], &lower[row_j..row_j + j]);
                let rest = lower[row_i + j] - known;
                lower[row_i + j] = if i == j {
                    positive_root(rest)?
                } else {
                    rest / lower[row_j + j]
                };
            }
        }
        Some(Self { n, lower })
    }

    /// Factors a symmetric `n x n` matrix stored row after row, of which only the lower triangle is read.
    pub(crate) fn of_square(n: usize, matrix: &[f64]) -> Option<Self> {
        if matrix.len() != n * n {
            return None;
        }
        let lower = (0..n).flat_map(|row| matrix[row * n..=row * n + row].iter().copied());
        Self::new(n, lower.collect())
    }

    /// The diagonal of `A⁻¹`.
    pub(crate) fn inverse_diagonal(&self) -> Vec<f64> {
        let square = |index| self.inverse_column(index).iter().map(|cell| cell * cell).sum();
        (0..self.n).map(square).collect()
    }

    /// A factor that was computed before; `None` when the shape or the diagonal is wrong.
    pub(crate) fn from_factor(n: usize, lower: Vec<f64>) -> Option<Self> {
        let sound = lower.len() == start(n)
            && lower.iter().all(|cell| cell.is_finite())
            && (0..n).all(|i| lower[start(i) + i] > 0.0);
        sound.then_some(Self { n, lower })
    }

    /// The packed factor.
    pub(crate) fn factor(&self) -> &[f64] {
        &self.lower
    }

    /// Number of rows.
    pub(crate) const fn size(&self) -> usize {
        self.n
    }

    /// Column `index` of `L⁻¹` from row `index` downwards (it is zero above).
    pub(crate) fn inverse_column(&self, index: usize) -> Vec<f64> {
        let mut x: Vec<f64> = Vec::with_capacity(self.n - index);
        x.push(1.0 / self.lower[start(index) + index]);
        for i in index + 1..self.n {
            let row = start(i);
            x.push(-dot(&self.lower[row + index..row + i], &x) / self.lower[row + i]);
        }
        x
    }

    /// `L⁻¹ b`.
    pub(crate) fn forward(&self, b: &[f64]) -> Vec<f64> {
        let mut x: Vec<f64> = b.to_vec();
        for i in 0..self.n {
            let row = start(i);
            x[i] = (x[i] - dot(&self.lower[row..row + i], &x[..i])) / self.lower[row + i];
        }
        x
    }

    /// `L⁻ᵀ b`.
    pub(crate) fn backward(&self, b: &[f64]) -> Vec<f64> {
        let mut x: Vec<f64> = b.to_vec();
        for i in (0..self.n).rev() {
            let row = start(i);
            x[i] /= self.lower[row + i];
            let solved = x[i];
            for (cell, factor) in x.iter_mut().zip(&self.lower[row..row + i]) {
                *cell -= factor * solved;
            }
        }
        x
    }

    /// `A⁻¹ b`.
    pub(crate) fn solve(&self, b: &[f64]) -> Vec<f64> {
        self.backward(&self.forward(b))
    }

    /// `vᵀ A⁻¹ v`.
    pub(crate) fn inverse_quadratic(&self, v: &[f64]) -> f64 {
        self.forward(v).iter().map(|cell| cell * cell).sum()
    }

    /// `log det A`.
    pub(crate) fn log_determinant(&self) -> f64 {
        (0..self.n).map(|i| 2.0 * self.lower[start(i) + i].ln()).sum()
    }
}

fn positive_root(square: f64) -> Option<f64> {
    (square.is_finite() && square > 0.0).then(|| square.sqrt())
}

/// Inner product in four interleaved sums: the order of additions is fixed, so results are the same everywhere.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a_quads, a_rest) = a.as_chunks::<4>();
    let (b_quads, b_rest) = b.as_chunks::<4>();
    let mut sums = [0.0_f64; 4];
    for (x, y) in a_quads.iter().zip(b_quads) {
        for (sum, (p, q)) in sums.iter_mut().zip(x.iter().zip(y)) {
            *sum += p * q;
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(p, q)| p * q).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

/// Index of cell (`i`, `j`), `j <= i`, in a packed lower triangle.
pub(crate) const fn packed(i: usize, j: usize) -> usize {
    start(i) + j
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_a_system_worked_by_hand() {
        // A = [[4, 2], [2, 3]], det 8, A⁻¹ = [[3, -2], [-2, 4]] / 8
        let factor = Cholesky::new(2, vec![4.0, 2.0, 3.0]).unwrap();
        let x = factor.solve(&[1.0, 2.0]);
        assert!(
            (x[0] + 1.0 / 8.0).abs() < 1e-14 && (x[1] - 6.0 / 8.0).abs() < 1e-14,
            "{x:?}"
        );
        assert!((factor.log_determinant() - 8.0_f64.ln()).abs() < 1e-14);
        assert!((factor.inverse_quadratic(&[1.0, 1.0]) - 3.0 / 8.0).abs() < 1e-14);
        let square = Cholesky::of_square(2, &[4.0, f64::NAN, 2.0, 3.0]).unwrap();
        assert_eq!(square, factor, "the upper triangle is not read");
        let diagonal = square.inverse_diagonal();
        assert!((diagonal[0] - 3.0 / 8.0).abs() < 1e-14 && (diagonal[1] - 4.0 / 8.0).abs() < 1e-14);
    }

    #[test]
    fn refuses_what_is_not_positive_definite() {
        assert!(Cholesky::new(2, vec![1.0, 2.0, 1.0]).is_none());
        assert!(Cholesky::new(2, vec![1.0, f64::NAN, 1.0]).is_none());
        assert!(Cholesky::new(2, vec![1.0, 2.0]).is_none());
    }

    #[test]
    fn dot_agrees_with_the_plain_sum_at_every_length() {
        for n in 0..11_u32 {
            let a: Vec<f64> = (0..n).map(f64::from).collect();
            let plain: f64 = a.iter().map(|x| x * (x + 1.0)).sum();
            let b: Vec<f64> = a.iter().map(|x| x + 1.0).collect();
            assert!((dot(&a, &b) - plain).abs() < 1e-12);
        }
    }
}
