//! Who picked up, and what is done about it. Every verdict can be reversed; what was heard as
//! words outranks what the line was heard to do.

use std::time::Duration;

use super::phone::Opening;
use super::{Machine, Phase, Session};
use crate::briefing::{Direction, Outcome, Text, Voicemail};
use crate::call::answer::{Course, Source, Who};
use crate::call::event::{Media, Output};
use crate::call::turn::Owed;
use crate::carrier::Answerer;
use crate::clock::Instant;
use crate::listener::{Listening, Noticed};
use crate::model::{Command, ItemId};
use crate::record::Fact;

/// A machine that has been silent for this long records, tone or not: greetings pause for less.
const NO_TONE: Duration = Duration::from_secs(5);

/// A greeting that is not over by then is none.
const GREETING: Duration = Duration::from_secs(60);

/// A message that has not begun by then will not: a machine stops recording silence about then.
const UNBEGUN: Duration = Duration::from_secs(15);

/// A message longer than this is cut off by many machines.
const MESSAGE: Duration = Duration::from_secs(60);

/// Before a machine is hung up on: time for a human to be heard.
const GRACE: Duration = Duration::from_secs(2);

/// After this long on hold the model is asked, whatever the line sounds like.
const HOLD: Duration = Duration::from_secs(120);

/// A model that is woken and hears nobody finish a sentence in this time is put on hold again.
const WOKEN: Duration = Duration::from_secs(15);

impl Machine {
    /// The carrier's word on who picked up.
    pub(super) fn detected(&mut self, answerer: Answerer, now: Instant) {
        match answerer {
            Answerer::Human => self.take_for(Who::Human, Source::Carrier, now),
            Answerer::Machine => self.take_for(Who::Voicemail, Source::Carrier, now),
            Answerer::Recording => self.records(Source::Carrier, now),
            Answerer::Fax => self.take_for(Who::Fax, Source::Carrier, now),
            Answerer::Unknown => {}
        }
    }

    pub(super) fn noticed(&mut self, noticed: Noticed, now: Instant) {
        match noticed {
            Noticed::Tone => self.records(Source::Tone, now),
            Noticed::Speech if matches!(self.course, Course::Hold { .. }) => {
                self.wake(Source::Speech, now);
            }
            // It was on its way when the hold ended.
            Noticed::Speech => {}
        }
    }

    /// A new verdict, and the course that follows from it.
    pub(super) fn take_for(&mut self, who: Who, by: Source, now: Instant) {
        let open = match self.phase {
            Phase::Queued | Phase::Ringing { .. } | Phase::Talking { .. } => true,
            Phase::Closing { .. }
            | Phase::HandingOver { .. }
            | Phase::Failing { .. }
            | Phase::Over => false,
        };
        let by_line = matches!(by, Source::Carrier | Source::Tone);
        if by_line {
            self.machine = matches!(who, Who::Voicemail | Who::Fax);
        }
        let by_words = matches!(self.by, Source::Model | Source::Speech);
        if !open || (by_line && by_words && who != self.who) {
            return;
        }
        self.met(who);
        if who != self.who {
            self.note(Fact::Answerer { who: who.word(), by: by.word() });
        }
        (self.who, self.by) = (who, by);
        if matches!(self.phase, Phase::Talking { .. }) {
            self.take_course(now);
        }
    }

    /// Whether somebody may be there who can confirm something. Where the line was heard to be a
    /// machine's, neither the model's word for a human is enough nor a voice that speaks into the
    /// message, which may be the machine's: a key is.
    pub(super) fn may_confirm(&self) -> bool {
        self.who.may_be_human() && !self.machine
    }

    /// Does what the verdict calls for; what is being entered is not broken off for it.
    pub(super) fn take_course(&mut self, now: Instant) {
        if self.course == Course::Take {
            return;
        }
        match self.who {
            Who::Human => {
                self.media(Media::Listen(Listening::Nothing));
                self.talk();
            }
            Who::Unknown | Who::Menu => self.talk(),
            Who::Voicemail => self.meet_machine(now),
            Who::Hold => self.hold(now),
            Who::Fax => self.end_soon("fax", now),
        }
    }

