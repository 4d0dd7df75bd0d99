//! Norms and clipped sums against gradients of single rows; the noise, the statement and the refusals.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use thalweg_domain::Seed;

use super::*;
use crate::models::mlp::layout::{EmbeddingTable, Output, Shape};
use crate::models::mlp::params::Activation;
use crate::prepare::DenseMatrix;
use crate::privacy::{KeyOrigin, epsilon_of};
use crate::task::Task;

const ROWS: usize = 90;

struct Case {
    shape: Shape,
    x: DenseMatrix,
    codes: Vec<u32>,
    examples: Examples,
}

/// Two hidden layers, or one of more than 4096 weights; normalised, embedded, of several classes.
fn case(hidden: &[usize], norms: &[Norm], classes: usize, tables: &[(usize, usize)]) -> Case {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let n_columns = 70;
    let data = (0..ROWS * n_columns)
        .map(|_| rng.random_range(-2.0..2.0))
        .collect();
    let codes = (0..ROWS).flat_map(|_| {
        tables
            .iter()
            .map(|(rows, _)| rng.random_range(0..*rows as u32))
            .collect::<Vec<_>>()
    });
    let codes: Vec<u32> = codes.collect();
    let task = match classes {
        0 => Task::Value,
        2 => Task::Binary,
        _ => Task::Class {
            classes: (0..classes).map(|class| class.to_string()).collect(),
        },
    };
    let target = (0..ROWS).map(|_| match classes {
        0 => rng.random_range(-3.0..3.0),
        _ => rng.random_range(0..classes) as f64,
    });
    Case {
        examples: Examples {
            target: target.collect(),
            weight: (0..ROWS).map(|_| rng.random_range(0.5..2.0)).collect(),
            group: (0..ROWS as u64).map(|row| row / 2).collect(),
            task: task.clone(),
        },
        shape: Shape {
            inputs: n_columns,
            hidden: hidden.to_vec(),
            activation: Activation::Tanh,
            norms: norms.to_vec(),
            output: Output::of(&task),
            outputs: task.n_outputs(),
            tables: tables
                .iter()
                .map(|(rows, dims)| EmbeddingTable {
                    rows: *rows,
                    dims: *dims,
                })
                .collect(),
        },
        x: DenseMatrix {
            data,
            n_rows: ROWS,
            n_columns,
        },
        codes,
    }
}

fn cases() -> Vec<Case> {
    vec![
        case(&[24, 9], &[], 2, &[]),
        case(&[64], &[], 2, &[]),
        case(&[80, 64], &[Norm::Layer, Norm::None], 3, &[(6, 4), (9, 3)]),
        case(&[16], &[Norm::Layer], 0, &[(5, 2)]),
        case(&[], &[], 2, &[]),
    ]
}

/// Per row its gradient alone, and the gradient of all rows with each held to its limit.
fn gradients(case: &Case, limits: &[f32]) -> (Vec<Vec<f32>>, Vec<f32>) {
    let levels: Vec<usize> = case.shape.tables.iter().map(|table| table.rows - 2).collect();
    let inputs = Inputs {
        dense: &case.x,
        codes: &case.codes,
        levels: &levels,
    };
    let rows: Vec<usize> = (0..ROWS).collect();
    let scale = target_scale(&case.examples, &rows);
    let part = Part::new(inputs, &case.examples, &rows, &case.examples.weight, scale);
    let params = MlpParams {
        dropout: 0.0,
        batch: ROWS,
        ..MlpParams::default()
    };
    let mut trainer = Trainer::new(&case.shape, &params, ROWS, &mut ChaCha8Rng::seed_from_u64(2));
    let single = rows.iter().map(|row| {
        trainer.gradient_of(&part, &[*row], 1.0);
        trainer.gradient.clone()
    });
    let single = single.collect();
    trainer.row_limits = limits.to_vec();
    trainer.gradient_of(&part, &rows, 1.0);
    (single, trainer.gradient.clone())
}

fn norm(gradient: &[f32]) -> f64 {
    gradient
        .iter()
        .map(|cell| f64::from(*cell).powi(2))
        .sum::<f64>()
        .sqrt()
}

