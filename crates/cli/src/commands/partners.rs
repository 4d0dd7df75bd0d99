//! A sheet per partner with terms: what it gets, what it costs, what it is worth.

use thalweg_engine::wire::PartnerOut;

use crate::text::{amount, cents, count, hang, heading};

/// Where the lines of a sheet begin, after their labels.
const INDENT: usize = 18;

/// The sheets; nothing without such partners.
pub(crate) fn sheets(partners: &[PartnerOut], currency: &str) -> String {
    if partners.is_empty() {
        return String::new();
    }
    let mut text = heading("Partners");
    for own in partners {
        text.push_str(&sheet(own, currency));
    }
    text
}

fn sheet(own: &PartnerOut, currency: &str) -> String {
    let state = if own.used { "used" } else { "not used" };
    let contacts = own.their_earnings - own.fee - own.revenue_share_paid;
    let mut text = format!("  {}: {state}\n", own.name);
    let mut line = |label: &str, said: &str| {
        let body = hang(said, INDENT, INDENT);
        text.push_str(&format!("    {label:<14}{}", body.trim_start()));
    };
    line(
        "terms",
        &format!(
            "a fee of {}, {:.1} % of what a contact is expected to bring, at least {} contacts",
            cents(own.fixed_fee),
            100.0 * own.revenue_share,
            own.minimum_volume
        ),
    );
    if own.used {
        line("contacts", &count(own.volume));
        line(
            "they earn",
            &format!(
                "{} {currency} = fee {} + share {} + contacts {}",
                cents(own.their_earnings),
                cents(own.fee),
                cents(own.revenue_share_paid),
                cents(contacts)
            ),
        );
    }
    if let Some(gain) = own.our_gain {
        let said = format!(
            "{} {currency} (90 %: {} to {})",
            amount(gain.mean),
            amount(gain.ci90[0]),
            amount(gain.ci90[1])
        );
        line(if own.used { "we gain" } else { "we would gain" }, &said);
    }
    if let Some(volume) = own.break_even_volume.filter(|volume| *volume > 0) {
        line(
            "fee pays",
            &format!("from {volume} contacts on, at the average gain per contact"),
        );
    }
    line("why", &own.reason);
    text
}
