//! Draws customers whose columns hang together as they do in a subscription business.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use thalweg_domain::Seed;

use crate::customer::{Consent, Contract, Customer, Payment, Region, Segment};

/// How long the customer has been there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Some time ago.
    Earlier,
    /// Just now.
    New,
}

/// Customer `serial` of a population; the same seed and serial give the same customer.
pub(crate) fn generate(population: Seed, serial: u64, arrival: Arrival) -> Customer {
    let rng = &mut ChaCha8Rng::seed_from_u64(population.nth(serial).0);
    let age = draw_age(rng);
    let segment = draw_segment(rng, age);
    let tenure_months = draw_tenure(rng, arrival);
    let contract = draw_contract(rng, segment, tenure_months, arrival);
    let products = draw_products(rng, segment);
    let payment = draw_payment(rng, age);
    let autopay = chance(rng, if payment == Payment::Invoice { 0.05 } else { 0.65 });
    let app_active = chance(rng, 0.85 - 0.010 * (f64::from(age) - 18.0));
    let complaints_90d = poisson(rng, if products > 2 { 0.40 } else { 0.28 });
    let support_calls_90d = poisson(rng, 0.35 + 0.8 * f64::from(complaints_90d));
    let usage_trend = round(
        usage(rng, -0.03 - 0.08 * f64::from(complaints_90d.min(3))),
        1000.0,
    );
    Customer {
        serial,
        age: present(rng, 0.04, age),
        region: draw_region(rng),
        segment,
        tenure_months,
        contract,
        months_to_renewal: contract.months().map(|months| months - tenure_months % months),
        monthly_fee: draw_fee(rng, segment, products),
        products,
        payment: present(rng, 0.02, payment),
        autopay,
        usage_trend: present(rng, 0.06, usage_trend),
        app_active,
        complaints_90d,
        support_calls_90d,
        late_payments_12m: poisson(rng, if autopay { 0.08 } else { 0.45 }),
        consent: draw_consent(rng, age, app_active),
    }
}

/// True with probability `p`.
pub(crate) fn chance(rng: &mut ChaCha8Rng, p: f64) -> bool {
    rng.random::<f64>() < p
}

/// A Poisson count of a small mean, by inversion.
pub(crate) fn poisson(rng: &mut ChaCha8Rng, mean: f64) -> u32 {
    let mut left = rng.random::<f64>();
    let mut probability = (-mean).exp();
    let mut count = 0;
    while left >= probability && count < 12 {
        left -= probability;
        count += 1;
        probability *= mean / f64::from(count);
    }
    count
}

/// A relative change of use around `mean`, sd 0.25, within the column's range.
fn usage(rng: &mut ChaCha8Rng, mean: f64) -> f64 {
    let z: f64 = rng.sample(StandardNormal);
    (mean + 0.25 * z).clamp(-0.9, 0.9)
}

/// `value` rounded to a multiple of 1/`per_unit`.
pub(crate) fn round(value: f64, per_unit: f64) -> f64 {
    (value * per_unit).round() / per_unit
}

fn present<T>(rng: &mut ChaCha8Rng, p_missing: f64, value: T) -> Option<T> {
    (!chance(rng, p_missing)).then_some(value)
}

fn draw_age(rng: &mut ChaCha8Rng) -> u32 {
    let first = rng.random_range(18..=62_u32);
    first
        + if chance(rng, 0.45) {
            rng.random_range(0..=28_u32)
        } else {
            0
        }
}

fn draw_segment(rng: &mut ChaCha8Rng, age: u32) -> Segment {
    if age < 28 && chance(rng, 0.45) {
        return Segment::Student;
    }
    match rng.random::<f64>() {
        u if u < 0.14 => Segment::Business,
        u if u < 0.42 && (25..66).contains(&age) => Segment::Family,
        _ => Segment::Consumer,
    }
}

fn draw_tenure(rng: &mut ChaCha8Rng, arrival: Arrival) -> u32 {
    match arrival {
        Arrival::New => 0,
        // a product of two uniforms: many are young in the business, few are there for ten years
        Arrival::Earlier => rng.random_range(1..=120_u32) * rng.random_range(1..=120_u32) / 120,
    }
}

fn draw_contract(rng: &mut ChaCha8Rng, segment: Segment, tenure_months: u32, arrival: Arrival) -> Contract {
    let mut p_bound = 0.35 + 0.3 * (f64::from(tenure_months) / 120.0);
    if segment == Segment::Business {
        p_bound += 0.25;
    }
    if segment == Segment::Student || arrival == Arrival::New {
        p_bound -= 0.10;
    }
    if !chance(rng, p_bound) {
        return Contract::Monthly;
    }
    if chance(rng, 0.45) {
        Contract::TwoYear
    } else {
        Contract::OneYear
    }
}

fn draw_products(rng: &mut ChaCha8Rng, segment: Segment) -> u32 {
    let p_more = if matches!(segment, Segment::Family | Segment::Business) {
        0.55
    } else {
        0.35
    };
    1 + (0..3).map(|_| u32::from(chance(rng, p_more))).sum::<u32>()
}

fn draw_fee(rng: &mut ChaCha8Rng, segment: Segment, products: u32) -> f64 {
    let by_segment = match segment {
        Segment::Business => 30.0,
        Segment::Student => -8.0,
        Segment::Consumer | Segment::Family => 0.0,
    };
    let z: f64 = rng.sample(StandardNormal);
    round(
        (24.0 + 15.0 * f64::from(products) + by_segment + 9.0 * z).clamp(12.0, 180.0),
        100.0,
    )
}

fn draw_payment(rng: &mut ChaCha8Rng, age: u32) -> Payment {
    let p_invoice = if age >= 60 { 0.40 } else { 0.12 };
    let p_wallet = if age < 35 { 0.35 } else { 0.08 };
    match rng.random::<f64>() {
        u if u < p_invoice => Payment::Invoice,
        u if u < p_invoice + p_wallet => Payment::Wallet,
        _ if chance(rng, 0.55) => Payment::Card,
        _ => Payment::BankTransfer,
    }
}

fn draw_region(rng: &mut ChaCha8Rng) -> Region {
    match rng.random::<f64>() {
        u if u < 0.25 => Region::Capital,
        u if u < 0.42 => Region::East,
        u if u < 0.62 => Region::North,
        u if u < 0.80 => Region::South,
        _ => Region::West,
    }
}

fn draw_consent(rng: &mut ChaCha8Rng, age: u32, app_active: bool) -> Consent {
    Consent {
        email: chance(rng, 0.70),
        sms: chance(rng, if age < 40 { 0.60 } else { 0.40 }),
        push: app_active && chance(rng, 0.65),
        call: chance(rng, 0.60),
    }
}
