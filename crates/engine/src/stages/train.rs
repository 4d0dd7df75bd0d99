//! train: who will leave (or buy)? The labelled history and the untreated part of mature decisions, one model.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use thalweg_collect::Collected;
use thalweg_domain::{Error, Result, Stage, Table};
use thalweg_learn::models::Learner;
use thalweg_learn::outcome::{Hooks, LearnerChoice, OutcomeParams, OutcomeTraining, TrainingSet};
use thalweg_learn::task::Target;
use thalweg_ledger::{DecisionRow, ModelRecord, PlanRow};

use super::collect;
use crate::config::{Model, OnnxFile};
use crate::experience::{self, PastCycle};
use crate::foreign;
use crate::hash::{Fingerprint, content_id};
use crate::session::{Done, Made, Options, Session, StageKey, to_json};
use crate::wire::TrainOut;

/// A decision to do nothing is never worth more than so many rows.
const MOST_WEIGHT: f64 = 20.0;
/// The period of decisions: after every look into the past.
const DECISIONS: u32 = u32::MAX;

/// The rows that the outcome model learns from.
pub(crate) struct TrainingRows {
    pub(crate) table: Table,
    pub(crate) target: Vec<bool>,
    pub(crate) weight: Vec<f64>,
    pub(crate) group: Vec<u64>,
    /// For each of the first rows its row in the collected table.
    pub(crate) history: Vec<usize>,
    /// Money at stake per row.
    pub(crate) value: Vec<f64>,
    /// The columns whose groups are compared, for the same rows.
    pub(crate) fair: Table,
    /// Which look into the past each row is, decisions after all of them; none for a labelled snapshot.
    pub(crate) period: Option<Vec<u32>>,
}

impl TrainingRows {
    pub(crate) fn set(&self) -> TrainingSet<'_> {
        TrainingSet {
            table: &self.table,
            target: Target::Binary(&self.target),
            weight: &self.weight,
            group: &self.group,
            period: self.period.as_deref(),
        }
    }

    /// Looks into the past, 0 for a labelled snapshot.
    fn periods(&self) -> usize {
        let latest = self.period.as_ref().and_then(|period| period.iter().max());
        latest.map_or(0, |latest| usize::try_from(*latest).unwrap_or(0) + 1)
    }

    fn effective(&self) -> f64 {
        let sum: f64 = self.weight.iter().sum();
        let squares: f64 = self.weight.iter().map(|weight| weight * weight).sum();
        sum * sum / squares
    }
}

/// Trains, or gives the stored model's description when nothing that it depends on has changed.
pub(crate) fn ensure(session: &Session, table_id: &str) -> Result<Done<TrainOut>> {
    let fingerprint = fingerprint(session, table_id)?;
    let exists = |id: &str| session.workspace.artifact("models", id, "json").is_file();
    session.stage(Stage::Train, &fingerprint, exists, || {
        train(session, table_id).map_err(|error| error.doing(session.doing("training")))
    })
}

fn train(session: &Session, table_id: &str) -> Result<Made<TrainOut>> {
    let collected = collect::load(session, table_id)?;
    let rows = rows(session, &collected)?;
    let config = &session.workspace.config.model;
    let params = config.params(rows.periods(), session.seed());
    let training = match foreign_file(config) {
        Some(onnx) => foreign::train(onnx, &session.workspace.dir, &rows.set(), &params)?,
        None => {
            let params = crate::secret::add_key(params, session.options.seed.is_some())?;
            fit(&rows.set(), &params, &session.options)?
        }
    };
    keep(session, &rows, &training)
}

/// The model trained elsewhere, if that is the learner.
fn foreign_file(config: &Model) -> Option<&OnnxFile> {
    let chosen = config.learner == LearnerChoice::One(Learner::Onnx);
    config.onnx.as_ref().filter(|_| chosen)
}

/// Trains with progress, for as long as the search may take.
pub(crate) fn fit(
    set: &TrainingSet<'_>,
    params: &OutcomeParams,
    options: &Options,
) -> Result<OutcomeTraining> {
    let progress = &options.progress;
    let started = std::sync::Once::new();
    let hooks = Hooks {
        progress: &|done, total| {
            started.call_once(|| progress.start("train", Some(total)));
            progress.advance(done);
        },
        keep_going: &|| true,
    };
    let training = thalweg_learn::outcome::train_with(set, params, &hooks);
    progress.finish();
    training
}

