//! `thalweg plan --scenario`: named what-ifs side by side.

use std::path::Path;
use std::process::ExitCode;

use thalweg_domain::Result;
use thalweg_engine::wire::{ScenarioOut, ScenariosOut};

use crate::context::Context;
use crate::text::{Align, Grid, amount, cents, count, hang, heading, percent, wrap};

/// Scenarios beside the configuration in one block of the table.
const BESIDE: usize = 2;

pub(crate) fn run(context: &Context, file: &Path) -> Result<ExitCode> {
    let mut session = context.session(None)?;
    let out = session.compare(file)?;
    let next = session.suggest("report");
    context
        .output
        .result(&out, |out| format!("{}\nnext    {next}\n", compared(out)))?;
    Ok(if out.scenarios.iter().all(|own| own.feasible) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(4)
    })
}

/// What differs, then the table in blocks that fit, then what it says.
fn compared(out: &ScenariosOut) -> String {
    let Some((configured, scenarios)) = out.scenarios.split_first() else {
        return String::new();
    };
    let mut text = heading(&format!(
        "{} beside the configuration, cycle {}, amounts in {}",
        match scenarios.len() {
            1 => "One scenario".to_owned(),
            n => format!("{n} scenarios"),
        },
        out.cycle,
        out.currency
    ));
    for own in scenarios {
        text.push_str(&hang(&format!("{}: {}", own.name, own.changes.join("; ")), 2, 4));
    }
    for block in scenarios.chunks(BESIDE) {
        text.push('\n');
        let columns: Vec<&ScenarioOut> = std::iter::once(configured).chain(block).collect();
        text.push_str(&table(&columns).render(2));
    }
    text.push('\n');
    for own in out.scenarios.iter().filter(|own| !own.feasible) {
        let conflicts = own.conflicts.join(", ");
        text.push_str(&wrap(
            &format!(
                "{}: INFEASIBLE: these contradict each other: {conflicts}.",
                own.name
            ),
            2,
        ));
    }
    text.push_str(&wrap(&finding(out), 2));
    text
}

fn table(columns: &[&ScenarioOut]) -> Grid {
    let mut head = vec![("", Align::Left)];
    head.extend(columns.iter().map(|own| (own.name.as_str(), Align::Left)));
    let mut grid = Grid::new(&head);
    let mut row = |what: &str, of: &dyn Fn(&ScenarioOut) -> String| {
        let cells = columns.iter().map(|own| of(own));
        grid.row(std::iter::once(what.to_owned()).chain(cells).collect());
    };
    row("customers treated", &|own| count(own.treated));
    row("spend", &|own| cents(own.spend));
    row("of a budget of", &|own| cents(own.budget));
    row("expected gain", &|own| amount(own.expected_value.mean));
    row("  90 %", &|own| between(own.expected_value.ci90));
    row("difference", &|own| {
        own.difference.map_or_else(String::new, |own| plus(own.mean))
    });
    row("  90 %", &|own| match own.difference {
        None => String::new(),
        Some(own) => own.ci90.map_or_else(|| "other beliefs".to_owned(), between),
    });
    row("at most", &|own| amount(own.upper_bound));
    row("gap", &|own| percent(own.gap, 3));
    row("one more of budget", &|own| cents(own.budget_price));
    row("feasible", &|own| {
        if own.feasible { "yes" } else { "NO" }.to_owned()
    });
    for (index, first) in columns
        .first()
        .map_or(&[][..], |own| &own.channels)
        .iter()
        .enumerate()
    {
        row(&first.name, &|own| {
            own.channels.get(index).map_or_else(String::new, |channel| {
                format!(
                    "{} · {} · {}",
                    count(channel.customers),
                    amount(channel.spend),
                    channel.verdict
                )
            })
        });
    }
    grid
}

fn between([low, high]: [f64; 2]) -> String {
    format!("{} to {}", amount(low), amount(high))
}

fn plus(number: f64) -> String {
    let text = amount(number);
    if text.starts_with('-') || text == "0" {
        text
    } else {
        format!("+{text}")
    }
}

/// The scenario that gains most, and how sure that is.
fn finding(out: &ScenariosOut) -> String {
    let gain = |own: &ScenarioOut| own.difference.map_or(0.0, |own| own.mean);
    let Some(best) = out.best() else {
        return "No scenario is feasible.".to_owned();
    };
    let note =
        "Channels: customers · spend · verdict. No decision was written; the plan in force stays as it is.";
    if gain(best) <= 0.0 {
        return format!("No scenario is expected to gain more than the configuration as it is. {note}");
    }
    let sure = match best.difference.and_then(|own| own.ci90) {
        Some([low, _]) if low > 0.0 => "; the effects would have to be far off for it to gain less",
        Some(_) => "; so uncertain are the effects that it may gain less",
        None => ", if its beliefs are true",
    };
    format!(
        "\"{}\" is expected to gain {} {} more{sure}. {note}",
        best.name,
        amount(gain(best)),
        out.currency
    )
}
