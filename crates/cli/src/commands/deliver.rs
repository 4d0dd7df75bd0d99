//! `thalweg deliver`: what went out, what was left out and why.

use std::process::ExitCode;

use thalweg_domain::Result;
use thalweg_engine::wire::DeliverOut;

use crate::args::DeliverArgs;
use crate::context::Context;
use crate::text::{Align, Grid, count, wrap};

pub(crate) fn run(context: &Context, args: &DeliverArgs) -> Result<ExitCode> {
    let session = context.session(None)?;
    let out = session.deliver(args.dry_run)?;
    let next = if args.dry_run || out.waiting > 0 {
        session.suggest("deliver")
    } else {
        session.suggest("feedback events.jsonl")
    };
    context
        .output
        .result(&out, |out| format!("{}\nnext    {next}\n", render(out)))?;
    let failed = out.channels.iter().any(|channel| channel.failed > 0);
    Ok(if failed {
        ExitCode::from(6)
    } else {
        ExitCode::SUCCESS
    })
}

fn render(out: &DeliverOut) -> String {
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
    text
}
