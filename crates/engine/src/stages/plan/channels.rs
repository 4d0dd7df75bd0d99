//! A channel's part in the plan: what it does, what it is believed to change, and the verdict on it.

use thalweg_domain::{Belief, EffectSource, Estimate, Result};
use thalweg_plan::decide::{ChannelSummary, PlanResult};
use thalweg_plan::pilot::PilotState;
use thalweg_plan::verdict::{LimitKind, OwnLimit, Verdict, VerdictInput, verdict};

use super::{Planning, pilots};
use crate::session::Session;
use crate::wire::{ChannelEffectOut, ChannelOut};

/// Every channel with its verdict.
pub(super) fn channels(
    session: &Session,
    planning: &Planning,
    result: &PlanResult,
) -> Result<Vec<ChannelOut>> {
    let with = result.channels.iter().zip(&planning.assessed);
    Ok(with
        .map(|(summary, assessed)| channel(session, planning, (summary, assessed, result)))
        .collect())
}

fn channel(
    session: &Session,
    planning: &Planning,
    (summary, assessed, result): (&ChannelSummary, &pilots::Assessed, &PlanResult),
) -> ChannelOut {
    let own = planning.menu.channels.get(summary.channel);
    let name = own.map_or_else(String::new, |channel| channel.name.to_string());
    let input = VerdictInput {
        marginal_return: Belief {
            mean: summary.marginal_return,
            sd: summary.marginal_return_sd,
        },
        budget_price: result.budget_price,
        customers: summary.customers,
        held_back: held_back(&name, result),
        ..assessed.verdict
    };
    let (word, reason) = verdict(&input);
    let shown = word == Verdict::Open || input.pilot_state != PilotState::Proposed;
    ChannelOut {
        verdict: word.as_str().to_owned(),
        reason: if assessed.eligible == 0 {
            "no customer may be contacted through it".to_owned()
        } else {
            reason
        },
        customers: summary.customers,
        spend: summary.spend,
        unit_cost: own.map_or(0.0, |channel| channel.unit_cost.get()),
        expected_value: summary.expected_value,
        marginal_return: summary.marginal_return,
        effect: effect(planning, &input, summary.channel),
        pilot: shown
            .then(|| pilots::describe(session, &input, summary.customers))
            .flatten(),
        name,
    }
}

/// The limit of the channel itself that binds.
fn held_back(name: &str, result: &PlanResult) -> Option<OwnLimit> {
    let binds = |kind: LimitKind, word: &str| {
        let found = result
            .constraints
            .iter()
            .find(|limit| limit.name == format!("{name} {word}"))?;
        (found.shadow_price > 1e-9).then_some(OwnLimit {
            what: kind,
            shadow_price: found.shadow_price,
        })
    };
    binds(LimitKind::Capacity, "capacity").or_else(|| binds(LimitKind::Budget, "budget"))
}

fn effect(planning: &Planning, input: &VerdictInput, channel: usize) -> ChannelEffectOut {
    let interval = Estimate::normal(input.effect.mean, input.effect.sd, Estimate::Z90);
    let borrowed = planning
        .effects
        .borrowed
        .iter()
        .find(|borrowed| borrowed.channel == channel);
    let source = match (input.measured, borrowed) {
        (true, _) => EffectSource::Measured.as_str(),
        (false, Some(_)) => "borrowed",
        (false, None) => EffectSource::Assumed.as_str(),
    };
    ChannelEffectOut {
        mean: input.effect.mean,
        ci90: [interval.low, interval.high],
        source: source.to_owned(),
        borrowed_from: borrowed.map_or_else(Vec::new, |borrowed| borrowed.from.clone()),
    }
}
