//! Every metric against scikit-learn, empulse, or its definition worked out the long way (`bench/fixtures/evaluate.py`).

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use thalweg_domain::Seed;

use crate::evaluate::{
    CLASS_METRIC_NAMES, ClassScores, Economics, EmpcParams, Payoff, ThresholdRule, VALUE_METRIC_NAMES,
    auc_interval, auc_with_error, brier_decomposition, choose_threshold, class_estimates, class_metrics,
    confusion_matrix, expected_maximum_profit, interval_quality, lift_by_decile, metrics, pinball_loss,
    profit_curve, recalibration, threshold_from_costs, value_estimates, value_metrics,
};

pub(in crate::evaluate) fn fixture<T: DeserializeOwned>(key: &str) -> T {
    let all: Value = serde_json::from_str(include_str!("../../../tests/fixtures/evaluate.json")).unwrap();
    serde_json::from_value(all[key].clone()).unwrap()
}

#[track_caller]
pub(in crate::evaluate) fn agree(what: &str, ours: f64, theirs: f64) {
    assert!(
        (ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0),
        "{what}: {ours}, reference {theirs}"
    );
}

fn number(expected: &Value, key: &str) -> f64 {
    expected[key].as_f64().unwrap()
}

#[derive(Deserialize)]
struct Classes {
    name: String,
    classes: usize,
    p: Vec<f64>,
    y: Vec<u32>,
    weight: Vec<f64>,
    expected: Value,
    expected_weighted: Value,
}

#[test]
fn several_classes_agree_with_scikit_learn() {
    for case in fixture::<Vec<Classes>>("classes") {
        let scores = ClassScores {
            p: &case.p,
            y: &case.y,
            n_classes: case.classes,
        };
        for (expected, weight) in [
            (&case.expected, None),
            (&case.expected_weighted, Some(&case.weight[..])),
        ] {
            let ours = class_metrics(&scores, weight).unwrap();
            for name in CLASS_METRIC_NAMES {
                agree(
                    &format!("{} {name}", case.name),
                    ours.get(name).unwrap(),
                    number(expected, name),
                );
            }
            let confusion: Vec<Vec<f64>> = serde_json::from_value(expected["confusion"].clone()).unwrap();
            assert_eq!(confusion_matrix(&scores, weight).unwrap(), confusion);
        }
    }
}

#[derive(Deserialize)]
struct Numbers {
    name: String,
    y: Vec<f64>,
    prediction: Vec<f64>,
    weight: Vec<f64>,
    expected: Value,
    expected_weighted: Value,
}

#[test]
fn numbers_agree_with_scikit_learn() {
    for case in fixture::<Vec<Numbers>>("numbers") {
        for (expected, weight) in [
            (&case.expected, None),
            (&case.expected_weighted, Some(&case.weight[..])),
        ] {
            let ours = value_metrics(&case.prediction, &case.y, weight).unwrap();
            for name in VALUE_METRIC_NAMES {
                agree(
                    &format!("{} {name}", case.name),
                    ours.get(name).unwrap(),
                    number(expected, name),
                );
            }
            for (q, key) in [(0.2, "pinball_0.2"), (0.9, "pinball_0.9")] {
                let ours = pinball_loss(&case.prediction, &case.y, weight, q).unwrap();
                agree(key, ours, number(expected, key));
            }
        }
    }
}

#[test]
fn a_constant_target_has_the_r2_that_scikit_learn_gives_it() {
    let r2 = |prediction: &[f64]| {
        value_metrics(prediction, &[2.0; 3], None)
            .unwrap()
            .get("r2")
            .unwrap()
    };
    assert_eq!((r2(&[2.0; 3]), r2(&[2.0, 2.0, 3.0])), (1.0, 0.0));
}

#[derive(Deserialize)]
struct Ranked {
    score: Vec<f64>,
    y: Vec<bool>,
    group: Vec<u64>,
    auc: f64,
    error: f64,
}

#[test]
fn the_error_of_an_auc_agrees_with_its_definition_pair_by_pair() {
    for case in fixture::<Vec<Ranked>>("delong") {
        let (auc, error) = auc_with_error(&case.score, &case.y, &case.group);
        agree("auc", auc, case.auc);
        agree("error", error, case.error);
    }
}

