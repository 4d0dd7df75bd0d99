//! How sure the choice is: what stays of the plan when effects are drawn from what is believed about them.

use super::facts::Facts;
use super::html::{Table, escape, note, number, text};
use super::words::{count, percent};
use crate::wire::{RobustChannelOut, RobustOut};

/// A table with its finding; nothing without `[plan] robust`.
pub(super) fn sheet(facts: &Facts) -> String {
    let Some(robust) = &facts.plan.robust else {
        return String::new();
    };
    let mut out = format!("<h3>{}</h3>\n", escape(&finding(robust)));
    if robust.samples > 0 {
        let head = [
            "Channel",
            "Meant for, customers",
            "Stay the same",
            "Meant for, in 90 % of draws",
        ];
        let rows = robust.channels.iter().map(|own| {
            vec![
                text(&own.name),
                number(count(own.planned)),
                number(
                    own.survival
                        .map_or_else(|| "nobody meant".to_owned(), |share| percent(share, 0)),
                ),
                number(range(own)),
            ]
        });
        out.push_str(&Table::new("How sure the choice is", &head, rows.collect()).html());
    }
    out.push_str(&note(&words(robust)));
    out
}

fn range(own: &RobustChannelOut) -> String {
    let [least, most] = own.planned90;
    format!("{} to {}", count(least), count(most))
}

fn finding(robust: &RobustOut) -> String {
    match robust.survival {
        Some(share) => format!(
            "{} of the actions stay the same when effects are drawn from what is believed about them",
            percent(share, 0)
        ),
        None => "How doubt about the effects counts in this plan".to_owned(),
    }
}

fn words(robust: &RobustOut) -> String {
    let planned = robust.planned_with();
    if robust.samples == 0 {
        return planned;
    }
    format!(
        "{planned} Effects were drawn {} times, and everything planned anew each time. Everybody counts here, held out or not; \
         acceptance of offers and risks stay as they are.",
        count(robust.samples)
    )
}
