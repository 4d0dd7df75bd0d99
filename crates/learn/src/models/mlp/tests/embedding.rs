//! Categories with many levels: learned vectors from the table to the score and its contributions.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use thalweg_domain::{Column, ColumnData, MISSING_LEVEL, Seed, Table};

use crate::models::mlp::{Embedding, Mlp, MlpParams, Optimizer};
use crate::models::{Examples, Fitted, Learner, LearnerParams, fit};

const LEVELS: u32 = 60;

/// A number and a category of many levels; every third level raises the outcome's probability.
fn table(n: usize, seed: u64, gaps: bool) -> (Table, Vec<bool>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let number: Vec<f64> = (0..n).map(|_| rng.random_range(-1.0..1.0)).collect();
    let codes: Vec<u32> = (0..n).map(|_| rng.random_range(0..LEVELS)).collect();
    let chance = |row: usize| {
        if codes[row].is_multiple_of(3) {
            0.85
        } else {
            0.25 + 0.1 * number[row]
        }
    };
    let target = (0..n).map(|row| rng.random::<f64>() < chance(row)).collect();
    let shown = codes.iter().enumerate();
    let shown = shown.map(|(row, code)| {
        if gaps && row % 9 == 0 {
            MISSING_LEVEL
        } else {
            *code
        }
    });
    let category = ColumnData::Category {
        codes: shown.collect(),
        levels: (0..LEVELS).map(|level| format!("level {level}")).collect(),
    };
    let column = |name: &str, data| Column {
        name: name.to_owned(),
        data,
    };
    let columns = vec![
        column("number", ColumnData::Number(number)),
        column("shop", category),
    ];
    (Table::new(columns).unwrap(), target)
}

fn fitted(embedding: Option<Embedding>, table: &Table, target: &[bool]) -> Fitted {
    let rows: Vec<usize> = (0..table.n_rows()).collect();
    let examples = Examples::binary(target, vec![1.0; rows.len()], (0..rows.len() as u64).collect());
    let mlp = MlpParams {
        hidden: vec![16],
        dropout: 0.0,
        optimizer: Optimizer::Adam,
        learning_rate: 0.005,
        embedding,
        ..MlpParams::default()
    };
    let params = LearnerParams {
        mlp,
        ..LearnerParams::default()
    };
    fit(Learner::Mlp, table, &rows, &examples, &params, Seed(3))
        .unwrap()
        .0
}

fn net(fitted: &Fitted) -> Mlp {
    let json = serde_json::to_value(fitted).unwrap();
    serde_json::from_value(json["model"]["mlp"].clone()).unwrap()
}

#[test]
fn many_levels_get_vectors_that_tell_them_apart() {
    let (training, target) = table(6000, 1, true);
    let (fresh, fresh_target) = table(3000, 2, false);
    let rows: Vec<usize> = (0..fresh.n_rows()).collect();
    for (embedding, dims) in [(Embedding::Dims(3), 3), (Embedding::Auto, 16)] {
        let model = fitted(Some(embedding), &training, &target);
        let net = net(&model);
        assert_eq!(net.dense_inputs(), 1);
        let tables = net.tables();
        assert_eq!((tables[0].0.rows, tables[0].0.dims), (62, dims));
        assert_eq!(net.layers()[0].inputs, 1 + dims);
        let margins = model.margins(&fresh, &rows).unwrap().cells;
        let hits = margins
            .iter()
            .zip(&fresh_target)
            .filter(|(margin, target)| (**margin > 0.0) == **target);
        // the best possible guess is right in 0.78 of the cases, the best without the category in 0.55
        assert!(hits.count() as f64 > 0.75 * 3000.0, "{embedding:?}");
        let contributions = model.contributions(&fresh, &rows[..5], 0).unwrap();
        assert_eq!(contributions.n_columns, 2);
        for (row, margin) in contributions.cells.chunks_exact(2).zip(&margins) {
            assert!((contributions.base + row[0] + row[1] - margin).abs() < 1e-6);
            assert!(row[1].abs() > row[0].abs(), "the level decides");
        }
    }
    assert!(net(&fitted(None, &training, &target)).tables().is_empty());
}

#[test]
fn unseen_and_missing_levels_have_vectors_of_their_own() {
    let (with_gaps, target) = table(4000, 5, true);
    let (without, whole_target) = table(4000, 5, false);
    let vectors = |table: &Table, target: &[bool]| {
        let net = net(&fitted(Some(Embedding::Dims(2)), table, target));
        let cells = net.tables()[0].1.to_vec();
        (cells[120..122].to_vec(), cells[122..124].to_vec(), cells)
    };
    // missing cells in training: learned, not the mean that an unseen level gets
    let (unseen, missing, _) = vectors(&with_gaps, &target);
    assert_ne!(unseen, missing);
    let (unseen, missing, cells) = vectors(&without, &whole_target);
    assert_eq!(unseen, missing);
    let mean = cells[..120].iter().step_by(2).sum::<f32>() / 60.0;
    assert!((mean - unseen[0]).abs() < 0.1, "{mean} {unseen:?}");
}
