//! Several classes and numbers as targets; weights of classes; thresholds.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use thalweg_domain::{Column, ColumnData, Table};

use super::{Data, quick};
use crate::evaluate::Payoff;
use crate::models::Learner;
use crate::outcome::{
    ClassWeight, Kept, LearnerChoice, OutcomeModel, OutcomeParams, OutcomeTraining, Threshold, TrainingSet,
    train,
};
use crate::task::{Target, Task};

fn numbers(n: usize, seed: u64) -> (Table, Vec<[f64; 3]>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let cells: Vec<[f64; 3]> = (0..n)
        .map(|_| std::array::from_fn(|_| rng.random_range(-1.5..1.5)))
        .collect();
    let columns = ["a", "b", "c"].iter().enumerate().map(|(index, name)| Column {
        name: (*name).to_owned(),
        data: ColumnData::Number(cells.iter().map(|row| row[index]).collect()),
    });
    (Table::new(columns.collect()).unwrap(), cells)
}

/// The class of the highest of three noisy numbers.
fn classes(n: usize, seed: u64) -> (Table, Vec<u32>) {
    let (table, cells) = numbers(n, seed);
    let mut rng = ChaCha8Rng::seed_from_u64(seed + 100);
    let code = |row: &[f64; 3]| {
        let noisy: Vec<f64> = row
            .iter()
            .map(|cell| cell + rng.random_range(-0.5..0.5))
            .collect();
        let highest = noisy.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        noisy.iter().position(|cell| *cell == highest).unwrap() as u32
    };
    let codes = cells.iter().map(code).collect();
    (table, codes)
}

/// `2 a - b` and noise of standard deviation 0.29.
fn values(n: usize, seed: u64) -> (Table, Vec<f64>) {
    let (table, cells) = numbers(n, seed);
    let mut rng = ChaCha8Rng::seed_from_u64(seed + 100);
    let y = cells
        .iter()
        .map(|row| 100.0 + 2.0 * row[0] - row[1] + rng.random_range(-0.5..0.5))
        .collect();
    (table, y)
}

fn run(table: &Table, target: Target<'_>, params: &OutcomeParams) -> OutcomeTraining {
    let n = table.n_rows();
    let (weight, group): (Vec<f64>, Vec<u64>) = (vec![1.0; n], (0..n as u64).collect());
    let set = TrainingSet {
        table,
        target,
        weight: &weight,
        group: &group,
        period: None,
    };
    train(&set, params, &|_, _| ()).unwrap()
}

fn one(learner: Learner) -> OutcomeParams {
    let mut params = OutcomeParams {
        choice: LearnerChoice::One(learner),
        ..quick()
    };
    params.learners.mlp.learning_rate = 0.05;
    params.learners.mlp.epochs = 60;
    params
}

/// Contributions and the baseline add up to the prediction in every row.
fn check_contributions(model: &OutcomeModel, table: &Table, predicted: &[f64]) {
    let rows: Vec<usize> = (0..30).collect();
    let bases: Vec<f64> = model
        .explain(table, &rows, 10)
        .unwrap()
        .iter()
        .zip(predicted)
        .map(|(reasons, own)| own - reasons.iter().map(|reason| reason.contribution).sum::<f64>())
        .collect();
    assert!(bases.iter().all(|base| base.is_finite()));
    if *model.task() == Task::Value {
        assert!(
            bases.iter().all(|base| (base - bases[0]).abs() < 1e-2),
            "{bases:?}"
        );
    }
}

#[test]
fn every_learner_tells_several_classes_apart() {
    let names = ["a", "b", "c"].map(str::to_owned);
    let (table, codes) = classes(900, 1);
    let (fresh, fresh_codes) = classes(900, 2);
    let target = Target::Class {
        codes: &codes,
        classes: &names,
    };
    for learner in Learner::ALL {
        let training = run(&table, target, &one(learner));
        assert_eq!(training.out_of_fold.len(), 2700);
        let predicted = training.model.predict_all(&fresh).unwrap();
        assert!(
            predicted
                .rows()
                .all(|row| (row.iter().sum::<f64>() - 1.0).abs() < 1e-9)
        );
        let right = predicted
            .rows()
            .zip(&fresh_codes)
            .filter(|(row, code)| row.iter().all(|p| *p <= row[**code as usize]));
        let accuracy = right.count() as f64 / 900.0;
        assert!(accuracy > 0.75, "{learner:?}: {accuracy}");
        let highest: Vec<f64> = predicted
            .rows()
            .map(|row| row.iter().copied().fold(0.0, f64::max))
            .collect();
        check_contributions(&training.model, &fresh, &highest);
        let again = OutcomeModel::from_json(&training.model.to_json().unwrap()).unwrap();
        assert_eq!(again.predict_all(&fresh).unwrap(), predicted);
        assert_eq!(training.model.predict(&fresh).unwrap_err().code, "TW0901");
        // sets that hold the true class in nine of ten new rows (three standard errors: 0.03)
        let miss = quantile(&training.model, 0.9);
        let held = predicted
            .rows()
            .zip(&fresh_codes)
            .filter(|(row, code)| 1.0 - row[**code as usize] <= miss);
        let coverage = held.count() as f64 / 900.0;
        assert!((coverage - 0.9).abs() < 0.045, "{learner:?}: {coverage}");
    }
    let auto = run(&table, target, &quick());
    assert_eq!((auto.candidates.len(), auto.model.task().n_outputs()), (3, 3));
}

