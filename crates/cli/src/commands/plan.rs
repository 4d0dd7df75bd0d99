//! `thalweg plan`: which channels, how much, for whom, and how sure.

use std::process::ExitCode;

use thalweg_domain::Result;
use thalweg_engine::wire::{ChannelOut, PilotOut, PlanOut};

use super::run::single;
use super::{segments, what_if};
use crate::args::PlanArgs;
use crate::context::Context;
use crate::text::{Align, Grid, amount, cents, count, heading, percent, verdict, wrap};

/// A price that is written as 0.00 says nothing.
const LEAST_SHOWN: f64 = 0.005;

pub(crate) fn run(context: &Context, args: &PlanArgs) -> Result<ExitCode> {
    if let Some(file) = &args.scenario {
        return super::scenarios::run(context, file);
    }
    let session = context.session(None)?;
    let (stage, plan) = session.plan()?;
    let currency = session.workspace.config.currency.clone();
    context.output.result(&plan, |plan| {
        format!(
            "{}{}{}{}\nnext    {}\n",
            single(&stage),
            what_to_do(plan, &currency),
            what_if::table(plan, &currency),
            segments::short(plan, &segments::Words::of(&session)),
            session.suggest("deliver --dry-run")
        )
    })?;
    Ok(if plan.feasible {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(4)
    })
}

/// The plan in words and one table.
pub(crate) fn what_to_do(plan: &PlanOut, currency: &str) -> String {
    let mut text = heading(&format!("What to do with {} {currency}", cents(plan.budget)));
    text.push_str(&channel_table(&plan.channels).render(2));
    text.push_str(&wrap(&people(plan), 2));
    text.push_str(&days(plan));
    text.push_str(&wrap(&worth(plan, currency), 2));
    text.push_str(&wrap(&quality(plan, currency), 2));
    text.push_str(&reasons(plan));
    text.push_str(&super::robust::survival(plan));
    text.push_str(&pilots(&plan.channels, currency));
    text.push_str(&super::partners::sheets(&plan.partners, currency));
    if let Some(response) = &plan.response {
        text.push_str(&super::tool::response::in_plan(response));
    }
    text
}

/// Every pilot that runs or is proposed: its size, what it can show, and what follows.
fn pilots(channels: &[ChannelOut], currency: &str) -> String {
    let with = channels
        .iter()
        .filter_map(|channel| Some((channel, channel.pilot.as_ref()?)));
    let open: Vec<(&ChannelOut, &PilotOut)> = with.filter(|(_, pilot)| pilot.is_open()).collect();
    if open.is_empty() {
        return String::new();
    }
    let mut text = heading("Pilots, paid out of the share that is randomised");
    for (channel, pilot) in open {
        text.push_str(&wrap(&pilot_size(channel, pilot, currency), 2));
        text.push_str(&wrap(&pilot_outcomes(pilot), 4));
    }
    text
}

/// `99 % promoted: … (93 % when …, 6 % when …)`: what may follow, and from which findings.
fn pilot_outcomes(pilot: &PilotOut) -> String {
    let told: Vec<String> = pilot
        .follows()
        .map(|(then, chance, outcomes)| {
            let each: Vec<String> = outcomes
                .iter()
                .map(|outcome| format!("{} {}", percent(outcome.probability, 0), outcome.when))
                .collect();
            format!("{} {then} ({})", percent(chance, 0), each.join("; "))
        })
        .collect();
    format!("Outcomes: {}.", told.join(". "))
}

fn pilot_size(channel: &ChannelOut, pilot: &PilotOut, currency: &str) -> String {
    let number = |n: u64| count(usize::try_from(n).unwrap_or(usize::MAX));
    let shows = pilot.detectable_effect.map_or_else(
        || "shows no effect of any size".to_owned(),
        |effect| format!("shows an effect of {}", percent(effect, 1)),
    );
    let more = if pilot.n_for_smallest > pilot.n {
        format!("; that one would take {}", number(pilot.n_for_smallest))
    } else {
        String::new()
    };
    let begun = match (pilot.state.as_str(), pilot.measured) {
        ("proposed", _) => "proposed (pilot = true runs it)".to_owned(),
        (_, 0) => format!("{} in this cycle", count(pilot.this_cycle)),
        (_, measured) => format!(
            "{} measured, {} in this cycle",
            number(measured),
            count(pilot.this_cycle)
        ),
    };
    let belief = if channel.effect.borrowed_from.is_empty() {
        String::new()
    } else {
        format!(
            " What is believed comes from {}.",
            channel.effect.borrowed_from.join(", ")
        )
    };
    format!(
        "{}: {} contacts over {} {} ({} days) for {} {currency}, {begun}. With 80 % power it {shows}; the smallest that \
         pays is {}{more}.{belief}",
        channel.name,
        number(pilot.n),
        number(pilot.cycles),
        if pilot.cycles == 1 { "cycle" } else { "cycles" },
        pilot.days,
        cents(pilot.cost),
        percent(pilot.smallest_profitable_effect, 1),
    )
}

