//! What is known from elsewhere: measured lifts from a file, beliefs about returns from options.

use std::path::Path;

use thalweg_collect::{MissingTokens, read_source};
use thalweg_domain::{ColumnData, Result, Table};
use thalweg_response::{LiftTest, Panel, ReturnPrior};

use super::dates::cell;
use super::{ResponseSettings, option};
use crate::target::no_column;

/// Experiments: columns `channel, spend, change, lift, sd`, per period, and `geo` for one geography.
pub(super) fn lift_tests(base: &Path, settings: &ResponseSettings, panel: &Panel) -> Result<Vec<LiftTest>> {
    let Some(path) = &settings.lift_tests else {
        return Ok(Vec::new());
    };
    let table = read_source(base, path, &MissingTokens::new())?;
    let channel = table
        .column("channel")
        .ok_or_else(|| no_column(&table, "channel", "--lift-tests"))?;
    (0..table.n_rows())
        .map(|row| {
            let [spend, change, lift, sd] = ["spend", "change", "lift", "sd"].map(|name| number(&table, path, name, row));
            let (spend, change, lift, sd) = (spend?, change?, lift?, sd?);
            if sd.is_nan() || sd <= 0.0 || spend < 0.0 || spend + change < 0.0 || change == 0.0 {
                return Err(cell(path, row, "sd", format!("spend {spend}, change {change} and sd {sd} are no experiment: sd is above 0, spend is never negative, change is not 0")));
            }
            Ok(LiftTest {
                channel: position(&panel.channels, &channel.cell_text(row))?,
                series: match table.column("geo") {
                    Some(own) if !own.is_missing(row) => {
                        let name = own.cell_text(row);
                        let found = panel.series.iter().position(|own| own.name == name);
                        Some(found.ok_or_else(|| option(format!("{path} names the geography \"{name}\", which the table does not have")))?)
                    }
                    _ => None,
                },
                spend,
                change,
                lift,
                sd,
            })
        })
        .collect()
}

fn number(table: &Table, file: &str, name: &str, row: usize) -> Result<f64> {
    let column = table
        .column(name)
        .ok_or_else(|| no_column(table, name, "--lift-tests"))?;
    match &column.data {
        ColumnData::Number(cells) => cells.get(row).copied().filter(|own| own.is_finite()),
        _ => None,
    }
    .ok_or_else(|| {
        cell(
            file,
            row,
            name,
            format!("\"{}\" in \"{name}\" is not a number", column.cell_text(row)),
        )
    })
}

/// `tv=2.5:1` says that the return of tv is believed to be 2.5, give or take 1.
pub(super) fn return_priors(settings: &ResponseSettings, panel: &Panel) -> Result<Vec<ReturnPrior>> {
    settings
        .return_priors
        .iter()
        .map(|text| {
            let parts = text.rsplit_once('=').and_then(|(name, rest)| {
                let (mean, sd) = rest.split_once(':')?;
                Some((name, mean.parse::<f64>().ok()?, sd.parse::<f64>().ok()?))
            });
            match parts {
                Some((name, mean, sd)) if mean > 0.0 && sd > 0.0 && mean.is_finite() && sd.is_finite() => {
                    Ok(ReturnPrior {
                        channel: position(&panel.channels, name)?,
                        mean,
                        sd,
                    })
                }
                _ => Err(option(format!(
                    "the belief \"{text}\" is not CHANNEL=MEAN:SD with numbers above 0"
                ))),
            }
        })
        .collect()
}

fn position(channels: &[String], name: &str) -> Result<usize> {
    channels.iter().position(|own| own == name).ok_or_else(|| {
        option(format!(
            "\"{name}\" is not among the channels {}",
            channels.join(", ")
        ))
    })
}
