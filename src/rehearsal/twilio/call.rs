//! One call at the simulated Twilio, as it is kept and as it is shown.

use jiff::Timestamp;
use tandem_actors::briefing::Outcome;
use tandem_actors::carrier::Number;
use tokio::sync::mpsc;

use super::fresh_name;
use super::recording::Recording;
use super::twiml::Verb;
use crate::rehearsal::callee::Report;

/// Orders to a call that wait; it looks at them at once.
const ORDERS: usize = 8;

/// `CallStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Taken.
    Initiated,
    /// Their phone rings.
    Ringing,
    /// Answered.
    InProgress,
    /// Over, and it was answered.
    Completed,
    /// Busy or declined.
    Busy,
    /// Rang out.
    NoAnswer,
    /// Could not be placed.
    Failed,
    /// Ended before it was answered.
    Canceled,
}

impl Status {
    /// Twilio's word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Initiated => "initiated",
            Self::Ringing => "ringing",
            Self::InProgress => "in-progress",
            Self::Completed => "completed",
            Self::Busy => "busy",
            Self::NoAnswer => "no-answer",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// Whether nothing follows.
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Initiated | Self::Ringing | Self::InProgress => false,
            Self::Completed | Self::Busy | Self::NoAnswer | Self::Failed | Self::Canceled => true,
        }
    }

    /// What a call becomes whom nobody takes, and the SIP response that says so.
    pub(super) const fn of(outcome: Outcome) -> (Self, u16) {
        match outcome {
            Outcome::Busy => (Self::Busy, 486),
            Outcome::Rejected => (Self::Busy, 603),
            Outcome::NoAnswer => (Self::NoAnswer, 487),
            Outcome::InvalidNumber => (Self::Failed, 404),
            Outcome::Unreachable => (Self::Failed, 480),
            Outcome::Answered
            | Outcome::NetworkError
            | Outcome::Cancelled
            | Outcome::SystemError
            | Outcome::Failed => (Self::Failed, 500),
        }
    }
}

/// What became of a call.
#[derive(Clone, Debug)]
pub struct CallRecord {
    /// How far it is.
    pub status: Status,
    /// What the agent was heard to say, every stream of the call in turn.
    pub heard: Vec<String>,
    /// Frames of speech that were lost, doubled or out of order.
    pub spoilt_frames: u64,
    /// How many media sockets were opened.
    pub streams: u32,
    /// Whom the caller was put through to.
    pub with_human: Option<String>,
    /// What the human was told before they met the caller.
    pub whispered: Vec<String>,
    /// Whether the account's owner has ordered the end of the call.
    pub ended_by_order: bool,
    /// The HTTP status of every answer to a webhook about it.
    pub answers: Vec<u16>,
    /// What machine detection has found, once that was told.
    pub detected: Option<&'static str>,
    /// Recordings of it.
    pub recordings: Vec<Recording>,
}

/// A call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) from: Number,
    pub(super) to: Number,
    pub(super) created: Timestamp,
    pub(super) record: CallRecord,
    pub(super) orders: mpsc::Sender<Order>,
    /// Where its callbacks go, and its media.
    pub(super) addresses: Option<(String, String)>,
    /// What has been told of it so far, for deliveries in disorder.
    pub(super) told: Vec<(String, Vec<(String, String)>)>,
}

/// What an account's owner wants of a live call.
#[derive(Debug)]
pub(super) enum Order {
    /// End it.
    End,
    /// Do this instead.
    Redirect(Vec<Verb>),
}

impl Call {
    /// A call with a fresh name, and where its orders come.
    pub(super) fn new(from: Number, to: Number) -> (String, Self, mpsc::Receiver<Order>) {
        let (orders, taken) = mpsc::channel(ORDERS);
        let record = CallRecord {
            status: Status::Initiated,
            heard: Vec::new(),
            spoilt_frames: 0,
            streams: 0,
            with_human: None,
            whispered: Vec::new(),
            ended_by_order: false,
            answers: Vec::new(),
            detected: None,
            recordings: Vec::new(),
        };
        let created = Timestamp::now();
        let call = Self { from, to, created, record, orders, addresses: None, told: Vec::new() };
        (fresh_name("CA"), call, taken)
    }
}

impl CallRecord {
    pub(super) fn heard_on(&mut self, report: &Report) {
        let account = &report.account;
        self.heard.extend(report.heard.iter().cloned());
        self.spoilt_frames += account.lost + account.doubled + account.reordered;
    }
}
