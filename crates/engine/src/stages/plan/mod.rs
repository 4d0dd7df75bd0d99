//! plan: who gets what, through which channel, within the limits; every customer's decision with its propensities.

mod candidates;
mod channels;
mod describe;
mod group;
mod keep;
pub(crate) mod market;
mod off;
mod pacing;
mod partners;
mod pilots;
mod reach;
mod response;
mod robust;
mod rules;
pub(crate) mod scenarios;
mod segments;

use std::collections::BTreeSet;

use thalweg_collect::Collected;
use thalweg_domain::{ActionId, Belief, Error, Reason, Result, Seed, Stage, Table};
use thalweg_learn::effect::ActionLoad;
use thalweg_plan::decide::{
    Candidate, Customer, DecideParams, Limits, PartnerPlan, PartnerTerms, PlanInput, decide_with_partners,
};

use super::{collect, train};
use crate::effects::{Effects, Menu, Phi};
use crate::experience;
use crate::hash::Fingerprint;
use crate::session::{Done, Made, Session};
use crate::wire::{EvaluationOut, PlanOut};

/// Reasons kept per decision.
const REASONS: usize = 3;

/// Everything that the plan is made from and of.
pub(crate) struct Planning {
    pub(crate) menu: Menu,
    pub(crate) limits: Limits,
    pub(crate) effects: Effects,
    /// Channels of which an action has been measured against controls in a closed cycle.
    pub(crate) measured: BTreeSet<String>,
    /// Rows of the table that are decided on.
    pub(crate) rows: Vec<usize>,
    pub(crate) customers: Vec<Customer>,
    pub(crate) phi: Phi,
    /// Customer `i` owns `candidates[offsets[i]..offsets[i + 1]]`.
    pub(crate) offsets: Vec<usize>,
    pub(crate) candidates: Vec<Candidate>,
    /// Channels that only explorers are contacted through.
    pub(crate) pilots: Vec<usize>,
    /// What is known of every channel before the plan is made.
    pub(crate) assessed: Vec<pilots::Assessed>,
    /// Terms of the partners in use, if they are worth it.
    pub(crate) partners: Vec<PartnerTerms>,
}

impl Planning {
    pub(crate) fn of(&self, customer: usize) -> &[Candidate] {
        let from = self.offsets.get(customer).copied().unwrap_or(0);
        let until = self.offsets.get(customer + 1).copied().unwrap_or(from);
        self.candidates.get(from..until).unwrap_or_default()
    }

    /// Candidates with the channels in the list left out, and where each customer's begin.
    pub(crate) fn without(&self, channels: &[usize]) -> (Vec<usize>, Vec<Candidate>) {
        let (mut offsets, mut kept) = (vec![0], Vec::new());
        for customer in 0..self.customers.len() {
            let own = self.of(customer).iter().filter(|candidate| {
                let action = self.menu.actions.get(usize::from(candidate.action.0));
                action.is_none_or(|action| !channels.contains(&action.channel))
            });
            kept.extend(own.copied());
            offsets.push(kept.len());
        }
        (offsets, kept)
    }

    fn leave_out(&mut self, channels: &[usize]) {
        if !channels.is_empty() {
            (self.offsets, self.candidates) = self.without(channels);
        }
    }

    /// The menu as the plan crate takes it.
    pub(crate) fn plan_menu(&self) -> thalweg_plan::decide::Menu<'_> {
        thalweg_plan::decide::Menu {
            actions: &self.menu.actions,
            channels: &self.menu.channels,
            offers: &self.menu.offers,
            limits: &self.limits,
        }
    }

    /// Belief about the money that a set of customers' actions brings before cost; channels share their error.
    pub(crate) fn money(&self, chosen: &[(usize, ActionId)]) -> Belief {
        self.effects.posterior.total(&self.loads(chosen))
    }

    /// What a partner leaves of the money that an action brings.
    fn kept(&self, action: ActionId) -> f64 {
        let channel = self
            .menu
            .actions
            .get(usize::from(action.0))
            .map(|action| action.channel);
        let mut partners = self.partners.iter();
        let terms = partners.find(|terms| Some(terms.channel) == channel);
        1.0 - terms.map_or(0.0, |terms| terms.revenue_share)
    }

    /// The money that an action's relative effect on a customer is weighed with: value at risk, less a partner's share.
    pub(crate) fn stake(&self, customer: usize, action: ActionId) -> f64 {
        let person = self.customers.get(customer);
        self.kept(action) * person.map_or(0.0, |person| person.risk * person.value)
    }

    /// What a set of customers' actions puts on each action, less partners' shares: value at risk, and the features that it is weighed with.
    pub(crate) fn loads(&self, chosen: &[(usize, ActionId)]) -> Vec<ActionLoad> {
        let mut loads = self.menu.loads(&self.phi);
        for (customer, action) in chosen {
            if let Some(load) = loads.get_mut(usize::from(action.0)) {
                load.add(self.stake(*customer, *action), self.phi.of(*customer));
            }
        }
        loads
    }
}

