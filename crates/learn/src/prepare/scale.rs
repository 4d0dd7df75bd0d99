//! Imputation, clipping and standardisation of numbers.

use serde::{Deserialize, Serialize};

use super::structure::Scaling;

/// Numbers are clipped to the quartiles plus or minus this many inter-quartile ranges before scaling.
const CLIP_RANGES: f64 = 5.0;
/// No standardised cell is larger than this, so that one odd row cannot throw a net off.
const MAX_STANDARDISED: f64 = 10.0;

/// Median, clipping range and standardisation of a number; `missing` is there if training had missing cells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Scale {
    median: f64,
    low: f64,
    high: f64,
    mean: f64,
    sd: f64,
    missing: Option<Moments>,
}

/// Mean and standard deviation of a 0/1 column.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Moments {
    mean: f64,
    sd: f64,
}

impl Scale {
    pub(super) fn fit(cells: &[f64], clip: bool) -> Option<Self> {
        let mut sorted: Vec<f64> = cells.iter().copied().filter(|cell| !cell.is_nan()).collect();
        sorted.sort_by(f64::total_cmp);
        let (first, last) = (*sorted.first()?, *sorted.last()?);
        let n_missing = cells.len() - sorted.len();
        if first == last && n_missing == 0 {
            return None;
        }
        let median = quantile(&sorted, 0.5);
        let range = quantile(&sorted, 0.75) - quantile(&sorted, 0.25);
        let (low, high) = if clip && range > 0.0 {
            let reach = CLIP_RANGES * range;
            (
                first.max(quantile(&sorted, 0.25) - reach),
                last.min(quantile(&sorted, 0.75) + reach),
            )
        } else {
            (first, last)
        };
        let imputed = cells.iter().map(|cell| {
            if cell.is_nan() {
                median
            } else {
                cell.clamp(low, high)
            }
        });
        let Moments { mean, sd } = Moments::of(imputed);
        let missing = (n_missing > 0).then(|| Moments::of(cells.iter().map(|cell| f64::from(cell.is_nan()))));
        Some(Self {
            median,
            low,
            high,
            mean,
            sd,
            missing,
        })
    }

    /// What it does, for programs that do it elsewhere.
    pub(super) fn structure(&self) -> Scaling {
        Scaling {
            median: self.median,
            clip: (self.low, self.high),
            mean: self.mean,
            sd: self.sd,
            limit: MAX_STANDARDISED,
            missing: self
                .missing
                .map(|moments| [moments.standardise(false), moments.standardise(true)]),
        }
    }

    pub(super) const fn has_missing(&self) -> bool {
        self.missing.is_some()
    }

    /// Dense columns: the number and, if training had missing cells, whether it is missing.
    pub(super) fn width(&self) -> usize {
        1 + usize::from(self.has_missing())
    }

    /// Writes the numbers into rows of `width` columns, from column `offset` on.
    pub(super) fn write_dense(&self, numbers: &[f64], rows: &mut [f32], (width, offset): (usize, usize)) {
        for (row, number) in rows.chunks_exact_mut(width).zip(numbers) {
            let filled = if number.is_nan() {
                self.median
            } else {
                number.clamp(self.low, self.high)
            };
            row[offset] = standardise(filled, self.mean, self.sd);
        }
        let Some(moments) = self.missing else { return };
        for (row, number) in rows.chunks_exact_mut(width).zip(numbers) {
            row[offset + 1] = moments.standardise(number.is_nan());
        }
    }
}

impl Moments {
    fn of(cells: impl Iterator<Item = f64> + Clone) -> Self {
        let n = cells.clone().count() as f64;
        let mean = cells.clone().sum::<f64>() / n;
        let variance = cells.map(|cell| (cell - mean) * (cell - mean)).sum::<f64>() / n;
        Self {
            mean,
            sd: variance.sqrt(),
        }
    }

    pub(super) fn of_share(count: usize, n: usize) -> Self {
        let mean = count as f64 / n as f64;
        Self {
            mean,
            sd: (mean * (1.0 - mean)).sqrt(),
        }
    }

    pub(super) fn standardise(self, is_set: bool) -> f32 {
        standardise(f64::from(is_set), self.mean, self.sd)
    }
}

fn standardise(cell: f64, mean: f64, sd: f64) -> f32 {
    if sd > 0.0 {
        ((cell - mean) / sd).clamp(-MAX_STANDARDISED, MAX_STANDARDISED) as f32
    } else {
        0.0
    }
}

/// The quantile of sorted numbers, interpolated linearly (Hyndman and Fan's type 7).
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let position = p * (sorted.len() - 1) as f64;
    let below = position.floor();
    let index = below as usize;
    let upper = sorted[(index + 1).min(sorted.len() - 1)];
    sorted[index] + (position - below) * (upper - sorted[index])
}
