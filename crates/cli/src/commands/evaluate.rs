//! `thalweg evaluate`: metrics with their doubt, the learners side by side, the checks.

use std::process::ExitCode;

use thalweg_domain::Result;
use thalweg_engine::wire::{EvaluationOut, Metrics};

use super::run::single;
use super::{check_lines, exit_for};
use crate::context::Context;
use crate::text::{Align, Grid, count, heading, percent, plus_minus, verdict, wrap};

const SHOWN: &[&str] = &[
    "auc",
    "log_loss",
    "brier",
    "f1",
    "recall",
    "precision",
    "accuracy",
];

pub(crate) fn run(context: &Context) -> Result<ExitCode> {
    let session = context.session(None)?;
    let (stage, out) = session.evaluate()?;
    context.output.result(&out, |out| {
        format!(
            "{}{}\nnext    {}\n",
            single(&stage),
            render(out),
            session.suggest("plan")
        )
    })?;
    Ok(exit_for(&out.checks))
}

fn render(out: &EvaluationOut) -> String {
    let mut text = wrap(
        &format!(
            "Model {} ({}): {} rows, {} with the outcome; {}.",
            out.model,
            out.learner,
            count(out.rows),
            percent(out.positive_rate, 1),
            out.protocol
        ),
        2,
    );
    text.push_str(&heading("Metrics (± half of a 95 % interval)"));
    text.push_str(&metric_table(out).render(2));
    if out.candidates.len() > 1 {
        text.push_str(&heading("Learners under the same folds"));
        text.push_str(&candidate_table(out).render(2));
    }
    text.push_str(&heading("Checks"));
    for check in out.checks.iter().filter(|check| check.verdict == "PASS") {
        text.push_str(&wrap(
            &format!("{}  {}: {}", verdict(&check.verdict), check.name, check.detail),
            2,
        ));
    }
    text.push_str(&check_lines(&out.checks));
    text
}

fn metric_table(out: &EvaluationOut) -> Grid {
    let test = format!("untouched {}", count(out.test.rows));
    let mut grid = Grid::new(&[
        ("metric", Align::Left),
        ("cross-validated", Align::Right),
        (&test, Align::Right),
    ]);
    for (name, metric) in &out.metrics {
        let tested = out
            .test
            .metrics
            .get(name)
            .map_or_else(String::new, |metric| plus_minus(metric.mean, metric.ci95, 3));
        grid.row(vec![
            name.clone(),
            plus_minus(metric.mean, metric.ci95, 3),
            tested,
        ]);
    }
    grid
}

fn candidate_table(out: &EvaluationOut) -> Grid {
    let mut titles = vec![("learner", Align::Left)];
    titles.extend(SHOWN.iter().map(|name| (*name, Align::Right)));
    let mut grid = Grid::new(&titles);
    for candidate in &out.candidates {
        let mut row = vec![candidate.learner.clone()];
        row.extend(SHOWN.iter().map(|name| shown(&candidate.metrics, name)));
        grid.row(row);
    }
    grid
}

fn shown(metrics: &Metrics, name: &str) -> String {
    metrics
        .get(name)
        .map_or_else(String::new, |metric| format!("{:.4}", metric.mean))
}
