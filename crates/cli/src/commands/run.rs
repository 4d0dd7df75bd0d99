//! `thalweg run`: the stages up to the plan, and what they say to a person.

use std::process::ExitCode;

use thalweg_domain::Result;
use thalweg_engine::wire::{EvaluationOut, RunOut, StageOut};

use super::{check_lines, exit_for, stage_lines};
use crate::args::RunArgs;
use crate::commands::plan;
use crate::context::Context;
use crate::text::{count, heading, percent, wrap};

pub(crate) fn run(context: &Context, args: &RunArgs) -> Result<ExitCode> {
    let mut session = context.session(args.place.as_deref())?;
    session.options.again = args.again;
    let out = session.run()?;
    context.output.result(&out, |out| render(out, context.timings))?;
    Ok(exit_for(&out.evaluation.checks))
}

fn render(out: &RunOut, timings: bool) -> String {
    if out.stages.iter().all(|stage| stage.state == "unchanged") {
        return unchanged(out, timings);
    }
    let mut text = opening(out);
    text.push('\n');
    text.push_str(&stage_lines(&out.stages));
    text.push_str(&who(out));
    text.push_str(&plan::what_to_do(&out.plan, &out.currency));
    let checks = check_lines(&out.evaluation.checks);
    if !checks.is_empty() {
        text.push_str(&heading("To look at"));
        text.push_str(&checks);
    }
    for warning in &out.table.warnings {
        text.push_str(&wrap(&format!("note: {warning}"), 2));
    }
    text.push_str(&format!("\nnext    {}\n", out.next));
    text
}

fn opening(out: &RunOut) -> String {
    let day = out.as_of.get(..10).unwrap_or(&out.as_of);
    let replay = if out.table.replayed {
        format!(", snapshot replayed as of {day}")
    } else {
        String::new()
    };
    format!(
        "{}: {} rows, {} columns, {} to decide on{replay}\n",
        out.workspace,
        count(out.table.rows),
        out.table.columns,
        count(out.table.to_decide)
    )
}

fn unchanged(out: &RunOut, timings: bool) -> String {
    let mut text = wrap(
        &format!(
            "{}: nothing changed since plan {} (cycle {}). Change thalweg.toml or the data, or use --again.",
            out.workspace, out.plan.plan, out.plan.cycle
        ),
        0,
    );
    if timings {
        text.push_str(&stage_lines(&out.stages));
    }
    text.push_str(&format!("next    {}\n", out.next));
    text
}

/// Who leaves (or buys), and what tells.
fn who(out: &RunOut) -> String {
    let (evaluation, table) = (&out.evaluation, &out.table);
    let words = if out.kind == "churn" {
        ("leaves", "left", "leave")
    } else {
        ("buys", "bought", "buy")
    };
    let mut text = heading(&format!("Who {}", words.0));
    text.push_str(&wrap(&rate_sentence(evaluation, words), 2));
    let telling: Vec<&str> = evaluation
        .importance
        .iter()
        .take(5)
        .map(|(name, _)| name.as_str())
        .collect();
    if !telling.is_empty() {
        text.push_str(&wrap(&format!("What tells most: {}.", telling.join(", ")), 2));
    }
    let left_out: Vec<String> = table
        .dropped
        .iter()
        .map(|dropped| format!("{} ({})", dropped.column, dropped.reason))
        .collect();
    if !left_out.is_empty() {
        text.push_str(&wrap(&format!("Left out: {}.", left_out.join("; ")), 2));
    }
    text
}

fn rate_sentence(evaluation: &EvaluationOut, (_, past, present): (&str, &str, &str)) -> String {
    let base = format!("{} {past}.", percent(evaluation.positive_rate, 1));
    let lift = evaluation
        .metrics
        .get("top_decile_lift")
        .map_or(0.0, |lift| lift.mean);
    match evaluation.deciles.first() {
        Some(top) if top.n > 0 => format!(
            "{base} In the likeliest tenth {} {present}, {lift:.1} times the average.",
            percent(top.observed, 0)
        ),
        _ => base,
    }
}

/// `stage` lines for a single stage command.
pub(crate) fn single(stage: &StageOut) -> String {
    stage_lines(std::slice::from_ref(stage))
}
