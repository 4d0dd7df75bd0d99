//! What a fit says: contributions, returns, curves, the check against the data, and the best budget.

use thalweg_domain::{Error, Estimate, Result};

use crate::carry::Adstock;
use crate::curve::Saturation;
use crate::fit::Request;
use crate::input::Panel;
use crate::model::Model;
use crate::normal::{mean, quantile_of};
use crate::priors::{HEIGHT, Prior, of_adstock, of_saturation};
use crate::read::{Point, Reading};
use crate::steady::Curves;

/// A parameter before and after the data, 90 % intervals.
#[derive(Debug, Clone, PartialEq)]
pub struct Learned {
    /// `adstock`, `saturation`, `height`, …
    pub parameter: String,
    /// What was believed.
    pub prior: Estimate,
    /// What is known now.
    pub posterior: Estimate,
}

/// One channel; intervals are 90 %.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelResult {
    /// Its name.
    pub name: String,
    /// What was spent.
    pub spend: f64,
    /// What it brought, in the outcome's unit, over all periods.
    pub contribution: Estimate,
    /// The same per unit of spend.
    pub returned: Estimate,
    /// What one more unit per period, for good, would bring at the mean spend.
    pub marginal: Estimate,
    /// lam of the logistic curve or k of Hill's, at spend in units of the highest; zero for the linear one.
    pub saturation: Estimate,
    /// Spend per period at which half of the greatest effect is reached; none for the linear curve.
    pub half: Option<Estimate>,
    /// Share that carries over to the next period (geometric), or the mean delay in periods (Weibull).
    pub adstock: Estimate,
    /// Prior against posterior.
    pub learned: Vec<Learned>,
    /// What a steady spend per period brings per period, from nothing to beyond what may be asked for.
    pub curve: Vec<CurvePoint>,
}

/// One point of a channel's curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    /// Spend per period, the same every period.
    pub spend: f64,
    /// Outcome per period from it.
    pub outcome: Estimate,
}

/// One period, summed over series; intervals are 90 %.
#[derive(Debug, Clone, PartialEq)]
pub struct Week {
    /// Its first day, in days since 1970-01-01.
    pub day: i64,
    /// What was seen.
    pub outcome: f64,
    /// What the model expects, with the interval of a new observation.
    pub predicted: Estimate,
    /// Without channels.
    pub base: f64,
    /// By channel.
    pub channels: Vec<Estimate>,
}

/// Whether data drawn from the posterior look like the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Check {
    /// Share of the outcome's variance that the expected outcome explains.
    pub r2: f64,
    /// Share of periods inside their 90 % interval.
    pub coverage: f64,
    /// P(a replica's standard deviation >= the data's).
    pub p_deviation: f64,
    /// P(a replica's lag-one autocorrelation of residuals >= the data's).
    pub p_autocorrelation: f64,
}

/// How the last periods were predicted by a fit without them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeldOut {
    /// How many.
    pub periods: usize,
    /// Share inside their 90 % interval.
    pub coverage: f64,
    /// Mean absolute error over the mean outcome.
    pub error: f64,
}

/// A budget and its best split.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Spend per period.
    pub budget: f64,
    /// The same, against what was spent: -0.2 for a fifth less.
    pub change: f64,
    /// By channel.
    pub spend: Vec<f64>,
    /// Expected outcome from channels per period.
    pub outcome: Estimate,
    /// The same, less that of the spend as it was.
    pub gain: Estimate,
}

/// Everything that is published.
#[derive(Debug, Clone, PartialEq)]
pub struct Results {
    /// In the panel's order.
    pub channels: Vec<ChannelResult>,
    /// Period by period.
    pub weeks: Vec<Week>,
    /// Posterior predictive check.
    pub check: Check,
    /// The base's coefficients by name, in units of the highest outcome.
    pub base: Vec<(String, Estimate)>,
    /// Standard deviation of the noise, in the same unit.
    pub noise: Estimate,
    /// Mean spend per period by channel, as it was.
    pub current: Vec<f64>,
    /// The budget asked for.
    pub optimum: Scenario,
    /// Per channel: the 90 % interval of the best spend over draws.
    pub optimum_spread: Vec<Estimate>,
    /// Other budgets within the limits.
    pub scenarios: Vec<Scenario>,
}

