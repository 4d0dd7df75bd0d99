//! A message: one decision on its way through one channel.

use thalweg_domain::CustomerKey;

use crate::{ContactWindow, Fields};

/// What a channel is to deliver to one customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The decision; with the channel it is the message's identity.
    pub decision_id: String,
    /// The customer.
    pub customer: CustomerKey,
    /// The offer, if any.
    pub offer: Option<String>,
    /// The fields that the template uses (see [`crate::Template::select`]).
    pub fields: Fields,
    /// The filled-in template, when there is one.
    pub text: Option<String>,
    /// When the customer may be contacted, local time; `None` is at any time.
    pub contact_window: Option<ContactWindow>,
    /// The day of the cycle on which it is due; `None` is at once.
    pub day: Option<u16>,
    /// Handed to the channel by an earlier call: a batch file still lists it, a sender leaves it out.
    pub delivered: bool,
}
