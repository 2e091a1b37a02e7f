//! The port to the speech model: what it says, what it is told, what an adapter offers.
//! Shaped after the Realtime protocol's turns; names no vendor.
//!
//! # A model that tells no turns
//!
//! A full-duplex model decides by itself who speaks: it reports no start of the caller's speech,
//! no beginning or end of a response, cannot be cut short, and sends its audio in real time. Its
//! adapter fits this port without a change to it, because a [`Line`] may keep a timer:
//!
//! * The first audio after a pause is [`Event::Responding`] with an id of the adapter's own, all
//!   of it belongs to one item, and half a second without audio is [`Event::Responded`]. The
//!   pump paces what it gets; audio in real time simply never runs ahead.
//! * What the caller said comes as transcript pieces: the first after a pause is
//!   [`Event::CallerCommitted`] and the last one [`Event::CallerSaid`], each with an item id of
//!   the adapter's own. Confirmation reads words and nothing else, so it works as ever.
//! * [`Event::CallerStarted`] and [`Event::CallerStopped`] are not told: the call then neither
//!   flushes nor waits for an answer, which is right, for the model stops by itself.
//! * [`Command::Respond`] becomes whatever asks the model to say something and is answered at
//!   once by [`Event::Responding`] with its tag, so that the call does not take a model that
//!   chooses to be silent for one that hangs. [`Command::Cancel`], [`Command::CancelAside`],
//!   [`Command::Truncate`] and [`Command::Forget`] become nothing.
//! * [`Command::Configure`] is what opens the session; entries that are remembered before the
//!   first audio become its input, later ones a text for the model to think of.

use std::fmt;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::audio::{Format, Payload};
use crate::briefing::Text;
use crate::leg;
use crate::tool::{Promise, ToolCallId};
use crate::usage::Usage;

/// A conversation item's id, the model's or ours.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ItemId(pub String);

/// A response's id, given by the model.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ResponseId(pub String);

/// What comes from the model.
#[derive(Debug)]
pub enum Event {
    /// The session exists and has taken our configuration.
    Ready,
    /// The session will be ended by the provider after this long, counted from now.
    Expires(Duration),
    /// The caller began to speak, as the model hears it.
    CallerStarted(ItemId),
    /// The caller stopped speaking.
    CallerStopped(ItemId),
    /// What the caller has said became this item.
    CallerCommitted(ItemId),
    /// The caller's words so far; more will follow.
    CallerWords(ItemId, Text),
    /// The whole transcript of the caller's item. Empty when it could not be understood.
    CallerSaid(ItemId, Text),
    /// A response has begun. `tag` returns what [`Command::Respond`] gave; none when the model
    /// began it by itself.
    Responding {
        /// The response.
        response: ResponseId,
        /// Which request of ours it answers.
        tag: Option<u64>,
    },
    /// Speech of a response.
    Spoke {
        /// The response.
        response: ResponseId,
        /// The item the speech belongs to.
        item: ItemId,
        /// Audio in the session's format, of any length.
        audio: Payload,
    },
    /// More words of the transcript of its own speech.
    Said {
        /// The response.
        response: ResponseId,
        /// The item.
        item: ItemId,
        /// The words, to be appended.
        words: Text,
    },
    /// A tool is asked for; the arguments are complete.
    Asked {
        /// The response.
        response: ResponseId,
        /// The model's id of this tool call.
        id: ToolCallId,
        /// The tool's name.
        name: String,
        /// The arguments as JSON text, unchecked.
        arguments: Text,
    },
    /// A response has ended.
    Responded {
        /// The response.
        response: ResponseId,
        /// How.
        ending: Ending,
        /// What it has used, where the provider says so.
        usage: Option<Box<Usage>>,
    },
    /// The model refused a command; the session goes on.
    Refused(Refusal),
    /// The provider's allowance is used up: a response asked for before this long has passed
    /// would be refused. The session goes on.
    Exhausted(Duration),
    /// The model cannot go on. After [`Loss::RateLimited`] the session lives and has refused what
    /// was asked for; after the others the line is of no more use.
    Fatal(Loss),
}

/// What an event says of the session, as against what is said in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition<'a> {
    /// [`Event::Ready`].
    Ready,
    /// [`Event::Expires`].
    Expires(Duration),
    /// [`Event::Refused`].
    Refused(&'a Refusal),
    /// [`Event::Exhausted`].
    Exhausted(Duration),
    /// [`Event::Fatal`].
    Fatal(&'a Loss),
}

impl Event {
    /// What it says of the session; nothing when it is part of the conversation.
    #[must_use]
    pub const fn condition(&self) -> Option<Condition<'_>> {
        match self {
            Self::Ready => Some(Condition::Ready),
            Self::Expires(left) => Some(Condition::Expires(*left)),
            Self::Refused(refusal) => Some(Condition::Refused(refusal)),
            Self::Exhausted(wait) => Some(Condition::Exhausted(*wait)),
            Self::Fatal(loss) => Some(Condition::Fatal(loss)),
            Self::CallerStarted(_)
            | Self::CallerStopped(_)
            | Self::CallerCommitted(_)
            | Self::CallerWords(..)
            | Self::CallerSaid(..)
            | Self::Responding { .. }
            | Self::Spoke { .. }
            | Self::Said { .. }
            | Self::Asked { .. }
            | Self::Responded { .. } => None,
        }
    }
}

