//! `thalweg tool response`: what each channel returned, what one more unit would, and the best budget.

use std::process::ExitCode;

use thalweg_domain::Result;
use thalweg_engine::response::{ResponseSettings, parse_return_prior};
use thalweg_engine::tools::response::response;
use thalweg_engine::wire::{BudgetOut, Mean90, ResponseOut};

use crate::args::ResponseArgs;
use crate::context::Context;
use crate::text::{Align, Grid, amount, heading, percent, wrap};

pub(crate) fn run(context: &Context, args: &ResponseArgs) -> Result<ExitCode> {
    let options = context.options();
    let out = response(
        &settings(args)?,
        args.out.as_deref(),
        options.seed,
        options.progress.as_ref(),
    )?;
    context.output.result(&out, render)?;
    Ok(if out.verdict == "published" {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(4)
    })
}

fn settings(args: &ResponseArgs) -> Result<ResponseSettings> {
    Ok(ResponseSettings {
        data: args.data.clone(),
        time: args.time.clone(),
        outcome: args.outcome.clone(),
        channels: args.channels.clone(),
        controls: args.controls.clone(),
        geo: args.geo.clone(),
        date_format: args.date_format.clone(),
        seasonality: args.seasonality.clone(),
        modes: usize::from(args.modes),
        trend: args.trend.clone(),
        saturation: args.saturation.clone(),
        adstock: args.adstock.clone(),
        adstock_length: usize::from(args.adstock_length),
        noise: args.noise.clone(),
        holidays: args.holidays.clone(),
        country: args.country.clone(),
        lift_tests: args.lift_tests.clone(),
        given_tests: Vec::new(),
        return_priors: args
            .return_prior
            .iter()
            .map(|text| parse_return_prior(text))
            .collect::<Result<_>>()?,
        budget: args.budget,
        max_change: args.max_change,
        chains: usize::from(args.chains),
        draws: usize::from(args.draws),
        warmup: usize::from(args.warmup),
        held_out: usize::from(args.held_out),
    })
}

/// The answer, then why, then what next.
pub(crate) fn render(out: &ResponseOut) -> String {
    let unit = if out.days_per_period == 7 { "weeks" } else { "days" };
    let mut text = format!(
        "{}: {} {unit} from {} to {}\n\n",
        out.data, out.periods, out.from, out.to
    );
    if out.verdict == "published" {
        text.push_str(&channels(out));
        text.push_str(&budgets(out, unit));
    } else {
        text.push_str("  Not identifiable: no figure is published.\n");
        for reason in &out.reasons {
            text.push_str(&wrap(&format!("- {reason}"), 2));
        }
    }
    text.push_str(&trust(out, unit));
    for note in &out.notes {
        text.push_str(&wrap(&format!("note: {note}"), 2));
    }
    if out.verdict == "published" {
        for concern in &out.concerns {
            text.push_str(&wrap(
                &format!("look at: {}; to know: {}", concern.what, concern.experiment),
                2,
            ));
        }
    }
    if let Some(file) = &out.out {
        text.push_str(&format!("\nwritten {file}\n"));
    }
    text
}

/// What the plan says of the curves: a short table, or why there is none.
pub(crate) fn in_plan(out: &ResponseOut) -> String {
    let unit = if out.days_per_period == 7 { "week" } else { "day" };
    let mut text = heading(&format!(
        "What spend brought of {}, {} to {}",
        out.outcome, out.from, out.to
    ));
    if out.verdict != "published" {
        text.push_str("  Not identifiable: no curve is published.\n");
        for reason in &out.reasons {
            text.push_str(&wrap(&format!("- {reason}"), 2));
        }
        return text;
    }
    let mut grid = Grid::new(&[
        ("spend", Align::Left),
        (&format!("a {unit}"), Align::Right),
        ("return", Align::Right),
        ("90 %", Align::Right),
        ("one more unit", Align::Right),
        ("90 %", Align::Right),
        ("best", Align::Right),
    ]);
    let best = out.optimum.iter().flat_map(|optimum| &optimum.channels);
    for (own, best) in out.channels.iter().zip(best) {
        grid.row(vec![
            own.name.clone(),
            short(best.before),
            short(own.returned.mean),
            interval(&own.returned),
            short(own.marginal_return.mean),
            interval(&own.marginal_return),
            short(best.spend),
        ]);
    }
    text.push_str(&grid.render(2));
    if let Some(optimum) = &out.optimum {
        text.push_str(&wrap(
            &format!(
                "The best split of {} a {unit} is expected to bring {} more ({}).",
                short(optimum.budget),
                short(optimum.gain.mean),
                interval(&optimum.gain)
            ),
            2,
        ));
    }
    for note in &out.notes {
        text.push_str(&wrap(&format!("note: {note}"), 2));
    }
    text
}

