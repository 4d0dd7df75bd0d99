//! What the effect model is told before it sees data: actions, priors, sizes; checked once.

use serde::{Deserialize, Serialize};
use thalweg_domain::{Action, ActionId, Belief, Error, OutcomeKind, Result};

/// Smallest prior sd that is used: a belief "without doubt" (sd 0) is taken as this.
const LEAST_SD: f64 = 1e-6;

/// The effect model's structure and priors.
///
/// Effects are *relative*: for churn `E[y | a] = risk (1 - rel_a(x))`, for conversion and value
/// `E[y | a] = risk (1 + rel_a(x))`, with `risk` the expected outcome without action.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectDesign {
    /// Which way an effect goes.
    pub kind: OutcomeKind,
    /// The cycle's actions; [`ActionId`] is an index into this list.
    pub actions: Vec<Action>,
    /// Per channel: the relative effect believed before measuring.
    pub channel_prior: Vec<Belief>,
    /// Per offer: the relative effect on top of the channel's, believed before measuring.
    pub offer_prior: Vec<Belief>,
    /// Number of standardised features per customer (mean 0, sd 1 over the customers), without the constant.
    pub n_features: usize,
    /// Number of cycles in the data; each has one correction of the level of `risk`.
    pub n_cycles: usize,
    /// How far effects may differ between customers: the sd *between customers* of a channel's (offer's)
    /// relative effect, in units of its prior sd, as each of p coefficients has sd `h * sd / sqrt(p)`.
    /// 0 or more; [`EffectDesign::HETEROGENEITY`] unless there is a reason. 0 says "the same for everybody".
    pub heterogeneity: f64,
    /// Prior sd of the correction of the level of `risk` in a cycle, relative; [`EffectDesign::LEVEL_SD`]
    /// unless there is a reason. Above 0.
    pub level_sd: f64,
    /// Prior sd *between customers* of the correction of `risk` along the features, relative: each of the p coefficients has
    /// sd `risk_sd / sqrt(p)`. [`EffectDesign::RISK_SD`] unless there is a reason; 0 says "right but for its level".
    pub risk_sd: f64,
}

impl EffectDesign {
    /// Usual `heterogeneity`: customers differ as much as the prior doubts the average.
    pub const HETEROGENEITY: f64 = 1.0;
    /// Usual `level_sd`: a risk model's level is believed to within 10 %.
    pub const LEVEL_SD: f64 = 0.1;
    /// Usual `risk_sd`: weak, since the plan's own choice of customers picks out those whose risk is overrated.
    pub const RISK_SD: f64 = 1.0;

    pub(crate) fn block(&self) -> usize {
        self.n_features + 1
    }

    /// Blocks of channels and offers; the block after them corrects `risk` along the features.
    pub(crate) fn n_blocks(&self) -> usize {
        self.channel_prior.len() + self.offer_prior.len()
    }

    pub(crate) fn risk_block(&self) -> usize {
        self.n_blocks()
    }

    pub(crate) fn n_parameters(&self) -> usize {
        (self.n_blocks() + 1) * self.block() + self.n_cycles
    }

    pub(crate) fn level_parameter(&self, cycle: usize) -> usize {
        (self.n_blocks() + 1) * self.block() + cycle
    }

    /// +1 when an effect raises the outcome, -1 when it lowers it.
    pub(crate) const fn sign(&self) -> f64 {
        match self.kind {
            OutcomeKind::Churn => -1.0,
            OutcomeKind::Conversion | OutcomeKind::Value => 1.0,
        }
    }

    /// The action's channel block, offer block and the product of their prior means.
    pub(crate) fn term(&self, action: Action) -> Term {
        let channel_mean = self.channel_prior[action.channel].mean;
        Term {
            channel: action.channel,
            offer: action.offer.map(|offer| self.channel_prior.len() + offer),
            overlap: action
                .offer
                .map_or(0.0, |offer| channel_mean * self.offer_prior[offer].mean),
        }
    }

    pub(crate) fn action(&self, id: ActionId) -> Option<Action> {
        self.actions.get(usize::from(id.0)).copied()
    }

    /// Prior mean and sd of each parameter.
    pub(crate) fn prior(&self) -> Vec<Belief> {
        let mut prior = Vec::with_capacity(self.n_parameters());
        let spread = self.heterogeneity / (self.n_features.max(1) as f64).sqrt();
        for belief in self.channel_prior.iter().chain(&self.offer_prior) {
            prior.push(Belief {
                mean: belief.mean,
                sd: belief.sd.max(LEAST_SD),
            });
            let slope = Belief {
                mean: 0.0,
                sd: (spread * belief.sd).max(LEAST_SD),
            };
            prior.extend(std::iter::repeat_n(slope, self.n_features));
        }
        // the level is per cycle, so the risk block has no constant of its own
        prior.push(Belief {
            mean: 0.0,
            sd: LEAST_SD,
        });
        let slope_sd = (self.risk_sd / (self.n_features.max(1) as f64).sqrt()).max(LEAST_SD);
        prior.extend(std::iter::repeat_n(
            Belief {
                mean: 0.0,
                sd: slope_sd,
            },
            self.n_features,
        ));
        prior.extend(std::iter::repeat_n(
            Belief {
                mean: 0.0,
                sd: self.level_sd,
            },
            self.n_cycles,
        ));
        prior
    }

