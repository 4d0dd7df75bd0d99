//! The JSON contracts: what every command returns, with stable keys. `docs/reference/json.md` lists them.
//!
//! These are wire formats: numbers and text only. Adding a key is fine; renaming one breaks a golden test.

use std::collections::BTreeMap;

mod response;

use serde::{Deserialize, Serialize};
use thalweg_domain::{Check, Estimate};
use thalweg_plan::allocate::Sense;

pub use response::{
    AttemptOut, BudgetOut, BudgetShareOut, CurvePointOut, Learned90, LiftTestOut, Named90,
    ResponseChannelOut, ResponseCheckOut, ResponseConcernOut, ResponseDiagnosticsOut, ResponseHeldOut,
    ResponseOut,
};

/// A mean with a 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Mean95 {
    /// The mean.
    pub mean: f64,
    /// The interval.
    pub ci95: [f64; 2],
}

/// A mean with a 90 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Mean90 {
    /// The mean.
    pub mean: f64,
    /// The interval.
    pub ci90: [f64; 2],
}

impl From<Estimate> for Mean95 {
    fn from(estimate: Estimate) -> Self {
        Self {
            mean: estimate.mean,
            ci95: [estimate.low, estimate.high],
        }
    }
}

impl From<Estimate> for Mean90 {
    fn from(estimate: Estimate) -> Self {
        Self {
            mean: estimate.mean,
            ci90: [estimate.low, estimate.high],
        }
    }
}

/// Metrics by name.
pub type Metrics = BTreeMap<String, Mean95>;

/// One named check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckOut {
    /// Stable name.
    pub name: String,
    /// PASS, REVIEW or FAIL.
    pub verdict: String,
    /// What was seen.
    pub detail: String,
    /// What to do.
    pub advice: Option<String>,
    /// Code for `thalweg explain`.
    pub code: Option<String>,
}

impl From<&Check> for CheckOut {
    fn from(check: &Check) -> Self {
        Self {
            name: check.name.to_owned(),
            verdict: check.verdict.as_str().to_owned(),
            detail: check.detail.clone(),
            advice: check.advice.clone(),
            code: check.code.map(str::to_owned),
        }
    }
}

/// What one stage did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageOut {
    /// The stage's name.
    pub stage: String,
    /// `ran` or `unchanged`.
    pub state: String,
    /// Id of what it made.
    pub artifact: String,
    /// Wall-clock seconds (of this invocation).
    pub seconds: f64,
    /// One line for people.
    pub summary: String,
}

/// `run`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunOut {
    /// The workspace's name.
    pub workspace: String,
    /// The currency of every amount.
    pub currency: String,
    /// `churn` or `conversion`.
    pub kind: String,
    /// The point in time of this invocation (RFC 3339).
    pub as_of: String,
    /// The table.
    pub table: TableOut,
    /// What ran.
    pub stages: Vec<StageOut>,
    /// As `evaluate`.
    pub evaluation: EvaluationOut,
    /// As `plan`.
    pub plan: PlanOut,
    /// The next useful command.
    pub next: String,
}

/// `collect`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TableOut {
    /// Id of the table.
    pub table: String,
    /// Rows.
    pub rows: usize,
    /// Columns the models see.
    pub columns: usize,
    /// Rows with an outcome: history.
    pub labelled: usize,
    /// Rows to decide on.
    pub to_decide: usize,
    /// True when a labelled snapshot is replayed as of its date.
    pub replayed: bool,
    /// The moments at which customers were looked at, when the outcome is learned from events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub panel: Option<PanelOut>,
    /// Empty cells per column.
    pub missing: BTreeMap<String, usize>,
    /// Columns left out, with the reason.
    pub dropped: Vec<DroppedOut>,
    /// Things a person should know.
    pub warnings: Vec<String>,
}

/// The moments of a panel.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PanelOut {
    /// Moments in the past, oldest first.
    pub cutoffs: Vec<String>,
    /// Days after each in which the outcome counts.
    pub horizon_days: f64,
    /// The moment as of which customers are decided on.
    pub decide_at: String,
}

/// A column that the models do not see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedOut {
    /// The column.
    pub column: String,
    /// Why.
    pub reason: String,
}

/// `train`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainOut {
    /// Id of the model.
    pub model: String,
    /// The learner in use.
    pub learner: String,
    /// Rows learned from.
    pub rows: usize,
    /// Sum of weights squared over sum of squared weights: rows they are worth.
    pub effective_rows: f64,
    /// Rows that came from earlier decisions.
    pub rows_from_decisions: usize,
    /// Most telling columns, with their share of the importance.
    pub importance: Vec<(String, f64)>,
}