#[test]
fn a_perfect_auc_is_not_certain() {
    let y = [false, false, false, true, true, true, true];
    let rising: Vec<f64> = (0..7).map(f64::from).collect();
    let interval = auc_interval(&rising, &y, &[0, 1, 2, 3, 4, 5, 6]);
    // Clopper-Pearson: three of three
    assert!((interval.low - 0.025_f64.cbrt()).abs() < 1e-12 && interval.mean == 1.0 && interval.high == 1.0);
    let falling: Vec<f64> = rising.iter().map(|score| -score).collect();
    let reversed = auc_interval(&falling, &y, &[0, 1, 2, 3, 4, 5, 6]);
    assert!((reversed.high - (1.0 - interval.low)).abs() < 1e-12 && reversed.low == 0.0);
    assert_eq!(
        auc_interval(&[0.1, 0.2], &[true, true], &[0, 1]).low,
        0.0,
        "one class says nothing"
    );
}

#[derive(Deserialize)]
struct Brier {
    p: Vec<f64>,
    y: Vec<bool>,
    weight: Vec<f64>,
    brier: f64,
    parts: Value,
}

#[test]
fn the_brier_score_splits_in_two_exact_ways() {
    let case: Brier = fixture("brier");
    let parts = brier_decomposition(&case.p, &case.y, Some(&case.weight));
    for (key, ours) in [
        ("reliability", parts.reliability),
        ("resolution", parts.resolution),
        ("uncertainty", parts.uncertainty),
        ("within_bin_variance", parts.within_bin_variance),
        ("within_bin_covariance", parts.within_bin_covariance),
        ("miscalibration", parts.miscalibration),
        ("discrimination", parts.discrimination),
    ] {
        agree(key, ours, number(&case.parts, key));
    }
    let inside = parts.within_bin_variance - parts.within_bin_covariance;
    agree(
        "bins",
        parts.reliability - parts.resolution + parts.uncertainty + inside,
        case.brier,
    );
    agree(
        "isotonic",
        parts.miscalibration - parts.discrimination + parts.uncertainty,
        case.brier,
    );
}

#[derive(Deserialize)]
struct ChurnProfit {
    score: Vec<f64>,
    y: Vec<bool>,
    expected: Vec<ChurnExpected>,
}

#[derive(Deserialize)]
struct ChurnExpected {
    terms: [f64; 5],
    profit: f64,
    contacted: f64,
}

#[test]
fn the_expected_maximum_profit_agrees_with_empulse() {
    let case: ChurnProfit = fixture("churn_profit");
    for ChurnExpected {
        terms: [alpha, beta, lifetime_value, offer_cost, contact_cost],
        profit,
        contacted,
    } in case.expected
    {
        let params = EmpcParams {
            alpha,
            beta,
            lifetime_value,
            offer_cost,
            contact_cost,
        };
        let ours = expected_maximum_profit(&case.score, &case.y, None, &params).unwrap();
        agree("profit", ours.profit_per_customer, profit);
        agree("contacted", ours.contacted, contacted);
    }
    let lossy = EmpcParams {
        lifetime_value: 5.0,
        ..EmpcParams::default()
    };
    let refused = expected_maximum_profit(&case.score, &case.y, None, &lossy).unwrap_err();
    assert_eq!(refused.code, "TW0320");
}

#[derive(Deserialize)]
struct ContactProfit {
    p: Vec<f64>,
    y: Vec<bool>,
    value: Vec<f64>,
    cost: f64,
    effect: f64,
    points: Vec<f64>,
    best_share: f64,
    best_threshold: f64,
    best_profit: f64,
    lift: Vec<f64>,
}

