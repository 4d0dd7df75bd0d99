//! From a table's columns to a model's inputs.

use std::sync::Arc;

use thalweg_domain::{Column, ColumnData, Error, MISSING_LEVEL, Result, Table};

use crate::number::{narrow, real, truncate};
use crate::proto::{Element, ValueProto};
use crate::tensor::{Data, Tensor};

const MICROS_PER_DAY: f64 = 86_400_000_000.0;

/// One input and the columns of the table that fill it.
#[derive(Debug, Clone)]
pub(crate) struct Feed {
    element: Element,
    columns: Vec<String>,
    /// Whether the input is a vector instead of a matrix with one column.
    is_vector: bool,
    /// The number of rows that the model takes at once, if it is fixed.
    pub(crate) n_rows: Option<usize>,
}

impl Feed {
    /// Finds the columns of each input: by its own name, or by `columns` for a model with one matrix.
    ///
    /// # Errors
    /// `TW0342` when the columns of a matrix are not named, or are of another number.
    pub(crate) fn all(inputs: &[&ValueProto], columns: &[String]) -> Result<Vec<Self>> {
        if let [input] = inputs {
            let width = input.shape.as_ref().and_then(|shape| match shape.as_slice() {
                [_] => Some(1),
                [_, rest @ ..] => rest.iter().copied().product::<Option<usize>>(),
                [] => None,
            });
            if !columns.is_empty() || width != Some(1) {
                return Ok(vec![Self::matrix(input, width, columns)?]);
            }
        }
        if !columns.is_empty() {
            let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
            let message = format!(
                "the model has {} inputs, but an order of columns is given",
                names.len()
            );
            return Err(Error::new("TW0342", message).hint(format!(
                "leave the order out: each input takes the column of its name ({})",
                names.join(", ")
            )));
        }
        inputs.iter().map(|input| Self::single(input)).collect()
    }

    fn matrix(input: &ValueProto, width: Option<usize>, columns: &[String]) -> Result<Self> {
        let name = &input.name;
        let size = width.map_or_else(|| "several".to_owned(), |width| width.to_string());
        if columns.is_empty() {
            return Err(Error::new(
                "TW0342",
                format!("the model's input \"{name}\" is a matrix of {size} columns without names"),
            )
            .hint("say which columns of the table they are, in the order of training"));
        }
        if width.is_some_and(|width| width != columns.len()) {
            return Err(Error::new(
                "TW0342",
                format!(
                    "the model's input \"{name}\" has {size} columns, {} are named",
                    columns.len()
                ),
            )
            .hint("name the columns of training, each once, in their order"));
        }
        Self::of(input, columns.to_vec())
    }

    fn single(input: &ValueProto) -> Result<Self> {
        let width = input
            .shape
            .as_ref()
            .map(|shape| shape.iter().skip(1).flatten().product::<usize>());
        if width.is_some_and(|width| width > 1) {
            let message = format!(
                "the model's input \"{}\" is a matrix beside other inputs",
                input.name
            );
            return Err(Error::new("TW0342", message)
                .hint("export the model with one input per column, or with one matrix for all of them"));
        }
        Self::of(input, vec![input.name.clone()])
    }

    fn of(input: &ValueProto, columns: Vec<String>) -> Result<Self> {
        if matches!(input.element, Element::Maps | Element::Unknown) {
            let message = format!(
                "the model's input \"{}\" is of a type that a column cannot fill",
                input.name
            );
            return Err(Error::new("TW0342", message)
                .hint("export it with float, double, integer, boolean or string inputs"));
        }
        let shape = input.shape.as_deref().unwrap_or_default();
        Ok(Self {
            element: input.element,
            columns,
            is_vector: shape.len() == 1,
            n_rows: shape.first().copied().flatten(),
        })
    }

    /// The names of the columns that fill it.
    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The cells of rows `start..end`; rows beyond the table repeat its last one.
    ///
    /// # Errors
    /// `TW0305` when the table lacks a column, `TW0342` when a column's cells are not what the input takes.
    pub(crate) fn tensor(&self, table: &Table, start: usize, end: usize) -> Result<Tensor> {
        let last = table.n_rows().saturating_sub(1);
        let rows: Vec<usize> = (start..end).map(|row| row.min(last)).collect();
        let columns = self
            .columns
            .iter()
            .map(|name| self.cells(find(table, name)?, &rows))
            .collect::<Result<Vec<_>>>()?;
        let shape = if self.is_vector {
            vec![rows.len()]
        } else {
            vec![rows.len(), columns.len()]
        };
        Tensor::result(shape, interleaved(columns, rows.len()))
    }

