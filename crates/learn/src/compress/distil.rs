//! Distillation: the rows with what a teacher predicts in place of, or mixed with, what happened.

use crate::models::sigmoid;
use crate::task::{Examples, Margins, Task};

/// Classes to which a teacher gives less than this are left out of a row's targets.
const LEAST_PROBABILITY: f64 = 0.01;

/// Rows and examples for a student (Hinton, Vinyals and Dean 2015, arXiv 1503.02531, at temperature 1): the target of a row is
/// `share` times the teacher's prediction plus `1 - share` times the outcome.
///
/// Two classes: a probability as the target. Several: the row once per class, weighted by that class's share, which is the same loss. A
/// number: the mixed value. `margins` are the teacher's scores of `rows`.
pub(super) fn taught(
    rows: &[usize],
    examples: &Examples,
    margins: &Margins,
    share: f64,
) -> (Vec<usize>, Examples) {
    let n_classes = match examples.task {
        Task::Class { .. } => return by_class(rows, examples, margins, share),
        Task::Binary | Task::Value => 1,
    };
    let mut soft = examples.clone();
    for (target, margin) in soft
        .target
        .iter_mut()
        .zip(margins.cells.iter().step_by(n_classes))
    {
        let teacher = if examples.task == Task::Binary {
            sigmoid(*margin)
        } else {
            *margin
        };
        *target = share * teacher + (1.0 - share) * *target;
    }
    (rows.to_vec(), soft)
}

fn by_class(rows: &[usize], examples: &Examples, margins: &Margins, share: f64) -> (Vec<usize>, Examples) {
    let mut taught = Vec::new();
    let mut soft = Examples {
        task: examples.task.clone(),
        target: Vec::new(),
        weight: Vec::new(),
        group: Vec::new(),
    };
    for (at, logits) in margins.rows().enumerate() {
        let highest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let exps: Vec<f64> = logits.iter().map(|logit| (logit - highest).exp()).collect();
        let total: f64 = exps.iter().sum();
        for (class, exp) in exps.iter().enumerate() {
            let came = f64::from(u8::from(examples.target[at] == class as f64));
            let p = share * exp / total + (1.0 - share) * came;
            if p >= LEAST_PROBABILITY {
                taught.push(rows[at]);
                soft.target.push(class as f64);
                soft.weight.push(examples.weight[at] * p);
                soft.group.push(examples.group[at]);
            }
        }
    }
    (taught, soft)
}
