//! Lines and dots over two axes.

use plotters::chart::ChartBuilder;
use plotters::element::{Circle, EmptyElement, PathElement, Text};
use plotters::series::DashedLineSeries;
use plotters::style::Color;
use plotters::style::text_anchor::HPos;
use thalweg_domain::Result;

use super::{Canvas, Drawing, Ink, Painted, anchored, draw, font};

/// An axis.
pub(in crate::report) struct Axis<'a> {
    /// The quantity and its unit.
    pub(in crate::report) name: &'a str,
    pub(in crate::report) range: [f64; 2],
    /// How a number on it is written.
    pub(in crate::report) write: fn(f64) -> String,
}

/// How a line is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Stroke {
    /// A finding.
    Solid,
    /// Something to hold it against.
    Dashed,
}

/// A line with its name at a point.
pub(in crate::report) struct Line<'a> {
    pub(in crate::report) points: Vec<(f64, f64)>,
    pub(in crate::report) ink: Ink,
    pub(in crate::report) stroke: Stroke,
    pub(in crate::report) name: &'a str,
    /// Where its name begins.
    pub(in crate::report) name_at: (f64, f64),
}

/// A dot with its name to the right.
pub(in crate::report) struct Dot {
    pub(in crate::report) at: (f64, f64),
    /// In drawing units.
    pub(in crate::report) radius: u32,
    /// An interval along y.
    pub(in crate::report) whisker: Option<[f64; 2]>,
    pub(in crate::report) name: String,
}

/// A picture of lines and dots.
pub(in crate::report) struct Plot<'a> {
    pub(in crate::report) x: Axis<'a>,
    pub(in crate::report) y: Axis<'a>,
    pub(in crate::report) lines: Vec<Line<'a>>,
    pub(in crate::report) dots: Vec<Dot>,
}

/// Draws it.
pub(in crate::report) fn plot(plot: &Plot<'_>) -> Result<Drawing> {
    draw(760, |canvas| paint(canvas, plot))
}

fn paint(canvas: &Canvas<'_>, plot: &Plot<'_>) -> Painted {
    let mut chart = ChartBuilder::on(canvas)
        .margin(10)
        .margin_right(60)
        .margin_top(24)
        .x_label_area_size(90)
        .y_label_area_size(140)
        .build_cartesian_2d(span(&plot.x), span(&plot.y))?;
    chart
        .configure_mesh()
        .x_labels(9)
        .y_labels(7)
        .x_desc(plot.x.name)
        .y_desc(plot.y.name)
        .x_label_formatter(&|number| (plot.x.write)(*number))
        .y_label_formatter(&|number| (plot.y.write)(*number))
        .label_style(font(Ink::Muted))
        .axis_desc_style(font(Ink::Text))
        .axis_style(Ink::Muted.color())
        .bold_line_style(Ink::Grid.color())
        .light_line_style(Ink::Grid.color().mix(0.0))
        .draw()?;
    for line in &plot.lines {
        let points = line.points.iter().copied();
        match line.stroke {
            Stroke::Solid => {
                chart.draw_series([PathElement::new(
                    points.collect::<Vec<_>>(),
                    line.ink.color().stroke_width(5),
                )])?;
            }
            Stroke::Dashed => {
                chart.draw_series(DashedLineSeries::new(
                    points,
                    14,
                    10,
                    line.ink.color().stroke_width(3),
                ))?;
            }
        }
        let name = Text::new(line.name.to_owned(), (0, 0), anchored(Ink::Text, HPos::Left));
        chart.draw_series([EmptyElement::at(line.name_at) + name])?;
    }
    for dot in &plot.dots {
        let (x, y) = dot.at;
        let whisker = dot.whisker.map(|[low, high]| vec![(x, low), (x, high)]);
        chart.draw_series(whisker.map(|ends| PathElement::new(ends, Ink::Gain.color().stroke_width(4))))?;
        chart.draw_series([Circle::new((x, y), dot.radius, Ink::Gain.color().filled())])?;
        let beside = i32::try_from(dot.radius).unwrap_or(0) + 8;
        let name = Text::new(dot.name.clone(), (beside, 14), anchored(Ink::Text, HPos::Left));
        chart.draw_series([EmptyElement::at((x, y)) + name])?;
    }
    Ok(())
}

fn span(axis: &Axis<'_>) -> std::ops::Range<f64> {
    let [low, high] = axis.range;
    if high > low { low..high } else { low..low + 1.0 }
}
