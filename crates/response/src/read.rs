//! Reading draws: every quantity of interest per draw, and the expected outcome by period for some of them.

use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use thalweg_domain::Seed;

use crate::carry::Adstock;
use crate::model::{DEGREES, Model, Natural, Noise, Work};
use crate::normal::quantile;
use crate::sample::Draws;

/// One draw in natural units.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    pub(crate) natural: Vec<Natural>,
    /// Heights by `[series * channels + channel]`.
    pub(crate) height: Vec<f64>,
    /// The number that stands for the carry-over: alpha, or the mean delay of a Weibull.
    pub(crate) carry: Vec<f64>,
    pub(crate) sigma: f64,
    pub(crate) coefficients: Vec<f64>,
    /// Total contribution by channel over the periods fitted, in the outcome's unit.
    pub(crate) total: Vec<f64>,
}

/// The outcome by period that one draw expects, summed over series, in the outcome's unit.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    pub(crate) expected: Vec<f64>,
    /// With noise: what another world might have seen.
    pub(crate) replica: Vec<f64>,
    /// By channel, then period.
    pub(crate) channels: Vec<Vec<f64>>,
}

/// All draws read.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    /// By chain, then draw.
    pub(crate) chains: Vec<Vec<Point>>,
    pub(crate) paths: Vec<Path>,
}

/// Draws whose paths are kept.
const PATHS: usize = 1000;

/// Reads draws of `fitted` on the periods of `shown` (the same model, or one of more periods).
pub(crate) fn read(draws: &Draws, fitted: &Arc<Model>, shown: &Model, seed: Seed) -> Reading {
    let every = draws.len().div_ceil(PATHS).max(1);
    let parts: Vec<(Vec<Point>, Vec<Path>)> = draws
        .chains
        .par_iter()
        .enumerate()
        .map(|(index, chain)| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed.nth(index as u64).0);
            let (mut work, mut wide) = (Work::new(fitted), Work::new(shown));
            let (mut points, mut paths) = (Vec::with_capacity(chain.len()), Vec::new());
            for (place, free) in chain.iter().enumerate() {
                let point = point(fitted, &mut work, free, &mut rng);
                if place % every == 0 {
                    wide.visit(shown, free);
                    paths.push(path(shown, &wide, &point, &mut rng));
                }
                points.push(point);
            }
            (points, paths)
        })
        .collect();
    let (chains, paths): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    Reading {
        chains,
        paths: paths.into_iter().flatten().collect(),
    }
}

fn gauss(rng: &mut ChaCha8Rng) -> f64 {
    quantile(rng.random_range(1e-15..1.0))
}

fn point(model: &Model, work: &mut Work, free: &[f64], rng: &mut ChaCha8Rng) -> Point {
    work.visit(model, free);
    let z: Vec<f64> = work
        .linear(model, free)
        .iter()
        .map(|(mean, sd)| mean + sd * gauss(rng))
        .collect();
    let mut total = vec![0.0; model.channels];
    for (index, (height, value)) in work.heights_now().iter().zip(work.values()).enumerate() {
        let scale = model.y_scale[index / model.channels];
        total[index % model.channels] += height * scale * value.iter().sum::<f64>();
    }
    let natural: Vec<Natural> = (0..model.channels).map(|c| model.natural(free, c)).collect();
    Point {
        carry: natural
            .iter()
            .enumerate()
            .map(|(c, own)| match model.spec.adstock {
                Adstock::Geometric => own.adstock[0],
                Adstock::Weibull => work.delay(c),
            })
            .collect(),
        natural,
        height: work.heights_now().to_vec(),
        sigma: model.sigma(free),
        coefficients: model.basis.coefficients(&z),
        total,
    }
}

fn path(model: &Model, work: &Work, point: &Point, rng: &mut ChaCha8Rng) -> Path {
    let n = model.n;
    let mut own = Path {
        expected: vec![0.0; n],
        replica: vec![0.0; n],
        channels: vec![vec![0.0; n]; model.channels],
    };
    for (series, scale) in model.y_scale.iter().enumerate() {
        for (column, weight) in model.design.columns.iter().zip(&point.coefficients) {
            for (to, value) in own.expected.iter_mut().zip(&column[series * n..]) {
                *to += scale * weight * value;
            }
        }
        for channel in 0..model.channels {
            let index = series * model.channels + channel;
            let height = point.height[index] * scale;
            for (t, value) in work.values()[index].iter().enumerate() {
                own.channels[channel][t] += height * value;
                own.expected[t] += height * value;
            }
        }
        for to in &mut own.replica {
            *to += scale * point.sigma * noise(model.spec.noise, rng);
        }
    }
    own.replica
        .iter_mut()
        .zip(&own.expected)
        .for_each(|(to, expected)| *to += expected);
    own
}

fn noise(form: Noise, rng: &mut ChaCha8Rng) -> f64 {
    let normal = gauss(rng);
    match form {
        Noise::Normal => normal,
        // a chi-square of four degrees is twice the sum of two exponentials
        Noise::StudentT => {
            let one: f64 = rng.random_range(1e-15..1.0);
            let two: f64 = rng.random_range(1e-15..1.0);
            normal / (-2.0 * (one.ln() + two.ln()) / DEGREES).sqrt()
        }
    }
}
