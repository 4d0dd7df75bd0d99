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
            ColumnData::Boolean(cells) => cells
                .get(row)
                .copied()
                .flatten()
                .map_or_else(String::new, |b| b.to_string()),
            ColumnData::Date(cells) => cells
                .get(row)
                .copied()
                .flatten()
                .map_or_else(String::new, |t| t.to_string()),
            ColumnData::Text(cells) => cells.get(row).cloned().flatten().unwrap_or_default(),
        }
    }

    /// This column's cells, then another's (or so many missing ones).
    fn stack(&self, other: Option<&Self>, n_other: usize) -> crate::Result<Self> {
        let other = other.filter(|column| column.n_missing() < column.len());
        let data = match (&self.data, other.map(|column| &column.data)) {
            (data, None) => data.padded(n_other),
            (ColumnData::Number(a), Some(ColumnData::Number(b))) => ColumnData::Number(joined(a, b)),
            (ColumnData::Boolean(a), Some(ColumnData::Boolean(b))) => ColumnData::Boolean(joined(a, b)),
            (ColumnData::Date(a), Some(ColumnData::Date(b))) => ColumnData::Date(joined(a, b)),
            (ColumnData::Text(a), Some(ColumnData::Text(b))) => ColumnData::Text(joined(a, b)),
            (
                ColumnData::Category {
                    codes: a,
                    levels: levels_a,
                },
                Some(ColumnData::Category {
                    codes: b,
                    levels: levels_b,
                }),
            ) => joined_categories((a, levels_a), (b, levels_b)),
            (_, Some(_)) if self.n_missing() == self.len() => {
                return other.map_or_else(|| Ok(self.clone()), |other| other.preceded(self.len()));
            }
            (_, Some(_)) => {
                let (here, there) = (
                    self.kind().as_str(),
                    other.map_or("", |column| column.kind().as_str()),
                );
                let message = format!(
                    "column \"{}\" is of kind {here} now and was of kind {there} before",
                    self.name
                );
                return Err(crate::Error::new("TW0225", message)
                    .hint("give the column one kind in all files, or exclude it: [features] exclude"));
            }
        };
        Ok(Self {
            name: self.name.clone(),
            data,
        })
    }

    /// So many missing cells, then this column's.
    fn preceded(&self, n_before: usize) -> crate::Result<Self> {
        let rows: Vec<usize> = std::iter::repeat_n(usize::MAX, n_before)
            .chain(0..self.len())
            .collect();
        Ok(self.take(&rows))
    }

    /// The same column with only these rows, in this order.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        let data = match &self.data {
            ColumnData::Number(cells) => ColumnData::Number(pick(cells, rows, f64::NAN)),
            ColumnData::Category { codes, levels } => ColumnData::Category {
                codes: pick(codes, rows, MISSING_LEVEL),
                levels: levels.clone(),
            },
            ColumnData::Boolean(cells) => ColumnData::Boolean(pick(cells, rows, None)),
            ColumnData::Date(cells) => ColumnData::Date(pick(cells, rows, None)),
            ColumnData::Text(cells) => ColumnData::Text(pick(cells, rows, None)),
        };
        Self {
            name: self.name.clone(),
            data,
        }
    }
}

impl ColumnData {
    /// The cells, then so many missing ones.
    fn padded(&self, n_more: usize) -> Self {
        match self {
            Self::Number(cells) => Self::Number(joined(cells, &vec![f64::NAN; n_more])),
            Self::Category { codes, levels } => Self::Category {
                codes: joined(codes, &vec![MISSING_LEVEL; n_more]),
                levels: levels.clone(),
            },
            Self::Boolean(cells) => Self::Boolean(joined(cells, &vec![None; n_more])),
            Self::Date(cells) => Self::Date(joined(cells, &vec![None; n_more])),
            Self::Text(cells) => Self::Text(joined(cells, &vec![None; n_more])),
        }
    }
}

fn joined<T: Clone>(first: &[T], second: &[T]) -> Vec<T> {
    first.iter().chain(second).cloned().collect()
}

