//! The two closed lists of a call: everything that can happen to it, everything it can do.

use std::time::Duration;

use crate::briefing::{Outcome, Text};
use crate::call::consent::{Answer, Pin, Question};
use crate::call::playout::{Flushed, Source, Spoken};
use crate::call::snapshot::Snapshot;
use crate::carrier::{Answerer, CarrierCallId, CarrierError, Digit, Key, Number};
use crate::clock::Instant;
use crate::leg::Broken;
use crate::listener::{Listening, Noticed};
use crate::model::{self, Entry};
use crate::record::Fact;
use crate::tool::{Done, Job, Readback, ToolCallId};

/// The count of the model's responses in a call. What belongs to an interrupted one is stale.
pub type Generation = u64;

/// A part of a call that can die and be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The phone side.
    MediaIn,
    /// The model side.
    RealtimeLink,
    /// Runs tools.
    ToolRunner,
    /// Guards effects.
    Confirmation,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 4] =
        [Self::MediaIn, Self::RealtimeLink, Self::ToolRunner, Self::Confirmation];

    /// The word in records, metrics and the fault interface.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::MediaIn => "media_in",
            Self::RealtimeLink => "realtime_link",
            Self::ToolRunner => "tool_runner",
            Self::Confirmation => "confirmation",
        }
    }
}

/// Everything that can happen to a call.
#[derive(Debug)]
pub enum Input {
    /// The call begins: ring them, or wait for their media.
    Begin,
    /// That we will dial is written down; the carrier is asked now.
    Dialed,
    /// The carrier took our dial order.
    Placed(CarrierCallId),
    /// The carrier was told to ring, and its answer never came.
    Unanswered,
    /// The phone network says that the call is over. The outcome is that of a call that was
    /// never answered; one that was keeps `answered`. The reason is for the record.
    Ended(Outcome, String),
    /// What the carrier makes of who picked up; it may change its mind.
    Detected(Answerer),
    /// The hand-over to a human was carried out, or why not.
    Transferred(Result<(), String>),
    /// The human who was rung into the call is there, or why not.
    Joined(Result<(), String>),
    /// The carrier did not ring the human into the call; why.
    Uninvited(CarrierError),
    /// The carrier did not press these keys; why.
    Unpressed(Vec<Digit>, CarrierError),
    /// The phone side, as MediaIn tells it.
    Phone(Phone),
    /// The model side, as RealtimeLink tells it.
    Link(Link),
    /// The exact effect of a destructive job, `None` when it needs no question.
    ReadBack(ToolCallId, Option<Result<Readback, Done>>),
    /// A job has ended, or its deadline has passed.
    Ran(ToolCallId, Done),
    /// A job has ended after its deadline.
    Late(ToolCallId, Done),
    /// Confirmation's word on the question of that number.
    Judged(u64, Ruling),
    /// A part died.
    PartLost(Part, String),
    /// Its successor is at work.
    PartBack(Part),
    /// It died too often.
    PartGone(Part),
    /// The Call actor itself died and this is its successor.
    CallBack,
    /// The farewell has been said.
    FarewellSaid,
    /// Somebody outside wants something.
    Order(Order),
    /// The deadline asked for has passed.
    Timeout,
}

/// What the phone side tells.
#[derive(Debug)]
pub enum Phone {
    /// Media flows: the call is answered.
    Started,
    /// A key.
    Pressed(Digit),
    /// The first sound of something of ours goes out and will be heard then.
    Began(Source, Instant),
    /// All we had to say has been heard: this.
    Drained(Spoken),
    /// A flush was carried out.
    Flushed(Flushed),
    /// Something in the caller's audio that is not words.
    Noticed(Noticed),
    /// The media socket ended.
    Gone(Broken),
    /// The pump is at work again after this long without one.
    Resumed(Duration),
}

/// What the model side tells.
#[derive(Debug)]
pub enum Link {
    /// A configured, empty session is at hand; it wants the conversation.
    Ready,
    /// It has been given the conversation and is in use.
    Up,
    /// The session in use was lost. `true` in the second field when the caller's unfinished turn
    /// will be heard again by the next one.
    Down(String, Unfinished),
    /// No session can be had; why.
    GaveUp(String),
    /// The model said something that is not audio; when it came.
    Said(model::Event, Generation, Instant),
}

/// Whether the caller's turn in progress was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfinished {
    /// The caller's audio will be heard again and become a turn then.
    Turn,
    /// Nothing is open.
    Nothing,
}

