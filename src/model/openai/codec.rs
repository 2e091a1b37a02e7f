//! Realtime messages to events, commands to Realtime messages. Pure: neither socket nor clock;
//! the moment the session was opened is given.

mod decode;
mod encode;

use std::time::Duration;

use tandem_actors::leg::Broken;
use tandem_actors::model::{Command, Event, Loss};

use super::Listening;
use crate::socket::Utf8Bytes;
use crate::socket::coded::{self, Decoded, Encoded};

/// Codes that no second try will change: the key, the account, the money, the protocol.
const FINAL_CODES: [&str; 5] = [
    "insufficient_quota",
    "invalid_api_key",
    "account_deactivated",
    "billing_hard_limit_reached",
    "beta_api_shape_disabled",
];

/// The pause after `rate_limit_exceeded`, which names none in a field: token limits refill over
/// a minute, so a part of one is back soon.
const RATE_LIMIT_PAUSE: Duration = Duration::from_secs(2);

/// Characters of a provider's code that are kept; the longest seen has 40.
const CODE_CHARS: usize = 64;

/// The codec of one session.
#[derive(Debug)]
pub struct Codec {
    listening: Listening,
    /// Since 1970, by our clock.
    opened: Duration,
}

impl Codec {
    /// For a session that was opened at this time since 1970.
    #[must_use]
    pub const fn new(listening: Listening, opened: Duration) -> Self {
        Self { listening, opened }
    }
}

impl coded::Codec for Codec {
    type Event = Event;
    type Command = Command;

    const FAR_END: &'static str = "openai";
    const MARKS: bool = false;

    fn decode(&mut self, message: &Utf8Bytes) -> Decoded<Event> {
        decode::decode(message, self.opened)
    }

    fn encode(&mut self, command: Command) -> Encoded {
        encode::encode(&command, &self.listening)
    }

    fn last(&self, broken: &Broken) -> Option<Event> {
        match broken {
            Broken::Closed { code, reason } => loss_of_close(*code, reason).map(Event::Fatal),
            Broken::Failed(_) | Broken::Stuck => None,
        }
    }
}

/// What a close code says beyond that the session is over: 1001 is its longest duration; 3000 a
/// refusal after the handshake, its code the last part of the reason
/// (`invalid_request_error.invalid_api_key`); 4000 the beta protocol refused.
fn loss_of_close(code: u16, reason: &str) -> Option<Loss> {
    match code {
        1001 => Some(Loss::Passing("session_expired".to_owned())),
        3000 | 4000 => {
            let word = clean(reason.rsplit('.').next().unwrap_or_default());
            Some(Loss::Final(if word.is_empty() { format!("closed_{code}") } else { word }))
        }
        _ => None,
    }
}

/// A provider's code, fit for a log.
fn clean(code: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    code.chars().filter(plain).take(CODE_CHARS).collect()
}
