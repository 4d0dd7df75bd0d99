//! The search: rounds of settings, each validated in every outer part.

use thalweg_domain::{ColumnData, ColumnKind, Result, Table};

use super::fits::{Fits, Job};
use super::grid::{self, Setting};
use super::params::LearnerChoice;
use super::result::StopReason;
use super::sheet::Sheet;
use super::split::{Part, Plan};

/// Levels of a category that count as columns.
const MOST_LEVELS: usize = 50;

/// Units per row of a text column, whatever the learner: its terms are counted and weighted anew in every fit.
const TEXT_UNITS: f64 = 3e-4;

/// What the search has come to.
pub(super) struct Searched {
    pub(super) settings: Vec<Setting>,
    /// One per part.
    pub(super) sheets: Vec<Sheet>,
    pub(super) rounds: usize,
    pub(super) units: f64,
    pub(super) stopped: StopReason,
}

impl Searched {
    /// Runs round after round until there is none left, or the units or the caller's time would not do.
    ///
    /// # Errors
    /// As [`crate::models::fit`].
    pub(super) fn run(plan: &Plan, fits: &Fits<'_>) -> Result<Self> {
        let params = fits.params;
        let learners = params.choice.learners();
        let n_rows = fits.set.target.len();
        let rounds: Vec<Vec<Setting>> = match params.choice {
            LearnerChoice::One(_) => vec![grid::round(0, &learners, &params.learners, n_rows)],
            LearnerChoice::Auto => (0..grid::ROUNDS.min(params.search.rounds).max(1))
                .map(|number| grid::round(number, &learners, &params.learners, n_rows))
                .collect(),
        };
        let sheets = plan.parts.iter().map(|part| Sheet::new(fits.set, part)).collect();
        let mut searched = Self {
            settings: Vec::new(),
            sheets,
            rounds: 0,
            units: 0.0,
            stopped: StopReason::Finished,
        };
        // the outer fits and those on all rows
        let after = plan.parts.len() * learners.len() + 1;
        let splits: usize = plan.parts.iter().map(|part| part.inner.len()).sum();
        fits.expect(rounds.iter().map(Vec::len).sum::<usize>() * splits + after);
        for (number, settings) in rounds.into_iter().enumerate() {
            let units: f64 = settings
                .iter()
                .map(|setting| units(setting, plan, fits.set.table))
                .sum();
            if number > 0 {
                if searched.units + units > params.search.units {
                    searched.stopped = StopReason::UnitsSpent;
                    break;
                }
                if !(fits.hooks.keep_going)() {
                    searched.stopped = StopReason::TimeUp;
                    break;
                }
            }
            searched.units += units;
            searched.round(plan, fits, settings)?;
        }
        fits.expect(after);
        Ok(searched)
    }

    fn round(&mut self, plan: &Plan, fits: &Fits<'_>, settings: Vec<Setting>) -> Result<()> {
        // slow learners first, so that the last threads are not left with a long fit
        let jobs: Vec<Job<'_>> = settings
            .iter()
            .rev()
            .flat_map(|setting| plan.parts.iter().flat_map(move |part| validations(part, setting)))
            .collect();
        let mut scores = fits.scores(&jobs)?.into_iter();
        let mut found = Vec::new();
        for _ in &settings {
            let of_parts = plan
                .parts
                .iter()
                .map(|part| scores.by_ref().take(part.inner.len()).collect());
            found.push(of_parts.collect::<Vec<Vec<_>>>());
        }
        for of_parts in found.into_iter().rev() {
            for (sheet, splits) in self.sheets.iter_mut().zip(of_parts) {
                sheet.add(splits)?;
            }
        }
        self.settings.extend(settings);
        self.rounds += 1;
        Ok(())
    }
}

fn validations<'a>(part: &'a Part, setting: &'a Setting) -> impl Iterator<Item = Job<'a>> {
    part.inner.iter().map(move |inner| Job {
        part,
        setting,
        inner: Some(*inner),
    })
}

/// Work of a setting in all validation splits.
fn units(setting: &Setting, plan: &Plan, table: &Table) -> f64 {
    let columns: usize = table
        .columns()
        .iter()
        .map(|column| match &column.data {
            ColumnData::Category { levels, .. } => levels.len().clamp(1, MOST_LEVELS),
            _ => 1,
        })
        .sum();
    let texts = table
        .columns()
        .iter()
        .filter(|column| column.kind() == ColumnKind::Text);
    let text_units = TEXT_UNITS * texts.count() as f64;
    plan.parts
        .iter()
        .flat_map(|part| part.inner.iter().map(|inner| part.fit_rows(*inner).len()))
        .map(|rows| grid::units(setting, rows, columns, plan.n_outputs) + text_units * rows as f64)
        .sum()
}
