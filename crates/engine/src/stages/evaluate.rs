//! evaluate: may the model be used? Metrics with intervals and named checks; a check that fails stops the loop.

use thalweg_collect::Collected;
use thalweg_domain::{Check, Result, Stage};
use thalweg_learn::evaluate::{Economics, Evaluation, NamedEstimates};
use thalweg_learn::leakage::{self, Finding};
use thalweg_learn::outcome::OutcomeTraining;

use super::{collect, train};
use crate::config::Config;
use crate::hash::{Fingerprint, content_id, json_bytes};
use crate::session::{Done, Made, Session};
use crate::wire::{
    CalibrationBin, CandidateOut, CheckOut, DecileOut, EpochOut, EvaluationOut, Metrics, TestOut, TrainOut,
};

/// Evaluates, or gives the stored evaluation when nothing that it depends on has changed.
pub(crate) fn ensure(session: &Session, table_id: &str, trained: &TrainOut) -> Result<Done<EvaluationOut>> {
    let config = &session.workspace.config;
    let economics = reference_action(config);
    let fingerprint = Fingerprint::new("evaluate")
        .with("table", table_id)
        .with("model", &trained.model)
        .with_debug("economics", &economics)
        .with_debug("seed", &session.seed())
        .finish();
    let exists = |id: &str| session.workspace.artifact("evaluations", id, "json").is_file();
    session.stage(Stage::Evaluate, &fingerprint, exists, || {
        evaluate(session, table_id, trained).map_err(|error| error.doing(session.doing("evaluating")))
    })
}

fn evaluate(session: &Session, table_id: &str, trained: &TrainOut) -> Result<Made<EvaluationOut>> {
    let collected = collect::load(session, table_id)?;
    let training = train::load(session, &trained.model)?;
    let rows = train::rows_of(session, &collected, &training)?;
    let (contact_cost, relative_effect) = reference_action(&session.workspace.config);
    let economics = Economics {
        value: &rows.value,
        contact_cost,
        relative_effect,
    };
    let seed = session.seed().stream("evaluate");
    let evaluation = thalweg_learn::evaluate::evaluate(&training, &rows.set(), &economics, seed)?;
    let mut checks = vec![leakage_check(&collected)?];
    checks.extend(evaluation.checks.iter().cloned());
    let out = describe(session, &rows, trained, &training, (&evaluation, &checks));
    let bytes = json_bytes(&out)?;
    let id = content_id("e", &bytes);
    thalweg_collect::write_bytes_atomic(&session.workspace.artifact("evaluations", &id, "json"), &bytes)?;
    let line = line(&out);
    Ok(Made {
        artifact: id,
        result: out,
        line,
    })
}

/// The cheapest way to reach somebody, for the profit metric: its cost per contact and its assumed relative effect.
fn reference_action(config: &Config) -> (f64, f64) {
    let cheapest = config
        .channels
        .iter()
        .map(|entry| &entry.channel)
        .min_by(|a, b| a.unit_cost.get().total_cmp(&b.unit_cost.get()));
    cheapest.map_or((0.0, 0.0), |channel| {
        (channel.unit_cost.get(), channel.assumed_effect.mean.max(0.0))
    })
}

/// FAIL when a column that the models see gives the outcome away.
fn leakage_check(collected: &Collected) -> Result<Check> {
    let history = collect::labelled(collected);
    let known = |row: &usize| {
        collected
            .target
            .as_ref()
            .and_then(|target| target.get(*row).copied().flatten())
    };
    let target: Vec<bool> = history.iter().filter_map(known).collect();
    let mut findings = leakage::scan(&collected.features.take(&history), &target)?;
    // collecting has dropped keys and constants and said so
    findings.retain(Finding::is_leak);
    Ok(leakage::leakage_check(&findings))
}

fn describe(
    session: &Session,
    rows: &train::TrainingRows,
    trained: &TrainOut,
    training: &OutcomeTraining,
    judged: (&Evaluation, &[Check]),
) -> EvaluationOut {
    let (evaluation, checks) = judged;
    let positives = rows.target.iter().filter(|outcome| **outcome).count();
    let config = &session.workspace.config;
    EvaluationOut {
        model: trained.model.clone(),
        learner: trained.learner.clone(),
        rows: rows.target.len(),
        positive_rate: ratio(positives, rows.target.len()),
        protocol: format!(
            "stratified {}-fold, seed {}",
            config.model.folds,
            session.seed().0
        ),
        metrics: metrics(&evaluation.metrics),
        test: TestOut {
            rows: evaluation.test.rows,
            metrics: metrics(&evaluation.test.metrics),
        },
        history: (1..)
            .zip(&training.history)
            .map(|(epoch, losses)| EpochOut {
                epoch,
                train_loss: losses.train_loss,
                validation_loss: losses.validation_loss,
            })
            .collect(),
        candidates: evaluation
            .candidates
            .iter()
            .map(|(learner, found)| CandidateOut {
                learner: learner.as_str().to_owned(),
                metrics: metrics(found),
            })
            .collect(),
        checks: checks.iter().map(CheckOut::from).collect(),
        importance: trained.importance.clone(),
        calibration: evaluation
            .calibration
            .iter()
            .map(|bin| CalibrationBin {
                predicted: bin.predicted,
                observed: bin.observed.mean,
                n: bin.n,
            })
            .collect(),
        gains: evaluation
            .gains
            .iter()
            .map(|point| [point.contacted, point.captured])
            .collect(),
        deciles: deciles(&training.out_of_fold, &rows.target),
    }
}

fn metrics(found: &NamedEstimates) -> Metrics {
    found
        .iter()
        .map(|(name, estimate)| ((*name).to_owned(), (*estimate).into()))
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

#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
const fn to_f64(count: usize) -> f64 {
    count as f64
}

fn line(out: &EvaluationOut) -> String {
    let auc = out.metrics.get("auc").copied().unwrap_or_default();
    let half = (auc.ci95[1] - auc.ci95[0]) / 2.0;
    let count = |verdict: &str| out.checks.iter().filter(|check| check.verdict == verdict).count();
    let checks = match (count("FAIL"), count("REVIEW")) {
        (0, 0) => "all checks pass".to_owned(),
        (0, reviews) => format!("{reviews} to review"),
        (fails, reviews) => format!("{fails} failed, {reviews} to review"),
    };
    format!("{}: AUC {:.3} ±{half:.3} · {checks}", out.learner, auc.mean)
}
