//! Keys: present, unique; and who shares a cluster.

use thalweg_domain::{Column, ColumnData, Error, Result};

use crate::source::Source;

/// The customers' keys, or row numbers from 1.
pub(crate) fn keys(source: &Source, key: Option<&str>) -> Result<Vec<String>> {
    let Some(name) = key else {
        return Ok((1..=source.table.n_rows()).map(|row| row.to_string()).collect());
    };
    let mut keys = Vec::with_capacity(source.table.n_rows());
    for (row, cell) in text_cells(source.table.column(name)).iter().enumerate() {
        keys.push(cell.clone().ok_or_else(|| empty(source, name, row))?);
    }
    check_distinct(source, name, &keys)?;
    Ok(keys)
}

pub(crate) fn text_cells(column: Option<&Column>) -> &[Option<String>] {
    match column.map(|column| &column.data) {
        Some(ColumnData::Text(cells)) => cells,
        _ => &[],
    }
}

fn empty(source: &Source, name: &str, row: usize) -> Error {
    let (file, line) = source.origin.of(row);
    Error::new("TW0204", format!("the customer key \"{name}\" is empty"))
        .hint("every customer needs a key of their own; fill the cell or drop the row")
        .at(file, Some(line), Some(name))
}

fn check_distinct(source: &Source, name: &str, keys: &[String]) -> Result<()> {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by_key(|row| (keys.get(*row), *row));
    let same = |pair: &[usize]| match pair {
        [a, b] if keys.get(*a) == keys.get(*b) => Some((*a, *b)),
        _ => None,
    };
    let repeats: Vec<(usize, usize)> = order.windows(2).filter_map(same).collect();
    let Some((first, second)) = repeats.iter().min_by_key(|(_, second)| *second) else {
        return Ok(());
    };
    let key = keys.get(*first).map_or("", String::as_str);
    let more = match repeats.len() {
        1 => String::new(),
        n => format!("; {n} rows repeat an earlier key"),
    };
    let (file, line) = source.origin.of(*second);
    Err(Error::new(
        "TW0205",
        format!("customer \"{key}\" is there twice, first at {}{more}", source.origin.text(*first)),
    )
    .hint("keep one row per customer; if rows are events, list the file under [[events]] and sum it up in features.sql")
    .at(file, Some(line), Some(name)))
}

/// The cluster of each customer; one without is alone.
pub(crate) fn clusters(source: &Source, name: &str, keys: &[String]) -> Vec<String> {
    let cells = text_cells(source.table.column(name));
    cells
        .iter()
        .zip(keys)
        .map(|(cell, key)| cell.clone().unwrap_or_else(|| format!("alone:{key}")))
        .collect()
}
