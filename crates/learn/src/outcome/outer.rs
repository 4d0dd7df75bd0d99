//! The outer level: what each part chose, its scores of the part's rows, and the final model.

use rayon::prelude::*;
use thalweg_domain::Result;

use super::Kept;
use super::choose::{Choice, choose};
use super::conformal::quantiles;
use super::fits::{Fits, Job};
use super::link::{Link, cross_linked};
use super::model::{Member, OutcomeModel, Parts};
use super::params::Split;
use super::result::{CandidateResult, ImportanceByFold, OutcomeTraining, RollingScores, SearchReport, Tried};
use super::search::Searched;
use super::sheet::{Sheet, Together, mixed};
use super::split::Plan;
use crate::models::mlp::Epoch;
use crate::task::Margins;

/// Settings with the factors of their scores.
type Mixture = Vec<(usize, f64)>;

/// Everything that the final model and its report are made of.
pub(super) struct Outer<'a> {
    plan: &'a Plan,
    fits: &'a Fits<'a>,
    searched: &'a Searched,
    parts: Vec<OuterPart>,
    /// The final choice.
    last: Choice,
    mixture: Mixture,
    deciding: Together,
}

/// What a part chose, and how it scores its rows.
struct OuterPart {
    choice: Choice,
    mixture: Mixture,
    /// Settings fitted on all rows that it learns from.
    refits: Vec<Refit>,
}

/// A setting fitted on all rows that a part learns from.
struct Refit {
    setting: usize,
    /// Scores of the part's rows.
    margins: Margins,
    /// How much each column of the table counts in them.
    importance: Vec<f64>,
}

impl OuterPart {
    fn margins(&self, mixture: &[(usize, f64)]) -> Margins {
        mixed(
            mixture
                .iter()
                .filter_map(|(setting, factor)| self.refit(*setting).map(|own| (&own.margins, *factor))),
        )
    }

    fn refit(&self, setting: usize) -> Option<&Refit> {
        self.refits.iter().find(|own| own.setting == setting)
    }

    /// How much each column counts in what the part chose; the members of a blend are added.
    fn importance(&self, n_columns: usize) -> Vec<f64> {
        let mut sums = vec![0.0; n_columns];
        for (setting, factor) in &self.mixture {
            let Some(refit) = self.refit(*setting) else {
                continue;
            };
            sums.iter_mut()
                .zip(&refit.importance)
                .for_each(|(sum, own)| *sum += factor.abs() * own);
        }
        sums
    }
}

