//! Our own models out and in again: the interpreter gives what the model itself gives.

use std::path::Path;

use thalweg_domain::{Column, ColumnData, MISSING_LEVEL, Seed, Table};
use thalweg_learn::models::mlp::{Activation, Embedding, Norm};
use thalweg_learn::models::{Learner, LearnerParams};
use thalweg_learn::outcome::{
    ClassWeight, Kept, LearnerChoice, OutcomeModel, OutcomeParams, Search, TrainingSet, train,
};
use thalweg_learn::task::Target;
use thalweg_onnx::{Model, Reading, export};

use crate::support::csv_table;

/// 900 customers of the example with what its columns lack: a boolean, a date, missing cells of every kind and a category of
/// 70 levels, some of them in few rows.
fn customers() -> (Table, Vec<bool>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/telco/customers.csv");
    let all = csv_table(&path);
    let rows: Vec<usize> = (0..900).map(|row| row * 7).collect();
    let table = all.take(&rows);
    let churn = table.column("churn").unwrap();
    let target: Vec<bool> = (0..900).map(|row| churn.cell_text(row) == "Yes").collect();
    let mut columns = table
        .without(|name| ["customer_id", "churn"].contains(&name))
        .columns()
        .to_vec();
    for column in &mut columns {
        match (&mut column.data, column.name.as_str()) {
            (ColumnData::Number(cells), "tenure") => {
                cells.iter_mut().step_by(11).for_each(|cell| *cell = f64::NAN)
            }
            (ColumnData::Category { codes, .. }, "contract" | "payment_method") => {
                codes
                    .iter_mut()
                    .step_by(13)
                    .for_each(|code| *code = MISSING_LEVEL);
            }
            _ => {}
        }
    }
    columns.extend(made(&target));
    (Table::new(columns).unwrap(), target)
}

fn made(target: &[bool]) -> Vec<Column> {
    let n = target.len();
    let levels: Vec<String> = (0..70).map(|level| format!("region {level:02}")).collect();
    let codes = (0..n).map(|row| {
        if row.is_multiple_of(17) {
            MISSING_LEVEL
        } else {
            (row * row % (20 + row % 51)) as u32 % 70
        }
    });
    let paperless = |row: usize| (!row.is_multiple_of(9)).then_some(row.is_multiple_of(4));
    let since = |row: usize| {
        (!row.is_multiple_of(8)).then_some(1_600_000_000_000_000 + 86_400_123_457 * (row as i64 * 37 % 900))
    };
    let column = |name: &str, data| Column {
        name: name.to_owned(),
        data,
    };
    vec![
        column(
            "region",
            ColumnData::Category {
                codes: codes.collect(),
                levels,
            },
        ),
        column(
            "paper bill?",
            ColumnData::Boolean((0..n).map(paperless).collect()),
        ),
        column("value", ColumnData::Date((0..n).map(since).collect())),
    ]
}

fn fitted(table: &Table, target: Target<'_>, params: OutcomeParams) -> OutcomeModel {
    let n = table.n_rows();
    let set = TrainingSet {
        table,
        target,
        weight: &vec![1.0; n],
        group: &(0..n as u64).collect::<Vec<_>>(),
        period: None,
    };
    let params = OutcomeParams {
        folds: 2,
        inner_folds: 2,
        seed: Seed(3),
        ..params
    };
    train(&set, &params, &|_, _| ()).unwrap().model
}

fn quick() -> LearnerParams {
    let mut params = LearnerParams::default();
    params.gbdt.trees = 30;
    params.mlp.epochs = 8;
    params.mlp.hidden = vec![16];
    params.mlp.learning_rate = 0.05;
    params
}

fn one(learner: Learner, learners: LearnerParams) -> OutcomeParams {
    OutcomeParams {
        choice: LearnerChoice::One(learner),
        learners,
        ..OutcomeParams::default()
    }
}

/// Rows that training never saw, levels that it did not have, and rows without any value.
fn to_score(table: &Table) -> Table {
    let mut columns = table.columns().to_vec();
    for column in &mut columns {
        match &mut column.data {
            ColumnData::Number(cells) => (cells[0], cells[1]) = (f64::NAN, 1e7),
            ColumnData::Category { codes, levels } => {
                levels.push("zz new".to_owned());
                (codes[0], codes[1]) = (MISSING_LEVEL, levels.len() as u32 - 1);
            }
            ColumnData::Boolean(cells) => cells[0] = None,
            ColumnData::Date(cells) => cells[0] = None,
            ColumnData::Text(_) => {}
        }
    }
    columns.reverse();
    Table::new(columns).unwrap()
}

/// The largest difference between the model and its export: of probabilities, or as a share of the values' range.
fn difference(model: &OutcomeModel, table: &Table) -> f64 {
    let table = to_score(table);
    let bytes = export(model).unwrap();
    let read = Model::parse(&bytes).unwrap();
    let own = model.predict_all(&table).unwrap();
    let scores = read.values(&table).unwrap();
    // two classes are written as two columns
    let both = scores.n_outputs == 2 && own.n_outputs == 1;
    let width = scores.n_outputs;
    let rows = scores
        .cells
        .chunks_exact(width)
        .map(|row| if both { &row[1..] } else { row });
    assert_eq!(scores.cells.len() / width, table.n_rows());
    let spread = own.cells.iter().copied().fold(f64::MIN, f64::max)
        - own.cells.iter().copied().fold(f64::MAX, f64::min);
    assert!(spread > 0.05, "a model that says nothing proves nothing");
    let pairs = rows.flatten().zip(&own.cells);
    pairs
        .map(|(read, own)| (read - own).abs() / spread.max(1.0))
        .fold(0.0, f64::max)
}

