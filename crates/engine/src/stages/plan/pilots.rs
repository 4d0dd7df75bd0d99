//! New channels: which are only explored until they are measured, and what becomes of them afterwards.

use thalweg_domain::{Belief, OutcomeKind, Result};
use thalweg_plan::decide::{Candidate, ExploreUse, explore_use};
use thalweg_plan::pilot::{DROP, Outlook, PROMOTE, Pilot, PilotInput, PilotState, outlook, pilot, state};
use thalweg_plan::power::{Direction, TestPlan};
use thalweg_plan::verdict::{VerdictInput, pilot_pays, worth_knowing};

use super::reach::{Reach, reach};
use super::{Planning, decide_params};
use crate::experience;
use crate::session::Session;
use crate::wire::{PilotOut, PilotOutcomeOut, PlanOut};

/// A pilot may take so many cycles.
const PILOT_CYCLES: u32 = 6;

/// What is known of a channel before the plan is made: the verdict's input, less what only the plan says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Assessed {
    /// Customers who may be contacted through it, whatever its capacity.
    pub(crate) eligible: usize,
    pub(crate) verdict: VerdictInput,
}

/// Assesses every channel, and takes the actions of those that are not to be used out of the plan.
pub(super) fn assess(session: &Session, planning: &mut Planning) -> Result<()> {
    let past = Past::read(session)?;
    let new: Vec<usize> = (0..planning.menu.channels.len())
        .filter(|channel| past.is_new(session, planning, *channel))
        .collect();
    planning.pilots.clone_from(&new);
    let mut assessed = all(session, planning, (&past, &new))?;
    // what one pilot leaves of the draws goes to the others, until those that are left have what they need
    loop {
        let running = in_state(&assessed, &[PilotState::Running]);
        if running == planning.pilots {
            break;
        }
        planning.pilots = running;
        let again = all(session, planning, (&past, &planning.pilots))?;
        for channel in planning.pilots.clone() {
            if let (Some(own), Some(again)) = (assessed.get_mut(channel), again.get(channel)) {
                *own = *again;
            }
        }
    }
    let unused = in_state(&assessed, &[PilotState::Dropped, PilotState::Declined]);
    planning.assessed = assessed;
    planning.leave_out(&unused);
    Ok(())
}

fn in_state(assessed: &[Assessed], wanted: &[PilotState]) -> Vec<usize> {
    let with = assessed.iter().enumerate();
    with.filter(|(_, found)| wanted.contains(&found.verdict.pilot_state))
        .map(|(channel, _)| channel)
        .collect()
}

/// Every channel, with the draws that the pilots in force leave; `new` are those of which it is judged how they stand.
fn all(session: &Session, planning: &Planning, (past, new): (&Past, &[usize])) -> Result<Vec<Assessed>> {
    let doubt = super::acceptance_sd(planning);
    let uses = explore_use(
        &super::plan_input(planning, &doubt),
        &decide_params(session, planning, Vec::new())?,
    )?;
    let assess = |(channel, uses): (usize, ExploreUse)| {
        let mut found = one(session, planning, (channel, uses));
        if new.contains(&channel) {
            found.verdict.pilot_measured = past.contacts(planning, channel);
            found.verdict.measured |= found.verdict.pilot_measured > 0;
            found.verdict.pilot = past.as_begun(planning, channel, found.verdict.pilot);
            found.verdict.pilot_state = stands(&found.verdict);
        } else if past.state(planning, channel) == Some(PilotState::Promoted.as_str()) {
            found.verdict.pilot_state = PilotState::Promoted;
            found.verdict.pilot_measured = past.contacts(planning, channel);
        }
        found
    };
    Ok(uses.into_iter().enumerate().map(assess).collect())
}

/// Where a new channel stands.
fn stands(input: &VerdictInput) -> PilotState {
    let Some(pilot) = input.pilot else {
        return PilotState::Declined;
    };
    if input.pilot_measured == 0 && !pilot_pays(input) {
        return PilotState::Declined;
    }
    let chance = thalweg_plan::verdict::chance_to_pay(input);
    state(input.pilot_measured, pilot.contacts, chance)
}

