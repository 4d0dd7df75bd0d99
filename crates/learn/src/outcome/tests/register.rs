//! Models trained elsewhere: calibrated without touching them, explained exactly, and the same after JSON.

use std::sync::Arc;

use thalweg_domain::{Column, ColumnData, Result, Seed, Table};

use super::Data;
use crate::compress::{CompressParams, CompressTo, compress};
use crate::models::foreign::{ForeignFile, ForeignScores};
use crate::models::{Learner, LearnerParams, sigmoid};
use crate::outcome::{Kept, OutcomeModel, OutcomeParams, OutcomeTraining, TrainingSet, register};
use crate::task::Target;

/// `2 (x - y + x y / 4) + 1`: twice the true log-odds, and two columns that act together. The file's first byte is the factor.
#[derive(Debug)]
struct Elsewhere {
    factor: f64,
    n_outputs: usize,
}

fn number<'t>(table: &'t Table, name: &str) -> &'t [f64] {
    match &table.column(name).unwrap().data {
        ColumnData::Number(cells) => cells,
        _ => &[],
    }
}

impl ForeignScores for Elsewhere {
    fn margins(&self, table: &Table) -> Result<Vec<f64>> {
        let (x, y) = (number(table, "x"), number(table, "y"));
        let scores = x
            .iter()
            .zip(y)
            .map(|(x, y)| self.factor * (x - y + x * y / 4.0) + 1.0);
        Ok(scores
            .flat_map(|score| (0..self.n_outputs).map(move |output| score * (1.0 - output as f64)))
            .collect())
    }
}

fn load(file: &ForeignFile) -> Result<Arc<dyn ForeignScores>> {
    Ok(Arc::new(Elsewhere {
        factor: f64::from(file.bytes[0]),
        n_outputs: file.reading.len(),
    }))
}

