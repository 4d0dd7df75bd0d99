//! Gradients against finite differences, the loop against what it must reach, and its speed.

mod embedding;
mod gradients;
mod pretrain;
mod steps;
mod tasks;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use thalweg_domain::Seed;

use super::dropout::Dropout;
use super::layout::Output;
use super::loss::Objective;
use super::{Loss, MlpParams, Optimizer, fit};
use crate::models::Examples;
use crate::prepare::DenseMatrix;

struct Problem {
    x: DenseMatrix,
    examples: Examples,
}

/// Rows whose outcome depends on the first two inputs, one of them through its square.
fn problem(n_rows: usize, n_columns: usize, seed: u64) -> Problem {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let data: Vec<f32> = (0..n_rows * n_columns)
        .map(|_| rng.random_range(-1.7..1.7))
        .collect();
    let x = DenseMatrix {
        data,
        n_rows,
        n_columns,
    };
    let target: Vec<bool> = (0..n_rows)
        .map(|row| {
            let logit = 2.0 * x.row(row)[0] + 2.0 * (x.row(row)[1].powi(2) - 1.0);
            rng.random::<f32>() < 1.0 / (1.0 + (-logit).exp())
        })
        .collect();
    Problem {
        x,
        examples: Examples::binary(&target, vec![1.0; n_rows], (0..n_rows as u64).collect()),
    }
}

/// The loss of one logit.
fn row_loss(logit: f32, y: f32, loss: Loss) -> f32 {
    let params = MlpParams {
        loss,
        ..MlpParams::default()
    };
    Objective::new(Output::Sigmoid, &params).row(&[logit], y, &mut [0.0])
}

#[test]
fn mse_is_half_the_squared_error() {
    assert!((row_loss(0.0, 1.0, Loss::Mse) - 0.125).abs() < 1e-7);
    assert!((row_loss(0.0, 1.0, Loss::CrossEntropy) - 2.0_f32.ln()).abs() < 1e-6);
}

#[test]
fn dropout_switches_off_its_share_and_keeps_the_mean() {
    for dropout in [0.1, 0.2, 0.5, 0.95] {
        let mut generator = Dropout::new(dropout, &mut ChaCha8Rng::seed_from_u64(3)).unwrap();
        let (mut cells, mut slopes) = (vec![1.0; 80_000], vec![2.0; 80_000]);
        generator.apply(&mut cells, &mut slopes);
        let off = cells.iter().filter(|cell| **cell == 0.0).count() as f64 / 80_000.0;
        let error = (dropout * (1.0 - dropout) / 80_000.0).sqrt();
        assert!((off - dropout).abs() < 4.0 * error, "{dropout}: {off}");
        let scale = (1.0 / (1.0 - dropout)) as f32;
        for (cell, slope) in cells.iter().zip(&slopes) {
            assert!(*cell == 0.0 || *cell == scale, "{cell}");
            assert_eq!(*slope, 2.0 * cell);
        }
    }
    assert!(Dropout::new(0.0, &mut ChaCha8Rng::seed_from_u64(3)).is_none());
}

fn accuracy_on_new_rows(params: &MlpParams) -> f64 {
    let (training, fresh) = (problem(2000, 4, 1), problem(2000, 4, 2));
    let (net, _) = fit(&training.x, &training.examples, params, Seed(5)).unwrap();
    let margins = net.margins(&fresh.x).cells;
    let hits = margins
        .iter()
        .zip(&fresh.examples.target)
        .filter(|(margin, target)| (**margin > 0.0) == (**target > 0.5));
    hits.count() as f64 / 2000.0
}

#[test]
fn every_optimizer_and_loss_learns_a_curved_signal_that_a_line_cannot() {
    let base = MlpParams {
        dropout: 0.0,
        learning_rate: 0.05,
        hidden: vec![16, 8],
        ..MlpParams::default()
    };
    let line = MlpParams {
        hidden: vec![],
        ..base.clone()
    };
    let of_line = accuracy_on_new_rows(&line);
    for (optimizer, learning_rate) in [
        (Optimizer::Sgd, 0.1),
        (Optimizer::Momentum, 0.02),
        (Optimizer::Adam, 0.003),
    ] {
        for loss in [Loss::CrossEntropy, Loss::Mse] {
            let accuracy = accuracy_on_new_rows(&MlpParams {
                optimizer,
                learning_rate,
                loss,
                ..base.clone()
            });
            assert!(
                accuracy > of_line + 0.04,
                "{optimizer:?} {loss:?}: {accuracy} against {of_line}"
            );
        }
    }
}

