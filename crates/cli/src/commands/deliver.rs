//! `thalweg deliver`: what went out, what was left out and why.

use std::process::ExitCode;

use thalweg_domain::Result;
use thalweg_engine::wire::{DeliverOut, DeliverSpendOut};

use crate::args::DeliverArgs;
use crate::context::Context;
use crate::text::{Align, Grid, cents, count, wrap};

pub(crate) fn run(context: &Context, args: &DeliverArgs) -> Result<ExitCode> {
    let session = context.session(None)?;
    let out = session.deliver(args.dry_run)?;
    let next = if args.dry_run || out.waiting > 0 {
        session.suggest("deliver")
    } else {
        session.suggest("feedback events.jsonl")
    };
    let currency = &session.workspace.config.currency;
    context
        .output
        .result(&out, |out| format!("{}\nnext    {next}\n", render(out, currency)))?;
    let failed = out.channels.iter().any(|channel| channel.failed > 0);
    Ok(if failed {
        ExitCode::from(6)
    } else {
        ExitCode::SUCCESS
    })
}

fn render(out: &DeliverOut, currency: &str) -> String {
    let what = if out.dry_run {
        "would go out (dry run: nothing was written)"
    } else {
        "out"
    };
    let mut text = wrap(&format!("Cycle {} · plan {}: {what}", out.cycle, out.plan), 0);
    if let (Some(day), Some(days)) = (out.day, out.days) {
        let rest = match out.waiting {
            0 => "everybody's day has come".to_owned(),
            1 => "1 waits for its day".to_owned(),
            waiting => format!("{} wait for their day", count(waiting)),
        };
        text.push_str(&wrap(&format!("Day {day} of {days}; {rest}."), 2));
    }
    let mut grid = Grid::new(&[
        ("channel", Align::Left),
        ("adapter", Align::Left),
        ("messages", Align::Right),
        ("new", Align::Right),
        ("failed", Align::Right),
        ("left out", Align::Left),
        ("file", Align::Left),
    ]);
    for channel in &out.channels {
        let skipped: Vec<String> = channel
            .skipped
            .iter()
            .map(|skipped| format!("{} {}", count(skipped.count), skipped.reason))
            .collect();
        grid.row(vec![
            channel.name.clone(),
            channel.adapter.clone(),
            count(channel.sent),
            count(channel.new),
            count(channel.failed),
            skipped.join(", "),
            channel.file.clone().unwrap_or_default(),
        ]);
    }
    text.push_str(&grid.render(2));
    text.push_str(&spend(&out.spend, currency));
    text
}

fn spend(out: &DeliverSpendOut, currency: &str) -> String {
    let offers = match out.accepted {
        1 => "1 accepted offer".to_owned(),
        accepted => format!("{} accepted offers", count(accepted)),
    };
    let mut text = wrap(
        &format!(
            "Contacts commit {}, {offers} cost {}, of a budget of {} {currency}.",
            cents(out.committed),
            cents(out.realised),
            cents(out.budget)
        ),
        2,
    );
    let held = match out.held_back {
        0 => return text,
        1 => "1 contact is".to_owned(),
        held => format!("{} contacts are", count(held)),
    };
    text.push_str(&wrap(
        &format!("{held} held back: the budget has no room. A higher [plan] budget lets the next delivery send them."),
        2,
    ));
    text
}
