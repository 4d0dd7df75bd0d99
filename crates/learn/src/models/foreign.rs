//! A model trained elsewhere: its file travels inside ours, and whoever can read the file attaches it again.

use std::fmt::Debug;
use std::sync::Arc;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use thalweg_domain::{
    Column, ColumnData, ColumnKind, ColumnSchema, Error, MISSING_LEVEL, Result, Seed, Table,
};

use super::Contributions;
use crate::compress::bytes::{from_base64, to_base64};
use crate::task::Margins;

/// Random orders in which columns are put back for contributions; each is walked both ways.
const PERMUTATIONS: usize = 4;

/// Scores by a model that this crate cannot read.
pub trait ForeignScores: Debug + Send + Sync {
    /// The scores of every row before any link, row after row: one log-odds for two classes, one logit per class, or the
    /// value.
    ///
    /// # Errors
    /// When the table lacks what the model reads, or the model cannot be computed.
    fn margins(&self, table: &Table) -> Result<Vec<f64>>;
}

/// The file of a model trained elsewhere, and how it is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignFile {
    /// The file, byte for byte; base64 in JSON.
    #[serde(serialize_with = "write_bytes", deserialize_with = "read_bytes")]
    pub bytes: Vec<u8>,
    /// What its reader must know beside the file; this crate only keeps it.
    pub reading: String,
}

fn write_bytes<S: serde::Serializer>(bytes: &[u8], serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(&to_base64(bytes))
}

fn read_bytes<'de, D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    from_base64(&text).ok_or_else(|| serde::de::Error::custom("the bytes of a file are not base64"))
}

/// A registered model with the row that its contributions are counted from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Foreign {
    file: ForeignFile,
    n_outputs: usize,
    baseline: Vec<BaselineColumn>,
    #[serde(skip)]
    scores: Option<Arc<dyn ForeignScores>>,
}

/// A column that the model reads, with the cell of the baseline row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct BaselineColumn {
    name: String,
    cell: BaselineCell,
}

/// None where training had no value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum BaselineCell {
    /// The median.
    Number(Option<f64>),
    /// The most frequent level, beside all of them.
    Category { level: Option<u32>, levels: Vec<String> },
    /// False.
    Boolean,
    /// The median.
    Date(Option<i64>),
    /// No text.
    Text,
}

impl Foreign {
    /// A model that reads these columns of a table.
    ///
    /// # Errors
    /// `TW0303` without any column, `TW0305` when the table lacks one.
    pub(crate) fn new(
        (scores, file): (Arc<dyn ForeignScores>, ForeignFile),
        features: &[String],
        table: &Table,
        n_outputs: usize,
    ) -> Result<Self> {
        if features.is_empty() {
            return Err(
                Error::new("TW0303", "the model trained elsewhere reads no column")
                    .hint("check what was exported"),
            );
        }
        if let Some(missing) = features.iter().find(|name| table.column(name).is_none()) {
            return Err(no_column(missing));
        }
        let read = table
            .columns()
            .iter()
            .filter(|column| features.contains(&column.name));
        Ok(Self {
            file,
            n_outputs,
            baseline: read.map(BaselineColumn::of).collect(),
            scores: Some(scores),
        })
    }

    /// Reads the file again.
    ///
    /// # Errors
    /// Those of `load`.
    pub(crate) fn attach(
        &mut self,
        load: &dyn Fn(&ForeignFile) -> Result<Arc<dyn ForeignScores>>,
    ) -> Result<()> {
        self.scores = Some(load(&self.file)?);
        Ok(())
    }

    /// The columns that it reads, in the order of the table of registration.
    pub(crate) fn features(&self) -> Vec<String> {
        self.baseline.iter().map(|column| column.name.clone()).collect()
    }

    /// The same with kinds and levels.
    pub(crate) fn schema(&self) -> Vec<ColumnSchema> {
        let schema = |column: &BaselineColumn| ColumnSchema {
            name: column.name.clone(),
            kind: column.cell.kind(),
            levels: match &column.cell {
                BaselineCell::Category { levels, .. } => levels.clone(),
                _ => Vec::new(),
            },
        };
        self.baseline.iter().map(schema).collect()
    }

