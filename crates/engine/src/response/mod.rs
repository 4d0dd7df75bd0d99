//! Response curves of a spend-by-week table: settings, the table's reading, and the result in words of the contract.

mod dates;
mod experiments;
mod out;
mod panel;
mod weekly;
mod words;

pub(crate) use self::experiments::fault;
pub(crate) use self::words::in_config;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use thalweg_domain::{Belief, Error, Result, Seed};
use thalweg_response::fit::{Request, Sampling, fit, steps};
use thalweg_response::{Adstock, LiftTest, Noise, Panel, Saturation, Seasonality, Spec};

use crate::hash::Fingerprint;
use crate::progress::Progress;
use crate::wire::{LiftTestOut, ResponseOut};

/// What to fit: the options of `tool response`.
#[derive(Debug, Clone, PartialEq)]
pub struct ResponseSettings {
    /// A file (CSV, Parquet or JSON lines) or a glob.
    pub data: String,
    /// The column with the first day of each period.
    pub time: String,
    /// The column that is explained.
    pub outcome: String,
    /// Columns of spend.
    pub channels: Vec<String>,
    /// Columns that move the outcome too.
    pub controls: Vec<String>,
    /// The column of geographies.
    pub geo: Option<String>,
    /// How dates are written, as `strptime` takes it; guessed when absent.
    pub date_format: Option<String>,
    /// `yearly`, `weekly`, both or `none`.
    pub seasonality: Vec<String>,
    /// Pairs of sine and cosine per year.
    pub modes: usize,
    /// `linear` or `none`.
    pub trend: String,
    /// `logistic`, `hill` or `linear`.
    pub saturation: String,
    /// `geometric` or `weibull`.
    pub adstock: String,
    /// Periods over which spend works at most.
    pub adstock_length: usize,
    /// `normal` or `student-t`.
    pub noise: String,
    /// A file of holidays: a column of dates (`date` or `ds`) and one of names (`holiday` or `name`).
    pub holidays: Option<String>,
    /// Only holidays of this country (column `country`).
    pub country: Option<String>,
    /// A file of measured experiments.
    pub lift_tests: Option<String>,
    /// Measured experiments given one by one, after those of the file.
    pub given_tests: Vec<GivenTest>,
    /// Beliefs about returns, by channel.
    pub return_priors: Vec<(String, Belief)>,
    /// Spend per period to divide.
    pub budget: Option<f64>,
    /// Greatest change of a channel's spend, as a share.
    pub max_change: f64,
    /// Chains.
    pub chains: usize,
    /// Draws per chain.
    pub draws: usize,
    /// Steps of warm-up per chain.
    pub warmup: usize,
    /// Last periods predicted by a fit without them.
    pub held_out: usize,
}

/// A measured experiment as a person gives it: spend and lift per period.
#[derive(Debug, Clone, PartialEq)]
pub struct GivenTest {
    /// The column of spend.
    pub channel: String,
    /// The geography; all together when absent.
    pub geo: Option<String>,
    /// Spend without the change.
    pub spend: f64,
    /// The change.
    pub change: f64,
    /// What it changed.
    pub lift: f64,
    /// Its standard error.
    pub sd: f64,
    /// Where it comes from: `given`, or the cycle that measured it.
    pub source: String,
}

impl Default for ResponseSettings {
    fn default() -> Self {
        Self {
            data: String::new(),
            time: String::new(),
            outcome: String::new(),
            channels: Vec::new(),
            controls: Vec::new(),
            geo: None,
            date_format: None,
            seasonality: vec!["yearly".to_owned()],
            modes: 2,
            trend: "linear".to_owned(),
            saturation: "logistic".to_owned(),
            adstock: "geometric".to_owned(),
            adstock_length: 8,
            noise: "normal".to_owned(),
            holidays: None,
            country: None,
            lift_tests: None,
            given_tests: Vec::new(),
            return_priors: Vec::new(),
            budget: None,
            max_change: 0.3,
            chains: 4,
            draws: 1000,
            warmup: 1000,
            held_out: 8,
        }
    }
}

/// A table that has been read, with what is to be fitted to it.
pub(crate) struct Prepared<'a> {
    settings: &'a ResponseSettings,
    read: panel::Read,
    request: Request,
    tests: Vec<LiftTestOut>,
}

/// Reads and checks everything; `base` is the folder that relative paths start from.
///
/// # Errors
/// `TW02xx` for files that cannot be read, `TW0520` to `TW0524` for data and options that cannot be used.
pub(crate) fn prepare<'a>(base: &Path, settings: &'a ResponseSettings, seed: Seed) -> Result<Prepared<'a>> {
    let read = panel::read(base, settings)?;
    let given = experiments::lift_tests(base, settings, &read.panel)?;
    let tests = experiments::described(&given, &read.panel);
    let spec = spec(settings, &read, given.into_iter().map(|(test, _)| test).collect())?;
    let request = Request {
        held_out: held_out(settings, &read.panel)?,
        budget: settings.budget,
        max_change: range("max-change", settings.max_change, 0.0, 1.0)?,
        seed: seed.stream("response"),
        sampling: Sampling {
            chains: settings.chains,
            warmup: settings.warmup,
            draws: settings.draws,
            ..Sampling::default()
        },
        spec,
    };
    check_sizes(&request)?;
    Ok(Prepared {
        settings,
        read,
        request,
        tests,
    })
}

