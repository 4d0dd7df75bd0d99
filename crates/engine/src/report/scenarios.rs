//! The last comparison of scenarios: what each would bring against the configuration as it is.

use thalweg_domain::Result;

use super::chart::{Whisker, whiskers};
use super::facts::Facts;
use super::html::{Cell, Figure, Table, number, text};
use super::words::{amount, amounts, count, grouped, percent};
use crate::wire::{ScenarioOut, ScenariosOut};

/// The figure, when scenarios have been compared.
pub(super) fn figure(facts: &Facts) -> Result<String> {
    let Some((compared, (configured, scenarios))) = facts
        .scenarios
        .as_ref()
        .and_then(|compared| Some((compared, compared.scenarios.split_first()?)))
    else {
        return Ok(String::new());
    };
    let rows: Vec<Whisker> = scenarios.iter().filter_map(whisker).collect();
    let mut all = vec![row(configured)];
    all.extend(scenarios.iter().map(row));
    let money = |what: &str| format!("{what}, {}", compared.currency);
    let figure = Figure {
        finding: finding(compared),
        describes:
            "One dot per scenario: its expected gain less that of the configuration, with a 90 % interval."
                .to_owned(),
        drawing: whiskers(&money("expected gain beyond the configuration"), &rows)?,
        note: said(facts, compared, scenarios),
        table: Table {
            caption: "Scenarios beside the configuration",
            head: vec![
                "Scenario".to_owned(),
                "Changes".to_owned(),
                "Customers".to_owned(),
                money("Budget"),
                money("Spend"),
                money("Expected gain, 90 %"),
                money("Difference, 90 %"),
                money("At most"),
                "Gain of one more of budget".to_owned(),
                "Feasible".to_owned(),
                "Channels: customers".to_owned(),
            ],
            rows: all,
        },
    };
    Ok(figure.html())
}

fn whisker(own: &ScenarioOut) -> Option<Whisker> {
    let difference = own.difference?;
    Some(Whisker {
        label: own.name.clone(),
        mean: difference.mean,
        inner: difference.ci90.unwrap_or([difference.mean; 2]),
        outer: None,
        reference: None,
    })
}

fn finding(compared: &ScenariosOut) -> String {
    let gain = |own: &ScenarioOut| own.difference.map_or(0.0, |own| own.mean);
    match compared.best() {
        None => "No scenario keeps every limit".to_owned(),
        Some(best) if gain(best) <= 0.0 => {
            "No scenario is expected to gain more than the configuration as it is".to_owned()
        }
        Some(best) => format!(
            "\u{201c}{}\u{201d} is expected to gain {} {} more than the configuration as it is",
            best.name,
            amount(gain(best)),
            compared.currency
        ),
    }
}

fn said(facts: &Facts, compared: &ScenariosOut, scenarios: &[ScenarioOut]) -> String {
    let mut said = vec![
        "Every scenario is planned from the same customers, risks and effects; an error in an effect counts once for both plans.".to_owned(),
    ];
    if scenarios
        .iter()
        .any(|own| own.difference.is_some_and(|own| own.ci90.is_none()))
    {
        said.push("Where a scenario believes in other effects there is no interval.".to_owned());
    }
    if compared.cycle != facts.plan.cycle || compared.data != facts.plan.data {
        said.push(format!(
            "This comparison is of cycle {} and other data than the plan of this report.",
            compared.cycle
        ));
    } else if compared.config != facts.plan.config {
        said.push("thalweg.toml was another when the plan of this report was made.".to_owned());
    }
    said.join(" ")
}

fn row(own: &ScenarioOut) -> Vec<Cell> {
    let changes = if own.changes.is_empty() {
        "nothing".to_owned()
    } else {
        own.changes.join("; ")
    };
    let difference = own.difference.map_or_else(
        || text(""),
        |own| match own.ci90 {
            Some(ci90) => Cell::Estimate(amount(own.mean), amounts(ci90)),
            None => Cell::Estimate(amount(own.mean), "other beliefs".to_owned()),
        },
    );
    let channels: Vec<String> = own
        .channels
        .iter()
        .map(|channel| {
            if channel.on {
                format!("{} {}", channel.name, count(channel.customers))
            } else {
                format!("{} off", channel.name)
            }
        })
        .collect();
    vec![
        text(&own.name),
        Cell::Prose(changes),
        number(count(own.treated)),
        number(grouped(own.budget, 2)),
        number(grouped(own.spend, 2)),
        Cell::Estimate(amount(own.expected_value.mean), amounts(own.expected_value.ci90)),
        difference,
        number(format!(
            "{} ({} gap)",
            amount(own.upper_bound),
            percent(own.gap, 3)
        )),
        number(grouped(own.budget_price, 2)),
        text(if own.feasible {
            "yes".to_owned()
        } else {
            format!("no: {}", own.conflicts.join(", "))
        }),
        Cell::Prose(channels.join(" · ")),
    ]
}
