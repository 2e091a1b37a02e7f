//! What a call is for and how it may end: plain data given with the call.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::audio::{Format, Payload};
use crate::call::consent::Pin;
use crate::call::event::Clip;
use crate::carrier::{Digit, Number};
use crate::model::Entry;
use crate::tool::{Promise, ReadOwn};

/// Ours: the name of a call in the API, the store and the logs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub Arc<str>);

impl CallId {
    /// Takes an id made elsewhere.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Words that somebody said or will hear: never in a log, so `Debug` tells only their length.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Text(pub String);

impl Text {
    /// The words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(words: &str) -> Self {
        Self(words.to_owned())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} chars)", self.0.chars().count())
    }
}

/// Who rang whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// They rang us.
    Inbound,
    /// We rang them.
    Outbound,
}

impl Direction {
    /// The word in the API and the store.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

/// Everything a call is told before it begins.
#[derive(Clone, Debug)]
pub struct Briefing {
    /// Ours.
    pub call: CallId,
    /// Who rang.
    pub direction: Direction,
    /// The other party.
    pub remote: Number,
    /// Our number.
    pub local: Number,
    /// What is to be done, for the record.
    pub task: Text,
    /// The model's instructions, the task included.
    pub instructions: Text,
    /// How to open the call, as instructions to the model.
    pub greeting: Text,
    /// The provider's voice name.
    pub voice: String,
    /// The audio of the call, both legs.
    pub format: Format,
    /// Which tools may be used.
    pub tools: Vec<Promise>,
    /// How long things may take.
    pub limits: Limits,
    /// Stored audio in the call's format.
    pub clips: Arc<Clips>,
    /// What is done when an answering machine picks up.
    pub voicemail: Voicemail,
    /// Whether it must have been heard that we are an AI before anything is done outside the line.
    pub discloses: bool,
    /// From when on it may be recorded.
    pub recording: Recording,
    /// What a caller has to enter before anything is said to them.
    pub door: Option<Door>,
    /// What approves sensitive tools, entered on the keypad.
    pub pin: Option<Pin>,
    /// What the call is held in (ISO 639-1), where that is known.
    pub language: Option<String>,
    /// Whom the other party may be handed over to.
    pub human: Option<Number>,
    /// Reads what the model asks of the call itself.
    pub own: ReadOwn,
    /// What was before, where the call goes on that a lost server had.
    pub before: Option<Before>,
}

/// A call as the record has it whose server was lost, and which its carrier still holds.
#[derive(Clone, Debug)]
pub struct Before {
    /// How many facts were told of it: the next has the number behind that.
    pub facts: u64,
    /// The conversation, with what came of the tools.
    pub conversation: Vec<Entry>,
    /// Whether it had been answered.
    pub answered: bool,
    /// How long they had talked.
    pub talked: Duration,
    /// How long the other party has heard nothing.
    pub silent: Duration,
    /// Whether they were being handed over, to somebody who cannot come any more.
    pub handing_over: bool,
}

/// Knows whether a PIN is right, and not which one would be.
#[derive(Clone)]
pub struct Door(pub Arc<dyn Fn(&Pin) -> bool + Send + Sync>);

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Door(..)")
    }
}

/// From when on a call may be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recording {
    /// Whenever there is audio.
    FromTheStart,
    /// When the other side has heard that it is.
    Announced,
    /// When they have said yes to it.
    Asked,
}

/// What is done when an answering machine picks up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Voicemail {
    /// Leave a message after the tone; how to make it, as instructions to the model.
    LeaveMessage(Text),
    /// End the call.
    HangUp,
    /// Go on as with a human: the model decides.
    Wait,
}

/// How long things may take in one call.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From answer to the end.
    pub total: Duration,
    /// Nobody speaks for this long: ask whether they are there; twice: say goodbye.
    pub silence: Duration,
    /// From dialling to answer.
    pub ringing: Duration,
    /// A model session is handed over after this long, whatever the provider allows.
    pub session: Duration,
}