/// Plans, or gives the stored plan's summary when nothing that it depends on has changed.
pub(crate) fn ensure(session: &Session, table_id: &str, evaluation: &EvaluationOut) -> Result<Done<PlanOut>> {
    refuse_failed_checks(evaluation)?;
    let menu = Menu::of(session);
    let effects = Effects::current(session, &menu)?;
    let salt = salt(session)?;
    let weekly = response::read(session, &effects)?;
    let key = weekly.as_ref().map(response::Weekly::key);
    let fingerprint = fingerprint(session, (table_id, evaluation), (&effects, &salt, key))?;
    let cycle = session.cycle()?;
    let exists = |id: &str| {
        let active = session.ledger.active_plan(cycle).ok().flatten();
        active.is_some_and(|plan| plan.plan.plan_id == id)
            && session.workspace.artifact("plans", id, "json").is_file()
    };
    session.stage(Stage::Plan, &fingerprint, exists, || {
        let inputs = Inputs {
            table_id,
            model: &evaluation.model,
            fingerprint: &fingerprint,
            salt: &salt,
        };
        make(session, (menu, effects, weekly), &inputs)
            .map_err(|error| error.doing(session.doing("planning")))
    })
}

/// What a plan was made from.
pub(crate) struct Inputs<'a> {
    pub(crate) table_id: &'a str,
    pub(crate) model: &'a str,
    pub(crate) fingerprint: &'a str,
    salt: &'a str,
}

