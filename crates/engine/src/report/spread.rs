//! Contacts by day, when the plan spreads them: in all, and by pacing or channel.

use thalweg_domain::Result;

use super::chart::{Bar, BarRow, Ink, bars};
use super::facts::Facts;
use super::html::{Figure, Table, number, text};
use super::words::count;
use crate::count::to_f64;
use crate::wire::{PacingOut, PlanOut};

/// The figure; nothing without `[plan] days`.
pub(super) fn figure(facts: &Facts) -> Result<String> {
    let plan = &facts.plan;
    if plan.days.is_empty() {
        return Ok(String::new());
    }
    let all = row("all contacts", &plan.days, None);
    let pacing = plan.pacing.iter();
    let rows: Vec<BarRow> = std::iter::once(all)
        .chain(pacing.map(|own| row(&own.name, &own.days, own.per_day)))
        .collect();
    let figure = Figure {
        finding: finding(plan),
        describes: "One bar for all contacts and one per pacing or channel: the fullest day.".to_owned(),
        drawing: bars("contacts on the fullest day", &rows)?,
        note: "Days count from the first delivery. A contact counts towards every pacing that it meets."
            .to_owned(),
        table: by_day(plan),
    };
    Ok(figure.html())
}

fn most(days: &[usize]) -> usize {
    days.iter().copied().max().unwrap_or(0)
}

/// `45`, or `45 to 46`.
fn between(days: &[usize]) -> String {
    let (least, most) = (days.iter().copied().min().unwrap_or(0), most(days));
    if least == most {
        count(most)
    } else {
        format!("{} to {}", count(least), count(most))
    }
}

fn finding(plan: &PlanOut) -> String {
    let over = match plan.days.len() {
        1 => "1 day".to_owned(),
        days => format!("{} days", count(days)),
    };
    format!(
        "{} contacts over {over}: {} a day",
        count(plan.days.iter().sum()),
        between(&plan.days)
    )
}

fn row(name: &str, days: &[usize], per_day: Option<u64>) -> BarRow {
    let allowed = per_day.map_or_else(String::new, |per_day| format!(" of {per_day}"));
    BarRow {
        label: name.to_owned(),
        bars: vec![Bar {
            value: to_f64(most(days)),
            text: format!("{}{allowed} a day", between(days)),
            ink: Ink::Gain,
        }],
    }
}

fn by_day(plan: &PlanOut) -> Table<'_> {
    let head = |own: &PacingOut| match own.per_day {
        Some(per_day) => format!("{}, at most {per_day}", own.name),
        None => own.name.clone(),
    };
    let mut names = vec!["Day".to_owned(), "Contacts".to_owned()];
    names.extend(plan.pacing.iter().map(head));
    let rows = plan.days.iter().enumerate().map(|(day, contacts)| {
        let mut cells = vec![text(count(day + 1)), number(count(*contacts))];
        let of_pace = |own: &PacingOut| number(count(own.days.get(day).copied().unwrap_or(0)));
        cells.extend(plan.pacing.iter().map(of_pace));
        cells
    });
    Table {
        caption: "Contacts by day",
        head: names,
        rows: rows.collect(),
    }
}