#[test]
fn early_stopping_keeps_the_weights_of_the_best_epoch() {
    let Problem { x, examples } = problem(200, 20, 3);
    let params = MlpParams {
        dropout: 0.0,
        learning_rate: 0.3,
        patience: 4,
        ..MlpParams::default()
    };
    let (net, history) = fit(&x, &examples, &params, Seed(1)).unwrap();
    let losses: Vec<f64> = history
        .iter()
        .map(|epoch| epoch.validation_loss.unwrap())
        .collect();
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(
        losses.len() - losses.iter().position(|loss| *loss == best).unwrap(),
        5,
        "{losses:?}"
    );
    // the kept net has the best validation loss again
    let (_, rows) = crate::outcome::stratified_split(&examples, 0.2, Seed(1).stream("validation"));
    let margins = net.margins(&x.take(&rows)).cells;
    let each = margins.iter().zip(&rows);
    let loss: f64 = each
        .map(|(margin, row)| {
            f64::from(row_loss(
                *margin as f32,
                examples.target[*row] as f32,
                Loss::CrossEntropy,
            ))
        })
        .sum();
    assert!((loss / rows.len() as f64 - best).abs() < 1e-6);
}

#[test]
fn contributions_add_up_to_the_logit() {
    let Problem { x, examples } = problem(3000, 6, 4);
    let params = MlpParams {
        hidden: vec![16, 8],
        dropout: 0.0,
        optimizer: Optimizer::Adam,
        learning_rate: 0.003,
        ..MlpParams::default()
    };
    let (net, _) = fit(&x, &examples, &params, Seed(2)).unwrap();
    let contributions = net.contributions(&x, 0);
    for (row, margin) in contributions.cells.chunks_exact(6).zip(net.margins(&x).cells) {
        assert!((contributions.base + row.iter().sum::<f64>() - margin).abs() < 1e-9);
    }
    // the two inputs that matter carry most of the contributions
    let size = |input: usize| {
        contributions
            .cells
            .iter()
            .skip(input)
            .step_by(6)
            .map(|c| c.abs())
            .sum::<f64>()
    };
    assert!(size(0) + size(1) > 2.0 * (2..6).map(size).sum::<f64>());
}

#[test]
fn a_loss_that_is_no_number_is_an_error() {
    let Problem { mut x, examples } = problem(100, 3, 5);
    x.data.iter_mut().for_each(|cell| *cell *= 1e30);
    let params = MlpParams {
        learning_rate: 10.0,
        loss: Loss::CrossEntropy,
        ..MlpParams::default()
    };
    assert_eq!(fit(&x, &examples, &params, Seed(1)).unwrap_err().code, "TW0308");
}

#[test]
fn parameters_out_of_range_are_refused_with_their_name() {
    let wrong = [
        (
            MlpParams {
                dropout: 1.0,
                ..MlpParams::default()
            },
            "dropout",
        ),
        (
            MlpParams {
                learning_rate: f64::NAN,
                ..MlpParams::default()
            },
            "learning_rate",
        ),
        (
            MlpParams {
                batch: 0,
                ..MlpParams::default()
            },
            "batch",
        ),
        (
            MlpParams {
                hidden: vec![64, 0],
                ..MlpParams::default()
            },
            "hidden",
        ),
    ];
    for (params, key) in wrong {
        let error = params.check().unwrap_err();
        assert_eq!(error.code, "TW0307");
        assert!(error.message.contains(key), "{error}");
    }
}

/// `cargo nextest run -p thalweg-learn --run-ignored only --no-capture measure_epoch`
#[test]
#[ignore = "a measurement of speed, not a test"]
fn measure_epoch() {
    let Problem { x, examples } = problem(10_000, 20, 6);
    let params = MlpParams {
        epochs: 200,
        validation: 0.0,
        ..MlpParams::default()
    };
    let mut fastest = f64::INFINITY;
    for _ in 0..5 {
        let start = std::time::Instant::now();
        fit(&x, &examples, &params, Seed(1)).unwrap();
        fastest = fastest.min(start.elapsed().as_secs_f64() * 1000.0 / 200.0);
    }
    println!("reference net 20-64-1, 10,000 rows, batch 32: {fastest:.2} ms an epoch");
}
