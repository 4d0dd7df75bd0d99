//! The contract that every learner keeps: `check_model`.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use thalweg_domain::{Column, ColumnData, MISSING_LEVEL, Seed, Table};

use super::{Examples, Fitted, Learner, LearnerParams, fit, sigmoid};

/// A table with every kind of column, some cells missing; the outcome hangs on `spend` and `plan`.
fn table(n: usize, seed: u64) -> (Table, Vec<bool>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let spend: Vec<f64> = (0..n).map(|_| rng.random_range(0.0..100.0)).collect();
    let plan: Vec<u32> = (0..n).map(|_| rng.random_range(0..3)).collect();
    let target = spend
        .iter()
        .zip(&plan)
        .map(|(spend, plan)| rng.random::<f64>() < sigmoid(0.05 * (spend - 50.0) + f64::from(*plan) - 1.5))
        .collect();
    let or_missing = |cell: f64, gap: bool| if gap { f64::NAN } else { cell };
    let gaps: Vec<bool> = (0..n).map(|_| rng.random::<f64>() < 0.1).collect();
    let number = spend
        .iter()
        .zip(&gaps)
        .map(|(cell, gap)| or_missing(*cell, *gap))
        .collect();
    let codes = plan.iter().map(|code| {
        if *code == 2 && rng.random::<f64>() < 0.1 {
            MISSING_LEVEL
        } else {
            *code
        }
    });
    let column = |name: &str, data| Column {
        name: name.to_owned(),
        data,
    };
    let levels = ["basic", "family", "premium"].map(str::to_owned).to_vec();
    let columns = vec![
        column("spend", ColumnData::Number(number)),
        column(
            "plan",
            ColumnData::Category {
                codes: codes.collect(),
                levels,
            },
        ),
        column(
            "online",
            ColumnData::Boolean((0..n).map(|row| (row % 7 != 0).then_some(row % 2 == 0)).collect()),
        ),
        column(
            "joined",
            ColumnData::Date(
                (0..n)
                    .map(|_| Some(rng.random_range(0..1_700_000_000_000_000)))
                    .collect(),
            ),
        ),
        column("note", ColumnData::Text(vec![Some("free text".to_owned()); n])),
    ];
    (Table::new(columns).unwrap(), target)
}

fn examples(target: &[bool]) -> Examples {
    let n = target.len();
    Examples::binary(target, vec![1.0; n], (0..n as u64).collect())
}

fn fitted(learner: Learner, table: &Table, examples: &Examples) -> Fitted {
    let rows: Vec<usize> = (0..table.n_rows()).collect();
    fit(
        learner,
        table,
        &rows,
        examples,
        &LearnerParams::default(),
        Seed(3),
    )
    .unwrap()
    .0
}

fn margins(model: &Fitted, table: &Table) -> Vec<f64> {
    model
        .margins(table, &(0..table.n_rows()).collect::<Vec<_>>())
        .unwrap()
        .cells
}

fn bits(margins: &[f64]) -> Vec<u64> {
    margins.iter().map(|margin| margin.to_bits()).collect()
}

fn check_model(learner: Learner) {
    let (training, target) = table(1500, 1);
    let (fresh, fresh_target) = table(1500, 2);
    let plain = examples(&target);
    let model = fitted(learner, &training, &plain);
    let scores = margins(&model, &fresh);

    // same seed, same bytes; save and load, bit for bit
    let json = serde_json::to_string(&model).unwrap();
    assert_eq!(
        json,
        serde_json::to_string(&fitted(learner, &training, &plain)).unwrap(),
        "{learner:?}"
    );
    let loaded: Fitted = serde_json::from_str(&json).unwrap();
    assert_eq!(bits(&scores), bits(&margins(&loaded, &fresh)), "{learner:?}");
    assert_eq!(json, serde_json::to_string(&loaded).unwrap(), "{learner:?}");

    // a known signal, on new rows
    let pairs = |class: bool| {
        scores
            .iter()
            .zip(&fresh_target)
            .filter(move |(_, own)| **own == class)
    };
    let above: usize = pairs(true)
        .map(|(p, _)| pairs(false).filter(|(n, _)| p > *n).count())
        .sum();
    let auc = above as f64 / (pairs(true).count() * pairs(false).count()) as f64;
    assert!(auc > 0.77, "{learner:?}: {auc}");

    // weights: tripled positives raise the mean log-odds by about ln 3
    let heavy = target
        .iter()
        .map(|target| if *target { 3.0 } else { 1.0 })
        .collect();
    let weighted = fitted(
        learner,
        &training,
        &Examples {
            weight: heavy,
            ..plain.clone()
        },
    );
    let mean = |scores: &[f64]| scores.iter().sum::<f64>() / scores.len() as f64;
    let shift = mean(&margins(&weighted, &fresh)) - mean(&scores);
    assert!((0.7..1.5).contains(&shift), "{learner:?}: {shift}");

    // contributions add up to the log-odds, one per feature
    let contributions = model.contributions(&fresh, &[5, 0], 0).unwrap();
    assert_eq!((contributions.cells.len(), contributions.n_columns), (8, 4));
    for (row, score) in contributions.cells.chunks_exact(4).zip([scores[5], scores[0]]) {
        assert!(
            (contributions.base + row.iter().sum::<f64>() - score).abs() < 1e-4,
            "{learner:?}"
        );
    }
    refuses_what_it_cannot_use(learner, &training, &plain, &model);
}

fn refuses_what_it_cannot_use(learner: Learner, table: &Table, examples: &Examples, model: &Fitted) {
    let rows: Vec<usize> = (0..table.n_rows()).collect();
    let code = |table: &Table, examples: &Examples| {
        fit(
            learner,
            table,
            &rows,
            examples,
            &LearnerParams::default(),
            Seed(1),
        )
        .unwrap_err()
        .code
    };
    for weight in [f64::NAN, f64::INFINITY, 0.0, -1.0] {
        let mut wrong = examples.clone();
        wrong.weight[7] = weight;
        assert_eq!(code(table, &wrong), "TW0304", "{learner:?} {weight}");
    }
    let mut columns = table.columns().to_vec();
    let ColumnData::Number(cells) = &mut columns[0].data else {
        panic!("the first column is a number")
    };
    cells[3] = f64::INFINITY;
    let infinite = Table::new(columns).unwrap();
    assert_eq!(code(&infinite, examples), "TW0304", "{learner:?}");
    assert_eq!(
        model.margins(&infinite, &rows).unwrap_err().code,
        "TW0304",
        "{learner:?}"
    );
    let one_class = Examples {
        target: vec![1.0; rows.len()],
        ..examples.clone()
    };
    assert_eq!(code(table, &one_class), "TW0301", "{learner:?}");
}

#[test]
fn the_net_keeps_the_contract() {
    check_model(Learner::Mlp);
}

#[test]
fn the_trees_keep_the_contract() {
    check_model(Learner::Gbdt);
}

#[test]
fn the_regression_keeps_the_contract() {
    check_model(Learner::Logistic);
}

#[test]
fn learners_are_found_by_their_names() {
    for learner in Learner::ALL {
        assert_eq!(Learner::from_name(learner.as_str()), Some(learner));
        assert_eq!(
            serde_json::to_string(&learner).unwrap(),
            format!("\"{}\"", learner.as_str())
        );
    }
    assert_eq!(Learner::from_name("forest"), None);
}
