//! The `[model]` sections of the file.

use thalweg_domain::Result;
use thalweg_learn::models::Learner;
use thalweg_learn::models::gbdt::{GbdtParams, ValueLoss};
use thalweg_learn::models::logistic::LogisticParams;
use thalweg_learn::models::mlp::{
    Activation, ClassWeights, Embedding, Loss, MlpParams, Norm, Optimizer, Pretrain, Schedule,
};
use thalweg_learn::outcome::{ClassWeight, LearnerChoice, Threshold};
use thalweg_learn::privacy::PrivacyParams;
use thalweg_onnx::{Reading, Scale};

use super::read::document;
use super::toml_view::{Section, Source};
use super::{Model, OnnxFile, Split};

/// Reads a file with `[model]` sections alone, for `tool fit --config`.
///
/// # Errors
/// As [`parse`].
pub fn parse_model(file: &str, text: &str) -> Result<Model> {
    let source = Source { file, text };
    let document = document(source)?;
    let root = Section::open(source, "", "", document.get_ref(), 0)?;
    if let Some(other) = root.names().into_iter().find(|name| name != "model") {
        return Err(root.refuse_as(
            "TW0107",
            &other,
            "is not a [model] section: this file may hold no other",
        ));
    }
    model(&root, false)
}

fn split(section: &Section<'_>, learned_from_events: bool) -> Result<Split> {
    let default = if learned_from_events { "rolling" } else { "random" };
    match section.word("split", &["rolling", "random"], default)? {
        "rolling" if !learned_from_events => Err(section
            .refuse("split", "= \"rolling\" needs rows of several moments")
            .hint("a labelled column is one moment; learn from [[events]] without an [outcome] column, or use \"random\"")),
        "rolling" => Ok(Split::Rolling),
        _ => Ok(Split::Random),
    }
}

pub(super) fn model(root: &Section<'_>, learned_from_events: bool) -> Result<Model> {
    let split_by_default = if learned_from_events {
        Split::Rolling
    } else {
        Split::Random
    };
    let Some(section) = root.section("model", "model", "[model]")? else {
        return Ok(Model {
            split: split_by_default,
            ..Model::default()
        });
    };
    let plain = Model::default();
    let known = ["auto", "mlp", "gbdt", "logistic", "onnx"];
    let learner = match section.word("learner", &known, "auto")? {
        "onnx" => LearnerChoice::One(Learner::Onnx),
        "mlp" => LearnerChoice::One(Learner::Mlp),
        "gbdt" => LearnerChoice::One(Learner::Gbdt),
        "logistic" => LearnerChoice::One(Learner::Logistic),
        _ => LearnerChoice::Auto,
    };
    let folds = section.whole("folds", 2)?.unwrap_or(5);
    if folds > 20 {
        return Err(section.refuse("folds", &format!("= {folds} is not between 2 and 20")));
    }
    let sub = |name: &str| section.section(name, &format!("model.{name}"), &format!("[model.{name}]"));
    let is_foreign = learner == LearnerChoice::One(Learner::Onnx);
    let onnx = sub("onnx")?.map(|section| onnx(&section)).transpose()?;
    if is_foreign {
        check_foreign(&section, onnx.is_some())?;
    }
    Ok(Model {
        learner,
        onnx,
        split: if is_foreign {
            Split::Random
        } else {
            split(&section, learned_from_events)?
        },
        folds: usize::try_from(folds).unwrap_or(5),
        class_weight: match section.word("class_weight", &["none", "balanced"], "none")? {
            "balanced" => ClassWeight::Balanced,
            _ => ClassWeight::None,
        },
        threshold: threshold(&section)?,
        rounds: section
            .whole("rounds", 1)?
            .and_then(|rounds| usize::try_from(rounds).ok())
            .unwrap_or(plain.rounds),
        mlp: sub("mlp")?.map_or(Ok(plain.mlp), |section| mlp(&section))?,
        gbdt: sub("gbdt")?.map_or(Ok(plain.gbdt), |section| gbdt(&section))?,
        logistic: sub("logistic")?.map_or(Ok(plain.logistic), |section| logistic(&section))?,
    })
}

/// A model trained elsewhere is neither trained nor searched, so what says how has no meaning.
fn check_foreign(section: &Section<'_>, has_file: bool) -> Result<()> {
    if !has_file {
        return Err(section
            .refuse("learner", "= \"onnx\" needs a section [model.onnx]")
            .hint("name the file there: file = \"model.onnx\""));
    }
    if section.word("split", &["rolling", "random"], "random")? == "rolling" {
        return Err(section
            .refuse("split", "= \"rolling\" does not go with learner = \"onnx\"")
            .hint("a model trained elsewhere is not trained anew at each moment: leave split away"));
    }
    if section.word("class_weight", &["none", "balanced"], "none")? == "balanced" {
        return Err(section
            .refuse(
                "class_weight",
                "= \"balanced\" does not go with learner = \"onnx\"",
            )
            .hint("a model trained elsewhere is not fitted here: leave class_weight away"));
    }
    Ok(())
}

