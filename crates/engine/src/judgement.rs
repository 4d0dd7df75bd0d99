//! From a training to what is printed about it: metrics, checks, thresholds, profit, fairness. One place for `evaluate`
//! and `tool fit`.

use std::collections::BTreeMap;

use thalweg_domain::{Check, ColumnData, MISSING_LEVEL, Result, Seed, Table};
use thalweg_learn::evaluate::{
    Economics, EmpcParams, Evaluation, Grouping, NamedEstimates, Payoff, Shuffled, ThresholdRule, evaluate,
    expected_maximum_profit, interval_method, permutation_importance, profit_curve, shuffle_column,
};
use thalweg_learn::fairness::{Decided, Equalised, Parity, Reference, equalise, fairness};
use thalweg_learn::outcome::{OutcomeTraining, StopReason, TrainingSet};
use thalweg_learn::task::Target;

use crate::config::FairnessAction;
use crate::count::to_f64;
use crate::wire::{
    CalibrationBin, CandidateOut, CheckOut, ClassOut, ConformalOut, DecileOut, EpochOut, EqualisedOut,
    EvaluationOut, FairGroupOut, FairnessOut, ImportanceOut, MemberOut, Metrics, ProfitOut, RandomSplitOut,
    SearchOut, TestOut, ThresholdOut, TriedOut,
};

/// What is judged.
pub(crate) struct Case<'a> {
    pub(crate) model: String,
    pub(crate) training: &'a OutcomeTraining,
    pub(crate) set: TrainingSet<'a>,
    /// Cost of a contact, its relative effect, the value of a row; none without costs.
    pub(crate) costs: Option<Costs<'a>>,
    pub(crate) protocol: String,
    pub(crate) importance: Vec<(String, f64)>,
    /// Made elsewhere, such as leakage; they go first.
    pub(crate) checks: Vec<Check>,
    /// The columns whose groups are compared, each with all rows of the set.
    pub(crate) fair: Fair<'a>,
    pub(crate) seed: Seed,
}

/// What treating somebody costs and brings.
pub(crate) struct Costs<'a> {
    pub(crate) contact: f64,
    pub(crate) relative_effect: f64,
    pub(crate) value: &'a [f64],
}

/// Whose treatment is compared, and what is done about it.
pub(crate) struct Fair<'a> {
    pub(crate) table: &'a Table,
    pub(crate) columns: &'a [String],
    pub(crate) action: FairnessAction,
}

/// Out-of-fold scores with what came, of the split that chose the model.
struct Scored<'a> {
    p: &'a [f64],
    rows: Vec<usize>,
    y: Vec<bool>,
    group: Vec<u64>,
    value: Vec<f64>,
}