    /// Talks, as with a human; what was said to us meanwhile wants an answer.
    fn talk(&mut self) {
        let was = std::mem::replace(&mut self.course, Course::Talk);
        match was {
            Course::Talk | Course::Take | Course::Woken { .. } => {}
            Course::Hold { .. } => {
                self.media(Media::Listen(Listening::Nothing));
                self.turn.owe(Owed::Answer);
            }
            Course::AwaitTone { .. } | Course::Leave { .. } | Course::End { .. } => {
                self.unmute();
                self.turn.waive();
                self.turn.owe(Owed::Answer);
            }
        }
    }

    fn meet_machine(&mut self, now: Instant) {
        // Whoever rings us is no machine of theirs.
        if self.briefing.direction == Direction::Inbound {
            return;
        }
        match (&self.briefing.voicemail, self.course) {
            (_, Course::AwaitTone { .. } | Course::Leave { .. } | Course::End { .. })
            | (Voicemail::Wait, _) => {}
            (Voicemail::HangUp, _) => self.end_soon("voicemail", now),
            (Voicemail::LeaveMessage(_), _) => {
                self.fall_silent();
                self.course = Course::AwaitTone { since: now };
            }
        }
    }

    fn end_soon(&mut self, reason: &'static str, now: Instant) {
        if !matches!(self.course, Course::End { .. }) {
            self.fall_silent();
            self.course = Course::End { since: now, reason };
        }
    }

    /// The machine records from here on.
    fn records(&mut self, by: Source, now: Instant) {
        self.take_for(Who::Voicemail, by, now);
        if self.who == Who::Voicemail && matches!(self.course, Course::AwaitTone { .. }) {
            self.leave_message(now);
        }
    }

    fn leave_message(&mut self, now: Instant) {
        let Voicemail::LeaveMessage(how) = &self.briefing.voicemail else { return };
        self.turn.waive();
        self.turn.owe(Owed::Guided(how.clone()));
        self.course = Course::Leave { since: now, begun: false };
        self.media(Media::Listen(Listening::Nothing));
    }

    /// Stops what we are saying, and lets nothing more of it out.
    fn fall_silent(&mut self) {
        self.opening = Opening::Sounded;
        self.muted = true;
        self.media(Media::Mute);
        self.turn.waive();
        if self.turn.is_speaking() {
            self.fence = self.generation;
            self.media(Media::Flush(self.generation));
        }
        if self.session == Session::Up && self.turn.is_responding() {
            self.tell(Command::Cancel);
        }
    }

    pub(super) fn unmute(&mut self) {
        if std::mem::take(&mut self.muted) {
            self.media(Media::Unmute);
        }
    }

    /// Whether a response may be asked for; the one that makes the message will be heard.
    pub(super) fn may_speak(&self) -> bool {
        match self.course {
            Course::Talk | Course::Leave { .. } | Course::Woken { .. } => true,
            Course::AwaitTone { .. } | Course::End { .. } | Course::Hold { .. } | Course::Take => {
                false
            }
        }
    }

    /// Whether somebody may be listening who would miss us.
    pub(super) fn is_attended(&self) -> bool {
        matches!(self.course, Course::Talk | Course::Woken { .. })
    }

    /// Whether something may be said to somebody: they may be listening, and nobody speaks.
    pub(super) fn is_quiet(&self) -> bool {
        self.is_attended() && !self.turn.is_speaking() && !self.turn.is_caller_speaking()
    }

    /// Whether the conversation rests, with us at hand to go on with it: it is quiet, nothing is
    /// owed, and nobody else is about to take over.
    pub(super) fn is_resting(&self) -> bool {
        self.is_quiet()
            && self.turn.is_still()
            && self.session == Session::Up
            && self.opening != Opening::Due
            && self.transfer.is_none()
    }

    pub(super) fn is_leaving_message(&self) -> bool {
        matches!(self.course, Course::Leave { .. })
    }

    /// A response that nobody hears has begun: into a recording, it is only in the way.
    pub(super) fn responding_unheard(&mut self, tag: Option<u64>) {
        if self.muted
            && tag.is_none()
            && self.is_leaving_message()
            && let Voicemail::LeaveMessage(how) = &self.briefing.voicemail
        {
            // It does not settle that the message is owed.
            self.turn.owe(Owed::Guided(how.clone()));
            self.tell(Command::Cancel);
        }
    }

