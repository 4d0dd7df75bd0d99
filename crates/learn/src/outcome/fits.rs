//! Fits beside each other: each is named by its part, setting and place, so that no result depends on the order.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use thalweg_domain::{ColumnKind, Error, Result, Seed, Table};

use super::TrainingSet;
use super::explain::member_importance;
use super::grid::Setting;
use super::model::Member;
use super::params::{ClassWeight, OutcomeParams};
use super::procedure::Hooks;
use super::split::Part;
use crate::models::mlp::Epoch;
use crate::models::{Learner, NO_PENALTIES, Reading, TextPenalties};
use crate::task::{Examples, Margins, Task};

/// One fit and the rows that it scores.
pub(super) struct Job<'a> {
    pub(super) part: &'a Part,
    pub(super) setting: &'a Setting,
    /// The validation split; none fits on all rows that the part learns from and scores the part.
    pub(super) inner: Option<(usize, u32)>,
}

impl Job<'_> {
    /// The same for jobs that fit on the same rows and score the same rows.
    const fn rows(&self) -> (usize, Option<(usize, u32)>) {
        (self.part.number, self.inner)
    }
}

/// Fits on a training set and counts them.
pub(super) struct Fits<'a> {
    pub(super) set: &'a TrainingSet<'a>,
    pub(super) params: &'a OutcomeParams,
    pub(super) hooks: &'a Hooks<'a>,
    /// Of each part, chosen on all rows that it learns from; empty without text.
    penalties: Vec<TextPenalties>,
    done: AtomicUsize,
    /// How many there will be, as far as is known.
    total: AtomicUsize,
}

impl<'a> Fits<'a> {
    pub(super) const fn new(
        set: &'a TrainingSet<'a>,
        params: &'a OutcomeParams,
        hooks: &'a Hooks<'a>,
    ) -> Self {
        Self {
            set,
            params,
            hooks,
            penalties: Vec::new(),
            done: AtomicUsize::new(0),
            total: AtomicUsize::new(0),
        }
    }

    /// Expects so many fits from here on.
    pub(super) fn expect(&self, remaining: usize) {
        self.total
            .store(self.done.load(Ordering::Relaxed) + remaining, Ordering::Relaxed);
    }

    /// Chooses the penalties of text terms in each part, from the rows that it learns from. Its validation splits take them
    /// over, so a validated score has seen its rows in this one number; an outer score has not.
    ///
    /// # Errors
    /// As [`crate::models::fit`].
    pub(super) fn choose_penalties(&mut self, parts: &[Part]) -> Result<()> {
        if !has_text(self.set.table) {
            return Ok(());
        }
        self.expect(parts.len());
        let seeds = self.params.seed.stream("text penalties");
        let choose = |part: &Part| {
            let weighed = self.weighed(&part.learn);
            let penalties = TextPenalties::choose(
                (self.set.table, &part.learn),
                &weighed.examples,
                &self.params.learners,
                seeds.nth(part.number as u64),
                self.params.choice.learners().into_iter(),
            );
            self.count();
            penalties.map_err(|error| error.doing("choosing the penalties of text"))
        };
        self.penalties = parts.par_iter().map(choose).collect::<Result<_>>()?;
        Ok(())
    }

    fn count(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        (self.hooks.progress)(done, self.total.load(Ordering::Relaxed).max(done));
    }