#[test]
fn the_profit_curve_agrees_with_trying_every_cut() {
    let case: ContactProfit = fixture("contact_profit");
    let payoff = Payoff::Economics(Economics {
        value: &case.value,
        contact_cost: case.cost,
        relative_effect: case.effect,
    });
    let group: Vec<u64> = (0..case.p.len() as u64).collect();
    let curve = profit_curve(&case.p, &case.y, &group, &payoff).unwrap();
    for (ours, theirs) in curve.points.iter().zip(&case.points) {
        agree("profit", ours.profit_per_customer, *theirs);
    }
    agree("share", curve.best.contacted, case.best_share);
    agree("threshold", curve.best_threshold, case.best_threshold);
    agree("best profit", curve.best.profit_per_customer, case.best_profit);
    agree("its estimate", curve.best_profit.mean, case.best_profit);
    assert!(curve.best_profit.low < case.best_profit && case.best_profit < curve.best_profit.high);
    let lift = lift_by_decile(&case.p, &case.y, None).unwrap();
    for (ours, theirs) in lift.iter().zip(&case.lift) {
        agree("lift", ours.lift, *theirs);
    }
    let economics = Economics {
        value: &case.value,
        contact_cost: case.cost,
        relative_effect: case.effect,
    };
    let top = metrics(&case.p, &case.y, &economics)
        .unwrap()
        .get("top_decile_lift")
        .unwrap();
    agree("the first tenth", lift[0].lift, top);
    agree("all tenths", lift[9].captured, 1.0);
}

#[test]
fn accuracy_is_a_payoff_too() {
    let case: ContactProfit = fixture("contact_profit");
    let group: Vec<u64> = (0..case.p.len() as u64).collect();
    let fold: Vec<u8> = (0..case.p.len()).map(|row| (row % 5) as u8).collect();
    let choice = choose_threshold(&case.p, &case.y, &fold, &group, &Payoff::ACCURACY).unwrap();
    let economics = Economics {
        value: &case.value,
        contact_cost: case.cost,
        relative_effect: case.effect,
    };
    let accuracy = metrics(&case.p, &case.y, &economics)
        .unwrap()
        .get("accuracy")
        .unwrap();
    agree("profit at one half", choice.profit_at_half.mean, accuracy);
    assert_eq!(
        (choice.break_even.0, choice.rule),
        (0.5, ThresholdRule::BreakEven)
    );
    assert_eq!(choice.gain_over_half.mean, 0.0);
}

#[test]
fn thresholds_follow_costs_and_repair_probabilities_that_lie() {
    let (margins, y, fold) = super::scores(6000, 11, crate::models::sigmoid);
    let honest: Vec<f64> = margins
        .iter()
        .map(|margin| crate::models::sigmoid(*margin))
        .collect();
    let group: Vec<u64> = (0..6000).collect();
    let payoff = Payoff::Amounts {
        true_positive: 9.0,
        false_positive: -1.0,
        true_negative: 0.0,
        false_negative: 0.0,
    };
    let choice = choose_threshold(&honest, &y, &fold, &group, &payoff).unwrap();
    agree("cost / (cost + benefit)", choice.break_even.0, 0.1);
    agree("the same", threshold_from_costs(1.0, 9.0), 0.1);
    assert_eq!(
        (choice.rule, choice.threshold),
        (ThresholdRule::BreakEven, choice.break_even.0)
    );
    assert!(choice.gain_over_half.low > 0.0, "{:?}", choice.gain_over_half);
    // the same ranking with probabilities far too low: searching pays
    let timid: Vec<f64> = margins
        .iter()
        .map(|margin| crate::models::sigmoid(margin - 4.0))
        .collect();
    let repaired = choose_threshold(&timid, &y, &fold, &group, &payoff).unwrap();
    assert_eq!(repaired.rule, ThresholdRule::MostProfitable);
    assert!(repaired.threshold < 0.01 && (repaired.profit.mean - choice.profit.mean).abs() < 0.03);
    let pointless = Payoff::Amounts {
        true_positive: 0.0,
        false_positive: -1.0,
        true_negative: 0.0,
        false_negative: 0.0,
    };
    assert_eq!(
        choose_threshold(&honest, &y, &fold, &group, &pointless)
            .unwrap_err()
            .code,
        "TW0320"
    );
}

