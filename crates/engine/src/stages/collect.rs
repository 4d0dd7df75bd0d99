//! collect: what did we know about whom, when? Sources to one typed table, kept by the hash of its content.

use std::collections::BTreeMap;
use std::rc::Rc;

use thalweg_collect::{
    CollectSpec, Collected, EventSource, NoteKind, Panel, PanelSpec, Requirement, SqlFile, TargetSpec,
};
use thalweg_domain::{Error, Result, Stage, Timestamp};

use crate::artifacts;
use crate::clock::{format_time, start_of_day};
use crate::config::DecideOn;
use crate::hash::Fingerprint;
use crate::session::{Done, Made, Session};
use crate::wire::{DroppedOut, PanelOut, TableOut};

/// Name of the condition that says whom to decide on.
const DECIDE_ON: &str = "decide_on";
/// Name of the expression for the money at stake.
const VALUE: &str = "value";

/// Collects, or gives the stored table's description when sources and settings are the same.
pub(crate) fn ensure(session: &Session) -> Result<Done<TableOut>> {
    let spec = spec(session)?;
    let doing = session.doing("collecting");
    let sources = thalweg_collect::source_fingerprint(&spec).map_err(|error| error.doing(doing.clone()))?;
    let fingerprint = fingerprint(session, &spec, &sources);
    let exists = |id: &str| session.workspace.artifact("tables", id, "parquet").is_file();
    session.stage(Stage::Collect, &fingerprint, exists, || {
        collect(session, &spec).map_err(|error| error.doing(doing))
    })
}

fn collect(session: &Session, spec: &CollectSpec) -> Result<Made<TableOut>> {
    let collected = thalweg_collect::collect(spec)?;
    super::plan::market::column(session, &collected)?;
    collected.require(VALUE, Requirement::NonNegative)?;
    for (name, _) in spec.expressions.iter().filter(|(name, _)| name != VALUE) {
        collected.require(name, Requirement::NonNegative)?;
    }
    let id = format!("t-{}", thalweg_collect::content_hash(&collected));
    let out = describe(session, &id, &collected)?;
    thalweg_collect::write(&session.workspace.artifact("tables", &id, "parquet"), &collected)?;
    let empty: usize = out.missing.values().sum();
    let rows = match &out.panel {
        None => format!("{} rows", out.rows),
        Some(panel) => format!(
            "{} rows as of {} days back, {} as of now",
            out.labelled,
            panel.cutoffs.len(),
            out.to_decide
        ),
    };
    let line = format!("{rows}, {} columns, {empty} empty cells to impute", out.columns);
    Ok(Made {
        artifact: id,
        result: out,
        line,
    })
}

fn describe(session: &Session, id: &str, collected: &Collected) -> Result<TableOut> {
    let (decide, replayed) = to_decide(session, collected)?;
    let note = |kind: NoteKind| collected.notes.iter().filter(move |note| note.kind == kind);
    let mut missing = BTreeMap::new();
    for found in note(NoteKind::Missing) {
        let column = found.column.clone().unwrap_or_default();
        if collected.features.column(&column).is_some() {
            missing.insert(column, found.n_rows);
        }
    }
    let dropped = note(NoteKind::Dropped).map(|found| DroppedOut {
        column: found.column.clone().unwrap_or_default(),
        reason: found.text.clone(),
    });
    let said = note(NoteKind::Assumed)
        .chain(note(NoteKind::LeftOut))
        .map(|found| match found.n_rows {
            0 => found.text.clone(),
            rows => format!("{} (rows: {rows})", found.text),
        });
    let mut warnings: Vec<String> = said.collect();
    if session.workspace.config.customers.key.is_none() && collected.panel.is_none() {
        warnings.push(
            "no [customers] key: rows are numbered, so feedback and later files cannot be joined".to_owned(),
        );
    }
    if replayed {
        warnings.push(
            "every row has its outcome, so the snapshot is replayed: everyone is decided on, scored out of fold, and \
             assumed untreated so far"
                .to_owned(),
        );
    }
    Ok(TableOut {
        table: id.to_owned(),
        rows: collected.n_rows(),
        columns: collected.features.columns().len(),
        labelled: labelled(collected).len(),
        to_decide: decide.len(),
        replayed,
        panel: collected.panel.as_ref().map(panel_out),
        missing,
        dropped: dropped.collect(),
        warnings,
    })
}

fn panel_out(panel: &Panel) -> PanelOut {
    PanelOut {
        cutoffs: panel.cutoffs.iter().map(|moment| format_time(*moment)).collect(),
        horizon_days: panel.horizon.as_days(),
        decide_at: format_time(panel.decide_at),
    }
}

/// Loads a table by its id.
pub(crate) fn load(session: &Session, id: &str) -> Result<Rc<Collected>> {
    session.memo.tables.get(id, || {
        let path = session.workspace.artifact("tables", id, "parquet");
        artifacts::require(&path)?;
        thalweg_collect::read(&path)
    })
}

/// Rows whose outcome is known.
pub(crate) fn labelled(collected: &Collected) -> Vec<usize> {
    let known = |row: &usize| {
        collected
            .target
            .as_ref()
            .is_some_and(|target| target.get(*row).copied().flatten().is_some())
    };
    (0..collected.n_rows()).filter(known).collect()
}

