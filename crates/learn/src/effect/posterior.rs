//! What is believed about effects after learning: beliefs per customer, draws, and exact totals.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use thalweg_domain::{ActionId, Belief, EffectSource, Seed};

use super::design::{EffectDesign, StoredDesign, Term};
use super::fit::Counts;
use crate::linalg::{Cholesky, dot, packed};

/// A Gaussian over all effect parameters. Serialises without loss.
///
/// Methods that take `phi` want the `n_features` standardised features of one customer, without the constant,
/// and an [`ActionId`] of the design's list; they answer mean 0 and sd 0 for an action that is not in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct EffectPosterior {
    design: EffectDesign,
    mean: Vec<f64>,
    factor: Cholesky,
    counts: Counts,
    /// Per action: mean and packed covariance of `beta_channel + beta_offer`.
    actions: Vec<ActionBelief>,
}

#[derive(Debug, Clone, PartialEq)]
struct ActionBelief {
    term: Term,
    mean: Vec<f64>,
    covariance: Vec<f64>,
}

/// How much of an action is planned: what [`EffectPosterior::total`] needs to know about it.
///
/// To total money, `w_j = value_j * risk_j` for each customer j that gets the action.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionLoad {
    /// The action.
    pub action: ActionId,
    /// Sum of `w_j`.
    pub weight: f64,
    /// Sum of `w_j * phi_j` (without the constant), `n_features` numbers.
    pub weighted_phi: Vec<f64>,
}

impl ActionLoad {
    /// Nothing planned yet.
    #[must_use]
    pub fn new(action: ActionId, n_features: usize) -> Self {
        Self {
            action,
            weight: 0.0,
            weighted_phi: vec![0.0; n_features],
        }
    }

    /// Adds a customer with weight `w` and features `phi`.
    pub fn add(&mut self, w: f64, phi: &[f64]) {
        self.weight += w;
        for (sum, feature) in self.weighted_phi.iter_mut().zip(phi) {
            *sum += w * feature;
        }
    }
}

impl EffectPosterior {
    pub(crate) fn new(design: EffectDesign, mean: Vec<f64>, factor: Cholesky, counts: Counts) -> Self {
        let covariance = inverse(&factor, design.n_blocks() * design.block());
        let actions = design
            .actions
            .iter()
            .map(|action| ActionBelief::new(&design, design.term(*action), &mean, &covariance))
            .collect();
        Self {
            design,
            mean,
            factor,
            counts,
            actions,
        }
    }

    /// The structure and priors that it was fitted with.
    #[must_use]
    pub const fn design(&self) -> &EffectDesign {
        &self.design
    }

    /// Belief about the relative effect of an action on a customer.
    ///
    /// Mean `phi . (m_c + m_o) - overlap`, variance `phi' S phi`, phi with its constant, `S` the posterior covariance of
    /// `beta_channel + beta_offer`. O(p²).
    #[must_use]
    pub fn relative(&self, action: ActionId, phi: &[f64]) -> Belief {
        self.actions
            .get(usize::from(action.0))
            .map_or(Belief { mean: 0.0, sd: 0.0 }, |belief| belief.at(phi))
    }

    /// Belief about an action's average relative effect over customers, from their load: `total / weight`.
    /// An empty load gives the effect on the average customer (phi = 0).
    #[must_use]
    pub fn average(&self, load: &ActionLoad) -> Belief {
        let weight = if load.weight == 0.0 { 1.0 } else { load.weight };
        let phi: Vec<f64> = load.weighted_phi.iter().map(|sum| sum / weight).collect();
        self.relative(load.action, &phi)
    }

    /// Exact belief about `sum_j w_j rel_{a_j}(phi_j)` over any number of customers and actions.
    ///
    /// Customers of one channel (offer) share its error, so this is not a sum of independent terms: the loads are
    /// embedded into one parameter vector `v`, mean `v . beta - overlaps`, variance `v' P⁻¹ v`. The cap of a conversion's
    /// effect at `1 - risk` is not in it (it is the caller's, per customer). O(d²) for d parameters.
    #[must_use]
    pub fn total(&self, loads: &[ActionLoad]) -> Belief {
        let d = self.design.block();
        let mut v = vec![0.0; self.mean.len()];
        let mut overlaps = 0.0;
        for load in loads {
            let Some(belief) = self.actions.get(usize::from(load.action.0)) else {
                continue;
            };
            overlaps += load.weight * belief.term.overlap;
            for block in belief.term.blocks() {
                v[block * d] += load.weight;
                for (cell, sum) in v[block * d + 1..(block + 1) * d]
                    .iter_mut()
                    .zip(&load.weighted_phi)
                {
                    *cell += sum;
                }
            }
        }
        Belief {
            mean: dot(&v, &self.mean) - overlaps,
            sd: self.factor.inverse_quadratic(&v).sqrt(),
        }
    }

    /// One draw of all parameters: plan with it to explore by Thompson sampling. The same seed gives the same draw.
    #[must_use]
    pub fn sample(&self, seed: Seed) -> EffectDraw {
        let mut rng = ChaCha8Rng::seed_from_u64(seed.stream("effect").0);
        let noise: Vec<f64> = (0..self.mean.len())
            .map(|_| StandardNormal.sample(&mut rng))
            .collect();
        let parameters: Vec<f64> = self
            .factor
            .backward(&noise)
            .iter()
            .zip(&self.mean)
            .map(|(step, mean)| mean + step)
            .collect();
        EffectDraw::new(&self.design, &parameters)
    }

