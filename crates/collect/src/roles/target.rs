//! The target: which cells count as the outcome, and refusals of what cannot be learned.

use std::collections::BTreeMap;

use thalweg_domain::{Column, ColumnData, Error, Result};

use crate::collected::{Note, NoteKind};
use crate::near::quoted;
use crate::spec::TargetSpec;

/// Whether the outcome happened, per row; a missing cell is a customer to decide on.
pub(crate) fn target(
    column: &Column,
    spec: &TargetSpec,
    file: &str,
) -> Result<(Vec<Option<bool>>, Option<Note>)> {
    let levels = levels(column);
    let refuse = |error: Error| error.at(file, None, Some(&column.name));
    let (positive, note) = match (&spec.positive, levels.as_slice()) {
        (_, []) => return Err(refuse(all_missing(column))),
        (_, [only]) => return Err(refuse(one_class(column, only))),
        (Some(wanted), _) => (named_level(column, wanted, &levels).map_err(refuse)?, None),
        (None, [a, b]) => assumed_level(column, a, b),
        (None, _) => return Err(refuse(many_levels(column, &levels))),
    };
    let cell = |row: usize| (!column.is_missing(row)).then(|| column.cell_text(row) == positive);
    Ok(((0..column.len()).map(cell).collect(), note))
}

/// The distinct cells with their counts, sorted; numbers by value.
fn levels(column: &Column) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for row in (0..column.len()).filter(|row| !column.is_missing(*row)) {
        *counts.entry(column.cell_text(row)).or_default() += 1;
    }
    let mut levels: Vec<(String, usize)> = counts.into_iter().collect();
    if let ColumnData::Number(_) = column.data {
        let value = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
        levels.sort_by(|a, b| value(&a.0).total_cmp(&value(&b.0)));
    }
    levels
}

fn named_level(column: &Column, wanted: &str, levels: &[(String, usize)]) -> Result<String> {
    let same = |level: &str| match &column.data {
        ColumnData::Number(_) => wanted.trim().parse::<f64>().ok() == level.parse::<f64>().ok(),
        ColumnData::Boolean(_) => level.eq_ignore_ascii_case(wanted.trim()),
        _ => level == wanted.trim(),
    };
    match levels.iter().find(|(level, _)| same(level)) {
        Some((level, _)) => Ok(level.clone()),
        None => Err(Error::new(
            "TW0214",
            format!("target \"{}\" is never \"{wanted}\"", column.name),
        )
        .hint(format!("set [outcome] positive to one of {}", listed(levels)))),
    }
}

fn assumed_level(column: &Column, a: &(String, usize), b: &(String, usize)) -> (String, Option<Note>) {
    let yes = |level: &str| matches!(level.to_lowercase().as_str(), "1" | "true" | "yes" | "y");
    let positive = if yes(&a.0) && !yes(&b.0) { &a.0 } else { &b.0 };
    let text =
        format!("\"{positive}\" counts as the outcome; set [outcome] positive to say so or to change it");
    let n = if *positive == a.0 { a.1 } else { b.1 };
    (
        positive.clone(),
        Some(Note::new(NoteKind::Assumed, &column.name, n, text)),
    )
}

fn listed(levels: &[(String, usize)]) -> String {
    let names: Vec<&str> = levels.iter().take(10).map(|(level, _)| level.as_str()).collect();
    let more = if levels.len() > 10 {
        format!(" and {} more", levels.len() - 10)
    } else {
        String::new()
    };
    format!("{}{more}", quoted(&names, ", "))
}

fn all_missing(column: &Column) -> Error {
    Error::new(
        "TW0215",
        format!("target \"{}\" is missing in every row", column.name),
    )
    .hint("fill in what happened to the customers of the past; only rows to decide on stay empty")
}

fn one_class(column: &Column, (level, n): &(String, usize)) -> Error {
    Error::new(
        "TW0212",
        format!(
            "target \"{}\" is \"{level}\" in all {n} rows that have one",
            column.name
        ),
    )
    .hint("to learn, both outcomes must occur: add customers to whom the other thing happened")
}

fn many_levels(column: &Column, levels: &[(String, usize)]) -> Error {
    Error::new(
        "TW0213",
        format!(
            "target \"{}\" has {} levels: {}",
            column.name,
            levels.len(),
            listed(levels)
        ),
    )
    .hint("name the one that counts as the outcome: [outcome] positive = \"…\"")
}
