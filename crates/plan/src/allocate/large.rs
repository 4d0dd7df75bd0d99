//! Allocation of problems too large to hold: prices from a sample, a few passes over blocks, repair among the undecided.

use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use thalweg_domain::{Error, Result};

use super::candidates::Candidates;
use super::compiled::Compiled;
use super::conflicts::conflicts;
use super::evaluate::{Dual, Sample, Sums, sums_in_order};
use super::moves::Pricing;
use super::newton::{Bound, Descent, Outlook, Scale, descend};
use super::problem::{Constraint, MaxActions, Problem, check_sets};
use super::shape::Shape;
use super::soft_sets::n_sets;
use super::solve::{
    AllocateParams, Allocation, CEILING, WORTHWHILE, failure, solve_dual, undecided_at_first,
};
use super::state::State;
use super::undecided::{Undecided, split};

/// Where the candidates are kept, a block of customers at a time.
pub trait Blocks: Sync {
    /// Customers and candidates of every block.
    fn sizes(&self) -> &[BlockSize];
    /// One block; called from several threads.
    ///
    /// # Errors
    /// Whatever keeps it from being read.
    fn read(&self, block: usize) -> Result<Candidates>;
}

/// How large a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BlockSize {
    /// Customers in it.
    pub customers: usize,
    /// Their candidates.
    pub candidates: usize,
}

/// A problem whose candidates are read block by block, several times.
#[derive(Clone, Copy)]
pub struct LargeProblem<'a> {
    /// The candidates.
    pub blocks: &'a dyn Blocks,
    /// Candidates that a customer may get.
    pub max_actions: u16,
    /// What must hold over all customers; over actions, not over customers.
    pub constraints: &'a [Constraint],
    /// Pairs of actions that may not go to the same customer.
    pub exclusions: &'a [(u16, u16)],
}

/// About so many customers give the first prices.
const SAMPLED: usize = 200_000;
/// Temperature of the passes over everyone, as a multiple of the value scale.
const TEMPERATURE: f64 = 1e-4;

/// A sample of the customers, with what is known of all.
pub struct LargeSample {
    /// The sampled customers.
    pub candidates: Candidates,
    /// Customers in all.
    pub n_customers: usize,
    last_action: u16,
}

impl LargeSample {
    /// The constraints with their limits scaled down to the sample.
    #[must_use]
    pub fn constraints(&self, constraints: &[Constraint]) -> Vec<Constraint> {
        let share = self.candidates.n_customers() as f64 / self.n_customers.max(1) as f64;
        let scaled = constraints.iter().map(|row| Constraint {
            limit: share * row.limit,
            ..row.clone()
        });
        scaled.collect()
    }
}

/// Reads every block once: checks the numbers and keeps about 200,000 customers.
///
/// # Errors
/// `TW0501` for numbers that are not finite, `TW0502` for constraints and exclusions that cannot be used.
pub fn sample(problem: &LargeProblem<'_>) -> Result<LargeSample> {
    let sizes = problem.blocks.sizes();
    let n_customers = sizes.iter().map(|size| size.customers).sum();
    let sample = Sample::about(n_customers, SAMPLED);
    let starts = starts(sizes, |size| size.customers);
    let parts = (0..sizes.len()).into_par_iter().map(|block| {
        let own = problem.blocks.read(block)?;
        with_block(problem, &own, |part| part.check())?;
        let width = own.offsets.windows(2).map(|pair| pair[1] - pair[0]).max();
        if !problem.exclusions.is_empty() && problem.max_actions > 1 {
            check_sets(n_sets(
                width.unwrap_or(0) as usize,
                usize::from(problem.max_actions),
            ))?;
        }
        let mut kept = Candidates::new(own.resources.len());
        for customer in 0..own.n_customers() {
            if sample.holds(starts[block] + customer, n_customers) {
                kept.push_customer(&own, customer);
            }
        }
        Ok((kept, own.actions.iter().max().copied()))
    });
    let parts: Vec<(Candidates, Option<u16>)> = parts.collect::<Result<_>>()?;
    let mut all = LargeSample {
        candidates: Candidates::new(parts.first().map_or(0, |part| part.0.resources.len())),
        n_customers,
        last_action: parts.iter().filter_map(|part| part.1).max().unwrap_or(0),
    };
    parts.iter().for_each(|(part, _)| all.candidates.append(part));
    Ok(all)
}

/// Like [`super::allocate`], over blocks: memory grows with the number of customers near another choice, not with all.
///
/// Prices come from the sample, then from Newton steps over everyone; a last pass gives every customer the best set
/// at these prices, near ties by a draw with the shares of the smoothed dual (so that whole segments of equal
/// customers are divided), and keeps those nearest to another choice, among whom limits are repaired in exact arithmetic.
/// The bound is the exact dual over all candidates.
///
/// # Errors
/// As [`super::allocate`], and what reading a block gives.
pub fn allocate_blocks(
    problem: &LargeProblem<'_>,
    sample: &LargeSample,
    params: &AllocateParams,
) -> Result<Allocation> {
    let scaled = sample.constraints(problem.constraints);
    let (scale, prices) =
        sample
            .candidates
            .with_problem(problem.max_actions, &scaled, problem.exclusions, |own| {
                own.check()?;
                let compiled = Compiled::new(own);
                let scale = Scale::of(&compiled, Sample::about(compiled.n_customers, 4096));
                Ok::<_, Error>((scale, solve_dual(&compiled, params).prices))
            })?;
    let whole = Whole::new(problem, sample)?;
    let mut bound = Bound {
        prices: vec![0.0; problem.constraints.len()],
        value: f64::INFINITY,
    };
    let descent = Descent {
        temperatures: &[4.0 * TEMPERATURE, TEMPERATURE],
        steps: 4,
        worthwhile: WORTHWHILE,
        ceiling: CEILING,
    };
    let prices = descend(&whole, &scale, &descent, prices, &mut bound);
    whole.failed()?;
    let mut wanted = undecided_at_first(sample.n_customers);
    loop {
        let undecided = whole.split(&prices, TEMPERATURE * scale.value, wanted)?;
        let nobody = Candidates::new(sample.candidates.resources.len());
        let plan = with_block(problem, &nobody, |own| {
            undecided.settle(own, &whole.shape, &bound, params)
        });
        if let Some(plan) = plan {
            return Ok(plan);
        }
        if wanted >= sample.n_customers {
            return Ok(whole.fail(&bound, sample, &scaled));
        }
        wanted = wanted.saturating_mul(8);
    }
}