/// `evaluate`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct EvaluationOut {
    /// Id of the model.
    pub model: String,
    /// The learner in use.
    pub learner: String,
    /// Rows.
    pub rows: usize,
    /// Share with the outcome.
    pub positive_rate: f64,
    /// How it was evaluated.
    pub protocol: String,
    /// Means over the folds with intervals from pooled out-of-fold rows.
    pub metrics: Metrics,
    /// The untouched part.
    pub test: TestOut,
    /// The net's losses by epoch (empty for other learners).
    pub history: Vec<EpochOut>,
    /// Every learner that was tried.
    pub candidates: Vec<CandidateOut>,
    /// Named checks.
    pub checks: Vec<CheckOut>,
    /// Most telling columns.
    pub importance: Vec<(String, f64)>,
    /// How much the loss (log loss, squared error) of the model's own rows rises when a column is shuffled, largest first.
    pub permutation: Vec<ImportanceOut>,
    /// Calibration by bin.
    pub calibration: Vec<CalibrationBin>,
    /// Share of positives found (y) among the riskiest share of customers (x).
    pub gains: Vec<[f64; 2]>,
    /// Outcome rate by tenth of the score, riskiest first.
    pub deciles: Vec<DecileOut>,
    /// binary, class or value.
    pub task: String,
    /// Classes with their shares, when there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassOut>,
    /// With a rolling split, what a random one claims, and the difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub random_split: Option<RandomSplitOut>,
    /// How each metric's interval was found.
    pub interval_methods: BTreeMap<String, String>,
    /// From which probability on somebody counts as positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<ThresholdOut>,
    /// What contacting the riskiest first earns under the workspace's own costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profit: Option<ProfitOut>,
    /// How far off predictions are, by coverage.
    pub conformal: Vec<ConformalOut>,
    /// How groups of customers are treated, by column.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fairness: Vec<FairnessOut>,
    /// What `auto` has tried.
    pub search: SearchOut,
    /// The learners behind the model with their shares of the score.
    pub members: Vec<MemberOut>,
}

/// What a column is worth.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ImportanceOut {
    /// The column.
    pub feature: String,
    /// The rise of the mean loss.
    pub importance: Mean95,
}

/// A class.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ClassOut {
    /// Its name.
    pub name: String,
    /// Share of the rows.
    pub share: f64,
    /// Rows by the class that they were taken for, in the order of the classes, out of fold.
    pub taken_for: Vec<f64>,
}

/// What a random split claims.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RandomSplitOut {
    /// The metrics under it.
    pub metrics: Metrics,
    /// Its mean minus that of the rolling split, by metric.
    pub difference: BTreeMap<String, f64>,
}

/// From which probability on somebody counts as positive.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ThresholdOut {
    /// The probability.
    pub threshold: f64,
    /// break_even, most_profitable, given, or no_costs (most right decisions).
    pub rule: String,
    /// Profit per customer at it, out of fold; absent when it was given.
    pub profit: Option<Mean95>,
    /// What it earns beyond one half, on the same customers.
    pub gain_over_half: Option<Mean95>,
}

/// The worth of the scores.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ProfitOut {
    /// Profit per customer by share contacted: share, profit.
    pub curve: Vec<[f64; 2]>,
    /// The most profitable share.
    pub best_share: f64,
    /// Profit per customer there.
    pub best_profit: Mean95,
    /// Expected maximum profit for churn (Verbraken et al. 2013), per customer, with the workspace's mean value and contact cost and the
    /// paper's offer cost and acceptance; absent when the costs rule it out.
    pub expected_maximum: Option<f64>,
    /// Share of customers that it contacts.
    pub expected_maximum_share: Option<f64>,
}

/// How far off predictions are.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ConformalOut {
    /// The least share of new rows that is covered.
    pub coverage: f64,
    /// For values the distance from the prediction; for classes 1 minus the least probability that a class in the set has.
    /// Absent when there are too few rows.
    pub quantile: Option<f64>,
}

/// How the levels of a column are treated.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FairnessOut {
    /// The column.
    pub column: String,
    /// The level that the others are compared with.
    pub reference: String,
    /// PASS, REVIEW or FAIL.
    pub verdict: String,
    /// In words.
    pub detail: String,
    /// report, drop, equal_selection or equal_opportunity.
    pub action: String,
    /// Every level.
    pub groups: Vec<FairGroupOut>,
    /// With an action that equalises: what it costs.
    pub equalised: Option<EqualisedOut>,
}

/// One level.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FairGroupOut {
    /// The level.
    pub level: String,
    /// Rows.
    pub n: usize,
    /// Share selected.
    pub selection_rate: Mean95,
    /// Share selected of those with the outcome.
    pub true_positive_rate: Mean95,
    /// Share selected of those without.
    pub false_positive_rate: Mean95,
    /// Mean probability.
    pub predicted: f64,
    /// Share with the outcome.
    pub observed: Mean95,
    /// The level's own threshold, with an action that equalises.
    pub threshold: Option<f64>,
}

/// Thresholds by group against one for all.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct EqualisedOut {
    /// Largest difference of the rate with one threshold, and with one for each group.
    pub gap: [f64; 2],
    /// Profit per customer with one threshold, and with one for each group.
    pub profit: [f64; 2],
    /// Share of right decisions with one threshold, and with one for each group.
    pub accuracy: [f64; 2],
}

/// What `auto` has tried.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SearchOut {
    /// Rounds that were run.
    pub rounds: usize,
    /// finished, units_spent or time_up.
    pub stopped: String,
    /// Every setting with its loss.
    pub tried: Vec<TriedOut>,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TriedOut {
    /// The learner.
    pub learner: String,
    /// What differs from the given parameters.
    pub setting: String,
    /// Mean loss in the inner validation.
    pub loss: f64,
}

/// A learner behind the model.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MemberOut {
    /// The learner.
    pub learner: String,
    /// Its share of the score.
    pub share: f64,
}

/// The stratified 20 % that nothing touched.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TestOut {
    /// Rows.
    pub rows: usize,
    /// Metrics there.
    pub metrics: Metrics,
}

