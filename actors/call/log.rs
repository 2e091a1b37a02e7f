//! The conversation: who said what, in item order; of our own speech, what was heard. What leaves
//! it has no card number, code, PIN or password in it. Pure.

use crate::briefing::Text;
use crate::call::playout::{Cut, Flushed};
use crate::call::restricted;
use crate::model::{Entry, ItemId};
use crate::record::{Speaker, Turn};
use crate::tool::ToolCallId;

/// Entries replayed into a fresh session at most: a provider's window holds far more, but the
/// replay must fit into the moment before the caller notices. The oldest are left out.
const MOST_REPLAYED: usize = 200;

/// The conversation so far.
#[derive(Debug, Default)]
pub struct Log {
    lines: Vec<Line>,
}

#[derive(Debug)]
enum Line {
    /// `noted` is the number under which it stands in the record.
    Caller {
        item: ItemId,
        text: Option<Text>,
        noted: u64,
    },
    Agent {
        item: ItemId,
        text: Text,
        heard: Heard,
    },
    Note(Text),
    Asked {
        id: ToolCallId,
        name: String,
        arguments: Text,
    },
    Answered {
        id: ToolCallId,
        output: Text,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    /// It is still being said.
    Saying,
    /// To the end of what was received.
    Whole,
    /// In part, or not at all; the text has been cut to it.
    Cut,
}

/// What the caller's words come to.
#[derive(Debug, Default)]
pub struct Said {
    /// The turn, if there are any words.
    pub turn: Option<Turn>,
    /// Turns noted before, each by its number, of which less is to be kept now.
    pub masked: Vec<(u64, Text)>,
}

impl Log {
    /// Something of the conversation before the server was lost.
    pub fn recall(&mut self, entry: Entry) {
        let item = ItemId(format!("before-{}", self.lines.len()));
        self.lines.push(match entry {
            Entry::Caller(text) => Line::Caller { item, text: Some(text), noted: 0 },
            Entry::Agent(text) => Line::Agent { item, text, heard: Heard::Whole },
            Entry::Note(text) => Line::Note(text),
            Entry::Asked { id, name, arguments } => Line::Asked { id, name, arguments },
            Entry::Answered { id, output } => Line::Answered { id, output },
        });
    }

    /// The caller's words became an item; they are not known yet.
    pub fn caller_item(&mut self, item: ItemId) {
        if !self.lines.iter().any(|line| line.is(&item)) {
            self.lines.push(Line::Caller { item, text: None, noted: 0 });
        }
    }

    /// The caller's words are known, and are kept as far as they may be. Nothing comes of them
    /// when the item is known already or they are empty.
    pub fn caller_said(&mut self, item: &ItemId, words: &Text) -> Said {
        self.caller_item(item.clone());
        let Some(at) = self.lines.iter().position(|line| line.is(item)) else {
            return Said::default();
        };
        let asked = self.asked_before(at);
        if let Line::Caller { text: text @ None, .. } = &mut self.lines[at] {
            *text = Some(Text(restricted::mask(words.as_str().trim(), asked)));
        } else {
            return Said::default();
        }
        let masked = self.mask_across(at);
        Said { turn: self.lines[at].turn(), masked }
    }

    /// The caller's words stand in the record under this number.
    pub fn noted(&mut self, wanted: &ItemId, number: u64) {
        for line in &mut self.lines {
            if let Line::Caller { item, noted, .. } = line
                && item == wanted
            {
                *noted = number;
            }
        }
    }

    /// What may be kept of an answer that was not spoken.
    #[must_use]
    pub fn answer_kept(&self, answer: &str) -> String {
        restricted::mask(answer, self.asked_before(self.lines.len()))
    }

    /// What we asked for last before this line.
    fn asked_before(&self, at: usize) -> Option<restricted::What> {
        let ours = |line: &Line| match line {
            Line::Agent { text, .. } => Some(restricted::asked(text.as_str())),
            Line::Caller { .. } | Line::Note(_) | Line::Asked { .. } | Line::Answered { .. } => {
                None
            }
        };
        self.lines[..at].iter().rev().find_map(ours).flatten()
    }

    /// Masks a card number that began in the turns before this one. Returns what is left of those.
    fn mask_across(&mut self, at: usize) -> Vec<(u64, Text)> {
        let mut turns: Vec<(&mut Text, u64)> = Vec::new();
        for line in &mut self.lines[..=at] {
            if let Line::Caller { text: Some(text), noted, .. } = line {
                turns.push((text, *noted));
            }
        }
        let words: Vec<&str> = turns.iter().map(|(text, _)| text.as_str()).collect();
        let masked = restricted::mask_across(&words).unwrap_or_default();
        let first = turns.len() - masked.len();
        let mut earlier: Vec<(u64, Text)> = Vec::new();
        for ((text, noted), masked) in turns.into_iter().skip(first).zip(masked) {
            *text = Text(masked);
            earlier.push((noted, text.clone()));
        }
        // The last is the turn itself, which is yet to be noted.
        earlier.pop();
        earlier
    }

