//! Pilots of new channels: the size that shows the smallest effect that would pay.

use thalweg_domain::Result;

use crate::power::{TestPlan, n_per_arm, no_answer};

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
