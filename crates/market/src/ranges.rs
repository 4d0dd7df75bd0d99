//! Every range from which a market's hidden numbers are drawn, with its source.
//!
//! All weights are on the log-odds scale of leaving within a cycle of 30 days; a response weight is a
//! *decrease* of it. Where no source is named, the range is chosen by us to be plausible. Sources:
//!
//! - Level of churn: carriers report about 1 % a month for post-paid customers and 3 to 4 % for prepaid
//!   ones; published telecom data sets have 14 to 27 % per observation window. Ours is 10 to 20 % per
//!   cycle, so that six cycles show what would otherwise take years.
//! - Drivers (contract, tenure, complaints, payment method): their signs follow the IBM Telco table in
//!   `examples/telco`; the sizes are chosen by us.
//! - Contact can raise churn: in the field experiment of Ascarza, Iyengar and Schleicher (2016, Journal
//!   of Marketing Research 53(1), 46-60) encouragement raised it from 6 to 10 %: odds x 1.7, which bounds
//!   `Inert` (a log-odds of 0.56).
//! - Risk is not response: Ascarza (2018, Journal of Marketing Research 55(1), 80-98) finds no
//!   alignment of risk and response in two field experiments. `LOST_CAUSE` is that: high risk damps.
//! - Size of a good campaign: reductions of a tenth to a third of churn among those contacted are common
//!   in the retention literature (Blattberg, Kim and Neslin 2008, *Database Marketing*, ch. 24).
//! - Acceptance: chosen by us; direct mail to a company's own customers is answered by about 5 to 9 %,
//!   e-mail by about 1 % (response-rate reports of the US direct marketing association); a retention
//!   offer to a subscriber is worth more to its receiver than a catalogue, so ours lies above.
//! - Unsubscribing: about 0.2 to 0.5 % of an e-mail's receivers in the senders' published benchmarks.

use crate::features::Feature;

/// A uniform range.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range(pub(crate) f64, pub(crate) f64);

/// A weight drawn from a range for one feature.
pub(crate) type Term = (Feature, Range);

/// Share of seeds whose market is hostile.
pub(crate) const HOSTILE_SHARE: f64 = 0.2;

/// Mean probability of leaving within a cycle when nobody is contacted, at the start.
pub(crate) const CHURN_RATE: Range = Range(0.10, 0.20);
/// Standard deviation of the hidden mood on the log-odds of leaving.
pub(crate) const MOOD_SD: Range = Range(0.3, 0.6);
/// Correlation of a customer's mood with and without a contact: below 1, responses differ for reasons
/// that nobody can observe.
pub(crate) const MOOD_KEPT: Range = Range(0.80, 0.95);
/// Share of a positive response that is lost on those who have as good as left.
pub(crate) const LOST_CAUSE: Range = Range(0.4, 0.9);
/// How strongly acceptance falls with the log-odds of leaving: those who would stay anyway accept more.
pub(crate) const STAYERS_ACCEPT: Range = Range(0.1, 0.5);
/// Standard deviation of the hidden liking for offers on the log-odds of acceptance.
pub(crate) const LIKING_SD: Range = Range(0.4, 0.8);
/// Share of an offer's response that comes through each channel: an offer works only where it is noticed.
pub(crate) const REACH: [Range; 6] = [
    Range(0.3, 0.6),
    Range(0.4, 0.7),
    Range(0.2, 0.5),
    Range(1.0, 1.0),
    Range(0.4, 0.8),
    Range(0.7, 1.0),
];
/// Response of a channel and offer together, on top of both.
pub(crate) const PAIR: Range = Range(-0.08, 0.08);
/// Share that leaves just after the horizon, whatever was done: no outcome of the cycle, yet gone.
pub(crate) const LATE_LEAVERS: f64 = 0.005;

/// Newcomers for each customer expected to leave: above 1, as newcomers leave sooner than others.
pub(crate) const NEWCOMERS_PER_LEAVER: f64 = 1.06;

