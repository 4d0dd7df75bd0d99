//! The `[plan]` section of the file, with its `[[plan.constraint]]` and `[[plan.pacing]]`.

use thalweg_domain::{Channel, Duration, Offer, Result};

use super::read::money;
use super::rules::{self, Conditions, Menu, PaceRule, Rule};
use super::toml_view::Section;
use super::{ChannelConfig, OfferConfig, Plan, Robust, RobustMode};

/// Draws of the effects without another word, and at most.
const SAMPLES: u64 = 200;
const MOST_SAMPLES: u64 = 10_000;

/// The share that is randomised.
pub(super) fn explore(section: &Section<'_>) -> Result<f64> {
    let explore = section.number_in("explore", 0.0..=0.5, 0.10)?;
    if explore > 0.0 && explore < 0.02 {
        return Err(section
            .refuse("explore", &format!("= {explore} is between 0 and 0.02"))
            .hint(
                "below 0.02 the effects are never learned; give 0.02 or more, or 0 to switch learning off",
            ));
    }
    Ok(explore)
}

pub(super) fn plan(
    section: &Section<'_>,
    (channels, offers): (&[ChannelConfig], &[OfferConfig]),
    horizon: Duration,
) -> Result<Plan> {
    let actions = section.whole("max_actions_per_customer", 1)?.unwrap_or(1);
    if actions != 1 {
        return Err(section.refuse(
            "max_actions_per_customer",
            &format!("= {actions} is not supported: only 1 is"),
        ));
    }
    let channels: Vec<Channel> = channels.iter().map(|entry| entry.channel.clone()).collect();
    let offers: Vec<Offer> = offers.iter().map(|entry| entry.offer.clone()).collect();
    let menu = Menu::new(&channels, &offers);
    let constraints = constraints(section, &menu)?;
    let days = days(section, horizon)?;
    let paces = paces(section, &menu)?;
    if days.is_none() && !paces.is_empty() {
        return Err(section
            .missing("days")
            .hint("[[plan.pacing]] spreads contacts over days: days = 20"));
    }
    rules::check_names(section, &constraints, &paces)?;
    Ok(Plan {
        budget: money(section, "budget")?
            .ok_or_else(|| section.missing("budget"))?
            .get(),
        holdout: section.number_in("holdout", 0.0..=0.5, 0.10)?,
        explore: explore(section)?,
        max_actions_per_customer: 1,
        market: section.text("market")?,
        constraints,
        days,
        paces,
        robust: robust(section)?,
    })
}

fn robust(section: &Section<'_>) -> Result<Option<Robust>> {
    let Some(own) = section.section("robust", "robust", "[plan] robust")? else {
        return Ok(None);
    };
    let mode = match own.word("mode", &["mean", "lower", "thompson"], "lower")? {
        "mean" => RobustMode::Mean,
        "thompson" => RobustMode::Thompson,
        _ => RobustMode::Lower,
    };
    if mode != RobustMode::Lower && own.has("risk_aversion") {
        return Err(own
            .refuse(
                "risk_aversion",
                &format!("does not go with mode = \"{}\"", mode.as_str()),
            )
            .hint("leave it away, or use mode = \"lower\""));
    }
    let samples = own.whole("samples", 0)?.unwrap_or(SAMPLES);
    if samples > MOST_SAMPLES {
        return Err(own.refuse("samples", &format!("= {samples} is above {MOST_SAMPLES}")));
    }
    Ok(Some(Robust {
        mode,
        risk_aversion: if mode == RobustMode::Lower {
            own.number_in("risk_aversion", 0.0..=10.0, 1.0)?
        } else {
            0.0
        },
        samples: usize::try_from(samples).unwrap_or(0),
    }))
}

/// The `[[plan.constraint]]`, checked as far as that goes without the customers.
fn constraints(section: &Section<'_>, menu: &Menu<'_>) -> Result<Vec<Rule>> {
    let mut all = Vec::new();
    for own in section.sections("constraint")? {
        let rule = rules::constraint(&own)?;
        if let Some(other) = rule.resource.as_deref().filter(|other| *other != "cost") {
            return Err(own
                .refuse("resource", &format!("= \"{other}\" is not one of cost, rows"))
                .hint("\"cost\" adds up expected cost, \"rows\" counts contacts"));
        }
        check(&own, menu, (&rule.name, &rule.conditions))?;
        all.push(rule);
    }
    Ok(all)
}

fn paces(section: &Section<'_>, menu: &Menu<'_>) -> Result<Vec<PaceRule>> {
    let mut all = Vec::new();
    for own in section.sections("pacing")? {
        let rule = rules::pace(&own)?;
        check(&own, menu, (&rule.name, &rule.conditions))?;
        all.push(rule);
    }
    Ok(all)
}

fn check(section: &Section<'_>, menu: &Menu<'_>, (name, conditions): (&String, &Conditions)) -> Result<()> {
    if menu.taken_names().contains(name) {
        let what = format!("= \"{name}\" is what the plan calls a limit of its own");
        return Err(section
            .refuse_as("TW0106", "name", &what)
            .hint("give it another name"));
    }
    menu.check(section, conditions)
}

/// Contacts have to come while their outcome still counts.
fn days(section: &Section<'_>, horizon: Duration) -> Result<Option<u16>> {
    let Some(days) = section.whole("days", 1)? else {
        return Ok(None);
    };
    let most = horizon.as_days();
    match u16::try_from(days) {
        Ok(own) if f64::from(own) <= most => Ok(Some(own)),
        _ => Err(section
            .refuse("days", &format!("= {days} is more than the {most:.0} days of [outcome] horizon"))
            .hint("an outcome counts within the horizon of the plan: spread over fewer days, or give a longer horizon")),
    }
}
