//! The typed table: what collect makes, learn reads and the artifacts keep.

/// Code of a missing category.
pub const MISSING_LEVEL: u32 = u32::MAX;

/// The kind of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    /// Finite numbers.
    Number,
    /// One of a set of levels.
    Category,
    /// True or false.
    Boolean,
    /// A point in time.
    Date,
    /// Free text.
    Text,
}

impl ColumnKind {
    /// `number`, `category`, `boolean`, `date` or `text`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Category => "category",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Text => "text",
        }
    }
}

/// A column's cells. Every variant has one entry per row.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnData {
    /// Numbers; NaN is missing, infinities do not occur.
    Number(Vec<f64>),
    /// Codes into `levels` (sorted, distinct); [`MISSING_LEVEL`] is missing.
    Category {
        /// One code per row.
        codes: Vec<u32>,
        /// The levels as text, sorted.
        levels: Vec<String>,
    },
    /// Truth values.
    Boolean(Vec<Option<bool>>),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Date(Vec<Option<i64>>),
    /// Text.
    Text(Vec<Option<String>>),
}

/// A named column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name, unique in the table.
    pub name: String,
    /// Its cells.
    pub data: ColumnData,
}

impl Column {
    /// The column's kind.
    #[must_use]
    pub const fn kind(&self) -> ColumnKind {
        match self.data {
            ColumnData::Number(_) => ColumnKind::Number,
            ColumnData::Category { .. } => ColumnKind::Category,
            ColumnData::Boolean(_) => ColumnKind::Boolean,
            ColumnData::Date(_) => ColumnKind::Date,
            ColumnData::Text(_) => ColumnKind::Text,
        }
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.data {
            ColumnData::Number(cells) => cells.len(),
            ColumnData::Category { codes, .. } => codes.len(),
            ColumnData::Boolean(cells) => cells.len(),
            ColumnData::Date(cells) => cells.len(),
            ColumnData::Text(cells) => cells.len(),
        }
    }

    /// Whether the column has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the cell is missing (a row beyond the end is).
    #[must_use]
    pub fn is_missing(&self, row: usize) -> bool {
        match &self.data {
            ColumnData::Number(cells) => cells.get(row).is_none_or(|cell| cell.is_nan()),
            ColumnData::Category { codes, .. } => codes.get(row).is_none_or(|code| *code == MISSING_LEVEL),
            ColumnData::Boolean(cells) => cells.get(row).is_none_or(Option::is_none),
            ColumnData::Date(cells) => cells.get(row).is_none_or(Option::is_none),
            ColumnData::Text(cells) => cells.get(row).is_none_or(Option::is_none),
        }
    }

    /// Number of missing cells.
    #[must_use]
    pub fn n_missing(&self) -> usize {
        (0..self.len()).filter(|row| self.is_missing(*row)).count()
    }

    /// The cell as a person would write it; empty when missing.
    #[must_use]
    pub fn cell_text(&self, row: usize) -> String {
        if self.is_missing(row) {
            return String::new();
        }
        match &self.data {
            ColumnData::Number(cells) => cells.get(row).map_or_else(String::new, ToString::to_string),
            ColumnData::Category { codes, levels } => codes
                .get(row)
                .and_then(|code| levels.get(*code as usize))
                .map_or_else(String::new, Clone::clone),
            ColumnData::Boolean(cells) => cells.get(row).copied().flatten().map_or_else(String::new, |b| b.to_string()),
            ColumnData::Date(cells) => cells.get(row).copied().flatten().map_or_else(String::new, |t| t.to_string()),
            ColumnData::Text(cells) => cells.get(row).cloned().flatten().unwrap_or_default(),
        }
    }

    /// The same column with only these rows, in this order.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        let data = match &self.data {
            ColumnData::Number(cells) => ColumnData::Number(pick(cells, rows, f64::NAN)),
            ColumnData::Category { codes, levels } => {
                ColumnData::Category { codes: pick(codes, rows, MISSING_LEVEL), levels: levels.clone() }
            }
            ColumnData::Boolean(cells) => ColumnData::Boolean(pick(cells, rows, None)),
            ColumnData::Date(cells) => ColumnData::Date(pick(cells, rows, None)),
            ColumnData::Text(cells) => ColumnData::Text(pick(cells, rows, None)),
        };
        Self { name: self.name.clone(), data }
    }
}

fn pick<T: Clone>(cells: &[T], rows: &[usize], missing: T) -> Vec<T> {
    rows.iter().map(|row| cells.get(*row).cloned().unwrap_or_else(|| missing.clone())).collect()
}

/// Columns of equal length.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    columns: Vec<Column>,
    n_rows: usize,
}

impl Table {
    /// A table of columns; all must have the same length and distinct names.
    ///
    /// # Errors
    /// `TW0901` when they do not (a fault of the caller, not of the data).
    pub fn new(columns: Vec<Column>) -> crate::Result<Self> {
        let n_rows = columns.first().map_or(0, Column::len);
        let mut names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(crate::Error::new("TW0901", "internal error: two columns of a table have the same name"));
        }
        if columns.iter().any(|column| column.len() != n_rows) {
            return Err(crate::Error::new("TW0901", "internal error: columns of a table differ in length"));
        }
        Ok(Self { columns, n_rows })
    }

    /// The columns in order.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The column of that name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Number of rows.
    #[must_use]
    pub const fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The same table with only these rows, in this order.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        let columns = self.columns.iter().map(|column| column.take(rows)).collect();
        Self { columns, n_rows: rows.len() }
    }

    /// The same table without the columns that `drop` names.
    #[must_use]
    pub fn without(&self, drop: impl Fn(&str) -> bool) -> Self {
        let columns = self.columns.iter().filter(|column| !drop(&column.name)).cloned().collect();
        Self { columns, n_rows: self.n_rows }
    }
}