impl Prepared<'_> {
    pub(crate) const fn panel(&self) -> &Panel {
        &self.read.panel
    }

    /// Everything that a fit depends on.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::new("response")
            .with_debug("settings", self.settings)
            .with_debug("panel", &self.read.panel)
            .with_debug("request", &self.request)
    }

    /// Adds experiments of which only the panel's owner knows.
    pub(crate) fn add(&mut self, tests: &[GivenTest]) -> Result<()> {
        let panel = &self.read.panel;
        let given = tests
            .iter()
            .map(|own| Ok((experiments::given(own, panel)?, own.source.clone())))
            .collect::<Result<Vec<_>>>()?;
        self.tests.extend(experiments::described(&given, panel));
        self.request
            .spec
            .lifts
            .extend(given.into_iter().map(|(test, _)| test));
        Ok(())
    }

    /// Says something beside the result.
    pub(crate) fn note(&mut self, note: String) {
        self.read.notes.push(note);
    }

    /// Fits and describes; `out` is where the table by week goes.
    ///
    /// # Errors
    /// `TW0522` to `TW0524` for data that cannot be fitted, `TW0229` when the table by week cannot be written.
    pub(crate) fn fit(&self, out: Option<&Path>, progress: &dyn Progress) -> Result<ResponseOut> {
        progress.start("response", Some(steps(&self.request)));
        let done = AtomicUsize::new(0);
        let fitted = fit(&self.read.panel, &self.request, &|more| {
            progress.advance(done.fetch_add(more, Ordering::Relaxed) + more);
        });
        progress.finish();
        let fitted = fitted
            .map_err(|error| error.doing(format!("fitting response curves to {}", self.settings.data)))?;
        let mut described = out::describe(self.settings, &self.read, &fitted);
        described.lift_tests.clone_from(&self.tests);
        if let (Some(path), Some(results)) = (out, &fitted.results) {
            described.out = Some(weekly::write(path, &self.read, results)?);
        }
        Ok(described)
    }
}

/// Reads, fits and describes; `base` is the folder that relative paths start from.
///
/// # Errors
/// `TW02xx` for files that cannot be read, `TW0520` to `TW0524` for data and options that cannot be used, `TW0229` when the
/// tables by week cannot be written.
pub fn response(
    base: &Path,
    settings: &ResponseSettings,
    (seed, out): (Seed, Option<&Path>),
    progress: &dyn Progress,
) -> Result<ResponseOut> {
    prepare(base, settings, seed)?.fit(out, progress)
}

/// `tv=2.5:1`: a belief about the return of a channel, as an option gives it.
///
/// # Errors
/// `TW0524` when it is written otherwise.
pub fn parse_return_prior(text: &str) -> Result<(String, Belief)> {
    experiments::parse_return_prior(text)
}

fn spec(settings: &ResponseSettings, read: &panel::Read, lifts: Vec<LiftTest>) -> Result<Spec> {
    let has = |name: &str| settings.seasonality.iter().any(|own| own == name);
    for own in &settings.seasonality {
        one_of("seasonality", own, &["yearly", "weekly", "none"])?;
    }
    if has("none") && settings.seasonality.len() > 1 {
        return Err(option("seasonality none cannot stand beside another".to_owned()));
    }
    Ok(Spec {
        saturation: match one_of(
            "saturation",
            &settings.saturation,
            &["logistic", "hill", "linear"],
        )? {
            1 => Saturation::Hill,
            2 => Saturation::Linear,
            _ => Saturation::Logistic,
        },
        adstock: match one_of("adstock", &settings.adstock, &["geometric", "weibull"])? {
            1 => Adstock::Weibull,
            _ => Adstock::Geometric,
        },
        lags: settings.adstock_length,
        noise: match one_of("noise", &settings.noise, &["normal", "student-t"])? {
            1 => Noise::StudentT,
            _ => Noise::Normal,
        },
        trend: one_of("trend", &settings.trend, &["linear", "none"])? == 0,
        seasonality: Seasonality {
            yearly: if has("yearly") { settings.modes } else { 0 },
            weekly: if has("weekly") { 3 } else { 0 },
        },
        lifts,
        returns: experiments::return_priors(settings, &read.panel)?,
        ..Spec::default()
    })
}

/// Long enough histories only: a year and a half of weeks leaves eight of them for the test.
fn held_out(settings: &ResponseSettings, panel: &Panel) -> Result<usize> {
    let periods = panel.periods();
    if settings.held_out * 2 > periods && settings.held_out != ResponseSettings::default().held_out {
        return Err(option(format!(
            "held-out {} leaves too few of {periods} periods to learn from",
            settings.held_out
        )));
    }
    Ok(if settings.held_out * 6 <= periods {
        settings.held_out
    } else {
        0
    })
}

fn check_sizes(request: &Request) -> Result<()> {
    let Sampling {
        chains,
        warmup,
        draws,
        ..
    } = request.sampling;
    let (lags, modes) = (request.spec.lags, request.spec.seasonality.yearly);
    for (name, value, least, most) in [
        ("chains", chains, 2, 64),
        ("warmup", warmup, 100, 100_000),
        ("draws", draws, 100, 100_000),
        ("adstock-length", lags, 1, 104),
        ("modes", modes, 0, 26),
    ] {
        if value < least || value > most {
            return Err(option(format!("{name} = {value} is outside {least} to {most}")));
        }
    }
    Ok(())
}

fn option(message: String) -> Error {
    Error::new("TW0524", message).hint("thalweg tool response --help lists what each option takes")
}

fn range(name: &str, value: f64, least: f64, most: f64) -> Result<f64> {
    if value > least && value <= most {
        return Ok(value);
    }
    Err(option(format!(
        "{name} = {value} is not above {least} and at most {most}"
    )))
}

/// Which of the names it is.
fn one_of(name: &str, value: &str, known: &[&str]) -> Result<usize> {
    known
        .iter()
        .position(|own| *own == value)
        .ok_or_else(|| option(format!("{name} = \"{value}\" is none of {}", known.join(", "))))
}
