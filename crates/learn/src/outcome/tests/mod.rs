//! The nested procedure against what it promises: honest folds, untouched test part, the same bytes.

mod auto;
mod register;
mod tasks;
mod time;

use std::sync::atomic::{AtomicUsize, Ordering};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use thalweg_domain::{CheckVerdict, Column, ColumnData, Result, Seed, Table};

use super::folds::assign_folds;
use super::{
    Kept, LearnerChoice, OutcomeModel, OutcomeParams, OutcomeTraining, TrainingSet, stratified_split, train,
};
use crate::evaluate::{Economics, Evaluation, evaluate};
use crate::models::{Examples, Learner, sigmoid};
use crate::privacy::PrivacyParams;
use crate::task::Target;

struct Data {
    table: Table,
    target: Vec<bool>,
    weight: Vec<f64>,
    group: Vec<u64>,
}

impl Data {
    /// The log-odds are `strength * (x - y)`, with noise columns beside them.
    fn new(n: usize, strength: f64, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let names = ["x", "y", "noise", "more noise"];
        let columns: Vec<Column> = names
            .iter()
            .map(|name| Column {
                name: (*name).to_owned(),
                data: ColumnData::Number((0..n).map(|_| rng.random_range(-1.5..1.5)).collect()),
            })
            .collect();
        let cell = |column: usize, row: usize| match &columns[column].data {
            ColumnData::Number(cells) => cells[row],
            _ => f64::NAN,
        };
        let target = (0..n)
            .map(|row| rng.random::<f64>() < sigmoid(strength * (cell(0, row) - cell(1, row))))
            .collect();
        Self {
            target,
            weight: vec![1.0; n],
            group: (0..n as u64).collect(),
            table: Table::new(columns).unwrap(),
        }
    }

    /// The log-odds are `x - y`, and 3 more where both noise columns are high.
    fn with_corner(n: usize, seed: u64) -> Self {
        let mut data = Self::new(n, 1.0, seed);
        let mut rng = ChaCha8Rng::seed_from_u64(seed + 1000);
        let cells = |name: &str| match &data.table.column(name).unwrap().data {
            ColumnData::Number(cells) => cells.clone(),
            _ => Vec::new(),
        };
        let [x, y, noise, more] = ["x", "y", "noise", "more noise"].map(cells);
        data.target = (0..n)
            .map(|row| {
                let corner = if noise[row] > 0.3 && more[row] > 0.3 {
                    3.0
                } else {
                    0.0
                };
                rng.random::<f64>() < sigmoid(x[row] - y[row] + corner - 0.5)
            })
            .collect();
        data
    }

    fn set(&self) -> TrainingSet<'_> {
        TrainingSet {
            table: &self.table,
            target: Target::Binary(&self.target),
            weight: &self.weight,
            group: &self.group,
            period: None,
        }
    }

    fn train(&self, params: &OutcomeParams) -> Result<OutcomeTraining> {
        train(&self.set(), params, &|_, _| ())
    }

    fn evaluate(&self, training: &OutcomeTraining) -> Evaluation {
        let value = vec![100.0; self.target.len()];
        let economics = Economics {
            value: &value,
            contact_cost: 1.0,
            relative_effect: 0.1,
        };
        evaluate(training, &self.set(), &economics, Seed(1)).unwrap()
    }
}

fn quick() -> OutcomeParams {
    let mut params = OutcomeParams {
        inner_folds: 2,
        ..OutcomeParams::default()
    };
    params.learners.mlp.epochs = 20;
    params.learners.gbdt.trees = 30;
    params
}

#[test]
fn the_same_seed_gives_the_same_bytes_with_any_number_of_threads() {
    let data = Data::new(400, 1.0, 1);
    let with_threads = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let training = data.train(&quick()).unwrap();
            (training.to_json().unwrap(), data.evaluate(&training))
        })
    };
    let (one, four) = (with_threads(1), with_threads(4));
    assert!(one == four, "results differ with the number of threads");
    let other = data
        .train(&OutcomeParams {
            seed: Seed(7),
            ..quick()
        })
        .unwrap()
        .to_json()
        .unwrap();
    assert_ne!(one.0, other);
}

#[test]
fn a_training_and_its_model_survive_json_bit_for_bit() {
    let data = Data::new(300, 1.0, 2);
    for learner in Learner::ALL {
        let training = data
            .train(&OutcomeParams {
                choice: LearnerChoice::One(learner),
                ..quick()
            })
            .unwrap();
        let json = training.to_json().unwrap();
        let again = OutcomeTraining::from_json(&json).unwrap();
        assert_eq!(json, again.to_json().unwrap());
        let model = OutcomeModel::from_json(&training.model.to_json().unwrap()).unwrap();
        assert_eq!(
            training.model.predict(&data.table).unwrap(),
            model.predict(&data.table).unwrap()
        );
        assert_eq!((model.kept(), model.features().len()), (Kept::One(learner), 4));
    }
    assert_eq!(
        OutcomeModel::from_json("{\"learner\":\"mlp\"}").unwrap_err().code,
        "TW0309"
    );
}

