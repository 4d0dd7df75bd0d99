//! The one estimator under every measurement: a weighted, stratified, regression-adjusted difference in means.

use std::collections::BTreeMap;

use thalweg_domain::{Error, Estimate, Result};

use super::distributions::student_quantile;
use super::sequence::{ConfidenceSequence, LEAST_UNITS_PER_ARM};
use crate::linalg::{Cholesky, packed};

/// Units in parallel columns, `n` long.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Units {
    /// Whether the unit is in the treated arm.
    pub treated: Vec<bool>,
    /// The outcome, in any unit.
    pub outcome: Vec<f64>,
    /// Covariates known *before* treatment, row-major `n * n_covariates`.
    pub covariates: Vec<f64>,
    /// Number of covariates per unit, may be 0.
    pub n_covariates: usize,
    /// Above 0: 1 / (probability of being in the arm one is in); all 1 for a plain experiment.
    pub weight: Vec<f64>,
    /// Units are compared within their stratum only (a cycle, say); all 0 for one stratum.
    pub stratum: Vec<u64>,
    /// Who shares noise shares a cluster; unique numbers for independent units.
    pub cluster: Vec<u64>,
}

/// What the interval needs to know beyond the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DifferenceParams {
    /// Number of units, of both arms, that the measurement is planned for; tunes the always-valid interval. At least 1.
    pub planned_units: f64,
}

/// A measured difference, treated minus control.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Treated units that were compared.
    pub n_treated: u64,
    /// Control units that were compared.
    pub n_control: u64,
    /// The difference in the outcome's unit, with its 95 % interval (Student's t).
    pub effect: Estimate,
    /// Its standard error.
    pub standard_error: f64,
    /// Degrees of freedom of the interval (Welch and Satterthwaite).
    pub degrees_of_freedom: f64,
    /// The 95 % interval that holds at all times; from 100 units per arm.
    pub always_valid: Option<Estimate>,
    /// Weighted mean outcome of the controls, unadjusted.
    pub control_mean: f64,
    /// Share of the outcome's variance that the covariates took away, from 0 to 1.
    pub variance_reduction: f64,
}

/// Difference in mean outcome between treated and control units.
///
/// Weighted least squares of `y` on treatment and covariates (CUPED is the case of one covariate) with a constant per stratum:
/// `y_i = a_stratum + tau treated_i + theta . x_i + e_i`. Strata with one arm only say nothing and are left out. With strata,
/// tau is the mean of the strata's effects weighted by how well each is measured.
///
/// Standard error: heteroskedasticity-robust with leverages (HC2, MacKinnon and White 1985, doi:10.1016/0304-4076(85)90158-7),
/// scores summed by cluster with factor G / (G - 1) (Liang and Zeger 1986, doi:10.1093/biomet/73.1.13). Interval: Student's t
/// with Welch's degrees of freedom, each arm counting as its effective size `(sum w)² / sum w²`.
/// Adjustment: Deng et al. 2013, doi:10.1145/2433396.2433413; Freedman's and Lin's critique (doi:10.1214/12-AOAS583) bears on
/// efficiency only, the robust standard error stays right.
///
/// Assumptions that it cannot check: covariates were known before treatment; weights are the true probabilities; units of
/// different clusters do not influence each other.
///
/// # Errors
/// `TW0721` when columns differ in length or hold what is not a number, `TW0723` when no stratum has both arms or fewer than
/// two units remain in an arm, `TW0724` for `planned_units` below 1.
///
/// ```
/// use thalweg_learn::measure::{DifferenceParams, Units, difference};
/// let units = Units {
///     treated: vec![true, true, true, false, false, false],
///     outcome: vec![3.0, 4.0, 5.0, 1.0, 2.0, 3.0],
///     weight: vec![1.0; 6],
///     stratum: vec![0; 6],
///     cluster: (0..6).collect(),
///     ..Units::default()
/// };
/// let found = difference(&units, DifferenceParams { planned_units: 6.0 })?;
/// assert!((found.effect.mean - 2.0).abs() < 1e-12);
/// assert!((found.standard_error - (2.0_f64 / 3.0).sqrt()).abs() < 1e-12);
/// # Ok::<(), thalweg_domain::Error>(())
/// ```
pub fn difference(units: &Units, params: DifferenceParams) -> Result<Difference> {
    units.check()?;
    let sequence = ConfidenceSequence::new(0.05, params.planned_units)?;
    let used = Used::of(units);
    if used.n_treated < 2 || used.n_control < 2 {
        return Err(too_few(used.n_treated, used.n_control));
    }
    let design = Centred::of(units, &used);
    let fit = design
        .fit()
        .ok_or_else(|| too_few(used.n_treated, used.n_control))?;
    let spread = design.spread(units, &used, &fit);
    Ok(summarise(units, &used, &fit, &spread, sequence))
}

