//! A model trained elsewhere: what it asks for, and what it predicts for the rows of a table.

use rayon::prelude::*;
use thalweg_domain::{Error, Result, Table};

use crate::feed::Feed;
use crate::plan::Plan;
use crate::proto::{Element, ModelProto, ValueProto};
use crate::reading::{Chosen, Reading, Scale, choose};
use crate::tensor::Tensor;

/// Rows computed at once.
const BATCH: usize = 1024;
/// How far beyond 0 and 1 a probability may lie by rounding.
const SLACK: f64 = 1e-5;

/// A model read from an ONNX file, ready to predict.
pub struct Model {
    plan: Plan,
    feeds: Vec<Feed>,
    chosen: Chosen,
    positive: Option<usize>,
    description: Description,
}

/// What a model says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The program that wrote it, with its version: `skl2onnx 1.20.0`.
    pub producer: String,
    /// The version of the default operator set.
    pub opset: i64,
    /// The columns that it reads, in the order of its inputs, with the type of their cells (`float`, `string`, ...).
    pub columns: Vec<(String, &'static str)>,
    /// The output that is read.
    pub output: String,
    /// What that output's numbers are taken for.
    pub scale: Scale,
    /// The classes, if the file names them.
    pub classes: Vec<String>,
}

/// One number or several per row, row after row.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// The cells, row after row.
    pub cells: Vec<f64>,
    /// Cells per row.
    pub n_outputs: usize,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("description", &self.description)
            .finish_non_exhaustive()
    }
}

impl Model {
    /// Reads a model whose inputs are named like the table's columns.
    ///
    /// # Errors
    /// As [`Self::with_reading`].
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        Self::with_reading(bytes, &Reading::default())
    }

    /// Reads a model.
    ///
    /// # Errors
    /// `TW0340` when the bytes are no ONNX model, `TW0341` naming the operators that are not supported, `TW0342` when
    /// its inputs cannot be columns of a table, `TW0343` when it has no output to read or no such class.
    pub fn with_reading(bytes: &[u8], reading: &Reading) -> Result<Self> {
        let model = ModelProto::read(bytes)?;
        let chosen = choose(&model, reading)?;
        let plan = Plan::new(&model, &chosen.output)?;
        let find = |name: &String| model.graph.inputs.iter().find(|input| &input.name == name);
        let inputs: Vec<&ValueProto> = plan.feeds.iter().filter_map(|(name, _)| find(name)).collect();
        if inputs.is_empty() {
            return Err(
                Error::new("TW0342", "the model's output does not depend on any input")
                    .hint("check what was exported, or name the output to read"),
            );
        }
        let feeds = Feed::all(&inputs, &reading.columns)?;
        let positive = reading
            .positive
            .as_deref()
            .map(|name| positive(&chosen, name))
            .transpose()?;
        let description = describe(&model, &inputs, &feeds, &chosen);
        Ok(Self {
            plan,
            feeds,
            chosen,
            positive,
            description,
        })
    }

    /// What the model says of itself.
    #[must_use]
    pub const fn description(&self) -> &Description {
        &self.description
    }

    /// The probability of the positive class for each row. Columns may come in any order and others may be there.
    ///
    /// One column of probabilities is that of the positive class; of two columns it is the second unless
    /// [`Reading::positive`] says otherwise. Log-odds go through the logistic function, logits through the softmax.
    ///
    /// # Errors
    /// `TW0305` when the table lacks a column, `TW0342` when a column's cells are not what the model takes, `TW0343`
    /// when what comes out is no probability, `TW0344` when the model cannot be computed.
    pub fn predict(&self, table: &Table) -> Result<Vec<f64>> {
        let scores = self.probabilities(table)?;
        let place = match (scores.n_outputs, self.positive) {
            (1, _) => 0,
            (_, Some(place)) => place,
            (2, None) => 1,
            (n, None) => {
                return Err(Error::new(
                    "TW0343",
                    format!("the model tells {n} classes apart, and none is named as the positive one"),
                )
                .hint("name the class whose probability is asked for"));
            }
        };
        let rows = scores.cells.chunks_exact(scores.n_outputs.max(1));
        let flip = scores.n_outputs == 1 && self.positive == Some(0);
        Ok(rows
            .filter_map(|row| row.get(place))
            .map(|p| if flip { 1.0 - p } else { *p })
            .collect())
    }

    /// The probability of each class for each row, or of the positive class alone if that is all the model gives.
    ///
    /// # Errors
    /// As [`Self::predict`].
    pub fn probabilities(&self, table: &Table) -> Result<Scores> {
        let mut scores = self.values(table)?;
        let n = scores.n_outputs.max(1);
        for (row, cells) in scores.cells.chunks_exact_mut(n).enumerate() {
            to_probabilities(cells, self.chosen.scale);
            if let Some(cell) = cells.iter().find(|cell| !(-SLACK..=1.0 + SLACK).contains(*cell)) {
                return Err(self.no_probability(*cell, row));
            }
            cells.iter_mut().for_each(|cell| *cell = cell.clamp(0.0, 1.0));
        }
        Ok(scores)
    }

    /// The numbers that the model gives, as they are: for regressions.
    ///
    /// # Errors
    /// As [`Self::predict`].
    pub fn values(&self, table: &Table) -> Result<Scores> {
        let fixed = self.feeds.iter().find_map(|feed| feed.n_rows);
        let size = fixed.unwrap_or(BATCH).max(1);
        let starts: Vec<usize> = (0..table.n_rows()).step_by(size).collect();
        let parts = starts
            .par_iter()
            .map(|start| {
                let end = if fixed.is_some() {
                    start + size
                } else {
                    (start + size).min(table.n_rows())
                };
                self.batch(table, *start, end)
            })
            .collect::<Result<Vec<Scores>>>()?;
        let n_outputs = parts.first().map_or(1, |part| part.n_outputs);
        let mut cells = Vec::with_capacity(table.n_rows() * n_outputs);
        parts.into_iter().for_each(|part| cells.extend(part.cells));
        cells.truncate(table.n_rows() * n_outputs);
        Ok(Scores { cells, n_outputs })
    }

    fn batch(&self, table: &Table, start: usize, end: usize) -> Result<Scores> {
        let feeds = self.feeds.iter().map(|feed| feed.tensor(table, start, end));
        let output = self.plan.run(feeds.collect::<Result<Vec<Tensor>>>()?)?;
        let n_rows = end - start;
        let n_outputs = output.len().checked_div(n_rows).unwrap_or(1);
        if output.len() != n_rows * n_outputs || n_outputs == 0 || output.shape().first() != Some(&n_rows) {
            let message = format!(
                "the model's output \"{}\" has the shape {:?} for {n_rows} rows",
                self.chosen.output,
                output.shape()
            );
            return Err(Error::new("TW0343", message)
                .hint("name the output that holds one row of numbers per row of the table"));
        }
        Ok(Scores {
            cells: output.numbers()?,
            n_outputs,
        })
    }

    fn no_probability(&self, cell: f64, row: usize) -> Error {
        let output = &self.chosen.output;
        let error = Error::new(
            "TW0343",
            format!(
                "the model's output \"{output}\" is {cell} in row {} of the table, which is no probability",
                row + 1
            ),
        );
        error.hint(if cell.is_nan() {
            "the model does not take missing cells: fill them, or export it with its imputation"
        } else {
            "if the output holds log-odds, say so: scale = \"logit\""
        })
    }
}

