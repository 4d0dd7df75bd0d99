//! `[plan] robust`: what a plan adds up while effects are in doubt, and how much of it survives other draws of them.

use thalweg_domain::{ActionId, Belief, Result};
use thalweg_learn::effect::EffectDraw;
use thalweg_plan::decide::{Candidate, PartnerPlan, Survival, SurvivalInput, survival};

use super::candidates::absolute;
use super::group::channel_of;
use super::{Planning, cycle_seed, partners};
use crate::config::{Robust, RobustMode};
use crate::count::to_f64;
use crate::effects::Effects;
use crate::session::Session;
use crate::wire::{PlanOut, RobustChannelOut, RobustOut};

/// What the allocation adds up.
pub(super) enum Valuing {
    /// The expected value.
    Mean,
    /// The expected value less so many of its standard deviations.
    Lower(f64),
    /// The value under one draw of all effects, the same for every customer.
    Drawn(EffectDraw),
}

impl Valuing {
    pub(super) fn of(session: &Session, effects: &Effects) -> Result<Self> {
        Ok(match session.workspace.config.plan.robust {
            None
            | Some(Robust {
                mode: RobustMode::Mean,
                ..
            }) => Self::Mean,
            Some(Robust {
                mode: RobustMode::Lower,
                risk_aversion,
                ..
            }) => Self::Lower(risk_aversion),
            Some(Robust {
                mode: RobustMode::Thompson,
                ..
            }) => Self::Drawn(effects.posterior.sample(cycle_seed(session)?.stream("thompson"))),
        })
    }

    /// The value to plan with of a candidate whose expected value is known.
    pub(super) fn value(&self, planning: &Planning, customer: usize, candidate: &Candidate) -> f64 {
        match self {
            Self::Mean => candidate.expected_value,
            Self::Lower(multiple) => {
                let value = planning
                    .customers
                    .get(customer)
                    .map_or(0.0, |person| person.value);
                let sd = planning.kept(candidate.action) * value * candidate.effect_sd;
                candidate.expected_value - multiple * sd
            }
            Self::Drawn(draw) => worth(planning, customer, candidate, draw),
        }
    }
}

/// The value of a candidate, net of cost, under a draw of the effects.
fn worth(planning: &Planning, customer: usize, candidate: &Candidate, draw: &EffectDraw) -> f64 {
    let Some(person) = planning.customers.get(customer) else {
        return candidate.expected_value;
    };
    let relative = Belief {
        mean: draw.relative(candidate.action, planning.phi.of(customer)),
        sd: 0.0,
    };
    let effect = absolute(planning.menu.kind, person.risk, relative).mean;
    let share = |effect: f64| {
        let action = planning.menu.actions.get(usize::from(candidate.action.0));
        action.map_or(0.0, |action| {
            partners::share(planning, *action, person.value * effect)
        })
    };
    let without_share = candidate.cost - share(candidate.effect);
    person.value * effect - without_share - share(effect)
}

/// Plans again under draws of the effects and gives every decision the share of them in which it stays.
pub(super) fn survive(
    session: &Session,
    planning: &Planning,
    decided: &mut PartnerPlan,
) -> Result<Option<Survival>> {
    let samples = session
        .workspace
        .config
        .plan
        .robust
        .map_or(0, |robust| robust.samples);
    if samples == 0 || !decided.result.feasible {
        return Ok(None);
    }
    let used: Vec<bool> = decided.partners.iter().map(|choice| choice.used).collect();
    let narrowed = partners::narrowed(planning, &used);
    let intended: Vec<Option<ActionId>> = decided
        .result
        .decisions
        .iter()
        .map(|decision| decision.intended)
        .collect();
    let seed = cycle_seed(session)?.stream("survival");
    let input = SurvivalInput {
        offsets: &narrowed.offsets,
        candidates: &narrowed.candidates,
        actions: &planning.menu.actions,
        n_channels: planning.menu.channels.len(),
        limits: &decided.result.intended_limits,
        prices: &decided.result.intended_prices,
        intended: &intended,
        seed,
    };
    let found = survival(&input, samples, |number| {
        let draw = planning.effects.posterior.sample(seed.nth(number as u64));
        move |customer: usize, candidate: &Candidate| worth(planning, customer, candidate, &draw)
    })?;
    for (decision, share) in decided.result.decisions.iter_mut().zip(&found.of) {
        decision.survival = (found.draws > 0).then_some(*share);
    }
    Ok(Some(found))
}

/// What a plan says about it.
pub(super) fn tell(
    session: &Session,
    planning: &Planning,
    (decided, found): (&PartnerPlan, Option<&Survival>),
    out: &mut PlanOut,
) {
    let Some(robust) = session.workspace.config.plan.robust else {
        return;
    };
    let of_channel = |channel: Option<usize>| {
        let decisions = decided.result.decisions.iter();
        decisions.filter_map(move |decision| {
            let own = channel_of(planning, decision.intended?);
            (channel.is_none() || own == channel).then_some(decision.survival?)
        })
    };
    let share = |channel: Option<usize>| {
        let n = of_channel(channel).count();
        (n > 0).then(|| of_channel(channel).sum::<f64>() / to_f64(n))
    };
    let channel = |place: usize, contacts: &Vec<usize>| {
        let name = planning.menu.channels.get(place);
        let mut contacts = contacts.clone();
        contacts.sort_unstable();
        RobustChannelOut {
            name: name.map_or_else(String::new, |channel| channel.name.to_string()),
            planned: of_channel(Some(place)).count(),
            survival: share(Some(place)),
            planned90: [0.05, 0.95].map(|p| quantile(&contacts, p)),
        }
    };
    let contacts = found.map(|found| &found.contacts).into_iter().flatten();
    out.robust = Some(RobustOut {
        mode: robust.mode.as_str().to_owned(),
        risk_aversion: robust.risk_aversion,
        samples: found.map_or(0, |found| found.draws),
        solved_customers: found.map_or(0, |found| found.solved),
        survival: share(None),
        channels: contacts
            .enumerate()
            .map(|(place, own)| channel(place, own))
            .collect(),
    });
}

/// The number that a share `p` of sorted numbers is at most; 0 without any.
fn quantile(sorted: &[usize], p: f64) -> usize {
    let last = sorted.len().saturating_sub(1);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the number of draws"
    )]
    let place = (p * to_f64(last)).round() as usize;
    sorted.get(place.min(last)).copied().unwrap_or(0)
}
