//! Why the numbers may be believed: checks, metrics, what else was tried, and how to get the same again.

use thalweg_domain::Result;

use super::chart::{Axis, Ink, Line, Plot, Stroke, plot};
use super::facts::Facts;
use super::html::{Cell, Figure, Table, escape, note, number, paragraph, put, text};
use super::words::{count, grouped};
use crate::count::to_f64;
use crate::wire::{CheckOut, EpochOut, EvaluationOut, Mean95, Metrics};

/// Metrics in reading order with their names.
const METRICS: &[(&str, &str)] = &[
    ("auc", "AUC"),
    ("accuracy", "Accuracy"),
    ("precision", "Precision"),
    ("recall", "Recall"),
    ("f1", "F1"),
    ("log_loss", "Log loss"),
    ("brier", "Brier score"),
    ("calibration_error", "Calibration error"),
    ("top_decile_lift", "Top-decile lift"),
    ("profit_per_customer", "Profit per customer"),
];

pub(super) fn section(facts: &Facts) -> Result<String> {
    let mut out = String::new();
    if let Some(found) = &facts.evaluation {
        out.push_str(&paragraph(&standing(&found.checks)));
        out.push_str(&checks("Checks on the model", &found.checks).html());
        out.push_str(&metrics(found).html());
        out.push_str(&note(&format!(
            "Cross-validated: {}, {} rows. Untouched: {} rows that fitting, tuning and choosing never saw. Profit per customer is in {}.",
            found.protocol,
            count(found.rows),
            count(found.test.rows),
            facts.currency
        )));
        out.push_str(&candidates(found).html());
        if let Some(figure) = epochs(&found.history)? {
            out.push_str(&figure.html());
        }
    }
    out.push_str(&made_from(facts));
    out.push_str(&reproduce(facts));
    Ok(out)
}

fn standing(found: &[CheckOut]) -> String {
    let of = |verdict: &str| found.iter().filter(|check| check.verdict == verdict).count();
    match (of("FAIL"), of("REVIEW")) {
        (0, 0) => format!("All {} checks pass.", found.len()),
        (0, reviews) => format!("{reviews} of {} checks ask for a person to look.", found.len()),
        (fails, reviews) => format!(
            "{fails} of {} checks failed, {reviews} ask for a person to look.",
            found.len()
        ),
    }
}

/// Checks with verdict and advice.
pub(super) fn checks<'a>(caption: &'a str, found: &[CheckOut]) -> Table<'a> {
    let rows = found.iter().map(|check| {
        let code = check
            .code
            .as_ref()
            .map_or_else(String::new, |code| format!(" (thalweg explain {code})"));
        let advice = check
            .advice
            .clone()
            .map_or_else(|| "nothing to do".to_owned(), |advice| format!("{advice}{code}"));
        vec![
            text(check.name.replace('_', " ")),
            Cell::Verdict(check.verdict.clone()),
            Cell::Prose(check.detail.clone()),
            Cell::Prose(advice),
        ]
    });
    Table::new(caption, &["Check", "Verdict", "Seen", "Advice"], rows.collect())
}

fn said(metrics: &Metrics, key: &str) -> Cell {
    match metrics.get(key) {
        Some(Mean95 {
            mean,
            ci95: [low, high],
        }) => number(format!(
            "{} ({} to {})",
            grouped(*mean, 3),
            grouped(*low, 3),
            grouped(*high, 3)
        )),
        None => number("n/a"),
    }
}

fn metrics<'a>(found: &EvaluationOut) -> Table<'a> {
    let rows = METRICS.iter().map(|(key, name)| {
        vec![
            text(*name),
            said(&found.metrics, key),
            said(&found.test.metrics, key),
        ]
    });
    Table::new(
        "Metrics with 95 % intervals",
        &["Metric", "Cross-validated", "Untouched test"],
        rows.collect(),
    )
}

fn candidates<'a>(found: &EvaluationOut) -> Table<'a> {
    let mut head = vec!["Metric".to_owned()];
    head.extend(
        found
            .candidates
            .iter()
            .map(|own| match own.learner == found.learner {
                true => format!("{} (in use)", own.learner),
                false => own.learner.clone(),
            }),
    );
    let rows = METRICS.iter().map(|(key, name)| {
        let mut row = vec![text(*name)];
        row.extend(found.candidates.iter().map(|own| said(&own.metrics, key)));
        row
    });
    Table {
        caption: "Every learner that was tried, on the same folds",
        head,
        rows: rows.collect(),
    }
}

