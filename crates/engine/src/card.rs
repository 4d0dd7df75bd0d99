//! The model card: what a model is for, what it was made from, how good it is and for whom.

use thalweg_domain::{ColumnSchema, Result};
use thalweg_learn::evaluate::card::{
    CardCalibration, CardCheck, CardData, CardFairness, CardGroup, CardImportance, CardMetric, CardPrivacy,
    CardTest, CardThreshold, ModelCard,
};

use thalweg_learn::outcome::OutcomeModel;
use thalweg_learn::privacy::{KeyOrigin, PrivacyStatement};

use crate::clock::format_time;
use crate::session::Session;
use crate::stages::train;
use crate::wire::{CheckOut, EvaluationOut, FairnessOut, Mean95, Metrics};

/// What the figures do not say.
pub(crate) struct About {
    pub(crate) source: String,
    pub(crate) table_hash: String,
    pub(crate) customers: usize,
    pub(crate) target: String,
    pub(crate) period: Option<String>,
    pub(crate) columns: Vec<ColumnSchema>,
    pub(crate) excluded: Vec<(String, String)>,
    pub(crate) intended_use: Vec<String>,
    pub(crate) limits: Vec<String>,
    pub(crate) privacy: CardPrivacy,
    pub(crate) calibration: String,
}

impl Session {
    /// The card of the workspace's model, trained and evaluated first where that is needed.
    ///
    /// # Errors
    /// As [`Session::evaluate`].
    pub fn card(&self) -> Result<ModelCard> {
        let (_, table) = self.collect()?;
        let (_, evaluation) = self.evaluate()?;
        let training = train::load(self, &evaluation.model)?;
        let config = &self.workspace.config;
        let days = config.outcome.horizon.as_days();
        let what = match &config.outcome.column {
            Some(column) => format!("\"{column}\" of the labelled history"),
            None if config.outcome.absent => {
                format!("no event \"{}\" within {days} days", config.outcome.event)
            }
            None => format!("event \"{}\" within {days} days", config.outcome.event),
        };
        let source = config.customers.source.clone();
        let about = About {
            source: source.unwrap_or_else(|| "the events".to_owned()),
            table_hash: table.table.clone(),
            customers: table.rows,
            target: format!("{} ({what})", config.outcome.kind.as_str()),
            period: table.panel.as_ref().map(|panel| {
                let first = panel.cutoffs.first().map_or("", String::as_str);
                format!(
                    "{} looks from {first} to {}",
                    panel.cutoffs.len(),
                    panel.decide_at
                )
            }),
            columns: training.model.schema(),
            excluded: table
                .dropped
                .iter()
                .map(|own| (own.column.clone(), own.reason.clone()))
                .collect(),
            intended_use: vec![
                format!(
                    "Rank and price customers of the workspace \"{}\" by what would happen without an action, so that the plan can weigh \
                     contacts against their cost.",
                    config.name
                ),
                format!("Made as of {}.", format_time(self.options.as_of)),
            ],
            limits: limits(&evaluation),
            privacy: privacy(&training.model),
            calibration: training.model.link().name().to_owned(),
        };
        Ok(card(&evaluation, about))
    }
}

/// What the training gives away.
pub(crate) fn privacy(model: &OutcomeModel) -> CardPrivacy {
    model.privacy().map_or(CardPrivacy::None, |statement| CardPrivacy::Differential {
        epsilon: statement.epsilon,
        delta: statement.delta,
        accounting: format!(
            "per customer ({} of them); {}; noise multiplier {:.4}, {} steps with probability {:.4} each, clip {}; key: {}. {}",
            statement.customers,
            statement.accountant,
            statement.noise_multiplier,
            statement.steps,
            statement.sample_rate,
            statement.clip,
            match statement.key {
                KeyOrigin::Secret => "secret",
                KeyOrigin::Seed => "follows from the seed, so it protects nobody who knows it",
            },
            PrivacyStatement::LIMITS
        ),
    })
}

/// What a model of this kind cannot tell.
pub(crate) fn limits(evaluation: &EvaluationOut) -> Vec<String> {
    let mut limits = vec![
        "It says what happens without an action, not whom an action changes: those are the measured effects."
            .to_owned(),
        "It holds for rows like those that it was made from; watch drift before using it on others."
            .to_owned(),
    ];
    if evaluation.fairness.is_empty() {
        limits.push("No groups were compared: name columns under [fairness] (or --fairness) to see whom it serves worse.".to_owned());
    }
    if evaluation.random_split.is_some() {
        limits.push("Its figures are of later days; a random split would have claimed more or less, as the evaluation shows.".to_owned());
    }
    limits
}