#[test]
fn clipping_by_norms_alone_is_clipping_each_row_s_own_gradient() {
    for (number, case) in cases().iter().enumerate() {
        let (single, _) = gradients(case, &[]);
        let norms: Vec<f64> = single.iter().map(|gradient| norm(gradient)).collect();
        let mut sorted = norms.clone();
        sorted.sort_by(f64::total_cmp);
        let limit = sorted[ROWS / 2];
        let (_, clipped) = gradients(case, &vec![limit as f32; ROWS]);
        let mut expected = vec![0.0; clipped.len()];
        for (gradient, norm) in single.iter().zip(&norms) {
            let factor = (limit / norm).min(1.0);
            expected
                .iter_mut()
                .zip(gradient)
                .for_each(|(sum, cell)| *sum += factor * f64::from(*cell));
        }
        for (ours, brute) in clipped.iter().zip(&expected) {
            let close = (f64::from(*ours) - brute).abs() < 1e-4 * (1.0 + brute.abs());
            assert!(close, "case {number}: {ours} against {brute}");
        }
    }
}

/// With a limit far below every norm each row adds a gradient of exactly that length, whatever its loss.
#[test]
fn no_row_adds_more_than_its_limit() {
    for (number, case) in cases().iter().enumerate() {
        for row in [0, 17, ROWS - 1] {
            let mut limits = vec![0.0; ROWS];
            limits[row] = 1e-3;
            let (_, sum) = gradients(case, &limits);
            let length = norm(&sum);
            assert!(
                length <= 1e-3 && length > 0.9999e-3,
                "case {number}, row {row}: {length}"
            );
        }
    }
}

fn problem(n_rows: usize, seed: u64) -> (DenseMatrix, Examples) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let x = DenseMatrix {
        data: (0..n_rows * 4).map(|_| rng.random_range(-1.7..1.7)).collect(),
        n_rows,
        n_columns: 4,
    };
    let logit = |row: usize| 2.0 * x.row(row)[0] + 2.0 * (x.row(row)[1].powi(2) - 1.0);
    let target: Vec<bool> = (0..n_rows)
        .map(|row| rng.random::<f32>() < 1.0 / (1.0 + (-logit(row)).exp()))
        .collect();
    let examples = Examples::binary(&target, vec![1.0; n_rows], (0..n_rows as u64).collect());
    (x, examples)
}

fn private(privacy: PrivacyParams) -> MlpParams {
    MlpParams {
        privacy: Some(privacy),
        ..MlpParams::default()
    }
}

fn train(x: &DenseMatrix, examples: &Examples, params: &MlpParams, seed: u64) -> Mlp {
    crate::models::mlp::fit(x, examples, params, Seed(seed))
        .unwrap()
        .0
}

#[test]
fn a_private_net_learns_and_states_what_the_accountant_says() {
    let ((x, examples), (fresh, truth)) = (problem(4000, 1), problem(2000, 2));
    for optimizer in [Optimizer::Sgd, Optimizer::Nesterov, Optimizer::Adam] {
        let params = MlpParams {
            optimizer,
            ..private(PrivacyParams::default())
        };
        let net = train(&x, &examples, &params, 5);
        let margins = net.margins(&fresh).cells;
        let hits = margins
            .iter()
            .zip(&truth.target)
            .filter(|(margin, y)| (**margin > 0.0) == (**y > 0.5))
            .count();
        assert!(hits > 1560, "{optimizer:?}: {hits} of 2000");
        let said = net.privacy().unwrap();
        let epsilon = epsilon_of(said.noise_multiplier, said.sample_rate, said.steps, said.delta).unwrap();
        assert!(
            said.epsilon == epsilon && epsilon <= 3.0 && epsilon > 2.999,
            "{said:?}"
        );
        assert_eq!(
            (said.customers, said.sample_rate, said.steps, said.clip),
            (4000, 0.128, 313, 1.0)
        );
        assert_eq!(said.key, KeyOrigin::Seed);
    }
}

