//! `tool fit`: a model of any labelled table, with its honest figures, without a workspace.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use thalweg_collect::{MissingTokens, read_source};
use thalweg_domain::{Check, Error, Result, Seed, Table};
use thalweg_learn::evaluate::card::ModelCard;
use thalweg_learn::leakage::{self, Finding, FindingKind};
use thalweg_learn::models::Learner;
use thalweg_learn::outcome::{Hooks, LearnerChoice, OutcomeTraining, TrainingSet};

use crate::card::{self, About};
use crate::config::{Fairness, Model, parse_model};
use crate::foreign;
use crate::hash::content_id;
use crate::judgement::{self, Case, Fair};
use crate::progress::Progress;
use crate::stages::train::group_of;
use crate::target::{self, Labelled};
use crate::wire::{DroppedOut, EvaluationOut, FitOut};

/// What to fit.
#[derive(Debug, Clone, Default)]
pub struct FitRequest {
    /// A file (CSV, Parquet or JSON lines) or a glob.
    pub data: String,
    /// The column to predict.
    pub target: String,
    /// The column that identifies a row's owner: rows of one owner are never split between folds.
    pub key: Option<String>,
    /// `binary`, `class` or `value`; guessed from the target when absent.
    pub kind: Option<String>,
    /// The target's value that means it happened, for two classes.
    pub positive: Option<String>,
    /// Overrides the configuration's learner.
    pub learner: Option<String>,
    /// Overrides the configuration's folds.
    pub folds: Option<usize>,
    /// A file with `[model]` sections.
    pub config: Option<PathBuf>,
    /// Columns that the model must not see.
    pub exclude: Vec<String>,
    /// Whose treatment is compared.
    pub fairness: Fairness,
    /// Minutes after which the search of `auto` begins no further round.
    pub minutes: Option<f64>,
    /// Where to write the model.
    pub out: Option<PathBuf>,
    /// Where to write the model card: JSON for a path that ends in `.json`, else Markdown.
    pub card: Option<PathBuf>,
    /// The seed of folds and learners; 42 when absent.
    pub seed: Option<u64>,
}

/// Fits and judges.
///
/// # Errors
/// `TW01xx` for a configuration that cannot be read, `TW02xx` and `TW03xx` for data that cannot be learned from, `TW0229`
/// when the model cannot be written.
pub fn fit(request: &FitRequest, progress: &dyn Progress) -> Result<FitOut> {
    let Prepared {
        model,
        source,
        labelled,
        features,
        excluded,
        findings,
        group,
    } = prepare(request)?;
    let known = labelled.known.clone();
    let weight = vec![1.0; known.len()];
    let set = TrainingSet {
        table: &features,
        target: labelled.target(),
        weight: &weight,
        group: &group,
        period: None,
    };
    let seed = Seed(request.seed.unwrap_or(42));
    let training = train(
        &set,
        &model,
        (request.minutes, seed, request.seed.is_some()),
        progress,
    )?;
    let mut protocol = format!("stratified {}-fold, seed {}", model.folds, seed.0);
    let mut checks = vec![leakage_check(&findings)];
    if let Some((whole, check)) = foreign::remarks(&training, &protocol) {
        protocol = whole;
        checks.push(check);
    }
    let json = training.model.to_json()?;
    let id = content_id("m", json.as_bytes());
    let compared = request.fairness.compared(&source).take(&known);
    let evaluation = judgement::judge(&Case {
        model: id,
        training: &training,
        set,
        costs: None,
        protocol,
        importance: importance(&training),
        checks,
        fair: Fair {
            table: &compared,
            columns: &request.fairness.columns,
            action: request.fairness.action,
        },
        seed: seed.stream("evaluate"),
    })?;
    if let Some(path) = &request.out {
        thalweg_collect::write_bytes_atomic(path, json.as_bytes())?;
    }
    let out = describe(request, (&source, &labelled), excluded, evaluation);
    if let Some(path) = &request.card {
        card::write(&card(&out, &training, &group), path)?;
    }
    Ok(out)
}

