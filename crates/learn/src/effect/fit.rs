//! The conjugate fit: sums per action, assembled into one precision matrix, and its Cholesky factor.

use thalweg_domain::{Error, OutcomeKind, Result};

use super::design::{EffectDesign, Term};
use super::posterior::EffectPosterior;
use super::rows::EffectRows;
use crate::linalg::{Cholesky, dot, packed};

/// Probabilities nearer to 0 or 1 than this count as this far away when a row's variance is computed.
const LEAST_PROBABILITY: f64 = 0.02;

/// Posterior of the relative effects, given priors and outcomes.
///
/// With `s` = -1 for churn and +1 otherwise, and `risk` the expected outcome without action, row i of cycle k with
/// action a = (channel c, offer o) says
///
/// `s (y_i - risk_i) = risk_i [phi_i . (beta_c + beta_o) - m_c m_o] + s risk_i (gamma_k + z_i . delta) + noise`,
///
/// `phi_i = [1, z_1 .. z_p]`, without the bracket for an untreated row and without `beta_o`, `m_c m_o` when there is
/// no offer. `m` are prior means, so that at the prior mean an offer and a channel make `1 - (1 - m_c)(1 - m_o)`.
/// `gamma_k` corrects the level of `risk` in a cycle and `delta` its dependence on the features; both are what untreated
/// rows say. Without `delta` the plan's own choice biases effects: those chosen are those whose risk was overrated.
///
/// Noise variance: `q (1 - q)` over the row's weight, `q` the outcome's probability at the prior mean (`risk_i` for an
/// untreated row), kept within [0.02, 0.98]. For kind `value` it is one number, the weighted mean square of `y - risk`.
/// Prior: intercepts N(assumed mean, assumed sd²), the p other coefficients of a block N(0, (h sd)² / p),
/// `gamma_k` N(0, `level_sd`²), the p coefficients of `delta` N(0, `risk_sd`² / p), all independent. Weighted Gaussian likelihood, so the posterior is exactly Gaussian:
/// precision `P = P_0 + X' W X`, mean `P⁻¹ (P_0 m_0 + X' W t)`.
///
/// Time is O(n p²) for the sums (each row touches two blocks) and O(d³) once, `d = (channels + offers + 1)(p + 1) + cycles`.
/// Sums run in row order in one thread, so the result is the same bytes everywhere.
///
/// Assumptions that it cannot check: given features and cycle the action was assigned independently of how the customer
/// would respond (true for logged randomised actions and for actions that depend on logged features only);
/// the model of `risk` is right but for its level per cycle and a linear correction; one customer's treatment does not change another's outcome.
///
/// Source: Bayesian linear model with known variances, Gelman et al., *Bayesian Data Analysis*, 3rd ed., section 14.8;
/// the relative form is section 7 of the design.
///
/// # Errors
/// `TW0720` when priors or sizes cannot be used, `TW0721` when rows cannot.
///
/// ```
/// use thalweg_domain::{Action, ActionId, Belief, OutcomeKind};
/// use thalweg_learn::effect::{EffectDesign, EffectRows, fit};
///
/// let design = EffectDesign {
///     kind: OutcomeKind::Churn,
///     actions: vec![Action { channel: 0, offer: None }],
///     channel_prior: vec![Belief { mean: 0.06, sd: 0.04 }],
///     offer_prior: vec![],
///     n_features: 1,
///     n_cycles: 0,
///     heterogeneity: EffectDesign::HETEROGENEITY,
///     level_sd: EffectDesign::LEVEL_SD,
///     risk_sd: EffectDesign::RISK_SD,
/// };
/// let posterior = fit(&design, &EffectRows::default())?;
/// let belief = posterior.relative(ActionId(0), &[0.0]);
/// assert!((belief.mean - 0.06).abs() < 1e-12 && (belief.sd - 0.04).abs() < 1e-12);
/// # Ok::<(), thalweg_domain::Error>(())
/// ```
pub fn fit(design: &EffectDesign, rows: &EffectRows) -> Result<EffectPosterior> {
    design.check()?;
    rows.check(design)?;
    let mut system = System::prior(design);
    let counts = system.add_rows(rows);
    let factor = Cholesky::new(design.n_parameters(), system.precision).ok_or_else(not_definite)?;
    let mean = factor.solve(&system.target);
    Ok(EffectPosterior::new(design.clone(), mean, factor, counts))
}