/// Stored audio for moments when the model cannot speak; each clip in pieces fit for pacing.
#[derive(Debug, Default)]
pub struct Clips {
    /// "One moment, please." while the model link is repaired or a tool is slow.
    pub bridge: Vec<Payload>,
    /// "I am sorry, I have a technical problem. I have to end this call. Goodbye."
    pub apology: Vec<Payload>,
    /// "Thank you for your time. Goodbye."
    pub goodbye: Vec<Payload>,
    /// "I am sorry, I have a technical problem. I am connecting you with a colleague."
    pub hand_over: Vec<Payload>,
    /// "Please enter your PIN, and end with the hash key."
    pub enter_pin: Vec<Payload>,
    /// "That was not right. Please enter your PIN again, and end with the hash key."
    pub wrong_pin: Vec<Payload>,
    /// "I am sorry, I cannot take your call. Goodbye."
    pub turned_away: Vec<Payload>,
    /// The tones of the sixteen keys, each with the pause after it (ITU-T Q.23).
    pub keys: Vec<(Digit, Vec<Payload>)>,
}

impl Clips {
    /// The pieces of one clip.
    #[must_use]
    pub fn of(&self, clip: Clip) -> &[Payload] {
        match clip {
            Clip::Bridge => &self.bridge,
            Clip::Apology => &self.apology,
            Clip::Goodbye => &self.goodbye,
            Clip::HandOver => &self.hand_over,
            Clip::EnterPin => &self.enter_pin,
            Clip::WrongPin => &self.wrong_pin,
            Clip::TurnedAway => &self.turned_away,
            Clip::Key(digit) => {
                let tone = self.keys.iter().find(|(key, _)| *key == digit);
                tone.map_or(&[], |(_, pieces)| pieces)
            }
        }
    }
}

/// How far a call has come; it only ever moves on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lifecycle {
    /// Known, nothing done yet.
    Queued,
    /// The carrier has been asked, or the call rings here.
    Dialing,
    /// Both sides can talk.
    Answered,
    /// Over; nothing will change.
    Finalized,
}

impl Lifecycle {
    /// Every one, in their order.
    pub const ALL: [Self; 4] = [Self::Queued, Self::Dialing, Self::Answered, Self::Finalized];

    /// The word in the API and the store.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Dialing => "dialing",
            Self::Answered => "answered",
            Self::Finalized => "finalized",
        }
    }
}

/// What the phone network made of a call; not whether its task succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Somebody or something picked up.
    Answered,
    /// It rang out.
    NoAnswer,
    /// Busy.
    Busy,
    /// Declined.
    Rejected,
    /// No such number.
    InvalidNumber,
    /// The number cannot be reached now.
    Unreachable,
    /// The network failed.
    NetworkError,
    /// Ended by order before it was answered.
    Cancelled,
    /// We failed.
    SystemError,
    /// Anything else.
    Failed,
}

impl Outcome {
    /// Every outcome, in the order of the API's documentation.
    pub const ALL: [Self; 10] = [
        Self::Answered,
        Self::NoAnswer,
        Self::Busy,
        Self::Rejected,
        Self::InvalidNumber,
        Self::Unreachable,
        Self::NetworkError,
        Self::Cancelled,
        Self::SystemError,
        Self::Failed,
    ];

    /// Whether somebody or something was talked with.
    #[must_use]
    pub const fn is_talk(self) -> bool {
        match self {
            Self::Answered => true,
            Self::NoAnswer
            | Self::Busy
            | Self::Rejected
            | Self::InvalidNumber
            | Self::Unreachable
            | Self::NetworkError
            | Self::Cancelled
            | Self::SystemError
            | Self::Failed => false,
        }
    }

    /// The word in the API and the store.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::NoAnswer => "no_answer",
            Self::Busy => "busy",
            Self::Rejected => "rejected",
            Self::InvalidNumber => "invalid_number",
            Self::Unreachable => "unreachable",
            Self::NetworkError => "network_error",
            Self::Cancelled => "cancelled",
            Self::SystemError => "system_error",
            Self::Failed => "failed",
        }
    }
}
