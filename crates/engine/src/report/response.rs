//! Response curves: what each channel brought, how its curve runs, what was learned, and how a budget is best split.

use thalweg_domain::Result;

use super::chart::{Axis, Bar, BarRow, Dot, Ink, Line, Plot, Stroke, Whisker, bars, plot, whiskers};
use super::facts::Facts;
use super::html::{Cell, Figure, Table, escape, note, number, paragraph, put, text};
use super::words::{amount, amounts, capital, grouped, listed, on_axis, percent, ratio};
use crate::wire::{BudgetOut, Learned90, Mean90, ResponseChannelOut, ResponseOut};

/// The section; `None` without `[response]`.
pub(super) fn section(facts: &Facts) -> Result<Option<String>> {
    let Some(found) = &facts.plan.response else {
        return Ok(None);
    };
    let mut out = note(&format!(
        "Fitted to {}: {} {}s from {} to {}, {} explained by the spend on {}.",
        found.data,
        found.periods,
        period(found),
        found.from,
        found.to,
        found.outcome,
        listed(&names(found))
    ));
    if found.verdict != "published" {
        out.push_str(&refusal(found));
        return Ok(Some(out));
    }
    out.push_str(&contributions(found)?.html());
    for own in &found.channels {
        out.push_str(&curve(found, own)?.html());
    }
    for parameter in parameters(found) {
        out.push_str(&learned(found, parameter)?.html());
    }
    out.push_str(&optimum(found));
    if let Some(figure) = scenarios(found)? {
        out.push_str(&figure.html());
    }
    out.push_str(&trust(found));
    Ok(Some(out))
}

fn period(found: &ResponseOut) -> &'static str {
    if found.days_per_period == 7 { "week" } else { "day" }
}

fn names(found: &ResponseOut) -> Vec<&str> {
    if found.channels.is_empty() {
        return vec!["its channels"];
    }
    found.channels.iter().map(|own| own.name.as_str()).collect()
}

fn refusal(found: &ResponseOut) -> String {
    let mut out = "<h3>The weeks cannot tell what the channels brought</h3>\n".to_owned();
    for reason in &found.reasons {
        out.push_str(&paragraph(&format!("{}.", capital(reason))));
    }
    out
}

fn contributions(found: &ResponseOut) -> Result<Figure<'_>> {
    let rows: Vec<BarRow> = found
        .channels
        .iter()
        .map(|own| {
            let bar = |value: f64, text: String, ink: Ink| Bar { value, text, ink };
            BarRow {
                label: own.name.clone(),
                bars: vec![
                    bar(own.spend, format!("spend {}", amount(own.spend)), Ink::Spend),
                    bar(
                        own.contribution.mean,
                        format!(
                            "brought {} ({})",
                            amount(own.contribution.mean),
                            amounts(own.contribution.ci90)
                        ),
                        Ink::Gain,
                    ),
                ],
            }
        })
        .collect();
    let table = found.channels.iter().map(|own| {
        vec![
            text(&own.name),
            text(own.workspace_channel.as_deref().unwrap_or("")),
            number(amount(own.spend)),
            estimate(&own.contribution),
            estimate(&own.returned),
            estimate(&own.marginal_return),
        ]
    });
    let top = found
        .channels
        .iter()
        .max_by(|a, b| a.contribution.mean.total_cmp(&b.contribution.mean));
    let whole: f64 = found.channels.iter().map(|own| own.contribution.mean).sum();
    Ok(Figure {
        finding: top.map_or_else(
            || "There is no channel".to_owned(),
            |top| {
                format!(
                    "{} brought {} of what the channels brought of {}",
                    top.name,
                    percent(ratio(top.contribution.mean, whole), 0),
                    found.outcome
                )
            },
        ),
        describes: "Two bars per channel: what was spent, and what it brought.".to_owned(),
        drawing: bars(&format!("{} over all {}s", found.outcome, period(found)), &rows)?,
        note: "Intervals are 90 %. A return is the outcome per unit of spend; the marginal one is that of one more unit in each \
               period."
            .to_owned(),
        table: Table::new(
            "What each channel brought",
            &[
                "Spend",
                "Channel",
                "Spent",
                "Brought, 90 %",
                "Return, 90 %",
                "Return of one more unit, 90 %",
            ],
            table.collect(),
        ),
    })
}

