//! The fit with its gates: sample, judge, try the next remedy, and publish or say why not.

use std::sync::Arc;

use thalweg_domain::{Result, Seed};

use crate::carry::Adstock;
use crate::curve::Saturation;
use crate::diagnostics::{Diagnosis, diagnose};
use crate::identify::{Concern, concerns};
use crate::input::Panel;
use crate::model::{Anchor, Model, Spec};
use crate::read::{Point, Reading, read};
use crate::results::{HeldOut, Results, check_budget, held_out, results};
pub use crate::sample::Sampling;
use crate::sample::{Draws, sample};

/// The gates: nothing is published beyond them.
pub const R_HAT: f64 = 1.01;
/// Least effective sample size, bulk and tail.
pub const ESS: f64 = 400.0;
/// Greatest share of divergent steps.
pub const DIVERGENT: f64 = 0.001;

/// What to fit and how.
#[derive(Debug, Clone)]
pub struct Request {
    /// The model.
    pub spec: Spec,
    /// The sampler.
    pub sampling: Sampling,
    /// Last periods kept out of a second fit and predicted by it; 0 for none.
    pub held_out: usize,
    /// Spend per period to divide; the mean of what was spent when absent.
    pub budget: Option<f64>,
    /// Greatest change of a channel's spend, as a share of what was spent.
    pub max_change: f64,
    /// Randomness.
    pub seed: Seed,
}

/// One try at the sampler, with its worst figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// What was different from the first.
    pub remedy: String,
    /// Greatest R-hat.
    pub r_hat: f64,
    /// Least effective sample size, bulk or tail.
    pub ess: f64,
    /// Divergent steps.
    pub divergences: usize,
    /// Draws kept.
    pub draws: usize,
    /// The quantity with the greatest R-hat.
    pub worst: String,
}

impl Attempt {
    /// Whether the gates are passed.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.r_hat < R_HAT && self.ess > ESS && (self.divergences as f64) < DIVERGENT * self.draws as f64
    }
}

/// What came out.
#[derive(Debug, Clone)]
pub struct Fit {
    /// Every try, the last one decided.
    pub attempts: Vec<Attempt>,
    /// What the data can and cannot tell; fatal ones stand in the way of publishing.
    pub concerns: Vec<Concern>,
    /// Why nothing is published; empty when something is.
    pub reasons: Vec<String>,
    /// The curve that was fitted in the end.
    pub saturation: Saturation,
    /// Things a reader should know.
    pub notes: Vec<String>,
    /// The results, when they may be published.
    pub results: Option<Results>,
    /// How well the last periods were predicted by a fit without them.
    pub held_out: Option<HeldOut>,
}

/// Checks, fits, judges.
///
/// `advance` hears of steps done; a try has `chains x (warm-up + draws)` of them, and [`steps`] says how many the first has.
///
/// # Errors
/// `TW0522` and `TW0523` for data that cannot be fitted, `TW0524` for a budget beyond the limits of change.
pub fn fit(panel: &Panel, request: &Request, advance: &(dyn Fn(usize) + Sync)) -> Result<Fit> {
    let concerns = concerns(panel, &request.spec)?;
    check_budget(panel, request)?;
    let mut out = Fit {
        attempts: Vec::new(),
        reasons: concerns
            .iter()
            .filter(|own| own.fatal)
            .map(|own| format!("{}; to know: {}", own.what, own.experiment))
            .collect(),
        concerns,
        saturation: request.spec.saturation,
        notes: Vec::new(),
        results: None,
        held_out: None,
    };
    if !out.reasons.is_empty() {
        return Ok(out);
    }
    let n = panel.periods();
    let mut tried = None;
    for (remedy, spec, sampling) in remedies(&request.spec, &request.sampling) {
        let model = Arc::new(Model::new(panel, &spec, n, n));
        let draws = sample(
            &model,
            &sampling,
            request.seed.stream("sample").nth(out.attempts.len() as u64),
            advance,
        )?;
        let reading = read(&draws, &model, &model, request.seed.stream("read"));
        let attempt = judge(&remedy, panel, &model, &draws, &reading);
        let passes = attempt.passes();
        out.attempts.push(attempt);
        tried = Some((model, reading));
        if passes {
            break;
        }
    }
    let Some((model, reading)) = tried else {
        return Ok(out);
    };
    out.saturation = model.spec.saturation;
    out.notes.clone_from(&model.design.notes);
    if out.saturation != request.spec.saturation {
        out.notes.push(format!(
            "the {} curve could not be told from the data; this is the {} one",
            request.spec.saturation.as_str(),
            out.saturation.as_str()
        ));
    }
    if out.attempts.last().is_some_and(Attempt::passes) {
        if request.held_out > 0 {
            out.held_out = Some(without_last(panel, &model.spec, request, advance)?);
        }
        out.results = Some(results(panel, &model, &reading, request)?);
    } else {
        out.reasons = refusal(panel, &out.attempts, &reading);
    }
    Ok(out)
}

