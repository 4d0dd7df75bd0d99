//! The choice: the simplest learner within one standard error of the best, or a blend that is clearly better.

use super::TrainingSet;
use super::blend::{Stacked, blend};
use super::model::Kept;
use crate::evaluate::auc_difference;
use crate::evaluate::bootstrap::{Clusters, clustered_error};
use crate::models::Learner;
use crate::task::{Margins, Target, Task};

/// What one setting has come to on the validation rows.
pub(super) struct Judged<'a> {
    pub(super) learner: Learner,
    /// Loss of each validation row, cross-fitted.
    pub(super) loss: &'a [f64],
    /// Its scores, on the scale that the loss is measured on.
    pub(super) scores: &'a Margins,
}

/// Validation rows of one or more parts; the same row of the table may be there several times.
pub(super) struct Pool {
    /// Rows of the table.
    pub(super) rows: Vec<usize>,
    /// For each of `rows` its place among the distinct ones.
    place: Vec<usize>,
    times: Vec<f64>,
    /// Weight of each distinct row, scaled to mean 1.
    weight: Vec<f64>,
    clusters: Clusters,
    /// Outcome and customer of each distinct row, with two classes.
    ranked: Option<(Vec<bool>, Vec<u64>)>,
    /// Of each of `rows`, what cross-fitting must leave out together.
    pub(super) cross: Vec<usize>,
}

impl Pool {
    pub(super) fn new(set: &TrainingSet<'_>, rows: Vec<usize>, cross: Vec<usize>) -> Self {
        let mut distinct = rows.clone();
        distinct.sort_unstable();
        distinct.dedup();
        let place: Vec<usize> = rows
            .iter()
            .map(|row| distinct.partition_point(|own| own < row))
            .collect();
        let mut times = vec![0.0; distinct.len()];
        place.iter().for_each(|place| times[*place] += 1.0);
        let weight: Vec<f64> = distinct.iter().map(|row| set.weight[*row]).collect();
        let mean = weight.iter().sum::<f64>() / weight.len().max(1) as f64;
        let group: Vec<u64> = distinct.iter().map(|row| set.group[*row]).collect();
        Self {
            rows,
            place,
            times,
            weight: weight.into_iter().map(|weight| weight / mean).collect(),
            clusters: Clusters::new(&group),
            ranked: match set.target {
                Target::Binary(target) => Some((distinct.iter().map(|row| target[*row]).collect(), group)),
                _ => None,
            },
            cross,
        }
    }

