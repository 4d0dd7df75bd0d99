//! Which rows are learned from and which are scored: outer parts, and inside each of them validation splits.

use thalweg_domain::{Error, Result};

use super::TrainingSet;
use super::folds::{assign_folds, check_classes, check_learnable};
use super::params::{LearnerChoice, OutcomeParams, Split};
use crate::evaluate::bootstrap::Clusters;

/// Small parts are validated with several random splits, so many at most ...
const MAX_REPEATS: usize = 3;
/// ... as long as there are fewer rows than this in all of them together.
const REPEATED_ROWS: usize = 3000;
/// Larger parts are validated on one of their folds: it holds rows enough.
const LARGE_ROWS: usize = 60_000;

/// Rows to learn from, rows to score with what was learned, and how what is learned is validated.
pub(super) struct Part {
    /// Seeds depend on it.
    pub(super) number: usize,
    pub(super) learn: Vec<usize>,
    /// Empty for a part that only helps to choose.
    pub(super) score: Vec<usize>,
    /// Per repeat, the fold or period of each row of `learn`.
    labels: Vec<Vec<u32>>,
    /// Repeat and held label of each validation split.
    pub(super) inner: Vec<(usize, u32)>,
    /// Fit only on labels that are so much lower than the held one; none fits on all others.
    gap: Option<u32>,
}

impl Part {
    /// The rows that a validation split fits on.
    pub(super) fn fit_rows(&self, (repeat, held): (usize, u32)) -> Vec<usize> {
        self.labelled(repeat, |label| {
            self.gap.map_or(label != held, |gap| label + gap <= held)
        })
    }

    /// The rows that a validation split scores.
    pub(super) fn held_rows(&self, (repeat, held): (usize, u32)) -> Vec<usize> {
        self.labelled(repeat, |label| label == held)
    }

    fn labelled(&self, repeat: usize, keep: impl Fn(u32) -> bool) -> Vec<usize> {
        let labels = self.labels[repeat].iter().zip(&self.learn);
        labels
            .filter(|(label, _)| keep(**label))
            .map(|(_, row)| *row)
            .collect()
    }

    /// The scored rows of all validation splits, with a number for those that may not judge each other: that of the
    /// split, or with a single split one for each half of its customers.
    pub(super) fn stack(&self, group: &[u64]) -> Stack {
        let held: Vec<Vec<usize>> = self.inner.iter().map(|inner| self.held_rows(*inner)).collect();
        let rows = held.concat();
        let cross = if held.len() == 1 {
            let own: Vec<u64> = rows.iter().map(|row| group[*row]).collect();
            Clusters::new(&own)
                .index
                .into_iter()
                .map(|customer| (customer % 2) as u8)
                .collect()
        } else {
            held.iter()
                .enumerate()
                .flat_map(|(number, rows)| std::iter::repeat_n(number as u8, rows.len()))
                .collect()
        };
        Stack { rows, cross }
    }
}

/// Validation rows of a part; a row is there once per repeat.
pub(super) struct Stack {
    pub(super) rows: Vec<usize>,
    pub(super) cross: Vec<u8>,
}

/// All parts of a training.
pub(super) struct Plan {
    pub(super) parts: Vec<Part>,
    /// The parts whose validation chooses the final model.
    pub(super) deciding: std::ops::Range<usize>,
    /// Random fold of every row.
    pub(super) fold: Vec<u8>,
    /// Scores per row.
    pub(super) n_outputs: usize,
}

/// Cuts the rows.
///
/// # Errors
/// `TW0301`, `TW0302` and `TW0303` for targets that cannot be cut; `TW0350` for periods that cannot.
pub(super) fn plan(set: &TrainingSet<'_>, params: &OutcomeParams) -> Result<Plan> {
    let everything: Vec<usize> = (0..set.target.len()).collect();
    let strata = set.examples(&everything).strata();
    check_classes(&set.target, &strata, set.group, params.folds)?;
    let fold = assign_folds(&strata, set.group, params.folds, params.seed.stream("folds"));
    let cut = Cut { set, params };
    let n_outputs = set.target.task().n_outputs();
    match params.split {
        Split::Random => {
            let parts = (0..params.folds)
                .map(|outer| cut.random_part(outer, &fold))
                .collect();
            Ok(Plan {
                parts,
                deciding: 0..params.folds,
                fold,
                n_outputs,
            })
        }
        Split::Rolling { cutoffs, gap } => {
            let parts = cut.rolling_parts(cutoffs, gap)?;
            Ok(Plan {
                deciding: parts.len() - 1..parts.len(),
                parts,
                fold,
                n_outputs,
            })
        }
    }
}

