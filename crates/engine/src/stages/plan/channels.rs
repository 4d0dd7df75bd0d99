//! A channel's part in the plan: what it does, what it is believed to change, and the verdict on it.

use thalweg_domain::{Belief, EffectSource, Estimate, Result};
use thalweg_plan::decide::{Candidate, ChannelSummary, PlanResult};
use thalweg_plan::pilot::{Pilot, PilotInput, pilot};
use thalweg_plan::power::TestPlan;
use thalweg_plan::verdict::{Verdict, VerdictInput, verdict};

use super::Planning;
use crate::session::Session;
use crate::wire::{ChannelEffectOut, ChannelOut, PilotOut};

/// A pilot may take so many cycles.
const PILOT_CYCLES: f64 = 6.0;

/// The customers whom a channel would reach first, each with the best action there.
struct Reach {
    picks: Vec<(usize, Candidate)>,
    eligible: usize,
}

/// Every channel with its verdict.
pub(super) fn channels(
    session: &Session,
    planning: &Planning,
    result: &PlanResult,
) -> Result<Vec<ChannelOut>> {
    result
        .channels
        .iter()
        .map(|summary| channel(session, planning, (summary, result)))
        .collect()
}

fn channel(
    session: &Session,
    planning: &Planning,
    (summary, result): (&ChannelSummary, &PlanResult),
) -> Result<ChannelOut> {
    let reach = reach(planning, summary.channel);
    let own = planning.menu.channels.get(summary.channel);
    let measured = own.is_some_and(|channel| planning.measured.contains(channel.name.as_str()));
    let source = if measured {
        EffectSource::Measured
    } else {
        EffectSource::Assumed
    };
    let effect = average_effect(planning, &reach);
    let pilot = proposed_pilot(session, planning, &reach);
    let (word, reason) = verdict(&VerdictInput {
        measured,
        effect,
        breakeven: breakeven(planning, &reach),
        marginal_return: Belief {
            mean: summary.marginal_return,
            sd: summary.marginal_return_sd,
        },
        budget_price: result.budget_price,
        customers: summary.customers,
        reach: reach.picks.len(),
        value_per_effect: value_per_effect(planning, &reach),
        pilot,
        pilot_budget: session.workspace.config.plan.explore
            * session.workspace.config.plan.budget
            * PILOT_CYCLES,
    });
    let interval = Estimate::normal(effect.mean, effect.sd, Estimate::Z90);
    Ok(ChannelOut {
        name: own.map_or_else(String::new, |channel| channel.name.to_string()),
        verdict: word.as_str().to_owned(),
        reason: if reach.eligible == 0 {
            "no customer may be contacted through it".to_owned()
        } else {
            reason
        },
        customers: summary.customers,
        spend: summary.spend,
        unit_cost: own.map_or(0.0, |channel| channel.unit_cost.get()),
        expected_value: summary.expected_value,
        marginal_return: summary.marginal_return,
        effect: ChannelEffectOut {
            mean: effect.mean,
            ci90: [interval.low, interval.high],
            source: source.as_str().to_owned(),
        },
        pilot: pilot.filter(|_| word == Verdict::Open).map(pilot_out),
    })
}

/// The best `capacity` eligible customers of a channel by expected value.
fn reach(planning: &Planning, channel: usize) -> Reach {
    let belongs = |candidate: &&Candidate| {
        planning
            .menu
            .actions
            .get(usize::from(candidate.action.0))
            .is_some_and(|action| action.channel == channel)
    };
    let best = |customer: usize| {
        let own = planning.of(customer).iter().filter(belongs);
        own.max_by(|a, b| {
            a.expected_value
                .total_cmp(&b.expected_value)
                .then(b.action.cmp(&a.action))
        })
        .map(|candidate| (customer, *candidate))
    };
    let mut picks: Vec<(usize, Candidate)> = (0..planning.customers.len()).filter_map(best).collect();
    let eligible = picks.len();
    picks.sort_by(|a, b| {
        b.1.expected_value
            .total_cmp(&a.1.expected_value)
            .then(a.0.cmp(&b.0))
    });
    let capacity = planning
        .menu
        .channels
        .get(channel)
        .and_then(|channel| channel.capacity);
    picks.truncate(
        capacity
            .and_then(|capacity| usize::try_from(capacity).ok())
            .unwrap_or(eligible),
    );
    Reach { picks, eligible }
}

/// The relative effect over the customers it would reach, weighted by what is at stake.
fn average_effect(planning: &Planning, reach: &Reach) -> Belief {
    let mut loads = planning.menu.loads(&planning.phi);
    let mut weight = 0.0;
    for (customer, candidate) in &reach.picks {
        let stake = stake(planning, *customer);
        weight += stake;
        if let Some(load) = loads.get_mut(usize::from(candidate.action.0)) {
            load.add(stake, planning.phi.of(*customer));
        }
    }
    if weight <= 0.0 {
        return Belief { mean: 0.0, sd: 0.0 };
    }
    let total = planning.effects.posterior.total(&loads);
    Belief {
        mean: total.mean / weight,
        sd: total.sd / weight,
    }
}

fn stake(planning: &Planning, customer: usize) -> f64 {
    planning
        .customers
        .get(customer)
        .map_or(0.0, |person| person.value * person.risk)
}

fn sum(reach: &Reach, of: impl Fn(&(usize, Candidate)) -> f64) -> f64 {
    reach.picks.iter().map(of).sum()
}

fn breakeven(planning: &Planning, reach: &Reach) -> f64 {
    let at_stake = sum(reach, |(customer, _)| stake(planning, *customer));
    if at_stake <= 0.0 {
        0.0
    } else {
        sum(reach, |(_, candidate)| candidate.cost) / at_stake
    }
}

fn value_per_effect(planning: &Planning, reach: &Reach) -> f64 {
    sum(reach, |(customer, _)| stake(planning, *customer)) / n(reach).max(1.0)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of customers are far below 2^52"
)]
const fn n(reach: &Reach) -> f64 {
    reach.picks.len() as f64
}

fn proposed_pilot(session: &Session, planning: &Planning, reach: &Reach) -> Option<Pilot> {
    let n = n(reach);
    let mean = |of: &dyn Fn(&(usize, Candidate)) -> f64| sum(reach, of) / n.max(1.0);
    let person = |customer: usize| planning.customers.get(customer);
    pilot(&PilotInput {
        baseline: mean(&|(customer, _)| person(*customer).map_or(0.0, |person| person.risk)),
        value: mean(&|(customer, _)| person(*customer).map_or(0.0, |person| person.value)),
        cost: mean(&|(_, candidate)| candidate.cost),
        contacts_per_cycle: (session.workspace.config.plan.explore * n).max(1.0),
        plan: TestPlan::default(),
    })
    .ok()
}

const fn pilot_out(pilot: Pilot) -> PilotOut {
    PilotOut {
        n: pilot.n_per_arm,
        cost: pilot.cost,
        smallest_profitable_effect: pilot.smallest_profitable_effect,
    }
}
