//! Channels and offers that are switched off: their actions stay known to the models, and out of plans.

use thalweg_domain::Action;

use crate::config::Config;
use crate::session::Session;
use crate::wire::ChannelOut;

/// The verdict on a channel that is switched off.
pub(super) const OFF: &str = "off";

/// Whether plans may use an action.
pub(super) fn is_on(config: &Config, action: Action) -> bool {
    let channel = config.channels.get(action.channel).is_none_or(|entry| entry.on);
    let offer = action.offer.and_then(|offer| config.offers.get(offer));
    channel && offer.is_none_or(|entry| entry.on)
}

/// Says of every channel that is off that it is, instead of a verdict.
pub(super) fn mark(session: &Session, mut channels: Vec<ChannelOut>) -> Vec<ChannelOut> {
    let entries = &session.workspace.config.channels;
    for (out, _) in channels.iter_mut().zip(entries).filter(|(_, entry)| !entry.on) {
        OFF.clone_into(&mut out.verdict);
        "it is switched off (on = false)".clone_into(&mut out.reason);
        out.pilot = None;
    }
    channels
}
