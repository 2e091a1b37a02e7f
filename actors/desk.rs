//! What lies between the two sockets of a call: the caller's last seconds on one side, our
//! speech on its way to the ear on the other, and the counts. Lies in a vault of its own, so
//! that the account survives whoever keeps it.

use std::fmt;
use std::time::Duration;

use crate::audio::{Format, Payload};
use crate::call::event::Generation;
use crate::call::playout::{Flushed, Playout, Source};
use crate::clock::Instant;
use crate::listener::{Listener, Listening, Noticed};
use crate::model::{Event, ResponseId};
use crate::ring::Ring;
use crate::tape::Tape;

/// Frames heard again after a hold, 2 s: the time in which speech is told from music, and a
/// little before it.
const RECALLED: usize = 100;

/// Frames and what became of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// From the phone.
    pub heard: u64,
    /// To the model.
    pub forwarded: u64,
    /// From the model.
    pub spoken: u64,
    /// Of an interrupted response, or while muted: dropped.
    pub stale: u64,
    /// To the phone.
    pub played: u64,
    /// Keys of the phone that came faster than anybody presses them: dropped.
    pub keys_dropped: u64,
}

/// Keys taken in a second. The fastest of machines press twelve: 40 ms of tone, 40 ms of pause
/// (ITU-T Q.24).
const KEYS_A_SECOND: u32 = 16;

/// What lies between the two sockets.
pub struct Desk {
    /// The caller's audio.
    pub ring: Ring,
    /// Our speech.
    pub playout: Playout,
    /// Frames and what became of them.
    pub counts: Counts,
    /// Responses the model has begun.
    pub generation: Generation,
    /// The one that runs.
    pub response: Option<ResponseId>,
    /// Responses up to this one were interrupted: their audio is dropped.
    pub fence: Generation,
    /// When the phone was last heard.
    pub last_heard: Option<Instant>,
    /// When a pump last looked at this desk.
    pub attended: Option<Instant>,
    listener: Listener,
    muted: bool,
    recording: Option<Box<dyn Tape>>,
    recorded: bool,
    listeners: Vec<Box<dyn Tape>>,
    opened: Instant,
    /// The second in which keys are counted, and how many it has brought.
    keys: (Instant, u32),
}

impl Desk {
    /// Nothing heard, nothing to say.
    #[must_use]
    pub fn new(format: Format, tape: Option<Box<dyn Tape>>, opened: Instant) -> Self {
        Self {
            ring: Ring::default(),
            playout: Playout::new(format),
            counts: Counts::default(),
            generation: 0,
            response: None,
            fence: 0,
            last_heard: None,
            attended: None,
            listener: Listener::new(format),
            muted: false,
            recording: tape,
            recorded: true,
            listeners: Vec::new(),
            opened,
            keys: (opened, 0),
        }
    }

    /// The caller's audio came in. Returns what was noticed in it.
    pub fn heard(&mut self, audio: &Payload, now: Instant) -> Option<Noticed> {
        self.counts.heard += 1;
        self.last_heard = Some(now);
        self.listeners.retain(|tape| !tape.is_over());
        let at = self.offset(now);
        if self.is_private() {
            self.tapes().for_each(|tape| tape.passed(at));
            return None;
        }
        self.tapes().for_each(|tape| tape.heard(at, audio));
        self.ring.push(audio);
        if self.is_on_hold() {
            self.ring.forget_but(RECALLED);
        }
        self.listener.hear(audio)
    }

    /// Whether a key of the phone is taken. A flood of them must not fill a lane or the record.
    pub fn takes_key(&mut self, now: Instant) -> bool {
        let (since, pressed) = &mut self.keys;
        if now.saturating_duration_since(*since) >= Duration::from_secs(1) {
            (*since, *pressed) = (now, 0);
        }
        let taken = *pressed < KEYS_A_SECOND;
        if taken {
            *pressed += 1;
        } else {
            self.counts.keys_dropped += 1;
        }
        taken
    }

    /// Changes what the caller's audio is listened to for.
    pub fn listen(&mut self, listening: Listening) {
        self.listener.listen(listening);
    }

    /// Whether the model shall hear nothing.
    #[must_use]
    pub fn is_on_hold(&self) -> bool {
        self.listener.listening() == Listening::OnHold
    }

    /// Whether nobody may hear the caller, and nothing is recorded.
    fn is_private(&self) -> bool {
        self.listener.listening() == Listening::Privately
    }

    /// Throws away what the model says from here on.
    pub fn mute(&mut self) {
        self.muted = true;
    }

    /// Begins or stops to write down what is heard and said. Whoever listens hears it anyway.
    pub fn record(&mut self, on: bool) {
        self.recorded = on;
    }

    /// The recording, while it runs, and whoever listens.
    fn tapes(&mut self) -> impl Iterator<Item = &mut Box<dyn Tape>> {
        let recording = self.recording.iter_mut().filter(|_| self.recorded);
        recording.chain(&mut self.listeners)
    }

    /// Lets the model be heard again.
    pub fn unmute(&mut self) {
        self.muted = false;
    }

    /// Our audio goes out and will be heard at `at`.
    pub fn played(&mut self, audio: &Payload, at: Instant) {
        self.counts.played += 1;
        if !self.is_private() {
            let at = self.offset(at);
            self.tapes().for_each(|tape| tape.played(at, audio));
        }
    }

    /// Tells one more of the call's audio, from here on.
    pub fn tape(&mut self, tape: Box<dyn Tape>) {
        self.listeners.push(tape);
    }

