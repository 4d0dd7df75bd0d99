//! The plan of a cycle: arms, draws, the allocation, and the decision of every customer with its propensities.

mod arms;
mod informed;
mod input;
mod limits;
mod margin;
mod partners;
mod records;
mod summary;
mod survival;

use thalweg_domain::{ActionId, Arm, Decision, Error, Result, Seed};

pub use informed::{InformedInput, InformedPlan, allocate_with_limits};
pub use input::{Candidate, ChannelLimit, Customer, Limits, Menu, PlanInput};
pub use partners::{Obstacle, PartnerChoice, PartnerPlan, PartnerTerms, PlanWorth, decide_with_partners};
pub use summary::{ChannelSummary, Counts};
pub use survival::{Survival, SurvivalInput, survival};

use crate::allocate::{AllocateParams, Allocation, Constraint, ConstraintUse, Sense, Shortfall};
use arms::Arms;
pub use arms::{ExploreUse, explore_use};
use limits::{Columns, constraints, sign, use_of};

/// The choices behind a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct DecideParams {
    /// Share never contacted, in [0, 1).
    pub holdout: f64,
    /// Share of the others that draws at random this cycle, in [0, 1].
    pub explore: f64,
    /// Actions per customer and cycle; only 1 can be planned with logged propensities.
    pub max_actions_per_customer: u16,
    /// The repair on the exploit arm stops changing rows once the certified gap is at most this.
    pub target_gap: f64,
    /// The cycle's seed: fresh each cycle.
    pub seed: Seed,
    /// The hold-out's salt: the same in every cycle.
    pub salt: Vec<u8>,
    /// Channels in a pilot, as indices: only explorers are contacted through them, and half of what explorers draw,
    /// other than *none*, goes to them.
    pub pilots: Vec<usize>,
}

impl DecideParams {
    /// 10 % hold-out, 10 % exploration, one action per customer, gap 5e-4.
    #[must_use]
    pub const fn new(seed: Seed, salt: Vec<u8>) -> Self {
        Self {
            holdout: 0.1,
            explore: 0.1,
            max_actions_per_customer: 1,
            target_gap: 5e-4,
            seed,
            salt,
            pilots: Vec::new(),
        }
    }

    fn check(&self) -> Result<()> {
        if self.max_actions_per_customer != 1 {
            let m = self.max_actions_per_customer;
            return Err(Error::new(
                "TW0503",
                format!("max_actions_per_customer = {m} cannot be planned"),
            )
            .hint("set it to 1; thalweg tool allocate takes any number"));
        }
        if !(0.0..1.0).contains(&self.holdout) {
            return Err(Error::new(
                "TW0506",
                format!("holdout = {} is not a share from 0 to below 1", self.holdout),
            ));
        }
        if !(0.0..=1.0).contains(&self.explore) {
            return Err(Error::new(
                "TW0506",
                format!("explore = {} is not a share from 0 to 1", self.explore),
            ));
        }
        Ok(())
    }
}

/// A cycle's plan.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanResult {
    /// One per customer, in their order; reasons are left empty.
    pub decisions: Vec<Decision>,
    /// How many are in which arm, treated, repaired.
    pub counts: Counts,
    /// Expected spend of all actions taken, exploration included.
    pub spend: f64,
    /// 95 % quantile of the spend (normal): acceptance by chance, and the doubt about each offer's acceptance shared
    /// by all who get it.
    pub spend_q95: f64,
    /// Expected value net of cost of all actions taken, exploration included.
    pub expected_value: f64,
    /// Its standard deviation, each channel's effect error shared by all its customers.
    pub expected_value_sd: f64,
    /// One per limit: the limit, its use by exploit and explore together, and its price in the exploit arm.
    pub constraints: Vec<ConstraintUse>,
    /// Planning value of the exploit arm's actions.
    pub value: f64,
    /// Certified bound on `value` within what exploration leaves of the limits.
    pub upper_bound: f64,
    /// `(upper_bound - value) / max(|upper_bound|, 1e-9)`.
    pub gap: f64,
    /// Whether every limit holds.
    pub feasible: bool,
    /// Limits that conflict when not.
    pub conflicts: Vec<String>,
    /// Of floors among them, what they require and what can be reached, exploration included.
    pub shortfalls: Vec<Shortfall>,
    /// One per channel.
    pub channels: Vec<ChannelSummary>,
    /// Price of one more unit of the total budget.
    pub budget_price: f64,
    /// The limits that `intended` was planned within, over everyone, and their prices.
    pub intended_limits: Vec<Constraint>,
    /// One price per limit of `intended_limits`.
    pub intended_prices: Vec<f64>,
}