fn keep(session: &Session, rows: &TrainingRows, training: &OutcomeTraining) -> Result<Made<TrainOut>> {
    let json = training.to_json()?;
    let id = content_id("m", json.as_bytes());
    thalweg_collect::write_bytes_atomic(
        &session.workspace.artifact("models", &id, "json"),
        json.as_bytes(),
    )?;
    let total: f64 = training.model.importance().iter().map(|(_, share)| share).sum();
    let importance = training
        .model
        .importance()
        .iter()
        .map(|(name, share)| (name.clone(), share / total.max(1e-12)));
    let out = TrainOut {
        model: id.clone(),
        learner: training.learner.as_str().to_owned(),
        rows: rows.target.len(),
        effective_rows: rows.effective(),
        rows_from_decisions: rows.target.len() - rows.history.len(),
        importance: importance.collect(),
    };
    session.ledger.record_model(&ModelRecord {
        model_hash: id.clone(),
        cycle: session.cycle()?,
        learner: out.learner.clone(),
        recorded_at: session.options.as_of,
        payload: to_json(&out)?,
    })?;
    let rolling = training.rolling.as_ref().map(|rolling| &rolling.candidates);
    let learners = rolling.unwrap_or(&training.candidates).len();
    let tried = match learners {
        0 => "a model trained elsewhere".to_owned(),
        1 => "1 learner".to_owned(),
        _ => format!("{learners} learners, {} kept", out.learner),
    };
    let line = format!(
        "{tried}, {} folds, {} rows",
        session.workspace.config.model.folds, out.rows
    );
    Ok(Made {
        artifact: id,
        result: out,
        line,
    })
}

/// Keeps a changed training as the model of the open cycle.
pub(crate) fn put_in_place(session: &Session, training: &OutcomeTraining) -> Result<String> {
    let (_, table) = session.collect()?;
    let collected = collect::load(session, &table.table)?;
    let rows = rows_of(session, &collected, training)?;
    let made = keep(session, &rows, training)?;
    let id = made.artifact.clone();
    let fingerprint = fingerprint(session, &table.table)?;
    session.record_result(
        Made {
            line: "a compressed model took the place".to_owned(),
            ..made
        },
        &StageKey {
            cycle: session.cycle()?,
            stage: Stage::Train,
            fingerprint: &fingerprint,
        },
        0.0,
    )?;
    Ok(id)
}

/// Puts an earlier model back in its place for the open cycle: the retrained one was clearly worse on the same table.
pub(crate) fn keep_champion(session: &Session, champion: &str) -> Result<()> {
    let cycle = session.cycle()?;
    let Some(latest) = session.ledger.latest_stage(cycle, Stage::Train)? else {
        return Ok(());
    };
    let Some(kept) = session.ledger.model(champion)? else {
        return Ok(());
    };
    let out: TrainOut = serde_json::from_str(&kept.model.payload).map_err(|cause| {
        Error::new("TW0901", "internal error: a model's description is not JSON").cause(cause)
    })?;
    session.record_result(
        Made {
            artifact: champion.to_owned(),
            result: out,
            line: "the model in use was kept".to_owned(),
        },
        &StageKey {
            cycle,
            stage: Stage::Train,
            fingerprint: &latest.fingerprint,
        },
        0.0,
    )?;
    Ok(())
}

/// The rows that a training was made from: a model that was kept has not seen the latest ones.
pub(crate) fn rows_of(
    session: &Session,
    collected: &Collected,
    training: &OutcomeTraining,
) -> Result<TrainingRows> {
    let mut rows = rows(session, collected)?;
    let n = training.out_of_fold.len();
    if n < rows.target.len() {
        rows.table = rows.table.take(&(0..n).collect::<Vec<_>>());
        rows.target.truncate(n);
        rows.weight.truncate(n);
        rows.group.truncate(n);
        rows.value.truncate(n);
        rows.fair = rows.fair.take(&(0..n).collect::<Vec<_>>());
        if let Some(period) = &mut rows.period {
            period.truncate(n);
        }
    }
    Ok(rows)
}

/// Loads a training by its model's id.
pub(crate) fn load(session: &Session, id: &str) -> Result<Rc<OutcomeTraining>> {
    let read = || {
        let path = session.workspace.artifact("models", id, "json");
        let mut training = OutcomeTraining::from_json(&crate::artifacts::read(&path)?)?;
        foreign::attach(&mut training.model)?;
        Ok(training)
    };
    session.memo.trainings.get(id, read)
}

