//! Response curves of the workspace's table of weeks: fitted once, kept as an artifact, told beside the plan.

use thalweg_domain::{Duration, Estimate, Result, Timestamp};
use thalweg_plan::verdict::{Curve, Verdict, with_curve};
use thalweg_response::Panel;

use crate::config::Response;
use crate::count::to_f64;
use crate::effects::{Effects, Menu};
use crate::hash::json_bytes;
use crate::response::{GivenTest, Prepared, in_config, prepare};
use crate::session::Session;
use crate::stages::iterate::{CycleLift, by_cycle};
use crate::wire::{PlanOut, ResponseOut};

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// A table may show so much less than was spent by rounding and by costs that were booked elsewhere.
const SLACK: f64 = 0.05;

/// Curves, and whether their outcome counts money as the plan does.
#[derive(Debug, Clone)]
pub(super) struct Fitted {
    out: ResponseOut,
    in_value: bool,
}

/// The table, read and checked, with what it is kept under.
pub(super) struct Weekly<'a> {
    config: &'a Response,
    prepared: Prepared<'a>,
    key: String,
}

/// Reads the table that `[response]` names, if there is one.
///
/// # Errors
/// `TW02xx` and `TW0520` to `TW0524` for a table that cannot be used.
pub(super) fn read<'a>(session: &'a Session, effects: &Effects) -> Result<Option<Weekly<'a>>> {
    let Some(config) = &session.workspace.config.response else {
        return Ok(None);
    };
    let prepared = prepare(&session.workspace.dir, &config.settings, session.seed()).map_err(in_config)?;
    // the effects' id stands for all closed cycles and their feedback
    let cycles = if config.in_value { effects.id.as_str() } else { "" };
    let key = prepared
        .fingerprint()
        .with_debug("channels", &config.channels)
        .with("cycles", cycles)
        .finish();
    Ok(Some(Weekly {
        config,
        prepared,
        key,
    }))
}

impl Weekly<'_> {
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// The kept fit, or a new one.
    pub(super) fn fitted(mut self, session: &Session, menu: &Menu) -> Result<Fitted> {
        let in_value = self.config.in_value;
        let name = format!("r-{}", self.key);
        let path = session.workspace.artifact("responses", &name, "json");
        if !session.options.again
            && let Some(out) = kept(&path)
        {
            return Ok(Fitted { out, in_value });
        }
        if in_value {
            self.add_own_tests(session, &by_cycle(session, menu)?)?;
        }
        let weeks = session.workspace.artifact("responses", &name, "csv");
        let progress = session.options.progress.as_ref();
        let fitted = self.prepared.fit(Some(&weeks), progress);
        progress.start("plan", None);
        let mut out = fitted.map_err(in_config)?;
        out.say_keys();
        out.out = out.out.map(|_| format!("artifacts/responses/{name}.csv"));
        for (own, channel) in out.channels.iter_mut().zip(&self.config.channels) {
            own.workspace_channel.clone_from(channel);
        }
        thalweg_collect::write_bytes_atomic(&path, &json_bytes(&out)?)?;
        // read back, so that a new fit and a kept one are the same to the last digit
        let out = kept(&path).unwrap_or(out);
        Ok(Fitted { out, in_value })
    }

    /// Hold-outs of closed cycles as experiments, where the table has their weeks and their spend.
    fn add_own_tests(&mut self, session: &Session, lifts: &[CycleLift]) -> Result<()> {
        let horizon = session.workspace.config.outcome.horizon;
        let mut tests = Vec::new();
        for own in lifts {
            let column = self
                .config
                .channels
                .iter()
                .position(|name| name.as_ref() == Some(&own.channel));
            let Some(column) = column.filter(|_| own.sd > 0.0 && own.spend > 0.0) else {
                continue;
            };
            match test(self.prepared.panel(), column, own, horizon) {
                Ok(test) => tests.push(test),
                Err(why) => self.prepared.note(format!(
                    "the hold-out of cycle {} on {} is no lift test: {why}",
                    own.cycle, own.channel
                )),
            }
        }
        self.prepared.add(&tests)
    }
}

fn kept(path: &std::path::Path) -> Option<ResponseOut> {
    serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()
}