    pub(crate) fn check(&self) -> Result<()> {
        let beliefs = || self.channel_prior.iter().chain(&self.offer_prior);
        if let Some(belief) = beliefs().find(|b| !(b.mean.is_finite() && b.sd.is_finite() && b.sd >= 0.0)) {
            let said = format!(
                "an assumed effect of mean {} and sd {} cannot be used",
                belief.mean, belief.sd
            );
            return Err(Error::new("TW0720", said).hint("give finite numbers, with an sd of 0 or more"));
        }
        if !(self.heterogeneity.is_finite() && self.heterogeneity >= 0.0) {
            let said = format!("a heterogeneity of {} cannot be used", self.heterogeneity);
            return Err(Error::new("TW0720", said).hint("give a number of 0 or more; 1 is usual"));
        }
        if !(self.level_sd.is_finite() && self.level_sd > 0.0) {
            let said = format!("a level sd of {} cannot be used", self.level_sd);
            return Err(Error::new("TW0720", said).hint("give a number above 0; 0.1 is usual"));
        }
        if !(self.risk_sd.is_finite() && self.risk_sd >= 0.0) {
            let said = format!("a risk sd of {} cannot be used", self.risk_sd);
            return Err(Error::new("TW0720", said).hint("give a number of 0 or more; 1 is usual"));
        }
        self.actions
            .iter()
            .try_for_each(|action| self.check_action(*action))
    }

    fn check_action(&self, action: Action) -> Result<()> {
        let channel = action.channel < self.channel_prior.len();
        let offer = action.offer.is_none_or(|offer| offer < self.offer_prior.len());
        if channel && offer {
            return Ok(());
        }
        Err(
            Error::new("TW0720", format!("no assumed effect for action {action:?}"))
                .hint("every channel and offer needs an assumed_effect"),
        )
    }
}

/// Where an action's parameters are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Term {
    pub(crate) channel: usize,
    pub(crate) offer: Option<usize>,
    pub(crate) overlap: f64,
}

impl Term {
    /// The blocks that the action touches: one or two.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = usize> + Clone {
        std::iter::once(self.channel).chain(self.offer)
    }
}

/// The design as it is saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredDesign {
    kind: String,
    actions: Vec<(usize, Option<usize>)>,
    channel_prior: Vec<(f64, f64)>,
    offer_prior: Vec<(f64, f64)>,
    n_features: usize,
    n_cycles: usize,
    heterogeneity: f64,
    level_sd: f64,
    risk_sd: f64,
}

impl From<&EffectDesign> for StoredDesign {
    fn from(design: &EffectDesign) -> Self {
        let pairs = |beliefs: &[Belief]| beliefs.iter().map(|b| (b.mean, b.sd)).collect();
        Self {
            kind: design.kind.as_str().to_owned(),
            actions: design
                .actions
                .iter()
                .map(|action| (action.channel, action.offer))
                .collect(),
            channel_prior: pairs(&design.channel_prior),
            offer_prior: pairs(&design.offer_prior),
            n_features: design.n_features,
            n_cycles: design.n_cycles,
            heterogeneity: design.heterogeneity,
            level_sd: design.level_sd,
            risk_sd: design.risk_sd,
        }
    }
}

impl TryFrom<StoredDesign> for EffectDesign {
    type Error = String;

    fn try_from(stored: StoredDesign) -> Result<Self, String> {
        let beliefs = |pairs: Vec<(f64, f64)>| {
            pairs
                .into_iter()
                .map(|(mean, sd)| Belief { mean, sd })
                .collect::<Vec<_>>()
        };
        let kind = OutcomeKind::from_name(&stored.kind)
            .ok_or_else(|| format!("\"{}\" is not a kind of outcome", stored.kind))?;
        let design = Self {
            kind,
            actions: stored
                .actions
                .into_iter()
                .map(|(channel, offer)| Action { channel, offer })
                .collect(),
            channel_prior: beliefs(stored.channel_prior),
            offer_prior: beliefs(stored.offer_prior),
            n_features: stored.n_features,
            n_cycles: stored.n_cycles,
            heterogeneity: stored.heterogeneity,
            level_sd: stored.level_sd,
            risk_sd: stored.risk_sd,
        };
        design.check().map_err(|error| error.message)?;
        Ok(design)
    }
}
