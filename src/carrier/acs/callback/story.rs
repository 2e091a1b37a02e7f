//! What has been told of one call so far. Events come twice, late and in any order: whatever
//! their order, the same is known in the end, and each thing is passed on at most once. Pure:
//! time is an argument.

use std::cmp::Reverse;
use std::time::Duration;

use tandem_actors::call::event::Input;
use tandem_actors::carrier::CarrierCallId;
use tandem_actors::clock::Instant;

use super::{Event, Unheard, What};
use crate::carrier::acs::outcome::{Meaning, Told};
use crate::carrier::acs::seen::Seen;

/// Ids of events that are remembered: a call has some twenty. One that comes again after so many
/// others is looked at again and changes nothing, for what is known only grows.
const IDS: usize = 256;

/// ACS does not deliver for longer than this.
const KEEP: Duration = Duration::from_hours(1);

/// What is known of one call.
#[derive(Debug)]
pub struct Story {
    seen: Seen,
    facts: Facts,
}

/// What is known; it only ever grows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// ACS's name for the call.
    pub call: Option<CarrierCallId>,
    /// Somebody or something picked up.
    pub connected: bool,
    /// How the call ended.
    pub ending: Option<Ending>,
    /// The hand-over.
    pub transfer: Option<Transfer>,
    /// The human who was rung into the call.
    pub guest: Option<Guest>,
    /// The audio did not come.
    pub unheard: bool,
    /// The latest list of parties: its number, and how many.
    pub parties: Option<(u64, usize)>,
}

/// How a call ended. Of two, the greater says more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    rank: u8,
    meaning: Meaning,
    told: Told,
}

impl Ending {
    /// What it means.
    #[must_use]
    pub const fn meaning(&self) -> Meaning {
        self.meaning
    }

    fn key(&self) -> (u8, Reverse<&'static str>, Reverse<&'static str>, Told) {
        let Meaning { outcome, reason } = self.meaning;
        (self.rank, Reverse(reason), Reverse(outcome.word()), self.told)
    }
}

/// How a hand-over went; the later one is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transfer {
    /// It was refused, and may be tried again.
    Failed,
    /// It was carried out.
    Accepted,
}

/// What became of a human whom we rang into the call; the later one is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guest {
    /// They did not come, and may be rung again.
    Absent,
    /// They are in the call.
    Joined,
}

/// What an event comes to.
#[derive(Debug, PartialEq, Eq)]
pub enum News {
    /// ACS's name for the call.
    Placed(CarrierCallId),
    /// The call is over, with ACS's own numbers.
    Ended(Meaning, Told),
    /// The hand-over was carried out, or why not.
    Transferred(Result<(), &'static str>),
    /// The human who was rung into the call is there, or why not.
    Joined(Result<(), &'static str>),
    /// The call has no audio and will have none.
    Unheard,
}

impl News {
    /// For the call; none for what the edge has to deal with.
    #[must_use]
    pub fn into_input(self) -> Option<Input> {
        match self {
            Self::Placed(call) => Some(Input::Placed(call)),
            Self::Ended(Meaning { outcome, reason }, told) => {
                Some(Input::Ended(outcome, format!("{reason} ({told})")))
            }
            Self::Transferred(how) => Some(Input::Transferred(how.map_err(str::to_owned))),
            Self::Joined(how) => Some(Input::Joined(how.map_err(str::to_owned))),
            Self::Unheard => None,
        }
    }
}

/// What became of an event.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// It was news, perhaps for nobody.
    New(Option<News>),
    /// It has been told before.
    Again,
    /// It is about another call than the one whose address it came to.
    Elsewhere,
}

impl Default for Story {
    fn default() -> Self {
        Self { seen: Seen::new(IDS, KEEP), facts: Facts::default() }
    }
}

impl Story {
    /// What is known.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Takes an event. `known` is ACS's name for the call, if an answer of ACS to an order of
    /// ours has told it before.
    pub fn take(&mut self, event: Event, known: Option<CarrierCallId>, now: Instant) -> Taken {
        let has_name = known.is_some();
        let name = known.or_else(|| self.facts.call.clone());
        if name.is_some_and(|name| name != event.call) {
            return Taken::Elsewhere;
        }
        self.facts.call = Some(event.call.clone());
        if !self.seen.is_new(&event.id, now) {
            return Taken::Again;
        }
        let over = self.facts.ending.is_some();
        let news = self.learn(event, has_name);
        // The word on a hand-over says how a call ended that is over: it may come last.
        let counts = |news: &News| !over || matches!(news, News::Transferred(_));
        Taken::New(news.filter(counts))
    }

    fn learn(&mut self, event: Event, has_name: bool) -> Option<News> {
        let facts = &mut self.facts;
        match event.what {
            What::Connected => {
                let first = !std::mem::replace(&mut facts.connected, true);
                (first && !has_name).then_some(News::Placed(event.call))
            }
            What::NotPlaced(meaning, told) => self.end(2, meaning, told),
            What::NotAnswered(meaning, told) => self.end(1, meaning, told),
            What::Disconnected(meaning, told) => self.end(0, meaning, told),
            What::TransferAccepted => {
                let before = facts.transfer.replace(Transfer::Accepted);
                (before != Some(Transfer::Accepted)).then_some(News::Transferred(Ok(())))
            }
            What::TransferFailed(meaning) => {
                if facts.transfer == Some(Transfer::Accepted) {
                    return None;
                }
                facts.transfer = Some(Transfer::Failed);
                Some(News::Transferred(Err(meaning.reason)))
            }
            What::Added => {
                let before = facts.guest.replace(Guest::Joined);
                (before != Some(Guest::Joined)).then_some(News::Joined(Ok(())))
            }
            What::NotAdded(meaning) => {
                if facts.guest == Some(Guest::Joined) {
                    return None;
                }
                facts.guest = Some(Guest::Absent);
                Some(News::Joined(Err(meaning.reason)))
            }
            What::MediaFailed(Unheard::Never) => {
                let first = !std::mem::replace(&mut facts.unheard, true);
                first.then_some(News::Unheard)
            }
            What::Parties { sequence, count } => {
                facts.parties = facts.parties.max(Some((sequence, count)));
                None
            }
            What::MediaFailed(Unheard::ForNow)
            | What::Recording { .. }
            | What::NotRecorded(_)
            | What::Other(_) => None,
        }
    }

    fn end(&mut self, rank: u8, meaning: Meaning, told: Told) -> Option<News> {
        let ending = Ending { rank, meaning, told };
        match &mut self.facts.ending {
            Some(known) if known.key() >= ending.key() => None,
            known => {
                *known = Some(ending);
                Some(News::Ended(meaning, told))
            }
        }
    }
}