/// Judges.
pub(crate) fn judge(case: &Case<'_>) -> Result<EvaluationOut> {
    let n = case.set.target.len();
    let nothing = vec![0.0; n];
    let economics = case.costs.as_ref().map_or(
        Economics {
            value: &nothing,
            contact_cost: 0.0,
            relative_effect: 0.0,
        },
        |costs| Economics {
            value: costs.value,
            contact_cost: costs.contact,
            relative_effect: costs.relative_effect,
        },
    );
    let found = evaluate(case.training, &case.set, &economics, case.seed)?;
    let scored = scored(case, economics.value);
    let payoff = |scored: &Scored<'_>| -> Option<(Vec<f64>, f64, f64)> {
        let costs = case.costs.as_ref()?;
        Some((scored.value.clone(), costs.contact, costs.relative_effect))
    };
    let amounts = scored.as_ref().and_then(payoff);
    let earned = amounts
        .as_ref()
        .map_or(Payoff::ACCURACY, |(value, contact_cost, relative_effect)| {
            Payoff::Economics(Economics {
                value,
                contact_cost: *contact_cost,
                relative_effect: *relative_effect,
            })
        });
    let threshold = match &scored {
        None => None,
        Some(_) => Some(threshold(case, &economics)?),
    };
    let cut = threshold.as_ref().map_or(0.5, |own| own.threshold);
    let fairness = match &scored {
        None => Vec::new(),
        Some(scored) => fair(case, scored, cut, &earned)?,
    };
    let mut checks: Vec<CheckOut> = case
        .checks
        .iter()
        .chain(&found.checks)
        .map(CheckOut::from)
        .collect();
    checks.extend(fairness.iter().map(|(_, check)| CheckOut::from(check)));
    let profit = match (&scored, &case.costs) {
        (Some(scored), Some(costs)) => Some(profit(scored, costs, &earned)?),
        _ => None,
    };
    Ok(EvaluationOut {
        model: case.model.clone(),
        learner: case.training.learner.as_str().to_owned(),
        rows: n,
        positive_rate: positive_rate(&case.set.target),
        protocol: case.protocol.clone(),
        metrics: named(case, &found.metrics),
        test: TestOut {
            rows: found.test.rows,
            metrics: named(case, &found.test.metrics),
        },
        history: history(case.training),
        candidates: found
            .candidates
            .iter()
            .map(|(learner, metrics)| CandidateOut {
                learner: learner.as_str().to_owned(),
                metrics: named(case, metrics),
            })
            .collect(),
        checks,
        importance: case.importance.clone(),
        permutation: permutation(case)?,
        calibration: calibration(&found),
        gains: found
            .gains
            .iter()
            .map(|point| [point.contacted, point.captured])
            .collect(),
        deciles: scored
            .as_ref()
            .map_or_else(Vec::new, |scored| deciles(scored.p, &scored.y)),
        task: case.set.target.task().as_str().to_owned(),
        classes: classes(&case.set.target, &found),
        random_split: random_split(case, &found),
        interval_methods: methods(case, &found),
        threshold,
        profit,
        conformal: conformal(case.training),
        fairness: fairness.into_iter().map(|(out, _)| out).collect(),
        search: search(case.training),
        members: members(case.training),
    })
}

/// Rows that columns are shuffled over, evenly spread.
const PERMUTATION_ROWS: usize = 2000;
/// Times that each column is shuffled.
const PERMUTATION_REPEATS: usize = 3;

/// What the model loses when a column tells it nothing.
fn permutation(case: &Case<'_>) -> Result<Vec<ImportanceOut>> {
    let n = case.set.target.len();
    let every = n.div_ceil(PERMUTATION_ROWS).max(1);
    let rows: Vec<usize> = (0..n).step_by(every).collect();
    let table = case.set.table.take(&rows);
    let features = case.training.model.features();
    let group = picked(case.set.group, &rows);
    let loss = |shuffled: Option<Shuffled<'_>>| {
        let scored = match shuffled.and_then(|own| Some((features.get(own.feature)?, own.order))) {
            None => case.training.model.predict_all(&table)?,
            Some((column, order)) => case
                .training
                .model
                .predict_all(&shuffle_column(&table, column, order)?)?,
        };
        let each = rows.iter().zip(scored.rows());
        Ok(each
            .map(|(row, own)| row_loss(&case.set.target, *row, own))
            .collect())
    };
    let seed = case.seed.stream("permutation");
    let found = permutation_importance(&features, &group, (PERMUTATION_REPEATS, seed), loss)?;
    Ok(found
        .into_iter()
        .map(|own| ImportanceOut {
            feature: own.feature,
            importance: own.importance.into(),
        })
        .collect())
}

/// Log loss of a row's probabilities, or the squared error of its value.
fn row_loss(target: &Target<'_>, row: usize, predicted: &[f64]) -> f64 {
    let number = target.number(row);
    let first = predicted.first().copied().unwrap_or(0.0);
    let of_outcome = match target {
        Target::Value(_) => return (first - number).powi(2),
        Target::Binary(_) if number > 0.5 => first,
        Target::Binary(_) => 1.0 - first,
        Target::Class { codes, .. } => codes
            .get(row)
            .and_then(|code| predicted.get(*code as usize))
            .copied()
            .unwrap_or(0.0),
    };
    -of_outcome.max(f64::EPSILON).ln()
}

