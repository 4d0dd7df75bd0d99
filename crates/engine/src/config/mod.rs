//! `thalweg.toml`: read once, checked once; only the checked form runs.

pub(crate) mod keys;
mod model;
mod partners;
mod plan;
mod read;
mod response;
pub(crate) mod rules;
pub(crate) mod scenarios;
mod toml_view;

use std::collections::BTreeMap;

use thalweg_channels::PolicyParams;
use thalweg_collect::Cutoffs;
use thalweg_domain::{Channel, Duration, Offer, OutcomeKind, Seed, Table};
use thalweg_learn::models::LearnerParams;
use thalweg_learn::models::gbdt::GbdtParams;
use thalweg_learn::models::logistic::LogisticParams;
use thalweg_learn::models::mlp::MlpParams;
use thalweg_learn::outcome::{self, ClassWeight, LearnerChoice, OutcomeParams, Search, Threshold};

use thalweg_onnx::Reading;

pub(crate) use keys::nearest as nearest_name;
pub use keys::{KEYS, Key, SECTIONS};
pub use model::parse_model;
pub use partners::Terms;
pub(crate) use read::document as toml_document;
pub use read::parse;
pub use response::Response;
pub use rules::{Conditions, Line, PaceRule, Rule};
pub use scenarios::{Scenario, parse_scenarios};
pub(crate) use toml_view::{Section, Source as TomlSource};

/// The checked configuration of a workspace.
#[derive(Debug, Clone)]
pub struct Config {
    /// The workspace's name.
    pub name: String,
    /// Currency of every amount.
    pub currency: String,
    /// The seed.
    pub seed: Seed,
    /// Where the customers are.
    pub customers: Customers,
    /// Where events are.
    pub events: Vec<Events>,
    /// What the models may see.
    pub features: Features,
    /// What the loop wants to change.
    pub outcome: Outcome,
    /// How risk is learned.
    pub model: Model,
    /// Whose treatment is compared.
    pub fairness: Fairness,
    /// Channels in the order of the file.
    pub channels: Vec<ChannelConfig>,
    /// Offers in the order of the file.
    pub offers: Vec<OfferConfig>,
    /// Money and randomisation.
    pub plan: Plan,
    /// What delivery must respect.
    pub contact_policy: PolicyParams,
    /// A table of weeks whose response curves go into the plan.
    pub response: Option<Response>,
}

/// `[customers]`.
#[derive(Debug, Clone)]
pub struct Customers {
    /// Path or glob relative to the workspace; without it everybody who has an event is a customer.
    pub source: Option<String>,
    /// Key column.
    pub key: Option<String>,
    /// A date column: since when each is a customer.
    pub since: Option<String>,
    /// Cluster column.
    pub cluster: Option<String>,
    /// Whom to decide on.
    pub decide_on: DecideOn,
}

/// Whom to decide on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecideOn {
    /// Rows with an empty outcome, or all rows of a labelled snapshot.
    Auto,
    /// Every row.
    All,
    /// Rows for which a SQL condition holds.
    Where(String),
}

/// One `[[events]]`.
#[derive(Debug, Clone)]
pub struct Events {
    /// Path or glob.
    pub source: String,
    /// Key column.
    pub key: String,
    /// Time column.
    pub time: String,
    /// Name column.
    pub name: Option<String>,
}

/// `[features]`.
#[derive(Debug, Clone)]
pub struct Features {
    /// Columns the models must not see.
    pub exclude: Vec<String>,
    /// Path of the feature SQL.
    pub sql: Option<String>,
    /// Texts that mean missing, per column.
    pub missing: BTreeMap<String, Vec<String>>,
}

/// `[outcome]`.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Churn or conversion.
    pub kind: OutcomeKind,
    /// Labelled column; without it the outcome is learned from events.
    pub column: Option<String>,
    /// Value that means it happened.
    pub positive: Option<String>,
    /// Event that counts after a decision, and from which is learned when there is no labelled column.
    pub event: String,
    /// Whether the outcome is that no such event comes.
    pub absent: bool,
    /// The moments in the past at which customers are looked at, when the outcome is learned from events.
    pub cutoffs: Cutoffs,
    /// How long after a decision it counts.
    pub horizon: Duration,
    /// SQL expression of the money at stake.
    pub value: String,
}

/// `[model]`.
#[derive(Debug, Clone)]
pub struct Model {
    /// Which learner.
    pub learner: LearnerChoice,
    /// Outer folds.
    pub folds: usize,
    /// How rows are kept apart for validation.
    pub split: Split,
    /// Weights of classes in fits.
    pub class_weight: ClassWeight,
    /// Where positives begin.
    pub threshold: Threshold,
    /// Rounds that `auto` searches at most.
    pub rounds: usize,
    /// The net.
    pub mlp: MlpParams,
    /// The trees.
    pub gbdt: GbdtParams,
    /// The regression.
    pub logistic: LogisticParams,
    /// The model trained elsewhere; there whenever it is the learner.
    pub onnx: Option<OnnxFile>,
}

/// `[model.onnx]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnnxFile {
    /// Its path, relative to the workspace.
    pub file: String,
    /// How it is read where the file leaves that open.
    pub reading: Reading,
}

impl Default for Model {
    fn default() -> Self {
        let params = OutcomeParams::default();
        Self {
            learner: params.choice,
            folds: params.folds,
            split: Split::Random,
            class_weight: params.class_weight,
            threshold: params.threshold,
            rounds: params.search.rounds,
            mlp: params.learners.mlp,
            gbdt: params.learners.gbdt,
            logistic: params.learners.logistic,
            onnx: None,
        }
    }
}

