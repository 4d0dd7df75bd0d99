//! Coefficients and standard errors against scikit-learn and statsmodels (`bench/fixtures/metrics.py`, `linear.py`).

mod measure;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use thalweg_domain::Seed;

use super::{Inputs, Logistic, LogisticParams, Terms, cross_fit, fit};
use crate::models::Examples;
use crate::prepare::{DenseMatrix, SparseMatrix};
use crate::task::Task;

const SEED: Seed = Seed(1);

fn fixture() -> (Value, Inputs, Examples) {
    let all: Value = serde_json::from_str(include_str!("../../../../tests/fixtures/metrics.json")).unwrap();
    let fixture = all["logistic"].clone();
    let data: Vec<f32> = serde_json::from_value(fixture["x"].clone()).unwrap();
    let target: Vec<bool> = serde_json::from_value(fixture["y"].clone()).unwrap();
    let n_rows = target.len();
    let weight = serde_json::from_value(fixture["weight"].clone()).unwrap();
    let examples = Examples::binary(&target, weight, (0..n_rows as u64).collect());
    (fixture, dense(data, 4), examples)
}

fn dense(data: Vec<f32>, n_columns: usize) -> Inputs {
    let n_rows = data.len() / n_columns;
    Inputs {
        dense: DenseMatrix {
            data,
            n_rows,
            n_columns,
        },
        terms: None,
    }
}

#[test]
fn coefficients_and_standard_errors_agree_with_scikit_learn() {
    let (fixture, x, examples) = fixture();
    let params = LogisticParams {
        l2: fixture["l2"].as_f64().unwrap(),
        ..LogisticParams::default()
    };
    let model = fit(&x, &examples, &params, SEED).unwrap();
    for (index, (beta, standard_error)) in model.coefficients(0).enumerate() {
        assert!((beta - fixture["beta"][index].as_f64().unwrap()).abs() < 1e-6);
        assert!((standard_error - fixture["standard_errors"][index].as_f64().unwrap()).abs() < 1e-6);
    }
    assert_eq!(model.coefficients(0).count(), 5);
}

#[test]
fn contributions_are_slope_times_distance_from_the_mean() {
    let (_, x, examples) = fixture();
    let model = fit(&x, &examples, &LogisticParams::default(), SEED).unwrap();
    let contributions = model.contributions(&x, 0);
    let slope = model.coefficients(0).nth(4).unwrap().0;
    assert!((contributions.cells[3] - f64::from(x.dense.row(0)[3]) * slope).abs() < 1e-12);
    for (row, margin) in contributions.cells.chunks_exact(4).zip(model.margins(&x).cells) {
        assert!((contributions.base + row.iter().sum::<f64>() - margin).abs() < 1e-9);
    }
}

#[test]
fn perfectly_separated_classes_converge_thanks_to_the_penalty() {
    let data: Vec<f32> = (0..40).map(|row| if row < 20 { -1.0 } else { 1.0 }).collect();
    let x = dense(data, 1);
    let target: Vec<bool> = (0..40).map(|row| row >= 20).collect();
    let examples = Examples::binary(&target, vec![1.0; 40], (0..40).collect());
    let margins = fit(&x, &examples, &LogisticParams::default(), SEED)
        .unwrap()
        .margins(&x)
        .cells;
    assert!(
        margins[0] < -1.5 && margins[39] > 1.5 && margins[39] < 10.0,
        "{margins:?}"
    );
}

#[test]
fn steps_that_run_out_are_an_error() {
    let (_, x, examples) = fixture();
    let params = LogisticParams {
        max_steps: 2,
        tolerance: 1e-14,
        ..LogisticParams::default()
    };
    assert_eq!(fit(&x, &examples, &params, SEED).unwrap_err().code, "TW0308");
    let params = LogisticParams {
        l2: 0.0,
        ..LogisticParams::default()
    };
    assert_eq!(fit(&x, &examples, &params, SEED).unwrap_err().code, "TW0307");
}

