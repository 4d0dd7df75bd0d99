//! Sampling: chains of NUTS with a low-rank mass matrix, each with a seed of its own.

use std::sync::Arc;

use nuts_rs::{Chain, CpuLogpFunc, CpuMath, CpuMathError, HasDims, LogpError, LowRankNutsSettings, Settings};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use thalweg_domain::{Error, Result, Seed};

use crate::model::{Model, Work};

/// How long and how carefully to sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// Independent chains.
    pub chains: usize,
    /// Steps of adaptation, not kept.
    pub warmup: usize,
    /// Draws kept per chain.
    pub draws: usize,
    /// Acceptance that the step size aims at; closer to one means smaller steps.
    pub accept: f64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            chains: 4,
            warmup: 1000,
            draws: 1000,
            accept: 0.8,
        }
    }
}

/// Draws on the unconstrained scale.
#[derive(Debug, Clone)]
pub(crate) struct Draws {
    /// By chain, then draw.
    pub(crate) chains: Vec<Vec<Box<[f64]>>>,
    /// Steps after warm-up whose energy error was too great to trust.
    pub(crate) divergences: usize,
}

impl Draws {
    pub(crate) fn len(&self) -> usize {
        self.chains.iter().map(Vec::len).sum()
    }
}

/// Runs the chains, side by side where there are cores; the result does not depend on how many.
pub(crate) fn sample(
    model: &Arc<Model>,
    sampling: &Sampling,
    seed: Seed,
    advance: &(dyn Fn(usize) + Sync),
) -> Result<Draws> {
    let chains: Vec<Result<One>> = (0..sampling.chains as u64)
        .into_par_iter()
        .map(|chain| one(model, sampling, (chain, seed.nth(chain)), advance))
        .collect();
    let mut out = Draws {
        chains: Vec::new(),
        divergences: 0,
    };
    for chain in chains {
        let (draws, divergences) = chain?;
        out.chains.push(draws);
        out.divergences += divergences;
    }
    Ok(out)
}

/// One chain's draws, and how many of its steps diverged.
type One = (Vec<Box<[f64]>>, usize);

/// Attempts at a starting point before giving up.
const STARTS: usize = 20;
/// Steps between two reports of progress.
const REPORT: usize = 100;

fn one(
    model: &Arc<Model>,
    sampling: &Sampling,
    chain: (u64, Seed),
    advance: &(dyn Fn(usize) + Sync),
) -> Result<One> {
    let fault = |what: String| Error::new("TW0901", format!("internal error: the sampler stopped: {what}"));
    let mut settings = LowRankNutsSettings {
        num_tune: sampling.warmup as u64,
        num_draws: sampling.draws as u64,
        maxdepth: 9,
        ..LowRankNutsSettings::default()
    };
    settings.adapt_options.step_size_settings.target_accept = sampling.accept;
    let mut rng = ChaCha8Rng::seed_from_u64(chain.1.0);
    let math = CpuMath::new(Density {
        work: Work::new(model),
        model: Arc::clone(model),
    });
    let mut sampler = settings
        .new_chain(chain.0, math, &mut rng)
        .map_err(|error| fault(error.to_string()))?;
    let centre = model.start();
    let mut placed = Err(fault("no start".to_owned()));
    for _ in 0..STARTS {
        let point: Vec<f64> = centre
            .iter()
            .map(|own| own + rng.random_range(-0.5..0.5))
            .collect();
        placed = sampler
            .set_position(&point)
            .map_err(|error| fault(error.to_string()));
        if placed.is_ok() {
            break;
        }
    }
    placed?;
    let (mut draws, mut divergences) = (Vec::with_capacity(sampling.draws), 0);
    for step in 0..sampling.warmup + sampling.draws {
        let (position, info) = sampler.draw().map_err(|error| fault(error.to_string()))?;
        if step >= sampling.warmup {
            draws.push(position);
            divergences += usize::from(info.diverging);
        }
        if (step + 1) % REPORT == 0 {
            advance(REPORT);
        }
    }
    Ok((draws, divergences))
}

#[derive(Debug)]
struct Density {
    model: Arc<Model>,
    work: Work,
}

/// The density is not a number here: the step is a divergence, not a fault.
#[derive(Debug)]
struct NotANumber;

impl std::fmt::Display for NotANumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the posterior density is not a number")
    }
}

impl std::error::Error for NotANumber {}

impl LogpError for NotANumber {
    fn is_recoverable(&self) -> bool {
        true
    }
}

impl HasDims for Density {
    #[expect(
        clippy::disallowed_types,
        reason = "the sampler's interface; the map has one entry per key asked for"
    )]
    fn dim_sizes(&self) -> std::collections::HashMap<String, u64> {
        std::iter::once(("unconstrained_parameter".to_owned(), self.model.dim() as u64)).collect()
    }
}

impl CpuLogpFunc for Density {
    type LogpError = NotANumber;
    type FlowParameters = ();
    type ExpandedVector = Vec<f64>;

    fn dim(&self) -> usize {
        self.model.dim()
    }

    fn logp(&mut self, position: &[f64], gradient: &mut [f64]) -> std::result::Result<f64, NotANumber> {
        self.work
            .log_density(&self.model, position, gradient)
            .ok_or(NotANumber)
    }

    fn expand_vector<R: rand::Rng + ?Sized>(
        &mut self,
        _rng: &mut R,
        position: &[f64],
    ) -> std::result::Result<Vec<f64>, CpuMathError> {
        Ok(position.to_vec())
    }
}
