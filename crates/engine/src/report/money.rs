//! Where the money goes and when, what each limit costs, what another budget would bring, and how sure the choice is.

use thalweg_domain::Result;

use super::chart::{Axis, Bar, BarRow, Dot, Ink, Line, Plot, Stroke, bars, plot};
use super::facts::Facts;
use super::html::{Figure, Table, note, number, text};
use super::words::{amount, amounts, count, decimals, grouped, on_axis, percent, ratio};
use super::{partners, pilots, scenarios, spread, survival};
use crate::wire::{ConstraintOut, PlanOut, WhatIfOut};

/// So many limits are drawn; the table has them all.
const DRAWN: usize = 12;

pub(super) fn section(facts: &Facts) -> Result<String> {
    let mut out = channels(facts)?.html();
    out.push_str(&limits(facts)?.html());
    out.push_str(&spread::figure(facts)?);
    match what_if(facts)? {
        Some(figure) => out.push_str(&figure.html()),
        None => out.push_str(&note(
            "What other budgets would bring was not worked out for this plan.",
        )),
    }
    out.push_str(&survival::sheet(facts));
    out.push_str(&pilots::sheets(facts));
    out.push_str(&partners::sheets(facts));
    out.push_str(&scenarios::figure(facts)?);
    Ok(out)
}

fn channels(facts: &Facts) -> Result<Figure<'_>> {
    let plan = &facts.plan;
    let decimals = decimals(
        plan.channels
            .iter()
            .flat_map(|own| [own.spend, own.expected_value]),
    );
    let said = |number: f64| grouped(number, decimals);
    let rows: Vec<BarRow> = plan
        .channels
        .iter()
        .map(|own| BarRow {
            label: own.name.clone(),
            bars: vec![
                Bar {
                    value: own.spend,
                    text: format!("spend {}", said(own.spend)),
                    ink: Ink::Spend,
                },
                Bar {
                    value: own.expected_value,
                    text: format!("gain {}", said(own.expected_value)),
                    ink: Ink::Gain,
                },
            ],
        })
        .collect();
    let table = plan.channels.iter().map(|own| {
        vec![
            text(&own.name),
            number(grouped(own.spend, 2)),
            number(said(own.expected_value)),
            number(grouped(own.marginal_return, 2)),
            number(count(own.customers)),
        ]
    });
    Ok(Figure {
        finding: channels_finding(plan),
        describes: "Two bars per channel: expected spend and expected gain.".to_owned(),
        drawing: bars(&format!("{} in this cycle", facts.currency), &rows)?,
        note: format!(
            "Gain is net of cost. All channels together: {} (90 %: {}).",
            facts.money(plan.expected_value.mean),
            amounts(plan.expected_value.ci90)
        ),
        table: Table::new(
            "Spend and expected gain per channel",
            &[
                "Channel",
                &format!("Spend, {}", facts.currency),
                &format!("Expected gain, {}", facts.currency),
                "Gain of one more unit of currency",
                "Customers",
            ],
            table.collect(),
        ),
    })
}

fn channels_finding(plan: &PlanOut) -> String {
    let Some(top) = plan
        .channels
        .iter()
        .max_by(|a, b| a.expected_value.total_cmp(&b.expected_value))
    else {
        return "There is no channel".to_owned();
    };
    if plan.expected_value.mean <= 0.0 || top.expected_value <= 0.0 {
        return "No channel is expected to gain anything".to_owned();
    }
    format!(
        "{} brings {} of the expected gain with {} of the spend",
        top.name,
        percent(
            ratio(
                top.expected_value,
                plan.channels.iter().map(|own| own.expected_value).sum()
            ),
            0
        ),
        percent(
            ratio(top.spend, plan.channels.iter().map(|own| own.spend).sum()),
            0
        )
    )
}

fn limits(facts: &Facts) -> Result<Figure<'_>> {
    let mut sorted: Vec<&ConstraintOut> = facts.plan.constraints.iter().collect();
    sorted.sort_by(|a, b| b.shadow_price.abs().total_cmp(&a.shadow_price.abs()));
    let rows: Vec<BarRow> = sorted
        .iter()
        .take(DRAWN)
        .map(|own| BarRow {
            label: own.name.clone(),
            bars: vec![Bar {
                value: own.shadow_price,
                text: format!(
                    "{} · {} used",
                    grouped(own.shadow_price, 2),
                    percent(ratio(own.used, own.limit), 0)
                ),
                ink: Ink::Gain,
            }],
        })
        .collect();
    let table = facts.plan.constraints.iter().map(|own| {
        vec![
            text(&own.name),
            text(own.sense.replace('_', " ")),
            number(grouped(own.limit, 2)),
            number(grouped(own.used, 2)),
            number(grouped(own.shadow_price, 4)),
        ]
    });
    Ok(Figure {
        finding: limits_finding(&sorted, &facts.currency),
        describes: "One bar per limit: what one more unit of it would bring.".to_owned(),
        drawing: bars(
            &format!("{} gained by one more unit of the limit", facts.currency),
            &rows,
        )?,
        note: format!(
            "The unit of the budget is one {}, that of a capacity or cap one customer. A limit that is not used up has the price 0; \
             that of a floor (\"at least\") is negative: what one more unit required would cost. \
             The plan is within {} of the best possible.",
            facts.currency,
            percent(facts.plan.gap, 3)
        ),
        table: Table::new(
            "Limits, their use and their shadow price",
            &["Limit", "Allows", "Amount", "Used", "Shadow price"],
            table.collect(),
        ),
    })
}