/// Mean and 90 % interval of a sample.
pub(crate) fn estimate(mut values: Vec<f64>) -> Estimate {
    let mean = mean(&values);
    values.sort_by(f64::total_cmp);
    Estimate {
        mean,
        low: quantile_of(&values, 0.05),
        high: quantile_of(&values, 0.95),
    }
}

fn over(reading: &Reading, of: impl Fn(&Point) -> f64) -> Estimate {
    estimate(reading.chains.iter().flatten().map(of).collect())
}

/// Reads the published figures off the draws.
///
/// # Errors
/// `TW0524` for a budget that the limits of change do not allow.
pub(crate) fn results(panel: &Panel, model: &Model, reading: &Reading, request: &Request) -> Result<Results> {
    let curves = Curves::new(panel, model, reading);
    let channels = (0..model.channels)
        .map(|c| channel((panel, request), model, reading, (&curves, c)))
        .collect();
    let total: f64 = curves.current.iter().sum();
    let budget = request.budget.unwrap_or(total);
    let Some(optimum) = curves.scenario(budget, request.max_change) else {
        return Err(out_of_reach(budget, total, request.max_change));
    };
    let scenarios = [-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3]
        .into_iter()
        .filter_map(|change| curves.scenario(total * (1.0 + change), request.max_change))
        .collect();
    Ok(Results {
        channels,
        weeks: weeks(panel, reading),
        check: check(panel, reading),
        base: model
            .design
            .names
            .iter()
            .enumerate()
            .map(|(i, name)| (name.clone(), over(reading, |own| own.coefficients[i])))
            .collect(),
        noise: over(reading, |own| own.sigma),
        optimum_spread: curves.spread(budget, request.max_change),
        current: curves.current,
        optimum,
        scenarios,
    })
}

/// Refuses a budget that the limits of change do not allow, before anything is sampled.
pub(crate) fn check_budget(panel: &Panel, request: &Request) -> Result<()> {
    let spent: f64 = (0..panel.channels.len()).map(|c| panel.spend(c)).sum();
    let total = spent / panel.periods() as f64;
    match request.budget {
        Some(budget) if !within(budget, total, request.max_change) => {
            Err(out_of_reach(budget, total, request.max_change))
        }
        _ => Ok(()),
    }
}

/// Whether a budget can be reached from a total by changes of at most a share.
pub(crate) fn within(budget: f64, total: f64, limit: f64) -> bool {
    let change = budget / total - 1.0;
    budget > 0.0 && change.is_finite() && change.abs() <= limit + 1e-9
}

fn out_of_reach(budget: f64, total: f64, limit: f64) -> Error {
    let [low, high] = [1.0 - limit, 1.0 + limit].map(|own| own.max(0.0) * total);
    Error::new(
        "TW0524",
        format!("a budget of {budget} per period cannot be reached: with changes of at most {limit} the channels can take {low:.2} to {high:.2}"),
    )
    .hint("give a --budget in that range, or a greater --max-change")
}

fn channel(
    (panel, request): (&Panel, &Request),
    model: &Model,
    reading: &Reading,
    (curves, c): (&Curves, usize),
) -> ChannelResult {
    let (spend, spec) = (panel.spend(c), &model.spec);
    let highest: f64 = model.x_scale.iter().map(|own| own[c]).sum();
    let half = |own: &Point| highest * spec.saturation.half(own.natural[c].saturation[0]);
    let saturated = spec.saturation != Saturation::Linear;
    ChannelResult {
        name: panel.channels[c].clone(),
        spend,
        contribution: over(reading, |own| own.total[c]),
        returned: over(reading, |own| own.total[c] / spend),
        marginal: over(reading, |own| curves.slope(own, c)),
        saturation: if saturated {
            over(reading, |own| own.natural[c].saturation[0])
        } else {
            Estimate::default()
        },
        half: saturated.then(|| over(reading, half)),
        adstock: over(reading, |own| own.carry[c]),
        learned: learned(model, reading, c),
        curve: curves.points(c, request.max_change),
    }
}

