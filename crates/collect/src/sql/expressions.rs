//! The configuration's expressions and conditions, all in one pass over the customers.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, UInt64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, UInt64Type};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::DFSchema;
use datafusion::error::DataFusionError;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::{Expr, ExprSchemable};
use datafusion::prelude::ident;
use thalweg_domain::{Error, Result, Table};

use super::message::message;
use super::{block_on, session};
use crate::arrow::{batch, numbers, to_array};
use crate::spec::CollectSpec;

/// The column that carries the row number through the query; no source can have it, since it is not trimmed.
const ROW: &str = " row";

/// Results per name, one entry per customer.
#[derive(Default)]
pub(crate) struct Evaluated {
    /// NaN where missing.
    pub(crate) expressions: BTreeMap<String, Vec<f64>>,
    /// `None` where unknown.
    pub(crate) conditions: BTreeMap<String, Vec<Option<bool>>>,
}

/// Evaluates every expression and condition.
pub(crate) fn evaluate(customers: &Table, spec: &CollectSpec) -> Result<Evaluated> {
    if spec.expressions.is_empty() && spec.conditions.is_empty() {
        return Ok(Evaluated::default());
    }
    let context = session();
    let mut columns: Vec<(String, ArrayRef)> = customers
        .columns()
        .iter()
        .map(|column| (column.name.clone(), to_array(column)))
        .collect();
    columns.push((
        ROW.to_owned(),
        Arc::new((0..customers.n_rows() as u64).collect::<UInt64Array>()),
    ));
    let registered = batch(columns).map_err(DataFusionError::from);
    registered
        .and_then(|batch| context.register_batch("customers", batch))
        .map_err(|cause| refused("customers", &cause))?;
    let rows = block_on(query(&context, spec))?;
    read_results(&rows, customers.n_rows(), spec)
}

async fn query(context: &SessionContext, spec: &CollectSpec) -> Result<Vec<RecordBatch>> {
    let frame = context
        .table("customers")
        .await
        .map_err(|cause| refused("customers", &cause))?;
    let mut selected = vec![ident(ROW)];
    for (at, (name, sql)) in spec.expressions.iter().enumerate() {
        selected.push(
            parse(context, frame.schema(), name, sql)?
                .numeric(frame.schema())?
                .alias(format!("e{at}")),
        );
    }
    for (at, (name, sql)) in spec.conditions.iter().enumerate() {
        selected.push(
            parse(context, frame.schema(), name, sql)?
                .truth(frame.schema())?
                .alias(format!("c{at}")),
        );
    }
    let names: Vec<&str> = all(spec).map(|(name, _)| name.as_str()).collect();
    let who = names.join(", ");
    let frame = frame.select(selected).map_err(|cause| refused(&who, &cause))?;
    frame.collect().await.map_err(|cause| refused(&who, &cause))
}

fn all(spec: &CollectSpec) -> impl Iterator<Item = &(String, String)> {
    spec.expressions.iter().chain(&spec.conditions)
}

/// A parsed expression with the name and the text that the user knows it by.
struct Parsed<'a> {
    name: &'a str,
    sql: &'a str,
    expr: Expr,
}

fn parse<'a>(context: &SessionContext, schema: &DFSchema, name: &'a str, sql: &'a str) -> Result<Parsed<'a>> {
    let expr = context
        .parse_sql_expr(sql, schema)
        .map_err(|cause| refused_sql(name, sql, &cause))?;
    Ok(Parsed { name, sql, expr })
}

impl Parsed<'_> {
    fn data_type(&self, schema: &DFSchema) -> Result<DataType> {
        self.expr
            .get_type(schema)
            .map_err(|cause| refused_sql(self.name, self.sql, &cause))
    }

    fn numeric(self, schema: &DFSchema) -> Result<Expr> {
        let found = self.data_type(schema)?;
        if found.is_numeric() || found == DataType::Null {
            return Ok(self.expr);
        }
        Err(wrong_type(&self, "a number", &found))
    }

    fn truth(self, schema: &DFSchema) -> Result<Expr> {
        let found = self.data_type(schema)?;
        if found == DataType::Boolean {
            return Ok(self.expr);
        }
        Err(wrong_type(&self, "true or false", &found))
    }
}

fn wrong_type(parsed: &Parsed<'_>, wanted: &str, found: &DataType) -> Error {
    let found = match found {
        DataType::Boolean => "true or false".to_owned(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_owned(),
        DataType::Timestamp(_, _) | DataType::Date32 | DataType::Date64 => "a date".to_owned(),
        other if other.is_numeric() => "a number".to_owned(),
        other => other.to_string(),
    };
    Error::new(
        "TW0220",
        format!(
            "{} = \"{}\" gives {found}, it must give {wanted}",
            parsed.name, parsed.sql
        ),
    )
    .hint("write a SQL expression over the customers' columns, such as monthly_charges * 12 or tenure > 3")
}

fn refused_sql(name: &str, sql: &str, cause: &DataFusionError) -> Error {
    refused(&format!("{name} = \"{sql}\""), cause)
}

fn refused(who: &str, cause: &DataFusionError) -> Error {
    let message = message(cause);
    Error::new("TW0220", format!("{who} cannot be computed: {}", message.text)).hint(
        message.hint.unwrap_or_else(|| {
            "write a SQL expression over the customers' columns; put double quotes around a name with spaces"
                .to_owned()
        }),
    )
}

fn read_results(batches: &[RecordBatch], n_rows: usize, spec: &CollectSpec) -> Result<Evaluated> {
    let broken = |_| {
        Error::new(
            "TW0901",
            "internal error: an expression's result has an unexpected shape",
        )
    };
    let mut evaluated = Evaluated::default();
    for (at, (name, _)) in spec.expressions.iter().enumerate() {
        let mut cells = vec![f64::NAN; n_rows];
        for batch in batches {
            let result = batch
                .column_by_name(&format!("e{at}"))
                .map(numbers)
                .transpose()
                .map_err(broken)?;
            place(&mut cells, batch, result.unwrap_or_default());
        }
        evaluated.expressions.insert(name.clone(), cells);
    }
    for (at, (name, _)) in spec.conditions.iter().enumerate() {
        let mut cells = vec![None; n_rows];
        for batch in batches {
            let result = batch
                .column_by_name(&format!("c{at}"))
                .map(truths)
                .transpose()
                .map_err(broken)?;
            place(&mut cells, batch, result.unwrap_or_default());
        }
        evaluated.conditions.insert(name.clone(), cells);
    }
    Ok(evaluated)
}

fn truths(array: &ArrayRef) -> std::result::Result<Vec<Option<bool>>, datafusion::arrow::error::ArrowError> {
    Ok(cast(array, &DataType::Boolean)?.as_boolean().iter().collect())
}

/// Puts a batch's results at their customers' rows.
fn place<T>(cells: &mut [T], batch: &RecordBatch, results: Vec<T>) {
    let Some(rows) = batch
        .column_by_name(ROW)
        .and_then(|rows| rows.as_primitive_opt::<UInt64Type>())
    else {
        return;
    };
    for (row, result) in rows.values().iter().zip(results) {
        if let Some(cell) = usize::try_from(*row).ok().and_then(|row| cells.get_mut(row)) {
            *cell = result;
        }
    }
}
