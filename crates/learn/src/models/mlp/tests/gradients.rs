//! Every gradient against central differences of an independent net in double precision.
//!
//! The differences are exact to about 1e-9 (step 1e-5, curvatures near 1, unit round-off 1e-16 over the step); what is left is the
//! single precision of the gradient itself, some 1e-6 of its size and of the terms it sums.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use statrs::function::erf::erf;

use crate::models::mlp::inputs::{Inputs, Part, class_weighted, target_scale};
use crate::models::mlp::layout::{EmbeddingTable, Layout, Output, Shape};
use crate::models::mlp::norm::EPSILON;
use crate::models::mlp::trainer::Trainer;
use crate::models::mlp::{Activation, ClassWeights, Loss, MlpParams, Norm, Optimizer};
use crate::prepare::DenseMatrix;
use crate::task::{Examples, Task};

/// A batch as the plain net sees it.
struct Batch {
    x: Vec<Vec<f64>>,
    codes: Vec<Vec<u32>>,
    y: Vec<f64>,
    weight: Vec<f64>,
    /// Dropout's factors per hidden layer, rows x width.
    factors: Vec<Vec<f32>>,
}

fn of_error(error: f64, params: &MlpParams) -> f64 {
    let delta = params.huber_delta;
    if params.loss == Loss::Huber && error.abs() > delta {
        delta * (error.abs() - 0.5 * delta)
    } else {
        0.5 * error * error
    }
}

fn row_loss(sums: &[f64], y: f64, output: Output, params: &MlpParams) -> f64 {
    let likelihood = params.loss == Loss::CrossEntropy;
    match output {
        Output::Linear => of_error(sums[0] - y, params),
        Output::Sigmoid => {
            let p = 1.0 / (1.0 + (-sums[0]).exp());
            if likelihood {
                -(y * p.ln() + (1.0 - y) * (1.0 - p).ln())
            } else {
                of_error(p - y, params)
            }
        }
        Output::Softmax => {
            let total: f64 = sums.iter().map(|sum| sum.exp()).sum();
            let p = sums.iter().map(|sum| sum.exp() / total);
            if likelihood {
                return -p.collect::<Vec<f64>>()[y as usize].ln();
            }
            p.enumerate()
                .map(|(k, p)| of_error(p - f64::from(u8::from(k == y as usize)), params))
                .sum()
        }
    }
}

fn activate(z: f64, activation: Activation) -> f64 {
    match activation {
        Activation::Relu => z.max(0.0),
        Activation::Gelu => z * 0.5 * (1.0 + erf(z / 2.0_f64.sqrt())),
        Activation::Tanh => z.tanh(),
    }
}

/// Normalises columns (`batch`) or rows of the first `units` cells.
fn normalise(rows: &mut [Vec<f64>], units: usize, batch: bool) {
    let standardise = |cells: Vec<&mut f64>| {
        let n = cells.len() as f64;
        let mean = cells.iter().map(|cell| **cell).sum::<f64>() / n;
        let variance = cells.iter().map(|cell| (**cell - mean).powi(2)).sum::<f64>() / n;
        for cell in cells {
            *cell = (*cell - mean) / (variance + f64::from(EPSILON)).sqrt();
        }
    };
    if batch {
        for unit in 0..units {
            standardise(rows.iter_mut().map(|row| &mut row[unit]).collect());
        }
    } else {
        rows.iter_mut()
            .for_each(|row| standardise(row[..units].iter_mut().collect()));
    }
}

/// The penalised mean loss, written plainly.
fn plain_loss(shape: &Shape, params: &MlpParams, weights: &[f64], batch: &Batch) -> f64 {
    let layout = Layout::new(shape);
    let mut rows: Vec<Vec<f64>> = batch.x.clone();
    for (row, codes) in rows.iter_mut().zip(&batch.codes) {
        for (table, code) in layout.tables.iter().zip(codes) {
            row.extend_from_slice(&weights[table.row(*code)]);
        }
    }
    for (layer, place) in layout.places().enumerate() {
        let sums = |row: &Vec<f64>| {
            (0..place.units)
                .map(|unit| {
                    let each =
                        (0..place.inputs).map(|i| row[i] * weights[place.weights + i * place.n + unit]);
                    weights[place.bias + unit] + each.sum::<f64>()
                })
                .collect::<Vec<f64>>()
        };
        rows = rows.iter().map(sums).collect();
        if layer == layout.hidden.len() {
            break;
        }
        if place.norm != Norm::None {
            normalise(&mut rows, place.units, place.norm == Norm::Batch);
        }
        for (index, row) in rows.iter_mut().enumerate() {
            for (unit, cell) in row.iter_mut().enumerate() {
                if place.norm != Norm::None {
                    *cell = *cell * weights[place.gain + unit] + weights[place.gain + place.n + unit];
                }
                *cell = activate(*cell, params.activation);
                if let Some(factors) = batch.factors.get(layer) {
                    *cell *= f64::from(factors[index * place.n + unit]);
                }
            }
        }
    }
    let examples = batch.y.iter().zip(&batch.weight);
    let losses = rows
        .iter()
        .zip(examples)
        .map(|(sums, (y, weight))| weight * row_loss(sums, *y, shape.output, params));
    let squares = layout
        .decayed()
        .into_iter()
        .flatten()
        .map(|at| weights[at] * weights[at]);
    losses.sum::<f64>() / batch.y.len() as f64 + 0.5 * params.l2 * squares.sum::<f64>()
}

