//! What a model is compressed to.

use thalweg_domain::{Error, Result, Seed};

use crate::models::LearnerParams;

/// The kinds of compression.
#[derive(Debug, Clone, PartialEq)]
pub enum CompressTo {
    /// A net's weights and activations rounded to 8 bits.
    Int8,
    /// A net of which only the largest weights are kept, retrained while the others are taken away.
    Pruned {
        /// Share of each layer's weights taken away, in (0, 0.99].
        sparsity: f64,
    },
    /// A small net that learns what any model (trees, a blend, a large net) predicts.
    Distilled {
        /// Its hidden units per layer.
        hidden: Vec<usize>,
        /// Weight of the teacher's prediction against the outcome itself, in [0, 1].
        teacher_share: f64,
    },
}

impl CompressTo {
    /// `int8`, `pruned` or `distilled`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Int8 => "int8",
            Self::Pruned { .. } => "pruned",
            Self::Distilled { .. } => "distilled",
        }
    }

    /// The kind of that name with its usual settings: nine of ten weights pruned, 16 hidden units, the teacher at 0.7.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "int8" => Some(Self::Int8),
            "pruned" => Some(Self::Pruned { sparsity: 0.9 }),
            "distilled" => Some(Self::Distilled {
                hidden: vec![16],
                teacher_share: 0.7,
            }),
            _ => None,
        }
    }
}

/// How a model is compressed.
#[derive(Debug, Clone, PartialEq)]
pub struct CompressParams {
    /// To what.
    pub to: CompressTo,
    /// The parameters with which the model's learners were trained ([`crate::outcome::SearchReport::best`]): for the folds, for
    /// retraining and for the small net.
    pub learners: LearnerParams,
    /// For whatever is random.
    pub seed: Seed,
}

impl CompressParams {
    /// Checks the ranges.
    ///
    /// # Errors
    /// `TW0307` with the parameter, its value and its range.
    pub fn check(&self) -> Result<()> {
        let (name, value, fits) = match &self.to {
            CompressTo::Int8 => return Ok(()),
            CompressTo::Pruned { sparsity } => ("sparsity", *sparsity, *sparsity > 0.0 && *sparsity <= 0.99),
            CompressTo::Distilled { teacher_share, .. } => (
                "teacher_share",
                *teacher_share,
                (0.0..=1.0).contains(teacher_share),
            ),
        };
        if fits {
            return Ok(());
        }
        Err(Error::new("TW0307", format!("{name} = {value} cannot be used"))
            .hint("give a sparsity above 0 and at most 0.99, or a teacher_share between 0 and 1"))
    }
}
