//! From a table of weeks to a complete panel: dates in order, nothing missing, nothing negative.

use std::collections::BTreeMap;
use std::path::Path;

use thalweg_collect::{MissingTokens, read_source};
use thalweg_domain::{Column, ColumnData, Error, Result, Table};
use thalweg_response::{Holiday, Panel, Series};

use super::ResponseSettings;
use super::dates::{cell, days, iso};
use crate::target::no_column;

/// The panel, and what was said about it on the way.
pub(super) struct Read {
    pub(super) panel: Panel,
    pub(super) notes: Vec<String>,
}

/// Reads the table and the holidays.
pub(super) fn read(base: &Path, settings: &ResponseSettings) -> Result<Read> {
    let table = read_source(base, &settings.data, &MissingTokens::new())?;
    for (index, name) in settings.channels.iter().enumerate() {
        if settings.channels.iter().skip(index + 1).any(|own| own == name)
            || settings.controls.contains(name)
            || *name == settings.outcome
        {
            return Err(super::option(format!(
                "\"{name}\" is named twice among channels, controls and outcome"
            )));
        }
    }
    if settings.channels.is_empty() {
        return Err(super::option("no channel is named".to_owned()));
    }
    let file = settings.data.as_str();
    let time = column(&table, &settings.time, "--time")?;
    let day = days(file, time, settings.date_format.as_deref())?;
    let rows = Rows {
        file,
        time: &settings.time,
        day,
    };
    let order = rows.order(geo(&table, settings)?)?;
    let (controls, mut notes) = controls(&table, settings)?;
    let outcome = numbers(file, column(&table, &settings.outcome, "--outcome")?)?;
    let mut spends = Vec::new();
    for name in &settings.channels {
        let spend = numbers(file, column(&table, name, "--channels")?)?;
        if let Some((row, value)) = spend.iter().enumerate().find(|(_, own)| **own < 0.0) {
            return Err(cell(
                file,
                row,
                name,
                format!("the spend of \"{name}\" is {value}; spend cannot be negative"),
            )
            .hint("give refunds in a column of their own; a period without spend is 0"));
        }
        spends.push(spend);
    }
    let pick = |values: &[f64], rows: &[usize]| -> Vec<f64> {
        rows.iter().filter_map(|row| values.get(*row).copied()).collect()
    };
    let first = order.values().next().map(Vec::as_slice).unwrap_or_default();
    let days: Vec<i64> = first
        .iter()
        .filter_map(|row| rows.day.get(*row).copied())
        .collect();
    let step = days
        .iter()
        .zip(days.iter().skip(1))
        .map(|(a, b)| b - a)
        .next()
        .unwrap_or(7);
    let series = order
        .iter()
        .map(|(name, rows)| Series {
            name: name.clone(),
            outcome: pick(&outcome, rows),
            spend: spends.iter().map(|own| pick(own, rows)).collect(),
            controls: controls.iter().map(|(_, own)| pick(own, rows)).collect(),
        })
        .collect();
    check_outcome(settings, &outcome)?;
    let holidays = match &settings.holidays {
        Some(path) => holidays(base, path, settings.country.as_deref())?,
        None => Vec::new(),
    };
    if step == 1
        && !settings
            .seasonality
            .iter()
            .any(|own| own == "weekly" || own == "none")
    {
        notes.push(
            "the table is daily: --seasonality yearly,weekly would model the days of the week".to_owned(),
        );
    }
    Ok(Read {
        panel: Panel {
            days,
            step,
            channels: settings.channels.clone(),
            controls: controls.into_iter().map(|(name, _)| name).collect(),
            series,
            holidays,
        },
        notes,
    })
}

fn check_outcome(settings: &ResponseSettings, outcome: &[f64]) -> Result<()> {
    let first = outcome.first().copied().unwrap_or_default();
    if outcome.iter().all(|own| *own == first) {
        return Err(Error::new(
            "TW0522",
            format!(
                "the outcome \"{}\" is {first} in every period: there is nothing to explain",
                settings.outcome
            ),
        ));
    }
    Ok(())
}

fn column<'a>(table: &'a Table, name: &str, option: &str) -> Result<&'a Column> {
    table.column(name).ok_or_else(|| no_column(table, name, option))
}

/// A complete column of numbers.
fn numbers(file: &str, column: &Column) -> Result<Vec<f64>> {
    let values: Vec<f64> = match &column.data {
        ColumnData::Number(cells) => cells.clone(),
        ColumnData::Boolean(cells) => cells
            .iter()
            .map(|own| own.map_or(f64::NAN, |own| f64::from(u8::from(own))))
            .collect(),
        _ => {
            let row = (0..column.len())
                .find(|row| column.cell_text(*row).parse::<f64>().is_err())
                .unwrap_or(0);
            return Err(cell(
                file,
                row,
                &column.name,
                format!(
                    "\"{}\" in \"{}\" is not a number",
                    column.cell_text(row),
                    column.name
                ),
            ));
        }
    };
    match values.iter().position(|own| !own.is_finite()) {
        None => Ok(values),
        Some(row) => Err(cell(
            file,
            row,
            &column.name,
            format!("\"{}\" is empty or not a number", column.name),
        )
        .hint("give every period a number; 0 where nothing was spent")),
    }
}

/// Columns by name, and notes on them.
type Controls = (Vec<(String, Vec<f64>)>, Vec<String>);

