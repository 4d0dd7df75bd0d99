//! Charts as SVG whose colours are CSS classes, so that light, dark and paper each have their own.

mod bars;
mod plot;
mod whiskers;

pub(super) use bars::{Bar, BarRow, bars};
pub(super) use plot::{Axis, Dot, Line, Plot, Stroke, plot};
pub(super) use whiskers::{Whisker, whiskers};

use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea, RGBColor, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{IntoFont, TextStyle};
use thalweg_domain::{Error, Result};

/// Width of every drawing in its own units; it scales with the page.
pub(super) const WIDTH: u32 = 1440;

/// Font size in drawing units, as plotters counts.
const FONT: u32 = 29;

/// Room for one character of a label in drawing units.
const CHARACTER: u32 = 13;

/// Labels are cut at so many characters; the table beneath has them whole.
const LABEL: usize = 30;

/// A finished drawing: what goes inside `<svg>`.
pub(super) struct Drawing {
    pub(super) body: String,
    pub(super) height: u32,
}

/// What a colour means; the style sheet says which one it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// Words and axes.
    Text,
    /// Second thoughts: references, wide intervals.
    Muted,
    /// Lines of the grid.
    Grid,
    /// What comes in.
    Gain,
    /// What goes out.
    Spend,
}

impl Ink {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Text, "text"),
        (Self::Muted, "muted"),
        (Self::Grid, "grid"),
        (Self::Gain, "gain"),
        (Self::Spend, "spend"),
    ];

    /// A colour that stands for the class until the drawing is done.
    const fn color(self) -> RGBColor {
        RGBColor(
            1,
            2,
            match self {
                Self::Text => 1,
                Self::Muted => 2,
                Self::Grid => 3,
                Self::Gain => 4,
                Self::Spend => 5,
            },
        )
    }

    fn hex(self) -> String {
        let RGBColor(red, green, blue) = self.color();
        format!("#{red:02X}{green:02X}{blue:02X}")
    }
}

type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Painted = std::result::Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// Paints on a canvas of that height.
fn draw(height: u32, paint: impl FnOnce(&Canvas<'_>) -> Painted) -> Result<Drawing> {
    let mut svg = String::new();
    {
        let canvas = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        paint(&canvas)
            .and_then(|()| canvas.present())
            .map_err(|cause| Error::new("TW0901", "internal error: a chart cannot be drawn").cause(cause))?;
    }
    Ok(Drawing {
        body: dress(&svg),
        height,
    })
}

/// The inside of plotters' `<svg>`, with classes for colours and the page's own font.
fn dress(svg: &str) -> String {
    let inside = svg.split_once('>').map_or("", |(_, rest)| rest);
    let mut body = inside
        .trim()
        .trim_end_matches("</svg>")
        .replace(" font-family=\"sans-serif\"", "")
        .replace(" opacity=\"1\"", "");
    for (ink, name) in Ink::ALL {
        let hex = ink.hex();
        body = body
            .replace(&format!("fill=\"{hex}\""), &format!("class=\"f-{name}\""))
            .replace(&format!("stroke=\"{hex}\""), &format!("class=\"s-{name}\""));
    }
    body
}

fn font<'a>(ink: Ink) -> TextStyle<'a> {
    ("sans-serif", FONT).into_font().color(&ink.color())
}

fn anchored<'a>(ink: Ink, horizontal: HPos) -> TextStyle<'a> {
    font(ink).pos(Pos::new(horizontal, VPos::Center))
}

/// A label that fits beside a chart.
fn short(label: &str) -> String {
    if width(label) <= LABEL {
        return label.to_owned();
    }
    let mut out = String::new();
    for character in label.chars() {
        if width(&out) + 2 > LABEL {
            break;
        }
        out.push(character);
    }
    out.push('…');
    out
}

/// Columns that a text takes; East Asian characters take two.
fn width(text: &str) -> usize {
    text.chars()
        .map(|character| if character >= '\u{1100}' { 2 } else { 1 })
        .sum()
}

/// Room in drawing units for the widest of these labels.
fn room<'a>(labels: impl Iterator<Item = &'a str>) -> u32 {
    let widest = labels.map(|label| width(&short(label))).max().unwrap_or(0);
    u32::try_from(widest).unwrap_or(0) * CHARACTER + 24
}

/// Numbers on an axis that ends so far from 0.
fn tick(end: f64) -> impl Fn(&f64) -> String {
    let decimals = match end.abs() {
        end if end >= 10.0 => 0,
        end if end >= 1.0 => 1,
        _ => 2,
    };
    move |number| super::words::grouped(*number, decimals)
}