struct Cut<'a> {
    set: &'a TrainingSet<'a>,
    params: &'a OutcomeParams,
}

impl Cut<'_> {
    fn random_part(&self, outer: usize, fold: &[u8]) -> Part {
        let (score, learn) = (0..fold.len()).partition(|row| usize::from(fold[*row]) == outer);
        self.with_random_validation(outer, learn, score)
    }

    fn with_random_validation(&self, number: usize, learn: Vec<usize>, score: Vec<usize>) -> Part {
        let examples = self.set.examples(&learn);
        let (folds, seed) = (self.params.inner_folds, self.params.seed.stream("inner folds"));
        let auto = self.params.choice == LearnerChoice::Auto;
        let repeats = if auto {
            (REPEATED_ROWS / learn.len().max(1)).clamp(1, MAX_REPEATS)
        } else {
            1
        };
        let used = if auto && learn.len() > LARGE_ROWS {
            1
        } else {
            folds
        };
        let labels = (0..repeats).map(|repeat| {
            let seed = seed.nth((repeat * 1000 + number) as u64);
            let assigned = assign_folds(&examples.strata(), &examples.group, folds, seed);
            assigned.into_iter().map(u32::from).collect()
        });
        Part {
            number,
            labels: labels.collect(),
            inner: (0..repeats)
                .flat_map(|repeat| (0..used as u32).map(move |held| (repeat, held)))
                .collect(),
            gap: None,
            learn,
            score,
        }
    }

    /// One part per tested cut-off and one of all rows, which scores nothing and decides about the final model.
    fn rolling_parts(&self, cutoffs: usize, gap: u32) -> Result<Vec<Part>> {
        let period = self.periods()?;
        let last = period.iter().max().copied().unwrap_or_default();
        let testable: Vec<u32> = (0..=last)
            .filter(|cutoff| *cutoff >= gap && self.can_learn(&self.known_at(period, *cutoff, gap)))
            .collect();
        if testable.is_empty() {
            let message = format!(
                "none of {} cut-offs can be tested on what was known before",
                last + 1
            );
            return Err(Error::new("TW0350", message).hint(format!(
                "outcomes are known {gap} cut-offs later, and earlier ones must hold enough customers of each kind: \
                 use more or earlier cut-offs, or split = \"random\""
            )));
        }
        let tested = testable.iter().rev().take(cutoffs).rev();
        let mut parts: Vec<Part> = tested
            .enumerate()
            .map(|(number, cutoff)| {
                let score = (0..period.len()).filter(|row| period[*row] == *cutoff).collect();
                let known = self.known_at(period, *cutoff, gap);
                let inner = testable
                    .iter()
                    .filter(|own| *own + gap <= *cutoff)
                    .copied()
                    .collect();
                self.rolling_part(number, (known, score), period, (inner, gap))
            })
            .collect();
        let everything = (0..period.len()).collect();
        parts.push(self.rolling_part(parts.len(), (everything, Vec::new()), period, (testable, gap)));
        Ok(parts)
    }

    fn rolling_part(
        &self,
        number: usize,
        (learn, score): (Vec<usize>, Vec<usize>),
        period: &[u32],
        (held, gap): (Vec<u32>, u32),
    ) -> Part {
        if held.is_empty() {
            return self.with_random_validation(number, learn, score);
        }
        Part {
            number,
            labels: vec![learn.iter().map(|row| period[*row]).collect()],
            inner: held.into_iter().map(|cutoff| (0, cutoff)).collect(),
            gap: Some(gap),
            learn,
            score,
        }
    }

    fn periods(&self) -> Result<&[u32]> {
        self.set.period.ok_or_else(|| {
            Error::new(
                "TW0350",
                "a rolling split needs to know from which cut-off each row is seen",
            )
            .hint("it is for event data with several cut-offs; use split = \"random\" for a single snapshot")
        })
    }

    /// Rows whose outcome is known at a cut-off.
    fn known_at(&self, period: &[u32], cutoff: u32, gap: u32) -> Vec<usize> {
        (0..period.len())
            .filter(|row| period[*row] + gap <= cutoff)
            .collect()
    }

    fn can_learn(&self, rows: &[usize]) -> bool {
        let examples = self.set.examples(rows);
        check_learnable(&self.set.target.task(), &examples, self.params.inner_folds)
    }
}
