//! What the learners reach on public texts, and how long linear models and preparation take. The slow ones run by
//! `bench/text/compare.py` and `cargo test -p thalweg-learn --lib measure -- --ignored --nocapture`.

use std::path::PathBuf;
use std::time::Instant;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use thalweg_domain::{Column, ColumnData, Seed, Table};

use super::super::{Inputs, LogisticParams};
use crate::models::{Examples, Learner, LearnerParams, fit};
use crate::prepare::{DenseMatrix, Preparer};
use crate::task::Task;

const FOLDS: usize = 5;

struct Texts {
    table: Table,
    examples: Examples,
}

/// Reads texts and labels; says so and gives nothing when the data folder is not there.
fn read(file: &str, text: &str, label: &str) -> Option<Texts> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(file);
    if !path.exists() {
        println!(
            "SKIPPED: {} does not exist; the public texts are not part of the repository",
            path.display()
        );
        return None;
    }
    let mut reader = csv::Reader::from_path(path).unwrap();
    let names = reader.headers().unwrap().clone();
    let place = |name: &str| {
        names
            .iter()
            .position(|own| own.trim_start_matches('\u{feff}') == name)
            .unwrap()
    };
    let (text, label) = (place(text), place(label));
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let rows: Vec<&csv::StringRecord> = records
        .iter()
        .filter(|record| !record[text].trim().is_empty())
        .collect();
    let mut classes: Vec<String> = rows.iter().map(|row| row[label].to_owned()).collect();
    classes.sort();
    classes.dedup();
    let code =
        |row: &&csv::StringRecord| classes.iter().position(|class| *class == row[label]).unwrap() as f64;
    let target: Vec<f64> = rows.iter().map(code).collect();
    let cells = rows.iter().map(|row| Some(row[text].to_owned())).collect();
    let task = if classes.len() == 2 {
        Task::Binary
    } else {
        Task::Class { classes }
    };
    Some(Texts {
        table: Table::new(vec![Column {
            name: "text".to_owned(),
            data: ColumnData::Text(cells),
        }])
        .unwrap(),
        examples: Examples {
            task,
            weight: vec![1.0; target.len()],
            group: (0..target.len() as u64).collect(),
            target,
        },
    })
}

/// Share of the rows of a fold (every fifth row) that a model of the others names right.
fn accuracy(name: &str, texts: &Texts, learner: Learner, folds: std::ops::Range<usize>) -> f64 {
    let n = texts.examples.target.len();
    let (mut right, mut tried, mut seconds) = (0, 0, 0.0);
    for fold in folds {
        let (test, training): (Vec<usize>, Vec<usize>) = (0..n).partition(|row| row % FOLDS == fold);
        let pick = |cells: &[f64]| training.iter().map(|row| cells[*row]).collect();
        let examples = Examples {
            target: pick(&texts.examples.target),
            weight: pick(&texts.examples.weight),
            group: training.iter().map(|row| *row as u64).collect(),
            task: texts.examples.task.clone(),
        };
        let start = Instant::now();
        let params = LearnerParams::default();
        let (model, _) = fit(learner, &texts.table, &training, &examples, &params, Seed(1)).unwrap();
        seconds += start.elapsed().as_secs_f64();
        let margins = model.margins(&texts.table, &test).unwrap();
        for (row, margins) in test.iter().zip(margins.rows()) {
            let best = |a: &usize, b: &usize| margins[*a].total_cmp(&margins[*b]);
            let named = match margins {
                [margin] => usize::from(*margin > 0.0),
                _ => (0..margins.len()).max_by(best).unwrap(),
            };
            right += usize::from(named == texts.examples.target[*row] as usize);
            tried += 1;
        }
    }
    let accuracy = right as f64 / tried as f64;
    println!(
        "{name} {}: accuracy {accuracy:.4} on {tried} rows, {seconds:.1} s of fitting",
        learner.as_str()
    );
    accuracy
}

