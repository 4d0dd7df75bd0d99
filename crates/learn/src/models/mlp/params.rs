//! What can be set about the net, with ranges and defaults: the keys of `[model.mlp]`.

use serde::{Deserialize, Serialize};

use super::pretrain::Pretrain;
use crate::privacy::PrivacyParams;

/// What a hidden unit does with its sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `max(z, 0)`.
    #[default]
    Relu,
    /// `z Phi(z)` with the normal distribution function itself, not the tanh form (Hendrycks and Gimpel, arXiv 1606.08415).
    Gelu,
    /// The hyperbolic tangent.
    Tanh,
}

/// How a hidden layer's sums are normalised before the activation. Both learn a gain and a shift per unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// Not at all.
    #[default]
    None,
    /// Each unit over the rows of a batch (Ioffe and Szegedy, arXiv 1502.03167); scores use moving averages.
    Batch,
    /// Each row over the units of the layer (Ba et al., arXiv 1607.06450).
    Layer,
}

/// What training minimises, averaged over the rows of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// The negative log-likelihood: `-ln p` of the class that came; for a value half the squared error.
    #[default]
    CrossEntropy,
    /// Half the squared error, `(p - y)^2 / 2`, summed over the classes.
    Mse,
    /// As [`Self::Mse`] up to errors of `huber_delta`, linear beyond (Huber 1964, doi:10.1214/aoms/1177703732).
    Huber,
}

/// How much the rows of each class count in training, beside the rows' own weights.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeights {
    /// All the same.
    #[default]
    None,
    /// Every class weighs as much as every other, whatever its share of the rows.
    Balanced,
    /// One positive number per class, in the order of their codes (without the outcome first for two classes).
    Given(Vec<f64>),
}

/// How a gradient becomes a step; `rate` is the schedule's learning rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Optimizer {
    /// Gradient descent: as [`Self::Sgd`], with all training rows in every step; `batch` is not used.
    Gd,
    /// `w -= rate * g`, one step per batch.
    #[default]
    Sgd,
    /// Heavy ball: `v = momentum * v - rate * g; w += v`.
    Momentum,
    /// Nesterov's: `v` as above, then `w += momentum * v - rate * g` (Sutskever et al. 2013).
    Nesterov,
    /// Adam with 0.9, 0.999 and 1e-7 beside the uncorrected root (Kingma and Ba, arXiv 1412.6980, end of section 2).
    Adam,
    /// Adam with `l2` as decoupled decay, `w -= rate * l2 * w` (Loshchilov and Hutter, arXiv 1711.05101).
    Adamw,
}

/// How the learning rate changes over the training. Epochs are counted over `epochs`, however early training stops.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Schedule {
    /// It stays.
    #[default]
    Constant,
    /// Times `factor` after every `every` epochs.
    Step {
        /// Epochs between two changes, at least 1.
        every: usize,
        /// In (0, 1].
        factor: f64,
    },
    /// Times `factor` after every epoch.
    Exponential {
        /// In (0, 1].
        factor: f64,
    },
    /// Half a cosine from `learning_rate` to `learning_rate * floor`, step by step (Loshchilov and Hutter, arXiv 1608.03983).
    Cosine {
        /// In [0, 1].
        floor: f64,
    },
    /// Half a cosine up from a 25th of `learning_rate`, then one down to a 250,000th (Smith and Topin, arXiv 1708.07120).
    OneCycle {
        /// Share of the steps on the way up, in (0, 1).
        warm_up: f64,
    },
}

/// How many numbers stand for a level of a category with many levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Embedding {
    /// `1.6 n^0.56` for n levels, at most 32.
    Auto,
    /// As given, 1 to 256.
    Dims(usize),
}

/// Parameters of the net. The defaults are the reference net.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MlpParams {
    /// Units of each hidden layer, first to last; 1 to 4096 each, at most 8 layers, none is a logistic regression.
    pub hidden: Vec<usize>,
    /// What every hidden unit does with its sum.
    pub activation: Activation,
    /// Normalisation of the hidden layers: empty for none, one for all of them, or one per layer.
    pub norm: Vec<Norm>,
    /// Share of the hidden units switched off for each row of a batch, in [0, 0.95].
    pub dropout: f64,
    /// What is minimised.
    pub loss: Loss,
    /// Where Huber's loss turns linear, above 0; in standard deviations of the target for values.
    pub huber_delta: f64,
    /// How much each class counts.
    pub class_weights: ClassWeights,
    /// Half of this times the squared weights is added to the loss, in [0, 10]; biases, gains and shifts go free.
    pub l2: f64,
    /// The gradient is scaled down to this Euclidean norm where it is longer; above 0.
    pub clip_norm: Option<f64>,
    /// How steps are taken.
    pub optimizer: Optimizer,
    /// Of `momentum` and `nesterov`, in [0, 1).
    pub momentum: f64,
    /// Step size, in (0, 10].
    pub learning_rate: f64,
    /// How the step size changes.
    pub schedule: Schedule,
    /// Rows per step, at least 1.
    pub batch: usize,
    /// Passes over the training rows, at least 1.
    pub epochs: usize,
    /// Share of the rows kept for early stopping, in [0, 0.9]; 0 is no early stopping.
    pub validation: f64,
    /// Epochs without a better validation loss after which training stops.
    pub patience: usize,
    /// Categories with more than [`EMBED_ABOVE`] levels get learned vectors instead of 0/1 columns; `None`: never.
    pub embedding: Option<Embedding>,
    /// Starts the hidden layers as denoising autoencoders of the layers below instead of at random; `None`: at random.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pretrain: Option<Pretrain>,
    /// Trains with differential privacy; `None`: plainly. Its learning rate, batch and epochs replace those above, and no row is
    /// kept for early stopping.
    pub privacy: Option<PrivacyParams>,
}

/// Categories with more levels than this are embedded, when embedding is asked for.
pub const EMBED_ABOVE: usize = 12;

impl Default for MlpParams {
    fn default() -> Self {
        Self {
            hidden: vec![64],
            activation: Activation::Relu,
            norm: Vec::new(),
            dropout: 0.5,
            loss: Loss::CrossEntropy,
            huber_delta: 1.0,
            class_weights: ClassWeights::None,
            l2: 0.0,
            clip_norm: None,
            optimizer: Optimizer::Sgd,
            momentum: 0.9,
            learning_rate: 0.01,
            schedule: Schedule::Constant,
            batch: 32,
            epochs: 100,
            validation: 0.2,
            patience: 5,
            embedding: None,
            pretrain: None,
            privacy: None,
        }
    }
}

impl MlpParams {
    /// The normalisation of a hidden layer, counted from 0.
    pub(super) fn norm_of(&self, layer: usize) -> Norm {
        match self.norm.as_slice() {
            [] => Norm::None,
            [all] => *all,
            each => each.get(layer).copied().unwrap_or_default(),
        }
    }
}