/// How a response ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Everything was said.
    Completed,
    /// Stopped by the caller's speech or by us.
    Cancelled,
    /// The provider failed it; why.
    Failed(Loss),
}

/// A command the model refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A response was asked for while another one runs; the tag of the refused request.
    ResponseActive(Option<u64>),
    /// There was nothing to cancel.
    NothingToCancel,
    /// Anything else, by the provider's error code.
    Other(String),
}

/// Why a session cannot go on, sorted by what helps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Try again: a cut socket, a full server, an expired session. The provider's code.
    Passing(String),
    /// Try again after this long.
    RateLimited(Duration),
    /// Do not try again here: key, quota, account, no such model. The provider's code. An adapter
    /// that has another place to go to says [`Loss::Passing`] instead, and goes there.
    Final(String),
}

/// What the model is told.
#[derive(Clone, Debug)]
pub enum Command {
    /// Configure the session; answered by [`Event::Ready`].
    Configure(Session),
    /// The caller's audio.
    Hear(Payload),
    /// Put something into the conversation without asking for a response.
    Remember(Entry),
    /// Ask for a response.
    Respond {
        /// Comes back in [`Event::Responding`].
        tag: u64,
        /// Instructions for this response alone, in place of the session's; none to follow them.
        instructions: Option<Text>,
    },
    /// Ask for a response beside the conversation, of which it becomes no part.
    Aside {
        /// Comes back in [`Event::Responding`].
        tag: u64,
        /// What it shall say.
        instructions: Text,
    },
    /// Stop the running response.
    Cancel,
    /// Stop this response, which runs beside the conversation.
    CancelAside(ResponseId),
    /// The item was heard only this far.
    Truncate {
        /// The item.
        item: ItemId,
        /// Milliseconds of it that were heard.
        heard_ms: u64,
    },
    /// The item was never heard; forget it.
    Forget(ItemId),
    /// Close the session.
    Close,
}

/// One entry of the conversation, as replayed into a fresh session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The caller said this.
    Caller(Text),
    /// We said this, as far as it was heard.
    Agent(Text),
    /// A fact for the model that nobody said: a key press, a repair, a result that came late.
    Note(Text),
    /// A tool was asked for.
    Asked {
        /// The model's id of the tool call.
        id: ToolCallId,
        /// The tool's name.
        name: String,
        /// The arguments as JSON text.
        arguments: Text,
    },
    /// Its outcome as JSON text.
    Answered {
        /// The model's id of the tool call.
        id: ToolCallId,
        /// What the model is told.
        output: Text,
    },
}

/// How a session shall be.
#[derive(Clone)]
pub struct Session {
    /// Who it is and what the call is for.
    pub instructions: Text,
    /// The provider's voice name.
    pub voice: String,
    /// Both directions.
    pub format: Format,
    /// The tools of this call.
    pub tools: Vec<Promise>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("voice", &self.voice).finish_non_exhaustive()
    }
}

/// A model's socket with its codec.
pub type Line = Box<dyn leg::Line<Event = Event, Command = Command>>;

/// Why no session could be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("model not reached: {what}")]
pub struct ConnectError {
    /// What was seen, without secrets.
    pub what: String,
    /// What helps.
    pub loss: Loss,
}

/// A place where sessions can be opened.
pub trait Model: Send + Sync {
    /// The audio formats it takes and gives, best first.
    fn formats(&self) -> &[Format];

    /// Opens a socket to a new, empty session. Ends with an error by itself within a few seconds.
    /// Which of several places it leads to is the adapter's choice: to the call all are one, and
    /// the conversation is given to the next session wherever that is.
    fn connect(&self) -> BoxFuture<'static, Result<Line, ConnectError>>;
}

/// Configures a fresh session and waits until it has taken that; whoever waits bounds the time.
/// How long the session will last, where that is said.
///
/// # Errors
/// [`ConnectError`] when the session ends, or will not be as it shall.
pub async fn configure(
    line: &mut Line,
    session: Session,
) -> Result<Option<Duration>, ConnectError> {
    line.send(Command::Configure(session)).map_err(|broken| passing(&broken))?;
    let mut left = None::<Duration>;
    loop {
        let event = std::future::poll_fn(|cx| {
            let flushed = line.poll_flush(cx);
            match (line.poll_event(cx), flushed) {
                // A far end that will not take what we write may have said why.
                (Poll::Pending, Poll::Ready(Err(broken))) => Poll::Ready(Err(broken)),
                (event, _) => event,
            }
        });
        match event.await.map_err(|broken| passing(&broken))?.condition() {
            Some(Condition::Ready) => return Ok(left),
            // The adapter knows its provider's rule, the provider knows this session: whichever
            // ends it first.
            Some(Condition::Expires(time)) => {
                left = Some(left.map_or(time, |known| time.min(known)));
            }
            Some(Condition::Fatal(loss)) => {
                let what = format!("refused the session: {loss:?}");
                return Err(ConnectError { what, loss: loss.clone() });
            }
            Some(Condition::Refused(refusal)) => {
                let what = format!("refused the configuration: {refusal:?}");
                return Err(ConnectError { loss: Loss::Final(what.clone()), what });
            }
            Some(Condition::Exhausted(_)) | None => {}
        }
    }
}

/// A line that ends without a word of its adapter about why: it may come back.
fn passing(broken: &leg::Broken) -> ConnectError {
    ConnectError { what: broken.to_string(), loss: Loss::Passing(broken.to_string()) }
}