fn card(out: &FitOut, training: &OutcomeTraining, group: &[u64]) -> ModelCard {
    let owners: BTreeSet<u64> = group.iter().copied().collect();
    card::card(
        &out.evaluation,
        About {
            source: out.data.clone(),
            table_hash: String::new(),
            customers: owners.len(),
            target: out.target.clone(),
            period: None,
            columns: training.model.schema(),
            excluded: out
                .excluded
                .iter()
                .map(|own| (own.column.clone(), own.reason.clone()))
                .collect(),
            intended_use: vec![format!(
                "Predict \"{}\" for rows like those of {}.",
                out.target, out.data
            )],
            limits: card::limits(&out.evaluation),
            privacy: card::privacy(&training.model),
            calibration: training.model.link().name().to_owned(),
        },
    )
}

/// What is read before anything is fitted.
pub(super) struct Prepared {
    pub(super) model: Model,
    pub(super) source: Table,
    pub(super) labelled: Labelled,
    pub(super) features: Table,
    pub(super) excluded: Vec<DroppedOut>,
    pub(super) findings: Vec<Finding>,
    pub(super) group: Vec<u64>,
}

/// Reads the settings and the table, finds the target, and leaves out what a model must not see.
pub(super) fn prepare(request: &FitRequest) -> Result<Prepared> {
    let model = settings(request)?;
    let source = read_source(Path::new(""), &request.data, &MissingTokens::new())?;
    let labelled = target::find(
        &source,
        &request.target,
        request.kind.as_deref(),
        request.positive.as_deref(),
    )?;
    let (features, excluded, findings) = features(request, &source, &labelled)?;
    let group = groups(request, &source, &labelled.known)?;
    Ok(Prepared {
        model,
        source,
        labelled,
        features,
        excluded,
        findings,
        group,
    })
}

fn settings(request: &FitRequest) -> Result<Model> {
    let mut model = match &request.config {
        None => Model::default(),
        Some(path) => parse_model(
            &path.display().to_string(),
            &crate::files::read_text(Path::new(""), &path.display().to_string())?,
        )?,
    };
    if let Some(name) = &request.learner {
        model.learner = LearnerChoice::from_name(name).ok_or_else(|| {
            Error::new("TW0109", format!("--learner {name} is no learner"))
                .hint("give auto, mlp, gbdt or logistic")
        })?;
    }
    if let Some(folds) = request.folds {
        model.folds = folds;
    }
    Ok(model)
}

fn train(
    set: &TrainingSet<'_>,
    model: &Model,
    (minutes, seed, repeatable): (Option<f64>, Seed, bool),
    progress: &dyn Progress,
) -> Result<OutcomeTraining> {
    let begun = Instant::now();
    let limit = minutes.map(|minutes| Duration::from_secs_f64((minutes * 60.0).clamp(0.0, 1e9)));
    let started = std::sync::Once::new();
    let hooks = Hooks {
        progress: &|done, total| {
            started.call_once(|| progress.start("fit", Some(total)));
            progress.advance(done);
        },
        keep_going: &|| limit.is_none_or(|limit| begun.elapsed() < limit),
    };
    if let (LearnerChoice::One(Learner::Onnx), Some(onnx)) = (model.learner, &model.onnx) {
        return foreign::train(onnx, Path::new(""), set, &model.params(0, seed));
    }
    let params = crate::secret::add_key(model.params(0, seed), repeatable)?;
    let training = thalweg_learn::outcome::train_with(set, &params, &hooks);
    progress.finish();
    training
}

