//! That we are an AI, where that has to be known first: until whoever is there has heard it said to
//! its end, nothing is done outside the line. What the model believes to have said is not looked
//! at, only what was heard of it.

use super::Machine;
use crate::briefing::Text;
use crate::call::answer::Who;
use crate::call::disclosure;
use crate::call::turn::Owed;
use crate::clock::Instant;
use crate::record::{Fact, Turn};
use crate::tool::{Done, Own, ToolCallId, Verdict};

/// How the model is asked to say it.
const ORDER: &str = "The other side has to know that you are an AI. Say so now, in one short \
sentence of its own and in their language: that you are an AI assistant. Say nothing else and \
call no tool.";

/// What the person knows who is there.
#[derive(Debug, Default)]
pub(super) struct Disclosure {
    /// The number of a turn that says it, until it is certain that nothing of it is missing.
    said: Option<u64>,
    heard: bool,
    /// A tool was refused for want of it.
    wanted: bool,
    /// A message without it is being completed.
    added: bool,
}

impl Machine {
    /// Whether it is still to be heard.
    pub(super) const fn owes_disclosure(&self) -> bool {
        self.briefing.discloses && !self.disclosure.heard
    }

    /// A tool is asked for too early: the model is asked to say it, unless it is just being said.
    pub(super) fn disclose_first(&mut self, id: &ToolCallId, now: Instant) {
        let suggestion = "say first that you are an AI: they have not heard it to its end. You \
                          will be told when they have; then call this again";
        let done = Done::fault(Verdict::User, "not_disclosed", "", suggestion);
        if !self.told_quietly(id, done, now) {
            return;
        }
        self.disclosure.wanted = true;
        let language = self.briefing.language.as_deref();
        if !self.log.is_saying(|words| disclosure::names_an_ai(words, language)) {
            self.turn.owe(Owed::Guided(ORDER.into()));
        }
    }

    /// A turn of ours has been heard to the end of what there is of it.
    pub(super) fn heard_of_us(&mut self, turn: Turn) {
        let language = self.briefing.language.as_deref();
        let discloses = disclosure::names_an_ai(turn.text.as_str(), language);
        self.heard_of_recording(turn.text.as_str());
        self.note(Fact::Turn(turn));
        if discloses {
            self.disclosure.said = Some(self.facts);
        }
    }

    /// What we said was cut off.
    pub(super) fn disclosure_cut(&mut self) {
        self.disclosure.said = None;
        self.recorded.cut();
    }

    /// Nothing more comes of what was said: then it has been heard whole.
    pub(super) fn watch_disclosure(&mut self) {
        let whole = !self.turn.is_speaking() && !self.turn.is_responding();
        if !self.owes_disclosure() || !whole {
            return;
        }
        let Some(turn) = self.disclosure.said.take() else { return };
        self.disclosure.heard = true;
        self.note(Fact::DisclosureHeard { turn });
        if std::mem::take(&mut self.disclosure.wanted) {
            self.whisper(
                "They have heard that you are an AI. Go on: call again what was refused, if it is \
                 still wanted.",
            );
            self.turn.owe(Owed::Answer);
        }
    }

    /// Somebody else may be there from here on, to whom it has not been said.
    pub(super) fn met(&mut self, who: Who) {
        let was_nobody = !self.who.may_be_human();
        if was_nobody && who.may_be_human() {
            self.disclosure = Disclosure::default();
            self.forget_recording();
        }
    }

    /// Whether a message that is over does not say it; it is asked to, once.
    pub(super) fn completes_message(&mut self) -> bool {
        let lacks = self.owes_disclosure() && !std::mem::replace(&mut self.disclosure.added, true);
        if lacks {
            self.turn.owe(Owed::Guided(Text::from(ORDER)));
        }
        lacks
    }
}

/// Whether the call does this on its own line alone.
pub(super) const fn is_of_the_line(own: Option<&Result<Own, String>>) -> bool {
    match own {
        Some(Ok(Own::HangUp | Own::Report(_) | Own::Press(_) | Own::WaitOnHold) | Err(_)) => true,
        Some(Ok(Own::Transfer(_) | Own::Take(..))) | None => false,
    }
}
