//! How many customers show an effect: sample sizes, detectable effects, cycles, pilots.

use thalweg_domain::{Error, Result};

use crate::normal::{cumulative, quantile};

/// What a test should be able to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TestPlan {
    /// Two-sided level, in (0, 1).
    pub alpha: f64,
    /// Probability of seeing an effect that is there, in (alpha, 1).
    pub power: f64,
}

impl Default for TestPlan {
    /// Level 5 %, power 80 %.
    fn default() -> Self {
        Self {
            alpha: 0.05,
            power: 0.8,
        }
    }
}

/// Customers in the two arms of a comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ArmSizes {
    /// With the action.
    pub treated: f64,
    /// Without it.
    pub control: f64,
}

/// Customers per arm that show a difference of `effect` between two proportions.
///
/// `n = (z_{1-alpha/2} sqrt(2 p (1-p)) + z_power sqrt(p1 (1-p1) + p2 (1-p2)))^2 / (p1 - p2)^2` with
/// `p1 = baseline`, `p2 = baseline + effect`, `p` their mean, rounded up. The normal approximation without
/// continuity correction (Fleiss, Levin and Paik 2003, section 4.2; the formula of R's `power.prop.test`); poor when n p
/// is below about 5. Customers are assumed independent.
///
/// # Errors
/// `TW0505` when a rate leaves (0, 1), the effect is 0, or level and power are out of range.
///
/// ```
/// use thalweg_plan::power::{n_per_arm, TestPlan};
/// // R: power.prop.test(p1 = .50, p2 = .75, power = .90) gives n = 76.7
/// assert_eq!(n_per_arm(0.50, 0.25, TestPlan { alpha: 0.05, power: 0.9 })?, 77);
/// # Ok::<(), thalweg_domain::Error>(())
/// ```
pub fn n_per_arm(baseline: f64, effect: f64, plan: TestPlan) -> Result<u64> {
    check_plan(plan)?;
    check_rates(baseline, effect)?;
    let other = baseline + effect;
    let mean = 0.5 * (baseline + other);
    let level = quantile(1.0 - 0.5 * plan.alpha) * (2.0 * mean * (1.0 - mean)).sqrt();
    let power = quantile(plan.power) * (baseline * (1.0 - baseline) + other * (1.0 - other)).sqrt();
    Ok(((level + power) / effect).powi(2).ceil().max(1.0) as u64)
}

/// Probability that a two-sided test at level `alpha` finds a difference of `effect` in its direction.
///
/// `Phi((|effect| - z_{1-alpha/2} se_0) / se_1)` with `se_0` from the pooled and `se_1` from the separate rates.
///
/// # Errors
/// `TW0505` as [`n_per_arm`], or when an arm is empty.
pub fn power_of(baseline: f64, effect: f64, arms: ArmSizes, alpha: f64) -> Result<f64> {
    check_plan(TestPlan {
        alpha,
        power: 0.5_f64.max(0.5 * (1.0 + alpha)),
    })?;
    check_rates(baseline, effect)?;
    check_arms(arms)?;
    Ok(power_unchecked(
        baseline,
        effect,
        arms,
        quantile(1.0 - 0.5 * alpha),
    ))
}

fn power_unchecked(baseline: f64, effect: f64, arms: ArmSizes, z: f64) -> f64 {
    let other = baseline + effect;
    let pooled = (arms.control * baseline + arms.treated * other) / (arms.control + arms.treated);
    let null = (pooled * (1.0 - pooled) * (1.0 / arms.control + 1.0 / arms.treated)).sqrt();
    let separate = baseline * (1.0 - baseline) / arms.control + other * (1.0 - other) / arms.treated;
    cumulative((effect.abs() - z * null) / separate.sqrt())
}

