//! The posterior: parameters on an unconstrained scale, its logarithm, and the exact gradient.
//!
//! For series s and period t, everything in units of the series' highest outcome and spend:
//! `y = X gamma + sum_c B_sc f(sum_l w_l x_(t-l); theta_c) + noise`. With normal noise the linear part gamma is integrated out
//! (see `basis`), so the sampler walks over two to five parameters per channel and the noise only.

use crate::basis::Basis;
use crate::carry::{Adstock, Weights, carry, dot, pull_back};
use crate::curve::Saturation;
use crate::design::{Design, Seasonality};
use crate::input::{LiftTest, Panel, ReturnPrior};
use crate::priors::{HEIGHT, NOISE, Prior, SPREAD, of_adstock, of_saturation};

/// How outcomes scatter around what is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Noise {
    /// Normal.
    #[default]
    Normal,
    /// Student's t with four degrees of freedom: single strange periods pull less.
    StudentT,
}

/// Degrees of freedom of the heavy-tailed noise.
pub(crate) const DEGREES: f64 = 4.0;

/// At which spend a channel's effect is a parameter; the others are then less entangled with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Anchor {
    /// The spend that the average unit was spent at.
    #[default]
    Mean,
    /// The highest spend.
    Peak,
}

/// What is modelled.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// The curve.
    pub saturation: Saturation,
    /// The carry-over.
    pub adstock: Adstock,
    /// Periods over which spend works at most, its own included.
    pub lags: usize,
    /// The scatter.
    pub noise: Noise,
    /// Whether the base may rise or fall steadily.
    pub trend: bool,
    /// Repeating patterns.
    pub seasonality: Seasonality,
    /// Experiments.
    pub lifts: Vec<LiftTest>,
    /// Beliefs about returns.
    pub returns: Vec<ReturnPrior>,
    /// At which spend a channel's effect is a parameter of the sampler; changes how it walks, not what it finds.
    pub anchor: Anchor,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            saturation: Saturation::Logistic,
            adstock: Adstock::Geometric,
            lags: 8,
            noise: Noise::Normal,
            trend: true,
            seasonality: Seasonality { yearly: 2, weekly: 3 },
            lifts: Vec::new(),
            returns: Vec::new(),
            anchor: Anchor::Mean,
        }
    }
}

/// A lift test in the model's units.
#[derive(Debug, Clone, Copy)]
struct Lift {
    channel: usize,
    series: usize,
    from: f64,
    to: f64,
    lift: f64,
    sd: f64,
}

/// A belief on the logarithm of a return, in the model's units: `ln(B sum_t f_t) ~ N(mean, sd)`.
#[derive(Debug, Clone, Copy)]
struct LogReturn {
    mean: f64,
    sd: f64,
}

/// The data, scaled and laid out once.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) spec: Spec,
    pub(crate) n: usize,
    pub(crate) channels: usize,
    pub(crate) series: usize,
    /// Highest outcome by series.
    pub(crate) y_scale: Vec<f64>,
    /// Highest spend by series, then channel.
    pub(crate) x_scale: Vec<Vec<f64>>,
    /// Scaled spend: `[s * channels + c]`, then period.
    pub(crate) x: Vec<Vec<f64>>,
    /// Scaled spend by channel, averaged over units of spend rather than over periods: pauses do not count.
    anchor: Vec<f64>,
    pub(crate) design: Design,
    pub(crate) basis: Basis,
    /// Scaled outcome less the linear part's prior mean, series by series.
    y: Vec<f64>,
    lifts: Vec<Lift>,
    returns: Vec<Option<LogReturn>>,
}

/// A channel's parameters in natural units.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Natural {
    pub(crate) adstock: [f64; 2],
    pub(crate) saturation: [f64; 2],
    /// Height of the curve, common to all series.
    pub(crate) height: f64,
}

