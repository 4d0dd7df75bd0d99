//! Compression of an outcome model, judged on rows that neither the models nor their compressed forms had seen.

use rayon::prelude::*;
use thalweg_domain::{Error, Estimate, Result, Seed};

use super::compact::{Compact, CompactNet};
use super::distil::taught;
use super::int8::quantize;
use super::layers::layers_of;
use super::params::{CompressParams, CompressTo};
use super::prune::prune;
use super::report::{CompressionReport, FoldScores, mean_loss, metric_of};
use super::sparse::SparseNet;
use crate::models::mlp::Mlp;
use crate::models::{Fitted, Learner, fit};
use crate::outcome::{Member, OutcomeModel, OutcomeTraining, TrainingSet};
use crate::task::Margins;

/// Rows on which the ranges of activations are calibrated.
const CALIBRATION_ROWS: usize = 4000;

/// A compressed model and what it saves and costs.
#[derive(Debug)]
pub struct Compressed {
    /// It predicts, explains and is stored as any other outcome model.
    pub model: OutcomeModel,
    /// Predictions of the training rows by compressed models that had not seen the row's fold, as in [`OutcomeTraining::out_of_fold`].
    pub out_of_fold: Vec<f64>,
    /// Size and loss.
    pub report: CompressionReport,
}

/// Compresses a trained model.
///
/// The loss is found as the model itself was judged: in each random fold of the training, models with the same learners are
/// trained on the other folds and compressed there, and both score the fold. A model that was trained elsewhere cannot be
/// trained again: it is taken as it is in every fold.
///
/// # Errors
/// `TW0307` for parameters out of range, `TW0334` when the model cannot be compressed that way, and as training.
pub fn compress(
    training: &OutcomeTraining,
    set: &TrainingSet<'_>,
    params: &CompressParams,
) -> Result<Compressed> {
    params.check()?;
    let members = training.model.members();
    check(members, &params.to)?;
    let work = Work { set, params, members };
    let n_folds = training.fold.iter().max().map_or(0, |last| *last + 1);
    let scored = (0..n_folds)
        .into_par_iter()
        .map(|fold| work.fold(&training.fold, fold))
        .collect::<Result<Vec<_>>>()?;
    let n_outputs = training.model.task().n_outputs();
    let mut margins = Margins {
        cells: vec![0.0; training.fold.len() * n_outputs],
        n_outputs,
    };
    for (rows, scores) in &scored {
        for (row, own) in rows.iter().zip(scores.after.chunks_exact(n_outputs)) {
            margins.cells[row * n_outputs..(row + 1) * n_outputs].copy_from_slice(own);
        }
    }
    let folds: Vec<FoldScores> = scored.into_iter().map(|(_, scores)| scores).collect();
    let everything: Vec<usize> = (0..training.fold.len()).collect();
    let compressed = work.compressed(members, &everything, params.seed.stream("compress"))?;
    let net_bytes = bytes_of_nets(members).zip(bytes_of_nets(&compressed));
    let model = training
        .model
        .with_members(compressed, set, (margins.clone(), &training.fold))?;
    let out_of_fold = model.linked(margins);
    let loss = mean_loss(training.model.task(), &folds);
    let report = CompressionReport {
        to: params.to.as_str().to_owned(),
        bytes_before: training.model.to_json()?.len(),
        bytes_after: model.to_json()?.len(),
        net_bytes,
        metric: metric_of(training.model.task()).to_owned(),
        before: loss.before,
        after: loss.after,
        loss: Estimate::normal(loss.loss, loss.error, Estimate::Z95),
    };
    Ok(Compressed {
        model,
        out_of_fold,
        report,
    })
}

fn check(members: &[Member], to: &CompressTo) -> Result<()> {
    let refuse = |what: &str| {
        Err(Error::new(
            "TW0334",
            format!("the model cannot be compressed to {}: {what}", to.as_str()),
        )
        .hint("compress it to \"distilled\", which learns from any model"))
    };
    let private = |member: &Member| member.fitted.net().is_some_and(|net| net.privacy().is_some());
    if members.iter().any(private) {
        let message = format!(
            "the model cannot be compressed to {}: it was trained privately",
            to.as_str()
        );
        return Err(Error::new("TW0334", message).hint(
            "compression reads the training rows again, without noise: train a smaller private net instead",
        ));
    }
    if matches!(to, CompressTo::Distilled { .. }) {
        return Ok(());
    }
    for member in members {
        match member.fitted.net() {
            None if member.learner == Learner::Onnx => return refuse("it was trained elsewhere"),
            None => {
                return refuse(&format!(
                    "a {} is part of it, which is not a net",
                    member.learner.as_str()
                ));
            }
            Some(net) if !net.tables().is_empty() => return refuse("its net embeds categories"),
            Some(_) => {}
        }
    }
    Ok(())
}

