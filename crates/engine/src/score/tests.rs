//! What comes out of a file is what the model says of the whole table, for every kind of target.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "made-up cells of known size"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use thalweg_collect::stream::BATCH_ROWS;
use thalweg_domain::{Column, ColumnData, MISSING_LEVEL, Seed, Table, Timestamp};
use thalweg_learn::models::Learner;
use thalweg_learn::outcome::{LearnerChoice, OutcomeParams, OutcomeTraining, TrainingSet, train};
use thalweg_learn::task::Target;

use super::{Decide, ScoreOut, ScoreRequest, score};
use crate::progress::Silent;
use crate::session::Options;

/// A number in [0, 1) that follows from row and column.
fn dice(row: usize, column: u64) -> f64 {
    let mixed = (row as u64 + 1)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(column.wrapping_mul(0xBF58_476D_1CE4_E5B9));
    ((mixed ^ (mixed >> 29)).wrapping_mul(0x94D0_49BB_1331_11EB) >> 40) as f64 / (1 << 24) as f64
}

/// Numbers with missing cells, a category with a level of its own in later rows, truth values and dates.
fn table(n: usize) -> Table {
    let column = |name: &str, data| Column {
        name: name.to_owned(),
        data,
    };
    let number = |at| (0..n).map(|row| dice(row, at)).collect::<Vec<f64>>();
    let holes = number(2)
        .into_iter()
        .map(|cell| if cell < 0.1 { f64::NAN } else { cell });
    let levels = ["a", "b", "c", "late"].map(str::to_owned).to_vec();
    let code = |row| match (dice(row, 3) * 4.0) as u32 {
        3 if row >= 500 => 3,
        3 => MISSING_LEVEL,
        code => code,
    };
    Table::new(vec![
        column("x", ColumnData::Number(number(1))),
        column("holes", ColumnData::Number(holes.collect())),
        column(
            "plan",
            ColumnData::Category {
                codes: (0..n).map(code).collect(),
                levels,
            },
        ),
        column(
            "vip",
            ColumnData::Boolean((0..n).map(|row| Some(dice(row, 4) < 0.3)).collect()),
        ),
        column(
            "since",
            ColumnData::Date((0..n).map(|row| Some((dice(row, 5) * 1e15) as i64)).collect()),
        ),
    ])
    .unwrap()
}

fn trained(target: Target<'_>, learner: Learner) -> OutcomeTraining {
    let known = table(500);
    let set = TrainingSet {
        table: &known,
        target,
        weight: &[1.0; 500],
        group: &(0..500).collect::<Vec<u64>>(),
        period: None,
    };
    let params = OutcomeParams {
        choice: LearnerChoice::One(learner),
        folds: 2,
        inner_folds: 2,
        seed: Seed(7),
        ..OutcomeParams::default()
    };
    train(&set, &params, &|_, _| {}).unwrap()
}

fn request(folder: &Path, out: &str) -> ScoreRequest {
    ScoreRequest {
        model: Some(folder.join("model.json").display().to_string()),
        data: folder.join("rows.parquet").display().to_string(),
        out: folder.join(out),
        key: None,
        keep: Vec::new(),
        decide: None,
        dir: PathBuf::from("."),
        dir_given: false,
    }
}

fn options() -> Options {
    Options {
        as_of: Timestamp(0),
        as_of_given: true,
        seed: None,
        again: false,
        progress: Arc::new(Silent),
    }
}

fn scored(folder: &Path, out: &str) -> (ScoreOut, Table) {
    let said = score(&request(folder, out), &options()).unwrap();
    let table = thalweg_collect::read_source(folder, out, &std::collections::BTreeMap::new()).unwrap();
    (said, table)
}

fn numbers(table: &Table, name: &str) -> Vec<f64> {
    match &table.column(name).unwrap().data {
        ColumnData::Number(cells) => cells.clone(),
        other => panic!("{name} holds {other:?}"),
    }
}

/// Scores more rows than fit in one batch and compares with one prediction of them all, bit for bit.
fn check(target: Target<'_>, learner: Learner, columns: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let training = trained(target, learner);
    std::fs::write(folder.path().join("model.json"), training.to_json().unwrap()).unwrap();
    let rows = table(2 * BATCH_ROWS + 77);
    thalweg_collect::write_table(&folder.path().join("rows.parquet"), &rows).unwrap();
    let expected = training.model.predict_all(&rows).unwrap();
    for out in ["scores.parquet", "scores.csv"] {
        let (said, scores) = scored(folder.path(), out);
        assert!(
            said.columns[0] == "row" && said.columns[1..] == *columns,
            "{said:?}"
        );
        assert_eq!((said.rows, said.peak_batch), (rows.n_rows() as u64, BATCH_ROWS));
        assert!(said.missing["holes"] > 0 && said.missing["plan"] > 0, "{said:?}");
        assert_eq!(said.unseen["plan"].levels, ["late"], "{said:?}");
        for (at, name) in columns.iter().take(expected.n_outputs).enumerate() {
            let own: Vec<f64> = expected.rows().map(|row| row[at]).collect();
            assert!(numbers(&scores, name) == own, "{learner:?}, {out}, {name}");
        }
        if expected.n_outputs > 1 {
            let labels = scores.column("prediction").unwrap();
            for (row, cells) in expected.rows().enumerate() {
                let best = cells.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let label = labels.cell_text(row);
                let at = columns
                    .iter()
                    .position(|name| *name == format!("probability_{label}"));
                assert_eq!(cells[at.unwrap()], best);
            }
        }
    }
}

#[test]
fn scores_are_the_models_predictions() {
    let signal = |row: usize| dice(row, 1) + 0.5 * dice(row, 6);
    let yes: Vec<bool> = (0..500).map(|row| signal(row) > 0.8).collect();
    let codes: Vec<u32> = (0..500).map(|row| (signal(row) * 2.0) as u32).collect();
    let values: Vec<f64> = (0..500).map(|row| 100.0 * signal(row)).collect();
    let classes = ["low", "mid", "top"].map(str::to_owned);
    let class = Target::Class {
        codes: &codes,
        classes: &classes,
    };
    let each = [
        "probability_low",
        "probability_mid",
        "probability_top",
        "prediction",
    ];
    for learner in Learner::ALL {
        check(Target::Binary(&yes), learner, &["probability"]);
        check(class, learner, &each);
        check(Target::Value(&values), learner, &["value"]);
    }
}

#[test]
fn a_threshold_decides_nothing_about_a_number() {
    let folder = tempfile::tempdir().unwrap();
    let amounts: Vec<f64> = (0..500).map(|row| dice(row, 9)).collect();
    let training = trained(Target::Value(&amounts), Learner::Logistic);
    std::fs::write(folder.path().join("model.json"), training.to_json().unwrap()).unwrap();
    thalweg_collect::write_table(&folder.path().join("rows.parquet"), &table(50)).unwrap();
    let decided = ScoreRequest {
        decide: Some(Decide::From(0.5)),
        ..request(folder.path(), "scores.csv")
    };
    let error = score(&decided, &options()).unwrap_err();
    assert_eq!(error.code, "TW0310", "{error}");
    assert!(!folder.path().join("scores.csv").exists());
}
