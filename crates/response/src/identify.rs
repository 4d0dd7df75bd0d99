//! Before a fit: can these data tell the channels apart at all? If not, which experiment would.

use thalweg_domain::{Error, Result};

use crate::basis::eigen;
use crate::design::{Design, correlation};
use crate::input::Panel;
use crate::model::{Model, Spec};
use crate::normal::{deviation, mean};
use crate::prior_lift::spread;

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
/// A lift test tells something when its standard error is at most this share of what the priors leave open.
const PRECISE: f64 = 0.5;
/// A channel active in fewer periods than this shows no carry-over.
const ACTIVE: usize = 4;

/// Refuses what cannot be fitted, and lists what may make a fit useless.
///
/// A lift test of one of the channels concerned is the experiment asked for: then the concern is told and stands in nobody's way,
/// if the test's standard error is at most half of the lift's standard deviation under the priors alone. Each test counts by
/// itself.
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
    let fatal: Vec<&mut Concern> = out.iter_mut().filter(|own| own.fatal).collect();
    if !fatal.is_empty() && !spec.lifts.is_empty() {
        let model = Model::new(panel, spec, panel.periods(), panel.periods());
        for own in fatal {
            answer(own, panel, &model);
        }
    }
    Ok(out)
}

/// Takes a concern off the way when a lift test of one of its channels tells enough, or says why it does not.
fn answer(concern: &mut Concern, panel: &Panel, model: &Model) {
    let mut vague: Option<(&String, f64, f64)> = None;
    for test in &model.spec.lifts {
        let Some(name) = panel.channels.get(test.channel) else {
            continue;
        };
        if !concern.channels.contains(name) {
            continue;
        }
        let believed = spread(model, panel, test);
        if test.sd <= PRECISE * believed {
            concern.fatal = false;
            concern.what = format!(
                "{}; what they alone cannot tell comes from the lift test of {name}",
                concern.what
            );
            return;
        }
        let best = vague.is_none_or(|(_, sd, other)| test.sd * other < sd * believed);
        if best {
            vague = Some((name, test.sd, believed));
        }
    }
    if let Some((name, sd, believed)) = vague {
        concern.what = format!(
            "{}; the lift test of {name} is too imprecise to help: its standard error of {sd:.3} is more than half of {believed:.3}, \
             which the lift may be off by before any test",
            concern.what
        );
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LiftTest, Seasonality};

    /// Two channels that move together, and a test of the second with that standard error.
    fn together(sds: &[f64]) -> (Panel, Spec) {
        let mut panel = crate::tests::panel(80, 2, 1, 3);
        let own = &mut panel.series[0];
        own.spend[1] = own.spend[0].iter().map(|spend| 0.4 * spend + 1.0).collect();
        let test = |sd: &f64| LiftTest {
            channel: 1,
            series: None,
            spend: 1.0,
            change: 2.0,
            lift: 5.0,
            sd: *sd,
        };
        let spec = Spec {
            seasonality: Seasonality { yearly: 0, weekly: 0 },
            lifts: sds.iter().map(test).collect(),
            ..Spec::default()
        };
        (panel, spec)
    }

    fn first(sds: &[f64]) -> Concern {
        let (panel, spec) = together(sds);
        concerns(&panel, &spec).unwrap().swap_remove(0)
    }

    #[test]
    fn a_lift_test_opens_the_way_only_when_it_tells_more_than_the_prior() {
        let (panel, spec) = together(&[1.0]);
        let believed = spread(&Model::new(&panel, &spec, 80, 80), &panel, &spec.lifts[0]);
        assert!((5.0..40.0).contains(&believed), "{believed}");
        let open = first(&[]);
        assert!(open.fatal && !open.what.contains("lift test"), "{}", open.what);
        let precise = first(&[0.49 * believed]);
        assert!(!precise.fatal, "{}", precise.what);
        assert!(
            precise.what.ends_with("comes from the lift test of c1"),
            "{}",
            precise.what
        );
        let vague = first(&[3.0 * believed, 0.51 * believed]);
        assert!(vague.fatal);
        let told = format!(
            "the lift test of c1 is too imprecise to help: its standard error of {:.3}",
            0.51 * believed
        );
        assert!(vague.what.contains(&told), "{}", vague.what);
        // one good test is enough
        assert!(!first(&[3.0 * believed, 0.2 * believed]).fatal);
    }

    #[test]
    fn a_test_of_another_channel_is_no_answer() {
        let (mut panel, mut spec) = together(&[0.01]);
        panel.channels.push("c2".to_owned());
        let other: Vec<f64> = (0..80).map(|week: u32| f64::from(week * 7 % 11)).collect();
        panel.series[0].spend.push(other);
        spec.lifts[0].channel = 2;
        let found = concerns(&panel, &spec).unwrap();
        assert!(
            found[0].fatal && !found[0].what.contains("lift test of"),
            "{}",
            found[0].what
        );
    }
}
