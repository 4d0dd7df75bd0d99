//! The settings that `auto` tries, round by round, and the work that each costs.

use crate::models::mlp::Optimizer;
use crate::models::{Learner, LearnerParams};

/// Rounds of the whole search.
pub(super) const ROUNDS: usize = 3;
/// From so many rows on, large trees are tried.
const ROWS_FOR_LARGE_TREES: usize = 2000;
/// From so many rows on, there are rows to spare to find the number of trees.
const ROWS_FOR_MANY_TREES: usize = 20_000;
/// A net's cell visit costs this part of a tree's: its loops are dense.
const NET_VISIT: f64 = 1.0 / 30.0;
/// Rounds that a search for the number of trees is taken to need.
const USUAL_TREES: usize = 300;

/// One setting of one learner.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub(super) learner: Learner,
    pub(super) words: String,
    pub(super) params: LearnerParams,
    pub(super) round: usize,
}

/// The settings of a round around the given parameters for a table of `n_rows`; round 0 is those themselves, for each
/// of `learners`.
pub(super) fn round(
    number: usize,
    learners: &[Learner],
    base: &LearnerParams,
    n_rows: usize,
) -> Vec<Setting> {
    let setting = |learner: Learner, words: &str, change: &dyn Fn(&mut LearnerParams)| {
        let mut params = base.clone();
        change(&mut params);
        Setting {
            learner,
            words: words.to_owned(),
            params,
            round: number,
        }
    };
    match number {
        0 => learners
            .iter()
            .map(|learner| setting(*learner, "as given", &|_| ()))
            .collect(),
        1 => vec![
            setting(Learner::Logistic, "stronger penalty", &|params| {
                params.logistic.l2 = 30.0 * base.logistic.l2;
            }),
            setting(Learner::Gbdt, "two questions a tree", &two_questions),
        ],
        2 => vec![
            match n_rows {
                ..ROWS_FOR_LARGE_TREES => setting(Learner::Gbdt, "slow small trees", &slow_small_trees),
                ROWS_FOR_LARGE_TREES..ROWS_FOR_MANY_TREES => {
                    setting(Learner::Gbdt, "large trees", &large_trees)
                }
                _ => setting(
                    Learner::Gbdt,
                    "large trees, as many as validation wants",
                    &many_large_trees,
                ),
            },
            setting(Learner::Mlp, "128 units, adam", &wide_net),
        ],
        _ => Vec::new(),
    }
}

const fn two_questions(params: &mut LearnerParams) {
    params.gbdt.depth = 2;
    params.gbdt.leaves = 4;
    params.gbdt.trees = 250;
    params.gbdt.validation = 0.0;
}

const fn large_trees(params: &mut LearnerParams) {
    params.gbdt.depth = 64;
    params.gbdt.leaves = 31;
    params.gbdt.min_rows = 20;
    params.gbdt.trees = 150;
    params.gbdt.validation = 0.0;
}

const fn many_large_trees(params: &mut LearnerParams) {
    large_trees(params);
    params.gbdt.learning_rate = 0.1;
    params.gbdt.trees = 1000;
    params.gbdt.validation = 0.1;
    params.gbdt.row_share = 0.8;
}

const fn slow_small_trees(params: &mut LearnerParams) {
    params.gbdt.depth = 3;
    params.gbdt.leaves = 8;
    params.gbdt.learning_rate = 0.03;
    params.gbdt.trees = 200;
    params.gbdt.validation = 0.0;
    params.gbdt.row_share = 0.5;
    params.gbdt.column_share = 0.5;
}

fn wide_net(params: &mut LearnerParams) {
    params.mlp.hidden = vec![128];
    params.mlp.optimizer = Optimizer::Adam;
    params.mlp.learning_rate = 0.002;
    params.mlp.dropout = 0.3;
    params.mlp.epochs = 50;
}

/// Work of one fit, in thousand millions of cell visits, about a second of one core each.
pub(super) fn units(setting: &Setting, n_rows: usize, n_columns: usize, n_outputs: usize) -> f64 {
    let (rows, columns, outputs) = (n_rows as f64, n_columns as f64, n_outputs as f64);
    let visits = match setting.learner {
        Learner::Onnx => 0.0,
        Learner::Logistic => rows * columns * columns * outputs * outputs * 4.0,
        Learner::Gbdt => {
            let params = &setting.params.gbdt;
            let levels = params.depth.min(params.leaves.ilog2() as usize + 2);
            rows * columns * outputs * (params.trees.min(USUAL_TREES) * levels) as f64
        }
        Learner::Mlp => {
            let params = &setting.params.mlp;
            let widths: Vec<f64> = std::iter::once(columns)
                .chain(params.hidden.iter().map(|units| *units as f64))
                .chain([outputs])
                .collect();
            let weights: f64 = widths.windows(2).map(|pair| pair.iter().product::<f64>()).sum();
            // forward, backward and gradient
            3.0 * rows * weights * params.epochs as f64 * NET_VISIT
        }
    };
    visits / 1e9
}