fn not_definite() -> Error {
    Error::new("TW0722", "the effect model's equations have no solution")
        .hint("look for features of very different size: they must be standardised (mean 0, sd 1)")
}

/// Normal equations: packed lower triangle of the precision, and its right-hand side.
struct System<'a> {
    design: &'a EffectDesign,
    precision: Vec<f64>,
    target: Vec<f64>,
}

/// How many rows each action had, and how many had none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    pub(crate) per_action: Vec<u64>,
    pub(crate) untreated: u64,
}

impl<'a> System<'a> {
    fn prior(design: &'a EffectDesign) -> Self {
        let n = design.n_parameters();
        let mut precision = vec![0.0; n * (n + 1) / 2];
        let mut target = vec![0.0; n];
        for (index, belief) in design.prior().iter().enumerate() {
            let weight = 1.0 / (belief.sd * belief.sd);
            precision[packed(index, index)] = weight;
            target[index] = weight * belief.mean;
        }
        Self {
            design,
            precision,
            target,
        }
    }

    fn add_rows(&mut self, rows: &EffectRows) -> Counts {
        let noise = Noise::of(self.design, rows);
        let mut untreated = Sums::new(self.design, None);
        let mut per_action: Vec<Sums> = self
            .design
            .actions
            .iter()
            .map(|action| Sums::new(self.design, Some(self.design.term(*action))))
            .collect();
        let mut counts = Counts {
            per_action: vec![0; per_action.len()],
            untreated: 0,
        };
        for row in 0..rows.len() {
            match rows.action[row] {
                Some(id) => {
                    per_action[usize::from(id.0)].add(self.design, &noise, rows, row);
                    counts.per_action[usize::from(id.0)] += 1;
                }
                None => {
                    untreated.add(self.design, &noise, rows, row);
                    counts.untreated += 1;
                }
            }
        }
        self.add_sums(&untreated);
        for sums in &per_action {
            self.add_sums(sums);
        }
        counts
    }

    /// The blocks that a row touches, each with the sign of its part in `s (y - risk)`.
    fn parts(&self, term: Option<Term>) -> Vec<(usize, f64)> {
        let effects = term.iter().flat_map(Term::blocks).map(|block| (block, 1.0));
        let risk = (self.design.risk_block(), self.design.sign());
        effects.chain(std::iter::once(risk)).collect()
    }

    fn add_sums(&mut self, sums: &Sums) {
        let d = self.design.block();
        let parts = self.parts(sums.term);
        for (block, sign) in &parts {
            for (j, value) in sums.target.iter().enumerate() {
                self.target[block * d + j] += sign * value;
            }
            self.add_square(sums, *block);
            for (other, other_sign) in parts.iter().filter(|(other, _)| other < block) {
                self.add_cross(sums, (*block, *other), sign * other_sign);
            }
            self.add_level(sums, *block, sign * self.design.sign());
        }
        for (cycle, (square, target)) in sums.level_square.iter().zip(&sums.level_target).enumerate() {
            let level = self.design.level_parameter(cycle);
            self.precision[packed(level, level)] += square;
            self.target[level] += self.design.sign() * target;
        }
    }

    fn add_square(&mut self, sums: &Sums, block: usize) {
        let base = block * self.design.block();
        for i in 0..self.design.block() {
            for j in 0..=i {
                self.precision[packed(base + i, base + j)] += sums.gram[packed(i, j)];
            }
        }
    }

