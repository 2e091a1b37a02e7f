//! What the caller hears while a tool takes long: nothing for a fast one, a phrase at two seconds,
//! others every few seconds after that. The model says them beside the conversation; stored audio
//! does when it cannot. Never two voices at once, and none once the result is there.

use std::time::Duration;

use super::{Machine, Session};
use crate::briefing::Text;
use crate::call::event::{Clip, Media};
use crate::clock::Instant;
use crate::model::{Command, ResponseId};

/// A tool that takes longer than this gets a filler: silence of three seconds feels broken.
const FIRST: Duration = Duration::from_secs(2);

/// From the end of what was said last to the next one: often enough to be there, seldom enough
/// not to chatter.
const NEXT: Duration = Duration::from_secs(4);

/// After this many nothing new can be said; a tool's deadline ends the waiting.
const MOST: usize = 6;

/// What is said one after the other, where a tool has no words of its own for the first.
const WORDS: [&str; MOST] = [
    "One moment, I am looking into it.",
    "It takes a little longer, I am still on it.",
    "Thank you for waiting, I am still working on it.",
    "This is slower than usual. I am still here.",
    "I am still waiting for the answer.",
    "Thank you for your patience, it should not be long.",
];

/// The fillers of one wait.
#[derive(Debug, Default)]
pub(super) struct Fillers {
    /// How many have been asked for.
    said: usize,
    /// The one that was asked for last.
    tag: Option<u64>,
    /// The response that says it, until it has ended.
    response: Option<ResponseId>,
}

impl Machine {
    /// Says the next filler, when it is time.
    pub(super) fn fill(&mut self, now: Instant) {
        if self.ledger.waiting_since().is_none() {
            self.fillers.said = 0;
            return;
        }
        if self.fill_deadline().is_none_or(|then| now < then) {
            return;
        }
        let nth = self.fillers.said;
        self.fillers.said += 1;
        if self.session != Session::Up {
            // One stored phrase; what follows on a lost link is the link's business.
            return self.media(Media::Play(Clip::Bridge));
        }
        let own = self.ledger.oldest_open().and_then(|row| {
            let mut tools = self.briefing.tools.iter();
            tools.find(|promise| promise.name == row.job.name)?.filler.clone()
        });
        let words = own.filter(|_| nth == 0).unwrap_or_else(|| WORDS[nth].into());
        let Some(tag) = self.turn.aside(now) else { return };
        self.fillers.tag = Some(tag);
        let instructions = Text(format!(
            "A tool is still at work. In the language of the conversation, say this to the \
             caller and nothing else. Say exactly: \"{}\"",
            words.as_str()
        ));
        self.tell(Command::Aside { tag, instructions });
    }

    pub(super) fn fill_deadline(&self) -> Option<Instant> {
        let since = self.ledger.waiting_since()?;
        let again = if self.session == Session::Up { MOST } else { 1 };
        let quiet = self.is_quiet() && self.turn.is_free() && self.fillers.said < again;
        let pause = if self.fillers.said == 0 { FIRST } else { NEXT };
        quiet.then(|| self.sign.max(since) + pause)
    }

    /// Whether this response says a filler.
    pub(super) fn is_filler(&self, tag: Option<u64>) -> bool {
        tag.is_some() && tag == self.fillers.tag
    }

    /// A response begins: when it is the filler it is known from here on; when it is another one
    /// the filler must not speak into it.
    pub(super) fn filler_begun(&mut self, response: &ResponseId, tag: Option<u64>) {
        if self.is_filler(tag) {
            self.fillers.response = Some(response.clone());
        } else {
            self.stop_filler();
        }
    }

    pub(super) fn filler_ended(&mut self, response: &ResponseId) {
        if self.fillers.response.as_ref() == Some(response) {
            self.fillers.response = None;
        }
    }

    /// The session that was saying it is gone.
    pub(super) fn filler_lost(&mut self) {
        self.fillers.response = None;
    }

    /// The result is there: a filler that has not begun to sound is not wanted any more.
    pub(super) fn withdraw_filler(&mut self) {
        if !self.turn.is_speaking() {
            self.stop_filler();
        }
    }

    /// Stops the filler that is being said, if there is one.
    pub(super) fn stop_filler(&mut self) {
        if let Some(response) = self.fillers.response.take() {
            self.tell(Command::CancelAside(response));
        }
    }
}
