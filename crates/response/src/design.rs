//! The base of the outcome: intercepts, trend, seasonality, holidays and controls, as columns with prior widths.

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use crate::input::Panel;
use crate::normal::{deviation, mean};

/// Which repeating patterns are modelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seasonality {
    /// Pairs of sine and cosine over a year of 365.25 days; 0 for none.
    pub yearly: usize,
    /// Pairs over seven days, at most 3; only for daily panels.
    pub weekly: usize,
}

/// The columns, in units of the highest outcome of their series.
#[derive(Debug, Clone)]
pub(crate) struct Design {
    pub(crate) names: Vec<String>,
    /// One column per name; rows are series by series, then period by period.
    pub(crate) columns: Vec<Vec<f64>>,
    pub(crate) centre: Vec<f64>,
    pub(crate) deviation: Vec<f64>,
    /// What a reader should know about what was left out.
    pub(crate) notes: Vec<String>,
}

/// A control this correlated with time is the trend.
const SAME_AS_TREND: f64 = 0.999;
/// Holidays that fall into fewer periods share one column.
const SEEN_ENOUGH: usize = 3;

impl Design {
    pub(crate) fn new(panel: &Panel, trend: bool, seasonality: Seasonality) -> Self {
        let mut own = Self {
            names: Vec::new(),
            columns: Vec::new(),
            centre: Vec::new(),
            deviation: Vec::new(),
            notes: Vec::new(),
        };
        own.intercepts(panel);
        own.trend(panel, trend);
        own.seasons(panel, seasonality);
        own.holidays(panel);
        own.controls(panel);
        own
    }

    fn push(&mut self, name: String, column: Vec<f64>, centre: f64, deviation: f64) {
        self.names.push(name);
        self.columns.push(column);
        self.centre.push(centre);
        self.deviation.push(deviation);
    }

    fn everywhere(&mut self, panel: &Panel, name: String, column: &[f64], deviation: f64) {
        let rows = column
            .iter()
            .copied()
            .cycle()
            .take(column.len() * panel.series.len())
            .collect();
        self.push(name, rows, 0.0, deviation);
    }

    fn intercepts(&mut self, panel: &Panel) {
        let (n, g) = (panel.periods(), panel.series.len());
        self.push("intercept".to_owned(), vec![1.0; n * g], 0.5, 0.5);
        for (index, series) in panel.series.iter().enumerate().take_while(|_| g > 1) {
            let rows = (0..n * g)
                .map(|row| f64::from(u8::from(row / n == index)))
                .collect();
            self.push(format!("intercept of {}", series.name), rows, 0.0, 0.2);
        }
    }

    fn trend(&mut self, panel: &Panel, wanted: bool) {
        if !wanted {
            return;
        }
        let n = panel.periods();
        let time: Vec<f64> = (0..n).map(|t| t as f64 / (n as f64 - 1.0) - 0.5).collect();
        for (index, name) in panel.controls.iter().enumerate() {
            let same = |values: &[f64]| correlation(values, &time).abs() > SAME_AS_TREND;
            if panel.series.iter().all(|own| same(&own.controls[index])) {
                self.notes.push(format!(
                    "the control \"{name}\" is the trend already: no other was added"
                ));
                return;
            }
        }
        self.everywhere(panel, "trend".to_owned(), &time, 0.5);
    }

    fn seasons(&mut self, panel: &Panel, seasonality: Seasonality) {
        let weekly = if panel.step == 1 {
            seasonality.weekly.min(3)
        } else {
            0
        };
        for (name, length, modes) in [("year", 365.25, seasonality.yearly), ("week", 7.0, weekly)] {
            for mode in 1..=modes {
                let angle = |day: &i64| TAU * mode as f64 * (*day as f64 / length).fract();
                let sine: Vec<f64> = panel.days.iter().map(|day| angle(day).sin()).collect();
                let cosine: Vec<f64> = panel.days.iter().map(|day| angle(day).cos()).collect();
                self.everywhere(panel, format!("sine {mode} of the {name}"), &sine, 0.2);
                self.everywhere(panel, format!("cosine {mode} of the {name}"), &cosine, 0.2);
            }
        }
    }

    fn holidays(&mut self, panel: &Panel) {
        let (Some(first), n) = (panel.days.first(), panel.periods()) else {
            return;
        };
        let mut by_name: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for holiday in &panel.holidays {
            let place = (holiday.day - first).div_euclid(panel.step);
            let Some(place) = usize::try_from(place).ok().filter(|place| *place < n) else {
                continue;
            };
            by_name.entry(&holiday.name).or_insert_with(|| vec![0.0; n])[place] += 1.0;
        }
        let mut others = vec![0.0; n];
        for (name, column) in by_name {
            if column.iter().filter(|own| **own > 0.0).count() >= SEEN_ENOUGH {
                self.everywhere(panel, format!("holiday {name}"), &column, 0.1);
            } else {
                others.iter_mut().zip(&column).for_each(|(to, own)| *to += own);
            }
        }
        if others.iter().any(|own| *own > 0.0) {
            self.everywhere(panel, "other holidays".to_owned(), &others, 0.1);
        }
    }

    fn controls(&mut self, panel: &Panel) {
        for (index, name) in panel.controls.iter().enumerate() {
            let mut rows = Vec::with_capacity(panel.periods() * panel.series.len());
            for series in &panel.series {
                let values = &series.controls[index];
                let most = values.iter().fold(0.0_f64, |most, own| most.max(own.abs()));
                let scale = if most > 0.0 { most } else { 1.0 };
                rows.extend(values.iter().map(|own| own / scale));
            }
            let spread = deviation(&rows);
            if spread <= 0.0 {
                self.notes
                    .push(format!("the control \"{name}\" never changes: it was left out"));
                continue;
            }
            // a control may move the outcome by about half of its highest value over its own range, however narrow
            self.push(format!("control {name}"), rows, 0.0, 0.5_f64.max(0.1 / spread));
        }
    }
}

/// Pearson's correlation; 0 when either never changes.
pub(crate) fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let (centre_a, centre_b) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        ab += (x - centre_a) * (y - centre_b);
        aa += (x - centre_a).powi(2);
        bb += (y - centre_b).powi(2);
    }
    if aa > 0.0 && bb > 0.0 {
        ab / (aa * bb).sqrt()
    } else {
        0.0
    }
}