fn estimate(own: &Mean90) -> Cell {
    Cell::Estimate(amount(own.mean), amounts(own.ci90))
}

fn curve<'a>(found: &'a ResponseOut, own: &'a ResponseChannelOut) -> Result<Figure<'a>> {
    let line = |of: fn(&Mean90) -> f64| {
        let points = own.curve.iter().map(|point| (point.spend, of(&point.outcome)));
        points.collect::<Vec<(f64, f64)>>()
    };
    let (mean, low, high) = (
        line(|own| own.mean),
        line(|own| own.ci90[0]),
        line(|own| own.ci90[1]),
    );
    let end = mean.last().copied().unwrap_or_default();
    let top = high.iter().map(|(_, y)| *y).fold(0.0, f64::max);
    let of = |points: Vec<(f64, f64)>, ink: Ink, stroke: Stroke| Line {
        points,
        ink,
        stroke,
        name: "",
        name_at: end,
    };
    let now = now(found, own);
    let picture = Plot {
        x: Axis {
            name: &format!("spend on {} per {}", own.name, period(found)),
            range: [0.0, end.0 * 1.12],
            write: on_axis,
        },
        y: Axis {
            name: &format!("{} per {}", found.outcome, period(found)),
            range: [low.iter().map(|(_, y)| *y).fold(0.0, f64::min), top * 1.12],
            write: on_axis,
        },
        lines: vec![
            of(low, Ink::Muted, Stroke::Dashed),
            of(high, Ink::Muted, Stroke::Dashed),
            of(mean, Ink::Gain, Stroke::Solid),
        ],
        dots: vec![Dot {
            at: now,
            radius: 12,
            whisker: None,
            name: "as it was".to_owned(),
        }],
    };
    let table = own.curve.iter().map(|point| {
        vec![
            text(grouped(point.spend, 2)),
            number(amount(point.outcome.mean)),
            number(amounts(point.outcome.ci90)),
        ]
    });
    Ok(Figure {
        finding: format!(
            "One more unit for {} brings {} (90 %: {})",
            own.name,
            grouped(own.marginal_return.mean, 2),
            amounts(own.marginal_return.ci90)
        ),
        describes: "A line with its band: the outcome per period over a steady spend per period.".to_owned(),
        drawing: plot(&picture)?,
        note: "The same spend in every period, the others left as they are; dashed: the 90 % band. Beyond the spend that was seen it is \
               the curve's form that speaks."
            .to_owned(),
        table: Table::new(
            "Outcome by steady spend",
            &["Spend", "Outcome", "90 %"],
            table.collect(),
        ),
    })
}

/// Spend per period as it was, and the curve there.
fn now(found: &ResponseOut, own: &ResponseChannelOut) -> (f64, f64) {
    let before = found
        .optimum
        .iter()
        .flat_map(|optimum| &optimum.channels)
        .find(|share| share.name == own.name)
        .map_or(0.0, |share| share.before);
    let pairs = own.curve.iter().zip(own.curve.iter().skip(1));
    let at = pairs
        .filter(|(a, b)| a.spend <= before && before <= b.spend)
        .map(|(a, b)| {
            let part = ratio(before - a.spend, b.spend - a.spend);
            a.outcome.mean + part * (b.outcome.mean - a.outcome.mean)
        })
        .next();
    (before, at.unwrap_or(0.0))
}

/// The parameters that were learned, each once.
fn parameters(found: &ResponseOut) -> Vec<&str> {
    let mut out: Vec<&str> = Vec::new();
    for own in found.channels.iter().flat_map(|own| &own.learned) {
        if !out.contains(&own.parameter.as_str()) {
            out.push(&own.parameter);
        }
    }
    out
}

