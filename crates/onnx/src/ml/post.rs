//! From scores to probabilities, as the `post_transform` attribute says.

use thalweg_domain::{Error, Result};

use crate::proto::NodeProto;

/// What is done to the scores of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Post {
    None,
    Logistic,
    Softmax,
    /// A softmax that leaves scores of exactly 0 alone.
    SoftmaxZero,
}

impl Post {
    /// # Errors
    /// `TW0341` for `PROBIT`.
    pub(super) fn of(node: &NodeProto) -> Result<Self> {
        Ok(match node.text("post_transform", "NONE").as_str() {
            "NONE" => Self::None,
            "LOGISTIC" => Self::Logistic,
            "SOFTMAX" => Self::Softmax,
            "SOFTMAX_ZERO" => Self::SoftmaxZero,
            other => {
                let message = format!(
                    "{} has the post_transform {other}, which is not supported",
                    node.place()
                );
                return Err(
                    Error::new("TW0341", message).hint("export the model with NONE, LOGISTIC or SOFTMAX")
                );
            }
        })
    }

    pub(super) fn apply(self, scores: &mut [f64]) {
        match self {
            Self::None => {}
            Self::Logistic => scores.iter_mut().for_each(|score| *score = sigmoid(*score)),
            Self::Softmax => softmax(scores, |_| true),
            Self::SoftmaxZero => softmax(scores, |score| score.abs() > 1e-7),
        }
    }

    /// The two scores of a classifier that has one score for two classes.
    pub(super) fn two_of_one(self, score: f64) -> [f64; 2] {
        if self == Self::Logistic {
            [sigmoid(-score), sigmoid(score)]
        } else {
            [-score, score]
        }
    }
}

fn sigmoid(score: f64) -> f64 {
    1.0 / (1.0 + (-score).exp())
}

fn softmax(scores: &mut [f64], taken: fn(f64) -> bool) {
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let part = |score: f64| {
        if taken(score) {
            (score - top).exp()
        } else {
            score * (-top).exp()
        }
    };
    let sum: f64 = scores.iter().map(|score| part(*score)).sum();
    scores.iter_mut().for_each(|score| *score = part(*score) / sum);
}

/// The names of a classifier's classes, in the order of its scores.
pub(crate) fn class_labels(node: &NodeProto) -> Option<Vec<String>> {
    let texts = ["classlabels_strings", "classlabels_string"];
    let ints = ["classlabels_int64s", "classlabels_ints"];
    let named = texts.iter().find_map(|name| node.texts(name));
    named.or_else(|| {
        let codes = ints.iter().find_map(|name| node.ints(name))?;
        Some(codes.iter().map(ToString::to_string).collect())
    })
}
