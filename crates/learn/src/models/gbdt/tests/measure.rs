//! How long the trees take on a large table, with how much memory, and how well they rank: `bench/trees` runs this.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::time::Instant;

use thalweg_domain::{Column, ColumnData, MISSING_LEVEL, Seed, Table};

use super::super::{GbdtParams, Rows, fit};
use crate::models::Examples;
use crate::prepare::Preparer;
use crate::task::Task;

/// Raw little-endian columns, the last of them the target.
fn read(path: &Path, n_columns: usize) -> (Table, Vec<bool>) {
    let n_rows = std::fs::metadata(path).unwrap().len() as usize / 8 / n_columns;
    let mut file = BufReader::with_capacity(1 << 20, File::open(path).unwrap());
    let mut next = || {
        let mut cell = [0; 8];
        file.read_exact(&mut cell).unwrap();
        f64::from_le_bytes(cell)
    };
    let columns = (1..n_columns)
        .map(|index| Column {
            name: format!("x{index}"),
            data: ColumnData::Number((0..n_rows).map(|_| next()).collect()),
        })
        .collect();
    let target = (0..n_rows).map(|_| next() > 0.5).collect();
    (Table::new(columns).unwrap(), target)
}

/// Peak resident memory of this process so far, in MiB.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// User and system time of this process so far, in seconds.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

fn auc(scores: &[f64], target: &[bool]) -> f64 {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    let n_positive = target.iter().filter(|target| **target).count() as f64;
    let ranks = order.iter().enumerate().filter(|(_, row)| target[**row]);
    let sum: f64 = ranks.map(|(rank, _)| (rank + 1) as f64).sum();
    (sum - n_positive * (n_positive + 1.0) / 2.0) / (n_positive * (target.len() as f64 - n_positive))
}

#[test]
#[ignore = "a measurement: bench/trees/compare.py runs it with the folder of its tables in THALWEG_TREES"]
fn measure_trees() {
    let folder = std::env::var("THALWEG_TREES").unwrap();
    let (table, target) = read(&Path::new(&folder).join("train.f64"), 21);
    let n = target.len();
    let examples = Examples::binary(&target, vec![1.0; n], (0..n as u64).collect());
    let rows: Vec<usize> = (0..n).collect();
    let params = GbdtParams {
        trees: 100,
        learning_rate: 0.1,
        leaves: 31,
        depth: 64,
        min_rows: 20,
        min_leaf_weight: 1e-3,
        l2: 0.0,
        row_share: 1.0,
        column_share: 1.0,
        validation: 0.0,
        ..GbdtParams::default()
    };
    let before = peak();
    for _ in 0..2 {
        let (start, used) = (Instant::now(), cpu());
        let preparer = Preparer::fit(&table, &rows).unwrap();
        let source = Rows {
            preparer: &preparer,
            table: &table,
            rows: &rows,
        };
        let model = fit(&source, &examples, &params, Seed(1)).unwrap();
        let (wall, cpu, most) = (start.elapsed().as_secs_f64(), cpu() - used, peak());
        let (test, truth) = read(&Path::new(&folder).join("test.f64"), 21);
        let start = Instant::now();
        let all: Vec<usize> = (0..truth.len()).collect();
        let fresh = Rows {
            preparer: &preparer,
            table: &test,
            rows: &all,
        };
        let scores = model.margins(&fresh).unwrap().cells;
        println!(
            "{{\"wall\": {wall:.3}, \"cpu\": {cpu:.3}, \"table_mib\": {before:.1}, \"peak_mib\": {most:.1}, \
             \"score_wall\": {:.3}, \"auc\": {:.5}}}",
            start.elapsed().as_secs_f64(),
            auc(&scores, &truth)
        );
    }
}

/// A table as `bench/trees/tables.py` writes it: columns, target and fold per row.
fn read_json(path: &Path) -> (Table, Examples, Vec<u64>) {
    let json: serde_json::Value = serde_json::from_reader(BufReader::new(File::open(path).unwrap())).unwrap();
    let list = |value: &serde_json::Value| value.as_array().unwrap().clone();
    let numbers = |value: &serde_json::Value| -> Vec<f64> {
        list(value)
            .iter()
            .map(|cell| cell.as_f64().unwrap_or(f64::NAN))
            .collect()
    };
    let code = |cell: &serde_json::Value| {
        cell.as_u64()
            .map_or(MISSING_LEVEL, |code| u32::try_from(code).unwrap())
    };
    let described = list(&json["columns"]);
    let columns = described.iter().map(|column| Column {
        name: column["name"].as_str().unwrap().to_owned(),
        data: if column["codes"].is_null() {
            ColumnData::Number(numbers(&column["numbers"]))
        } else {
            ColumnData::Category {
                codes: list(&column["codes"]).iter().map(code).collect(),
                levels: list(&column["levels"])
                    .iter()
                    .map(|level| level.as_str().unwrap().to_owned())
                    .collect(),
            }
        },
    });
    let table = Table::new(columns.collect()).unwrap();
    let n_classes = json["classes"].as_u64().unwrap();
    let task = match json["task"].as_str().unwrap() {
        "binary" => Task::Binary,
        "value" => Task::Value,
        _ => Task::Class {
            classes: (0..n_classes).map(|class| class.to_string()).collect(),
        },
    };
    let target = numbers(&json["target"]);
    let n = target.len();
    let examples = Examples {
        task,
        target,
        weight: vec![1.0; n],
        group: (0..n as u64).collect(),
    };
    (
        table,
        examples,
        numbers(&json["fold"]).iter().map(|fold| *fold as u64).collect(),
    )
}

/// Out-of-fold scores with the default parameters.
fn cross_validated(table: &Table, examples: &Examples, fold: &[u64]) -> Vec<f64> {
    let n_outputs = examples.task.n_outputs();
    let mut scores = vec![0.0; fold.len() * n_outputs];
    for left_out in 0..=*fold.iter().max().unwrap() {
        let (test, train): (Vec<usize>, Vec<usize>) = (0..fold.len()).partition(|row| fold[*row] == left_out);
        let shown = Examples {
            task: examples.task.clone(),
            target: train.iter().map(|row| examples.target[*row]).collect(),
            weight: vec![1.0; train.len()],
            group: train.iter().map(|row| *row as u64).collect(),
        };
        let preparer = Preparer::fit(table, &train).unwrap();
        let source = |rows| Rows {
            preparer: &preparer,
            table,
            rows,
        };
        let model = fit(
            &source(&train),
            &shown,
            &GbdtParams::default(),
            Seed(7 + left_out),
        )
        .unwrap();
        let margins = model.margins(&source(&test)).unwrap();
        for (row, own) in test.iter().zip(margins.rows()) {
            scores[row * n_outputs..(row + 1) * n_outputs].copy_from_slice(own);
        }
    }
    scores
}

#[test]
#[ignore = "a measurement: bench/trees/tables.py runs it with the folder of its tables in THALWEG_TREES"]
fn measure_tables() {
    let folder = std::env::var("THALWEG_TREES").unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let (table, examples, fold) = read_json(&path);
            let scores = cross_validated(&table, &examples, &fold);
            let bytes: Vec<u8> = scores.iter().flat_map(|score| score.to_le_bytes()).collect();
            std::fs::write(path.with_extension("f64"), bytes).unwrap();
        }
    }
}