/// The smallest decrease of a proportion that two arms show with the plan's power; `None` when not even a fall to
/// zero would be seen.
///
/// The inverse of [`power_of`] in the effect, by bisection.
///
/// # Errors
/// `TW0505` when the baseline is not inside (0, 1), an arm is empty, or level and power are out of range.
pub fn detectable_effect(baseline: f64, arms: ArmSizes, plan: TestPlan) -> Result<Option<f64>> {
    check_plan(plan)?;
    check_arms(arms)?;
    let most = baseline * (1.0 - 1e-9);
    check_rates(baseline, -most)?;
    let z = quantile(1.0 - 0.5 * plan.alpha);
    let enough = |effect: f64| power_unchecked(baseline, -effect, arms, z) >= plan.power;
    if !enough(most) {
        return Ok(None);
    }
    let (mut low, mut high) = (0.0, most);
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if enough(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(Some(high))
}

/// Cycles until the programme's total effect shows at the plan's power; `None` beyond 1,000 of them.
///
/// `arms` are the customers per cycle; cycles are taken as independent samples, which is optimistic where the
/// same customers come back.
///
/// # Errors
/// `TW0505` as [`power_of`].
pub fn cycles_to_power(baseline: f64, effect: f64, arms: ArmSizes, plan: TestPlan) -> Result<Option<u32>> {
    check_plan(plan)?;
    check_rates(baseline, effect)?;
    check_arms(arms)?;
    let z = quantile(1.0 - 0.5 * plan.alpha);
    let after = |cycles: u32| {
        let times = f64::from(cycles);
        let arms = ArmSizes {
            treated: times * arms.treated,
            control: times * arms.control,
        };
        power_unchecked(baseline, effect, arms, z)
    };
    Ok((1..=1000).find(|cycles| after(*cycles) >= plan.power))
}

/// What is known before a pilot of a new channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PilotInput {
    /// Rate of the outcome without action among those who would be reached, in (0, 1).
    pub baseline: f64,
    /// Money at stake per customer, positive.
    pub value: f64,
    /// Expected cost per contact, positive.
    pub cost: f64,
    /// Customers that one cycle's exploration can put into the pilot's treated arm, positive.
    pub contacts_per_cycle: f64,
    /// The test.
    pub plan: TestPlan,
}

/// A proposed pilot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pilot {
    /// Customers per arm.
    pub n_per_arm: u64,
    /// Expected cost of the treated arm.
    pub cost: f64,
    /// Cycles it takes.
    pub cycles: u64,
    /// The effect at which a contact just pays for itself, `cost / value`: what the pilot must be able to see.
    pub smallest_profitable_effect: f64,
}

/// The pilot that detects the smallest profitable effect with the plan's power.
///
/// # Errors
/// `TW0505` when cost or value is not positive, or a contact costs so much that not even a certain rescue pays.
pub fn pilot(input: &PilotInput) -> Result<Pilot> {
    let positive = [
        ("value", input.value),
        ("cost", input.cost),
        ("contacts per cycle", input.contacts_per_cycle),
    ];
    if let Some((what, number)) = positive
        .iter()
        .find(|(_, number)| !(number.is_finite() && *number > 0.0))
    {
        return Err(no_answer(format!(
            "a pilot needs a positive {what}, not {number}"
        )));
    }
    let smallest = input.cost / input.value;
    if smallest >= input.baseline {
        return Err(no_answer(format!(
            "a contact costs {} and can save at most {} x {}: it never pays",
            input.cost, input.baseline, input.value
        )));
    }
    let n = n_per_arm(input.baseline, -smallest, input.plan)?;
    Ok(Pilot {
        n_per_arm: n,
        cost: n as f64 * input.cost,
        cycles: (n as f64 / input.contacts_per_cycle).ceil() as u64,
        smallest_profitable_effect: smallest,
    })
}

fn check_plan(plan: TestPlan) -> Result<()> {
    if plan.alpha > 0.0 && plan.alpha < plan.power && plan.power < 1.0 {
        return Ok(());
    }
    Err(no_answer(format!(
        "level {} and power {} must satisfy 0 < level < power < 1",
        plan.alpha, plan.power
    )))
}

fn check_rates(baseline: f64, effect: f64) -> Result<()> {
    let inside = |rate: f64| rate > 0.0 && rate < 1.0;
    if effect == 0.0 || !effect.is_finite() {
        return Err(no_answer(format!(
            "an effect of {effect} cannot be found with any number of customers"
        )));
    }
    if !inside(baseline) || !inside(baseline + effect) {
        return Err(no_answer(format!(
            "baseline {baseline} with an effect of {effect} gives a rate outside 0 to 1"
        )));
    }
    Ok(())
}

