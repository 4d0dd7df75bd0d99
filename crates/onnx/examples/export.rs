//! Trains each learner on the example's customers, exports it, and writes what it predicts for the first 1,000 of them:
//! `cargo run --example export -p thalweg-onnx -- FOLDER`, for bench/onnx/check.py.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a measurement, not the product"
)]

#[expect(dead_code, reason = "the tests use the rest")]
#[path = "../tests/it/support.rs"]
mod support;

use std::fs;
use std::path::Path;

use thalweg_domain::Table;
use thalweg_learn::models::{Learner, LearnerParams};
use thalweg_learn::outcome::{LearnerChoice, OutcomeModel, OutcomeParams, TrainingSet, train};
use thalweg_learn::task::Target;

fn main() {
    let folder = std::env::args().nth(1).expect("a folder to write to");
    let telco = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/telco/customers.csv");
    let all = support::csv_table(&telco);
    let text = |name: &str| {
        let column = all.column(name).unwrap();
        (0..all.n_rows())
            .map(|row| column.cell_text(row))
            .collect::<Vec<_>>()
    };
    let churn: Vec<bool> = text("churn").iter().map(|cell| cell == "Yes").collect();
    let features = all.without(|name| ["customer_id", "churn"].contains(&name));
    for learner in Learner::ALL {
        let name = format!("{}_churn", learner.as_str());
        write(
            &folder,
            &name,
            &fitted(learner, &features, Target::Binary(&churn)),
            &features,
        );
    }
    let classes = ["Month-to-month", "One year", "Two year"].map(str::to_owned);
    let contract = text("contract");
    let code = |cell: &String| classes.iter().position(|class| class == cell).unwrap() as u32;
    let codes: Vec<u32> = contract.iter().map(code).collect();
    let without = features.without(|name| name == "contract");
    let tenure: Vec<f64> = text("tenure").iter().map(|cell| cell.parse().unwrap()).collect();
    let young = features.without(|name| ["tenure", "total_charges"].contains(&name));
    for learner in Learner::ALL {
        let target = Target::Class {
            codes: &codes,
            classes: &classes,
        };
        let name = learner.as_str();
        write(
            &folder,
            &format!("{name}_contract"),
            &fitted(learner, &without, target),
            &without,
        );
        write(
            &folder,
            &format!("{name}_tenure"),
            &fitted(learner, &young, Target::Value(&tenure)),
            &young,
        );
    }
}

fn fitted(learner: Learner, table: &Table, target: Target<'_>) -> OutcomeModel {
    let n = table.n_rows();
    let set = TrainingSet {
        table,
        target,
        weight: &vec![1.0; n],
        group: &(0..n as u64).collect::<Vec<_>>(),
        period: None,
    };
    let params = OutcomeParams {
        choice: LearnerChoice::One(learner),
        learners: LearnerParams::default(),
        folds: 2,
        inner_folds: 2,
        ..OutcomeParams::default()
    };
    train(&set, &params, &|_, _| ()).unwrap().model
}

fn write(folder: &str, name: &str, model: &OutcomeModel, table: &Table) {
    let bytes = thalweg_onnx::export(model).unwrap();
    let rows: Vec<usize> = (0..1000).collect();
    let own = model.predict_all(&table.take(&rows)).unwrap();
    let lines: Vec<String> = own
        .rows()
        .map(|row| row.iter().map(f64::to_string).collect::<Vec<_>>().join(","))
        .collect();
    println!("{name}: {} bytes, link {}", bytes.len(), model.link().name());
    fs::write(Path::new(folder).join(format!("{name}.onnx")), bytes).unwrap();
    fs::write(
        Path::new(folder).join(format!("{name}.csv")),
        lines.join("\n") + "\n",
    )
    .unwrap();
}
