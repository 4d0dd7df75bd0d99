//! The dense products of wide layers: register tiles over packed panels, fused multiply-add.
//!
//! Every output cell is one running sum over the inner index in rising order, each step one fused multiply-add (rounded once).
//! `f32::mul_add` means that on every processor, so tiles, panels, threads and instruction sets change the speed, never
//! a bit of the result. A processor without the instruction computes it in software, correctly and slowly.

/// Columns of a panel: two AVX registers.
pub(super) const PANEL: usize = 16;
/// Rows of a tile: 6 x 2 sums, 2 panel cells and 1 factor fill 15 of the 16 AVX registers.
const ROWS: usize = 6;

/// Layers with at least this many weights use the fused products. The choice depends on the layer's shape alone.
const FROM_WEIGHTS: usize = 4096;

/// Whether a layer of k inputs and n units uses these products.
pub(super) const fn is_wide(k: usize, n: usize) -> bool {
    n > 1 && k * n >= FROM_WEIGHTS
}

/// Panels of a matrix with rows of `n` cells: `panels[p][row][c] = w[row][16 p + c]`, 0 beyond the last column.
pub(super) fn pack(w: &[f32], n: usize, panels: &mut [f32]) {
    let rows = w.len() / n;
    for (p, panel) in panels.chunks_exact_mut(rows * PANEL).enumerate() {
        let first = p * PANEL;
        let width = PANEL.min(n - first);
        let (cells, _) = panel.as_chunks_mut::<PANEL>();
        if width == PANEL {
            for (cells, row) in cells.iter_mut().zip(w.chunks_exact(n)) {
                cells.copy_from_slice(&row[first..first + PANEL]);
            }
        } else {
            for (cells, row) in cells.iter_mut().zip(w.chunks_exact(n)) {
                cells[width..].fill(0.0);
                cells[..width].copy_from_slice(&row[first..first + width]);
            }
        }
    }
}

/// Panels of the transposed matrix: `panels[p][column][r] = w[16 p + r][column]`, 0 beyond the last row.
pub(super) fn pack_transposed(w: &[f32], n: usize, panels: &mut [f32]) {
    for (panel, rows) in panels.chunks_exact_mut(n * PANEL).zip(w.chunks(n * PANEL)) {
        panel.fill(0.0);
        let (cells, _) = panel.as_chunks_mut::<PANEL>();
        for (r, row) in rows.chunks_exact(n).enumerate() {
            for (cells, cell) in cells.iter_mut().zip(row) {
                cells[r] = *cell;
            }
        }
    }
}

/// Cells that the panels of a matrix of rows x n take.
pub(super) const fn packed_len(rows: usize, n: usize) -> usize {
    n.div_ceil(PANEL) * PANEL * rows
}

/// `out[r][c] = bias[c] + sum_i x[r][i] w[i][c]` with x of rows x k and w in [`pack`]ed panels; without bias from 0.
#[inline(always)]
pub(super) fn affine(x: &[f32], k: usize, panels: &[f32], bias: Option<&[f32]>, out: &mut [f32], n: usize) {
    let rows = out.len() / n;
    for (p, panel) in panels.chunks_exact(k * PANEL).enumerate() {
        let (panel, _) = panel.as_chunks::<PANEL>();
        let first = p * PANEL;
        let width = PANEL.min(n - first);
        let mut start = [0.0; PANEL];
        if let Some(bias) = bias {
            start[..width].copy_from_slice(&bias[first..first + width]);
        }
        let mut row = 0;
        while row + ROWS <= rows {
            affine_tile::<ROWS>(
                &x[row * k..],
                k,
                panel,
                start,
                &mut out[row * n + first..],
                n,
                width,
            );
            row += ROWS;
        }
        while row + 2 <= rows {
            affine_tile::<2>(
                &x[row * k..],
                k,
                panel,
                start,
                &mut out[row * n + first..],
                n,
                width,
            );
            row += 2;
        }
        if row < rows {
            affine_tile::<1>(
                &x[row * k..],
                k,
                panel,
                start,
                &mut out[row * n + first..],
                n,
                width,
            );
        }
    }
}

#[inline(always)]
fn affine_tile<const R: usize>(
    x: &[f32],
    k: usize,
    panel: &[[f32; PANEL]],
    start: [f32; PANEL],
    out: &mut [f32],
    n: usize,
    width: usize,
) {
    let sums = affine_sums::<R>(&x[..R * k], panel, start);
    for (r, sums) in sums.iter().enumerate() {
        let out = &mut out[r * n..];
        if width == PANEL {
            out[..PANEL].copy_from_slice(sums);
        } else {
            out[..width].copy_from_slice(&sums[..width]);
        }
    }
}

/// The sums of a tile. All lengths come from the panel, which lets the compiler drop the checks and keep the sums in registers
/// (with them in memory the wide case takes 1.4 times as long).
#[inline(always)]
fn affine_sums<const R: usize>(x: &[f32], panel: &[[f32; PANEL]], start: [f32; PANEL]) -> [[f32; PANEL]; R] {
    let k = panel.len();
    let rows: [&[f32]; R] = std::array::from_fn(|r| &x[r * k..][..k]);
    let mut sums = [start; R];
    for i in 0..k {
        for r in 0..R {
            add_scaled(&mut sums[r], rows[r][i], &panel[i]);
        }
    }
    sums
}

/// `out[i][c] += sum_r x[r][first + i] d[r][c]` for the inputs that `out` has rows for, with x of rows x k and d in panels.
#[inline(always)]
pub(super) fn outer(x: &[f32], k: usize, first: usize, panels: &[f32], out: &mut [f32], n: usize) {
    let rows = x.len() / k;
    let inputs = out.len() / n;
    let mut input = 0;
    while input + ROWS <= inputs {
        outer_strip::<ROWS>(x, k, first + input, panels, rows, &mut out[input * n..], n);
        input += ROWS;
    }
    while input + 2 <= inputs {
        outer_strip::<2>(x, k, first + input, panels, rows, &mut out[input * n..], n);
        input += 2;
    }
    if input < inputs {
        outer_strip::<1>(x, k, first + input, panels, rows, &mut out[input * n..], n);
    }
}

#[inline(always)]
fn outer_strip<const R: usize>(
    x: &[f32],
    k: usize,
    input: usize,
    panels: &[f32],
    rows: usize,
    out: &mut [f32],
    n: usize,
) {
    for (p, panel) in panels.chunks_exact(rows * PANEL).enumerate() {
        let (panel, _) = panel.as_chunks::<PANEL>();
        let first = p * PANEL;
        let width = PANEL.min(n - first);
        let mut sums = [[0.0; PANEL]; R];
        for (r, sums) in sums.iter_mut().enumerate() {
            sums[..width].copy_from_slice(&out[r * n + first..r * n + first + width]);
        }
        for (x_row, cells) in x.chunks_exact(k).zip(panel) {
            let factors = &x_row[input..input + R];
            for r in 0..R {
                add_scaled(&mut sums[r], factors[r], cells);
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            out[r * n + first..r * n + first + width].copy_from_slice(&sums[..width]);
        }
    }
}

#[inline(always)]
fn add_scaled(sums: &mut [f32; PANEL], factor: f32, cells: &[f32; PANEL]) {
    for lane in 0..PANEL {
        sums[lane] = factor.mul_add(cells[lane], sums[lane]);
    }
}