    /// Mean over the times that a row was scored, times its weight.
    fn by_row(&self, loss: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.times.len()];
        self.place
            .iter()
            .zip(loss)
            .for_each(|(place, loss)| sums[*place] += loss);
        let scaled = self.times.iter().zip(&self.weight);
        sums.iter_mut()
            .zip(scaled)
            .for_each(|(sum, (times, weight))| *sum *= weight / times);
        sums
    }

    /// The weighted mean loss.
    pub(super) fn mean(&self, loss: &[f64]) -> f64 {
        mean(&self.by_row(loss))
    }

    /// By how much the loss of `a` is higher than that of `b`, and the standard error of that, summed by customer.
    ///
    /// Pairs are rows and not folds: with three or five folds an error from the spread of the folds is itself off by
    /// half.
    fn lead_in_loss(&self, a: &[f64], b: &[f64]) -> (f64, f64) {
        let (a, b) = (self.by_row(a), self.by_row(b));
        let lead: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
        (mean(&lead), clustered_error(&lead, &self.clusters))
    }

    /// By how much the AUC of `b` is higher than that of `a`, and the paired standard error of that (DeLong); nothing
    /// unless there are two classes.
    fn lead_in_auc(&self, a: &Margins, b: &Margins) -> (f64, f64) {
        let Some((target, group)) = &self.ranked else {
            return (0.0, 0.0);
        };
        auc_difference(&self.mean_score(b), &self.mean_score(a), target, group)
    }

    fn mean_score(&self, scores: &Margins) -> Vec<f64> {
        let mut sums = vec![0.0; self.times.len()];
        self.place
            .iter()
            .zip(&scores.cells)
            .for_each(|(place, own)| sums[*place] += own);
        sums.iter_mut()
            .zip(&self.times)
            .for_each(|(sum, times)| *sum /= times);
        sums
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// What was chosen.
pub(super) struct Choice {
    pub(super) kept: Kept,
    /// Index of each member among the judged, and its weight.
    pub(super) members: Vec<(usize, f64)>,
    /// Index of each learner's best setting, simplest learner first.
    pub(super) best: Vec<usize>,
    pub(super) blend_loss: Option<f64>,
}

/// Chooses. The best setting of a learner is the one with the lowest loss; among the learners' best the simplest that
/// is within one standard error of the best of all is kept (the one-standard-error rule: Breiman et al. 1984,
/// "Classification and regression trees", section 3.4.3), and a blend of them in its place if that is better by more
/// than one. With two classes "within" and "better" are asked of the AUC too: log loss is slow to see a better order of
/// rare positives.
pub(super) fn choose(set: &TrainingSet<'_>, pool: &Pool, judged: &[Judged<'_>]) -> Choice {
    let losses: Vec<f64> = judged.iter().map(|judged| pool.mean(judged.loss)).collect();
    let lowest =
        |among: &mut dyn Iterator<Item = usize>| among.min_by(|a, b| losses[*a].total_cmp(&losses[*b]));
    let best: Vec<usize> = Learner::ALL
        .iter()
        .filter_map(|learner| lowest(&mut (0..judged.len()).filter(|own| judged[*own].learner == *learner)))
        .collect();
    let leading = lowest(&mut best.iter().copied()).unwrap_or_default();
    let within = |own: usize| {
        let (loss, loss_error) = pool.lead_in_loss(judged[own].loss, judged[leading].loss);
        let (auc, auc_error) = pool.lead_in_auc(judged[own].scores, judged[leading].scores);
        loss <= loss_error && auc <= auc_error
    };
    let simplest = best
        .iter()
        .copied()
        .find(|own| *own == leading || within(*own))
        .unwrap_or(leading);
    let alone = Choice {
        kept: Kept::One(judged[simplest].learner),
        members: vec![(simplest, 1.0)],
        best,
        blend_loss: None,
    };
    if alone.best.len() < 2 {
        alone
    } else {
        or_blend(set, pool, judged, alone)
    }
}

/// The choice, or the blend in its place.
fn or_blend(set: &TrainingSet<'_>, pool: &Pool, judged: &[Judged<'_>], alone: Choice) -> Choice {
    let task: Task = set.target.task();
    let target: Vec<f64> = pool.rows.iter().map(|row| set.target.number(*row)).collect();
    let weight: Vec<f64> = pool
        .place
        .iter()
        .map(|place| pool.weight[*place] / pool.times[*place])
        .collect();
    let blended = blend(&Stacked {
        task: &task,
        scores: alone.best.iter().map(|own| judged[*own].scores).collect(),
        target: &target,
        weight: &weight,
        cross: &pool.cross,
    });
    let blend_loss = Some(pool.mean(&blended.loss));
    let single = &judged[alone.members[0].0];
    let (loss, loss_error) = pool.lead_in_loss(single.loss, &blended.loss);
    let (auc, auc_error) = pool.lead_in_auc(single.scores, &blended.scores);
    let better = loss > loss_error || (loss >= 0.0 && auc > auc_error);
    let members: Vec<(usize, f64)> = alone
        .best
        .iter()
        .copied()
        .zip(blended.weights)
        .filter(|(_, weight)| *weight > 0.0)
        .collect();
    if members.len() > 1 && better {
        return Choice {
            kept: Kept::Blend,
            members,
            blend_loss,
            ..alone
        };
    }
    Choice { blend_loss, ..alone }
}