fn to_probabilities(cells: &mut [f64], scale: Scale) {
    match (scale, cells.len()) {
        (Scale::Probability, _) => {}
        (Scale::LogProbability, _) => cells.iter_mut().for_each(|cell| *cell = cell.exp()),
        (Scale::Logit, 1) => cells
            .iter_mut()
            .for_each(|cell| *cell = 1.0 / (1.0 + (-*cell).exp())),
        (Scale::Logit, _) => {
            let top = cells.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            cells.iter_mut().for_each(|cell| *cell = (*cell - top).exp());
            let sum: f64 = cells.iter().sum();
            cells.iter_mut().for_each(|cell| *cell /= sum);
        }
    }
}

fn positive(chosen: &Chosen, name: &str) -> Result<usize> {
    chosen.classes.iter().position(|class| class == name).ok_or_else(|| {
        let error = Error::new("TW0343", format!("the model does not know the class \"{name}\""));
        error.hint(if chosen.classes.is_empty() {
            "its file names no classes: leave the class out, then the second of two is taken as the positive one".to_owned()
        } else {
            format!("its classes are: {}", chosen.classes.join(", "))
        })
    })
}

fn describe(model: &ModelProto, inputs: &[&ValueProto], feeds: &[Feed], chosen: &Chosen) -> Description {
    let element = |element: Element| match element {
        Element::Float => "float",
        Element::Double => "double",
        Element::Int => "integer",
        Element::Bool => "boolean",
        Element::Text => "string",
        Element::Maps | Element::Unknown => "unknown",
    };
    let columns = inputs.iter().zip(feeds).flat_map(|(input, feed)| {
        let names = feed.columns().iter();
        names.map(move |name| (name.clone(), element(input.element)))
    });
    let opset = model.opsets.iter().find(|(domain, _)| domain.is_empty());
    Description {
        producer: format!("{} {}", model.producer, model.producer_version)
            .trim()
            .to_owned(),
        opset: opset.map_or(1, |(_, version)| *version),
        columns: columns.collect(),
        output: chosen.output.clone(),
        scale: chosen.scale,
        classes: chosen.classes.clone(),
    }
}
