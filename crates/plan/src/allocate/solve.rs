//! The steps of an allocation: prices, rounding, repair, improvement, proof.

use thalweg_domain::{Error, Result};

use super::compiled::Compiled;
use super::conflicts::{Shortfall, conflicts, shortfalls, whole_conflicts};
use super::evaluate::Sample;
use super::moves::Pricing;
use super::newton::{Bound, Descent, Scale, Seen, descend};
use super::problem::{Problem, Sense};
use super::repair::{exchange, fill, repair};
use super::search::search;
use super::state::State;
use super::undecided::{Undecided, split};
use crate::chunks::map_ranges;

/// How hard to try.
#[derive(Debug, Clone, PartialEq)]
pub struct AllocateParams {
    /// Improvement stops once the certified gap is at most this (share of the bound).
    pub target_gap: f64,
    /// Rounds of improvement at most.
    pub improve_rounds: usize,
    /// Steps of the exhaustive search that small problems get; 0 switches it off.
    pub search_nodes: usize,
    /// Prices to start from, one per constraint, such as those of a neighbouring scenario.
    pub warm_start: Option<Vec<f64>>,
}

impl Default for AllocateParams {
    fn default() -> Self {
        Self {
            target_gap: 1e-5,
            improve_rounds: 24,
            search_nodes: 50_000,
            warm_start: None,
        }
    }
}

/// What came of one constraint.
#[derive(Debug, Clone, PartialEq)]
pub struct ConstraintUse {
    /// Its name.
    pub name: String,
    /// Whether the limit is the most or the least.
    pub sense: Sense,
    /// Its limit.
    pub limit: f64,
    /// How much of the resource the chosen candidates use; when nothing feasible was found, the closest attempt.
    pub used: f64,
    /// Value of one more unit of the limit; for "at least" what one more unit required costs, as a negative number.
    pub shadow_price: f64,
}

/// An allocation with its certificate.
#[derive(Debug, Clone, PartialEq)]
pub struct Allocation {
    /// Indices of the chosen candidates, ascending. Empty when not feasible.
    pub chosen: Vec<u64>,
    /// Sum of their values.
    pub value: f64,
    /// No allocation is worth more: the lowest exact dual value seen, or the value itself where an exhaustive
    /// search proved it best.
    pub upper_bound: f64,
    /// `(upper_bound - value) / max(|upper_bound|, 1e-9)`, not negative; 1 when not feasible.
    pub gap: f64,
    /// Whether every constraint holds.
    pub feasible: bool,
    /// Whether infeasibility is proved (true) or nothing feasible was found with the effort allowed (false).
    pub infeasibility_proved: bool,
    /// When not feasible: names of constraints that conflict (proved), or that the best attempt breaks.
    pub conflicts: Vec<String>,
    /// When conflicts are known: what each "at least" among them requires against what can be reached.
    pub shortfalls: Vec<Shortfall>,
    /// One entry per constraint, in their order.
    pub constraints: Vec<ConstraintUse>,
    /// Dual price per constraint, not negative: a warm start for a neighbouring problem.
    pub prices: Vec<f64>,
}

impl Allocation {
    /// The error that says which constraints conflict; `None` when the allocation is feasible.
    #[must_use]
    pub fn conflict_error(&self) -> Option<Error> {
        if self.feasible {
            return None;
        }
        let names: Vec<String> = self.conflicts.iter().map(|name| format!("\"{name}\"")).collect();
        let short = self.shortfalls.iter().map(|short| {
            format!(
                "; \"{}\" requires {}, at most {} can be reached",
                short.name,
                figure(short.required),
                figure(short.reachable)
            )
        });
        let message = if self.infeasibility_proved || !self.shortfalls.is_empty() {
            format!(
                "no plan keeps all constraints: {} cannot hold together{}",
                names.join(", "),
                short.collect::<String>()
            )
        } else {
            format!(
                "no plan that keeps all constraints was found: the closest breaks {}",
                names.join(", ")
            )
        };
        Some(
            Error::new("TW0504", message)
                .hint("lower what is required at least, or raise a limit, of one of them"),
        )
    }
}

