//! A sheet per partner with terms: what it gets, what it costs, what it is worth.

use thalweg_engine::wire::PartnerOut;

use crate::text::{amount, cents, count, hang, heading};

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
    let mut lines = vec![
        format!("{}: {state}", own.name),
        format!(
            "terms        a fee of {}, {:.1} % of what a contact is expected to bring, at least {} contacts",
            cents(own.fixed_fee),
            100.0 * own.revenue_share,
            own.minimum_volume
        ),
        format!("contacts     {}", count(own.volume)),
        format!(
            "they earn    {} {currency} = fee {} + share {} + contacts {}",
            cents(own.their_earnings),
            cents(own.fee),
            cents(own.revenue_share_paid),
            cents(contacts)
        ),
    ];
    lines.extend(own.our_gain.map(|gain| {
        format!(
            "{} {} {currency} (90 %: {} to {})",
            if own.used { "we gain     " } else { "we would gain" },
            amount(gain.mean),
            amount(gain.ci90[0]),
            amount(gain.ci90[1])
        )
    }));
    if own.fixed_fee > 0.0 {
        lines.push(match own.break_even_volume {
            Some(volume) => {
                format!("fee pays     from {volume} contacts on, at the average gain per contact")
            }
            None => "fee pays     at no number of contacts".to_owned(),
        });
    }
    lines.push(format!("why          {}", own.reason));
    let mut lines = lines.iter();
    let head = lines.next().map_or_else(String::new, |line| hang(line, 2, 4));
    lines.fold(head, |text, line| text + &hang(line, 4, 17))
}
