//! The settings that `auto` tries, round by round, and the work that each costs.

use crate::models::mlp::Optimizer;
use crate::models::{Learner, LearnerParams};

/// Rounds of the whole search.
pub(super) const ROUNDS: usize = 4;

/// One setting of one learner.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub(super) learner: Learner,
    pub(super) words: String,
    pub(super) params: LearnerParams,
    pub(super) round: usize,
}

/// The settings of a round around the given parameters; round 0 is those themselves, for each of `learners`.
pub(super) fn round(number: usize, learners: &[Learner], base: &LearnerParams) -> Vec<Setting> {
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
    if number == 0 {
        return learners
            .iter()
            .map(|learner| setting(*learner, "as given", &|_| ()))
            .collect();
    }
    let logistic = |l2: f64| {
        setting(Learner::Logistic, &format!("l2 {l2}"), &|params| {
            params.logistic.l2 = l2
        })
    };
    let trees = |words: &str, change: &dyn Fn(&mut LearnerParams)| setting(Learner::Gbdt, words, change);
    let net = |words: &str, change: &dyn Fn(&mut LearnerParams)| setting(Learner::Mlp, words, change);
    match number {
        1 => vec![
            logistic(30.0),
            trees("deep", &|params| {
                params.gbdt.depth = 6;
                params.gbdt.min_leaf_weight = 3.0;
            }),
            net("adam", &|params| {
                params.mlp.optimizer = Optimizer::Adam;
                params.mlp.learning_rate = 0.002;
                params.mlp.dropout = 0.3;
                params.mlp.epochs = 40;
            }),
        ],
        2 => vec![
            trees("more of them", &|params| {
                params.gbdt.depth = 5;
                params.gbdt.trees = 300;
            }),
            net("two layers, adam", &|params| {
                params.mlp.hidden = vec![64, 32];
                params.mlp.optimizer = Optimizer::Adam;
                params.mlp.learning_rate = 0.002;
                params.mlp.dropout = 0.2;
                params.mlp.epochs = 40;
            }),
        ],
        3 => vec![trees("shallow", &|params| {
            params.gbdt.depth = 2;
            params.gbdt.trees = 250;
        })],
        _ => Vec::new(),
    }
}

/// Work of one fit, in thousand millions of cell visits: an upper bound, since nets and trees may stop early.
pub(super) fn units(setting: &Setting, n_rows: usize, n_columns: usize, n_outputs: usize) -> f64 {
    let (rows, columns, outputs) = (n_rows as f64, n_columns as f64, n_outputs as f64);
    let visits = match setting.learner {
        Learner::Logistic => rows * columns * columns * outputs * outputs * 8.0,
        Learner::Gbdt => {
            let params = &setting.params.gbdt;
            rows * columns * outputs * (params.trees * params.depth) as f64
        }
        Learner::Mlp => {
            let params = &setting.params.mlp;
            let widths: Vec<f64> = std::iter::once(columns)
                .chain(params.hidden.iter().map(|units| *units as f64))
                .chain([outputs])
                .collect();
            let weights: f64 = widths.windows(2).map(|pair| pair.iter().product::<f64>()).sum();
            // forward, backward and gradient
            3.0 * rows * weights * params.epochs as f64
        }
    };
    visits / 1e9
}