impl<'a> Outer<'a> {
    /// Chooses in every part and for the final model, and fits what was chosen on what each part learns from.
    ///
    /// # Errors
    /// As [`crate::models::fit`].
    pub(super) fn run(plan: &'a Plan, fits: &'a Fits<'a>, searched: &'a Searched) -> Result<Self> {
        let mut parts = searched
            .sheets
            .par_iter()
            .map(|sheet| {
                let together = Together::new(fits.set, std::slice::from_ref(sheet));
                let choice = choose(fits.set, &together.pool, &together.judged(&searched.settings));
                Ok(OuterPart {
                    mixture: mixture(&choice, &together)?,
                    choice,
                    refits: Vec::new(),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let deciding = Together::new(fits.set, &searched.sheets[plan.deciding.clone()]);
        let last = choose(fits.set, &deciding.pool, &deciding.judged(&searched.settings));
        let mixture = mixture(&last, &deciding)?;
        let scoring = (0..parts.len()).filter(|part| !plan.parts[*part].score.is_empty());
        let wanted: Vec<(usize, usize)> = scoring
            .flat_map(|part| {
                let own = parts[part].choice.best.iter().copied();
                let others = mixture.iter().map(|(setting, _)| *setting);
                let mut settings: Vec<usize> = own.chain(others).collect();
                settings.sort_unstable();
                settings.dedup();
                settings.into_iter().map(move |setting| (setting, part))
            })
            .collect();
        fits.expect(wanted.len() + mixture.len() + random_fits(fits, &mixture));
        let jobs: Vec<Job<'_>> = wanted
            .iter()
            .map(|(setting, part)| Job {
                part: &plan.parts[*part],
                setting: &searched.settings[*setting],
                inner: None,
            })
            .collect();
        for ((setting, part), (margins, importance)) in wanted.into_iter().zip(fits.refits(&jobs)?) {
            parts[part].refits.push(Refit {
                setting,
                margins,
                importance,
            });
        }
        Ok(Self {
            plan,
            fits,
            searched,
            parts,
            last,
            mixture,
            deciding,
        })
    }

    /// Fits the final model and gathers what is known about it.
    ///
    /// # Errors
    /// As [`crate::models::fit`].
    pub(super) fn finish(self) -> Result<OutcomeTraining> {
        let set = self.fits.set;
        let tested = Tested::new(self.plan);
        let link = self.final_link(&tested)?;
        let own = self.gather(&tested, |outer, sheet| {
            self.part_scores(outer, sheet, &outer.mixture)
        })?;
        let candidates = self.candidates(&tested)?;
        let (members, history) = self.members()?;
        let conformal = quantiles(&own, &set.target, &tested.rows)?;
        let parts = Parts {
            task: set.target.task(),
            kept: self.last.kept,
            members,
            link,
            conformal,
        };
        let model = OutcomeModel::new(parts, set.table)?;
        let fold = self.plan.fold.clone();
        let test = (0..fold.len()).filter(|row| fold[*row] == 0).collect();
        let search = self.report();
        let columns = set.table.columns();
        let importance_by_fold = ImportanceByFold {
            features: columns.iter().map(|column| column.name.clone()).collect(),
            folds: self
                .scoring()
                .map(|part| part.importance(columns.len()))
                .collect(),
        };
        let (out_of_fold, candidates, rolling) = match self.fits.params.split {
            Split::Random => (own, candidates, None),
            Split::Rolling { .. } => {
                let period = set.period.unwrap_or_default();
                let scores = RollingScores {
                    period: tested.rows.iter().map(|row| period[*row]).collect(),
                    fold: tested.part.iter().map(|part| *part as u8).collect(),
                    rows: tested.rows,
                    out_of_fold: own,
                    candidates,
                };
                (self.random_split()?, Vec::new(), Some(scores))
            }
        };
        Ok(OutcomeTraining {
            model,
            learner: self.last.kept,
            out_of_fold,
            fold,
            candidates,
            test,
            rolling,
            importance_by_fold,
            search,
            threshold: self.fits.params.threshold,
            history,
        })
    }

    /// The final link, from scores of the outer parts by the final choice's settings.
    fn final_link(&self, tested: &Tested) -> Result<Link> {
        let margins = tested.gather(self.parts.iter().map(|outer| outer.margins(&self.mixture)));
        let examples = self.fits.set.examples(&tested.rows);
        let fold: Vec<u8> = tested.part.iter().map(|part| *part as u8).collect();
        Link::fit(&margins, &examples, &fold)
    }

    /// Predictions of a part's rows by a mixture whose link is fitted on the part's validation rows.
    fn part_scores(&self, outer: &OuterPart, sheet: &Sheet, mixture: &[(usize, f64)]) -> Result<Margins> {
        let validated = mixed(
            mixture
                .iter()
                .map(|(setting, factor)| (&sheet.columns[*setting].margins, *factor)),
        );
        let link = Link::fit(&validated, &sheet.examples, &sheet.stack.cross)?;
        let margins = outer.margins(mixture);
        let n_outputs = margins.n_outputs;
        Ok(Margins {
            cells: link.apply(margins),
            n_outputs,
        })
    }

    /// One list of predictions from those of each part.
    fn gather(
        &self,
        tested: &Tested,
        scores: impl Fn(&OuterPart, &Sheet) -> Result<Margins> + Sync,
    ) -> Result<Vec<f64>> {
        let of_parts = self
            .parts
            .par_iter()
            .zip(&self.searched.sheets)
            .map(|(outer, sheet)| {
                if outer.refits.is_empty() {
                    return Ok(Margins::single(Vec::new()));
                }
                scores(outer, sheet)
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(tested.gather(of_parts).cells)
    }

    fn candidates(&self, tested: &Tested) -> Result<Vec<CandidateResult>> {
        let learners = self.last.best.iter().enumerate();
        learners
            .map(|(index, setting)| {
                let learner = self.searched.settings[*setting].learner;
                let chosen = |part: &&OuterPart| part.choice.kept == Kept::One(learner);
                Ok(CandidateResult {
                    learner,
                    out_of_fold: self.gather(tested, |outer, sheet| {
                        self.part_scores(outer, sheet, &[(outer.choice.best[index], 1.0)])
                    })?,
                    loss: self.deciding.mean_loss(*setting),
                    chosen_in_folds: self.scoring().filter(chosen).count(),
                })
            })
            .collect()
    }

    fn scoring(&self) -> impl Iterator<Item = &OuterPart> {
        self.parts.iter().filter(|part| !part.refits.is_empty())
    }

    /// The final choice's settings fitted on all rows, with the history of the net among them.
    fn members(&self) -> Result<(Vec<Member>, Vec<Epoch>)> {
        let fitted = self
            .mixture
            .par_iter()
            .map(|(setting, factor)| {
                let (mut member, history) = self.fits.last(&self.searched.settings[*setting])?;
                member.factor = *factor;
                Ok((member, history))
            })
            .collect::<Result<Vec<_>>>()?;
        let (members, histories): (Vec<Member>, Vec<Vec<Epoch>>) = fitted.into_iter().unzip();
        Ok((members, histories.concat()))
    }

    fn report(&self) -> SearchReport {
        let tried = self
            .searched
            .settings
            .iter()
            .enumerate()
            .map(|(index, setting)| Tried {
                learner: setting.learner,
                setting: setting.words.clone(),
                params: setting.params.clone(),
                round: setting.round,
                loss: self.deciding.mean_loss(index),
            });
        SearchReport {
            tried: tried.collect(),
            rounds: self.searched.rounds,
            units: self.searched.units,
            stopped: self.searched.stopped,
            blend_loss: self.last.blend_loss,
            blend_in_folds: self
                .scoring()
                .filter(|part| part.choice.kept == Kept::Blend)
                .count(),
        }
    }

    /// Predictions of every row under a random split by the final choice's settings, the link of each fold fitted on
    /// the others.
    fn random_split(&self) -> Result<Vec<f64>> {
        let fold = &self.plan.fold;
        let settings: Vec<_> = self
            .mixture
            .iter()
            .map(|(setting, factor)| (&self.searched.settings[*setting], *factor))
            .collect();
        cross_linked(&self.fits.random(fold, &settings)?, self.fits.set, fold)
    }
}

/// Fits for the random split beside a rolling one.
fn random_fits(fits: &Fits<'_>, mixture: &[(usize, f64)]) -> usize {
    match fits.params.split {
        Split::Random => 0,
        Split::Rolling { .. } => fits.params.folds * mixture.len(),
    }
}

/// The factors of a choice: 1 for a learner alone, whose link does the rest.
fn mixture(choice: &Choice, together: &Together) -> Result<Mixture> {
    choice
        .members
        .iter()
        .map(|(setting, weight)| match choice.kept {
            Kept::One(_) => Ok((*setting, 1.0)),
            Kept::Blend => Ok((*setting, weight * together.factor(*setting)?)),
        })
        .collect()
}

/// The rows that the parts score.
struct Tested {
    /// Rising.
    rows: Vec<usize>,
    /// The part of each.
    part: Vec<usize>,
    /// For each row of each part, part after part, its place among `rows`.
    places: Vec<usize>,
}

impl Tested {
    fn new(plan: &Plan) -> Self {
        let parts = plan.parts.iter().enumerate();
        let all: Vec<(usize, usize)> = parts
            .flat_map(|(number, part)| part.score.iter().map(move |row| (*row, number)))
            .collect();
        let mut sorted = all.clone();
        sorted.sort_unstable();
        let rows: Vec<usize> = sorted.iter().map(|(row, _)| *row).collect();
        Self {
            places: all
                .iter()
                .map(|(row, _)| rows.partition_point(|own| own < row))
                .collect(),
            part: sorted.into_iter().map(|(_, part)| part).collect(),
            rows,
        }
    }

    /// Puts what each part says about its rows in the order of the rows.
    fn gather(&self, of_parts: impl IntoIterator<Item = Margins>) -> Margins {
        let of_parts: Vec<Margins> = of_parts.into_iter().filter(|own| !own.cells.is_empty()).collect();
        let n_outputs = of_parts.first().map_or(1, |own| own.n_outputs);
        let mut cells = vec![0.0; self.rows.len() * n_outputs];
        let scores = of_parts.iter().flat_map(Margins::rows);
        for (place, row) in self.places.iter().zip(scores) {
            cells[place * n_outputs..(place + 1) * n_outputs].copy_from_slice(row);
        }
        Margins { cells, n_outputs }
    }
}
