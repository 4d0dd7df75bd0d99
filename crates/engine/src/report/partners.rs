//! Partners with terms: what they get and what they are worth.

use super::facts::Facts;
use super::html::{Cell, Table, number, text};
use super::words::{amount, amounts, count, grouped, percent};
use crate::wire::PartnerOut;

/// A table with its finding; nothing without such partners.
pub(super) fn sheets(facts: &Facts) -> String {
    let partners = &facts.plan.partners;
    if partners.is_empty() {
        return String::new();
    }
    let money = |what: &str| format!("{what}, {}", facts.currency);
    let table = Table {
        caption: "Partners and their terms",
        head: vec![
            "Partner".to_owned(),
            "Used".to_owned(),
            "Contacts".to_owned(),
            "At least".to_owned(),
            money("Fee paid"),
            money("Share paid"),
            money("They earn"),
            money("We gain, 90 %"),
            "Fee pays from, contacts".to_owned(),
            "Reason".to_owned(),
        ],
        rows: partners.iter().map(row).collect(),
    };
    format!(
        "<h3>{}</h3>\n{}",
        super::html::escape(&finding(facts)),
        table.html()
    )
}

fn finding(facts: &Facts) -> String {
    let used: Vec<&PartnerOut> = facts.plan.partners.iter().filter(|own| own.used).collect();
    let all = facts.plan.partners.len();
    if used.is_empty() {
        return match all {
            1 => "The partner is not worth its terms".to_owned(),
            _ => "No partner is worth its terms".to_owned(),
        };
    }
    if all == 1 {
        let earned = facts.money(used.iter().map(|own| own.their_earnings).sum());
        return format!("The partner is worth its terms and earns {earned}");
    }
    format!(
        "{} of {all} partners {} worth the terms and {} {}",
        used.len(),
        if used.len() == 1 { "is" } else { "are" },
        if used.len() == 1 { "earns" } else { "earn" },
        facts.money(used.iter().map(|own| own.their_earnings).sum())
    )
}

fn row(own: &PartnerOut) -> Vec<Cell> {
    vec![
        text(&own.name),
        text(if own.used { "yes" } else { "no" }),
        number(count(own.volume)),
        number(own.minimum_volume.to_string()),
        number(grouped(own.fee, 2)),
        number(grouped(own.revenue_share_paid, 2)),
        number(grouped(own.their_earnings, 2)),
        own.our_gain.map_or_else(
            || text(""),
            |gain| Cell::Estimate(amount(gain.mean), amounts(gain.ci90)),
        ),
        number(
            own.break_even_volume
                .map_or_else(|| "none".to_owned(), |volume| volume.to_string()),
        ),
        Cell::Prose(format!(
            "{} Terms: a fee of {}, {} of what a contact is expected to bring.",
            sentence(&own.reason),
            grouped(own.fixed_fee, 2),
            percent(own.revenue_share, 1)
        )),
    ]
}

fn sentence(reason: &str) -> String {
    format!("{}.", super::words::capital(reason))
}