/// One character of the reading per output.
fn file(reading: &str) -> ForeignFile {
    ForeignFile {
        bytes: vec![2, 0, 255],
        reading: reading.to_owned(),
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn registered(set: &TrainingSet<'_>, reading: &str) -> OutcomeTraining {
    let file = file(reading);
    let params = OutcomeParams::default();
    register(load(&file).unwrap(), file, &names(&["y", "x"]), set, &params).unwrap()
}

#[test]
fn a_model_trained_elsewhere_is_calibrated_and_judged() {
    let data = Data::new(2000, 1.0, 3);
    let training = registered(&data.set(), "1");
    assert_eq!(training.learner, Kept::One(Learner::Onnx));
    assert_eq!(training.learner.as_str(), "onnx");
    assert_eq!(training.model.features(), ["x", "y"], "in the order of the table");
    let share = |p: &[f64]| p.iter().sum::<f64>() / p.len() as f64;
    let observed = data.target.iter().filter(|own| **own).count() as f64 / 2000.0;
    let raw = load(&file("1")).unwrap().margins(&data.table).unwrap();
    let raw: Vec<f64> = raw.into_iter().map(sigmoid).collect();
    assert!((share(&raw) - observed).abs() > 0.1, "as it came it is off");
    assert!((share(&training.out_of_fold) - observed).abs() < 0.01);
    let evaluation = data.evaluate(&training);
    let metric = |name: &str| {
        let mut named = evaluation.metrics.iter();
        named.find(|(own, _)| *own == name).unwrap().1.mean
    };
    let log_loss = |p: &[f64]| {
        let own = |(p, y): (&f64, &bool)| -(if *y { *p } else { 1.0 - p }).ln();
        p.iter().zip(&data.target).map(own).sum::<f64>() / 2000.0
    };
    let (calibrated, as_it_came) = (metric("log_loss"), log_loss(&raw));
    assert!(calibrated < as_it_came - 0.05, "{calibrated} {as_it_came}");
    let error = metric("calibration_error");
    assert!(error < 0.05, "{error}");
    assert!(metric("auc") > 0.75);
    assert!(evaluation.candidates.is_empty());
    // each fold's scores come from a link that did not see the fold
    let scores = training.model.predict(&data.table).unwrap();
    assert!(
        scores
            .iter()
            .zip(&training.out_of_fold)
            .any(|(a, b)| (a - b).abs() > 1e-6)
    );
    assert_eq!(
        training
            .test
            .iter()
            .filter(|row| training.fold[**row] != 0)
            .count(),
        0
    );
    assert!((350..450).contains(&training.test.len()));
}

#[test]
fn contributions_of_a_model_trained_elsewhere_add_up() {
    let data = Data::new(600, 1.0, 4);
    let training = registered(&data.set(), "1");
    let member = &training.model.members()[0];
    let rows: Vec<usize> = (0..600).step_by(7).collect();
    let found = member.fitted.contributions(&data.table, &rows, 0).unwrap();
    let margins = member.fitted.margins(&data.table, &rows).unwrap();
    for (cells, margin) in found.cells.chunks_exact(2).zip(&margins.cells) {
        assert!((found.base + cells.iter().sum::<f64>() - margin).abs() < 1e-9);
    }
    // two columns: the orders and their reverses are all there are, so the parts are the exact Shapley values
    let (x, y) = (number(&data.table, "x"), number(&data.table, "y"));
    let middle = |cells: &[f64]| {
        let mut sorted = cells.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    };
    let (x0, y0) = (middle(x), middle(y));
    for (cells, row) in found.cells.chunks_exact(2).zip(&rows) {
        let of_x = 2.0 * (x[*row] - x0) * (1.0 + f64::midpoint(y[*row], y0) / 4.0);
        assert!((cells[0] - of_x).abs() < 1e-9, "{} {of_x}", cells[0]);
    }
    // and in the unit of the prediction
    let reasons = training.model.explain(&data.table, &rows, 2).unwrap();
    assert!(reasons.iter().all(|own| own.len() == 2));
    assert_eq!(training.model.importance().len(), 2);
}

#[test]
fn it_survives_json_and_says_so_when_its_file_was_not_read() {
    let data = Data::new(400, 1.0, 5);
    let training = registered(&data.set(), "1");
    let json = training.to_json().unwrap();
    assert!(json.contains("AgD/"), "the file travels inside");
    let mut again = OutcomeTraining::from_json(&json).unwrap();
    let refused = again.model.predict(&data.table).unwrap_err();
    assert_eq!(refused.code, "TW0309");
    again.model.attach(&load).unwrap();
    assert_eq!(again.to_json().unwrap(), json);
    assert_eq!(
        again.model.predict(&data.table).unwrap(),
        training.model.predict(&data.table).unwrap()
    );
    // a model of our own has nothing to attach
    let mut own = data.train(&super::quick()).unwrap().model;
    own.attach(&|_| panic!("nothing to read")).unwrap();
    let broken = json.replace("AgD/", "AgD*");
    assert_eq!(OutcomeTraining::from_json(&broken).unwrap_err().code, "TW0309");
    assert!(OutcomeModel::from_json(&training.model.to_json().unwrap()).is_ok());
}

#[test]
fn tables_that_do_not_fit_are_refused() {
    let data = Data::new(400, 1.0, 6);
    let set = data.set();
    let register = |features: &[&str], reading: &str| {
        let file = file(reading);
        let params = OutcomeParams::default();
        register(load(&file).unwrap(), file, &names(features), &set, &params)
    };
    let error = register(&["x", "y", "age"], "1").unwrap_err();
    assert_eq!(error.code, "TW0305");
    assert!(error.message.contains("\"age\""));
    assert_eq!(register(&[], "1").unwrap_err().code, "TW0303");
    // two numbers a row for a target of two classes
    assert_eq!(register(&["x", "y"], "12").unwrap_err().code, "TW0343");
    let model = register(&["x", "y"], "1").unwrap().model;
    let with = |data: ColumnData| {
        let mut columns = set.table.columns().to_vec();
        columns[0] = Column {
            name: "x".to_owned(),
            data,
        };
        model.predict(&Table::new(columns).unwrap())
    };
    let text = vec![Some("a".to_owned()); 400];
    assert_eq!(with(ColumnData::Text(text)).unwrap_err().code, "TW0306");
    // without any value the kind is not known: missing numbers, which this model cannot take
    assert_eq!(
        with(ColumnData::Text(vec![None; 400])).unwrap_err().code,
        "TW0343"
    );
    assert_eq!(
        model
            .predict(&set.table.without(|name| name == "y"))
            .unwrap_err()
            .code,
        "TW0305"
    );
}

#[test]
fn classes_and_values_can_come_from_elsewhere_too() {
    let data = Data::new(600, 1.0, 7);
    let classes = names(&["no", "yes", "never"]);
    let codes: Vec<u32> = (0..600)
        .map(|row| {
            if row % 3 == 0 {
                2
            } else {
                u32::from(data.target[row])
            }
        })
        .collect();
    let set = TrainingSet {
        target: Target::Class {
            codes: &codes,
            classes: &classes,
        },
        ..data.set()
    };
    let training = registered(&set, "123");
    for row in training.out_of_fold.chunks_exact(3) {
        assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }
    let value: Vec<f64> = number(&data.table, "x").to_vec();
    let set = TrainingSet {
        target: Target::Value(&value),
        ..data.set()
    };
    let training = registered(&set, "1");
    let raw = load(&file("1")).unwrap().margins(&data.table).unwrap();
    assert_eq!(training.out_of_fold, raw, "values stay as they are");
}

#[test]
fn it_can_be_distilled_and_nothing_else() {
    let data = Data::new(800, 1.5, 8);
    let training = registered(&data.set(), "1");
    let mut learners = LearnerParams::default();
    learners.mlp.epochs = 60;
    let params = |to| CompressParams {
        to,
        learners: learners.clone(),
        seed: Seed(1),
    };
    let refused = compress(&training, &data.set(), &params(CompressTo::Int8)).unwrap_err();
    assert_eq!(refused.code, "TW0334");
    assert!(
        refused.message.contains("trained elsewhere"),
        "{}",
        refused.message
    );
    let to = CompressTo::from_name("distilled").unwrap();
    let made = compress(&training, &data.set(), &params(to)).unwrap();
    assert_eq!(made.model.kept(), Kept::One(Learner::Mlp));
    assert!(made.report.loss.mean < 0.1, "{:?}", made.report.loss);
    let again = OutcomeModel::from_json(&made.model.to_json().unwrap()).unwrap();
    assert!(again.predict(&data.table).is_ok(), "the student needs no file");
}

#[test]
fn it_is_no_learner_to_choose_or_to_train() {
    assert!(!Learner::ALL.contains(&Learner::Onnx));
    assert_eq!(Learner::from_name("onnx"), None);
    let data = Data::new(200, 1.0, 9);
    let params = OutcomeParams {
        choice: crate::outcome::LearnerChoice::One(Learner::Onnx),
        ..super::quick()
    };
    assert_eq!(data.train(&params).unwrap_err().code, "TW0307");
}
