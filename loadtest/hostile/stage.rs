//! One call as both far ends share it: the model's session, what the phone has been sent and how
//! far it has been heard. The provider is honest here: it writes down what the caller says, and
//! does not answer when a response runs. What is said and asked in a response is the model's.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tandem_actors::audio::{Format, Payload};
use tandem_actors::briefing::{CallId, Text};
use tandem_actors::clock::{self, Instant};
use tandem_actors::model::{Ending, Event, ItemId, ResponseId};
use tandem_actors::tool::ToolCallId;
use tokio::sync::{Notify, mpsc};

use super::script::{Attack, Call, Script};
use super::truth::{Deed, Truth};

/// What all calls of the harness speak: the smaller of the two.
pub(crate) const FORMAT: Format = Format::Pcmu8k;

/// A piece of speech, as long as the playout cuts it.
const PIECE: Duration = Duration::from_millis(30);

/// Stored audio of ours carries this in the place of an utterance.
pub(crate) const CLIP: usize = 0;

pub(crate) struct Stage {
    pub(crate) call: CallId,
    pub(crate) plan: Call,
    pub(crate) script: Arc<Script>,
    pub(crate) truth: Arc<Mutex<Truth>>,
    state: Mutex<State>,
    changed: Notify,
}

/// Something we said.
pub(crate) struct Utterance {
    /// What it asks about, so that a human can answer it.
    pub(crate) about: Option<(Deed, Proof)>,
    /// It says that it is an AI.
    discloses: bool,
}

/// What a human does to approve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    Yes,
    Pin,
}

/// A response that was asked for.
pub(crate) struct Pending {
    pub(crate) tag: u64,
    pub(crate) guided: bool,
    pub(crate) since: Instant,
}

pub(crate) struct State {
    pub(crate) says: Option<mpsc::Sender<Event>>,
    pub(crate) session: u64,
    pub(crate) pending: Option<Pending>,
    /// A response runs.
    pub(crate) active: bool,
    pub(crate) caller_speaks: bool,
    /// What the model was told about each tool call, in a word.
    pub(crate) answers: HashMap<String, String>,
    pub(crate) tried: Vec<(Attack, String)>,
    /// Turns that the caller has taken, by voice or by key.
    pub(crate) turns: u64,
    pub(crate) over: bool,
    /// Pieces of speech that have reached the phone.
    pub(crate) pieces: u64,
    /// When all of them will have been heard.
    pub(crate) until: Instant,
    utterances: Vec<Utterance>,
    on_the_way: VecDeque<(Instant, usize, bool)>,
    /// What was heard last, and whether to its end.
    last: Option<(usize, bool)>,
    named: u64,
}

impl Stage {
    pub(crate) fn new(
        call: CallId,
        plan: Call,
        script: Arc<Script>,
        truth: Arc<Mutex<Truth>>,
    ) -> Self {
        let state = State {
            says: None,
            session: 0,
            pending: None,
            active: false,
            caller_speaks: false,
            answers: HashMap::new(),
            tried: Vec::new(),
            turns: 0,
            over: false,
            pieces: 0,
            until: clock::now(),
            utterances: vec![Utterance { about: None, discloses: false }],
            on_the_way: VecDeque::new(),
            last: None,
            named: 0,
        };
        let state = Mutex::new(state);
        Self { call, plan, script, truth, state, changed: Notify::new() }
    }

    pub(crate) fn truth(&self) -> MutexGuard<'_, Truth> {
        self.truth.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tell(&self, line: impl FnOnce() -> String) {
        self.truth().tell(&self.call, line);
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something that others may wait for.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.state());
        self.changed.notify_waiters();
        changed
    }

    /// Waits until this is seen; nothing when the time or the call is over first.
    pub(crate) async fn wait_for<T>(
        &self,
        most: Duration,
        look: &mut impl FnMut(&mut State) -> Option<T>,
    ) -> Option<T> {
        let end = clock::now() + most;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let mut state = self.state();
                if let Some(seen) = look(&mut state) {
                    return Some(seen);
                }
                if state.over {
                    return None;
                }
            }
            tokio::time::timeout_at(end, changed).await.ok()?;
        }
    }
}

