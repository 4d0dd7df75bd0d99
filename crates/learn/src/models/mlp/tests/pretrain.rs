//! Autoencoders against finite differences and against what structured rows must give; what the net then starts from.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use thalweg_domain::Seed;

use super::problem;
use crate::models::mlp::layout::{Output, Shape};
use crate::models::mlp::pretrain::{Autoencoder, Pretrain};
use crate::models::mlp::trainer::Trainer;
use crate::models::mlp::{Activation, Embedding, Mlp, MlpParams, Norm, fit};
use crate::prepare::DenseMatrix;
use crate::privacy::PrivacyParams;

fn shape(inputs: usize, hidden: &[usize], norms: &[Norm]) -> Shape {
    Shape {
        inputs,
        hidden: hidden.to_vec(),
        activation: Activation::Tanh,
        norms: norms.to_vec(),
        output: Output::Sigmoid,
        outputs: 1,
        tables: Vec::new(),
    }
}

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Half the weighted mean squared error in double precision; every third cell of a row is damaged.
fn plain_loss(coder: &Autoencoder, params: &[f64], x: &DenseMatrix, weight: &[f32]) -> f64 {
    let (hidden, output) = (coder.layout.hidden[0], coder.layout.output);
    let mut total = 0.0;
    for (row, weight) in weight.iter().enumerate() {
        let mut code = params[hidden.bias..hidden.bias + hidden.units].to_vec();
        for (input, cell) in x.row(row).iter().enumerate().filter(|(input, _)| input % 3 != 0) {
            for (unit, sum) in code.iter_mut().enumerate() {
                *sum += f64::from(*cell) * params[hidden.weights + input * hidden.n + unit];
            }
        }
        for (column, cell) in x.row(row).iter().enumerate() {
            let sum = code
                .iter()
                .enumerate()
                .map(|(unit, sum)| sum.tanh() * params[output.weights + unit * output.n + column]);
            let error = sum.sum::<f64>() + params[output.bias + column] - f64::from(*cell);
            total += f64::from(*weight) * 0.5 * error * error;
        }
    }
    total / x.n_rows as f64
}

#[test]
fn the_gradient_is_that_of_finite_differences() {
    // the second one is wide enough for the fused products
    for (inputs, units, every) in [(1, 3, 1), (5, 3, 1), (70, 64, 61)] {
        let mut values = rng(1);
        let x = DenseMatrix {
            data: (0..7 * inputs).map(|_| values.random_range(-1.7..1.7)).collect(),
            n_rows: 7,
            n_columns: inputs,
        };
        let weight: Vec<f32> = (0..7).map(|row| 0.5 + 0.2 * row as f32).collect();
        let mut coder = Autoencoder::new(inputs, &shape(inputs, &[units], &[]), 0, &mut rng(2));
        coder.gradient_of(&x, &weight, &[0, 1, 2, 3, 4, 5, 6], |row| {
            row.iter_mut().step_by(3).for_each(|cell| *cell = 0.0);
        });
        let params: Vec<f64> = coder.params.iter().map(|cell| f64::from(*cell)).collect();
        let places = [coder.layout.hidden[0], coder.layout.output];
        let real = places.iter().flat_map(|place| {
            let rows = (0..=place.inputs).map(|input| place.weights + input * place.n);
            rows.flat_map(|start| start..start + place.units)
                .collect::<Vec<_>>()
        });
        let mut sizes = 0.0;
        for at in real.step_by(every) {
            let loss = |step: f64| {
                let mut moved = params.clone();
                moved[at] += step;
                plain_loss(&coder, &moved, &x, &weight)
            };
            let expected = (loss(1e-5) - loss(-1e-5)) / 2e-5;
            let found = f64::from(coder.gradient[at]);
            sizes += expected.abs();
            assert!(
                (found - expected).abs() < 2e-6 + 1e-5 * expected.abs(),
                "{at}: {found} {expected}"
            );
        }
        assert!(sizes > 0.1);
    }
}