#[test]
fn one_class_gives_what_scikit_learn_gives() {
    let expected: Value = fixture("one_class");
    let economics = Economics {
        value: &[1.0; 3],
        contact_cost: 0.0,
        relative_effect: 0.1,
    };
    let ours = metrics(&[0.2, 0.7, 0.9], &[false; 3], &economics).unwrap();
    for (key, theirs) in expected.as_object().unwrap() {
        agree(key, ours.get(key).unwrap(), theirs.as_f64().unwrap());
    }
}

#[test]
fn recalibration_stays_finite_where_it_has_no_answer() {
    let apart = recalibration(&[(0.1, false), (0.2, false), (0.8, true), (0.9, true)], None);
    assert!(apart.slope > 5.0 && apart.slope.is_finite());
    let flat = recalibration(&[(0.4, false), (0.4, true), (0.4, true), (0.4, true)], None);
    agree("the base rate's log-odds", flat.intercept, 3.0_f64.ln());
    assert_eq!(flat.slope, 0.0);
    let extreme = recalibration(
        &[(0.0, false), (1.0, true), (0.0, true), (1.0, false), (0.5, true)],
        None,
    );
    assert!(extreme.slope.abs() < 1.0, "{extreme:?}");
}

#[test]
fn intervals_of_classes_and_numbers_hold_their_means_and_repeat() {
    let case = fixture::<Vec<Classes>>("classes").remove(0);
    let group: Vec<u64> = (0..case.y.len() as u64 / 2).flat_map(|id| [id, id]).collect();
    let scores = ClassScores {
        p: &case.p,
        y: &case.y,
        n_classes: case.classes,
    };
    let found = class_estimates(&scores, &group, Seed(3)).unwrap();
    assert_eq!(found, class_estimates(&scores, &group, Seed(3)).unwrap());
    let means = class_metrics(&scores, None).unwrap();
    for (name, estimate) in &found {
        assert_eq!(Some(estimate.mean), means.get(name));
        assert!(
            estimate.low < estimate.mean && estimate.mean < estimate.high,
            "{name} {estimate:?}"
        );
    }
    let case = fixture::<Vec<Numbers>>("numbers").remove(0);
    let group: Vec<u64> = (0..case.y.len() as u64).collect();
    let errors: Vec<f64> = case
        .prediction
        .iter()
        .zip(&case.y)
        .map(|(p, y)| (p - y).abs())
        .collect();
    let n = errors.len() as f64;
    let mean = errors.iter().sum::<f64>() / n;
    let exact = (errors.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / n / n).sqrt();
    let found = value_estimates(&case.prediction, &case.y, &group, Seed(3)).unwrap();
    let ours = (found[1].1.high - found[1].1.mean) / thalweg_domain::Estimate::Z95;
    assert!(
        (ours / exact - 1.0).abs() < 0.15,
        "the mean's error is known: {ours} {exact}"
    );
}

#[test]
fn intervals_are_held_against_what_came() {
    let quality = interval_quality(&[0.0; 4], &[2.0; 4], &[1.0, 0.0, 3.0, 2.0], &[0, 1, 2, 3], 0.9).unwrap();
    agree("coverage", quality.coverage.mean, 0.75);
    agree("width", quality.mean_width, 2.0);
    agree("score", quality.interval_score, 2.0 + 20.0 * 0.25);
}

#[test]
fn what_cannot_be_evaluated_is_refused() {
    let refused = |p: &[f64], y: &[u32], n_classes| {
        class_metrics(&ClassScores { p, y, n_classes }, None)
            .unwrap_err()
            .code
    };
    assert_eq!(refused(&[0.5, 0.6], &[0], 2), "TW0320");
    assert_eq!(refused(&[0.5, 0.5], &[2], 2), "TW0320");
    assert_eq!(refused(&[1.0], &[0], 1), "TW0320");
    assert_eq!(refused(&[], &[], 2), "TW0303");
    assert_eq!(
        value_metrics(&[f64::NAN], &[1.0], None).unwrap_err().code,
        "TW0320"
    );
    assert_eq!(
        value_metrics(&[1.0], &[1.0], Some(&[-1.0])).unwrap_err().code,
        "TW0320"
    );
    assert_eq!(
        pinball_loss(&[1.0], &[1.0], None, 1.0).unwrap_err().code,
        "TW0320"
    );
}
