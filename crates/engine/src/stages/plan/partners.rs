//! Partners with terms in the plan: their fee and share, whether they are worth them, and a sheet for each.

use thalweg_domain::{Action, ActionId, Estimate, Result};
use thalweg_plan::decide::{
    Candidate, Limits, Obstacle, PartnerChoice, PartnerPlan, PartnerTerms, PlanResult, PlanWorth,
};

use super::group::channel_of;
use super::off::OFF;
use super::{Planning, describe};
use crate::config::Config;
use crate::count::to_f64;
use crate::session::Session;
use crate::wire::{ChannelOut, Mean90, PartnerOut, PlanOut, WhatIfOut};

/// The terms of the partners that are switched on.
pub(super) fn terms(config: &Config) -> Vec<PartnerTerms> {
    let entries = config.channels.iter().enumerate().filter(|(_, entry)| entry.on);
    entries
        .filter_map(|(channel, entry)| {
            entry.terms.map(|terms| PartnerTerms {
                channel,
                revenue_share: terms.revenue_share,
                fixed_fee: terms.fixed_fee,
                minimum_volume: terms.minimum_volume,
            })
        })
        .collect()
}

/// Fees and sheets of a plan.
struct Sheets {
    fees: f64,
    partners: Vec<PartnerOut>,
}

/// A sheet per partner with terms.
fn sheets(session: &Session, planning: &Planning, plan: &PartnerPlan) -> Sheets {
    let partners = planning.partners.iter().zip(&plan.partners);
    Sheets {
        fees: plan.fees,
        partners: partners
            .map(|(terms, choice)| sheet(session, planning, (terms, choice, &plan.result)))
            .collect(),
    }
}

/// What a partner's contacts come to.
#[derive(Default)]
struct Contacts {
    volume: usize,
    share_paid: f64,
}

fn sheet(
    session: &Session,
    planning: &Planning,
    (terms, choice, result): (&PartnerTerms, &PartnerChoice, &PlanResult),
) -> PartnerOut {
    let channel = planning.menu.channels.get(terms.channel);
    let contacts = contacts(planning, terms, result);
    let fee = if choice.used { terms.fixed_fee } else { 0.0 };
    let unit = channel.map_or(0.0, |channel| channel.unit_cost.get());
    PartnerOut {
        name: channel.map_or_else(String::new, |channel| channel.name.to_string()),
        used: choice.used && (contacts.volume > 0 || terms.fixed_fee > 0.0),
        volume: contacts.volume,
        minimum_volume: terms.minimum_volume,
        fixed_fee: terms.fixed_fee,
        revenue_share: terms.revenue_share,
        fee,
        revenue_share_paid: contacts.share_paid,
        their_earnings: fee + contacts.share_paid + unit * to_f64(contacts.volume),
        our_gain: gain(planning, choice),
        break_even_volume: break_even(terms, choice),
        reason: reason(session, (terms, choice)),
    }
}

fn contacts(planning: &Planning, terms: &PartnerTerms, result: &PlanResult) -> Contacts {
    let mut contacts = Contacts::default();
    for decision in &result.decisions {
        let Some(own) = decision.eligible.iter().find(|own| own.action == decision.action) else {
            continue;
        };
        if own
            .action
            .is_some_and(|id| channel_of(planning, id) == Some(terms.channel))
        {
            contacts.volume += 1;
            contacts.share_paid += terms.share_of(own.expected_value + own.cost);
        }
    }
    contacts
}

/// The plan with the partner less the plan without; an error in an effect counts once for both.
fn gain(planning: &Planning, choice: &PartnerChoice) -> Option<Mean90> {
    let (with, without) = (choice.with.as_ref()?, choice.without.as_ref()?);
    let loads = |plan: &PlanWorth| {
        let own = plan.actions.iter().enumerate();
        let taken: Vec<(usize, ActionId)> = own
            .filter_map(|(customer, action)| action.map(|action| (customer, action)))
            .collect();
        planning.loads(&taken)
    };
    let beyond = super::scenarios::less(&loads(with), &loads(without));
    let sd = planning.effects.posterior.total(&beyond).sd;
    Some(Mean90::from(Estimate::normal(
        with.worth - without.worth,
        sd,
        Estimate::Z90,
    )))
}

