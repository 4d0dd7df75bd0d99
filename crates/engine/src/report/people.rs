//! Who it will be: how well the model ranks, whether its probabilities hold, and what drives them.

use thalweg_domain::Result;

use super::chart::{Axis, Bar, BarRow, Dot, Ink, Line, Plot, Stroke, bars, plot};
use super::facts::Facts;
use super::html::{Figure, Table, note, number, paragraph, text};
use super::words::{count, percent, percents, ratio};
use crate::count::to_f64;
use crate::wire::{CalibrationBin, EvaluationOut};

/// So many columns are drawn; the table has them all.
const DRAWN: usize = 10;

/// z of a 95 % interval.
const Z95: f64 = thalweg_domain::Estimate::Z95;

pub(super) fn section(facts: &Facts) -> Result<String> {
    let Some(found) = &facts.evaluation else {
        return Ok(paragraph(
            "The evaluation behind this plan is no longer on record.",
        ));
    };
    let mut out = paragraph(&format!(
        "{} of the {} customers whose story is known {}. The figures come from customers whom the model had not seen: {}.",
        percent(found.positive_rate, 1),
        count(found.rows),
        facts.words.past,
        found.protocol
    ));
    if found.model != facts.plan.model {
        let (own, used) = (&found.model, &facts.plan.model);
        out.push_str(&note(&format!(
            "The plan was made with the model {used}; the figures are those of {own}, evaluated since."
        )));
    }
    out.push_str(&gains(facts, found)?.html());
    out.push_str(&calibration(facts, found)?.html());
    out.push_str(&deciles(facts, found).html());
    out.push_str(&drivers(facts, found)?.html());
    Ok(out)
}

fn share_axis(share: f64) -> String {
    percent(share, 0)
}

fn gains<'a>(facts: &Facts, found: &'a EvaluationOut) -> Result<Figure<'a>> {
    let words = &facts.words;
    let points: Vec<(f64, f64)> = found.gains.iter().map(|[x, y]| (*x, *y)).collect();
    let picture = Plot {
        x: Axis {
            name: &format!("customers, {} first, % of all", words.most),
            range: [0.0, 1.0],
            write: share_axis,
        },
        y: Axis {
            name: &format!("{} among them, % of all", words.people),
            range: [0.0, 1.0],
            write: share_axis,
        },
        lines: vec![
            Line {
                points,
                ink: Ink::Gain,
                stroke: Stroke::Solid,
                name: "by this model",
                name_at: (0.5, at(found, 0.5) - 0.08),
            },
            Line {
                points: vec![(0.0, 0.0), (1.0, 1.0)],
                ink: Ink::Muted,
                stroke: Stroke::Dashed,
                name: "in random order",
                name_at: (0.7, 0.62),
            },
        ],
        dots: Vec::new(),
    };
    let table = found
        .gains
        .iter()
        .map(|[x, y]| vec![text(percent(*x, 0)), number(percent(*y, 1))]);
    Ok(Figure {
        finding: format!(
            "The {} 10 % hold {} of all {}",
            words.most,
            percent(at(found, 0.1), 0),
            words.people
        ),
        describes: "A curve above a diagonal: the share found over the share of customers looked at."
            .to_owned(),
        drawing: plot(&picture)?,
        note: format!(
            "Out of fold, {} customers. The dashed line is what chance would find.",
            count(found.rows)
        ),
        table: Table::new(
            "Gains curve",
            &["Customers looked at", "Found among them"],
            table.collect(),
        ),
    })
}

/// The share found among the first `share` of the customers.
fn at(found: &EvaluationOut, share: f64) -> f64 {
    let nearest = found
        .gains
        .iter()
        .min_by(|a, b| (a[0] - share).abs().total_cmp(&(b[0] - share).abs()));
    nearest.map_or(0.0, |[_, found]| *found)
}

fn calibration<'a>(facts: &Facts, found: &'a EvaluationOut) -> Result<Figure<'a>> {
    let words = &facts.words;
    let top = found.calibration.iter().fold(0.05, |top: f64, bin| {
        top.max(bin.predicted).max(wilson(bin.observed, bin.n)[1])
    });
    let end = (top * 1.05).min(1.0);
    let largest = found.calibration.iter().map(|bin| bin.n).max().unwrap_or(1);
    let picture = Plot {
        x: Axis {
            name: &format!("predicted {}, %", words.chance),
            range: [0.0, end],
            write: share_axis,
        },
        y: Axis {
            name: &format!("observed share who {}, %", words.verb),
            range: [0.0, end],
            write: share_axis,
        },
        lines: vec![Line {
            points: vec![(0.0, 0.0), (end, end)],
            ink: Ink::Muted,
            stroke: Stroke::Dashed,
            name: "as predicted",
            name_at: (end * 0.5, end * 0.74),
        }],
        dots: found.calibration.iter().map(|bin| dot(bin, largest)).collect(),
    };
    let table = found.calibration.iter().map(|bin| {
        vec![
            text(percent(bin.predicted, 1)),
            number(percent(bin.observed, 1)),
            number(percents(wilson(bin.observed, bin.n), 1)),
            number(count(bin.n)),
        ]
    });
    Ok(Figure {
        finding: calibration_finding(found),
        describes: "Dots near a diagonal: the observed share over the predicted one.".to_owned(),
        drawing: plot(&picture)?,
        note: "Each dot is a group of customers with a similar prediction; the larger, the more of them. The number beside it \
               counts them, the whisker is the 95 % interval of the observed share."
            .to_owned(),
        table: Table::new("Calibration", &["Predicted", "Observed", "95 %", "Customers"], table.collect()),
    })
}

