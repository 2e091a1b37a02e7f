//! What the phone side tells, and what the call makes of it.

use std::time::Duration;

use super::{Machine, MediaState, Parting, Phase, Session, millis};
use crate::briefing::{Direction, Lifecycle, Outcome, Text};
use crate::call::event::{Media, Output, Phone};
use crate::call::playout::{Flushed, Source, Spoken};
use crate::call::turn::Owed;
use crate::clock::Instant;
use crate::leg::Broken;
use crate::listener::Listening;
use crate::model::Command;
use crate::record::Fact;

/// When we ring somebody, they may speak first for this long.
const THEY_FIRST: Duration = Duration::from_millis(1_500);

/// How long a call waits for its media to come back: a carrier that can reconnect does so within
/// a few seconds; a caller does not listen to nothing for longer.
const REATTACH: Duration = Duration::from_secs(15);

/// WebSocket close codes of a far end that meant it: normal, going away, none given.
const ORDERLY: [u16; 3] = [1000, 1001, 1005];

/// How far that which opens the call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// It has not been asked for.
    Due,
    /// The model was asked for it, if anything opens the call.
    Asked,
    /// Something of ours has sounded.
    Sounded,
}

impl Machine {
    pub(super) fn phone(&mut self, phone: Phone, now: Instant) {
        match phone {
            Phone::Started => self.started(now),
            Phone::Pressed(digit) => self.pressed(digit, now),
            Phone::Began(source, at) => self.began(&source, at, now),
            Phone::Drained(spoken) => self.drained(spoken, now),
            Phone::Flushed(flushed) => self.flushed(&flushed, now),
            Phone::Noticed(noticed) => self.noticed(noticed, now),
            Phone::Gone(broken) => self.phone_gone(&broken, now),
            Phone::Resumed(gap) => self.repaired("media_in", Some(gap), now),
        }
    }

    fn started(&mut self, now: Instant) {
        self.media = MediaState::Flowing;
        self.active(now);
        if !matches!(self.phase, Phase::Ringing { .. } | Phase::Queued) {
            self.repaired("carrier", None, now);
            return;
        }
        if self.goes_on() {
            return self.go_on_talking(now);
        }
        self.phase = Phase::Talking { since: now };
        if self.session == Session::Opening {
            self.session = Session::Down { since: now, bridged: false };
        }
        self.note(Fact::Lifecycle(Lifecycle::Answered));
        let wait = match self.briefing.direction {
            Direction::Inbound => Duration::ZERO,
            Direction::Outbound => THEY_FIRST,
        };
        self.greet_at = Some(now + wait);
        if self.briefing.direction == Direction::Outbound {
            self.media(Media::Listen(Listening::ForTheTone));
        }
        self.meet_at_door();
        self.take_course(now);
    }

    /// Opens the conversation when both sides are there: at once when they rang us; when we rang
    /// them, after giving them a moment to say who they are.
    pub(super) fn greet(&mut self, now: Instant) {
        let due = self.greet_at.is_some_and(|at| now >= at);
        if !due || !self.opening_is_due() {
            return;
        }
        self.opening = Opening::Asked;
        if !self.is_taken() {
            let opening = self.opening();
            self.turn.owe(opening);
        }
    }

    /// Whether the model may be asked to open the call. Who has spoken by then needs no opening;
    /// but whoever was left in silence is told why, as soon as there is room for it.
    pub(super) fn opening_is_due(&self) -> bool {
        let waits = self.goes_on() && self.is_taken();
        self.opening == Opening::Due && self.session == Session::Up && !waits
    }

    /// Whether somebody has the word, or is to have it.
    fn is_taken(&self) -> bool {
        self.turn.is_due() || self.turn.is_caller_speaking()
    }

    /// The caller speaks up before what was asked for sounds.
    pub(super) fn opening_overtaken(&mut self) {
        if self.goes_on() && self.opening == Opening::Asked {
            self.opening = Opening::Due;
        }
    }

