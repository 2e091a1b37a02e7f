//! What the model side tells, and what the call makes of it.

use std::time::Duration;

use super::{Machine, Phase, Session, millis};
use crate::briefing::Text;
use crate::call::event::{Clip, Generation, Link, Media, Output, ToLink, Unfinished};
use crate::call::turn::{Interrupted, Owed};
use crate::clock::Instant;
use crate::model::{Ending, Event, ItemId, Loss, Refusal};
use crate::record::Fact;

/// A lost link is often back sooner than this; if not, the caller is told to wait. With the
/// phrase's own start this keeps the silence under 700 ms.
const BRIDGE: Duration = Duration::from_millis(300);

/// A caller to whom nothing is owed does not notice a lost link for this long.
const BRIDGE_IDLE: Duration = Duration::from_secs(3);

/// A call without a session for this long is ended with an apology.
const SESSIONLESS: Duration = Duration::from_secs(20);

/// Failed responses in a row before the session is replaced.
const MOST_FAILED: u32 = 3;

/// Responses refused for the rate limit in a row before the call is given up: with two seconds
/// between them, about as long as a caller waits for a lost session.
const MOST_REFUSED: u32 = 8;

/// The wait before a response that failed is asked for again.
const AFTER_FAILURE: Duration = Duration::from_millis(500);

impl Machine {
    pub(super) fn link(&mut self, link: Link, now: Instant) {
        match link {
            Link::Ready => self.session_ready(),
            Link::Up => self.session_up(now),
            Link::Down(how, unfinished) => self.session_down(how, unfinished, now),
            Link::GaveUp(how) => {
                self.lost("model", how, now);
                self.apologise("model_lost", now);
            }
            Link::Said(event, generation, came) => self.said(event, generation, came, now),
        }
    }

    /// A fresh session is at hand: at once when there is none, else at a quiet moment.
    fn session_ready(&mut self) {
        if self.session == Session::Up {
            self.handover = true;
        } else {
            self.replay();
        }
    }

    fn replay(&mut self) {
        self.handover = false;
        let conversation = self.log.replay();
        self.outputs.push_back(Output::Link(ToLink::Replay(conversation)));
    }

    fn session_up(&mut self, now: Instant) {
        let was = std::mem::replace(&mut self.session, Session::Up);
        if matches!(was, Session::Down { .. }) && !self.turn.is_due() {
            self.repaired("model", None, now);
        }
    }

    fn session_down(&mut self, how: String, unfinished: Unfinished, now: Instant) {
        self.handover = false;
        self.lost("model", how, now);
        let bridged = matches!(self.session, Session::Down { bridged: true, .. });
        self.session = Session::Down { since: now, bridged };
        let interrupted = self.turn.lost();
        self.filler_lost();
        match (unfinished, interrupted) {
            // The new session hears the caller's turn again and answers it by itself.
            (Unfinished::Turn, _) => {
                self.log.forget_unread();
                self.heard_again = true;
            }
            (Unfinished::Nothing, Interrupted::Response) => self.go_on(),
            (Unfinished::Nothing, Interrupted::Answer) => self.turn.owe(Owed::Answer),
            (Unfinished::Nothing, Interrupted::Nothing) => {}
        }
    }

    fn said(&mut self, event: Event, generation: Generation, came: Instant, now: Instant) {
        let stale = generation <= self.fence;
        if stale && is_of_response(&event) {
            if let Event::Asked { id, name, arguments, .. } = event {
                self.refuse_stale(id, name, arguments, now);
            }
            return;
        }
        match event {
            Event::CallerStarted(_) => self.caller_started(came, now),
            Event::CallerStopped(_) => {
                self.active(now);
                self.turn.caller_stopped(now);
            }
            Event::CallerCommitted(item) => self.log.caller_item(item),
            Event::CallerSaid(item, words) => self.caller_said(&item, words),
            Event::Responding { response, tag } => {
                self.generation = generation;
                self.said_something = false;
                self.filler_begun(&response, tag);
                self.turn.responding(response, tag, now);
                self.responding_unheard(tag);
                self.introduction_begun(tag);
                self.question_voiced(self.is_filler(tag));
            }
            Event::Said { item, words, .. } => {
                self.turn.alive(now);
                if self.muted {
                    self.said_unheard(item);
                } else {
                    self.said_something = true;
                    self.question_overtaken();
                    self.recording_overtaken();
                    self.log.said(&item, &words);
                }
            }
            Event::Asked { response, id, name, arguments } => {
                self.turn.alive(now);
                self.asked(response, id, name, arguments, now);
            }
            Event::Responded { response, ending, usage } => {
                if let Some(usage) = usage {
                    self.usage.add(&usage);
                }
                self.turn.responded(&response);
                self.filler_ended(&response);
                self.forget_unheard();
                self.responded(ending, now);
            }
            Event::Refused(Refusal::ResponseActive(tag)) => self.turn.refused(tag, now),
            Event::Fatal(Loss::Final(code)) => {
                self.lost("model", code, now);
                self.apologise("model_lost", now);
            }
            Event::Fatal(Loss::Passing(code)) => self.renew(code),
            Event::Fatal(Loss::RateLimited(wait)) => {
                self.turn.postponed();
                self.held_back(wait, now);
            }
            Event::Exhausted(wait) => self.turn.hold_back(now + wait),
            Event::Refused(Refusal::NothingToCancel | Refusal::Other(_))
            | Event::Ready
            | Event::Expires(_)
            | Event::CallerWords(..)
            | Event::Spoke { .. } => {}
        }
    }