/// The scores that the figures are about; none unless there are two classes.
fn scored<'a>(case: &Case<'a>, value: &[f64]) -> Option<Scored<'a>> {
    let Target::Binary(target) = case.set.target else {
        return None;
    };
    let (p, rows) = match &case.training.rolling {
        Some(rolling) => (rolling.out_of_fold.as_slice(), rolling.rows.clone()),
        None => (case.training.out_of_fold.as_slice(), (0..target.len()).collect()),
    };
    Some(Scored {
        p,
        y: picked(target, &rows),
        group: picked(case.set.group, &rows),
        value: picked(value, &rows),
        rows,
    })
}

fn picked<T: Copy>(cells: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().filter_map(|row| cells.get(*row).copied()).collect()
}

fn positive_rate(target: &Target<'_>) -> f64 {
    match target {
        Target::Binary(target) => ratio(target.iter().filter(|own| **own).count(), target.len()),
        Target::Class { .. } | Target::Value(_) => 0.0,
    }
}

/// Metrics by name; profit is left out where there are no costs.
fn named(case: &Case<'_>, found: &NamedEstimates) -> Metrics {
    found
        .iter()
        .filter(|(name, _)| case.costs.is_some() || !is_money(name))
        .map(|(name, estimate)| ((*name).to_owned(), (*estimate).into()))
        .collect()
}

fn is_money(metric: &str) -> bool {
    metric.contains("profit")
}

fn methods(case: &Case<'_>, found: &Evaluation) -> BTreeMap<String, String> {
    let binary = matches!(case.set.target, Target::Binary(_));
    let method = |name: &str| {
        if binary {
            interval_method(name).as_str()
        } else {
            "bootstrap"
        }
    };
    named(case, &found.metrics)
        .into_keys()
        .map(|name| {
            let method = method(&name).to_owned();
            (name, method)
        })
        .collect()
}

fn history(training: &OutcomeTraining) -> Vec<EpochOut> {
    (1..)
        .zip(&training.history)
        .map(|(epoch, losses)| EpochOut {
            epoch,
            train_loss: losses.train_loss,
            validation_loss: losses.validation_loss,
        })
        .collect()
}

fn calibration(found: &Evaluation) -> Vec<CalibrationBin> {
    found
        .calibration
        .iter()
        .map(|bin| CalibrationBin {
            predicted: bin.predicted,
            observed: bin.observed.mean,
            n: bin.n,
        })
        .collect()
}

fn classes(target: &Target<'_>, found: &Evaluation) -> Vec<ClassOut> {
    let Target::Class { codes, classes } = target else {
        return Vec::new();
    };
    (0_u32..)
        .zip(classes.iter())
        .zip(&found.confusion)
        .map(|((code, name), taken_for)| ClassOut {
            name: name.clone(),
            share: ratio(codes.iter().filter(|own| **own == code).count(), codes.len()),
            taken_for: taken_for.clone(),
        })
        .collect()
}

fn random_split(case: &Case<'_>, found: &Evaluation) -> Option<RandomSplitOut> {
    let metrics = named(case, found.random_split.as_ref()?);
    let own = named(case, &found.metrics);
    let difference = metrics
        .iter()
        .filter_map(|(name, claimed)| Some((name.clone(), claimed.mean - own.get(name)?.mean)))
        .collect();
    Some(RandomSplitOut { metrics, difference })
}

fn threshold(case: &Case<'_>, economics: &Economics<'_>) -> Result<ThresholdOut> {
    let payoff = match case.costs {
        Some(_) => Payoff::Economics(*economics),
        None => Payoff::ACCURACY,
    };
    let chosen = case.training.choose_threshold(&case.set, &payoff)?;
    let money = chosen.by_cost.as_ref();
    Ok(ThresholdOut {
        threshold: chosen.threshold.min(1.0),
        rule: money
            .map_or("given", |choice| match choice.rule {
                _ if case.costs.is_none() => "no_costs",
                ThresholdRule::BreakEven => "break_even",
                ThresholdRule::MostProfitable => "most_profitable",
            })
            .to_owned(),
        profit: money
            .filter(|_| case.costs.is_some())
            .map(|choice| choice.profit.into()),
        gain_over_half: money
            .filter(|_| case.costs.is_some())
            .map(|choice| choice.gain_over_half.into()),
    })
}