/// What the fee takes: itself, and what its money would earn elsewhere, by the mean of the budget's price with it and without.
fn fee_takes(terms: &PartnerTerms, with: &PlanWorth, without: &PlanWorth) -> f64 {
    terms.fixed_fee * (1.0 + f64::midpoint(with.budget_price, without.budget_price))
}

/// Contacts of which the average gain pays for what the fee takes; none when no number does, or no contact was planned.
///
/// The gain of a contact is what it brings beyond what the customer and the contact's money would bring elsewhere.
fn break_even(terms: &PartnerTerms, choice: &PartnerChoice) -> Option<u64> {
    if terms.fixed_fee == 0.0 {
        return Some(0);
    }
    let (with, without) = (choice.with.as_ref()?, choice.without.as_ref()?);
    let volume = with
        .contacts
        .get(terms.channel)
        .copied()
        .filter(|volume| *volume > 0)?;
    #[expect(clippy::cast_precision_loss, reason = "counts of contacts are far below 2^52")]
    let volume = volume as f64;
    let takes = fee_takes(terms, with, without);
    let gain = (with.worth + takes - without.worth) / volume;
    let contacts = (takes / gain).ceil();
    (gain > 0.0 && contacts < 1e15)
        .then(|| format!("{contacts:.0}").parse().ok())
        .flatten()
}

fn reason(session: &Session, (terms, choice): (&PartnerTerms, &PartnerChoice)) -> String {
    if let Some(obstacle) = choice.obstacle.as_ref().filter(|_| !choice.used) {
        return blocked(session, terms, obstacle);
    }
    let Some((with, without)) = choice.with.as_ref().zip(choice.without.as_ref()) else {
        return if choice.used {
            "used: no plan without it keeps every limit".to_owned()
        } else {
            "not used: no plan keeps every limit".to_owned()
        };
    };
    let difference = with.worth - without.worth;
    let volume = with.contacts.get(terms.channel).copied().unwrap_or(0);
    let after = paid(terms);
    if choice.used {
        let minimum = if terms.minimum_volume > 0 && volume == terms.minimum_volume {
            "; its minimum binds"
        } else {
            ""
        };
        return match volume {
            0 => "allowed, but no contact through it is worth its cost".to_owned(),
            _ if difference < 0.0 => format!(
                "used: randomising over it to learn costs {:.2}{after}{minimum}",
                -difference
            ),
            _ => format!("used: the plan is worth {difference:.2} more with it{after}{minimum}"),
        };
    }
    let pays = match break_even(terms, choice) {
        Some(n) if n > volume => format!("; at that gain per contact the fee pays from {n} contacts on"),
        _ if volume == 0 => "; the budget that the fee leaves earns more elsewhere".to_owned(),
        Some(_) => String::new(),
        None => "; its contacts bring no more than the money brings elsewhere".to_owned(),
    };
    format!(
        "not used: with it, at {volume} contacts, the plan would be worth {:.2} less{after}{pays}",
        -difference
    )
}

/// `, its fee of 500.00 and its share of 15 % paid`.
fn paid(terms: &PartnerTerms) -> String {
    let fee = format!("its fee of {:.2}", terms.fixed_fee);
    let share = format!("its share of {:.1} %", 100.0 * terms.revenue_share);
    match (terms.fixed_fee > 0.0, terms.revenue_share > 0.0) {
        (true, true) => format!(", {fee} and {share} paid"),
        (true, false) => format!(", {fee} paid"),
        (false, true) => format!(", {share} paid"),
        (false, false) => String::new(),
    }
}

fn blocked(session: &Session, terms: &PartnerTerms, obstacle: &Obstacle) -> String {
    let minimum = terms.minimum_volume;
    match obstacle {
        Obstacle::Fee => format!(
            "not used: its fee of {:.2}, with those of other partners in use, is more than the budget of {:.2}",
            terms.fixed_fee, session.workspace.config.plan.budget
        ),
        Obstacle::Reach(reach) => format!(
            "not used: {reach} customers may be contacted through it, fewer than its minimum of {minimum}"
        ),
        Obstacle::Limits(names) => format!(
            "not used: its minimum of {minimum} contradicts {}",
            names.join(", ")
        ),
    }
}

/// Puts fees into the channels' figures, and a partner's reason before the verdict's.
fn mark(mut channels: Vec<ChannelOut>, sheets: &Sheets) -> Vec<ChannelOut> {
    for sheet in &sheets.partners {
        let Some(own) = channels.iter_mut().find(|own| own.name == sheet.name) else {
            continue;
        };
        own.spend += sheet.fee;
        own.expected_value -= sheet.fee;
        if sheet.used {
            own.reason = format!("{}; {}", sheet.reason, own.reason);
        } else {
            own.reason.clone_from(&sheet.reason);
            if own.customers == 0 {
                OFF.clone_into(&mut own.verdict);
                own.pilot = None;
            }
        }
    }
    channels
}

