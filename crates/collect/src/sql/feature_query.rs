//! `features.sql`: one SELECT over customers and events, as of the cut-off.

use std::collections::BTreeMap;

use datafusion::arrow::record_batch::RecordBatch;
use datafusion::error::DataFusionError;
use datafusion::execution::context::{SQLOptions, SessionContext};
use thalweg_domain::{Column, Error, Result, Table, Timestamp};

use super::message::message;
use super::{block_on, session};
use crate::arrow::{batch, is_flat, read_columns, to_array};
use crate::infer::{Reading, column, words_column};
use crate::source::Cells;
use crate::spec::SqlFile;

/// What the query sees.
pub(crate) struct FeatureQuery<'a> {
    pub(crate) sql: &'a SqlFile,
    pub(crate) cutoff: Timestamp,
    /// The customers' key column.
    pub(crate) key: &'a str,
    pub(crate) customers: &'a Table,
    /// Events before the cut-off; absent when the configuration has none.
    pub(crate) events: Option<&'a Table>,
}

/// Runs the query; the result's key column is text.
pub(crate) fn run(query: &FeatureQuery<'_>) -> Result<Table> {
    let sql = with_cutoff(&query.sql.text, &cutoff_literal(query.cutoff, &query.sql.name)?);
    let context = session();
    register(&context, "customers", query.customers).map_err(|cause| refused(&query.sql.name, &cause))?;
    if let Some(events) = query.events {
        register(&context, "events", events).map_err(|cause| refused(&query.sql.name, &cause))?;
    }
    let batches = block_on(select(&context, &sql, &query.sql.name))?;
    to_table(&batches, query)
}

fn register(context: &SessionContext, name: &str, table: &Table) -> Result<(), DataFusionError> {
    let columns = table
        .columns()
        .iter()
        .map(|column| (column.name.clone(), to_array(column)))
        .collect();
    context.register_batch(name, batch(columns)?).map(|_| ())
}

async fn select(context: &SessionContext, sql: &str, file: &str) -> Result<Vec<RecordBatch>> {
    let only_select = SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false);
    let frame = context
        .sql_with_options(sql, only_select)
        .await
        .map_err(|cause| refused(file, &cause))?;
    let schema = frame.schema().as_arrow().clone();
    let mut batches = frame.collect().await.map_err(|cause| refused(file, &cause))?;
    batches.insert(0, RecordBatch::new_empty(std::sync::Arc::new(schema)));
    Ok(batches)
}

fn refused(file: &str, cause: &DataFusionError) -> Error {
    let message = message(cause);
    Error::new("TW0219", format!("the query cannot be run: {}", message.text))
        .hint(message.hint.unwrap_or_else(|| {
            "it must be one SELECT over customers and events; the outcome column is not visible to it"
                .to_owned()
        }))
        .at(file, None, None)
}

fn cutoff_literal(cutoff: Timestamp, file: &str) -> Result<String> {
    let moment = jiff::Timestamp::from_microsecond(cutoff.0)
        .map_err(|_| Error::new("TW0219", "the cut-off lies outside the calendar").at(file, None, None))?;
    let text = moment.to_string();
    Ok(format!(
        "arrow_cast('{}', 'Timestamp(Microsecond, None)')",
        text.trim_end_matches('Z')
    ))
}

/// Replaces `:cutoff` outside quotes and comments.
fn with_cutoff(sql: &str, literal: &str) -> String {
    const NAME: &str = ":cutoff";
    let mut out = String::with_capacity(sql.len() + literal.len());
    let mut rest = sql;
    while let Some(next) = rest.chars().next() {
        let after = rest.get(NAME.len()..).and_then(|after| after.chars().next());
        let whole_word = !after.is_some_and(|c| c.is_alphanumeric() || c == '_');
        if rest.starts_with(NAME) && whole_word && !out.ends_with(':') {
            out.push_str(literal);
            rest = rest.get(NAME.len()..).unwrap_or_default();
            continue;
        }
        let length = quoted_length(rest).unwrap_or(next.len_utf8());
        out.push_str(rest.get(..length).unwrap_or_default());
        rest = rest.get(length..).unwrap_or_default();
    }
    out
}

/// The length of the quoted text or comment that starts here.
fn quoted_length(rest: &str) -> Option<usize> {
    let (open, close) = [("'", "'"), ("\"", "\""), ("--", "\n"), ("/*", "*/")]
        .into_iter()
        .find(|(open, _)| rest.starts_with(open))?;
    let body = rest.get(open.len()..)?;
    Some(
        body.find(close)
            .map_or(rest.len(), |at| open.len() + at + close.len()),
    )
}

fn to_table(batches: &[RecordBatch], query: &FeatureQuery<'_>) -> Result<Table> {
    let file = &query.sql.name;
    if let Some(schema) = batches.first().map(RecordBatch::schema)
        && let Some(field) = schema.fields().iter().find(|field| !is_flat(field.data_type()))
    {
        let text = format!(
            "column \"{}\" is of type {}, not a number, a truth value, a date or text",
            field.name(),
            field.data_type()
        );
        return Err(Error::new("TW0219", text)
            .hint("take it apart in the query, for example date_part('day', …) for an interval")
            .at(file, None, Some(field.name())));
    }
    let readings = BTreeMap::from([(query.key, Reading::Key)]);
    let columns = read_columns(batches, &readings).map_err(|cause| refused(file, &cause.into()))?;
    let typed = columns.into_iter().map(|(name, cells)| typed(name, cells, query));
    Table::new(typed.collect::<Result<_>>()?)
}

fn typed(name: String, cells: Cells, query: &FeatureQuery<'_>) -> Result<Column> {
    let data = match cells {
        Cells::Text(texts) if name != query.key => words_column(
            &texts
                .iter()
                .map(|text| (!text.is_empty()).then_some(text))
                .collect::<Vec<_>>(),
        ),
        cells => {
            let reading = if name == query.key {
                Reading::Key
            } else {
                Reading::Infer
            };
            column(cells, reading, &[]).map_err(|fault| {
                Error::new(
                    "TW0223",
                    format!(
                        "row {} of the query's result has an infinite \"{name}\"",
                        fault.row + 1
                    ),
                )
                .hint("guard the division, for example total / nullif(n, 0)")
                .at(&query.sql.name, None, Some(&name))
            })?
        }
    };
    Ok(Column { name, data })
}

#[cfg(test)]
mod tests {
    use super::with_cutoff;

    fn check(sql: &str, expected: &str) {
        assert_eq!(with_cutoff(sql, "T"), expected);
    }

    #[test]
    fn the_cutoff_is_replaced_outside_quotes_and_comments() {
        check("a < :cutoff", "a < T");
        check("a<:cutoff AND b>=:cutoff-1", "a<T AND b>=T-1");
        check("':cutoff' \":cutoff\" :cutoff", "':cutoff' \":cutoff\" T");
        check("-- :cutoff\n:cutoff /* :cutoff */", "-- :cutoff\nT /* :cutoff */");
        check(":cutoffs é::cutoff", ":cutoffs é::cutoff");
        check("'unclosed :cutoff", "'unclosed :cutoff");
    }
}
