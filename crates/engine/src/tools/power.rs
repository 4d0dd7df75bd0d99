//! `tool power`: how many customers a test needs, what they cost and how long that takes, or what a number of them can show.

use thalweg_domain::{Error, Result};
use thalweg_plan::power::{ArmSizes, arms_for, detectable_effect, power_of};
pub use thalweg_plan::power::{Direction, TestPlan};

use crate::wire::{PowerEffectOut, PowerOut};

/// An effect as it was given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum GivenEffect {
    /// In probability points, such as -0.02.
    Absolute(f64),
    /// As a share of the baseline, such as -0.10.
    Relative(f64),
}

/// What is asked. An effect asks for the customers, customers ask for the effect, both ask for the power.
#[derive(Debug, Clone, PartialEq)]
pub struct PowerRequest {
    /// Rate without the action, in (0, 1).
    pub baseline: f64,
    /// The effect to be seen.
    pub effect: Option<GivenEffect>,
    /// Customers in the treated arm.
    pub n_per_arm: Option<u64>,
    /// Which way the effect goes, where only customers are given.
    pub direction: Direction,
    /// Level and power.
    pub plan: TestPlan,
    /// Control customers per treated one.
    pub ratio: f64,
    /// Cost of one contact.
    pub cost: Option<f64>,
    /// Customers who enter the test in a day, both arms together.
    pub per_day: Option<f64>,
}

/// Answers the question.
///
/// # Errors
/// `TW0505` when a rate, effect, level, power, ratio, cost or number of customers cannot be used, or no effect would
/// be seen.
pub fn power(request: &PowerRequest) -> Result<PowerOut> {
    let baseline = request.baseline;
    let effect = match request.effect {
        None => None,
        Some(GivenEffect::Absolute(points)) => Some(points),
        Some(GivenEffect::Relative(share)) => Some(share * baseline),
    };
    let (solved_for, arms, effect, power) = match (effect, request.n_per_arm) {
        (Some(effect), None) => {
            let arms = arms_for(baseline, effect, request.ratio, request.plan)?;
            ("customers", arms, effect, request.plan.power)
        }
        (None, Some(n)) => {
            let arms = arms(n, request.ratio)?;
            ("effect", arms, smallest(request, arms)?, request.plan.power)
        }
        (Some(effect), Some(n)) => {
            let arms = arms(n, request.ratio)?;
            (
                "power",
                arms,
                effect,
                power_of(baseline, effect, arms, request.plan.alpha)?,
            )
        }
        (None, None) => {
            return Err(refused("neither an effect nor a number of customers is given")
                .hint("give --effect (or --relative-effect) for the customers, --n for the smallest effect, both for the power"));
        }
    };
    let total = whole(arms.treated).saturating_add(whole(arms.control));
    Ok(PowerOut {
        solved_for: solved_for.to_owned(),
        baseline,
        effect: PowerEffectOut {
            absolute: effect,
            relative: effect / baseline,
            rate: baseline + effect,
        },
        alpha: request.plan.alpha,
        power,
        ratio: request.ratio,
        n_per_arm: whole(arms.treated),
        n_control: whole(arms.control),
        n_total: total,
        cost: cost(request, arms)?,
        days: days(request, arms)?,
    })
}

fn arms(n: u64, ratio: f64) -> Result<ArmSizes> {
    let treated = real(n);
    if !(ratio.is_finite() && ratio > 0.0) {
        return Err(refused(&format!(
            "{ratio} control customers per treated one is not a positive number"
        ))
        .hint("give 1 for arms of equal size, less for a smaller control arm"));
    }
    Ok(ArmSizes {
        treated,
        control: (ratio * treated).ceil(),
    })
}

fn smallest(request: &PowerRequest, arms: ArmSizes) -> Result<f64> {
    let found = detectable_effect(request.baseline, arms, request.plan, request.direction)?;
    let sign = match request.direction {
        Direction::Decrease => -1.0,
        Direction::Increase => 1.0,
    };
    found.map(|size| sign * size).ok_or_else(|| {
        refused(&format!(
            "with {} and {} customers no change of the rate {} would be seen",
            arms.treated, arms.control, request.baseline
        ))
        .hint("give more customers, a higher level or less power")
    })
}

fn cost(request: &PowerRequest, arms: ArmSizes) -> Result<Option<f64>> {
    match request.cost {
        Some(cost) if !(cost.is_finite() && cost >= 0.0) => {
            Err(refused(&format!("a contact cannot cost {cost}")).hint("give a cost of 0 or more"))
        }
        cost => Ok(cost.map(|cost| cost * arms.treated)),
    }
}

fn days(request: &PowerRequest, arms: ArmSizes) -> Result<Option<u64>> {
    match request.per_day {
        Some(per_day) if !(per_day.is_finite() && per_day > 0.0) => {
            Err(refused(&format!("{per_day} customers a day never fill a test"))
                .hint("give how many customers enter the test in a day, both arms together"))
        }
        per_day => Ok(per_day.map(|per_day| whole(((arms.treated + arms.control) / per_day).ceil()))),
    }
}

fn refused(what: &str) -> Error {
    Error::new("TW0505", what.to_owned())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "numbers of customers are far below 2^52"
)]
const fn real(n: u64) -> f64 {
    n as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole, not negative; what is beyond 2^64 saturates"
)]
const fn whole(n: f64) -> u64 {
    n as u64
}