/// What the model may see, what was left out and why, and what is suspicious about the rest.
fn features(
    request: &FitRequest,
    source: &Table,
    labelled: &Labelled,
) -> Result<(Table, Vec<DroppedOut>, Vec<Finding>)> {
    for name in request.exclude.iter().chain(&request.fairness.columns) {
        if source.column(name).is_none() {
            return Err(target::no_column(source, name, "--exclude or --fairness"));
        }
    }
    let is_role = |name: &str| name == request.target || Some(name) == request.key.as_deref();
    let given = source.without(|name| is_role(name) || request.exclude.iter().any(|own| own == name));
    let given = request.fairness.visible(&given).take(&labelled.known);
    let findings = scan(&given, labelled)?;
    let useless: BTreeSet<&str> = findings
        .iter()
        .filter(|finding| matches!(finding.kind, FindingKind::Constant | FindingKind::KeyLike { .. }))
        .map(|finding| finding.column.as_str())
        .collect();
    let kept = given.without(|name| useless.contains(name));
    let excluded = findings
        .iter()
        .filter(|finding| useless.contains(finding.column.as_str()));
    let excluded = excluded.map(|finding| DroppedOut {
        column: finding.column.clone(),
        reason: finding.detail.clone(),
    });
    Ok((
        kept,
        excluded.collect(),
        findings.iter().filter(|own| own.is_leak()).cloned().collect(),
    ))
}

/// Leaks, keys and constants. With several classes a leak is one that gives a whole class away.
fn scan(table: &Table, labelled: &Labelled) -> Result<Vec<Finding>> {
    let mut findings = leakage::scan_columns(table);
    for one_against_rest in labelled.one_against_rest() {
        let rare = one_against_rest.iter().filter(|own| **own).count();
        let leaks = leakage::scan(table, &one_against_rest)?
            .into_iter()
            .filter(|finding| match &finding.kind {
                FindingKind::LeakByOrder { .. } => true,
                FindingKind::LeakByLevel { rows, .. } => {
                    !labelled.has_several_classes() || *rows * 2 >= rare as u64
                }
                FindingKind::KeyLike { .. } | FindingKind::Constant => false,
            });
        for leak in leaks {
            if !findings.iter().any(|own| own.column == leak.column) {
                findings.push(leak);
            }
        }
    }
    Ok(findings)
}

fn leakage_check(leaks: &[Finding]) -> Check {
    let mut check = leakage::leakage_check(leaks);
    if !leaks.is_empty() {
        let names: Vec<String> = leaks
            .iter()
            .map(|leak| format!("--exclude \"{}\"", leak.column))
            .collect();
        check.advice = Some(format!(
            "{}, unless it is known before the target",
            names.join(" ")
        ));
    }
    check
}

/// Whose row each is.
fn groups(request: &FitRequest, source: &Table, known: &[usize]) -> Result<Vec<u64>> {
    let Some(key) = &request.key else {
        return Ok((0..known.len() as u64).collect());
    };
    let column = source
        .column(key)
        .ok_or_else(|| target::no_column(source, key, "--key"))?;
    let owner = |row: &usize| {
        let text = column.cell_text(*row);
        if text.is_empty() {
            return Err(Error::new("TW0204", format!("the key \"{key}\" is empty"))
                .hint("fill the cell or leave --key away")
                .at(&request.data, Some(*row as u64 + 2), Some(key)));
        }
        Ok(group_of(&text))
    };
    known.iter().map(owner).collect()
}

fn importance(training: &OutcomeTraining) -> Vec<(String, f64)> {
    let found = training.model.importance();
    let total: f64 = found.iter().map(|(_, share)| share).sum();
    found
        .iter()
        .map(|(name, share)| (name.clone(), share / total.max(1e-12)))
        .collect()
}

fn describe(
    request: &FitRequest,
    (source, labelled): (&Table, &Labelled),
    excluded: Vec<DroppedOut>,
    evaluation: EvaluationOut,
) -> FitOut {
    let mut warnings = labelled.notes.clone();
    let unlabelled = source.n_rows() - labelled.known.len();
    if unlabelled > 0 {
        warnings.push(format!("{unlabelled} rows without a target were left out"));
    }
    if evaluation.search.stopped == "time_up" {
        warnings.push(format!(
            "the time was up after round {}: [model] rounds = {} gives the same result again",
            evaluation.search.rounds, evaluation.search.rounds
        ));
    }
    FitOut {
        data: request.data.clone(),
        target: request.target.clone(),
        excluded,
        warnings,
        out: request.out.as_ref().map(|path| path.display().to_string()),
        evaluation,
    }
}
