//! Every optimiser and schedule step by step against PyTorch and Keras (`bench/fixtures/optimisers.py`), and threads.

use serde_json::Value;
use thalweg_domain::Seed;

use super::problem;
use crate::models::mlp::layout::{Layout, Output, Shape};
use crate::models::mlp::optimise::Stepper;
use crate::models::mlp::schedule::share;
use crate::models::mlp::{Activation, MlpParams, Norm, Optimizer, Schedule, fit};

fn fixture() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/optimisers.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|cell| cell.as_f64().unwrap())
        .collect()
}

fn singles(value: &Value) -> Vec<f32> {
    numbers(value).iter().map(|cell| *cell as f32).collect()
}

/// The net of the fixture: two weights and a bias.
fn two_weights() -> Layout {
    Layout::new(&Shape {
        inputs: 2,
        hidden: Vec::new(),
        activation: Activation::Relu,
        norms: Vec::new(),
        output: Output::Sigmoid,
        outputs: 1,
        tables: Vec::new(),
    })
}

fn check_trace(of: &str, name: &str, change: impl FnOnce(&mut MlpParams)) {
    let fixture = fixture();
    let number = |key: &str| fixture[key].as_f64().unwrap();
    let mut params = MlpParams {
        momentum: number("momentum"),
        ..MlpParams::default()
    };
    change(&mut params);
    params.l2 *= number("l2");
    let mut stepper = Stepper::new(&two_weights(), &params);
    let mut cells = singles(&fixture["start"]);
    let steps = fixture["gradients"]
        .as_array()
        .unwrap()
        .iter()
        .zip(fixture[of][name].as_array().unwrap());
    let mut n = 0;
    for (gradient, expected) in steps {
        let mut gradient = singles(gradient);
        stepper.penalise(&cells, &mut gradient);
        stepper.step(&mut cells, &mut gradient, number("rate"));
        for (cell, expected) in cells.iter().zip(numbers(expected)) {
            assert!(
                (f64::from(*cell) - expected).abs() < 2e-6,
                "{of} {name}, step {n}: {cell} {expected}"
            );
        }
        n += 1;
    }
    assert_eq!(n, 8);
}

#[test]
fn optimisers_step_as_in_pytorch_and_keras() {
    use Optimizer::{Adam, Adamw, Gd, Momentum, Nesterov, Sgd};
    let with = |optimizer: Optimizer, l2: f64| {
        move |params: &mut MlpParams| (params.optimizer, params.l2) = (optimizer, l2)
    };
    for (of, name, optimizer, l2) in [
        ("torch", "sgd", Sgd, 0.0),
        ("torch", "sgd", Gd, 0.0),
        ("torch", "sgd_l2", Sgd, 1.0),
        ("torch", "momentum", Momentum, 0.0),
        ("torch", "momentum_l2", Momentum, 1.0),
        ("torch", "nesterov", Nesterov, 0.0),
        ("torch", "adam", Adam, 0.0),
        ("torch", "adam_l2", Adam, 1.0),
        ("torch", "adamw", Adamw, 1.0),
        ("keras", "sgd", Sgd, 0.0),
        ("keras", "momentum", Momentum, 0.0),
        ("keras", "nesterov", Nesterov, 0.0),
        ("keras", "adam", Adam, 0.0),
        ("keras", "adamw", Adamw, 1.0),
    ] {
        check_trace(of, name, with(optimizer, l2));
    }
    check_trace("torch", "sgd_clip", |params| params.clip_norm = Some(1.0));
}

#[test]
fn schedules_give_the_rates_of_pytorch() {
    let fixture = fixture();
    for (name, schedule) in [
        (
            "step",
            Schedule::Step {
                every: 2,
                factor: 0.25,
            },
        ),
        ("exponential", Schedule::Exponential { factor: 0.75 }),
        ("cosine", Schedule::Cosine { floor: 0.1 }),
        ("one_cycle", Schedule::OneCycle { warm_up: 0.3 }),
    ] {
        let expected = numbers(&fixture["schedules"][name]);
        assert_eq!(expected.len(), 20);
        for (step, expected) in expected.iter().enumerate() {
            let rate = share(schedule, step, 5, 4);
            assert!(
                (rate - expected).abs() < 1e-12,
                "{name} {step}: {rate} {expected}"
            );
        }
    }
}

/// Wide enough for the fused products, with enough rows for threads.
#[test]
fn the_number_of_threads_changes_no_byte() {
    let problem = problem(1500, 100, 8);
    for norm in [Norm::None, Norm::Batch] {
        let params = MlpParams {
            hidden: vec![256, 40],
            batch: 256,
            epochs: 2,
            norm: vec![norm, Norm::Layer],
            optimizer: Optimizer::Adam,
            ..MlpParams::default()
        };
        let bytes = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            let fitted = pool.install(|| fit(&problem.x, &problem.examples, &params, Seed(1)).unwrap());
            serde_json::to_string(&fitted).unwrap()
        };
        let alone = bytes(1);
        assert!(alone.len() > 100_000);
        for threads in [2, 3, 7] {
            assert!(alone == bytes(threads), "{norm:?} with {threads} threads");
        }
    }
}