fn one(session: &Session, planning: &Planning, (channel, uses): (usize, ExploreUse)) -> Assessed {
    let reach = reach(planning, channel);
    let name = planning.menu.channels.get(channel).map(|own| own.name.as_str());
    let mut verdict = VerdictInput {
        measured: name.is_some_and(|name| planning.measured.contains(name)),
        effect: reach.average_effect(planning),
        breakeven: reach.breakeven(planning),
        marginal_return: Belief { mean: 0.0, sd: 0.0 },
        budget_price: 0.0,
        customers: 0,
        reach: reach.picks.len(),
        value_per_effect: reach.value_per_effect(planning),
        pilot: None,
        pilot_budget: session.workspace.config.plan.explore
            * session.workspace.config.plan.budget
            * f64::from(PILOT_CYCLES),
        pilot_state: PilotState::Proposed,
        pilot_measured: 0,
        held_back: None,
    };
    verdict.pilot = proposed(planning, &reach, (&verdict, uses));
    Assessed {
        eligible: reach.eligible,
        verdict,
    }
}

/// The pilot that the exploration can carry out; `None` when there is none.
fn proposed(planning: &Planning, reach: &Reach, (input, uses): (&VerdictInput, ExploreUse)) -> Option<Pilot> {
    let person = |customer: usize| planning.customers.get(customer);
    pilot(&PilotInput {
        baseline: reach.mean(|(customer, _)| person(*customer).map_or(0.0, |person| person.risk)),
        breakeven: input.breakeven,
        cost: reach.mean(|(_, candidate): &(usize, Candidate)| candidate.cost),
        contacts_per_cycle: uses.contacts,
        controls_per_contact: uses.controls / uses.contacts.max(1e-9),
        most_cycles: PILOT_CYCLES,
        direction: match planning.menu.kind {
            OutcomeKind::Churn => Direction::Decrease,
            OutcomeKind::Conversion | OutcomeKind::Value => Direction::Increase,
        },
        plan: TestPlan::default(),
    })
    .ok()
}

/// What earlier cycles say about pilots.
struct Past {
    /// The last cycle's plan.
    last: Option<PlanOut>,
    /// Contacts of explorers in all closed cycles, by channel.
    contacts: std::collections::BTreeMap<String, u64>,
}

impl Past {
    fn read(session: &Session) -> Result<Self> {
        let plans = experience::closed_plans(session)?;
        let mut contacts = std::collections::BTreeMap::new();
        for plan in &plans {
            for decision in session.decisions(&plan.plan.plan_id)?.iter() {
                if decision.arm == thalweg_domain::Arm::Explore
                    && let Some(channel) = &decision.channel
                {
                    *contacts.entry(channel.clone()).or_insert(0) += 1;
                }
            }
        }
        Ok(Self {
            // a plan that another version kept says nothing about pilots
            last: plans
                .last()
                .and_then(|plan| serde_json::from_str(&plan.plan.summary).ok()),
            contacts,
        })
    }

    fn contacts(&self, planning: &Planning, channel: usize) -> u64 {
        let own = planning.menu.channels.get(channel);
        own.and_then(|own| self.contacts.get(own.name.as_str()))
            .copied()
            .unwrap_or(0)
    }

    /// The channel's pilot in the last cycle's plan.
    fn pilot(&self, planning: &Planning, channel: usize) -> Option<&PilotOut> {
        let name = planning.menu.channels.get(channel)?.name.as_str();
        let last = self.last.as_ref()?.channels.iter().find(|own| own.name == name)?;
        last.pilot.as_ref()
    }

    /// How the channel's pilot stood in the last cycle.
    fn state(&self, planning: &Planning, channel: usize) -> Option<&str> {
        self.pilot(planning, channel).map(|pilot| pilot.state.as_str())
    }

