//! Consent: a column read as yes or no.

use thalweg_domain::{Column, ColumnData, Error, Result};

use crate::infer::shortened;
use crate::source::Source;

/// Truth values and the number of missing ones, which count as no.
pub(crate) fn flag(source: &Source, column: &Column) -> Result<(Vec<bool>, usize)> {
    let mut flags = Vec::with_capacity(column.len());
    let mut n_missing = 0;
    for row in 0..column.len() {
        let answer = if column.is_missing(row) {
            n_missing += 1;
            Some(false)
        } else {
            truth(column, row)
        };
        flags.push(answer.ok_or_else(|| neither(source, column, row))?);
    }
    Ok((flags, n_missing))
}

fn truth(column: &Column, row: usize) -> Option<bool> {
    if let ColumnData::Boolean(cells) = &column.data {
        return cells.get(row).copied().flatten();
    }
    match column.cell_text(row).to_lowercase().as_str() {
        "1" | "yes" | "y" | "true" => Some(true),
        "0" | "no" | "n" | "false" => Some(false),
        _ => None,
    }
}

fn neither(source: &Source, column: &Column, row: usize) -> Error {
    let (file, line) = source.origin.of(row);
    let text = shortened(&column.cell_text(row));
    Error::new(
        "TW0230",
        format!(
            "consent column \"{}\" is neither yes nor no here: \"{text}\"",
            column.name
        ),
    )
    .hint("consent is written true/false, 1/0, yes/no or y/n; an empty cell is no")
    .at(file, Some(line), Some(&column.name))
}
