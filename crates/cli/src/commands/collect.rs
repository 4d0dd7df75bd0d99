//! `thalweg collect`: the table that was read.

use std::process::ExitCode;

use thalweg_domain::Result;
use thalweg_engine::wire::TableOut;

use super::run::single;
use crate::context::Context;
use crate::text::{count, wrap};

pub(crate) fn run(context: &Context) -> Result<ExitCode> {
    let session = context.session(None)?;
    let (stage, table) = session.collect()?;
    context.output.result(&table, |table| {
        format!(
            "{}{}\nnext    {}\n",
            single(&stage),
            render(table),
            session.suggest("train")
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

fn render(table: &TableOut) -> String {
    let mut text = wrap(
        &format!(
            "Table {}: {} rows ({} with an outcome, {} to decide on), {} columns for the models.",
            table.table,
            count(table.rows),
            count(table.labelled),
            count(table.to_decide),
            table.columns
        ),
        2,
    );
    for (column, cells) in &table.missing {
        text.push_str(&wrap(
            &format!(
                "{column}: {} empty cells, imputed inside each training fold",
                count(*cells)
            ),
            4,
        ));
    }
    for dropped in &table.dropped {
        text.push_str(&wrap(
            &format!("{}: left out, {}", dropped.column, dropped.reason),
            4,
        ));
    }
    for warning in &table.warnings {
        text.push_str(&wrap(&format!("note: {warning}"), 2));
    }
    text
}
