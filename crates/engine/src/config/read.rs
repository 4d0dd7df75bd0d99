//! From the text of `thalweg.toml` to the checked [`Config`].

use std::collections::BTreeMap;

use thalweg_channels::{PolicyParams, QuietHours};
use thalweg_collect::Cutoffs;
use thalweg_domain::{
    Belief, Channel, ChannelKind, ChannelName, Duration, Error, Money, Offer, OfferName, OutcomeKind, Result,
    Seed,
};
use thalweg_plan::borrow::kind_default;
use toml::de::DeTable;

use super::keys::nearest;
use super::toml_view::{Section, Source};
use super::{
    ChannelConfig, Config, Customers, DecideOn, Events, Fairness, FairnessAction, Features, OfferConfig,
    Outcome,
};

const ADAPTERS: &[&str] = &["file"];

/// Parses and checks a configuration.
///
/// `file` is how errors name it; `default_name` is the workspace's name when the file gives none.
///
/// # Errors
/// `TW0102` to `TW0107`, each with the line.
pub fn parse(file: &str, text: &str, default_name: &str) -> Result<Config> {
    let source = Source { file, text };
    let document = document(source)?;
    let root = Section::open(source, "", "", document.get_ref(), 0)?;
    let channels = channels(&root)?;
    let offers = offers(&root, &channels)?;
    let workspace = root.section("workspace", "workspace", "[workspace]")?;
    let (name, currency, seed) = match &workspace {
        Some(section) => (
            section.text("name")?,
            section.text("currency")?,
            section.whole("seed", 0)?,
        ),
        None => (None, None, None),
    };
    let events = root
        .sections("events")?
        .iter()
        .map(event_source)
        .collect::<Result<Vec<_>>>()?;
    let outcome = outcome(&required(&root, "outcome")?, !events.is_empty())?;
    let learned_from_events = outcome.column.is_none();
    Ok(Config {
        name: name.unwrap_or_else(|| default_name.to_owned()),
        currency: currency.unwrap_or_else(|| "USD".to_owned()),
        seed: Seed(seed.unwrap_or(42)),
        customers: customers(&root, learned_from_events)?,
        events,
        features: features(&root)?,
        model: super::model::model(&root, learned_from_events)?,
        fairness: fairness(&root)?,
        plan: super::plan::plan(&required(&root, "plan")?, (&channels, &offers), outcome.horizon)?,
        contact_policy: contact_policy(&root)?,
        outcome,
        response: super::response::response(&root, &channels)?,
        channels,
        offers,
    })
}

fn required<'a>(root: &Section<'a>, name: &str) -> Result<Section<'a>> {
    root.section(name, name, &format!("[{name}]"))?
        .ok_or_else(|| needs(root, name))
}

fn needs(root: &Section<'_>, name: &str) -> Error {
    Error {
        message: format!("the file needs a section [{name}]"),
        ..root.missing(name)
    }
}

fn customers(root: &Section<'_>, learned_from_events: bool) -> Result<Customers> {
    let Some(section) = root.section("customers", "customers", "[customers]")? else {
        if learned_from_events {
            return Ok(Customers {
                source: None,
                key: None,
                since: None,
                cluster: None,
                decide_on: DecideOn::Auto,
            });
        }
        return Err(needs(root, "customers"));
    };
    let decide_on = match section.text("decide_on")?.as_deref() {
        None | Some("auto") => DecideOn::Auto,
        Some("all") => DecideOn::All,
        Some(condition) => DecideOn::Where(condition.to_owned()),
    };
    let source = section.text("source")?;
    if source.is_none() && !learned_from_events {
        return Err(section.missing("source"));
    }
    let key = section.text("key")?;
    if learned_from_events && source.is_some() && key.is_none() {
        return Err(section.missing("key").hint(
            "without an [outcome] column the outcome is learned from events, which are joined by the key",
        ));
    }
    Ok(Customers {
        since: only_with_events(&section, "since", learned_from_events)?,
        source,
        key,
        cluster: section.text("cluster")?,
        decide_on,
    })
}

/// A text that only means something when the outcome is learned from events.
fn only_with_events(section: &Section<'_>, key: &str, learned_from_events: bool) -> Result<Option<String>> {
    let text = section.text(key)?;
    if text.is_some() && !learned_from_events {
        return Err(section
            .refuse(key, "only counts when the outcome is learned from events")
            .hint("leave it away, or leave [outcome] column away and give [[events]]"));
    }
    Ok(text)
}

fn event_source(section: &Section<'_>) -> Result<Events> {
    Ok(Events {
        source: section.required_text("source")?,
        key: section.required_text("key")?,
        time: section.required_text("time")?,
        name: section.text("name")?,
    })
}

