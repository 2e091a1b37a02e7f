//! The conversation as the simulated server holds it: items in order, what of our own speech is
//! left after truncation, and the JSON in which items are shown. Knows no session and no audio.

use std::time::Duration;

use serde_json::{Value, json};

use super::tokens::{Memory, Preface, Reading, Tokens};
use super::wire::Complaint;

/// Items of one conversation; far more than an hour of talk makes, and a bound on a client that
/// replays without end.
const ITEMS_MAX: usize = 4_096;

/// Who speaks in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Nobody: a note to the model.
    System,
    /// The caller.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// The word on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// One entry of the conversation as a mind and a test see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Something that was said or noted; of our own speech only what is left after truncation.
    Message {
        /// Who.
        role: Role,
        /// The words.
        text: String,
    },
    /// A tool was asked for.
    Call {
        /// The id of this call.
        call_id: String,
        /// The tool.
        name: String,
        /// JSON text.
        arguments: String,
    },
    /// A tool's answer.
    Output {
        /// The call it answers.
        call_id: String,
        /// The answer, commonly JSON text.
        output: String,
    },
}

impl Entry {
    /// What its words cost as text.
    pub(super) fn written(&self) -> Tokens {
        match self {
            Self::Message { text, .. } => Tokens::of_text(text),
            Self::Call { name, arguments, .. } => {
                Tokens::of_text(name) + Tokens::of_text(arguments)
            }
            Self::Output { output, .. } => Tokens::of_text(output),
        }
    }
}

/// How the words of a message came about, which decides how they are shown and truncated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Written by the client or given as text.
    Written,
    /// Heard from the caller; `shown` once its transcript was delivered.
    Heard { shown: bool, lasted: Duration },
    /// Spoken by us.
    Spoken(Spoken),
}

/// Our speech in an item: how much audio there is and where its words end.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Spoken {
    /// Milliseconds of audio that were sent and not truncated.
    pub(super) audio_ms: u64,
    /// For every word its end: milliseconds of audio, bytes of text.
    pub(super) word_ends: Vec<(u64, usize)>,
    /// Whether it was truncated, which takes the transcript away.
    pub(super) truncated: bool,
}

/// One item of the conversation.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) id: String,
    pub(super) status: &'static str,
    pub(super) entry: Entry,
    pub(super) form: Form,
}

impl Item {
    /// What it costs a model to read it. Speech is read as audio, its transcript is not.
    fn tokens(&self) -> Tokens {
        match &self.form {
            Form::Written => self.entry.written(),
            Form::Heard { lasted, .. } => Tokens::heard(*lasted),
            Form::Spoken(spoken) => Tokens::spoken(Duration::from_millis(spoken.audio_ms)),
        }
    }

    /// The item as the protocol shows it.
    pub(super) fn json(&self) -> Value {
        let (id, status) = (&self.id, self.status);
        match &self.entry {
            Entry::Message { role, text } => {
                let content = match (&self.form, role) {
                    (Form::Heard { shown, .. }, _) => {
                        json!({ "type": "input_audio", "transcript": shown.then_some(text) })
                    }
                    (Form::Spoken(speech), _) => {
                        let transcript = (!speech.truncated).then_some(text);
                        json!({ "type": "output_audio", "transcript": transcript })
                    }
                    (Form::Written, Role::Assistant) => {
                        json!({ "type": "output_text", "text": text })
                    }
                    (Form::Written, Role::User | Role::System) => {
                        json!({ "type": "input_text", "text": text })
                    }
                };
                let content = if status == "in_progress" { json!([]) } else { json!([content]) };
                json!({ "id": id, "object": "realtime.item", "type": "message",
                    "role": role.word(), "status": status, "content": content })
            }
            Entry::Call { call_id, name, arguments } => json!({
                "id": id, "object": "realtime.item", "type": "function_call", "status": status,
                "call_id": call_id, "name": name, "arguments": arguments }),
            Entry::Output { call_id, output } => json!({
                "id": id, "object": "realtime.item", "type": "function_call_output",
                "status": status, "call_id": call_id, "output": output }),
        }
    }
}

