//! `thalweg demo`: six turns of the loop beside four policies on a business whose truth is known.

use std::process::ExitCode;

use thalweg_domain::Result;
use thalweg_engine::demo::{DemoRequest, demo};
use thalweg_engine::wire::{DemoCycleOut, DemoOut};

use crate::args::DemoArgs;
use crate::context::Context;
use crate::text::{Align, Grid, amount, count, percent, wrap};

const POLICIES: &[(&str, &str)] = &[
    ("nobody", "nobody"),
    ("random", "random"),
    ("top_risk", "top risk"),
    ("thalweg", "thalweg"),
    ("oracle", "informed plan"),
];

pub(crate) fn run(context: &Context, args: &DemoArgs) -> Result<ExitCode> {
    let options = context.options();
    let request = DemoRequest {
        customers: args.customers,
        cycles: args.cycles,
        seed: options.seed.unwrap_or(1),
        keep: args.keep.clone(),
        progress: options.progress,
    };
    let out = demo(&request)?;
    context.output.result(&out, render)?;
    Ok(ExitCode::SUCCESS)
}

fn render(out: &DemoOut) -> String {
    let hostile = if out.hostile { ", a hostile market" } else { "" };
    let mut text = wrap(
        &format!(
            "A simulated business, {} customers, seed {}{hostile}. The engine does not see the truth; this table does: \
             true incremental profit per cycle.",
            count(out.customers),
            out.seed
        ),
        0,
    );
    text.push('\n');
    text.push_str(&table(out).render(2));
    text.push('\n');
    text.push_str(&wrap(
        &format!(
            "informed plan: knows the true expected effects, obeys the same limits and hold-out. \
             Price of holding out 10 %: {}.",
            amount(out.price_of_holdout)
        ),
        2,
    ));
    for change in &out.changed {
        text.push_str(&wrap(change, 2));
    }
    text
}

fn table(out: &DemoOut) -> Grid {
    let mut titles = vec![("cycle", Align::Right)];
    titles.extend(POLICIES.iter().map(|(_, title)| (*title, Align::Right)));
    titles.push(("share", Align::Right));
    titles.push(("believed (95 %)", Align::Right));
    let mut grid = Grid::new(&titles);
    for cycle in &out.cycles {
        grid.row(row(cycle));
    }
    let mut sums = vec!["all".to_owned()];
    sums.extend(
        POLICIES
            .iter()
            .map(|(key, _)| amount(out.total.get(*key).copied().unwrap_or(0.0))),
    );
    sums.push(percent(out.oracle_share, 0));
    sums.push(String::new());
    grid.row(sums);
    grid
}

fn row(cycle: &DemoCycleOut) -> Vec<String> {
    let mut row = vec![cycle.cycle.to_string()];
    row.extend(
        POLICIES
            .iter()
            .map(|(key, _)| amount(cycle.profit.get(*key).copied().unwrap_or(0.0))),
    );
    row.push(percent(cycle.oracle_share, 0));
    row.push(format!(
        "{} .. {}",
        amount(cycle.estimate.ci95[0]),
        amount(cycle.estimate.ci95[1])
    ));
    row
}
