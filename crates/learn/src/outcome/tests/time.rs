//! Splits in time: nothing from later than a cut-off reaches its scores.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use thalweg_domain::{Column, ColumnData, Seed, Table};

use super::quick;
use crate::evaluate::{Economics, Payoff, evaluate};
use crate::models::{Learner, sigmoid};
use crate::outcome::{LearnerChoice, OutcomeParams, OutcomeTraining, Split, TrainingSet, train};
use crate::task::Target;

/// Customers seen from several cut-offs; `drift` turns the slope of `x` around as time goes on.
struct Panel {
    table: Table,
    target: Vec<bool>,
    weight: Vec<f64>,
    group: Vec<u64>,
    period: Vec<u32>,
}

impl Panel {
    fn new(customers: usize, periods: u32, drift: f64, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let rows: Vec<(u64, u32)> = (0..periods)
            .flat_map(|period| (0..customers as u64).map(move |customer| (customer, period)))
            .collect();
        let x: Vec<f64> = rows.iter().map(|_| rng.random_range(-2.0..2.0)).collect();
        let y: Vec<f64> = rows.iter().map(|_| rng.random_range(-2.0..2.0)).collect();
        let target = (0..rows.len())
            .map(|row| {
                let slope = 1.0 - drift * f64::from(rows[row].1);
                rng.random::<f64>() < sigmoid(slope * x[row] + 0.5 * y[row])
            })
            .collect();
        let column = |name: &str, cells| Column {
            name: name.to_owned(),
            data: ColumnData::Number(cells),
        };
        Self {
            target,
            weight: vec![1.0; rows.len()],
            group: rows.iter().map(|(customer, _)| *customer).collect(),
            period: rows.iter().map(|(_, period)| *period).collect(),
            table: Table::new(vec![column("x", x), column("y", y)]).unwrap(),
        }
    }

    fn set(&self) -> TrainingSet<'_> {
        TrainingSet {
            table: &self.table,
            target: Target::Binary(&self.target),
            weight: &self.weight,
            group: &self.group,
            period: Some(&self.period),
        }
    }

    fn train(&self, params: &OutcomeParams) -> OutcomeTraining {
        train(&self.set(), params, &|_, _| ()).unwrap()
    }
}

fn rolling(cutoffs: usize, gap: u32) -> OutcomeParams {
    OutcomeParams {
        split: Split::Rolling { cutoffs, gap },
        ..quick()
    }
}

#[test]
fn scores_of_a_cut_off_do_not_depend_on_anything_later() {
    let mut panel = Panel::new(120, 5, 0.0, 1);
    let before = panel.train(&rolling(10, 2));
    // the outcomes of periods 2 and later are not known at cut-off 3
    for row in 0..panel.period.len() {
        if panel.period[row] >= 2 {
            panel.target[row] = !panel.target[row];
            panel.weight[row] = 1.0 + (row % 7) as f64;
        }
    }
    let after = panel.train(&rolling(10, 2));
    let (before, after) = (before.rolling.unwrap(), after.rolling.unwrap());
    assert_eq!(before.period.iter().min(), Some(&2));
    let moved = |period: u32| {
        (0..before.rows.len())
            .filter(|row| before.period[*row] == period)
            .filter(|row| before.out_of_fold[*row] != after.out_of_fold[*row])
            .count()
    };
    assert_eq!((moved(2), moved(3)), (0, 0));
    assert!(moved(4) > 100, "cut-off 4 knows period 2");
}

#[test]
fn the_latest_cut_offs_are_tested_and_the_model_learns_from_all() {
    let panel = Panel::new(150, 4, 0.0, 2);
    let training = panel.train(&rolling(2, 1));
    let found = training.rolling.as_ref().unwrap();
    assert_eq!(found.rows, (300..600).collect::<Vec<_>>());
    assert_eq!((found.period[0], found.period[299]), (2, 3));
    assert_eq!((found.fold[0], found.fold[299]), (0, 1));
    assert_eq!((training.out_of_fold.len(), found.candidates.len()), (600, 3));
    for row in 0..150 {
        let folds: Vec<u8> = (0..4).map(|period| training.fold[period * 150 + row]).collect();
        assert!(
            folds.windows(2).all(|pair| pair[0] == pair[1]),
            "customer {row} is split"
        );
    }
    let again = OutcomeTraining::from_json(&training.to_json().unwrap()).unwrap();
    assert_eq!(again.rolling.as_ref(), Some(found));
}

#[test]
fn what_a_random_split_claims_too_much_is_visible() {
    let panel = Panel::new(400, 4, 0.5, 3);
    let choice = LearnerChoice::One(Learner::Logistic);
    let training = panel.train(&OutcomeParams {
        choice,
        ..rolling(10, 1)
    });
    let value = vec![100.0; panel.target.len()];
    let economics = Economics {
        value: &value,
        contact_cost: 1.0,
        relative_effect: 0.1,
    };
    let found = evaluate(&training, &panel.set(), &economics, Seed(1)).unwrap();
    let auc = found.metrics[0].1.mean;
    let claimed = found.random_split.unwrap()[0].1.mean;
    assert!(claimed > auc + 0.03, "{auc} in time, {claimed} at random");
    let threshold = training
        .choose_threshold(&panel.set(), &Payoff::Economics(economics))
        .unwrap();
    assert!((threshold.by_cost.unwrap().break_even.0 - 0.1).abs() < 1e-12);
}

#[test]
fn periods_that_cannot_be_split_are_refused() {
    let code = |panel: &Panel, period: Option<&[u32]>, params: &OutcomeParams| {
        let set = TrainingSet {
            period,
            ..panel.set()
        };
        train(&set, params, &|_, _| ()).unwrap_err().code
    };
    let panel = Panel::new(60, 3, 0.0, 4);
    assert_eq!(code(&panel, None, &rolling(3, 1)), "TW0350");
    assert_eq!(code(&panel, Some(&panel.period), &rolling(3, 3)), "TW0350");
    assert_eq!(code(&panel, Some(&panel.period), &rolling(0, 1)), "TW0307");
    assert_eq!(code(&panel, Some(&panel.period), &rolling(3, 0)), "TW0307");
    assert_eq!(code(&panel, Some(&panel.period[1..]), &rolling(3, 1)), "TW0901");
}
