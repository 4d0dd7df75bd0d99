//! What customers do within a cycle, as events with their times.

use thalweg_domain::{Action, Duration, Timestamp};

use crate::luck::Luck;
use crate::market::HORIZON_DAYS;
use crate::ranges;
use crate::truth::Person;
use crate::world::World;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// The customer took the offer; its cost is due now.
    OfferAccepted,
    /// The customer wants no more contacts through that channel; the consent column turns false.
    Unsubscribed,
    /// The customer complained about the contact.
    Complained,
    /// The customer left. A few leave up to ten days after the horizon: not an outcome of this cycle.
    Churned,
}

impl EventKind {
    /// The event's name in feedback files: `Offer Accepted`, `Unsubscribed`, `Complained` or
    /// `Subscription Cancelled`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OfferAccepted => "Offer Accepted",
            Self::Unsubscribed => "Unsubscribed",
            Self::Complained => "Complained",
            Self::Churned => "Subscription Cancelled",
        }
    }
}

/// One event of one customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarketEvent {
    /// Key of the (invented) customer.
    pub customer: String,
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub at: Timestamp,
    /// What had been done to the customer in this cycle.
    pub action: Option<Action>,
}

/// What became of one customer in one cycle.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fate {
    pub(crate) accepted: Option<Duration>,
    pub(crate) unsubscribed: Option<Duration>,
    pub(crate) complained: Option<Duration>,
    pub(crate) left: Option<Duration>,
}

impl Fate {
    /// Decides a customer's cycle from their luck.
    pub(crate) fn decide(world: &World, person: &Person, action: Option<Action>, luck: &Luck) -> Self {
        let mut fate = Self::default();
        if let Some(action) = action {
            fate.react(world, person, action, luck);
        }
        if person.leaves(world, action, luck) {
            fate.left = Some(fate.leaving_delay(luck));
        } else if luck.leaves_late < ranges::LATE_LEAVERS {
            fate.left = Some(days(HORIZON_DAYS as f64 + 10.0 * luck.leaving_time));
        }
        fate
    }

    /// Reactions to a contact: an answer after about a day (lognormal, at most ten days), an objection
    /// within two days, a complaint within five.
    fn react(&mut self, world: &World, person: &Person, action: Action, luck: &Luck) {
        let response = world.response(&person.features, person.risk_score, action);
        if person.accepts(world, action, luck) {
            self.accepted = Some(days((0.9 * luck.answering_time).exp().clamp(0.02, 10.0)));
        }
        if luck.unsubscribes < world.p_unsubscribe(action.channel, response) {
            self.unsubscribed = Some(days(0.01 + 1.99 * luck.objecting_time));
        }
        if luck.complains < world.p_complain(response) {
            self.complained = Some(days(0.1 + 4.9 * luck.objecting_time));
        }
    }

    /// Half a day to the end of the horizon, and after everything else that the customer did.
    fn leaving_delay(&self, luck: &Luck) -> Duration {
        let own = days(0.5 + (HORIZON_DAYS as f64 - 0.5) * luck.leaving_time);
        [self.accepted, self.unsubscribed, self.complained]
            .into_iter()
            .flatten()
            .fold(own, |latest, other| {
                latest.max(Duration(other.0.saturating_add(1_000_000)))
            })
    }

    /// The events in the order of [`EventKind`].
    pub(crate) fn events(
        &self,
        key: &str,
        action: Option<Action>,
        start: Timestamp,
    ) -> impl Iterator<Item = MarketEvent> {
        [
            (EventKind::OfferAccepted, self.accepted),
            (EventKind::Unsubscribed, self.unsubscribed),
            (EventKind::Complained, self.complained),
            (EventKind::Churned, self.left),
        ]
        .into_iter()
        .filter_map(move |(kind, delay)| {
            delay.map(|delay| MarketEvent {
                customer: key.to_owned(),
                kind,
                at: start + delay,
                action,
            })
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "less than fifty days in microseconds"
)]
fn days(days: f64) -> Duration {
    Duration((days * 86_400_000_000.0) as i64)
}
