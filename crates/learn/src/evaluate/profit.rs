//! What a model is worth in money: the expected maximum profit for churn, and the profit of contacting the top share.

use statrs::function::beta::beta_reg;
use thalweg_domain::{Error, Estimate, Result};

use super::bootstrap::{Clusters, clustered_mean};
use super::threshold::Payoff;

/// The terms of the expected maximum profit for churn, in one currency; the defaults are the paper's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EmpcParams {
    /// The accepted share of offers to leavers is Beta(`alpha`, `beta`) distributed; above 0.
    pub alpha: f64,
    /// See `alpha`; above 0.
    pub beta: f64,
    /// Value of a customer who stays, above the offer's cost.
    pub lifetime_value: f64,
    /// Cost of an accepted offer, d; stayers accept it always. At least 0.
    pub offer_cost: f64,
    /// Cost of a contact, f; at least 0, and not 0 together with `offer_cost`.
    pub contact_cost: f64,
}

impl Default for EmpcParams {
    fn default() -> Self {
        Self {
            alpha: 6.0,
            beta: 14.0,
            lifetime_value: 200.0,
            offer_cost: 10.0,
            contact_cost: 1.0,
        }
    }
}

impl EmpcParams {
    /// Refuses terms outside their ranges.
    ///
    /// # Errors
    /// `TW0320`.
    pub fn check(&self) -> Result<()> {
        let finite = [
            self.alpha,
            self.beta,
            self.lifetime_value,
            self.offer_cost,
            self.contact_cost,
        ]
        .iter()
        .all(|term| term.is_finite());
        let shape = self.alpha > 0.0 && self.beta > 0.0;
        let money =
            self.offer_cost >= 0.0 && self.contact_cost >= 0.0 && self.lifetime_value > self.offer_cost;
        if finite && shape && money {
            return Ok(());
        }
        Err(Error::new(
            "TW0320",
            format!("the profit of a campaign cannot be computed with {self:?}"),
        )
        .hint("alpha and beta are above 0, costs at least 0, the lifetime value above the offer's cost"))
    }
}

/// What a churn model earns at best, on average over how many accept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExpectedMaximumProfit {
    /// Per customer of the table, in the currency of the parameters.
    pub profit_per_customer: f64,
    /// Share of the customers to contact, on average.
    pub contacted: f64,
}

/// The expected maximum profit measure for customer churn (EMPC): the profit of contacting everybody above the best
/// threshold, averaged over the unknown share of leavers who accept, which is Beta distributed:
///
/// `integral over g of max over t of [(g (CLV - d) - f) TP(t) - (d + f) FP(t)] / n`, exact over the ROC curve's convex
/// hull. `p`: any scores, `y`: who leaves, `weight`: all 1 for none; one per row. Assumes that stayers accept the offer.
/// Source: Verbraken, Verbeke and Baesens 2013, doi:10.1109/TKDE.2012.50.
///
/// # Errors
/// `TW0320` for parameters out of range or weights that are not; `TW0303` without rows.
pub fn expected_maximum_profit(
    p: &[f64],
    y: &[bool],
    weight: Option<&[f64]>,
    params: &EmpcParams,
) -> Result<ExpectedMaximumProfit> {
    params.check()?;
    super::input::check_rows(p, y.len(), weight)?;
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*b].total_cmp(&p[*a]));
    let mut hull = RocHull::new();
    let (mut negatives, mut positives) = (0.0, 0.0);
    for tie in order.chunk_by(|a, b| p[*a] == p[*b]) {
        for row in tie {
            let weight = weight.map_or(1.0, |weight| weight[*row]);
            *(if y[*row] { &mut positives } else { &mut negatives }) += weight;
        }
        hull.push(negatives, positives);
    }
    Ok(hull.expected_maximum_profit(params))
}

/// The upper convex hull of a ROC curve in counts, built from falling scores.
pub(super) struct RocHull {
    points: Vec<(f64, f64)>,
}

impl RocHull {
    pub(super) fn new() -> Self {
        Self {
            points: vec![(0.0, 0.0)],
        }
    }

    /// Adds the next point: negatives and positives among the rows so far, neither falling.
    pub(super) fn push(&mut self, negatives: f64, positives: f64) {
        while let [.., (x0, y0), (x1, y1)] = self.points[..] {
            if (y1 - y0) * (negatives - x1) > (positives - y1) * (x1 - x0) {
                break;
            }
            self.points.pop();
        }
        self.points.push((negatives, positives));
    }

    /// The last point must hold all rows.
    pub(super) fn expected_maximum_profit(&self, params: &EmpcParams) -> ExpectedMaximumProfit {
        let (all_negatives, all_positives) = self.points.last().copied().unwrap_or_default();
        let n = all_negatives + all_positives;
        let mut found = ExpectedMaximumProfit {
            profit_per_customer: 0.0,
            contacted: 0.0,
        };
        if n <= 0.0 {
            return found;
        }
        let EmpcParams {
            alpha,
            beta,
            lifetime_value,
            offer_cost,
            contact_cost,
        } = *params;
        let margin = lifetime_value - offer_cost;
        // probability and mean of the accepted share up to a bound
        let up_to = |bound: f64| {
            (
                beta_reg(alpha, beta, bound),
                beta_reg(alpha + 1.0, beta, bound) * alpha / (alpha + beta),
            )
        };
        let mut from = (0.0, 0.0);
        for (place, (negatives, positives)) in self.points.iter().enumerate() {
            let to = match self.points.get(place + 1) {
                Some((more_negatives, more_positives)) => {
                    let gained = more_positives - positives;
                    let bound = ((offer_cost + contact_cost) * (more_negatives - negatives) / gained
                        + contact_cost)
                        / margin;
                    up_to(if gained > 0.0 { bound.min(1.0) } else { 1.0 })
                }
                None => up_to(1.0),
            };
            let (probability, mean) = (to.0 - from.0, to.1 - from.1);
            let (positives, negatives) = (positives / n, negatives / n);
            found.profit_per_customer += margin * mean * positives
                - probability * (contact_cost * positives + (offer_cost + contact_cost) * negatives);
            found.contacted += probability * (positives + negatives);
            from = to;
        }
        found
    }
}

