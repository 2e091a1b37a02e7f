//! The port to the phone network: what a carrier says, what it is told, what an adapter offers.
//! Knows no vendor; a vendor's words become these in `src/carrier`.

use std::fmt;
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;

use crate::audio::Payload;
use crate::briefing::Text;
use crate::leg;

/// What comes from the phone.
#[derive(Debug)]
pub enum Event {
    /// The media of the call has begun; audio may be sent from here on.
    Started,
    /// The caller's audio, in the call's format, silence included.
    Heard(Payload),
    /// A key was pressed.
    Pressed(Digit),
    /// Everything sent before this mark has been played, or thrown away by a flush.
    Played(Mark),
    /// The carrier says that the media is over.
    Stopped,
}

/// What the phone is told.
#[derive(Debug)]
pub enum Command {
    /// Play this after what was sent before.
    Say(Payload),
    /// Report when everything sent before this has been played. Lines without marks ignore it.
    Mark(Mark),
    /// Throw away what has been sent and not yet played.
    Flush,
    /// Close the media socket.
    Close,
}

/// A phone's socket with its codec.
pub type Line = Box<dyn leg::Line<Event = Event, Command = Command>>;

/// A number that a carrier returns when playback reaches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(pub u64);

/// One key of the keypad: `0`–`9`, `*`, `#`, `A`–`D`. Redacted: digits may be a PIN.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digit(char);

impl Digit {
    /// Takes one of the sixteen keys (lower case letters too); anything else is refused.
    #[must_use]
    pub fn new(key: char) -> Option<Self> {
        let key = key.to_ascii_uppercase();
        matches!(key, '0'..='9' | '*' | '#' | 'A'..='D').then_some(Self(key))
    }

    /// The key.
    #[must_use]
    pub const fn key(self) -> char {
        self.0
    }
}

impl fmt::Debug for Digit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digit(*)")
    }
}

/// One thing to do on the keypad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Press it.
    Digit(Digit),
    /// Wait before the next.
    Pause,
}

/// A phone number or address of a party, as the carrier writes it (E.164 for the phone network).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Number(String);

impl Number {
    /// Takes the carrier's writing as it is.
    #[must_use]
    pub fn new(written: impl Into<String>) -> Self {
        Self(written.into())
    }

    /// The number, for carriers and records; never for logs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Number(…)")
    }
}

/// The carrier's own name for a call (ACS `callConnectionId`, Twilio `CallSid`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CarrierCallId(pub String);

/// Where the carrier finds a call. Both addresses hold a nonce of the call, so `Debug` shows
/// neither.
#[derive(Clone, PartialEq, Eq)]
pub struct Addresses {
    /// `wss://`: where it brings the media.
    pub media: String,
    /// `https://`: where it tells what becomes of the call.
    pub events: String,
}

impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Addresses(…)")
    }
}

/// A call to be placed.
#[derive(Clone, Debug)]
pub struct Dial {
    /// Ours; also the carrier's idempotency key where it has one.
    pub call: crate::briefing::CallId,
    /// Whom to ring.
    pub to: Number,
    /// The caller id to show.
    pub from: Number,
    /// Where the carrier finds us.
    pub addresses: Addresses,
}

/// Who or what picked up, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answerer {
    /// A human.
    Human,
    /// An answering machine or voicemail, still greeting.
    Machine,
    /// An answering machine or voicemail that now records: its tone was heard.
    Recording,
    /// A fax.
    Fax,
    /// Not to be told.
    Unknown,
}

impl Answerer {
    /// The word in the API and the record.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Machine => "machine",
            Self::Recording => "recording",
            Self::Fax => "fax",
            Self::Unknown => "unknown",
        }
    }
}

/// Why a call could not be placed or ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CarrierError {
    /// The carrier said no, in the phone network's words.
    #[error("refused by the carrier: {0:?}")]
    Refused(crate::briefing::Outcome),
    /// It is not known whether the carrier took the order; it must not be repeated.
    #[error("unknown whether the carrier took it: {0}")]
    Unknown(String),
    /// This carrier has no such order.
    #[error("this carrier cannot {0}")]
    NotOffered(&'static str),
}

