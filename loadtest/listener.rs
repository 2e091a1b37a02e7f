//! What one phone hears: the pieces of the answer, when they began, and what faults did to them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tandem::rehearsal::phone::{Ending, Phone, Sound};
use tokio::sync::mpsc;
use tokio::time::timeout_at;

use crate::faults::Kind;
use crate::transcript::{self, Answer, Disturbed, EXCUSES};
use crate::world::{Live, World, Wound};

/// How long after a fault a silence is its fault.
const AFTERMATH: Duration = Duration::from_secs(2);

/// Ears with a memory of one turn.
pub(crate) struct Listener {
    sounds: mpsc::Receiver<Sound>,
    live: Arc<Live>,
    demanded: String,
    heard: Vec<String>,
    /// When what is being heard began, until it is known whether it is an excuse.
    onset: Option<Instant>,
    /// When the phone had finished its sentence.
    asked: Option<Instant>,
    reply: Option<Duration>,
    disturbed: Disturbed,
    open: Vec<Open>,
    ended: Option<Ending>,
}

/// A fault whose cost is not known yet.
struct Open {
    wound: Wound,
    gap: Option<Duration>,
    resumed: Option<Duration>,
}

impl Listener {
    pub(crate) fn new(sounds: mpsc::Receiver<Sound>, live: Arc<Live>) -> Self {
        Self {
            sounds,
            live,
            demanded: String::new(),
            heard: Vec::new(),
            onset: None,
            asked: None,
            reply: None,
            disturbed: Disturbed::No,
            open: Vec::new(),
            ended: None,
        }
    }

    /// A turn begins that demands this answer.
    pub(crate) fn begin(&mut self, demanded: &str) {
        demanded.clone_into(&mut self.demanded);
        self.heard.clear();
        self.asked = None;
        self.reply = None;
        self.disturbed = Disturbed::No;
    }

    /// The phone has finished its sentence.
    pub(crate) fn asked(&mut self, at: Instant) {
        self.asked = Some(at);
    }

    /// How the line ended, when it has.
    pub(crate) fn ended(&self) -> Option<Ending> {
        self.ended
    }

    /// How many pieces were heard in this turn.
    pub(crate) fn pieces(&self) -> usize {
        self.heard.len()
    }

    /// From the end of the sentence to the first sound of the answer.
    pub(crate) fn reply(&self) -> Option<Duration> {
        self.reply
    }

    /// Whether nothing more has to be waited for: the answer is whole, or wrong beyond repair.
    pub(crate) fn is_answered(&self) -> bool {
        self.judge().0 != Answer::Lost
    }

    /// What became of the answer, and what was heard.
    pub(crate) fn judge(&self) -> (Answer, &[String]) {
        let heard = self.heard.iter().map(String::as_str);
        (transcript::judge(&self.demanded, heard, self.disturbed), &self.heard)
    }

    /// Listens until this moment, whatever is heard.
    pub(crate) async fn listen_until(&mut self, phone: &Phone, world: &World, end: Instant) {
        while self.ended.is_none() && Instant::now() < end {
            self.listen(phone, world, end).await;
        }
    }

    /// Waits for one sound, until this moment at the longest.
    pub(crate) async fn listen(&mut self, phone: &Phone, world: &World, give_up: Instant) {
        let heard = timeout_at(give_up.into(), self.sounds.recv()).await;
        let now = Instant::now();
        self.take_wounds();
        match heard {
            Err(_) => {}
            // The phone's task is gone without a word.
            Ok(None) => self.ended = self.ended.or(Some(Ending::Lost)),
            Ok(Some(sound)) => self.hear(sound, now),
        }
        let holes = phone.account().underrun_total;
        self.live.holes(holes);
        for open in &mut self.open {
            if open.gap.is_none() && now.duration_since(open.wound.at) >= AFTERMATH {
                open.gap = Some(holes.saturating_sub(open.wound.hole));
            }
        }
        self.close(world, Settle::Finished);
    }

    /// Closes the account of every fault of this turn.
    pub(crate) fn settle(&mut self, phone: &Phone, world: &World) {
        self.take_wounds();
        let holes = phone.account().underrun_total;
        for open in &mut self.open {
            open.gap.get_or_insert(holes.saturating_sub(open.wound.hole));
        }
        self.close(world, Settle::All);
    }

    fn take_wounds(&mut self) {
        for wound in self.live.take_wounds() {
            self.disturbed = Disturbed::Yes;
            self.open.push(Open { wound, gap: None, resumed: None });
        }
    }

    fn hear(&mut self, sound: Sound, now: Instant) {
        match sound {
            Sound::Onset => self.onset = Some(now),
            Sound::Words(words) => {
                self.live.hears(self.percent(&words));
                self.perhaps_resumed(&words);
            }
            Sound::Said { text, account: _ } => {
                self.live.hears(0);
                self.perhaps_resumed(&text);
                self.onset = None;
                self.heard.push(text);
            }
            Sound::Flushed | Sound::Key(_) => {}
            Sound::Ended(ending) => self.ended = Some(ending),
        }
    }

    /// How much of the answer these words and those before are, in percent, at least one.
    fn percent(&self, words: &str) -> u8 {
        let before: usize = self.heard.iter().map(String::len).sum();
        let whole = self.demanded.len().max(1);
        ((before + words.len()) * 100 / whole).clamp(1, 100) as u8
    }

    /// Speech has gone on when what began after a fault turns out to be no excuse.
    fn perhaps_resumed(&mut self, words: &str) {
        let Some(onset) = self.onset else { return };
        let sounds_like = transcript::words(words).join(" ");
        if sounds_like.is_empty() || EXCUSES.iter().any(|excuse| excuse.starts_with(&sounds_like)) {
            return;
        }
        self.onset = None;
        if let (Some(asked), None) = (self.asked, self.reply) {
            self.reply = Some(onset.saturating_duration_since(asked));
        }
        for open in &mut self.open {
            if open.wound.in_speech && open.resumed.is_none() && onset >= open.wound.at {
                open.resumed = Some(onset - open.wound.at);
            }
        }
    }

    fn close(&mut self, world: &World, which: Settle) {
        self.open.retain(|open| {
            let waits = open.wound.kind == Kind::ModelCut && open.resumed.is_none();
            if which == Settle::Finished && (open.gap.is_none() || waits) {
                return true;
            }
            let gap = open.gap.filter(|_| open.wound.in_speech);
            world.tally().cost(open.wound.fault, gap, open.resumed);
            false
        });
    }
}

/// Which faults are done with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Settle {
    /// Those whose cost is known.
    Finished,
    /// All.
    All,
}
