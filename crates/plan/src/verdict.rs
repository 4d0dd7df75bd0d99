//! Verdicts: open, expand, hold, shrink or retire a channel, with the reason in numbers.

use thalweg_domain::{Belief, Estimate};

use crate::normal::{above, expected_excess};
use crate::pilot::{Pilot, PilotState};

/// What to do with a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Not yet measured, and a pilot pays: it runs, or is proposed.
    Open,
    /// The next unit of currency earns more here than the budget's price.
    Expand,
    /// Leave it as the plan has it.
    Hold,
    /// The next unit of currency earns less here than the budget's price.
    Shrink,
    /// Its effect hardly ever pays for a contact.
    Retire,
}

impl Verdict {
    const ALL: [Self; 5] = [Self::Open, Self::Expand, Self::Hold, Self::Shrink, Self::Retire];

    /// The verdict of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == name)
    }

    /// `open`, `expand`, `hold`, `shrink` or `retire`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Expand => "expand",
            Self::Hold => "hold",
            Self::Shrink => "shrink",
            Self::Retire => "retire",
        }
    }
}

/// What is known about a channel when it is judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VerdictInput {
    /// Whether its effect has been measured by randomisation.
    pub measured: bool,
    /// Relative effect on the outcome.
    pub effect: Belief,
    /// Relative effect at which an average contact pays for itself: cost / (value x risk).
    pub breakeven: f64,
    /// Net value of one more unit of currency in this channel.
    pub marginal_return: Belief,
    /// Net value of one more unit of the total budget.
    pub budget_price: f64,
    /// Customers whom the plan contacts through it.
    pub customers: usize,
    /// Customers who could be contacted through it in a cycle (eligible, within capacity).
    pub reach: usize,
    /// Money saved per contact and unit of relative effect: value x risk of an average reachable customer.
    pub value_per_effect: f64,
    /// The pilot that would measure it; `None` when no pilot of any size would.
    pub pilot: Option<Pilot>,
    /// What may be spent on a pilot in all: the exploration share of the budget, over the cycles it may take.
    pub pilot_budget: f64,
    /// Where a new channel stands; [`PilotState::Proposed`] for every other one.
    pub pilot_state: PilotState,
    /// Contacts of its pilot that have been measured.
    pub pilot_measured: u64,
    /// The channel's own limit that costs most, with its shadow price; `None` when none binds.
    pub held_back: Option<OwnLimit>,
}

/// A limit of the channel itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OwnLimit {
    /// What it limits.
    pub what: LimitKind,
    /// Value of one more unit of it: a contact, or a unit of currency.
    pub shadow_price: f64,
}

/// What a channel's own limit limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitKind {
    /// Contacts.
    Capacity,
    /// Spend.
    Budget,
}

/// Certainty asked for before expanding or shrinking.
const SURE: f64 = 0.9;
/// A plan that contacts fewer than so many times the customers that exploration does hardly uses a channel.
const HARDLY_USED: f64 = 2.0;
/// Chance of paying for itself below which a channel is retired.
const HOPELESS: f64 = 0.05;

