//! From which probability on to act: the threshold that costs decide, held against one half.

use thalweg_domain::{Error, Estimate, Result};

use super::bootstrap::{Clusters, clustered_error, clustered_mean};
use super::metrics::Economics;

/// What a decision about a row earns, in one currency.
#[derive(Debug, Clone, Copy)]
pub enum Payoff<'a> {
    /// Contacting earns `relative_effect * value - contact_cost` on a positive and `-contact_cost` on a negative; not
    /// contacting earns nothing. It takes the assumed effect as true.
    Economics(Economics<'a>),
    /// One amount for each kind of decision, the same for every row.
    Amounts {
        /// Acting on a positive.
        true_positive: f64,
        /// Acting on a negative; less than leaving it.
        false_positive: f64,
        /// Leaving a negative.
        true_negative: f64,
        /// Leaving a positive; less than acting on it.
        false_negative: f64,
    },
}

impl Payoff<'_> {
    /// One for each right decision, nothing for a wrong one: profit is accuracy.
    pub const ACCURACY: Self = Self::Amounts {
        true_positive: 1.0,
        false_positive: 0.0,
        true_negative: 1.0,
        false_negative: 0.0,
    };

    pub(crate) fn check(&self, n_rows: usize) -> Result<()> {
        match self {
            Self::Economics(economics) => {
                let numbers = [economics.contact_cost, economics.relative_effect];
                let mut all = economics.value.iter().chain(&numbers);
                if economics.value.len() == n_rows && all.all(|number| number.is_finite()) {
                    return Ok(());
                }
                let message = "the value, cost or effect of a contact is not a finite number for every row";
                Err(Error::new("TW0320", message).hint("check [outcome] value and the channels' costs"))
            }
            Self::Amounts {
                true_positive,
                false_positive,
                true_negative,
                false_negative,
            } => {
                if true_positive > false_negative
                    && true_negative > false_positive
                    && (true_positive - false_negative + true_negative - false_positive).is_finite()
                {
                    return Ok(());
                }
                let message = format!(
                    "with these amounts there is nothing to decide: acting earns {true_positive} on a positive and \
                     {false_positive} on a negative, leaving {false_negative} and {true_negative}"
                );
                Err(Error::new("TW0320", message)
                    .hint("acting must earn more on a positive and less on a negative than leaving it"))
            }
        }
    }

    /// What acting on the row earns beyond leaving it.
    pub(crate) fn gain(&self, row: usize, y: bool) -> f64 {
        match self {
            Self::Economics(economics) => {
                f64::from(u8::from(y)) * economics.relative_effect * economics.value[row]
                    - economics.contact_cost
            }
            Self::Amounts {
                true_positive,
                false_positive,
                true_negative,
                false_negative,
            } => {
                if y {
                    true_positive - false_negative
                } else {
                    false_positive - true_negative
                }
            }
        }
    }

    /// What leaving a row earns.
    pub(crate) const fn untreated(&self, y: bool) -> f64 {
        match self {
            Self::Economics(_) => 0.0,
            Self::Amounts {
                true_negative,
                false_negative,
                ..
            } => {
                if y {
                    *false_negative
                } else {
                    *true_negative
                }
            }
        }
    }

    pub(crate) fn at(&self, row: usize, y: bool, act: bool) -> f64 {
        self.untreated(y) + if act { self.gain(row, y) } else { 0.0 }
    }

    /// The probability from which acting pays, if probabilities mean what they say: `cost / (cost + benefit)` with the
    /// cost of acting on a negative and the benefit of acting on a positive (Elkan 2001, IJCAI, "The foundations of
    /// cost-sensitive learning"). For economics at the mean value; infinite where acting never pays.
    #[must_use]
    pub fn break_even(&self) -> f64 {
        match self {
            Self::Economics(economics) => {
                let mean = economics.value.iter().sum::<f64>() / economics.value.len().max(1) as f64;
                let at_stake = economics.relative_effect * mean;
                if at_stake > 0.0 {
                    economics.contact_cost / at_stake
                } else {
                    f64::INFINITY
                }
            }
            Self::Amounts {
                true_positive,
                false_positive,
                true_negative,
                false_negative,
            } => threshold_from_costs(true_negative - false_positive, true_positive - false_negative),
        }
    }
}

/// `cost / (cost + benefit)`: the probability from which acting pays, for the `cost` of acting on a negative and the
/// `benefit` of acting on a positive, both against leaving it and above 0.
#[must_use]
pub fn threshold_from_costs(cost: f64, benefit: f64) -> f64 {
    cost / (cost + benefit)
}

