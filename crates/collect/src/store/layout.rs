//! What the columns of a stored file are: roles for collected customers, kinds for every column.

use std::collections::BTreeMap;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::TimestampMicrosecondType;
use datafusion::arrow::record_batch::RecordBatch;
use serde::{Deserialize, Serialize};
use thalweg_domain::{Column, ColumnData, Duration, MISSING_LEVEL, Table, Timestamp};

use super::array;
use crate::arrow::numbers;
use crate::collected::{Collected, Note, Panel};

/// The kind of a stored column, with what Parquet itself does not keep.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredKind {
    Number,
    /// Levels that no row has.
    Category(Vec<String>),
    Boolean,
    Date,
    Text,
}

/// A plain table.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredTable {
    kinds: Vec<StoredKind>,
}

impl StoredTable {
    pub(super) fn of(columns: &[Column]) -> Self {
        Self {
            kinds: columns.iter().map(stored_kind).collect(),
        }
    }

    /// `None` when the file holds other columns than the layout says.
    pub(super) fn columns(&self, batch: &RecordBatch) -> Option<Vec<Column>> {
        let fields = batch.schema();
        let read = |(at, kind): (usize, &StoredKind)| {
            let name = fields.fields().get(at)?.name().clone();
            Some(Column {
                name,
                data: read_column(batch, at, kind)?,
            })
        };
        (self.kinds.len() == batch.num_columns())
            .then(|| self.kinds.iter().enumerate().map(read).collect())?
    }
}

/// Positions of columns, by what they are for. A feature that is a column of the source unchanged is stored once.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Layout {
    table: StoredTable,
    key: usize,
    cluster: Option<usize>,
    target: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    panel: Option<StoredPanel>,
    raw: Vec<(String, usize)>,
    features: Vec<(String, usize)>,
    expressions: Vec<(String, usize)>,
    conditions: Vec<(String, usize)>,
    flags: Vec<(String, usize)>,
    notes: Vec<Note>,
    source_hash: String,
}

/// The moments of a panel; which of them each row has is a column.
#[derive(Debug, Serialize, Deserialize)]
struct StoredPanel {
    cutoffs: Vec<i64>,
    horizon: i64,
    decide_at: i64,
    period: usize,
}

impl StoredPanel {
    fn of(panel: &Panel, columns: &mut Columns) -> Self {
        let period = panel.period.iter().map(|own| own.map_or(f64::NAN, f64::from));
        Self {
            cutoffs: panel.cutoffs.iter().map(|moment| moment.0).collect(),
            horizon: panel.horizon.0,
            decide_at: panel.decide_at.0,
            period: columns.push("period", "", ColumnData::Number(period.collect())),
        }
    }

    fn read(self, stored: &[Column]) -> Option<Panel> {
        let ColumnData::Number(cells) = &stored.get(self.period)?.data else {
            return None;
        };
        let n = self.cutoffs.len();
        let index = |cell: &f64| (0..).zip(0..n).find(|(number, _)| f64::from(*number) == *cell);
        Some(Panel {
            cutoffs: self.cutoffs.into_iter().map(Timestamp).collect(),
            horizon: Duration(self.horizon),
            decide_at: Timestamp(self.decide_at),
            period: cells
                .iter()
                .map(|cell| index(cell).map(|(number, _): (u32, usize)| number))
                .collect(),
        })
    }
}

/// Columns to store; names carry the role, so that no two are the same.
#[derive(Default)]
struct Columns(Vec<Column>);

impl Columns {
    fn push(&mut self, role: &str, name: &str, data: ColumnData) -> usize {
        let name = if name.is_empty() {
            role.to_owned()
        } else {
            format!("{role}:{name}")
        };
        self.0.push(Column { name, data });
        self.0.len() - 1
    }

