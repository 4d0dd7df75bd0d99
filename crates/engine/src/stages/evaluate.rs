//! evaluate: may the model be used? Metrics with intervals and named checks; a check that fails stops the loop.

use thalweg_collect::Collected;
use thalweg_domain::{Check, Result, Stage};
use thalweg_learn::leakage::{self, Finding};
use thalweg_learn::outcome::OutcomeTraining;

use super::{collect, train};
use crate::config::Config;
use crate::foreign;
use crate::hash::{Fingerprint, content_id, json_bytes};
use crate::judgement::{self, Case, Costs, Fair};
use crate::session::{Done, Made, Session};
use crate::wire::{EvaluationOut, TrainOut};

/// Evaluates, or gives the stored evaluation when nothing that it depends on has changed.
pub(crate) fn ensure(session: &Session, table_id: &str, trained: &TrainOut) -> Result<Done<EvaluationOut>> {
    let config = &session.workspace.config;
    let economics = reference_action(config);
    let fingerprint = Fingerprint::new("evaluate")
        .with("table", table_id)
        .with("model", &trained.model)
        .with_debug("economics", &economics)
        .with_debug("fairness", &config.fairness)
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
    let config = &session.workspace.config;
    let (contact, relative_effect) = reference_action(config);
    let mut protocol = protocol(session, &training);
    let mut checks = vec![leakage_check(&collected)?];
    if let Some((whole, check)) = foreign::remarks(&training, &protocol) {
        protocol = whole;
        checks.push(check);
    }
    let out = judgement::judge(&Case {
        model: trained.model.clone(),
        training: &training,
        set: rows.set(),
        costs: Some(Costs {
            contact,
            relative_effect,
            value: &rows.value,
        }),
        protocol,
        importance: trained.importance.clone(),
        checks,
        fair: Fair {
            table: &rows.fair,
            columns: &config.fairness.columns,
            action: config.fairness.action,
        },
        seed: session.seed().stream("evaluate"),
    })?;
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
        .filter(|entry| entry.on)
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

/// How rows were kept apart.
fn protocol(session: &Session, training: &OutcomeTraining) -> String {
    let config = &session.workspace.config;
    let seed = session.seed().0;
    match &training.rolling {
        None => format!("stratified {}-fold, seed {seed}", config.model.folds),
        Some(rolling) => {
            let tested = rolling.fold.iter().max().map_or(0, |last| usize::from(*last) + 1);
            format!(
                "rolling origin, {tested} cut-offs tested, horizon {} days, seed {seed}",
                config.outcome.horizon.as_days()
            )
        }
    }
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
