//! What a model says about a row, as columns: the one place that knows the kinds of prediction.

use std::sync::Arc;

use thalweg_collect::stream::{Batch, OutColumn, OutData};
use thalweg_domain::Result;
use thalweg_learn::outcome::{OutcomeModel, Prediction};
use thalweg_learn::task::Task;

use super::decide::{Rule, Selected};

/// Scores tables with one model.
pub(super) struct Scorer<'m> {
    model: &'m OutcomeModel,
    /// The classes' names, if there are several.
    classes: Arc<[String]>,
    /// Who is selected, with the place of the groups' column among the carried ones.
    rule: Option<(&'m Rule, Option<usize>)>,
    /// What `selected` says: no or yes.
    answers: Arc<[String]>,
}

impl<'m> Scorer<'m> {
    pub(super) fn new(model: &'m OutcomeModel, rule: Option<(&'m Rule, Option<usize>)>) -> Self {
        let classes = match model.task() {
            Task::Class { classes } => classes.as_slice(),
            Task::Binary | Task::Value => &[],
        };
        Self {
            model,
            classes: classes.into(),
            rule,
            answers: ["no", "yes"].map(str::to_owned).into(),
        }
    }

    /// The columns of results: `probability`, and `threshold` and `selected` beside it where it is decided; `value`; or `probability_CLASS` for each class and the likeliest, `prediction`.
    pub(super) fn columns(&self) -> Vec<OutColumn> {
        let column = |name: String, is_text| OutColumn { name, is_text };
        match self.model.task() {
            Task::Binary => {
                let decided = [("threshold", false), ("selected", true)];
                let decided = decided.into_iter().filter(|_| self.rule.is_some());
                let all = [("probability", false)].into_iter().chain(decided);
                all.map(|(name, is_text)| column(name.to_owned(), is_text))
                    .collect()
            }
            Task::Value => vec![column("value".to_owned(), false)],
            Task::Class { classes } => {
                let each = classes
                    .iter()
                    .map(|class| column(format!("probability_{class}"), false));
                each.chain([column("prediction".to_owned(), true)]).collect()
            }
        }
    }

    /// Their cells for the rows of a batch, and whom they select.
    pub(super) fn cells(&self, batch: &Batch) -> Result<(Vec<OutData>, Selected)> {
        let prediction = self.model.predict_all(&batch.table)?;
        if let Some((rule, group)) = self.rule {
            let levels = group.map(|at| batch.levels(at)).transpose()?;
            let (thresholds, selected) = rule.apply(&prediction.cells, levels.as_ref());
            let answers = prediction.cells.iter().zip(&thresholds);
            let answers = answers.map(|(p, threshold)| u32::from(p >= threshold)).collect();
            let cells = vec![
                OutData::Number(prediction.cells),
                OutData::Number(thresholds),
                OutData::Label(answers, Arc::clone(&self.answers)),
            ];
            return Ok((cells, selected));
        }
        Ok((self.plain_cells(prediction), Selected::default()))
    }

    fn plain_cells(&self, prediction: Prediction) -> Vec<OutData> {
        if self.classes.is_empty() {
            return vec![OutData::Number(prediction.cells)];
        }
        let mut cells: Vec<OutData> = (0..prediction.n_outputs)
            .map(|class| {
                let each = prediction.cells.iter().skip(class);
                OutData::Number(each.step_by(prediction.n_outputs).copied().collect())
            })
            .collect();
        cells.push(OutData::Label(likeliest(&prediction), Arc::clone(&self.classes)));
        cells
    }
}

/// The class with the largest probability of each row; the first of equals.
fn likeliest(prediction: &Prediction) -> Vec<u32> {
    let of_row = |row: &[f64]| {
        let mut best = (0, f64::NEG_INFINITY);
        for (class, probability) in (0..).zip(row) {
            if *probability > best.1 {
                best = (class, *probability);
            }
        }
        best.0
    };
    prediction.rows().map(of_row).collect()
}

#[cfg(test)]
mod tests {
    use thalweg_learn::outcome::Prediction;

    #[test]
    fn the_likeliest_class_is_the_first_of_the_largest() {
        let prediction = Prediction {
            cells: vec![0.2, 0.5, 0.3, 0.4, 0.2, 0.4, 0.0, 0.0, 1.0],
            n_outputs: 3,
        };
        assert_eq!(super::likeliest(&prediction), [1, 0, 2]);
    }
}