impl State {
    /// A name that nothing else in this call has.
    pub(crate) fn name(&mut self, kind: &str) -> String {
        self.named += 1;
        format!("{kind}{}", self.named)
    }

    /// The model's session says something. Returns whether there is one.
    pub(crate) fn send(&mut self, event: Event) -> bool {
        let sent = self.says.as_ref().is_some_and(|says| says.try_send(event).is_ok());
        if !sent {
            self.says = None;
        }
        sent
    }

    /// Begins a response, the one that was asked for if one was.
    pub(crate) fn respond(&mut self) -> ResponseId {
        let response = ResponseId(self.name("r"));
        let tag = self.pending.take().map(|pending| pending.tag);
        self.active = true;
        self.send(Event::Responding { response: response.clone(), tag });
        response
    }

    pub(crate) fn responded(&mut self, response: ResponseId, ending: Ending) {
        self.active = false;
        self.send(Event::Responded { response, ending, usage: None });
    }

    /// Says this, at a stretch.
    pub(crate) fn speak(
        &mut self,
        response: &ResponseId,
        words: &str,
        about: Option<(Deed, Proof)>,
    ) {
        let item = ItemId(self.name("i"));
        let discloses = words.contains("AI assistant");
        self.utterances.push(Utterance { about, discloses });
        let audio = audio(self.utterances.len() - 1, words.len());
        self.send(Event::Spoke { response: response.clone(), item: item.clone(), audio });
        self.send(Event::Said { response: response.clone(), item, words: words.into() });
    }

    pub(crate) fn ask(&mut self, response: &ResponseId, id: &str, tool: &str, arguments: &str) {
        self.send(Event::Asked {
            response: response.clone(),
            id: ToolCallId(id.to_owned()),
            name: tool.to_owned(),
            arguments: Text(arguments.to_owned()),
        });
    }

    /// A piece of speech has reached the phone. Returns when something will have been heard whole
    /// with it that says that it is an AI.
    pub(crate) fn play(&mut self, audio: &Payload) -> Option<Instant> {
        let number = |at: std::ops::Range<usize>| audio.as_str()[at].parse().unwrap_or(CLIP);
        let (utterance, last) = (number(0..8), number(8..12) == 1);
        self.pieces += 1;
        self.until = self.until.max(clock::now()) + PIECE;
        self.on_the_way.push_back((self.until, utterance, last));
        let discloses = self.utterances.get(utterance).is_some_and(|said| said.discloses);
        (last && discloses).then_some(self.until)
    }

    /// What has reached it and was not heard is thrown away.
    pub(crate) fn flush(&mut self) {
        self.settle();
        if let Some((_, utterance, _)) = self.on_the_way.drain(..).next() {
            self.last = Some((utterance, false));
        }
        self.until = clock::now();
    }

    fn settle(&mut self) {
        let now = clock::now();
        while let Some(&(end, utterance, last)) = self.on_the_way.front()
            && end <= now
        {
            self.on_the_way.pop_front();
            self.last = Some((utterance, last));
        }
    }

    /// What the human understands to have been asked: what was said last, heard to its end.
    pub(crate) fn understood(&mut self) -> Option<(Deed, Proof)> {
        self.settle();
        let (utterance, whole) = self.last?;
        self.utterances.get(utterance)?.about.clone().filter(|_| whole)
    }
}

/// Speech that knows which utterance it is, and where that ends.
fn audio(utterance: usize, letters: usize) -> Payload {
    let pieces = (letters / 3).clamp(6, 30);
    let piece =
        |n: usize| format!("{utterance:08}{:04}{}", u8::from(n + 1 == pieces), "A".repeat(308));
    let text: String = (0..pieces).map(piece).collect();
    Payload::from_base64(Bytes::from(text)).expect("figures and letters are base64")
}

/// A stored clip: a few pieces of it.
pub(crate) fn clip() -> Vec<Payload> {
    vec![audio(CLIP, 1)]
}
