//! `thalweg segments`: who the groups are that differ in risk, value and response, and the market sheet.

use std::process::ExitCode;

use thalweg_domain::{OutcomeKind, Result};
use thalweg_engine::Session;
use thalweg_engine::wire::{MarketOut, Mean95, PlanOut, ReachOut, SegmentOut, SegmentPageOut, SegmentsOut};

use crate::args::PlaceArgs;
use crate::context::Context;
use crate::text::{Align, Grid, amount, cents, count, hang, heading, percent, wrap};

pub(crate) fn run(context: &Context, args: &PlaceArgs) -> Result<ExitCode> {
    let session = context.session(args.place.as_deref())?;
    let out = session.segments()?;
    let words = Words::of(&session);
    context.output.result(&out, |out| full(out, &words))?;
    Ok(ExitCode::SUCCESS)
}

/// Words that depend on the workspace.
pub(crate) struct Words {
    currency: String,
    /// `risk`, or `chance` of something wanted.
    chance: &'static str,
}

impl Words {
    pub(crate) fn of(session: &Session) -> Self {
        let config = &session.workspace.config;
        Self {
            currency: config.currency.clone(),
            chance: match config.outcome.kind {
                OutcomeKind::Churn => "risk",
                OutcomeKind::Conversion | OutcomeKind::Value => "chance",
            },
        }
    }
}

/// Groups and market sheet, as `plan` shows them.
pub(crate) fn short(plan: &PlanOut, words: &Words) -> String {
    let mut text = groups(&plan.segments, words);
    if let Some(market) = &plan.market {
        text.push_str(&sheet(market, words));
    }
    text
}

fn full(out: &SegmentPageOut, words: &Words) -> String {
    let mut text = format!("plan {} · cycle {}\n", out.plan, out.cycle);
    text.push_str(&groups(&out.segments, words));
    for (number, group) in (1..).zip(&out.segments.groups) {
        text.push_str(&hang(&format!("{number}: {}", detail(group, words)), 4, 7));
    }
    text.push_str(&wrap(&stability(&out.segments), 2));
    if let Some(market) = &out.market {
        text.push_str(&sheet(market, words));
        for row in &market.rows {
            let (name, reached) = (&row.name, reach(&row.reach));
            text.push_str(&hang(&format!("{name}: may be contacted by {reached}"), 4, 7));
        }
    }
    text
}

fn groups(segments: &SegmentsOut, words: &Words) -> String {
    let n = segments.groups.len();
    let title = match n {
        0 | 1 => "Who differs: no groups that differ clearly".to_owned(),
        _ => format!("Who differs: {n} groups, money in {}", words.currency),
    };
    let mut text = heading(&title);
    let mut grid = Grid::new(&[
        ("group", Align::Right),
        ("customers", Align::Right),
        (words.chance, Align::Right),
        ("value", Align::Right),
        ("gain each (95 %)", Align::Right),
        ("treated", Align::Right),
        ("spend", Align::Right),
        ("most by", Align::Left),
    ]);
    for (number, group) in (1..).zip(&segments.groups) {
        grid.row(vec![
            count(number),
            format!("{} ({})", count(group.customers), percent(group.share, 0)),
            percent(group.risk.mean, 0),
            money(group.value.mean),
            with_interval(&group.expected_gain, cents),
            count(group.treated),
            cents(group.spend),
            group.channel.clone().unwrap_or_else(|| "-".to_owned()),
        ]);
    }
    text.push_str(&grid.render(2));
    for (number, group) in (1..).zip(&segments.groups) {
        text.push_str(&hang(&format!("{number}: {}", group.name), 4, 7));
    }
    text
}

fn with_interval(found: &Mean95, write: fn(f64) -> String) -> String {
    format!(
        "{} ({} to {})",
        write(found.mean),
        write(found.ci95[0]),
        write(found.ci95[1])
    )
}

/// Whole above a hundred, else to the cent.
fn money(sum: f64) -> String {
    if sum.abs() >= 100.0 {
        amount(sum)
    } else {
        cents(sum)
    }
}

fn points(share: f64) -> String {
    format!("{:.1}", share * 100.0)
}

fn detail(group: &SegmentOut, words: &Words) -> String {
    format!(
        "{} {}, value {}, best action changes {} points; may be contacted by {}; figures from {} of {} customers",
        words.chance,
        with_interval(&group.risk, |share| percent(share, 1)),
        with_interval(&group.value, money),
        with_interval(&group.effect, points),
        reach(&group.reach),
        count(group.estimated_on),
        count(group.customers)
    )
}

/// `email 80 %, call 100 %`, or `every channel`.
fn reach(channels: &[ReachOut]) -> String {
    if channels.iter().all(|reach| reach.share >= 1.0) {
        return "every channel".to_owned();
    }
    let each: Vec<String> = channels
        .iter()
        .map(|reach| format!("{} {}", reach.channel, percent(reach.share, 0)))
        .collect();
    each.join(", ")
}

fn stability(segments: &SegmentsOut) -> String {
    let found = &segments.stability;
    format!(
        "The groups explain {} of what differs between customers. Of {} resamples {} split {} first, {} where this plan \
         does; adjusted Rand index {:.2} (1: the same groups, 0: chance).",
        percent(segments.explained, 0),
        found.resamples,
        percent(found.same_first_split, 0),
        segments.first_split.as_deref().unwrap_or("nothing"),
        percent(found.near_threshold, 0),
        found.adjusted_rand
    )
}

fn sheet(market: &MarketOut, words: &Words) -> String {
    let mut text = heading(&format!("By {}, money in {}", market.column, words.currency));
    let mut grid = Grid::new(&[
        (&market.column, Align::Left),
        ("customers", Align::Right),
        (words.chance, Align::Right),
        ("at stake", Align::Right),
        ("contacts", Align::Right),
        ("spend", Align::Right),
        ("expected gain (95 %)", Align::Right),
        ("headroom", Align::Right),
    ]);
    for row in &market.rows {
        grid.row(vec![
            row.name.clone(),
            count(row.customers),
            percent(row.risk.mean, 0),
            money(row.at_stake.mean),
            count(row.contacts),
            cents(row.spend),
            with_interval(&row.expected_gain, money),
            money(row.headroom.mean),
        ]);
    }
    text.push_str(&grid.render(2));
    text
}
