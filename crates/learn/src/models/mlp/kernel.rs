//! The dense products of the net's narrow layers, written so that the compiler vectorises them.
//!
//! Every output cell is one running sum in a fixed order, whatever the tile it is computed in: wider registers
//! change the speed, never a bit of the result. Matrices are row after row; layer widths are multiples of
//! [`LANES`].

/// Columns computed together.
pub(super) const LANES: usize = 8;

/// `out[r][c] = bias[c] + sum_i x[r][i] w[i][c]`, with x of rows x k and w of k x n.
#[inline(always)]
pub(super) fn affine<const TILE: usize>(x: &[f32], w: &[f32], bias: &[f32], out: &mut [f32]) {
    let n = bias.len();
    let k = w.len() / n;
    let rows = out.len() / n;
    let mut row = 0;
    while row + TILE <= rows {
        affine_tile::<TILE>(&x[row * k..], w, bias, &mut out[row * n..]);
        row += TILE;
    }
    while row < rows {
        affine_tile::<1>(&x[row * k..], w, bias, &mut out[row * n..]);
        row += 1;
    }
}

#[inline(always)]
fn affine_tile<const TILE: usize>(x: &[f32], w: &[f32], bias: &[f32], out: &mut [f32]) {
    let n = bias.len();
    let k = w.len() / n;
    for column in (0..n).step_by(LANES) {
        let bias: [f32; LANES] = std::array::from_fn(|lane| bias[column + lane]);
        let sums = affine_sums::<TILE>(&x[..TILE * k], &w[column..], n, bias);
        for (r, sum) in sums.iter().enumerate() {
            out[r * n + column..r * n + column + LANES].copy_from_slice(sum);
        }
    }
}

/// The sums of a tile; `w` starts at the tile's first column. Without a check in the loop that could fail, so that the sums stay
/// in registers (in memory they take twice as long).
#[expect(
    clippy::needless_range_loop,
    reason = "the compiler needs to see that the index stays below k"
)]
#[inline(always)]
fn affine_sums<const TILE: usize>(
    x: &[f32],
    w: &[f32],
    n: usize,
    bias: [f32; LANES],
) -> [[f32; LANES]; TILE] {
    let k = x.len() / TILE;
    let rows: [&[f32]; TILE] = std::array::from_fn(|r| &x[r * k..][..k]);
    let mut sums = [bias; TILE];
    let mut w_rows = w.chunks(n);
    for i in 0..k {
        let Some(w_lane) = w_rows.next().and_then(|row| row.first_chunk::<LANES>()) else {
            break;
        };
        for r in 0..TILE {
            add_scaled(&mut sums[r], rows[r][i], w_lane);
        }
    }
    sums
}

/// `out[i][c] += sum_r x[r][i] d[r][c]`, with x of rows x k, d of rows x n: the gradient of the weights.
#[inline(always)]
pub(super) fn outer<const TILE: usize>(x: &[f32], k: usize, d: &[f32], n: usize, out: &mut [f32]) {
    let mut input = 0;
    while input + TILE <= k {
        outer_tile::<TILE>(x, k, d, n, input, out);
        input += TILE;
    }
    while input + 2 <= k {
        outer_tile::<2>(x, k, d, n, input, out);
        input += 2;
    }
    if input < k {
        outer_tile::<1>(x, k, d, n, input, out);
    }
}

#[inline(always)]
fn outer_tile<const TILE: usize>(x: &[f32], k: usize, d: &[f32], n: usize, input: usize, out: &mut [f32]) {
    for column in (0..n).step_by(LANES) {
        let mut sums = [[0.0_f32; LANES]; TILE];
        for (i, sum) in sums.iter_mut().enumerate() {
            let start = (input + i) * n + column;
            sum.copy_from_slice(&out[start..start + LANES]);
        }
        for (x_row, d_row) in x.chunks_exact(k).zip(d.chunks_exact(n)) {
            let x_tile: [f32; TILE] = std::array::from_fn(|i| x_row[input + i]);
            let d_lane: [f32; LANES] = std::array::from_fn(|lane| d_row[column + lane]);
            for i in 0..TILE {
                add_scaled(&mut sums[i], x_tile[i], &d_lane);
            }
        }
        for (i, sum) in sums.iter().enumerate() {
            let start = (input + i) * n + column;
            out[start..start + LANES].copy_from_slice(sum);
        }
    }
}

/// `out[r][i] = sum_c d[r][c] w[i][c]`: the gradient of a layer's input.
#[inline(always)]
pub(super) fn transposed(d: &[f32], w: &[f32], n: usize, out: &mut [f32]) {
    let k = w.len() / n;
    for (d_row, out_row) in d.chunks_exact(n).zip(out.chunks_exact_mut(k)) {
        for (cell, w_row) in out_row.iter_mut().zip(w.chunks_exact(n)) {
            *cell = dot(d_row, w_row);
        }
    }
}

/// `out[r] = bias + x[r] . w`: the sums of a single output.
#[inline(always)]
pub(super) fn single(x: &[f32], w: &[f32], bias: f32, out: &mut [f32]) {
    for (sum, row) in out.iter_mut().zip(x.chunks_exact(w.len())) {
        *sum = bias + dot(row, w);
    }
}

/// `out[i] += sum_r d[r] x[r][i]` and `bias += sum_r d[r]`: the gradient of a single output's weights.
#[inline(always)]
pub(super) fn single_gradient(x: &[f32], d: &[f32], out: &mut [f32], bias: &mut f32) {
    for (delta, row) in d.iter().zip(x.chunks_exact(out.len())) {
        for (sum, cell) in out.iter_mut().zip(row) {
            *sum += delta * cell;
        }
        *bias += delta;
    }
}

/// `out[r][i] = d[r] w[i]`: the gradient of a single output's input.
#[inline(always)]
pub(super) fn single_input(d: &[f32], w: &[f32], out: &mut [f32]) {
    for (row, delta) in out.chunks_exact_mut(w.len()).zip(d) {
        for (cell, weight) in row.iter_mut().zip(w) {
            *cell = delta * weight;
        }
    }
}

/// `out[c] += sum_r d[r][c]`: the gradient of the biases.
#[inline(always)]
pub(super) fn column_sums(d: &[f32], out: &mut [f32]) {
    for row in d.chunks_exact(out.len()) {
        for (sum, cell) in out.iter_mut().zip(row) {
            *sum += cell;
        }
    }
}

/// `a[i] *= b[i]`.
#[inline(always)]
pub(super) fn multiply(a: &mut [f32], b: &[f32]) {
    for (a, b) in a.iter_mut().zip(b) {
        *a *= b;
    }
}

/// The inner product, summed in [`LANES`] interleaved parts.
#[inline(always)]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (a_lanes, b_lanes) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f32 = a_lanes
        .remainder()
        .iter()
        .zip(b_lanes.remainder())
        .map(|(a, b)| a * b)
        .sum();
    for (a_lane, b_lane) in a_lanes.zip(b_lanes) {
        for (sum, (a, b)) in sums.iter_mut().zip(a_lane.iter().zip(b_lane)) {
            *sum += a * b;
        }
    }
    rest + sums.iter().sum::<f32>()
}

#[inline(always)]
fn add_scaled(sum: &mut [f32; LANES], factor: f32, lane: &[f32; LANES]) {
    for (sum, cell) in sum.iter_mut().zip(lane) {
        *sum += factor * cell;
    }
}