/// Judges a channel; the first rule that applies decides. Probabilities are normal, from the beliefs given.
///
/// 1. A channel in a pilot is *open*, one whose pilot was dropped is *retire*, one that no pilot is worth is *hold*.
/// 2. *retire*: P(effect > breakeven) < 0.05.
/// 3. *open*: not measured; the plan contacts less than twice the customers that the
///    exploration alone would; and [`pilot_pays`].
/// 4. *expand*: P(marginal return > budget price) >= 0.9, the next unit pays at all, and the budget or a limit of the
///    channel binds (with none of them there is nothing to expand into).
/// 5. *shrink*: the plan uses it and P(marginal return < budget price) >= 0.9.
/// 6. *hold* otherwise.
///
/// The budget price is the shadow price of the total budget; a channel whose marginal return lies above it is held back
/// by a limit of its own, which the reason names. The sentence returned is lower case without a full stop.
#[must_use]
pub fn verdict(input: &VerdictInput) -> (Verdict, String) {
    let pays = chance_to_pay(input);
    match input.pilot_state {
        PilotState::Running => return (Verdict::Open, running_reason(input, pays)),
        PilotState::Dropped => return (Verdict::Retire, dropped_reason(input, pays)),
        PilotState::Declined => return (Verdict::Hold, declined_reason(input, pays)),
        PilotState::Proposed | PilotState::Promoted => {}
    }
    if pays < HOPELESS {
        return (Verdict::Retire, retire_reason(input, pays));
    }
    if let Some(reason) = open_reason(input, pays) {
        return (Verdict::Open, reason);
    }
    let better = above(
        input.marginal_return.mean,
        input.marginal_return.sd,
        input.budget_price,
    );
    let can_grow = input.held_back.is_some() || input.budget_price > 1e-9;
    if better >= SURE && input.marginal_return.mean > 0.0 && can_grow {
        return (
            Verdict::Expand,
            format!(
                "{}{}",
                margin_reason(input, "more", better),
                held_back(input.held_back)
            ),
        );
    }
    if 1.0 - better >= SURE && input.customers > 0 {
        return (Verdict::Shrink, margin_reason(input, "less", 1.0 - better));
    }
    (Verdict::Hold, hold_reason(input, better))
}

/// What a response curve says of a channel's next unit of spend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Curve {
    /// Outcome that one more unit of currency brings, with its 90 % interval.
    pub marginal: Estimate,
    /// Whether the outcome is money in the plan's sense, so that it can be held against the budget's price.
    pub in_value: bool,
}

/// The verdict beside the channel's response curve, with what the curve says in the reason.
///
/// The curve has a veto and nothing more: *expand* becomes *hold* when P(net marginal return < budget price) >= 0.9, and
/// *shrink* becomes *hold* when P(net marginal return > budget price) >= 0.9. Net means less the unit spent; the
/// probabilities take the curve's 90 % interval for a normal one. A curve whose outcome is not the plan's money is told only.
#[must_use]
pub fn with_curve(
    (verdict, reason): (Verdict, String),
    curve: Curve,
    budget_price: f64,
) -> (Verdict, String) {
    let Estimate { mean, low, high } = curve.marginal;
    if !curve.in_value {
        let told = format!(
            "{reason}; by its response curve one more unit of currency brings {} of the outcome (90 %: {} to {})",
            cents(mean),
            cents(low),
            cents(high),
        );
        return (verdict, told);
    }
    let net = mean - 1.0;
    let better = above(net, (high - low) / (2.0 * Estimate::Z90), budget_price);
    let (word, held) = match verdict {
        Verdict::Expand if 1.0 - better >= SURE => (Verdict::Hold, "; held back, as "),
        Verdict::Shrink if better >= SURE => (Verdict::Hold, "; kept, as "),
        other => (other, "; "),
    };
    let told = format!(
        "{reason}{held}by its response curve one more unit earns {} (90 %: {} to {}), more than the budget's price of {} \
         with {:.0} % certainty",
        cents(net),
        cents(low - 1.0),
        cents(high - 1.0),
        cents(budget_price),
        100.0 * better,
    );
    (word, told)
}

/// P(effect > breakeven): the chance that an average contact pays for itself.
#[must_use]
pub fn chance_to_pay(input: &VerdictInput) -> f64 {
    above(input.effect.mean, input.effect.sd, input.breakeven)
}

/// What one cycle at full reach is worth, net of cost, with the channel used only if it turns out to pay:
/// `reach x value_per_effect x E[(effect - breakeven)+]`.
#[must_use]
pub fn worth_knowing(input: &VerdictInput) -> f64 {
    let excess = expected_excess(input.effect.mean, input.effect.sd, input.breakeven);
    input.reach as f64 * input.value_per_effect * excess
}