/// Maximises `sum v z` over `z in {0,1}` with at most `m_i` candidates per customer and every constraint kept.
///
/// The Lagrangian dual is smoothed by log-sum-exp and minimised by damped Newton steps while the temperature
/// falls, first on a sample, then on everyone; the rounded solution is repaired until every limit holds in
/// exact arithmetic and then improved by single moves and exchanges; small problems are searched to the end.
/// The lowest exact dual value met on the way bounds every allocation (weak duality), so `gap` is a certificate.
/// Same input, same bytes, whatever the number of threads. Time and memory grow linearly with the candidates.
///
/// # Errors
/// `TW0501` when arrays do not fit together or hold NaN or infinity, `TW0502` when a constraint cannot be used.
///
/// ```
/// use thalweg_plan::allocate::{allocate, AllocateParams, Constraint, MaxActions, Problem, Resource};
/// let cost = [2.0, 3.0, 2.0];
/// let problem = Problem {
///     offsets: &[0, 2, 3], // two candidates for the first customer, one for the second
///     actions: &[0, 1, 0],
///     values: &[5.0, 6.0, 4.0],
///     resources: &[&cost],
///     max_actions: MaxActions::Same(1),
///     constraints: &[Constraint::at_most("budget", Resource::Column(0), 4.0)],
///     exclusions: &[],
/// };
/// let plan = allocate(&problem, &AllocateParams::default())?;
/// assert_eq!(plan.chosen, [0, 2]);
/// assert_eq!(plan.value, 9.0);
/// # Ok::<(), thalweg_domain::Error>(())
/// ```
pub fn allocate(problem: &Problem<'_>, params: &AllocateParams) -> Result<Allocation> {
    check(problem, params)?;
    let compiled = Compiled::new(problem);
    let plan = solve(&compiled, params);
    if params.warm_start.is_none() || (plan.feasible && plan.gap <= WARM_GAP) {
        return Ok(plan);
    }
    // the prices to start from were too far from this problem's
    let cold = AllocateParams {
        warm_start: None,
        ..params.clone()
    };
    Ok(solve(&compiled, &cold))
}

fn solve(compiled: &Compiled<'_>, params: &AllocateParams) -> Allocation {
    let bound = solve_dual(compiled, params);
    if let Some(plan) = settle_among_few(compiled, &bound, params) {
        return plan;
    }
    let pricing = Pricing::new(compiled, &bound.prices);
    let state = State::rounded(compiled, pricing.table());
    conclude(state, &pricing, bound, params)
}

/// A larger gap than this after a warm start asks for a cold one.
const WARM_GAP: f64 = 1e-3;

/// With many customers: all but those nearest to another choice get their best at once, the limits are repaired among
/// the others. `None` when that does not do.
fn settle_among_few(compiled: &Compiled<'_>, bound: &Bound, params: &AllocateParams) -> Option<Allocation> {
    let n = compiled.n_customers;
    if n <= LARGE {
        return None;
    }
    let scale = Scale::of(compiled, Sample::about(n, 4096));
    let table = compiled.price_table(&bound.prices);
    let temperature = scale.value * COLDEST;
    let wanted = undecided_at_first(n) as f64 / n as f64;
    let parts = map_ranges(n, 1 << 14, |customers| {
        let keep = (wanted * customers.len() as f64).ceil() as usize;
        split(compiled, (&table, temperature), (customers, keep), 0)
    });
    let mut undecided = Undecided::none(compiled.n_rows, compiled.n_resources - 1);
    parts.iter().for_each(|part| undecided.append(part));
    let plan = undecided.settle(compiled.problem, &compiled.shape, bound, params)?;
    (plan.gap <= params.target_gap.max(1e-4)).then_some(plan)
}

/// Like [`allocate`], but starts from a given assignment and changes as little of it as repair and the target
/// gap need: the way back to the real limits from a plan that was made for scaled ones.
///
/// `chosen` has one entry per candidate, with at most `m_i` set per customer.
///
/// # Errors
/// As [`allocate`], and `TW0501` when `chosen` does not fit the problem.
pub fn improve_from(problem: &Problem<'_>, chosen: Vec<bool>, params: &AllocateParams) -> Result<Allocation> {
    check(problem, params)?;
    let compiled = Compiled::new(problem);
    let fits = |customer| {
        let own = compiled
            .candidates(customer)
            .filter(|candidate| chosen[*candidate]);
        let own: Vec<usize> = own.collect();
        let apart = |a: &usize| own.iter().all(|b| !compiled.excludes(*a, *b));
        own.len() <= problem.max_actions.of(customer) && own.iter().all(apart)
    };
    if chosen.len() != problem.values.len() || !(0..compiled.n_customers).all(fits) {
        return Err(super::malformed(
            "the assignment to start from does not fit the candidates".to_owned(),
        ));
    }
    let bound = solve_dual(&compiled, params);
    let pricing = Pricing::new(&compiled, &bound.prices);
    let state = State::of(&compiled, chosen);
    Ok(conclude(state, &pricing, bound, params))
}