fn check_arms(arms: ArmSizes) -> Result<()> {
    if arms.treated > 0.0 && arms.control > 0.0 && arms.treated.is_finite() && arms.control.is_finite() {
        return Ok(());
    }
    Err(no_answer(format!(
        "arms of {} and {} customers cannot be compared",
        arms.treated, arms.control
    )))
}

fn no_answer(what: String) -> Error {
    Error::new("TW0505", what).hint("give rates strictly between 0 and 1 and an effect that is not zero")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_r() {
        // R 4: power.prop.test(n = 50, p1 = .50, p2 = .75) gives power = 0.740.
        let arms = ArmSizes {
            treated: 50.0,
            control: 50.0,
        };
        assert!((power_of(0.5, 0.25, arms, 0.05).unwrap() - 0.740).abs() < 5e-4);
        // R 4: power.prop.test(p1 = .10, p2 = .15, power = .8) gives n = 685.6.
        assert_eq!(n_per_arm(0.10, 0.05, TestPlan::default()).unwrap(), 686);
    }

    #[test]
    fn the_detectable_effect_has_the_power_asked_for() {
        let arms = ArmSizes {
            treated: 6000.0,
            control: 700.0,
        };
        let effect = detectable_effect(0.265, arms, TestPlan::default())
            .unwrap()
            .unwrap();
        assert!((power_of(0.265, -effect, arms, 0.05).unwrap() - 0.8).abs() < 1e-9);
        assert_eq!(
            detectable_effect(
                0.01,
                ArmSizes {
                    treated: 9.0,
                    control: 9.0
                },
                TestPlan::default()
            )
            .unwrap(),
            None
        );
    }

    #[test]
    fn more_cycles_than_needed_are_not_asked_for() {
        let arms = ArmSizes {
            treated: 6000.0,
            control: 700.0,
        };
        let cycles = cycles_to_power(0.265, -0.02, arms, TestPlan::default())
            .unwrap()
            .unwrap();
        let after = |n: u32| {
            let arms = ArmSizes {
                treated: 6000.0 * f64::from(n),
                control: 700.0 * f64::from(n),
            };
            power_of(0.265, -0.02, arms, 0.05).unwrap()
        };
        assert!(after(cycles) >= 0.8 && after(cycles - 1) < 0.8, "{cycles}");
        assert_eq!(
            cycles_to_power(0.265, -1e-6, arms, TestPlan::default()).unwrap(),
            None
        );
    }

    #[test]
    fn a_pilot_sees_the_smallest_effect_that_pays() {
        let input = PilotInput {
            baseline: 0.3,
            value: 200.0,
            cost: 6.0,
            contacts_per_cycle: 500.0,
            plan: TestPlan::default(),
        };
        let pilot = pilot(&input).unwrap();
        assert!((pilot.smallest_profitable_effect - 0.03).abs() < 1e-12);
        assert_eq!(
            pilot.n_per_arm,
            n_per_arm(0.3, -0.03, TestPlan::default()).unwrap()
        );
        assert_eq!(pilot.cycles, pilot.n_per_arm.div_ceil(500));
        assert!((pilot.cost - 6.0 * pilot.n_per_arm as f64).abs() < 1e-9);
        assert_eq!(
            super::pilot(&PilotInput { cost: 70.0, ..input })
                .unwrap_err()
                .code,
            "TW0505"
        );
    }

    #[test]
    fn impossible_questions_are_refused() {
        for (baseline, effect) in [
            (0.0, 0.1),
            (0.1, 0.0),
            (0.1, -0.2),
            (0.9, 0.2),
            (f64::NAN, 0.1),
            (0.5, f64::NAN),
        ] {
            assert_eq!(
                n_per_arm(baseline, effect, TestPlan::default()).unwrap_err().code,
                "TW0505"
            );
        }
        let plan = TestPlan {
            alpha: 0.9,
            power: 0.8,
        };
        assert_eq!(n_per_arm(0.1, 0.05, plan).unwrap_err().code, "TW0505");
    }
}