impl Model {
    /// The model of the first `used` periods with the scales of the first `trained`: a model that was fitted to the latter
    /// can be read on the former.
    pub(crate) fn new(panel: &Panel, spec: &Spec, trained: usize, used: usize) -> Self {
        let mut design = Design::new(panel, spec.trend, spec.seasonality);
        for column in &mut design.columns {
            let whole = std::mem::take(column);
            column.extend(
                whole
                    .chunks(panel.periods())
                    .flat_map(|rows| rows.iter().take(used)),
            );
        }
        let seen = panel.first(trained);
        let y_scale: Vec<f64> = seen.series.iter().map(|own| highest(&own.outcome)).collect();
        let x_scale: Vec<Vec<f64>> = seen
            .series
            .iter()
            .map(|own| own.spend.iter().map(|spend| highest(spend)).collect())
            .collect();
        let panel = &panel.first(used);
        let (n, channels, series) = (panel.periods(), panel.channels.len(), panel.series.len());
        let mut x = Vec::new();
        for (own, scales) in panel.series.iter().zip(&x_scale) {
            for (spend, scale) in own.spend.iter().zip(scales) {
                x.push(spend.iter().map(|value| value / scale).collect::<Vec<f64>>());
            }
        }
        let anchor = (0..channels)
            .map(|c| {
                let seen = || (0..series).flat_map(|s| x[s * channels + c].iter().take(trained));
                let (sum, squares) = (seen().sum::<f64>(), seen().map(|own| own * own).sum::<f64>());
                (squares / sum.max(1e-300)).max(1e-3)
            })
            .collect();
        let basis = Basis::new(&design.columns, design.centre.clone(), &design.deviation);
        let mut y = Vec::with_capacity(n * series);
        for (own, scale) in panel.series.iter().zip(&y_scale) {
            y.extend(own.outcome.iter().map(|value| value / scale));
        }
        for (column, centre) in design.columns.iter().zip(&design.centre) {
            y.iter_mut()
                .zip(column)
                .for_each(|(to, value)| *to -= centre * value);
        }
        let mut own = Self {
            spec: spec.clone(),
            n,
            channels,
            series,
            y_scale,
            x_scale,
            x,
            anchor,
            design,
            basis,
            y,
            lifts: Vec::new(),
            returns: vec![None; channels],
        };
        own.lifts = spec.lifts.iter().flat_map(|test| own.lift(panel, test)).collect();
        for prior in &spec.returns {
            own.returns[prior.channel] = Some(own.log_return(panel, prior));
        }
        own
    }

    /// A test over several series is one per series, each with its share of spend, lift and variance.
    fn lift(&self, panel: &Panel, test: &LiftTest) -> Vec<Lift> {
        let total = panel.spend(test.channel);
        let which: Vec<usize> = test
            .series
            .map_or_else(|| (0..self.series).collect(), |one| vec![one]);
        which
            .into_iter()
            .map(|series| {
                let share = match test.series {
                    Some(_) => 1.0,
                    None => panel.series[series].spend[test.channel].iter().sum::<f64>() / total,
                };
                let (x, y) = (self.x_scale[series][test.channel], self.y_scale[series]);
                Lift {
                    channel: test.channel,
                    series,
                    from: test.spend * share / x,
                    to: (test.spend + test.change).max(0.0) * share / x,
                    lift: test.lift * share / y,
                    sd: test.sd * share.sqrt() / y,
                }
            })
            .collect()
    }

    /// Mean and mean square, under the prior, of what scales a channel's curve: its height, or its whole contribution where there
    /// is a belief about the return.
    pub(crate) fn scale_moments(&self, channel: usize) -> (f64, f64) {
        match self.returns[channel] {
            None => crate::prior_lift::height_moments(),
            Some(own) => {
                let variance = own.sd * own.sd;
                (
                    (own.mean + 0.5 * variance).exp(),
                    (2.0 * (own.mean + variance)).exp(),
                )
            }
        }
    }

    /// Moments of the log-normal, moved from return to scaled contribution.
    fn log_return(&self, panel: &Panel, prior: &ReturnPrior) -> LogReturn {
        let variance = (prior.sd / prior.mean).powi(2).ln_1p();
        let scale = crate::normal::mean(&self.y_scale);
        LogReturn {
            mean: prior.mean.ln() - 0.5 * variance + (panel.spend(prior.channel) / scale).ln(),
            sd: variance.sqrt(),
        }
    }

