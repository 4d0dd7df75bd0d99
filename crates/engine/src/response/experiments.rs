//! What is known from elsewhere: measured lifts from a file, beliefs about returns.

use std::path::Path;

use thalweg_collect::{MissingTokens, read_source};
use thalweg_domain::{Belief, ColumnData, Result, Table};
use thalweg_response::{LiftTest, Panel, ReturnPrior};

use super::dates::cell;
use super::{GivenTest, ResponseSettings, option};
use crate::target::no_column;
use crate::wire::LiftTestOut;

/// An experiment, and where it comes from.
type Sourced = (LiftTest, String);

/// Experiments: columns `channel, spend, change, lift, sd` of a file, per period, and `geo` for one geography; then those
/// that were given one by one.
pub(super) fn lift_tests(base: &Path, settings: &ResponseSettings, panel: &Panel) -> Result<Vec<Sourced>> {
    let mut out = match &settings.lift_tests {
        Some(path) => of_file(base, path, panel)?,
        None => Vec::new(),
    };
    for own in &settings.given_tests {
        out.push((given(own, panel)?, own.source.clone()));
    }
    Ok(out)
}

fn of_file(base: &Path, path: &str, panel: &Panel) -> Result<Vec<Sourced>> {
    let table = read_source(base, path, &MissingTokens::new())?;
    let channel = table
        .column("channel")
        .ok_or_else(|| no_column(&table, "channel", "--lift-tests"))?;
    (0..table.n_rows())
        .map(|row| {
            let [spend, change, lift, sd] =
                ["spend", "change", "lift", "sd"].map(|name| number(&table, path, name, row));
            let own = GivenTest {
                channel: channel.cell_text(row),
                geo: table
                    .column("geo")
                    .filter(|own| !own.is_missing(row))
                    .map(|own| own.cell_text(row)),
                spend: spend?,
                change: change?,
                lift: lift?,
                sd: sd?,
                source: "given".to_owned(),
            };
            if let Some(fault) = fault(&own) {
                return Err(cell(path, row, "sd", fault));
            }
            Ok((given(&own, panel)?, own.source))
        })
        .collect()
}

/// What is wrong with an experiment's numbers.
pub(crate) fn fault(own: &GivenTest) -> Option<String> {
    let GivenTest {
        spend, change, sd, ..
    } = own;
    let sound = *sd > 0.0 && *spend >= 0.0 && spend + change >= 0.0 && *change != 0.0;
    (!sound).then(|| {
        format!("spend {spend}, change {change} and sd {sd} are no experiment: sd is above 0, spend is never negative, change is not 0")
    })
}

/// An experiment in the panel's terms.
pub(super) fn given(own: &GivenTest, panel: &Panel) -> Result<LiftTest> {
    let series = own.geo.as_ref().map(|name| {
        panel
            .series
            .iter()
            .position(|series| series.name == *name)
            .ok_or_else(|| {
                option(format!(
                    "a lift test of \"{}\" names the geography \"{name}\", which the table does not have",
                    own.channel
                ))
            })
    });
    Ok(LiftTest {
        channel: position(&panel.channels, &own.channel)?,
        series: series.transpose()?,
        spend: own.spend,
        change: own.change,
        lift: own.lift,
        sd: own.sd,
    })
}

/// Experiments by the names of their channels.
pub(super) fn described(tests: &[Sourced], panel: &Panel) -> Vec<LiftTestOut> {
    tests
        .iter()
        .map(|(test, source)| LiftTestOut {
            channel: panel.channels.get(test.channel).cloned().unwrap_or_default(),
            geo: test
                .series
                .and_then(|series| panel.series.get(series))
                .map(|series| series.name.clone()),
            spend: test.spend,
            change: test.change,
            lift: test.lift,
            sd: test.sd,
            source: source.clone(),
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

/// Beliefs about returns in the panel's terms.
pub(super) fn return_priors(settings: &ResponseSettings, panel: &Panel) -> Result<Vec<ReturnPrior>> {
    settings
        .return_priors
        .iter()
        .map(|(name, belief)| {
            Ok(ReturnPrior {
                channel: position(&panel.channels, name)?,
                mean: belief.mean,
                sd: belief.sd,
            })
        })
        .collect()
}

/// `tv=2.5:1` says that the return of tv is believed to be 2.5, give or take 1.
pub(super) fn parse_return_prior(text: &str) -> Result<(String, Belief)> {
    let parts = text.rsplit_once('=').and_then(|(name, rest)| {
        let (mean, sd) = rest.split_once(':')?;
        Some((name, mean.parse::<f64>().ok()?, sd.parse::<f64>().ok()?))
    });
    match parts {
        Some((name, mean, sd)) if mean > 0.0 && sd > 0.0 && mean.is_finite() && sd.is_finite() => {
            Ok((name.to_owned(), Belief { mean, sd }))
        }
        _ => Err(option(format!(
            "the belief \"{text}\" is not CHANNEL=MEAN:SD with numbers above 0"
        ))),
    }
}

fn position(channels: &[String], name: &str) -> Result<usize> {
    channels.iter().position(|own| own == name).ok_or_else(|| {
        option(format!(
            "\"{name}\" is not among the channels {}",
            channels.join(", ")
        ))
    })
}
