//! Horizontal bars: one row per thing, one or two bars in it, each with its number at its end.

use plotters::chart::ChartBuilder;
use plotters::element::{EmptyElement, PathElement, Rectangle, Text};
use plotters::style::Color;
use plotters::style::text_anchor::HPos;
use thalweg_domain::Result;

use super::{
    CHARACTER, Canvas, Drawing, Ink, Painted, WIDTH, anchored, draw, font, room, short, tick, width,
};
use crate::count::to_f64;

/// Height of a bar with its margin, in drawing units.
const BAR: u32 = 38;

/// A bar.
pub(in crate::report) struct Bar {
    pub(in crate::report) value: f64,
    /// What stands at its end.
    pub(in crate::report) text: String,
    pub(in crate::report) ink: Ink,
}

/// A row of bars.
pub(in crate::report) struct BarRow {
    pub(in crate::report) label: String,
    pub(in crate::report) bars: Vec<Bar>,
}

/// Draws rows from top to bottom; `axis` names the quantity and its unit.
pub(in crate::report) fn bars(axis: &str, rows: &[BarRow]) -> Result<Drawing> {
    let n_bars: usize = rows.iter().map(|row| row.bars.len()).sum();
    let height = 110 + BAR * u32::try_from(n_bars).unwrap_or(0) + 16 * u32::try_from(rows.len()).unwrap_or(0);
    draw(height, |canvas| paint(canvas, axis, rows))
}

fn paint(canvas: &Canvas<'_>, axis: &str, rows: &[BarRow]) -> Painted {
    let left = room(rows.iter().map(|row| row.label.as_str()));
    let [low, high] = range(rows, left);
    let mut chart = ChartBuilder::on(canvas)
        .margin(10)
        .x_label_area_size(86)
        .y_label_area_size(left)
        .build_cartesian_2d(low..high, 0.0..to_f64(rows.len().max(1)))?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .y_labels(0)
        .x_labels(6)
        .x_desc(axis)
        .x_label_formatter(&tick(low.abs().max(high)))
        .label_style(font(Ink::Muted))
        .axis_desc_style(font(Ink::Text))
        .axis_style(Ink::Muted.color())
        .bold_line_style(Ink::Grid.color())
        .light_line_style(Ink::Grid.color().mix(0.0))
        .draw()?;
    chart.draw_series(rows.iter().enumerate().flat_map(|(index, row)| {
        placed(index, row, rows.len()).map(|(bar, top, bottom)| {
            Rectangle::new([(0.0, top), (bar.value, bottom)], bar.ink.color().filled())
        })
    }))?;
    chart.draw_series(rows.iter().enumerate().flat_map(|(index, row)| {
        placed(index, row, rows.len()).map(|(bar, top, bottom)| {
            let (shift, side) = if bar.value < 0.0 {
                (-10, HPos::Right)
            } else {
                (10, HPos::Left)
            };
            EmptyElement::at((bar.value, f64::midpoint(top, bottom)))
                + Text::new(bar.text.clone(), (shift, 0), anchored(Ink::Text, side))
        })
    }))?;
    chart.draw_series(rows.iter().enumerate().map(|(index, row)| {
        EmptyElement::at((low, to_f64(rows.len() - index) - 0.5))
            + Text::new(short(&row.label), (-14, 0), anchored(Ink::Text, HPos::Right))
    }))?;
    let zero = vec![(0.0, 0.0), (0.0, to_f64(rows.len().max(1)))];
    chart.draw_series([PathElement::new(zero, Ink::Muted.color().stroke_width(2))])?;
    Ok(())
}

/// Every bar of a row with its top and bottom.
fn placed(index: usize, row: &BarRow, n_rows: usize) -> impl Iterator<Item = (&Bar, f64, f64)> {
    let top = to_f64(n_rows - index) - 0.12;
    let each = 0.76 / to_f64(row.bars.len().max(1));
    row.bars.iter().enumerate().map(move |(position, bar)| {
        let from = top - each * to_f64(position);
        (bar, from, from - each * 0.88)
    })
}

/// From the lowest to the highest value, with room for the numbers at the ends.
fn range(rows: &[BarRow], left: u32) -> [f64; 2] {
    let bars = || rows.iter().flat_map(|row| &row.bars);
    let low = bars().map(|bar| bar.value).fold(0.0, f64::min);
    let high = bars().map(|bar| bar.value).fold(0.0, f64::max);
    let span = if high - low > 0.0 { high - low } else { 1.0 };
    let widest = bars().map(|bar| width(&bar.text)).max().unwrap_or(0);
    let across = f64::from(WIDTH.saturating_sub(left + 20).max(400));
    let share = ((to_f64(widest) + 1.0) * f64::from(CHARACTER) / across).min(0.6);
    let words = span * share / (1.0 - share);
    [if low < 0.0 { low - words } else { 0.0 }, high + words]
}
