//! From a model's scores to predictions: calibrated probabilities, or the values themselves.

use serde::{Deserialize, Serialize};
use thalweg_domain::Result;

use super::TrainingSet;
use crate::evaluate::{Calibrator, OutOfFold, Temperature, choose_calibrator};
use crate::task::{Examples, Margins, Task};

/// How scores become predictions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// Two classes: log-odds to the probability.
    Calibrated(Calibrator),
    /// Several classes: logits to probabilities.
    Softmax(Temperature),
    /// Numbers: as they are.
    Identity,
}

impl Link {
    /// Chooses and fits the link of a task on scores of rows that the models had not seen; `fold` says which rows were
    /// scored by the same fit.
    ///
    /// # Errors
    /// `TW0320` for scores that are not numbers.
    pub(crate) fn fit(margins: &Margins, examples: &Examples, fold: &[u8]) -> Result<Self> {
        Ok(match &examples.task {
            Task::Binary => {
                let target: Vec<bool> = examples.target.iter().map(|target| *target > 0.5).collect();
                let scores = OutOfFold {
                    margins: &margins.cells,
                    target: &target,
                    weight: &examples.weight,
                    fold,
                };
                Self::Calibrated(choose_calibrator(&scores).0)
            }
            Task::Class { classes } => {
                let codes: Vec<u32> = examples.target.iter().map(|target| *target as u32).collect();
                let weight = Some(&examples.weight[..]);
                Self::Softmax(Temperature::fit(&margins.cells, classes.len(), &codes, weight)?)
            }
            Task::Value => Self::Identity,
        })
    }

    /// The predictions of rows in place of their scores.
    #[must_use]
    pub(super) fn apply(&self, margins: Margins) -> Vec<f64> {
        let n_outputs = margins.n_outputs.max(1);
        let mut cells = margins.cells;
        match self {
            Self::Calibrated(calibrator) => {
                cells.iter_mut().for_each(|cell| *cell = calibrator.apply(*cell));
            }
            Self::Softmax(temperature) => {
                cells
                    .chunks_exact_mut(n_outputs)
                    .for_each(|row| temperature.apply(row));
            }
            Self::Identity => (),
        }
        cells
    }

    /// `identity`, `platt`, `beta`, `isotonic` or `temperature`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Calibrated(calibrator) => calibrator.name(),
            Self::Softmax(_) => "temperature",
            Self::Identity => "identity",
        }
    }
}

/// The predictions of every row, the link of each fold fitted on the others. `margins` are those of all rows of the set.
///
/// # Errors
/// As [`Link::fit`].
pub(super) fn cross_linked(margins: &Margins, set: &TrainingSet<'_>, fold: &[u8]) -> Result<Vec<f64>> {
    let n_outputs = margins.n_outputs;
    let pick = |rows: &[usize]| Margins {
        cells: rows
            .iter()
            .flat_map(|row| {
                margins.cells[row * n_outputs..(row + 1) * n_outputs]
                    .iter()
                    .copied()
            })
            .collect(),
        n_outputs,
    };
    let mut cells = vec![0.0; margins.cells.len()];
    for own in 0..=fold.iter().max().copied().unwrap_or_default() {
        let (inside, outside): (Vec<usize>, Vec<usize>) = (0..fold.len()).partition(|row| fold[*row] == own);
        let other_folds: Vec<u8> = outside.iter().map(|row| fold[*row]).collect();
        let link = Link::fit(&pick(&outside), &set.examples(&outside), &other_folds)?;
        let scored = link.apply(pick(&inside));
        for (row, score) in inside.iter().zip(scored.chunks_exact(n_outputs)) {
            cells[row * n_outputs..(row + 1) * n_outputs].copy_from_slice(score);
        }
    }
    Ok(cells)
}

/// The one factor by which scores should be multiplied before they are compared or blended: the inverse temperature
/// with the lowest log loss; 1 for values.
///
/// # Errors
/// As [`Link::fit`].
pub(super) fn factor(margins: &Margins, examples: &Examples) -> Result<f64> {
    let codes = || -> Vec<u32> { examples.target.iter().map(|target| *target as u32).collect() };
    let weight = Some(&examples.weight[..]);
    let temperature = match &examples.task {
        Task::Value => return Ok(1.0),
        Task::Class { classes } => Temperature::fit(&margins.cells, classes.len(), &codes(), weight)?,
        Task::Binary => {
            let logits: Vec<f64> = margins.cells.iter().flat_map(|margin| [0.0, *margin]).collect();
            Temperature::fit(&logits, 2, &codes(), weight)?
        }
    };
    Ok(1.0 / temperature.temperature)
}

/// The loss of one row's scores before any link: log loss, or squared error for values.
pub(super) fn row_loss(task: &Task, margins: &[f64], target: f64) -> f64 {
    match task {
        Task::Binary => {
            let margin = margins[0];
            margin.max(0.0) - margin * target + (-margin.abs()).exp().ln_1p()
        }
        Task::Class { .. } => {
            let highest = margins.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let total: f64 = margins.iter().map(|margin| (margin - highest).exp()).sum();
            highest + total.ln() - margins[target as usize]
        }
        Task::Value => (margins[0] - target).powi(2),
    }
}