    /// More words of ours.
    pub fn said(&mut self, item: &ItemId, words: &Text) {
        let known = self.lines.iter_mut().rev().find_map(|line| match line {
            Line::Agent { item: known, text, heard } if known == item => Some((text, heard)),
            Line::Agent { .. }
            | Line::Caller { .. }
            | Line::Note(_)
            | Line::Asked { .. }
            | Line::Answered { .. } => None,
        });
        match known {
            Some((text, Heard::Saying | Heard::Whole)) => text.0.push_str(words.as_str()),
            Some((_, Heard::Cut)) => {}
            None => {
                let text = words.clone();
                self.lines.push(Line::Agent { item: item.clone(), text, heard: Heard::Saying });
            }
        }
    }

    /// Everything we said has been heard. Returns the turns this completes.
    pub fn drained(&mut self) -> Vec<Turn> {
        let mut turns = Vec::new();
        for line in &mut self.lines {
            if let Line::Agent { text, heard: heard @ Heard::Saying, .. } = line {
                *heard = Heard::Whole;
                turns.push(Turn { speaker: Speaker::Agent, text: kept(text) });
            }
        }
        turns
    }

    /// The caller cut us off: what we said ends where it was heard. Returns the turns.
    pub fn flushed(&mut self, flushed: &Flushed) -> Vec<Turn> {
        let mut turns = Vec::new();
        for line in &mut self.lines {
            let Line::Agent { item, text, heard: heard @ Heard::Saying } = line else { continue };
            *heard = Heard::Whole;
            if flushed.unheard.contains(item) {
                (*heard, *text) = (Heard::Cut, Text::default());
            } else if let Some(cut) = flushed.cut.as_ref().filter(|cut| cut.item == *item) {
                (*heard, *text) = (Heard::Cut, heard_part(text, cut));
            }
            if !text.as_str().trim().is_empty() {
                turns.push(Turn { speaker: Speaker::Agent, text: kept(text) });
            }
        }
        turns
    }

    /// Whether words like these are on their way to the ear.
    #[must_use]
    pub fn is_saying(&self, like: impl Fn(&str) -> bool) -> bool {
        self.lines.iter().any(|line| match line {
            Line::Agent { text, heard: Heard::Saying, .. } => like(text.as_str()),
            Line::Agent { .. }
            | Line::Caller { .. }
            | Line::Note(_)
            | Line::Asked { .. }
            | Line::Answered { .. } => false,
        })
    }

    /// Something the model should know that nobody said.
    pub fn note(&mut self, text: Text) {
        self.lines.push(Line::Note(text));
    }

    /// A tool was asked for.
    pub fn asked(&mut self, id: ToolCallId, name: String, arguments: Text) {
        self.lines.push(Line::Asked { id, name, arguments });
    }

    /// The model was told a tool's output.
    pub fn answered(&mut self, id: ToolCallId, output: Text) {
        self.lines.push(Line::Answered { id, output });
    }

    /// Our last words, for asking the model to go on after them.
    #[must_use]
    pub fn last_said(&self) -> Option<Text> {
        self.lines.iter().rev().find_map(|line| match line {
            Line::Agent { text, .. } => Some(kept(text)),
            Line::Caller { .. } | Line::Note(_) | Line::Asked { .. } | Line::Answered { .. } => {
                None
            }
        })
    }

    /// Where the next thing will stand.
    #[must_use]
    pub fn end(&self) -> usize {
        self.lines.len()
    }

    /// What we have said from there on, as far as it has been heard to its end.
    #[must_use]
    pub fn heard_from(&self, from: usize) -> String {
        let heard = self.lines.iter().skip(from).filter_map(|line| match line {
            Line::Agent { text, heard: Heard::Whole, .. } => Some(text.as_str()),
            Line::Agent { .. }
            | Line::Caller { .. }
            | Line::Note(_)
            | Line::Asked { .. }
            | Line::Answered { .. } => None,
        });
        heard.collect::<Vec<_>>().join(" ")
    }

    /// The last turns that fit this many characters, oldest first.
    #[must_use]
    pub fn turns(&self, most_chars: usize) -> Vec<Turn> {
        let mut left = most_chars;
        let fits = self.lines.iter().rev().filter_map(Line::turn).take_while(|turn| {
            let chars = turn.text.as_str().chars().count();
            let fits = chars <= left;
            left = left.saturating_sub(chars);
            fits
        });
        let mut turns: Vec<Turn> = fits.collect();
        turns.reverse();
        turns
    }

