//! What splitting on each column was worth while the trees grew.

use crate::models::{Fitted, FittedModel};
use crate::outcome::OutcomeModel;

impl OutcomeModel {
    /// Each column with the decrease of the training loss by the questions that its boosted trees ask about it, largest
    /// first; empty without trees. It is counted on training rows, so it flatters columns with many values: for what
    /// matters on new rows use [`Self::importance`].
    #[must_use]
    pub fn split_gains(&self) -> Vec<(String, f64)> {
        let mut gains: Vec<(String, f64)> = Vec::new();
        for (name, gain) in self
            .members()
            .iter()
            .flat_map(|member| member.fitted.split_gains())
        {
            match gains.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sum)) => *sum += gain,
                None => gains.push((name, gain)),
            }
        }
        gains.sort_by(|a, b| b.1.total_cmp(&a.1));
        gains
    }
}

impl Fitted {
    /// Per feature, in table order; empty for other learners.
    pub(crate) fn split_gains(&self) -> Vec<(String, f64)> {
        let FittedModel::Gbdt(trees) = &self.model else {
            return Vec::new();
        };
        let features = self.preparer.features();
        let mut sums = vec![0.0; features.len()];
        for (feature, gain) in self.preparer.raw_sources().into_iter().zip(trees.gains()) {
            sums[feature] += gain;
        }
        features.into_iter().zip(sums).collect()
    }
}