fn features(root: &Section<'_>) -> Result<Features> {
    let Some(section) = root.section("features", "features", "[features]")? else {
        return Ok(Features {
            exclude: Vec::new(),
            sql: None,
            missing: BTreeMap::new(),
        });
    };
    let mut missing = BTreeMap::new();
    if let Some(columns) = section.section("columns", "features.columns", "[features.columns]")? {
        for name in columns.names() {
            let heading = format!("[features.columns.{name}]");
            if let Some(column) = columns.section(&name, "features.columns.*", &heading)? {
                missing.insert(name, column.texts("missing")?);
            }
        }
    }
    Ok(Features {
        exclude: section.texts("exclude")?,
        sql: section.text("sql")?,
        missing,
    })
}

fn outcome(section: &Section<'_>, has_events: bool) -> Result<Outcome> {
    let kind = section.word("kind", &["churn", "conversion"], "churn")?;
    let column = section.text("column")?;
    if column.is_none() && !has_events {
        return Err(section
            .missing("column")
            .hint("name the labelled column, or give [[events]] to learn from what customers did"));
    }
    let horizon = span(section, "horizon")?.unwrap_or(Duration::days(30));
    let absent = section.flag("absent", false)?;
    let cutoffs = cutoffs(section, horizon)?;
    if column.is_some() {
        for key in ["absent", "cutoffs", "every"] {
            if section.has(key) {
                return Err(section
                    .refuse(key, "only counts when the outcome is learned from events")
                    .hint("leave it away, or leave [outcome] column away and give [[events]]"));
            }
        }
    }
    Ok(Outcome {
        kind: OutcomeKind::from_name(kind).unwrap_or(OutcomeKind::Churn),
        column,
        positive: section.expression("positive")?,
        event: section.text("event")?.unwrap_or_else(|| "Outcome".to_owned()),
        absent,
        cutoffs,
        horizon,
        value: section.expression("value")?.unwrap_or_else(|| "100".to_owned()),
    })
}

/// Days, as in `30d`.
fn span(section: &Section<'_>, key: &str) -> Result<Option<Duration>> {
    let Some(text) = section.text(key)? else {
        return Ok(None);
    };
    text.strip_suffix('d')
        .and_then(|days| days.parse::<i64>().ok())
        .filter(|days| (1..=3650).contains(days))
        .map(|days| Some(Duration::days(days)))
        .ok_or_else(|| {
            section.refuse(
                key,
                &format!("= \"{text}\" is not a number of days such as \"30d\""),
            )
        })
}

fn cutoffs(section: &Section<'_>, horizon: Duration) -> Result<Cutoffs> {
    let given = section.texts("cutoffs")?;
    let every = span(section, "every")?;
    if given.is_empty() {
        return Ok(Cutoffs::Every(every.unwrap_or(horizon)));
    }
    if every.is_some() {
        return Err(section.refuse("every", "and cutoffs are both there: give one of them"));
    }
    let moments = given.iter().map(|text| crate::clock::parse_time(text));
    Ok(Cutoffs::At(
        moments
            .collect::<Result<Vec<_>>>()
            .map_err(|error| section.placed("cutoffs", error))?,
    ))
}

pub(crate) fn document<'a>(source: Source<'a>) -> Result<toml::Spanned<DeTable<'a>>> {
    DeTable::parse(source.text).map_err(|error| {
        let line = error.span().map(|span| source.line(span.start));
        let message = error
            .message()
            .lines()
            .next()
            .unwrap_or("not TOML")
            .to_lowercase();
        let message = format!("not valid TOML: {message}");
        Error::new("TW0102", message).at(source.file, line, None)
    })
}

fn fairness(root: &Section<'_>) -> Result<Fairness> {
    let Some(section) = root.section("fairness", "fairness", "[fairness]")? else {
        return Ok(Fairness::default());
    };
    let words = FairnessAction::ALL.map(FairnessAction::as_str);
    let word = section.word("action", &words, "report")?;
    let action = FairnessAction::ALL
        .into_iter()
        .find(|action| action.as_str() == word);
    let columns = section.texts("columns")?;
    if columns.is_empty() {
        return Err(section.missing("columns"));
    }
    Ok(Fairness {
        columns,
        action: action.unwrap_or_default(),
    })
}

fn channels(root: &Section<'_>) -> Result<Vec<ChannelConfig>> {
    let mut channels: Vec<ChannelConfig> = Vec::new();
    for section in root.sections("channel")? {
        let entry = channel(&section)?;
        if channels
            .iter()
            .any(|other| other.channel.name == entry.channel.name)
        {
            return Err(section.refuse_as(
                "TW0106",
                "name",
                &format!("\"{}\" is used twice", entry.channel.name),
            ));
        }
        channels.push(entry);
    }
    Ok(channels)
}