struct Case {
    inputs: usize,
    tables: Vec<EmbeddingTable>,
    rows: usize,
    task: Task,
    params: MlpParams,
    /// Parameters that are checked: all of them, or every nth.
    every: usize,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            inputs: 5,
            tables: Vec::new(),
            rows: 7,
            task: Task::Binary,
            params: MlpParams {
                hidden: vec![6, 9],
                dropout: 0.0,
                optimizer: Optimizer::Gd,
                ..MlpParams::default()
            },
            every: 1,
        }
    }
}

impl Case {
    fn with(self, change: impl FnOnce(&mut MlpParams)) -> Self {
        let mut case = self;
        change(&mut case.params);
        case
    }
}

fn three() -> Task {
    Task::Class {
        classes: ["a", "b", "c"].map(str::to_owned).to_vec(),
    }
}

fn check(case: &Case) {
    let name = format!("{:?} {:?} {:?}", case.task, case.tables, case.params);
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut random = |n: usize| -> Vec<f32> { (0..n).map(|_| rng.random_range(-1.5..1.5)).collect() };
    let dense = DenseMatrix {
        data: random(case.rows * case.inputs),
        n_rows: case.rows,
        n_columns: case.inputs,
    };
    let weight: Vec<f64> = random(case.rows)
        .iter()
        .map(|cell| f64::from(cell.abs()) + 0.1)
        .collect();
    let noise = random(case.rows);
    let target = (0..case.rows).map(|row| match case.task {
        Task::Value => f64::from(noise[row]) * 3.0 + 10.0,
        _ => (row * 5 % 7 % case.task.n_outputs().max(2)) as f64,
    });
    let examples = Examples {
        task: case.task.clone(),
        target: target.collect(),
        weight,
        group: vec![0; case.rows],
    };
    let levels: Vec<usize> = case.tables.iter().map(|table| table.rows - 2).collect();
    let codes: Vec<u32> = (0..case.rows as u32)
        .flat_map(|row| case.tables.iter().map(move |table| row * row % table.rows as u32))
        .collect();
    let inputs = Inputs {
        dense: &dense,
        codes: &codes,
        levels: &levels,
    };
    let shape = Shape {
        inputs: case.inputs,
        hidden: case.params.hidden.clone(),
        activation: case.params.activation,
        norms: (0..case.params.hidden.len())
            .map(|layer| case.params.norm_of(layer))
            .collect(),
        output: Output::of(&case.task),
        outputs: case.task.n_outputs(),
        tables: case.tables.clone(),
    };
    let rows: Vec<usize> = (0..case.rows).collect();
    let scale = target_scale(&examples, &rows);
    let weights = class_weighted(&examples, &case.params);
    let part = Part::new(inputs, &examples, &rows, &weights, scale);
    let mut trainer = Trainer::new(&shape, &case.params, case.rows, &mut ChaCha8Rng::seed_from_u64(3));
    // biases, gains and shifts away from 0 and 1
    let layout = Layout::new(&shape);
    let mut shake = ChaCha8Rng::seed_from_u64(4);
    for place in layout.places() {
        let after = if place.norm == Norm::None {
            place.bias
        } else {
            place.gain + place.n
        };
        for start in [place.bias, place.gain.min(after), after] {
            for unit in 0..place.units {
                trainer.params[start + unit] += shake.random_range(-0.3..0.3);
            }
        }
    }
    let factors = trainer.dropout_factors(case.rows);
    let batch = Batch {
        x: (0..case.rows)
            .map(|row| dense.row(row).iter().map(|cell| f64::from(*cell)).collect())
            .collect(),
        codes: (0..case.rows)
            .map(|row| codes[row * levels.len()..(row + 1) * levels.len()].to_vec())
            .collect(),
        y: examples
            .target
            .iter()
            .map(|y| scale.map_or(*y, |scale| (y - scale.mean) / scale.deviation))
            .collect(),
        weight: {
            let total: f64 = weights.iter().sum();
            weights
                .iter()
                .map(|weight| weight * case.rows as f64 / total)
                .collect()
        },
        factors,
    };
    let before: Vec<f64> = trainer.params.iter().map(|cell| f64::from(*cell)).collect();
    let loss = trainer.gradient_of(&part, &rows, 1.0 / case.rows as f32) / case.rows as f64;
    trainer.penalise();
    let penalty = case.params.l2
        * 0.5
        * layout
            .decayed()
            .into_iter()
            .flatten()
            .map(|at| before[at].powi(2))
            .sum::<f64>();
    let plain = plain_loss(&shape, &case.params, &before, &batch);
    assert!(
        (loss + penalty - plain).abs() < 1e-5 * (1.0 + plain),
        "{name}: {loss} {plain}"
    );
    let (mut moved, mut checked) = (before.clone(), 0);
    let mut large = 0;
    for at in (0..before.len()).step_by(case.every) {
        moved[at] = before[at] + 1e-5;
        let up = plain_loss(&shape, &case.params, &moved, &batch);
        moved[at] = before[at] - 1e-5;
        let down = plain_loss(&shape, &case.params, &moved, &batch);
        moved[at] = before[at];
        let numeric = (up - down) / 2e-5;
        let exact = f64::from(trainer.gradient[at]);
        assert!(
            (numeric - exact).abs() < 3e-6 + 2e-5 * numeric.abs(),
            "{name} {at}: {numeric} {exact}"
        );
        checked += 1;
        large += usize::from(exact.abs() > 1e-3);
    }
    assert!(
        large * 8 > checked,
        "{name}: {large} of {checked} gradients are not tiny"
    );
}