/// One epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EpochOut {
    /// Counted from 1.
    pub epoch: usize,
    /// Mean loss on the training part.
    pub train_loss: f64,
    /// Mean loss on the validation part; absent without one.
    pub validation_loss: Option<f64>,
}

/// One learner that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CandidateOut {
    /// Its name.
    pub learner: String,
    /// Its metrics under the same folds.
    pub metrics: Metrics,
}

/// One bin of the calibration plot.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CalibrationBin {
    /// Mean prediction.
    pub predicted: f64,
    /// Observed share.
    pub observed: f64,
    /// Rows.
    pub n: usize,
}

/// One tenth of the customers by score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DecileOut {
    /// 1 is the riskiest tenth.
    pub decile: usize,
    /// Rows.
    pub n: usize,
    /// Mean predicted probability.
    pub predicted: f64,
    /// Observed share.
    pub observed: f64,
}

/// `plan`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanOut {
    /// Id of the plan.
    pub plan: String,
    /// Cycle, counted from 1.
    pub cycle: u32,
    /// Customers decided on.
    pub customers: usize,
    /// Customers who get an action.
    pub treated: usize,
    /// Customers never contacted.
    pub holdout: usize,
    /// Customers randomised.
    pub explore: usize,
    /// Share of all customers that the hold-out was drawn with.
    pub holdout_share: f64,
    /// Share of the others that randomisation was drawn with.
    pub explore_share: f64,
    /// Expected spend.
    pub spend: f64,
    /// Spend that is exceeded in one case of twenty.
    pub spend_q95: f64,
    /// The budget.
    pub budget: f64,
    /// Expected incremental value net of cost.
    pub expected_value: Mean90,
    /// The best any allocation could expect. With `[plan] robust`: the expected value, plus at most what the plan lacks of the best
    /// by the values that it was planned with.
    pub upper_bound: f64,
    /// (upper bound - value) / |upper bound|.
    pub gap: f64,
    /// Whether all constraints hold.
    pub feasible: bool,
    /// Constraints that contradict each other.
    pub conflicts: Vec<String>,
    /// Of floors among them, what they require and what can be reached.
    #[serde(default)]
    pub shortfalls: Vec<ShortfallOut>,
    /// What the hold-out will be able to see.
    pub detectable: DetectableOut,
    /// Every constraint with its use and price.
    pub constraints: Vec<ConstraintOut>,
    /// Every channel with its verdict.
    pub channels: Vec<ChannelOut>,
    /// The model the risks come from.
    pub model: String,
    /// The table.
    pub data: String,
    /// Hash of the configuration.
    pub config: String,
    /// The seed.
    pub seed: u64,
    /// `assumed`, `measured` or `mixed`.
    pub effects: String,
    /// Every partner with terms.
    #[serde(default)]
    pub partners: Vec<PartnerOut>,
    /// Expected value by budget: -50 % to +100 %.
    pub what_if: Vec<WhatIfOut>,
    /// How doubt about the effects counted, with `[plan] robust`.
    #[serde(default)]
    pub robust: Option<RobustOut>,
    /// Contacts of each day, when `[plan] days` spreads them.
    #[serde(default)]
    pub days: Vec<usize>,
    /// The same for every `[[plan.pacing]]`; without any, for every channel. Absent without `[plan] days`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pacing: Vec<PacingOut>,
    /// Groups of customers that differ in risk, value and response.
    #[serde(default)]
    pub segments: SegmentsOut,
    /// One row per industry or region, when `[plan] market` names the column.
    #[serde(default)]
    pub market: Option<MarketOut>,
    /// Response curves of a table of weeks; absent without `[response]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<ResponseOut>,
}

/// `segments`: the groups of the plan in force.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SegmentPageOut {
    /// The plan.
    pub plan: String,
    /// Its cycle.
    pub cycle: u32,
    /// The groups.
    pub segments: SegmentsOut,
    /// The market sheet.
    pub market: Option<MarketOut>,
}

/// Groups of customers, found on one half of them and described on the other.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SegmentsOut {
    /// Share of what differs between customers (expected gain, risk and value) that the groups explain.
    pub explained: f64,
    /// Column of the first split.
    pub first_split: Option<String>,
    /// How far the same groups come out of resampled customers.
    pub stability: StabilityOut,
    /// Every group, the largest expected gain per customer first.
    pub groups: Vec<SegmentOut>,
}

/// How far resamples agree with the groups.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct StabilityOut {
    /// Resamples.
    pub resamples: usize,
    /// Share of them that split the same column first.
    pub same_first_split: f64,
    /// Share that split it first and part at least 95 % of the customers alike.
    pub near_threshold: f64,
    /// Mean adjusted Rand index: 1 is the same groups, 0 no more than chance.
    pub adjusted_rand: f64,
}

/// A group of customers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SegmentOut {
    /// Its rules in words.
    pub name: String,
    /// Each rule in words; all hold.
    pub rules: Vec<String>,
    /// Customers.
    pub customers: usize,
    /// Share of all customers.
    pub share: f64,
    /// Customers whom the figures below come from.
    pub estimated_on: usize,
    /// Mean risk without action.
    pub risk: Mean95,
    /// Mean money at stake.
    pub value: Mean95,
    /// Mean change of the outcome's probability by each customer's best action.
    pub effect: Mean95,
    /// Mean expected gain per customer by the best action, nothing where none pays; before limits.
    pub expected_gain: Mean95,
    /// Channels that may contact them.
    pub reach: Vec<ReachOut>,
    /// The channel that the plan contacts most of them through.
    pub channel: Option<String>,
    /// Customers who get an action.
    pub treated: usize,
    /// Expected spend on them.
    pub spend: f64,
}