fn quantile(model: &OutcomeModel, coverage: f64) -> f64 {
    let found = model.conformal().iter().find(|own| own.coverage == coverage);
    found.unwrap().quantile.unwrap()
}

#[test]
fn every_learner_predicts_numbers() {
    let (table, y) = values(900, 1);
    let (fresh, fresh_y) = values(900, 2);
    for learner in Learner::ALL {
        let training = run(&table, Target::Value(&y), &one(learner));
        let predicted = training.model.predict(&fresh).unwrap();
        let squares = predicted
            .iter()
            .zip(&fresh_y)
            .map(|(p, y)| (p - y).powi(2))
            .sum::<f64>();
        // the target's variance is 3.8, the noise's 0.083
        assert!(squares / 900.0 < 0.6, "{learner:?}: {}", squares / 900.0);
        check_contributions(&training.model, &fresh, &predicted);
        let reach = quantile(&training.model, 0.9);
        let held = predicted
            .iter()
            .zip(&fresh_y)
            .filter(|(p, y)| (*p - *y).abs() <= reach);
        let coverage = held.count() as f64 / 900.0;
        // the final model knows more rows than those whose errors were counted, so it may cover more
        assert!((0.855..0.975).contains(&coverage), "{learner:?}: {coverage}");
    }
    let auto = run(&table, Target::Value(&y), &quick());
    let best = auto
        .candidates
        .iter()
        .map(|own| own.loss)
        .fold(f64::INFINITY, f64::min);
    assert!(
        auto.candidates[0].loss <= best * 1.5 && best < 0.2,
        "the line is found"
    );
}

#[test]
fn weights_of_classes_are_undone_in_the_probabilities() {
    let mut data = Data::new(2000, 1.0, 5);
    // a rare outcome
    data.target
        .iter_mut()
        .enumerate()
        .for_each(|(row, target)| *target = *target && row % 6 == 0);
    let share = data.target.iter().filter(|target| **target).count() as f64 / 2000.0;
    for learner in [Learner::Logistic, Learner::Gbdt] {
        let plain = data.train(&one(learner)).unwrap();
        let params = OutcomeParams {
            class_weight: ClassWeight::Balanced,
            ..one(learner)
        };
        let balanced = data.train(&params).unwrap();
        assert_ne!(plain.out_of_fold, balanced.out_of_fold);
        let mean = balanced.out_of_fold.iter().sum::<f64>() / 2000.0;
        assert!((mean - share).abs() < 0.01, "{learner:?}: {mean} for {share}");
    }
    let (table, y) = values(100, 1);
    let (weight, group): (Vec<f64>, Vec<u64>) = (vec![1.0; 100], (0..100).collect());
    let set = TrainingSet {
        table: &table,
        target: Target::Value(&y),
        weight: &weight,
        group: &group,
        period: None,
    };
    let params = OutcomeParams {
        class_weight: ClassWeight::Balanced,
        ..quick()
    };
    assert_eq!(train(&set, &params, &|_, _| ()).unwrap_err().code, "TW0307");
}

#[test]
fn the_threshold_follows_costs_unless_it_is_given() {
    let data = Data::new(600, 1.5, 6);
    let payoff = Payoff::Amounts {
        true_positive: 9.0,
        false_positive: -1.0,
        true_negative: 0.0,
        false_negative: 0.0,
    };
    let training = data.train(&one(Learner::Logistic)).unwrap();
    assert_eq!(training.learner, Kept::One(Learner::Logistic));
    let found = training.choose_threshold(&data.set(), &payoff).unwrap();
    assert!((found.by_cost.unwrap().break_even.0 - 0.1).abs() < 1e-12 && found.threshold < 0.3);
    let params = OutcomeParams {
        threshold: Threshold::Fixed(0.5),
        ..one(Learner::Logistic)
    };
    let given = data
        .train(&params)
        .unwrap()
        .choose_threshold(&data.set(), &payoff)
        .unwrap();
    assert_eq!((given.threshold, given.by_cost), (0.5, None));
    let wrong = OutcomeParams {
        threshold: Threshold::Fixed(1.5),
        ..one(Learner::Logistic)
    };
    assert_eq!(data.train(&wrong).unwrap_err().code, "TW0307");
}