/// One step with two keys: the difference of the weights has twice the noise's variance, and padding gets none.
#[test]
fn the_noise_has_the_variance_that_is_stated() {
    let (x, examples) = problem(300, 1);
    let weights = |key: u8| {
        let privacy = PrivacyParams {
            noise_multiplier: Some(4.0),
            clip: 0.5,
            epochs: 1,
            learning_rate: Some(3.0),
            key: Some(PrivacyKey::secret([key; 32])),
            ..PrivacyParams::default()
        };
        let params = MlpParams {
            optimizer: Optimizer::Gd,
            hidden: vec![500, 20],
            dropout: 0.0,
            ..private(privacy)
        };
        let net = train(&x, &examples, &params, 5);
        assert_eq!(net.privacy().unwrap().key, KeyOrigin::Secret);
        (net.layers(), norm(&net.params))
    };
    let ((a, a_norm), (b, _)) = (weights(1), weights(2));
    let cells = |layers: &[crate::models::mlp::Dense]| -> Vec<f64> {
        let each = layers
            .iter()
            .flat_map(|layer| layer.weights.iter().chain(&layer.bias));
        each.map(|cell| f64::from(*cell)).collect()
    };
    let (a, b) = (cells(&a), cells(&b));
    let n = a.len() as f64;
    let variance = a.iter().zip(&b).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / n;
    let stated = 2.0 * (3.0 * 4.0 * 0.5 / 300.0_f64).powi(2);
    assert!(
        (variance / stated - 1.0).abs() < 5.0 * (2.0 / n).sqrt(),
        "{variance} {stated}"
    );
    let visible = a.iter().map(|cell| cell * cell).sum::<f64>().sqrt();
    assert!((visible - a_norm).abs() < 1e-5 * a_norm, "padding holds noise");
}

#[test]
fn the_same_key_and_data_give_the_same_net_and_other_data_other_noise() {
    let (x, examples) = problem(400, 1);
    let keyed = private(PrivacyParams {
        key: Some(PrivacyKey::secret([7; 32])),
        epochs: 3,
        ..PrivacyParams::default()
    });
    let net = train(&x, &examples, &keyed, 5);
    assert_eq!(train(&x, &examples, &keyed, 5), net);
    let mut other = examples.clone();
    other.target[0] = 1.0 - other.target[0];
    let purposes = [&examples, &other].map(|examples| purpose(Inputs::from(&x), examples, Seed(5)));
    assert_ne!(purposes[0], purposes[1]);
}

#[test]
fn the_rows_of_a_customer_share_its_limit() {
    let (_, mut examples) = problem(6, 1);
    examples.group = vec![4, 9, 4, 4, 9, 1];
    let customers = Customers::new(&examples);
    assert_eq!(customers.rows_of(&[0, 2]), [5, 1, 4]);
    assert_eq!(customers.limits(3.0, 6), [1.0, 1.5, 1.0, 1.0, 1.5, 3.0]);
}

#[test]
fn what_would_break_the_guarantee_is_refused_and_the_key_is_never_stored() {
    let code = |params: MlpParams| params.check().unwrap_err().code;
    let privacy = || private(PrivacyParams::default());
    assert_eq!(
        code(MlpParams {
            norm: vec![Norm::Batch],
            ..privacy()
        }),
        "TW0332"
    );
    assert_eq!(
        code(MlpParams {
            class_weights: ClassWeights::Balanced,
            ..privacy()
        }),
        "TW0332"
    );
    for wrong in [
        PrivacyParams {
            epsilon: 0.0,
            ..PrivacyParams::default()
        },
        PrivacyParams {
            epsilon: 101.0,
            ..PrivacyParams::default()
        },
        PrivacyParams {
            delta: 1.0,
            ..PrivacyParams::default()
        },
        PrivacyParams {
            clip: f64::NAN,
            ..PrivacyParams::default()
        },
        PrivacyParams {
            noise_multiplier: Some(0.0),
            ..PrivacyParams::default()
        },
        PrivacyParams {
            batch: Some(0),
            ..PrivacyParams::default()
        },
        PrivacyParams {
            epochs: 0,
            ..PrivacyParams::default()
        },
        PrivacyParams {
            learning_rate: Some(-1.0),
            ..PrivacyParams::default()
        },
    ] {
        assert_eq!(code(private(wrong)), "TW0330");
    }
    let keyed = private(PrivacyParams {
        key: Some(PrivacyKey::secret([77; 32])),
        ..PrivacyParams::default()
    });
    let json = serde_json::to_string(&keyed).unwrap();
    assert!(!json.contains("key") && !json.contains("77"), "{json}");
}