/// How many customers of a group a channel may contact.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ReachOut {
    /// The channel.
    pub channel: String,
    /// Share of the group's customers.
    pub share: f64,
}

/// The market sheet.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MarketOut {
    /// The column.
    pub column: String,
    /// One row per value, the most money at stake first; the last may pool the small ones.
    pub rows: Vec<MarketRowOut>,
}

/// An industry, region or the like.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MarketRowOut {
    /// The value.
    pub name: String,
    /// How many values this row pools; 1 for a value of its own.
    pub pooled: usize,
    /// Customers.
    pub customers: usize,
    /// Share of all customers.
    pub share: f64,
    /// Mean risk without action.
    pub risk: Mean95,
    /// Sum of risk times value: money that is expected to be lost, or won, without action.
    pub at_stake: Mean95,
    /// Channels that may contact them.
    pub reach: Vec<ReachOut>,
    /// Customers whom the plan contacts.
    pub contacts: usize,
    /// Expected spend.
    pub spend: f64,
    /// Expected incremental value of the plan net of cost.
    pub expected_gain: Mean95,
    /// Expected value that limits leave unserved: what the best action would add for those who do not get it.
    pub headroom: Mean95,
}

impl PlanOut {
    /// Whether a channel was in a pilot.
    pub(crate) fn pilots(&self, channel: &str) -> bool {
        let own = self.channels.iter().find(|own| own.name == channel);
        own.and_then(|own| own.pilot.as_ref())
            .is_some_and(|pilot| pilot.state == "running")
    }
}

/// A partner with terms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartnerOut {
    /// The channel.
    pub name: String,
    /// Whether the plan uses the partner.
    pub used: bool,
    /// Contacts through the partner.
    pub volume: usize,
    /// Contacts that the terms require of a plan that uses it.
    pub minimum_volume: u64,
    /// The fee in the terms.
    pub fixed_fee: f64,
    /// The share in the terms.
    pub revenue_share: f64,
    /// The fee that is paid: 0 when the partner is not used.
    pub fee: f64,
    /// Share of the contacts' expected incremental value that is paid.
    pub revenue_share_paid: f64,
    /// Fee, share and the unit costs of the contacts.
    pub their_earnings: f64,
    /// The plan with the partner less the plan without, fee and share paid; absent when one of them cannot be made.
    pub our_gain: Option<Mean90>,
    /// Contacts of which the average gain pays for the fee and what its money would earn elsewhere; absent when no number does,
    /// or the plan with the partner has no contact through it.
    pub break_even_volume: Option<u64>,
    /// Why it is used or not.
    pub reason: String,
}

/// What the measurement will be able to detect.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct DetectableOut {
    /// Smallest total effect that this cycle's hold-out shows with 80 % power, as money.
    pub total_effect: f64,
    /// Cycles until the expected total effect is shown with 80 % power; 0 when it never would be.
    pub cycles_to_80_power: u32,
}

/// Contacts of each day that count towards a pacing, or through a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PacingOut {
    /// The pacing or the channel.
    pub name: String,
    /// So many a day at most; none for a channel.
    pub per_day: Option<u64>,
    /// Contacts of each day.
    pub days: Vec<usize>,
}

/// How doubt about the effects counts in a plan, and what of it stays when they are drawn from what is believed about them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RobustOut {
    /// `mean`, `lower` or `thompson`.
    pub mode: String,
    /// Standard deviations taken off in mode `lower`.
    pub risk_aversion: f64,
    /// Draws of the effects that were planned with.
    pub samples: usize,
    /// Customers whose plan was solved anew in each draw; the others chose at the prices found there.
    pub solved_customers: usize,
    /// Share of the intended actions that stay the same, over all draws; absent without draws or actions.
    pub survival: Option<f64>,
    /// Every channel.
    pub channels: Vec<RobustChannelOut>,
}

impl RobustOut {
    /// What the plan adds up, in a sentence.
    #[must_use]
    pub fn planned_with(&self) -> String {
        match self.mode.as_str() {
            "lower" => format!(
                "Planned with what is expected less {} standard deviations of it.",
                self.risk_aversion
            ),
            "thompson" => "Planned with one draw of the effects, to learn.".to_owned(),
            _ => "Planned with what is expected.".to_owned(),
        }
    }
}

/// A channel when effects are drawn anew; everybody counts, held out or not.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RobustChannelOut {
    /// Its name.
    pub name: String,
    /// Customers for whom the plan intends it.
    pub planned: usize,
    /// Share of their actions that stay the same.
    pub survival: Option<f64>,
    /// Customers for whom it is intended in 90 % of the draws.
    pub planned90: [usize; 2],
}

/// A constraint in use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConstraintOut {
    /// Its name.
    pub name: String,
    /// `at_most` or `at_least`.
    #[serde(default = "at_most")]
    pub sense: String,
    /// The limit.
    pub limit: f64,
    /// How much is used.
    pub used: f64,
    /// Value of one more unit; of an `at_least`, what one more unit required costs, as a negative number.
    pub shadow_price: f64,
}

/// Plans of older versions had no floors.
fn at_most() -> String {
    sense(Sense::AtMost).to_owned()
}

/// `at_most` or `at_least`.
pub(crate) const fn sense(sense: Sense) -> &'static str {
    match sense {
        Sense::AtMost => "at_most",
        Sense::AtLeast => "at_least",
    }
}

