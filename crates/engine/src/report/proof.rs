//! What the last measured cycle really changed, or when that will be known.

use thalweg_domain::Result;

use super::chart::{Whisker, whiskers};
use super::facts::Facts;
use super::html::{Figure, Table, note, number, paragraph, text};
use super::trust::checks;
use super::words::{action, amount, amounts, capital, count, percent, percents, points, points_interval};
use crate::wire::{DriftOut, IterateOut, LiftOut, TotalOut};

pub(super) fn section(facts: &Facts) -> Result<String> {
    let Some(found) = &facts.proof else {
        return Ok(paragraph(&not_yet(facts)));
    };
    let mut out = paragraph(&format!(
        "Cycle {} was measured on {} decisions whose outcomes are known, against customers who got nothing by the draw.",
        found.cycle,
        count(found.mature)
    ));
    out.push_str(&total(facts, found)?);
    if found.lift.is_empty() {
        out.push_str(&paragraph(
            "No action had enough comparable customers without it to be measured.",
        ));
    } else {
        out.push_str(&lift(facts, &found.lift)?.html());
        out.push_str(&beliefs(facts, &found.lift)?.html());
    }
    out.push_str(&checks("Checks on the measurement", &found.checks).html());
    if !found.drift.is_empty() {
        out.push_str(&drift(&found.drift).html());
    }
    if !found.promotion.decision.is_empty() {
        out.push_str(&note(&format!(
            "Model: {} {}. {}.",
            found.promotion.decision,
            found.promotion.champion,
            capital(&found.promotion.reason)
        )));
    }
    Ok(out)
}

fn not_yet(facts: &Facts) -> String {
    let first = match &facts.delivered_at {
        Some(at) => format!("The plan was delivered {at}."),
        None => "The plan has not been delivered yet (thalweg deliver).".to_owned(),
    };
    format!(
        "Nothing has been measured yet. {first} \"{}\" counts until {}; when feedback is complete until then (thalweg feedback FILE), \
         thalweg iterate measures what the plan changed, and this page shows it with intervals.",
        facts.event, facts.outcomes_until
    )
}

/// The programme's total with both intervals, or why there is none.
fn total(facts: &Facts, found: &IterateOut) -> Result<String> {
    let own = &found.total;
    let unknown = found
        .checks
        .iter()
        .find(|check| check.name == "holdout" && check.verdict != "PASS");
    if let Some(why) = unknown {
        return Ok(paragraph(&format!("{}.", capital(&why.detail))));
    }
    let value = &own.incremental_value;
    let mut rows = vec![Whisker {
        label: "fixed 95 %".to_owned(),
        mean: value.mean,
        inner: value.ci95,
        outer: None,
        reference: Some(own.spend),
    }];
    rows.extend(value.always_valid_ci95.map(|interval| Whisker {
        label: "always-valid 95 %".to_owned(),
        mean: value.mean,
        inner: interval,
        outer: None,
        reference: Some(own.spend),
    }));
    let lines = [
        ("Fixed 95 % interval", Some(value.ci95)),
        ("Always-valid 95 % interval", value.always_valid_ci95),
    ];
    let table = lines.into_iter().map(|(name, interval)| {
        vec![
            text(name),
            number(amount(value.mean)),
            number(interval.map_or_else(|| "needs 100 customers in each arm".to_owned(), amounts)),
            number(amount(own.spend)),
            number(count(own.treated)),
            number(count(own.holdout)),
        ]
    });
    let figure = Figure {
        finding: total_finding(facts, own),
        describes: "Dots with whiskers around a line at zero: the estimate with each interval.".to_owned(),
        drawing: whiskers(&format!("{} brought so far, before cost", facts.currency), &rows)?,
        note: "Everyone ever enrolled outside the hold-out against the hold-out, over all cycles. The ring is what was spent. The \
               always-valid interval stays honest however often one looks; the fixed one only at a time set beforehand."
            .to_owned(),
        table: Table::new("The programme's total", &["Interval", "Brought", "95 %", "Spent", "Not held out", "Held out"], table.collect()),
    };
    Ok(figure.html())
}

fn total_finding(facts: &Facts, own: &TotalOut) -> String {
    let value = &own.incremental_value;
    let brought = format!(
        "{} (95 %: {}) for {} spent",
        facts.money(value.mean),
        amounts(value.ci95),
        amount(own.spend)
    );
    match value.ci95 {
        [low, _] if low > 0.0 => format!("The programme has brought {brought}"),
        [_, high] if high < 0.0 => format!("The programme has lost value: {brought}"),
        _ => format!("The programme's total cannot be told from zero yet: {brought}"),
    }
}

fn name(own: &LiftOut) -> String {
    action(&own.channel, own.offer.as_deref())
}

