//! `thalweg init`: what was found, what was guessed, what to do next.

use std::process::ExitCode;

use thalweg_domain::Result;
use thalweg_engine::init::{InitRequest, init};
use thalweg_engine::wire::{InitOut, ProfileColumnOut};

use crate::args::InitArgs;
use crate::context::Context;
use crate::text::{Align, Grid, clip, count, wrap};

pub(crate) fn run(context: &Context, args: &InitArgs) -> Result<ExitCode> {
    let request = InitRequest {
        dir: context.dir(args.place.as_deref()),
        from: args.from.clone(),
        key: args.key.clone(),
        target: args.target.clone(),
        positive: args.positive.clone(),
        seed: context.options().seed,
        force: args.force,
    };
    let out = init(&request)?;
    context.output.result(&out, render)?;
    Ok(ExitCode::SUCCESS)
}

/// What a table holds.
pub(crate) fn columns(rows: usize, columns: &[ProfileColumnOut]) -> String {
    let mut grid = Grid::new(&[
        ("column", Align::Left),
        ("type", Align::Left),
        ("empty", Align::Right),
        ("distinct", Align::Right),
        ("range or most frequent", Align::Left),
    ]);
    for column in columns {
        grid.row(vec![
            clip(&column.name, 28),
            column.kind.clone(),
            count(column.missing),
            count(column.distinct),
            clip(&column.range, 38),
        ]);
    }
    format!(
        "{} rows, {} columns\n\n{}",
        count(rows),
        columns.len(),
        grid.render(2)
    )
}

fn render(out: &InitOut) -> String {
    let mut text = columns(out.rows, &out.columns);
    if !out.excluded.is_empty() {
        text.push_str("\nKept from the models\n");
        for column in &out.excluded {
            text.push_str(&wrap(&format!("{}: {}", column.column, column.reason), 2));
        }
    }
    for warning in &out.warnings {
        text.push_str(&wrap(&format!("note: {warning}"), 2));
    }
    text.push_str("\nGuessed (each line is marked # guess in the file)\n");
    for guess in &out.guesses {
        text.push_str(&wrap(guess, 2));
    }
    text.push_str(&format!("\nwritten {}\nnext    {}\n", out.file, out.next));
    text
}