    /// Whether the caller said something whose words are not known yet.
    #[must_use]
    pub fn has_unread(&self) -> bool {
        self.lines.iter().any(|line| matches!(line, Line::Caller { text: None, .. }))
    }

    /// Forgets the caller's items without words: a fresh session hears their audio again and
    /// gives them new names.
    pub fn forget_unread(&mut self) {
        self.lines.retain(|line| !matches!(line, Line::Caller { text: None, .. }));
    }

    /// The conversation for a fresh session.
    #[must_use]
    pub fn replay(&self) -> Vec<Entry> {
        let skip = self.lines.len().saturating_sub(MOST_REPLAYED);
        self.lines.iter().skip(skip).filter_map(Line::entry).collect()
    }
}

impl Line {
    fn is(&self, wanted: &ItemId) -> bool {
        match self {
            Self::Caller { item, .. } => item == wanted,
            Self::Agent { .. } | Self::Note(_) | Self::Asked { .. } | Self::Answered { .. } => {
                false
            }
        }
    }

    fn turn(&self) -> Option<Turn> {
        let (speaker, text) = match self {
            Self::Caller { text, .. } => (Speaker::Caller, text.as_ref()?),
            Self::Agent { text, .. } => (Speaker::Agent, text),
            Self::Note(_) | Self::Asked { .. } | Self::Answered { .. } => return None,
        };
        let text = kept(text);
        (!text.as_str().is_empty()).then_some(Turn { speaker, text })
    }

    fn entry(&self) -> Option<Entry> {
        let spoken = |text: &Text| !text.as_str().trim().is_empty();
        match self {
            Self::Caller { text, .. } => {
                text.clone().filter(|text| spoken(text)).map(Entry::Caller)
            }
            Self::Agent { text, .. } => spoken(text).then(|| Entry::Agent(kept(text))),
            Self::Note(text) => Some(Entry::Note(kept(text))),
            Self::Asked { id, name, arguments } => Some(Entry::Asked {
                id: id.clone(),
                name: name.clone(),
                arguments: kept_json(arguments),
            }),
            Self::Answered { id, output } => {
                Some(Entry::Answered { id: id.clone(), output: kept_json(output) })
            }
        }
    }
}

/// Words as they may be kept.
pub(crate) fn kept(words: &Text) -> Text {
    Text(restricted::mask(words.as_str().trim(), None))
}

/// JSON text as it may be kept.
pub(crate) fn kept_json(json: &Text) -> Text {
    Text(restricted::mask_json(json.as_str()))
}

/// The words that fit the part of the audio that was heard, cut after a whole word.
fn heard_part(text: &Text, cut: &Cut) -> Text {
    let letters = text.as_str().chars().count() as u64;
    let heard = letters * cut.heard_ms / cut.received_ms.max(1);
    let end = text.as_str().char_indices().nth(usize::try_from(heard).unwrap_or(usize::MAX));
    let Some((end, _)) = end else { return text.clone() };
    let part = &text.as_str()[..end];
    let whole = text.as_str()[end..].starts_with(char::is_whitespace);
    let last = if whole { part.len() } else { part.rfind(char::is_whitespace).unwrap_or(0) };
    part[..last].into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(name: &str) -> ItemId {
        ItemId(name.to_owned())
    }

    #[test]
    fn an_interrupted_sentence_is_remembered_as_it_was_heard() {
        let mut log = Log::default();
        log.said(&item("a"), &"We have a table at seven ".into());
        log.said(&item("a"), &"or at nine.".into());
        log.said(&item("b"), &"Which do you prefer?".into());
        let cut = Some(Cut { item: item("a"), heard_ms: 1_000, received_ms: 2_000 });
        let turns = log.flushed(&Flushed { cut, unheard: vec![item("b")], ..Flushed::default() });
        assert_eq!(turns.len(), 1);
        assert_eq!(turns[0].text.as_str(), "We have a table at");
        assert_eq!(log.replay(), vec![Entry::Agent("We have a table at".into())]);
        log.said(&item("a"), &" and late words".into());
        assert_eq!(log.last_said(), Some("".into()), "b was not heard at all");
    }

    #[test]
    fn late_transcripts_stand_at_their_items_place() {
        let mut log = Log::default();
        log.caller_item(item("u"));
        log.said(&item("a"), &"Certainly.".into());
        assert!(log.has_unread());
        assert!(log.caller_said(&item("u"), &"A table, please.".into()).turn.is_some());
        assert!(log.caller_said(&item("u"), &"A table, please.".into()).turn.is_none(), "once");
        let replay = log.replay();
        assert_eq!(replay[0], Entry::Caller("A table, please.".into()));
        assert_eq!(replay[1], Entry::Agent("Certainly.".into()));
    }
}
