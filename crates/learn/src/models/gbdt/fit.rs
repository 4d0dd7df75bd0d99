//! Growing the trees.

use forust_ml::sampler::SampleMethod;
use forust_ml::{GradientBooster, Matrix};
use thalweg_domain::{Error, Result, Seed};

use super::params::GbdtParams;
use super::predict::Gbdt;
use crate::models::Examples;
use crate::prepare::RawMatrix;

/// Grows trees on log loss. Trees are grown on one thread: fits run beside each other instead, and the result does
/// not depend on how many do.
///
/// # Errors
/// `TW0307` for a parameter out of range; `TW0308` when the trees cannot be grown.
pub(crate) fn fit(x: &RawMatrix, examples: &Examples, params: &GbdtParams, seed: Seed) -> Result<Gbdt> {
    params.check()?;
    let mut booster = booster(params, seed);
    let mean = examples.weight.iter().sum::<f64>() / examples.weight.len() as f64;
    let weight: Vec<f64> = examples.weight.iter().map(|weight| weight / mean).collect();
    let matrix = Matrix::new(&x.data, x.n_rows, x.n_columns);
    booster
        .fit(&matrix, &examples.target, &weight, None)
        .map_err(|cause| {
            Error::new("TW0308", "the boosted trees could not be grown")
                .hint(
                    "choose another learner under [model] learner, and report this with the table's profile",
                )
                .cause(cause)
        })?;
    Ok(Gbdt::new(booster, x.n_columns))
}

fn booster(params: &GbdtParams, seed: Seed) -> GradientBooster {
    let booster = GradientBooster::default()
        .set_iterations(params.trees)
        .set_learning_rate(params.learning_rate as f32)
        .set_max_depth(params.depth)
        .set_min_leaf_weight(params.min_leaf_weight as f32)
        .set_l2(params.l2 as f32)
        .set_colsample_bytree(params.column_share)
        .set_seed(seed.stream("gbdt").0)
        .set_initialize_base_score(true)
        .set_parallel(false)
        .set_tiled_histograms(true);
    if params.row_share < 1.0 {
        booster
            .set_sample_method(SampleMethod::Random)
            .set_subsample(params.row_share as f32)
    } else {
        booster
    }
}