/// Bytes of the nets' numbers; `None` when a member is not a net.
fn bytes_of_nets(members: &[Member]) -> Option<usize> {
    members.iter().map(|member| member.fitted.net_bytes()).sum()
}

struct Work<'a> {
    set: &'a TrainingSet<'a>,
    params: &'a CompressParams,
    members: &'a [Member],
}

impl Work<'_> {
    /// The rows of a fold with the scores of members fitted without it, before and after compression.
    fn fold(&self, fold: &[u8], own: u8) -> Result<(Vec<usize>, FoldScores)> {
        let (inside, outside): (Vec<usize>, Vec<usize>) = (0..fold.len()).partition(|row| fold[*row] == own);
        let seed = self.params.seed.stream("folds").nth(u64::from(own));
        let examples = self.set.examples(&outside);
        let before = self
            .members
            .iter()
            .map(|member| {
                let table = self.set.table;
                if let Some(same) = member.fitted.trained_elsewhere() {
                    return Ok(Member {
                        learner: member.learner,
                        fitted: same,
                        factor: member.factor,
                        offset: vec![0.0; member.offset.len()],
                    });
                }
                let (fitted, _) = fit(
                    member.learner,
                    table,
                    &outside,
                    &examples,
                    &self.params.learners,
                    seed,
                )?;
                Ok(Member {
                    learner: member.learner,
                    fitted,
                    factor: member.factor,
                    offset: vec![0.0; member.offset.len()],
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let after = self.compressed(&before, &outside, seed.stream("compress"))?;
        let held = self.set.examples(&inside);
        let scores = FoldScores {
            before: self.margins(&before, &inside)?.cells,
            after: self.margins(&after, &inside)?.cells,
            target: held.target,
            group: held.group,
        };
        Ok((inside, scores))
    }

    fn margins(&self, members: &[Member], rows: &[usize]) -> Result<Margins> {
        let n_outputs = self.set.target.task().n_outputs();
        let mut sum = Margins {
            cells: vec![0.0; rows.len() * n_outputs],
            n_outputs,
        };
        for member in members {
            let own = member.margins(self.set.table, rows)?;
            sum.cells
                .iter_mut()
                .zip(own.cells)
                .for_each(|(sum, own)| *sum += own);
        }
        Ok(sum)
    }

    /// Members in place of those given, which were fitted on `rows`.
    fn compressed(&self, members: &[Member], rows: &[usize], seed: Seed) -> Result<Vec<Member>> {
        if let CompressTo::Distilled {
            hidden,
            teacher_share,
        } = &self.params.to
        {
            return Ok(vec![self.student(
                members,
                rows,
                (hidden, *teacher_share),
                seed,
            )?]);
        }
        members
            .iter()
            .map(|member| {
                let net = member
                    .fitted
                    .net()
                    .ok_or_else(|| Error::new("TW0901", "internal error: a net is gone"))?;
                let compact = self.compact(net, &member.fitted, rows, seed)?;
                Ok(Member {
                    learner: member.learner,
                    fitted: member.fitted.compacted(Compact::new(compact, net.target_scale())),
                    factor: member.factor,
                    offset: member.offset.clone(),
                })
            })
            .collect()
    }

    fn compact(&self, net: &Mlp, fitted: &Fitted, rows: &[usize], seed: Seed) -> Result<CompactNet> {
        let (table, preparer) = (self.set.table, fitted.preparer());
        if let CompressTo::Pruned { sparsity } = self.params.to {
            let x = preparer.dense(table, rows)?;
            let examples = self.set.examples(rows);
            let pruned = prune(net, sparsity, (&x, &examples), &self.params.learners.mlp, seed)?;
            return Ok(CompactNet::Sparse(SparseNet::new(&layers_of(&pruned))));
        }
        let every = rows.len().div_ceil(CALIBRATION_ROWS).max(1);
        let some: Vec<usize> = rows.iter().step_by(every).copied().collect();
        let x = preparer.dense(table, &some)?;
        Ok(CompactNet::Int8(quantize(&layers_of(net), &x.data)))
    }

    /// A small net that has learned the members' scores of the rows.
    fn student(
        &self,
        members: &[Member],
        rows: &[usize],
        (hidden, share): (&[usize], f64),
        seed: Seed,
    ) -> Result<Member> {
        let margins = self.margins(members, rows)?;
        let (taught_rows, examples) = taught(rows, &self.set.examples(rows), &margins, share);
        let mut learners = self.params.learners.clone();
        learners.mlp.hidden = hidden.to_vec();
        learners.mlp.privacy = None;
        let (fitted, _) = fit(
            Learner::Mlp,
            self.set.table,
            &taught_rows,
            &examples,
            &learners,
            seed,
        )?;
        Ok(Member {
            learner: Learner::Mlp,
            fitted,
            factor: 1.0,
            offset: vec![0.0; self.set.target.task().n_outputs()],
        })
    }
}