/// What somebody outside wants.
#[derive(Debug)]
pub enum Order {
    /// End the call now.
    HangUp,
    /// End the call politely: the server is going away.
    Drain,
    /// Let the agent say this.
    Say(Text),
    /// Press these keys towards the other party.
    Press(Vec<Key>),
    /// Bring the house's human into the call.
    Transfer,
    /// Let the agent know this, and tell the other party at the next pause.
    Announce(Text),
    /// Show yourself.
    Show(Viewer),
}

/// Somebody who wants to see the call.
pub struct Viewer(pub Box<dyn FnOnce(Snapshot) + Send>);

impl std::fmt::Debug for Viewer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Viewer")
    }
}

/// Stored audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clip {
    /// While the link is repaired or a tool is slow.
    Bridge,
    /// When we cannot go on.
    Apology,
    /// At the end.
    Goodbye,
    /// When we cannot go on and a human takes over.
    HandOver,
    /// To a caller who has to enter a PIN.
    EnterPin,
    /// To one whose PIN was wrong.
    WrongPin,
    /// To one who is not let in.
    TurnedAway,
    /// The tone of a key.
    Key(Digit),
}

/// Everything a call can do.
#[derive(Debug)]
pub enum Output {
    /// Ask the carrier to ring.
    Place,
    /// To MediaIn.
    Media(Media),
    /// To RealtimeLink.
    Link(ToLink),
    /// To ToolRunner: look up the exact effect.
    ReadBack(Job),
    /// To ToolRunner: do it.
    Run(Job),
    /// To Confirmation.
    Judge(Case),
    /// To the record, with its sequence number.
    Note(u64, Fact),
    /// Press keys towards the other party.
    Press(Vec<Digit>),
    /// Ring this human into the call.
    Invite(Number),
    /// Leave the call to those who are in it besides us.
    Leave,
    /// Hand the other party over to this human, who is told who is calling and why.
    Transfer(Number, Text),
    /// End the phone call at the carrier.
    HangUp,
    /// The parts cannot go on: say this without them.
    Farewell(Clip),
    /// The call is over; stop.
    End,
}

/// Orders to MediaIn.
#[derive(Debug)]
pub enum Media {
    /// Stop speaking; audio of responses up to this one is stale.
    Flush(Generation),
    /// Say a stored clip after what is being said.
    Play(Clip),
    /// Listen for this in the caller's audio.
    Listen(Listening),
    /// Throw away what the model says: nobody is there to hear it.
    Mute,
    /// Let it be heard again.
    Unmute,
    /// Write down what is heard and said from here on, or nothing of it.
    Record(bool),
    /// Close the media socket.
    Close,
}

/// Orders to RealtimeLink.
#[derive(Debug)]
pub enum ToLink {
    /// Send to the session in use.
    Tell(model::Command),
    /// Give this conversation to the session at hand and put it in use.
    Replay(Vec<Entry>),
    /// The session in use is worth nothing: drop it and open another.
    Renew(String),
}

/// What Confirmation is asked.
#[derive(Debug)]
pub enum Case {
    /// A question is pending: end it when its time is up.
    Hold(Question),
    /// The caller answered with these words.
    Read(Question, Text),
    /// The caller answered with this key.
    Pressed(Question, Digit),
    /// The caller entered this.
    Entered(Question, Pin),
    /// A tool call claims the approval.
    Claim(Question, ToolCallId),
    /// There is no question any more.
    Drop,
}

/// What Confirmation answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// What the caller did means this.
    Means(Answer, Means),
    /// What the caller entered is not the PIN.
    WrongPin,
    /// The claim is granted; the approval is used up.
    Granted(ToolCallId),
    /// The claim is not granted.
    Refused(ToolCallId, Denial),
    /// The question's time is up.
    Expired,
}

/// What settled a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// The caller's words.
    Voice,
    /// A key.
    Key,
    /// The PIN.
    Pin,
    /// Its time was up.
    Time,
    /// Another question.
    Question,
}

impl Means {
    /// The word in the record.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Voice => "voice",
            Self::Key => "key",
            Self::Pin => "pin",
            Self::Time => "time",
            Self::Question => "question",
        }
    }
}

/// Why a claim is not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// No human has answered.
    Unanswered,
    /// The human said no.
    Declined,
    /// The human said something else.
    Unclear,
    /// It came too late.
    TooLate,
}

impl Denial {
    /// The word in the record.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unanswered => "claimed_unanswered",
            Self::Declined => "claimed_declined",
            Self::Unclear => "claimed_unclear",
            Self::TooLate => "claimed_too_late",
        }
    }
}