/// The items in their order.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    items: Vec<Item>,
    memory: Memory,
}

impl Conversation {
    /// Every entry, for the mind and for tests.
    pub(super) fn entries(&self) -> Vec<Entry> {
        self.items.iter().map(|item| item.entry.clone()).collect()
    }

    pub(super) fn last_id(&self) -> Option<&str> {
        self.items.last().map(|item| item.id.as_str())
    }

    pub(super) fn get(&self, id: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.id == id)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Item> {
        self.items.iter_mut().rev().find(|item| item.id == id)
    }

    /// The id of the item before this one.
    pub(super) fn before(&self, id: &str) -> Option<&str> {
        let at = self.items.iter().rposition(|item| item.id == id)?.checked_sub(1)?;
        Some(&self.items[at].id)
    }

    /// Reads all of it for a response.
    pub(super) fn read(&mut self, preface: Preface) -> Reading {
        let items: Vec<Tokens> = self.items.iter().map(Item::tokens).collect();
        self.memory.read(preface, &items)
    }

    /// Appends an item of the server's own making; returns the id of the one before it.
    pub(super) fn push(&mut self, item: Item) -> Option<String> {
        let previous = self.last_id().map(str::to_owned);
        self.items.push(item);
        previous
    }

    /// Puts a client's item where it wants it; returns the id of the one before it.
    pub(super) fn insert(
        &mut self,
        item: Item,
        after: Option<&str>,
    ) -> Result<Option<String>, Complaint> {
        if self.items.len() >= ITEMS_MAX {
            return Err(Complaint::invalid("item", "The conversation holds too many items."));
        }
        if self.get(&item.id).is_some() {
            let message = format!("Item with id '{}' already exists.", item.id);
            return Err(Complaint::new("item_create_duplicate_item_id", message).at("item.id"));
        }
        self.check_pairing(&item.entry)?;
        let at = match after {
            None => self.items.len(),
            Some("root") => 0,
            Some(id) => 1 + self.position(id, "item_create_invalid_previous_item_id")?,
        };
        self.items.insert(at, item);
        self.memory.changed(at);
        Ok(at.checked_sub(1).map(|before| self.items[before].id.clone()))
    }

    /// A call id is asked once and answered once, and never answered unasked.
    fn check_pairing(&self, entry: &Entry) -> Result<(), Complaint> {
        let complain = |call_id: &str, what: &str| {
            let message = format!("Tool call ID '{call_id}' {what}.");
            Err(Complaint::new("invalid_tool_call_id", message).at("item.call_id"))
        };
        let asked = |id: &str| {
            self.items
                .iter()
                .any(|item| matches!(&item.entry, Entry::Call { call_id, .. } if call_id == id))
        };
        let answered = |id: &str| {
            self.items
                .iter()
                .any(|item| matches!(&item.entry, Entry::Output { call_id, .. } if call_id == id))
        };
        match entry {
            Entry::Call { call_id, .. } if asked(call_id) => complain(call_id, "is taken"),
            Entry::Output { call_id, .. } if !asked(call_id) => {
                complain(call_id, "not found in conversation")
            }
            Entry::Output { call_id, .. } if answered(call_id) => {
                complain(call_id, "already has an output")
            }
            Entry::Call { .. } | Entry::Output { .. } | Entry::Message { .. } => Ok(()),
        }
    }

    fn position(&self, id: &str, code: &'static str) -> Result<usize, Complaint> {
        self.items.iter().position(|item| item.id == id).ok_or_else(|| {
            Complaint::new(code, format!("Item with id '{id}' does not exist.")).at("item_id")
        })
    }

    /// The item, for `conversation.item.retrieve`.
    pub(super) fn retrieve(&self, id: &str) -> Result<&Item, Complaint> {
        self.position(id, "item_retrieve_invalid_item_id").map(|at| &self.items[at])
    }

    /// Forgets an item.
    pub(super) fn delete(&mut self, id: &str) -> Result<(), Complaint> {
        let at = self.position(id, "item_delete_invalid_item_id")?;
        self.items.remove(at);
        self.memory.changed(at);
        Ok(())
    }