fn channel_table(channels: &[ChannelOut]) -> Grid {
    let mixed = channels.iter().any(|channel| channel.effect.source != "assumed");
    let source = if mixed { "effect" } else { "effect (assumed)" };
    let mut grid = Grid::new(&[
        ("channel", Align::Left),
        ("verdict", Align::Left),
        ("customers", Align::Right),
        ("spend", Align::Right),
        ("expected gain", Align::Right),
        ("one more unit", Align::Right),
        (source, Align::Right),
    ]);
    for channel in channels {
        grid.row(vec![
            channel.name.clone(),
            verdict(&channel.verdict),
            count(channel.customers),
            cents(channel.spend),
            amount(channel.expected_value),
            cents(channel.marginal_return),
            effect(channel, mixed),
        ]);
    }
    grid
}

fn effect(channel: &ChannelOut, mixed: bool) -> String {
    let half = (channel.effect.ci90[1] - channel.effect.ci90[0]) / 2.0;
    let source = if mixed {
        format!(" {}", channel.effect.source)
    } else {
        String::new()
    };
    format!(
        "{:.1} % (±{:.1}){source}",
        channel.effect.mean * 100.0,
        half * 100.0
    )
}

fn people(plan: &PlanOut) -> String {
    let alone = plan.customers.saturating_sub(plan.treated + plan.holdout);
    format!(
        "{} get an action · {} held out for measurement · {} randomised to learn · {} get nothing this cycle",
        count(plan.treated),
        count(plan.holdout),
        count(plan.explore),
        count(alone)
    )
}

/// `Spread over 20 days: 45 to 46 contacts a day.`
fn days(plan: &PlanOut) -> String {
    let (Some(least), Some(most)) = (plan.days.iter().min(), plan.days.iter().max()) else {
        return String::new();
    };
    let contacts = if least == most {
        count(*most)
    } else {
        format!("{} to {}", count(*least), count(*most))
    };
    let over = match plan.days.len() {
        1 => "1 day".to_owned(),
        days => format!("{} days", count(days)),
    };
    wrap(
        &format!("Spread over {over} from the first delivery on: {contacts} contacts a day."),
        2,
    )
}

fn worth(plan: &PlanOut, currency: &str) -> String {
    let doubt = match plan.effects.as_str() {
        "assumed" => "These effects are assumptions until a cycle has been measured.",
        "measured" => "These effects have been measured.",
        _ => "Some of these effects have been measured, the others are assumptions.",
    };
    format!(
        "Expected gain {} {currency} after {} of cost (90 %: {} to {}). {doubt}",
        amount(plan.expected_value.mean),
        cents(plan.spend),
        amount(plan.expected_value.ci90[0]),
        amount(plan.expected_value.ci90[1])
    )
}

fn quality(plan: &PlanOut, currency: &str) -> String {
    let binding: Vec<String> = plan
        .constraints
        .iter()
        .filter(|constraint| constraint.shadow_price.abs() >= LEAST_SHOWN)
        .map(|constraint| {
            let more = if constraint.sense == "at_least" {
                "fewer required"
            } else {
                "more"
            };
            format!(
                "{} (one {more} earns {:.2} {currency})",
                constraint.name,
                constraint.shadow_price.abs()
            )
        })
        .collect();
    let bound = if binding.is_empty() {
        "Nothing binds".to_owned()
    } else {
        format!("Binding: {}", binding.join(", "))
    };
    if !plan.feasible {
        let short = plan.shortfalls.iter().map(|short| {
            format!(
                " {} requires {}, at most {} can be reached.",
                short.name,
                cents(short.required),
                cents(short.reachable)
            )
        });
        return format!(
            "INFEASIBLE: these contradict each other: {}.{}",
            plan.conflicts.join(", "),
            short.collect::<String>()
        );
    }
    format!(
        "The plan is within {} of the best possible. {bound}.",
        percent(plan.gap, 3)
    )
}

fn reasons(plan: &PlanOut) -> String {
    plan.channels
        .iter()
        .map(|channel| wrap(&format!("{}: {}", channel.name, channel.reason), 4))
        .collect()
}
