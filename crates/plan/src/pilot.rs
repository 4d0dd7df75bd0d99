//! Pilots of new channels: their size and cost, what may come of them, and when a channel is promoted or dropped.

use thalweg_domain::{Belief, Result};

use crate::normal::{above, quantile};
use crate::power::{ArmSizes, Direction, TestPlan, arms_for, detectable_effect, no_answer};

/// Chance that a contact pays from which a pilot ends halfway or later, and the channel is planned like any other.
pub const PROMOTE: f64 = 0.9;
/// Chance that a contact pays below which a pilot ends halfway or later, and the channel is not used any more.
pub const DROP: f64 = 0.05;
/// Chance that a contact pays from which the channel is planned once all contacts of the pilot are measured.
pub const PROMOTE_AT_THE_END: f64 = 0.5;

/// What is known before a pilot of a channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PilotInput {
    /// Rate of the outcome without action among those who may be contacted, in (0, 1).
    pub baseline: f64,
    /// Relative effect at which an average contact pays for itself, `cost / (value x risk)`, positive.
    pub breakeven: f64,
    /// Expected cost per contact, positive.
    pub cost: f64,
    /// Contacts that one cycle's exploration is expected to make, positive.
    pub contacts_per_cycle: f64,
    /// Customers drawn to get nothing per contact, positive.
    pub controls_per_contact: f64,
    /// Cycles that the pilot may take, at least 1.
    pub most_cycles: u32,
    /// Whether the action makes the rate fall or rise.
    pub direction: Direction,
    /// The test.
    pub plan: TestPlan,
}

/// A proposed pilot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pilot {
    /// Contacts: what shows the smallest profitable effect, or, where that is more, what the exploration makes in the
    /// cycles that it may take.
    pub contacts: u64,
    /// Contacts that would show the smallest profitable effect with the plan's power.
    pub contacts_for_smallest: u64,
    /// Expected cost of the contacts.
    pub cost: f64,
    /// Cycles it takes.
    pub cycles: u64,
    /// Contacts that one cycle's exploration is expected to make.
    pub contacts_per_cycle: f64,
    /// The relative effect at which a contact just pays for itself.
    pub smallest_profitable_effect: f64,
    /// The smallest relative effect that the contacts show with the plan's power; `None` when none is.
    pub detectable_effect: Option<f64>,
    /// Standard error of the measured relative effect at the end.
    pub standard_error: f64,
}

impl Pilot {
    /// The same with the size that it began with: other pilots come and go, and with them what a cycle's exploration can do.
    #[must_use]
    pub fn of_size(self, contacts: u64, cycles: u64, detectable_effect: Option<f64>) -> Self {
        let ratio = contacts as f64 / self.contacts as f64;
        Self {
            contacts,
            cycles,
            detectable_effect,
            cost: self.cost * ratio,
            standard_error: self.standard_error / ratio.sqrt(),
            ..self
        }
    }

    /// The same with the error of the contacts that are still to be measured; without any left the error is infinite.
    #[must_use]
    pub fn after(mut self, measured: u64) -> Self {
        let left = self.contacts.saturating_sub(measured) as f64;
        self.standard_error *= (self.contacts as f64 / left).sqrt();
        self
    }
}

/// The pilot that shows the smallest profitable effect with the plan's power, as far as the exploration allows.
///
/// The arms are those contacted and those drawn to get nothing, `controls_per_contact` times as many; the size follows
/// [`arms_for`] with the effect `breakeven x baseline`.
///
/// # Errors
/// `TW0505` when cost, break-even or contacts are not positive, when a contact costs so much that not even the largest
/// possible effect pays, or when the exploration makes fewer than two contacts in all.
pub fn pilot(input: &PilotInput) -> Result<Pilot> {
    let positive = [
        ("break-even", input.breakeven),
        ("cost", input.cost),
        ("number of contacts per cycle", input.contacts_per_cycle),
        ("number of controls per contact", input.controls_per_contact),
    ];
    if let Some((what, number)) = positive
        .iter()
        .find(|(_, number)| !(number.is_finite() && *number > 0.0))
    {
        return Err(no_answer(format!(
            "a pilot needs a positive {what}, not {number}"
        )));
    }
    let size = input.breakeven * input.baseline;
    let (effect, room) = match input.direction {
        Direction::Decrease => (-size, input.baseline),
        Direction::Increase => (size, 1.0 - input.baseline),
    };
    if size >= room {
        return Err(no_answer(format!(
            "a contact pays from a relative effect of {}, which the rate {} does not allow",
            input.breakeven, input.baseline
        )));
    }
    let needed = arms_for(input.baseline, effect, input.controls_per_contact, input.plan)?;
    let reachable = (f64::from(input.most_cycles.max(1)) * input.contacts_per_cycle).floor();
    let contacts = needed.treated.min(reachable);
    if contacts < 2.0 {
        return Err(no_answer(format!(
            "the exploration makes {reachable} contacts in {} cycles, too few for a pilot",
            input.most_cycles
        )));
    }
    let arms = ArmSizes {
        treated: contacts,
        control: (contacts * input.controls_per_contact).max(1.0),
    };
    let detectable = detectable_effect(input.baseline, arms, input.plan, input.direction)?;
    let variance = input.baseline * (1.0 - input.baseline) * (1.0 / arms.treated + 1.0 / arms.control);
    Ok(Pilot {
        contacts: contacts as u64,
        contacts_for_smallest: needed.treated as u64,
        cost: contacts * input.cost,
        cycles: (contacts / input.contacts_per_cycle).ceil().max(1.0) as u64,
        contacts_per_cycle: input.contacts_per_cycle,
        smallest_profitable_effect: input.breakeven,
        detectable_effect: detectable.map(|effect| effect / input.baseline),
        standard_error: variance.sqrt() / input.baseline,
    })
}

