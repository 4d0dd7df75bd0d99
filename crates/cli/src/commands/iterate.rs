//! `thalweg iterate`: what the cycle really changed.

use std::process::ExitCode;

use thalweg_domain::Result;
use thalweg_engine::wire::{IterateOut, LiftOut};

use super::{check_lines, exit_for};
use crate::context::Context;
use crate::text::{Align, Grid, amount, cents, count, heading, wrap};

pub(crate) fn run(context: &Context) -> Result<ExitCode> {
    let session = context.session(None)?;
    let out = session.iterate()?;
    let currency = session.workspace.config.currency.clone();
    let next = if out.closed {
        session.suggest("run")
    } else {
        session.suggest("feedback events.jsonl")
    };
    context.output.result(&out, |out| {
        format!("{}\nnext    {next}\n", render(out, &currency))
    })?;
    Ok(exit_for(&out.checks))
}

fn render(out: &IterateOut, currency: &str) -> String {
    let mut text = wrap(
        &format!(
            "Cycle {}: {} decisions are mature, {} are not yet",
            out.cycle,
            count(out.mature),
            count(out.immature)
        ),
        0,
    );
    if out.mature > 0 {
        text.push_str(&total(out, currency));
        text.push_str(&heading(
            "What each action changed (against customers meant for it who got nothing)",
        ));
        text.push_str(&lift_table(&out.lift).render(2));
    }
    let checks = check_lines(&out.checks);
    if !checks.is_empty() {
        text.push_str(&heading("To look at"));
        text.push_str(&checks);
    }
    let moved: Vec<String> = out
        .drift
        .iter()
        .filter(|drift| drift.verdict != "PASS")
        .map(|drift| format!("{} ({:.2})", drift.column, drift.psi))
        .collect();
    if !moved.is_empty() {
        text.push_str(&wrap(
            &format!("Drifted since training (stability index): {}.", moved.join(", ")),
            2,
        ));
    }
    text.push('\n');
    text.push_str(&wrap(
        &format!(
            "Model: {} {}. {}",
            out.promotion.decision, out.promotion.champion, out.promotion.reason
        ),
        2,
    ));
    text
}

fn total(out: &IterateOut, currency: &str) -> String {
    let total = &out.total;
    let value = &total.incremental_value;
    wrap(
        &format!(
            "The programme so far brought {} {currency} (95 %: {} to {}) for {} spent, {} customers against {} held out.",
            amount(value.mean),
            amount(value.ci95[0]),
            amount(value.ci95[1]),
            cents(total.spend),
            count(total.treated),
            count(total.holdout)
        ),
        2,
    )
}

fn lift_table(lift: &[LiftOut]) -> Grid {
    let mut grid = Grid::new(&[
        ("channel", Align::Left),
        ("offer", Align::Left),
        ("got it", Align::Right),
        ("control", Align::Right),
        ("effect, points (95 %)", Align::Right),
        ("believed", Align::Right),
        ("now (90 %)", Align::Right),
    ]);
    for row in lift {
        let points = |share: f64| format!("{:.1}", share * 100.0);
        grid.row(vec![
            row.channel.clone(),
            row.offer.clone().unwrap_or_else(|| "-".to_owned()),
            count(row.treated),
            count(row.control),
            format!(
                "{} ({} to {})",
                points(row.effect.mean),
                points(row.effect.ci95[0]),
                points(row.effect.ci95[1])
            ),
            format!("{} %", points(row.assumed)),
            format!(
                "{} % ({} to {})",
                points(row.shrunk.mean),
                points(row.shrunk.ci90[0]),
                points(row.shrunk.ci90[1])
            ),
        ]);
    }
    grid
}
