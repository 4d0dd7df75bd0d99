//! The ranges of the net's parameters.

use thalweg_domain::{Error, Result};

use super::params::{ClassWeights, Embedding, MlpParams, Schedule};
use crate::task::Task;

impl MlpParams {
    /// Checks the ranges.
    ///
    /// # Errors
    /// `TW0307` with the key, its value and its range.
    pub fn check(&self) -> Result<()> {
        self.check_numbers()?;
        self.check_layers()?;
        self.check_schedule()?;
        self.check_privacy()?;
        self.check_pretrain()?;
        if let ClassWeights::Given(weights) = &self.class_weights
            && let Some(weight) = weights.iter().find(|weight| !positive(**weight))
        {
            return Err(out_of_range("class_weights", *weight, "positive numbers"));
        }
        match self.embedding {
            Some(Embedding::Dims(dims)) => within(
                "embedding",
                dims as f64,
                (1..=256).contains(&dims),
                "between 1 and 256 numbers a level",
            ),
            _ => Ok(()),
        }
    }

    fn check_numbers(&self) -> Result<()> {
        let clip_norm = self.clip_norm.unwrap_or(1.0);
        let share = (0.0..=0.95).contains(&self.dropout);
        within("dropout", self.dropout, share, "a share between 0 and 0.95")?;
        let rate = self.learning_rate > 0.0 && self.learning_rate <= 10.0;
        within(
            "learning_rate",
            self.learning_rate,
            rate,
            "a number above 0 and at most 10",
        )?;
        let momentum = (0.0..1.0).contains(&self.momentum);
        within("momentum", self.momentum, momentum, "a number from 0 to below 1")?;
        within(
            "l2",
            self.l2,
            (0.0..=10.0).contains(&self.l2),
            "a number between 0 and 10",
        )?;
        within("clip_norm", clip_norm, positive(clip_norm), "a number above 0")?;
        within(
            "huber_delta",
            self.huber_delta,
            positive(self.huber_delta),
            "a number above 0",
        )?;
        within("batch", self.batch as f64, self.batch >= 1, "at least 1")?;
        within("epochs", self.epochs as f64, self.epochs >= 1, "at least 1")?;
        let validation = (0.0..=0.9).contains(&self.validation);
        within(
            "validation",
            self.validation,
            validation,
            "a share between 0 and 0.9",
        )?;
        within("patience", self.patience as f64, self.patience >= 1, "at least 1")
    }

    fn check_layers(&self) -> Result<()> {
        let layers = self.hidden.len();
        within("hidden layers", layers as f64, layers <= 8, "at most 8")?;
        let norms = self.norm.len();
        within(
            "norm entries",
            norms as f64,
            norms <= 1 || norms == layers,
            "none, one for all layers, or one per hidden layer",
        )?;
        match self.hidden.iter().find(|units| !(1..=4096).contains(*units)) {
            Some(units) => Err(out_of_range(
                "hidden",
                *units as f64,
                "between 1 and 4096 units a layer",
            )),
            None => Ok(()),
        }
    }

    fn check_schedule(&self) -> Result<()> {
        let factor = |factor: f64| {
            let fits = factor > 0.0 && factor <= 1.0;
            within("schedule factor", factor, fits, "a number above 0 and at most 1")
        };
        match self.schedule {
            Schedule::Constant => Ok(()),
            Schedule::Step { every, factor: each } => {
                within("schedule every", every as f64, every >= 1, "at least 1 epoch")?;
                factor(each)
            }
            Schedule::Exponential { factor: each } => factor(each),
            Schedule::Cosine { floor } => within(
                "schedule floor",
                floor,
                (0.0..=1.0).contains(&floor),
                "a share between 0 and 1",
            ),
            Schedule::OneCycle { warm_up } => within(
                "schedule warm_up",
                warm_up,
                warm_up > 0.0 && warm_up < 1.0,
                "a share above 0 and below 1",
            ),
        }
    }

    /// Checks what depends on the task.
    ///
    /// # Errors
    /// `TW0307` for class weights without classes, or another number of them.
    pub(super) fn check_for(&self, task: &Task) -> Result<()> {
        let classes = match task {
            Task::Binary => 2,
            Task::Class { classes } => classes.len(),
            Task::Value => 0,
        };
        match &self.class_weights {
            ClassWeights::None => Ok(()),
            ClassWeights::Balanced if classes > 0 => Ok(()),
            ClassWeights::Given(weights) if classes > 0 && weights.len() == classes => Ok(()),
            ClassWeights::Given(weights) if classes > 0 => Err(out_of_range(
                "class_weights, number of entries,",
                weights.len() as f64,
                &format!("one for each of the {classes} classes"),
            )),
            _ => Err(Error::new(
                "TW0307",
                "[model.mlp] class_weights cannot be used: the target is a number, it has no classes",
            )
            .hint("leave class_weights away")),
        }
    }
}

fn positive(number: f64) -> bool {
    number > 0.0 && number.is_finite()
}

pub(super) fn within(key: &str, value: f64, fits: bool, range: &str) -> Result<()> {
    if fits {
        Ok(())
    } else {
        Err(out_of_range(key, value, range))
    }
}

fn out_of_range(key: &str, value: f64, range: &str) -> Error {
    Error::new("TW0307", format!("[model.mlp] {key} = {value} cannot be used"))
        .hint(format!("give {range}; the defaults are the reference net"))
}
