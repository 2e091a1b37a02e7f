//! Mutated messages of every wire at every decoder: none brings it down, and what is made of a
//! message is no larger than the message. The same mutations at every run.

use std::mem;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tandem::carrier::acs::{self, Rate, callback, event_grid};
use tandem::carrier::asterisk::{self, ari};
use tandem::carrier::convert::Coding;
use tandem::carrier::twilio::form::Form;
use tandem::carrier::twilio::{self, outcome};
use tandem::model::openai;
use tandem::socket::Utf8Bytes;
use tandem::socket::coded::{Codec, Decoded};
use tandem_actors::{carrier, model};

const ACS: &str = include_str!("../fixtures/acs/inbound.jsonl");
const CALLBACKS: &str = include_str!("../fixtures/acs/callbacks.jsonl");
const EVENT_GRID: &str = include_str!("../fixtures/acs/event_grid.jsonl");
const TWILIO: &str = include_str!("../fixtures/twilio/inbound.jsonl");
const FORMS: &str = include_str!("../fixtures/twilio/callbacks.txt");
const ASTERISK: &str = include_str!("../fixtures/asterisk/inbound.jsonl");
const OPENAI: &str = include_str!("../fixtures/openai/inbound.jsonl");
const ARI: &str = include_str!("../fixtures/asterisk/recorded-ari.jsonl");

/// Mutants of each wire: a few seconds for all of them.
const MUTANTS: u32 = 20_000;

/// No mutant is larger than what the doors let through.
const LARGEST: usize = 64 * 1024;

/// A message of the largest size is read in far less on an idle machine; one that takes a decoder
/// more than linear time takes longer than this on any.
const SLOWEST: Duration = Duration::from_secs(2);

/// What parsers stumble over.
const STONES: [&str; 28] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    ":",
    ",",
    "null",
    "true",
    "-",
    "1e999",
    "-1",
    "0.5",
    "18446744073709551616",
    "\\u0000",
    "\\ud800",
    "\\ud83d\\ude00",
    "\u{feff}",
    "\0",
    "\u{1f4de}",
    "%",
    "%ff",
    "%zz",
    "&",
    "=",
    "+",
    "{\"type\":",
];

/// Changes messages, by a seed.
struct Mutator {
    chance: StdRng,
    stock: Vec<&'static [u8]>,
}

impl Mutator {
    fn new(seed: u64) -> Self {
        let all = [ACS, CALLBACKS, EVENT_GRID, TWILIO, FORMS, ASTERISK, OPENAI, ARI];
        let stock = all.into_iter().flat_map(str::lines).map(str::as_bytes).collect();
        Self { chance: StdRng::seed_from_u64(seed), stock }
    }

    fn below(&mut self, most: usize) -> usize {
        self.chance.random_range(0..most.max(1))
    }

    /// A piece of a message, at most 512 bytes of it.
    fn piece(&mut self, of: &[u8]) -> std::ops::Range<usize> {
        let begin = self.below(of.len());
        let length = self.below((of.len() - begin).min(512) + 1);
        begin..begin + length
    }

    fn mutant(&mut self, of: &str) -> Vec<u8> {
        let mut bytes = of.as_bytes().to_vec();
        for _ in 0..=self.below(4) {
            let piece = self.piece(&bytes);
            match self.below(7) {
                0 => bytes[piece].fill_with(|| self.chance.random()),
                1 => drop(bytes.drain(piece)),
                2 => bytes.truncate(piece.start),
                3 => {
                    let times = 1 + self.below(200);
                    let again = bytes[piece.clone()].repeat(times);
                    bytes.splice(piece.start..piece.start, again);
                }
                4 => {
                    let stone = STONES[self.below(STONES.len())];
                    bytes.splice(piece, stone.bytes());
                }
                5 => {
                    let stone = STONES[self.below(STONES.len())];
                    let times = self.below(4_000);
                    bytes.splice(piece.start..piece.start, stone.repeat(times).into_bytes());
                }
                _ => {
                    let at = self.below(self.stock.len());
                    let other = self.stock[at];
                    let graft = self.piece(other);
                    bytes.splice(piece, other[graft].iter().copied());
                }
            }
            bytes.truncate(LARGEST);
        }
        bytes
    }
}

/// Every line as it stands, then its mutants; `take` answers how large what it made of it is.
fn attack(lines: &str, seed: u64, mut take: impl FnMut(&[u8]) -> usize) {
    let lines: Vec<&str> = lines.lines().collect();
    assert!(lines.len() > 2, "the fixture was not found");
    let mut mutator = Mutator::new(seed);
    let nested = ["[", "{\"a\":", "[{\"a\":"].map(|stone| stone.repeat(LARGEST / stone.len()));
    let whole = lines.iter().map(|line| line.as_bytes().to_vec());
    let whole: Vec<_> = whole.chain(nested.map(String::into_bytes)).collect();
    for n in 0..MUTANTS as usize + whole.len() {
        let bytes = match whole.get(n) {
            Some(whole) => whole.clone(),
            None => mutator.mutant(lines[n % lines.len()]),
        };
        let mut measured = || {
            let began = Instant::now();
            let kept = take(&bytes);
            (kept, began.elapsed())
        };
        let (kept, took) = measured();
        // A thread that was not let run is no slow reader: what is slow is so again.
        let is_slow = took >= SLOWEST && measured().1 >= SLOWEST;
        assert!(!is_slow, "number {n} of seed {seed} took {took:?}");
        // A byte that is no text becomes a mark of three.
        assert!(kept <= 3 * bytes.len() + 64, "number {n} of seed {seed}: {kept} bytes are kept");
    }
}

