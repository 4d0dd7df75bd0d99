//! Response curves: what each channel brought, how its curve runs, what was learned, and how a budget is best split.

mod budgets;
mod channels;

use thalweg_domain::Result;

use super::facts::Facts;
use super::html::{Cell, note, paragraph};
use super::words::{amount, amounts, capital, listed, percent};
use crate::wire::{Mean90, ResponseOut};

/// The section; `None` without `[response]`.
pub(super) fn section(facts: &Facts) -> Result<Option<String>> {
    let Some(found) = &facts.plan.response else {
        return Ok(None);
    };
    let mut out = note(&format!(
        "Fitted to {}: {} {}s from {} to {}, {} explained by the spend on {}.",
        found.data,
        found.periods,
        period(found),
        found.from,
        found.to,
        found.outcome,
        listed(&names(found))
    ));
    if found.verdict != "published" {
        out.push_str(&refusal(found));
        return Ok(Some(out));
    }
    out.push_str(&channels::contributions(found)?.html());
    for own in &found.channels {
        out.push_str(&channels::curve(found, own)?.html());
    }
    for parameter in channels::parameters(found) {
        out.push_str(&channels::learned(found, parameter)?.html());
    }
    out.push_str(&budgets::optimum(found));
    if let Some(figure) = budgets::scenarios(found)? {
        out.push_str(&figure.html());
    }
    out.push_str(&trust(found));
    Ok(Some(out))
}

fn period(found: &ResponseOut) -> &'static str {
    if found.days_per_period == 7 { "week" } else { "day" }
}

fn names(found: &ResponseOut) -> Vec<&str> {
    if found.channels.is_empty() {
        return vec!["its channels"];
    }
    found.channels.iter().map(|own| own.name.as_str()).collect()
}

fn refusal(found: &ResponseOut) -> String {
    let mut out = "<h3>The weeks cannot tell what the channels brought</h3>\n".to_owned();
    for reason in &found.reasons {
        out.push_str(&paragraph(&format!("{}.", capital(reason))));
    }
    out
}

/// A mean with its interval.
fn estimate(own: &Mean90) -> Cell {
    Cell::Estimate(amount(own.mean), amounts(own.ci90))
}

fn trust(found: &ResponseOut) -> String {
    let own = &found.diagnostics;
    let mut said = Vec::new();
    if let (Some(r_hat), Some(ess)) = (own.r_hat, own.ess) {
        said.push(format!(
            "{} draws, R-hat {r_hat:.4} (must be below 1.01), effective draws {} (above 400), divergent steps {}.",
            own.draws,
            amount(ess),
            own.divergences
        ));
    }
    if let Some(check) = &found.check {
        said.push(format!(
            "The model explains {} of the variance; {} of the periods lie in their 90 % interval.",
            percent(check.r2, 1),
            percent(check.coverage, 0)
        ));
    }
    if let Some(held) = &found.held_out {
        said.push(format!(
            "The last {} periods, predicted without having seen them: error {}, {} in their 90 % interval.",
            held.periods,
            percent(held.error, 1),
            percent(held.coverage, 0)
        ));
    }
    for test in &found.lift_tests {
        said.push(format!(
            "Lift test of {} ({}): {} more per period brought {} ± {}.",
            test.channel,
            test.source,
            amount(test.change),
            amount(test.lift),
            amount(test.sd)
        ));
    }
    for concern in &found.concerns {
        said.push(format!(
            "{}; to know: {}.",
            capital(&concern.what),
            concern.experiment
        ));
    }
    for own in &found.notes {
        said.push(format!("{}.", capital(own)));
    }
    note(&said.join(" "))
}