/// Whatever used a row for fitting, early stopping, calibration or choice would feel its weight; folds do not.
#[test]
fn out_of_fold_scores_do_not_depend_on_their_own_rows() {
    let mut data = Data::new(400, 1.0, 3);
    let before = data.train(&quick()).unwrap();
    before
        .test
        .iter()
        .for_each(|row| data.weight[*row] = if data.target[*row] { 20.0 } else { 1.0 });
    let after = data.train(&quick()).unwrap();
    assert_eq!(before.fold, after.fold);
    for row in 0..400 {
        let moved = before.out_of_fold[row] != after.out_of_fold[row];
        assert_eq!(
            moved,
            before.fold[row] != 0,
            "row {row} of fold {}",
            before.fold[row]
        );
    }
}

#[test]
fn the_test_part_is_a_stratified_fifth() {
    let data = Data::new(1000, 1.0, 4);
    let training = data
        .train(&OutcomeParams {
            choice: LearnerChoice::One(Learner::Logistic),
            ..quick()
        })
        .unwrap();
    assert_eq!(training.test.len(), 200);
    assert!(training.test.iter().all(|row| training.fold[*row] == 0));
    let positives = |rows: &[usize]| rows.iter().filter(|row| data.target[**row]).count();
    assert!(positives(&training.test).abs_diff(positives(&(0..1000).collect::<Vec<_>>()) / 5) <= 1);
    assert_eq!(data.evaluate(&training).test.rows, 200);
}

#[test]
fn folds_keep_groups_together_and_classes_in_proportion() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let group: Vec<u64> = (0..2000).map(|_| rng.random_range(0..600)).collect();
    let target: Vec<bool> = group
        .iter()
        .map(|group| group % 5 == 0 && rng.random::<f64>() < 0.6)
        .collect();
    let strata: Vec<usize> = target.iter().map(|target| usize::from(*target)).collect();
    let fold = assign_folds(&strata, &group, 5, Seed(1));
    for own in 0..600 {
        let folds: Vec<u8> = (0..2000)
            .filter(|row| group[*row] == own)
            .map(|row| fold[row])
            .collect();
        assert!(
            folds.windows(2).all(|pair| pair[0] == pair[1]),
            "group {own} is split"
        );
    }
    for own in 0..5 {
        let rows: Vec<usize> = (0..2000).filter(|row| fold[*row] == own).collect();
        let share = rows.iter().filter(|row| target[**row]).count() as f64 / rows.len() as f64;
        let overall = target.iter().filter(|target| **target).count() as f64 / 2000.0;
        assert!(
            (380..=420).contains(&rows.len()) && (share - overall).abs() < 0.02,
            "{} {share}",
            rows.len()
        );
    }
}

#[test]
fn the_validation_part_keeps_groups_together_and_classes_in_proportion() {
    let target: Vec<bool> = (0..1000).map(|row| row % 10 < 2).collect();
    let group: Vec<u64> = (0..1000)
        .map(|row| row / 10 * 2 + u64::from(row % 10 < 2))
        .collect();
    let examples = Examples::binary(&target, vec![1.0; 1000], group);
    let (fit, validation) = stratified_split(&examples, 0.2, Seed(1));
    assert_eq!(fit.len() + validation.len(), 1000);
    let positives = validation.iter().filter(|row| target[**row]).count();
    assert!((180..=220).contains(&validation.len()) && (36..=44).contains(&positives));
    assert!(fit.iter().all(|row| {
        validation
            .iter()
            .all(|other| examples.group[*row] != examples.group[*other])
    }));
}

#[test]
fn auto_leans_on_the_line_when_the_truth_is_one() {
    let data = Data::new(800, 1.5, 6);
    let training = data.train(&quick()).unwrap();
    let shares = training.model.shares();
    let of_line = shares.iter().find(|(learner, _)| *learner == Learner::Logistic);
    assert!(of_line.is_some_and(|(_, share)| *share >= 0.5), "{shares:?}");
    let losses: Vec<(Learner, f64)> = training.candidates.iter().map(|c| (c.learner, c.loss)).collect();
    assert!(losses.iter().all(|(_, loss)| *loss >= losses[0].1) && losses.len() == 3);
    assert_eq!(
        training
            .candidates
            .iter()
            .map(|c| c.chosen_in_folds)
            .sum::<usize>()
            + training.search.blend_in_folds,
        5
    );
}

#[test]
fn reasons_add_up_to_the_change_in_probability_and_name_what_matters() {
    let data = Data::new(1500, 1.5, 7);
    for learner in Learner::ALL {
        let mut params = OutcomeParams {
            choice: LearnerChoice::One(learner),
            ..OutcomeParams::default()
        };
        params.inner_folds = 2;
        params.learners.mlp.learning_rate = 0.05;
        let model = data.train(&params).unwrap().model;
        let p = model.predict(&data.table).unwrap();
        let rows: Vec<usize> = (0..50).collect();
        let all = model.explain(&data.table, &rows, 10).unwrap();
        let bases: Vec<f64> = rows
            .iter()
            .zip(&all)
            .map(|(row, reasons)| p[*row] - reasons.iter().map(|reason| reason.contribution).sum::<f64>())
            .collect();
        let spread = bases.iter().copied().fold(0.0, f64::max) - bases.iter().copied().fold(1.0, f64::min);
        assert!(
            spread < 1e-3,
            "{learner:?}: every row starts from the same baseline, not {spread} apart"
        );
        let top = model.explain(&data.table, &rows, 2).unwrap();
        assert!(top.iter().all(|reasons| reasons.len() == 2));
        assert_eq!(
            top[0][0].value,
            data.table.column(&top[0][0].feature).unwrap().cell_text(0)
        );
        let mut best: Vec<&str> = model
            .importance()
            .iter()
            .take(2)
            .map(|(name, _)| name.as_str())
            .collect();
        best.sort_unstable();
        assert_eq!(best, ["x", "y"], "{learner:?}");
    }
}

