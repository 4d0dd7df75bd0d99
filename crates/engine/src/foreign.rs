//! Models trained elsewhere: from an ONNX file to the outcome model, and back from what was stored.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thalweg_domain::{Check, CheckVerdict, Error, Result, Table};
use thalweg_learn::models::Learner;
use thalweg_learn::models::foreign::{ForeignFile, ForeignScores};
use thalweg_learn::outcome::{Kept, OutcomeModel, OutcomeParams, OutcomeTraining, TrainingSet, register};
use thalweg_learn::task::Task;
use thalweg_onnx::{Model, Reading, Scale};

use crate::config::OnnxFile;

/// Probabilities are moved this far away from 0 and 1 before their log-odds are taken.
const EDGE: f64 = 1e-12;

/// What is kept beside the file: how to read it, and what for.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    columns: Vec<String>,
    output: Option<String>,
    positive: Option<String>,
    scale: Option<String>,
    task: Task,
}

impl Stored {
    fn reading(&self) -> Result<Reading> {
        let scale = |name: &String| {
            Scale::from_name(name).ok_or_else(|| unreadable(format!("there is no scale \"{name}\"")))
        };
        Ok(Reading {
            columns: self.columns.clone(),
            output: self.output.clone(),
            positive: self.positive.clone(),
            scale: self.scale.as_ref().map(scale).transpose()?,
        })
    }
}

fn unreadable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new("TW0309", "a stored model cannot be read")
        .hint("it is damaged, or another version wrote it: register the ONNX file again")
        .cause(cause)
}

/// An ONNX model with what its numbers are for.
#[derive(Debug)]
struct OnnxScores {
    model: Model,
    task: Task,
    /// For each class of the task its place among the model's.
    places: Vec<usize>,
}

impl ForeignScores for OnnxScores {
    fn margins(&self, table: &Table) -> Result<Vec<f64>> {
        match &self.task {
            Task::Value => Ok(self.model.values(table)?.cells),
            Task::Binary => {
                let log_odds = |p: f64| {
                    let p = p.clamp(EDGE, 1.0 - EDGE);
                    (p / (1.0 - p)).ln()
                };
                Ok(self.model.predict(table)?.into_iter().map(log_odds).collect())
            }
            Task::Class { classes } => {
                let scores = self.model.probabilities(table)?;
                if scores.n_outputs != classes.len() {
                    let message = format!(
                        "the model tells {} classes apart, the target has {}",
                        scores.n_outputs,
                        classes.len()
                    );
                    return Err(Error::new("TW0343", message)
                        .hint(format!("the target's classes are: {}", classes.join(", "))));
                }
                let rows = scores.cells.chunks_exact(scores.n_outputs.max(1));
                let ln = |p: &f64| p.clamp(EDGE, 1.0).ln();
                Ok(rows
                    .flat_map(|row| self.places.iter().filter_map(|place| row.get(*place)).map(ln))
                    .collect())
            }
        }
    }
}

fn scores(bytes: &[u8], reading: &Reading, task: Task) -> Result<OnnxScores> {
    let model = Model::with_reading(bytes, reading)?;
    let named = &model.description().classes;
    let places = match &task {
        Task::Class { classes } if !named.is_empty() => classes
            .iter()
            .map(|class| {
                let place = named.iter().position(|own| own == class);
                place.ok_or_else(|| {
                    Error::new("TW0343", format!("the model does not know the class \"{class}\""))
                        .hint(format!("its classes are: {}", named.join(", ")))
                })
            })
            .collect::<Result<_>>()?,
        Task::Class { classes } => (0..classes.len()).collect(),
        Task::Binary | Task::Value => Vec::new(),
    };
    Ok(OnnxScores { model, task, places })
}

fn load(file: &ForeignFile) -> Result<Arc<dyn ForeignScores>> {
    let kept: Stored = serde_json::from_str(&file.reading).map_err(unreadable)?;
    Ok(Arc::new(scores(&file.bytes, &kept.reading()?, kept.task)?))
}

/// Makes a model that was read back ready to predict.
///
/// # Errors
/// `TW0309` and `TW034x` when a file inside it cannot be read.
pub(crate) fn attach(model: &mut OutcomeModel) -> Result<()> {
    model.attach(&load)
}

/// The bytes of the file, which lies in a folder.
///
/// # Errors
/// `TW0110` when it cannot be read.
pub(crate) fn read(onnx: &OnnxFile, dir: &Path) -> Result<Vec<u8>> {
    std::fs::read(dir.join(&onnx.file)).map_err(|cause| {
        Error::new(
            "TW0110",
            format!("cannot read \"{}\", which [model.onnx] file names", onnx.file),
        )
        .hint("the path is relative to the workspace folder")
        .cause(cause)
    })
}

/// Registers the file as the outcome model of some rows.
///
/// # Errors
/// `TW0110` and `TW034x` for the file, `TW0305` when the table lacks a column that it reads, and as
/// [`thalweg_learn::outcome::register`].
pub(crate) fn train(
    onnx: &OnnxFile,
    dir: &Path,
    set: &TrainingSet<'_>,
    params: &OutcomeParams,
) -> Result<OutcomeTraining> {
    let bytes = read(onnx, dir)?;
    let task = set.target.task();
    let scores = scores(&bytes, &onnx.reading, task.clone())
        .map_err(|error| error.at(onnx.file.clone(), None, None))?;
    let features = features(&scores.model, set.table)?;
    let kept = Stored {
        columns: onnx.reading.columns.clone(),
        output: onnx.reading.output.clone(),
        positive: onnx.reading.positive.clone(),
        scale: onnx.reading.scale.map(|scale| scale.as_str().to_owned()),
        task,
    };
    let file = ForeignFile {
        reading: crate::session::to_json(&kept)?,
        bytes,
    };
    register(Arc::new(scores), file, &features, set, params)
}

/// The table's columns that the model reads: those of the inputs' names, or of the names that exporters make of them.
fn features(model: &Model, table: &Table) -> Result<Vec<String>> {
    let plain = |name: &str| name.replace(|letter: char| !letter.is_alphanumeric(), "_");
    let find = |(input, _): &(String, &str)| {
        let alike = || {
            table
                .columns()
                .iter()
                .find(|column| plain(&column.name) == *input)
        };
        let found = table.column(input).or_else(alike);
        found.map(|column| column.name.clone()).ok_or_else(|| {
            Error::new(
                "TW0305",
                format!("the model was trained with column \"{input}\", which the customers' table lacks"),
            )
            .hint(
                "add the column to the source, do not exclude it, or name the columns: [model.onnx] columns",
            )
        })
    };
    model.description().columns.iter().map(find).collect()
}

/// How the figures of a training were found, and what to keep in mind; none for our own learners.
pub(crate) fn remarks(training: &OutcomeTraining, protocol: &str) -> Option<(String, Check)> {
    if training.learner != Kept::One(Learner::Onnx) {
        return None;
    }
    let protocol = format!(
        "trained elsewhere: calibrated in {protocol}; its figures are honest only for rows that it has not seen"
    );
    let check = Check {
        name: "trained_elsewhere",
        verdict: CheckVerdict::Review,
        detail: format!(
            "only the calibration was fitted here, on {} rows that the model may have seen",
            training.out_of_fold.len()
        ),
        advice: Some(
            "make sure that it was trained on other customers, or on none later than these".to_owned(),
        ),
        code: Some("TW0415"),
    };
    Some((protocol, check))
}