fn epochs(history: &[EpochOut]) -> Result<Option<Figure<'_>>> {
    let Some(last) = history.last() else {
        return Ok(None);
    };
    let best = history
        .iter()
        .filter_map(|own| own.validation_loss.map(|loss| (own.epoch, loss)))
        .min_by(|a, b| a.1.total_cmp(&b.1));
    let table = history.iter().map(|own| {
        let validation = own
            .validation_loss
            .map_or_else(|| "none".to_owned(), |loss| grouped(loss, 4));
        vec![
            text(own.epoch.to_string()),
            number(grouped(own.train_loss, 4)),
            number(validation),
        ]
    });
    Ok(Some(Figure {
        finding: best.map_or_else(
            || format!("The net was trained for {} epochs", last.epoch),
            |(epoch, _)| {
                format!(
                    "The net was best at epoch {epoch} of {} and went back to it",
                    last.epoch
                )
            },
        ),
        describes: "Two lines: the training and the validation loss by epoch.".to_owned(),
        drawing: plot(&losses(history, last))?,
        note: "The validation part guides early stopping and is not used to judge the model.".to_owned(),
        table: Table::new(
            "Losses by epoch",
            &["Epoch", "Training loss", "Validation loss"],
            table.collect(),
        ),
    }))
}

fn losses(history: &[EpochOut], last: &EpochOut) -> Plot<'static> {
    let curve = |of: fn(&EpochOut) -> Option<f64>| -> Vec<(f64, f64)> {
        history
            .iter()
            .filter_map(|own| of(own).map(|loss| (to_f64(own.epoch), loss)))
            .collect()
    };
    let train = curve(|own| Some(own.train_loss));
    let validation = curve(|own| own.validation_loss);
    let all = || train.iter().chain(&validation).map(|(_, loss)| *loss);
    let (low, high) = (
        all().fold(f64::INFINITY, f64::min),
        all().fold(f64::NEG_INFINITY, f64::max),
    );
    let room = ((high - low) * 0.1).max(1e-6);
    let line = |points: Vec<(f64, f64)>, ink: Ink, name: &'static str, above: f64| {
        let (epoch, loss) = points.get(points.len() / 2).copied().unwrap_or((1.0, low));
        Line {
            points,
            ink,
            stroke: Stroke::Solid,
            name,
            name_at: (epoch, loss + above),
        }
    };
    Plot {
        x: Axis {
            name: "epoch",
            range: [1.0, to_f64(last.epoch)],
            write: |epoch| grouped(epoch, 0),
        },
        y: Axis {
            name: "loss",
            range: [low - room, high + room],
            write: |loss| grouped(loss, 3),
        },
        lines: vec![
            line(train, Ink::Gain, "training", room),
            line(validation, Ink::Spend, "validation", -room / 2.0),
        ],
        dots: Vec::new(),
    }
}

fn made_from(facts: &Facts) -> String {
    let plan = &facts.plan;
    let seed = plan.seed.to_string();
    let parts = [
        ("Plan", &plan.plan),
        ("Customers' table", &plan.data),
        ("Model", &plan.model),
        ("Configuration", &plan.config),
        ("Seed", &seed),
    ];
    let mut out = String::from("<h3>Made from</h3>\n<dl class=\"made\">\n");
    for (name, id) in parts {
        put(
            &mut out,
            format_args!("<div><dt>{name}</dt><dd><code>{}</code></dd></div>\n", escape(id)),
        );
    }
    out.push_str("</dl>\n");
    out
}

fn reproduce(facts: &Facts) -> String {
    let plan = &facts.plan;
    let commands = format!(
        "thalweg run --seed {} --as-of {}\nthalweg show plan {}\nthalweg show decision CUSTOMER\nthalweg report --as-of {}\n",
        plan.seed, facts.made_at, plan.plan, facts.as_of
    );
    format!(
        "<h3>How to get the same again</h3>\n<pre>{}</pre>\n{}",
        escape(&commands),
        note(
            "In the workspace folder, with the same data and thalweg.toml. The plan's name is the hash of its contents, so the same \
             name is the same plan. Who is held out was drawn once and is kept in thalweg.db."
        )
    )
}
