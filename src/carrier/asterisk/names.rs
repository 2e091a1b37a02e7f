//! The names that Asterisk knows our things by. Those of channels and bridges follow from the
//! phone's channel, so that nothing has to be remembered to find one from the other. Pure.

use tandem_actors::briefing::CallId;

/// Our Stasis application.
pub const APP: &str = "tandem";

/// Channel variable: the call whose media this is.
pub const CALL: &str = "TANDEM_CALL";
/// Channel variable: the nonce of that call's media.
pub const NONCE: &str = "TANDEM_NONCE";
/// Channel variable, set by the dialplan: who rings.
pub const FROM: &str = "TANDEM_FROM";
/// Channel variable, set by the dialplan: which number was rung.
pub const TO: &str = "TANDEM_TO";
/// Channel variable, set by the dialplan: the caller's own channel.
pub const CHANNEL: &str = "TANDEM_CHANNEL";

const PHONE: &str = "tandem-phone-";
const MEDIA: &str = "tandem-media-";
const HUMAN: &str = "tandem-human-";
const BRIDGE: &str = "tandem-bridge-";

/// What a channel is to us.
#[derive(Debug, PartialEq, Eq)]
pub enum Role<'a> {
    /// A phone that we have rung.
    Phone,
    /// The media of the phone with this channel.
    Media(&'a str),
    /// The human whom the phone with this channel is handed over to.
    Human(&'a str),
    /// A phone that rings us.
    Caller,
}

/// What the channel of this id is.
#[must_use]
pub fn role(channel: &str) -> Role<'_> {
    if channel.starts_with(PHONE) {
        return Role::Phone;
    }
    if let Some(phone) = channel.strip_prefix(MEDIA) {
        return Role::Media(phone);
    }
    channel.strip_prefix(HUMAN).map_or(Role::Caller, Role::Human)
}

/// The phone that a channel of our making belongs to, or is.
#[must_use]
pub fn owner(channel: &str) -> Option<&str> {
    match role(channel) {
        Role::Phone => Some(channel),
        Role::Media(phone) | Role::Human(phone) => Some(phone),
        Role::Caller => None,
    }
}

/// The channel of the phone that a call rings.
#[must_use]
pub fn phone(call: &CallId) -> String {
    format!("{PHONE}{call}")
}

/// The media channel beside a phone.
#[must_use]
pub fn media(phone: &str) -> String {
    format!("{MEDIA}{phone}")
}

/// The channel of the human whom a phone is handed over to.
#[must_use]
pub fn human(phone: &str) -> String {
    format!("{HUMAN}{phone}")
}

/// The bridge a phone is in.
#[must_use]
pub fn bridge(phone: &str) -> String {
    format!("{BRIDGE}{phone}")
}

/// The phone of a bridge of ours.
#[must_use]
pub fn bridged(bridge: &str) -> Option<&str> {
    bridge.strip_prefix(BRIDGE)
}