/// A channel in a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelOut {
    /// Its name.
    pub name: String,
    /// open, expand, hold, shrink or retire; off when it is switched off, or a partner's terms do not pay.
    pub verdict: String,
    /// Why, in one sentence.
    pub reason: String,
    /// Customers reached through it.
    pub customers: usize,
    /// Expected spend.
    pub spend: f64,
    /// Cost of one contact.
    pub unit_cost: f64,
    /// Expected incremental value net of cost.
    pub expected_value: f64,
    /// What one more unit of currency in it earns.
    pub marginal_return: f64,
    /// Its relative effect.
    pub effect: ChannelEffectOut,
    /// Its pilot: proposed when the verdict is open, or where that of a new channel stands.
    pub pilot: Option<PilotOut>,
}

/// A channel's relative effect.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ChannelEffectOut {
    /// The mean.
    pub mean: f64,
    /// The interval.
    pub ci90: [f64; 2],
    /// `assumed`, `borrowed` or `measured`.
    pub source: String,
    /// What it was borrowed from before it was measured: channels, or the default of its kind.
    pub borrowed_from: Vec<String>,
}

/// A pilot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PilotOut {
    /// `proposed`, `running`, `promoted`, `dropped` or `declined`.
    pub state: String,
    /// Contacts.
    pub n: u64,
    /// Contacts that would show the smallest profitable effect with 80 % power.
    pub n_for_smallest: u64,
    /// Contacts that have been measured.
    pub measured: u64,
    /// Contacts in this plan, all of them drawn at random.
    pub this_cycle: usize,
    /// What it costs, paid out of the share that explores.
    pub cost: f64,
    /// Cycles that it takes.
    pub cycles: u64,
    /// Days until the last outcome counts, when cycles follow each other by the horizon.
    pub days: f64,
    /// The smallest relative effect that would pay.
    pub smallest_profitable_effect: f64,
    /// The smallest relative effect that the pilot shows with 80 % power; none when not even the largest.
    pub detectable_effect: Option<f64>,
    /// The chance that a contact pays, as believed now.
    pub chance_to_pay: f64,
    /// What a cycle at full reach is worth if the channel is used only where it pays.
    pub worth_per_cycle: f64,
    /// What follows from each outcome.
    pub outcomes: Vec<PilotOutcomeOut>,
}

impl PilotOut {
    /// Whether it runs or is proposed.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state.as_str(), "running" | "proposed")
    }

    /// What may follow, how likely that is, and the outcomes that it follows from.
    pub fn follows(&self) -> impl Iterator<Item = (&str, f64, &[PilotOutcomeOut])> {
        let same = self.outcomes.chunk_by(|a, b| a.then == b.then);
        same.map(|same| {
            let then = same.first().map_or("", |outcome| outcome.then.as_str());
            (then, same.iter().map(|outcome| outcome.probability).sum(), same)
        })
    }
}

/// An outcome of a pilot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PilotOutcomeOut {
    /// What is found.
    pub when: String,
    /// What follows.
    pub then: String,
    /// How likely that is, as believed now.
    pub probability: f64,
}

/// Expected value at another budget.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WhatIfOut {
    /// The budget.
    pub budget: f64,
    /// Expected value of the best allocation.
    pub expected_value: f64,
}

/// `plan --scenario`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScenariosOut {
    /// The cycle.
    pub cycle: u32,
    /// The currency of every amount.
    pub currency: String,
    /// The model the risks come from.
    pub model: String,
    /// The table.
    pub data: String,
    /// Hash of the configuration that the scenarios change.
    pub config: String,
    /// The seed.
    pub seed: u64,
    /// The configuration as it is, then every scenario in the order of the file.
    pub scenarios: Vec<ScenarioOut>,
}

impl ScenariosOut {
    /// The feasible scenario that gains most beyond the configuration; one that only believes in other effects is no choice
    /// that can be made, and counts only where there is no other.
    #[must_use]
    pub fn best(&self) -> Option<&ScenarioOut> {
        let gains = |own: &&ScenarioOut| own.feasible && own.difference.is_some();
        let key = |own: &ScenarioOut| {
            own.difference
                .map_or((false, 0.0), |own| (own.ci90.is_some(), own.mean))
        };
        self.scenarios.iter().filter(gains).max_by(|a, b| {
            let ((a_same, a), (b_same, b)) = (key(a), key(b));
            a_same.cmp(&b_same).then(a.total_cmp(&b))
        })
    }
}

/// A scenario's plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScenarioOut {
    /// Its name.
    pub name: String,
    /// What it changes, in words; nothing for the configuration as it is.
    pub changes: Vec<String>,
    /// Whether all constraints hold.
    pub feasible: bool,
    /// Constraints that contradict each other.
    pub conflicts: Vec<String>,
    /// Customers decided on.
    pub customers: usize,
    /// Those who get an action.
    pub treated: usize,
    /// Held out.
    pub holdout: usize,
    /// Randomised.
    pub explore: usize,
    /// The budget.
    pub budget: f64,
    /// Expected spend.
    pub spend: f64,
    /// 95 % quantile of the spend.
    pub spend_q95: f64,
    /// Expected incremental value net of cost.
    pub expected_value: Mean90,
    /// Its expected value less that of the configuration as it is; absent for that one.
    pub difference: Option<DifferenceOut>,
    /// No plan is worth more.
    pub upper_bound: f64,
    /// `(upper_bound - expected_value) / |upper_bound|`.
    pub gap: f64,
    /// What one more unit of the total budget earns.
    pub budget_price: f64,
    /// Every constraint with its use and price.
    pub constraints: Vec<ConstraintOut>,
    /// Every channel.
    pub channels: Vec<ScenarioChannelOut>,
    /// Every partner with terms.
    pub partners: Vec<PartnerOut>,
}