/// The labelled rows of the table, then the untreated part of closed cycles' decisions.
pub(crate) fn rows(session: &Session, collected: &Collected) -> Result<TrainingRows> {
    let closed = experience::closed_plans(session)?;
    let history = untouched(collected, collect::labelled(collected), &closed);
    let value = collect::values(collected)?;
    let known = |row: &usize| {
        collected
            .target
            .as_ref()
            .and_then(|target| target.get(*row).copied().flatten())
    };
    let key = |row: &usize| collected.keys.get(*row).map_or(0, |key| group_of(key));
    let fairness = &session.workspace.config.fairness;
    let mut rows = TrainingRows {
        table: fairness.visible(&collected.features).take(&history),
        fair: fairness.compared(&collected.raw).take(&history),
        target: history.iter().filter_map(known).collect(),
        weight: vec![1.0; history.len()],
        group: history.iter().map(key).collect(),
        value: history
            .iter()
            .filter_map(|row| value.get(*row).copied())
            .collect(),
        period: collected.panel.as_ref().map(|panel| {
            let own = |row: &usize| panel.period.get(*row).copied().flatten();
            history.iter().filter_map(own).collect()
        }),
        history,
    };
    for past in experience::join(session, closed)? {
        add(session, &mut rows, &past)?;
    }
    if let Some(period) = &mut rows.period {
        number_densely(period);
    }
    Ok(rows)
}

/// Looks into the past whose outcome was complete before anything was carried out: later ones were acted on, and the
/// part of them that was left alone comes back as decisions.
fn untouched(collected: &Collected, history: Vec<usize>, plans: &[PlanRow]) -> Vec<usize> {
    let (Some(panel), Some(first)) = (
        &collected.panel,
        plans.iter().map(|plan| plan.plan.created_at).min(),
    ) else {
        return history;
    };
    let ends = |row: &usize| {
        let period = panel.period.get(*row).copied().flatten()?;
        Some(*panel.cutoffs.get(usize::try_from(period).ok()?)? + panel.horizon)
    };
    history
        .into_iter()
        .filter(|row| ends(row).is_none_or(|end| end <= first))
        .collect()
}

/// Adds the decisions to do nothing, with the features that they were made on, weighted by 1 / P(nothing).
fn add(session: &Session, rows: &mut TrainingRows, past: &PastCycle) -> Result<()> {
    let table = collect::load(session, &past.plan.plan.data_hash)?;
    let untreated: Vec<(&DecisionRow, bool)> = past
        .decisions
        .iter()
        .zip(past.outcome.iter().copied())
        .filter(|(decision, _)| experience::is_untreated(decision))
        .collect();
    let picked: Vec<usize> = untreated
        .iter()
        .filter_map(|(decision, _)| usize::try_from(decision.row).ok())
        .collect();
    let fairness = &session.workspace.config.fairness;
    rows.table = rows.table.stack(&table.features.take(&picked))?;
    rows.fair = rows.fair.stack(&fairness.compared(&table.raw).take(&picked))?;
    for (decision, outcome) in untreated {
        if let Some(period) = &mut rows.period {
            period.push(DECISIONS);
        }
        rows.target.push(outcome);
        rows.weight
            .push((1.0 / decision.propensity_none).min(MOST_WEIGHT));
        rows.group.push(group_of(decision.customer.reveal()));
        rows.value.push(decision.value);
    }
    Ok(())
}

/// Periods by rank, without gaps.
fn number_densely(period: &mut [u32]) {
    let used: BTreeSet<u32> = period.iter().copied().collect();
    let rank: BTreeMap<u32, u32> = used.into_iter().zip(0..).collect();
    for own in period {
        *own = rank.get(own).copied().unwrap_or_default();
    }
}

/// A number for a customer, the same wherever the customer appears.
pub(crate) fn group_of(key: &str) -> u64 {
    let hash = blake3::hash(key.as_bytes());
    let mut bytes = [0_u8; 8];
    bytes
        .iter_mut()
        .zip(hash.as_bytes())
        .for_each(|(to, from)| *to = *from);
    u64::from_le_bytes(bytes)
}

fn fingerprint(session: &Session, table_id: &str) -> Result<String> {
    let config = &session.workspace.config;
    let plans: Vec<String> = experience::closed_plans(session)?
        .into_iter()
        .map(|plan| plan.plan.plan_id)
        .collect();
    let feedback = if plans.is_empty() {
        None
    } else {
        session.ledger.complete_until()?
    };
    let file = foreign_file(&config.model)
        .map(|onnx| foreign::read(onnx, &session.workspace.dir))
        .transpose()?;
    Ok(Fingerprint::new("train")
        .with("table", table_id)
        .with_debug("model", &config.model)
        .with_debug("fairness", &config.fairness)
        .with_debug("outcome", &config.outcome)
        .with_debug("seed", &session.seed())
        .with_debug("decisions", &plans)
        .with_debug("feedback", &feedback)
        .with_debug("onnx", &file.map(|bytes| content_id("o", &bytes)))
        .finish())
}
