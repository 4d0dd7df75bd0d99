//! The demo: the real stages on a simulated business, beside four policies, judged by the simulator's truth.
//!
//! Every policy runs on its own copy of the same business: same customers, same luck, same newcomers. The engine sees what
//! a company would see: the customers' table and events. It never sees the truth.

mod belief;
mod policies;
mod turn;
mod workspace;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thalweg_domain::{Duration, Error, Result, Seed, Timestamp};
use thalweg_market::{Market, MarketParams};

use crate::progress::Progress;
use crate::wire::{DemoCycleOut, DemoOut, PlanOut};

/// Start of the first cycle: 2026-01-05.
const START: Timestamp = Timestamp(1_767_571_200_000_000);
/// From one cycle's start to the next: the horizon and a day.
const CYCLE: Duration = Duration::days(31);
/// Budget per customer and cycle.
const BUDGET_PER_CUSTOMER: f64 = 1.0;
/// The share held out.
const HOLDOUT: f64 = 0.10;

/// What to simulate.
#[derive(Clone)]
pub struct DemoRequest {
    /// Customers.
    pub customers: usize,
    /// Cycles.
    pub cycles: u32,
    /// Seed of the market and of the engine.
    pub seed: u64,
    /// Where to keep the workspace; a temporary folder when absent.
    pub keep: Option<PathBuf>,
    /// Who is told about progress.
    pub progress: Arc<dyn Progress>,
}

/// The business once per policy.
struct Businesses {
    thalweg: Market,
    top_risk: Market,
    random: Market,
    oracle: Market,
    oracle_without_holdout: Market,
}

/// True figures of one policy in one cycle.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Truth {
    pub(crate) profit: f64,
    pub(crate) spend: f64,
}

/// Plays the cycles.
///
/// # Errors
/// `TW0109` for no cycles, `TW0590` for a business of a size that cannot be made, and what the stages report.
pub fn demo(request: &DemoRequest) -> Result<DemoOut> {
    if request.cycles == 0 {
        return Err(Error::new("TW0109", "--cycles 0 is no demo").hint("give 1 or more; 6 is usual"));
    }
    let folder = tempfile::tempdir()
        .map_err(|cause| Error::new("TW0821", "cannot make a temporary folder for the demo").cause(cause))?;
    let dir = request.keep.as_deref().unwrap_or_else(|| folder.path());
    refuse_used(dir)?;
    request
        .progress
        .start("demo", Some(request.cycles as usize * turn::STEPS));
    let out = play(request, dir);
    request.progress.finish();
    out
}

fn refuse_used(dir: &Path) -> Result<()> {
    if dir.join(crate::CONFIG_FILE).exists() {
        return Err(Error::new(
            "TW0112",
            format!("\"{}\" holds a workspace already", dir.display()),
        )
        .hint("choose an empty folder for --keep"));
    }
    Ok(())
}

fn play(request: &DemoRequest, dir: &Path) -> Result<DemoOut> {
    let params = MarketParams {
        n_customers: request.customers,
        ..MarketParams::default()
    };
    let market = Market::new(&params, Seed(request.seed).stream("demo market"))?;
    workspace::write(dir, &market, request.seed, budget(request))?;
    let hostile = market.is_hostile();
    let mut businesses = Businesses {
        top_risk: market.clone(),
        random: market.clone(),
        oracle: market.clone(),
        oracle_without_holdout: market.clone(),
        thalweg: market,
    };
    let mut cycles = Vec::new();
    let mut plans: Vec<PlanOut> = Vec::new();
    let mut free = 0.0;
    thalweg_collect::write_table(&dir.join(workspace::CUSTOMERS), &businesses.thalweg.snapshot()?)?;
    let mut session = turn::open(dir)?;
    for cycle in 1..=request.cycles {
        let turn = turn::Turn { request, dir, cycle };
        let played = turn.play(&mut session, &mut businesses)?;
        free += played.oracle_without_holdout.profit;
        plans.push(played.plan);
        cycles.push(played.out);
    }
    Ok(summary(request, cycles, &plans, (hostile, free)))
}

fn budget(request: &DemoRequest) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "the market refuses more than 5 million customers"
    )]
    let customers = request.customers as f64;
    customers * BUDGET_PER_CUSTOMER
}

fn summary(
    request: &DemoRequest,
    cycles: Vec<DemoCycleOut>,
    plans: &[PlanOut],
    (hostile, free): (bool, f64),
) -> DemoOut {
    let mut total: BTreeMap<String, f64> = BTreeMap::new();
    for cycle in &cycles {
        for (policy, profit) in &cycle.profit {
            *total.entry(policy.clone()).or_default() += profit;
        }
    }
    let of = |policy: &str| total.get(policy).copied().unwrap_or(0.0);
    DemoOut {
        seed: request.seed,
        customers: request.customers,
        oracle_share: share(of("thalweg"), of("oracle")),
        price_of_holdout: free - of("oracle"),
        hostile,
        changed: changed(plans),
        total,
        cycles,
    }
}

/// A share of the oracle's profit; 0 when there is none to share.
pub(crate) fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// What the last plan does differently from the first, the largest moves first.
fn changed(plans: &[PlanOut]) -> Vec<String> {
    let (Some(first), Some(last)) = (plans.first(), plans.last()) else {
        return Vec::new();
    };
    let mut moves: Vec<(usize, String)> = first
        .channels
        .iter()
        .zip(&last.channels)
        .map(|(before, after)| {
            let sentence = format!(
                "{}: {} customers in cycle {}, {} in cycle {} ({}); its effect was assumed to be {:.1} %, now it is believed to be {:.1} %.",
                after.name,
                before.customers,
                first.cycle,
                after.customers,
                last.cycle,
                after.verdict,
                before.effect.mean * 100.0,
                after.effect.mean * 100.0
            );
            (before.customers.abs_diff(after.customers), sentence)
        })
        .collect();
    moves.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    moves.into_iter().take(3).map(|(_, sentence)| sentence).collect()
}