fn channels(out: &ResponseOut) -> String {
    let mut grid = Grid::new(&[
        ("channel", Align::Left),
        ("spend", Align::Right),
        ("brought", Align::Right),
        ("return", Align::Right),
        ("90 %", Align::Right),
        ("one more unit", Align::Right),
        ("90 %", Align::Right),
        ("carry-over", Align::Right),
    ]);
    for own in &out.channels {
        grid.row(vec![
            own.name.clone(),
            short(own.spend),
            short(own.contribution.mean),
            short(own.returned.mean),
            interval(&own.returned),
            short(own.marginal_return.mean),
            interval(&own.marginal_return),
            format!("{:.2}", own.adstock.mean),
        ]);
    }
    grid.render(2)
}

fn budgets(out: &ResponseOut, unit: &str) -> String {
    let Some(optimum) = &out.optimum else {
        return String::new();
    };
    let period = unit.trim_end_matches('s');
    let mut text = heading(&format!("Best split of {} per {period}", short(optimum.budget)));
    let mut grid = Grid::new(&[
        ("channel", Align::Left),
        ("was", Align::Right),
        ("best", Align::Right),
        ("90 %", Align::Right),
    ]);
    for own in &optimum.channels {
        grid.row(vec![
            own.name.clone(),
            short(own.before),
            short(own.spend),
            own.ci90.map_or_else(String::new, |[low, high]| {
                format!("{} to {}", short(low), short(high))
            }),
        ]);
    }
    text.push_str(&grid.render(2));
    text.push_str(&wrap(
        &format!(
            "Expected from it: {} more per {period} ({}).",
            short(optimum.gain.mean),
            interval(&optimum.gain)
        ),
        2,
    ));
    text.push_str(&heading("Other budgets, split as well as may be"));
    let mut grid = Grid::new(&[
        ("budget", Align::Right),
        ("change", Align::Right),
        ("gain", Align::Right),
        ("90 %", Align::Right),
    ]);
    for BudgetOut {
        budget, change, gain, ..
    } in &out.scenarios
    {
        grid.row(vec![
            short(*budget),
            format!("{:+.0} %", 100.0 * change),
            short(gain.mean),
            interval(gain),
        ]);
    }
    text.push_str(&grid.render(2));
    text
}

fn trust(out: &ResponseOut, unit: &str) -> String {
    let own = &out.diagnostics;
    let mut text = heading("Trust");
    if let (Some(r_hat), Some(ess)) = (own.r_hat, own.ess) {
        let tries = own.attempts.len();
        text.push_str(&wrap(
            &format!("{} draws, try {tries}: R-hat {r_hat:.4} (below 1.01), effective draws {} (above 400), divergences {}.", own.draws, amount(ess), own.divergences),
            2,
        ));
    }
    if let Some(check) = &out.check {
        text.push_str(&wrap(
            &format!(
                "The model explains {} of the variance; {} of the {unit} lie in their 90 % interval.",
                percent(check.r2, 1),
                percent(check.coverage, 0)
            ),
            2,
        ));
    }
    if let Some(held) = &out.held_out {
        text.push_str(&wrap(
            &format!(
                "The last {} {unit}, predicted without having seen them: error {}, {} in their 90 % interval.",
                held.periods,
                percent(held.error, 1),
                percent(held.coverage, 0)
            ),
            2,
        ));
    }
    text
}

fn interval(own: &Mean90) -> String {
    format!("{} to {}", short(own.ci90[0]), short(own.ci90[1]))
}

/// Three digits or more, whatever the size.
fn short(value: f64) -> String {
    let size = value.abs();
    if size >= 100.0 || size == 0.0 {
        amount(value)
    } else if size >= 1.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.4}")
    }
}
