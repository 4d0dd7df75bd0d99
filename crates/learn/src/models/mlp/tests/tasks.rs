//! Classes and values: what is learned, how it is scaled, weighted, explained and taken apart.

use thalweg_domain::Seed;

use super::{Problem, problem};
use crate::models::mlp::fit::refit;
use crate::models::mlp::{
    Activation, ClassWeights, Dense, Loss, Mlp, MlpParams, Norm, Optimizer, Output, Schedule, fit,
};
use crate::models::{Examples, Margins};
use crate::prepare::DenseMatrix;
use crate::task::Task;

/// Three classes by two curved borders.
fn classes(n_rows: usize, seed: u64) -> Problem {
    let Problem { x, examples } = problem(n_rows, 4, seed);
    let class = |row: &[f32]| match row[0] + row[1] * row[1] {
        height if height < 0.3 => 0.0,
        height if height < 1.2 => 1.0,
        _ => 2.0,
    };
    let target = x.data.chunks_exact(4).map(class).collect();
    let task = Task::Class {
        classes: ["low", "middle", "high"].map(str::to_owned).to_vec(),
    };
    Problem {
        examples: Examples {
            task,
            target,
            ..examples
        },
        x,
    }
}

/// Numbers far from 0 and 1.
fn values(n_rows: usize, seed: u64) -> Problem {
    let Problem { x, examples } = problem(n_rows, 4, seed);
    let value = |row: &[f32]| 5000.0 + 300.0 * f64::from(row[0] + row[1] * row[1]);
    let target = x.data.chunks_exact(4).map(value).collect();
    Problem {
        examples: Examples {
            task: Task::Value,
            target,
            ..examples
        },
        x,
    }
}

fn quick() -> MlpParams {
    MlpParams {
        hidden: vec![24, 12],
        dropout: 0.0,
        optimizer: Optimizer::Adam,
        learning_rate: 0.01,
        ..MlpParams::default()
    }
}

fn hits(net: &Mlp, fresh: &Problem) -> f64 {
    let margins = net.margins(&fresh.x);
    assert_eq!(margins.n_outputs, 3);
    let best = |row: &[f64]| (0..3).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap() as f64;
    let right = margins
        .rows()
        .zip(&fresh.examples.target)
        .filter(|(row, target)| best(row) == **target);
    right.count() as f64 / fresh.examples.target.len() as f64
}

#[test]
fn several_classes_are_told_apart_with_every_activation_and_normalisation() {
    let (training, fresh) = (classes(3000, 1), classes(3000, 2));
    for activation in [Activation::Relu, Activation::Gelu, Activation::Tanh] {
        for norm in [Norm::None, Norm::Batch, Norm::Layer] {
            let params = MlpParams {
                activation,
                norm: vec![norm],
                ..quick()
            };
            let (net, _) = fit(&training.x, &training.examples, &params, Seed(1)).unwrap();
            let share = hits(&net, &fresh);
            assert!(share > 0.93, "{activation:?} {norm:?}: {share}");
            assert_eq!((net.layers().len(), net.output()), (3, Output::Softmax));
        }
    }
}

#[test]
fn every_schedule_and_loss_trains_to_the_same_end() {
    let (training, fresh) = (classes(2000, 1), classes(2000, 2));
    for (schedule, loss) in [
        (
            Schedule::Step {
                every: 20,
                factor: 0.5,
            },
            Loss::CrossEntropy,
        ),
        (Schedule::Exponential { factor: 0.97 }, Loss::Mse),
        (Schedule::Cosine { floor: 0.01 }, Loss::Huber),
        (Schedule::OneCycle { warm_up: 0.3 }, Loss::CrossEntropy),
    ] {
        let params = MlpParams {
            schedule,
            loss,
            clip_norm: Some(5.0),
            l2: 1e-5,
            ..quick()
        };
        let (net, _) = fit(&training.x, &training.examples, &params, Seed(1)).unwrap();
        let share = hits(&net, &fresh);
        assert!(share > 0.92, "{schedule:?} {loss:?}: {share}");
    }
}