/// Rows to decide on, and whether that replays a labelled snapshot.
pub(crate) fn to_decide(session: &Session, collected: &Collected) -> Result<(Vec<usize>, bool)> {
    // looks into the past are for learning alone
    let is_now = |row: &usize| {
        collected
            .panel
            .as_ref()
            .is_none_or(|panel| panel.period.get(*row).is_some_and(Option::is_none))
    };
    let all = || (0..collected.n_rows()).filter(is_now).collect::<Vec<_>>();
    let rows = match &session.workspace.config.customers.decide_on {
        DecideOn::All => return Ok((all(), false)),
        DecideOn::Where(condition) => {
            let holds = collected.conditions.get(DECIDE_ON).ok_or_else(|| {
                Error::new(
                    "TW0901",
                    "internal error: the condition decide_on was not collected",
                )
            })?;
            let rows: Vec<usize> = all()
                .into_iter()
                .filter(|row| holds.get(*row).copied().unwrap_or(false))
                .collect();
            if rows.is_empty() {
                return Err(Error::new(
                    "TW0111",
                    format!("no customer satisfies decide_on = \"{condition}\""),
                )
                .hint("mend the condition, or use decide_on = \"all\""));
            }
            rows
        }
        DecideOn::Auto => {
            let known = labelled(collected);
            if known.len() == collected.n_rows() {
                return Ok((all(), true));
            }
            all()
                .into_iter()
                .filter(|row| known.binary_search(row).is_err())
                .collect()
        }
    };
    Ok((rows, false))
}

/// The money at stake per row.
pub(crate) fn values(collected: &Collected) -> Result<&[f64]> {
    collected.require(VALUE, Requirement::NonNegative)
}

/// The cost per row of an offer when it is accepted.
pub(crate) fn offer_costs<'a>(collected: &'a Collected, offer: &str) -> Result<&'a [f64]> {
    collected.require(&format!("cost of {offer}"), Requirement::NonNegative)
}

fn spec(session: &Session) -> Result<CollectSpec> {
    let config = &session.workspace.config;
    let mut expressions = vec![(VALUE.to_owned(), config.outcome.value.clone())];
    for entry in &config.offers {
        expressions.push((format!("cost of {}", entry.offer.name), entry.cost.clone()));
    }
    let conditions = match &config.customers.decide_on {
        DecideOn::Where(condition) => vec![(DECIDE_ON.to_owned(), condition.clone())],
        DecideOn::Auto | DecideOn::All => Vec::new(),
    };
    let mut flags: Vec<String> = config
        .channels
        .iter()
        .filter_map(|entry| entry.consent.clone())
        .collect();
    flags.sort();
    flags.dedup();
    Ok(CollectSpec {
        key: config.customers.key.clone(),
        cluster: config.customers.cluster.clone(),
        exclude: config.features.exclude.clone(),
        missing: config.features.missing.clone(),
        features_sql: sql_file(session)?,
        cutoff: cutoff(session),
        events: config.events.iter().map(event_source).collect(),
        target: config.outcome.column.as_ref().map(|column| TargetSpec {
            column: column.clone(),
            positive: config.outcome.positive.clone(),
        }),
        panel: config.outcome.column.is_none().then(|| panel_spec(session)),
        source: config.customers.source.clone(),
        expressions,
        conditions,
        flags,
        ..CollectSpec::of(session.workspace.dir.clone(), String::new())
    })
}

/// How the outcome is learned from events.
fn panel_spec(session: &Session) -> PanelSpec {
    let config = &session.workspace.config;
    let named = config.events.iter().any(|events| events.name.is_some());
    PanelSpec {
        event: named.then(|| config.outcome.event.clone()),
        absent: config.outcome.absent,
        horizon: config.outcome.horizon,
        cutoffs: config.outcome.cutoffs.clone(),
        decide_at: session.options.as_of_given.then_some(session.options.as_of),
        since: config.customers.since.clone(),
    }
}

fn event_source(events: &crate::config::Events) -> EventSource {
    EventSource {
        source: events.source.clone(),
        key: events.key.clone(),
        time: events.time.clone(),
        name: events.name.clone(),
    }
}

fn sql_file(session: &Session) -> Result<Option<SqlFile>> {
    let Some(name) = &session.workspace.config.features.sql else {
        return Ok(None);
    };
    let text = crate::files::read_text(&session.workspace.dir, name)?;
    Ok(Some(SqlFile {
        name: name.clone(),
        text,
    }))
}

/// What feature SQL may see: everything before the given moment, or before today.
fn cutoff(session: &Session) -> Timestamp {
    let options = &session.options;
    if options.as_of_given {
        options.as_of
    } else {
        start_of_day(options.as_of)
    }
}

fn fingerprint(session: &Session, spec: &CollectSpec, sources: &str) -> String {
    let config = &session.workspace.config;
    let dated = ((spec.features_sql.is_some() || !spec.events.is_empty()) && spec.panel.is_none())
        .then_some(spec.cutoff);
    Fingerprint::new("collect")
        .with("sources", sources)
        .with_debug("customers", &config.customers)
        .with_debug("events", &config.events)
        .with_debug("features", &config.features)
        .with_debug("target", &spec.target)
        .with_debug("panel", &spec.panel)
        .with_debug("expressions", &spec.expressions)
        .with_debug("conditions", &spec.conditions)
        .with_debug("flags", &spec.flags)
        .with_debug("cutoff", &dated)
        .with_debug("market", &config.plan.market)
        .finish()
}
