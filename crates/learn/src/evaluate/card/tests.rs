//! The card of a small business, word for word (`tests/fixtures/model_card.md`, `model_card.json`).
//!
//! `THALWEG_GOLDEN=write cargo test -p thalweg-learn card` rewrites both.

use std::path::Path;

use serde_json::Value;
use thalweg_domain::{Check, CheckVerdict, Estimate};

use super::{
    CardCalibration, CardCheck, CardData, CardFairness, CardImportance, CardMetric, CardPrivacy, CardTest,
    CardThreshold, Fitted, ModelCard,
};
use crate::evaluate::{CalibrationBin, FeatureImportance, Grouping, Payoff, TestPart, choose_threshold};
use crate::fairness::{Decided, Reference, fairness};

fn estimate(mean: f64, low: f64, high: f64) -> Estimate {
    Estimate { mean, low, high }
}

fn pair(a: &str, b: &str) -> (String, String) {
    (a.to_owned(), b.to_owned())
}

fn card() -> ModelCard {
    // forty customers of each sex; the model selects half as many of one
    let level: Vec<u32> = (0..80).map(|row| row % 2).collect();
    let p: Vec<f64> = (0..80)
        .map(|row| {
            if row % 2 == 0 {
                f64::from(row) / 80.0
            } else {
                f64::from(row) / 120.0
            }
        })
        .collect();
    let y: Vec<bool> = (0..80).map(|row| row % 8 < 4 && row > 20).collect();
    let selected: Vec<bool> = p.iter().map(|p| *p >= 0.5).collect();
    let group: Vec<u64> = (0..80).collect();
    let fold: Vec<u8> = (0..80).map(|row| row / 2 % 4).collect();
    let names = ["F", "M"].map(str::to_owned);
    let decided = Decided {
        p: &p,
        selected: &selected,
        y: &y,
        group: &group,
    };
    let column = Grouping {
        column: "sex",
        level: &level,
        names: &names,
    };
    let report = fairness(&decided, &column, Reference::Largest).unwrap();
    let payoff = Payoff::Amounts {
        true_positive: 3.0,
        false_positive: -1.0,
        true_negative: 0.0,
        false_negative: 0.0,
    };
    let choice = choose_threshold(&p, &y, &fold, &group, &payoff).unwrap();
    let metrics = vec![
        ("auc", estimate(0.845, 0.832, 0.858)),
        ("log_loss", estimate(0.4123, 0.4, 0.4246)),
    ];
    let check = Check {
        name: "calibration",
        verdict: CheckVerdict::Pass,
        detail: "expected calibration error 0.012".to_owned(),
        advice: None,
        code: None,
    };
    ModelCard {
        model: "churn | spring".to_owned(),
        hash: "m-0123456789ab".to_owned(),
        learner: "gbdt".to_owned(),
        task: "binary".to_owned(),
        intended_use: vec!["To rank customers by how likely they leave within 30 days.".to_owned()],
        limits: vec!["Not for decisions about credit or prices.".to_owned()],
        data: CardData {
            source: "customers.csv".to_owned(),
            hash: "t-89abcdef0123".to_owned(),
            rows: 7043,
            customers: 7043,
            target: "churn within 30 days".to_owned(),
            target_summary: vec![("left".to_owned(), 1869.0), ("stayed".to_owned(), 5174.0)],
            period: None,
            columns: vec![pair("tenure_months", "number"), pair("contract", "category")],
            excluded: vec![pair("closed_at", "it gives the outcome away")],
        },
        protocol: "stratified 5-fold, seed 42".to_owned(),
        test: Some(CardTest::from(&TestPart {
            rows: 1409,
            metrics: vec![("auc", estimate(0.841, 0.815, 0.867))],
        })),
        metrics: CardMetric::all(&metrics),
        calibration: Some(CardCalibration::from(Fitted {
            method: "platt",
            curve: &[CalibrationBin {
                predicted: 0.05,
                observed: estimate(0.048, 0.04, 0.06),
                n: 3000,
            }],
        })),
        threshold: Some(CardThreshold::from(&choice)),
        checks: vec![CardCheck::from(&check)],
        fairness: vec![CardFairness::from(&report)],
        importance: vec![CardImportance::from(&FeatureImportance {
            feature: "contract".to_owned(),
            importance: estimate(0.051, 0.044, 0.058),
        })],
        privacy: CardPrivacy::Differential {
            epsilon: 3.0,
            delta: 1e-5,
            accounting: "Protects single rows; Renyi accountant of the sampled Gaussian".to_owned(),
        },
    }
}

#[track_caller]
fn golden(file: &str, ours: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(file);
    if std::env::var("THALWEG_GOLDEN").as_deref() == Ok("write") {
        std::fs::write(&path, ours).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(ours == written, "{file} differs; now it would be:\n{ours}");
}

#[test]
fn the_card_reads_as_it_was_agreed() {
    golden("model_card.md", &card().to_markdown());
    golden("model_card.json", &format!("{}\n", card().to_json().unwrap()));
}

#[test]
fn metrics_keep_their_shape_and_order_in_json() {
    let json = card().to_json().unwrap();
    let read: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(read["metrics"]["auc"]["ci95"], serde_json::json!([0.832, 0.858]));
    assert_eq!(read["metrics"]["auc"]["method"], "DeLong");
    assert_eq!(
        read["privacy"],
        serde_json::json!({"kind": "differential", "epsilon": 3.0, "delta": 1e-5,
        "accounting": "Protects single rows; Renyi accountant of the sampled Gaussian"})
    );
    assert!(json.find("\"auc\"").unwrap() < json.find("\"log_loss\"").unwrap());
}

#[test]
fn empty_sections_are_left_out_and_text_stays_text() {
    let mut bare = card();
    bare.fairness.clear();
    bare.threshold = None;
    bare.privacy = CardPrivacy::None;
    let page = bare.to_markdown();
    assert!(
        !page.contains("## Fairness") && !page.contains("## When to act"),
        "{page}"
    );
    assert!(page.contains("Guard it like the data"));
    assert!(page.starts_with("# Model card: churn \\| spring\n"));
    bare.data.source = "a\n# b_c _d".to_owned();
    assert!(bare.to_markdown().contains("from a \\# b_c \\_d, hash"));
}

#[test]
fn a_figure_that_is_none_is_refused() {
    let mut broken = card();
    broken.metrics[0].mean = f64::NAN;
    assert_eq!(broken.to_json().unwrap_err().code, "TW0320");
}