fn airline() -> Option<Texts> {
    read("airline_feedback_en/tweets.csv", "text", "airline_sentiment")
}

fn hotel() -> Option<Texts> {
    read("zh_hotel_reviews/ChnSentiCorp_htl_all.csv", "review", "label")
}

#[test]
fn real_data_sentiment_of_airline_tweets() {
    let Some(texts) = airline() else { return };
    assert!(accuracy("airline", &texts, Learner::Logistic, 0..1) >= 0.78);
}

#[test]
fn real_data_sentiment_of_chinese_hotel_reviews() {
    let Some(texts) = hotel() else { return };
    assert!(accuracy("hotel", &texts, Learner::Logistic, 0..1) >= 0.86);
}

#[test]
#[ignore = "a measurement of minutes: bench/text/compare.py runs it"]
fn measure_texts_in_five_folds() {
    for (name, texts) in [("airline", airline()), ("hotel", hotel())] {
        let Some(texts) = texts else { return };
        for learner in [Learner::Logistic, Learner::Gbdt, Learner::Mlp] {
            if learner == Learner::Logistic || matches!(texts.examples.task, Task::Binary) {
                accuracy(name, &texts, learner, 0..FOLDS);
            }
        }
    }
}

fn random_dense(n_rows: usize, n_columns: usize) -> DenseMatrix {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let data = (0..n_rows * n_columns)
        .map(|_| rng.random_range(-1.7_f32..1.7))
        .collect();
    DenseMatrix {
        data,
        n_rows,
        n_columns,
    }
}

#[test]
#[ignore = "a measurement"]
fn measure_linear_models_of_many_rows() {
    let (n_rows, n_columns) = (100_000, 100);
    let inputs = Inputs {
        dense: random_dense(n_rows, n_columns),
        terms: None,
    };
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let score = |row: usize| f64::from(inputs.dense.row(row)[0] - inputs.dense.row(row)[1]);
    let noisy: Vec<f64> = (0..n_rows)
        .map(|row| score(row) + rng.random_range(-2.0..2.0))
        .collect();
    let classes = ["a", "b", "c"].map(str::to_owned).to_vec();
    let tasks = [
        (Task::Value, noisy.clone()),
        (
            Task::Binary,
            noisy.iter().map(|y| f64::from(u8::from(*y > 0.0))).collect(),
        ),
        (
            Task::Class { classes },
            noisy
                .iter()
                .map(|y| f64::from(u8::from(*y > -1.0) + u8::from(*y > 1.0)))
                .collect(),
        ),
    ];
    for (task, target) in tasks {
        let name = task.as_str();
        let examples = Examples {
            task,
            target,
            weight: vec![1.0; n_rows],
            group: (0..n_rows as u64).collect(),
        };
        let start = Instant::now();
        let model = super::super::fit(&inputs, &examples, &LogisticParams::default(), Seed(1)).unwrap();
        let second = model.coefficients(0).nth(1).unwrap();
        println!(
            "{name}: {n_rows} x {n_columns} in {:.2} s, {second:?}",
            start.elapsed().as_secs_f64()
        );
    }
}

#[test]
#[ignore = "a measurement"]
fn measure_preparation_of_a_million_rows() {
    let (n_rows, n_columns) = (1_000_000, 20);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let column = |number: usize| Column {
        name: format!("x{number}"),
        data: ColumnData::Number((0..n_rows).map(|_| rng.random_range(-1.0..1.0)).collect()),
    };
    let table = Table::new((0..n_columns).map(column).collect()).unwrap();
    let rows: Vec<usize> = (0..n_rows).collect();
    let preparer = Preparer::fit(&table, &rows[..10_000]).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    for _ in 0..3 {
        let start = Instant::now();
        let x = pool.install(|| preparer.dense(&table, &rows)).unwrap();
        println!(
            "1 M x 20 in {:.3} s on one thread, {}",
            start.elapsed().as_secs_f64(),
            x.row(7)[3]
        );
    }
}