    /// The scores of the given rows.
    ///
    /// # Errors
    /// `TW0305` and `TW0306` when the table does not fit, `TW0309` when the file has not been attached, `TW0343` when the
    /// model does not give the numbers that the task needs, and the model's own.
    pub(crate) fn margins(&self, table: &Table, rows: &[usize]) -> Result<Margins> {
        Ok(Margins {
            cells: self.scored(self.read(table, rows)?, rows.len())?,
            n_outputs: self.n_outputs,
        })
    }

    /// Shapley values against the baseline row, sampled (Štrumbelj and Kononenko 2014, doi:10.1007/s10115-013-0679-x): all
    /// columns start at the baseline, the row's own come back one after the other, and what each changes is its part,
    /// averaged over the same few orders and their reverses for every row. Parts add up to the row's score less the
    /// baseline's, whatever the orders.
    ///
    /// # Errors
    /// As [`Self::margins`].
    pub(crate) fn contributions(
        &self,
        table: &Table,
        rows: &[usize],
        output: usize,
    ) -> Result<Contributions> {
        let own = self.read(table, rows)?;
        let (n_rows, n_columns) = (rows.len(), own.len());
        let of_output = |cells: &[f64]| -> Vec<f64> {
            let rows = cells.chunks_exact(self.n_outputs.max(1));
            rows.map(|row| row[output]).collect()
        };
        let base = of_output(&self.scored(self.baseline_rows(1), 1)?)[0];
        let full = of_output(&self.scored(own.clone(), n_rows)?);
        let orders = orders(n_columns);
        let share = 1.0 / orders.len() as f64;
        let mut cells = vec![0.0; n_rows * n_columns];
        for order in orders {
            let mut columns = self.baseline_rows(n_rows);
            let mut before = vec![base; n_rows];
            for (step, column) in order.iter().enumerate() {
                columns[*column].clone_from(&own[*column]);
                let after = if step + 1 == n_columns {
                    full.clone()
                } else {
                    of_output(&self.scored(columns.clone(), n_rows)?)
                };
                for (row, (after, before)) in after.iter().zip(&before).enumerate() {
                    cells[row * n_columns + column] += share * (after - before);
                }
                before = after;
            }
        }
        Ok(Contributions {
            base,
            cells,
            n_columns,
        })
    }

    fn baseline_rows(&self, n_rows: usize) -> Vec<Column> {
        let rows = |column: &BaselineColumn| Column {
            name: column.name.clone(),
            data: column.cell.repeated(n_rows),
        };
        self.baseline.iter().map(rows).collect()
    }

    /// The columns that the model reads, with these rows of a table.
    fn read(&self, table: &Table, rows: &[usize]) -> Result<Vec<Column>> {
        self.baseline.iter().map(|own| own.read(table, rows)).collect()
    }

    fn scored(&self, columns: Vec<Column>, n_rows: usize) -> Result<Vec<f64>> {
        let Some(scores) = &self.scores else {
            return Err(Error::new(
                "TW0309",
                "the model was trained elsewhere, and its file has not been read",
            )
            .hint("read the model through a program that knows its format, such as thalweg itself"));
        };
        if n_rows == 0 {
            return Ok(Vec::new());
        }
        let cells = scores.margins(&Table::new(columns)?)?;
        if cells.len() != n_rows * self.n_outputs {
            let message = format!(
                "the model trained elsewhere gives {} numbers for {n_rows} rows, {} are needed",
                cells.len(),
                n_rows * self.n_outputs
            );
            return Err(Error::new("TW0343", message).hint("register a model of the same kind of target"));
        }
        if let Some(place) = cells.iter().position(|cell| !cell.is_finite()) {
            let message = format!(
                "the model trained elsewhere gives {} in row {} of the table",
                cells[place],
                place / self.n_outputs + 1
            );
            return Err(Error::new("TW0343", message)
                .hint("it may not take missing cells: fill them, or export it with its imputation"));
        }
        Ok(cells)
    }
}

impl BaselineColumn {
    fn of(column: &Column) -> Self {
        Self {
            name: column.name.clone(),
            cell: BaselineCell::of(&column.data),
        }
    }

