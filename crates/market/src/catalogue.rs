//! The channels and offers of the simulated business: what they cost, and what is believed about them.
//!
//! Costs and beliefs are the same for every seed: they are what a marketer would write into a config
//! file before anything is measured, and the truth, drawn by seed, differs from them. Unit costs,
//! capacities and offers are invented; their order (push < e-mail < SMS < letter < partner < call) is not.

use thalweg_domain::{Belief, Channel, ChannelKind, ChannelName, Money, Offer, OfferName, Result};

use crate::customer::Customer;

/// Number of channels.
pub(crate) const N_CHANNELS: usize = 6;
/// Number of offers.
pub(crate) const N_OFFERS: usize = 3;

/// Money at stake when a customer leaves: a year's fee at 40 % contribution margin.
pub(crate) const VALUE_SQL: &str = "monthly_fee * 12 * 0.4";

/// The same as [`VALUE_SQL`], in the same order of operations.
pub(crate) fn value(customer: &Customer) -> f64 {
    customer.monthly_fee * 12.0 * 0.4
}

/// What an offer costs when it is accepted, as SQL over the observable columns.
pub(crate) const OFFER_COST_SQL: [&str; N_OFFERS] =
    ["0.10 * monthly_fee * 3", "15.0", "8.0 + 0.05 * monthly_fee * 3"];

/// The same as [`OFFER_COST_SQL`], in the same order of operations.
pub(crate) fn offer_cost(offer: usize, customer: &Customer) -> f64 {
    match offer {
        0 => 0.10 * customer.monthly_fee * 3.0,
        1 => 15.0,
        _ => 8.0 + 0.05 * customer.monthly_fee * 3.0,
    }
}

/// The boolean column that must be true before a channel may be used.
pub(crate) const CONSENT_COLUMN: [Option<&str>; N_CHANNELS] = [
    Some("email_opt_in"),
    Some("sms_opt_in"),
    Some("push_opt_in"),
    Some("call_opt_in"),
    None,
    None,
];

/// One row of the channel list.
struct Row {
    name: &'static str,
    kind: ChannelKind,
    unit_cost: f64,
    /// Contacts per cycle as a share of the customers at the start.
    capacity_share: Option<f64>,
    plain: bool,
    assumed_effect: Belief,
}

const ROWS: [Row; N_CHANNELS] = [
    row(
        "email",
        ChannelKind::Online,
        0.02,
        Some(0.60),
        true,
        belief(0.03, 0.03),
    ),
    row(
        "sms",
        ChannelKind::Online,
        0.07,
        Some(0.30),
        true,
        belief(0.04, 0.03),
    ),
    row("push", ChannelKind::Online, 0.005, None, true, belief(0.02, 0.02)),
    row(
        "call",
        ChannelKind::Offline,
        6.00,
        Some(0.05),
        true,
        belief(0.12, 0.06),
    ),
    row(
        "letter",
        ChannelKind::Offline,
        1.20,
        Some(0.15),
        true,
        belief(0.05, 0.04),
    ),
    row(
        "partner",
        ChannelKind::Partner,
        3.00,
        Some(0.05),
        false,
        belief(0.06, 0.05),
    ),
];

const fn row(
    name: &'static str,
    kind: ChannelKind,
    unit_cost: f64,
    capacity_share: Option<f64>,
    plain: bool,
    assumed_effect: Belief,
) -> Row {
    Row {
        name,
        kind,
        unit_cost,
        capacity_share,
        plain,
        assumed_effect,
    }
}

const fn belief(mean: f64, sd: f64) -> Belief {
    Belief { mean, sd }
}

/// The channels of a business with `n_customers` customers at the start.
pub(crate) fn channels(n_customers: usize) -> Result<Vec<Channel>> {
    ROWS.iter().map(|row| channel(row, n_customers)).collect()
}

fn channel(row: &Row, n_customers: usize) -> Result<Channel> {
    Ok(Channel {
        name: ChannelName::new(row.name)?,
        kind: row.kind,
        unit_cost: Money::new(row.unit_cost)?,
        capacity: row.capacity_share.map(|share| share_of(share, n_customers)),
        budget: None,
        plain: row.plain,
        assumed_effect: row.assumed_effect,
    })
}

/// The offers of a business with `n_customers` customers at the start.
pub(crate) fn offers(n_customers: usize) -> Result<Vec<Offer>> {
    Ok(vec![
        Offer {
            name: OfferName::new("discount-10")?,
            assumed_effect: belief(0.12, 0.06),
            assumed_acceptance: belief(0.30, 0.12),
            cap: None,
            channels: vec![0, 1, 3, 4, 5],
        },
        Offer {
            name: OfferName::new("gift")?,
            assumed_effect: belief(0.08, 0.06),
            assumed_acceptance: belief(0.35, 0.15),
            cap: Some(share_of(0.05, n_customers)),
            channels: vec![0, 3, 4, 5],
        },
        Offer {
            name: OfferName::new("upgrade")?,
            assumed_effect: belief(0.10, 0.07),
            assumed_acceptance: belief(0.15, 0.08),
            cap: None,
            channels: vec![0, 2, 3],
        },
    ])
}

/// A share of a count, rounded down.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count below 2^23"
)]
fn share_of(share: f64, count: usize) -> u64 {
    (share * count as f64) as u64
}