    fn push_truths(&mut self, role: &str, truths: &BTreeMap<String, Vec<bool>>) -> Vec<(String, usize)> {
        let truth = |cells: &[bool]| ColumnData::Boolean(cells.iter().map(|cell| Some(*cell)).collect());
        truths
            .iter()
            .map(|(name, cells)| (name.clone(), self.push(role, name, truth(cells))))
            .collect()
    }
}

impl Layout {
    pub(super) fn of(collected: &Collected) -> (Self, Vec<Column>) {
        let mut columns = Columns::default();
        let texts = |cells: &[String]| ColumnData::Text(cells.iter().cloned().map(Some).collect());
        let key = columns.push("key", "", texts(&collected.keys));
        let cluster = collected
            .cluster
            .as_ref()
            .map(|cells| columns.push("cluster", "", texts(cells)));
        let target = collected.target.as_ref();
        let target = target.map(|cells| columns.push("target", "", ColumnData::Boolean(cells.clone())));
        let panel = collected
            .panel
            .as_ref()
            .map(|panel| StoredPanel::of(panel, &mut columns));
        let raw = collected.raw.columns().iter();
        let raw: Vec<_> = raw
            .map(|c| (c.name.clone(), columns.push("raw", &c.name, c.data.clone())))
            .collect();
        let features = collected.features.columns().iter().map(|column| {
            let unchanged = raw
                .iter()
                .find(|(name, _)| *name == column.name)
                .map(|(_, at)| *at);
            let unchanged = unchanged.filter(|at| {
                columns
                    .0
                    .get(*at)
                    .is_some_and(|raw| same(&raw.data, &column.data))
            });
            let at = unchanged.unwrap_or_else(|| columns.push("feature", &column.name, column.data.clone()));
            (column.name.clone(), at)
        });
        let features = features.collect();
        let expressions = collected.expressions.iter();
        let expressions = expressions.map(|(name, cells)| {
            (
                name.clone(),
                columns.push("expression", name, ColumnData::Number(cells.clone())),
            )
        });
        let expressions = expressions.collect();
        let conditions = columns.push_truths("condition", &collected.conditions);
        let flags = columns.push_truths("flag", &collected.flags);
        let notes = collected.notes.clone();
        let source_hash = collected.source_hash.clone();
        let table = StoredTable::of(&columns.0);
        let layout = Self {
            table,
            key,
            cluster,
            target,
            panel,
            raw,
            features,
            expressions,
            conditions,
            flags,
            notes,
            source_hash,
        };
        (layout, columns.0)
    }

    /// `None` when the file holds other columns than the layout says.
    pub(super) fn collected(self, batch: &RecordBatch) -> Option<Collected> {
        let stored = self.table.columns(batch)?;
        let raw = named_table(&stored, &self.raw)?;
        let features = if self.features.is_empty() {
            raw.without(|_| true)
        } else {
            named_table(&stored, &self.features)?
        };
        Some(Collected {
            keys: texts(&stored, self.key)?,
            cluster: self.cluster.map(|at| texts(&stored, at)).transpose_option()?,
            target: self.target.map(|at| truths(&stored, at)).transpose_option()?,
            panel: self.panel.map(|panel| panel.read(&stored)).transpose_option()?,
            expressions: named(&self.expressions, |at| match &stored.get(at)?.data {
                ColumnData::Number(cells) => Some(cells.clone()),
                _ => None,
            })?,
            conditions: named(&self.conditions, |at| certain(&stored, at))?,
            flags: named(&self.flags, |at| certain(&stored, at))?,
            features,
            raw,
            notes: self.notes,
            source_hash: self.source_hash,
        })
    }
}

/// Equal cells, missing numbers included.
fn same(a: &ColumnData, b: &ColumnData) -> bool {
    match (a, b) {
        (ColumnData::Number(a), ColumnData::Number(b)) => {
            let equal = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
            a.len() == b.len() && a.iter().zip(b).all(equal)
        }
        _ => a == b,
    }
}

/// `Option<Option<T>>` inside out: absent stays absent, unreadable becomes `None`.
trait TransposeOption<T> {
    fn transpose_option(self) -> Option<Option<T>>;
}

