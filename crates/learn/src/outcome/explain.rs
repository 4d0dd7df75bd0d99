//! Contributions in probability points: why one customer's risk is what it is, and what matters overall.

use rayon::prelude::*;
use thalweg_domain::{Reason, Result, Table};

use crate::evaluate::Calibrator;
use crate::models::{Contributions, Fitted};

/// Rows explained in one go, beside each other.
const CHUNK: usize = 512;
/// Rows that importance is averaged over.
const IMPORTANCE_ROWS: usize = 1000;

pub(super) fn reasons(
    fitted: &Fitted,
    calibrator: &Calibrator,
    table: &Table,
    rows: &[usize],
    top: usize,
) -> Result<Vec<Vec<Reason>>> {
    let features = fitted.preparer().features();
    let points = contributions(fitted, calibrator, table, rows)?;
    let explained = rows.par_iter().zip(points.par_chunks_exact(features.len()));
    Ok(explained
        .map(|(row, points)| top_reasons(table, &features, *row, points, top))
        .collect())
}

fn top_reasons(table: &Table, features: &[String], row: usize, points: &[f64], top: usize) -> Vec<Reason> {
    let mut order: Vec<usize> = (0..features.len()).collect();
    order.sort_by(|a, b| points[*b].abs().total_cmp(&points[*a].abs()));
    let largest = order.into_iter().take(top);
    largest
        .map(|feature| Reason {
            feature: features[feature].clone(),
            value: table
                .column(&features[feature])
                .map_or_else(String::new, |column| column.cell_text(row)),
            contribution: points[feature],
        })
        .collect()
}

pub(super) fn importance(
    fitted: &Fitted,
    calibrator: &Calibrator,
    table: &Table,
) -> Result<Vec<(String, f64)>> {
    let every = table.n_rows().div_ceil(IMPORTANCE_ROWS).max(1);
    let rows: Vec<usize> = (0..table.n_rows()).step_by(every).collect();
    let features = fitted.preparer().features();
    let points = contributions(fitted, calibrator, table, &rows)?;
    let mut sums = vec![0.0; features.len()];
    for row in points.chunks_exact(features.len()) {
        sums.iter_mut()
            .zip(row)
            .for_each(|(sum, points)| *sum += points.abs());
    }
    let n = rows.len() as f64;
    let mut named: Vec<(String, f64)> = features
        .into_iter()
        .zip(sums.into_iter().map(|sum| sum / n))
        .collect();
    named.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(named)
}

/// Probability points per row and feature, row after row.
fn contributions(
    fitted: &Fitted,
    calibrator: &Calibrator,
    table: &Table,
    rows: &[usize],
) -> Result<Vec<f64>> {
    let chunks: Vec<Vec<f64>> = rows
        .par_chunks(CHUNK)
        .map(|rows| {
            fitted
                .contributions(table, rows, 0)
                .map(|log_odds| in_points(&log_odds, calibrator))
        })
        .collect::<Result<_>>()?;
    Ok(chunks.concat())
}

/// Scales each row's log-odds contributions so that they add up to the change in probability.
fn in_points(log_odds: &Contributions, calibrator: &Calibrator) -> Vec<f64> {
    let mut points = log_odds.cells.clone();
    for row in points.chunks_exact_mut(log_odds.n_columns.max(1)) {
        let slope = secant(calibrator, log_odds.base, row.iter().sum());
        row.iter_mut().for_each(|cell| *cell *= slope);
    }
    points
}

/// Slope of the calibrator's chord from `base` to `base + reach`; for short ones that of a chord around the base.
fn secant(calibrator: &Calibrator, base: f64, reach: f64) -> f64 {
    const SHORT: f64 = 1e-3;
    if reach.abs() > SHORT {
        return (calibrator.apply(base + reach) - calibrator.apply(base)) / reach;
    }
    (calibrator.apply(base + SHORT) - calibrator.apply(base - SHORT)) / (2.0 * SHORT)
}