fn profit(scored: &Scored<'_>, costs: &Costs<'_>, payoff: &Payoff<'_>) -> Result<ProfitOut> {
    let curve = profit_curve(scored.p, &scored.y, &scored.group, payoff)?;
    let n = to_f64(scored.value.len()).max(1.0);
    let params = EmpcParams {
        lifetime_value: scored.value.iter().sum::<f64>() / n,
        contact_cost: costs.contact,
        ..EmpcParams::default()
    };
    // its terms are refused where, for example, the value is below the offer's cost
    let expected = match params.check() {
        Ok(()) => Some(expected_maximum_profit(scored.p, &scored.y, None, &params)?),
        Err(_) => None,
    };
    Ok(ProfitOut {
        curve: curve
            .points
            .iter()
            .map(|point| [point.contacted, point.profit_per_customer])
            .collect(),
        best_share: curve.best.contacted,
        best_profit: curve.best_profit.into(),
        expected_maximum: expected.map(|found| found.profit_per_customer),
        expected_maximum_share: expected.map(|found| found.contacted),
    })
}

fn conformal(training: &OutcomeTraining) -> Vec<ConformalOut> {
    let quantiles = training.model.conformal().iter();
    quantiles
        .map(|own| ConformalOut {
            coverage: own.coverage,
            quantile: own.quantile,
        })
        .collect()
}

fn search(training: &OutcomeTraining) -> SearchOut {
    let found = &training.search;
    SearchOut {
        rounds: found.rounds,
        stopped: match found.stopped {
            StopReason::Finished => "finished",
            StopReason::UnitsSpent => "units_spent",
            StopReason::TimeUp => "time_up",
        }
        .to_owned(),
        tried: found
            .tried
            .iter()
            .map(|tried| TriedOut {
                learner: tried.learner.as_str().to_owned(),
                setting: tried.setting.clone(),
                loss: tried.loss,
            })
            .collect(),
    }
}

fn members(training: &OutcomeTraining) -> Vec<MemberOut> {
    let shares = training.model.shares().into_iter();
    shares
        .map(|(learner, share)| MemberOut {
            learner: learner.as_str().to_owned(),
            share,
        })
        .collect()
}

/// A column's levels as codes: categories and truth values; others by their cells' text.
fn levels(table: &Table, name: &str) -> Result<(Vec<u32>, Vec<String>)> {
    let column = table
        .column(name)
        .ok_or_else(|| crate::target::no_column(table, name, "[fairness] columns"))?;
    if let ColumnData::Category { codes, levels } = &column.data {
        return Ok((codes.clone(), levels.clone()));
    }
    let cells: Vec<String> = (0..column.len()).map(|row| column.cell_text(row)).collect();
    let mut names: Vec<String> = cells.iter().filter(|cell| !cell.is_empty()).cloned().collect();
    names.sort();
    names.dedup();
    let code = |cell: &String| {
        names
            .binary_search(cell)
            .ok()
            .and_then(|at| u32::try_from(at).ok())
            .unwrap_or(MISSING_LEVEL)
    };
    Ok((cells.iter().map(code).collect(), names))
}

