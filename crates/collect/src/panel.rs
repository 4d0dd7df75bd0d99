//! Learning from events: each customer as of several moments in the past, with what happened in the horizon after each.
//!
//! Nothing at or after a cut-off reaches its features: the query sees only the events before it. Columns of the
//! customers' own file are taken as they are now at every cut-off, because a file does not say how it was; a note tells.

mod defaults;
mod moments;

use std::collections::BTreeMap;

use thalweg_domain::{Column, ColumnData, Error, Result, Table, Timestamp};

use crate::collect::{evaluated, flags, load_customers, load_events, nested};
use crate::collected::{Collected, Note, NoteKind, Panel};
use crate::features::{FeatureInput, joined, overridden, role_of, usable};
use crate::fingerprint::Fingerprint;
use crate::near::{names, quoted, unknown_column};
use crate::roles::{clusters, keys};
use crate::source::{Origin, Source, check_tokens};
use crate::spec::{CollectSpec, EventSource, PanelSpec, SqlFile};
use moments::Moments;

/// Collects the panel.
pub(crate) fn collect(spec: &CollectSpec, panel: &PanelSpec) -> Result<Collected> {
    let mut fingerprint = Fingerprint::new();
    if let Some(sql) = &spec.features_sql {
        fingerprint.add(&sql.name, sql.text.as_bytes());
    }
    let customers = match &spec.source {
        Some(_) => Some(load_customers(spec, &mut fingerprint)?),
        None => None,
    };
    let read = load_events(
        spec,
        panel.decide_at.unwrap_or(Timestamp(i64::MAX)),
        &mut fingerprint,
    )?;
    let events = Events::new(spec, read.table)?;
    let mut notes = read.notes;
    let spec = &keyed(spec, &events);
    let source = match customers {
        Some(source) => source,
        None => events.customers()?,
    };
    check_tokens(&spec.missing, &[&source.table, &events.table], spec.source_name())?;
    let keys = keys(&source, spec.key.as_deref())?;
    let moments = Moments::find(&events.times, panel, spec.source_name())?;
    let histories = events.histories(&keys, panel)?;
    notes.extend(nested(&source));
    notes.extend(as_they_are_now(spec, &source));
    let since = since(&source, panel, spec, &histories)?;
    let looks = looks(&moments, &since);
    let stacked = Stacked::new(spec, &source, &keys, &events, &looks, &mut notes)?;
    let target = stacked.target(&histories, panel, spec)?;
    let flags = flags(&stacked.source(), spec, &mut notes)?;
    let (expressions, conditions) = evaluated(&stacked.raw, spec, &stacked.keys, &mut notes)?;
    let candidates = stacked.raw.without(|name| role_of(name, spec).is_some());
    let features = usable(candidates.columns().to_vec(), &stacked.raw, spec, &mut notes)?;
    let raw = stacked.with_rfm(spec, &events, moments.decide_at)?;
    Ok(Collected {
        cluster: spec
            .cluster
            .as_deref()
            .map(|name| clusters(&stacked.source(), name, &stacked.keys)),
        features,
        target: Some(target),
        panel: Some(Panel {
            cutoffs: moments.cutoffs,
            horizon: panel.horizon,
            decide_at: moments.decide_at,
            period: stacked.period,
        }),
        keys: stacked.keys,
        raw,
        expressions,
        conditions,
        flags,
        notes,
        source_hash: fingerprint.finish(),
    })
}

/// The specification with the events' key where the customers have no file.
fn keyed(spec: &CollectSpec, events: &Events<'_>) -> CollectSpec {
    let mut spec = spec.clone();
    if spec.source.is_none() {
        spec.key = Some(events.first.key.clone());
    }
    spec
}

fn as_they_are_now(spec: &CollectSpec, source: &Source) -> Option<Note> {
    let own = source
        .table
        .columns()
        .iter()
        .filter(|column| role_of(&column.name, spec).is_none() && !spec.exclude.contains(&column.name))
        .count();
    (spec.source.is_some() && own > 0).then(|| Note {
        kind: NoteKind::Assumed,
        column: None,
        n_rows: 0,
        text: format!(
            "{own} columns of \"{}\" are taken as they are now at every cut-off; what changes with time belongs into \
             events, or under [features] exclude",
            spec.source_name()
        ),
    })
}

/// The events of all sources, with the places of their roles.
struct Events<'a> {
    first: &'a EventSource,
    table: Table,
    /// One per row.
    times: Vec<i64>,
}

/// What one customer did: all moments, and those of the outcome's event, each rising.
#[derive(Default)]
struct History {
    all: Vec<i64>,
    outcome: Vec<i64>,
}