impl<T> TransposeOption<T> for Option<Option<T>> {
    fn transpose_option(self) -> Option<Option<T>> {
        match self {
            None => Some(None),
            Some(inner) => inner.map(Some),
        }
    }
}

fn named<T>(positions: &[(String, usize)], read: impl Fn(usize) -> Option<T>) -> Option<BTreeMap<String, T>> {
    positions
        .iter()
        .map(|(name, at)| Some((name.clone(), read(*at)?)))
        .collect()
}

fn named_table(stored: &[Column], positions: &[(String, usize)]) -> Option<Table> {
    let column = |(name, at): &(String, usize)| {
        Some(Column {
            name: name.clone(),
            data: stored.get(*at)?.data.clone(),
        })
    };
    Table::new(positions.iter().map(column).collect::<Option<_>>()?).ok()
}

fn texts(stored: &[Column], at: usize) -> Option<Vec<String>> {
    match &stored.get(at)?.data {
        ColumnData::Text(cells) => cells.iter().cloned().collect(),
        _ => None,
    }
}

fn truths(stored: &[Column], at: usize) -> Option<Vec<Option<bool>>> {
    match &stored.get(at)?.data {
        ColumnData::Boolean(cells) => Some(cells.clone()),
        _ => None,
    }
}

fn certain(stored: &[Column], at: usize) -> Option<Vec<bool>> {
    truths(stored, at)?.into_iter().collect()
}

fn stored_kind(column: &Column) -> StoredKind {
    match &column.data {
        ColumnData::Number(_) => StoredKind::Number,
        ColumnData::Boolean(_) => StoredKind::Boolean,
        ColumnData::Date(_) => StoredKind::Date,
        ColumnData::Text(_) => StoredKind::Text,
        ColumnData::Category { codes, levels } => {
            let mut used = vec![false; levels.len()];
            for code in codes {
                if let Some(slot) = used.get_mut(*code as usize) {
                    *slot = true;
                }
            }
            let unused = levels
                .iter()
                .zip(used)
                .filter(|(_, used)| !used)
                .map(|(level, _)| level.clone());
            StoredKind::Category(unused.collect())
        }
    }
}

fn read_column(batch: &RecordBatch, at: usize, kind: &StoredKind) -> Option<ColumnData> {
    let array = array(batch, at)?;
    match kind {
        StoredKind::Number => numbers(array).ok().map(ColumnData::Number),
        StoredKind::Boolean => Some(ColumnData::Boolean(array.as_boolean_opt()?.iter().collect())),
        StoredKind::Date => {
            let cells = array.as_primitive_opt::<TimestampMicrosecondType>()?;
            Some(ColumnData::Date(cells.iter().collect()))
        }
        StoredKind::Text => {
            let cells = array.as_string_opt::<i32>()?.iter();
            Some(ColumnData::Text(
                cells.map(|cell| cell.map(str::to_owned)).collect(),
            ))
        }
        StoredKind::Category(unused) => {
            let cells: Vec<Option<&str>> = array.as_string_opt::<i32>()?.iter().collect();
            Some(category(&cells, unused))
        }
    }
}

/// Codes into the sorted levels, used and unused.
fn category(cells: &[Option<&str>], unused: &[String]) -> ColumnData {
    let mut ranks: BTreeMap<&str, u32> = cells
        .iter()
        .copied()
        .flatten()
        .chain(unused.iter().map(String::as_str))
        .map(|level| (level, 0))
        .collect();
    for (rank, slot) in (0..).zip(ranks.values_mut()) {
        *slot = rank;
    }
    let code = |cell: &Option<&str>| {
        cell.and_then(|level| ranks.get(level).copied())
            .unwrap_or(MISSING_LEVEL)
    };
    ColumnData::Category {
        codes: cells.iter().map(code).collect(),
        levels: ranks.keys().map(|level| (*level).to_owned()).collect(),
    }
}
