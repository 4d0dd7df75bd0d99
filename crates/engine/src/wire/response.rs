//! The contract of `tool response`, and of `response` in `plan --json`.

use serde::{Deserialize, Serialize};

use super::Mean90;

/// `tool response`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ResponseOut {
    /// The file.
    pub data: String,
    /// The column that is explained.
    pub outcome: String,
    /// Number of periods.
    pub periods: usize,
    /// 7 for weeks, 1 for days.
    pub days_per_period: i64,
    /// First period.
    pub from: String,
    /// Last period.
    pub to: String,
    /// Names of geographies, if there are several.
    pub geographies: Vec<String>,
    /// logistic, hill or linear.
    pub saturation: String,
    /// geometric or weibull.
    pub adstock: String,
    /// published or `not_identifiable`.
    pub verdict: String,
    /// Why nothing is published, with the experiment that would tell.
    pub reasons: Vec<String>,
    /// Things a person should know.
    pub notes: Vec<String>,
    /// What makes channels hard to tell apart.
    pub concerns: Vec<ResponseConcernOut>,
    /// Experiments that the fit had to agree with.
    #[serde(default)]
    pub lift_tests: Vec<LiftTestOut>,
    /// Channels; empty when nothing is published.
    pub channels: Vec<ResponseChannelOut>,
    /// The sampler's figures.
    pub diagnostics: ResponseDiagnosticsOut,
    /// Whether data drawn from the model look like the data.
    pub check: Option<ResponseCheckOut>,
    /// The last periods, predicted by a fit without them.
    pub held_out: Option<ResponseHeldOut>,
    /// The base, in units of the highest outcome.
    pub base: Vec<Named90>,
    /// The best split of the budget, per period.
    pub optimum: Option<BudgetOut>,
    /// Other budgets, split as well as may be.
    pub scenarios: Vec<BudgetOut>,
    /// Where the table by week was written.
    pub out: Option<String>,
}

/// One channel.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ResponseChannelOut {
    /// Its name.
    pub name: String,
    /// What was spent.
    pub spend: f64,
    /// What it brought over all periods.
    pub contribution: Mean90,
    /// The same per unit of spend.
    #[serde(rename = "return")]
    pub returned: Mean90,
    /// What one more unit per period would bring.
    pub marginal_return: Mean90,
    /// lam of the logistic curve, k of Hill's, at spend in units of the highest.
    pub saturation: Mean90,
    /// Spend per period with half of the greatest effect.
    pub half_spend: Option<Mean90>,
    /// Share that carries over (geometric), or mean delay in periods (weibull).
    pub adstock: Mean90,
    /// Prior against posterior.
    pub learned: Vec<Learned90>,
    /// What a steady spend per period brings per period.
    #[serde(default)]
    pub curve: Vec<CurvePointOut>,
    /// The workspace's channel that it is the spend of; null where there is none, and without a workspace.
    #[serde(default)]
    pub workspace_channel: Option<String>,
}

/// A point of a response curve.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct CurvePointOut {
    /// Spend per period.
    pub spend: f64,
    /// Outcome per period from it.
    pub outcome: Mean90,
}

/// A measured experiment: spend at `spend + change` instead of `spend` per period changed the outcome by `lift` per period.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LiftTestOut {
    /// The channel.
    pub channel: String,
    /// The geography; null for all together.
    pub geo: Option<String>,
    /// Spend without the change.
    pub spend: f64,
    /// The change.
    pub change: f64,
    /// What it changed.
    pub lift: f64,
    /// Its standard error.
    pub sd: f64,
    /// `given`, or the cycle that measured it.
    pub source: String,
}

/// A parameter before and after the data.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Learned90 {
    /// Its name.
    pub parameter: String,
    /// Before.
    pub prior: Mean90,
    /// After.
    pub posterior: Mean90,
}

/// A named mean with its interval.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Named90 {
    /// Name.
    pub name: String,
    /// Mean.
    pub mean: f64,
    /// Interval.
    pub ci90: [f64; 2],
}

/// What keeps effects from being told apart.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ResponseConcernOut {
    /// Channels concerned.
    pub channels: Vec<String>,
    /// What is wrong.
    pub what: String,
    /// What would tell.
    pub experiment: String,
}

/// The sampler's figures.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ResponseDiagnosticsOut {
    /// Greatest R-hat; null without a fit.
    pub r_hat: Option<f64>,
    /// Least effective sample size, bulk or tail.
    pub ess: Option<f64>,
    /// Divergent steps.
    pub divergences: usize,
    /// Draws kept.
    pub draws: usize,
    /// The quantity with the greatest R-hat.
    pub worst: String,
    /// Every try.
    pub attempts: Vec<AttemptOut>,
}

/// One try.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AttemptOut {
    /// What was different.
    pub remedy: String,
    /// Greatest R-hat.
    pub r_hat: Option<f64>,
    /// Least effective sample size.
    pub ess: Option<f64>,
    /// Divergent steps.
    pub divergences: usize,
}

/// Posterior predictive check.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ResponseCheckOut {
    /// Explained share of the variance.
    pub r2: f64,
    /// Share of periods inside their 90 % interval.
    pub coverage: f64,
    /// P(a replica varies at least as much).
    pub p_deviation: f64,
    /// P(a replica's residuals are at least as autocorrelated).
    pub p_autocorrelation: f64,
}

/// Held-out periods.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ResponseHeldOut {
    /// How many.
    pub periods: usize,
    /// Share inside their 90 % interval.
    pub coverage: f64,
    /// Mean absolute error over the mean outcome.
    pub error: f64,
}

/// A budget per period and its best split.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct BudgetOut {
    /// Spend per period.
    pub budget: f64,
    /// Against what was spent.
    pub change: f64,
    /// Expected outcome from channels per period.
    pub outcome: Mean90,
    /// The same, less that of the spend as it was.
    pub gain: Mean90,
    /// By channel.
    pub channels: Vec<BudgetShareOut>,
}

/// A channel's part of a budget.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct BudgetShareOut {
    /// Its name.
    pub name: String,
    /// Spend per period.
    pub spend: f64,
    /// Spend per period as it was.
    pub before: f64,
    /// How the best spend varies between draws (for the optimum).
    pub ci90: Option<[f64; 2]>,
}
