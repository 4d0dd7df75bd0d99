//! What can be set about the procedure: learners, splits, search, weights of classes, threshold.

use serde::{Deserialize, Serialize};
use thalweg_domain::{Error, Result, Seed};

use crate::models::{Learner, LearnerParams};

/// Which learner to train.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LearnerChoice {
    /// All of them with a few settings each: the simplest within one standard error of the best, or a blend if it is
    /// clearly better.
    Auto,
    /// Just this one, with the parameters that are given.
    One(Learner),
}

impl LearnerChoice {
    /// The choice of that name: `auto`, `mlp`, `gbdt` or `logistic`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "auto" {
            Some(Self::Auto)
        } else {
            Learner::from_name(name).map(Self::One)
        }
    }

    pub(super) fn learners(self) -> Vec<Learner> {
        match self {
            Self::Auto => Learner::ALL.to_vec(),
            Self::One(learner) => vec![learner],
        }
    }
}

/// How the rows are split to see how good a model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Split {
    /// Stratified folds in random order that keep groups together.
    #[default]
    Random,
    /// Rolling origin (Tashman 2000, doi:10.1016/S0169-2070(00)00065-0): the rows of a cut-off are scored by models
    /// fitted on rows whose outcome was known by then. Needs [`super::TrainingSet::period`].
    Rolling {
        /// At most so many of the latest cut-offs are tested, at least 1.
        cutoffs: usize,
        /// The outcomes of period p are known at the cut-off of period p + gap, at least 1.
        gap: u32,
    },
}

/// How far `auto` searches.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// Rounds at most, each with another setting of each learner; round 0 tries the given parameters and always runs.
    pub rounds: usize,
    /// Work at most, in units of a thousand million cell visits (rows times columns, times trees, epochs or steps),
    /// about a second of one core each: a round that would pass it does not start.
    pub units: f64,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            rounds: super::grid::ROUNDS,
            units: 300.0,
        }
    }
}

/// Whether fits give rare classes more weight. Validation, calibration and figures never do; the probabilities are
/// corrected for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeight {
    /// Each row counts by its own weight.
    #[default]
    None,
    /// Each class counts the same in total, over the rows of each fit.
    Balanced,
}

/// From which probability on a row counts as positive.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// The one with the highest expected profit under the caller's costs.
    #[default]
    Cost,
    /// This one, in (0, 1).
    Fixed(f64),
}

/// Parameters of the procedure.
#[derive(Debug, Clone, PartialEq)]
pub struct OutcomeParams {
    /// Which learner.
    pub choice: LearnerChoice,
    /// Parameters of each learner; with [`LearnerChoice::Auto`] what the search starts from.
    pub learners: LearnerParams,
    /// How rows are split.
    pub split: Split,
    /// Random folds, 2 to 20; fold 0 is also the test part, so 5 makes it a fifth.
    pub folds: usize,
    /// Inner folds, 2 to 20.
    pub inner_folds: usize,
    /// How far `auto` searches.
    pub search: Search,
    /// Weights of classes in fits.
    pub class_weight: ClassWeight,
    /// Where positives begin.
    pub threshold: Threshold,
    /// The seed of folds and learners.
    pub seed: Seed,
}

impl Default for OutcomeParams {
    fn default() -> Self {
        Self {
            choice: LearnerChoice::Auto,
            learners: LearnerParams::default(),
            split: Split::Random,
            folds: 5,
            inner_folds: 3,
            search: Search::default(),
            class_weight: ClassWeight::None,
            threshold: Threshold::Cost,
            seed: Seed(42),
        }
    }
}

impl OutcomeParams {
    /// Checks the ranges, those of the learners too.
    ///
    /// # Errors
    /// `TW0307` with the parameter, its value and its range; `TW0332` for what cannot go with private training.
    pub fn check(&self) -> Result<()> {
        let refuse = |what: String, hint: &str| Err(Error::new("TW0307", what).hint(hint));
        for (name, folds) in [("folds", self.folds), ("inner folds", self.inner_folds)] {
            if !(2..=20).contains(&folds) {
                return refuse(
                    format!("{name} = {folds} cannot be used"),
                    "use 2 to 20, usually 5",
                );
            }
        }
        if let Split::Rolling { cutoffs, gap } = self.split
            && (cutoffs == 0 || gap == 0)
        {
            let what = format!("a rolling split over {cutoffs} cut-offs with a gap of {gap} cannot be used");
            return refuse(
                what,
                "test at least 1 cut-off, and leave a gap of at least 1 period",
            );
        }
        if let Threshold::Fixed(threshold) = self.threshold
            && !(threshold > 0.0 && threshold < 1.0)
        {
            return refuse(
                format!("threshold = {threshold} cannot be used"),
                "give a number between 0 and 1",
            );
        }
        if self.search.units.is_nan() || self.search.units <= 0.0 {
            let what = format!("a search of {} units cannot be used", self.search.units);
            return refuse(what, "give a number above 0; the default is 300");
        }
        self.check_privacy()?;
        self.learners.mlp.check()?;
        self.learners.gbdt.check()?;
        self.learners.logistic.check()
    }

    /// Refuses what would leave private training out, or read rows beside it.
    fn check_privacy(&self) -> Result<()> {
        let refuse = |what: &str, hint: &str| {
            let message = format!("{what} cannot be used with privacy: only the net is trained with noise");
            Err(Error::new("TW0332", message).hint(hint))
        };
        if self.learners.mlp.privacy.is_none() {
            return Ok(());
        }
        if self.choice != LearnerChoice::One(Learner::Mlp) {
            return refuse(
                "a learner other than \"mlp\"",
                "set learner = \"mlp\", or leave [model.mlp.privacy] out",
            );
        }
        if self.class_weight == ClassWeight::Balanced {
            return refuse(
                "class_weight = \"balanced\", which counts the rows of each class,",
                "leave class_weight out, or [model.mlp.privacy]",
            );
        }
        Ok(())
    }
}
