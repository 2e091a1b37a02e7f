//! Realtime messages to events, commands to Realtime messages. Pure: neither socket nor clock;
//! the moment the session was opened is given.

mod decode;
mod encode;

use std::time::Duration;

use tandem_actors::briefing::Text;
use tandem_actors::leg::Broken;
use tandem_actors::model::{Command, Ending, Event, ItemId};

use super::{Manner, loss};
use crate::socket::Utf8Bytes;
use crate::socket::coded::{self, Decoded, Encoded};

/// The codec of one session.
#[derive(Debug)]
pub struct Codec {
    manner: Manner,
    /// Since 1970, by our clock.
    opened: Duration,
    /// How long to wait after a rate limit, as the server last announced it.
    pause: Duration,
    /// The caller's last turn, while nobody writes it down and nothing has answered it.
    unwritten: Option<ItemId>,
}

impl Codec {
    /// For a session that was opened at this time since 1970.
    #[must_use]
    pub const fn new(manner: Manner, opened: Duration) -> Self {
        Self { manner, opened, pause: loss::RATE_LIMIT_PAUSE, unwritten: None }
    }

    /// Keeps in mind how long the server wants to be left alone.
    fn note(&mut self, event: &Event) {
        if let Event::Exhausted(wait) = event {
            self.pause = *wait;
        } else if is_completed(event) {
            self.pause = loss::RATE_LIMIT_PAUSE;
        }
    }

    /// A server that writes nothing down never says that it understood the caller. A turn counts
    /// as heard, without words, when it has been answered or another one follows: until then a
    /// fresh session must hear its audio again.
    fn unwritten(&mut self, event: Event) -> Decoded<Event> {
        let heard = if let Event::CallerCommitted(item) = &event {
            self.unwritten.replace(item.clone())
        } else if is_completed(&event) {
            self.unwritten.take()
        } else {
            None
        };
        match heard {
            Some(item) => Decoded::Both(Event::CallerSaid(item, Text::default()), event),
            None => Decoded::Event(event),
        }
    }
}

/// Whether it ends a response that said all it had to say.
const fn is_completed(event: &Event) -> bool {
    matches!(event, Event::Responded { ending: Ending::Completed, .. })
}

impl coded::Codec for Codec {
    type Event = Event;
    type Command = Command;

    const FAR_END: &'static str = "openai";
    const MARKS: bool = false;

    fn decode(&mut self, message: &Utf8Bytes) -> Decoded<Event> {
        let decoded = decode::decode(message, self.opened, self.pause);
        let Decoded::Event(event) = decoded else { return decoded };
        self.note(&event);
        if self.manner.transcription.is_some() {
            return Decoded::Event(event);
        }
        self.unwritten(event)
    }

    fn encode(&mut self, command: Command) -> Encoded {
        encode::encode(&command, &self.manner)
    }

    fn last(&self, broken: &Broken) -> Option<Event> {
        match broken {
            Broken::Closed { code, reason } => loss::of_close(*code, reason).map(Event::Fatal),
            Broken::Failed(_) | Broken::Stuck => None,
        }
    }
}
