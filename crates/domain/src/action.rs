//! Channels, offers and the actions they make together.

use crate::{Belief, ChannelName, Money, OfferName};

/// Online, offline or through a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChannelKind {
    /// E-mail, SMS, push, chat.
    Online,
    /// Call centre, letter, shop.
    Offline,
    /// Somebody else reaches the customer for us.
    Partner,
}

impl ChannelKind {
    /// `online`, `offline` or `partner`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Partner => "partner",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Online, Self::Offline, Self::Partner]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

/// A way to reach people.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// Its name.
    pub name: ChannelName,
    /// Online, offline or partner.
    pub kind: ChannelKind,
    /// Cost of one contact.
    pub unit_cost: Money,
    /// Contacts per cycle; `None` is without limit.
    pub capacity: Option<u64>,
    /// Spend per cycle; `None` is bounded by the total budget only.
    pub budget: Option<Money>,
    /// Whether it may be used without an offer.
    pub plain: bool,
    /// Relative effect believed until measured (reduction of risk, or lift of conversion).
    pub assumed_effect: Belief,
}

/// Something offered through a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// Its name.
    pub name: OfferName,
    /// Relative effect on top of the channel's, believed until measured.
    pub assumed_effect: Belief,
    /// Share of those contacted who take it, believed until measured.
    pub assumed_acceptance: Belief,
    /// Contacts with this offer per cycle; `None` is without limit.
    pub cap: Option<u64>,
    /// Indices into the channel list: where it may be used.
    pub channels: Vec<usize>,
}

/// Index of an action in the cycle's list of actions. *None* is not in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionId(pub u16);

impl ActionId {
    /// The id of the action at a place in the list. No list is longer than 65,536 actions.
    #[must_use]
    pub fn at(index: usize) -> Self {
        Self(u16::try_from(index).unwrap_or(u16::MAX))
    }
}

/// A channel, with or without an offer: indices into the channel and offer lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Action {
    /// Index into the channel list.
    pub channel: usize,
    /// Index into the offer list.
    pub offer: Option<usize>,
}

impl Action {
    /// All actions that a set of channels and offers allows: per channel, plain first, then its offers.
    #[must_use]
    pub fn all(channels: &[Channel], offers: &[Offer]) -> Vec<Self> {
        let mut actions = Vec::new();
        for (index, channel) in channels.iter().enumerate() {
            if channel.plain {
                actions.push(Self {
                    channel: index,
                    offer: None,
                });
            }
            for (offer_index, offer) in offers.iter().enumerate() {
                if offer.channels.contains(&index) {
                    actions.push(Self {
                        channel: index,
                        offer: Some(offer_index),
                    });
                }
            }
        }
        actions
    }

    /// `email` or `email + discount-10`.
    #[must_use]
    pub fn label(self, channels: &[Channel], offers: &[Offer]) -> String {
        let channel = channels
            .get(self.channel)
            .map_or("?", |channel| channel.name.as_str());
        match self.offer.and_then(|offer| offers.get(offer)) {
            Some(offer) => format!("{channel} + {}", offer.name),
            None => channel.to_owned(),
        }
    }
}
