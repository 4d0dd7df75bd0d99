//! Who the customers are: the groups that differ in risk, value and response, and the market sheet.

use super::facts::Facts;
use super::html::{Cell, Table, escape, note, number, text};
use super::words::{
    amount, amounts, capital, count, decimals, grouped, listed, percent, percents, points, points_interval,
};
use crate::wire::{MarketOut, Mean95, ReachOut, SegmentOut, SegmentsOut};

pub(super) fn section(facts: &Facts) -> String {
    let mut out = String::new();
    if !facts.plan.segments.groups.is_empty() {
        out.push_str(&segments(facts, &facts.plan.segments));
    }
    if let Some(market) = &facts.plan.market {
        out.push_str(&sheet(facts, market));
    }
    out
}

fn heading(finding: &str) -> String {
    format!("<h3>{}</h3>\n", escape(finding))
}

fn segments(facts: &Facts, found: &SegmentsOut) -> String {
    let mut out = heading(&finding(facts, found));
    let rows = found.groups.iter().map(segment).collect();
    let head = [
        "Group",
        "Customers",
        &capital(facts.words.chance),
        "Value",
        "Best action changes, points",
        "Gain each",
        "Reach",
        "Treated",
        "Spend",
    ];
    let caption = format!("Groups of customers, money in {}", facts.currency);
    out.push_str(&Table::new(&caption, &head, rows).html());
    let stability = &found.stability;
    out.push_str(&note(&format!(
        "Found on one half of the customers, described on the other (95 % intervals; the effect's shares its channel's \
         error). Gain each is what the best action is expected to earn after its cost, before budgets and capacities. The groups \
         explain {} of what differs between customers. Of {} resamples {} split {} first, {} of all where this one does; \
         adjusted Rand index {:.2} (1: the same groups, 0: chance).",
        percent(found.explained, 0),
        stability.resamples,
        percent(stability.same_first_split, 0),
        found.first_split.as_deref().unwrap_or("nothing"),
        percent(stability.near_threshold, 0),
        stability.adjusted_rand,
    )));
    out
}

fn finding(facts: &Facts, found: &SegmentsOut) -> String {
    match found.groups.as_slice() {
        [] | [_] => "No groups of customers differ clearly in risk, value and response".to_owned(),
        [first, ..] => format!(
            "{} of the customers, {}, gain most from contact: {} {} each",
            percent(first.share, 0),
            first.name,
            amount(first.expected_gain.mean),
            facts.currency
        ),
    }
}

fn about(found: &Mean95, write: impl Fn(f64) -> String) -> Cell {
    Cell::Estimate(write(found.mean), amounts(found.ci95))
}

fn segment(group: &SegmentOut) -> Vec<Cell> {
    vec![
        Cell::Prose(group.name.clone()),
        Cell::Estimate(count(group.customers), percent(group.share, 0)),
        Cell::Estimate(percent(group.risk.mean, 1), percents(group.risk.ci95, 1)),
        about(&group.value, amount),
        Cell::Estimate(points(group.effect.mean), points_interval(group.effect.ci95)),
        about(&group.expected_gain, amount),
        text(reach(&group.reach)),
        number(match &group.channel {
            Some(channel) => format!("{}, most by {channel}", count(group.treated)),
            None => count(group.treated),
        }),
        number(grouped(group.spend, 2)),
    ]
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

fn sheet(facts: &Facts, market: &MarketOut) -> String {
    let most = market
        .rows
        .iter()
        .max_by(|a, b| a.headroom.mean.total_cmp(&b.headroom.mean))
        .filter(|row| row.headroom.mean > 0.0);
    let mut out = heading(&most.map_or_else(
        || format!("By {}: the limits leave nothing to gain", market.column),
        |row| {
            format!(
                "By {}: most is left to gain in {}, {}",
                market.column,
                row.name,
                facts.money(row.headroom.mean)
            )
        },
    ));
    let whole = decimals(market.rows.iter().map(|row| row.at_stake.mean));
    let money = |found: &Mean95| about(found, |mean| grouped(mean, whole));
    let rows = market.rows.iter().map(|row| {
        vec![
            text(&row.name),
            Cell::Estimate(count(row.customers), percent(row.share, 0)),
            Cell::Estimate(percent(row.risk.mean, 1), percents(row.risk.ci95, 1)),
            money(&row.at_stake),
            text(reach(&row.reach)),
            number(count(row.contacts)),
            number(grouped(row.spend, 2)),
            money(&row.expected_gain),
            money(&row.headroom),
        ]
    });
    let chance = capital(facts.words.chance);
    let head = [
        &market.column,
        "Customers",
        chance.as_str(),
        "At stake",
        "Reach",
        "Contacts",
        "Spend",
        "Expected gain",
        "Headroom",
    ];
    let caption = format!("Market sheet, money in {}", facts.currency);
    out.push_str(&Table::new(&caption, &head, rows.collect()).html());
    let pooled: Vec<&str> = market
        .rows
        .iter()
        .filter(|row| row.pooled > 1)
        .map(|row| row.name.as_str())
        .collect();
    let pool = if pooled.is_empty() {
        String::new()
    } else {
        format!(" {} is everything too small for a row.", listed(&pooled))
    };
    out.push_str(&note(&format!(
        "At stake is the sum of {} times value, its interval the chance of who of these customers it will be. Headroom is what \
         the best paying action of everybody who may be contacted would add to this plan; budgets, capacities and \
         randomisation keep it from being served.{pool}",
        facts.words.chance
    )));
    out
}
