//! Training: early stopping on a stratified validation part, best weights kept.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use thalweg_domain::{Error, Result, Seed};

use super::inputs::{Inputs, Part, class_weighted, target_scale};
use super::layout::{EmbeddingTable, Output, Shape};
use super::params::{Embedding, MlpParams, Norm};
use super::predict::Mlp;
use super::pretrain::pretrain;
use super::trainer::Trainer;
use crate::models::Examples;
use crate::outcome::stratified_split;

/// Losses after one pass over the training rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Counted from 1.
    pub epoch: usize,
    /// Mean training loss over the epoch's batches, with dropout on and without the L2 term.
    pub train_loss: f64,
    /// Mean validation loss after the epoch, with dropout off; none without a validation part.
    pub validation_loss: Option<f64>,
}

/// Trains a net; the history has one entry per epoch run, the weights are those of the best of them. Private training has no
/// history: its losses would tell of single rows.
///
/// # Errors
/// `TW0307` for a parameter out of range; `TW0308` when the loss stops being a number.
pub(crate) fn fit<'a>(
    inputs: impl Into<Inputs<'a>>,
    examples: &Examples,
    params: &MlpParams,
    seed: Seed,
) -> Result<(Mlp, Vec<Epoch>)> {
    if let Some(privacy) = &params.privacy {
        let net = super::private::fit(inputs.into(), examples, (params, privacy), seed)?;
        return Ok((net, Vec::new()));
    }
    train(inputs.into(), examples, params, seed, None)
}

/// Trains a net further, without pre-training; its weights that are exactly 0 stay 0 (as pruning wants it), and so do the scale
/// of a number target and its shape, whatever `params` say about them.
///
/// # Errors
/// As [`fit`].
pub(crate) fn refit<'a>(
    net: &Mlp,
    inputs: impl Into<Inputs<'a>>,
    examples: &Examples,
    params: &MlpParams,
    seed: Seed,
) -> Result<(Mlp, Vec<Epoch>)> {
    train(inputs.into(), examples, params, seed, Some(net))
}

fn train(
    inputs: Inputs<'_>,
    examples: &Examples,
    params: &MlpParams,
    seed: Seed,
    start: Option<&Mlp>,
) -> Result<(Mlp, Vec<Epoch>)> {
    params.check()?;
    params.check_for(&examples.task)?;
    let shape = start.map_or_else(|| shape_of(inputs, examples, params), |net| net.shape.clone());
    let mut rng = ChaCha8Rng::seed_from_u64(seed.stream("mlp").0);
    let (fit_rows, validation_rows) =
        stratified_split(examples, params.validation, seed.stream("validation"));
    let scale = start.map_or_else(|| target_scale(examples, &fit_rows), |net| net.target);
    let weights = class_weighted(examples, params);
    let part = |rows: &[usize]| Part::new(inputs, examples, rows, &weights, scale);
    let fit_part = part(&fit_rows);
    let validation = (!validation_rows.is_empty()).then(|| part(&validation_rows));
    let mut trainer = Trainer::new(&shape, params, fit_rows.len(), &mut rng);
    if let Some(net) = start {
        trainer.start_from(&net.params, &net.moving);
    } else if let Some(how) = params.pretrain {
        pretrain(&mut trainer, &shape, &fit_part, how, seed.stream("pretrain"))?;
    }
    let (best, history) = run(&mut trainer, &fit_part, validation.as_ref(), params, &mut rng)?;
    let mut net = Mlp::new(shape, best.params, best.moving, scale);
    net.settle_tables(&fit_part);
    Ok((net, history))
}

struct Weights {
    params: Vec<f32>,
    moving: Vec<f32>,
}

/// Epoch after epoch until the validation loss has stopped falling; gives the best epoch's weights, or the last's without
/// a validation part.
fn run(
    trainer: &mut Trainer,
    part: &Part<'_>,
    validation: Option<&Part<'_>>,
    params: &MlpParams,
    rng: &mut ChaCha8Rng,
) -> Result<(Weights, Vec<Epoch>)> {
    let now = |trainer: &Trainer| Weights {
        params: trainer.params.clone(),
        moving: trainer.moving.clone(),
    };
    let (mut lowest, mut best, mut best_epoch) = (f64::INFINITY, now(trainer), 0);
    let mut history = Vec::new();
    for epoch in 1..=params.epochs {
        let train_loss = trainer.epoch(part, params, rng);
        let validation_loss = validation.map(|part| trainer.loss(part));
        let watched = validation_loss.unwrap_or(train_loss);
        if !watched.is_finite() || !train_loss.is_finite() {
            return Err(diverged(epoch, params));
        }
        history.push(Epoch {
            epoch,
            train_loss,
            validation_loss,
        });
        if watched < lowest || validation_loss.is_none() {
            (lowest, best, best_epoch) = (watched, now(trainer), epoch);
        } else if epoch - best_epoch >= params.patience {
            break;
        }
    }
    Ok((best, history))
}

pub(super) fn shape_of(inputs: Inputs<'_>, examples: &Examples, params: &MlpParams) -> Shape {
    let norms: Vec<Norm> = (0..params.hidden.len())
        .map(|layer| params.norm_of(layer))
        .collect();
    let plain = norms.iter().all(|norm| *norm == Norm::None);
    let table = |levels: &usize| EmbeddingTable {
        rows: levels + 2,
        dims: match params.embedding {
            Some(Embedding::Dims(dims)) => dims,
            _ => ((1.6 * (*levels as f64).powf(0.56)).ceil() as usize).clamp(1, 32),
        },
    };
    Shape {
        inputs: inputs.dense.n_columns,
        hidden: params.hidden.clone(),
        activation: params.activation,
        norms: if plain { Vec::new() } else { norms },
        output: Output::of(&examples.task),
        outputs: examples.task.n_outputs(),
        tables: inputs.levels.iter().map(table).collect(),
    }
}

pub(super) fn diverged(epoch: usize, params: &MlpParams) -> Error {
    let message = format!("the net's loss stopped being a number in epoch {epoch}");
    Error::new("TW0308", message).hint(format!(
        "lower [model.mlp] learning_rate (it is {}) or use optimizer = \"adam\"",
        params.learning_rate
    ))
}