/// A difference of two plans' expected values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DifferenceOut {
    /// The difference.
    pub mean: f64,
    /// Its interval, an error in an effect counted once for both; absent when the scenario believes in other effects.
    pub ci90: Option<[f64; 2]>,
}

/// A channel in a scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScenarioChannelOut {
    /// Its name.
    pub name: String,
    /// Whether the scenario may use it.
    pub on: bool,
    /// Customers reached through it.
    pub customers: usize,
    /// Expected spend.
    pub spend: f64,
    /// Expected incremental value net of cost.
    pub expected_value: f64,
    /// What one more unit of currency in it earns.
    pub marginal_return: f64,
    /// As in `plan`.
    pub verdict: String,
    /// Why.
    pub reason: String,
}

/// `deliver`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeliverOut {
    /// Cycle.
    pub cycle: u32,
    /// Plan.
    pub plan: String,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// The day of the cycle, counted from the first delivery, when the plan spreads contacts over days.
    #[serde(default)]
    pub day: Option<u16>,
    /// Over how many days, when it does.
    #[serde(default)]
    pub days: Option<u16>,
    /// Contacts whose day has not come.
    #[serde(default)]
    pub waiting: usize,
    /// What has been spent of the budget.
    #[serde(default)]
    pub spend: DeliverSpendOut,
    /// Every channel.
    pub channels: Vec<DeliveredOut>,
}

/// What a cycle has spent of its budget so far. Delivery stops when contacts and accepted offers reach it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DeliverSpendOut {
    /// `[plan] budget` as the file has it now.
    pub budget: f64,
    /// Cost of the contacts that are out or go out now, with partners' shares and fees.
    pub committed: f64,
    /// Cost of the offers that were accepted, as far as feedback says.
    pub realised: f64,
    /// How many offers were accepted.
    pub accepted: usize,
    /// Due contacts that the budget has no room for; a later delivery sends them when it has.
    pub held_back: usize,
}

/// What a channel delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveredOut {
    /// Channel.
    pub name: String,
    /// Adapter.
    pub adapter: String,
    /// Messages out (all invocations together).
    pub sent: usize,
    /// Of these, new in this invocation.
    pub new: usize,
    /// Left out, by reason.
    pub skipped: Vec<SkippedOut>,
    /// Failed.
    pub failed: usize,
    /// The file, relative to the workspace.
    pub file: Option<String>,
}

/// Left out, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedOut {
    /// Why.
    pub reason: String,
    /// How many.
    pub count: usize,
}

/// `feedback`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedbackOut {
    /// Cycle that is open.
    pub cycle: u32,
    /// The file.
    pub file: String,
    /// Events in it.
    pub events: usize,
    /// New ones.
    pub new: usize,
    /// Seen before, by `messageId`.
    pub duplicates: usize,
    /// Set aside, by reason.
    pub quarantined: Vec<SkippedOut>,
    /// Events of the file that count, by name.
    pub by_event: BTreeMap<String, usize>,
    /// Up to when the file is complete (RFC 3339).
    pub complete_until: String,
    /// Things a person should know.
    pub warnings: Vec<String>,
}

/// `iterate`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IterateOut {
    /// The cycle that was measured.
    pub cycle: u32,
    /// Decisions whose horizon has passed.
    pub mature: usize,
    /// Decisions whose horizon has not.
    pub immature: usize,
    /// Effect per channel and offer.
    pub lift: Vec<LiftOut>,
    /// The programme's total effect so far.
    pub total: TotalOut,
    /// Checks.
    pub checks: Vec<CheckOut>,
    /// Drift per column.
    pub drift: Vec<DriftOut>,
    /// Champion and challenger.
    pub promotion: PromotionOut,
    /// Whether the cycle is closed.
    pub closed: bool,
}

/// The effect of one action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiftOut {
    /// Channel.
    pub channel: String,
    /// Offer.
    pub offer: Option<String>,
    /// Customers who got it.
    pub treated: usize,
    /// Customers with the same intention who got nothing.
    pub control: usize,
    /// Decrease of churn (increase of conversion), unshrunk.
    pub effect: LiftEffectOut,
    /// Relative effect the planner uses from here on.
    pub shrunk: Mean90,
    /// Relative effect believed before.
    pub assumed: f64,
    /// Money it brought, net of cost.
    pub incremental_value: Mean95,
}

/// An effect with both intervals.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LiftEffectOut {
    /// The mean.
    pub mean: f64,
    /// Fixed-horizon interval.
    pub ci95: [f64; 2],
    /// Interval that stays honest however often one looks; absent below 100 units per arm.
    pub always_valid_ci95: Option<[f64; 2]>,
    /// How it was computed.
    pub method: String,
}

/// The programme's total.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TotalOut {
    /// Money kept or won by the programme, against the hold-out, before cost.
    pub incremental_value: TotalValueOut,
    /// Realised spend so far.
    pub spend: f64,
    /// Customers not held out.
    pub treated: usize,
    /// Customers held out.
    pub holdout: usize,
}

