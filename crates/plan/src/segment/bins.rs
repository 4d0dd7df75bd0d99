//! Columns cut into bins once, so that a split is a matter of adding up bins.

use thalweg_domain::{Column, ColumnData, MISSING_LEVEL, Table};

/// Most bins of a number or a date.
const MOST_BINS: usize = 128;
/// Categories with more levels than this make no readable group.
const MOST_LEVELS: usize = 64;
/// Microseconds of a day.
const DAY: f64 = 86_400e6;

/// A column in bins; the last bin is that of missing cells.
pub(crate) struct Binned {
    pub(crate) name: String,
    pub(crate) scale: Scale,
    /// The bin of each row.
    pub(crate) bin_of: Vec<u8>,
    /// Bins, that of missing cells included.
    pub(crate) n_bins: usize,
    /// Whether a cell is missing.
    pub(crate) has_missing: bool,
}

/// What the bins are.
pub(crate) enum Scale {
    /// Bin `b` holds `edges[b - 1] < x <= edges[b]`.
    Number { edges: Vec<f64> },
    /// As numbers, in days since 1970.
    Date { edges: Vec<f64> },
    /// One level per bin, as text.
    Levels(Vec<String>),
}

impl Scale {
    pub(crate) const fn is_ordered(&self) -> bool {
        matches!(self, Self::Number { .. } | Self::Date { .. })
    }
}

/// Every column that can be split on, in the order of the table.
pub(crate) fn bin_columns(table: &Table) -> Vec<Binned> {
    table.columns().iter().filter_map(bin_column).collect()
}

fn bin_column(column: &Column) -> Option<Binned> {
    let (scale, bins) = match &column.data {
        ColumnData::Number(cells) => {
            let edges = edges(cells);
            let bins = ordered(cells, &edges);
            (Scale::Number { edges }, bins)
        }
        ColumnData::Date(cells) => {
            let days: Vec<f64> = cells
                .iter()
                .map(|cell| cell.map_or(f64::NAN, |micros| micros as f64 / DAY))
                .collect();
            let edges = edges(&days);
            let bins = ordered(&days, &edges);
            (Scale::Date { edges }, bins)
        }
        ColumnData::Category { codes, levels } => by_level(codes, levels)?,
        ColumnData::Boolean(cells) => {
            let level = |cell: &Option<bool>| cell.map(usize::from);
            (
                Scale::Levels(vec!["false".to_owned(), "true".to_owned()]),
                cells.iter().map(level).collect(),
            )
        }
        ColumnData::Text(_) => return None,
    };
    let known = match &scale {
        Scale::Number { edges } | Scale::Date { edges } => edges.len() + 1,
        Scale::Levels(levels) => levels.len(),
    };
    Some(Binned {
        name: column.name.clone(),
        scale,
        has_missing: bins.iter().any(Option::is_none),
        bin_of: bins.into_iter().map(|bin| bin.unwrap_or(known) as u8).collect(),
        n_bins: known + 1,
    })
}

/// Levels that occur, in their order; `None` when there are too many.
fn by_level(codes: &[u32], levels: &[String]) -> Option<(Scale, Vec<Option<usize>>)> {
    let mut occurs = vec![false; levels.len()];
    for code in codes.iter().filter(|code| **code != MISSING_LEVEL) {
        occurs[*code as usize] = true;
    }
    let mut place = vec![None; levels.len()];
    let mut names = Vec::new();
    for (code, _) in occurs.iter().enumerate().filter(|(_, occurs)| **occurs) {
        place[code] = Some(names.len());
        names.push(levels[code].clone());
    }
    let bins = codes.iter().map(|code| match *code {
        MISSING_LEVEL => None,
        code => place[code as usize],
    });
    (names.len() <= MOST_LEVELS).then(|| (Scale::Levels(names), bins.collect()))
}

fn ordered(cells: &[f64], edges: &[f64]) -> Vec<Option<usize>> {
    cells
        .iter()
        .map(|cell| (!cell.is_nan()).then(|| edges.partition_point(|edge| edge < cell)))
        .collect()
}

/// Thresholds between neighbouring values: all of them, or those at equal steps of rank.
fn edges(cells: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = cells.iter().copied().filter(|cell| !cell.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    let mut distinct = sorted.clone();
    distinct.dedup();
    if distinct.len() <= MOST_BINS {
        return distinct
            .windows(2)
            .map(|pair| readable(pair[0], pair[1]))
            .collect();
    }
    let mut edges: Vec<f64> = Vec::new();
    for step in 1..MOST_BINS {
        let low = sorted[step * sorted.len() / MOST_BINS];
        let next = distinct.partition_point(|value| *value <= low);
        if let Some(high) = distinct.get(next) {
            edges.push(readable(low, *high));
        }
    }
    edges.dedup();
    edges
}

/// The number with the fewest digits in [low, high).
fn readable(low: f64, high: f64) -> f64 {
    for digits in -12_i32..=12 {
        let rounded = if digits < 0 {
            let unit = 10_f64.powi(-digits);
            (low / unit).ceil() * unit
        } else {
            let unit = 10_f64.powi(digits);
            (low * unit).ceil() / unit
        };
        // adding zero turns -0 into 0
        let rounded = rounded + 0.0;
        if rounded >= low && rounded < high {
            return rounded;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::{edges, readable};

    #[test]
    fn thresholds_have_as_few_digits_as_they_can() {
        let cases = [
            (12.0, 13.0, 12.0),
            (18.95, 19.05, 19.0),
            (0.1234, 0.1299, 0.124),
            (-5.0, -4.0, -5.0),
            (-1.0, 3.0, 0.0),
            (1999.0, 2400.0, 2000.0),
            (1.0, 1.0 + f64::EPSILON, 1.0),
        ];
        for (low, high, expected) in cases {
            assert_eq!(readable(low, high), expected, "{low} to {high}");
        }
    }

    #[test]
    fn every_gap_between_few_values_is_a_threshold() {
        assert_eq!(edges(&[3.0, f64::NAN, 1.0, 2.0, 3.0]), vec![1.0, 2.0]);
        let many: Vec<f64> = (0..10_000).map(f64::from).collect();
        let cut = edges(&many);
        assert!(cut.len() > 100 && cut.len() < 128);
        assert!(cut.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