    /// The table's cells of it. A column without any value fits whatever its kind.
    fn read(&self, table: &Table, rows: &[usize]) -> Result<Column> {
        let Some(column) = table.column(&self.name) else {
            return Err(no_column(&self.name));
        };
        let is_words = |kind| matches!(kind, ColumnKind::Category | ColumnKind::Text);
        let (expected, found) = (self.cell.kind(), column.kind());
        if expected == found || (is_words(expected) && is_words(found)) {
            return Ok(column.take(rows));
        }
        if column.n_missing() == column.len() {
            return Ok(Column {
                name: self.name.clone(),
                data: missing(expected, rows.len()),
            });
        }
        let message = format!(
            "column \"{}\" was of kind {} when the model was registered, here it is {}",
            self.name,
            expected.as_str(),
            found.as_str()
        );
        Err(Error::new("TW0306", message)
            .hint("give the column the same kind as then, or register the model on the new table"))
    }
}

fn no_column(name: &str) -> Error {
    Error::new(
        "TW0305",
        format!("the model was trained with column \"{name}\", which this table lacks"),
    )
    .hint("add the column to the source (its cells may be empty), or register a model without it")
}

fn missing(kind: ColumnKind, n_rows: usize) -> ColumnData {
    match kind {
        ColumnKind::Number => ColumnData::Number(vec![f64::NAN; n_rows]),
        ColumnKind::Category => ColumnData::Category {
            codes: vec![MISSING_LEVEL; n_rows],
            levels: Vec::new(),
        },
        ColumnKind::Boolean => ColumnData::Boolean(vec![None; n_rows]),
        ColumnKind::Date => ColumnData::Date(vec![None; n_rows]),
        ColumnKind::Text => ColumnData::Text(vec![None; n_rows]),
    }
}

impl BaselineCell {
    fn of(data: &ColumnData) -> Self {
        match data {
            ColumnData::Number(cells) => {
                let mut known: Vec<f64> = cells.iter().copied().filter(|cell| !cell.is_nan()).collect();
                known.sort_by(f64::total_cmp);
                Self::Number(known.get(known.len() / 2).copied())
            }
            ColumnData::Category { codes, levels } => Self::Category {
                level: most_frequent(codes, levels.len()),
                levels: levels.clone(),
            },
            ColumnData::Boolean(_) => Self::Boolean,
            ColumnData::Date(cells) => {
                let mut known: Vec<i64> = cells.iter().copied().flatten().collect();
                known.sort_unstable();
                Self::Date(known.get(known.len() / 2).copied())
            }
            ColumnData::Text(_) => Self::Text,
        }
    }

    const fn kind(&self) -> ColumnKind {
        match self {
            Self::Number(_) => ColumnKind::Number,
            Self::Category { .. } => ColumnKind::Category,
            Self::Boolean => ColumnKind::Boolean,
            Self::Date(_) => ColumnKind::Date,
            Self::Text => ColumnKind::Text,
        }
    }

    fn repeated(&self, n_rows: usize) -> ColumnData {
        match self {
            Self::Number(cell) => ColumnData::Number(vec![cell.unwrap_or(f64::NAN); n_rows]),
            Self::Category { level, levels } => ColumnData::Category {
                codes: vec![level.unwrap_or(MISSING_LEVEL); n_rows],
                levels: levels.clone(),
            },
            Self::Boolean => ColumnData::Boolean(vec![Some(false); n_rows]),
            Self::Date(cell) => ColumnData::Date(vec![*cell; n_rows]),
            Self::Text => ColumnData::Text(vec![None; n_rows]),
        }
    }
}

/// On a tie the first in the order of the levels.
fn most_frequent(codes: &[u32], n_levels: usize) -> Option<u32> {
    let mut counts = vec![0_usize; n_levels];
    for code in codes {
        if let Some(count) = counts.get_mut(*code as usize) {
            *count += 1;
        }
    }
    let most = counts.iter().max().copied().filter(|most| *most > 0)?;
    let place = counts.iter().position(|count| *count == most)?;
    u32::try_from(place).ok()
}

/// The same few random orders of so many columns in every run, and their reverses.
fn orders(n_columns: usize) -> Vec<Vec<usize>> {
    let mut rng = ChaCha8Rng::seed_from_u64(Seed(0).stream("orders of contributions").0);
    let mut orders = Vec::with_capacity(2 * PERMUTATIONS);
    for _ in 0..PERMUTATIONS {
        let mut order: Vec<usize> = (0..n_columns).collect();
        order.shuffle(&mut rng);
        let reverse = order.iter().rev().copied().collect();
        orders.extend([order, reverse]);
    }
    orders
}
