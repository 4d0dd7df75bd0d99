//! Steady states: what the same spend in every period brings, and how a budget is best split between the curves.

use thalweg_domain::Estimate;

use crate::input::Panel;
use crate::model::Model;
use crate::optimum::{PARTS, Table, split};
use crate::read::{Point, Reading};
use crate::results::{CurvePoint, Scenario, estimate, within};

/// Draws on which budgets are weighed.
const WEIGHED: usize = 400;
/// Draws for each of which the best split is found anew.
const SPLITS: usize = 100;
/// Steps of a curve that is drawn.
const STEPS: usize = 24;

/// Steady-state curves: what a channel brings per period when it is given the same every period.
pub(crate) struct Curves<'a> {
    model: &'a Model,
    draws: Vec<&'a Point>,
    /// Mean spend per period by channel, as it was.
    pub(crate) current: Vec<f64>,
    /// By series, then channel: the series' share of a channel's spend.
    share: Vec<Vec<f64>>,
}

impl<'a> Curves<'a> {
    pub(crate) fn new(panel: &Panel, model: &'a Model, reading: &'a Reading) -> Self {
        let all: Vec<&Point> = reading.chains.iter().flatten().collect();
        let every = all.len().div_ceil(WEIGHED).max(1);
        let n = panel.periods() as f64;
        Self {
            model,
            draws: all.into_iter().step_by(every).collect(),
            current: (0..model.channels).map(|c| panel.spend(c) / n).collect(),
            share: panel
                .series
                .iter()
                .map(|own| {
                    own.spend
                        .iter()
                        .enumerate()
                        .map(|(c, spend)| spend.iter().sum::<f64>() / panel.spend(c))
                        .collect()
                })
                .collect(),
        }
    }

    /// Outcome per period of channel c at a spend per period.
    fn value(&self, point: &Point, c: usize, spend: f64) -> f64 {
        let [first, second] = point.natural[c].saturation;
        self.series(point, c)
            .map(|(series, height, scale)| {
                height
                    * self
                        .model
                        .spec
                        .saturation
                        .at(spend * self.share[series][c] / scale, first, second)
            })
            .sum()
    }

    /// Its derivative at the spend as it was.
    pub(crate) fn slope(&self, point: &Point, c: usize) -> f64 {
        let ([first, second], form) = (point.natural[c].saturation, self.model.spec.saturation);
        self.series(point, c)
            .map(|(series, height, scale)| {
                let share = self.share[series][c] / scale;
                let x = self.current[c] * share;
                height * share * form.slopes(x, form.at(x, first, second), first, second)[0]
            })
            .sum()
    }

    /// Points of a channel's curve, up to half as much again as the spend was, or as the limit of change allows.
    pub(crate) fn points(&self, c: usize, limit: f64) -> Vec<CurvePoint> {
        let highest = self.current[c] * (1.0 + limit.max(0.5));
        (0..=STEPS)
            .map(|step| {
                let spend = highest * step as f64 / STEPS as f64;
                CurvePoint {
                    spend,
                    outcome: estimate(self.draws.iter().map(|own| self.value(own, c, spend)).collect()),
                }
            })
            .collect()
    }

    fn series<'b>(&'b self, point: &'b Point, c: usize) -> impl Iterator<Item = (usize, f64, f64)> + 'b {
        (0..self.model.series).map(move |series| {
            let height = point.height[series * self.model.channels + c] * self.model.y_scale[series];
            (series, height, self.model.x_scale[series][c])
        })
    }

    /// Tables of the mean curve over some draws.
    fn tables(&self, budget: f64, limit: f64, draws: &[&Point]) -> Vec<Table> {
        use rayon::prelude::*;
        let part = budget / PARTS as f64;
        (0..self.model.channels)
            .into_par_iter()
            .map(|c| {
                let least = (self.current[c] * (1.0 - limit).max(0.0) / part).ceil() as usize;
                let most = ((self.current[c] * (1.0 + limit) / part).floor() as usize).min(PARTS);
                let value = (least..=most)
                    .map(|steps| {
                        draws
                            .iter()
                            .map(|own| self.value(own, c, steps as f64 * part))
                            .sum::<f64>()
                            / draws.len() as f64
                    })
                    .collect();
                Table { least, value }
            })
            .collect()
    }

    fn best(&self, budget: f64, limit: f64, draws: &[&Point]) -> Option<Vec<f64>> {
        let total: f64 = self.current.iter().sum();
        if !within(budget, total, limit) {
            return None;
        }
        let change = budget / total - 1.0;
        let even: Vec<f64> = self.current.iter().map(|own| own * (1.0 + change)).collect();
        let part = budget / PARTS as f64;
        let Some(steps) = split(&self.tables(budget, limit, draws), PARTS) else {
            return Some(even);
        };
        let found: Vec<f64> = steps.into_iter().map(|own| own as f64 * part).collect();
        let worth = |spend: &[f64]| draws.iter().map(|own| self.outcome(own, spend)).sum::<f64>();
        Some(if worth(&found) > worth(&even) { found } else { even })
    }

    fn outcome(&self, point: &Point, spend: &[f64]) -> f64 {
        spend
            .iter()
            .enumerate()
            .map(|(c, own)| self.value(point, c, *own))
            .sum()
    }

    pub(crate) fn scenario(&self, budget: f64, limit: f64) -> Option<Scenario> {
        let spend = self.best(budget, limit, &self.draws)?;
        let total: f64 = self.current.iter().sum();
        let outcomes: Vec<f64> = self.draws.iter().map(|own| self.outcome(own, &spend)).collect();
        let before = self.draws.iter().map(|own| self.outcome(own, &self.current));
        let gains = outcomes
            .iter()
            .zip(before)
            .map(|(after, before)| after - before)
            .collect();
        Some(Scenario {
            budget,
            change: budget / total - 1.0,
            spend,
            gain: estimate(gains),
            outcome: estimate(outcomes),
        })
    }

    /// How the best split varies between draws.
    pub(crate) fn spread(&self, budget: f64, limit: f64) -> Vec<Estimate> {
        use rayon::prelude::*;
        let every = self.draws.len().div_ceil(SPLITS).max(1);
        let chosen: Vec<&Point> = self.draws.iter().step_by(every).copied().collect();
        let best: Vec<Vec<f64>> = chosen
            .par_iter()
            .filter_map(|own| self.best(budget, limit, &[own]))
            .collect();
        (0..self.model.channels)
            .map(|c| estimate(best.iter().map(|own| own[c]).collect()))
            .collect()
    }
}
