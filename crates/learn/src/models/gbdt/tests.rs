//! What the trees must learn that a line cannot, and that contributions add up.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use thalweg_domain::Seed;

use super::GbdtParams;
use super::fit::fit_source;
use super::predict::Gbdt;
use crate::models::Examples;
use crate::prepare::RawMatrix;

fn grown(x: &RawMatrix, examples: &Examples, params: &GbdtParams, seed: u64) -> Gbdt {
    fit_source(x, examples, params, &vec![0; x.n_columns], Seed(seed)).unwrap()
}

/// The outcome is an exclusive or of the first two columns; the third is mostly missing and means nothing.
fn exclusive_or(n_rows: usize) -> (RawMatrix, Examples) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut x = RawMatrix::with_rows(n_rows);
    let columns: Vec<Vec<f64>> = (0..3)
        .map(|_| (0..n_rows).map(|_| rng.random_range(-1.0..1.0)).collect())
        .collect();
    let target: Vec<bool> = (0..n_rows)
        .map(|row| (columns[0][row] > 0.0) != (columns[1][row] > 0.0))
        .collect();
    x.push_column(columns[0].iter().copied());
    x.push_column(columns[1].iter().copied());
    x.push_column(
        columns[2]
            .iter()
            .map(|cell| if *cell > -0.8 { f64::NAN } else { *cell }),
    );
    (
        x,
        Examples::binary(&target, vec![1.0; n_rows], (0..n_rows as u64).collect()),
    )
}

#[test]
fn trees_learn_an_interaction_and_contributions_add_up() {
    let (x, examples) = exclusive_or(2000);
    let model = grown(&x, &examples, &GbdtParams::default(), 1);
    let margins = model.margins(&x).unwrap().cells;
    let hits = margins
        .iter()
        .zip(&examples.target)
        .filter(|(margin, target)| (**margin > 0.0) == (**target > 0.5))
        .count();
    assert!(hits > 1900, "{hits} of 2000");
    let contributions = model.contributions(&x, 0).unwrap();
    for (row, margin) in contributions.cells.chunks_exact(3).zip(margins) {
        assert!((contributions.base + row.iter().sum::<f64>() - margin).abs() < 1e-9);
    }
    let size = |column: usize| {
        contributions
            .cells
            .iter()
            .skip(column)
            .step_by(3)
            .map(|c| c.abs())
            .sum::<f64>()
    };
    assert!(size(0) > 5.0 * size(2) && size(1) > 5.0 * size(2));
}

#[test]
fn rows_and_columns_are_drawn_by_the_seed() {
    let (x, examples) = exclusive_or(500);
    let margins = |seed| {
        grown(&x, &examples, &GbdtParams::default(), seed)
            .margins(&x)
            .unwrap()
            .cells
    };
    assert_eq!(margins(1), margins(1));
    assert_ne!(margins(1), margins(2));
}

#[test]
fn parameters_out_of_range_are_refused_with_their_name() {
    let default = GbdtParams::default;
    for (params, key) in [
        (
            GbdtParams {
                trees: 0,
                ..default()
            },
            "trees",
        ),
        (
            GbdtParams {
                learning_rate: f64::NAN,
                ..default()
            },
            "learning_rate",
        ),
        (
            GbdtParams {
                row_share: 1.5,
                ..default()
            },
            "row_share",
        ),
        (
            GbdtParams {
                bins: 256,
                ..default()
            },
            "bins",
        ),
        (
            GbdtParams {
                leaves: 1,
                ..default()
            },
            "leaves",
        ),
        (
            GbdtParams {
                validation: 0.6,
                ..default()
            },
            "validation",
        ),
        (
            GbdtParams {
                monotone: [("age".to_owned(), 2)].into(),
                ..default()
            },
            "age",
        ),
    ] {
        let error = params.check().unwrap_err();
        assert!(error.code == "TW0307" && error.message.contains(key), "{error}");
    }
}