    pub(crate) const fn block(&self) -> usize {
        self.spec.adstock.parameters() + self.spec.saturation.parameters() + 1
    }

    const fn noise_at(&self) -> usize {
        self.block() * self.channels
    }

    /// Where the spread between series stands, followed by its standardised deviations by series, then channel.
    const fn spread_at(&self) -> Option<usize> {
        if self.series > 1 {
            Some(self.noise_at() + 1)
        } else {
            None
        }
    }

    fn linear_at(&self) -> usize {
        self.noise_at() + 1 + self.spread_at().map_or(0, |_| 1 + self.series * self.channels)
    }

    /// Number of unconstrained parameters.
    pub(crate) fn dim(&self) -> usize {
        self.linear_at()
            + match self.spec.noise {
                Noise::Normal => 0,
                Noise::StudentT => self.basis.s2.len(),
            }
    }

    pub(crate) fn anchor(&self, channel: usize) -> f64 {
        match self.spec.anchor {
            Anchor::Mean => self.anchor[channel],
            Anchor::Peak => 1.0,
        }
    }

    /// Natural parameters of a channel.
    pub(crate) fn natural(&self, free: &[f64], channel: usize) -> Natural {
        let block = &free[channel * self.block()..(channel + 1) * self.block()];
        let (mut own, mut next) = (Natural::default(), block.iter());
        let a = of_adstock(self.spec.adstock)
            .into_iter()
            .take(self.spec.adstock.parameters());
        for (to, prior) in own.adstock.iter_mut().zip(a) {
            *to = prior.natural(next.next().copied().unwrap_or_default()).0;
        }
        let s = of_saturation(self.spec.saturation)
            .into_iter()
            .take(self.spec.saturation.parameters());
        for (to, prior) in own.saturation.iter_mut().zip(s) {
            *to = prior.natural(next.next().copied().unwrap_or_default()).0;
        }
        let level = next.next().copied().unwrap_or_default();
        let at_anchor = self
            .spec
            .saturation
            .at(self.anchor(channel), own.saturation[0], own.saturation[1]);
        own.height = (level - at_anchor.max(1e-300).ln()).clamp(-500.0, 500.0).exp();
        own
    }

    /// Height of the curve of a channel in a series.
    pub(crate) fn height(&self, free: &[f64], natural: &Natural, series: usize, channel: usize) -> f64 {
        match self.spread_at() {
            None => natural.height,
            Some(at) => {
                let spread = SPREAD.natural(free[at]).0;
                natural.height * (spread * free[at + 1 + series * self.channels + channel]).exp()
            }
        }
    }

    /// Standard deviation (or scale) of the noise.
    pub(crate) fn sigma(&self, free: &[f64]) -> f64 {
        NOISE.natural(free[self.noise_at()]).0
    }

    /// A plausible point: modest carry-over, prior curve, small effects.
    pub(crate) fn start(&self) -> Vec<f64> {
        let mut out = Vec::with_capacity(self.dim());
        let natural = |prior: Prior| prior.free(prior.mean());
        for channel in 0..self.channels {
            out.extend(
                of_adstock(self.spec.adstock)
                    .into_iter()
                    .take(self.spec.adstock.parameters())
                    .map(natural),
            );
            out.extend(
                of_saturation(self.spec.saturation)
                    .into_iter()
                    .take(self.spec.saturation.parameters())
                    .map(natural),
            );
            let level = match self.returns[channel] {
                Some(own) => own.mean - (self.n as f64).ln(),
                None => 0.05_f64.ln(),
            };
            out.push(level);
        }
        out.push(NOISE.free(crate::normal::deviation(&self.y).max(1e-6) * 0.7));
        if self.spread_at().is_some() {
            out.push(SPREAD.free(0.1));
        }
        out.resize(self.dim(), 0.0);
        out
    }
}

/// The greatest absolute value; 1 for all zeros.
fn highest(values: &[f64]) -> f64 {
    let most = values.iter().fold(0.0_f64, |most, own| most.max(own.abs()));
    if most > 0.0 { most } else { 1.0 }
}

