//! How the report says numbers, and what it calls people who have the outcome.

use thalweg_domain::OutcomeKind;

use crate::count::to_f64;

/// The words of an outcome kind.
pub(super) struct Words {
    /// What they do: "leave".
    pub(super) verb: &'static str,
    /// What they did: "left".
    pub(super) past: &'static str,
    /// Those who do: "leavers".
    pub(super) people: &'static str,
    /// The probability of it: "risk".
    pub(super) chance: &'static str,
    /// Those with the highest probability: "riskiest".
    pub(super) most: &'static str,
    /// What a good action changes: "fewer customers leave".
    pub(super) better: &'static str,
    /// What a relative effect is a share of: "of those who would leave without it".
    pub(super) base: &'static str,
    /// What a bad action changes: "more customers leave".
    pub(super) worse: &'static str,
}

impl Words {
    pub(super) const fn of(kind: OutcomeKind) -> Self {
        match kind {
            OutcomeKind::Churn => Self {
                verb: "leave",
                past: "left",
                people: "leavers",
                chance: "risk",
                most: "riskiest",
                better: "fewer customers leave",
                base: "% of those who would leave without it",
                worse: "more customers leave",
            },
            OutcomeKind::Conversion => Self {
                verb: "buy",
                past: "bought",
                people: "buyers",
                chance: "chance",
                most: "likeliest",
                better: "more customers buy",
                base: "% on top of those who buy without it",
                worse: "fewer customers buy",
            },
            OutcomeKind::Value => Self {
                verb: "bring money",
                past: "brought money",
                people: "customers who bring money",
                chance: "chance",
                most: "likeliest",
                better: "customers bring more",
                base: "% on top of what comes without it",
                worse: "customers bring less",
            },
        }
    }
}

/// A number with thousands separated: `−1,234.50`.
pub(super) fn grouped(number: f64, decimals: usize) -> String {
    if !number.is_finite() {
        return "n/a".to_owned();
    }
    let plain = format!("{:.decimals$}", number.abs());
    let (whole, rest) = plain
        .split_once('.')
        .map_or((plain.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let mut out = String::new();
    if number < 0.0 && plain.chars().any(|digit| digit.is_ascii_digit() && digit != '0') {
        out.push('−');
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(rest) = rest {
        out.push('.');
        out.push_str(rest);
    }
    out
}

/// A count.
pub(super) fn count(number: usize) -> String {
    grouped(to_f64(number), 0)
}

/// An amount: whole above a hundred, else to the cent.
pub(super) fn amount(number: f64) -> String {
    grouped(number, if number.abs() >= 100.0 { 0 } else { 2 })
}

/// Decimals that suit a column of amounts: none when it has thousands.
pub(super) fn decimals(amounts: impl Iterator<Item = f64>) -> usize {
    if amounts.fold(0.0, |most: f64, amount| most.max(amount.abs())) >= 1000.0 {
        0
    } else {
        2
    }
}

/// An amount on an axis.
pub(super) fn on_axis(number: f64) -> String {
    grouped(
        number,
        if number.abs() >= 10.0 || number == 0.0 {
            0
        } else {
            2
        },
    )
}

/// `12 to 34`, both ends in the precision of the larger.
pub(super) fn amounts([low, high]: [f64; 2]) -> String {
    let decimals = if low.abs().max(high.abs()) >= 100.0 { 0 } else { 2 };
    format!("{} to {}", grouped(low, decimals), grouped(high, decimals))
}

/// A share as per cent: `12.3 %`.
pub(super) fn percent(share: f64, decimals: usize) -> String {
    format!("{}\u{a0}%", grouped(share * 100.0, decimals))
}

/// `1.2 to 3.4 %`.
pub(super) fn percents([low, high]: [f64; 2], decimals: usize) -> String {
    format!(
        "{} to {}\u{a0}%",
        grouped(low * 100.0, decimals),
        grouped(high * 100.0, decimals)
    )
}

/// A difference of shares in percentage points: `+1.2`.
pub(super) fn points(difference: f64) -> String {
    let said = grouped(difference * 100.0, 1);
    if difference > 0.0 {
        format!("+{said}")
    } else {
        said
    }
}

/// `+1.2 to +3.4`.
pub(super) fn points_interval([low, high]: [f64; 2]) -> String {
    format!("{} to {}", points(low), points(high))
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// The same text with a capital at its start.
pub(super) fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

/// `email + discount-10`, or `email` alone.
pub(super) fn action(channel: &str, offer: Option<&str>) -> String {
    offer.map_or_else(|| channel.to_owned(), |offer| format!("{channel} + {offer}"))
}

/// A ratio that is 0 where nothing is.
pub(super) fn ratio(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}