    /// Words that nobody will hear.
    pub(super) fn said_unheard(&mut self, item: ItemId) {
        if !self.unheard.contains(&item) {
            self.unheard.push(item);
        }
    }

    /// The response is over: the model shall not believe that it was heard.
    pub(super) fn forget_unheard(&mut self) {
        for item in std::mem::take(&mut self.unheard) {
            self.tell(Command::Forget(item));
        }
    }

    pub(super) fn message_begun(&mut self) {
        if let Course::Leave { begun, .. } = &mut self.course {
            *begun = true;
        }
    }

    /// A machine that records does not speak.
    pub(super) fn spoken_into_message(&mut self, now: Instant) {
        if let Course::Leave { begun: true, .. } = self.course {
            self.take_for(Who::Human, Source::Speech, now);
        }
    }

    /// The message is over when all of it has been heard.
    pub(super) fn message_left(&mut self, now: Instant) {
        if matches!(self.course, Course::Leave { begun: true, .. })
            && !self.turn.is_speaking()
            && !self.turn.is_due()
            && !self.completes_message()
        {
            self.leave_line("voicemail_left", now);
        }
    }

    fn leave_line(&mut self, reason: &'static str, now: Instant) {
        self.outputs.push_back(Output::HangUp);
        self.media(Media::Close);
        self.finish(Outcome::Answered, reason.to_owned(), now);
    }

    fn hold(&mut self, now: Instant) {
        if !matches!(self.course, Course::Hold { .. }) {
            self.course = Course::Hold { since: now };
            self.turn.unheard();
            self.media(Media::Listen(Listening::OnHold));
        }
    }

    fn wake(&mut self, by: Source, now: Instant) {
        self.note(Fact::Answerer { who: Who::Unknown.word(), by: by.word() });
        self.met(Who::Unknown);
        (self.who, self.by) = (Who::Unknown, by);
        self.course = Course::Woken { since: now };
        self.active(now);
        self.turn.unheard();
        self.media(Media::Listen(Listening::Nothing));
        let text = if by == Source::Speech {
            "The hold seems to be over: somebody speaks."
        } else {
            "You have been on hold for two minutes. Listen; if there is still only music or \
             silence, call the tool to wait on hold again, else ask whether anybody is there."
        };
        self.whisper(text);
        if by != Source::Speech {
            self.turn.owe(Owed::Guided(text.into()));
        }
    }

    /// Somebody has finished a sentence: then it is not music.
    pub(super) fn sentence_heard(&mut self, words: &Text) {
        if matches!(self.course, Course::Woken { .. }) && !words.as_str().trim().is_empty() {
            self.course = Course::Talk;
        }
    }

    pub(super) fn watch_answer(&mut self, now: Instant) {
        if self.answer_deadline().is_none_or(|then| now < then) {
            return;
        }
        match self.course {
            Course::Talk | Course::Take => {}
            Course::AwaitTone { since } if now >= since + GREETING => {
                self.leave_line("voicemail", now);
            }
            Course::AwaitTone { .. } => self.leave_message(now),
            Course::Leave { begun: true, .. } => self.leave_line("voicemail_left", now),
            Course::Leave { begun: false, .. } => self.leave_line("voicemail", now),
            Course::End { reason, .. } => self.leave_line(reason, now),
            Course::Hold { .. } => self.wake(Source::Time, now),
            Course::Woken { .. } => self.take_for(Who::Hold, Source::Time, now),
        }
    }

    pub(super) fn answer_deadline(&self) -> Option<Instant> {
        match self.course {
            Course::Talk | Course::Take => None,
            Course::AwaitTone { since } if self.turn.is_caller_speaking() => Some(since + GREETING),
            Course::AwaitTone { since } => {
                Some((since.max(self.sign) + NO_TONE).min(since + GREETING))
            }
            Course::Leave { since, begun: true } => Some(since + MESSAGE),
            Course::Leave { since, begun: false } => Some(since + UNBEGUN),
            Course::End { since, .. } => Some(since + GRACE),
            Course::Hold { since } => Some(since + HOLD),
            Course::Woken { since } => Some(since + WOKEN),
        }
    }
}
