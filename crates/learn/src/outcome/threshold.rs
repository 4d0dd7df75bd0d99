//! Where positives begin: by cost unless a probability is given.

use thalweg_domain::Result;

use super::{OutcomeTraining, Threshold, TrainingSet};
use crate::evaluate::{Economics, Payoff, ThresholdChoice, choose_threshold};

/// The threshold of a training under somebody's costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChosenThreshold {
    /// A row counts as positive from this probability on.
    pub threshold: f64,
    /// How it compares with one half and with the break-even probability; none when it was given.
    pub by_cost: Option<ThresholdChoice>,
}

impl OutcomeTraining {
    /// The threshold: the given one, or the one that earns most on scores of rows that the models had not seen, under
    /// the rolling split if there is one.
    ///
    /// # Errors
    /// `TW0320` for a payoff that cannot be used; `TW0901` for another kind of target, or another table.
    pub fn choose_threshold(&self, set: &TrainingSet<'_>, payoff: &Payoff<'_>) -> Result<ChosenThreshold> {
        if let Threshold::Fixed(threshold) = self.threshold {
            return Ok(ChosenThreshold {
                threshold,
                by_cost: None,
            });
        }
        let target = set.target.binary()?;
        let found = match &self.rolling {
            None => choose_threshold(&self.out_of_fold, target, &self.fold, set.group, payoff)?,
            Some(rolling) => {
                let target: Vec<bool> = rolling.rows.iter().map(|row| target[*row]).collect();
                let group: Vec<u64> = rolling.rows.iter().map(|row| set.group[*row]).collect();
                let judge = |payoff: &Payoff<'_>| {
                    choose_threshold(&rolling.out_of_fold, &target, &rolling.fold, &group, payoff)
                };
                match payoff {
                    Payoff::Economics(economics) => {
                        let value: Vec<f64> = rolling.rows.iter().map(|row| economics.value[*row]).collect();
                        judge(&Payoff::Economics(Economics {
                            value: &value,
                            ..*economics
                        }))?
                    }
                    Payoff::Amounts { .. } => judge(payoff)?,
                }
            }
        };
        Ok(ChosenThreshold {
            threshold: found.threshold,
            by_cost: Some(found),
        })
    }
}
