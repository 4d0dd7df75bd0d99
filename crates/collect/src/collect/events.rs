//! Events: every source in one table, as of the cut-off.

use std::collections::BTreeMap;

use thalweg_domain::{Column, ColumnData, ColumnKind, Error, MISSING_LEVEL, Result, Table, Timestamp};

use crate::collected::{Note, NoteKind};
use crate::fingerprint::Fingerprint;
use crate::infer::{Reading, words_column};
use crate::source::{ReadParams, load};
use crate::spec::{CollectSpec, EventSource};

/// The events before the cut-off.
#[derive(Default)]
pub(crate) struct Events {
    /// Absent when there are no event sources.
    pub(crate) table: Option<Table>,
    pub(crate) notes: Vec<Note>,
}

impl Events {
    pub(crate) fn tables(&self) -> impl Iterator<Item = &Table> {
        self.table.iter()
    }
}

/// Reads all event sources. Key, time and name columns take the names that the first source gives them; a further
/// column that has different kinds in different sources becomes words.
/// Events at or after `until` are left out.
pub(crate) fn load_events(
    spec: &CollectSpec,
    until: Timestamp,
    fingerprint: &mut Fingerprint,
) -> Result<Events> {
    let Some(first) = spec.events.first() else {
        return Ok(Events::default());
    };
    let mut tables = Vec::new();
    let mut notes = Vec::new();
    for event in &spec.events {
        let mut readings = BTreeMap::from([
            (event.time.as_str(), Reading::EventTime),
            (event.key.as_str(), Reading::EventKey),
        ]);
        if let Some(name) = &event.name {
            readings.insert(name, Reading::EventName);
        }
        let params = ReadParams {
            base: &spec.base,
            pattern: &event.source,
            missing: &spec.missing,
            readings,
        };
        let source = load(&params, fingerprint)?;
        let (past, note) = before(&source.table, event, until);
        notes.extend(note);
        tables.push(renamed(&past, event, first)?);
    }
    Ok(Events {
        table: Some(stacked(&tables)?),
        notes,
    })
}

fn before(table: &Table, event: &EventSource, cutoff: Timestamp) -> (Table, Option<Note>) {
    let times = match table.column(&event.time).map(|column| &column.data) {
        Some(ColumnData::Date(times)) => times.as_slice(),
        _ => &[],
    };
    let rows: Vec<usize> = (0..)
        .zip(times)
        .filter(|(_, time)| time.is_some_and(|t| t < cutoff.0))
        .map(|(row, _)| row)
        .collect();
    let n_left_out = table.n_rows() - rows.len();
    let text = format!(
        "events of \"{}\" without a moment before the cut-off; left out",
        event.source
    );
    let note = (n_left_out > 0).then(|| Note::new(NoteKind::LeftOut, &event.time, n_left_out, text));
    (table.take(&rows), note)
}

fn renamed(table: &Table, event: &EventSource, first: &EventSource) -> Result<Table> {
    let new_name = |name: &str| match name {
        name if name == event.key => first.key.clone(),
        name if name == event.time => first.time.clone(),
        name if event.name.as_deref() == Some(name) => first.name.clone().unwrap_or_else(|| name.to_owned()),
        name => name.to_owned(),
    };
    let mut columns: Vec<Column> = Vec::new();
    for column in table.columns() {
        let name = new_name(&column.name);
        if columns.iter().any(|other| other.name == name) {
            return Err(Error::new("TW0208", format!("two event columns would be called \"{name}\""))
                .hint("key, time and name columns take the names that the first [[events]] gives; rename the other column")
                .at(&event.source, None, Some(&name)));
        }
        columns.push(Column {
            name,
            data: column.data.clone(),
        });
    }
    Table::new(columns)
}

/// The rows of all tables, one after the other; a column that a table lacks is missing there.
fn stacked(tables: &[Table]) -> Result<Table> {
    if let [only] = tables {
        return Ok(only.clone());
    }
    let mut names: Vec<&str> = Vec::new();
    for column in tables.iter().flat_map(Table::columns) {
        if !names.contains(&column.name.as_str()) {
            names.push(&column.name);
        }
    }
    Table::new(
        names
            .into_iter()
            .map(|name| stacked_column(tables, name))
            .collect(),
    )
}

fn stacked_column(tables: &[Table], name: &str) -> Column {
    let mut kinds = tables
        .iter()
        .filter_map(|table| table.column(name))
        .map(Column::kind);
    let kind = kinds.next().filter(|first| kinds.all(|kind| kind == *first));
    let parts = tables.iter().map(|table| (table.column(name), table.n_rows()));
    let data = match kind {
        Some(ColumnKind::Number) => {
            ColumnData::Number(parts.flat_map(|(part, n)| number_cells(part, n)).collect())
        }
        Some(ColumnKind::Date) => ColumnData::Date(parts.flat_map(|(part, n)| date_cells(part, n)).collect()),
        Some(ColumnKind::Boolean) => {
            ColumnData::Boolean(parts.flat_map(|(part, n)| truth_cells(part, n)).collect())
        }
        Some(ColumnKind::Text) => ColumnData::Text(parts.flat_map(|(part, n)| word_cells(part, n)).collect()),
        Some(ColumnKind::Category) | None => {
            let words: Vec<Option<String>> = parts.flat_map(|(part, n)| word_cells(part, n)).collect();
            words_column(&words.iter().map(Option::as_deref).collect::<Vec<_>>())
        }
    };
    Column {
        name: name.to_owned(),
        data,
    }
}

fn number_cells(part: Option<&Column>, n: usize) -> Vec<f64> {
    match part.map(|column| &column.data) {
        Some(ColumnData::Number(cells)) => cells.clone(),
        _ => vec![f64::NAN; n],
    }
}

fn date_cells(part: Option<&Column>, n: usize) -> Vec<Option<i64>> {
    match part.map(|column| &column.data) {
        Some(ColumnData::Date(cells)) => cells.clone(),
        _ => vec![None; n],
    }
}

fn truth_cells(part: Option<&Column>, n: usize) -> Vec<Option<bool>> {
    match part.map(|column| &column.data) {
        Some(ColumnData::Boolean(cells)) => cells.clone(),
        _ => vec![None; n],
    }
}

fn word_cells(part: Option<&Column>, n: usize) -> Vec<Option<String>> {
    match part.map(|column| &column.data) {
        Some(ColumnData::Text(cells)) => cells.clone(),
        Some(ColumnData::Category { codes, levels }) => {
            let level = |code: &u32| {
                levels
                    .get(*code as usize)
                    .filter(|_| *code != MISSING_LEVEL)
                    .cloned()
            };
            codes.iter().map(level).collect()
        }
        Some(_) => {
            let cell = |row| {
                part.filter(|column| !column.is_missing(row))
                    .map(|column| column.cell_text(row))
            };
            (0..n).map(cell).collect()
        }
        None => vec![None; n],
    }
}
