//! What humans are told before they meet a caller: each text has an address that says nothing,
//! and is given out once. Knows no socket and no clock.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tandem_actors::briefing::Text;
use tandem_actors::clock::Instant;

/// Bytes of a name: beyond guessing.
const NAME: usize = 24;

/// Nobody asks for a text later: a phone rings for twenty seconds, and Twilio is a slow caller at
/// times.
const KEPT: Duration = Duration::from_mins(2);

/// Texts that wait for a human to pick up.
#[derive(Default)]
pub(super) struct Whispers(Mutex<BTreeMap<String, Whisper>>);

struct Whisper {
    words: Text,
    since: Instant,
}

impl fmt::Debug for Whispers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Whispers(…)")
    }
}

impl Whispers {
    /// Keeps a text; returns the name by which it is asked for.
    pub(super) fn keep(&self, words: Text, now: Instant) -> String {
        let name = URL_SAFE_NO_PAD.encode(rand::random::<[u8; NAME]>());
        self.lock().insert(name.clone(), Whisper { words, since: now });
        name
    }

    /// Gives a text out, and forgets it.
    pub(super) fn take(&self, name: &str) -> Option<Text> {
        self.lock().remove(name).map(|whisper| whisper.words)
    }

    /// Forgets what nobody asked for.
    pub(super) fn tidy(&self, now: Instant) {
        self.lock().retain(|_, whisper| now < whisper.since + KEPT);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Whisper>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tandem_actors::clock;

    use super::*;

    #[test]
    fn a_text_is_given_out_once_and_is_not_kept_for_ever() {
        let (whispers, now) = (Whispers::default(), clock::now());
        let (first, second) = (whispers.keep("one".into(), now), whispers.keep("two".into(), now));
        assert_ne!(first, second);
        assert_eq!(whispers.take(&first), Some("one".into()));
        assert_eq!(whispers.take(&first), None);
        whispers.tidy(now + KEPT / 2);
        let third = whispers.keep("three".into(), now + KEPT / 2);
        whispers.tidy(now + KEPT);
        assert_eq!(whispers.take(&second), None, "it is too old");
        assert_eq!(whispers.take(&third), Some("three".into()));
    }
}