fn linear() -> Value {
    serde_json::from_str(include_str!("../../../../tests/fixtures/linear.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

fn rows(value: &Value) -> Vec<Vec<f64>> {
    serde_json::from_value(value.clone()).unwrap()
}

fn of_case(case: &Value) -> (Inputs, Examples, LogisticParams) {
    let x = rows(&case["x"]);
    let target = numbers(&case["y"]);
    let task = match case["name"].as_str().unwrap() {
        "binary" | "sparse" => Task::Binary,
        "value" | "ridge" => Task::Value,
        _ => Task::Class {
            classes: ["a", "b", "c"].map(str::to_owned).to_vec(),
        },
    };
    let examples = Examples {
        task,
        weight: numbers(&case["weight"]),
        group: (0..target.len() as u64).collect(),
        target,
    };
    let params = LogisticParams {
        l2: case["l2"].as_f64().unwrap(),
        ..LogisticParams::default()
    };
    let cells = x.iter().flatten().map(|cell| *cell as f32).collect();
    (dense(cells, x[0].len()), examples, params)
}

/// Each output's coefficients, intercept first, then their standard errors.
fn fitted(model: &Logistic) -> Vec<(Vec<f64>, Vec<f64>)> {
    (0..model.n_outputs())
        .map(|output| model.coefficients(output).unzip())
        .collect()
}

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() < 1e-6 * (1.0 + expected.abs())
}

#[test]
fn every_kind_of_target_agrees_with_statsmodels_and_scikit_learn() {
    for case in linear()["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let (x, examples, params) = of_case(case);
        let model = fit(&x, &examples, &params, SEED).unwrap();
        let found = fitted(&model);
        let (beta, errors) = (rows(&case["beta"]), rows(&case["standard_errors"]));
        if name == "differences" {
            // statsmodels says by how much each class differs from the first
            for (class, beta) in beta.iter().enumerate() {
                for (index, expected) in beta.iter().enumerate() {
                    let difference = found[class + 1].0[index] - found[0].0[index];
                    assert!(
                        close(difference, *expected),
                        "{name} {class} {index}: {difference} {expected}"
                    );
                }
            }
            continue;
        }
        for (output, (own_beta, own_errors)) in found.iter().enumerate() {
            for index in 0..own_beta.len() {
                let (found, expected) = (own_beta[index], beta[output][index]);
                assert!(
                    close(found, expected),
                    "{name} {output} {index}: {found} {expected}"
                );
                let (found, expected) = (own_errors[index], errors[output][index]);
                assert!(
                    close(found, expected),
                    "standard error, {name} {output} {index}: {found} {expected}"
                );
            }
        }
    }
}

#[test]
fn the_intercepts_of_classes_add_up_to_nothing() {
    let all = linear();
    let (x, examples, params) = of_case(&all["cases"][3]);
    let found = fitted(&fit(&x, &examples, &params, SEED).unwrap());
    let sum: f64 = found.iter().map(|(beta, _)| beta[0]).sum();
    assert!(found.len() == 3 && sum.abs() < 1e-9, "{sum}");
}

fn sparse_case() -> (Value, Inputs, Examples, LogisticParams) {
    let mut case = linear()["sparse"].clone();
    case["name"] = Value::from("sparse");
    let (mut inputs, examples, params) = of_case(&case);
    let cells = rows(&case["terms"]);
    let of_row = |row: &Vec<f64>| {
        let kept = row.iter().enumerate().filter(|(_, cell)| **cell != 0.0);
        kept.map(|(column, cell)| (column as u32, *cell as f32)).collect()
    };
    let part = (cells.iter().map(of_row).collect(), cells[0].len());
    inputs.terms = Some(Terms::new(SparseMatrix::beside(&[part], cells.len())));
    let params = LogisticParams {
        text_l2: case["text_l2"].as_f64(),
        ..params
    };
    (case, inputs, examples, params)
}

#[test]
fn columns_and_terms_are_fitted_jointly_as_scikit_learn_does() {
    let (case, inputs, examples, params) = sparse_case();
    let model = fit(&inputs, &examples, &params, SEED).unwrap();
    // so few rows end at an expected decrease of 1e-8 a row in the loss
    for (found, expected) in model.margins(&inputs).cells.iter().zip(numbers(&case["margins"])) {
        assert!((found - expected).abs() < 3e-3, "{found} {expected}");
    }
    for (found, expected) in fitted(&model)[0].0.iter().zip(numbers(&case["beta"])) {
        assert!((found - expected).abs() < 3e-3, "{found} {expected}");
    }
    for (found, expected) in model.term_weights().iter().zip(numbers(&case["term_weights"])) {
        assert!((f64::from(*found) - expected).abs() < 3e-3, "{found} {expected}");
    }
}

#[test]
fn contributions_of_columns_and_terms_add_up_for_every_class() {
    let (_, inputs, examples, params) = sparse_case();
    let three = Examples {
        task: Task::Class {
            classes: ["a", "b", "c"].map(str::to_owned).to_vec(),
        },
        target: examples
            .target
            .iter()
            .enumerate()
            .map(|(row, y)| if row % 5 == 0 { 2.0 } else { *y })
            .collect(),
        ..examples
    };
    let model = fit(&inputs, &three, &params, SEED).unwrap();
    let margins = model.margins(&inputs);
    for output in 0..3 {
        let contributions = model.contributions(&inputs, output);
        assert_eq!(contributions.n_columns, 5, "four columns and one text");
        let n = margins.rows().count() as f64;
        let text: f64 = contributions.cells.iter().skip(4).step_by(5).sum::<f64>() / n;
        assert!(text.abs() < 1e-9, "the text is compared with its mean: {text}");
        for (row, margins) in contributions.cells.chunks_exact(5).zip(margins.rows()) {
            let sum = contributions.base + row.iter().sum::<f64>();
            assert!((sum - margins[output]).abs() < 1e-9, "{sum} {margins:?}");
        }
    }
}

#[test]
fn a_value_on_any_scale_gives_the_same_model_on_that_scale() {
    let (_, inputs, examples, params) = sparse_case();
    let value = |scale: f64, shift: f64| {
        let target = examples.target.iter().map(|y| shift + scale * y).collect();
        let examples = Examples {
            task: Task::Value,
            target,
            ..examples.clone()
        };
        fit(&inputs, &examples, &params, SEED)
            .unwrap()
            .margins(&inputs)
            .cells
    };
    for (small, large) in value(1.0, 0.0).iter().zip(value(1e6, 1e9)) {
        assert!((1e9 + 1e6 * small - large).abs() < 1.0, "{small} {large}");
    }
}

#[test]
fn the_penalty_of_terms_is_strong_for_noise_and_scores_are_out_of_fold() {
    let (_, inputs, examples, params) = sparse_case();
    let free = LogisticParams {
        text_l2: None,
        ..params
    };
    let noise = |seed: u64| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let target = examples
            .target
            .iter()
            .map(|_| f64::from(u8::from(rng.random::<f64>() < 0.5)))
            .collect();
        Examples {
            target,
            ..examples.clone()
        }
    };
    let weight = |examples: &Examples| {
        let (model, scores) = cross_fit(&inputs, examples, &free, (5, SEED)).unwrap();
        assert_eq!(scores.len(), examples.target.len());
        let seen = model.margins(&inputs).cells;
        assert!(seen.iter().zip(&scores).all(|(seen, left_out)| seen != left_out));
        model
            .term_weights()
            .iter()
            .map(|weight| f64::from(weight.abs()))
            .sum::<f64>()
    };
    let of_noise = (0..8).map(|seed| weight(&noise(seed))).sum::<f64>() / 8.0;
    let of_signal = weight(&examples);
    assert!(of_noise < 0.7 * of_signal, "{of_noise} {of_signal}");
}
