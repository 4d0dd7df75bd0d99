//! The same trees as LightGBM where nothing is left to chance: `bench/fixtures/trees.py`.

use serde_json::Value;
use thalweg_domain::Seed;

use super::{GbdtParams, fit_source, matrix};
use crate::models::Examples;
use crate::task::Task;

fn numbers(value: &Value) -> Vec<f64> {
    let cells = value.as_array().unwrap().iter();
    cells.map(|cell| cell.as_f64().unwrap_or(f64::NAN)).collect()
}

fn check(fixture: &Value, case: &Value) {
    let columns: Vec<Vec<f64>> = fixture["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(numbers)
        .collect();
    let x = matrix(&columns);
    let target = numbers(&case["target"]);
    let task = match case["objective"].as_str().unwrap() {
        "binary" => Task::Binary,
        "regression" => Task::Value,
        _ => Task::Class {
            classes: ["low", "middle", "high"].map(str::to_owned).to_vec(),
        },
    };
    let weight = numbers(&case["weight"]);
    let mean = weight.iter().sum::<f64>() / weight.len() as f64;
    let group = (0..target.len() as u64).collect();
    let examples = Examples {
        task,
        target,
        weight,
        group,
    };
    let params = GbdtParams {
        trees: fixture["trees"].as_u64().unwrap() as usize,
        learning_rate: 0.2,
        leaves: 12,
        depth: 64,
        min_rows: 1,
        // both programs count rows roughly in other ways, so only weight limits leaves; LightGBM takes weights as they
        // are, here their mean is 1
        min_leaf_weight: 6.5 / mean,
        l2: 0.5 / mean,
        row_share: 1.0,
        column_share: 1.0,
        validation: 0.0,
        ..GbdtParams::default()
    };
    let model = fit_source(&x, &examples, &params, &[0; 3], Seed(1)).unwrap();
    let (own, theirs) = (model.margins(&x).unwrap().cells, numbers(&case["score"]));
    let differing = own
        .iter()
        .zip(&theirs)
        .filter(|(a, b)| (**a - **b).abs() > 1e-4)
        .count();
    assert_eq!(differing, 0, "{}: of {} scores", case["objective"], own.len());
}

#[test]
fn scores_are_those_of_lightgbm() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/trees.json");
    let fixture: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for case in fixture["cases"].as_array().unwrap() {
        check(&fixture, case);
    }
}