#[test]
fn values_come_back_on_their_own_scale() {
    let (training, fresh) = (values(3000, 1), values(1000, 2));
    for loss in [Loss::CrossEntropy, Loss::Mse, Loss::Huber] {
        let (net, _) = fit(
            &training.x,
            &training.examples,
            &MlpParams { loss, ..quick() },
            Seed(1),
        )
        .unwrap();
        let Margins { cells, .. } = net.margins(&fresh.x);
        let squares = cells
            .iter()
            .zip(&fresh.examples.target)
            .map(|(cell, y)| (cell - y).powi(2));
        let error = (squares.sum::<f64>() / 1000.0).sqrt();
        // the target's standard deviation is about 400
        assert!(error < 40.0, "{loss:?}: {error}");
        let scale = net.target_scale().unwrap();
        assert!(
            (scale.mean - 5290.0).abs() < 30.0 && (scale.deviation - 390.0).abs() < 40.0,
            "{scale:?}"
        );
        let contributions = net.contributions(&fresh.x, 0);
        for (row, cell) in contributions.cells.chunks_exact(4).zip(&cells) {
            assert!((contributions.base + row.iter().sum::<f64>() - cell).abs() < 1e-6);
        }
    }
}

#[test]
fn contributions_add_up_for_each_class() {
    let training = classes(1500, 1);
    let params = MlpParams {
        norm: vec![Norm::Batch, Norm::Layer],
        activation: Activation::Gelu,
        ..quick()
    };
    let (net, _) = fit(&training.x, &training.examples, &params, Seed(1)).unwrap();
    let margins = net.margins(&training.x);
    for output in 0..3 {
        let contributions = net.contributions(&training.x, output);
        let mut off = 0.0_f64;
        for (row, scores) in contributions.cells.chunks_exact(4).zip(margins.rows()) {
            let sum = contributions.base + row.iter().sum::<f64>();
            assert!((sum - scores[output]).abs() < 1e-6, "{output}: {sum} {scores:?}");
            off += row[2].abs() + row[3].abs() - row[0].abs() - row[1].abs();
        }
        assert!(off < 0.0, "the inputs that matter carry most of it");
    }
}

#[test]
fn class_weights_move_the_scores_as_row_weights_do() {
    let Problem { x, examples } = problem(1500, 4, 3);
    let by_class = MlpParams {
        class_weights: ClassWeights::Given(vec![1.0, 3.0]),
        epochs: 5,
        ..quick()
    };
    let heavy = Examples {
        weight: examples.target.iter().map(|target| 1.0 + 2.0 * target).collect(),
        ..examples.clone()
    };
    let plain = MlpParams { epochs: 5, ..quick() };
    let (one, _) = fit(&x, &examples, &by_class, Seed(1)).unwrap();
    let (other, _) = fit(&x, &heavy, &plain, Seed(1)).unwrap();
    assert_eq!(one.margins(&x).cells, other.margins(&x).cells);
    for (class_weights, of) in [
        (ClassWeights::Given(vec![1.0; 3]), examples.clone()),
        (ClassWeights::Balanced, values(100, 1).examples),
        (ClassWeights::Given(vec![1.0, -1.0]), examples.clone()),
    ] {
        let x = DenseMatrix::zeros(of.target.len(), 4);
        let error = fit(
            &x,
            &of,
            &MlpParams {
                class_weights,
                ..quick()
            },
            Seed(1),
        )
        .unwrap_err();
        assert_eq!(error.code, "TW0307");
        assert!(error.message.contains("class_weights"), "{error}");
    }
}

#[test]
fn weights_set_to_zero_stay_there_when_training_goes_on() {
    let training = classes(1500, 1);
    let params = MlpParams { l2: 1e-4, ..quick() };
    let (net, _) = fit(&training.x, &training.examples, &params, Seed(1)).unwrap();
    let small = |layers: &mut Vec<Dense>| {
        layers
            .iter_mut()
            .flat_map(|layer| &mut layer.weights)
            .filter(|weight| weight.abs() < 0.15)
            .fold(0, |n, weight| {
                *weight = 0.0;
                n + 1
            })
    };
    let mut layers = net.layers();
    let n_zero = small(&mut layers);
    assert!(n_zero > 50, "{n_zero}");
    let pruned = net.with_layers(&layers);
    assert_eq!(pruned.layers(), layers);
    let (again, _) = refit(&pruned, &training.x, &training.examples, &params, Seed(2)).unwrap();
    let after = again.layers();
    let zeros = after
        .iter()
        .flat_map(|layer| &layer.weights)
        .filter(|weight| **weight == 0.0)
        .count();
    assert_eq!(zeros, n_zero);
    assert!(after != layers);
    assert!(hits(&again, &training) > hits(&pruned, &training) - 0.01);
}