    /// Cuts the audio of one of our items to `end_ms`; its words end there too, and its
    /// transcript is no longer shown.
    pub(super) fn truncate(&mut self, id: &str, end_ms: u64) -> Result<(), Complaint> {
        let at = self.position(id, "item_truncate_invalid_item_id")?;
        let item = &mut self.items[at];
        let (Entry::Message { text, .. }, Form::Spoken(speech)) = (&mut item.entry, &mut item.form)
        else {
            return Err(no_audio());
        };
        if speech.audio_ms == 0 {
            return Err(no_audio());
        }
        if end_ms > speech.audio_ms {
            let message = format!(
                "Audio content of {}ms is already shorter than {end_ms}ms",
                speech.audio_ms
            );
            return Err(Complaint::invalid("audio_end_ms", message));
        }
        self.memory.changed(at);
        speech.audio_ms = end_ms;
        speech.truncated = true;
        speech.word_ends.retain(|&(ms, _)| ms <= end_ms);
        text.truncate(speech.word_ends.last().map_or(0, |&(_, bytes)| bytes));
        Ok(())
    }
}

fn no_audio() -> Complaint {
    Complaint::invalid("item_id", "Only model output audio messages can be truncated")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoken() -> Item {
        Item {
            id: "item_1".to_owned(),
            status: "completed",
            entry: Entry::Message { role: Role::Assistant, text: "One two three".to_owned() },
            form: Form::Spoken(Spoken {
                audio_ms: 900,
                word_ends: vec![(300, 3), (600, 7), (900, 13)],
                truncated: false,
            }),
        }
    }

    #[test]
    fn truncation_keeps_the_words_that_were_heard_and_hides_the_transcript() {
        let mut conversation = Conversation::default();
        conversation.push(spoken());
        conversation.truncate("item_1", 650).expect("it is longer");
        let item = conversation.retrieve("item_1").expect("it is there");
        assert_eq!(
            item.entry,
            Entry::Message { role: Role::Assistant, text: "One two".to_owned() }
        );
        assert_eq!(item.json()["content"][0]["transcript"], Value::Null);
        let error = conversation.truncate("item_1", 651).expect_err("it is shorter now");
        assert_eq!(error.message, "Audio content of 650ms is already shorter than 651ms");
    }

    #[test]
    fn a_tool_call_is_answered_once_and_never_unasked() {
        let output = |id: &str| Item {
            id: id.to_owned(),
            status: "completed",
            entry: Entry::Output { call_id: "call_1".to_owned(), output: "{}".to_owned() },
            form: Form::Written,
        };
        let mut conversation = Conversation::default();
        let error = conversation.insert(output("a"), None).expect_err("nobody asked");
        assert_eq!(error.code, "invalid_tool_call_id");
        conversation.push(Item {
            id: "call_item".to_owned(),
            status: "completed",
            entry: Entry::Call {
                call_id: "call_1".to_owned(),
                name: "look".to_owned(),
                arguments: "{}".to_owned(),
            },
            form: Form::Written,
        });
        assert_eq!(
            conversation.insert(output("b"), None).expect("asked"),
            Some("call_item".to_owned())
        );
        conversation.insert(output("c"), None).expect_err("answered already");
    }

    #[test]
    fn items_go_where_the_client_wants_them() {
        let note = |id: &str| Item {
            id: id.to_owned(),
            status: "completed",
            entry: Entry::Message { role: Role::System, text: id.to_owned() },
            form: Form::Written,
        };
        let mut conversation = Conversation::default();
        conversation.insert(note("b"), None).expect("appended");
        assert_eq!(conversation.insert(note("a"), Some("root")).expect("first"), None);
        let before = conversation.insert(note("ab"), Some("a")).expect("between");
        assert_eq!(before.as_deref(), Some("a"));
        conversation.insert(note("x"), Some("nowhere")).expect_err("no such item");
        conversation.insert(note("a"), None).expect_err("the id is taken");
        let order: Vec<&str> = conversation.items.iter().map(|item| item.id.as_str()).collect();
        assert_eq!(order, ["a", "ab", "b"]);
    }
}
