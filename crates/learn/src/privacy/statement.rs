//! What a privately trained model can say about itself.

use serde::{Deserialize, Serialize};
use thalweg_domain::Result;

use super::accountant::{ACCOUNTANT, epsilon_of};
use super::noise::KeyOrigin;

/// The guarantee of a private training, for the model card.
///
/// It covers the net's weights: whether a customer's rows were among those of training changes the probability of any set of weights
/// by at most a factor `exp(epsilon)`, but for `delta`. See [`Self::LIMITS`] for what it does not cover.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrivacyStatement {
    /// Spent by the training, in nats.
    pub epsilon: f64,
    /// The probability with which epsilon may fail.
    pub delta: f64,
    /// The noise's standard deviation over `clip`.
    pub noise_multiplier: f64,
    /// The probability with which each customer joined a step.
    pub sample_rate: f64,
    /// Steps taken.
    pub steps: usize,
    /// The largest norm of what a customer adds to a step's gradient.
    pub clip: f64,
    /// Customers of training; taken as known to everybody.
    pub customers: usize,
    /// Whether the key of the noise was secret.
    pub key: KeyOrigin,
    /// How epsilon was found.
    pub accountant: String,
}

impl PrivacyStatement {
    /// What the guarantee does not cover, for people who read a model card.
    pub const LIMITS: &'static str = "The guarantee covers the weights of the net. It does not cover what is computed from the training \
         rows beside them without noise: the means, standard deviations, medians and levels of the columns, the scores that stand for text, the scale of a number target, \
         class weights balanced by count, the calibration, the importance of features, the evaluation's figures, and what was tried \
         and chosen before (learner, parameters). The number of customers is taken as known. It is void for whoever knows the \
         noise's key, and so for a key that follows from a known seed. Sums are made in floating point: the noise is built to resist \
         attacks on its low bits, but the proof is about real numbers.";

    /// The statement of a training.
    ///
    /// # Errors
    /// `TW0330` for numbers out of range.
    pub(crate) fn new(terms: &Terms) -> Result<Self> {
        Ok(Self {
            epsilon: epsilon_of(
                terms.noise_multiplier,
                terms.sample_rate,
                terms.steps,
                terms.delta,
            )?,
            delta: terms.delta,
            noise_multiplier: terms.noise_multiplier,
            sample_rate: terms.sample_rate,
            steps: terms.steps,
            clip: terms.clip,
            customers: terms.customers,
            key: terms.key,
            accountant: ACCOUNTANT.to_owned(),
        })
    }
}

/// What a statement follows from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) delta: f64,
    pub(crate) noise_multiplier: f64,
    pub(crate) sample_rate: f64,
    pub(crate) steps: usize,
    pub(crate) clip: f64,
    pub(crate) customers: usize,
    pub(crate) key: KeyOrigin,
}