/// Whether a pilot exists, costs no more than `pilot_budget`, and less than [`worth_knowing`].
#[must_use]
pub fn pilot_pays(input: &VerdictInput) -> bool {
    input
        .pilot
        .is_some_and(|pilot| pilot.cost <= input.pilot_budget && worth_knowing(input) > pilot.cost)
}

fn running_reason(input: &VerdictInput, pays: f64) -> String {
    let size = input.pilot.map_or(0, |pilot| pilot.contacts);
    let so_far = if input.pilot_measured == 0 {
        "nothing is measured yet".to_owned()
    } else {
        format!("{} of them are measured", input.pilot_measured)
    };
    format!(
        "in a pilot of {size} contacts, {so_far}; a contact pays from an effect of {:.1} %, and the chance that it \
         reaches that is {:.0} %",
        100.0 * input.breakeven,
        100.0 * pays,
    )
}

fn dropped_reason(input: &VerdictInput, pays: f64) -> String {
    format!(
        "dropped after a pilot with {} measured contacts: a contact pays from an effect of {:.1} %, and the chance that \
         it reaches that is {:.0} %",
        input.pilot_measured,
        100.0 * input.breakeven,
        100.0 * pays,
    )
}

fn declined_reason(input: &VerdictInput, pays: f64) -> String {
    let Some(pilot) = input.pilot else {
        return "new, and no pilot is possible: nobody is randomised, or a contact costs more than it could ever save; \
                pilot = false plans it on what is borrowed"
            .to_owned();
    };
    format!(
        "new, and not worth a pilot: {} contacts would cost {}, may cost {} and could earn {} a cycle; the chance that a \
         contact pays is {:.0} %",
        pilot.contacts,
        cents(pilot.cost),
        cents(input.pilot_budget),
        cents(worth_knowing(input)),
        100.0 * pays,
    )
}

fn held_back(limit: Option<OwnLimit>) -> String {
    limit.map_or_else(String::new, |limit| match limit.what {
        LimitKind::Capacity => format!(
            "; its capacity holds it back, where one more contact earns {}",
            cents(limit.shadow_price)
        ),
        LimitKind::Budget => format!(
            "; its own budget holds it back, where one more unit earns {}",
            cents(limit.shadow_price)
        ),
    })
}

fn retire_reason(input: &VerdictInput, pays: f64) -> String {
    format!(
        "a contact pays from an effect of {:.1} %, and the chance that it reaches that is {:.0} % ({} {:.1} %)",
        100.0 * input.breakeven,
        100.0 * pays,
        source(input),
        100.0 * input.effect.mean,
    )
}

fn open_reason(input: &VerdictInput, pays: f64) -> Option<String> {
    let pilot = input.pilot.filter(|_| !input.measured)?;
    let little_used = (input.customers as f64) < HARDLY_USED * pilot.contacts_per_cycle;
    (little_used && pilot_pays(input)).then(|| {
        format!(
            "not measured yet; a pilot with {} customers for {} pays with a chance of {:.0} % and could earn {} a cycle",
            pilot.contacts,
            cents(pilot.cost),
            100.0 * pays,
            cents(worth_knowing(input)),
        )
    })
}

fn margin_reason(input: &VerdictInput, which: &str, sure: f64) -> String {
    format!(
        "one more unit of currency earns {} here, {which} than the budget's price of {} with {:.0} % certainty",
        cents(input.marginal_return.mean),
        cents(input.budget_price),
        100.0 * sure,
    )
}

fn hold_reason(input: &VerdictInput, better: f64) -> String {
    format!(
        "one more unit of currency earns {} here against the budget's price of {}; the chance that it earns more is {:.0} %",
        cents(input.marginal_return.mean),
        cents(input.budget_price),
        100.0 * better,
    )
}