fn too_few(n_treated: u64, n_control: u64) -> Error {
    Error::new(
        "TW0723",
        format!("{n_treated} treated and {n_control} control customers can be compared: too few"),
    )
    .hint("two of each in the same cycle are the least; let more customers in, or run more cycles")
}

impl Units {
    /// Number of units.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.treated.len()
    }

    /// Whether there are no units.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.treated.is_empty()
    }

    fn check(&self) -> Result<()> {
        let n = self.len();
        let lengths = [
            self.outcome.len(),
            self.weight.len(),
            self.stratum.len(),
            self.cluster.len(),
        ];
        if lengths.iter().any(|length| *length != n) || self.covariates.len() != n * self.n_covariates {
            return Err(Error::new(
                "TW0721",
                "columns of the units to compare differ in length",
            ));
        }
        if !self
            .outcome
            .iter()
            .chain(&self.covariates)
            .all(|cell| cell.is_finite())
        {
            return Err(Error::new(
                "TW0721",
                "an outcome or covariate to measure with is not a finite number",
            ));
        }
        match self
            .weight
            .iter()
            .find(|weight| !(weight.is_finite() && **weight > 0.0))
        {
            Some(weight) => Err(Error::new(
                "TW0721",
                format!("a weight of {weight} cannot be used"),
            )),
            None => Ok(()),
        }
    }

    fn x(&self, row: usize) -> &[f64] {
        &self.covariates[row * self.n_covariates..(row + 1) * self.n_covariates]
    }
}

/// The rows in strata that have both arms, and each stratum's total weight.
struct Used {
    rows: Vec<usize>,
    stratum_weight: BTreeMap<u64, f64>,
    n_treated: u64,
    n_control: u64,
}

impl Used {
    fn of(units: &Units) -> Self {
        let mut arms: BTreeMap<u64, (bool, bool, f64)> = BTreeMap::new();
        for row in 0..units.len() {
            let seen = arms.entry(units.stratum[row]).or_default();
            seen.0 |= units.treated[row];
            seen.1 |= !units.treated[row];
            seen.2 += units.weight[row];
        }
        arms.retain(|_, seen| seen.0 && seen.1);
        let rows: Vec<usize> = (0..units.len())
            .filter(|row| arms.contains_key(&units.stratum[*row]))
            .collect();
        let n_treated = rows.iter().filter(|row| units.treated[**row]).count() as u64;
        let n_control = rows.len() as u64 - n_treated;
        Self {
            rows,
            stratum_weight: arms.into_iter().map(|(key, seen)| (key, seen.2)).collect(),
            n_treated,
            n_control,
        }
    }
}

/// `[treated, covariates ..]` and outcome of the used rows, less their stratum's weighted mean.
struct Centred {
    k: usize,
    x: Vec<f64>,
    y: Vec<f64>,
    weight: Vec<f64>,
}

struct Fit {
    beta: Vec<f64>,
    bread: Cholesky,
    variance_reduction: f64,
}

/// The squared standard error of the effect, and its parts by arm.
struct Spread {
    variance: f64,
    treated_part: f64,
    control_part: f64,
    clusters: f64,
}

impl Centred {
    fn of(units: &Units, used: &Used) -> Self {
        let k = 1 + units.n_covariates;
        let raw = |row: usize| {
            let treated = f64::from(u8::from(units.treated[row]));
            std::iter::once(units.outcome[row])
                .chain(std::iter::once(treated))
                .chain(units.x(row).iter().copied())
        };
        let mut means: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for row in &used.rows {
            let sum = means
                .entry(units.stratum[*row])
                .or_insert_with(|| vec![0.0; k + 1]);
            for (cell, value) in sum.iter_mut().zip(raw(*row)) {
                *cell += units.weight[*row] * value;
            }
        }
        for (stratum, sum) in &mut means {
            let total = used.stratum_weight[stratum];
            sum.iter_mut().for_each(|cell| *cell /= total);
        }
        let mut centred = Self {
            k,
            x: Vec::new(),
            y: Vec::new(),
            weight: Vec::new(),
        };
        for row in &used.rows {
            let mut cells = raw(*row)
                .zip(&means[&units.stratum[*row]])
                .map(|(value, mean)| value - mean);
            centred.y.extend(cells.next());
            centred.x.extend(cells);
            centred.weight.push(units.weight[*row]);
        }
        centred
    }

    fn rows(&self) -> impl Iterator<Item = (&[f64], f64, f64)> {
        self.x
            .chunks_exact(self.k)
            .zip(&self.y)
            .zip(&self.weight)
            .map(|((x, y), weight)| (x, *y, *weight))
    }