impl<'a> Events<'a> {
    fn new(spec: &'a CollectSpec, table: Option<Table>) -> Result<Self> {
        let (Some(first), Some(table)) = (spec.events.first(), table) else {
            return Err(Error::new(
                "TW0901",
                "internal error: a panel is collected without event sources",
            ));
        };
        let times = match table.column(&first.time).map(|column| &column.data) {
            Some(ColumnData::Date(times)) => times.iter().map(|time| time.unwrap_or(i64::MAX)).collect(),
            _ => Vec::new(),
        };
        Ok(Self { first, table, times })
    }

    fn texts(&self, name: &str) -> Vec<String> {
        self.table.column(name).map_or_else(Vec::new, |column| {
            (0..column.len()).map(|row| column.cell_text(row)).collect()
        })
    }

    /// Everybody who has an event.
    fn customers(&self) -> Result<Source> {
        let mut keys = self.texts(&self.first.key);
        keys.retain(|key| !key.is_empty());
        keys.sort();
        keys.dedup();
        let n_rows = keys.len();
        let column = Column {
            name: self.first.key.clone(),
            data: ColumnData::Text(keys.into_iter().map(Some).collect()),
        };
        let mut origin = Origin::default();
        origin.push(self.first.source.clone(), n_rows, Vec::new());
        Ok(Source {
            table: Table::new(vec![column])?,
            origin,
            nested: Vec::new(),
        })
    }

    /// The events before a moment.
    fn before(&self, moment: Timestamp) -> Table {
        let rows: Vec<usize> = (0..)
            .zip(&self.times)
            .filter(|(_, time)| **time < moment.0)
            .map(|(row, _)| row)
            .collect();
        self.table.take(&rows)
    }

    /// One per customer, in the order of `keys`.
    fn histories(&self, keys: &[String], panel: &PanelSpec) -> Result<Vec<History>> {
        let index: BTreeMap<&str, usize> = keys
            .iter()
            .enumerate()
            .map(|(at, key)| (key.as_str(), at))
            .collect();
        let counts = self.counted(panel)?;
        let mut histories: Vec<History> = keys.iter().map(|_| History::default()).collect();
        let owners = self.texts(&self.first.key);
        for ((owner, time), counts) in owners.iter().zip(&self.times).zip(counts) {
            let Some(history) = index.get(owner.as_str()).and_then(|at| histories.get_mut(*at)) else {
                continue;
            };
            history.all.push(*time);
            if counts {
                history.outcome.push(*time);
            }
        }
        for history in &mut histories {
            history.all.sort_unstable();
            history.outcome.sort_unstable();
        }
        Ok(histories)
    }

    /// Whether each event is the outcome's.
    fn counted(&self, panel: &PanelSpec) -> Result<Vec<bool>> {
        let (Some(event), Some(name)) = (&panel.event, &self.first.name) else {
            return Ok(vec![true; self.table.n_rows()]);
        };
        let texts = self.texts(name);
        let counts: Vec<bool> = texts.iter().map(|text| text == event).collect();
        if counts.iter().any(|counts| *counts) {
            return Ok(counts);
        }
        let mut known = texts;
        known.sort();
        known.dedup();
        known.truncate(12);
        Err(Error::new(
            "TW0241",
            format!("no event is called \"{event}\" ([outcome] event)"),
        )
        .hint(format!("the events are {}", quoted(&known, ", ")))
        .at(&self.first.source, None, Some(name)))
    }
}

/// Since when each customer is one; `i64::MAX` when that is not known.
fn since(source: &Source, panel: &PanelSpec, spec: &CollectSpec, histories: &[History]) -> Result<Vec<i64>> {
    let Some(name) = &panel.since else {
        let first = |history: &History| history.all.first().copied().unwrap_or(i64::MAX);
        return Ok(histories.iter().map(first).collect());
    };
    let column = source.table.column(name).ok_or_else(|| {
        unknown_column(
            "[customers] since",
            name,
            &names(&source.table),
            spec.source_name(),
        )
    })?;
    match &column.data {
        ColumnData::Date(cells) => Ok(cells.iter().map(|cell| cell.unwrap_or(i64::MAX)).collect()),
        _ => Err(Error::new(
            "TW0243",
            format!("[customers] since names \"{name}\", which is of kind {}, not a date", column.kind().as_str()),
        )
        .hint("name the column that says when a customer joined, with dates such as 2026-01-31; without it the first event counts")
        .at(spec.source_name(), None, Some(name))),
    }
}

/// One moment at which customers are looked at: which rows of the source, and as which period.
struct Look {
    moment: Timestamp,
    period: Option<u32>,
    rows: Vec<usize>,
}

/// Every cut-off and the moment of decision, each with the customers of the time.
fn looks(moments: &Moments, since: &[i64]) -> Vec<Look> {
    let periods = (0..).map(Some).zip(&moments.cutoffs);
    periods
        .chain([(None, &moments.decide_at)])
        .map(|(period, moment)| Look {
            moment: *moment,
            period,
            rows: (0..since.len())
                .filter(|row| since.get(*row).is_some_and(|since| *since < moment.0))
                .collect(),
        })
        .collect()
}

