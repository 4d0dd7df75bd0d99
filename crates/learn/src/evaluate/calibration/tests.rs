//! Beta maps and temperatures against scikit-learn and scipy; the choice among maps against known truths.

use serde::Deserialize;

use super::fit::beta;
use super::{Calibrator, OutOfFold, Temperature, choose_calibrator};
use crate::evaluate::tests::reference::{agree, fixture};
use crate::evaluate::tests::scores;
use crate::models::sigmoid;

#[derive(Deserialize)]
struct Map {
    margin: Vec<f64>,
    y: Vec<bool>,
    weight: Vec<f64>,
    p: Vec<f64>,
    map: [f64; 3],
}

#[test]
fn beta_maps_agree_with_scikit_learn_and_drop_a_negative_exponent() {
    for case in fixture::<Vec<Map>>("beta") {
        let map = beta(&case.margin, &case.y, &case.weight);
        let Calibrator::Beta { a, b, c } = map else {
            panic!("a beta map is fitted");
        };
        for (ours, theirs) in [a, b, c].iter().zip(case.map) {
            agree("parameter", *ours, theirs);
        }
        for (margin, theirs) in case.margin.iter().zip(&case.p) {
            agree("probability", map.apply(*margin), *theirs);
        }
    }
}

#[derive(Deserialize)]
struct Heat {
    logits: Vec<f64>,
    classes: usize,
    y: Vec<u32>,
    weight: Vec<f64>,
    temperature: f64,
}

#[test]
fn the_temperature_is_the_root_that_scipy_finds() {
    let case: Heat = fixture("temperature");
    let found = Temperature::fit(&case.logits, case.classes, &case.y, Some(&case.weight)).unwrap();
    agree("temperature", found.temperature, case.temperature);
    let mut row = [1.0, 3.0, 2.0];
    found.apply(&mut row);
    agree("sum", row.iter().sum(), 1.0);
    assert!(row[1] > row[2] && row[2] > row[0]);
    // told apart without fault: bolder without end, but finite
    let apart = Temperature::fit(&[1.0, 0.0, 0.0, 1.0], 2, &[0, 1], None).unwrap();
    assert!(apart.temperature > 0.0 && apart.temperature < 0.05, "{apart:?}");
    assert_eq!(
        Temperature::fit(&[1.0, 0.0], 2, &[5], None).unwrap_err().code,
        "TW0320"
    );
}

fn chosen(n: usize, seed: u64, truth: impl Fn(f64) -> f64) -> Calibrator {
    let (margins, target, fold) = scores(n, seed, truth);
    let weight = vec![1.0; n];
    let scores = OutOfFold {
        margins: &margins,
        target: &target,
        weight: &weight,
        fold: &fold,
    };
    choose_calibrator(&scores).0
}

#[test]
fn the_kind_is_chosen_that_the_truth_has() {
    let skewed = |margin: f64| {
        let p = sigmoid(margin);
        let odds = p.powf(2.5) / (1.0 - p).powf(0.2);
        odds / (1.0 + odds)
    };
    assert_eq!(
        chosen(20_000, 21, |margin| sigmoid(0.3 * margin - 1.0)).name(),
        "platt"
    );
    let Calibrator::Beta { a, b, .. } = chosen(20_000, 22, skewed) else {
        panic!("a beta map for a beta truth");
    };
    assert!((a - 2.5).abs() < 0.4 && (b - 0.2).abs() < 0.2, "{a} {b}");
    // honest probabilities are hardly touched, whichever kind wins by chance
    for seed in 23..28 {
        let calibrator = chosen(5000, seed, sigmoid);
        for margin in [-2.0, -1.0, 0.0, 1.0, 2.0] {
            assert!(
                (calibrator.apply(margin) - sigmoid(margin)).abs() < 0.04,
                "{calibrator:?} at {margin}"
            );
        }
    }
    assert_eq!(Calibrator::Identity.apply(0.7), sigmoid(0.7));
}

#[test]
fn one_class_or_one_score_leaves_a_usable_map() {
    for (margins, target) in [
        ([0.5; 12], [true; 12]),
        (
            [0.5; 12],
            [
                true, false, true, false, true, false, true, false, true, false, true, false,
            ],
        ),
    ] {
        let fold: Vec<u8> = (0..12).map(|row| row % 3).collect();
        let scores = OutOfFold {
            margins: &margins,
            target: &target,
            weight: &[1.0; 12],
            fold: &fold,
        };
        let (calibrator, loss) = choose_calibrator(&scores);
        let p = calibrator.apply(0.5);
        assert!(p > 0.0 && p < 1.0 && loss.is_finite(), "{calibrator:?} {loss}");
    }
}