/// The card of an evaluated model.
pub(crate) fn card(evaluation: &EvaluationOut, about: About) -> ModelCard {
    ModelCard {
        model: evaluation.model.clone(),
        hash: evaluation.model.clone(),
        learner: evaluation.learner.clone(),
        task: evaluation.task.clone(),
        intended_use: about.intended_use,
        limits: about.limits,
        data: CardData {
            source: about.source,
            hash: about.table_hash,
            rows: evaluation.rows,
            customers: about.customers,
            target: about.target,
            target_summary: target_summary(evaluation),
            period: about.period,
            columns: about
                .columns
                .iter()
                .map(|column| (column.name.clone(), column.kind.as_str().to_owned()))
                .collect(),
            excluded: about.excluded,
        },
        protocol: evaluation.protocol.clone(),
        metrics: metrics(evaluation, &evaluation.metrics),
        test: Some(CardTest {
            rows: evaluation.test.rows,
            metrics: metrics(evaluation, &evaluation.test.metrics),
        }),
        calibration: (!evaluation.calibration.is_empty()).then(|| CardCalibration {
            method: about.calibration,
            bins: evaluation
                .calibration
                .iter()
                .map(|bin| (bin.predicted, bin.observed, bin.n))
                .collect(),
        }),
        threshold: threshold(evaluation),
        checks: evaluation.checks.iter().map(check).collect(),
        fairness: evaluation.fairness.iter().map(fairness).collect(),
        importance: importance(evaluation),
        privacy: about.privacy,
    }
}

fn metric(name: &str, found: &Mean95, method: &str) -> CardMetric {
    CardMetric {
        name: name.to_owned(),
        mean: found.mean,
        ci95: found.ci95,
        method: method.to_owned(),
    }
}

fn metrics(evaluation: &EvaluationOut, found: &Metrics) -> Vec<CardMetric> {
    let method = |name: &String| {
        evaluation
            .interval_methods
            .get(name)
            .map_or("bootstrap", String::as_str)
    };
    found
        .iter()
        .map(|(name, own)| metric(name, own, method(name)))
        .collect()
}

fn target_summary(evaluation: &EvaluationOut) -> Vec<(String, f64)> {
    match evaluation.task.as_str() {
        "class" => evaluation
            .classes
            .iter()
            .map(|class| (class.name.clone(), class.share))
            .collect(),
        "binary" => vec![("share with the outcome".to_owned(), evaluation.positive_rate)],
        _ => Vec::new(),
    }
}

fn threshold(evaluation: &EvaluationOut) -> Option<CardThreshold> {
    let found = evaluation.threshold.as_ref()?;
    Some(CardThreshold {
        threshold: Some(found.threshold),
        rule: found.rule.replace('_', " "),
        profit_per_customer: metric("profit_per_customer", found.profit.as_ref()?, "by customer"),
        gain_over_half: metric("gain_over_half", found.gain_over_half.as_ref()?, "by customer"),
    })
}

fn check(own: &CheckOut) -> CardCheck {
    CardCheck {
        name: own.name.clone(),
        verdict: own.verdict.clone(),
        detail: own.detail.clone(),
        advice: own.advice.clone(),
    }
}

fn fairness(own: &FairnessOut) -> CardFairness {
    CardFairness {
        column: own.column.clone(),
        reference: own.reference.clone(),
        check: CardCheck {
            name: "fairness".to_owned(),
            verdict: own.verdict.clone(),
            detail: own.detail.clone(),
            advice: None,
        },
        groups: own
            .groups
            .iter()
            .map(|group| CardGroup {
                level: group.level.clone(),
                n: group.n,
                selection_rate: metric("selection_rate", &group.selection_rate, "Wilson"),
                true_positive_rate: metric("true_positive_rate", &group.true_positive_rate, "Wilson"),
                false_positive_rate: metric("false_positive_rate", &group.false_positive_rate, "Wilson"),
                predicted: group.predicted,
                observed: metric("observed", &group.observed, "Wilson"),
                selection_ratio: None,
            })
            .collect(),
    }
}

/// What each column is worth: the rise of the loss when it is shuffled.
fn importance(evaluation: &EvaluationOut) -> Vec<CardImportance> {
    evaluation
        .permutation
        .iter()
        .map(|own| CardImportance {
            feature: own.feature.clone(),
            importance: metric("importance", &own.importance, "rows and repeats"),
        })
        .collect()
}

/// A card as a page of Markdown.
#[must_use]
pub fn markdown(card: &ModelCard) -> String {
    card.to_markdown()
}

/// Writes a card: JSON to a path that ends in `.json`, else Markdown.
///
/// # Errors
/// `TW0229` when it cannot be written.
pub fn write(card: &ModelCard, path: &std::path::Path) -> Result<()> {
    let json = path
        .extension()
        .is_some_and(|own| own.eq_ignore_ascii_case("json"));
    let text = if json { card.to_json()? } else { markdown(card) };
    thalweg_collect::write_bytes_atomic(path, text.as_bytes())
}
