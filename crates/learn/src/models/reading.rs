//! What fits of several settings on the same rows share: the reading of the rows, and the penalties of text.

use std::collections::BTreeMap;

use thalweg_domain::{Error, Result, Seed, Table};

use super::logistic::{self, Inputs};
use super::mlp::{self, Epoch};
use super::{Fitted, FittedModel, Learner, LearnerParams, gbdt};
use crate::prepare::Preparer;
use crate::task::Examples;

/// Rows of a table as learners read them: what fits of several settings on the same rows share. Preparing text is most of
/// the work of a fit, and the same for all of them.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    table: &'a Table,
    rows: &'a [usize],
    examples: &'a Examples,
    seed: Seed,
    /// For nets and trees: the preparation, and the table with the scores of its texts, if there are any.
    scored: Option<(Preparer, Option<Table>)>,
    /// For linear models.
    inputs: Option<(Preparer, Inputs)>,
    penalties: &'a TextPenalties,
}

/// Ridge penalties of text terms, chosen by an inner cross-validation on some rows. Fits on most of the same rows take them
/// over: choosing anew is most of the work, and hardly ever ends elsewhere.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct TextPenalties {
    /// By column, for the scores that nets and trees read.
    of_columns: BTreeMap<String, f64>,
    /// For linear models of everything.
    of_linear: Option<f64>,
}

/// No penalties: each fit chooses its own.
pub(crate) static NO_PENALTIES: TextPenalties = TextPenalties {
    of_columns: BTreeMap::new(),
    of_linear: None,
};

impl TextPenalties {
    /// Chooses for some learners. `examples` are those of `rows`, in the same order.
    ///
    /// # Errors
    /// As [`fit`].
    pub(crate) fn choose(
        (table, rows): (&Table, &[usize]),
        examples: &Examples,
        params: &LearnerParams,
        seed: Seed,
        learners: impl Iterator<Item = Learner> + Clone,
    ) -> Result<Self> {
        let reading = Reading::new((table, rows), examples, &NO_PENALTIES, seed, learners)?;
        let of_columns = reading
            .scored
            .as_ref()
            .map(|(preparer, _)| preparer.text_penalties());
        let of_linear = match &reading.inputs {
            Some((_, inputs)) => logistic::fit(inputs, examples, &params.logistic, seed)?.text_penalty(),
            None => None,
        };
        Ok(Self {
            of_columns: of_columns.unwrap_or_default(),
            of_linear,
        })
    }
}

impl<'a> Reading<'a> {
    /// Reads the rows for some learners. `examples` are those of `rows`, in the same order.
    ///
    /// # Errors
    /// `TW0303` and `TW0304` for data that cannot be learned from, `TW0308` when the model of a text does not converge.
    pub(crate) fn new(
        (table, rows): (&'a Table, &'a [usize]),
        examples: &'a Examples,
        penalties: &'a TextPenalties,
        seed: Seed,
        learners: impl Iterator<Item = Learner> + Clone,
    ) -> Result<Self> {
        examples.check()?;
        let scores = |learner| matches!(learner, Learner::Mlp | Learner::Gbdt);
        let linear = |learner| learner == Learner::Logistic;
        let scored = learners.clone().any(scores);
        let scored =
            scored.then(|| Preparer::fit_supervised(table, rows, examples, (&penalties.of_columns, seed)));
        let inputs = learners.clone().any(linear).then(|| {
            let preparer = Preparer::fit_terms(table, rows)?;
            let inputs = preparer.inputs(table, rows, true)?;
            Ok((preparer, inputs))
        });
        Ok(Self {
            table,
            rows,
            examples,
            seed,
            scored: scored.transpose()?,
            inputs: inputs.transpose()?,
            penalties,
        })
    }

    /// Fits a learner that the rows were read for.
    ///
    /// # Errors
    /// `TW0307` for parameters out of range or a learner that cannot be trained here, `TW0308` when training diverges.
    pub(crate) fn fit(&self, learner: Learner, params: &LearnerParams) -> Result<(Fitted, Vec<Epoch>)> {
        let (preparer, model, history) = match (learner, &self.scored, &self.inputs) {
            (Learner::Mlp, Some((preparer, with_scores)), _) => {
                let table = with_scores.as_ref().unwrap_or(self.table);
                let x = mlp::Coded::read(preparer, table, self.rows, &params.mlp.embedded(preparer))?;
                let (model, history) = mlp::fit(&x, self.examples, &params.mlp, self.seed)?;
                (preparer, FittedModel::Mlp(model), history)
            }
            (Learner::Gbdt, Some((preparer, with_scores)), _) => {
                let source = gbdt::Rows {
                    preparer,
                    table: with_scores.as_ref().unwrap_or(self.table),
                    rows: self.rows,
                };
                let model = gbdt::fit(&source, self.examples, &params.gbdt, self.seed)?;
                (preparer, FittedModel::Gbdt(Box::new(model)), Vec::new())
            }
            (Learner::Logistic, _, Some((preparer, inputs))) => {
                let mut params = params.logistic.clone();
                params.text_l2 = params.text_l2.or(self.penalties.of_linear);
                let model = logistic::fit(inputs, self.examples, &params, self.seed)?;
                (preparer, FittedModel::Logistic(model), Vec::new())
            }
            _ => {
                return Err(Error::new(
                    "TW0307",
                    "a model that was trained elsewhere cannot be trained here",
                )
                .hint("it is registered as it is; to train, choose auto, mlp, gbdt or logistic"));
            }
        };
        let preparer = preparer.clone();
        Ok((Fitted { preparer, model }, history))
    }
}