fn make(
    session: &Session,
    (menu, effects, weekly): (Menu, Effects, Option<response::Weekly<'_>>),
    inputs: &Inputs<'_>,
) -> Result<Made<PlanOut>> {
    let curves = weekly.map(|own| own.fitted(session, &menu)).transpose()?;
    let collected = collect::load(session, inputs.table_id)?;
    let training = train::load(session, inputs.model)?;
    let (rows, _) = collect::to_decide(session, &collected)?;
    let planning = prepare(session, &collected, (menu, effects), &rows, &training)?;
    let pacing = pacing::Pacing::new(&planning, &session.workspace.config.plan)?;
    let mut decided = decide_all(session, &planning, inputs)?;
    let spread = pacing.map(|pacing| pacing.assign(&mut decided.result));
    let survival = robust::survive(session, &planning, &mut decided)?;
    let picked: Table = collected.features.take(&planning.rows);
    let all: Vec<usize> = (0..planning.rows.len()).collect();
    let reasons: Vec<Vec<Reason>> = training.model.explain(&picked, &all, REASONS)?;
    for ((decision, why), row) in decided
        .result
        .decisions
        .iter_mut()
        .zip(reasons)
        .zip(&planning.rows)
    {
        decision.reasons = why;
        decision.row = *row;
    }
    let out = describe::plan(session, &planning, &decided.result, inputs)?;
    let mut out = partners::settle(session, (&planning, &decided), out);
    out.what_if = partners::what_if(session, &planning, &decided)?;
    out.segments = segments::find(session, &collected, &planning, &decided.result)?;
    out.market = market::sheet(session, &collected, &planning, &decided.result)?;
    let spread = spread.unwrap_or_default();
    (out.days, out.pacing) = (spread.days, spread.pacing);
    robust::tell(session, &planning, (&decided, survival.as_ref()), &mut out);
    if let Some(curves) = curves {
        response::tell(&mut out, curves, decided.result.budget_price);
    }
    keep::plan(session, &planning, &decided.result, out, inputs)
}

/// Customers, risks, values and candidate actions.
fn prepare(
    session: &Session,
    collected: &Collected,
    (menu, effects): (Menu, Effects),
    rows: &[usize],
    training: &thalweg_learn::outcome::OutcomeTraining,
) -> Result<Planning> {
    let risks = risks(collected, rows, training)?;
    let phi = effects.phi(&collected.features.take(rows), &risks)?;
    let customers = candidates::customers(collected, rows, &risks)?;
    let config = &session.workspace.config.plan;
    let mut further = rules::constraints(&config.constraints, &menu, (collected, rows))?;
    further.extend(pacing::constraints(config, &menu, (collected, rows))?);
    let limits = Limits {
        further,
        ..Limits::new(config.budget, &menu.channels, &menu.offers)
    };
    let mut planning = Planning {
        menu,
        limits,
        effects,
        measured: experience::measured(session)?,
        rows: rows.to_vec(),
        customers,
        phi,
        offsets: vec![0],
        candidates: Vec::new(),
        pilots: Vec::new(),
        assessed: Vec::new(),
        partners: partners::terms(&session.workspace.config),
    };
    candidates::fill(session, collected, &mut planning)?;
    pilots::assess(session, &mut planning)?;
    Ok(planning)
}

/// P(outcome | no action): out of fold for rows that were learned from, the model's for the others.
fn risks(
    collected: &Collected,
    rows: &[usize],
    training: &thalweg_learn::outcome::OutcomeTraining,
) -> Result<Vec<f64>> {
    let history = collect::labelled(collected);
    let predicted = training.model.predict(&collected.features.take(rows))?;
    let risk = |(row, predicted): (&usize, f64)| match history.binary_search(row) {
        Ok(index) => training.out_of_fold.get(index).copied().unwrap_or(predicted),
        Err(_) => predicted,
    };
    Ok(rows.iter().zip(predicted).map(risk).collect())
}

fn decide_all(session: &Session, planning: &Planning, inputs: &Inputs<'_>) -> Result<PartnerPlan> {
    let acceptance_sd = acceptance_sd(planning);
    let params = decide_params(session, planning, inputs.salt.as_bytes().to_vec())?;
    decide_with_partners(&plan_input(planning, &acceptance_sd), &params)
}

fn plan_input<'a>(planning: &'a Planning, acceptance_sd: &'a [f64]) -> PlanInput<'a> {
    PlanInput {
        customers: &planning.customers,
        offsets: &planning.offsets,
        candidates: &planning.candidates,
        menu: planning.plan_menu(),
        acceptance_sd,
        partners: &planning.partners,
    }
}

fn decide_params(session: &Session, planning: &Planning, salt: Vec<u8>) -> Result<DecideParams> {
    let config = &session.workspace.config.plan;
    Ok(DecideParams {
        holdout: config.holdout,
        explore: config.explore,
        max_actions_per_customer: u16::try_from(config.max_actions_per_customer).unwrap_or(u16::MAX),
        pilots: planning.pilots.clone(),
        ..DecideParams::new(cycle_seed(session)?, salt)
    })
}

/// The doubt about each offer's acceptance: that of the channel where it is known least.
fn acceptance_sd(planning: &Planning) -> Vec<f64> {
    let doubt = |offer: usize| {
        let own = planning
            .menu
            .actions
            .iter()
            .filter(move |action| action.offer == Some(offer));
        own.map(|action| planning.effects.acceptance.rate(*action).sd)
            .fold(0.0, f64::max)
    };
    (0..planning.menu.offers.len()).map(doubt).collect()
}

fn cycle_seed(session: &Session) -> Result<Seed> {
    Ok(session.seed().stream("plan").nth(u64::from(session.cycle()?)))
}

/// The hold-out's salt: drawn from the seed at the first plan, then kept for ever.
fn salt(session: &Session) -> Result<String> {
    let drawn = Fingerprint::new("holdout salt")
        .with("workspace", &session.workspace.config.name)
        .with_debug("seed", &session.seed())
        .finish();
    session.ledger.set_setting_once("holdout_salt", &drawn)
}

fn refuse_failed_checks(evaluation: &EvaluationOut) -> Result<()> {
    let Some(failed) = evaluation.checks.iter().find(|check| check.verdict == "FAIL") else {
        return Ok(());
    };
    let code = failed
        .code
        .as_deref()
        .and_then(thalweg_domain::code_info)
        .map_or("TW0420", |info| info.code);
    let error = Error::new(
        code,
        format!("the check \"{}\" failed: {}", failed.name, failed.detail),
    );
    Err(match &failed.advice {
        Some(advice) => error.hint(advice.clone()),
        None => error,
    })
}

fn fingerprint(
    session: &Session,
    (table_id, evaluation): (&str, &EvaluationOut),
    (effects, salt, weekly): (&Effects, &str, Option<&str>),
) -> Result<String> {
    let config = &session.workspace.config;
    let unsubscribed: Vec<String> = session
        .ledger
        .unsubscribed_keys()?
        .iter()
        .map(|key| key.reveal().to_owned())
        .collect();
    let own = Fingerprint::new("plan");
    let own = match weekly {
        Some(key) => own.with("response", key),
        None => own,
    };
    Ok(own
        .with("table", table_id)
        .with("model", &evaluation.model)
        .with("effects", &effects.id)
        .with("salt", salt)
        .with_debug("cycle", &session.cycle()?)
        .with_debug("channels", &config.channels)
        .with_debug("offers", &config.offers)
        .with_debug("plan", &config.plan)
        .with_debug("outcome", &config.outcome)
        .with_debug("decide_on", &config.customers.decide_on)
        .with_debug("unsubscribed", &unsubscribed)
        .with_debug("seed", &session.seed())
        .finish())
}
