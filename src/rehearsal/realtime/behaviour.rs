//! How the simulated server behaves: where it listens, how fast it thinks and speaks, and what
//! goes wrong, for whom and when. Plain data.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::delivery::FRAME;
use crate::rehearsal::speech::{Speech, Voice};

/// The rule of the real service: an hour, then the session ends.
const SESSION_AGE: Duration = Duration::from_secs(60 * 60);

/// Everything that is decided before the server starts.
#[derive(Clone)]
pub struct Behaviour {
    /// Where it listens; port 0 for any free one.
    pub bind: SocketAddr,
    /// The key that clients must show.
    pub key: String,
    /// From the request to the first of the answer.
    pub thinking: Duration,
    /// How speech is sent.
    pub pace: Pace,
    /// The voice it speaks with.
    pub voice: Voice,
    /// Where that voice comes from; a load test takes the hum, which is made fastest.
    pub speech: Speech,
    /// When the caller's transcript is delivered.
    pub transcripts: Transcripts,
    /// How long a session lives.
    pub session_age: Duration,
    /// Whether it can write down what the caller says; asked to otherwise, it refuses.
    pub transcribes: bool,
    /// Whether it can be told how much of its speech was heard.
    pub truncates: bool,
    /// Whether it tells what a response has used.
    pub tells_usage: bool,
    /// What goes wrong from the start.
    pub faults: Vec<(Whom, Fault)>,
}

impl Default for Behaviour {
    /// Like the real service: on any port of this machine, after 300 ms, four times as fast as
    /// speech, with transcripts that come after the answer has begun.
    fn default() -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            key: "sk-rehearsal".to_owned(),
            thinking: Duration::from_millis(300),
            pace: Pace::Burst { delta_ms: 200, times_real_time: 4 },
            voice: Voice::agent(),
            speech: Speech::BestAvailable,
            transcripts: Transcripts::Late,
            session_age: SESSION_AGE,
            transcribes: true,
            truncates: true,
            tells_usage: true,
            faults: Vec::new(),
        }
    }
}

/// A key never reaches a log.
impl fmt::Debug for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Behaviour")
            .field("bind", &self.bind)
            .field("thinking", &self.thinking)
            .field("pace", &self.pace)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

/// How speech is cut into deltas and how fast they are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// 20 ms of audio every 20 ms, on absolute deadlines.
    RealTime,
    /// Faster than it will be played, as the real service does.
    Burst {
        /// Milliseconds of audio in a delta; counted in whole frames of 20 ms, at least one.
        delta_ms: u32,
        /// How many times faster than real time; at least once.
        times_real_time: u32,
    },
}

impl Pace {
    /// Frames in a delta.
    pub(super) fn frames(self) -> usize {
        match self {
            Self::RealTime => 1,
            Self::Burst { delta_ms, .. } => {
                let frames = delta_ms / FRAME.as_millis() as u32;
                frames.max(1) as usize
            }
        }
    }

    /// How long it takes to send this many frames.
    pub(super) fn sends(self, frames: usize) -> Duration {
        let lasting = FRAME * u32::try_from(frames).expect("a delta has few frames");
        match self {
            Self::RealTime => lasting,
            Self::Burst { times_real_time, .. } => lasting / times_real_time.max(1),
        }
    }
}

/// When the caller's transcript is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transcripts {
    /// With the end of the turn, before any answer.
    Prompt,
    /// After the answer has begun, as the real service commonly does.
    Late,
}

/// Which sessions a fault meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Those that are open now.
    Live,
    /// The next one that opens.
    Next,
    /// Those that are open now and all that will open.
    Every,
    /// One by its place in the order of opening, from 0; open now or later.
    Session(usize),
}