fn onnx(section: &Section<'_>) -> Result<OnnxFile> {
    let known = ["probability", "logit", "log_probability"];
    Ok(OnnxFile {
        file: section.required_text("file")?,
        reading: Reading {
            columns: section.texts("columns")?,
            output: section.text("output")?,
            positive: section.text("positive")?,
            scale: Scale::from_name(section.word("scale", &known, "")?),
        },
    })
}

/// `"cost"`, or a probability.
fn threshold(section: &Section<'_>) -> Result<Threshold> {
    let Some(given) = section.expression("threshold")? else {
        return Ok(Threshold::Cost);
    };
    match given.parse::<f64>() {
        _ if given == "cost" => Ok(Threshold::Cost),
        Ok(probability) if probability > 0.0 && probability < 1.0 => Ok(Threshold::Fixed(probability)),
        _ => Err(section.refuse(
            "threshold",
            &format!("= {given} is neither \"cost\" nor a probability between 0 and 1"),
        )),
    }
}

fn count(section: &Section<'_>, key: &str, default: usize) -> Result<usize> {
    Ok(section
        .whole(key, 1)?
        .and_then(|number| usize::try_from(number).ok())
        .unwrap_or(default))
}

fn number(section: &Section<'_>, key: &str, default: f64) -> Result<f64> {
    Ok(section.number(key)?.unwrap_or(default))
}

fn gbdt(section: &Section<'_>) -> Result<GbdtParams> {
    let plain = GbdtParams::default();
    let mut monotone = std::collections::BTreeMap::new();
    for (key, direction) in [("rising", 1_i8), ("falling", -1)] {
        monotone.extend(section.texts(key)?.into_iter().map(|column| (column, direction)));
    }
    let params = GbdtParams {
        trees: count(section, "trees", plain.trees)?,
        learning_rate: number(section, "learning_rate", plain.learning_rate)?,
        leaves: count(section, "leaves", plain.leaves)?,
        depth: count(section, "depth", plain.depth)?,
        min_rows: count(section, "min_rows", plain.min_rows)?,
        min_leaf_weight: number(section, "min_leaf_weight", plain.min_leaf_weight)?,
        l2: number(section, "l2", plain.l2)?,
        row_share: number(section, "row_share", plain.row_share)?,
        column_share: number(section, "column_share", plain.column_share)?,
        bins: count(section, "bins", plain.bins)?,
        validation: number(section, "validation", plain.validation)?,
        patience: count(section, "patience", plain.patience)?,
        loss: match section.word("loss", &["squared", "huber"], "squared")? {
            "huber" => ValueLoss::Huber,
            _ => ValueLoss::Squared,
        },
        monotone,
    };
    params.check().map_err(|error| section.about(error))?;
    Ok(params)
}

fn logistic(section: &Section<'_>) -> Result<LogisticParams> {
    let plain = LogisticParams::default();
    let params = LogisticParams {
        l2: number(section, "l2", plain.l2)?,
        text_l2: section.number("text_l2")?,
        max_steps: count(section, "max_steps", plain.max_steps)?,
        tolerance: number(section, "tolerance", plain.tolerance)?,
    };
    params.check().map_err(|error| section.about(error))?;
    Ok(params)
}

fn mlp(section: &Section<'_>) -> Result<MlpParams> {
    let plain = MlpParams::default();
    let params = MlpParams {
        hidden: section.wholes("hidden")?.unwrap_or_else(|| plain.hidden.clone()),
        activation: match section.word("activation", &["relu", "gelu", "tanh"], "relu")? {
            "gelu" => Activation::Gelu,
            "tanh" => Activation::Tanh,
            _ => Activation::Relu,
        },
        norm: norm(section)?,
        dropout: number(section, "dropout", plain.dropout)?,
        loss: match section.word("loss", &["cross_entropy", "mse", "huber"], "cross_entropy")? {
            "mse" => Loss::Mse,
            "huber" => Loss::Huber,
            _ => Loss::CrossEntropy,
        },
        huber_delta: number(section, "huber_delta", plain.huber_delta)?,
        class_weights: class_weights(section)?,
        l2: number(section, "l2", plain.l2)?,
        clip_norm: section.number("clip_norm")?,
        optimizer: optimizer(section)?,
        momentum: number(section, "momentum", plain.momentum)?,
        learning_rate: number(section, "learning_rate", plain.learning_rate)?,
        schedule: schedule(section)?,
        batch: count(section, "batch", plain.batch)?,
        epochs: count(section, "epochs", plain.epochs)?,
        validation: number(section, "validation", plain.validation)?,
        patience: count(section, "patience", plain.patience)?,
        embedding: embedding(section)?,
        pretrain: pretrain(section)?,
        privacy: privacy(section)?,
    };
    params.check().map_err(|error| section.about(error))?;
    Ok(params)
}