/// A cycle's hold-out as an experiment: its spend, evenly over the horizon, against none of it.
fn test(
    panel: &Panel,
    column: usize,
    own: &CycleLift,
    horizon: Duration,
) -> std::result::Result<GivenTest, String> {
    let name = panel.channels.get(column).cloned().unwrap_or_default();
    let Some(periods) = periods(panel, own.from, horizon) else {
        return Err("the table does not reach over the horizon of its decisions".to_owned());
    };
    let n = to_f64(periods.len());
    let spent: f64 = panel
        .series
        .iter()
        .filter_map(|series| series.spend.get(column)?.get(periods.clone()))
        .flatten()
        .sum();
    if spent < own.spend * (1.0 - SLACK) {
        return Err(format!(
            "it measured a spend of {:.2}, and \"{name}\" has {spent:.2} in its periods",
            own.spend
        ));
    }
    Ok(GivenTest {
        channel: name,
        geo: None,
        spend: (spent - own.spend).max(0.0) / n,
        change: own.spend / n,
        lift: own.money / n,
        sd: own.sd / n,
        source: format!("cycle {}", own.cycle),
    })
}

/// The periods that a span of time lies in, if the table has them all.
fn periods(panel: &Panel, from: Timestamp, horizon: Duration) -> Option<std::ops::Range<usize>> {
    let first = *panel.days.first()?;
    let begin = (from.0.div_euclid(MICROS_PER_DAY) - first).div_euclid(panel.step);
    let end = (from.0 + horizon.0 - first * MICROS_PER_DAY + panel.step * MICROS_PER_DAY - 1)
        .div_euclid(panel.step * MICROS_PER_DAY);
    let (begin, end) = (usize::try_from(begin).ok()?, usize::try_from(end).ok()?);
    (begin < end && end <= panel.periods()).then_some(begin..end)
}

/// Puts the curves into the plan, and what they say of a channel's next unit into its verdict.
pub(super) fn tell(out: &mut PlanOut, fitted: Fitted, budget_price: f64) {
    let Fitted {
        out: curves,
        in_value,
    } = fitted;
    for own in &curves.channels {
        let found = out
            .channels
            .iter_mut()
            .find(|channel| own.workspace_channel.as_ref() == Some(&channel.name));
        let Some(channel) = found else { continue };
        // a channel that is off has no verdict
        let Some(verdict) = Verdict::from_name(&channel.verdict) else {
            continue;
        };
        let marginal = own.marginal_return;
        let curve = Curve {
            marginal: Estimate {
                mean: marginal.mean,
                low: marginal.ci90[0],
                high: marginal.ci90[1],
            },
            in_value,
        };
        let (word, reason) = with_curve(
            (verdict, std::mem::take(&mut channel.reason)),
            curve,
            budget_price,
        );
        word.as_str().clone_into(&mut channel.verdict);
        channel.reason = reason;
    }
    out.response = Some(curves);
}

#[cfg(test)]
mod tests {
    use thalweg_response::Series;

    use super::*;

    fn panel() -> Panel {
        Panel {
            days: (0..10).map(|week| 20_000 + 7 * week).collect(),
            step: 7,
            channels: vec!["mails".to_owned()],
            series: vec![Series {
                spend: vec![vec![100.0; 10]],
                ..Series::default()
            }],
            ..Panel::default()
        }
    }

    fn lift(day: i64, spend: f64) -> CycleLift {
        CycleLift {
            cycle: 2,
            from: Timestamp(day * MICROS_PER_DAY + 1),
            channel: "email".to_owned(),
            money: 900.0,
            sd: 150.0,
            spend,
        }
    }

    #[test]
    fn a_cycle_is_spread_over_the_periods_of_its_horizon() {
        // from the middle of the second week, 14 days: three weeks with 300 of spend
        let own = test(&panel(), 0, &lift(20_010, 240.0), Duration::days(14)).unwrap();
        assert_eq!((own.channel.as_str(), own.source.as_str()), ("mails", "cycle 2"));
        for (is, should) in [
            (own.spend, 20.0),
            (own.change, 80.0),
            (own.lift, 300.0),
            (own.sd, 50.0),
        ] {
            assert!((is - should).abs() < 1e-9, "{is} {should}");
        }
    }

    #[test]
    fn weeks_that_end_with_the_horizon_are_not_stretched() {
        let span = |day: i64| periods(&panel(), Timestamp(day * MICROS_PER_DAY), Duration::days(14));
        assert_eq!(span(20_007), Some(1..3));
        assert_eq!(span(20_000 + 56), Some(8..10));
        assert_eq!(span(20_000 + 57), None);
        assert_eq!(span(19_999), None);
    }

    #[test]
    fn spend_that_the_table_does_not_have_is_no_test() {
        let why = test(&panel(), 0, &lift(20_010, 400.0), Duration::days(14)).unwrap_err();
        assert!(why.contains("400.00") && why.contains("300.00"), "{why}");
        let late = test(&panel(), 0, &lift(20_060, 10.0), Duration::days(14)).unwrap_err();
        assert!(late.contains("does not reach"), "{late}");
    }
}