/// Puts sheets into a plan, and fees into its totals: the budget pays for them.
pub(super) fn settle(
    session: &Session,
    (planning, plan): (&Planning, &PartnerPlan),
    mut out: PlanOut,
) -> PlanOut {
    if planning.partners.is_empty() {
        return out;
    }
    let sheets = sheets(session, planning, plan);
    out.channels = mark(out.channels, &sheets);
    let fees = sheets.fees;
    out.spend += fees;
    out.spend_q95 += fees;
    out.expected_value.mean -= fees;
    out.expected_value.ci90 = out.expected_value.ci90.map(|end| end - fees);
    out.upper_bound -= fees;
    out.gap = (out.upper_bound - out.expected_value.mean).max(0.0) / out.upper_bound.abs().max(1e-9);
    if let Some(budget) = out.constraints.iter_mut().find(|own| own.name == "budget") {
        budget.limit += fees;
        budget.used += fees;
    }
    out.partners = sheets.partners;
    out
}

/// What of the money that an action brings goes to the partner.
pub(super) fn share(planning: &Planning, action: Action, incremental_value: f64) -> f64 {
    let mut partners = planning.partners.iter();
    let own = partners.find(|terms| terms.channel == action.channel);
    own.map_or(0.0, |terms| terms.share_of(incremental_value))
}

/// The candidates and limits that a set of partners leaves; pilots are for explorers only.
pub(super) struct Narrowed {
    pub(super) offsets: Vec<usize>,
    pub(super) candidates: Vec<Candidate>,
    pub(super) limits: Limits,
    pub(super) fees: f64,
}

/// What the plan would bring at other budgets: the better of the partners as decided, and none with a fee or minimum.
pub(super) fn what_if(session: &Session, planning: &Planning, plan: &PartnerPlan) -> Result<Vec<WhatIfOut>> {
    let used: Vec<bool> = plan.partners.iter().map(|choice| choice.used).collect();
    let with = describe::what_if(session, (planning, &narrowed(planning, &used)), &plan.result)?;
    let optional = |terms: &PartnerTerms| terms.fixed_fee > 0.0 || terms.minimum_volume > 0;
    let partners = planning.partners.iter().zip(&used);
    if !partners.clone().any(|(terms, used)| *used && optional(terms)) {
        return Ok(with.into_iter().flatten().collect());
    }
    let none: Vec<bool> = partners.map(|(terms, used)| *used && !optional(terms)).collect();
    let without = describe::what_if(session, (planning, &narrowed(planning, &none)), &plan.result)?;
    let better = |(a, b): (Option<WhatIfOut>, Option<WhatIfOut>)| match (a, b) {
        (Some(a), Some(b)) if b.expected_value > a.expected_value => Some(b),
        (a, b) => a.or(b),
    };
    Ok(with.into_iter().zip(without).filter_map(better).collect())
}

pub(super) fn narrowed(planning: &Planning, used: &[bool]) -> Narrowed {
    let partners = || planning.partners.iter().zip(used);
    let is_out = |candidate: &Candidate| {
        let channel = channel_of(planning, candidate.action);
        channel.is_some_and(|channel| planning.pilots.contains(&channel))
            || partners().any(|(terms, used)| !used && Some(terms.channel) == channel)
    };
    let mut narrowed = Narrowed {
        offsets: vec![0],
        candidates: Vec::with_capacity(planning.candidates.len()),
        limits: planning.limits.clone(),
        fees: 0.0,
    };
    for customer in 0..planning.customers.len() {
        let own = planning
            .of(customer)
            .iter()
            .filter(|candidate| !is_out(candidate));
        narrowed.candidates.extend(own.copied());
        narrowed.offsets.push(narrowed.candidates.len());
    }
    for (terms, _) in partners().filter(|(_, used)| **used) {
        narrowed.fees += terms.fixed_fee;
        if let Some(limit) = narrowed.limits.channels.get_mut(terms.channel) {
            limit.minimum = Some(terms.minimum_volume).filter(|minimum| *minimum > 0);
        }
    }
    narrowed
}
