//! `thalweg score`: how many rows, how fast, and what was missing or new in them.

use std::process::ExitCode;

use thalweg_domain::{Error, Result};
use thalweg_engine::score::{Decide, DecidedOut, ScoreOut, ScoreRequest, score};

use crate::args::ScoreArgs;
use crate::context::Context;
use crate::text::{Align, Grid, clip, count, heading, percent, wrap};

/// Columns that the tables name, at most; `--json` has all of them.
const SHOWN: usize = 20;

pub(crate) fn run(context: &Context, args: &ScoreArgs) -> Result<ExitCode> {
    let request = ScoreRequest {
        model: args.model.clone(),
        data: args.data.clone(),
        out: args.out.clone(),
        key: args.key.clone(),
        keep: args.keep.clone(),
        decide: args.decide.as_deref().map(decide).transpose()?,
        dir: context.dir(None),
        dir_given: context.dir_given(),
    };
    let out = score(&request, &context.options())?;
    context.output.result(&out, render)?;
    Ok(ExitCode::SUCCESS)
}

/// `--decide` alone, or with a probability.
fn decide(word: &str) -> Result<Decide> {
    if word == "evaluated" {
        return Ok(Decide::Evaluated);
    }
    match word.parse::<f64>() {
        Ok(from) if (0.0..=1.0).contains(&from) => Ok(Decide::From(from)),
        _ => Err(
            Error::new("TW0109", format!("--decide {word} is not a probability")).hint(
                "give a number from 0 to 1, or --decide alone for the thresholds of the model's evaluation",
            ),
        ),
    }
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
    text.push_str(
        &out.decided
            .as_ref()
            .map_or_else(String::new, |own| selected(own, out.rows)),
    );
    text.push_str(&missing(out));
    text.push_str(&unseen(out));
    text
}

/// How many are selected, by group where each has a threshold of its own.
fn selected(decided: &DecidedOut, all: u64) -> String {
    let share = |selected: u64, rows: u64| percent(selected as f64 / (rows as f64).max(1.0), 1);
    let by = match &decided.column {
        None => format!("from {:.3} on ({})", decided.threshold, decided.rule),
        Some(column) => format!("each group of {column} from its own threshold on"),
    };
    let line = format!(
        "selected {} ({}), {by}",
        rows(decided.selected),
        share(decided.selected, all)
    );
    let mut text = wrap(&line, 2);
    if decided.groups.is_empty() {
        return text;
    }
    let heads = [
        ("group", Align::Left),
        ("rows", Align::Right),
        ("from", Align::Right),
        ("selected", Align::Right),
    ];
    let mut grid = Grid::new(&heads);
    for (group, own) in &decided.groups {
        grid.row(vec![
            clip(group, 40),
            rows(own.rows),
            format!("{:.3}", own.threshold),
            share(own.selected, own.rows),
        ]);
    }
    text.push_str(&heading("Selected by group"));
    text.push_str(&grid.render(2));
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
