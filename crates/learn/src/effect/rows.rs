//! What the effect model learns from: one row per customer and cycle with a known outcome.

use thalweg_domain::{ActionId, Error, Result};

use super::design::EffectDesign;

/// Rows in parallel columns; `n` rows, `p` features. Empty columns mean no data: the fit is then the prior.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EffectRows {
    /// Standardised features, row-major, `n * p`, without the constant; finite.
    pub phi: Vec<f64>,
    /// Expected outcome without action, as logged when deciding: a probability in [0, 1] (kind `value`: money).
    pub risk: Vec<f64>,
    /// What happened: 0 or 1 (kind `value`: money).
    pub outcome: Vec<f64>,
    /// The action that was *assigned* (intention to treat); `None` is nothing.
    pub action: Vec<Option<ActionId>>,
    /// Which cycle, from 0 to `n_cycles - 1`.
    pub cycle: Vec<usize>,
    /// How much a row counts, 0 or more; 1 is one customer. The posterior's width takes the sum of weights as
    /// the amount of data, so use weights to discount (old cycles), not to blow up (inverse propensities).
    pub weight: Vec<f64>,
}

impl EffectRows {
    /// Number of rows.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.risk.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.risk.is_empty()
    }

    pub(crate) fn features(&self, row: usize, n_features: usize) -> &[f64] {
        &self.phi[row * n_features..(row + 1) * n_features]
    }

    pub(crate) fn check(&self, design: &EffectDesign) -> Result<()> {
        let n = self.len();
        let lengths = [
            self.outcome.len(),
            self.action.len(),
            self.cycle.len(),
            self.weight.len(),
        ];
        if lengths.iter().any(|length| *length != n) || self.phi.len() != n * design.n_features {
            return Err(Error::new(
                "TW0721",
                "columns of the rows to learn effects from differ in length",
            ));
        }
        let finite = |cells: &[f64]| cells.iter().all(|cell| cell.is_finite());
        if !(finite(&self.phi) && finite(&self.risk) && finite(&self.outcome)) {
            return Err(Error::new(
                "TW0721",
                "a feature, risk or outcome to learn effects from is not a finite number",
            ));
        }
        if let Some(weight) = self
            .weight
            .iter()
            .find(|weight| !(weight.is_finite() && **weight >= 0.0))
        {
            return Err(Error::new(
                "TW0721",
                format!("a weight of {weight} cannot be used"),
            ));
        }
        if let Some(cycle) = self.cycle.iter().find(|cycle| **cycle >= design.n_cycles) {
            let said = format!(
                "a row is of cycle {cycle}, but there are {} cycles",
                design.n_cycles
            );
            return Err(Error::new("TW0721", said));
        }
        match self
            .action
            .iter()
            .flatten()
            .find(|id| design.action(**id).is_none())
        {
            Some(id) => Err(Error::new(
                "TW0721",
                format!("a row has action {}, which is not in the list", id.0),
            )),
            None => Ok(()),
        }
    }
}
