//! The features that a panel has without a `features.sql`: recency, frequency and sums, as of the cut-off.

use thalweg_domain::{ColumnKind, Table};

use crate::spec::EventSource;

/// Look-back windows in days, besides all of the past.
const WINDOWS: [u32; 3] = [30, 90, 365];

/// The query over `events`: one row per customer who has one.
///
/// Days since the first and the newest event, the mean gap between events, how many in all and in the last 30, 90 and
/// 365 days, the last 90 days against the 90 before, how many kinds; per numeric column its sums and its mean.
pub(super) fn query(events: &Table, source: &EventSource) -> String {
    let (key, time) = (quoted(&source.key), quoted(&source.time));
    let mut selected = vec![
        key.clone(),
        format!("{} AS days_since_first_event", days(&format!("min({time})"))),
        format!("{} AS days_since_last_event", days(&format!("max({time})"))),
        format!(
            "(date_part('epoch', max({time})) - date_part('epoch', min({time}))) / 86400.0 / nullif(count(*) - 1, 0) \
             AS mean_days_between_events"
        ),
        "count(*) AS events_in_all".to_owned(),
    ];
    for window in WINDOWS {
        selected.push(format!(
            "sum({}) AS events_in_{window}_days",
            within(&time, window, "1", "0")
        ));
    }
    selected.push(format!(
        "sum({}) - sum({} - {}) AS events_in_90_days_against_the_90_before",
        within(&time, 90, "1", "0"),
        within(&time, 180, "1", "0"),
        within(&time, 90, "1", "0"),
    ));
    if let Some(name) = &source.name {
        selected.push(format!("count(DISTINCT {}) AS kinds_of_events", quoted(name)));
    }
    let numeric = events
        .columns()
        .iter()
        .filter(|column| column.kind() == ColumnKind::Number && column.name != source.key);
    for column in numeric {
        selected.extend(sums(&column.name, &time));
    }
    format!("SELECT {} FROM events GROUP BY {key}", selected.join(", "))
}

/// A numeric column's sums and mean.
fn sums(column: &str, time: &str) -> Vec<String> {
    let cell = quoted(column);
    let named = |what: &str| quoted(&format!("{column}_{what}"));
    let mut selected = vec![
        format!("sum({cell}) AS {}", named("in_all")),
        format!("avg({cell}) AS {}", named("mean")),
    ];
    for window in WINDOWS {
        selected.push(format!(
            "sum({}) AS {}",
            within(time, window, &cell, "0"),
            named(&format!("in_{window}_days"))
        ));
    }
    selected
}

/// Days from a moment to the cut-off.
fn days(moment: &str) -> String {
    format!("(date_part('epoch', :cutoff) - date_part('epoch', {moment})) / 86400.0")
}

/// One value for events of the last so many days, another for older ones.
fn within(time: &str, days: u32, recent: &str, older: &str) -> String {
    format!("CASE WHEN {time} >= :cutoff - INTERVAL '{days} days' THEN {recent} ELSE {older} END")
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
