//! `tool layers`: does training in layers pay on this table? Pre-trained nets and corrections per segment against plain training.

use thalweg_domain::{Result, Seed};
use thalweg_learn::layered::{Contender, SegmentParams, StudyParams, study};
use thalweg_learn::outcome::TrainingSet;

use super::fit::{FitRequest, Prepared, prepare};
use crate::wire::{ContenderOut, LayersOut};

/// Compares on the same folds; `segments` names the column whose levels get corrections of their own.
///
/// # Errors
/// As [`super::fit::fit`]; `TW0335` for segments when the target has not two values.
pub fn layers(request: &FitRequest, segments: Option<&str>) -> Result<LayersOut> {
    let Prepared {
        model,
        labelled,
        features,
        group,
        ..
    } = prepare(request)?;
    let weight = vec![1.0; labelled.known.len()];
    let set = TrainingSet {
        table: &features,
        target: labelled.target(),
        weight: &weight,
        group: &group,
        period: None,
    };
    let seed = Seed(request.seed.unwrap_or(42));
    let params = StudyParams {
        pretrain: model.mlp.pretrain.unwrap_or_default(),
        segments: segments.map(|column| SegmentParams::by(column.to_owned())),
    };
    let found = study(&set, &model.params(0, seed).learners, &params, seed)?;
    Ok(LayersOut {
        data: request.data.clone(),
        target: request.target.clone(),
        metric: found.metric.to_owned(),
        folds: found.folds,
        plain: found.plain,
        pretrained: contender(&found.pretrained),
        segmented: found.segmented.as_ref().map(contender),
    })
}

fn contender(own: &Contender) -> ContenderOut {
    ContenderOut {
        mean: own.mean,
        difference: own.difference.into(),
    }
}