impl Model {
    /// What training needs; `periods` is the number of looks into the past, 0 for a snapshot.
    pub(crate) fn params(&self, periods: usize, seed: Seed) -> OutcomeParams {
        let plain = OutcomeParams::default();
        OutcomeParams {
            choice: self.learner,
            learners: LearnerParams {
                mlp: self.mlp.clone(),
                gbdt: self.gbdt.clone(),
                logistic: self.logistic.clone(),
            },
            split: match self.split {
                Split::Rolling if periods > 0 => outcome::Split::Rolling {
                    cutoffs: ROLLING_CUTOFFS,
                    gap: 1,
                },
                Split::Rolling | Split::Random => outcome::Split::Random,
            },
            folds: self.folds,
            search: Search {
                rounds: self.rounds,
                ..plain.search
            },
            class_weight: self.class_weight,
            threshold: self.threshold,
            seed,
            ..plain
        }
    }
}

/// Cut-offs that a rolling split tests at most.
const ROLLING_CUTOFFS: usize = 3;

/// `[fairness]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fairness {
    /// The columns whose groups are compared.
    pub columns: Vec<String>,
    /// What is done about them.
    pub action: FairnessAction,
}

impl Fairness {
    /// What models may see of a table.
    pub(crate) fn visible(&self, features: &Table) -> Table {
        let hidden = self.action == FairnessAction::Drop;
        features.without(|name| hidden && self.columns.iter().any(|own| own == name))
    }

    /// The compared columns of a table.
    pub(crate) fn compared(&self, raw: &Table) -> Table {
        raw.without(|name| !self.columns.iter().any(|own| own == name))
    }
}

/// What is done about unequal groups.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FairnessAction {
    /// Nothing but the report.
    #[default]
    Report,
    /// Models do not see the columns.
    Drop,
    /// Thresholds by group under which all are selected equally often.
    EqualSelection,
    /// Thresholds by group under which those with the outcome are selected equally often.
    EqualOpportunity,
}

impl FairnessAction {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 4] = [
        Self::Report,
        Self::Drop,
        Self::EqualSelection,
        Self::EqualOpportunity,
    ];

    /// As in the file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Drop => "drop",
            Self::EqualSelection => "equal_selection",
            Self::EqualOpportunity => "equal_opportunity",
        }
    }
}

/// How rows are kept apart for validation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// Train on earlier cut-offs, test on later ones.
    Rolling,
    /// Customers at random.
    Random,
}

/// One `[[channel]]`: the domain's channel with how it is delivered.
#[derive(Debug, Clone)]
pub struct ChannelConfig {
    /// What planning needs.
    pub channel: Channel,
    /// Whether plans use it.
    pub on: bool,
    /// Whether no effect is assumed, so that one is borrowed from channels of its kind.
    pub borrows: bool,
    /// Whether it is only explored until measured; `None` leaves that to what is known.
    pub pilot: Option<bool>,
    /// What a partner asks for.
    pub terms: Option<Terms>,
    /// Adapter name.
    pub adapter: String,
    /// Consent column.
    pub consent: Option<String>,
    /// Template for contacts without an offer.
    pub template: Option<String>,
}

/// One `[[offer]]`: the domain's offer with its cost and template.
#[derive(Debug, Clone)]
pub struct OfferConfig {
    /// What planning needs.
    pub offer: Offer,
    /// Whether plans use it.
    pub on: bool,
    /// SQL expression of its cost when accepted.
    pub cost: String,
    /// Template.
    pub template: Option<String>,
}

/// `[plan]`.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Money per cycle.
    pub budget: f64,
    /// Share never contacted.
    pub holdout: f64,
    /// Share randomised each cycle.
    pub explore: f64,
    /// Actions per customer and cycle.
    pub max_actions_per_customer: u32,
    /// Column of the market sheet.
    pub market: Option<String>,
    /// Ceilings and floors beyond those of channels and offers.
    pub constraints: Vec<Rule>,
    /// Over how many days of the cycle contacts are spread; `None` is all at once.
    pub days: Option<u16>,
    /// How many contacts a day, at most.
    pub paces: Vec<PaceRule>,
    /// How doubt about the effects counts.
    pub robust: Option<Robust>,
}

/// `[plan] robust`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Robust {
    /// What the plan adds up.
    pub mode: RobustMode,
    /// How many standard deviations are taken off in mode `lower`, not negative.
    pub risk_aversion: f64,
    /// How often effects are drawn to see what of the plan stays; 0 is not at all.
    pub samples: usize,
}

/// What a plan adds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RobustMode {
    /// The expected value.
    Mean,
    /// The expected value less a multiple of its standard deviation.
    Lower,
    /// The value under one draw of all effects.
    Thompson,
}

impl RobustMode {
    /// As in the file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Lower => "lower",
            Self::Thompson => "thompson",
        }
    }
}

impl Config {
    /// The channels as planning sees them.
    #[must_use]
    pub fn domain_channels(&self) -> Vec<Channel> {
        self.channels.iter().map(|entry| entry.channel.clone()).collect()
    }

    /// The offers as planning sees them.
    #[must_use]
    pub fn domain_offers(&self) -> Vec<Offer> {
        self.offers.iter().map(|entry| entry.offer.clone()).collect()
    }
}