fn text(bytes: &[u8]) -> Utf8Bytes {
    Utf8Bytes::from(String::from_utf8_lossy(bytes).into_owned())
}

/// What a codec made of a message, in bytes.
fn size<Event>(decoded: Decoded<Event>, of: impl Fn(Event) -> usize) -> usize {
    match decoded {
        Decoded::Event(event) => of(event),
        Decoded::Both(first, second) => of(first) + of(second),
        Decoded::Nothing | Decoded::Bad(_) => 0,
        Decoded::Unknown(kind) => kind.len(),
        // A sentence of ours.
        Decoded::Hopeless(why) => why.len().saturating_sub(64),
    }
}

fn of_phone(event: carrier::Event) -> usize {
    match event {
        carrier::Event::Heard(audio) => audio.as_str().len(),
        carrier::Event::Started
        | carrier::Event::Pressed(_)
        | carrier::Event::Played(_)
        | carrier::Event::Stopped => 0,
    }
}

fn of_model(event: model::Event) -> usize {
    use model::Event;
    match event {
        Event::Spoke { response, item, audio } => {
            response.0.len() + item.0.len() + audio.as_str().len()
        }
        Event::Said { response, item, words } => {
            response.0.len() + item.0.len() + words.as_str().len()
        }
        Event::Asked { response, id, name, arguments } => {
            response.0.len() + id.0.len() + name.len() + arguments.as_str().len()
        }
        Event::CallerWords(item, words) | Event::CallerSaid(item, words) => {
            item.0.len() + words.as_str().len()
        }
        Event::CallerStarted(item) | Event::CallerStopped(item) | Event::CallerCommitted(item) => {
            item.0.len()
        }
        Event::Responding { response, .. } | Event::Responded { response, .. } => response.0.len(),
        Event::Ready
        | Event::Expires(_)
        | Event::Refused(_)
        | Event::Exhausted(_)
        | Event::Fatal(_) => 0,
    }
}

#[test]
fn media_of_acs() {
    // A codec that has seen much must be as safe as a fresh one.
    let mut codec = acs::codec::Codec::new(Rate::Hz24000);
    attack(ACS, 1, |bytes| size(codec.decode(&text(bytes)), of_phone));
}

#[test]
fn callbacks_and_ringing_phones_of_azure() {
    attack(CALLBACKS, 2, |bytes| callback::read(bytes).map_or(0, |told| told.len()));
    attack(EVENT_GRID, 3, |bytes| event_grid::read(bytes).map_or(0, |told| told.len()));
}

#[test]
fn media_of_twilio() {
    let mut codec = twilio::codec::Codec::new("MZ00");
    attack(TWILIO, 4, |bytes| size(codec.decode(&text(bytes)), of_phone));
}

#[test]
fn forms_of_twilio() {
    attack(FORMS, 5, |bytes| {
        let form = Form::read(bytes);
        let _read = outcome::read(&form);
        form.fields().map(|(name, value)| name.len() + value.len()).sum()
    });
}

#[test]
fn media_and_events_of_asterisk() {
    let mut codec = asterisk::codec::Codec::new(Coding::Pcm24k);
    attack(ASTERISK, 6, |bytes| {
        let heard = codec.decode_binary(&Bytes::copy_from_slice(bytes));
        let told = codec.decode(&text(bytes));
        size(heard, of_phone).max(size(told, of_phone))
    });
    attack(ARI, 7, |bytes| ari::read(&text(bytes)).map_or(0, |_| 0));
}

#[test]
fn events_of_the_model() {
    let opened = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let manner = openai::Manner { transcription: Some("t".to_owned()), ..Default::default() };
    let mut codec = openai::codec::Codec::new(manner, opened);
    attack(OPENAI, 8, |bytes| size(codec.decode(&text(bytes)), of_model));
    // This codec keeps one item in mind, which a later message may bring to light: it was paid for
    // by the message that named it, and there is never more than that one.
    let mut codec = openai::codec::Codec::new(openai::Manner::default(), opened);
    let mut in_mind = 0;
    attack(OPENAI, 9, |bytes| {
        let decoded = codec.decode(&text(bytes));
        let decoded = if let Decoded::Both(of_before, event) = decoded {
            assert_eq!(of_model(of_before), mem::take(&mut in_mind));
            Decoded::Event(event)
        } else {
            decoded
        };
        if let Decoded::Event(model::Event::CallerCommitted(item)) = &decoded {
            in_mind = item.0.len();
        }
        size(decoded, of_model)
    });
}