/// A total with both intervals.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct TotalValueOut {
    /// The mean.
    pub mean: f64,
    /// Fixed-horizon interval.
    pub ci95: [f64; 2],
    /// Interval that stays honest however often one looks; absent below 100 units per arm.
    pub always_valid_ci95: Option<[f64; 2]>,
}

/// Drift of one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriftOut {
    /// The column, or `risk`.
    pub column: String,
    /// Population stability index.
    pub psi: f64,
    /// PASS, REVIEW or FAIL.
    pub verdict: String,
}

/// Which model goes on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PromotionOut {
    /// The model in use.
    pub champion: String,
    /// The retrained one.
    pub challenger: Option<String>,
    /// `keep` or `promote`.
    pub decision: String,
    /// Why.
    pub reason: String,
}

/// `demo`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DemoOut {
    /// Seed of the market.
    pub seed: u64,
    /// Customers.
    pub customers: usize,
    /// Thalweg's cumulative profit / the oracle's.
    pub oracle_share: f64,
    /// What an oracle without a hold-out would have earned more.
    pub price_of_holdout: f64,
    /// Whether this seed's market is a hostile one.
    pub hostile: bool,
    /// Sums over the cycles.
    pub total: BTreeMap<String, f64>,
    /// Every cycle.
    pub cycles: Vec<DemoCycleOut>,
    /// What changed from the first plan to the last.
    pub changed: Vec<String>,
}

/// One cycle of the demo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DemoCycleOut {
    /// Counted from 1.
    pub cycle: u32,
    /// Thalweg's profit / the oracle's.
    pub oracle_share: f64,
    /// True incremental profit per policy.
    pub profit: BTreeMap<String, f64>,
    /// True expected spend per policy.
    pub spend: BTreeMap<String, f64>,
    /// What the engine believes the cycle's plan was worth.
    pub estimate: Mean95,
    /// What it was.
    pub truth: f64,
}

/// `init`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitOut {
    /// The file that was written.
    pub file: String,
    /// Rows of the table.
    pub rows: usize,
    /// Columns with what was found.
    pub columns: Vec<ProfileColumnOut>,
    /// What was guessed.
    pub guesses: Vec<String>,
    /// Columns left out of the models, with the reason.
    pub excluded: Vec<DroppedOut>,
    /// Suspicious things that a person should look at.
    pub warnings: Vec<String>,
    /// The next useful command.
    pub next: String,
}

/// A column as profiled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileColumnOut {
    /// Its name.
    pub name: String,
    /// number, category, boolean, date or text.
    pub kind: String,
    /// Empty cells.
    pub missing: usize,
    /// Distinct values.
    pub distinct: usize,
    /// Range or most frequent values.
    pub range: String,
}

/// `compress`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CompressOut {
    /// The model that was compressed.
    pub model: String,
    /// int8, pruned or distilled.
    pub to: String,
    /// Bytes of the model as JSON, before and after.
    pub bytes: [usize; 2],
    /// Bytes of the nets' numbers alone, before and after; absent where the model is not all nets.
    pub net_bytes: Option<[usize; 2]>,
    /// Rows scored a second, before and after.
    pub rows_per_second: [f64; 2],
    /// auc, accuracy or r2.
    pub metric: String,
    /// The metric on unseen rows, before.
    pub before: f64,
    /// And after.
    pub after: f64,
    /// Before minus after.
    pub loss: Mean95,
    /// The largest loss that is accepted.
    pub bound: f64,
    /// Whether the whole interval of the loss lies within it.
    pub within_bound: bool,
    /// Id of the compressed model that is in use now.
    pub replaced: Option<String>,
    /// Where it was written.
    pub file: Option<String>,
}

/// `export`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportOut {
    /// The model.
    pub model: String,
    /// binary, class or value.
    pub task: String,
    /// Its learner.
    pub learner: String,
    /// Names of the inputs, one per column.
    pub inputs: Vec<String>,
    /// The ONNX operator set.
    pub opset: i64,
    /// Size of the file.
    pub bytes: usize,
    /// The file.
    pub file: String,
}

/// `tool fit`: as `evaluate`, with what was read.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FitOut {
    /// The file.
    pub data: String,
    /// The target column.
    pub target: String,
    /// Columns left out, with the reason.
    pub excluded: Vec<DroppedOut>,
    /// Things a person should know.
    pub warnings: Vec<String>,
    /// Where the model was written.
    pub out: Option<String>,
    /// As `evaluate`.
    #[serde(flatten)]
    pub evaluation: EvaluationOut,
}