/// Controls as numbers; a category becomes one column per level but the most frequent.
fn controls(table: &Table, settings: &ResponseSettings) -> Result<Controls> {
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    for name in &settings.controls {
        let own = column(table, name, "--controls")?;
        let ColumnData::Category { codes, levels } = &own.data else {
            out.push((name.clone(), numbers(&settings.data, own)?));
            continue;
        };
        let mut by_level: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for (row, code) in codes.iter().enumerate() {
            let level = usize::try_from(*code)
                .ok()
                .and_then(|code| levels.get(code))
                .map_or("", String::as_str);
            if let Some(cell) = by_level
                .entry(level)
                .or_insert_with(|| vec![0.0; codes.len()])
                .get_mut(row)
            {
                *cell = 1.0;
            }
        }
        let most = by_level
            .iter()
            .max_by(|a, b| a.1.iter().sum::<f64>().total_cmp(&b.1.iter().sum::<f64>()))
            .map(|(level, _)| (*level).to_owned());
        let most = most.unwrap_or_default();
        notes.push(format!(
            "the control \"{name}\" has {} levels; each is compared with \"{most}\"",
            by_level.len()
        ));
        let rest = by_level.into_iter().filter(|(level, _)| *level != most);
        out.extend(rest.map(|(level, own)| (format!("{name} {level}"), own)));
    }
    Ok((out, notes))
}

/// The geography of each row.
fn geo(table: &Table, settings: &ResponseSettings) -> Result<Vec<String>> {
    let Some(name) = &settings.geo else {
        return Ok(vec![String::new(); table.n_rows()]);
    };
    let own = column(table, name, "--geo")?;
    (0..own.len())
        .map(|row| {
            if own.is_missing(row) {
                return Err(cell(
                    &settings.data,
                    row,
                    name,
                    format!("the geography in \"{name}\" is empty"),
                ));
            }
            Ok(own.cell_text(row))
        })
        .collect()
}

struct Rows<'a> {
    file: &'a str,
    time: &'a str,
    day: Vec<i64>,
}

impl Rows<'_> {
    /// Rows in order of time by geography: evenly spaced, each period once, the same for all.
    fn order(&self, geo: Vec<String>) -> Result<BTreeMap<String, Vec<usize>>> {
        let mut order: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (row, name) in geo.into_iter().enumerate() {
            order.entry(name).or_default().push(row);
        }
        let at = |row: &usize| self.day.get(*row).copied().unwrap_or_default();
        for rows in order.values_mut() {
            rows.sort_by_key(at);
        }
        let mut steps: Vec<i64> = Vec::new();
        for rows in order.values() {
            for (a, b) in rows.iter().zip(rows.iter().skip(1)) {
                if at(a) == at(b) {
                    let message = format!("{} occurs twice (first in line {})", iso(at(b)), a.min(b) + 2);
                    return Err(self.broken(*a.max(b), message).hint(
                        "keep one row per period; with several regions name their column: --geo COLUMN",
                    ));
                }
                steps.push(at(b) - at(a));
            }
        }
        let step = if steps.iter().filter(|own| **own == 1).count() * 2 > steps.len() {
            1
        } else {
            7
        };
        for rows in order.values() {
            for (a, b) in rows.iter().zip(rows.iter().skip(1)) {
                let gap = at(b) - at(a);
                if gap != step {
                    let every = if step == 1 { "day" } else { "week" };
                    let message = format!(
                        "from {} to {} are {gap} days where one {every} is expected: a period is missing or misplaced",
                        iso(at(a)),
                        iso(at(b))
                    );
                    return Err(self
                        .broken(*b, message)
                        .hint("add the missing rows, with spend 0 where nothing was spent"));
                }
            }
        }
        let spans: Vec<(i64, usize)> = order
            .values()
            .map(|rows| (rows.first().map(at).unwrap_or_default(), rows.len()))
            .collect();
        if let Some((own, name)) = spans
            .iter()
            .zip(order.keys())
            .find(|(own, _)| Some(**own) != spans.first().copied())
        {
            let message = format!(
                "\"{name}\" has {} periods from {}; every geography needs the same",
                own.1,
                iso(own.0)
            );
            return Err(Error::new("TW0521", message).at(self.file, None, Some(self.time)));
        }
        Ok(order)
    }

    fn broken(&self, row: usize, message: String) -> Error {
        let line = u64::try_from(row).unwrap_or(u64::MAX).saturating_add(2);
        Error::new("TW0521", message).at(self.file, Some(line), Some(self.time))
    }
}

fn holidays(base: &Path, path: &str, country: Option<&str>) -> Result<Vec<Holiday>> {
    let table = read_source(base, path, &MissingTokens::new())?;
    let either = |names: [&str; 2]| {
        names
            .iter()
            .find_map(|name| table.column(name))
            .ok_or_else(|| no_column(&table, names[0], "--holidays"))
    };
    let (day, name) = (
        days(path, either(["date", "ds"])?, None)?,
        either(["holiday", "name"])?,
    );
    let land = match country {
        Some(_) => Some(column(&table, "country", "--country")?),
        None => None,
    };
    let mut out: Vec<Holiday> = day
        .into_iter()
        .enumerate()
        .filter(|(row, _)| land.is_none_or(|own| Some(own.cell_text(*row).as_str()) == country))
        .map(|(row, day)| Holiday {
            day,
            name: name.cell_text(row),
        })
        .collect();
    if let (true, Some(country)) = (out.is_empty(), country) {
        return Err(super::option(format!(
            "{path} has no holiday of the country \"{country}\""
        )));
    }
    out.sort();
    out.dedup();
    Ok(out)
}