/// How a threshold was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThresholdRule {
    /// From costs alone, [`Payoff::break_even`].
    BreakEven,
    /// The most profitable one on the rows at hand.
    MostProfitable,
}

/// A threshold beside what others would have earned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ThresholdChoice {
    /// Act from this probability on.
    pub threshold: f64,
    /// How it was found.
    pub rule: ThresholdRule,
    /// Profit per customer of the rule, out of fold.
    pub profit: Estimate,
    /// What one half would have earned.
    pub profit_at_half: Estimate,
    /// What it earns beyond one half, on the same rows.
    pub gain_over_half: Estimate,
    /// The break-even probability and what it earns.
    pub break_even: (f64, Estimate),
    /// The most profitable threshold on all rows, and what such thresholds earn on the fold that they were not chosen on.
    pub most_profitable: (f64, Estimate),
}

/// Chooses the threshold that maximises expected profit, out of fold.
///
/// The break-even probability is kept unless thresholds found on the other folds earn more than it by over one standard
/// error: calibrated probabilities need no search, and a searched threshold is noisy. Intervals are normal ones with
/// errors summed by customer.
///
/// `p` out-of-fold probabilities, `y`, `fold` and `group` (the customer) have one entry per row.
///
/// # Errors
/// `TW0303` without rows; `TW0320` for probabilities or a payoff that cannot be used.
pub fn choose_threshold(
    p: &[f64],
    y: &[bool],
    fold: &[u8],
    group: &[u64],
    payoff: &Payoff<'_>,
) -> Result<ThresholdChoice> {
    super::input::check_rows(p, y.len(), None)?;
    super::input::check_same(&[p.len(), fold.len(), group.len()])?;
    payoff.check(p.len())?;
    let clusters = Clusters::new(group);
    let earned = |threshold: &dyn Fn(usize) -> f64| -> Vec<f64> {
        (0..p.len())
            .map(|row| payoff.at(row, y[row], p[row] >= threshold(row)))
            .collect()
    };
    let break_even = payoff.break_even();
    let folds = fold.iter().max().map_or(0, |last| usize::from(*last) + 1);
    let searched: Vec<f64> = (0..folds)
        .map(|held| best_threshold(p, y, payoff, |row| usize::from(fold[row]) != held))
        .collect();
    let (by_half, by_formula) = (earned(&|_| 0.5), earned(&|_| break_even));
    let by_search = earned(&|row| searched[usize::from(fold[row])]);
    let difference = |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a - b).collect() };
    let lead = difference(&by_search, &by_formula);
    let mean_lead = lead.iter().sum::<f64>() / lead.len() as f64;
    let on_all = best_threshold(p, y, payoff, |_| true);
    let (rule, threshold, own) = if mean_lead > clustered_error(&lead, &clusters) {
        (ThresholdRule::MostProfitable, on_all, &by_search)
    } else {
        (ThresholdRule::BreakEven, break_even, &by_formula)
    };
    Ok(ThresholdChoice {
        threshold,
        rule,
        profit: clustered_mean(own, &clusters),
        profit_at_half: clustered_mean(&by_half, &clusters),
        gain_over_half: clustered_mean(&difference(own, &by_half), &clusters),
        break_even: (break_even, clustered_mean(&by_formula, &clusters)),
        most_profitable: (on_all, clustered_mean(&by_search, &clusters)),
    })
}

/// The threshold with the highest profit over some rows, half-way to the next lower score; infinite when nobody is
/// worth acting on, 0 when everybody is.
fn best_threshold(p: &[f64], y: &[bool], payoff: &Payoff<'_>, included: impl Fn(usize) -> bool) -> f64 {
    let mut order: Vec<usize> = (0..p.len()).filter(|row| included(*row)).collect();
    order.sort_by(|a, b| p[*b].total_cmp(&p[*a]));
    let (mut profit, mut best, mut threshold) = (0.0, 0.0, f64::INFINITY);
    let mut rest = &order[..];
    while let Some(first) = rest.first() {
        let (tie, lower) = rest.split_at(rest.iter().take_while(|row| p[**row] == p[*first]).count());
        profit += tie.iter().map(|row| payoff.gain(*row, y[*row])).sum::<f64>();
        if profit > best {
            best = profit;
            threshold = lower.first().map_or(0.0, |next| 0.5 * (p[*first] + p[*next]));
        }
        rest = lower;
    }
    threshold
}