/// One point of the profit curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProfitPoint {
    /// Share of the rows contacted, highest scores first.
    pub contacted: f64,
    /// Profit per row of the whole table, in the currency of the payoff.
    pub profit_per_customer: f64,
}

/// Profit by share contacted.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfitCurve {
    /// At every twentieth of the rows from 0 to 1; a tie across the border counts in part.
    pub points: Vec<ProfitPoint>,
    /// The share with the highest profit, whole ties only.
    pub best: ProfitPoint,
    /// The lowest score among those to contact; infinite when nobody is worth it.
    pub best_threshold: f64,
    /// Profit per customer at that threshold. The interval takes the threshold as given; since it was chosen on the
    /// same rows it is a little optimistic: [`super::choose_threshold`] gives the honest figure.
    pub best_profit: Estimate,
}

/// What contacting the highest scores first earns, by how many are contacted.
///
/// `p` (any scores), `y` and `group` (the customer) have one entry per row.
///
/// # Errors
/// `TW0303` without rows; `TW0320` for scores or a payoff that cannot be used.
pub fn profit_curve(p: &[f64], y: &[bool], group: &[u64], payoff: &Payoff<'_>) -> Result<ProfitCurve> {
    super::input::check_rows(p, y.len(), None)?;
    payoff.check(p.len())?;
    let n = p.len() as f64;
    let idle: f64 = (0..p.len()).map(|row| payoff.untreated(y[row])).sum();
    // rows passed and profit so far, at each border between ties
    let mut borders = vec![(0.0, idle, f64::INFINITY)];
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*b].total_cmp(&p[*a]));
    let (mut passed, mut profit) = (0.0, idle);
    for tie in order.chunk_by(|a, b| p[*a] == p[*b]) {
        passed += tie.len() as f64;
        profit += tie.iter().map(|row| payoff.gain(*row, y[*row])).sum::<f64>();
        borders.push((passed, profit, tie.first().map_or(0.0, |row| p[*row])));
    }
    let best = borders.iter().fold(
        borders[0],
        |best, border| if border.1 > best.1 { *border } else { best },
    );
    let earned: Vec<f64> = (0..p.len())
        .map(|row| payoff.at(row, y[row], p[row] >= best.2))
        .collect();
    Ok(ProfitCurve {
        points: (0..=20_u32)
            .map(|step| {
                let contacted = f64::from(step) / 20.0;
                ProfitPoint {
                    contacted,
                    profit_per_customer: between(&borders, contacted * n) / n,
                }
            })
            .collect(),
        best: ProfitPoint {
            contacted: best.0 / n,
            profit_per_customer: best.1 / n,
        },
        best_threshold: best.2,
        best_profit: clustered_mean(&earned, &Clusters::new(group)),
    })
}

/// Profit with so many rows contacted, linear inside a tie.
fn between(borders: &[(f64, f64, f64)], rows: f64) -> f64 {
    let above = borders
        .partition_point(|border| border.0 < rows)
        .clamp(1, borders.len() - 1);
    let (low, high) = (borders[above - 1], borders[above]);
    low.1 + (high.1 - low.1) * (rows - low.0) / (high.0 - low.0)
}

/// A tenth of the rows, highest scores first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DecileLift {
    /// Share of positives in the tenth over that in all.
    pub lift: f64,
    /// The same for this tenth and all before it.
    pub cumulative_lift: f64,
    /// Share of all positives in this tenth and all before it.
    pub captured: f64,
}

/// Lift by tenth of the rows, highest scores first; a tie across a border counts in part. All 0 without positives.
/// `p` (any scores), `y` and `weight` (all 1 for none) have one entry per row.
///
/// # Errors
/// `TW0303` without rows; `TW0320` for scores or weights that cannot be used.
pub fn lift_by_decile(p: &[f64], y: &[bool], weight: Option<&[f64]>) -> Result<[DecileLift; 10]> {
    super::input::check_rows(p, y.len(), weight)?;
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*b].total_cmp(&p[*a]));
    let mut borders = vec![(0.0, 0.0, f64::INFINITY)];
    let (mut passed, mut positives) = (0.0, 0.0);
    for tie in order.chunk_by(|a, b| p[*a] == p[*b]) {
        for row in tie {
            let weight = weight.map_or(1.0, |weight| weight[*row]);
            passed += weight;
            positives += if y[*row] { weight } else { 0.0 };
        }
        if passed > borders.last().map_or(0.0, |border| border.0) {
            borders.push((passed, positives, 0.0));
        }
    }
    let captured = |tenth: usize| {
        let share = between(&borders, passed * tenth as f64 / 10.0) / positives;
        if positives > 0.0 { share } else { 0.0 }
    };
    Ok(std::array::from_fn(|tenth| {
        let (before, after) = (captured(tenth), captured(tenth + 1));
        DecileLift {
            lift: (after - before) * 10.0,
            cumulative_lift: after * 10.0 / (tenth + 1) as f64,
            captured: after,
        }
    }))
}