fn learned(model: &Model, reading: &Reading, c: usize) -> Vec<Learned> {
    let before = |prior: Prior| Estimate {
        mean: prior.mean(),
        low: prior.quantile(0.05),
        high: prior.quantile(0.95),
    };
    let (adstock, saturation) = (model.spec.adstock, model.spec.saturation);
    let carry = match adstock {
        Adstock::Geometric => ["adstock", ""],
        Adstock::Weibull => ["adstock shape", "adstock scale"],
    };
    let mut out = Vec::new();
    for (p, name) in carry.into_iter().enumerate().take(adstock.parameters()) {
        out.push(Learned {
            parameter: name.to_owned(),
            prior: before(of_adstock(adstock)[p]),
            posterior: over(reading, |own| own.natural[c].adstock[p]),
        });
    }
    for p in 0..saturation.parameters() {
        out.push(Learned {
            parameter: ["saturation", "saturation slope"][p].to_owned(),
            prior: before(of_saturation(saturation)[p]),
            posterior: over(reading, |own| own.natural[c].saturation[p]),
        });
    }
    if !model.spec.returns.iter().any(|own| own.channel == c) {
        out.push(Learned {
            parameter: "height".to_owned(),
            prior: before(HEIGHT),
            posterior: over(reading, |own| own.natural[c].height),
        });
    }
    out
}

fn weeks(panel: &Panel, reading: &Reading) -> Vec<Week> {
    use rayon::prelude::*;
    let outcome = observed(panel);
    (0..panel.periods())
        .into_par_iter()
        .map(|t| {
            let channels: Vec<Estimate> = (0..panel.channels.len())
                .map(|c| estimate(reading.paths.iter().map(|own| own.channels[c][t]).collect()))
                .collect();
            let expected = mean(
                &reading
                    .paths
                    .iter()
                    .map(|own| own.expected[t])
                    .collect::<Vec<f64>>(),
            );
            let replica = estimate(reading.paths.iter().map(|own| own.replica[t]).collect());
            Week {
                day: panel.days[t],
                outcome: outcome[t],
                predicted: Estimate {
                    mean: expected,
                    ..replica
                },
                base: expected - channels.iter().map(|own| own.mean).sum::<f64>(),
                channels,
            }
        })
        .collect()
}

fn observed(panel: &Panel) -> Vec<f64> {
    (0..panel.periods())
        .map(|t| panel.series.iter().map(|own| own.outcome[t]).sum())
        .collect()
}

fn check(panel: &Panel, reading: &Reading) -> Check {
    let outcome = observed(panel);
    let spread = |values: &[f64]| crate::normal::deviation(values);
    let rest = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x - y).collect::<Vec<f64>>();
    let lag = |own: &[f64]| crate::design::correlation(&own[1..], &own[..own.len() - 1]);
    let (mut wider, mut smoother) = (0.0, 0.0);
    for path in &reading.paths {
        wider += f64::from(u8::from(spread(&path.replica) >= spread(&outcome)));
        let theirs = lag(&rest(&path.replica, &path.expected));
        smoother += f64::from(u8::from(theirs >= lag(&rest(&outcome, &path.expected))));
    }
    let n = reading.paths.len() as f64;
    let predicted = weeks(panel, reading);
    let expected: Vec<f64> = predicted.iter().map(|own| own.predicted.mean).collect();
    let left: f64 = rest(&outcome, &expected).iter().map(|own| own * own).sum();
    let centre = mean(&outcome);
    let whole: f64 = outcome.iter().map(|own| (own - centre).powi(2)).sum();
    let inside = predicted
        .iter()
        .filter(|own| own.predicted.low <= own.outcome && own.outcome <= own.predicted.high)
        .count();
    Check {
        r2: 1.0 - left / whole,
        coverage: inside as f64 / outcome.len() as f64,
        p_deviation: wider / n,
        p_autocorrelation: smoother / n,
    }
}

/// How periods from `trained` on, which the fit has not seen, were predicted.
pub(crate) fn held_out(panel: &Panel, reading: &Reading, trained: usize) -> HeldOut {
    let late: Vec<Week> = weeks(panel, reading).split_off(trained);
    let n = late.len() as f64;
    let inside = late
        .iter()
        .filter(|own| own.predicted.low <= own.outcome && own.outcome <= own.predicted.high)
        .count();
    let missed: f64 = late
        .iter()
        .map(|own| (own.outcome - own.predicted.mean).abs())
        .sum();
    let level: f64 = late.iter().map(|own| own.outcome.abs()).sum();
    HeldOut {
        periods: late.len(),
        coverage: inside as f64 / n,
        error: missed / level,
    }
}
