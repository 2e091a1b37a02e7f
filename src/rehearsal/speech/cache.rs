//! Utterances that were rendered lately, shared by the whole process and bounded by their bytes.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::{Rate, Speech, Utterance, Voice};

/// The most bytes of samples kept. A dialogue of thirty lines at 24 kHz is about 4 MiB; a load
/// test says the same lines in every call.
const BYTES_MAX: usize = 64 << 20;

/// What makes two utterances the same.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) voice: Voice,
    pub(super) rate: Rate,
    pub(super) speech: Speech,
}

/// The cache of the process.
pub(super) static CACHE: LazyLock<Mutex<Cache>> =
    LazyLock::new(|| Mutex::new(Cache::new(BYTES_MAX)));

/// Looks an utterance up, or makes it outside the lock: two that miss at once both make it.
pub(super) fn get_or_make(key: Key, make: impl FnOnce(&Key) -> Utterance) -> Arc<Utterance> {
    let locked = || CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = locked().found.get(&key) {
        return Arc::clone(found);
    }
    let made = Arc::new(make(&key));
    locked().keep(key, Arc::clone(&made));
    made
}

/// Utterances by what they say, the oldest first to go.
pub(super) struct Cache {
    found: HashMap<Key, Arc<Utterance>>,
    order: VecDeque<Key>,
    bytes: usize,
    bytes_max: usize,
}

impl Cache {
    fn new(bytes_max: usize) -> Self {
        Self { found: HashMap::new(), order: VecDeque::new(), bytes: 0, bytes_max }
    }

    fn keep(&mut self, key: Key, utterance: Arc<Utterance>) {
        let size = size_of_val(utterance.samples.as_slice());
        if size > self.bytes_max || self.found.contains_key(&key) {
            return;
        }
        while self.bytes + size > self.bytes_max {
            let oldest = self.order.pop_front().expect("bytes are held by utterances in order");
            if let Some(gone) = self.found.remove(&oldest) {
                self.bytes -= size_of_val(gone.samples.as_slice());
            }
        }
        self.bytes += size;
        self.order.push_back(key.clone());
        self.found.insert(key, utterance);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_utterances_make_room_and_the_bytes_stay_bounded() {
        let speech = Speech::synthetic_only();
        let key = |n: usize| Key {
            text: format!("line {n:04}"),
            voice: Voice::callee(),
            rate: Rate::Hz8000,
            speech,
        };
        let made = speech.render(&key(0).text, &Voice::callee(), Rate::Hz8000);
        let mut cache = Cache::new(3 * made.samples.len() * 2);
        for n in 0..10 {
            cache.keep(key(n), speech.render(&key(n).text, &Voice::callee(), Rate::Hz8000));
            assert!(cache.bytes <= cache.bytes_max);
        }
        assert_eq!(cache.found.len(), 3);
        assert!(cache.found.contains_key(&key(9)) && !cache.found.contains_key(&key(0)));
    }

    #[test]
    fn the_same_words_are_rendered_once() {
        let speech = Speech::synthetic_only();
        let once = speech.render("Only once.", &Voice::agent(), Rate::Hz8000);
        let again = speech.render("Only once.", &Voice::agent(), Rate::Hz8000);
        assert!(Arc::ptr_eq(&once, &again));
    }
}
