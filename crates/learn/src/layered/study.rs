//! Whether training in layers pays for the net: pre-trained, and corrected per segment, against plain, on the same folds.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use thalweg_domain::{Error, Estimate, Result, Seed};

use super::model::{FOLDS, train_on};
use super::segments::SegmentParams;
use crate::compress::{FoldScores, mean_loss};
use crate::models::mlp::Pretrain;
use crate::models::{Learner, LearnerParams, fit};
use crate::outcome::TrainingSet;
use crate::task::{Examples, Task};

/// What is held against plain training of the net.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StudyParams {
    /// How the pre-trained nets are pre-trained.
    pub pretrain: Pretrain,
    /// The segments that get corrections; `None`: only pre-training is studied. For targets of two classes.
    pub segments: Option<SegmentParams>,
}

/// One way of training, held against the plain one.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Contender {
    /// The metric, mean over the folds; more is better.
    pub mean: f64,
    /// `mean` less that of plain training with its 95 % interval, from the differences within customers (AUC: DeLong's paired
    /// one), folds taken as independent. It is about these nets: what another seed would give adds to it.
    pub difference: Estimate,
}

/// Out-of-fold figures of the ways to train a net.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerStudy {
    /// `auc` for two classes, `accuracy` for several, `r2` for numbers.
    pub metric: &'static str,
    /// Folds that every way was trained without and tested on.
    pub folds: usize,
    /// The metric of plain training, mean over the folds.
    pub plain: f64,
    /// The same nets pre-trained layer by layer.
    pub pretrained: Contender,
    /// The plain nets with corrections per segment; `None` without segments.
    pub segmented: Option<Contender>,
}

/// Scores of a fold's rows by nets that have not seen them.
struct Scores {
    plain: Vec<f64>,
    pretrained: Vec<f64>,
    segmented: Option<Vec<f64>>,
}

/// Trains the net plainly, pre-trained and (where asked for) with corrections per segment on the rows outside of each of five folds,
/// and compares their scores of the fold. Folds have the classes' shares and split no customer; a fold's nets start from
/// the same seed. `learners.mlp` says how; its own `pretrain` is not used.
///
/// # Errors
/// `TW0302` when a class has fewer than ten customers, `TW0335` for segments where there are not two classes, `TW0305` and `TW0306`
/// for a column that cannot be segments, `TW0307` and `TW0332` for what cannot be pre-trained, and as training.
pub fn study(
    set: &TrainingSet<'_>,
    learners: &LearnerParams,
    params: &StudyParams,
    seed: Seed,
) -> Result<LayerStudy> {
    let everything: Vec<usize> = (0..set.target.len()).collect();
    let all = set.examples(&everything);
    all.check()?;
    let fold = assign(&all, seed.stream("layer folds"))?;
    let ways = Ways::new(learners, params)?;
    let folds = (0..FOLDS)
        .into_par_iter()
        .map(|own| {
            let (inside, outside): (Vec<usize>, Vec<usize>) =
                everything.iter().partition(|row| fold[**row] == own);
            let seed = seed.stream("layer study").nth(own as u64);
            Ok((set.examples(&inside), ways.scores(set, &outside, &inside, seed)?))
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(report(&all.task, &folds))
}

/// The parameters of each way to train.
struct Ways<'a> {
    plain: LearnerParams,
    pretrained: LearnerParams,
    segments: Option<&'a SegmentParams>,
}

impl<'a> Ways<'a> {
    fn new(learners: &LearnerParams, params: &'a StudyParams) -> Result<Self> {
        let with = |pretrain| {
            let mut learners = learners.clone();
            learners.mlp.pretrain = pretrain;
            learners
        };
        let pretrained = with(Some(params.pretrain));
        pretrained.mlp.check()?;
        Ok(Self {
            plain: with(None),
            pretrained,
            segments: params.segments.as_ref(),
        })
    }

    /// Trains each way on the rows outside of a fold and scores those inside.
    fn scores(
        &self,
        set: &TrainingSet<'_>,
        outside: &[usize],
        inside: &[usize],
        seed: Seed,
    ) -> Result<Scores> {
        let alone = |learners: &LearnerParams| -> Result<Vec<f64>> {
            let examples = set.examples(outside);
            let (net, _) = fit(Learner::Mlp, set.table, outside, &examples, learners, seed)?;
            Ok(net.margins(set.table, inside)?.cells)
        };
        let (plain, segmented) = match self.segments {
            None => (alone(&self.plain)?, None),
            Some(segments) => {
                let model = train_on(Learner::Mlp, set, outside, (&self.plain, segments), seed)?;
                let corrected = model.margins(set.table, inside)?;
                (model.plain_margins(set.table, inside)?, Some(corrected))
            }
        };
        Ok(Scores {
            plain,
            pretrained: alone(&self.pretrained)?,
            segmented,
        })
    }
}

fn report(task: &Task, folds: &[(Examples, Scores)]) -> LayerStudy {
    let against = |of: &dyn Fn(&Scores) -> Option<Vec<f64>>| {
        let each = folds.iter().map(|(held, scores)| {
            Some(FoldScores {
                before: of(scores)?,
                after: scores.plain.clone(),
                target: held.target.clone(),
                group: held.group.clone(),
            })
        });
        let found = mean_loss(task, &each.collect::<Option<Vec<_>>>()?);
        let difference = Estimate::normal(found.loss, found.error, Estimate::Z95);
        Some((
            found.after,
            Contender {
                mean: found.before,
                difference,
            },
        ))
    };
    let (plain, pretrained) = against(&|scores| Some(scores.pretrained.clone())).unwrap_or_default();
    LayerStudy {
        metric: match task {
            Task::Binary => "auc",
            Task::Class { .. } => "accuracy",
            Task::Value => "r2",
        },
        folds: FOLDS,
        plain,
        pretrained,
        segmented: against(&|scores| scores.segmented.clone()).map(|(_, found)| found),
    }
}

/// A fold for each row: customers in random order within their class (the first row's), in turn.
fn assign(all: &Examples, seed: Seed) -> Result<Vec<usize>> {
    let class = |row: usize| match all.task {
        Task::Value => 0,
        _ => all.target[row] as usize,
    };
    let mut classes: BTreeMap<u64, usize> = BTreeMap::new();
    for (row, group) in all.group.iter().enumerate() {
        classes.entry(*group).or_insert_with(|| class(row));
    }
    let mut customers: Vec<(u64, usize)> = classes.into_iter().collect();
    customers.shuffle(&mut ChaCha8Rng::seed_from_u64(seed.0));
    customers.sort_by_key(|(_, class)| *class);
    for same in customers.chunk_by(|one, next| one.1 == next.1) {
        if same.len() < 2 * FOLDS {
            let message = format!(
                "only {} customers of one class, too few for {FOLDS} folds",
                same.len()
            );
            return Err(
                Error::new("TW0302", message).hint(format!("collect at least {} of each class", 2 * FOLDS))
            );
        }
    }
    let places = customers.iter().enumerate();
    let of_group: BTreeMap<u64, usize> = places
        .map(|(place, (group, _))| (*group, place % FOLDS))
        .collect();
    Ok(all
        .group
        .iter()
        .map(|group| of_group.get(group).copied().unwrap_or_default())
        .collect())
}