/// What may come of a pilot, as probabilities that sum to 1, judged from what is believed before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlook {
    /// The chance that a contact pays turns out at least [`PROMOTE`].
    pub clear_gain: f64,
    /// It turns out below [`DROP`].
    pub clear_loss: f64,
    /// Neither, and a contact rather pays than not.
    pub rather_gain: f64,
    /// Neither, and it rather does not.
    pub rather_loss: f64,
}

/// The outlook at the end of a pilot, preposterior analysis of a normal belief (Raiffa and Schlaifer 1961, chapter 5).
///
/// With prior N(m, s²) and a measurement of standard error e, the posterior's sd is `t = (1/s² + 1/e²)^(-1/2)` and its
/// mean is N(m, s² - t²) beforehand; each outcome is an interval of that mean around the break-even.
#[must_use]
pub fn outlook(prior: Belief, pilot: &Pilot) -> Outlook {
    let breakeven = pilot.smallest_profitable_effect;
    let (prior_variance, noise) = (prior.sd.powi(2), pilot.standard_error.powi(2));
    let after = if noise.is_infinite() {
        prior_variance
    } else if prior_variance > 0.0 && noise > 0.0 {
        prior_variance * noise / (prior_variance + noise)
    } else {
        0.0
    };
    let moves = (prior_variance - after).max(0.0).sqrt();
    let beyond = |chance: f64| above(prior.mean, moves, breakeven + quantile(chance) * after.sqrt());
    let (gain, even, not_loss) = (beyond(PROMOTE), beyond(PROMOTE_AT_THE_END), beyond(DROP));
    Outlook {
        clear_gain: gain,
        clear_loss: 1.0 - not_loss,
        rather_gain: even - gain,
        rather_loss: not_loss - even,
    }
}

/// Where a channel stands on its way from new to planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PilotState {
    /// The channel is planned like any other; its pilot is a proposal.
    Proposed,
    /// Only the exploration uses the channel.
    Running,
    /// The pilot is over and the channel is planned like any other.
    Promoted,
    /// The pilot is over and the channel is not used any more.
    Dropped,
    /// No pilot is worth its cost, or there is none: the channel is not used.
    Declined,
}

impl PilotState {
    /// `proposed`, `running`, `promoted`, `dropped` or `declined`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Running => "running",
            Self::Promoted => "promoted",
            Self::Dropped => "dropped",
            Self::Declined => "declined",
        }
    }
}

