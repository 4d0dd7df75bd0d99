//! Batch and layer normalisation: forward and backward over a block of rows, row after row.

/// Added to variances.
pub(super) const EPSILON: f32 = 1e-5;
/// Weight of a batch in the moving statistics.
pub(super) const MOVING: f32 = 0.1;

/// Gains and shifts of a layer, with its width and how many units are not padding.
#[derive(Clone, Copy)]
pub(super) struct Affine<'a> {
    pub(super) gain: &'a [f32],
    pub(super) shift: &'a [f32],
    pub(super) units: usize,
}

impl Affine<'_> {
    const fn n(&self) -> usize {
        self.gain.len()
    }

    fn apply(&self, cells: &mut [f32], hat: &[f32]) {
        let n = self.n();
        for (row, hat) in cells.chunks_exact_mut(n).zip(hat.chunks_exact(n)) {
            for unit in 0..n {
                row[unit] = self.gain[unit] * hat[unit] + self.shift[unit];
            }
        }
    }

    /// Layer normalisation of sums; `hat` gets the normalised sums, `inverse` one over each row's deviation.
    pub(super) fn layer_forward(&self, cells: &mut [f32], hat: &mut [f32], inverse: &mut [f32]) {
        let n = self.n();
        for ((row, hat), inverse) in cells.chunks_exact(n).zip(hat.chunks_exact_mut(n)).zip(inverse) {
            let row = &row[..self.units];
            let mean = row.iter().sum::<f32>() / self.units as f32;
            let variance =
                row.iter().map(|cell| (cell - mean) * (cell - mean)).sum::<f32>() / self.units as f32;
            *inverse = 1.0 / (variance + EPSILON).sqrt();
            hat.fill(0.0);
            for (hat, cell) in hat.iter_mut().zip(row) {
                *hat = (cell - mean) * *inverse;
            }
        }
        self.apply(cells, hat);
    }

    /// From the gradient of the shifted sums to that of the sums that came in.
    pub(super) fn layer_backward(&self, delta: &mut [f32], hat: &[f32], inverse: &[f32]) {
        let n = self.n();
        let share = 1.0 / self.units as f32;
        for ((row, hat), inverse) in delta.chunks_exact_mut(n).zip(hat.chunks_exact(n)).zip(inverse) {
            let (mut sum, mut along) = (0.0, 0.0);
            for unit in 0..n {
                row[unit] *= self.gain[unit];
                sum += row[unit];
                along += row[unit] * hat[unit];
            }
            for unit in 0..self.units {
                row[unit] = inverse * (row[unit] - share * sum - hat[unit] * share * along);
            }
        }
    }

    /// Batch normalisation of sums by their own means and variances, which `mean` and `variance` get.
    pub(super) fn batch_forward(
        &self,
        cells: &mut [f32],
        hat: &mut [f32],
        mean: &mut [f32],
        variance: &mut [f32],
    ) {
        let n = self.n();
        let share = 1.0 / (cells.len() / n) as f32;
        mean.fill(0.0);
        variance.fill(0.0);
        for row in cells.chunks_exact(n) {
            mean.iter_mut().zip(row).for_each(|(mean, cell)| *mean += cell);
        }
        mean.iter_mut().for_each(|mean| *mean *= share);
        for row in cells.chunks_exact(n) {
            for unit in 0..n {
                variance[unit] += (row[unit] - mean[unit]) * (row[unit] - mean[unit]);
            }
        }
        variance.iter_mut().for_each(|variance| *variance *= share);
        self.batch_by(cells, hat, mean, variance);
    }

    /// Batch normalisation of sums by given means and variances.
    pub(super) fn batch_by(&self, cells: &mut [f32], hat: &mut [f32], mean: &[f32], variance: &[f32]) {
        let n = self.n();
        for (row, hat) in cells.chunks_exact(n).zip(hat.chunks_exact_mut(n)) {
            for unit in 0..n {
                hat[unit] = (row[unit] - mean[unit]) / (variance[unit] + EPSILON).sqrt();
            }
        }
        self.apply(cells, hat);
    }

    /// As [`Self::layer_backward`], over a batch with the given variances.
    pub(super) fn batch_backward(&self, delta: &mut [f32], hat: &[f32], variance: &[f32]) {
        let n = self.n();
        let share = 1.0 / (delta.len() / n) as f32;
        let (mut sum, mut along) = (vec![0.0; n], vec![0.0; n]);
        for (row, hat) in delta.chunks_exact(n).zip(hat.chunks_exact(n)) {
            for unit in 0..n {
                sum[unit] += row[unit];
                along[unit] += row[unit] * hat[unit];
            }
        }
        for (row, hat) in delta.chunks_exact_mut(n).zip(hat.chunks_exact(n)) {
            for unit in 0..n {
                let inner = row[unit] - share * sum[unit] - hat[unit] * share * along[unit];
                row[unit] = self.gain[unit] / (variance[unit] + EPSILON).sqrt() * inner;
            }
        }
    }

    /// The gradient of sums that were normalised by given, not by their own statistics.
    pub(super) fn fixed_backward(&self, delta: &mut [f32], variance: &[f32]) {
        for row in delta.chunks_exact_mut(self.n()) {
            for unit in 0..self.n() {
                row[unit] *= self.gain[unit] / (variance[unit] + EPSILON).sqrt();
            }
        }
    }
}
