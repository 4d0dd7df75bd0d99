//! Pilots of new channels: what each takes, what it can show, and what follows from what it finds.

use super::facts::Facts;
use super::html::{Cell, Table, escape, note, number, text};
use super::words::{count, grouped, percent};
use crate::wire::{ChannelOut, PilotOut};

/// A table with its finding; nothing when no pilot runs or is proposed.
pub(super) fn sheets(facts: &Facts) -> String {
    let open: Vec<(&ChannelOut, &PilotOut)> = facts
        .plan
        .channels
        .iter()
        .filter_map(|own| Some((own, own.pilot.as_ref().filter(|pilot| pilot.is_open())?)))
        .collect();
    if open.is_empty() {
        return String::new();
    }
    let table = Table {
        caption: "Pilots, paid out of the share that is randomised",
        head: vec![
            "Channel".to_owned(),
            "Pilot".to_owned(),
            "Contacts".to_owned(),
            "In this cycle".to_owned(),
            format!("Cost, {}", facts.currency),
            "Cycles".to_owned(),
            "Days".to_owned(),
            "Smallest effect that pays".to_owned(),
            "Shows, with 80 % power".to_owned(),
            "What follows".to_owned(),
        ],
        rows: open.iter().map(|(channel, pilot)| row(channel, pilot)).collect(),
    };
    format!(
        "<h3>{}</h3>\n{}{}",
        escape(&finding(facts, &open)),
        table.html(),
        note(
            "In a pilot only customers drawn at random are contacted through the channel. Effects are relative: shares of the \
             outcome without contact. The chances of what follows are as believed now."
        )
    )
}

fn finding(facts: &Facts, open: &[(&ChannelOut, &PilotOut)]) -> String {
    let said = |state: &str, one: &str, many: &str| {
        let pilots = open.iter().map(|(_, pilot)| *pilot);
        let costs: Vec<f64> = pilots
            .filter(|pilot| pilot.state == state)
            .map(|pilot| pilot.cost)
            .collect();
        let what = if costs.len() == 1 { one } else { many };
        let cost = costs.iter().sum();
        (!costs.is_empty()).then(|| format!("{} {what} {}", count(costs.len()), facts.money(cost)))
    };
    let both = [
        said("running", "pilot runs for", "pilots run for"),
        said("proposed", "pilot is proposed for", "pilots are proposed for"),
    ];
    both.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn row(channel: &ChannelOut, pilot: &PilotOut) -> Vec<Cell> {
    let contacts = |n: u64| count(usize::try_from(n).unwrap_or(usize::MAX));
    let more = if pilot.n_for_smallest > pilot.n {
        format!("would take {} contacts", contacts(pilot.n_for_smallest))
    } else {
        "these contacts show it".to_owned()
    };
    vec![
        text(&channel.name),
        text(&pilot.state),
        Cell::Estimate(
            contacts(pilot.n),
            format!("{} measured", contacts(pilot.measured)),
        ),
        number(count(pilot.this_cycle)),
        number(grouped(pilot.cost, 2)),
        number(contacts(pilot.cycles)),
        number(grouped(pilot.days, 0)),
        Cell::Estimate(percent(pilot.smallest_profitable_effect, 1), more),
        number(
            pilot
                .detectable_effect
                .map_or_else(|| "no effect".to_owned(), |effect| percent(effect, 1)),
        ),
        Cell::Prose(follows(channel, pilot)),
    ]
}

/// `99 %: it is promoted (93 % when …; 6 % when …).`
fn follows(channel: &ChannelOut, pilot: &PilotOut) -> String {
    let mut said: Vec<String> = pilot
        .follows()
        .map(|(then, chance, outcomes)| {
            let each: Vec<String> = outcomes
                .iter()
                .map(|outcome| format!("{} {}", percent(outcome.probability, 0), outcome.when))
                .collect();
            format!("{}: {then} ({}).", percent(chance, 0), each.join("; "))
        })
        .collect();
    if !channel.effect.borrowed_from.is_empty() {
        said.push(format!(
            "What is believed comes from {}.",
            channel.effect.borrowed_from.join(", ")
        ));
    }
    said.join(" ")
}
