//! Verdicts: open, expand, hold, shrink or retire a channel, with the reason in numbers.

use thalweg_domain::Belief;

use crate::normal::{above, expected_excess};
use crate::pilot::Pilot;

/// What to do with a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Not yet measured, hardly used, and a pilot pays.
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
}

/// Certainty asked for before expanding or shrinking.
const SURE: f64 = 0.9;
/// Chance of paying for itself below which a channel is retired.
const HOPELESS: f64 = 0.05;

/// Judges a channel; the first rule that applies decides. Probabilities are normal, from the beliefs given.
///
/// 1. *retire*: P(effect > breakeven) < 0.05.
/// 2. *open*: not measured; the plan contacts fewer customers than the pilot's arm needs; the pilot costs no more
///    than `pilot_budget`; and it pays: one cycle at full reach with the channel used only if it turns out
///    profitable, `reach x value_per_effect x E[(effect - breakeven)+]`, is worth more than the pilot costs.
/// 3. *expand*: P(marginal return > budget price) >= 0.9 and the next unit pays at all.
/// 4. *shrink*: P(marginal return < budget price) >= 0.9.
/// 5. *hold* otherwise.
///
/// The sentence returned is lower case without a full stop.
#[must_use]
pub fn verdict(input: &VerdictInput) -> (Verdict, String) {
    let pays = above(input.effect.mean, input.effect.sd, input.breakeven);
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
    if better >= SURE && input.marginal_return.mean > 0.0 {
        return (Verdict::Expand, margin_reason(input, "more", better));
    }
    if 1.0 - better >= SURE {
        return (Verdict::Shrink, margin_reason(input, "less", 1.0 - better));
    }
    (Verdict::Hold, hold_reason(input, better))
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
    let little_used = (input.customers as u64) < pilot.n_per_arm;
    let worth = input.reach as f64
        * input.value_per_effect
        * expected_excess(input.effect.mean, input.effect.sd, input.breakeven);
    (little_used && pilot.cost <= input.pilot_budget && worth > pilot.cost).then(|| {
        format!(
            "not measured yet; a pilot with {} customers for {:.2} pays with a chance of {:.0} % and could earn {:.2} a cycle",
            pilot.n_per_arm,
            pilot.cost,
            100.0 * pays,
            worth,
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

/// An amount to the cent, never minus zero.
fn cents(amount: f64) -> String {
    let text = format!("{amount:.2}");
    text.strip_prefix('-')
        .filter(|rest| *rest == "0.00")
        .map_or_else(|| text.clone(), str::to_owned)
}

fn source(input: &VerdictInput) -> &'static str {
    if input.measured { "measured" } else { "assumed" }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        }
    }

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
        let pilot = Pilot {
            n_per_arm: 300,
            cost: 300.0,
            cycles: 2,
            smallest_profitable_effect: 0.01,
        };
        let new = VerdictInput {
            measured: false,
            customers: 0,
            pilot: Some(pilot),
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
}
