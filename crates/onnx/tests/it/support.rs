//! The fixtures: rows, models and what onnxruntime gives.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use thalweg_domain::{Column, ColumnData, MISSING_LEVEL, Table};

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

pub(crate) fn model(name: &str) -> Vec<u8> {
    fs::read(fixture(&format!("{name}.onnx"))).unwrap()
}

/// A column of texts as numbers where all cells are numbers or empty, else as a category.
pub(crate) fn column(name: &str, cells: &[String]) -> Column {
    let numbers: Option<Vec<f64>> = cells
        .iter()
        .map(|cell| {
            if cell.is_empty() {
                Some(f64::NAN)
            } else {
                cell.parse().ok()
            }
        })
        .collect();
    let data = match numbers {
        Some(numbers) => ColumnData::Number(numbers),
        None => category(cells),
    };
    Column {
        name: name.to_owned(),
        data,
    }
}

fn category(cells: &[String]) -> ColumnData {
    let mut levels: Vec<String> = cells.iter().filter(|cell| !cell.is_empty()).cloned().collect();
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

/// A CSV file as a table.
pub(crate) fn csv_table(path: &Path) -> Table {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let mut columns = vec![Vec::new(); names.len()];
    for record in reader.records() {
        record
            .unwrap()
            .iter()
            .zip(&mut columns)
            .for_each(|(cell, column)| column.push(cell.to_owned()));
    }
    Table::new(
        names
            .iter()
            .zip(&columns)
            .map(|(name, cells)| column(name, cells))
            .collect(),
    )
    .unwrap()
}

/// The rows that the fixtures were tried on, as they are.
pub(crate) fn rows() -> Table {
    csv_table(&fixture("rows.csv"))
}

/// The same rows as the matrix models were given them: missing charges filled, everything scaled, in single precision.
pub(crate) fn scaled_rows() -> Table {
    let scales = BTreeMap::from([
        ("tenure", 72.0_f32),
        ("monthly_charges", 120.0),
        ("total_charges", 8000.0),
        ("senior_citizen", 1.0),
    ]);
    let scaled = |column: &Column| {
        let scale = scales.get(column.name.as_str())?;
        let ColumnData::Number(cells) = &column.data else {
            return None;
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the fixtures are in single precision"
        )]
        let cell = |cell: &f64| f64::from((if cell.is_nan() { 1400.0 } else { *cell }) as f32 / scale);
        Some(Column {
            name: column.name.clone(),
            data: ColumnData::Number(cells.iter().map(cell).collect()),
        })
    };
    Table::new(rows().columns().iter().filter_map(scaled).collect()).unwrap()
}

/// What is known of a fixture: the columns of its matrix and onnxruntime's answers.
pub(crate) struct Case {
    pub(crate) columns: Vec<String>,
    pub(crate) expected: Vec<Vec<f64>>,
}

pub(crate) fn cases() -> BTreeMap<String, Case> {
    let all: Value = serde_json::from_str(&fs::read_to_string(fixture("expected.json")).unwrap()).unwrap();
    let all = all.as_object().unwrap().clone();
    all.into_iter()
        .map(|(name, case)| {
            let columns = serde_json::from_value(case["columns"].clone()).unwrap();
            let expected = serde_json::from_value(case["expected"].clone()).unwrap();
            (name, Case { columns, expected })
        })
        .collect()
}
