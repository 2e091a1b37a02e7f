//! The part of a response that speaks: pieces of audio, each behind the words that begin in it.

use std::ops::Range;
use std::time::Duration;

use serde_json::json;

use super::{Membership, Response, Speaking, Stage, Surroundings, Trick};
use crate::rehearsal::realtime::conversation::{Entry, Form, Item, Role, Spoken};
use crate::rehearsal::realtime::delivery::{Delivery, FRAME};
use crate::rehearsal::realtime::settings::Modality;
use crate::rehearsal::realtime::wire::Place;

impl Response {
    pub(super) fn open_speech(&mut self, full: String, around: &mut Surroundings<'_>) {
        let text = self.plan.modality == Modality::Text;
        let form = if text { Form::Written } else { Form::Spoken(Spoken::default()) };
        let item = Item {
            id: around.ids.next("item"),
            status: "in_progress",
            entry: Entry::Message { role: Role::Assistant, text: String::new() },
            form,
        };
        self.add(&item, around);
        let place = self.place(&item.id);
        let part = if text {
            json!({ "type": "text", "text": "" })
        } else {
            json!({ "type": "audio", "transcript": "" })
        };
        around.out.event("response.content_part.added", place.part(json!({ "part": part })));
        if text {
            self.write(item, full, around);
            return;
        }
        let pad = match self.plan.trick {
            Trick::PadTo(length) => length,
            Trick::None | Trick::Twice | Trick::Fail(_) => Duration::ZERO,
        };
        let utterance = self.rendered.pop_front().expect("a line is due once it is rendered");
        let delivery = Delivery::new(utterance, self.plan.format, pad);
        let speaking = Speaking { item, delivery, sent: 0, words: 0 };
        self.stage = Stage::Speaking(Box::new(speaking));
    }

    /// Sends the next piece, then the words that end in it; returns which frames it was.
    pub(super) fn speak(
        &mut self,
        speaking: &mut Speaking,
        around: &mut Surroundings<'_>,
    ) -> Range<usize> {
        let all = speaking.delivery.frames();
        let piece = speaking.sent..all.min(speaking.sent + self.plan.pace.frames());
        let place = Place {
            response: &self.plan.id,
            item: &speaking.item.id,
            output_index: self.output.len(),
        };
        let Form::Spoken(spoken) = &mut speaking.item.form else {
            unreachable!("only speech is spoken")
        };
        let Entry::Message { text, .. } = &mut speaking.item.entry else {
            unreachable!("only messages are spoken")
        };
        if !piece.is_empty() {
            around.out.audio(&place, &speaking.delivery.base64(piece.clone()));
        }
        let words_before = speaking.words;
        while let Some(word) = speaking.delivery.word(speaking.words)
            && (word.end_frame <= piece.end || piece.end == all)
        {
            let delta = &speaking.delivery.text()[text.len()..word.end_byte];
            let body = place.part(json!({ "delta": delta }));
            around.out.event("response.output_audio_transcript.delta", body);
            text.push_str(delta);
            spoken.word_ends.push((millis(lasting(word.end_frame)), word.end_byte));
            speaking.words += 1;
        }
        speaking.sent = piece.end;
        self.audio += lasting(piece.len());
        spoken.audio_ms = millis(lasting(speaking.sent));
        if self.plan.conversation == Membership::Inside
            && let Some(item) = around.conversation.get_mut(&speaking.item.id)
        {
            if speaking.words > words_before {
                item.entry = speaking.item.entry.clone();
                item.form = speaking.item.form.clone();
            } else if let Form::Spoken(held) = &mut item.form {
                held.audio_ms = spoken.audio_ms;
            }
        }
        piece
    }

    pub(super) fn close_speech(
        &mut self,
        speaking: Box<Speaking>,
        status: &'static str,
        around: &mut Surroundings<'_>,
    ) {
        let place = self.place(&speaking.item.id);
        let Entry::Message { text, .. } = &speaking.item.entry else {
            unreachable!("only messages are spoken")
        };
        let out = &mut *around.out;
        out.event("response.output_audio.done", place.part(json!({})));
        let transcript = place.part(json!({ "transcript": text }));
        out.event("response.output_audio_transcript.done", transcript);
        let part = json!({ "part": { "type": "audio", "transcript": text } });
        out.event("response.content_part.done", place.part(part));
        self.close(Item { status, ..speaking.item }, around);
    }

    fn write(&mut self, mut item: Item, full: String, around: &mut Surroundings<'_>) {
        let place = self.place(&item.id);
        let out = &mut *around.out;
        out.event("response.output_text.delta", place.part(json!({ "delta": full })));
        out.event("response.output_text.done", place.part(json!({ "text": full })));
        let part = json!({ "part": { "type": "text", "text": full } });
        out.event("response.content_part.done", place.part(part));
        item.entry = Entry::Message { role: Role::Assistant, text: full };
        item.status = "completed";
        self.close(item, around);
    }
}

/// How long this many frames last.
fn lasting(frames: usize) -> Duration {
    FRAME * u32::try_from(frames).expect("no speech has four billion frames")
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).expect("no speech lasts ages")
}
