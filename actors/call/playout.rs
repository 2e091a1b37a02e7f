//! What the caller has really heard: speech is paced out a little ahead of real time, and every
//! sample of every item is accounted for. Pure; the time is an argument.

use std::collections::VecDeque;
use std::time::Duration;

use crate::audio::{Format, Payload};
use crate::carrier::Mark;
use crate::clock::Instant;
use crate::model::ItemId;

/// Speech sent to the carrier runs at most this far ahead of what is heard: enough to ride over
/// a late wake-up, little enough that a flush is heard at once.
pub const LEAD: Duration = Duration::from_millis(200);

/// Once the lead is full, nothing is sent until it has shrunk to this: five frames a wake-up
/// instead of one.
const REFILL: Duration = Duration::from_millis(100);

/// Audio beyond the last word whose text has come that is still one word, not many: providers
/// send a transcript with its audio, but may fall behind by more at the start of an item.
const ONE_WORD: Duration = Duration::from_millis(500);

/// After the last sound, more of the same speech may come for this long without a break being
/// told: a model that delivers in real time is late by a frame now and then.
const PATIENCE: Duration = Duration::from_millis(100);

/// A carrier whose marks come later than this is not late but broken; its word is not believed.
const MOST_LAG: Duration = Duration::from_secs(1);

/// Speech waiting to be paced out. Four minutes are more than the longest response a provider
/// makes (4,096 tokens); beyond that the rest of a burst is dropped and counted. 15 MiB at worst.
const MOST_WAITING: Duration = Duration::from_mins(4);

/// Items kept in the account: those of the running response and a few before it, whose late
/// audio must not be counted from zero again.
const MOST_ITEMS: usize = 8;

/// Whose audio it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An item of the model.
    Item(ItemId),
    /// A stored clip of ours.
    Clip,
}

/// A piece that should be sent now.
#[derive(Debug)]
pub struct Due {
    /// The audio.
    pub audio: Payload,
    /// When its first sample will be heard.
    pub at: Instant,
    /// Its source when speech begins with it, or with it a new source.
    pub begins: Option<Source>,
    /// To be sent after it when the line has marks.
    pub mark: Option<Mark>,
}

/// What a flush cut off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flushed {
    /// The item that was being heard.
    pub cut: Option<Cut>,
    /// Items of which nothing was heard.
    pub unheard: Vec<ItemId>,
    /// The stretch of speech that ends here, when there was any.
    pub spoken: Spoken,
}

/// A stretch of our speech, from its first sound to the silence after it; nothing when all is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spoken {
    /// Since its first sound was heard.
    pub for_ms: u64,
    /// Milliseconds that the model, or a clip, had for it.
    pub said_ms: u64,
    /// Of these, what was sent to the carrier.
    pub sent_ms: u64,
    /// Of these, what was heard.
    pub heard_ms: u64,
}

/// An item that was heard in part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The item.
    pub item: ItemId,
    /// Milliseconds heard; never more than were received.
    pub heard_ms: u64,
    /// Milliseconds received from the model.
    pub received_ms: u64,
}

/// The queue towards the carrier and the account of what was heard.
#[derive(Debug)]
pub struct Playout {
    format: Format,
    waiting: VecDeque<Piece>,
    waiting_samples: u64,
    /// When everything sent so far will have been heard.
    until: Option<Instant>,
    resting: bool,
    spans: VecDeque<Span>,
    items: Vec<Account>,
    stretch: Stretch,
    marks: VecDeque<(Mark, Instant)>,
    next_mark: u64,
    /// How much later than we reckon the carrier plays, as its marks tell.
    lag: Duration,
    dropped_samples: u64,
}

#[derive(Debug)]
struct Piece {
    source: Source,
    audio: Payload,
    samples: u64,
}

/// Audio on its way to the ear.
#[derive(Debug)]
struct Span {
    source: Source,
    start: Instant,
    samples: u64,
}

#[derive(Debug)]
struct Account {
    source: Source,
    received: u64,
    /// Received when the last words of its text came.
    worded: u64,
    sent: u64,
    heard: u64,
}

