//! How a budget is best split, and what other budgets would bring.

use thalweg_domain::Result;

use super::{estimate, period};
use crate::report::chart::{Axis, Dot, Ink, Line, Plot, Stroke, plot};
use crate::report::html::{Figure, Table, escape, note, number, put, text};
use crate::report::words::{amount, amounts, on_axis, percent, ratio};
use crate::wire::{BudgetOut, ResponseOut};

/// The best split of the budget.
pub(super) fn optimum(found: &ResponseOut) -> String {
    let Some(best) = &found.optimum else {
        return String::new();
    };
    let rows = best.channels.iter().map(|own| {
        vec![
            text(&own.name),
            number(amount(own.before)),
            number(amount(own.spend)),
            number(own.ci90.map_or_else(String::new, amounts)),
            number(percent(ratio(own.spend - own.before, own.before), 0)),
        ]
    });
    let table = Table::new(
        "The best split of the budget, per period",
        &["Spend", "Was", "Best", "90 % over draws", "Change"],
        rows.collect(),
    );
    let mut out = String::new();
    put(
        &mut out,
        format_args!(
            "<h3>{}</h3>\n{}",
            escape(&format!(
                "The best split of {} a {} brings {} more (90 %: {})",
                amount(best.budget),
                period(found),
                amount(best.gain.mean),
                amounts(best.gain.ci90)
            )),
            table.html()
        ),
    );
    out.push_str(&note(
        "A steady state: the same spend in every period, within the limits of change.",
    ));
    out
}

/// Other budgets.
pub(super) fn scenarios(found: &ResponseOut) -> Result<Option<Figure<'_>>> {
    let rows = &found.scenarios;
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return Ok(None);
    };
    let points: Vec<(f64, f64)> = rows.iter().map(|row| (row.budget, row.gain.mean)).collect();
    let ends = || rows.iter().flat_map(|row| row.gain.ci90);
    let (low, high) = (ends().fold(0.0, f64::min), ends().fold(0.0, f64::max));
    let span = (high - low).max(1e-9);
    let picture = Plot {
        x: Axis {
            name: &format!("budget per {}", period(found)),
            range: [
                first.budget - 0.05 * (last.budget - first.budget),
                last.budget + 0.12 * (last.budget - first.budget),
            ],
            write: on_axis,
        },
        y: Axis {
            name: &format!("more {} per {}", found.outcome, period(found)),
            range: [low - 0.05 * span, high + 0.05 * span],
            write: on_axis,
        },
        lines: vec![Line {
            points,
            ink: Ink::Gain,
            stroke: Stroke::Solid,
            name: "",
            name_at: (last.budget, last.gain.mean),
        }],
        dots: rows.iter().map(dot).collect(),
    };
    let mut head = vec!["Budget".to_owned(), "Change".to_owned(), "Gain, 90 %".to_owned()];
    head.extend(first.channels.iter().map(|own| own.name.clone()));
    let table = rows.iter().map(|row| {
        let mut cells = vec![
            text(amount(row.budget)),
            number(percent(row.change, 0)),
            estimate(&row.gain),
        ];
        cells.extend(row.channels.iter().map(|own| number(amount(own.spend))));
        cells
    });
    Ok(Some(Figure {
        finding: format!(
            "{} more budget, split as well as may be, would bring {} more",
            percent(last.change, 0),
            amount(last.gain.mean)
        ),
        describes: "A line with intervals: the gain over the budget.".to_owned(),
        drawing: plot(&picture)?,
        note: "Other budgets, each split as well as the limits of change allow; 90 % intervals.".to_owned(),
        table: Table {
            caption: "Other budgets and their best split",
            head,
            rows: table.collect(),
        },
    }))
}

fn dot(row: &BudgetOut) -> Dot {
    Dot {
        at: (row.budget, row.gain.mean),
        radius: 8,
        whisker: Some(row.gain.ci90),
        name: if row.change.abs() < 1e-9 {
            "as spent".to_owned()
        } else {
            String::new()
        },
    }
}
