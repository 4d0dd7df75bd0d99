//! The validation scores of a part, a column per setting, and mixtures of them.

use thalweg_domain::Result;

use super::TrainingSet;
use super::choose::{Judged, Pool};
use super::grid::Setting;
use super::link::{factor, row_loss};
use super::split::{Part, Stack};
use crate::task::{Examples, Margins};

/// The validation rows of a part and what each setting says about them.
pub(super) struct Sheet {
    pub(super) stack: Stack,
    pub(super) examples: Examples,
    pub(super) columns: Vec<Column>,
}

/// One setting's scores of the validation rows.
pub(super) struct Column {
    /// As they are.
    pub(super) margins: Margins,
    /// Times the factor found on the other splits' rows.
    scores: Margins,
    /// Loss of each row under those.
    loss: Vec<f64>,
}

impl Sheet {
    pub(super) fn new(set: &TrainingSet<'_>, part: &Part) -> Self {
        let stack = part.stack(set.group);
        let examples = set.examples(&stack.rows);
        Self {
            stack,
            examples,
            columns: Vec::new(),
        }
    }

    /// Adds a setting's scores, given split by split.
    ///
    /// # Errors
    /// `TW0320` for scores that are not numbers.
    pub(super) fn add(&mut self, splits: Vec<Margins>) -> Result<()> {
        let n_outputs = self.examples.task.n_outputs();
        let cells: Vec<f64> = splits.into_iter().flat_map(|split| split.cells).collect();
        let margins = Margins { cells, n_outputs };
        let scores = self.scaled(&margins)?;
        let rows = scores.rows().zip(&self.examples.target);
        let loss = rows
            .map(|(row, target)| row_loss(&self.examples.task, row, *target))
            .collect();
        self.columns.push(Column {
            margins,
            scores,
            loss,
        });
        Ok(())
    }

    /// Scores times a factor that was found without the rows of the same split.
    fn scaled(&self, margins: &Margins) -> Result<Margins> {
        let n_outputs = margins.n_outputs;
        let last = self.stack.cross.iter().max().copied().unwrap_or_default();
        let mut scores = margins.clone();
        for held in 0..=last {
            let others: Vec<usize> = (0..self.stack.rows.len())
                .filter(|own| self.stack.cross[*own] != held)
                .collect();
            let factor = if others.is_empty() {
                1.0
            } else {
                self.factor_on(margins, &others)?
            };
            let rows = scores.cells.chunks_exact_mut(n_outputs).zip(&self.stack.cross);
            rows.filter(|(_, cross)| **cross == held)
                .for_each(|(row, _)| row.iter_mut().for_each(|cell| *cell *= factor));
        }
        Ok(scores)
    }

    fn factor_on(&self, margins: &Margins, rows: &[usize]) -> Result<f64> {
        let n_outputs = margins.n_outputs;
        let cells = rows
            .iter()
            .flat_map(|row| &margins.cells[row * n_outputs..(row + 1) * n_outputs]);
        let own = Margins {
            cells: cells.copied().collect(),
            n_outputs,
        };
        factor(&own, &take(&self.examples, rows))
    }
}

fn take(examples: &Examples, rows: &[usize]) -> Examples {
    Examples {
        task: examples.task.clone(),
        target: rows.iter().map(|row| examples.target[*row]).collect(),
        weight: rows.iter().map(|row| examples.weight[*row]).collect(),
        group: rows.iter().map(|row| examples.group[*row]).collect(),
    }
}

/// Several sheets under each other.
pub(super) struct Together {
    pub(super) pool: Pool,
    columns: Vec<Column>,
    examples: Examples,
}

impl Together {
    pub(super) fn new(set: &TrainingSet<'_>, sheets: &[Sheet]) -> Self {
        let rows: Vec<usize> = sheets
            .iter()
            .flat_map(|sheet| sheet.stack.rows.iter().copied())
            .collect();
        let mut cross = Vec::with_capacity(rows.len());
        let mut first = 0;
        for sheet in sheets {
            let own = sheet.stack.cross.iter().map(|cross| usize::from(*cross));
            cross.extend(own.clone().map(|own| first + own));
            first += own.max().map_or(0, |last| last + 1);
        }
        let n_settings = sheets.first().map_or(0, |sheet| sheet.columns.len());
        let columns = (0..n_settings)
            .map(|setting| under_each_other(sheets, setting))
            .collect();
        Self {
            examples: set.examples(&rows),
            pool: Pool::new(set, rows, cross),
            columns,
        }
    }

    pub(super) fn judged(&self, settings: &[Setting]) -> Vec<Judged<'_>> {
        let each = self.columns.iter().zip(settings);
        each.map(|(column, setting)| Judged {
            learner: setting.learner,
            loss: &column.loss,
            scores: &column.scores,
        })
        .collect()
    }

    /// What makes a setting's scores comparable.
    ///
    /// # Errors
    /// `TW0320` for scores that are not numbers.
    pub(super) fn factor(&self, setting: usize) -> Result<f64> {
        factor(&self.columns[setting].margins, &self.examples)
    }

    pub(super) fn mean_loss(&self, setting: usize) -> f64 {
        self.pool.mean(&self.columns[setting].loss)
    }
}

fn under_each_other(sheets: &[Sheet], setting: usize) -> Column {
    let n_outputs = sheets.first().map_or(1, |sheet| sheet.examples.task.n_outputs());
    let margins = |pick: &dyn Fn(&Column) -> &Margins| Margins {
        cells: sheets
            .iter()
            .flat_map(|sheet| pick(&sheet.columns[setting]).cells.iter().copied())
            .collect(),
        n_outputs,
    };
    Column {
        margins: margins(&|column| &column.margins),
        scores: margins(&|column| &column.scores),
        loss: sheets
            .iter()
            .flat_map(|sheet| sheet.columns[setting].loss.iter().copied())
            .collect(),
    }
}

/// The weighted sum of some scores of the same rows.
pub(super) fn mixed<'m>(members: impl IntoIterator<Item = (&'m Margins, f64)>) -> Margins {
    let mut sum = Margins {
        cells: Vec::new(),
        n_outputs: 1,
    };
    for (own, factor) in members {
        if sum.cells.is_empty() {
            sum = Margins {
                cells: vec![0.0; own.cells.len()],
                n_outputs: own.n_outputs,
            };
        }
        sum.cells
            .iter_mut()
            .zip(&own.cells)
            .for_each(|(sum, own)| *sum += factor * own);
    }
    sum
}
