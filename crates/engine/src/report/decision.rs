//! The first page: the decision in one sentence and one table, who it concerns, and what it rests on.

use super::facts::Facts;
use super::html::{Cell, Table, escape, note, number, paragraph, put, text};
use super::words::{amounts, capital, count, decimals, grouped, listed, percent, percents, ratio};
use crate::count::to_f64;
use crate::wire::{ChannelOut, PlanOut};

pub(super) fn section(facts: &Facts) -> String {
    let mut out = format!("<p class=\"lead\">{}</p>\n", escape(&sentence(facts)));
    if let Some(verdicts) = verdicts(&facts.plan) {
        out.push_str(&paragraph(&verdicts));
    }
    out.push_str(&channels(facts).html());
    out.push_str(&who(&facts.plan));
    out.push_str("<h3>What this rests on</h3>\n");
    for said in rests_on(facts) {
        out.push_str(&note(&said));
    }
    out
}

fn sentence(facts: &Facts) -> String {
    let plan = &facts.plan;
    if !plan.feasible {
        return format!("No plan keeps every limit: {}.", plan.conflicts.join("; "));
    }
    if plan.treated == 0 {
        return format!(
            "Contact none of the {} customers in cycle {}: no action is expected to earn more than it costs.",
            count(plan.customers),
            plan.cycle
        );
    }
    let through = plan
        .channels
        .iter()
        .max_by(|a, b| a.spend.total_cmp(&b.spend))
        .map_or_else(String::new, |top| {
            format!(
                ", {} of it through {}",
                percent(ratio(top.spend, plan.spend), 0),
                top.name
            )
        });
    format!(
        "Spend {} of {} {} on {} of {} customers{through}, and expect to gain {} net of that spend (90 %: {}).",
        grouped(plan.spend, 2),
        grouped(plan.budget, 2),
        facts.currency,
        count(plan.treated),
        count(plan.customers),
        facts.money(plan.expected_value.mean),
        amounts(plan.expected_value.ci90),
    )
}

/// `Expand email. Hold sms and push.`
fn verdicts(plan: &PlanOut) -> Option<String> {
    let of = |verdict: &str| {
        let names: Vec<&str> = plan
            .channels
            .iter()
            .filter(|own| own.verdict == verdict)
            .map(|own| own.name.as_str())
            .collect();
        (!names.is_empty()).then(|| format!("{} {}.", capital(verdict), listed(&names)))
    };
    let said: Vec<String> = ["open", "expand", "hold", "shrink", "retire"]
        .into_iter()
        .filter_map(of)
        .collect();
    (!said.is_empty()).then(|| said.join(" "))
}

fn channels(facts: &Facts) -> Table<'_> {
    let plan = &facts.plan;
    let decimals = decimals(plan.channels.iter().map(|own| own.expected_value));
    let mut rows: Vec<Vec<Cell>> = plan.channels.iter().map(|own| row(own, decimals)).collect();
    let sum = |of: fn(&ChannelOut) -> f64| plan.channels.iter().map(of).sum::<f64>();
    rows.push(vec![
        text("all"),
        text(""),
        number(count(plan.channels.iter().map(|own| own.customers).sum())),
        number(grouped(sum(|own| own.spend), 2)),
        number(grouped(sum(|own| own.expected_value), decimals)),
        number(""),
        text(""),
        text(""),
    ]);
    let money = |what: &str| format!("{what}, {}", facts.currency);
    Table {
        caption: "Channels of this plan",
        head: vec![
            "Channel".to_owned(),
            "Verdict".to_owned(),
            "Customers".to_owned(),
            money("Spend"),
            money("Expected gain"),
            "Relative effect, 90 %".to_owned(),
            "Effect is".to_owned(),
            "Reason".to_owned(),
        ],
        rows,
    }
}

fn row(own: &ChannelOut, decimals: usize) -> Vec<Cell> {
    vec![
        text(&own.name),
        Cell::Verdict(own.verdict.clone()),
        number(count(own.customers)),
        number(grouped(own.spend, 2)),
        number(grouped(own.expected_value, decimals)),
        Cell::Estimate(percent(own.effect.mean, 1), percents(own.effect.ci90, 1)),
        text(&own.effect.source),
        Cell::Prose(own.reason.clone()),
    ]
}

/// Treated, held out and left alone add up to everyone; randomised ones are among the first and the last.
fn who(plan: &PlanOut) -> String {
    let alone = plan
        .customers
        .saturating_sub(plan.treated)
        .saturating_sub(plan.holdout);
    let tiles = [
        (
            "get an action",
            plan.treated,
            "the plan's best, or one drawn at random to learn",
        ),
        (
            "are left alone",
            alone,
            "no action pays for them, or they were drawn to nothing",
        ),
        (
            "are held out",
            plan.holdout,
            "never contacted: what they do is what would have happened",
        ),
        (
            "are randomised",
            plan.explore,
            "counted in the first two: their action is drawn, so that effects can be measured",
        ),
    ];
    let mut out = String::from("<dl class=\"tiles\">\n");
    for (what, n, why) in tiles {
        put(
            &mut out,
            format_args!(
                "<div><dt>{what}</dt><dd><b>{}</b> {}</dd><dd class=\"note\">{why}</dd></div>\n",
                count(n),
                percent(ratio(to_f64(n), to_f64(plan.customers)), 1)
            ),
        );
    }
    out.push_str("</dl>\n");
    out
}

fn rests_on(facts: &Facts) -> Vec<String> {
    let plan = &facts.plan;
    let mut said = vec![effects(plan).to_owned()];
    said.push(format!(
        "Expected gain {} (90 %: {}), for {} customers. In one case of twenty the spend is above {}, since offers cost only when they are accepted.",
        facts.money(plan.expected_value.mean),
        amounts(plan.expected_value.ci90),
        count(plan.treated),
        facts.money(plan.spend_q95),
    ));
    said.push(detectable(facts));
    said.extend(
        facts
            .table
            .iter()
            .flat_map(|table| &table.warnings)
            .map(|warning| format!("{}.", capital(warning.trim_end_matches('.')))),
    );
    said
}

fn effects(plan: &PlanOut) -> &'static str {
    match plan.effects.as_str() {
        "assumed" => {
            "Every effect here is an assumption from thalweg.toml. Nothing has been measured yet: the expected gain is \
             only as good as these beliefs, and its interval says how far they may be off if they are honest."
        }
        "measured" => {
            "The effects come from measured cycles, drawn towards the assumptions in thalweg.toml where few customers \
             were measured."
        }
        _ => {
            "Some effects come from measured cycles, the others are assumptions from thalweg.toml; the table says which \
             channel rests on which."
        }
    }
}

fn detectable(facts: &Facts) -> String {
    let found = &facts.plan.detectable;
    let cycles = match found.cycles_to_80_power {
        0 => "The expected total would never show.".to_owned(),
        1 => "The expected total should show in one cycle.".to_owned(),
        cycles => format!("The expected total should show after {cycles} cycles."),
    };
    if facts.plan.holdout == 0 {
        return "Nobody is held out, so the programme's total effect cannot be measured.".to_owned();
    }
    format!(
        "The hold-out shows a total effect of {} or more with 80 % power in this cycle. {cycles}",
        facts.money(found.total_effect)
    )
}