    /// A pilot keeps the size that it began with.
    fn as_begun(&self, planning: &Planning, channel: usize, now: Option<Pilot>) -> Option<Pilot> {
        let kept = [PilotState::Running, PilotState::Dropped].map(PilotState::as_str);
        let begun = self
            .pilot(planning, channel)
            .filter(|begun| kept.contains(&begun.state.as_str()));
        match (begun, now) {
            (Some(begun), Some(now)) => Some(now.of_size(begun.n, begun.cycles, begun.detectable_effect)),
            (_, now) => now,
        }
    }

    /// Whether a channel is only explored until it is measured: the configuration says so, or it gives no belief about
    /// it beside channels about which something is believed or known. Once promoted it is planned for good.
    fn is_new(&self, session: &Session, planning: &Planning, channel: usize) -> bool {
        let channels = &session.workspace.config.channels;
        let Some(own) = channels.get(channel) else {
            return false;
        };
        let state = self.state(planning, channel);
        if state == Some(PilotState::Promoted.as_str()) {
            return false;
        }
        let known = |other: &crate::config::ChannelConfig| {
            !other.borrows || planning.measured.contains(other.channel.name.as_str())
        };
        let others = channels
            .iter()
            .enumerate()
            .any(|(index, other)| index != channel && known(other));
        let untouched = self.contacts(planning, channel) == 0;
        let in_pilot = state.is_some_and(|state| state != PilotState::Proposed.as_str());
        own.pilot
            .unwrap_or(own.borrows && others && (untouched || in_pilot))
    }
}

/// The pilot as the plan prints it; `contacts` are those of this plan.
pub(super) fn describe(session: &Session, input: &VerdictInput, contacts: usize) -> Option<PilotOut> {
    let pilot = input.pilot?;
    let horizon = session.workspace.config.outcome.horizon.as_days();
    Some(PilotOut {
        state: input.pilot_state.as_str().to_owned(),
        n: pilot.contacts,
        n_for_smallest: pilot.contacts_for_smallest,
        measured: input.pilot_measured,
        this_cycle: if input.pilot_state == PilotState::Running {
            contacts
        } else {
            0
        },
        cost: pilot.cost,
        cycles: pilot.cycles,
        days: cycles(&pilot) * horizon,
        smallest_profitable_effect: pilot.smallest_profitable_effect,
        detectable_effect: pilot.detectable_effect,
        chance_to_pay: thalweg_plan::verdict::chance_to_pay(input),
        worth_per_cycle: worth_knowing(input),
        outcomes: outcomes(input, &pilot),
    })
}

#[expect(clippy::cast_precision_loss, reason = "a few cycles")]
const fn cycles(pilot: &Pilot) -> f64 {
    pilot.cycles as f64
}

/// What follows from each outcome, while it is open.
fn outcomes(input: &VerdictInput, pilot: &Pilot) -> Vec<PilotOutcomeOut> {
    if !matches!(input.pilot_state, PilotState::Running | PilotState::Proposed) {
        return Vec::new();
    }
    let Outlook {
        clear_gain,
        clear_loss,
        rather_gain,
        rather_loss,
    } = outlook(input.effect, &pilot.after(input.pilot_measured));
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    let outcome = |when: String, then: &str, probability: f64| PilotOutcomeOut {
        when,
        then: then.to_owned(),
        probability,
    };
    let promoted = "promoted: the next plan uses it like any other channel";
    let dropped = "dropped: nobody is contacted through it any more";
    vec![
        outcome(
            format!("a contact pays with at least {} certainty", percent(PROMOTE)),
            promoted,
            clear_gain,
        ),
        outcome(
            format!("neither, and after {} contacts it rather pays", pilot.contacts),
            promoted,
            rather_gain,
        ),
        outcome(
            format!(
                "neither, and after {} contacts it rather does not",
                pilot.contacts
            ),
            dropped,
            rather_loss,
        ),
        outcome(
            format!("the chance that a contact pays falls below {}", percent(DROP)),
            dropped,
            clear_loss,
        ),
    ]
}