    fn cells(&self, column: &Column, rows: &[usize]) -> Result<Data> {
        Ok(match self.element {
            Element::Text => Data::Text(texts(column, rows)),
            Element::Double => Data::F64(numbers(column, rows)?),
            Element::Float => Data::F32(numbers(column, rows)?.into_iter().map(narrow).collect()),
            Element::Int => Data::Int(whole(column, rows)?),
            _ => Data::Bool(whole(column, rows)?.into_iter().map(|cell| cell != 0).collect()),
        })
    }
}

/// The column of that name, or the one whose name is that after the changes that exporters make.
fn find<'t>(table: &'t Table, name: &str) -> Result<&'t Column> {
    let plain = |name: &str| name.replace(|letter: char| !letter.is_alphanumeric(), "_");
    table
        .column(name)
        .or_else(|| {
            let mut alike = table
                .columns()
                .iter()
                .filter(|column| plain(&column.name) == name);
            alike.next().filter(|_| alike.next().is_none())
        })
        .ok_or_else(|| {
            Error::new(
                "TW0305",
                format!("the model was trained with column \"{name}\", which this table lacks"),
            )
            .hint("add the column to the source (its cells may be empty), or register a model without it")
        })
}

/// Columns of one type, cell by cell into rows.
fn interleaved(columns: Vec<Data>, n_rows: usize) -> Data {
    let n_columns = columns.len();
    let joined = columns.into_iter().reduce(|all, next| match (all, next) {
        (Data::F32(a), Data::F32(b)) => Data::F32([a, b].concat()),
        (Data::F64(a), Data::F64(b)) => Data::F64([a, b].concat()),
        (Data::Int(a), Data::Int(b)) => Data::Int([a, b].concat()),
        (Data::Bool(a), Data::Bool(b)) => Data::Bool([a, b].concat()),
        (Data::Text(a), Data::Text(b)) => Data::Text([a, b].concat()),
        (all, _) => all,
    });
    let order = (0..n_rows).flat_map(|row| (0..n_columns).map(move |column| column * n_rows + row));
    joined
        .and_then(|joined| joined.pick(order))
        .unwrap_or(Data::F32(Vec::new()))
}

fn unfit(column: &Column, wanted: &str) -> Error {
    let (name, kind) = (&column.name, column.kind().as_str());
    Error::new(
        "TW0342",
        format!("column \"{name}\" is of kind {kind}, the model takes {wanted}"),
    )
    .hint("give the column the kind of training, or export the model with its own encoding of the column")
}

/// Numbers as they are, truth values as 0 and 1, dates as days since 1970; missing is NaN.
fn numbers(column: &Column, rows: &[usize]) -> Result<Vec<f64>> {
    Ok(match &column.data {
        ColumnData::Number(cells) => rows
            .iter()
            .map(|row| cells.get(*row).copied().unwrap_or(f64::NAN))
            .collect(),
        ColumnData::Boolean(cells) => {
            let cell = |row: &usize| cells.get(*row).copied().flatten().map_or(f64::NAN, f64::from);
            rows.iter().map(cell).collect()
        }
        ColumnData::Date(cells) => {
            let days = |micros: i64| real(micros) / MICROS_PER_DAY;
            rows.iter()
                .map(|row| cells.get(*row).copied().flatten().map_or(f64::NAN, days))
                .collect()
        }
        // a column without any value has no kind of its own
        _ if column.n_missing() == column.len() => vec![f64::NAN; rows.len()],
        _ => return Err(unfit(column, "numbers")),
    })
}

/// Integers; a missing cell or a fraction is an error.
fn whole(column: &Column, rows: &[usize]) -> Result<Vec<i64>> {
    let cells = numbers(column, rows)?;
    let broken = cells
        .iter()
        .zip(rows)
        .find(|(cell, _)| cell.is_nan() || cell.fract() != 0.0);
    if let Some((cell, row)) = broken {
        let what = if cell.is_nan() {
            "missing".to_owned()
        } else {
            cell.to_string()
        };
        let message = format!(
            "column \"{}\" is {what} in row {} of the table, the model takes whole numbers",
            column.name,
            row + 1
        );
        return Err(
            Error::new("TW0342", message).hint("mend the cell, or export the model with float inputs")
        );
    }
    Ok(cells.into_iter().map(truncate).collect())
}

/// Texts; missing is the empty text.
fn texts(column: &Column, rows: &[usize]) -> Vec<Arc<str>> {
    if let ColumnData::Category { codes, levels } = &column.data {
        let shared: Vec<Arc<str>> = levels.iter().map(|level| level.as_str().into()).collect();
        let cell = |row: &usize| {
            let code = codes.get(*row).copied().unwrap_or(MISSING_LEVEL);
            let level = usize::try_from(code).ok().and_then(|code| shared.get(code));
            level.map_or_else(|| "".into(), Arc::clone)
        };
        return rows.iter().map(cell).collect();
    }
    rows.iter().map(|row| column.cell_text(*row).into()).collect()
}
