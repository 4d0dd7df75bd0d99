//! feedback: what did customers do? Events are loaded once, joined to decisions, and set aside when they cannot be true.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use thalweg_channels::{Event, parse_events};
use thalweg_domain::{CustomerKey, Error, Result, Stage, Timestamp};
use thalweg_ledger::{EventRow, EventState, FeedbackFile};

use crate::clock::format_time;
use crate::hash::content_id;
use crate::session::{Made, Session, StageKey};
use crate::wire::{FeedbackOut, SkippedOut};

/// Loads a file of events. All of it or, after an error, nothing.
pub(crate) fn feedback(
    session: &Session,
    path: &Path,
    complete_until: Option<Timestamp>,
) -> Result<FeedbackOut> {
    let name = path.display().to_string();
    let events = read(&name, path)?;
    let newest = events.iter().map(|event| event.occurred_at).max();
    let mut warnings = Vec::new();
    let until = complete_until.or(newest).ok_or_else(|| empty(&name))?;
    if complete_until.is_none() {
        warnings.push(format!(
            "the file is taken as complete until its newest event, {}; say so with --complete-until",
            format_time(until)
        ));
    }
    let known = Known::of(session)?;
    let rows: Vec<EventRow> = events.iter().map(|event| known.row(session, event)).collect();
    warnings.extend(strangers(&known, &rows));
    let bytes = std::fs::read(path).map_err(|cause| unreadable(&name, cause))?;
    let file = FeedbackFile {
        file_hash: content_id("b", &bytes),
        name: name.clone(),
        complete_until: Some(until),
        loaded_at: session.options.as_of,
    };
    // what lies in the future is not kept, so that the same message can count once its time has come
    let kept: Vec<EventRow> = rows
        .iter()
        .filter(|row| row.reason.as_deref() != Some(FUTURE))
        .cloned()
        .collect();
    let inserted = session.ledger.insert_events(&file, &kept)?;
    let out = FeedbackOut {
        cycle: session.cycle()?,
        file: name,
        events: rows.len(),
        new: count(inserted.new),
        duplicates: count(inserted.duplicates),
        quarantined: by_reason(&rows),
        by_event: by_event(&rows),
        complete_until: format_time(session.ledger.complete_until()?.unwrap_or(until)),
        warnings,
    };
    record(session, &file, &out)?;
    Ok(out)
}

fn read(name: &str, path: &Path) -> Result<Vec<Event>> {
    let file = File::open(path).map_err(|cause| unreadable(name, cause))?;
    parse_events(name, BufReader::new(file)).collect()
}

fn unreadable(name: &str, cause: std::io::Error) -> Error {
    Error::new("TW0707", format!("\"{name}\" cannot be read"))
        .hint("check the path; it is relative to the current folder")
        .cause(cause)
}

fn empty(name: &str) -> Error {
    Error::new("TW0709", format!("\"{name}\" has no events"))
        .hint("if nothing happened, say until when that is known: --complete-until 2026-12-31")
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn record(session: &Session, file: &FeedbackFile, out: &FeedbackOut) -> Result<()> {
    let line = format!(
        "{} events, {} new, complete until {}",
        out.events, out.new, out.complete_until
    );
    session.audit("feedback", &format!("{}: {line}", file.file_hash))?;
    let made = Made {
        artifact: file.file_hash.clone(),
        result: out,
        line,
    };
    session.record_result(
        made,
        &StageKey {
            cycle: out.cycle,
            stage: Stage::Feedback,
            fingerprint: &file.file_hash,
        },
        0.0,
    )?;
    Ok(())
}

/// Why an event is left for later.
const FUTURE: &str = "it is in the future: load the file again when its time has come";

/// Who has been decided on, and when.
struct Known {
    first_decision: BTreeMap<CustomerKey, Timestamp>,
    decisions: BTreeSet<String>,
}

impl Known {
    fn of(session: &Session) -> Result<Self> {
        let mut known = Self {
            first_decision: BTreeMap::new(),
            decisions: BTreeSet::new(),
        };
        for plan in session.ledger.executed_plans()? {
            for decision in session.decisions(&plan.plan.plan_id)?.iter() {
                known
                    .first_decision
                    .entry(decision.customer.clone())
                    .or_insert(plan.plan.created_at);
                known.decisions.insert(decision.decision_id.clone());
            }
        }
        Ok(known)
    }

    /// The event as the ledger keeps it: ok, or quarantined with the reason.
    fn row(&self, session: &Session, event: &Event) -> EventRow {
        let reason = self.doubt(session, event);
        EventRow {
            message_id: event.message_id.clone(),
            kind: event.kind.as_str().to_owned(),
            event: event.name.clone(),
            user: event.user.clone(),
            occurred_at: event.occurred_at,
            decision_id: event.decision_id.clone(),
            properties: event.properties.clone(),
            state: if reason.is_some() {
                EventState::Quarantined
            } else {
                EventState::Ok
            },
            reason: reason.map(str::to_owned),
        }
    }

    /// Why an event cannot be what it says.
    fn doubt(&self, session: &Session, event: &Event) -> Option<&'static str> {
        if event.occurred_at > session.options.as_of {
            return Some(FUTURE);
        }
        if event
            .decision_id
            .as_ref()
            .is_some_and(|id| !self.decisions.contains(id))
        {
            return Some("it names a decision that was never made");
        }
        let outcome = event.name.as_deref() == Some(session.workspace.config.outcome.event.as_str());
        let first = self.first_decision.get(&event.user);
        if outcome && first.is_some_and(|first| event.occurred_at < *first) {
            return Some("the outcome came before the customer's first decision");
        }
        None
    }
}

fn strangers(known: &Known, rows: &[EventRow]) -> Option<String> {
    let strangers = rows
        .iter()
        .filter(|row| !known.first_decision.contains_key(&row.user))
        .count();
    (strangers > 0 && !known.first_decision.is_empty()).then(|| {
        format!("{strangers} events are about customers who have never been decided on; they are kept, and count for nothing")
    })
}

fn by_reason(rows: &[EventRow]) -> Vec<SkippedOut> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in rows.iter().filter_map(|row| row.reason.as_deref()) {
        *counts.entry(reason).or_default() += 1;
    }
    counts
        .into_iter()
        .map(|(reason, count)| SkippedOut {
            reason: reason.to_owned(),
            count,
        })
        .collect()
}

fn by_event(rows: &[EventRow]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for row in rows.iter().filter(|row| row.state == EventState::Ok) {
        *counts
            .entry(row.event.clone().unwrap_or_else(|| row.kind.clone()))
            .or_default() += 1;
    }
    counts
}