fn learned<'a>(found: &'a ResponseOut, parameter: &'a str) -> Result<Figure<'a>> {
    let of: Vec<(&str, &Learned90)> = found
        .channels
        .iter()
        .filter_map(|own| {
            let learned = own.learned.iter().find(|own| own.parameter == parameter)?;
            Some((own.name.as_str(), learned))
        })
        .collect();
    let rows: Vec<Whisker> = of
        .iter()
        .map(|(name, own)| Whisker {
            label: (*name).to_owned(),
            mean: own.posterior.mean,
            inner: own.posterior.ci90,
            outer: Some(own.prior.ci90),
            reference: Some(own.prior.mean),
        })
        .collect();
    let width = |own: &Mean90| own.ci90[1] - own.ci90[0];
    let narrowed = of
        .iter()
        .filter(|(_, own)| width(&own.posterior) < 0.5 * width(&own.prior))
        .count();
    let table = of.iter().map(|(name, own)| {
        let said = |own: &Mean90| {
            let [low, high] = own.ci90;
            Cell::Estimate(
                grouped(own.mean, 2),
                format!("{} to {}", grouped(low, 2), grouped(high, 2)),
            )
        };
        vec![text(*name), said(&own.prior), said(&own.posterior)]
    });
    Ok(Figure {
        finding: format!(
            "{}: the weeks halved what was open for {narrowed} of {} channels",
            capital(parameter),
            of.len()
        ),
        describes: "One row per channel: the interval after the data, thick, and the one before, thin."
            .to_owned(),
        drawing: whiskers(parameter, &rows)?,
        note: format!(
            "What was believed and what the weeks say: hollow mark and thin line before, dot and thick line after, 90 %. {}.",
            capital(meaning(parameter))
        ),
        table: Table::new(
            "Before and after the data",
            &["Spend", "Before, 90 %", "After, 90 %"],
            table.collect(),
        ),
    })
}

fn meaning(parameter: &str) -> &'static str {
    match parameter {
        "adstock" => "the share of the effect that carries over to the next period",
        "adstock shape" | "adstock scale" => "a parameter of the Weibull carry-over",
        "saturation" => "how soon the curve bends, at spend in units of the highest",
        "saturation slope" => "how steep the curve is where it bends",
        _ => "what the channel brings at its usual spend, in units of the highest outcome",
    }
}

fn optimum(found: &ResponseOut) -> String {
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

fn scenarios(found: &ResponseOut) -> Result<Option<Figure<'_>>> {
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

fn trust(found: &ResponseOut) -> String {
    let own = &found.diagnostics;
    let mut said = Vec::new();
    if let (Some(r_hat), Some(ess)) = (own.r_hat, own.ess) {
        said.push(format!(
            "{} draws, R-hat {r_hat:.4} (must be below 1.01), effective draws {} (above 400), divergent steps {}.",
            own.draws,
            amount(ess),
            own.divergences
        ));
    }
    if let Some(check) = &found.check {
        said.push(format!(
            "The model explains {} of the variance; {} of the periods lie in their 90 % interval.",
            percent(check.r2, 1),
            percent(check.coverage, 0)
        ));
    }
    if let Some(held) = &found.held_out {
        said.push(format!(
            "The last {} periods, predicted without having seen them: error {}, {} in their 90 % interval.",
            held.periods,
            percent(held.error, 1),
            percent(held.coverage, 0)
        ));
    }
    for test in &found.lift_tests {
        said.push(format!(
            "Lift test of {} ({}): {} more per period brought {} ± {}.",
            test.channel,
            test.source,
            amount(test.change),
            amount(test.lift),
            amount(test.sd)
        ));
    }
    for concern in &found.concerns {
        said.push(format!(
            "{}; to know: {}.",
            capital(&concern.what),
            concern.experiment
        ));
    }
    for own in &found.notes {
        said.push(format!("{}.", capital(own)));
    }
    note(&said.join(" "))
}
