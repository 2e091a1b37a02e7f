//! Whose turn it is, and the one gate through which responses are asked for. Pure.

use std::time::Duration;

use crate::briefing::Text;
use crate::clock::Instant;
use crate::model::ResponseId;

/// After the end of a caller's turn the model answers by itself; if it has not begun by then, it
/// is asked to. Generous: asking while it is about to begin costs an error event.
const SELF_START: Duration = Duration::from_secs(2);

/// A response asked for or begun that gives no sign for this long is not coming: the session is
/// replaced. Well over the slowest first sound of a healthy provider, well under a caller's
/// patience.
const STALLED: Duration = Duration::from_secs(6);

/// What the caller does, as the model hears it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Listens, or is silent.
    Quiet,
    /// Speaks.
    Speaking,
    /// Has just finished; the model will begin to answer by itself.
    Waiting(Instant),
}

/// Why a response is owed to the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owed {
    /// Nothing is.
    Nothing,
    /// The conversation calls for one.
    Answer,
    /// One with instructions of its own.
    Guided(Text),
}

/// The response gate: one at a time, and the model also opens it by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Gate {
    Idle,
    /// We asked.
    Requested {
        tag: u64,
        since: Instant,
        what: Owed,
    },
    /// One runs; `sign` is its last sign of life.
    Active {
        response: Option<ResponseId>,
        sign: Instant,
    },
}

/// Whose turn it is.
#[derive(Debug)]
pub struct Turn {
    caller: Caller,
    gate: Gate,
    owed: Owed,
    not_before: Option<Instant>,
    next_tag: u64,
    /// We have something to say that is not fully heard.
    speaking: bool,
    /// When the caller's turn ended that we have not yet begun to answer.
    unanswered: Option<Instant>,
}

/// A request for a response.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// Comes back with the response.
    pub tag: u64,
    /// Instructions for it alone.
    pub instructions: Option<Text>,
}

impl Default for Turn {
    fn default() -> Self {
        Self {
            caller: Caller::Quiet,
            gate: Gate::Idle,
            owed: Owed::Nothing,
            not_before: None,
            next_tag: 1,
            speaking: false,
            unanswered: None,
        }
    }
}

impl Turn {
    /// The caller began to speak. Returns whether that interrupts us.
    pub fn caller_started(&mut self) -> bool {
        self.caller = Caller::Speaking;
        self.unanswered = None;
        self.speaking
    }

    /// The caller's turn is over.
    pub fn caller_stopped(&mut self, now: Instant) {
        self.caller = Caller::Waiting(now);
        self.unanswered = Some(now);
    }

    /// A response began, ours or the model's own: what was owed is being given, unless it is one
    /// beside the conversation.
    pub fn responding(&mut self, response: ResponseId, tag: Option<u64>, now: Instant) {
        let aside = matches!(&self.gate, Gate::Requested { tag: ours, what: Owed::Nothing, .. }
            if tag == Some(*ours));
        self.gate = Gate::Active { response: Some(response), sign: now };
        if aside {
            return;
        }
        if self.caller != Caller::Speaking {
            self.caller = Caller::Quiet;
        }
        self.owed = Owed::Nothing;
    }

    /// The response that runs or was asked for gave a sign of life, or something was done about it
    /// that it gave none.
    pub fn alive(&mut self, now: Instant) {
        match &mut self.gate {
            Gate::Active { sign, .. } => *sign = now,
            Gate::Requested { since, .. } => *since = now,
            Gate::Idle => {}
        }
    }

    /// A response ended; the gate opens unless another one runs.
    pub fn responded(&mut self, ended: &ResponseId) {
        let other = match &self.gate {
            Gate::Active { response: Some(running), .. } => running != ended,
            Gate::Active { response: None, .. } | Gate::Idle => false,
            Gate::Requested { .. } => true,
        };
        if !other {
            self.gate = Gate::Idle;
        }
    }

    /// Our request was refused because a response runs: it is owed again, after that one.
    pub fn refused(&mut self, tag: Option<u64>, now: Instant) {
        if let Gate::Requested { tag: ours, what, .. } = &self.gate
            && tag.is_none_or(|tag| tag == *ours)
        {
            self.owed = what.clone();
            self.gate = Gate::Active { response: None, sign: now };
        }
    }

    /// A response is owed. What is owed already stays, unless this one has instructions.
    pub fn owe(&mut self, owed: Owed) {
        if self.owed == Owed::Nothing || matches!(owed, Owed::Guided(_)) {
            self.owed = owed;
        }
    }

    /// What was owed is not owed any more.
    pub fn waive(&mut self) {
        self.owed = Owed::Nothing;
    }

    /// The caller is not listened to from here on: whether they speak is not known.
    pub fn unheard(&mut self) {
        self.caller = Caller::Quiet;
        self.owed = Owed::Nothing;
    }

