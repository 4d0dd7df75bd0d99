//! The linear part of the model, rotated so that it can be integrated out exactly.

use crate::carry::dot;

/// `Z = X V^(1/2) = U S W'`, where X holds the linear columns (n x k) and V their prior variances.
///
/// With normal noise the coefficients have a normal posterior given everything else, and the outcome's distribution without
/// them is normal with covariance `sigma^2 I + U S^2 U'`.
#[derive(Debug, Clone)]
pub(crate) struct Basis {
    /// Columns of U, each of length n; zero where the singular value is.
    pub(crate) u: Vec<Vec<f64>>,
    /// Singular values squared.
    pub(crate) s2: Vec<f64>,
    /// `turn[j][i]`: coefficient i per unit of rotated coefficient j (`V^(1/2) W`).
    pub(crate) turn: Vec<Vec<f64>>,
    /// Prior means of the coefficients.
    pub(crate) centre: Vec<f64>,
}

impl Basis {
    /// From columns with prior means and standard deviations.
    pub(crate) fn new(columns: &[Vec<f64>], centre: Vec<f64>, deviation: &[f64]) -> Self {
        let scaled: Vec<Vec<f64>> = columns
            .iter()
            .zip(deviation)
            .map(|(column, sd)| column.iter().map(|x| x * sd).collect())
            .collect();
        let k = scaled.len();
        let mut gram = vec![vec![0.0; k]; k];
        for i in 0..k {
            for j in 0..k {
                gram[i][j] = dot(&scaled[i], &scaled[j]);
            }
        }
        let (values, vectors) = eigen(gram);
        let most = values.iter().copied().fold(0.0, f64::max);
        let n = columns.first().map_or(0, Vec::len);
        let (mut u, mut s2, mut turn) = (Vec::new(), Vec::new(), Vec::new());
        for (value, vector) in values.iter().zip(&vectors) {
            let kept = *value > 1e-12 * most;
            let mut column = vec![0.0; n];
            if kept {
                let root = value.sqrt();
                for (weight, from) in vector.iter().zip(&scaled) {
                    for (to, x) in column.iter_mut().zip(from) {
                        *to += weight * x / root;
                    }
                }
            }
            u.push(column);
            s2.push(if kept { *value } else { 0.0 });
            turn.push(vector.iter().zip(deviation).map(|(w, sd)| w * sd).collect());
        }
        Self { u, s2, turn, centre }
    }

    /// Coefficients for rotated coordinates z.
    pub(crate) fn coefficients(&self, z: &[f64]) -> Vec<f64> {
        let mut out = self.centre.clone();
        for (own, row) in z.iter().zip(&self.turn) {
            for (to, weight) in out.iter_mut().zip(row) {
                *to += own * weight;
            }
        }
        out
    }
}

/// Eigenvalues and vectors (row j belongs to value j) of a symmetric matrix, by cyclic Jacobi rotations
/// (Golub and Van Loan 2013, section 8.5).
pub(crate) fn eigen(mut a: Vec<Vec<f64>>) -> (Vec<f64>, Vec<Vec<f64>>) {
    let k = a.len();
    let mut v: Vec<Vec<f64>> = (0..k)
        .map(|i| (0..k).map(|j| f64::from(u8::from(i == j))).collect())
        .collect();
    for _ in 0..60 {
        let off: f64 = (0..k)
            .flat_map(|i| (0..i).map(move |j| (i, j)))
            .map(|(i, j)| a[i][j] * a[i][j])
            .sum();
        let diagonal: f64 = (0..k).map(|i| a[i][i] * a[i][i]).sum();
        if off <= 1e-30 * diagonal {
            break;
        }
        for p in 0..k {
            for q in p + 1..k {
                rotate(&mut a, &mut v, p, q);
            }
        }
    }
    ((0..k).map(|i| a[i][i]).collect(), v)
}

fn rotate(a: &mut [Vec<f64>], v: &mut [Vec<f64>], p: usize, q: usize) {
    if a[p][q] == 0.0 {
        return;
    }
    let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
    let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
    let t = if theta == 0.0 { 1.0 } else { t };
    let c = 1.0 / t.hypot(1.0);
    let s = t * c;
    for row in a.iter_mut() {
        let (x, y) = (row[p], row[q]);
        row[p] = c * x - s * y;
        row[q] = s * x + c * y;
    }
    for i in 0..a.len() {
        let (x, y) = (a[p][i], a[q][i]);
        a[p][i] = c * x - s * y;
        a[q][i] = s * x + c * y;
        let (x, y) = (v[p][i], v[q][i]);
        v[p][i] = c * x - s * y;
        v[q][i] = s * x + c * y;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rotation_gives_the_columns_back() {
        let columns = vec![
            vec![1.0, 1.0, 1.0, 1.0, 1.0],
            vec![0.0, 1.0, 2.0, 3.0, 4.0],
            vec![1.0, -1.0, 0.5, 0.2, 0.9],
            vec![2.0, 0.0, 1.5, 1.2, 1.9], // the first plus the third: one direction is empty
        ];
        let sd = [2.0, 0.5, 1.0, 3.0];
        let basis = Basis::new(&columns, vec![0.0; 4], &sd);
        assert_eq!(basis.s2.iter().filter(|own| **own == 0.0).count(), 1);
        // sum_j z_j s_j u_j must be X times the coefficients of z
        let z = [0.3, -1.2, 0.7, 0.4];
        let coefficients = basis.coefficients(&z);
        #[expect(clippy::needless_range_loop, reason = "one row of several columns")]
        for t in 0..5 {
            let direct: f64 = (0..4).map(|i| columns[i][t] * coefficients[i]).sum();
            let turned: f64 = (0..4).map(|j| z[j] * basis.s2[j].sqrt() * basis.u[j][t]).sum();
            assert!((direct - turned).abs() < 1e-9, "{direct} {turned}");
        }
    }
}
