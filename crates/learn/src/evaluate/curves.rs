//! The two curves of the report: calibration and gains.

use thalweg_domain::Estimate;

use super::metrics::{CALIBRATION_BINS, bin_of};

/// One bin of the calibration curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationBin {
    /// Mean probability of its rows.
    pub predicted: f64,
    /// Share of positives, with its 95 % Wilson interval.
    pub observed: Estimate,
    /// Number of rows.
    pub n: usize,
}

/// One point of the gains curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GainsPoint {
    /// Share of the rows, highest scores first.
    pub contacted: f64,
    /// Share of all positives among them.
    pub captured: f64,
}

/// Ten bins of equal width by probability, lowest first, empty ones left out. `p` and `y` have one entry per row.
#[must_use]
pub fn calibration_curve(p: &[f64], y: &[bool]) -> Vec<CalibrationBin> {
    let mut bins = [(0.0, 0_usize, 0_usize); CALIBRATION_BINS];
    for (p, y) in p.iter().zip(y) {
        let bin = &mut bins[bin_of(*p)];
        bin.0 += p;
        bin.1 += usize::from(*y);
        bin.2 += 1;
    }
    let filled = bins.into_iter().filter(|(_, _, n)| *n > 0);
    filled
        .map(|(predicted, positives, n)| CalibrationBin {
            predicted: predicted / n as f64,
            observed: wilson(positives as f64 / n as f64, n as f64, Estimate::Z95),
            n,
        })
        .collect()
}

/// A share among `n` rows with its Wilson score interval (Wilson 1927, doi:10.1080/01621459.1927.10502953); z sets the
/// level.
pub(crate) fn wilson(mean: f64, n: f64, z: f64) -> Estimate {
    let shrink = 1.0 + z * z / n;
    let centre = (mean + z * z / (2.0 * n)) / shrink;
    let half = z * (mean * (1.0 - mean) / n + z * z / (4.0 * n * n)).sqrt() / shrink;
    Estimate {
        mean,
        low: (centre - half).max(0.0),
        high: (centre + half).min(1.0),
    }
}

/// The share of positives reached by contacting the highest scores first, at every twentieth of the rows from 0
/// to 1. Equal scores are taken in row order. `p` and `y` have one entry per row.
#[must_use]
pub fn gains_curve(p: &[f64], y: &[bool]) -> Vec<GainsPoint> {
    let mut order: Vec<usize> = (0..p.len().min(y.len())).collect();
    order.sort_by(|a, b| p[*b].total_cmp(&p[*a]));
    let mut reached = vec![0.0];
    let mut total = 0.0;
    for row in &order {
        total += f64::from(y[*row]);
        reached.push(total);
    }
    let scale = if total > 0.0 { total } else { 1.0 };
    (0..=20_u32)
        .map(|step| {
            let contacted = f64::from(step) / 20.0;
            let index = (contacted * order.len() as f64).round() as usize;
            GainsPoint {
                contacted,
                captured: reached[index] / scale,
            }
        })
        .collect()
}