/// Buffers of one chain: the density allocates nothing.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    weights: Vec<Weights>,
    natural: Vec<Natural>,
    carried: Vec<Vec<f64>>,
    value: Vec<Vec<f64>>,
    height: Vec<f64>,
    residual: Vec<f64>,
    pull: Vec<f64>,
    inner: Vec<f64>,
    by_lag: Vec<f64>,
    projected: Vec<f64>,
    /// By channel: derivatives by log height and by natural parameters (adstock, saturation).
    by_height: Vec<f64>,
    by_adstock: Vec<[f64; 2]>,
    by_curve: Vec<[f64; 2]>,
}

impl Work {
    pub(crate) fn new(model: &Model) -> Self {
        let (n, c, s) = (model.n, model.channels, model.series);
        Self {
            weights: vec![Weights::new(model.spec.lags); c],
            natural: vec![Natural::default(); c],
            carried: vec![vec![0.0; n]; c * s],
            value: vec![vec![0.0; n]; c * s],
            height: vec![0.0; c * s],
            residual: vec![0.0; n * s],
            pull: vec![0.0; n * s],
            inner: vec![0.0; n],
            by_lag: vec![0.0; model.spec.lags],
            projected: vec![0.0; model.basis.s2.len()],
            by_height: vec![0.0; c],
            by_adstock: vec![[0.0; 2]; c],
            by_curve: vec![[0.0; 2]; c],
        }
    }

    /// Log posterior density at `free` up to a constant, and its gradient; `None` where it is not a number.
    pub(crate) fn log_density(&mut self, model: &Model, free: &[f64], gradient: &mut [f64]) -> Option<f64> {
        gradient.fill(0.0);
        self.forward(model, free);
        let mut total = match model.spec.noise {
            Noise::Normal => self.normal(model, free, gradient),
            Noise::StudentT => self.student(model, free, gradient),
        };
        self.by_height.fill(0.0);
        self.by_adstock.fill([0.0; 2]);
        self.by_curve.fill([0.0; 2]);
        for series in 0..model.series {
            for channel in 0..model.channels {
                self.backward(model, free, (series, channel), gradient);
            }
        }
        total += self.heights(model, free, gradient);
        total += self.lifts(model, free, gradient);
        total += self.chain(model, free, gradient);
        let finite = total.is_finite() && gradient.iter().all(|own| own.is_finite());
        finite.then_some(total)
    }

    /// Media effects and what they leave of the outcome.
    fn forward(&mut self, model: &Model, free: &[f64]) {
        self.residual.copy_from_slice(&model.y);
        let saturation = model.spec.saturation;
        for channel in 0..model.channels {
            let own = model.natural(free, channel);
            self.natural[channel] = own;
            self.weights[channel].set(model.spec.adstock, own.adstock[0], own.adstock[1]);
        }
        for series in 0..model.series {
            let residual = &mut self.residual[series * model.n..(series + 1) * model.n];
            for channel in 0..model.channels {
                let (at, own) = (series * model.channels + channel, &self.natural[channel]);
                let height = model.height(free, own, series, channel);
                self.height[at] = height;
                let (carried, value) = (&mut self.carried[at], &mut self.value[at]);
                carry(&model.x[at], &self.weights[channel].weight, carried);
                let [first, second] = own.saturation;
                for ((value, x), left) in value.iter_mut().zip(carried.iter()).zip(residual.iter_mut()) {
                    *value = saturation.at(*x, first, second);
                    *left -= height * *value;
                }
            }
        }
    }