/// Where a new channel stands: after `measured` of the pilot's `contacts`, with a chance `pays` that a contact pays for
/// itself. It runs until half of the contacts are measured, so that what was believed before does not decide alone.
/// From then on [`PROMOTE`] and [`DROP`] end it, and [`PROMOTE_AT_THE_END`] decides once all are measured.
#[must_use]
pub fn state(measured: u64, contacts: u64, pays: f64) -> PilotState {
    if measured == 0 || 2 * measured < contacts {
        return PilotState::Running;
    }
    if pays >= PROMOTE {
        return PilotState::Promoted;
    }
    if pays < DROP {
        return PilotState::Dropped;
    }
    match measured >= contacts {
        false => PilotState::Running,
        true if pays >= PROMOTE_AT_THE_END => PilotState::Promoted,
        true => PilotState::Dropped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::power::{n_per_arm, power_of};

    fn input() -> PilotInput {
        PilotInput {
            baseline: 0.3,
            breakeven: 0.1,
            cost: 6.0,
            contacts_per_cycle: 1000.0,
            controls_per_contact: 1.0,
            most_cycles: 6,
            direction: Direction::Decrease,
            plan: TestPlan::default(),
        }
    }

    #[test]
    fn a_pilot_sees_the_smallest_effect_that_pays() {
        let pilot = pilot(&input()).unwrap();
        assert_eq!(
            pilot.contacts,
            n_per_arm(0.3, -0.03, TestPlan::default()).unwrap()
        );
        assert_eq!(pilot.contacts_for_smallest, pilot.contacts);
        assert_eq!(pilot.cycles, pilot.contacts.div_ceil(1000));
        assert!((pilot.cost - 6.0 * pilot.contacts as f64).abs() < 1e-9);
        let seen = pilot.detectable_effect.unwrap();
        assert!(seen <= 0.1 && seen > 0.0995, "{seen}");
    }

    #[test]
    fn a_short_pilot_says_what_it_can_see() {
        let short = pilot(&PilotInput {
            contacts_per_cycle: 50.5,
            controls_per_contact: 2.0,
            ..input()
        })
        .unwrap();
        assert_eq!((short.contacts, short.cycles), (303, 6));
        assert!(short.contacts_for_smallest > 1000);
        let arms = ArmSizes {
            treated: 303.0,
            control: 606.0,
        };
        let seen = short.detectable_effect.unwrap();
        assert!(seen > short.smallest_profitable_effect);
        assert!((power_of(0.3, -0.3 * seen, arms, 0.05).unwrap() - 0.8).abs() < 1e-6);
    }

    #[test]
    fn a_pilot_keeps_the_size_that_it_began_with() {
        let begun = pilot(&PilotInput {
            contacts_per_cycle: 50.0,
            ..input()
        })
        .unwrap();
        let later = pilot(&PilotInput {
            contacts_per_cycle: 100.0,
            ..input()
        })
        .unwrap()
        .of_size(begun.contacts, begun.cycles, begun.detectable_effect);
        assert_eq!((later.contacts, later.cycles), (begun.contacts, begun.cycles));
        assert!((later.cost - begun.cost).abs() < 1e-9);
        assert!((later.standard_error - begun.standard_error).abs() < 1e-12);
        let half = begun.after(begun.contacts / 2);
        assert!((half.standard_error / begun.standard_error - 2.0_f64.sqrt()).abs() < 1e-12);
        assert!(begun.after(begun.contacts).standard_error.is_infinite());
    }

    #[test]
    fn a_conversion_pilot_looks_upwards() {
        let up = PilotInput {
            baseline: 0.05,
            direction: Direction::Increase,
            contacts_per_cycle: 1e6,
            ..input()
        };
        let found = pilot(&up).unwrap();
        assert_eq!(
            found.contacts,
            n_per_arm(0.05, 0.005, TestPlan::default()).unwrap()
        );
        // a lift of 20 times the rate is more than there is to win
        let much = PilotInput {
            breakeven: 20.0,
            ..up
        };
        assert_eq!(pilot(&much).unwrap_err().code, "TW0505");
    }

    #[test]
    fn pilots_that_cannot_be_are_refused() {
        for wrong in [
            PilotInput {
                breakeven: 1.2,
                ..input()
            },
            PilotInput { cost: 0.0, ..input() },
            PilotInput {
                contacts_per_cycle: 0.1,
                ..input()
            },
            PilotInput {
                breakeven: f64::NAN,
                ..input()
            },
        ] {
            assert_eq!(pilot(&wrong).unwrap_err().code, "TW0505");
        }
    }

    #[test]
    fn the_outlook_is_what_simulated_pilots_give() {
        let pilot = Pilot {
            smallest_profitable_effect: 0.05,
            standard_error: 0.04,
            ..pilot(&input()).unwrap()
        };
        let prior = Belief { mean: 0.06, sd: 0.05 };
        let expected = outlook(prior, &pilot);
        let mut generator = crate::randomise::Generator::new(thalweg_domain::Seed(7));
        let mut normal = || quantile(generator.uniform().clamp(1e-12, 1.0 - 1e-12));
        let after = (1.0 / (1.0 / 0.05_f64.powi(2) + 1.0 / 0.04_f64.powi(2))).sqrt();
        let mut counts = [0.0_f64; 4];
        let n = 20_000;
        for _ in 0..n {
            let truth = prior.mean + prior.sd * normal();
            let seen = truth + 0.04 * normal();
            let mean = after.powi(2) * (prior.mean / 0.05_f64.powi(2) + seen / 0.04_f64.powi(2));
            let pays = above(mean, after, 0.05);
            let end = match state(1000, 1000, pays) {
                PilotState::Promoted if pays >= PROMOTE => 0,
                PilotState::Dropped if pays < DROP => 1,
                PilotState::Promoted => 2,
                _ => 3,
            };
            counts[end] += 1.0 / f64::from(n);
        }
        let own = [
            expected.clear_gain,
            expected.clear_loss,
            expected.rather_gain,
            expected.rather_loss,
        ];
        assert!((own.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        // 20,000 draws: standard error below 0.0036, four of them
        for (own, counted) in own.iter().zip(counts) {
            assert!((own - counted).abs() < 0.0145, "{own} {counted}");
        }
    }

    #[test]
    fn measurement_moves_a_channel_on() {
        for (measured, pays, expected) in [
            (0, 0.99, PilotState::Running),
            (0, 0.01, PilotState::Running),
            (149, 0.95, PilotState::Running),
            (149, 0.04, PilotState::Running),
            (150, 0.95, PilotState::Promoted),
            (150, 0.04, PilotState::Dropped),
            (150, 0.60, PilotState::Running),
            (300, 0.60, PilotState::Promoted),
            (300, 0.40, PilotState::Dropped),
        ] {
            assert_eq!(state(measured, 300, pays), expected, "{measured} {pays}");
        }
    }
}
