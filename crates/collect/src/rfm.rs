//! Recency, frequency and monetary value of each customer, as of a cut-off: what segments are looked for in besides the features.

use std::collections::BTreeMap;

use thalweg_domain::{Column, ColumnData, Table, Timestamp};

use crate::profile::profile_column;
use crate::spec::EventSource;

/// Names of the columns that [`crate::Collected::raw`] has when there are events, where the customers have none of that name.
pub const RFM_COLUMNS: [&str; 3] = ["recency_days", "frequency", "monetary"];

/// Microseconds of a day.
const DAY: f64 = 86_400e6;

/// One customer's events.
#[derive(Default)]
struct Tally {
    n: u32,
    newest: i64,
    money: f64,
}

/// `recency_days`, `frequency` and, when a numeric column of the events looks like money, `monetary` (its sum), one row per
/// key; missing for a customer without an event before the cut-off. `events` has the roles' names of `source`. A name that
/// is `taken` is left out.
pub(crate) fn columns(
    (events, source): (&Table, &EventSource),
    keys: &[String],
    cutoff: Timestamp,
    taken: impl Fn(&str) -> bool,
) -> Vec<Column> {
    let (Some(key), Some(ColumnData::Date(times))) = (
        events.column(&source.key),
        events.column(&source.time).map(|column| &column.data),
    ) else {
        return Vec::new();
    };
    let money = money(events, source);
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for (row, time) in times.iter().enumerate() {
        let Some(time) = time.filter(|time| *time < cutoff.0) else {
            continue;
        };
        let tally = tallies.entry(key.cell_text(row)).or_default();
        tally.newest = if tally.n == 0 {
            time
        } else {
            tally.newest.max(time)
        };
        tally.n += 1;
        let amount = money
            .and_then(|cells| cells.get(row))
            .filter(|cell| !cell.is_nan());
        tally.money += amount.copied().unwrap_or(0.0);
    }
    let of = |what: &dyn Fn(&Tally) -> f64| -> Vec<f64> {
        keys.iter()
            .map(|key| tallies.get(key).map_or(f64::NAN, what))
            .collect()
    };
    let mut found = vec![
        of(&|tally| days(cutoff, tally.newest)),
        of(&|tally| f64::from(tally.n)),
    ];
    if money.is_some() {
        found.push(of(&|tally| tally.money));
    }
    RFM_COLUMNS
        .into_iter()
        .zip(found)
        .filter(|(name, _)| !taken(name))
        .map(|(name, cells)| Column {
            name: name.to_owned(),
            data: ColumnData::Number(cells),
        })
        .collect()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "microseconds to days; whole microseconds do not matter"
)]
fn days(cutoff: Timestamp, time: i64) -> f64 {
    (cutoff.0 - time) as f64 / DAY
}

/// The first numeric column that looks like money.
fn money<'a>(events: &'a Table, source: &EventSource) -> Option<&'a [f64]> {
    events.columns().iter().find_map(|column| match &column.data {
        ColumnData::Number(cells) if column.name != source.key && profile_column(column).money_like => {
            Some(cells.as_slice())
        }
        _ => None,
    })
}