    fn began(&mut self, source: &Source, at: Instant, now: Instant) {
        self.active(now);
        // Speech that runs on has no gap, whatever happened behind it.
        let gap = match self.hushed {
            Some(hushed) => at.saturating_duration_since(hushed),
            None => Duration::ZERO,
        };
        self.hushed = None;
        let waited = self.turn.began(at);
        if let Phase::Closing { speech, .. } = &mut self.phase
            && matches!(speech, Parting::Ordered | Parting::Stored)
        {
            *speech = Parting::Heard;
        }
        if *source == Source::Clip {
            return;
        }
        if self.opening == Opening::Asked {
            self.opening = Opening::Sounded;
        }
        self.message_begun();
        self.introduction_sounds();
        if let Some(waited) = waited {
            self.note(Fact::Replied { ms: millis(waited) });
        }
        self.spoken_again(gap, now);
    }

    /// A stretch of our speech is over, heard to its end or cut off.
    fn hushed(&mut self, spoken: Spoken, now: Instant) {
        self.turn.hushed(now);
        self.hushed = Some(now);
        if spoken != Spoken::default() {
            self.note(Fact::Spoken(spoken));
        }
    }

    fn drained(&mut self, spoken: Spoken, now: Instant) {
        self.active(now);
        self.hushed(spoken, now);
        for turn in self.log.drained() {
            self.heard_of_us(turn);
        }
        self.watch_disclosure();
        self.watch_recording(now);
        self.question_heard(now);
        self.message_left(now);
        self.introduced(now);
        match self.phase {
            Phase::Closing { speech: Parting::Heard, .. } => self.hang_up(now),
            Phase::Closing { speech: Parting::Said, .. } => self.hang_up_if_said(now),
            Phase::HandingOver { .. } => self.hand_over_said(now),
            Phase::Closing { speech: Parting::Ordered | Parting::Stored, .. }
            | Phase::Queued
            | Phase::Ringing { .. }
            | Phase::Talking { .. }
            | Phase::Failing { .. }
            | Phase::Over => {}
        }
    }

    fn flushed(&mut self, flushed: &Flushed, now: Instant) {
        self.hushed(flushed.spoken, now);
        self.disclosure_cut();
        for turn in self.log.flushed(flushed) {
            self.note(Fact::Turn(turn));
        }
        self.note(Fact::BargedIn { heard_ms: flushed.cut.as_ref().map_or(0, |cut| cut.heard_ms) });
        for item in &flushed.unheard {
            self.tell(Command::Forget(item.clone()));
        }
        if let Some(cut) = &flushed.cut {
            let (item, heard_ms) = (cut.item.clone(), cut.heard_ms);
            self.tell(Command::Truncate { item, heard_ms });
        }
    }

    fn phone_gone(&mut self, broken: &Broken, now: Instant) {
        let orderly = match broken {
            Broken::Closed { code, .. } => ORDERLY.contains(code),
            Broken::Failed(_) | Broken::Stuck => false,
        };
        // A carrier takes the media away while it hands the caller over.
        if self.is_transferring() {
            self.media = MediaState::Given;
            return;
        }
        if self.is_joined() {
            self.leave_them(now);
            return;
        }
        if orderly {
            self.remote_hung_up(now);
            return;
        }
        self.media = MediaState::Lost { since: now };
        self.lost("carrier", broken.to_string(), now);
    }

    pub(super) fn watch_media(&mut self, now: Instant) {
        if let MediaState::Lost { since } = self.media
            && now >= since + REATTACH
        {
            // Whoever is still on the line shall not wait there for nobody.
            self.outputs.push_back(Output::HangUp);
            self.finish(Outcome::NetworkError, "media_lost".to_owned(), now);
        }
    }

    pub(super) fn media_deadline(&self) -> Option<Instant> {
        match self.media {
            MediaState::Lost { since } => Some(since + REATTACH),
            MediaState::Awaited | MediaState::Flowing | MediaState::Given => None,
        }
    }

    /// Asks the model to go on where it was cut off.
    pub(super) fn go_on(&mut self) {
        let owed = continuation(self.log.last_said().as_ref());
        self.turn.owe(owed);
    }
}

/// What is asked of the model after an interruption; the words it was cut off after.
fn continuation(after: Option<&Text>) -> Owed {
    match after {
        Some(text) if !text.as_str().trim().is_empty() => {
            let words = text.as_str().trim();
            Owed::Guided(Text(format!(
                "The line was interrupted while you spoke. Do not apologise and do not repeat \
                 yourself. Continue after: \"{words}\""
            )))
        }
        _ => Owed::Answer,
    }
}
