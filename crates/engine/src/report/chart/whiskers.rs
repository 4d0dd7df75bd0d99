//! Dots with whiskers: an estimate, its interval, a wider interval, and what was believed before.

use plotters::chart::ChartBuilder;
use plotters::element::{Circle, EmptyElement, PathElement, Text};
use plotters::style::Color;
use plotters::style::text_anchor::HPos;
use thalweg_domain::Result;

use super::{Canvas, Drawing, Ink, Painted, anchored, draw, font, room, short, tick};
use crate::count::to_f64;

/// Height of a row in drawing units.
const ROW: u32 = 64;

/// One estimate.
pub(in crate::report) struct Whisker {
    pub(in crate::report) label: String,
    pub(in crate::report) mean: f64,
    /// The interval, drawn thick.
    pub(in crate::report) inner: [f64; 2],
    /// A wider interval, drawn thin.
    pub(in crate::report) outer: Option<[f64; 2]>,
    /// What it is held against, drawn as a hollow mark.
    pub(in crate::report) reference: Option<f64>,
}

/// Draws estimates from top to bottom around a line at 0; `axis` names the quantity and its unit.
pub(in crate::report) fn whiskers(axis: &str, rows: &[Whisker]) -> Result<Drawing> {
    let height = 110 + ROW * u32::try_from(rows.len()).unwrap_or(0);
    draw(height, |canvas| paint(canvas, axis, rows))
}

fn paint(canvas: &Canvas<'_>, axis: &str, rows: &[Whisker]) -> Painted {
    let [low, high] = range(rows);
    let top = to_f64(rows.len().max(1));
    let mut chart = ChartBuilder::on(canvas)
        .margin(10)
        .margin_right(40)
        .x_label_area_size(86)
        .y_label_area_size(room(rows.iter().map(|row| row.label.as_str())))
        .build_cartesian_2d(low..high, 0.0..top)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .y_labels(0)
        .x_labels(7)
        .x_desc(axis)
        .x_label_formatter(&tick(high - low))
        .label_style(font(Ink::Muted))
        .axis_desc_style(font(Ink::Text))
        .axis_style(Ink::Muted.color())
        .bold_line_style(Ink::Grid.color())
        .light_line_style(Ink::Grid.color().mix(0.0))
        .draw()?;
    chart.draw_series([PathElement::new(
        vec![(0.0, 0.0), (0.0, top)],
        Ink::Text.color().stroke_width(2),
    )])?;
    for (index, row) in rows.iter().enumerate() {
        let y = top - to_f64(index) - 0.5;
        let strokes = [(row.outer, Ink::Muted, 2), (Some(row.inner), Ink::Gain, 8)];
        chart.draw_series(strokes.into_iter().filter_map(|(interval, ink, width)| {
            let [from, until] = interval?.map(|end| end.clamp(low, high));
            Some(PathElement::new(
                vec![(from, y), (until, y)],
                ink.color().stroke_width(width),
            ))
        }))?;
        chart.draw_series([Circle::new((row.mean, y), 12, Ink::Gain.color().filled())])?;
        chart.draw_series(
            row.reference
                .map(|at| Circle::new((at, y), 16, Ink::Spend.color().stroke_width(5))),
        )?;
        let label = Text::new(short(&row.label), (-14, 0), anchored(Ink::Text, HPos::Right));
        chart.draw_series([EmptyElement::at((low, y)) + label])?;
    }
    Ok(())
}

/// All dots, thick whiskers and marks; thin ones as far as they do not push the others together.
fn range(rows: &[Whisker]) -> [f64; 2] {
    let sure = rows
        .iter()
        .flat_map(|row| row.inner.into_iter().chain([row.mean]).chain(row.reference));
    let (low, high) = ends(sure);
    let wide = rows.iter().filter_map(|row| row.outer).flatten();
    let (lowest, highest) = ends(wide);
    let span = if high - low > 0.0 { high - low } else { 1.0 };
    [
        lowest.max(low - span).min(low) - 0.04 * span,
        highest.min(high + span).max(high) + 0.04 * span,
    ]
}

fn ends(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    numbers.fold((0.0, 0.0), |(low, high), number| {
        (low.min(number), high.max(number))
    })
}