    /// `r ~ N(0, sigma^2 I + U S^2 U')`; leaves the derivative by the media effects in `pull`.
    fn normal(&mut self, model: &Model, free: &[f64], gradient: &mut [f64]) -> f64 {
        let variance = model.sigma(free).powi(2);
        let (rest, n) = (1.0 / variance, self.residual.len() as f64);
        let mut squares = dot(&self.residual, &self.residual);
        let (mut quadratic, mut log, mut slope) = (0.0, 0.0, 0.0);
        let mut empty = n;
        for (to, from) in self.pull.iter_mut().zip(&self.residual) {
            *to = from * rest;
        }
        for (u, s2) in model.basis.u.iter().zip(&model.basis.s2) {
            if *s2 == 0.0 {
                continue;
            }
            empty -= 1.0;
            let along = dot(u, &self.residual);
            let whole = 1.0 / (variance + s2);
            squares -= along * along;
            quadratic += along * along * whole;
            log -= whole.ln();
            slope += along * along * whole * whole - whole;
            let weight = along * (whole - rest);
            for (to, x) in self.pull.iter_mut().zip(u) {
                *to += weight * x;
            }
        }
        let by_variance = 0.5 * (squares * rest * rest - empty * rest + slope);
        gradient[model.noise_at()] += by_variance * 2.0 * variance;
        -0.5 * (squares * rest + quadratic + empty * variance.ln() + log)
    }

    /// Independent t noise around the linear part, whose rotated coordinates are parameters with standard normal priors.
    fn student(&mut self, model: &Model, free: &[f64], gradient: &mut [f64]) -> f64 {
        let (sigma, at) = (model.sigma(free), model.linear_at());
        for (j, (u, s2)) in model.basis.u.iter().zip(&model.basis.s2).enumerate() {
            let weight = free[at + j] * s2.sqrt();
            for (left, x) in self.residual.iter_mut().zip(u) {
                *left -= weight * x;
            }
        }
        let (mut total, mut by_sigma) = (0.0, 0.0);
        let scale = DEGREES * sigma * sigma;
        for (to, r) in self.pull.iter_mut().zip(&self.residual) {
            let square = r * r;
            total -= 0.5 * (DEGREES + 1.0) * (square / scale).ln_1p();
            by_sigma += (DEGREES + 1.0) * square / (scale + square);
            *to = (DEGREES + 1.0) * r / (scale + square);
        }
        let n = self.residual.len() as f64;
        gradient[model.noise_at()] += by_sigma - n;
        total -= n * sigma.ln();
        for (j, (u, s2)) in model.basis.u.iter().zip(&model.basis.s2).enumerate() {
            let z = free[at + j];
            gradient[at + j] += s2.sqrt() * dot(u, &self.pull) - z;
            total -= 0.5 * z * z;
        }
        total
    }

    /// Carries the pull on media effects back to a channel's parameters.
    fn backward(&mut self, model: &Model, free: &[f64], at: (usize, usize), gradient: &mut [f64]) {
        let (series, channel) = at;
        let index = series * model.channels + channel;
        let (height, own) = (self.height[index], self.natural[channel]);
        let pull = &self.pull[series * model.n..(series + 1) * model.n];
        let (carried, value) = (&self.carried[index], &self.value[index]);
        let along = height * dot(pull, value);
        self.by_height[channel] += along;
        if let Some(at) = model.spread_at() {
            let (spread, slope) = SPREAD.natural(free[at]);
            let own = at + 1 + index;
            gradient[own] += along * spread;
            gradient[at] += along * free[own] * slope;
        }
        self.pull_curve(model, (index, channel), height, own, carried.len());
    }

    fn pull_curve(&mut self, model: &Model, at: (usize, usize), height: f64, own: Natural, n: usize) {
        let (index, channel) = at;
        let start = index / model.channels * n;
        let pull = &self.pull[start..start + n];
        let (carried, value) = (&self.carried[index], &self.value[index]);
        // a belief about the return pulls on every period's curve value alike
        let belief = model.returns[channel].map_or(0.0, |prior| {
            let (log, share) = self.belief(model, channel);
            let scale = model.y_scale[index / model.channels] / crate::normal::mean(&model.y_scale);
            -(log - prior.mean) / prior.sd.powi(2) * self.height[index] * scale / share
        });
        let [first, second] = own.saturation;
        let (mut by_first, mut by_second) = (0.0, 0.0);
        for t in 0..n {
            let by_value = height * pull[t] + belief;
            let [by_x, a, b] = model.spec.saturation.slopes(carried[t], value[t], first, second);
            self.inner[t] = by_value * by_x;
            by_first += by_value * a;
            by_second += by_value * b;
        }
        self.by_curve[channel][0] += by_first;
        self.by_curve[channel][1] += by_second;
        self.by_lag.fill(0.0);
        pull_back(&model.x[index], &self.inner, &mut self.by_lag);
        for p in 0..model.spec.adstock.parameters() {
            self.by_adstock[channel][p] += dot(&self.by_lag, &self.weights[channel].by[p]);
        }
    }