fn fair(
    case: &Case<'_>,
    scored: &Scored<'_>,
    cut: f64,
    payoff: &Payoff<'_>,
) -> Result<Vec<(FairnessOut, Check)>> {
    let selected: Vec<bool> = scored.p.iter().map(|p| *p >= cut).collect();
    let decided = Decided {
        p: scored.p,
        selected: &selected,
        y: &scored.y,
        group: &scored.group,
    };
    let columns = case.fair.columns.iter();
    columns
        .map(|name| {
            let (codes, names) = levels(case.fair.table, name)?;
            let codes = picked(&codes, &scored.rows);
            let grouping = Grouping {
                column: name,
                level: &codes,
                names: &names,
            };
            let parity = match case.fair.action {
                FairnessAction::Report | FairnessAction::Drop => None,
                FairnessAction::EqualSelection => Some(Parity::SelectionRate),
                FairnessAction::EqualOpportunity => Some(Parity::TruePositiveRate),
            };
            let equalised = match parity {
                None => None,
                Some(parity) => Some(equalise(scored.p, &scored.y, &grouping, (parity, cut), payoff)?),
            };
            // what is judged is what would be done: with thresholds by group, the selection that they make
            let mended = equalised
                .as_ref()
                .map(|found| selection(scored.p, (&codes, &names), found, cut));
            let decided = Decided {
                selected: mended.as_deref().unwrap_or(&selected),
                ..decided
            };
            let report = fairness(&decided, &grouping, Reference::Largest)?;
            let own = |level: &str| {
                let thresholds = equalised.as_ref()?.thresholds.iter();
                thresholds
                    .clone()
                    .find(|own| own.level == level)
                    .map(|own| own.threshold.min(1.0))
            };
            let groups = report.groups.iter().map(|group| FairGroupOut {
                level: group.level.clone(),
                n: group.n,
                selection_rate: group.selection.estimate.into(),
                true_positive_rate: group.true_positive.estimate.into(),
                false_positive_rate: group.false_positive.estimate.into(),
                predicted: group.predicted,
                observed: group.observed.estimate.into(),
                threshold: own(&group.level),
            });
            let out = FairnessOut {
                column: name.clone(),
                reference: report.reference.clone(),
                verdict: report.check.verdict.as_str().to_owned(),
                detail: report.check.detail.clone(),
                action: case.fair.action.as_str().to_owned(),
                groups: groups.collect(),
                equalised: equalised.as_ref().map(|found| EqualisedOut {
                    gap: [found.gap_before, found.gap_after],
                    profit: [found.profit_before, found.profit_after],
                    accuracy: [found.accuracy_before, found.accuracy_after],
                }),
            };
            Ok((out, report.check))
        })
        .collect()
}

/// Who is selected with a threshold for each group.
fn selection(p: &[f64], (codes, names): (&[u32], &[String]), found: &Equalised, common: f64) -> Vec<bool> {
    let of_level = |level: &str| {
        found
            .thresholds
            .iter()
            .find(|own| own.level == level)
            .map(|own| own.threshold)
    };
    let by_code: Vec<f64> = names
        .iter()
        .map(|name| of_level(name).unwrap_or(common))
        .collect();
    let missing = of_level("missing").unwrap_or(common);
    let threshold = |code: &u32| match code {
        &MISSING_LEVEL => missing,
        code => by_code.get(*code as usize).copied().unwrap_or(common),
    };
    p.iter()
        .zip(codes)
        .map(|(p, code)| *p >= threshold(code))
        .collect()
}

/// Tenths by score, riskiest first.
fn deciles(scores: &[f64], target: &[bool]) -> Vec<DecileOut> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    let score = |row: usize| scores.get(row).copied().unwrap_or(0.0);
    order.sort_by(|a, b| score(*b).total_cmp(&score(*a)).then(a.cmp(b)));
    (0..10)
        .map(|tenth| {
            let from = tenth * order.len() / 10;
            let until = (tenth + 1) * order.len() / 10;
            let rows = order.get(from..until).unwrap_or_default();
            let hits = rows
                .iter()
                .filter(|row| target.get(**row).copied().unwrap_or(false))
                .count();
            let sum: f64 = rows.iter().map(|row| score(*row)).sum();
            DecileOut {
                decile: tenth + 1,
                n: rows.len(),
                predicted: sum / to_f64(rows.len()).max(1.0),
                observed: ratio(hits, rows.len()),
            }
        })
        .collect()
}

fn ratio(part: usize, whole: usize) -> f64 {
    to_f64(part) / to_f64(whole).max(1.0)
}