fn limits_finding(sorted: &[&ConstraintOut], currency: &str) -> String {
    match sorted.first().filter(|top| top.shadow_price != 0.0) {
        Some(top) if top.name == "budget" => {
            format!(
                "The budget binds: one more {currency} would bring {}",
                grouped(top.shadow_price, 2)
            )
        }
        Some(top) if top.sense == "at_least" => {
            format!(
                "{} costs most: one more required would cost {} {currency}",
                top.name,
                grouped(-top.shadow_price, 2)
            )
        }
        Some(top) => {
            format!(
                "{} binds most: one more would bring {} {currency}",
                top.name,
                grouped(top.shadow_price, 2)
            )
        }
        None => "No limit binds: more budget or capacity would bring nothing".to_owned(),
    }
}

fn what_if(facts: &Facts) -> Result<Option<Figure<'_>>> {
    let plan = &facts.plan;
    let rows = &plan.what_if;
    let Some((last, now)) = rows.last().zip(at_budget(plan)) else {
        return Ok(None);
    };
    let top = rows.iter().map(|row| row.expected_value).fold(0.0, f64::max);
    let low = rows.iter().map(|row| row.expected_value).fold(0.0, f64::min);
    let points: Vec<(f64, f64)> = rows.iter().map(|row| (row.budget, row.expected_value)).collect();
    let picture = Plot {
        x: Axis {
            name: &format!("budget, {}", facts.currency),
            range: [0.0, last.budget * 1.12],
            write: on_axis,
        },
        y: Axis {
            name: &format!("expected gain, {}", facts.currency),
            range: [low, top * 1.12],
            write: on_axis,
        },
        lines: vec![Line {
            points,
            ink: Ink::Gain,
            stroke: Stroke::Solid,
            name: "",
            name_at: (last.budget, last.expected_value),
        }],
        dots: rows.iter().map(|row| dot(row, plan.budget)).collect(),
    };
    let table = rows.iter().map(|row| {
        vec![
            text(grouped(row.budget, 2)),
            number(percent(ratio(row.budget, plan.budget), 0)),
            number(amount(row.expected_value)),
            number(amount(row.expected_value - now.expected_value)),
        ]
    });
    Ok(Some(Figure {
        finding: what_if_finding(plan, last, now),
        describes: "A line: the expected gain of the best plan over the budget.".to_owned(),
        drawing: plot(&picture)?,
        note: what_if_note(facts),
        table: Table::new(
            "Expected gain by budget",
            &[
                &format!("Budget, {}", facts.currency),
                "Of today's",
                &format!("Expected gain, {}", facts.currency),
                "Against today's",
            ],
            table.collect(),
        ),
    }))
}

fn at_budget(plan: &PlanOut) -> Option<&WhatIfOut> {
    plan.what_if.iter().min_by(|a, b| {
        (a.budget - plan.budget)
            .abs()
            .total_cmp(&(b.budget - plan.budget).abs())
    })
}

fn dot(row: &WhatIfOut, budget: f64) -> Dot {
    let today = (row.budget - budget).abs() < 1e-9 * budget.abs().max(1.0);
    Dot {
        at: (row.budget, row.expected_value),
        radius: if today { 15 } else { 8 },
        whisker: None,
        name: if today {
            "today's budget".to_owned()
        } else {
            String::new()
        },
    }
}

fn what_if_finding(plan: &PlanOut, last: &WhatIfOut, now: &WhatIfOut) -> String {
    let times = match grouped(ratio(last.budget, plan.budget), 1).as_str() {
        "2.0" => "Twice".to_owned(),
        other => format!("{} times", other.strip_suffix(".0").unwrap_or(other)),
    };
    if now.expected_value <= 0.0 {
        return format!("{times} the budget would bring {}", amount(last.expected_value));
    }
    let more = ratio(last.expected_value, now.expected_value) - 1.0;
    format!(
        "{times} the budget would bring {} more",
        percent(more.max(0.0), 0)
    )
}

fn what_if_note(facts: &Facts) -> String {
    let plan = &facts.plan;
    let learning = if plan.explore == 0 {
        String::new()
    } else {
        format!(
            " Each point is a plan that randomises nobody; this plan randomises {} customers to learn and expects {}.",
            count(plan.explore),
            facts.money(plan.expected_value.mean)
        )
    };
    format!(
        "The hold-out is kept.{learning} Every point is as uncertain as the plan itself (90 %: {}).",
        amounts(plan.expected_value.ci90)
    )
}