    fn caller_started(&mut self, began: Instant, now: Instant) {
        self.active(now);
        self.nudges = 0;
        self.tools_this_turn = 0;
        if self.turn.caller_started() && !self.is_keying(now) {
            self.fence = self.generation;
            self.media(Media::Flush(self.generation));
            self.stop_filler();
            self.stay();
            self.spoken_into_message(now);
        }
        self.opening_overtaken();
        self.recording_answering(began);
        self.question_answering(began);
    }

    fn caller_said(&mut self, item: &ItemId, words: Text) {
        self.sentence_heard(&words);
        let said = self.log.caller_said(item, &words);
        for (sequence, text) in said.masked {
            self.note(Fact::Masked { sequence, text });
        }
        if let Some(turn) = said.turn {
            self.note(Fact::Turn(turn));
            self.log.noted(item, self.facts);
        }
        self.recording_answered(&words);
        self.question_answered(words);
    }

    fn responded(&mut self, ending: Ending, now: Instant) {
        match ending {
            Ending::Completed => self.failed_responses = 0,
            Ending::Cancelled => {}
            Ending::Failed(Loss::Final(code)) => {
                self.lost("model", code, now);
                self.apologise("model_lost", now);
            }
            Ending::Failed(Loss::RateLimited(wait)) => {
                self.turn.owe(Owed::Answer);
                self.held_back(wait, now);
            }
            Ending::Failed(Loss::Passing(code)) => {
                self.failed_responses += 1;
                if self.failed_responses >= MOST_FAILED {
                    self.failed_responses = 0;
                    self.renew(code);
                } else {
                    self.turn.hold_back(now + AFTER_FAILURE);
                    self.turn.owe(Owed::Answer);
                }
            }
        }
        self.watch_disclosure();
        self.watch_recording(now);
        self.question_heard(now);
        self.hang_up_if_said(now);
        self.message_left(now);
        self.introduced(now);
    }

    /// The provider refused a response for now. The caller is told to wait, once, and is not
    /// kept waiting for ever.
    fn held_back(&mut self, wait: Duration, now: Instant) {
        self.turn.hold_back(now + wait);
        self.failed_responses += 1;
        if self.failed_responses > MOST_REFUSED {
            self.lost("model", "rate limited again and again".to_owned(), now);
            self.apologise("model_lost", now);
        } else if self.failed_responses == 1 && self.is_quiet() {
            self.media(Media::Play(Clip::Bridge));
        }
    }

    fn renew(&mut self, why: String) {
        self.outputs.push_back(Output::Link(ToLink::Renew(why)));
    }

    /// Watches the session: bridges its absence, gives up on it, notices that it hangs, hands
    /// over to a fresh one when nobody would hear it.
    pub(super) fn watch_session(&mut self, now: Instant) {
        if let Session::Down { since, bridged } = self.session {
            if now >= since + SESSIONLESS {
                self.apologise("model_lost", now);
            } else if !bridged && now >= since + self.bridge_after() && self.is_quiet() {
                self.session = Session::Down { since, bridged: true };
                self.media(Media::Play(Clip::Bridge));
            }
            return;
        }
        if self.session == Session::Up && self.turn.stalled(now) {
            self.turn.alive(now);
            self.renew("no sign of a promised response".to_owned());
        }
        if self.handover && self.turn.is_still() && self.ledger.waiting_since().is_none() {
            self.replay();
        }
    }

    pub(super) fn session_deadline(&self) -> Option<Instant> {
        match self.session {
            Session::Opening => None,
            Session::Up => self.turn.deadline(),
            Session::Down { since, bridged: true } => Some(since + SESSIONLESS),
            Session::Down { since, bridged: false } => {
                let bridge = Some(since + self.bridge_after()).filter(|_| self.is_quiet());
                bridge.or(Some(since + SESSIONLESS))
            }
        }
    }

    fn bridge_after(&self) -> Duration {
        if self.turn.is_due() { BRIDGE } else { BRIDGE_IDLE }
    }

    /// Nobody has said anything for the limit: ask twice, then say goodbye.
    pub(super) fn watch_limits(&mut self, since: Instant, now: Instant) {
        if now >= since + self.briefing.limits.total {
            self.part_politely("time_limit", now);
            return;
        }
        if self.silence_deadline().is_none_or(|then| now < then) {
            return;
        }
        self.active(now);
        self.nudges += 1;
        if self.nudges > 2 {
            self.part_politely("silence", now);
        } else {
            let silence = millis(self.briefing.limits.silence) / 1_000;
            self.turn.owe(Owed::Guided(Text(format!(
                "Nobody has spoken for {silence} seconds. Ask briefly whether the other side is \
                 still there."
            ))));
        }
    }

    pub(super) fn silence_deadline(&self) -> Option<Instant> {
        let quiet = matches!(self.phase, Phase::Talking { .. })
            && self.is_resting()
            && self.ledger.waiting_since().is_none();
        quiet.then(|| self.sign + self.briefing.limits.silence)
    }
}

/// Whether an event of the model belongs to an interrupted response.
fn is_of_response(event: &Event) -> bool {
    matches!(event, Event::Asked { .. } | Event::Said { .. })
}
