//! Contributions to predictions: why one customer's risk is what it is, and what matters overall.

use rayon::prelude::*;
use thalweg_domain::{Reason, Result, Table};

use super::link::Link;
use super::model::{Member, OutcomeModel};
use crate::evaluate::{Calibrator, Temperature, most_likely};
use crate::models::Contributions;

/// Rows explained in one go, beside each other.
const CHUNK: usize = 512;
/// Rows that importance is averaged over, times the outputs that each needs.
const IMPORTANCE_ROWS: usize = 1000;
/// Rows per fold that tell which columns it goes by.
const MEMBER_ROWS: usize = 200;

pub(super) fn reasons(
    model: &OutcomeModel,
    table: &Table,
    rows: &[usize],
    top: usize,
) -> Result<Vec<Vec<Reason>>> {
    let features = model.features();
    let points = contributions(model, &features, table, rows)?;
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

pub(super) fn importance(model: &OutcomeModel, table: &Table) -> Result<Vec<(String, f64)>> {
    let most = (IMPORTANCE_ROWS / model.task().n_outputs().max(1)).max(100);
    let every = table.n_rows().div_ceil(most).max(1);
    let rows: Vec<usize> = (0..table.n_rows()).step_by(every).collect();
    let features = model.features();
    let points = contributions(model, &features, table, &rows)?;
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

/// Mean absolute contribution of each column of the table to a member's scores, over at most 200 evenly spread rows of
/// `rows`; 0 for columns that it does not read. Outputs are added.
pub(super) fn member_importance(member: &Member, table: &Table, rows: &[usize]) -> Result<Vec<f64>> {
    let every = rows.len().div_ceil(MEMBER_ROWS).max(1);
    let rows: Vec<usize> = rows.iter().copied().step_by(every).collect();
    let read = member.fitted.features();
    let places: Vec<Option<usize>> = read
        .iter()
        .map(|feature| table.columns().iter().position(|column| column.name == *feature))
        .collect();
    let mut sums = vec![0.0; table.columns().len()];
    for output in 0..member.offset.len() {
        let found = member.fitted.contributions(table, &rows, output)?;
        for row in found.cells.chunks_exact(found.n_columns.max(1)) {
            for (place, cell) in places.iter().zip(row) {
                if let Some(place) = place {
                    sums[*place] += (member.factor * cell).abs() / rows.len() as f64;
                }
            }
        }
    }
    Ok(sums)
}

/// Contributions to the predictions per row and feature, row after row.
fn contributions(
    model: &OutcomeModel,
    features: &[String],
    table: &Table,
    rows: &[usize],
) -> Result<Vec<f64>> {
    let chunks: Vec<Vec<f64>> = rows
        .par_chunks(CHUNK)
        .map(|rows| {
            let outputs = (0..model.task().n_outputs())
                .map(|output| of_score(model, features, (table, rows), output))
                .collect::<Result<Vec<_>>>()?;
            Ok(carried(model.link(), &outputs, rows.len()))
        })
        .collect::<Result<_>>()?;
    Ok(chunks.concat())
}

/// Contributions to one of the scores, summed over the members.
fn of_score(
    model: &OutcomeModel,
    features: &[String],
    (table, rows): (&Table, &[usize]),
    output: usize,
) -> Result<Contributions> {
    let n_columns = features.len();
    let mut sum = Contributions {
        base: 0.0,
        cells: vec![0.0; rows.len() * n_columns],
        n_columns,
    };
    for member in model.members() {
        let own = member.fitted.contributions(table, rows, output)?;
        let offset = member.offset.get(output).copied().unwrap_or_default();
        sum.base += member.factor * (own.base + offset);
        let place: Vec<usize> = member
            .fitted
            .features()
            .iter()
            .filter_map(|feature| features.iter().position(|own| own == feature))
            .collect();
        let each = sum
            .cells
            .chunks_exact_mut(n_columns)
            .zip(own.cells.chunks_exact(own.n_columns.max(1)));
        for (sums, cells) in each {
            place
                .iter()
                .zip(cells)
                .for_each(|(place, cell)| sums[*place] += member.factor * cell);
        }
    }
    Ok(sum)
}

/// Carries contributions to scores over to predictions.
fn carried(link: &Link, outputs: &[Contributions], n_rows: usize) -> Vec<f64> {
    let Some(first) = outputs.first() else {
        return Vec::new();
    };
    match link {
        Link::Identity => first.cells.clone(),
        Link::Calibrated(calibrator) => in_points(first, calibrator),
        Link::Softmax(temperature) => (0..n_rows)
            .flat_map(|row| towards_class(temperature, outputs, row))
            .collect(),
    }
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

/// One row's contributions to the probability of its most probable class: the softmax's derivatives averaged over the
/// straight line from the base scores to the row's, times the contributions to the scores.
fn towards_class(temperature: &Temperature, outputs: &[Contributions], row: usize) -> Vec<f64> {
    /// Points of the midpoint rule; its error is rescaled away.
    const POINTS: usize = 32;
    let n_columns = outputs.first().map_or(0, |output| output.n_columns);
    let cells = |output: &Contributions| output.cells[row * n_columns..(row + 1) * n_columns].to_vec();
    let own: Vec<Vec<f64>> = outputs.iter().map(cells).collect();
    let reach: Vec<f64> = own.iter().map(|cells| cells.iter().sum()).collect();
    let at = |share: f64| -> Vec<f64> {
        let mut p: Vec<f64> = outputs
            .iter()
            .zip(&reach)
            .map(|(output, reach)| output.base + share * reach)
            .collect();
        temperature.apply(&mut p);
        p
    };
    let (start, end) = (at(0.0), at(1.0));
    let class = most_likely(&end);
    let mut slopes = vec![0.0; outputs.len()];
    for point in 0..POINTS {
        let p = at((point as f64 + 0.5) / POINTS as f64);
        for (output, slope) in slopes.iter_mut().enumerate() {
            let own = f64::from(u8::from(output == class));
            *slope += p[class] * (own - p[output]) / temperature.temperature / POINTS as f64;
        }
    }
    let mut points: Vec<f64> = (0..n_columns)
        .map(|feature| {
            own.iter()
                .zip(&slopes)
                .map(|(cells, slope)| slope * cells[feature])
                .sum()
        })
        .collect();
    let (total, change) = (points.iter().sum::<f64>(), end[class] - start[class]);
    if total.abs() > 1e-9 {
        points.iter_mut().for_each(|cell| *cell *= change / total);
    }
    points
}
