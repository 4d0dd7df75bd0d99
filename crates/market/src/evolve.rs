//! How a customer's record changes from one cycle to the next.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use thalweg_domain::Action;

use crate::customer::{Contract, Customer};
use crate::events::Fate;
use crate::generate::{chance, poisson, round};

/// The record of a customer who stayed, one month later. The draws do not depend on the action.
pub(crate) fn evolve(
    customer: &Customer,
    action: Option<Action>,
    fate: &Fate,
    rng: &mut ChaCha8Rng,
) -> Customer {
    let mut next = *customer;
    next.tenure_months += 1;
    if next.tenure_months.is_multiple_of(12) {
        next.age = next.age.map(|age| age + 1);
    }
    renew(&mut next, rng);
    change_service(&mut next, rng);
    next.complaints_90d += u32::from(fate.complained.is_some());
    if let (Some(action), Some(_)) = (action, fate.unsubscribed) {
        withdraw_consent(&mut next, action.channel);
    }
    next
}

/// A bound contract counts down, then renews or becomes monthly; a monthly one is sometimes bound.
fn renew(next: &mut Customer, rng: &mut ChaCha8Rng) {
    let keeps_bound = chance(rng, 0.65);
    let binds = chance(rng, 0.02);
    match next.months_to_renewal {
        Some(months) if months > 1 => next.months_to_renewal = Some(months - 1),
        Some(_) if keeps_bound => next.months_to_renewal = next.contract.months(),
        Some(_) => {
            next.contract = Contract::Monthly;
            next.months_to_renewal = None;
        }
        None if binds => {
            next.contract = Contract::OneYear;
            next.months_to_renewal = Contract::OneYear.months();
        }
        None => {}
    }
}

/// Complaints and calls of the oldest month leave the 90-day window, new ones come; use drifts.
fn change_service(next: &mut Customer, rng: &mut ChaCha8Rng) {
    let new_complaints = poisson(rng, 0.10);
    next.complaints_90d = thinned(next.complaints_90d, rng) + new_complaints;
    next.support_calls_90d = thinned(next.support_calls_90d, rng) + poisson(rng, 0.10) + new_complaints;
    let z: f64 = rng.sample(StandardNormal);
    let drift = -0.01 - 0.05 * f64::from(new_complaints) + 0.18 * z;
    next.usage_trend = next
        .usage_trend
        .map(|u| round((0.7 * u + drift).clamp(-0.9, 0.9), 1000.0));
    if chance(rng, if next.autopay { 0.007 } else { 0.04 }) {
        next.late_payments_12m += 1;
    }
    if chance(rng, 0.10) {
        next.late_payments_12m = next.late_payments_12m.saturating_sub(1);
    }
}

/// Of `count` events in the last three months, those of the last two. Draws a fixed number of times.
fn thinned(count: u32, rng: &mut ChaCha8Rng) -> u32 {
    (0..12_u32)
        .map(|n| u32::from(chance(rng, 2.0 / 3.0) && n < count))
        .sum()
}

fn withdraw_consent(next: &mut Customer, channel: usize) {
    match channel {
        0 => next.consent.email = false,
        1 => next.consent.sms = false,
        2 => next.consent.push = false,
        3 => next.consent.call = false,
        _ => {} // letters and partners need no consent here
    }
}