fn joined_categories(first: (&[u32], &[String]), second: (&[u32], &[String])) -> ColumnData {
    let mut levels: Vec<String> = joined(first.1, second.1);
    levels.sort();
    levels.dedup();
    let code_of = |level: &String| {
        levels
            .binary_search(level)
            .ok()
            .and_then(|code| u32::try_from(code).ok())
    };
    let recode = |codes: &[u32], old: &[String]| -> Vec<u32> {
        let new: Vec<u32> = old
            .iter()
            .map(|level| code_of(level).unwrap_or(MISSING_LEVEL))
            .collect();
        codes
            .iter()
            .map(|code| new.get(*code as usize).copied().unwrap_or(MISSING_LEVEL))
            .collect()
    };
    let mut codes = recode(first.0, first.1);
    codes.extend(recode(second.0, second.1));
    ColumnData::Category { codes, levels }
}

fn pick<T: Clone>(cells: &[T], rows: &[usize], missing: T) -> Vec<T> {
    rows.iter()
        .map(|row| cells.get(*row).cloned().unwrap_or_else(|| missing.clone()))
        .collect()
}

/// What a column of a table must be, for rows that come later: those of training say it, those to score must fit it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnSchema {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: ColumnKind,
    /// The levels that are known, sorted; empty unless it is a category.
    pub levels: Vec<String>,
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
            return Err(crate::Error::new(
                "TW0901",
                "internal error: two columns of a table have the same name",
            ));
        }
        if columns.iter().any(|column| column.len() != n_rows) {
            return Err(crate::Error::new(
                "TW0901",
                "internal error: columns of a table differ in length",
            ));
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
        Self {
            columns,
            n_rows: rows.len(),
        }
    }

    /// This table's rows, then another's. Columns are matched by name; one that `other` lacks is missing there, one that
    /// only `other` has is left out. Levels of categories are united.
    ///
    /// # Errors
    /// `TW0225` when a column is of another kind in `other` (unless all its cells are missing there).
    pub fn stack(&self, other: &Self) -> crate::Result<Self> {
        let columns = self
            .columns
            .iter()
            .map(|column| column.stack(other.column(&column.name), other.n_rows));
        Ok(Self {
            columns: columns.collect::<crate::Result<_>>()?,
            n_rows: self.n_rows + other.n_rows,
        })
    }

    /// The same table without the columns that `drop` names.
    #[must_use]
    pub fn without(&self, drop: impl Fn(&str) -> bool) -> Self {
        let columns = self
            .columns
            .iter()
            .filter(|column| !drop(&column.name))
            .cloned()
            .collect();
        Self {
            columns,
            n_rows: self.n_rows,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Column, ColumnData, MISSING_LEVEL, Table};

    fn category(name: &str, codes: &[u32], levels: &[&str]) -> Column {
        let levels = levels.iter().map(|level| (*level).to_owned()).collect();
        Column {
            name: name.to_owned(),
            data: ColumnData::Category {
                codes: codes.to_vec(),
                levels,
            },
        }
    }

    fn number(name: &str, cells: &[f64]) -> Column {
        Column {
            name: name.to_owned(),
            data: ColumnData::Number(cells.to_vec()),
        }
    }

    #[test]
    fn stacking_unites_levels_and_fills_missing_columns() {
        let first = Table::new(vec![
            category("c", &[0, 1], &["a", "c"]),
            number("n", &[1.0, 2.0]),
        ])
        .unwrap();
        let second = Table::new(vec![category("c", &[1, MISSING_LEVEL, 0], &["a", "b"])]).unwrap();
        let both = first.stack(&second).unwrap();
        let cells = |name: &str| {
            (0..5)
                .map(|row| both.column(name).unwrap().cell_text(row))
                .collect::<Vec<_>>()
        };
        assert_eq!(cells("c"), ["a", "c", "b", "", "a"]);
        assert_eq!(cells("n"), ["1", "2", "", "", ""]);
    }

    #[test]
    fn stacking_refuses_another_kind_unless_it_is_empty() {
        let first = Table::new(vec![number("n", &[1.0])]).unwrap();
        let other = Table::new(vec![category("n", &[0], &["x"])]).unwrap();
        assert_eq!(first.stack(&other).unwrap_err().code, "TW0225");
        let empty = Table::new(vec![number("n", &[f64::NAN])]).unwrap();
        assert_eq!(
            empty.stack(&other).unwrap().column("n").unwrap().cell_text(1),
            "x"
        );
    }

    #[test]
    fn tables_refuse_unequal_columns_and_double_names() {
        assert_eq!(
            Table::new(vec![number("a", &[1.0]), number("b", &[])])
                .unwrap_err()
                .code,
            "TW0901"
        );
        assert_eq!(
            Table::new(vec![number("a", &[1.0]), number("a", &[2.0])])
                .unwrap_err()
                .code,
            "TW0901"
        );
    }
}
