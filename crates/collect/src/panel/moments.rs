//! The moments of a panel: how far the events reach, the cut-offs, and when to decide.

use thalweg_domain::{Duration, Error, Result, Timestamp};

use crate::spec::{Cutoffs, PanelSpec};

const DAY: Duration = Duration::days(1);

/// When customers are looked at.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Moments {
    /// Oldest first.
    pub(super) cutoffs: Vec<Timestamp>,
    pub(super) decide_at: Timestamp,
}

impl Moments {
    /// Finds the moments from the times of all events (`i64::MAX` for an event without one).
    ///
    /// # Errors
    /// `TW0240` when the events are too short for a single horizon with history before it, `TW0242` for a given
    /// cut-off outside of what they cover.
    pub(super) fn find(times: &[i64], panel: &PanelSpec, source: &str) -> Result<Self> {
        let known = || times.iter().copied().filter(|time| *time != i64::MAX);
        let (Some(first), Some(newest)) = (known().min(), known().max()) else {
            return Err(too_short("there is no event to learn from", panel, source));
        };
        let only_days = known().all(|time| time.rem_euclid(DAY.0) == 0);
        let end = Timestamp(newest) + if only_days { DAY } else { Duration(1) };
        let decide_at = panel.decide_at.unwrap_or(end);
        let range = Range {
            first: Timestamp(first),
            complete: end.min(decide_at),
        };
        let cutoffs = match &panel.cutoffs {
            Cutoffs::Every(step) => range.backwards(*step, panel, source)?,
            Cutoffs::At(given) => range.checked(given, panel, source)?,
        };
        Ok(Self { cutoffs, decide_at })
    }
}

/// What the events cover.
struct Range {
    first: Timestamp,
    /// Nothing is known from here on.
    complete: Timestamp,
}

impl Range {
    fn backwards(&self, step: Duration, panel: &PanelSpec, source: &str) -> Result<Vec<Timestamp>> {
        let earliest = self.first + panel.horizon;
        let mut cutoffs = Vec::new();
        let mut cutoff = self.complete - panel.horizon;
        while cutoff >= earliest && cutoffs.len() < Cutoffs::MOST {
            cutoffs.push(cutoff);
            cutoff = cutoff - step;
        }
        cutoffs.reverse();
        if cutoffs.is_empty() {
            let days = Duration(self.complete.0 - self.first.0).as_days();
            let message = format!(
                "the events cover {days:.0} days: too few for a history and an outcome of {} days each",
                panel.horizon.as_days()
            );
            return Err(too_short(&message, panel, source));
        }
        Ok(cutoffs)
    }

    fn checked(&self, given: &[Timestamp], panel: &PanelSpec, source: &str) -> Result<Vec<Timestamp>> {
        let mut cutoffs = given.to_vec();
        cutoffs.sort();
        cutoffs.dedup();
        let outside =
            |cutoff: &&Timestamp| **cutoff <= self.first || **cutoff + panel.horizon > self.complete;
        if let Some(cutoff) = cutoffs.iter().find(outside) {
            let message = format!(
                "the cut-off {} cannot be used: the first event is of {}, and outcomes of {} days are complete for cut-offs up to {}",
                day(*cutoff),
                day(self.first),
                panel.horizon.as_days(),
                day(self.complete - panel.horizon)
            );
            return Err(Error::new("TW0242", message)
                .hint("move it into that range, or leave [outcome] cutoffs away: they are then found from the events")
                .at(source, None, None));
        }
        Ok(cutoffs)
    }
}

fn too_short(message: &str, panel: &PanelSpec, source: &str) -> Error {
    Error::new("TW0240", message.to_owned())
        .hint(format!(
            "give events of more than {} days, or shorten [outcome] horizon",
            2.0 * panel.horizon.as_days()
        ))
        .at(source, None, None)
}

/// The date of a moment, in UTC.
fn day(moment: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(moment.0).map_or_else(
        |_| moment.0.to_string(),
        |time| time.strftime("%Y-%m-%d").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(day: i64) -> Timestamp {
        Timestamp(0) + Duration::days(day)
    }

    fn panel(cutoffs: Cutoffs) -> PanelSpec {
        PanelSpec {
            event: None,
            absent: false,
            horizon: Duration::days(30),
            cutoffs,
            decide_at: None,
            since: None,
        }
    }

    fn times(days: std::ops::Range<i64>) -> Vec<i64> {
        days.map(|day| on(day).0).collect()
    }

    #[test]
    fn cutoffs_go_back_from_the_last_complete_outcome() {
        let found = Moments::find(
            &times(0..100),
            &panel(Cutoffs::Every(Duration::days(30))),
            "e.csv",
        )
        .unwrap();
        // the last day is complete, so the newest outcome window is [70, 100)
        assert_eq!(found.cutoffs, vec![on(40), on(70)]);
        assert_eq!(found.decide_at, on(100));
    }

    #[test]
    fn labels_of_a_cutoff_end_before_the_next_one() {
        let found = Moments::find(
            &times(0..400),
            &panel(Cutoffs::Every(Duration::days(30))),
            "e.csv",
        )
        .unwrap();
        assert_eq!(found.cutoffs.len(), Cutoffs::MOST);
        assert!(
            found
                .cutoffs
                .windows(2)
                .all(|pair| pair[0] + Duration::days(30) <= pair[1])
        );
    }

    #[test]
    fn an_earlier_moment_of_decision_hides_what_came_later() {
        let mut early = panel(Cutoffs::Every(Duration::days(30)));
        early.decide_at = Some(on(80));
        let found = Moments::find(&times(0..100), &early, "e.csv").unwrap();
        assert_eq!((found.cutoffs, found.decide_at), (vec![on(50)], on(80)));
    }

    #[test]
    fn what_cannot_be_looked_at_is_refused() {
        let every = panel(Cutoffs::Every(Duration::days(30)));
        let code = |times: &[i64], panel: &PanelSpec| Moments::find(times, panel, "e.csv").unwrap_err().code;
        assert_eq!(code(&times(0..59), &every), "TW0240");
        assert_eq!(code(&[], &every), "TW0240");
        assert!(Moments::find(&times(0..60), &every, "e.csv").is_ok());
        for outside in [0, 71] {
            assert_eq!(
                code(&times(0..100), &panel(Cutoffs::At(vec![on(outside)]))),
                "TW0242"
            );
        }
        assert!(Moments::find(&times(0..100), &panel(Cutoffs::At(vec![on(70)])), "e.csv").is_ok());
    }
}
