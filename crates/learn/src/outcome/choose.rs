//! The choice: the simplest learner within one standard error of the best, or a blend that is clearly better.

use super::TrainingSet;
use super::blend::{Stacked, blend};
use super::model::Kept;
use crate::evaluate::bootstrap::{Clusters, clustered_error};
use crate::models::Learner;
use crate::task::{Margins, Task};

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

    /// Whether `worse` loses more than `better` by over one standard error of the paired difference, summed by
    /// customer.
    ///
    /// Pairs are rows and not folds: with three or five folds an error from the spread of the folds is itself off by
    /// half.
    fn clearly_worse(&self, worse: &[f64], better: &[f64]) -> bool {
        let (worse, better) = (self.by_row(worse), self.by_row(better));
        let lead: Vec<f64> = worse
            .iter()
            .zip(&better)
            .map(|(worse, better)| worse - better)
            .collect();
        mean(&lead) > clustered_error(&lead, &self.clusters)
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
/// is not clearly worse than the best of all is kept (the one-standard-error rule: Breiman et al. 1984,
/// "Classification and regression trees", section 3.4.3), and a blend of them in its place if the former is clearly
/// worse than that.
pub(super) fn choose(set: &TrainingSet<'_>, pool: &Pool, judged: &[Judged<'_>]) -> Choice {
    let losses: Vec<f64> = judged.iter().map(|judged| pool.mean(judged.loss)).collect();
    let lowest =
        |among: &mut dyn Iterator<Item = usize>| among.min_by(|a, b| losses[*a].total_cmp(&losses[*b]));
    let best: Vec<usize> = Learner::ALL
        .iter()
        .filter_map(|learner| lowest(&mut (0..judged.len()).filter(|own| judged[*own].learner == *learner)))
        .collect();
    let leading = lowest(&mut best.iter().copied()).unwrap_or_default();
    let simplest = best
        .iter()
        .copied()
        .find(|own| *own == leading || !pool.clearly_worse(judged[*own].loss, judged[leading].loss))
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
    let single = judged[alone.members[0].0].loss;
    let members: Vec<(usize, f64)> = alone
        .best
        .iter()
        .copied()
        .zip(blended.weights)
        .filter(|(_, weight)| *weight > 0.0)
        .collect();
    if members.len() > 1 && pool.clearly_worse(single, &blended.loss) {
        return Choice {
            kept: Kept::Blend,
            members,
            blend_loss,
            ..alone
        };
    }
    Choice { blend_loss, ..alone }
}