/// The speech since the last silence, in samples.
#[derive(Debug, Default)]
struct Stretch {
    since: Option<Instant>,
    received: u64,
    sent: u64,
    heard: u64,
}

impl Playout {
    /// Nothing to say yet.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self {
            format,
            waiting: VecDeque::new(),
            waiting_samples: 0,
            until: None,
            resting: false,
            spans: VecDeque::new(),
            items: Vec::new(),
            stretch: Stretch::default(),
            marks: VecDeque::new(),
            next_mark: 0,
            lag: Duration::ZERO,
            dropped_samples: 0,
        }
    }

    /// Appends audio of any length.
    pub fn push(&mut self, source: &Source, audio: Payload) {
        let samples = audio.samples(self.format);
        if self.format.lasts(self.waiting_samples + samples) > MOST_WAITING {
            self.dropped_samples += samples;
            return;
        }
        self.account(source).received += samples;
        self.stretch.received += samples;
        self.waiting_samples += samples;
        let mut rest = Some(audio);
        while let Some(audio) = rest {
            let (piece, more) = audio.cut(self.format);
            let samples = piece.samples(self.format);
            self.waiting.push_back(Piece { source: source.clone(), audio: piece, samples });
            rest = more;
        }
    }

    /// More words of an item have come: they tell of the audio received so far.
    pub fn worded(&mut self, item: &ItemId) {
        let at = self.items.iter_mut().find(|a| matches!(&a.source, Source::Item(i) if i == item));
        if let Some(account) = at {
            account.worded = account.received;
        }
    }

    /// The session is lost: the beginning of a word whose text has not come, and which is not
    /// yet on its way, is not said. The next session says the word whole.
    pub fn cut_unworded(&mut self) {
        let Some(last) = self.waiting.back().map(|piece| piece.source.clone()) else { return };
        let format = self.format;
        let account = self.account(&last);
        let mut excess = account.received - account.worded;
        if account.worded == 0 || format.lasts(excess) > ONE_WORD {
            return;
        }
        while let Some(piece) = self.waiting.back()
            && piece.source == last
            && piece.samples <= excess
        {
            let samples = piece.samples;
            excess -= samples;
            self.waiting_samples -= samples;
            self.stretch.received -= samples;
            self.account(&last).received -= samples;
            self.waiting.pop_back();
        }
    }

    /// The next piece, when it is time for one. `marked` when the line returns marks.
    pub fn due(&mut self, now: Instant, marked: bool) -> Option<Due> {
        let lead = self.until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        if self.resting && lead > REFILL {
            return None;
        }
        self.resting = false;
        let piece = self.waiting.front()?;
        if lead + self.format.lasts(piece.samples) > LEAD {
            self.resting = true;
            return None;
        }
        self.settle(now);
        let piece = self.waiting.pop_front().expect("the front was seen above");
        self.waiting_samples -= piece.samples;
        let silent = self.until.is_none();
        let start = self.until.map_or(now, |until| until.max(now));
        let end = start + self.format.lasts(piece.samples);
        self.until = Some(end);
        let account = self.account(&piece.source);
        let begins = (silent || account.sent == 0).then(|| piece.source.clone());
        account.sent += piece.samples;
        self.stretch.sent += piece.samples;
        self.stretch.since.get_or_insert(start);
        let span = Span { source: piece.source, start, samples: piece.samples };
        self.spans.push_back(span);
        let mark = (marked && self.ends_a_run(now)).then(|| self.mark(end));
        Some(Due { audio: piece.audio, at: start, begins, mark })
    }

    /// When to look again: for the next piece, or for the moment all will have been heard.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let until = self.until?;
        Some(if self.waiting.is_empty() { until + self.lag + PATIENCE } else { until - REFILL })
    }

    /// What was spoken, when everything has been heard; tells it once.
    pub fn drained(&mut self, now: Instant) -> Option<Spoken> {
        let over = self.waiting.is_empty()
            && self.until.is_some_and(|until| until + self.lag + PATIENCE <= now);
        over.then(|| {
            self.settle(now);
            self.until = None;
            self.resting = false;
            self.spoken(now)
        })
    }

    /// The stretch of speech that is over now.
    fn spoken(&mut self, now: Instant) -> Spoken {
        let Stretch { since, received, sent, heard } = std::mem::take(&mut self.stretch);
        // Its first sound is heard as late as the carrier plays.
        let passed = since.map(|since| now.saturating_duration_since(since + self.lag));
        let for_ms =
            passed.map_or(0, |passed| u64::try_from(passed.as_millis()).unwrap_or(u64::MAX));
        let [said_ms, sent_ms, heard_ms] = [received, sent, heard].map(|n| self.millis(n));
        Spoken { for_ms, said_ms, sent_ms, heard_ms }
    }

    /// Whether anything is waiting or on its way to the ear.
    #[must_use]
    pub fn is_speaking(&self) -> bool {
        self.until.is_some() || !self.waiting.is_empty()
    }

    /// A mark came back: the carrier has played this far.
    pub fn played(&mut self, mark: Mark, now: Instant) {
        while let Some(&(pending, end)) = self.marks.front() {
            if pending > mark {
                return;
            }
            self.marks.pop_front();
            if pending == mark {
                self.lag = now.saturating_duration_since(end).min(MOST_LAG);
            }
        }
    }

    /// Throws away what has not been heard and says what that was. Marks that the carrier
    /// returns for thrown-away audio are not believed afterwards.
    pub fn flush(&mut self, now: Instant) -> Flushed {
        self.settle(now);
        self.settle_begun(now);
        self.waiting.clear();
        self.waiting_samples = 0;
        self.spans.clear();
        self.marks.clear();
        self.until = None;
        self.resting = false;
        let mut flushed = Flushed { spoken: self.spoken(now), ..Flushed::default() };
        for account in std::mem::take(&mut self.items) {
            let Source::Item(item) = account.source else { continue };
            if account.heard == 0 {
                flushed.unheard.push(item);
            } else if account.heard < account.received {
                let heard_ms = self.millis(account.heard);
                let received_ms = self.millis(account.received);
                flushed.cut = Some(Cut { item, heard_ms, received_ms });
            }
        }
        flushed
    }

    /// Samples a too talkative model lost at the bound.
    #[must_use]
    pub const fn dropped_samples(&self) -> u64 {
        self.dropped_samples
    }

    fn ends_a_run(&self, now: Instant) -> bool {
        let lead = self.until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        let next = self.waiting.front().map_or(0, |piece| piece.samples);
        next == 0 || lead + self.format.lasts(next) > LEAD
    }

    fn mark(&mut self, end: Instant) -> Mark {
        let mark = Mark(self.next_mark);
        self.next_mark += 1;
        self.marks.push_back((mark, end));
        mark
    }

    /// Books every piece that has been heard to its end.
    fn settle(&mut self, now: Instant) {
        while let Some(span) = self.spans.front() {
            if span.start + self.format.lasts(span.samples) + self.lag > now {
                return;
            }
            let span = self.spans.pop_front().expect("the front was seen above");
            self.stretch.heard += span.samples;
            self.account(&span.source).heard += span.samples;
        }
    }

    /// Books what has been heard of the piece that is being heard now.
    fn settle_begun(&mut self, now: Instant) {
        let Some(span) = self.spans.front() else { return };
        let passed = now.saturating_duration_since(span.start + self.lag);
        let samples = self.format.samples_in(passed).min(span.samples);
        let source = span.source.clone();
        self.stretch.heard += samples;
        self.account(&source).heard += samples;
    }

    fn account(&mut self, source: &Source) -> &mut Account {
        let at = self.items.iter().position(|account| account.source == *source);
        let at = at.unwrap_or_else(|| {
            let source = source.clone();
            if self.items.len() >= MOST_ITEMS {
                self.items.remove(0);
            }
            self.items.push(Account { source, received: 0, worded: 0, sent: 0, heard: 0 });
            self.items.len() - 1
        });
        &mut self.items[at]
    }

    fn millis(&self, samples: u64) -> u64 {
        samples * 1_000 / u64::from(self.format.rate_hz())
    }
}

#[cfg(test)]
mod tests;