#[test]
fn gradients_of_every_activation_normalisation_loss_and_output() {
    for activation in [Activation::Relu, Activation::Gelu, Activation::Tanh] {
        for norm in [Norm::None, Norm::Batch, Norm::Layer] {
            for loss in [Loss::CrossEntropy, Loss::Mse, Loss::Huber] {
                for task in [Task::Binary, three(), Task::Value] {
                    let case = Case {
                        task,
                        ..Case::default()
                    };
                    check(&case.with(|params| {
                        (params.activation, params.loss) = (activation, loss);
                        params.norm = vec![norm];
                        params.huber_delta = 0.4;
                    }));
                }
            }
        }
    }
}

#[test]
fn gradients_with_any_number_of_layers() {
    for hidden in [&[][..], &[3], &[8, 5, 4], &[16, 8, 24, 2, 7]] {
        for task in [Task::Binary, three()] {
            let case = Case {
                task,
                ..Case::default()
            };
            check(&case.with(|params| params.hidden = hidden.to_vec()));
        }
    }
    check(&Case::default().with(|params| params.norm = vec![Norm::Layer, Norm::Batch]));
}

#[test]
fn gradients_with_l2_class_weights_and_a_fixed_dropout_mask() {
    for task in [Task::Binary, three()] {
        let weights = (0..task.n_outputs().max(2))
            .map(|class| 0.5 + class as f64)
            .collect();
        for class_weights in [ClassWeights::Balanced, ClassWeights::Given(weights)] {
            let case = Case {
                task: task.clone(),
                ..Case::default()
            };
            check(&case.with(|params| {
                (params.l2, params.dropout) = (0.3, 0.3);
                params.class_weights = class_weights;
            }));
        }
    }
}

#[test]
fn gradients_of_embeddings() {
    let table = |rows, dims| EmbeddingTable { rows, dims };
    for (inputs, hidden) in [(5, vec![6]), (0, vec![6, 4]), (3, vec![])] {
        for task in [Task::Binary, three()] {
            let case = Case {
                inputs,
                task,
                tables: vec![table(5, 3), table(4, 2)],
                ..Case::default()
            };
            check(&case.with(|params| {
                params.hidden = hidden.clone();
                params.l2 = 0.1;
            }));
        }
    }
    let case = Case {
        inputs: 61,
        rows: 130,
        tables: vec![table(7, 3)],
        every: 41,
        ..Case::default()
    };
    check(&case.with(|params| params.hidden = vec![72]));
}

/// More than one chunk of rows, and layers wide enough for the fused products.
#[test]
fn gradients_of_wide_layers_over_several_chunks() {
    for norm in [Norm::None, Norm::Layer, Norm::Batch] {
        for task in [Task::Binary, three()] {
            let case = Case {
                inputs: 61,
                rows: 130,
                task,
                every: 499,
                ..Case::default()
            };
            check(&case.with(|params| {
                params.hidden = vec![72, 60];
                params.activation = Activation::Gelu;
                params.dropout = 0.25;
                params.norm = vec![norm];
            }));
        }
    }
}
