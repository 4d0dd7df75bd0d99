//! Coefficients and standard errors against scikit-learn (`bench/fixtures/metrics.py`).

use serde_json::Value;

use super::{LogisticParams, fit};
use crate::models::Examples;
use crate::prepare::DenseMatrix;

fn fixture() -> (Value, DenseMatrix, Examples) {
    let all: Value = serde_json::from_str(include_str!("../../../tests/fixtures/metrics.json")).unwrap();
    let fixture = all["logistic"].clone();
    let data: Vec<f32> = serde_json::from_value(fixture["x"].clone()).unwrap();
    let target: Vec<bool> = serde_json::from_value(fixture["y"].clone()).unwrap();
    let n_rows = target.len();
    let weight = serde_json::from_value(fixture["weight"].clone()).unwrap();
    let examples = Examples::binary(&target, weight, (0..n_rows as u64).collect());
    (
        fixture,
        DenseMatrix {
            data,
            n_rows,
            n_columns: 4,
        },
        examples,
    )
}

#[test]
fn coefficients_and_standard_errors_agree_with_scikit_learn() {
    let (fixture, x, examples) = fixture();
    let params = LogisticParams {
        l2: fixture["l2"].as_f64().unwrap(),
        ..LogisticParams::default()
    };
    let model = fit(&x, &examples, &params).unwrap();
    for (index, (beta, standard_error)) in model.coefficients().enumerate() {
        assert!((beta - fixture["beta"][index].as_f64().unwrap()).abs() < 1e-6);
        assert!((standard_error - fixture["standard_errors"][index].as_f64().unwrap()).abs() < 1e-6);
    }
    assert_eq!(model.coefficients().count(), 5);
}

#[test]
fn contributions_are_slope_times_distance_from_the_mean() {
    let (_, x, examples) = fixture();
    let model = fit(&x, &examples, &LogisticParams::default()).unwrap();
    let contributions = model.contributions(&x, 0);
    let slope = model.coefficients().nth(4).unwrap().0;
    assert!((contributions.cells[3] - f64::from(x.row(0)[3]) * slope).abs() < 1e-12);
    for (row, margin) in contributions.cells.chunks_exact(4).zip(model.margins(&x).cells) {
        assert!((contributions.base + row.iter().sum::<f64>() - margin).abs() < 1e-9);
    }
}

#[test]
fn perfectly_separated_classes_converge_thanks_to_the_penalty() {
    let data: Vec<f32> = (0..40).map(|row| if row < 20 { -1.0 } else { 1.0 }).collect();
    let x = DenseMatrix {
        data,
        n_rows: 40,
        n_columns: 1,
    };
    let target: Vec<bool> = (0..40).map(|row| row >= 20).collect();
    let examples = Examples::binary(&target, vec![1.0; 40], (0..40).collect());
    let margins = fit(&x, &examples, &LogisticParams::default())
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
    assert_eq!(fit(&x, &examples, &params).unwrap_err().code, "TW0308");
    let params = LogisticParams {
        l2: 0.0,
        ..LogisticParams::default()
    };
    assert_eq!(fit(&x, &examples, &params).unwrap_err().code, "TW0307");
}