    /// Our request was refused for now: it is owed again.
    pub fn postponed(&mut self) {
        if let Gate::Requested { what, .. } = &self.gate {
            self.owed = what.clone();
            self.gate = Gate::Idle;
        }
    }

    /// Nothing is asked for before then: the provider's rate limit.
    pub fn hold_back(&mut self, until: Instant) {
        self.not_before = self.not_before.max(Some(until));
    }

    /// Ends what only had to wait for its time: whatever else is going on, a deadline that has
    /// passed must not stay one.
    pub fn pass(&mut self, now: Instant) {
        if let Caller::Waiting(since) = self.caller
            && now >= since + SELF_START
        {
            self.caller = Caller::Quiet;
            self.owe(Owed::Answer);
        }
        self.not_before = self.not_before.filter(|then| now < *then);
    }

    /// The next request, when one is owed and nobody else is speaking or about to.
    pub fn next(&mut self, now: Instant) -> Option<Request> {
        self.pass(now);
        if !self.is_free() || self.owed == Owed::Nothing {
            return None;
        }
        let what = std::mem::replace(&mut self.owed, Owed::Nothing);
        let instructions = match &what {
            Owed::Guided(text) => Some(text.clone()),
            Owed::Answer | Owed::Nothing => None,
        };
        Some(Request { tag: self.request(what, now), instructions })
    }

    /// Whether a response was promised and the session shows no life.
    #[must_use]
    pub fn stalled(&self, now: Instant) -> bool {
        self.promised().is_some_and(|since| now >= since + STALLED)
    }

    /// When to look again.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let waiting = match self.caller {
            Caller::Waiting(since) => Some(since + SELF_START),
            Caller::Quiet | Caller::Speaking => None,
        };
        let stalled = self.promised().map(|since| since + STALLED);
        let held = self.not_before.filter(|_| self.owed != Owed::Nothing);
        waiting.into_iter().chain(stalled).chain(held).min()
    }

    /// The session is gone. Returns what the next one owes: the request that was open, or the
    /// rest of the response that ran.
    pub fn lost(&mut self) -> Interrupted {
        // What held us back was said of a session that is gone; the next may be elsewhere.
        self.not_before = None;
        let gate = std::mem::replace(&mut self.gate, Gate::Idle);
        let waiting = matches!(self.caller, Caller::Waiting(_));
        self.caller = Caller::Quiet;
        match gate {
            Gate::Requested { what, .. } => {
                self.owe(what);
                Interrupted::Nothing
            }
            Gate::Active { .. } => Interrupted::Response,
            Gate::Idle if waiting => Interrupted::Answer,
            Gate::Idle => Interrupted::Nothing,
        }
    }

    /// Our first sound goes out. Returns how long the caller has waited for it.
    pub fn began(&mut self, at: Instant) -> Option<Duration> {
        self.speaking = true;
        self.unanswered.take().map(|since| at.saturating_duration_since(since))
    }

    /// Nothing of ours is left to hear. A running response owes more from here on.
    pub fn hushed(&mut self, now: Instant) {
        self.speaking = false;
        self.alive(now);
    }

    /// Whether nothing runs or is asked for, and the caller neither speaks nor waits for an answer.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.gate == Gate::Idle && self.caller == Caller::Quiet && self.not_before.is_none()
    }

    /// A response that settles nothing, when one may be asked for now: its tag.
    pub fn aside(&mut self, now: Instant) -> Option<u64> {
        self.is_free().then(|| self.request(Owed::Nothing, now))
    }

    fn request(&mut self, what: Owed, now: Instant) -> u64 {
        let tag = self.next_tag;
        self.next_tag += 1;
        self.gate = Gate::Requested { tag, since: now, what };
        tag
    }

    /// Whether a response runs.
    #[must_use]
    pub const fn is_responding(&self) -> bool {
        matches!(self.gate, Gate::Active { .. })
    }

    /// Whether we are speaking.
    #[must_use]
    pub const fn is_speaking(&self) -> bool {
        self.speaking
    }

    /// Whether a response is owed, asked for or running.
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.owed != Owed::Nothing
            || self.gate != Gate::Idle
            || matches!(self.caller, Caller::Waiting(_))
    }

    /// Whether nobody speaks, nothing runs and nothing is owed.
    #[must_use]
    pub fn is_still(&self) -> bool {
        !self.speaking && self.caller == Caller::Quiet && !self.is_due()
    }

    /// Whether the caller speaks.
    #[must_use]
    pub fn is_caller_speaking(&self) -> bool {
        self.caller == Caller::Speaking
    }

    fn promised(&self) -> Option<Instant> {
        match &self.gate {
            Gate::Requested { since, .. } => Some(*since),
            Gate::Active { sign, .. } if !self.speaking => Some(*sign),
            Gate::Active { .. } | Gate::Idle => None,
        }
    }
}

/// What a lost session leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupted {
    /// Nothing.
    Nothing,
    /// An answer that had not begun.
    Answer,
    /// A response in the middle.
    Response,
}

#[cfg(test)]
mod tests;
