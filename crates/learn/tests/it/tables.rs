//! Reads the public tables that the real-data tests learn from.

use std::path::{Path, PathBuf};

use thalweg_domain::{Column, ColumnData, MISSING_LEVEL, Table};

/// A labelled table.
pub(crate) struct Labelled {
    pub(crate) table: Table,
    pub(crate) target: Vec<bool>,
}

/// The folder of public tables beside the repository.
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data")
}

/// Reads a table; says so and gives nothing when the data folder is not there.
pub(crate) fn read(file: &str, target: &str, positive: &str, drop: &[&str]) -> Option<Labelled> {
    let (table, labels) = read_labels(&folder().join(file), target, drop)?;
    let target = labels.iter().map(|label| label == positive).collect();
    Some(Labelled { table, target })
}

/// Reads a table and the cells of its target column.
pub(crate) fn read_labels(path: &Path, target: &str, drop: &[&str]) -> Option<(Table, Vec<String>)> {
    if !path.exists() {
        println!(
            "SKIPPED: {} does not exist; the public tables are not part of the repository",
            path.display()
        );
        return None;
    }
    let mut reader = csv::Reader::from_path(path).unwrap();
    let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let cells = |index: usize| rows.iter().map(|row| row[index].to_owned()).collect::<Vec<_>>();
    let of_target = names.iter().position(|name| name == target).unwrap();
    let columns = names
        .iter()
        .enumerate()
        .filter(|(_, name)| *name != target && !drop.contains(&name.as_str()))
        .map(|(index, name)| Column {
            name: name.clone(),
            data: column(&cells(index)),
        })
        .collect();
    Some((Table::new(columns).unwrap(), cells(of_target)))
}

fn column(cells: &[String]) -> ColumnData {
    let missing = |cell: &str| matches!(cell, "" | "NA" | "null" | " ");
    let numbers: Option<Vec<f64>> = cells
        .iter()
        .map(|cell| {
            if missing(cell) {
                Some(f64::NAN)
            } else {
                cell.parse().ok()
            }
        })
        .collect();
    if let Some(numbers) = numbers {
        return ColumnData::Number(numbers);
    }
    let mut levels: Vec<String> = cells.iter().filter(|cell| !missing(cell)).cloned().collect();
    levels.sort();
    levels.dedup();
    let code = |cell: &String| {
        levels
            .binary_search(cell)
            .map_or(MISSING_LEVEL, |code| u32::try_from(code).unwrap())
    };
    ColumnData::Category {
        codes: cells.iter().map(code).collect(),
        levels,
    }
}
