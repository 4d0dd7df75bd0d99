//! Before a fit: can these data tell the channels apart at all? If not, which experiment would.

use thalweg_domain::{Error, Result};

use crate::basis::eigen;
use crate::design::{Design, correlation};
use crate::input::Panel;
use crate::model::{Model, Spec};
use crate::normal::{deviation, mean};

/// Something that keeps effects from being identified.
#[derive(Debug, Clone, PartialEq)]
pub struct Concern {
    /// Channels concerned.
    pub channels: Vec<String>,
    /// What is wrong with them, with the figure.
    pub what: String,
    /// The experiment that would identify them.
    pub experiment: String,
    /// Whether nothing can be published because of it.
    pub fatal: bool,
}

/// Two channels this correlated cannot be told apart.
const SAME: f64 = 0.98;
/// A variance inflation from here on leaves no information of a channel's own; from the second on it is worth a word.
const INFLATION: [f64; 2] = [50.0, 10.0];
/// Spend that varies by less than this share of its mean draws no curve.
const FLAT: f64 = 0.05;
/// A channel active in fewer periods than this shows no carry-over.
const ACTIVE: usize = 4;

/// Refuses what cannot be fitted, and lists what may make a fit useless.
///
/// A lift test of one of the channels concerned is the experiment asked for: then the concern is told and stands in nobody's way.
///
/// Variance inflation is `1 / (1 - R^2)` of each channel's spend on the other channels and on the base's columns (Belsley,
/// Kuh and Welsch 1980, doi:10.1002/0471725153): spend before carry-over and saturation, which may help a little.
///
/// # Errors
/// `TW0522` for a channel that never changes, `TW0523` for fewer periods than parameters.
pub fn concerns(panel: &Panel, spec: &Spec) -> Result<Vec<Concern>> {
    let mut out = Vec::new();
    for (index, name) in panel.channels.iter().enumerate() {
        let stacked = stacked(panel, index);
        let (centre, spread) = (mean(&stacked), deviation(&stacked));
        if spread <= 1e-9 * centre.abs() {
            return Err(Error::new(
                "TW0522",
                format!("the spend of \"{name}\" is {centre} in every period: a constant has no effect that data could show"),
            )
            .hint("leave the channel out, or vary its spend for some weeks and come back"));
        }
        let active = stacked.iter().filter(|own| **own > 0.0).count();
        if active < ACTIVE || spread < FLAT * centre {
            out.push(Concern {
                channels: vec![name.clone()],
                what: if active < ACTIVE {
                    format!("{name} was active in {active} periods only")
                } else {
                    format!(
                        "{name} hardly varies (standard deviation {:.1} % of its mean)",
                        100.0 * spread / centre
                    )
                },
                experiment: format!(
                    "switch {name} on and off for two weeks at a time over eight weeks, in random order"
                ),
                fatal: true,
            });
        }
    }
    enough(panel, spec)?;
    out.extend(pairs(panel));
    out.extend(inflated(panel, spec, &out));
    for own in out.iter_mut().filter(|own| own.fatal) {
        let tested = spec
            .lifts
            .iter()
            .filter_map(|test| panel.channels.get(test.channel));
        let tested: Vec<&String> = tested.filter(|name| own.channels.contains(name)).collect();
        if let Some(name) = tested.first() {
            own.fatal = false;
            own.what = format!(
                "{}; what they alone cannot tell comes from the lift test of {name}",
                own.what
            );
        }
    }
    Ok(out)
}

fn stacked(panel: &Panel, channel: usize) -> Vec<f64> {
    panel
        .series
        .iter()
        .flat_map(|own| own.spend[channel].iter().copied())
        .collect()
}

fn enough(panel: &Panel, spec: &Spec) -> Result<()> {
    let n = panel.periods();
    let model = Model::new(panel, spec, n, n);
    let parameters = model.channels * model.block() + model.design.columns.len() + 1;
    let rows = n * panel.series.len();
    if rows > parameters {
        return Ok(());
    }
    Err(Error::new(
        "TW0523",
        format!(
            "{rows} periods cannot fix {parameters} parameters ({} channels with {} each, {} columns of the base, the noise)",
            model.channels,
            model.block(),
            model.design.columns.len()
        ),
    )
    .hint("bring a longer history (two years or more), or model less: fewer channels and controls, --seasonality none"))
}

fn pairs(panel: &Panel) -> Vec<Concern> {
    let columns: Vec<Vec<f64>> = (0..panel.channels.len())
        .map(|index| stacked(panel, index))
        .collect();
    let mut out = Vec::new();
    for (i, a) in columns.iter().enumerate() {
        for (j, b) in columns.iter().enumerate().skip(i + 1) {
            let own = correlation(a, b);
            if own > SAME {
                let (a, b) = (&panel.channels[i], &panel.channels[j]);
                out.push(Concern {
                    channels: vec![a.clone(), b.clone()],
                    what: format!("the spends of {a} and {b} move together (correlation {own:.3}), so that either could have caused the effect"),
                    experiment: format!("hold {a} back in some regions or weeks while {b} goes on, for at least four weeks, and give the result by --lift-tests; or model the two as one channel"),
                    fatal: true,
                });
            }
        }
    }
    out
}

fn inflated(panel: &Panel, spec: &Spec, known: &[Concern]) -> Vec<Concern> {
    let design = Design::new(panel, spec.trend, spec.seasonality);
    let mut columns: Vec<Vec<f64>> = (0..panel.channels.len())
        .map(|index| stacked(panel, index))
        .collect();
    columns.extend(
        design
            .columns
            .into_iter()
            .filter(|column| deviation(column) > 0.0),
    );
    let k = columns.len();
    let matrix = (0..k)
        .map(|i| (0..k).map(|j| correlation(&columns[i], &columns[j])).collect())
        .collect();
    let (values, vectors) = eigen(matrix);
    let mut out = Vec::new();
    for (index, name) in panel.channels.iter().enumerate() {
        let inflation: f64 = values
            .iter()
            .zip(&vectors)
            .map(|(value, v)| v[index] * v[index] / value.max(1e-12))
            .sum();
        let named = known.iter().any(|own| own.fatal && own.channels.contains(name));
        if inflation < INFLATION[1] || named {
            continue;
        }
        out.push(Concern {
            channels: vec![name.clone()],
            what: format!("the other channels and the base explain {:.1} % of the spend of {name} (variance inflation {inflation:.0})", 100.0 * (1.0 - 1.0 / inflation)),
            experiment: format!("change the spend of {name} by half for four weeks, at moments drawn at random, the others as planned"),
            fatal: inflation >= INFLATION[0],
        });
    }
    out
}