fn calibration_finding(found: &EvaluationOut) -> String {
    match found.metrics.get("calibration_error") {
        Some(error) => format!(
            "Predictions are off by {:.1} percentage points on average (95 %: {:.1} to {:.1})",
            error.mean * 100.0,
            error.ci95[0] * 100.0,
            error.ci95[1] * 100.0
        ),
        None => "Predicted and observed".to_owned(),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 7 and 22"
)]
fn dot(bin: &CalibrationBin, largest: usize) -> Dot {
    Dot {
        at: (bin.predicted, bin.observed),
        radius: (7.0 + 15.0 * ratio(to_f64(bin.n), to_f64(largest)).sqrt()) as u32,
        whisker: Some(wilson(bin.observed, bin.n)),
        name: count(bin.n),
    }
}

fn deciles<'a>(facts: &Facts, found: &EvaluationOut) -> Table<'a> {
    let rows = found.deciles.iter().map(|tenth| {
        vec![
            text(match tenth.decile {
                1 => format!("1 ({})", facts.words.most),
                other => other.to_string(),
            }),
            number(count(tenth.n)),
            number(percent(tenth.predicted, 1)),
            number(percent(tenth.observed, 1)),
            number(percents(wilson(tenth.observed, tenth.n), 1)),
            number(format!("{:.2}", ratio(tenth.observed, found.positive_rate))),
        ]
    });
    Table::new(
        "Customers by tenth of the prediction",
        &[
            "Tenth",
            "Customers",
            "Predicted",
            "Observed",
            "95 %",
            "Times the average",
        ],
        rows.collect(),
    )
}

fn drivers<'a>(facts: &Facts, found: &'a EvaluationOut) -> Result<Figure<'a>> {
    let chance = facts.words.chance;
    let rows: Vec<BarRow> = found
        .importance
        .iter()
        .take(DRAWN)
        .map(|(column, share)| BarRow {
            label: column.clone(),
            bars: vec![Bar {
                value: share * 100.0,
                text: percent(*share, 1),
                ink: Ink::Gain,
            }],
        })
        .collect();
    let table = found
        .importance
        .iter()
        .map(|(column, share)| vec![text(column), number(percent(*share, 1))]);
    let finding = found.importance.first().map_or_else(
        || format!("Nothing is known about what drives the {chance}"),
        |(column, share)| {
            format!(
                "{} tells most about the {chance}: {} of all that the model uses",
                column,
                percent(*share, 0)
            )
        },
    );
    Ok(Figure {
        finding,
        describes: "One bar per column of the data.".to_owned(),
        drawing: bars("share of importance, %", &rows)?,
        note: "What tells is not always what causes: changing the column need not change the customer."
            .to_owned(),
        table: Table::new(
            "What tells most",
            &["Column", "Share of importance"],
            table.collect(),
        ),
    })
}

/// The 95 % interval of a share, Wilson (1927): `(p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n)`.
///
/// `share` in [0, 1], `n` customers; the whole unit interval when there is nobody. Assumes independent customers.
fn wilson(share: f64, n: usize) -> [f64; 2] {
    if n == 0 {
        return [0.0, 1.0];
    }
    let n = to_f64(n);
    let square = Z95 * Z95 / n;
    let half = Z95 * (share * (1.0 - share) / n + square / (4.0 * n)).sqrt();
    [-1.0, 1.0].map(|side: f64| (side.mul_add(half, share + square / 2.0) / (1.0 + square)).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::wilson;

    #[test]
    fn wilson_agrees_with_published_values() {
        // Newcombe (1998), Statistics in Medicine 17, table I, method 3
        for (hits, n, low, high) in [
            (81.0, 263, 0.2553, 0.3662),
            (15.0, 148, 0.0624, 0.1605),
            (0.0, 20, 0.0, 0.1611),
            (1.0, 29, 0.0061, 0.1718),
        ] {
            let found = wilson(hits / f64::from(n), usize::try_from(n).unwrap());
            assert!(
                (found[0] - low).abs() < 5e-5 && (found[1] - high).abs() < 5e-5,
                "{hits} of {n}: {found:?}"
            );
        }
    }
}
