//! What the trees must learn that a line cannot, what they must keep to, and that they agree with others.

mod measure;
mod peers;
mod shapley;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use thalweg_domain::Seed;

use super::fit::fit_source;
use super::predict::Gbdt;
use super::{GbdtParams, ValueLoss};
use crate::models::Examples;
use crate::prepare::RawMatrix;
use crate::task::Task;

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

fn matrix(columns: &[Vec<f64>]) -> RawMatrix {
    let mut x = RawMatrix::with_rows(columns[0].len());
    columns
        .iter()
        .for_each(|column| x.push_column(column.iter().copied()));
    x
}

fn examples(task: Task, target: Vec<f64>) -> Examples {
    let n = target.len();
    Examples {
        task,
        target,
        weight: vec![1.0; n],
        group: (0..n as u64).collect(),
    }
}

/// All rows and columns, no search, no penalty: nothing left to chance.
fn plain(trees: usize) -> GbdtParams {
    GbdtParams {
        trees,
        learning_rate: 1.0,
        min_rows: 1,
        min_leaf_weight: 0.0,
        l2: 0.0,
        row_share: 1.0,
        column_share: 1.0,
        validation: 0.0,
        ..GbdtParams::default()
    }
}

#[test]
fn a_small_case_by_hand() {
    // mean 4; the cut with the least squared error is between 2 and 3: means 1.5 and 6.5; missing rows are like the large
    let x = matrix(&[vec![1.0, 2.0, 3.0, 4.0, f64::NAN, f64::NAN]]);
    let target = vec![1.0, 2.0, 6.0, 7.0, 6.5, 6.5];
    let stump = GbdtParams {
        leaves: 2,
        ..plain(1)
    };
    let model = grown(&x, &examples(Task::Value, target), &stump, 1);
    let margins = model.margins(&x).unwrap().cells;
    for (margin, expected) in margins.iter().zip([1.5, 1.5, 6.5, 6.5, 6.5, 6.5]) {
        assert!((margin - expected).abs() < 1e-6, "{margins:?}");
    }
    let tree = &model.rounds[0][0];
    assert_eq!(tree.nodes[0].parts(), Some((0, 2.5, false, 1)));
    assert_eq!(tree.cover, [6, 2, 4]);
    // squared error 33.5 before, 1 after: the loss, half of it, falls by 16.25
    let mean = 29.0 / 6.0;
    let before: f64 = [1.0_f64, 2.0, 6.0, 7.0, 6.5, 6.5]
        .iter()
        .map(|t| (t - mean).powi(2))
        .sum();
    assert!((model.gains()[0] - 0.5 * (before - 1.0)).abs() < 1e-4);
}

#[test]
fn missing_cells_are_a_branch_of_their_own() {
    // only whether the cell is missing says anything
    let cells: Vec<f64> = (0..400)
        .map(|row| {
            if row % 4 == 0 {
                f64::NAN
            } else {
                f64::from(row % 7)
            }
        })
        .collect();
    let target = cells.iter().map(|cell| f64::from(cell.is_nan())).collect();
    let x = matrix(&[cells]);
    let model = grown(
        &x,
        &examples(Task::Value, target),
        &GbdtParams {
            leaves: 2,
            ..plain(1)
        },
        1,
    );
    for (row, margin) in model.margins(&x).unwrap().cells.iter().enumerate() {
        let expected = f64::from(row % 4 == 0);
        assert!((margin - expected).abs() < 1e-6, "row {row}: {margin}");
    }
}

