//! What Asterisk's REST interface says: events and lists, as far as they concern us. Pure.
//! Facts: Asterisk's `rest-api/api-docs/{events,channels,bridges}.json`.

use serde::Deserialize;

/// A channel, as events and lists show it.
#[derive(Clone, Deserialize)]
pub struct Channel {
    /// Its id.
    pub id: String,
    /// `Down`, `Ring`, `Ringing`, `Up` and others.
    #[serde(default)]
    pub state: String,
    /// Who is on it.
    #[serde(default)]
    pub caller: Caller,
    /// Where it is in the dialplan.
    #[serde(default)]
    pub dialplan: Dialplan,
}

/// A number may be in it; a log gets the id.
impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Channel({})", self.id)
    }
}

/// Who is on a channel.
#[derive(Clone, Default, Deserialize)]
pub struct Caller {
    /// Their number as the trunk wrote it; empty when it is withheld.
    #[serde(default)]
    pub number: String,
}

/// Where a channel is in the dialplan.
#[derive(Clone, Default, Deserialize)]
pub struct Dialplan {
    /// The extension: the number that was rung.
    #[serde(default)]
    pub exten: String,
}

/// A bridge, as lists show it.
#[derive(Clone, Debug, Deserialize)]
pub struct Bridge {
    /// Its id.
    pub id: String,
    /// The ids of the channels in it.
    #[serde(default)]
    pub channels: Vec<String>,
}

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// `StasisStart`: a channel has come to us; one that we rang has been answered.
    Came(Channel),
    /// `ChannelDestroyed`: a channel is gone, with its Q.850 cause. Told of channels that we have
    /// made; of one that the dialplan has sent us, `StasisEnd` is the last word.
    Gone(Channel, u32),
    /// `StasisEnd`: a channel has left our application, as a rule because it was hung up.
    Left(Channel),
    /// `ApplicationReplaced`: somebody else has taken our place at this Asterisk.
    Replaced,
    /// Anything else. Among it `ChannelDtmfReceived`: in a bridge every key reaches the media
    /// socket as well, and counts once.
    Other,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    channel: Option<Channel>,
    #[serde(default)]
    cause: u32,
}

/// Text that is no event.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

/// Reads an event.
///
/// # Errors
/// [`Malformed`] for what is not JSON or lacks what its type needs.
pub fn read(text: &str) -> Result<Event, Malformed> {
    let envelope: Envelope = serde_json::from_str(text).map_err(|_| Malformed)?;
    match envelope.kind.as_str() {
        "StasisStart" => envelope.channel.map(Event::Came).ok_or(Malformed),
        "ChannelDestroyed" => {
            let cause = envelope.cause;
            envelope.channel.map(|channel| Event::Gone(channel, cause)).ok_or(Malformed)
        }
        "StasisEnd" => envelope.channel.map(Event::Left).ok_or(Malformed),
        "ApplicationReplaced" => Ok(Event::Replaced),
        _ => Ok(Event::Other),
    }
}