/// `tool allocate`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AllocateOut {
    /// The file of candidates.
    pub candidates_file: String,
    /// Customers in it.
    pub customers: usize,
    /// Rows in it.
    pub candidates: usize,
    /// Rows chosen.
    pub chosen: usize,
    /// Sum of their values; with `--risk-aversion` of the values less what doubt takes off.
    pub value: f64,
    /// Sum of their values as they are in the file, with `--risk-aversion`.
    #[serde(default)]
    pub mean_value: Option<f64>,
    /// No allocation is worth more.
    pub upper_bound: f64,
    /// `(upper_bound - value) / |upper_bound|`.
    pub gap: f64,
    /// Whether every constraint holds; when not, nothing is chosen and nothing written.
    pub feasible: bool,
    /// Whether it is proved that nothing is feasible.
    pub infeasibility_proved: bool,
    /// Names of constraints that conflict; those that the closest attempt breaks, when no conflict is proved.
    pub conflicts: Vec<String>,
    /// What each "at least" among them requires, and the most that can be reached while the others hold.
    pub shortfalls: Vec<ShortfallOut>,
    /// Use and price of every constraint; without a feasible plan, of the closest attempt.
    pub constraints: Vec<AllocateConstraintOut>,
    /// The plan under other budgets; empty without a budget.
    pub what_if: Vec<AllocateWhatIfOut>,
    /// The constraint that `what_if` changes.
    pub budget: Option<String>,
    /// How many customers `what_if` was reckoned from; all of them unless there are very many.
    pub what_if_customers: usize,
    /// Rows chosen per day, with pacing.
    pub days: Vec<usize>,
    /// The file written.
    pub file: Option<String>,
    /// What was noticed.
    pub warnings: Vec<String>,
    /// Seconds.
    pub timings: AllocateTimingsOut,
}

/// What a constraint requires against what can be reached.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ShortfallOut {
    /// The constraint.
    pub name: String,
    /// What it requires at least.
    pub required: f64,
    /// The most that can be reached while the other conflicting constraints hold.
    pub reachable: f64,
}

/// A constraint of `tool allocate`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AllocateConstraintOut {
    /// Its name.
    pub name: String,
    /// `at_most` or `at_least`.
    pub sense: String,
    /// The limit.
    pub limit: f64,
    /// How much is used.
    pub used: f64,
    /// Value of one more unit; of an `at_least`, what one more unit required costs, as a negative number.
    pub shadow_price: f64,
}

/// The plan under another budget.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct AllocateWhatIfOut {
    /// Change of the budget as a share.
    pub change: f64,
    /// The budget then.
    pub limit: f64,
    /// How much of it is used.
    pub used: f64,
    /// Value of the plan.
    pub value: f64,
    /// The certified gap.
    pub gap: f64,
    /// Whether a plan keeps the constraints.
    pub feasible: bool,
    /// Value of one more unit of it.
    pub shadow_price: f64,
}

/// Where the time of `tool allocate` went.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct AllocateTimingsOut {
    /// Seconds to read the candidates.
    pub load: f64,
    /// Seconds to find the plan.
    pub solve: f64,
    /// Seconds for the plans under other budgets.
    pub what_if: f64,
    /// Seconds to write.
    pub write: f64,
}

/// `tool layers`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayersOut {
    /// The file.
    pub data: String,
    /// The target column.
    pub target: String,
    /// auc, accuracy or r2.
    pub metric: String,
    /// Folds.
    pub folds: usize,
    /// Mean of plain training.
    pub plain: f64,
    /// The same net, its layers pre-trained.
    pub pretrained: ContenderOut,
    /// Plain training with corrections per segment; absent without a column of segments.
    pub segmented: Option<ContenderOut>,
}

/// A way of training against the plain one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ContenderOut {
    /// Its mean.
    pub mean: f64,
    /// Its mean less that of plain training, on the same rows; above 0 is better.
    pub difference: Mean95,
}

/// `tool power`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PowerOut {
    /// What was asked for: `customers`, `effect` or `power`.
    pub solved_for: String,
    /// Rate without the action.
    pub baseline: f64,
    /// The effect.
    pub effect: PowerEffectOut,
    /// Two-sided level.
    pub alpha: f64,
    /// Probability of seeing the effect.
    pub power: f64,
    /// Control customers per treated one.
    pub ratio: f64,
    /// Customers with the action.
    pub n_per_arm: u64,
    /// Customers without it.
    pub n_control: u64,
    /// Both together.
    pub n_total: u64,
    /// What the contacts cost; none when no cost was given.
    pub cost: Option<f64>,
    /// Days until all have entered; none when no number per day was given.
    pub days: Option<u64>,
}

/// An effect on a rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PowerEffectOut {
    /// In probability points.
    pub absolute: f64,
    /// As a share of the baseline.
    pub relative: f64,
    /// The rate with the action.
    pub rate: f64,
}

/// `tool profile`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileOut {
    /// The file.
    pub data: String,
    /// Rows.
    pub rows: usize,
    /// Columns, as profiled.
    pub columns: Vec<ProfileColumnOut>,
    /// Suspicious things that a person should look at.
    pub warnings: Vec<ColumnWarningOut>,
}

/// Something suspicious about a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnWarningOut {
    /// The column.
    pub column: String,
    /// leakage, key-like, constant or money-like.
    pub kind: String,
    /// In words, with numbers.
    pub detail: String,
    /// What to do.
    pub advice: String,
}

/// `status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatusOut {
    /// The workspace's name.
    pub workspace: String,
    /// The open cycle.
    pub cycle: u32,
    /// Where every stage stands.
    pub stages: Vec<StatusStageOut>,
    /// The plan in force.
    pub plan: Option<String>,
    /// Decisions delivered in the open cycle.
    pub delivered: usize,
    /// Events known.
    pub events: usize,
    /// Up to when feedback is complete (RFC 3339).
    pub complete_until: Option<String>,
    /// Next useful command.
    pub next: String,
}

/// Where a stage stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusStageOut {
    /// The stage.
    pub stage: String,
    /// `done` or `to do`.
    pub state: String,
    /// When it finished (RFC 3339).
    pub finished_at: Option<String>,
    /// What it made.
    pub artifact: Option<String>,
    /// One line.
    pub summary: String,
}