/// One thing that goes wrong, once per session it meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The session neither reads nor writes for a while.
    Stall {
        /// From the session's opening, or from now for one that is open.
        after: Duration,
        /// How long.
        lasts: Duration,
    },
    /// The connection drops without a close.
    Cut {
        /// After this much audio of a response was sent.
        after: Duration,
    },
    /// The server closes.
    CloseWith {
        /// From the session's opening, or from now for one that is open.
        after: Duration,
        /// The close code.
        code: u16,
        /// The reason.
        reason: String,
    },
    /// Text that is not JSON, and a binary frame.
    Garbage,
    /// Events of a type that nobody knows.
    UnknownEvents,
    /// The next response asks for a tool that was never offered.
    UnknownTool,
    /// The next question that a tool answers with is not put to the caller: the tool is called
    /// again at once, as if somebody had said yes.
    SelfConfirms,
    /// It does not read that it has to say first of all that it is an AI.
    SkipsDisclosure,
    /// The next tool call comes twice, with the same call id.
    DuplicateCall,
    /// The next speech comes within 200 ms, followed by silence up to ten seconds of audio.
    TooFast,
    /// The handshake is refused.
    RefuseHandshake {
        /// The HTTP status.
        status: u16,
        /// Seconds for `Retry-After`.
        retry_after_s: Option<u64>,
    },
    /// The handshake is answered this late.
    SlowHandshake(Duration),
    /// The session expires this long after its opening.
    SessionAge(Duration),
    /// The quota is used up: no response comes any more.
    QuotaFailure,
    /// The next response fails because of the rate limit.
    RateLimit,
    /// The allowance is used up, which is announced; until it is refilled, responses fail.
    Exhausted(Duration),
}

impl Fault {
    /// Whether it happens before there is a session.
    pub(super) const fn is_of_handshake(&self) -> bool {
        match self {
            Self::RefuseHandshake { .. } | Self::SlowHandshake(_) => true,
            Self::Stall { .. }
            | Self::Cut { .. }
            | Self::CloseWith { .. }
            | Self::Garbage
            | Self::UnknownEvents
            | Self::UnknownTool
            | Self::SelfConfirms
            | Self::SkipsDisclosure
            | Self::DuplicateCall
            | Self::TooFast
            | Self::SessionAge(_)
            | Self::QuotaFailure
            | Self::RateLimit
            | Self::Exhausted(_) => false,
        }
    }
}

/// The faults that wait for sessions to open.
#[derive(Debug, Default)]
pub(super) struct Script(Vec<(Whom, Fault)>);

impl Script {
    pub(super) fn new(faults: Vec<(Whom, Fault)>) -> Self {
        Self(faults)
    }

    pub(super) fn add(&mut self, whom: Whom, fault: Fault) {
        self.0.push((whom, fault));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// What meets the session that opens as number `index`; what was meant for it alone is taken.
    pub(super) fn take(&mut self, index: usize, of_handshake: bool) -> Vec<Fault> {
        let mut met = Vec::new();
        self.0.retain(|(whom, fault)| {
            let (meets, stays) = match whom {
                Whom::Live => (false, false),
                Whom::Next => (true, false),
                Whom::Every => (true, true),
                Whom::Session(number) => (*number == index, false),
            };
            if !meets || fault.is_of_handshake() != of_handshake {
                return *whom != Whom::Live;
            }
            met.push(fault.clone());
            stays
        });
        met
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_meets_whom_it_is_meant_for() {
        let mut script = Script::new(vec![
            (Whom::Next, Fault::RefuseHandshake { status: 503, retry_after_s: None }),
            (Whom::Session(1), Fault::Garbage),
            (Whom::Every, Fault::UnknownEvents),
        ]);
        let refusal = Fault::RefuseHandshake { status: 503, retry_after_s: None };
        assert_eq!(script.take(0, true), [refusal]);
        assert_eq!(script.take(0, true), []);
        assert_eq!(script.take(0, false), [Fault::UnknownEvents]);
        assert_eq!(script.take(1, false), [Fault::Garbage, Fault::UnknownEvents]);
        assert_eq!(script.take(1, false), [Fault::UnknownEvents]);
        script.clear();
        assert_eq!(script.take(2, false), []);
    }
}