    /// Stops our speech.
    pub fn flush(&mut self, generation: Generation, now: Instant) -> Flushed {
        self.fence = self.fence.max(generation);
        let at = self.offset(now);
        self.tapes().for_each(|tape| tape.flushed(at));
        self.playout.flush(now)
    }

    /// Books an event of the model. Audio stays here; what is left is for RealtimeLink.
    pub fn take(&mut self, event: Event) -> Option<Event> {
        match event {
            Event::Spoke { item, audio, .. } => {
                self.counts.spoken += 1;
                if self.is_fenced() || self.muted {
                    self.counts.stale += 1;
                } else {
                    self.playout.push(&Source::Item(item), audio);
                }
                return None;
            }
            Event::Responding { ref response, .. } => {
                self.generation += 1;
                self.response = Some(response.clone());
            }
            Event::Said { ref item, .. } => self.playout.worded(item),
            Event::CallerStarted(_) => self.ring.turn_began(),
            Event::CallerStopped(_) => self.ring.turn_ended(),
            Event::CallerSaid(..) => self.ring.understood(),
            Event::Ready
            | Event::Expires(_)
            | Event::CallerCommitted(_)
            | Event::CallerWords(..)
            | Event::Asked { .. }
            | Event::Responded { .. }
            | Event::Refused(_)
            | Event::Exhausted(_)
            | Event::Fatal(_) => {}
        }
        Some(event)
    }

    /// Whether the running response was interrupted.
    #[must_use]
    pub fn is_fenced(&self) -> bool {
        self.generation <= self.fence && self.generation > 0
    }

    fn offset(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.opened)
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("counts", &self.counts).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::clock;

    /// A tape that counts what it is told of each side, and of time that passes; nobody wants it
    /// when nobody else holds it.
    #[derive(Clone, Default)]
    struct Counter(Arc<Mutex<[u32; 3]>>);

    impl Tape for Counter {
        fn heard(&mut self, _: Duration, _: &Payload) {
            self.0.lock().unwrap()[0] += 1;
        }

        fn played(&mut self, _: Duration, _: &Payload) {
            self.0.lock().unwrap()[1] += 1;
        }

        fn flushed(&mut self, _: Duration) {}

        fn passed(&mut self, _: Duration) {
            self.0.lock().unwrap()[2] += 1;
        }

        fn is_over(&self) -> bool {
            Arc::strong_count(&self.0) == 1
        }
    }

    #[test]
    fn what_is_private_reaches_neither_the_model_nor_either_side_of_any_tape() {
        let (tape, listener, now) = (Counter::default(), Counter::default(), clock::now());
        let mut desk = Desk::new(Format::Pcm24k, Some(Box::new(tape.clone())), now);
        desk.tape(Box::new(listener.clone()));
        let audio = crate::fake::frame(1);
        for (listening, told) in [
            (Listening::Nothing, [1, 1, 0]),
            (Listening::Privately, [1, 1, 1]),
            (Listening::Nothing, [2, 2, 1]),
        ] {
            desk.listen(listening);
            desk.heard(&audio, now);
            desk.played(&audio, now);
            assert_eq!(*tape.0.lock().unwrap(), told);
            assert_eq!(*listener.0.lock().unwrap(), told);
            let fed = desk.ring.take().is_some();
            assert_eq!(fed, listening == Listening::Nothing);
        }
        assert_eq!(desk.counts.heard, 3, "the phone is there all the while");
    }

    #[test]
    fn a_listener_that_has_gone_is_told_nothing_any_more() {
        let (tape, now) = (Counter::default(), clock::now());
        let mut desk = Desk::new(Format::Pcm24k, Some(Box::new(tape.clone())), now);
        desk.tape(Box::new(Counter::default()));
        desk.heard(&crate::fake::frame(1), now);
        assert_eq!(desk.listeners.len(), 0);
        assert_eq!(*tape.0.lock().unwrap(), [1, 0, 0]);
    }

    #[test]
    fn nothing_is_recorded_until_it_may_be() {
        let (tape, listener, now) = (Counter::default(), Counter::default(), clock::now());
        let mut desk = Desk::new(Format::Pcm24k, Some(Box::new(tape.clone())), now);
        desk.tape(Box::new(listener.clone()));
        let audio = crate::fake::frame(1);
        for (on, told) in [(false, [0, 0, 0]), (true, [1, 1, 0]), (false, [1, 1, 0])] {
            desk.record(on);
            desk.heard(&audio, now);
            desk.played(&audio, now);
            assert_eq!(*tape.0.lock().unwrap(), told);
            assert!(desk.ring.take().is_some(), "the model hears it");
        }
        assert_eq!(*listener.0.lock().unwrap(), [3, 3, 0], "to listen is not to record");
    }

    #[test]
    fn a_flood_of_keys_is_bounded_and_whoever_dials_fast_is_not() {
        let start = clock::now();
        let mut desk = Desk::new(Format::Pcmu8k, None, start);
        let ms = |ms| start + Duration::from_millis(ms);
        assert!((0..120).all(|key| desk.takes_key(ms(key * 80))), "twelve a second");
        assert_eq!(desk.counts.keys_dropped, 0);
        let flood = (0..10_000).filter(|key| desk.takes_key(ms(20_000 + key / 10))).count();
        assert_eq!(flood, 16);
        assert_eq!(desk.counts.keys_dropped, 9_984);
        assert!(desk.takes_key(ms(21_000)), "the next second is its own");
    }
}