    fn fit(&self) -> Option<Fit> {
        let mut gram = vec![0.0; packed(self.k, 0)];
        let mut right = vec![0.0; self.k];
        let mut total = 0.0;
        for (x, y, weight) in self.rows() {
            for i in 0..self.k {
                right[i] += weight * x[i] * y;
                for j in 0..=i {
                    gram[packed(i, j)] += weight * x[i] * x[j];
                }
            }
            total += weight * y * y;
        }
        let unadjusted = total - right[0] * right[0] / gram[0];
        // a covariate that never varies must not make the equations singular: it gets slope 0
        for i in 1..self.k {
            let cell = &mut gram[packed(i, i)];
            *cell = if *cell > 0.0 { *cell * (1.0 + 1e-10) } else { 1.0 };
        }
        let bread = Cholesky::new(self.k, gram)?;
        let beta = bread.solve(&right);
        let residual: f64 = self
            .rows()
            .map(|(x, y, weight)| weight * (y - product(x, &beta)).powi(2))
            .sum();
        let variance_reduction = if unadjusted > 0.0 {
            (1.0 - residual / unadjusted).clamp(0.0, 1.0)
        } else {
            0.0
        };
        Some(Fit {
            beta,
            bread,
            variance_reduction,
        })
    }

    fn spread(&self, units: &Units, used: &Used, fit: &Fit) -> Spread {
        let mut unit = vec![0.0; self.k];
        unit[0] = 1.0;
        let direction = fit.bread.solve(&unit);
        let mut by_cluster: BTreeMap<u64, f64> = BTreeMap::new();
        let (mut treated_part, mut control_part) = (0.0, 0.0);
        for ((x, y, weight), row) in self.rows().zip(&used.rows) {
            let own = weight / used.stratum_weight[&units.stratum[*row]];
            let leverage = (own + weight * fit.bread.inverse_quadratic(x)).min(1.0 - 1e-9);
            let influence =
                product(x, &direction) * weight * (y - product(x, &fit.beta)) / (1.0 - leverage).sqrt();
            *by_cluster.entry(units.cluster[*row]).or_insert(0.0) += influence;
            let part = if units.treated[*row] {
                &mut treated_part
            } else {
                &mut control_part
            };
            *part += influence * influence;
        }
        let clusters = by_cluster.len() as f64;
        let sum: f64 = by_cluster.values().map(|score| score * score).sum();
        let clustered = by_cluster.len() < used.rows.len();
        let factor = if clustered {
            clusters / (clusters - 1.0).max(1.0)
        } else {
            1.0
        };
        Spread {
            variance: factor * sum,
            treated_part,
            control_part,
            clusters,
        }
    }
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn summarise(
    units: &Units,
    used: &Used,
    fit: &Fit,
    spread: &Spread,
    sequence: ConfidenceSequence,
) -> Difference {
    let arm = |treated: bool| {
        used.rows
            .iter()
            .copied()
            .filter(move |row| units.treated[*row] == treated)
    };
    let effective = |treated: bool| {
        let (sum, square) = arm(treated)
            .map(|row| units.weight[row])
            .fold((0.0, 0.0), |(s, q), w| (s + w, q + w * w));
        sum * sum / square
    };
    let per_row = spread.clusters / used.rows.len() as f64;
    let parts = [
        (spread.treated_part, effective(true)),
        (spread.control_part, effective(false)),
    ];
    let degrees_of_freedom = welch(parts.map(|(part, size)| (part, size * per_row)));
    let standard_error = spread.variance.sqrt();
    let mean = fit.beta[0];
    let control: f64 = arm(false).map(|row| units.weight[row]).sum();
    let enough = used.n_treated.min(used.n_control) >= LEAST_UNITS_PER_ARM;
    Difference {
        n_treated: used.n_treated,
        n_control: used.n_control,
        effect: Estimate::normal(mean, standard_error, student_quantile(0.975, degrees_of_freedom)),
        standard_error,
        degrees_of_freedom,
        always_valid: enough.then(|| sequence.interval(mean, standard_error, used.rows.len() as f64)),
        control_mean: arm(false)
            .map(|row| units.weight[row] * units.outcome[row])
            .sum::<f64>()
            / control,
        variance_reduction: fit.variance_reduction,
    }
}

/// Welch's degrees of freedom from the arms' shares of the variance and their sizes; at least 1.
fn welch(arms: [(f64, f64); 2]) -> f64 {
    let total: f64 = arms.iter().map(|(part, _)| part).sum();
    let below: f64 = arms
        .iter()
        .map(|(part, size)| part * part / (size - 1.0).max(1.0))
        .sum();
    if below > 0.0 {
        (total * total / below).max(1.0)
    } else {
        1e6
    }
}
