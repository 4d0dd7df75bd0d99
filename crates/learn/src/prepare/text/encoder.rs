//! What was learned about one text column, and how its cells are read.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use thalweg_domain::{Column, ColumnData, MISSING_LEVEL, Result, Seed};

use super::numbers;
use super::scorer::Scorer;
use super::vectoriser::Vectoriser;
use crate::prepare::matrix::SparseRow;
use crate::prepare::scale::Scale;
use crate::task::{Examples, Task};

/// A fitted text column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::prepare) struct TextEncoder {
    vectoriser: Vectoriser,
    /// Which of the plain numbers vary, and how each is scaled.
    numbers: Vec<(usize, Scale)>,
    scored: Option<Scored>,
}

/// The linear model whose scores nets and trees read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Scored {
    scorer: Scorer,
    scales: Vec<Scale>,
    /// `score`, or one name per class.
    names: Vec<String>,
}

/// Borrowed cells of a text column; categories are read as the text of their levels.
#[derive(Clone, Copy)]
pub(in crate::prepare) enum TextCells<'t> {
    Text(&'t [Option<String>]),
    Levels(&'t [u32], &'t [String]),
    Absent,
}

impl<'t> TextCells<'t> {
    pub(in crate::prepare) const fn of(column: &'t Column) -> Self {
        match &column.data {
            ColumnData::Text(cells) => Self::Text(cells.as_slice()),
            ColumnData::Category { codes, levels } => Self::Levels(codes.as_slice(), levels.as_slice()),
            _ => Self::Absent,
        }
    }

    pub(in crate::prepare) fn get(self, row: usize) -> Option<&'t str> {
        match self {
            Self::Text(cells) => cells[row].as_deref(),
            Self::Levels(codes, levels) => match codes[row] {
                MISSING_LEVEL => None,
                code => Some(levels[code as usize].as_str()),
            },
            Self::Absent => None,
        }
    }
}

impl TextEncoder {
    /// Learns the terms and the scales of the plain numbers; `None` when all texts are the same.
    pub(in crate::prepare) fn fit(cells: TextCells<'_>, rows: &[usize]) -> Option<Self> {
        let texts: Vec<Option<&str>> = rows.iter().map(|row| cells.get(*row)).collect();
        let first = texts.first()?;
        if texts.iter().all(|text| text == first) {
            return None;
        }
        let plain: Vec<[f64; numbers::NAMES.len()]> =
            texts.par_iter().map(|text| numbers::of(*text)).collect();
        let scale = |number: usize| {
            let column: Vec<f64> = plain.iter().map(|numbers| numbers[number]).collect();
            Scale::fit(&column, true).map(|scale| (number, scale))
        };
        Some(Self {
            vectoriser: Vectoriser::fit(&texts),
            numbers: (0..numbers::NAMES.len()).filter_map(scale).collect(),
            scored: None,
        })
    }

    /// Adds the scores of a linear model, with a given penalty or one that is chosen out of fold. Gives what the training rows are to be encoded with: for each raw column its
    /// cells, the scores out of fold.
    ///
    /// # Errors
    /// `TW0308` when the model does not converge.
    pub(in crate::prepare) fn score(
        &mut self,
        (cells, rows): (TextCells<'_>, &[usize]),
        examples: &Examples,
        penalty: Option<f64>,
        seed: Seed,
    ) -> Result<Vec<Vec<f64>>> {
        let mut columns = self.plain(cells, rows);
        let terms = (self.terms(cells, rows), self.width());
        let (scorer, scores) = Scorer::fit(terms, examples, penalty, seed)?;
        let of_output = split(&scores, scorer.n_outputs());
        let scales: Option<Vec<Scale>> = of_output.iter().map(|column| Scale::fit(column, false)).collect();
        let Some(scales) = scales else { return Ok(columns) };
        let names = match &examples.task {
            Task::Binary | Task::Value => vec!["score".to_owned()],
            Task::Class { classes } => classes.iter().map(|class| format!("score of {class}")).collect(),
        };
        self.scored = Some(Scored {
            scorer,
            scales,
            names,
        });
        columns.extend(of_output);
        Ok(columns)
    }

    /// The penalty of the linear model, if there is one.
    pub(in crate::prepare) fn penalty(&self) -> Option<f64> {
        self.scored.as_ref().and_then(|scored| scored.scorer.penalty())
    }

    /// Number of terms.
    pub(in crate::prepare) fn width(&self) -> usize {
        self.vectoriser.width()
    }

    /// The weights of the terms of each row.
    pub(in crate::prepare) fn terms(&self, cells: TextCells<'_>, rows: &[usize]) -> Vec<SparseRow> {
        rows.par_iter()
            .map(|row| self.vectoriser.weights(cells.get(*row)))
            .collect()
    }

    /// The raw columns of new rows: the plain numbers that vary, then the scores.
    pub(in crate::prepare) fn raw(&self, cells: TextCells<'_>, rows: &[usize]) -> Vec<Vec<f64>> {
        let mut columns = self.plain(cells, rows);
        if let Some(scored) = &self.scored {
            let scores = scored.scorer.scores(self.terms(cells, rows));
            columns.extend(split(&scores, scored.scorer.n_outputs()));
        }
        columns
    }

    fn plain(&self, cells: TextCells<'_>, rows: &[usize]) -> Vec<Vec<f64>> {
        let plain: Vec<_> = rows.iter().map(|row| numbers::of(cells.get(*row))).collect();
        let column = |(number, _): &(usize, Scale)| plain.iter().map(|numbers| numbers[*number]).collect();
        self.numbers.iter().map(column).collect()
    }

    /// The scales of the raw columns, in order.
    pub(in crate::prepare) fn scales(&self) -> impl Iterator<Item = &Scale> {
        let scores = self.scored.iter().flat_map(|scored| &scored.scales);
        self.numbers.iter().map(|(_, scale)| scale).chain(scores)
    }

    /// What each raw column says.
    pub(in crate::prepare) fn raw_names(&self, name: &str) -> Vec<String> {
        let plain = self.numbers.iter().map(|(number, _)| numbers::NAMES[*number]);
        let scores = self
            .scored
            .iter()
            .flat_map(|scored| scored.names.iter().map(String::as_str));
        plain
            .chain(scores)
            .map(|what| format!("{name}: {what}"))
            .collect()
    }

    /// The terms of a text that push a score of the linear model most, with what each adds, strongest first.
    ///
    /// `weights` are those of another model of the terms; `None` takes the column's own.
    pub(in crate::prepare) fn reasons(
        &self,
        text: Option<&str>,
        weights: Option<&[f32]>,
        (output, n_outputs, top): (usize, usize, usize),
    ) -> Vec<(String, f64)> {
        let own = self.scored.as_ref().map(|scored| scored.scorer.weights());
        let Some(weights) = weights.or(own) else {
            return Vec::new();
        };
        let mut pushes: Vec<(u32, f64)> = self
            .vectoriser
            .weights(text)
            .into_iter()
            .map(|(term, value)| {
                let weight = weights
                    .get(term as usize * n_outputs + output)
                    .copied()
                    .unwrap_or_default();
                (term, f64::from(value) * f64::from(weight))
            })
            .collect();
        pushes.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
        pushes.truncate(top);
        pushes
            .into_iter()
            .map(|(term, push)| (self.vectoriser.term(term).to_owned(), push))
            .collect()
    }
}

/// Columns of cells that stand row after row.
fn split(cells: &[f64], n_columns: usize) -> Vec<Vec<f64>> {
    (0..n_columns)
        .map(|column| cells.iter().skip(column).step_by(n_columns).copied().collect())
        .collect()
}