/// Eight columns that two numbers make, and a little noise.
fn structured(n_rows: usize) -> DenseMatrix {
    let mut rng = rng(5);
    let data = (0..n_rows).flat_map(|_| {
        let (a, b) = (rng.random_range(-1.7..1.7_f32), rng.random_range(-1.7..1.7_f32));
        let near = |cell: f32, rng: &mut ChaCha8Rng| cell + rng.random_range(-0.1..0.1);
        [
            a,
            b,
            0.7 * (a + b),
            0.7 * (a - b),
            -a,
            -b,
            0.9 * a + 0.3 * b,
            0.3 * a - 0.9 * b,
        ]
        .map(|cell| near(cell, &mut rng))
    });
    DenseMatrix {
        data: data.collect(),
        n_rows,
        n_columns: 8,
    }
}

fn loss(coder: &mut Autoencoder, x: &DenseMatrix, damage: impl Fn(&mut [f32])) -> f64 {
    let weight = vec![1.0; x.n_rows];
    let rows: Vec<usize> = (0..x.n_rows).collect();
    let each = rows
        .chunks(64)
        .map(|rows| coder.gradient_of(x, &weight, rows, &damage));
    each.sum::<f64>() / x.n_rows as f64
}

#[test]
fn layers_learn_to_give_structured_rows_back_and_to_fill_in_what_was_damaged() {
    let x = structured(1920);
    let variance: f64 = x
        .data
        .iter()
        .map(|cell| 0.5 * f64::from(*cell).powi(2))
        .sum::<f64>()
        / 1920.0;
    for norms in [vec![], vec![Norm::Layer], vec![Norm::Batch]] {
        let mut rng = rng(3);
        let mut coder = Autoencoder::new(8, &shape(8, &[12], &norms), 0, &mut rng);
        let lose_two = |row: &mut [f32]| row[..2].fill(0.0);
        let before = (loss(&mut coder, &x, |_| {}), loss(&mut coder, &x, lose_two));
        let how = Pretrain {
            epochs: 40,
            noise: 0.2,
        };
        coder.train(&x, &vec![1.0; x.n_rows], how, &mut rng).unwrap();
        let after = (loss(&mut coder, &x, |_| {}), loss(&mut coder, &x, lose_two));
        assert!(
            after.0 < 0.1 * variance && after.0 < 0.1 * before.0,
            "{norms:?} {before:?} {after:?} {variance}"
        );
        assert!(
            after.1 < 0.15 * variance && after.1 < 0.15 * before.1,
            "{norms:?} {before:?} {after:?} {variance}"
        );
    }
}

fn params(norm: Norm) -> MlpParams {
    MlpParams {
        hidden: vec![13, 6],
        activation: Activation::Gelu,
        norm: vec![norm],
        dropout: 0.0,
        validation: 0.0,
        epochs: 1,
        learning_rate: 1e-30,
        pretrain: Some(Pretrain {
            epochs: 2,
            noise: 0.3,
        }),
        ..MlpParams::default()
    }
}

/// A step so short that it moves nothing shows where training starts.
#[test]
fn training_starts_from_the_encoders_of_each_layer_in_turn() {
    let problem = problem(300, 5, 6);
    for norm in [Norm::None, Norm::Layer, Norm::Batch] {
        let params = params(norm);
        let (net, _) = fit(&problem.x, &problem.examples, &params, Seed(4)).unwrap();
        let plain = MlpParams {
            pretrain: None,
            ..params.clone()
        };
        let (random, _) = fit(&problem.x, &problem.examples, &plain, Seed(4)).unwrap();
        // the first layer, then the second on what the first makes of the rows
        let mut x = problem.x.clone();
        let mut expected = random.clone();
        let mut trainer = Trainer::new(&net.shape, &params, 300, &mut rng(0));
        trainer.start_from(&random.params, &random.moving);
        for layer in 0..2 {
            let mut own = rng(Seed(4).stream("pretrain").nth(layer).0);
            let mut coder = Autoencoder::new(x.n_columns, &net.shape, layer as usize, &mut own);
            let how = params.pretrain.unwrap();
            coder.train(&x, &[1.0; 300], how, &mut own).unwrap();
            coder.give(&mut trainer, layer as usize);
            x = coder.encode(&x);
        }
        expected.params.clone_from(&trainer.params);
        expected.moving.clone_from(&trainer.moving);
        let (found, start, due) = (net.layers(), random.layers(), expected.layers());
        for layer in 0..3 {
            assert_eq!(found[layer].weights, due[layer].weights, "{norm:?}");
            let biases = found[layer].bias.iter().zip(&due[layer].bias);
            assert!(biases.map(|(found, due)| (found - due).abs()).fold(0.0, f32::max) < 1e-12);
            // the output layer starts at random
            assert_eq!(found[layer].weights != start[layer].weights, layer < 2);
        }
        check_codes(&expected, &problem.x, &x);
    }
}