/// All blocks, and the first error that reading them gave.
struct Whole<'a> {
    problem: &'a LargeProblem<'a>,
    shape: Arc<Shape>,
    error: Mutex<Option<Error>>,
}

impl<'a> Whole<'a> {
    fn new(problem: &'a LargeProblem<'a>, sample: &LargeSample) -> Result<Self> {
        if problem.constraints.iter().any(|row| row.customers.is_some()) {
            return Err(super::malformed(
                "a constraint over customers cannot be kept over blocks; give those customers actions of their own"
                    .to_owned(),
            ));
        }
        let shape = with_block(
            problem,
            &Candidates::new(sample.candidates.resources.len()),
            |own| Shape::new(own, Some(sample.last_action), &[Vec::new()]),
        );
        Ok(Self {
            problem,
            shape: Arc::new(shape),
            error: Mutex::new(None),
        })
    }

    /// Runs `work` on every block, on any thread; results in the order of the blocks.
    fn each<T: Send>(&self, work: impl Fn(usize, &Compiled<'_>) -> T + Sync) -> Result<Vec<T>> {
        let blocks = 0..self.problem.blocks.sizes().len();
        let done = blocks.into_par_iter().map(|block| {
            let own = self.problem.blocks.read(block)?;
            let work =
                |part: &Problem<'_>| work(block, &Compiled::part(part, Arc::clone(&self.shape), Vec::new()));
            Ok(with_block(self.problem, &own, work))
        });
        done.collect()
    }

    fn failed(&self) -> Result<()> {
        let mut error = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        error.take().map_or(Ok(()), Err)
    }

    fn split(&self, prices: &[f64], temperature: f64, wanted: usize) -> Result<Undecided> {
        let sizes = self.problem.blocks.sizes();
        let n_customers: usize = sizes.iter().map(|size| size.customers).sum();
        let first_candidate = starts(sizes, |size| size.candidates);
        let table = self.shape.price_table(prices);
        let parts = self.each(|block, compiled| {
            let share = wanted as f64 / n_customers.max(1) as f64;
            let keep = (share * compiled.n_customers as f64).ceil() as usize + 8;
            let customers = 0..compiled.n_customers;
            split(
                compiled,
                (&table, temperature),
                (customers, keep),
                first_candidate[block],
            )
        })?;
        let n_resources = self.shape.n_resources - 1;
        let mut all = Undecided::none(self.problem.constraints.len(), n_resources);
        parts.iter().for_each(|part| all.append(part));
        Ok(all)
    }

    /// What can be said when no plan was found: conflicts in the sample are not a proof for all.
    fn fail(&self, bound: &Bound, sample: &LargeSample, scaled: &[Constraint]) -> Allocation {
        let (max_actions, exclusions) = (self.problem.max_actions, self.problem.exclusions);
        let own = |part: &Problem<'_>| {
            let compiled = Compiled::new(part);
            let pricing = Pricing::new(&compiled, &bound.prices);
            let state = State::rounded(&compiled, pricing.table());
            failure(&state, bound, conflicts(part), false)
        };
        let mut plan = sample
            .candidates
            .with_problem(max_actions, scaled, exclusions, own);
        for (row, constraint) in plan.constraints.iter_mut().zip(self.problem.constraints) {
            row.limit = constraint.limit;
        }
        plan
    }
}

impl Outlook for Whole<'_> {
    fn shape(&self) -> &Shape {
        &self.shape
    }

    fn dual(&self, prices: &[f64], temperature: f64) -> Dual {
        let table = self.shape.price_table(prices);
        let mut sums = Sums::none(&self.shape);
        match self.each(|_, compiled| sums_in_order(compiled, &table, temperature)) {
            Ok(parts) => parts.iter().for_each(|part| sums.add(part)),
            Err(error) => {
                let mut first = self.error.lock().unwrap_or_else(PoisonError::into_inner);
                first.get_or_insert(error);
            }
        }
        sums.dual(&self.shape, prices, temperature, 1.0)
    }

    fn is_whole(&self) -> bool {
        true
    }
}

/// The problem of one block.
fn with_block<T>(problem: &LargeProblem<'_>, own: &Candidates, work: impl FnOnce(&Problem<'_>) -> T) -> T {
    let resources: Vec<&[f64]> = own.resources.iter().map(Vec::as_slice).collect();
    work(&Problem {
        offsets: &own.offsets,
        actions: &own.actions,
        values: &own.values,
        resources: &resources,
        max_actions: MaxActions::Same(problem.max_actions),
        constraints: problem.constraints,
        exclusions: problem.exclusions,
    })
}

/// Where each block starts.
fn starts(sizes: &[BlockSize], of: impl Fn(&BlockSize) -> usize) -> Vec<usize> {
    let sums = sizes.iter().scan(0, |sum, size| {
        let start = *sum;
        *sum += of(size);
        Some(start)
    });
    sums.collect()
}