    fn add_cross(&mut self, sums: &Sums, (block, other): (usize, usize), sign: f64) {
        let d = self.design.block();
        for i in 0..d {
            for j in 0..d {
                let cell = sums.gram[packed(i.max(j), i.min(j))];
                self.precision[packed(block * d + i, other * d + j)] += sign * cell;
            }
        }
    }

    fn add_level(&mut self, sums: &Sums, block: usize, sign: f64) {
        let d = self.design.block();
        for (cycle, cross) in sums.level_cross.chunks(d).enumerate() {
            let level = self.design.level_parameter(cycle);
            for (j, cell) in cross.iter().enumerate() {
                self.precision[packed(level, block * d + j)] += sign * cell;
            }
        }
    }
}

/// Weighted sums over one action's rows, or over the untreated ones.
struct Sums {
    term: Option<Term>,
    prior_mean: f64,
    overlap: f64,
    gram: Vec<f64>,
    target: Vec<f64>,
    level_cross: Vec<f64>,
    level_square: Vec<f64>,
    level_target: Vec<f64>,
    phi: Vec<f64>,
}

impl Sums {
    fn new(design: &EffectDesign, term: Option<Term>) -> Self {
        let d = design.block();
        let means: Vec<f64> = design
            .channel_prior
            .iter()
            .chain(&design.offer_prior)
            .map(|b| b.mean)
            .collect();
        Self {
            term,
            prior_mean: term.map_or(0.0, |term| {
                term.blocks().map(|block| means[block]).sum::<f64>() - term.overlap
            }),
            overlap: term.map_or(0.0, |term| term.overlap),
            gram: vec![0.0; packed(d, 0)],
            target: vec![0.0; d],
            level_cross: vec![0.0; d * design.n_cycles],
            level_square: vec![0.0; design.n_cycles],
            level_target: vec![0.0; design.n_cycles],
            phi: vec![1.0; d],
        }
    }

    fn add(&mut self, design: &EffectDesign, noise: &Noise, rows: &EffectRows, row: usize) {
        let (sign, risk) = (design.sign(), rows.risk[row]);
        let weight = rows.weight[row] / noise.variance(risk * (1.0 + sign * self.prior_mean));
        let square = weight * risk * risk;
        let target = weight * risk * (sign * (rows.outcome[row] - risk) + risk * self.overlap);
        self.phi[1..].copy_from_slice(rows.features(row, design.n_features));
        let cycle = rows.cycle[row];
        let cross = &mut self.level_cross[cycle * self.phi.len()..(cycle + 1) * self.phi.len()];
        for (i, feature) in self.phi.iter().enumerate() {
            let scaled = square * feature;
            for (cell, other) in self.gram[packed(i, 0)..=packed(i, i)].iter_mut().zip(&self.phi) {
                *cell += scaled * other;
            }
            cross[i] += scaled;
            self.target[i] += target * feature;
        }
        self.level_square[cycle] += square;
        self.level_target[cycle] += target;
    }
}

/// The variance of an outcome around its expectation.
enum Noise {
    Binary,
    Money(f64),
}

impl Noise {
    fn of(design: &EffectDesign, rows: &EffectRows) -> Self {
        if design.kind != OutcomeKind::Value {
            return Self::Binary;
        }
        let misses: Vec<f64> = rows
            .outcome
            .iter()
            .zip(&rows.risk)
            .map(|(y, risk)| y - risk)
            .collect();
        let total: f64 = rows.weight.iter().sum();
        let mean = misses
            .iter()
            .zip(&rows.weight)
            .map(|(miss, weight)| weight * miss * miss)
            .sum::<f64>()
            / total;
        Self::Money(if mean > 0.0 {
            mean
        } else {
            dot(&rows.risk, &rows.risk).max(1.0) * 1e-6
        })
    }

    fn variance(&self, expected: f64) -> f64 {
        match self {
            Self::Binary => {
                let q = expected.clamp(LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY);
                q * (1.0 - q)
            }
            Self::Money(variance) => *variance,
        }
    }
}
