//! Thresholds by group that close a gap, and what that costs.

use thalweg_domain::Result;

use crate::evaluate::input::check_rows;
use crate::evaluate::{Grouping, Payoff, take};

/// Common rates that are tried.
const STEPS: u32 = 400;

/// What is to be the same in every group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parity {
    /// The share selected (demographic parity).
    SelectionRate,
    /// The share selected of the positives (equal opportunity).
    TruePositiveRate,
}

/// A group's own threshold.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupThreshold {
    /// The level.
    pub level: String,
    /// Select from this probability on; infinite to select nobody.
    pub threshold: f64,
    /// The rate that it reaches.
    pub rate: f64,
}

/// Thresholds that equalise a rate, and what they cost against one threshold for all.
#[derive(Debug, Clone, PartialEq)]
pub struct Equalised {
    /// One per level with rows; a level without positives, whose rate cannot be measured, keeps the common threshold.
    pub thresholds: Vec<GroupThreshold>,
    /// Largest difference of the rate between two groups with one threshold for all, and with one for each.
    pub gap_before: f64,
    /// See `gap_before`. Above 0 where ties or small groups leave no closer rate.
    pub gap_after: f64,
    /// Profit per customer with one threshold for all, and with one for each, in the currency of the payoff.
    pub profit_before: f64,
    /// See `profit_before`.
    pub profit_after: f64,
    /// Share of right decisions with one threshold for all, and with one for each.
    pub accuracy_before: f64,
    /// See `accuracy_before`.
    pub accuracy_after: f64,
}

/// Finds the thresholds by group under which a rate is the same for all and profit the highest (the deterministic part of
/// Hardt, Price and Srebro 2016, arXiv:1610.02413: rates are met as closely as whole ties allow, no decision is drawn).
///
/// For each of 401 common rates every group takes its threshold with the closest rate; of these the one with the highest
/// profit is kept. `p` out-of-fold probabilities and `y` have one entry per row; `common` is the threshold for all that
/// is compared with. The figures hold for the rows at hand: the more groups and the fewer rows, the more optimistic.
///
/// # Errors
/// `TW0303` without rows; `TW0320` for scores, levels or a payoff that cannot be used; `TW0901` when lengths differ.
pub fn equalise(
    p: &[f64],
    y: &[bool],
    column: &Grouping<'_>,
    (parity, common): (Parity, f64),
    payoff: &Payoff<'_>,
) -> Result<Equalised> {
    check_rows(p, y.len(), None)?;
    payoff.check(p.len())?;
    let members = column.groups(p.len())?;
    let ladders: Vec<Ladder> = members
        .iter()
        .map(|own| Ladder::new(p, y, &own.rows, (parity, payoff)))
        .collect();
    let at_common: Vec<&Rung> = ladders.iter().map(|ladder| ladder.at_threshold(common)).collect();
    let profit = |rungs: &[&Rung]| rungs.iter().map(|rung| rung.profit).sum::<f64>();
    let mut best: Option<Vec<&Rung>> = None;
    for step in 0..=STEPS {
        let rate = f64::from(step) / f64::from(STEPS);
        let rungs = ladders.iter().zip(&at_common);
        let rungs: Vec<&Rung> = rungs
            .map(|(own, common)| own.at_rate(rate).unwrap_or(common))
            .collect();
        if best.as_ref().is_none_or(|best| profit(&rungs) > profit(best)) {
            best = Some(rungs);
        }
    }
    let chosen = best.unwrap_or_else(|| at_common.clone());
    let n = p.len() as f64;
    let gap = |rungs: &[&Rung]| {
        let rates = ladders
            .iter()
            .zip(rungs)
            .filter(|(ladder, _)| ladder.measurable)
            .map(|(_, rung)| rung.rate);
        let (least, most) = rates.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), rate| {
            (rate.min(least), rate.max(most))
        });
        (most - least).max(0.0)
    };
    let accuracy = |rungs: &[&Rung]| rungs.iter().map(|rung| rung.right).sum::<f64>() / n;
    Ok(Equalised {
        gap_before: gap(&at_common),
        gap_after: gap(&chosen),
        profit_before: profit(&at_common) / n,
        profit_after: profit(&chosen) / n,
        accuracy_before: accuracy(&at_common),
        accuracy_after: accuracy(&chosen),
        thresholds: members
            .iter()
            .zip(&chosen)
            .map(|(own, rung)| GroupThreshold {
                level: own.name.clone(),
                threshold: rung.threshold,
                rate: rung.rate,
            })
            .collect(),
    })
}

/// One possible threshold of a group.
struct Rung {
    threshold: f64,
    rate: f64,
    profit: f64,
    right: f64,
}

/// Every threshold of a group, from selecting nobody to selecting all.
struct Ladder {
    rungs: Vec<Rung>,
    measurable: bool,
}

impl Ladder {
    fn new(p: &[f64], y: &[bool], rows: &[usize], (parity, payoff): (Parity, &Payoff<'_>)) -> Self {
        let mut order = rows.to_vec();
        order.sort_by(|a, b| p[*b].total_cmp(&p[*a]));
        let counts = |row: &usize| parity == Parity::SelectionRate || y[*row];
        let whole = rows.iter().filter(|row| counts(row)).count() as f64;
        let rate = |part: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let own = take(y, rows);
        let mut profit: f64 = own.iter().map(|y| payoff.untreated(*y)).sum();
        let mut right = own.iter().filter(|y| !**y).count() as f64;
        let mut part = 0.0;
        let mut rungs = vec![Rung {
            threshold: f64::INFINITY,
            rate: 0.0,
            profit,
            right,
        }];
        for tie in order.chunk_by(|a, b| p[*a] == p[*b]) {
            for row in tie {
                profit += payoff.gain(*row, y[*row]);
                right += if y[*row] { 1.0 } else { -1.0 };
                part += f64::from(u8::from(counts(row)));
            }
            rungs.push(Rung {
                threshold: tie.first().map_or(0.0, |row| p[*row]),
                rate: rate(part),
                profit,
                right,
            });
        }
        Self {
            rungs,
            measurable: whole > 0.0,
        }
    }

    /// What a threshold selects.
    fn at_threshold(&self, threshold: f64) -> &Rung {
        let above = self.rungs.partition_point(|rung| rung.threshold >= threshold);
        &self.rungs[above.saturating_sub(1)]
    }

    /// The rung with the closest rate; of equal ones the most profitable, then the one that selects fewest.
    fn at_rate(&self, rate: f64) -> Option<&Rung> {
        if !self.measurable {
            return None;
        }
        let upper = self
            .rungs
            .partition_point(|rung| rung.rate < rate)
            .min(self.rungs.len() - 1);
        let lower = upper.saturating_sub(1);
        let far = |rung: usize| (self.rungs[rung].rate - rate).abs();
        let closest = if far(lower) <= far(upper) {
            self.rungs[lower].rate
        } else {
            self.rungs[upper].rate
        };
        let from = self.rungs.partition_point(|rung| rung.rate < closest);
        let same = self.rungs[from..].iter().take_while(|rung| rung.rate == closest);
        same.reduce(|best, rung| if rung.profit > best.profit { rung } else { best })
    }
}