    /// A channel's log contribution in units of the mean scale, and the contribution itself.
    fn belief(&self, model: &Model, channel: usize) -> (f64, f64) {
        let scale = crate::normal::mean(&model.y_scale);
        let mut sum = 0.0;
        for series in 0..model.series {
            let index = series * model.channels + channel;
            sum += self.height[index] * self.value[index].iter().sum::<f64>() * model.y_scale[series] / scale;
        }
        (sum.max(1e-300).ln(), sum.max(1e-300))
    }

    /// Priors on heights, or on returns in their place.
    fn heights(&mut self, model: &Model, free: &[f64], gradient: &mut [f64]) -> f64 {
        let mut total = 0.0;
        for channel in 0..model.channels {
            let (density, slope) = match model.returns[channel] {
                None => HEIGHT.log_density(self.natural[channel].height.max(1e-300).ln()),
                Some(prior) => {
                    let (log, sum) = self.belief(model, channel);
                    let z = (log - prior.mean) / prior.sd;
                    self.spread_belief(model, (channel, -z / prior.sd / sum), free, gradient);
                    (-0.5 * z * z, -z / prior.sd)
                }
            };
            total += density;
            self.by_height[channel] += slope;
        }
        total
    }

    /// A belief about a return pulls on the series' own deviations too; `slope` is by the contribution.
    fn spread_belief(&self, model: &Model, of: (usize, f64), free: &[f64], gradient: &mut [f64]) {
        let ((channel, slope), Some(at)) = (of, model.spread_at()) else {
            return;
        };
        let (spread, by_free) = SPREAD.natural(free[at]);
        let scale = crate::normal::mean(&model.y_scale);
        for series in 0..model.series {
            let index = series * model.channels + channel;
            let own =
                self.height[index] * self.value[index].iter().sum::<f64>() * model.y_scale[series] / scale;
            gradient[at + 1 + index] += slope * own * spread;
            gradient[at] += slope * own * free[at + 1 + index] * by_free;
        }
    }

    /// Measured lifts: `y (f(to) - f(from)) B ~ N(lift, sd)`.
    fn lifts(&mut self, model: &Model, free: &[f64], gradient: &mut [f64]) -> f64 {
        let (mut total, saturation) = (0.0, model.spec.saturation);
        for test in &model.lifts {
            let index = test.series * model.channels + test.channel;
            let (height, [first, second]) = (self.height[index], self.natural[test.channel].saturation);
            let (from, to) = (
                saturation.at(test.from, first, second),
                saturation.at(test.to, first, second),
            );
            let z = (height * (to - from) - test.lift) / test.sd;
            let pull = -z / test.sd * height;
            total -= 0.5 * z * z;
            let low = saturation.slopes(test.from, from, first, second);
            let high = saturation.slopes(test.to, to, first, second);
            self.by_curve[test.channel][0] += pull * (high[1] - low[1]);
            self.by_curve[test.channel][1] += pull * (high[2] - low[2]);
            self.by_height[test.channel] += pull * (to - from);
            if let Some(at) = model.spread_at() {
                let (spread, slope) = SPREAD.natural(free[at]);
                gradient[at + 1 + index] += pull * (to - from) * spread;
                gradient[at] += pull * (to - from) * free[at + 1 + index] * slope;
            }
        }
        total
    }