#[test]
fn several_classes_are_told_apart() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let columns: Vec<Vec<f64>> = (0..2)
        .map(|_| (0..900).map(|_| rng.random_range(-1.0..1.0)).collect())
        .collect();
    let target = (0..900)
        .map(|row| match (columns[0][row] > 0.0, columns[1][row] > 0.0) {
            (true, true) => 0.0,
            (false, true) => 1.0,
            _ => 2.0,
        })
        .collect();
    let task = Task::Class {
        classes: ["a", "b", "c"].map(str::to_owned).to_vec(),
    };
    let (x, examples) = (matrix(&columns), examples(task, target));
    let model = grown(&x, &examples, &GbdtParams::default(), 1);
    let margins = model.margins(&x).unwrap();
    assert_eq!((margins.n_outputs, margins.cells.len()), (3, 2700));
    let best = |row: &[f64]| (0..3).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap();
    let hits = margins
        .rows()
        .zip(&examples.target)
        .filter(|(row, own)| best(row) == **own as usize)
        .count();
    assert!(hits > 880, "{hits} of 900");
    for output in 0..3 {
        let contributions = model.contributions(&x, output).unwrap();
        for (row, margins) in contributions.cells.chunks_exact(2).zip(margins.rows()) {
            assert!((contributions.base + row.iter().sum::<f64>() - margins[output]).abs() < 1e-9);
        }
    }
}

#[test]
fn no_number_of_threads_changes_a_bit() {
    // enough rows for every parallel path
    let n = 150_000;
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let columns: Vec<Vec<f64>> = (0..10)
        .map(|_| (0..n).map(|_| rng.random_range(-1.0..1.0)).collect())
        .collect();
    let target = (0..n)
        .map(|row| f64::from(columns[0][row] * columns[1][row] > 0.0))
        .collect();
    let (x, examples) = (matrix(&columns), examples(Task::Binary, target));
    let params = GbdtParams {
        trees: 4,
        ..GbdtParams::default()
    };
    let json = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| serde_json::to_string(&grown(&x, &examples, &params, 1)).unwrap())
    };
    let one = json(1);
    assert!(one.len() > 1000);
    assert_eq!(one, json(2));
    assert_eq!(one, json(5));
}

#[test]
fn early_stopping_stops_where_nothing_is_left_to_learn() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let noise: Vec<f64> = (0..1000).map(|_| rng.random_range(-1.0..1.0)).collect();
    let coin = (0..1000).map(|_| f64::from(rng.random::<bool>())).collect();
    let model = grown(
        &matrix(&[noise]),
        &examples(Task::Binary, coin),
        &GbdtParams::default(),
        1,
    );
    assert!(model.rounds.len() < 40, "{} rounds on noise", model.rounds.len());
    let (x, examples) = exclusive_or(2000);
    let learned = grown(&x, &examples, &GbdtParams::default(), 1).rounds.len();
    assert!(learned > 100, "{learned} rounds on a signal");
}

#[test]
fn outliers_sway_huber_less() {
    let cells: Vec<f64> = (0..300).map(f64::from).collect();
    let target: Vec<f64> = (0..300)
        .map(|row| {
            if row % 50 == 7 {
                10_000.0
            } else {
                f64::from(row / 100) + 0.01 * f64::from(row % 3)
            }
        })
        .collect();
    let (x, examples) = (matrix(&[cells]), examples(Task::Value, target));
    let typical_error = |loss| {
        let params = GbdtParams {
            loss,
            trees: 200,
            learning_rate: 0.1,
            validation: 0.0,
            ..GbdtParams::default()
        };
        let margins = grown(&x, &examples, &params, 1).margins(&x).unwrap().cells;
        let mut errors: Vec<f64> = margins
            .iter()
            .enumerate()
            .map(|(row, m)| (m - f64::from((row / 100) as u32)).abs())
            .collect();
        errors.sort_by(f64::total_cmp);
        errors[150]
    };
    let (squared, huber) = (typical_error(ValueLoss::Squared), typical_error(ValueLoss::Huber));
    assert!(huber < 0.2 && squared > 10.0, "{huber} {squared}");
}

#[test]
fn damaged_trees_are_refused() {
    let (x, examples) = exclusive_or(200);
    let model = grown(&x, &examples, &plain(2), 1);
    let json = serde_json::to_string(&model).unwrap();
    assert!(serde_json::from_str::<Gbdt>(&json).is_ok());
    for (from, to) in [
        ("\"left\":[1", "\"left\":[0"),
        ("\"left\":[1", "\"left\":[9999"),
        ("\"n_columns\":3", "\"n_columns\":0"),
    ] {
        let damaged = json.replacen(from, to, 1);
        assert!(
            damaged != json && serde_json::from_str::<Gbdt>(&damaged).is_err(),
            "{from}"
        );
    }
}
