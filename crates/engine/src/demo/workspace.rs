//! The simulated company's workspace: its `thalweg.toml`, its table of customers, its events.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;
use thalweg_domain::{Error, Result};
use thalweg_market::{Market, MarketEvent};

use super::HOLDOUT;
use crate::clock::format_time;

/// The customers' file.
pub(super) const CUSTOMERS: &str = "customers.parquet";

/// Writes the configuration: the market's channels and offers as the company knows them.
pub(super) fn write(dir: &Path, market: &Market, seed: u64, budget: f64) -> Result<()> {
    let mut text = format!(
        "# The demo's simulated business.\n[workspace]\nname = \"demo\"\nseed = {seed}\n\n\
         [customers]\nsource = \"{CUSTOMERS}\"\nkey = \"{key}\"\n\n\
         [outcome]\nkind = \"churn\"\ncolumn = \"{outcome}\"\npositive = \"Yes\"\nevent = \"Subscription Cancelled\"\n\
         horizon = \"30d\"\nvalue = \"{value}\"\n\n\
         [model]\nlearner = \"logistic\"\nfolds = 3\n\n\
         [plan]\nbudget = {budget:.2}\nholdout = {HOLDOUT}\nexplore = 0.10\n",
        key = market.key_column(),
        outcome = market.outcome_column(),
        value = market.value_sql(),
    );
    for index in 0..market.channels().len() {
        channel(&mut text, market, index);
    }
    for index in 0..market.offers().len() {
        offer(&mut text, market, index)?;
    }
    thalweg_collect::write_bytes_atomic(&dir.join(crate::CONFIG_FILE), text.as_bytes())
}

fn channel(text: &mut String, market: &Market, index: usize) {
    let Some(channel) = market.channels().get(index) else {
        return;
    };
    let _ = write!(
        text,
        "\n[[channel]]\nname = \"{}\"\nadapter = \"file\"\nkind = \"{}\"\nunit_cost = {}\nplain = {}\n\
         assumed_effect = {{ mean = {}, sd = {} }}\n",
        channel.name,
        channel.kind.as_str(),
        channel.unit_cost.get(),
        channel.plain,
        channel.assumed_effect.mean,
        channel.assumed_effect.sd
    );
    if let Some(capacity) = channel.capacity {
        let _ = writeln!(text, "capacity = {capacity}");
    }
    if let Some(budget) = channel.budget {
        let _ = writeln!(text, "budget = {}", budget.get());
    }
    if let Some(consent) = market.consent_column(index) {
        let _ = writeln!(text, "consent = \"{consent}\"");
    }
}

fn offer(text: &mut String, market: &Market, index: usize) -> Result<()> {
    let missing = || Error::new("TW0901", "internal error: the market has no such offer");
    let offer = market.offers().get(index).ok_or_else(missing)?;
    let names: Vec<String> = offer
        .channels
        .iter()
        .filter_map(|channel| market.channels().get(*channel))
        .map(|channel| format!("\"{}\"", channel.name))
        .collect();
    let _ = write!(
        text,
        "\n[[offer]]\nname = \"{}\"\ncost = \"{}\"\nassumed_effect = {{ mean = {}, sd = {} }}\n\
         assumed_acceptance = {{ mean = {}, sd = {} }}\nchannels = [{}]\n",
        offer.name,
        market.offer_cost_sql(index).ok_or_else(missing)?,
        offer.assumed_effect.mean,
        offer.assumed_effect.sd,
        offer.assumed_acceptance.mean,
        offer.assumed_acceptance.sd,
        names.join(", ")
    );
    if let Some(cap) = offer.cap {
        let _ = writeln!(text, "cap = {cap}");
    }
    Ok(())
}

/// Writes what happened as Segment-style events; `decisions` gives the decision of each customer.
pub(super) fn write_events(
    path: &Path,
    events: &[MarketEvent],
    decisions: &BTreeMap<String, String>,
    cycle: u32,
) -> Result<()> {
    let mut text = String::new();
    for (number, event) in events.iter().enumerate() {
        let mut properties = serde_json::Map::new();
        if let (Some(_), Some(decision)) = (event.action, decisions.get(&event.customer)) {
            properties.insert("decision_id".to_owned(), json!(decision));
        }
        let line = json!({
            "type": "track",
            "messageId": format!("{cycle}-{number}"),
            "userId": event.customer,
            "event": event.kind.name(),
            "timestamp": format_time(event.at),
            "properties": properties,
        });
        let _ = writeln!(text, "{line}");
    }
    thalweg_collect::write_bytes_atomic(path, text.as_bytes())
}