#[test]
fn the_regression_shows_its_coefficients() {
    let data = Data::new(4000, 1.0, 8);
    let choice = LearnerChoice::One(Learner::Logistic);
    let model = data.train(&OutcomeParams { choice, ..quick() }).unwrap().model;
    let coefficients = model.coefficients().unwrap();
    let names: Vec<&str> = coefficients
        .iter()
        .map(|coefficient| coefficient.column.as_str())
        .collect();
    assert_eq!(names, ["intercept", "x", "y", "noise", "more noise"]);
    // a uniform number on (-1.5, 1.5) has the standard deviation 0.866; log-odds are x - y
    for (coefficient, truth) in coefficients.iter().zip([0.0, 0.866, -0.866, 0.0, 0.0]) {
        let error = (coefficient.estimate - truth) / coefficient.standard_error;
        assert!(
            error.abs() < 3.5 && coefficient.standard_error < 0.06,
            "{coefficient:?}"
        );
    }
    let trees = OutcomeParams {
        choice: LearnerChoice::One(Learner::Gbdt),
        ..quick()
    };
    assert!(data.train(&trees).unwrap().model.coefficients().is_none());
}

#[test]
fn noise_is_reported_as_noise() {
    let data = Data::new(600, 0.0, 9);
    let evaluation = data.evaluate(&data.train(&quick()).unwrap());
    let check = evaluation
        .checks
        .iter()
        .find(|check| check.name == "discrimination")
        .unwrap();
    assert_eq!(
        (check.verdict, check.code),
        (CheckVerdict::Review, Some("TW0411")),
        "{}",
        check.detail
    );
}

#[test]
fn progress_reaches_its_total() {
    let data = Data::new(200, 1.0, 10);
    let count = |params: &OutcomeParams| {
        let (calls, total) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let progress = |done: usize, of: usize| {
            assert!(done <= of);
            calls.fetch_add(1, Ordering::Relaxed);
            total.store(of, Ordering::Relaxed);
        };
        train(&data.set(), params, &progress).unwrap();
        (calls.into_inner(), total.into_inner())
    };
    let one = OutcomeParams {
        choice: LearnerChoice::One(Learner::Logistic),
        ..quick()
    };
    assert_eq!(
        count(&one),
        (16, 16),
        "5 folds x (2 inner fits and the outer one), and the last"
    );
    let (calls, total) = count(&quick());
    assert_eq!(calls, total);
}

#[test]
fn data_that_cannot_be_learned_from_is_refused() {
    let code = |data: &Data, params: &OutcomeParams| data.train(params).unwrap_err().code;
    let good = || Data::new(100, 1.0, 11);
    let one_class = Data {
        target: vec![false; 100],
        ..good()
    };
    assert_eq!(code(&one_class, &quick()), "TW0301");
    let rare = Data {
        target: (0..100).map(|row| row < 7).collect(),
        ..good()
    };
    let error = rare.train(&quick()).unwrap_err();
    assert!(
        error.code == "TW0302" && error.message.contains("only 7 customers with"),
        "{error}"
    );
    assert_eq!(code(&Data::new(0, 1.0, 1), &quick()), "TW0303");
    let unusable = Data {
        weight: vec![f64::NAN; 100],
        ..good()
    };
    assert_eq!(code(&unusable, &quick()), "TW0304");
    assert_eq!(code(&good(), &OutcomeParams { folds: 1, ..quick() }), "TW0307");
    let mut params = quick();
    params.learners.mlp.dropout = 2.0;
    assert_eq!(code(&good(), &params), "TW0307");
    // private training is the net's alone: nothing else may be kept, or read the rows beside it
    let mut private = quick();
    private.learners.mlp.privacy = Some(PrivacyParams::default());
    for choice in [LearnerChoice::Auto, LearnerChoice::One(Learner::Gbdt)] {
        let params = OutcomeParams {
            choice,
            ..private.clone()
        };
        assert_eq!(code(&good(), &params), "TW0332");
    }
    let balanced = OutcomeParams {
        choice: LearnerChoice::One(Learner::Mlp),
        class_weight: super::ClassWeight::Balanced,
        ..private
    };
    assert_eq!(code(&good(), &balanced), "TW0332");
    let short = Data {
        weight: vec![1.0; 99],
        ..good()
    };
    assert_eq!(code(&short, &quick()), "TW0901");
}