/// Steps of the first try and of the fit without the last periods.
#[must_use]
pub fn steps(request: &Request) -> usize {
    let whole = request.sampling.chains * (request.sampling.warmup + request.sampling.draws);
    let short = shorter(&request.sampling);
    whole
        + if request.held_out > 0 {
            short.chains * (short.warmup + short.draws)
        } else {
            0
        }
}

/// The first try and what to do when the gates stay shut.
fn remedies(spec: &Spec, sampling: &Sampling) -> Vec<(String, Spec, Sampling)> {
    let careful = Sampling {
        warmup: 2 * sampling.warmup,
        draws: 2 * sampling.draws,
        accept: 0.98,
        ..*sampling
    };
    let other = Spec {
        anchor: Anchor::Peak,
        ..spec.clone()
    };
    let simpler = Spec {
        saturation: match spec.saturation {
            Saturation::Hill => Saturation::Logistic,
            Saturation::Logistic | Saturation::Linear => Saturation::Linear,
        },
        adstock: Adstock::Geometric,
        ..spec.clone()
    };
    let mut out = vec![
        ("as asked".to_owned(), spec.clone(), *sampling),
        (
            "twice the warm-up and draws, smaller steps".to_owned(),
            spec.clone(),
            careful,
        ),
        (
            "effects as parameters at the highest instead of the mean spend".to_owned(),
            other,
            careful,
        ),
    ];
    if simpler != *spec {
        out.push((
            format!(
                "a simpler model: {} saturation, geometric adstock",
                simpler.saturation.as_str()
            ),
            simpler,
            careful,
        ));
    }
    out
}

fn judge(remedy: &str, panel: &Panel, model: &Model, draws: &Draws, reading: &Reading) -> Attempt {
    let mut own = Attempt {
        remedy: remedy.to_owned(),
        r_hat: 1.0,
        ess: f64::INFINITY,
        divergences: draws.divergences,
        draws: draws.len(),
        worst: String::new(),
    };
    for (name, figures) in quantities(panel, model, reading) {
        if figures.r_hat > own.r_hat || figures.r_hat.is_nan() || own.worst.is_empty() {
            own.r_hat = figures.r_hat;
            own.worst = name;
        }
        own.ess = own.ess.min(figures.ess_bulk).min(figures.ess_tail);
    }
    own
}

