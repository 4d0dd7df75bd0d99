//! `thalweg evaluate`: metrics with their doubt, the learners side by side, the checks.

use std::process::ExitCode;

use thalweg_domain::Result;
use thalweg_engine::wire::{EvaluationOut, Metrics};

use super::run::single;
use super::{check_lines, exit_for};
use crate::context::Context;
use crate::text::{Align, Grid, count, heading, percent, plus_minus, verdict, wrap};

/// The metrics that tell learners apart, by kind of target.
fn shown_metrics(task: &str) -> &'static [&'static str] {
    match task {
        "class" => &[
            "accuracy",
            "balanced_accuracy",
            "auc_macro",
            "log_loss",
            "f1_macro",
            "recall_macro",
        ],
        "value" => &["rmse", "mae", "median_absolute_error", "r2"],
        _ => &[
            "auc",
            "average_precision",
            "log_loss",
            "brier",
            "f1",
            "recall",
            "accuracy",
        ],
    }
}

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

/// The figures, the learners side by side, thresholds, groups and checks.
pub(crate) fn render(out: &EvaluationOut) -> String {
    let mut text = wrap(&headline(out), 2);
    text.push_str(&heading("Metrics (± half of a 95 % interval)"));
    text.push_str(&metric_table(out).render(2));
    if out.candidates.len() > 1 {
        text.push_str(&heading("Learners under the same folds"));
        text.push_str(&candidate_table(out).render(2));
    }
    text.push_str(&random_split(out));
    text.push_str(&classes(out));
    text.push_str(&threshold(out));
    text.push_str(&groups(out));
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

fn headline(out: &EvaluationOut) -> String {
    let about = match out.task.as_str() {
        "class" => format!(", {} classes", out.classes.len()),
        "value" => String::new(),
        _ => format!(", {} with the outcome", percent(out.positive_rate, 1)),
    };
    let made_of = if out.members.len() > 1 {
        let parts = out.members.iter();
        let parts: Vec<String> = parts
            .map(|member| format!("{} {}", percent(member.share, 0), member.learner))
            .collect();
        format!("{} of {}", out.learner, parts.join(", "))
    } else {
        out.learner.clone()
    };
    format!(
        "Model {} ({made_of}): {} rows{about}; {}.",
        out.model,
        count(out.rows),
        out.protocol
    )
}

/// What a random split would have claimed.
fn random_split(out: &EvaluationOut) -> String {
    let Some(random) = &out.random_split else {
        return String::new();
    };
    let mut grid = Grid::new(&[
        ("metric", Align::Left),
        ("rolling", Align::Right),
        ("random", Align::Right),
        ("random minus rolling", Align::Right),
    ]);
    for name in shown_metrics(&out.task) {
        let (Some(own), Some(claimed)) = (out.metrics.get(*name), random.metrics.get(*name)) else {
            continue;
        };
        grid.row(vec![
            (*name).to_owned(),
            format!("{:.4}", own.mean),
            format!("{:.4}", claimed.mean),
            format!("{:+.4}", claimed.mean - own.mean),
        ]);
    }
    format!(
        "{}{}",
        heading("Earlier days against later ones, and what a random split claims"),
        grid.render(2)
    )
}

/// The classes with what they were taken for.
fn classes(out: &EvaluationOut) -> String {
    if out.classes.is_empty() {
        return String::new();
    }
    let mut grid = Grid::new(&[
        ("class", Align::Left),
        ("share", Align::Right),
        ("found", Align::Right),
        ("most often taken for", Align::Left),
    ]);
    for (at, class) in out.classes.iter().enumerate() {
        let rows: f64 = class.taken_for.iter().sum();
        let found = class.taken_for.get(at).copied().unwrap_or(0.0) / rows.max(1.0);
        let others = class
            .taken_for
            .iter()
            .enumerate()
            .filter(|(other, n)| *other != at && **n > 0.0);
        let worst = others.max_by(|a, b| a.1.total_cmp(b.1));
        let taken_for = worst.and_then(|(other, n)| {
            let name = &out.classes.get(other)?.name;
            Some(format!("{name} ({})", percent(n / rows.max(1.0), 1)))
        });
        grid.row(vec![
            class.name.clone(),
            percent(class.share, 1),
            percent(found, 1),
            taken_for.unwrap_or_default(),
        ]);
    }
    format!("{}{}", heading("Classes, out of fold"), grid.render(2))
}

/// Where positives begin and what the scores are worth.
fn threshold(out: &EvaluationOut) -> String {
    let Some(found) = &out.threshold else {
        return String::new();
    };
    let why = match found.rule.as_str() {
        "given" => "as the configuration says",
        "no_costs" => "without costs, every mistake weighs the same",
        "most_profitable" => "the most profitable one, found on other folds",
        _ => "where a contact pays for itself",
    };
    let mut text = heading("Threshold");
    text.push_str(&wrap(
        &format!(
            "Somebody counts as positive from {:.3} on: {why}.",
            found.threshold
        ),
        2,
    ));
    if let (Some(profit), Some(gain)) = (&found.profit, &found.gain_over_half) {
        text.push_str(&wrap(
            &format!(
                "That earns {} a customer, {} more than one half would.",
                plus_minus(profit.mean, profit.ci95, 3),
                plus_minus(gain.mean, gain.ci95, 3)
            ),
            2,
        ));
    }
    text
}

/// How groups are treated.
fn groups(out: &EvaluationOut) -> String {
    let mut text = String::new();
    for column in &out.fairness {
        text.push_str(&heading(&format!(
            "Groups of {} ({})",
            column.column, column.action
        )));
        let mut grid = Grid::new(&[
            ("group", Align::Left),
            ("rows", Align::Right),
            ("selected", Align::Right),
            ("of positives", Align::Right),
            ("of negatives", Align::Right),
            ("predicted", Align::Right),
            ("observed", Align::Right),
            ("threshold", Align::Right),
        ]);
        for group in &column.groups {
            grid.row(vec![
                group.level.clone(),
                count(group.n),
                plus_minus(group.selection_rate.mean, group.selection_rate.ci95, 3),
                plus_minus(group.true_positive_rate.mean, group.true_positive_rate.ci95, 3),
                plus_minus(group.false_positive_rate.mean, group.false_positive_rate.ci95, 3),
                format!("{:.3}", group.predicted),
                plus_minus(group.observed.mean, group.observed.ci95, 3),
                group
                    .threshold
                    .map_or_else(String::new, |own| format!("{own:.3}")),
            ]);
        }
        text.push_str(&grid.render(2));
        if let Some(found) = &column.equalised {
            text.push_str(&wrap(
                &format!(
                    "Thresholds by group take the gap from {:.3} to {:.3} and accuracy from {:.4} to {:.4}.",
                    found.gap[0], found.gap[1], found.accuracy[0], found.accuracy[1]
                ),
                2,
            ));
        }
    }
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
    let metrics = shown_metrics(&out.task);
    titles.extend(metrics.iter().map(|name| (*name, Align::Right)));
    let mut grid = Grid::new(&titles);
    for candidate in &out.candidates {
        let mut row = vec![candidate.learner.clone()];
        row.extend(metrics.iter().map(|name| shown(&candidate.metrics, name)));
        grid.row(row);
    }
    grid
}

fn shown(metrics: &Metrics, name: &str) -> String {
    metrics
        .get(name)
        .map_or_else(String::new, |metric| format!("{:.4}", metric.mean))
}
