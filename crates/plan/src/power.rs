//! How many customers show an effect: sample sizes, detectable effects, cycles.

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
    Ok(arms_for(baseline, effect, 1.0, plan)?.treated as u64)
}

/// Customers in arms of unequal size that show a difference of `effect` between two proportions.
///
/// `ratio` is control customers per treated one, positive. With `p = (p1 + ratio p0) / (1 + ratio)`, treated is
/// `(z_{1-alpha/2} sqrt(p (1-p) (1 + 1/ratio)) + z_power sqrt(p1 (1-p1) + p0 (1-p0) / ratio))^2 / effect^2`, control
/// `ratio` times that, both rounded up (Fleiss, Levin and Paik 2003, section 4.4). Customers are assumed independent.
///
/// # Errors
/// `TW0505` as [`n_per_arm`], or when the ratio is not a positive number.
pub fn arms_for(baseline: f64, effect: f64, ratio: f64, plan: TestPlan) -> Result<ArmSizes> {
    check_plan(plan)?;
    check_rates(baseline, effect)?;
    if !(ratio.is_finite() && ratio > 0.0) {
        return Err(no_answer(format!(
            "{ratio} control customers per treated one is not a positive number"
        ))
        .hint("give 1 for arms of equal size, less for a smaller control arm"));
    }
    let other = baseline + effect;
    let mean = (other + ratio * baseline) / (1.0 + ratio);
    let level = quantile(1.0 - 0.5 * plan.alpha) * (mean * (1.0 - mean) * (1.0 + 1.0 / ratio)).sqrt();
    let separate = other * (1.0 - other) + baseline * (1.0 - baseline) / ratio;
    let power = quantile(plan.power) * separate.sqrt();
    let treated = ((level + power) / effect).powi(2).max(1e-9);
    Ok(ArmSizes {
        treated: treated.ceil(),
        control: (ratio * treated).ceil(),
    })
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

/// Which way an effect goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The rate falls, as with churn.
    Decrease,
    /// The rate rises, as with conversion.
    Increase,
}

/// The smallest change of a proportion, without its sign, that two arms show with the plan's power; `None` when not
/// even the largest possible one, to 0 or to 1, would be seen.
///
/// The inverse of [`power_of`] in the effect, by bisection.
///
/// # Errors
/// `TW0505` when the baseline is not inside (0, 1), an arm is empty, or level and power are out of range.
pub fn detectable_effect(
    baseline: f64,
    arms: ArmSizes,
    plan: TestPlan,
    direction: Direction,
) -> Result<Option<f64>> {
    check_plan(plan)?;
    check_arms(arms)?;
    let (sign, room) = match direction {
        Direction::Decrease => (-1.0, baseline),
        Direction::Increase => (1.0, 1.0 - baseline),
    };
    let most = room * (1.0 - 1e-9);
    check_rates(baseline, sign * most)?;
    let z = quantile(1.0 - 0.5 * plan.alpha);
    let enough = |effect: f64| power_unchecked(baseline, sign * effect, arms, z) >= plan.power;
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

pub(crate) fn no_answer(what: String) -> Error {
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
        let effect = detectable_effect(0.265, arms, TestPlan::default(), Direction::Decrease)
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
                TestPlan::default(),
                Direction::Decrease
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