/// Every quantity that is reported, with its diagnosis.
pub(crate) fn quantities(panel: &Panel, model: &Model, reading: &Reading) -> Vec<(String, Diagnosis)> {
    use rayon::prelude::*;
    type Reader<'a> = Box<dyn Fn(&Point) -> f64 + Sync + Send + 'a>;
    let mut asked: Vec<(String, Reader<'_>)> = vec![("noise".to_owned(), Box::new(|own| own.sigma))];
    for (c, name) in panel.channels.iter().enumerate() {
        asked.push((
            format!("contribution of {name}"),
            Box::new(move |own| own.total[c]),
        ));
        asked.push((
            format!("height of {name}"),
            Box::new(move |own| own.natural[c].height),
        ));
        for p in 0..model.spec.adstock.parameters() {
            asked.push((
                format!("adstock of {name}"),
                Box::new(move |own| own.natural[c].adstock[p]),
            ));
        }
        for p in 0..model.spec.saturation.parameters() {
            asked.push((
                format!("saturation of {name}"),
                Box::new(move |own| own.natural[c].saturation[p]),
            ));
        }
    }
    for (i, name) in model.design.names.iter().enumerate() {
        asked.push((name.clone(), Box::new(move |own| own.coefficients[i])));
    }
    asked
        .into_par_iter()
        .map(|(name, reader)| {
            let chains: Vec<Vec<f64>> = reading
                .chains
                .iter()
                .map(|chain| chain.iter().map(&reader).collect())
                .collect();
            (name, diagnose(&chains))
        })
        .collect()
}

/// A fit of the earlier periods only; half the draws are enough for predictions.
fn shorter(sampling: &Sampling) -> Sampling {
    Sampling {
        warmup: sampling.warmup.div_ceil(2).max(300),
        draws: sampling.draws.div_ceil(4).max(100),
        ..*sampling
    }
}

fn without_last(
    panel: &Panel,
    spec: &Spec,
    request: &Request,
    advance: &(dyn Fn(usize) + Sync),
) -> Result<HeldOut> {
    let (n, trained) = (panel.periods(), panel.periods() - request.held_out);
    let earlier = Arc::new(Model::new(panel, spec, trained, trained));
    let whole = Model::new(panel, spec, trained, n);
    let seed = request.seed.stream("held out");
    let draws = sample(&earlier, &shorter(&request.sampling), seed, advance)?;
    let reading = read(&draws, &earlier, &whole, seed.stream("read"));
    Ok(held_out(panel, &reading, trained))
}

/// Why the gates stayed shut: the figures, and the channels whose effects trade against one another.
fn refusal(panel: &Panel, attempts: &[Attempt], reading: &Reading) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(last) = attempts.last() {
        out.push(format!(
            "after {} tries R-hat is {:.3} (must be below {R_HAT}), the least effective sample size {:.0} (above {ESS:.0}), divergent steps {} of {} (below 0.1 %); worst: {}",
            attempts.len(), last.r_hat, last.ess, last.divergences, last.draws, last.worst
        ));
    }
    let totals: Vec<Vec<f64>> = (0..panel.channels.len())
        .map(|c| reading.chains.iter().flatten().map(|own| own.total[c]).collect())
        .collect();
    let mut strongest = (0.0, 0, 0);
    for i in 0..totals.len() {
        for j in i + 1..totals.len() {
            let own = crate::design::correlation(&totals[i], &totals[j]);
            if own < strongest.0 {
                strongest = (own, i, j);
            }
        }
    }
    let spread = |c: usize| crate::normal::deviation(&totals[c]) / crate::normal::mean(&totals[c]).abs();
    let widest = (0..totals.len()).max_by(|a, b| spread(*a).total_cmp(&spread(*b)));
    let name = |c: usize| &panel.channels[c];
    if strongest.0 < -0.5 {
        let (own, a, b) = (strongest.0, name(strongest.1), name(strongest.2));
        out.push(format!("what is given to {a} is taken from {b} (posterior correlation {own:.2}); to know: hold {a} back in some regions or weeks while {b} goes on, for four weeks, and give the result by --lift-tests"));
    } else if let Some(c) = widest {
        let name = name(c);
        out.push(format!("the effect of {name} is the least certain; to know: switch {name} off in some regions or weeks drawn at random, for four weeks, and give the result by --lift-tests"));
    }
    out
}