    /// The scores of each job's rows, in the order of the jobs.
    ///
    /// # Errors
    /// As [`crate::models::fit`].
    pub(super) fn scores(&self, jobs: &[Job<'_>]) -> Result<Vec<Margins>> {
        self.each(jobs, |member, rows| member.margins(self.set.table, rows))
    }

    /// The scores of each job's rows, and how much each column of the table counts in them.
    ///
    /// # Errors
    /// As [`crate::models::fit`].
    pub(super) fn refits(&self, jobs: &[Job<'_>]) -> Result<Vec<(Margins, Vec<f64>)>> {
        self.each(jobs, |member, rows| {
            Ok((
                member.margins(self.set.table, rows)?,
                member_importance(member, self.set.table, rows)?,
            ))
        })
    }

    /// Jobs on the same rows share the reading of them; the results are in the order of the jobs all the same.
    fn each<T: Send>(
        &self,
        jobs: &[Job<'_>],
        read: impl Fn(&Member, &[usize]) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        let mut order: Vec<usize> = (0..jobs.len()).collect();
        order.sort_by_key(|job| jobs[*job].rows());
        let groups: Vec<&[usize]> = order
            .chunk_by(|a, b| jobs[*a].rows() == jobs[*b].rows())
            .collect();
        let found = groups
            .par_iter()
            .map(|group| {
                let own: Vec<&Job<'_>> = group.iter().map(|job| &jobs[*job]).collect();
                self.beside(&own, &read)
            })
            .collect::<Result<Vec<Vec<T>>>>()?;
        let mut placed: Vec<(usize, T)> = order.iter().copied().zip(found.into_iter().flatten()).collect();
        placed.sort_by_key(|(job, _)| *job);
        Ok(placed.into_iter().map(|(_, own)| own).collect())
    }

    /// Jobs that fit on the same rows and score the same rows.
    fn beside<T: Send>(
        &self,
        jobs: &[&Job<'_>],
        read: &(impl Fn(&Member, &[usize]) -> Result<T> + Sync),
    ) -> Result<Vec<T>> {
        let Some(job) = jobs.first() else {
            return Ok(Vec::new());
        };
        let (fitted_on, scored) = match job.inner {
            Some(inner) => (job.part.fit_rows(inner), job.part.held_rows(inner)),
            None => (job.part.learn.clone(), job.part.score.clone()),
        };
        let place = match job.inner {
            Some((repeat, held)) => repeat * 1_000_000 + held as usize,
            None => 63,
        };
        let number = (job.part.number * 64 + place) as u64;
        let seed = self.params.seed.stream("fits").nth(number);
        let weighed = self.weighed(&fitted_on);
        let learners = jobs.iter().map(|job| job.setting.learner);
        let penalties = self.penalties.get(job.part.number).unwrap_or(&NO_PENALTIES);
        let rows = (self.set.table, fitted_on.as_slice());
        let reading = Reading::new(rows, &weighed.examples, penalties, seed, learners)
            .map_err(|error| training(job.setting.learner, error))?;
        jobs.par_iter()
            .map(|job| {
                let (member, _) = member(&reading, job.setting, &weighed.offset)?;
                let own = read(&member, &scored)?;
                self.count();
                Ok(own)
            })
            .collect()
    }

    /// The scores of every row by a mixture of settings fitted without the row's fold.
    ///
    /// # Errors
    /// As [`crate::models::fit`].
    pub(super) fn random(&self, fold: &[u8], mixture: &[(&Setting, f64)]) -> Result<Margins> {
        let n_folds = fold.iter().max().map_or(0, |last| *last + 1);
        let jobs: Vec<(u8, &Setting, f64)> = (0..n_folds)
            .flat_map(|own| {
                mixture
                    .iter()
                    .map(move |(setting, factor)| (own, *setting, *factor))
            })
            .collect();
        let n_outputs = self.set.target.task().n_outputs();
        let scored = jobs
            .par_iter()
            .map(|(own, setting, factor)| {
                let (inside, outside): (Vec<usize>, Vec<usize>) =
                    (0..fold.len()).partition(|row| fold[*row] == *own);
                let seed = self.params.seed.stream("random split").nth(u64::from(*own));
                let (mut member, _) = self.member(setting, &outside, seed)?;
                member.factor = *factor;
                let margins = member.margins(self.set.table, &inside)?;
                self.count();
                Ok((inside, margins))
            })
            .collect::<Result<Vec<_>>>()?;
        let mut sum = Margins {
            cells: vec![0.0; fold.len() * n_outputs],
            n_outputs,
        };
        for (rows, margins) in scored {
            for (row, own) in rows.into_iter().zip(margins.rows()) {
                let cells = &mut sum.cells[row * n_outputs..(row + 1) * n_outputs];
                cells.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
            }
        }
        Ok(sum)
    }

    /// A setting fitted on some rows, with factor 1.
    ///
    /// # Errors
    /// As [`crate::models::fit`].
    pub(super) fn member(
        &self,
        setting: &Setting,
        rows: &[usize],
        seed: Seed,
    ) -> Result<(Member, Vec<Epoch>)> {
        let weighed = self.weighed(rows);
        let learners = std::iter::once(setting.learner);
        let rows = (self.set.table, rows);
        let reading = Reading::new(rows, &weighed.examples, &NO_PENALTIES, seed, learners)
            .map_err(|error| training(setting.learner, error))?;
        member(&reading, setting, &weighed.offset)
    }

    fn weighed(&self, rows: &[usize]) -> Weighed {
        let mut examples = self.set.examples(rows);
        let offset = match self.params.class_weight {
            ClassWeight::None => vec![0.0; examples.task.n_outputs()],
            ClassWeight::Balanced => balance(&mut examples),
        };
        Weighed { examples, offset }
    }

    /// The same on all rows of the table.
    ///
    /// # Errors
    /// As [`crate::models::fit`].
    pub(super) fn last(&self, setting: &Setting) -> Result<(Member, Vec<Epoch>)> {
        let everything: Vec<usize> = (0..self.set.target.len()).collect();
        let fitted = self.member(setting, &everything, self.params.seed.stream("final"))?;
        self.count();
        Ok(fitted)
    }
}

/// Examples with the weights of their classes, and what undoes these in the scores.
struct Weighed {
    examples: Examples,
    offset: Vec<f64>,
}

fn has_text(table: &Table) -> bool {
    table
        .columns()
        .iter()
        .any(|column| column.kind() == ColumnKind::Text)
}

fn training(learner: Learner, error: Error) -> Error {
    error.doing(format!("training {}", learner.as_str()))
}

fn member(reading: &Reading<'_>, setting: &Setting, offset: &[f64]) -> Result<(Member, Vec<Epoch>)> {
    let learner = setting.learner;
    let (fitted, history) = reading
        .fit(learner, &setting.params)
        .map_err(|error| training(learner, error))?;
    Ok((
        Member {
            learner,
            fitted,
            factor: 1.0,
            offset: offset.to_vec(),
        },
        history,
    ))
}

/// Gives each class the same total weight; the result is added to the scores to undo what that does to the
/// probabilities (prior correction: King and Zeng 2001, doi:10.1093/oxfordjournals.pan.a004868).
fn balance(examples: &mut Examples) -> Vec<f64> {
    let n_classes = examples.task.n_outputs().max(2);
    let mut totals = vec![0.0; n_classes];
    for (target, weight) in examples.target.iter().zip(&examples.weight) {
        totals[*target as usize] += weight;
    }
    let all: f64 = totals.iter().sum();
    let factor: Vec<f64> = totals
        .iter()
        .map(|own| all / (n_classes as f64 * own.max(f64::MIN_POSITIVE)))
        .collect();
    for (weight, target) in examples.weight.iter_mut().zip(&examples.target) {
        *weight *= factor[*target as usize];
    }
    match examples.task {
        Task::Class { .. } => factor.iter().map(|factor| -factor.ln()).collect(),
        Task::Binary | Task::Value => vec![(factor[0] / factor[1]).ln()],
    }
}