/// Drivers of leaving. The intercept is solved for [`CHURN_RATE`].
pub(crate) const BASELINE: &[Term] = &[
    (Feature::Young, Range(0.2, 0.5)),
    (Feature::Elderly, Range(-0.3, 0.1)),
    (Feature::Student, Range(0.1, 0.4)),
    (Feature::Business, Range(-0.6, -0.2)),
    (Feature::Family, Range(-0.4, -0.1)),
    (Feature::Capital, Range(-0.1, 0.3)),
    (Feature::New, Range(0.4, 0.9)),
    (Feature::Tenure, Range(-2.2, -1.4)),
    (Feature::MonthToMonth, Range(1.0, 1.6)),
    (Feature::TwoYear, Range(-1.4, -0.8)),
    (Feature::Ending, Range(1.2, 2.0)),
    (Feature::Fee, Range(0.1, 0.4)),
    (Feature::DearSingle, Range(0.2, 0.6)),
    (Feature::Complaints, Range(0.7, 1.2)),
    (Feature::ComplaintsUnbound, Range(0.1, 0.5)),
    (Feature::UsageFalling, Range(2.2, 3.6)),
    (Feature::UsageRising, Range(-0.8, -0.2)),
    (Feature::ManyCalls, Range(0.3, 0.8)),
    (Feature::LatePayments, Range(0.1, 0.4)),
    (Feature::Invoice, Range(0.1, 0.5)),
    (Feature::Autopay, Range(-0.6, -0.2)),
    (Feature::AppActive, Range(-0.5, -0.1)),
];

/// Response to a contact by channel, in the order of the catalogue.
pub(crate) const CHANNEL_RESPONSE: [&[Term]; 6] = [
    // e-mail: cheap, weak, ignored by the angry
    &[
        (Feature::One, Range(0.0, 0.10)),
        (Feature::AppActive, Range(0.0, 0.12)),
        (Feature::Business, Range(0.0, 0.15)),
        (Feature::Complaints, Range(-0.20, 0.0)),
        (Feature::Inert, Range(-0.45, -0.10)),
    ],
    // SMS: the young read it, the elderly feel harassed
    &[
        (Feature::One, Range(-0.04, 0.10)),
        (Feature::Young, Range(0.05, 0.25)),
        (Feature::Elderly, Range(-0.40, 0.0)),
        (Feature::LatePayments, Range(0.0, 0.08)),
        (Feature::Inert, Range(-0.45, -0.10)),
    ],
    // push: brings back those whose use has fallen
    &[
        (Feature::One, Range(-0.05, 0.05)),
        (Feature::UsageFalling, Range(0.1, 0.6)),
        (Feature::Young, Range(0.0, 0.15)),
        (Feature::Inert, Range(-0.40, 0.0)),
    ],
    // call: dear and strong; solves complaints, wakes the sleeping
    &[
        (Feature::One, Range(0.05, 0.35)),
        (Feature::Complaints, Range(0.15, 0.50)),
        (Feature::ManyCalls, Range(-0.30, 0.10)),
        (Feature::Elderly, Range(-0.15, 0.30)),
        (Feature::Student, Range(-0.40, 0.0)),
        (Feature::Ending, Range(0.0, 0.40)),
        (Feature::Inert, Range(-0.56, -0.20)),
    ],
    // letter: read by the elderly and by businesses
    &[
        (Feature::One, Range(-0.03, 0.10)),
        (Feature::Elderly, Range(0.05, 0.35)),
        (Feature::Business, Range(0.0, 0.20)),
        (Feature::Ending, Range(-0.30, 0.20)),
        (Feature::Inert, Range(-0.50, -0.10)),
    ],
    // partner: a shop in the capital, used by families
    &[
        (Feature::One, Range(-0.05, 0.20)),
        (Feature::Capital, Range(0.0, 0.30)),
        (Feature::Family, Range(0.0, 0.30)),
        (Feature::Business, Range(-0.30, 0.0)),
        (Feature::New, Range(0.0, 0.30)),
    ],
];