/// All looks, one under the other.
struct Stacked {
    keys: Vec<String>,
    /// The customers' row of each.
    customer: Vec<usize>,
    moment: Vec<Timestamp>,
    period: Vec<Option<u32>>,
    /// Columns of the customers and of the query.
    raw: Table,
}

impl Stacked {
    fn new(
        spec: &CollectSpec,
        source: &Source,
        keys: &[String],
        events: &Events<'_>,
        looks: &[Look],
        notes: &mut Vec<Note>,
    ) -> Result<Self> {
        let sql = spec.features_sql.clone().unwrap_or_else(|| SqlFile {
            name: "the built-in features".to_owned(),
            text: defaults::query(&events.table, events.first),
        });
        let mut stacked: Option<Self> = None;
        for look in looks.iter().filter(|look| !look.rows.is_empty()) {
            let customers = source.table.take(&look.rows);
            let own: Vec<String> = look
                .rows
                .iter()
                .filter_map(|row| keys.get(*row).cloned())
                .collect();
            let before = events.before(look.moment);
            let input = FeatureInput {
                spec,
                customers: &customers,
                keys: &own,
                events: Some(&before),
                cutoff: look.moment,
            };
            // strangers are noted once, as of the decision
            let mut own_notes = Vec::new();
            let queried = joined(&input, &sql, &mut own_notes)?;
            if look.period.is_none() {
                notes.extend(own_notes);
            }
            let part = Self {
                customer: look.rows.clone(),
                moment: vec![look.moment; own.len()],
                period: vec![look.period; own.len()],
                raw: Table::new(overridden(&customers, queried, spec))?,
                keys: own,
            };
            stacked = Some(match stacked {
                None => part,
                Some(above) => above.and(part)?,
            });
        }
        stacked.ok_or_else(|| {
            Error::new("TW0240", "no customer has an event before any cut-off")
                .hint("check that [customers] key and [[events]] key hold the same keys")
        })
    }

    fn and(mut self, below: Self) -> Result<Self> {
        self.raw = self.raw.stack(&below.raw)?;
        self.keys.extend(below.keys);
        self.customer.extend(below.customer);
        self.moment.extend(below.moment);
        self.period.extend(below.period);
        Ok(self)
    }

    /// All columns, with recency, frequency and monetary value as of the decision where `features.sql` took the place of the
    /// built-in features, which have them.
    fn with_rfm(&self, spec: &CollectSpec, events: &Events<'_>, decide_at: Timestamp) -> Result<Table> {
        if spec.features_sql.is_none() {
            return Ok(self.raw.clone());
        }
        let taken = |name: &str| self.raw.column(name).is_some();
        let mut more = crate::rfm::columns((&events.table, events.first), &self.keys, decide_at, taken);
        for column in &mut more {
            if let ColumnData::Number(cells) = &mut column.data {
                let past = cells
                    .iter_mut()
                    .zip(&self.period)
                    .filter(|(_, period)| period.is_some());
                past.for_each(|(cell, _)| *cell = f64::NAN);
            }
        }
        Table::new(self.raw.columns().iter().cloned().chain(more).collect())
    }

    /// The rows as a source, for roles that read one.
    fn source(&self) -> Source {
        let mut origin = Origin::default();
        origin.push("the panel".to_owned(), self.raw.n_rows(), Vec::new());
        Source {
            table: self.raw.clone(),
            origin,
            nested: Vec::new(),
        }
    }

    /// Whether the outcome came in the horizon after each row's moment; `None` for those to decide on.
    fn target(
        &self,
        histories: &[History],
        panel: &PanelSpec,
        spec: &CollectSpec,
    ) -> Result<Vec<Option<bool>>> {
        let looked = self.customer.iter().zip(&self.moment).zip(&self.period);
        let target: Vec<Option<bool>> = looked
            .map(|((customer, moment), period)| {
                let events = histories
                    .get(*customer)
                    .map_or(&[][..], |history| &history.outcome);
                let next = events.get(events.partition_point(|time| *time < moment.0));
                let came = next.is_some_and(|time| *time < (*moment + panel.horizon).0);
                period.map(|_| came != panel.absent)
            })
            .collect();
        let known: Vec<bool> = target.iter().flatten().copied().collect();
        match known.first() {
            Some(first) if known.iter().all(|own| own == first) => Err(Error::new(
                "TW0212",
                format!(
                    "the outcome {} within {} days of {} of the {} rows of the past",
                    if *first { "came" } else { "did not come" },
                    panel.horizon.as_days(),
                    if known.len() == 1 { "the one" } else { "all" },
                    known.len()
                ),
            )
            .hint("check [outcome] event and horizon: there must be customers with and without the outcome")
            .at(spec.source_name(), None, None)),
            _ => Ok(target),
        }
    }
}