/// Decides what every customer gets.
///
/// 1. Hold-out by salted hash of the cluster or key.
/// 2. A fresh share of the others explores: each draws from q_i, uniform over eligible actions, scaled per channel
///    to stay within the share of every limit, at least half on *none*. What they use is taken off the limits.
/// 3. The plan is solved for everyone with the remaining limits scaled by customers / exploit customers, of those whom the
///    limit covers: `intended`.
/// 4. On the exploit arm it is repaired until the real limits hold exactly, and improved until the certified gap is
///    at most `target_gap`; rows changed are flagged `repaired`.
///
/// Outside the hold-out `pi_i(a) = (1 - explore) [a = intended_i] + explore q_i(a)`; in it *none* has
/// propensity 1. Propensities are exact for rows that are not repaired, given `intended`; `intended` itself
/// depends on who explores only through the few cents their draws take off the limits.
///
/// # Errors
/// `TW0501` numbers that cannot be used, `TW0502` limits, `TW0503` more than one action per customer,
/// `TW0506` shares out of range.
pub fn decide(input: &PlanInput<'_>, params: &DecideParams) -> Result<PlanResult> {
    params.check()?;
    input.check()?;
    let rows = constraints(&input.menu);
    let arms = Arms::assign(input, &rows, params);
    let remaining = remaining(input, &rows, &arms);
    let planned = |candidate: &Candidate| {
        let channel = input.menu.action(candidate).channel;
        !params.pilots.contains(&channel)
    };
    let Intended {
        actions: intended,
        limits,
        prices,
    } = intend(input, &arms, &remaining, planned)?;
    let exploit = Columns::new(input.offsets, input.candidates, |customer, candidate| {
        arms.arm[customer] == Arm::Exploit && planned(candidate)
    });
    let solve = AllocateParams {
        target_gap: params.target_gap,
        warm_start: Some(prices.clone()),
        ..AllocateParams::default()
    };
    let allocation = exploit.improve(&remaining, &intended, &solve)?;
    let actions = actions(&arms, &exploit.actions_of(&allocation));
    let choice = Choice {
        input,
        params,
        arms: &arms,
        rows: &rows,
        intended: &intended,
        actions: &actions,
        allocation: &allocation,
    };
    Ok(PlanResult {
        intended_limits: limits,
        intended_prices: prices,
        ..choice.result()
    })
}

/// Everything decided, before it is written down.
pub(crate) struct Choice<'a> {
    input: &'a PlanInput<'a>,
    params: &'a DecideParams,
    arms: &'a Arms,
    rows: &'a [Constraint],
    intended: &'a [Option<ActionId>],
    actions: &'a [Option<ActionId>],
    allocation: &'a Allocation,
}

/// The limits less what exploration uses.
fn remaining(input: &PlanInput<'_>, rows: &[Constraint], arms: &Arms) -> Vec<Constraint> {
    let taken = (0..input.customers.len()).filter_map(|customer| {
        let drawn = arms.drawn[customer]?;
        let mut own = input.of(customer).iter();
        own.find(|candidate| candidate.action == drawn)
            .map(|candidate| (customer, candidate))
    });
    let used = use_of(rows, taken);
    let less = |(row, used): (&Constraint, f64)| Constraint {
        limit: left(row, used),
        ..row.clone()
    };
    rows.iter().zip(used).map(less).collect()
}

/// `limit - used`, rounded so that with the use added again a ceiling is not exceeded and a floor is reached.
fn left(row: &Constraint, used: f64) -> f64 {
    let left = row.limit - used;
    let whole = row.limit.fract() == 0.0 && used.fract() == 0.0;
    if whole || used == 0.0 || left <= 0.0 {
        left.max(0.0)
    } else {
        (left - sign(row) * row.limit * f64::EPSILON).max(0.0)
    }
}

/// The action everyone gets or would get, and the prices behind it.
///
/// Floors that the exploit arm can just reach may be out of reach when they are scaled up to everyone: then they are
/// taken as they are, and if that is out of reach too, left to the repair.
fn intend(
    input: &PlanInput<'_>,
    arms: &Arms,
    remaining: &[Constraint],
    planned: impl Fn(&Candidate) -> bool,
) -> Result<Intended> {
    let everyone = Columns::new(input.offsets, input.candidates, |_, candidate| planned(candidate));
    let params = AllocateParams {
        target_gap: 1e-4,
        ..AllocateParams::default()
    };
    let rows = |floors: Option<bool>| -> Vec<Constraint> {
        let row = |row: &Constraint| Constraint {
            limit: match (row.sense, floors) {
                (Sense::AtLeast, None) => 0.0,
                (Sense::AtLeast, Some(false)) => row.limit,
                _ => scale(row, arms) * row.limit,
            },
            ..row.clone()
        };
        remaining.iter().map(row).collect()
    };
    let mut limits = rows(Some(true));
    let mut allocation = everyone.allocate(&limits, &params)?;
    if remaining.iter().any(|row| row.sense == Sense::AtLeast) {
        for floors in [Some(false), None] {
            if !allocation.feasible {
                limits = rows(floors);
                allocation = everyone.allocate(&limits, &params)?;
            }
        }
    }
    Ok(Intended {
        actions: everyone.actions_of(&allocation),
        limits,
        prices: allocation.prices,
    })
}

/// What everyone gets or would get, the limits behind it and their prices.
struct Intended {
    actions: Vec<Option<ActionId>>,
    limits: Vec<Constraint>,
    prices: Vec<f64>,
}

/// Customers that a limit covers for each of them who follows the plan.
fn scale(row: &Constraint, arms: &Arms) -> f64 {
    let covered = |customer: &usize| row.customers.as_ref().is_none_or(|mask| mask[*customer]);
    let all = (0..arms.arm.len()).filter(covered);
    let exploit = all.clone().filter(|customer| arms.arm[*customer] == Arm::Exploit);
    match exploit.count() {
        0 => 1.0,
        exploit => all.count() as f64 / exploit as f64,
    }
}

fn actions(arms: &Arms, exploit: &[Option<ActionId>]) -> Vec<Option<ActionId>> {
    let action = |customer: usize| match arms.arm[customer] {
        Arm::Holdout => None,
        Arm::Explore => arms.drawn[customer],
        Arm::Exploit => exploit[customer],
    };
    (0..exploit.len()).map(action).collect()
}