/// How a call stands at its carrier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has answered yet.
    Ringing,
    /// Somebody is on the line.
    Live,
    /// It is over. The outcome is that of a call that was never answered unless it says otherwise.
    Over {
        /// What the network made of it.
        outcome: crate::briefing::Outcome,
        /// The carrier's word for it.
        reason: String,
        /// From answer to the end, where that is told.
        talked: Option<Duration>,
    },
    /// The carrier does not know it any more: it is over, and nobody says how it ended.
    Gone,
}

/// The carrier's control side: what is asked of it outside the media socket.
///
/// Orders are never repeated by the caller of this trait; an adapter repeats one only under the
/// carrier's own idempotency key.
pub trait Carrier: Send + Sync {
    /// Rings a number. Returns as soon as the carrier has taken the order; that the other side
    /// answered is told later, by the edge that receives the carrier's callbacks.
    fn place(&self, dial: Dial) -> BoxFuture<'static, Result<CarrierCallId, CarrierError>>;

    /// Looks for the call that an order has made whose answer never came; nothing when there is
    /// none, or more than one that it could be. `ordered` is when the order was sent. Rings nobody.
    fn find(
        &self,
        _dial: Dial,
        _ordered: SystemTime,
    ) -> BoxFuture<'static, Result<Option<CarrierCallId>, CarrierError>> {
        Box::pin(std::future::ready(Err(CarrierError::NotOffered("look for a call"))))
    }

    /// Asks how a call stands. Changes nothing.
    fn look(&self, _call: CarrierCallId) -> BoxFuture<'static, Result<Standing, CarrierError>> {
        Box::pin(std::future::ready(Err(CarrierError::NotOffered("look at a call"))))
    }

    /// Whether it offers [`Carrier::reconnect`].
    fn reconnects(&self) -> bool {
        false
    }

    /// Has the media of a live call brought to the addresses of this dial, and its events told
    /// there, in place of whatever was before. The phone is not rung; whoever is on the line stays.
    fn reconnect(
        &self,
        _call: CarrierCallId,
        _dial: Dial,
    ) -> BoxFuture<'static, Result<(), CarrierError>> {
        Box::pin(std::future::ready(Err(CarrierError::NotOffered("bring the media anew"))))
    }

    /// Ends a call for everybody. A call that is already over is a success.
    fn hang_up(&self, call: CarrierCallId) -> BoxFuture<'static, Result<(), CarrierError>>;

    /// Presses keys towards the other party. A carrier without such an order answers
    /// [`CarrierError::NotOffered`]; then the tones are sent as audio.
    fn press(
        &self,
        _call: CarrierCallId,
        _keys: Vec<Digit>,
    ) -> BoxFuture<'static, Result<(), CarrierError>> {
        Box::pin(std::future::ready(Err(CarrierError::NotOffered("press keys"))))
    }

    /// Rings a human into the call, in which everybody then hears everybody. That they are there,
    /// or not, is told later as [`crate::call::event::Input::Joined`]. A carrier without such an
    /// order answers [`CarrierError::NotOffered`]; then the other party is handed over.
    fn invite(
        &self,
        _call: CarrierCallId,
        _who: Number,
    ) -> BoxFuture<'static, Result<(), CarrierError>> {
        Box::pin(std::future::ready(Err(CarrierError::NotOffered("ring into a call"))))
    }

    /// Leaves a call and lets the others talk on. A call that is over is a success. Offered by
    /// whoever offers [`Carrier::invite`].
    fn leave(&self, _call: CarrierCallId) -> BoxFuture<'static, Result<(), CarrierError>> {
        Box::pin(std::future::ready(Err(CarrierError::NotOffered("leave a call"))))
    }

    /// Hands the other party over to a human at `to` and leaves when that human is there. That
    /// it happened, or did not, is told later as [`crate::call::event::Input::Transferred`];
    /// the conversation goes on until then. A carrier that can tell the human something before
    /// the two are put together tells them the introduction; the other party does not hear it.
    fn transfer(
        &self,
        _call: CarrierCallId,
        _to: Number,
        _introduction: Text,
    ) -> BoxFuture<'static, Result<(), CarrierError>> {
        Box::pin(std::future::ready(Err(CarrierError::NotOffered("transfer a call"))))
    }
}