fn norm(section: &Section<'_>) -> Result<Vec<Norm>> {
    section
        .words("norm", &["none", "batch", "layer"])?
        .into_iter()
        .map(|word| {
            Ok(match word {
                "batch" => Norm::Batch,
                "layer" => Norm::Layer,
                _ => Norm::None,
            })
        })
        .collect()
}

/// `"none"`, `"balanced"`, or one weight per class.
fn class_weights(section: &Section<'_>) -> Result<ClassWeights> {
    if let Some(weights) = section.numbers("class_weights")? {
        return Ok(ClassWeights::Given(weights));
    }
    Ok(
        match section.word("class_weights", &["none", "balanced"], "none")? {
            "balanced" => ClassWeights::Balanced,
            _ => ClassWeights::None,
        },
    )
}

fn optimizer(section: &Section<'_>) -> Result<Optimizer> {
    let known = ["gd", "sgd", "momentum", "nesterov", "adam", "adamw"];
    Ok(match section.word("optimizer", &known, "sgd")? {
        "gd" => Optimizer::Gd,
        "momentum" => Optimizer::Momentum,
        "nesterov" => Optimizer::Nesterov,
        "adam" => Optimizer::Adam,
        "adamw" => Optimizer::Adamw,
        _ => Optimizer::Sgd,
    })
}

/// Such as `{ kind = "cosine", floor = 0.01 }`.
fn schedule(section: &Section<'_>) -> Result<Schedule> {
    let Some(inner) = section.section("schedule", "schedule", "[model.mlp] schedule")? else {
        return Ok(Schedule::Constant);
    };
    let known = ["constant", "step", "exponential", "cosine", "one_cycle"];
    Ok(match inner.word("kind", &known, "constant")? {
        "step" => Schedule::Step {
            every: count(&inner, "every", 10)?,
            factor: inner.number_in("factor", 0.0..=1.0, 0.5)?,
        },
        "exponential" => Schedule::Exponential {
            factor: inner.number_in("factor", 0.0..=1.0, 0.95)?,
        },
        "cosine" => Schedule::Cosine {
            floor: inner.number_in("floor", 0.0..=1.0, 0.0)?,
        },
        "one_cycle" => Schedule::OneCycle {
            warm_up: inner.number_in("warm_up", 0.0..=1.0, 0.3)?,
        },
        _ => Schedule::Constant,
    })
}

/// Such as `{ epochs = 10, noise = 0.2 }`.
fn pretrain(section: &Section<'_>) -> Result<Option<Pretrain>> {
    let Some(inner) = section.section("pretrain", "pretrain", "[model.mlp] pretrain")? else {
        return Ok(None);
    };
    let plain = Pretrain::default();
    Ok(Some(Pretrain {
        epochs: count(&inner, "epochs", plain.epochs)?,
        noise: inner.number_in("noise", 0.0..=0.9, plain.noise)?,
    }))
}

/// `[model.mlp.privacy]`; the key of the noise is added when training begins.
fn privacy(section: &Section<'_>) -> Result<Option<PrivacyParams>> {
    let Some(inner) = section.section("privacy", "model.mlp.privacy", "[model.mlp.privacy]")? else {
        return Ok(None);
    };
    let plain = PrivacyParams::default();
    let params = PrivacyParams {
        epsilon: number(&inner, "epsilon", plain.epsilon)?,
        delta: number(&inner, "delta", plain.delta)?,
        clip: number(&inner, "clip", plain.clip)?,
        noise_multiplier: inner.number("noise_multiplier")?,
        batch: inner
            .whole("batch", 1)?
            .and_then(|rows| usize::try_from(rows).ok()),
        epochs: count(&inner, "epochs", plain.epochs)?,
        learning_rate: inner.number("learning_rate")?,
        key: None,
    };
    params.check().map_err(|error| inner.about(error))?;
    Ok(Some(params))
}

/// `"none"`, `"auto"`, or the number of dimensions.
fn embedding(section: &Section<'_>) -> Result<Option<Embedding>> {
    match section.expression("embedding")?.as_deref() {
        None | Some("none") => Ok(None),
        Some("auto") => Ok(Some(Embedding::Auto)),
        Some(dims) => match dims.parse::<usize>() {
            Ok(dims) if (1..=256).contains(&dims) => Ok(Some(Embedding::Dims(dims))),
            _ => Err(section.refuse(
                "embedding",
                &format!("= {dims} is neither \"none\", \"auto\" nor a number of dimensions from 1 to 256"),
            )),
        },
    }
}
