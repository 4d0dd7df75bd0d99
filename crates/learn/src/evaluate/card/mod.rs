//! The model card: what a model is for, what it was made from, how good it is and for whom, on one page (Mitchell et al.
//! 2019, doi:10.1145/3287560.3287596).
//!
//! The structs are the JSON; [`ModelCard::to_markdown`] is the page. Whoever trains fills them in: nothing here is
//! computed but the wording.

mod from;
mod markdown;
#[cfg(test)]
mod tests;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use thalweg_domain::{Error, Result};

pub use from::Fitted;

/// Everything that is to be known about a model before it is used.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelCard {
    /// Its name or id.
    pub model: String,
    /// Hash of the stored model: the card speaks of this one and no other.
    pub hash: String,
    /// The kind of learner.
    pub learner: String,
    /// `binary`, `class` or `value`.
    pub task: String,
    /// What it may be used for, a sentence each.
    pub intended_use: Vec<String>,
    /// What it must not be used for, or cannot tell, a sentence each.
    pub limits: Vec<String>,
    /// What it was made from.
    pub data: CardData,
    /// How it was judged: folds, seed, what was held back.
    pub protocol: String,
    /// Figures on rows that the model had not seen.
    #[serde(serialize_with = "by_name")]
    pub metrics: Vec<CardMetric>,
    /// Figures on the part that nothing has touched.
    pub test: Option<CardTest>,
    /// How scores become probabilities, and how well they mean what they say.
    pub calibration: Option<CardCalibration>,
    /// From when on to act.
    pub threshold: Option<CardThreshold>,
    /// The named checks.
    pub checks: Vec<CardCheck>,
    /// One report per column asked for.
    pub fairness: Vec<CardFairness>,
    /// What matters overall, falling.
    pub importance: Vec<CardImportance>,
    /// What the training gives away about single customers.
    pub privacy: CardPrivacy,
}

/// The rows that a model was made from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CardData {
    /// Where they came from, as a person would say it.
    pub source: String,
    /// Hash of the table.
    pub hash: String,
    /// Number of rows.
    pub rows: usize,
    /// Number of customers behind them.
    pub customers: usize,
    /// What is predicted, with its horizon.
    pub target: String,
    /// Rows per outcome, or least, median and largest value; label and figure.
    pub target_summary: Vec<(String, f64)>,
    /// From when to when, if the rows have a time.
    pub period: Option<String>,
    /// Name and kind of each column that the model reads.
    pub columns: Vec<(String, String)>,
    /// Columns left out, with the reason.
    pub excluded: Vec<(String, String)>,
}

/// A figure with its doubt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CardMetric {
    /// The metric.
    #[serde(skip)]
    pub name: String,
    /// The point estimate.
    pub mean: f64,
    /// Its 95 % interval.
    pub ci95: [f64; 2],
    /// Where the interval comes from.
    pub method: String,
}

/// Metrics by name, in the order given.
fn by_name<S: Serializer>(metrics: &[CardMetric], serializer: S) -> std::result::Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(metrics.len()))?;
    for metric in metrics {
        map.serialize_entry(&metric.name, metric)?;
    }
    map.end()
}

/// The part that nothing has touched.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CardTest {
    /// Number of rows.
    pub rows: usize,
    /// Its figures.
    #[serde(serialize_with = "by_name")]
    pub metrics: Vec<CardMetric>,
}

/// How well probabilities mean what they say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CardCalibration {
    /// The map from scores to probabilities.
    pub method: String,
    /// Predicted, observed, number of rows of each bin.
    pub bins: Vec<(f64, f64, usize)>,
}

/// From when on to act.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CardThreshold {
    /// Act from this probability on; absent where acting never pays.
    pub threshold: Option<f64>,
    /// How it was found.
    pub rule: String,
    /// Profit per customer, out of fold.
    pub profit_per_customer: CardMetric,
    /// The same beyond a threshold of one half.
    pub gain_over_half: CardMetric,
}

/// A named check.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CardCheck {
    /// Its name.
    pub name: String,
    /// `PASS`, `REVIEW` or `FAIL`.
    pub verdict: String,
    /// What was seen.
    pub detail: String,
    /// What to do; absent when it passed.
    pub advice: Option<String>,
}

/// How the levels of a column are treated.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CardFairness {
    /// The column.
    pub column: String,
    /// The level that the others are compared with.
    pub reference: String,
    /// The verdict, in words.
    pub check: CardCheck,
    /// Every level.
    pub groups: Vec<CardGroup>,
}

/// The rates of one level.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CardGroup {
    /// The level.
    pub level: String,
    /// Number of rows.
    pub n: usize,
    /// Share selected.
    pub selection_rate: CardMetric,
    /// Share selected of the positives.
    pub true_positive_rate: CardMetric,
    /// Share selected of the negatives.
    pub false_positive_rate: CardMetric,
    /// Mean probability.
    pub predicted: f64,
    /// Share of positives.
    pub observed: CardMetric,
    /// Selection rate over that of the reference; absent for the reference itself.
    pub selection_ratio: Option<CardMetric>,
}

/// What a feature is worth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CardImportance {
    /// The feature.
    pub feature: String,
    /// Its importance.
    pub importance: CardMetric,
}

/// What the training gives away about single customers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CardPrivacy {
    /// Nothing was done: treat the model like the data.
    None,
    /// Differential privacy of the training.
    Differential {
        /// Epsilon that holds with `delta`.
        epsilon: f64,
        /// Probability that it does not.
        delta: f64,
        /// Who is protected and how epsilon was counted.
        accounting: String,
    },
}

impl ModelCard {
    /// The card as JSON: keys stay as they are, metrics in their order.
    ///
    /// # Errors
    /// `TW0320` when a figure is not a finite number: JSON has no way to say it.
    pub fn to_json(&self) -> Result<String> {
        self.check()?;
        serde_json::to_string_pretty(self).map_err(|error| {
            Error::new(
                "TW0901",
                format!("internal error: a model card cannot be written: {error}"),
            )
        })
    }

    /// The card as a page of Markdown.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        markdown::page(self)
    }

    /// Refuses figures that are not numbers; an infinite end of an interval is one.
    fn check(&self) -> Result<()> {
        let test = self.test.iter().flat_map(|test| &test.metrics);
        let importance = self.importance.iter().map(|own| &own.importance);
        let broken = self.metrics.iter().chain(test).chain(importance).find(|metric| {
            ![metric.mean, metric.ci95[0], metric.ci95[1]]
                .iter()
                .all(|number| number.is_finite())
        });
        match broken {
            None => Ok(()),
            Some(metric) => Err(Error::new(
                "TW0320",
                format!(
                    "\"{}\" is {} ({} to {})",
                    metric.name, metric.mean, metric.ci95[0], metric.ci95[1]
                ),
            )
            .hint("leave out figures that the rows cannot give")),
        }
    }
}
