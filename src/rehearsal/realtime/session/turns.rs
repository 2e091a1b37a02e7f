//! The caller's side of a session: audio in, turns found or committed, transcripts out.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::Session;
use crate::rehearsal::realtime::conversation::{Entry, Form, Item, Role};
use crate::rehearsal::realtime::hearing::{Heard, Utterance};
use crate::rehearsal::realtime::response::Membership;
use crate::rehearsal::realtime::settings::Turns;
use crate::rehearsal::realtime::wire::Complaint;

/// A transcript that will be delivered.
pub(super) struct Pending {
    pub(super) due: Instant,
    item: String,
    lasted: Duration,
}

impl Session {
    /// `input_audio_buffer.append`: never acknowledged; what it leads to is.
    pub(super) fn append(&mut self, audio: &str, now: Instant) -> Result<(), Complaint> {
        if audio.is_empty() {
            return Err(Complaint::missing("audio"));
        }
        let probing = &self.probing;
        let heard = self.hearing.append(audio, self.settings.turns, now, |sequence, at| {
            probing.heard(sequence, at);
        })?;
        for heard in heard {
            self.heard(heard, now);
        }
        Ok(())
    }

    fn heard(&mut self, heard: Heard, now: Instant) {
        let Turns::Detected { create, interrupt, .. } = self.settings.turns else { return };
        match heard {
            Heard::Started { start } => {
                let item = self.ids.next("item");
                let body = json!({ "audio_start_ms": millis(start), "item_id": item });
                self.out.event("input_audio_buffer.speech_started", body);
                self.turn = Some(item);
                self.idle_at = None;
                if interrupt {
                    self.interrupt();
                }
            }
            Heard::Stopped { end, utterance } => {
                let item = self.turn.take().unwrap_or_else(|| self.ids.next("item"));
                let body = json!({ "audio_end_ms": millis(end), "item_id": item });
                self.out.event("input_audio_buffer.speech_stopped", body);
                self.commit_item(item, utterance, now);
                // A response that runs and was not interrupted keeps its turn.
                if create && self.main.is_none() {
                    let entries = self.entries();
                    self.begin(&Value::Null, &entries, Membership::Inside, now);
                }
            }
        }
    }

    /// Nobody spoke for as long as the client allowed: an empty turn, and a response to it.
    pub(super) fn notice_idleness(&mut self, now: Instant) {
        let Turns::Detected { idle: Some(idle), .. } = self.settings.turns else { return };
        if self.idle_at.take_if(|due| *due <= now).is_none() {
            return;
        }
        let item = self.ids.next("item");
        let end = self.hearing.position();
        let start = end.saturating_sub(idle);
        let body = json!({ "audio_start_ms": millis(start), "audio_end_ms": millis(end),
            "item_id": item });
        self.out.event("input_audio_buffer.timeout_triggered", body);
        self.commit_item(item, Utterance { text: String::new(), lasted: end - start }, now);
        if self.main.is_none() {
            let entries = self.entries();
            self.begin(&Value::Null, &entries, Membership::Inside, now);
        }
    }

    /// `input_audio_buffer.commit`: the client ends the turn. No response follows by itself.
    pub(super) fn commit(&mut self, now: Instant) -> Result<(), Complaint> {
        let utterance = self.hearing.commit()?;
        let item = self.turn.take().unwrap_or_else(|| self.ids.next("item"));
        self.commit_item(item, utterance, now);
        Ok(())
    }

    fn commit_item(&mut self, id: String, utterance: Utterance, now: Instant) {
        let previous = self.conversation.last_id().map(str::to_owned);
        let committed = json!({ "previous_item_id": previous, "item_id": id });
        self.out.event("input_audio_buffer.committed", committed);
        let Utterance { text, lasted } = utterance;
        self.probing.learn(&text);
        let item = Item {
            id: id.clone(),
            status: "completed",
            entry: Entry::Message { role: Role::User, text },
            form: Form::Heard { shown: false, lasted },
        };
        let body = json!({ "previous_item_id": previous, "item": item.json() });
        self.conversation.push(item);
        self.out.event("conversation.item.added", body.clone());
        self.out.event("conversation.item.done", body);
        if self.settings.transcribes {
            let due = now + self.lag.unwrap_or_default();
            self.transcripts.push_back(Pending { due, item: id, lasted });
            self.show_transcripts(now);
        }
    }

    /// Delivers the transcripts that are due.
    pub(super) fn show_transcripts(&mut self, now: Instant) {
        while let Some(pending) = self.transcripts.pop_front_if(|pending| pending.due <= now) {
            self.show_transcript(&pending);
        }
    }

    fn show_transcript(&mut self, pending: &Pending) {
        let Some(item) = self.conversation.get_mut(&pending.item) else { return };
        item.form = Form::Heard { shown: true, lasted: pending.lasted };
        let Entry::Message { text, .. } = &item.entry else { return };
        let place = |mut body: Value| {
            body["item_id"] = pending.item.as_str().into();
            body["content_index"] = 0.into();
            body
        };
        const DELTA: &str = "conversation.item.input_audio_transcription.delta";
        const COMPLETED: &str = "conversation.item.input_audio_transcription.completed";
        let middle = text.char_indices().filter(|(_, c)| *c == ' ').map(|(at, _)| at);
        let halves =
            text.split_at(middle.take_while(|at| *at <= text.len() / 2).last().unwrap_or(0));
        for delta in [halves.0, halves.1].into_iter().filter(|half| !half.is_empty()) {
            self.out.event(DELTA, place(json!({ "delta": delta })));
        }
        let usage = json!({ "type": "duration", "seconds": pending.lasted.as_secs_f64() });
        let completed = place(json!({ "transcript": text, "usage": usage }));
        self.out.event(COMPLETED, completed);
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).expect("no session lasts ages")
}
