//! score: a stored model and a file of any size give a file of predictions, in the order of the rows.
//!
//! The file is read in bounded batches; every thread takes the next piece, decodes and scores it, and one writes the
//! results in order. The same bytes come out whatever the number of threads.

mod chosen;
mod decide;
mod pipeline;
mod results;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use thalweg_collect::stream::{ColumnTally, Sink, SinkFormat, Stream, StreamSpec};
use thalweg_domain::{Error, Result};

use crate::session::Options;
pub(crate) use chosen::{Chosen, choose_model};
use decide::Rule;
pub use decide::{DecidedGroupOut, DecidedOut};
use results::Scorer;

/// What to score, with what, and where to.
#[derive(Debug, Clone)]
pub struct ScoreRequest {
    /// A model's id in the workspace, `champion`, `latest`, or the path of a model file; without it the champion.
    pub model: Option<String>,
    /// A file or a glob of CSV, Parquet or JSON lines.
    pub data: String,
    /// The file to write: `.csv` or `.parquet`.
    pub out: PathBuf,
    /// The column that names a row; without it the workspace's key if the data has it, else rows are numbered from 1.
    pub key: Option<String>,
    /// Further columns of the data to write beside the scores.
    pub keep: Vec<String>,
    /// Whether rows are selected as well, and from which probability on.
    pub decide: Option<Decide>,
    /// The workspace folder.
    pub dir: PathBuf,
    /// Whether the user named it: then its missing texts and its key hold for a model file as well.
    pub dir_given: bool,
}

/// From which probability on a row is selected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Decide {
    /// As the model's evaluation in the workspace says: one threshold for all, or one for each group of `[fairness]`.
    Evaluated,
    /// From this probability on.
    From(f64),
}

/// `score --json`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ScoreOut {
    /// The model's id or file.
    pub model: String,
    /// What it predicts: `binary`, `class` or `value`.
    pub task: String,
    /// Its learner, or `blend`.
    pub learner: String,
    /// Rows scored.
    pub rows: u64,
    /// Seconds from the first row read to the file in its place.
    pub seconds: f64,
    /// Rows a second.
    pub rows_per_second: f64,
    /// Rows of the largest batch.
    pub peak_batch: usize,
    /// Cells that were missing, and so imputed, by column; columns without any are left out.
    pub missing: BTreeMap<String, u64>,
    /// Categories with levels that training did not have.
    pub unseen: BTreeMap<String, UnseenOut>,
    /// Whom the thresholds select; absent without `--decide`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<DecidedOut>,
    /// Columns of the output, in order.
    pub columns: Vec<String>,
    /// The file that was written.
    pub file: String,
}

/// Levels of one column that training did not have.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UnseenOut {
    /// Rows with such a level.
    pub rows: u64,
    /// The first such levels, at most five.
    pub levels: Vec<String>,
}

/// Scores a file.
///
/// # Errors
/// `TW0113` and `TW0309` for the model, `TW0310` when there is nothing to decide by, `TW0201` to `TW0237` for the files,
/// `TW0305` and `TW0306` when the data do not fit the model. Nothing is written then.
pub fn score(request: &ScoreRequest, options: &Options) -> Result<ScoreOut> {
    let chosen = chosen::choose(request, options)?;
    let rule = Rule::of(request, &chosen, options)?;
    let begun = Instant::now();
    let (stream, group) = open(request, &chosen, rule.as_ref())?;
    let scorer = Scorer::new(&chosen.model, rule.as_ref().map(|rule| (rule, group)));
    let format = SinkFormat::new(&request.out, &stream, &scorer.columns())?;
    let mut sink = Sink::create(&format)?;
    let done = pipeline::run(stream, &scorer, &format, &mut sink, options.progress.as_ref())
        .map_err(|error| chosen.advise(error))?;
    done.tally
        .check(&request.data)
        .map_err(|error| chosen.advise(error))?;
    let decided = rule.map(|rule| rule.report(&done.selected)).transpose()?;
    sink.finish()?;
    let seconds = begun.elapsed().as_secs_f64();
    let columns = done.tally.carried.iter().chain(&done.tally.columns);
    Ok(ScoreOut {
        task: chosen.model.task().as_str().to_owned(),
        learner: chosen.model.kept().as_str().to_owned(),
        rows: done.tally.rows,
        seconds,
        rows_per_second: done.tally.rows as f64 / seconds.max(1e-9),
        peak_batch: done.peak_batch,
        missing: columns
            .filter(|column| column.missing > 0)
            .map(|column| (column.name.clone(), column.missing))
            .collect(),
        unseen: done.tally.columns.iter().filter_map(unseen).collect(),
        decided,
        columns: format.names(),
        file: request.out.display().to_string(),
        model: chosen.name,
    })
}

fn unseen(column: &ColumnTally) -> Option<(String, UnseenOut)> {
    (column.unseen > 0).then(|| {
        let out = UnseenOut {
            rows: column.unseen,
            levels: column.examples.clone(),
        };
        (column.name.clone(), out)
    })
}

/// Opens the data with the key that was asked for, or the workspace's where the data has it; with the place of the groups' column.
fn open(request: &ScoreRequest, chosen: &Chosen, rule: Option<&Rule>) -> Result<(Stream, Option<usize>)> {
    let group = rule.and_then(Rule::column);
    let spec = |key: Option<&String>| {
        let mut carried: Vec<String> = key.into_iter().chain(&request.keep).cloned().collect();
        let place = group.map(|name| {
            carried.iter().position(|own| own == name).unwrap_or_else(|| {
                carried.push(name.clone());
                carried.len() - 1
            })
        });
        let spec = StreamSpec {
            base: PathBuf::new(),
            pattern: request.data.clone(),
            columns: chosen.model.schema(),
            missing: chosen.missing.clone(),
            carried,
        };
        (spec, place)
    };
    let opened = |key| {
        let (spec, place) = spec(key);
        Stream::open(&spec).map(|stream| (stream, place))
    };
    let key = request.key.as_ref().or(chosen.key.as_ref());
    let stream = match opened(key) {
        Err(error) if request.key.is_none() && is_about(&error, key) => opened(None),
        stream => stream,
    };
    stream.map_err(|error| chosen.advise(error))
}

/// Whether the error says that this column is not there.
fn is_about(error: &Error, key: Option<&String>) -> bool {
    let column = error.at.as_ref().and_then(|place| place.column.as_ref());
    error.code == "TW0211" && key.is_some() && column == key
}