/// Two digits behind the point, none for whole numbers.
fn figure(x: f64) -> String {
    if x.fract() == 0.0 {
        format!("{x}")
    } else {
        format!("{x:.2}")
    }
}

fn check(problem: &Problem<'_>, params: &AllocateParams) -> Result<()> {
    problem.check()?;
    match &params.warm_start {
        Some(prices)
            if prices.len() != problem.constraints.len() || prices.iter().any(|p| !p.is_finite()) =>
        {
            Err(super::malformed(
                "the prices to start from are not one finite number per constraint".to_owned(),
            ))
        }
        _ => Ok(()),
    }
}

/// Prices: a long fall of the temperature on a sample, a short one on everyone.
pub(super) fn solve_dual(compiled: &Compiled<'_>, params: &AllocateParams) -> Bound {
    let n = compiled.n_customers;
    let mut bound = Bound {
        prices: vec![0.0; compiled.n_rows],
        value: f64::INFINITY,
    };
    let scale = Scale::of(compiled, Sample::about(n, 4096));
    let warm = params.warm_start.as_ref();
    let mut prices = warm.map_or_else(
        || bound.prices.clone(),
        |p| p.iter().map(|p| p.max(0.0)).collect(),
    );
    let stages = if n > LARGE { LARGE_STAGES } else { STAGES };
    for stage in stages.iter().skip(usize::from(warm.is_some())) {
        let seen = Seen {
            compiled,
            sample: Sample::about(n, stage.customers),
        };
        let descent = Descent {
            temperatures: stage.temperatures,
            steps: stage.steps,
            worthwhile: WORTHWHILE,
            ceiling: CEILING,
        };
        prices = descend(&seen, &scale, &descent, prices, &mut bound);
    }
    bound
}

/// One part of the fall of the temperature.
struct Stage {
    /// About how many customers it looks at.
    customers: usize,
    temperatures: &'static [f64],
    steps: usize,
}

/// The last stage always looks at everyone: only there is the bound a bound.
const STAGES: &[Stage] = &[
    Stage {
        customers: 1024,
        temperatures: &[0.3, 0.06, 0.015],
        steps: 24,
    },
    Stage {
        customers: usize::MAX,
        temperatures: &[5e-3, 1e-3, 2e-4, 3e-5],
        steps: 12,
    },
];
/// With many customers a sample gives nearly the right prices and few steps on everyone are needed.
const LARGE_STAGES: &[Stage] = &[
    Stage {
        customers: 1024,
        temperatures: &[0.3, 0.06],
        steps: 24,
    },
    Stage {
        customers: 16_384,
        temperatures: &[0.015, 4e-3, 1e-3],
        steps: 12,
    },
    Stage {
        customers: usize::MAX,
        temperatures: &[5e-4, COLDEST],
        steps: 8,
    },
];
/// The temperature of the last stage with many customers.
const COLDEST: f64 = 6e-5;
/// How many customers, those nearest to another choice, are left undecided at first; the limits are repaired among them.
pub(super) fn undecided_at_first(n_customers: usize) -> usize {
    (n_customers / 50).max(20_000)
}

/// Above this, the stages for many customers apply.
const LARGE: usize = 50_000;
/// Newton steps stop where the next would lower the dual by less than this share of it.
pub(super) const WORTHWHILE: f64 = 3e-7;
/// No price rises above this many times its natural unit (only infeasible problems want that).
pub(super) const CEILING: f64 = 1e6;
/// Problems up to this many candidates are searched to the end.
const SEARCHED: usize = 400;

/// Repaired, improved and searched as far as it goes.
pub(super) struct Finished<'a> {
    pub(super) state: State<'a>,
    pub(super) feasible: bool,
    /// A complete search found nothing feasible.
    infeasible: bool,
}

