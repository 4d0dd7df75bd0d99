//! Bins of a column and how many rows of either table fall into each.

use std::collections::BTreeMap;

use thalweg_domain::{Column, ColumnData};

/// Levels with a bin of their own; the others share one.
const MOST_LEVELS: usize = 49;
const N_DECILES: usize = 10;

/// Rows per bin: reference and new.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Counts {
    bins: Vec<(u64, u64)>,
}

impl Counts {
    pub(super) fn of_columns(reference: &Column, new: Option<&Column>, n_new: usize) -> Self {
        let new = new.filter(|column| column.kind() == reference.kind());
        match (&reference.data, new.map(|column| &column.data)) {
            (ColumnData::Number(before), Some(ColumnData::Number(now))) => Self::of_numbers(before, now),
            (ColumnData::Number(before), _) => Self::of_numbers(before, &vec![f64::NAN; n_new]),
            (ColumnData::Date(before), now) => {
                let now = if let Some(ColumnData::Date(now)) = now {
                    times(now)
                } else {
                    vec![f64::NAN; n_new]
                };
                Self::of_numbers(&times(before), &now)
            }
            (ColumnData::Text(_), _) => Self::by_level(reference, new, n_new, |_, _| String::new()),
            (ColumnData::Category { .. } | ColumnData::Boolean(_), _) => {
                Self::by_level(reference, new, n_new, |column, row| column.cell_text(row))
            }
        }
    }

    /// Deciles of the reference (fewer where values repeat), and missing (NaN).
    pub(super) fn of_numbers(reference: &[f64], new: &[f64]) -> Self {
        let edges = deciles(reference);
        let mut bins = vec![(0, 0); edges.len() + 2];
        let missing = edges.len() + 1;
        let bin = |x: f64| {
            if x.is_nan() {
                missing
            } else {
                edges.partition_point(|edge| *edge < x)
            }
        };
        reference.iter().for_each(|x| bins[bin(*x)].0 += 1);
        new.iter().for_each(|x| bins[bin(*x)].1 += 1);
        Self::filled(bins)
    }

    fn by_level(
        reference: &Column,
        new: Option<&Column>,
        n_new: usize,
        level: impl Fn(&Column, usize) -> String,
    ) -> Self {
        let label = |column: &Column, row: usize| (!column.is_missing(row)).then(|| level(column, row));
        let mut counts: BTreeMap<Option<String>, (u64, u64)> = BTreeMap::new();
        for row in 0..reference.len() {
            counts.entry(label(reference, row)).or_default().0 += 1;
        }
        for row in 0..n_new {
            counts
                .entry(new.and_then(|column| label(column, row)))
                .or_default()
                .1 += 1;
        }
        let missing = counts.remove(&None).unwrap_or_default();
        let mut bins: Vec<(u64, u64)> = counts.into_values().collect();
        bins.sort_by_key(|bin| std::cmp::Reverse(bin.0));
        let rest = bins.split_off(bins.len().min(MOST_LEVELS));
        bins.push(
            rest.into_iter()
                .fold((0, 0), |sum, bin| (sum.0 + bin.0, sum.1 + bin.1)),
        );
        bins.push(missing);
        Self::filled(bins)
    }

    fn filled(mut bins: Vec<(u64, u64)>) -> Self {
        bins.retain(|bin| bin.0 + bin.1 > 0);
        Self { bins }
    }

    pub(super) const fn n_bins(&self) -> usize {
        self.bins.len()
    }

    pub(super) fn totals(&self) -> (u64, u64) {
        self.bins
            .iter()
            .fold((0, 0), |sum, bin| (sum.0 + bin.0, sum.1 + bin.1))
    }

    /// `sum (q - p) ln(q / p)`, half a row added to every bin on both sides.
    pub(super) fn stability_index(&self) -> f64 {
        let (n, m) = self.totals();
        let extra = 0.5 * self.bins.len() as f64;
        let share = |count: u64, total: u64| (count as f64 + 0.5) / (total as f64 + extra);
        let term = |bin: &(u64, u64)| {
            let (p, q) = (share(bin.0, n), share(bin.1, m));
            (q - p) * (q / p).ln()
        };
        self.bins.iter().map(term).sum()
    }
}

fn times(cells: &[Option<i64>]) -> Vec<f64> {
    cells
        .iter()
        .map(|cell| cell.map_or(f64::NAN, |time| time as f64))
        .collect()
}

/// Upper edges of all deciles but the last, distinct.
fn deciles(cells: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = cells.iter().copied().filter(|cell| !cell.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    if sorted.is_empty() {
        return Vec::new();
    }
    let mut edges: Vec<f64> = (1..N_DECILES)
        .map(|tenth| sorted[tenth * (sorted.len() - 1) / N_DECILES])
        .collect();
    edges.dedup();
    edges
}