fn check(name: &str, model: &OutcomeModel, table: &Table) {
    let worst = difference(model, table);
    println!("{name} ({}): {worst:e}", model.link().name());
    assert!(worst < 1e-6, "{name}: {worst:e}");
}

#[test]
fn every_learner_comes_back_as_it_went() {
    let (table, target) = customers();
    for learner in Learner::ALL {
        let model = fitted(&table, Target::Binary(&target), one(learner, quick()));
        check(learner.as_str(), &model, &table);
    }
}

#[test]
fn nets_of_every_shape_come_back() {
    let (table, target) = customers();
    for (activation, norm, embedding) in [
        (Activation::Gelu, Norm::Layer, None),
        (Activation::Tanh, Norm::Batch, Some(Embedding::Dims(3))),
        (Activation::Relu, Norm::None, Some(Embedding::Auto)),
    ] {
        let mut params = quick();
        params.mlp.hidden = vec![13, 7];
        (params.mlp.activation, params.mlp.norm, params.mlp.embedding) =
            (activation, vec![norm; 2], embedding);
        let model = fitted(&table, Target::Binary(&target), one(Learner::Mlp, params));
        check(&format!("{activation:?} {norm:?} {embedding:?}"), &model, &table);
    }
}

#[test]
fn several_classes_come_back_with_their_names() {
    let (table, _) = customers();
    let service = table.column("internet_service").unwrap();
    let classes = ["DSL", "Fiber optic", "No"].map(str::to_owned);
    let codes: Vec<u32> = (0..table.n_rows())
        .map(|row| {
            classes
                .iter()
                .position(|class| *class == service.cell_text(row))
                .unwrap() as u32
        })
        .collect();
    let table = table.without(|name| name == "internet_service");
    for learner in Learner::ALL {
        let target = Target::Class {
            codes: &codes,
            classes: &classes,
        };
        let model = fitted(&table, target, one(learner, quick()));
        check(learner.as_str(), &model, &table);
        let bytes = export(&model).unwrap();
        assert_eq!(Model::parse(&bytes).unwrap().description().classes, classes);
        let reading = Reading {
            positive: Some("Fiber optic".to_owned()),
            ..Reading::default()
        };
        let fiber = Model::with_reading(&bytes, &reading)
            .unwrap()
            .predict(&table)
            .unwrap();
        let all = model.predict_all(&table).unwrap();
        assert!(
            all.rows()
                .zip(fiber)
                .all(|(row, fiber)| (row[1] - fiber).abs() < 1e-6)
        );
    }
}

#[test]
fn numbers_come_back() {
    let (table, _) = customers();
    let ColumnData::Number(charges) = &table.column("monthly_charges").unwrap().data else {
        panic!("no number")
    };
    let (charges, table) = (charges.clone(), table.without(|name| name == "monthly_charges"));
    for learner in Learner::ALL {
        let model = fitted(&table, Target::Value(&charges), one(learner, quick()));
        check(learner.as_str(), &model, &table);
    }
}

#[test]
fn weights_of_classes_and_blends_come_back() {
    let (table, target) = customers();
    let balanced = OutcomeParams {
        class_weight: ClassWeight::Balanced,
        ..one(Learner::Gbdt, quick())
    };
    check(
        "balanced",
        &fitted(&table, Target::Binary(&target), balanced),
        &table,
    );
    let auto = OutcomeParams {
        learners: quick(),
        search: Search {
            rounds: 1,
            units: 5.0,
        },
        ..OutcomeParams::default()
    };
    let model = fitted(&table, Target::Binary(&target), auto);
    check(Kept::as_str(model.kept()), &model, &table);
}

#[test]
fn the_export_names_its_inputs_like_the_columns() {
    let (table, target) = customers();
    let model = fitted(&table, Target::Binary(&target), one(Learner::Logistic, quick()));
    let read = Model::parse(&export(&model).unwrap()).unwrap();
    let mut inputs = read.description().columns.clone();
    inputs.sort();
    let mut columns: Vec<(String, &str)> = model
        .schema()
        .into_iter()
        .map(|column| {
            let element = if column.kind == thalweg_domain::ColumnKind::Category {
                "string"
            } else {
                "double"
            };
            (column.name, element)
        })
        .collect();
    columns.sort();
    assert_eq!(inputs, columns);
    assert_eq!(
        read.description().producer,
        format!("thalweg {}", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn text_is_refused_with_its_column() {
    let (table, target) = customers();
    let texts = (0..table.n_rows()).map(|row| {
        let mood = if target[row] {
            "too expensive, I will leave"
        } else {
            "all is well, thank you"
        };
        Some(format!("{mood} number {row}"))
    });
    let mut columns = table.columns().to_vec();
    columns.push(Column {
        name: "verbatim".to_owned(),
        data: ColumnData::Text(texts.collect()),
    });
    let table = Table::new(columns).unwrap();
    for learner in [Learner::Logistic, Learner::Gbdt] {
        let model = fitted(&table, Target::Binary(&target), one(learner, quick()));
        let error = export(&model).unwrap_err();
        assert!(
            error.code == "TW0345" && error.message.contains("\"verbatim\""),
            "{error}"
        );
    }
}
