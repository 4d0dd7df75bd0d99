//! One turn: every policy acts on its own copy of the business, then time passes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thalweg_domain::{Action, Duration, Error, Result, Timestamp};
use thalweg_ledger::DecisionRow;
use thalweg_market::Market;
use thalweg_plan::randomise::in_holdout;

use super::policies::{self, Limited};
use super::{Businesses, CYCLE, DemoRequest, HOLDOUT, START, Truth, belief, share, workspace};
use crate::progress::Silent;
use crate::session::{Options, Session};
use crate::stages::train;
use crate::wire::{DemoCycleOut, PlanOut};

/// Steps that progress counts per turn.
pub(super) const STEPS: usize = 4;

pub(super) struct Turn<'a> {
    pub(super) request: &'a DemoRequest,
    pub(super) dir: &'a Path,
    pub(super) cycle: u32,
}

/// What one turn came to.
pub(super) struct Played {
    pub(super) out: DemoCycleOut,
    pub(super) plan: PlanOut,
    pub(super) oracle_without_holdout: Truth,
}

impl Turn<'_> {
    pub(super) fn play(&self, session: &mut Session, businesses: &mut Businesses) -> Result<Played> {
        session.options.as_of = self.at();
        thalweg_collect::write_table(
            &self.dir.join(workspace::CUSTOMERS),
            &businesses.thalweg.snapshot()?,
        )?;
        let plan = session.run()?.plan;
        self.advance(1);
        session.deliver(false)?;
        self.advance(2);
        let others = self.others(session, &plan, businesses)?;
        self.advance(3);
        let decisions = session.decisions(&plan.plan)?;
        let thalweg = self.act(&mut businesses.thalweg, &decisions, &plan)?;
        session.options.as_of = self.at() + CYCLE;
        session.feedback(&self.events_file(), Some(self.at() + Duration::days(30)))?;
        session.iterate()?;
        let estimate = belief::of_cycle(session, self.cycle)?;
        self.advance(4);
        let mut profit: BTreeMap<String, f64> = others
            .iter()
            .filter(|(name, _)| *name != FREE)
            .map(|(name, truth)| ((*name).to_owned(), truth.profit))
            .collect();
        let mut spend: BTreeMap<String, f64> = others
            .iter()
            .filter(|(name, _)| *name != FREE)
            .map(|(name, truth)| ((*name).to_owned(), truth.spend))
            .collect();
        profit.insert("thalweg".to_owned(), thalweg.profit);
        spend.insert("thalweg".to_owned(), thalweg.spend);
        let oracle = profit.get("oracle").copied().unwrap_or(0.0);
        Ok(Played {
            out: DemoCycleOut {
                cycle: self.cycle,
                oracle_share: share(thalweg.profit, oracle),
                profit,
                spend,
                estimate: estimate.into(),
                truth: thalweg.profit,
            },
            plan,
            oracle_without_holdout: others
                .iter()
                .find(|(name, _)| *name == FREE)
                .map_or_else(Truth::default, |(_, truth)| *truth),
        })
    }

    fn advance(&self, step: usize) {
        self.request
            .progress
            .advance((self.cycle as usize - 1) * STEPS + step);
    }

    /// When the turn's decisions are made.
    fn at(&self) -> Timestamp {
        (1..self.cycle).fold(START, |at, _| at + CYCLE)
    }

    fn events_file(&self) -> PathBuf {
        self.dir.join(format!("events-{}.jsonl", self.cycle))
    }

    /// Carries the engine's decisions out and writes what happened.
    fn act(&self, market: &mut Market, decisions: &[DecisionRow], plan: &PlanOut) -> Result<Truth> {
        let by_key: BTreeMap<&str, &DecisionRow> = decisions
            .iter()
            .map(|decision| (decision.customer.reveal(), decision))
            .collect();
        let actions = market
            .keys()
            .iter()
            .map(|key| match by_key.get(key.as_str()) {
                Some(decision) => market_action(market, decision),
                None => Err(Error::new(
                    "TW0901",
                    format!("internal error: plan {} forgot a customer", plan.plan),
                )),
            })
            .collect::<Result<Vec<_>>>()?;
        let truth = policies::truth(market, &actions)?;
        let events = market.step(&actions, self.at())?;
        let ids: BTreeMap<String, String> = decisions
            .iter()
            .map(|row| (row.customer.reveal().to_owned(), row.decision_id.clone()))
            .collect();
        workspace::write_events(&self.events_file(), &events, &ids, self.cycle)?;
        Ok(truth)
    }

    /// The other policies, each on its own copy.
    fn others(
        &self,
        session: &Session,
        plan: &PlanOut,
        businesses: &mut Businesses,
    ) -> Result<Vec<(&'static str, Truth)>> {
        let salt = session.ledger.setting("holdout_salt")?.unwrap_or_default();
        let held = |key: &str| in_holdout(salt.as_bytes(), key, HOLDOUT);
        let limited = |market| Limited {
            market,
            budget: super::budget(self.request),
        };
        let random = policies::random(&limited(&businesses.random), self.seed())?;
        let risks = self.risks(session, plan, &businesses.top_risk)?;
        let top = policies::top_risk(&limited(&businesses.top_risk), &risks)?;
        let oracle = policies::oracle(&limited(&businesses.oracle), &|key| !held(key))?;
        let free = policies::oracle(&limited(&businesses.oracle_without_holdout), &|_| true)?;
        let mut out = vec![("nobody", Truth::default())];
        for (name, market, actions) in [
            ("random", &mut businesses.random, random),
            ("top_risk", &mut businesses.top_risk, top),
            ("oracle", &mut businesses.oracle, oracle),
            (FREE, &mut businesses.oracle_without_holdout, free),
        ] {
            out.push((name, policies::truth(market, &actions)?));
            market.step(&actions, self.at())?;
        }
        Ok(out)
    }

    fn seed(&self) -> thalweg_domain::Seed {
        thalweg_domain::Seed(self.request.seed)
            .stream("demo random")
            .nth(u64::from(self.cycle))
    }

    /// The same risk model as the engine's, asked about another copy's customers.
    fn risks(&self, session: &Session, plan: &PlanOut, market: &Market) -> Result<Vec<f64>> {
        let training = train::load(session, &plan.model)?;
        let path = self.dir.join("top-risk.parquet");
        thalweg_collect::write_table(&path, &market.customers()?)?;
        let table = thalweg_collect::read_source(
            self.dir,
            "top-risk.parquet",
            &thalweg_collect::MissingTokens::new(),
        )?;
        training.model.predict(&table)
    }
}

/// Opens the company's workspace; the clock is set turn by turn.
pub(super) fn open(dir: &Path) -> Result<Session> {
    let options = Options {
        as_of: START,
        as_of_given: true,
        seed: None,
        again: false,
        progress: Arc::new(Silent),
    };
    Session::open(dir, options)
}

/// The informed plan without a hold-out: only for the price of holding out.
const FREE: &str = "oracle without hold-out";

/// A decision in terms of the market's channels and offers.
fn market_action(market: &Market, decision: &DecisionRow) -> Result<Option<Action>> {
    let Some(channel) = &decision.channel else {
        return Ok(None);
    };
    let unknown = || {
        Error::new(
            "TW0901",
            "internal error: a decision names what the market does not have",
        )
    };
    let channel = market
        .channels()
        .iter()
        .position(|own| own.name.as_str() == channel)
        .ok_or_else(unknown)?;
    let offer = match &decision.offer {
        Some(offer) => Some(
            market
                .offers()
                .iter()
                .position(|own| own.name.as_str() == offer)
                .ok_or_else(unknown)?,
        ),
        None => None,
    };
    Ok(Some(Action { channel, offer }))
}