/// An amount to the cent, never minus zero: `12,345.60`.
fn cents(amount: f64) -> String {
    let text = format!("{:.2}", amount.abs());
    let (whole, part) = text.split_once('.').unwrap_or((&text, "00"));
    let sign = if amount < 0.0 && text != "0.00" { "-" } else { "" };
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}.{part}")
}

fn source(input: &VerdictInput) -> &'static str {
    if input.measured { "measured" } else { "assumed" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_readable() {
        assert_eq!(cents(-0.001), "0.00");
        assert_eq!(cents(999.995), "1,000.00");
        assert_eq!(cents(-1_234_567.8), "-1,234,567.80");
        assert_eq!(cents(12.0), "12.00");
    }

    fn channel() -> VerdictInput {
        VerdictInput {
            measured: true,
            effect: Belief { mean: 0.08, sd: 0.03 },
            breakeven: 0.02,
            marginal_return: Belief { mean: 2.0, sd: 1.0 },
            budget_price: 1.8,
            customers: 1200,
            reach: 5000,
            value_per_effect: 100.0,
            pilot: None,
            pilot_budget: 500.0,
            pilot_state: PilotState::Proposed,
            pilot_measured: 0,
            held_back: None,
        }
    }

    const PILOT: Pilot = Pilot {
        contacts: 300,
        contacts_for_smallest: 300,
        cost: 300.0,
        cycles: 2,
        contacts_per_cycle: 150.0,
        smallest_profitable_effect: 0.02,
        detectable_effect: Some(0.02),
        standard_error: 0.01,
    };

    fn check(input: VerdictInput, expected: Verdict, words: &str) {
        let (verdict, reason) = verdict(&input);
        assert_eq!(verdict, expected, "{reason}");
        assert!(reason.contains(words), "{reason}");
    }

    #[test]
    fn margins_decide_between_expand_hold_and_shrink() {
        check(
            channel(),
            Verdict::Hold,
            "2.00 here against the budget's price of 1.80; the chance that it earns more is 58 %",
        );
        let margin = |mean| VerdictInput {
            marginal_return: Belief { mean, sd: 1.0 },
            ..channel()
        };
        check(
            margin(3.2),
            Verdict::Expand,
            "3.20 here, more than the budget's price of 1.80 with 92 % certainty",
        );
        check(
            margin(0.4),
            Verdict::Shrink,
            "0.40 here, less than the budget's price of 1.80 with 92 % certainty",
        );
    }

    #[test]
    fn a_curve_can_only_hold_back() {
        let reason = || "so it is".to_owned();
        let curve = |mean: f64, in_value| Curve {
            marginal: Estimate::normal(mean, 0.5, Estimate::Z90),
            in_value,
        };
        for (verdict, mean, in_value, expected, words) in [
            (
                Verdict::Expand,
                1.2,
                true,
                Verdict::Hold,
                "so it is; held back, as by its response curve one more unit earns 0.20 (90 %: -0.62 to 1.02), more than the budget's price of 1.80 with 0 % certainty",
            ),
            (Verdict::Expand, 2.5, true, Verdict::Expand, "with 27 % certainty"),
            (
                Verdict::Shrink,
                3.6,
                true,
                Verdict::Hold,
                "kept, as by its response curve one more unit earns 2.60",
            ),
            (Verdict::Shrink, 2.8, true, Verdict::Shrink, "with 50 % certainty"),
            (
                Verdict::Retire,
                9.0,
                true,
                Verdict::Retire,
                "with 100 % certainty",
            ),
            (
                Verdict::Expand,
                0.1,
                false,
                Verdict::Expand,
                "brings 0.10 of the outcome (90 %: -0.72 to 0.92)",
            ),
        ] {
            let (word, told) = with_curve((verdict, reason()), curve(mean, in_value), 1.8);
            assert!(word == expected && told.contains(words), "{word:?}: {told}");
        }
        for verdict in Verdict::ALL {
            assert_eq!(Verdict::from_name(verdict.as_str()), Some(verdict));
        }
        assert_eq!(Verdict::from_name("off"), None);
    }

    #[test]
    fn a_certain_tie_is_held() {
        let input = VerdictInput {
            marginal_return: Belief { mean: 1.8, sd: 0.0 },
            budget_price: 1.8,
            ..channel()
        };
        check(input, Verdict::Hold, "chance that it earns more is 50 %");
    }

    #[test]
    fn nothing_is_expanded_into_a_loss() {
        let input = VerdictInput {
            marginal_return: Belief { mean: -1.0, sd: 0.1 },
            budget_price: -2.0,
            ..channel()
        };
        check(input, Verdict::Hold, "-1.00");
    }

    #[test]
    fn a_channel_that_hardly_ever_pays_is_retired() {
        let input = VerdictInput {
            effect: Belief {
                mean: 0.01,
                sd: 0.005,
            },
            breakeven: 0.03,
            ..channel()
        };
        check(input, Verdict::Retire, "pays from an effect of 3.0 %");
    }

    #[test]
    fn an_unmeasured_channel_opens_when_its_pilot_pays() {
        let new = VerdictInput {
            measured: false,
            customers: 0,
            pilot: Some(PILOT),
            ..channel()
        };
        check(
            new,
            Verdict::Open,
            "a pilot with 300 customers for 300.00 pays with a chance of 98 %",
        );
        for not_open in [
            VerdictInput {
                measured: true,
                ..new
            },
            VerdictInput {
                customers: 300,
                ..new
            },
            VerdictInput {
                pilot_budget: 299.0,
                ..new
            },
            VerdictInput { reach: 10, ..new },
            VerdictInput { pilot: None, ..new },
        ] {
            check(not_open, Verdict::Hold, "budget's price");
        }
    }

    #[test]
    fn an_own_limit_is_named_where_it_holds_back() {
        let input = VerdictInput {
            marginal_return: Belief { mean: 3.2, sd: 1.0 },
            held_back: Some(OwnLimit {
                what: LimitKind::Capacity,
                shadow_price: 5.1,
            }),
            ..channel()
        };
        check(
            input,
            Verdict::Expand,
            "; its capacity holds it back, where one more contact earns 5.10",
        );
    }

    #[test]
    fn where_nothing_binds_there_is_nothing_to_expand_into() {
        let free = VerdictInput {
            marginal_return: Belief { mean: 3.2, sd: 0.1 },
            budget_price: 0.0,
            ..channel()
        };
        check(free, Verdict::Hold, "chance that it earns more is 100 %");
    }

    #[test]
    fn what_is_not_used_cannot_shrink() {
        let input = VerdictInput {
            marginal_return: Belief { mean: 0.4, sd: 0.1 },
            customers: 0,
            ..channel()
        };
        check(input, Verdict::Hold, "chance that it earns more is 0 %");
    }

    #[test]
    fn the_pilot_comes_before_every_other_rule() {
        let at = |pilot_state, pilot_measured| VerdictInput {
            pilot: Some(PILOT),
            pilot_state,
            pilot_measured,
            ..channel()
        };
        for (state, measured, expected, words) in [
            (PilotState::Running, 0, Verdict::Open, "nothing is measured yet"),
            (
                PilotState::Running,
                120,
                Verdict::Open,
                "120 of them are measured",
            ),
            (
                PilotState::Dropped,
                300,
                Verdict::Retire,
                "dropped after a pilot with 300",
            ),
            (
                PilotState::Declined,
                0,
                Verdict::Hold,
                "not worth a pilot: 300 contacts",
            ),
            (PilotState::Promoted, 300, Verdict::Hold, "budget's price"),
        ] {
            check(at(state, measured), expected, words);
        }
        let none = VerdictInput {
            pilot: None,
            ..at(PilotState::Declined, 0)
        };
        check(none, Verdict::Hold, "no pilot is possible");
    }
}