/// Holds encoded rows against what the net itself makes of them.
fn check_codes(net: &Mlp, x: &DenseMatrix, codes: &DenseMatrix) {
    let mut layers = net.layers();
    // the last hidden layer's values are read off through output weights that pick one unit
    let last = layers.len() - 1;
    for unit in 0..codes.n_columns {
        layers[last].weights.fill(0.0);
        layers[last].weights[unit] = 1.0;
        layers[last].bias.fill(0.0);
        let margins = net.with_layers(&layers).margins(x).cells;
        for (row, margin) in margins.iter().enumerate() {
            let code = f64::from(codes.row(row)[unit]);
            assert!((margin - code).abs() < 1e-6, "{margin} {code}");
        }
    }
}

#[test]
fn the_validation_rows_are_not_read() {
    let mut problem = problem(300, 5, 6);
    let params = MlpParams {
        validation: 0.2,
        ..params(Norm::None)
    };
    let first = |problem: &super::Problem| {
        let (net, _) = fit(&problem.x, &problem.examples, &params, Seed(4)).unwrap();
        net.layers()[0].clone()
    };
    let before = first(&problem);
    let (fit_rows, held) =
        crate::outcome::stratified_split(&problem.examples, 0.2, Seed(4).stream("validation"));
    problem.x.data[held[0] * 5] += 1.0;
    assert_eq!(before, first(&problem));
    problem.x.data[fit_rows[0] * 5] += 1.0;
    assert_ne!(before, first(&problem));
}

#[test]
fn the_same_seed_gives_the_same_bytes_whatever_the_number_of_threads() {
    let problem = problem(500, 70, 6);
    let params = MlpParams {
        hidden: vec![64, 20],
        learning_rate: 0.01,
        ..params(Norm::Layer)
    };
    let bytes = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let fitted = pool.install(|| fit(&problem.x, &problem.examples, &params, Seed(seed)).unwrap());
        serde_json::to_string(&fitted).unwrap()
    };
    assert!(bytes(1, 1) == bytes(3, 1));
    assert!(bytes(1, 1) != bytes(1, 2));
}

#[test]
fn numbers_that_overflow_are_an_error_that_names_the_layer() {
    let mut problem = problem(100, 3, 5);
    problem.x.data.iter_mut().for_each(|cell| *cell *= 1e30);
    let error = fit(&problem.x, &problem.examples, &params(Norm::None), Seed(1)).unwrap_err();
    assert_eq!(error.code, "TW0308");
    assert!(error.message.contains("hidden layer 1"), "{}", error.message);
}

#[test]
fn what_cannot_go_with_pretraining_is_refused() {
    let with = |change: &dyn Fn(&mut MlpParams)| {
        let mut params = params(Norm::None);
        change(&mut params);
        params.check().map_err(|error| error.code)
    };
    let noise = |noise: f64| Some(Pretrain { epochs: 1, noise });
    assert!(with(&|params| params.pretrain = noise(0.9)).is_ok());
    for share in [-0.1, 0.91, f64::NAN] {
        assert_eq!(with(&|params| params.pretrain = noise(share)), Err("TW0307"));
    }
    let none = Some(Pretrain {
        epochs: 0,
        noise: 0.2,
    });
    assert_eq!(with(&|params| params.pretrain = none), Err("TW0307"));
    assert_eq!(with(&|params| params.hidden.clear()), Err("TW0307"));
    assert_eq!(
        with(&|params| params.embedding = Some(Embedding::Auto)),
        Err("TW0307")
    );
    let privacy = Some(PrivacyParams::default());
    assert_eq!(with(&|params| params.privacy.clone_from(&privacy)), Err("TW0332"));
}

#[test]
fn the_keys_have_defaults_and_plain_parameters_are_written_as_before() {
    let read: MlpParams = serde_json::from_str(r#"{"pretrain": {"epochs": 3}}"#).unwrap();
    assert_eq!(
        read.pretrain,
        Some(Pretrain {
            epochs: 3,
            noise: 0.2
        })
    );
    assert!(
        !serde_json::to_string(&MlpParams::default())
            .unwrap()
            .contains("pretrain")
    );
}