fn lift<'a>(facts: &Facts, found: &[LiftOut]) -> Result<Figure<'a>> {
    let rows: Vec<Whisker> = found
        .iter()
        .map(|own| Whisker {
            label: name(own),
            mean: own.effect.mean * 100.0,
            inner: own.effect.ci95.map(|end| end * 100.0),
            outer: own
                .effect
                .always_valid_ci95
                .map(|interval| interval.map(|end| end * 100.0)),
            reference: None,
        })
        .collect();
    let table = found.iter().map(|own| {
        vec![
            text(name(own)),
            number(points(own.effect.mean)),
            number(points_interval(own.effect.ci95)),
            number(
                own.effect
                    .always_valid_ci95
                    .map_or_else(|| "needs 100 in each arm".to_owned(), points_interval),
            ),
            number(count(own.treated)),
            number(count(own.control)),
            number(amount(own.incremental_value.mean)),
            number(amounts(own.incremental_value.ci95)),
        ]
    });
    let net = format!("Brought net of cost, {}", facts.currency);
    Ok(Figure {
        finding: lift_finding(facts, found),
        describes: "One dot with two whiskers per action around a line at zero.".to_owned(),
        drawing: whiskers(
            &format!("percentage points by which {}", facts.words.better),
            &rows,
        )?,
        note: format!(
            "Among customers for whom the plan meant the same action, those who got it against those drawn to nothing. Thick: 95 % \
             interval; thin: always-valid 95 % interval, cut at the edge of the picture. {}",
            methods(found)
        ),
        table: Table::new(
            "Effect per action",
            &[
                "Action",
                "Effect, points",
                "95 %",
                "Always-valid 95 %",
                "Got it",
                "Did not",
                &net,
                "95 % ",
            ],
            table.collect(),
        ),
    })
}

fn lift_finding(facts: &Facts, found: &[LiftOut]) -> String {
    let works = found.iter().filter(|own| own.effect.ci95[0] > 0.0).count();
    let harms = found.iter().filter(|own| own.effect.ci95[1] < 0.0).count();
    let of = match (works, found.len()) {
        (0, _) => "No action is proven yet".to_owned(),
        (works, all) => format!(
            "With {works} of {all} measured actions {} than without them (95 % each)",
            facts.words.better
        ),
    };
    match harms {
        0 => of,
        1 => format!("{of}; with 1 action {}", facts.words.worse),
        harms => format!("{of}; with {harms} actions {}", facts.words.worse),
    }
}

fn methods(found: &[LiftOut]) -> String {
    let mut all: Vec<&str> = found
        .iter()
        .map(|own| own.effect.method.split(", robust").next().unwrap_or_default())
        .collect();
    all.sort_unstable();
    all.dedup();
    all.retain(|method| !method.is_empty());
    if all.is_empty() {
        String::new()
    } else {
        format!("Method: {}.", all.join("; "))
    }
}

fn beliefs<'a>(facts: &Facts, found: &[LiftOut]) -> Result<Figure<'a>> {
    let rows: Vec<Whisker> = found
        .iter()
        .map(|own| Whisker {
            label: name(own),
            mean: own.shrunk.mean * 100.0,
            inner: own.shrunk.ci90.map(|end| end * 100.0),
            outer: None,
            reference: Some(own.assumed * 100.0),
        })
        .collect();
    let table = found.iter().map(|own| {
        vec![
            text(name(own)),
            number(percent(own.assumed, 1)),
            number(percent(own.shrunk.mean, 1)),
            number(percents(own.shrunk.ci90, 1)),
            number(points(own.shrunk.mean - own.assumed)),
        ]
    });
    Ok(Figure {
        finding: beliefs_finding(found),
        describes: "One dot with a whisker per action, and a ring for what was assumed.".to_owned(),
        drawing: whiskers(&format!("relative effect, {}", facts.words.base), &rows)?,
        note: "Ring: assumed before. Dot and whisker: what the planner believes from here on (90 %), the measurement drawn towards \
               the assumption as far as it is uncertain."
            .to_owned(),
        table: Table::new("Assumed against measured", &["Action", "Assumed", "Believed now", "90 %", "Change, points"], table.collect()),
    })
}

fn beliefs_finding(found: &[LiftOut]) -> String {
    let change = |own: &LiftOut| (own.shrunk.mean - own.assumed).abs();
    let Some(most) = found.iter().max_by(|a, b| change(a).total_cmp(&change(b))) else {
        return String::new();
    };
    if change(most) < 0.0005 {
        return "The measurements bear the assumptions out".to_owned();
    }
    format!(
        "Largest correction: {}, assumed {}, now {} (90 %: {})",
        name(most),
        percent(most.assumed, 1),
        percent(most.shrunk.mean, 1),
        percents(most.shrunk.ci90, 1)
    )
}

fn drift<'a>(found: &[DriftOut]) -> Table<'a> {
    let rows = found.iter().map(|own| {
        vec![
            text(&own.column),
            number(format!("{:.3}", own.psi)),
            super::html::Cell::Verdict(own.verdict.clone()),
        ]
    });
    Table::new(
        "How far the customers have moved from those the model learned from",
        &["Column", "Stability index", "Verdict"],
        rows.collect(),
    )
}