    /// From natural to unconstrained derivatives, with the priors of curve, carry-over, noise and spread.
    fn chain(&self, model: &Model, free: &[f64], gradient: &mut [f64]) -> f64 {
        let mut total = 0.0;
        let mut add = |prior: Prior, at: usize, by_natural: f64, gradient: &mut [f64]| {
            let (density, slope) = prior.log_density(free[at]);
            total += density;
            gradient[at] += slope + by_natural * prior.natural(free[at]).1;
        };
        let (a, s) = (
            model.spec.adstock.parameters(),
            model.spec.saturation.parameters(),
        );
        for channel in 0..model.channels {
            let (start, own) = (channel * model.block(), &self.natural[channel]);
            for p in 0..a {
                add(
                    of_adstock(model.spec.adstock)[p],
                    start + p,
                    self.by_adstock[channel][p],
                    gradient,
                );
            }
            let anchor = model.anchor(channel);
            let at_anchor = model
                .spec
                .saturation
                .at(anchor, own.saturation[0], own.saturation[1]);
            let slopes =
                model
                    .spec
                    .saturation
                    .slopes(anchor, at_anchor, own.saturation[0], own.saturation[1]);
            for p in 0..s {
                let by = self.by_curve[channel][p] - self.by_height[channel] * slopes[1 + p] / at_anchor;
                add(
                    of_saturation(model.spec.saturation)[p],
                    start + a + p,
                    by,
                    gradient,
                );
            }
            gradient[start + a + s] += self.by_height[channel];
        }
        add(NOISE, model.noise_at(), 0.0, gradient);
        if let Some(at) = model.spread_at() {
            add(SPREAD, at, 0.0, gradient);
            for own in at + 1..at + 1 + model.series * model.channels {
                total -= 0.5 * free[own] * free[own];
                gradient[own] -= free[own];
            }
        }
        total
    }

    /// The lift of a test, in the outcome's unit, for a curve of the shape at `free` whose height (with a belief about the return:
    /// whose whole contribution) is 1.
    pub(crate) fn shape(&mut self, model: &Model, free: &[f64], (panel, test): (&Panel, &LiftTest)) -> f64 {
        let [first, second] = model.natural(free, test.channel).saturation;
        let rises = model.lift(panel, test).into_iter().map(|own| {
            let rise = |at: f64| model.spec.saturation.at(at, first, second);
            (rise(own.to) - rise(own.from)) * model.y_scale[own.series]
        });
        let lift: f64 = rises.sum();
        if model.returns[test.channel].is_none() {
            return lift;
        }
        self.forward(model, free);
        let scale = crate::normal::mean(&model.y_scale);
        let brought: f64 = (0..model.series)
            .map(|series| {
                let values = &self.value[series * model.channels + test.channel];
                values.iter().sum::<f64>() * model.y_scale[series] / scale
            })
            .sum();
        lift / brought.max(1e-300)
    }

    /// Curve values by `[series * channels + channel]`, then period, of the last point asked for.
    pub(crate) fn values(&self) -> &[Vec<f64>] {
        &self.value
    }

    /// Heights by `[series * channels + channel]` of the last point asked for.
    pub(crate) fn heights_now(&self) -> &[f64] {
        &self.height
    }

    /// Mean delay of a channel's effect in periods, at the last point asked for.
    pub(crate) fn delay(&self, channel: usize) -> f64 {
        self.weights[channel].delay()
    }

    /// Sets the media effects at a point.
    pub(crate) fn visit(&mut self, model: &Model, free: &[f64]) {
        self.forward(model, free);
    }

    /// Posterior means and deviations of the rotated linear coordinates, given the media effects at `free`.
    pub(crate) fn linear(&mut self, model: &Model, free: &[f64]) -> Vec<(f64, f64)> {
        if model.spec.noise == Noise::StudentT {
            let at = model.linear_at();
            return free[at..].iter().map(|z| (*z, 0.0)).collect();
        }
        self.forward(model, free);
        let variance = model.sigma(free).powi(2);
        let mut out = Vec::with_capacity(self.projected.len());
        for (u, s2) in model.basis.u.iter().zip(&model.basis.s2) {
            let whole = variance + s2;
            out.push((
                s2.sqrt() * dot(u, &self.residual) / whole,
                (variance / whole).sqrt(),
            ));
        }
        out
    }
}