fn conclude(
    state: State<'_>,
    pricing: &Pricing<'_>,
    mut bound: Bound,
    params: &AllocateParams,
) -> Allocation {
    let finished = finish(state, pricing, &mut bound, params);
    if finished.feasible {
        return report(&finished.state, &bound);
    }
    let problem = finished.state.compiled.problem;
    let mut names = conflicts(problem);
    if names.is_empty() && finished.infeasible {
        names = whole_conflicts(problem, params.search_nodes);
    }
    let proved = finished.infeasible || !names.is_empty();
    failure(&finished.state, &bound, names, proved)
}

pub(super) fn finish<'a>(
    mut state: State<'a>,
    pricing: &Pricing<'_>,
    bound: &mut Bound,
    params: &AllocateParams,
) -> Finished<'a> {
    let mut feasible = repair(&mut state, pricing);
    if feasible {
        improve(&mut state, pricing, bound, params);
    }
    let compiled = state.compiled;
    let small = compiled.values.len() <= SEARCHED && state.is_alone() && params.search_nodes > 0;
    let mut infeasible = false;
    if small && (!feasible || gap(bound.value, state.value()) > params.target_gap) {
        let known = feasible.then(|| state.value());
        let searched = search(compiled, &bound.prices, known, params.search_nodes);
        if let Some(better) = searched.better {
            state = State::of(compiled, better);
            feasible = true;
        }
        if searched.complete && feasible {
            bound.value = bound.value.min(state.value());
        }
        infeasible = searched.complete && !feasible;
    }
    Finished {
        state,
        feasible,
        infeasible,
    }
}

fn improve(state: &mut State<'_>, pricing: &Pricing<'_>, bound: &Bound, params: &AllocateParams) {
    let many = state.compiled.n_customers > 10_000;
    for _ in 0..params.improve_rounds {
        let slack = bound.value - state.value();
        if gap(bound.value, state.value()) <= params.target_gap {
            return;
        }
        let rose = fill(state, pricing, slack) || exchange(state, pricing, slack);
        // among many, a round takes long: it must close a tenth of what is left to be followed by another
        let closed = 1.0 - (bound.value - state.value()) / slack;
        if !rose || (many && closed < 0.1) {
            return;
        }
    }
}

fn gap(bound: f64, value: f64) -> f64 {
    ((bound - value) / bound.abs().max(1e-9)).max(0.0)
}

pub(super) fn report(state: &State<'_>, bound: &Bound) -> Allocation {
    let chosen = state
        .chosen
        .iter()
        .enumerate()
        .filter(|(_, chosen)| **chosen)
        .map(|(index, _)| index as u64);
    Allocation {
        chosen: chosen.collect(),
        value: state.value(),
        upper_bound: bound.value,
        gap: gap(bound.value, state.value()),
        feasible: true,
        infeasibility_proved: false,
        conflicts: Vec::new(),
        shortfalls: Vec::new(),
        constraints: uses(state, bound),
        prices: bound.prices.clone(),
    }
}

/// What is said when no plan was found; `names` conflict, or when empty the rows that the attempt breaks are named.
pub(super) fn failure(state: &State<'_>, bound: &Bound, mut names: Vec<String>, proved: bool) -> Allocation {
    let problem = state.compiled.problem;
    if names.is_empty() {
        names = state
            .violated()
            .into_iter()
            .map(|row| problem.constraints[row].name.clone())
            .collect();
    }
    Allocation {
        chosen: Vec::new(),
        value: 0.0,
        upper_bound: bound.value,
        gap: 1.0,
        feasible: false,
        infeasibility_proved: proved,
        shortfalls: shortfalls(problem, &names),
        conflicts: names,
        constraints: uses(state, bound),
        prices: bound.prices.clone(),
    }
}

fn uses(state: &State<'_>, bound: &Bound) -> Vec<ConstraintUse> {
    let rows = state.compiled.problem.constraints.iter().enumerate();
    rows.map(|(row, constraint)| {
        let sign = constraint.sense.sign();
        ConstraintUse {
            name: constraint.name.clone(),
            sense: constraint.sense,
            limit: constraint.limit,
            used: sign * state.used(row) + 0.0,
            shadow_price: sign * bound.prices[row] + 0.0,
        }
    })
    .collect()
}
