//! The client's commands on the conversation: create, retrieve, truncate and delete items.

use std::time::Duration;

use serde_json::{Value, json};

use super::Session;
use crate::rehearsal::realtime::conversation::{Entry, Form, Item, Role};
use crate::rehearsal::realtime::hearing;
use crate::rehearsal::realtime::wire::{self, Complaint};

impl Session {
    pub(super) fn create_item(&mut self, event: &Value) -> Result<(), Complaint> {
        let after = if event["previous_item_id"].is_null() {
            None
        } else {
            Some(wire::text(event, "previous_item_id")?)
        };
        let item = self.read_item(&event["item"])?;
        let shown = item.json();
        if let Entry::Message { role: Role::User, text } = &item.entry {
            self.probing.learn(text);
        }
        let previous = self.conversation.insert(item, after)?;
        let body = json!({ "previous_item_id": previous, "item": shown });
        self.out.event("conversation.item.added", body.clone());
        self.out.event("conversation.item.done", body);
        Ok(())
    }

    /// Reads a client's item.
    pub(super) fn read_item(&mut self, item: &Value) -> Result<Item, Complaint> {
        let Some(kind) = item["type"].as_str() else {
            return Err(Complaint::missing("item.type"));
        };
        let (entry, form) = match kind {
            "message" => self.read_message(item)?,
            "function_call" => {
                let call_id = wire::text(item, "call_id")?.to_owned();
                let name = wire::text(item, "name")?.to_owned();
                let arguments = wire::text(item, "arguments")?.to_owned();
                (Entry::Call { call_id, name, arguments }, Form::Written)
            }
            "function_call_output" => {
                let call_id = wire::text(item, "call_id")?.to_owned();
                let output = wire::text(item, "output")?.to_owned();
                (Entry::Output { call_id, output }, Form::Written)
            }
            other => {
                let message = format!("Invalid value: '{other}'.");
                return Err(Complaint::invalid("item.type", message));
            }
        };
        let id = match item["id"].as_str() {
            Some(chosen) => chosen.to_owned(),
            None => self.ids.next("item"),
        };
        Ok(Item { id, status: "completed", entry, form })
    }

    /// Each role has its own kinds of content, and no other.
    fn read_message(&self, item: &Value) -> Result<(Entry, Form), Complaint> {
        let (role, allowed): (Role, &[&str]) = match wire::text(item, "role")? {
            "system" => (Role::System, &["input_text"]),
            "user" => (Role::User, &["input_text", "input_audio"]),
            "assistant" => (Role::Assistant, &["output_text", "output_audio"]),
            other => {
                let message = format!("Invalid value: '{other}'.");
                return Err(Complaint::invalid("item.role", message));
            }
        };
        let parts = match item["content"].as_array() {
            Some(parts) if !parts.is_empty() => parts,
            _ => return Err(Complaint::missing("item.content")),
        };
        let mut texts = Vec::new();
        let mut form = Form::Written;
        for (at, part) in parts.iter().enumerate() {
            let path = format!("item.content[{at}].type");
            match part["type"].as_str() {
                None => return Err(Complaint::missing(path)),
                Some(kind) if !allowed.contains(&kind) => {
                    let message =
                        format!("Invalid value: '{kind}'. Value must be '{}'.", allowed[0]);
                    return Err(Complaint::invalid(path, message));
                }
                Some("input_text" | "output_text") => {
                    texts.push(wire::text(part, "text")?.to_owned());
                }
                Some(_) => {
                    let (text, lasted) = match part["transcript"].as_str() {
                        Some(transcript) => (transcript.to_owned(), Duration::ZERO),
                        None => hearing::listen_to(part, self.settings.input)?,
                    };
                    if role == Role::User {
                        form = Form::Heard { shown: true, lasted };
                    }
                    texts.push(text);
                }
            }
        }
        Ok((Entry::Message { role, text: texts.join(" ") }, form))
    }

    pub(super) fn retrieve_item(&mut self, event: &Value) -> Result<(), Complaint> {
        let item = self.conversation.retrieve(wire::text(event, "item_id")?)?;
        let body = json!({ "item": item.json() });
        self.out.event("conversation.item.retrieved", body);
        Ok(())
    }

    pub(super) fn truncate_item(&mut self, event: &Value) -> Result<(), Complaint> {
        let id = wire::text(event, "item_id")?;
        if wire::count(event, "content_index")? != 0 {
            return Err(Complaint::invalid("content_index", "There is no such content part."));
        }
        let end_ms = wire::count(event, "audio_end_ms")?;
        self.conversation.truncate(id, end_ms)?;
        let body = json!({ "item_id": id, "content_index": 0, "audio_end_ms": end_ms });
        self.out.event("conversation.item.truncated", body);
        Ok(())
    }

    pub(super) fn delete_item(&mut self, event: &Value) -> Result<(), Complaint> {
        let id = wire::text(event, "item_id")?;
        self.conversation.delete(id)?;
        self.out.event("conversation.item.deleted", json!({ "item_id": id }));
        Ok(())
    }
}
