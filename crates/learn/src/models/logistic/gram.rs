//! Weighted cross-products of the columns, `[1 X]ᵀ diag(w) [1 X]`: the work of every Newton step.

use rayon::prelude::*;

use crate::prepare::DenseMatrix;

/// Rows whose scaled columns are kept in the nearest cache while all pairs of columns are multiplied.
const TILE: usize = 64;
/// Partial sums at most; each covers a fixed range of rows, so that threads do not change the order of additions.
const MAX_PARTS: usize = 16;
const MIN_ROWS_PER_PART: usize = 2048;

/// The lower triangle, row after row (row `i` has `i + 1` cells), of the `(n_columns + 1)` squared matrix of weighted
/// cross-products; its first row belongs to the intercept. `weight(row)` is at least 0.
pub(super) fn gram(x: &DenseMatrix, weight: &(dyn Fn(usize) -> f64 + Sync)) -> Vec<f64> {
    let size = x.n_columns + 1;
    let rows_per_part = x.n_rows.div_ceil(MAX_PARTS).max(MIN_ROWS_PER_PART);
    let starts: Vec<usize> = (0..x.n_rows).step_by(rows_per_part).collect();
    let parts: Vec<Vec<f64>> = starts
        .par_iter()
        .map(|start| part(x, weight, *start..(start + rows_per_part).min(x.n_rows)))
        .collect();
    let mut sums = vec![0.0; size * (size + 1) / 2];
    for part in parts {
        sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
    }
    sums
}

fn part(x: &DenseMatrix, weight: &(dyn Fn(usize) -> f64 + Sync), rows: std::ops::Range<usize>) -> Vec<f64> {
    let size = x.n_columns + 1;
    let mut sums = vec![0.0; size * (size + 1) / 2];
    let mut columns = vec![0.0; size * TILE];
    for start in rows.clone().step_by(TILE) {
        let end = (start + TILE).min(rows.end);
        if end - start < TILE {
            columns.fill(0.0);
        }
        for (slot, row) in (start..end).enumerate() {
            let root = weight(row).sqrt();
            columns[slot] = root;
            for (column, cell) in x.row(row).iter().enumerate() {
                columns[(column + 1) * TILE + slot] = root * f64::from(*cell);
            }
        }
        add_products(&columns, size, &mut sums);
    }
    sums
}

/// Adds the inner product of every pair of columns of a tile.
fn add_products(columns: &[f64], size: usize, sums: &mut [f64]) {
    let column = |index: usize| &columns[index * TILE..(index + 1) * TILE];
    let mut start = 0;
    for i in 0..size {
        let (own, sums) = (column(i), &mut sums[start..=start + i]);
        let mut quads = sums.chunks_exact_mut(4);
        let mut j = 0;
        for quad in quads.by_ref() {
            let four = four_products(own, [column(j), column(j + 1), column(j + 2), column(j + 3)]);
            quad.iter_mut()
                .zip(four)
                .for_each(|(sum, product)| *sum += product);
            j += 4;
        }
        for (rest, sum) in quads.into_remainder().iter_mut().enumerate() {
            *sum += four_products(own, [column(j + rest); 4])[0];
        }
        start += i + 1;
    }
}

/// Inner products of one column with four others, each in four interleaved sums.
fn four_products(own: &[f64], others: [&[f64]; 4]) -> [f64; 4] {
    let mut sums = [[0.0_f64; 4]; 4];
    let (own, _) = own.as_chunks::<4>();
    let others = others.map(|other| other.as_chunks::<4>().0);
    for (index, own) in own.iter().enumerate() {
        for (sums, other) in sums.iter_mut().zip(&others) {
            let other = &other[index];
            for lane in 0..4 {
                sums[lane] += own[lane] * other[lane];
            }
        }
    }
    sums.map(|sums| (sums[0] + sums[1]) + (sums[2] + sums[3]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_sum_written_out() {
        for (n_rows, n_columns) in [(1, 1), (63, 5), (5000, 9)] {
            let data = (0..n_rows * n_columns)
                .map(|cell| ((cell * 37 % 101) as f32 - 50.0) / 25.0)
                .collect();
            let x = DenseMatrix {
                data,
                n_rows,
                n_columns,
            };
            let weight = |row: usize| 0.5 + (row % 3) as f64;
            let packed = gram(&x, &weight);
            let cell = |row: usize, column: usize| {
                if column == 0 {
                    1.0
                } else {
                    f64::from(x.row(row)[column - 1])
                }
            };
            for i in 0..=n_columns {
                for j in 0..=i {
                    let plain: f64 = (0..n_rows)
                        .map(|row| weight(row) * cell(row, i) * cell(row, j))
                        .sum();
                    let found = packed[crate::linalg::packed(i, j)];
                    assert!(
                        (plain - found).abs() < 1e-9 * (1.0 + plain.abs()),
                        "{i} {j}: {plain} {found}"
                    );
                }
            }
        }
    }
}
