//! What the model reads: spend and outcome by period, with controls, holidays, experiments and prior beliefs.

/// One geography (or the whole business): every list has one entry per period of the panel.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// Its name; empty when there is only one.
    pub name: String,
    /// What is explained, in the outcome's unit.
    pub outcome: Vec<f64>,
    /// Spend by channel, then period; zero or more.
    pub spend: Vec<Vec<f64>>,
    /// Control values by control, then period.
    pub controls: Vec<Vec<f64>>,
}

/// Complete, evenly spaced periods of one or several series.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Panel {
    /// First day of each period, in days since 1970-01-01, ascending and evenly spaced.
    pub days: Vec<i64>,
    /// Days per period.
    pub step: i64,
    /// Names of channels.
    pub channels: Vec<String>,
    /// Names of controls.
    pub controls: Vec<String>,
    /// At least one series.
    pub series: Vec<Series>,
    /// Days with a name, any order; those outside the panel do no harm.
    pub holidays: Vec<Holiday>,
}

/// One day of a holiday.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holiday {
    /// Days since 1970-01-01.
    pub day: i64,
    /// Its name; days of one name share one effect.
    pub name: String,
}

/// A measured experiment: spend held at `spend + change` instead of `spend` per period moved the outcome by `lift` per
/// period, give or take `sd`.
#[derive(Debug, Clone, PartialEq)]
pub struct LiftTest {
    /// Which channel, by index.
    pub channel: usize,
    /// Which series; all together when absent (spend and lift are then totals, split as the spend seen).
    pub series: Option<usize>,
    /// Spend per period without the change.
    pub spend: f64,
    /// The change of spend per period; may be negative.
    pub change: f64,
    /// Measured change of the outcome per period.
    pub lift: f64,
    /// Its standard error.
    pub sd: f64,
}

/// A belief about a channel's return (outcome per unit of spend) before seeing the data: log-normal with this mean and
/// standard deviation. It takes the place of the prior on the height of the channel's curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReturnPrior {
    /// Which channel, by index.
    pub channel: usize,
    /// Mean of the return, above zero.
    pub mean: f64,
    /// Standard deviation, above zero.
    pub sd: f64,
}

impl Panel {
    /// Number of periods.
    #[must_use]
    pub fn periods(&self) -> usize {
        self.days.len()
    }

    /// Total spend of a channel.
    #[must_use]
    pub fn spend(&self, channel: usize) -> f64 {
        self.series
            .iter()
            .map(|own| own.spend[channel].iter().sum::<f64>())
            .sum()
    }

    /// The first `n` periods.
    #[must_use]
    pub fn first(&self, n: usize) -> Self {
        let cut = |values: &Vec<f64>| values.iter().take(n).copied().collect::<Vec<f64>>();
        Self {
            days: self.days.iter().take(n).copied().collect(),
            series: self
                .series
                .iter()
                .map(|own| Series {
                    name: own.name.clone(),
                    outcome: cut(&own.outcome),
                    spend: own.spend.iter().map(cut).collect(),
                    controls: own.controls.iter().map(cut).collect(),
                })
                .collect(),
            ..self.clone()
        }
    }
}
