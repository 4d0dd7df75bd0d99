//! What the hidden formulas see of a customer: a fixed list of numbers made of observable columns.
//!
//! A missing cell enters at the typical value: the record itself, with its gap, is what behaviour is
//! conditional on, so that an expectation given the observable record is exact.

use crate::customer::{Contract, Customer, Payment, Region, Segment};

/// The inputs of the hidden formulas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feature {
    /// Always 1.
    One,
    /// 1 at 18, 0 from 40 on.
    Young,
    /// 1 from 66 on.
    Elderly,
    Student,
    Business,
    Family,
    Capital,
    /// 1 in the first four months.
    New,
    /// Square root of tenure in units of six years.
    Tenure,
    MonthToMonth,
    TwoYear,
    /// 1 when a bound contract ends within a month.
    Ending,
    /// Monthly fee less 60, in units of 30, between -1.5 and 2.
    Fee,
    SingleProduct,
    /// A high fee for a single product.
    DearSingle,
    /// ln(1 + complaints).
    Complaints,
    /// Complaints of a customer who can leave any month.
    ComplaintsUnbound,
    /// How far use has fallen, 0 to 0.9.
    UsageFalling,
    /// How far use has risen, 0 to 0.9.
    UsageRising,
    /// 1 from three support calls on.
    ManyCalls,
    /// Late payments, at most 3.
    LatePayments,
    Invoice,
    Autopay,
    AppActive,
    /// A long-standing customer with falling use who pays automatically and never complains: has
    /// forgotten the contract, and may remember it when contacted.
    Inert,
    /// ln(1 + complaints) of the elderly.
    ElderlyComplaints,
}

/// Number of [`Feature`]s.
pub(crate) const N_FEATURES: usize = Feature::ElderlyComplaints as usize + 1;

/// One number per [`Feature`].
pub(crate) type Features = [f64; N_FEATURES];

/// Weight per [`Feature`].
pub(crate) type Weights = [f64; N_FEATURES];

/// The scalar product of weights and features.
pub(crate) fn dot(weights: &Weights, features: &Features) -> f64 {
    weights
        .iter()
        .zip(features)
        .map(|(weight, feature)| weight * feature)
        .sum()
}

const TYPICAL_AGE: u32 = 45;

/// The features of a customer.
pub(crate) fn features(customer: &Customer) -> Features {
    let mut cells = [0.0; N_FEATURES];
    let mut set = |feature: Feature, value: f64| cells[feature as usize] = value;
    let age = f64::from(customer.age.unwrap_or(TYPICAL_AGE));
    let usage = customer.usage_trend.unwrap_or(0.0);
    let fee = ((customer.monthly_fee - 60.0) / 30.0).clamp(-1.5, 2.0);
    let complaints = f64::from(customer.complaints_90d).ln_1p();
    let elderly = flag(age >= 66.0);
    let unbound = flag(customer.contract == Contract::Monthly);
    let single = flag(customer.products == 1);

    set(Feature::One, 1.0);
    set(Feature::Young, ((40.0 - age) / 22.0).clamp(0.0, 1.0));
    set(Feature::Elderly, elderly);
    set(Feature::Student, flag(customer.segment == Segment::Student));
    set(Feature::Business, flag(customer.segment == Segment::Business));
    set(Feature::Family, flag(customer.segment == Segment::Family));
    set(Feature::Capital, flag(customer.region == Region::Capital));
    set(Feature::New, flag(customer.tenure_months < 4));
    set(Feature::Tenure, (f64::from(customer.tenure_months) / 72.0).sqrt());
    set(Feature::MonthToMonth, unbound);
    set(Feature::TwoYear, flag(customer.contract == Contract::TwoYear));
    set(
        Feature::Ending,
        flag(customer.months_to_renewal.is_some_and(|months| months <= 1)),
    );
    set(Feature::Fee, fee);
    set(Feature::SingleProduct, single);
    set(Feature::DearSingle, fee.max(0.0) * single);
    set(Feature::Complaints, complaints);
    set(Feature::ComplaintsUnbound, complaints * unbound);
    set(Feature::UsageFalling, (-usage).max(0.0));
    set(Feature::UsageRising, usage.max(0.0));
    set(Feature::ManyCalls, flag(customer.support_calls_90d >= 3));
    set(
        Feature::LatePayments,
        f64::from(customer.late_payments_12m.min(3)),
    );
    set(Feature::Invoice, flag(customer.payment == Some(Payment::Invoice)));
    set(Feature::Autopay, flag(customer.autopay));
    set(Feature::AppActive, flag(customer.app_active));
    set(Feature::Inert, flag(is_inert(customer, usage)));
    set(Feature::ElderlyComplaints, elderly * complaints);
    cells
}

fn is_inert(customer: &Customer, usage: f64) -> bool {
    customer.tenure_months >= 18 && usage < -0.05 && customer.complaints_90d == 0 && customer.autopay
}

const fn flag(condition: bool) -> f64 {
    if condition { 1.0 } else { 0.0 }
}