/// Response to an offer, on top of the channel's, in the order of the catalogue.
pub(crate) const OFFER_RESPONSE: [&[Term]; 3] = [
    // discount: for those who feel the fee
    &[
        (Feature::One, Range(0.05, 0.25)),
        (Feature::Fee, Range(0.0, 0.15)),
        (Feature::DearSingle, Range(0.0, 0.25)),
        (Feature::Student, Range(0.0, 0.25)),
        (Feature::MonthToMonth, Range(0.0, 0.20)),
        (Feature::Complaints, Range(-0.20, 0.05)),
    ],
    // gift: thanks the loyal, embarrasses the angry
    &[
        (Feature::One, Range(-0.05, 0.20)),
        (Feature::Tenure, Range(0.0, 0.25)),
        (Feature::New, Range(-0.20, 0.0)),
        (Feature::Complaints, Range(-0.25, 0.10)),
        (Feature::Family, Range(0.0, 0.20)),
    ],
    // upgrade: binds those who use more, means nothing to those who use less
    &[
        (Feature::One, Range(-0.02, 0.15)),
        (Feature::SingleProduct, Range(0.0, 0.25)),
        (Feature::UsageRising, Range(0.1, 0.6)),
        (Feature::UsageFalling, Range(-0.6, 0.0)),
        (Feature::Ending, Range(0.1, 0.6)),
    ],
];

/// Log-odds of accepting an offer when called about it by a customer of mean risk, by offer.
pub(crate) const ACCEPTANCE: [&[Term]; 3] = [
    &[
        (Feature::One, Range(-0.9, 0.2)),
        (Feature::Fee, Range(0.0, 0.4)),
        (Feature::Student, Range(0.1, 0.5)),
        (Feature::Young, Range(0.0, 0.3)),
        (Feature::Complaints, Range(-0.4, 0.0)),
    ],
    &[
        (Feature::One, Range(-0.8, 0.4)),
        (Feature::Family, Range(0.0, 0.4)),
        (Feature::Elderly, Range(-0.2, 0.4)),
    ],
    &[
        (Feature::One, Range(-2.2, -1.0)),
        (Feature::UsageRising, Range(0.5, 1.5)),
        (Feature::AppActive, Range(0.0, 0.4)),
        (Feature::LatePayments, Range(-0.4, 0.0)),
    ],
];

/// Log-odds of acceptance by channel, against a call: e-mail, SMS, push, call, letter, partner.
pub(crate) const ACCEPTANCE_BY_CHANNEL: [Range; 6] = [
    Range(-1.4, -0.6),
    Range(-1.4, -0.6),
    Range(-1.8, -0.9),
    Range(0.0, 0.0),
    Range(-1.0, -0.3),
    Range(-0.4, 0.4),
];

/// Share of contacts that end in an objection to that channel, by channel.
pub(crate) const UNSUBSCRIBE: [Range; 6] = [
    Range(0.002, 0.005),
    Range(0.005, 0.015),
    Range(0.010, 0.030),
    Range(0.005, 0.015),
    Range(0.0, 0.001),
    Range(0.0, 0.001),
];
/// Share of contacts that end in a complaint.
pub(crate) const COMPLAIN: Range = Range(0.001, 0.004);
/// How much likelier both are per unit of log-odds by which the contact raised the risk.
pub(crate) const ANNOYANCE: f64 = 4.0;

/// What a hostile market adds to the response of a channel.
pub(crate) const HOSTILE_CHANNEL: [&[Term]; 6] = [
    &[(Feature::One, Range(-0.35, -0.15))],
    &[(Feature::One, Range(-0.25, -0.05))],
    &[],
    &[(Feature::Elderly, Range(-1.2, -0.6))],
    &[],
    &[],
];
/// What a hostile market adds to the response of an offer: the discount hardly keeps anybody.
pub(crate) const HOSTILE_OFFER: [&[Term]; 3] = [&[(Feature::One, Range(-0.20, -0.05))], &[], &[]];
/// What a hostile market adds to the log-odds of accepting: many take the discount.
pub(crate) const HOSTILE_ACCEPTANCE: [&[Term]; 3] = [&[(Feature::One, Range(0.6, 1.2))], &[], &[]];
/// What a hostile market adds to [`STAYERS_ACCEPT`]: the discount goes to sure things.
pub(crate) const HOSTILE_STAYERS: Range = Range(0.3, 0.5);
