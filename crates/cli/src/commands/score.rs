//! `thalweg score`: how many rows, how fast, and what was missing or new in them.

use std::process::ExitCode;

use thalweg_domain::Result;
use thalweg_engine::score::{ScoreOut, ScoreRequest, score};

use crate::args::ScoreArgs;
use crate::context::Context;
use crate::text::{Align, Grid, clip, count, heading, wrap};

/// Columns that the tables name, at most; `--json` has all of them.
const SHOWN: usize = 20;

pub(crate) fn run(context: &Context, args: &ScoreArgs) -> Result<ExitCode> {
    let request = ScoreRequest {
        model: args.model.clone(),
        data: args.data.clone(),
        out: args.out.clone(),
        key: args.key.clone(),
        keep: args.keep.clone(),
        dir: context.dir(None),
        dir_given: context.dir_given(),
    };
    let out = score(&request, &context.options())?;
    context.output.result(&out, render)?;
    Ok(ExitCode::SUCCESS)
}

fn render(out: &ScoreOut) -> String {
    let rows = rows(out.rows);
    let mut text = wrap(
        &format!(
            "{rows} rows scored with {} ({}) in {:.2} s, {} a second",
            out.model,
            out.learner,
            out.seconds,
            count(whole(out.rows_per_second))
        ),
        0,
    );
    text.push_str(&wrap(
        &format!("written {}: {}", out.file, out.columns.join(", ")),
        2,
    ));
    text.push_str(&missing(out));
    text.push_str(&unseen(out));
    text
}

fn missing(out: &ScoreOut) -> String {
    if out.missing.is_empty() {
        return String::new();
    }
    let mut grid = Grid::new(&[("column", Align::Left), ("missing", Align::Right)]);
    let mut columns: Vec<_> = out.missing.iter().collect();
    columns.sort_by(|a, b| b.1.cmp(a.1));
    for (name, cells) in columns.iter().take(SHOWN) {
        grid.row(vec![clip(name, 60), rows(**cells)]);
    }
    format!(
        "{}{}{}",
        heading("Missing cells"),
        grid.render(2),
        more(columns.len())
    )
}

fn unseen(out: &ScoreOut) -> String {
    if out.unseen.is_empty() {
        return String::new();
    }
    let mut grid = Grid::new(&[
        ("column", Align::Left),
        ("rows", Align::Right),
        ("such as", Align::Left),
    ]);
    for (name, found) in out.unseen.iter().take(SHOWN) {
        grid.row(vec![
            clip(name, 40),
            rows(found.rows),
            clip(&found.levels.join(", "), 40),
        ]);
    }
    format!(
        "{}{}{}",
        heading("Levels that training did not have"),
        grid.render(2),
        more(out.unseen.len())
    )
}

fn more(columns: usize) -> String {
    match columns.checked_sub(SHOWN) {
        None | Some(0) => String::new(),
        Some(rest) => format!("  and {rest} more columns: --json lists them\n"),
    }
}

fn rows(number: u64) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX))
}

/// A speed without its fraction.
fn whole(number: f64) -> usize {
    format!("{number:.0}").parse().unwrap_or(0)
}