    /// Belief about the relative correction of the level of `risk` in a cycle (mean 0, sd 0 for one not in the data):
    /// `E[y | none] = risk (1 + level)`.
    #[must_use]
    pub fn level(&self, cycle: usize) -> Belief {
        if cycle >= self.design.n_cycles {
            return Belief { mean: 0.0, sd: 0.0 };
        }
        let index = self.design.level_parameter(cycle);
        let mut unit = vec![0.0; self.mean.len()];
        unit[index] = 1.0;
        Belief {
            mean: self.mean[index],
            sd: self.factor.inverse_quadratic(&unit).sqrt(),
        }
    }

    /// Whether the action itself has been tried in the data, or is still believed only.
    #[must_use]
    pub fn source(&self, action: ActionId) -> EffectSource {
        if self.n_rows(action) > 0 {
            EffectSource::Measured
        } else {
            EffectSource::Assumed
        }
    }

    /// Number of rows with this action.
    #[must_use]
    pub fn n_rows(&self, action: ActionId) -> u64 {
        self.counts
            .per_action
            .get(usize::from(action.0))
            .copied()
            .unwrap_or(0)
    }

    /// Number of untreated rows.
    #[must_use]
    pub const fn n_untreated(&self) -> u64 {
        self.counts.untreated
    }
}

impl ActionBelief {
    fn new(design: &EffectDesign, term: Term, mean: &[f64], covariance: &[f64]) -> Self {
        let d = design.block();
        let mut sum_mean = vec![0.0; d];
        let mut sum_covariance = vec![0.0; packed(d, 0)];
        for block in term.blocks() {
            for (sum, cell) in sum_mean.iter_mut().zip(&mean[block * d..]) {
                *sum += cell;
            }
            for other in term.blocks() {
                for i in 0..d {
                    for j in 0..=i {
                        let (row, column) = (block * d + i, other * d + j);
                        sum_covariance[packed(i, j)] += covariance[packed(row.max(column), row.min(column))];
                    }
                }
            }
        }
        Self {
            term,
            mean: sum_mean,
            covariance: sum_covariance,
        }
    }

    fn at(&self, phi: &[f64]) -> Belief {
        let mean = self.mean[0] + dot(&self.mean[1..], phi) - self.term.overlap;
        let mut variance = self.covariance[0];
        for (index, feature) in phi.iter().enumerate() {
            let row = &self.covariance[packed(index + 1, 0)..=packed(index + 1, index + 1)];
            let below = row[0] + dot(&row[1..=index], &phi[..index]);
            variance += feature * (2.0 * below + row[index + 1] * feature);
        }
        Belief {
            mean,
            sd: variance.max(0.0).sqrt(),
        }
    }
}

/// The first `keep` rows of the inverse's lower triangle, packed.
fn inverse(factor: &Cholesky, keep: usize) -> Vec<f64> {
    let n = factor.size();
    let mut columns = Vec::with_capacity(keep);
    for index in 0..keep {
        columns.push(factor.inverse_column(index));
    }
    let mut out = Vec::with_capacity(packed(keep, 0));
    for (i, row) in columns.iter().enumerate() {
        for column in &columns[..=i] {
            // column `index` of L⁻¹ is zero above `index`: only the common tail counts
            out.push(dot(row, &column[column.len() - (n - i)..]));
        }
    }
    out
}

/// One draw of the parameters: an effect function.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectDraw {
    /// Per action: `beta_channel + beta_offer`, the overlap taken off the constant.
    actions: Vec<Vec<f64>>,
}

impl EffectDraw {
    fn new(design: &EffectDesign, parameters: &[f64]) -> Self {
        let d = design.block();
        let of = |term: Term| {
            let mut sum = vec![0.0; d];
            for block in term.blocks() {
                for (cell, value) in sum.iter_mut().zip(&parameters[block * d..]) {
                    *cell += value;
                }
            }
            sum[0] -= term.overlap;
            sum
        };
        Self {
            actions: design
                .actions
                .iter()
                .map(|action| of(design.term(*action)))
                .collect(),
        }
    }

    /// The drawn relative effect of an action on a customer with features `phi` (0 for an unknown action).
    #[must_use]
    pub fn relative(&self, action: ActionId, phi: &[f64]) -> f64 {
        self.actions
            .get(usize::from(action.0))
            .map_or(0.0, |beta| beta[0] + dot(&beta[1..], phi))
    }
}

/// The posterior as it is saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Stored {
    design: StoredDesign,
    mean: Vec<f64>,
    precision_factor: Vec<f64>,
    rows_per_action: Vec<u64>,
    rows_untreated: u64,
}

impl From<EffectPosterior> for Stored {
    fn from(posterior: EffectPosterior) -> Self {
        Self {
            design: StoredDesign::from(&posterior.design),
            mean: posterior.mean,
            precision_factor: posterior.factor.factor().to_vec(),
            rows_per_action: posterior.counts.per_action,
            rows_untreated: posterior.counts.untreated,
        }
    }
}

impl TryFrom<Stored> for EffectPosterior {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        let design = EffectDesign::try_from(stored.design)?;
        let n = design.n_parameters();
        let factor = Cholesky::from_factor(n, stored.precision_factor)
            .ok_or("the effect model's factor is damaged")?;
        let counts = Counts {
            per_action: stored.rows_per_action,
            untreated: stored.rows_untreated,
        };
        if stored.mean.len() != n || counts.per_action.len() != design.actions.len() {
            return Err("the effect model's parts differ in size".to_owned());
        }
        Ok(Self::new(design, stored.mean, factor, counts))
    }
}
