//! A column's rows by level: what counts as a level in the leakage scan.

use std::collections::BTreeMap;

use thalweg_domain::{Column, ColumnData};

/// Numbers with at most this many distinct values are levels.
const FEW_NUMBERS: usize = 5;
/// A number that makes up this share of the filled cells is set against all others.
const MODE_SHARE: f64 = 0.5;

/// Rows that share a level.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    /// The level in words.
    pub(super) label: String,
    /// Its rows, ascending.
    pub(super) rows: Vec<usize>,
}

/// One group per level (missing cells are in none); numbers with many values and dates have no levels.
pub(super) fn groups(column: &Column) -> Vec<Group> {
    let by_value = by_value(column);
    let many = match column.data {
        ColumnData::Number(_) => by_value.len() > FEW_NUMBERS,
        ColumnData::Date(_) => true,
        ColumnData::Category { .. } | ColumnData::Boolean(_) | ColumnData::Text(_) => false,
    };
    if many {
        Vec::new()
    } else {
        by_value.into_values().collect()
    }
}

/// `missing` against `present`, and, of a number without levels, the most frequent value against all others.
pub(super) fn splits(column: &Column) -> Vec<Group> {
    let (missing, present): (Vec<usize>, Vec<usize>) =
        (0..column.len()).partition(|row| column.is_missing(*row));
    let filled = present.len();
    let mut out = Vec::new();
    if !missing.is_empty() {
        out.push(Group {
            label: "missing".to_owned(),
            rows: missing,
        });
        out.push(Group {
            label: "present".to_owned(),
            rows: present.clone(),
        });
    }
    if let ColumnData::Number(_) = column.data {
        let values = by_value(column);
        let many = values.len() > FEW_NUMBERS;
        let mode = values.into_values().max_by_key(|group| group.rows.len());
        if let Some(mode) = mode.filter(|mode| many && mode.rows.len() as f64 >= MODE_SHARE * filled as f64) {
            let others = present
                .into_iter()
                .filter(|row| mode.rows.binary_search(row).is_err())
                .collect();
            out.push(Group {
                label: format!("not {}", mode.label),
                rows: others,
            });
            out.push(mode);
        }
    }
    out
}

/// Number of distinct filled values.
pub(super) fn distinct(column: &Column) -> usize {
    by_value(column).len()
}

fn by_value(column: &Column) -> BTreeMap<Key<'_>, Group> {
    let mut out: BTreeMap<Key<'_>, Group> = BTreeMap::new();
    for row in 0..column.len() {
        if let Some(key) = key(column, row) {
            let new = || Group {
                label: column.cell_text(row),
                rows: Vec::new(),
            };
            out.entry(key).or_insert_with(new).rows.push(row);
        }
    }
    out
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key<'a> {
    Bits(u64),
    Text(&'a str),
}

fn key(column: &Column, row: usize) -> Option<Key<'_>> {
    match &column.data {
        // adding 0 makes -0 and 0 the same level
        ColumnData::Number(cells) => cells
            .get(row)
            .filter(|x| !x.is_nan())
            .map(|x| Key::Bits((x + 0.0).to_bits())),
        ColumnData::Category { codes, levels } => codes
            .get(row)
            .and_then(|code| levels.get(*code as usize))
            .map(|level| Key::Text(level)),
        ColumnData::Boolean(cells) => cells
            .get(row)
            .copied()
            .flatten()
            .map(|cell| Key::Bits(u64::from(cell))),
        ColumnData::Date(cells) => cells
            .get(row)
            .copied()
            .flatten()
            .map(|cell| Key::Bits(cell.cast_unsigned())),
        ColumnData::Text(cells) => cells.get(row).and_then(Option::as_deref).map(Key::Text),
    }
}