fn channel(section: &Section<'_>) -> Result<ChannelConfig> {
    let name = ChannelName::new(section.required_text("name")?)
        .map_err(|error| section.refuse("name", &error.message))?;
    let kind = section.word("kind", &["online", "offline", "partner"], "online")?;
    let unit_cost = money(section, "unit_cost")?.ok_or_else(|| section.missing("unit_cost"))?;
    let kind = ChannelKind::from_name(kind).unwrap_or(ChannelKind::Online);
    let adapter = section.word("adapter", ADAPTERS, "file")?;
    let capacity = section.whole("capacity", 0)?;
    let terms = super::partners::terms(section, kind)?;
    super::partners::check_minimum(section, terms, capacity)?;
    Ok(ChannelConfig {
        channel: Channel {
            name,
            kind,
            unit_cost,
            capacity,
            budget: money(section, "budget")?,
            plain: section.flag("plain", true)?,
            assumed_effect: section.belief("assumed_effect", kind_default(kind))?,
        },
        borrows: !section.has("assumed_effect"),
        pilot: if section.has("pilot") {
            Some(section.flag("pilot", false)?)
        } else {
            None
        },
        on: section.flag("on", true)?,
        terms,
        adapter: adapter.to_owned(),
        consent: section.text("consent")?,
        template: section.text("template")?,
    })
}

pub(super) fn money(section: &Section<'_>, key: &str) -> Result<Option<Money>> {
    match section.number(key)? {
        Some(amount) if amount < 0.0 => Err(section.refuse(key, &format!("= {amount} is negative"))),
        Some(amount) => Money::new(amount).map(Some),
        None => Ok(None),
    }
}

fn offers(root: &Section<'_>, channels: &[ChannelConfig]) -> Result<Vec<OfferConfig>> {
    let mut offers: Vec<OfferConfig> = Vec::new();
    for section in root.sections("offer")? {
        let entry = offer(&section, channels)?;
        if offers.iter().any(|other| other.offer.name == entry.offer.name) {
            return Err(section.refuse_as(
                "TW0106",
                "name",
                &format!("\"{}\" is used twice", entry.offer.name),
            ));
        }
        offers.push(entry);
    }
    Ok(offers)
}

fn offer(section: &Section<'_>, channels: &[ChannelConfig]) -> Result<OfferConfig> {
    let name = OfferName::new(section.required_text("name")?)
        .map_err(|error| section.refuse("name", &error.message))?;
    let acceptance = section.belief("assumed_acceptance", Belief { mean: 0.2, sd: 0.1 })?;
    if !(0.0..=1.0).contains(&acceptance.mean) {
        return Err(section.refuse("assumed_acceptance", "must have a mean between 0 and 1"));
    }
    let names = section.texts("channels")?;
    if names.is_empty() {
        return Err(section.missing("channels"));
    }
    Ok(OfferConfig {
        offer: Offer {
            name,
            assumed_effect: section.belief("assumed_effect", Belief { mean: 0.05, sd: 0.05 })?,
            assumed_acceptance: acceptance,
            cap: section.whole("cap", 0)?,
            channels: names
                .iter()
                .map(|name| {
                    let known = channels.iter().map(|entry| entry.channel.name.as_str());
                    known_name(section, ("channels", name), ("channel", known))
                })
                .collect::<Result<_>>()?,
        },
        on: section.flag("on", true)?,
        cost: section
            .expression("cost")?
            .ok_or_else(|| section.missing("cost"))?,
        template: section.text("template")?,
    })
}

/// The place of a name in a list; `at` is the key that gives it.
pub(super) fn known_name<'n>(
    section: &Section<'_>,
    (at, name): (&str, &str),
    (what, known): (&str, impl Iterator<Item = &'n str> + Clone),
) -> Result<usize> {
    known.clone().position(|known| known == name).ok_or_else(|| {
        let error = section.refuse_as(
            "TW0105",
            at,
            &format!("names the {what} \"{name}\", which does not exist"),
        );
        match nearest(name, known.clone()) {
            Some(near) => error.hint(format!("did you mean \"{near}\"?")),
            None => error.hint(format!("{what}s are {}", known.collect::<Vec<_>>().join(", "))),
        }
    })
}

fn contact_policy(root: &Section<'_>) -> Result<PolicyParams> {
    let Some(section) = root.section("contact_policy", "contact_policy", "[contact_policy]")? else {
        return Ok(PolicyParams::default());
    };
    let quiet = section
        .text("quiet_hours")?
        .map(|text| text.parse::<QuietHours>());
    Ok(PolicyParams {
        quiet_hours: quiet
            .transpose()
            .map_err(|error| section.placed("quiet_hours", error))?,
        max_per_week: section
            .whole("max_per_week", 0)?
            .map(|number| u32::try_from(number).unwrap_or(u32::MAX)),
    })
}
