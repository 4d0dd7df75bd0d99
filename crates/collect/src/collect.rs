//! The stage: read, check roles, run SQL, and hand over one table of customers.

use std::collections::BTreeMap;

use thalweg_domain::{Column, Result, Table};

use crate::collected::{Collected, Note, NoteKind, Unusable, unusable};
use crate::features::{self, FeatureInput};
use crate::fingerprint::Fingerprint;
use crate::infer::Reading;
use crate::near::{names, unknown_column};
use crate::roles::{clusters, flag, keys, target};
use crate::source::{ReadParams, Source, check_tokens, load};
use crate::spec::CollectSpec;
use crate::sql::{Evaluated, evaluate};

mod events;

pub(crate) use events::load_events;

/// Reads every source of the specification and resolves its roles.
///
/// # Errors
/// Codes `TW0201` to `TW0227` and `TW0230`: a source that cannot be read, a cell, row or column that does not fit, a target that
/// cannot be learned, SQL that cannot be run. Nothing is written.
pub fn collect(spec: &CollectSpec) -> Result<Collected> {
    match &spec.panel {
        Some(panel) => crate::panel::collect(spec, panel),
        None => snapshot(spec),
    }
}

/// One row per customer of the source.
fn snapshot(spec: &CollectSpec) -> Result<Collected> {
    let mut fingerprint = Fingerprint::new();
    if let Some(sql) = &spec.features_sql {
        fingerprint.add(&sql.name, sql.text.as_bytes());
    }
    let source = load_customers(spec, &mut fingerprint)?;
    let events = load_events(spec, spec.cutoff, &mut fingerprint)?;
    let tables: Vec<_> = std::iter::once(&source.table).chain(events.tables()).collect();
    check_tokens(&spec.missing, &tables, spec.source_name())?;

    let keys = keys(&source, spec.key.as_deref())?;
    let cluster = spec.cluster.as_deref().map(|name| clusters(&source, name, &keys));
    let mut notes = events.notes;
    notes.extend(nested(&source));
    let flags = flags(&source, spec, &mut notes)?;
    let target = resolve_target(&source, spec, &mut notes)?;
    let input = FeatureInput {
        spec,
        customers: &source.table,
        keys: &keys,
        events: events.table.as_ref(),
        cutoff: spec.cutoff,
    };
    let features = features::features(&input, &mut notes)?;
    let (expressions, conditions) = evaluated(&source.table, spec, &keys, &mut notes)?;
    let raw = with_rfm(source.table, events.table.as_ref(), spec, &keys)?;
    Ok(Collected {
        keys,
        cluster,
        features,
        raw,
        target,
        panel: None,
        expressions,
        conditions,
        flags,
        notes,
        source_hash: fingerprint.finish(),
    })
}

/// The customers' columns with recency, frequency and monetary value, if there are events to join.
fn with_rfm(source: Table, events: Option<&Table>, spec: &CollectSpec, keys: &[String]) -> Result<Table> {
    let (Some(events), Some(first), true) = (events, spec.events.first(), spec.key.is_some()) else {
        return Ok(source);
    };
    let taken = |name: &str| source.column(name).is_some();
    let more = crate::rfm::columns((events, first), keys, spec.cutoff, taken);
    Table::new(source.columns().iter().cloned().chain(more).collect())
}

/// A note for each column that no table can hold.
pub(crate) fn nested(source: &Source) -> impl Iterator<Item = Note> + '_ {
    source.nested.iter().map(|name| {
        Note::new(
            NoteKind::Dropped,
            name,
            source.table.n_rows(),
            "holds lists, records or another type that a table cannot; left out",
        )
    })
}

type Results = (BTreeMap<String, Vec<f64>>, BTreeMap<String, Vec<bool>>);

/// The expressions and conditions over the rows of a table.
pub(crate) fn evaluated(
    rows: &Table,
    spec: &CollectSpec,
    keys: &[String],
    notes: &mut Vec<Note>,
) -> Result<Results> {
    let Evaluated {
        expressions,
        conditions,
    } = evaluate(rows, spec)?;
    check_finite(&expressions, keys, notes)?;
    Ok((expressions, decided(conditions, notes)))
}

pub(crate) fn load_customers(spec: &CollectSpec, fingerprint: &mut Fingerprint) -> Result<Source> {
    let mut readings = BTreeMap::new();
    if let Some(cluster) = &spec.cluster {
        readings.insert(cluster.as_str(), Reading::Cluster);
    }
    if let Some(key) = &spec.key {
        readings.insert(key.as_str(), Reading::Key);
    }
    let params = ReadParams {
        base: &spec.base,
        pattern: spec.source_name(),
        missing: &spec.missing,
        readings,
    };
    load(&params, fingerprint)
}

fn role_column<'a>(source: &'a Source, role: &str, name: &str, spec: &CollectSpec) -> Result<&'a Column> {
    source
        .table
        .column(name)
        .ok_or_else(|| unknown_column(role, name, &names(&source.table), spec.source_name()))
}

pub(crate) fn flags(
    source: &Source,
    spec: &CollectSpec,
    notes: &mut Vec<Note>,
) -> Result<BTreeMap<String, Vec<bool>>> {
    let mut flags = BTreeMap::new();
    for name in &spec.flags {
        let (values, n_missing) = flag(source, role_column(source, "consent", name, spec)?)?;
        if n_missing > 0 {
            notes.push(Note::new(
                NoteKind::Assumed,
                name,
                n_missing,
                "consent is missing; counted as no",
            ));
        }
        flags.insert(name.clone(), values);
    }
    Ok(flags)
}

fn resolve_target(
    source: &Source,
    spec: &CollectSpec,
    notes: &mut Vec<Note>,
) -> Result<Option<Vec<Option<bool>>>> {
    let Some(wanted) = &spec.target else {
        return Ok(None);
    };
    let column = role_column(source, "the column of [outcome]", &wanted.column, spec)?;
    let (values, note) = target(column, wanted, spec.source_name())?;
    notes.extend(note);
    Ok(Some(values))
}

/// Infinite results are refused, missing ones are noted.
fn check_finite(
    expressions: &BTreeMap<String, Vec<f64>>,
    keys: &[String],
    notes: &mut Vec<Note>,
) -> Result<()> {
    for (name, values) in expressions {
        let mut infinite = keys.iter().zip(values).filter(|(_, value)| value.is_infinite());
        if let Some((key, value)) = infinite.next() {
            return Err(unusable(
                name,
                &Unusable {
                    key,
                    value: *value,
                    n: 1 + infinite.count(),
                },
            ));
        }
        let n_missing = values.iter().filter(|value| value.is_nan()).count();
        if n_missing > 0 {
            notes.push(Note::new(
                NoteKind::Missing,
                name,
                n_missing,
                "the expression's result is missing",
            ));
        }
    }
    Ok(())
}

fn decided(
    conditions: BTreeMap<String, Vec<Option<bool>>>,
    notes: &mut Vec<Note>,
) -> BTreeMap<String, Vec<bool>> {
    let mut decided = BTreeMap::new();
    for (name, cells) in conditions {
        let n_unknown = cells.iter().filter(|cell| cell.is_none()).count();
        if n_unknown > 0 {
            let text = "the condition is unknown because a cell is missing; counted as false";
            notes.push(Note::new(NoteKind::Assumed, &name, n_unknown, text));
        }
        decided.insert(
            name,
            cells.into_iter().map(|cell| cell.unwrap_or(false)).collect(),
        );
    }
    decided
}
