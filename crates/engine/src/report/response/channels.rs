//! What each channel brought, how its curve runs, and what was learned about it.

use thalweg_domain::Result;

use super::{estimate, period};
use crate::report::chart::{Axis, Bar, BarRow, Dot, Ink, Line, Plot, Stroke, Whisker, bars, plot, whiskers};
use crate::report::html::{Cell, Figure, Table, number, text};
use crate::report::words::{amount, amounts, capital, grouped, on_axis, percent, ratio};
use crate::wire::{Learned90, Mean90, ResponseChannelOut, ResponseOut};

/// What was spent and what it brought.
pub(super) fn contributions(found: &ResponseOut) -> Result<Figure<'_>> {
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
        table: contribution_table(found),
    })
}

fn contribution_table(found: &ResponseOut) -> Table<'_> {
    let rows = found.channels.iter().map(|own| {
        vec![
            text(&own.name),
            text(own.workspace_channel.as_deref().unwrap_or("")),
            number(amount(own.spend)),
            estimate(&own.contribution),
            estimate(&own.returned),
            estimate(&own.marginal_return),
        ]
    });
    Table::new(
        "What each channel brought",
        &[
            "Spend",
            "Channel",
            "Spent",
            "Brought, 90 %",
            "Return, 90 %",
            "Return of one more unit, 90 %",
        ],
        rows.collect(),
    )
}

/// One channel's curve with its band.
pub(super) fn curve<'a>(found: &'a ResponseOut, own: &'a ResponseChannelOut) -> Result<Figure<'a>> {
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
pub(super) fn parameters(found: &ResponseOut) -> Vec<&str> {
    let mut out: Vec<&str> = Vec::new();
    for own in found.channels.iter().flat_map(|own| &own.learned) {
        if !out.contains(&own.parameter.as_str()) {
            out.push(&own.parameter);
        }
    }
    out
}

/// One parameter of every channel, before and after the data.
pub(super) fn learned<'a>(found: &'a ResponseOut, parameter: &'a str) -> Result<Figure<'a>> {
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
