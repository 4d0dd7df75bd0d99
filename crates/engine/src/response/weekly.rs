//! The table by week that `--out` writes: what was seen, what was expected, and what each channel brought.

use std::path::Path;

use thalweg_collect::{write_bytes_atomic, write_table};
use thalweg_domain::{Column, ColumnData, Error, Estimate, Result, Table};
use thalweg_response::results::Results;

use super::dates::iso;
use super::panel::Read;

/// Writes CSV or Parquet by the name's ending, or `weeks.csv` into a folder; gives the path back.
pub(super) fn write(path: &Path, read: &Read, results: &Results) -> Result<String> {
    let path = if path.extension().is_none() {
        path.join("weeks.csv")
    } else {
        path.to_owned()
    };
    let columns = columns(read, results);
    match path.extension().and_then(|own| own.to_str()) {
        Some("csv") => write_bytes_atomic(&path, csv(results, &columns).as_bytes())?,
        Some("parquet") => {
            let number = |(name, cells): (String, Vec<f64>)| Column {
                name,
                data: ColumnData::Number(cells),
            };
            let day = |own: &thalweg_response::results::Week| Some(own.day.saturating_mul(86_400_000_000));
            let mut all = vec![Column {
                name: "period".to_owned(),
                data: ColumnData::Date(results.weeks.iter().map(day).collect()),
            }];
            all.extend(columns.into_iter().map(number));
            write_table(&path, &Table::new(all)?)?;
        }
        _ => {
            return Err(Error::new(
                "TW0236",
                format!("\"{}\" ends in neither .csv nor .parquet", path.display()),
            )
            .hint("name a .csv or .parquet file, or a folder"));
        }
    }
    Ok(path.display().to_string())
}

fn columns(read: &Read, results: &Results) -> Vec<(String, Vec<f64>)> {
    let weeks = &results.weeks;
    let mut out: Vec<(String, Vec<f64>)> = vec![
        (
            "outcome".to_owned(),
            weeks.iter().map(|own| own.outcome).collect(),
        ),
        ("base".to_owned(), weeks.iter().map(|own| own.base).collect()),
    ];
    let mut push = |name: &str, of: &dyn Fn(usize) -> Estimate| {
        let all: Vec<Estimate> = (0..weeks.len()).map(of).collect();
        out.push((name.to_owned(), all.iter().map(|own| own.mean).collect()));
        out.push((format!("{name}_low"), all.iter().map(|own| own.low).collect()));
        out.push((format!("{name}_high"), all.iter().map(|own| own.high).collect()));
    };
    push("expected", &|t| {
        weeks.get(t).map(|own| own.predicted).unwrap_or_default()
    });
    for (index, name) in read.panel.channels.iter().enumerate() {
        push(&format!("contribution_{name}"), &|t| {
            weeks
                .get(t)
                .and_then(|own| own.channels.get(index))
                .copied()
                .unwrap_or_default()
        });
    }
    out
}

fn csv(results: &Results, columns: &[(String, Vec<f64>)]) -> String {
    let quoted = |name: &str| {
        if name.contains([',', '"', '\n']) {
            format!("\"{}\"", name.replace('"', "\"\""))
        } else {
            name.to_owned()
        }
    };
    let names: Vec<String> = columns.iter().map(|(name, _)| quoted(name)).collect();
    let mut text = format!("period,{}\n", names.join(","));
    for (row, week) in results.weeks.iter().enumerate() {
        text.push_str(&iso(week.day));
        for (_, cells) in columns {
            text.push_str(&format!(",{}", cells.get(row).copied().unwrap_or(f64::NAN)));
        }
        text.push('\n');
    }
    text
}
