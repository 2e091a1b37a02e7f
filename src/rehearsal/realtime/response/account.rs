//! The part of a response that accounts for it: items added and done, tool calls, the end.

use serde_json::{Value, json};

use super::{Membership, Response, Surroundings, Trick};
use crate::rehearsal::realtime::conversation::{Entry, Form, Item};
use crate::rehearsal::realtime::tokens::{self, Tokens};
use crate::rehearsal::realtime::wire::Place;

impl Response {
    pub(super) fn call(&mut self, name: &str, arguments: &str, around: &mut Surroundings<'_>) {
        let call_id = around.ids.next("call");
        let times = if self.plan.trick == Trick::Twice { 2 } else { 1 };
        for _ in 0..times {
            let entry = |arguments: &str| Entry::Call {
                call_id: call_id.clone(),
                name: name.to_owned(),
                arguments: arguments.to_owned(),
            };
            let mut item = Item {
                id: around.ids.next("item"),
                status: "in_progress",
                entry: entry(""),
                form: Form::Written,
            };
            self.add(&item, around);
            let place = self.place(&item.id);
            let delta = json!({ "call_id": call_id, "delta": arguments });
            around.out.event("response.function_call_arguments.delta", place.body(delta));
            let done = json!({ "call_id": call_id, "name": name, "arguments": arguments });
            around.out.event("response.function_call_arguments.done", place.body(done));
            item.entry = entry(arguments);
            item.status = "completed";
            self.close(item, around);
        }
    }

    pub(super) fn add(&self, item: &Item, around: &mut Surroundings<'_>) {
        around.out.event(
            "response.output_item.added",
            json!({ "response_id": self.plan.id, "output_index": self.output.len(),
                "item": item.json() }),
        );
        if self.plan.conversation == Membership::Inside {
            let previous = around.conversation.push(item.clone());
            let body = json!({ "previous_item_id": previous, "item": item.json() });
            around.out.event("conversation.item.added", body);
        }
    }

    pub(super) fn close(&mut self, item: Item, around: &mut Surroundings<'_>) {
        let shown = item.json();
        self.written += item.entry.written();
        if self.plan.conversation == Membership::Inside {
            let previous = around.conversation.before(&item.id);
            let body = json!({ "previous_item_id": previous, "item": shown });
            around.out.event("conversation.item.done", body);
            if let Some(held) = around.conversation.get_mut(&item.id) {
                *held = item;
            }
        }
        around.out.event(
            "response.output_item.done",
            json!({ "response_id": self.plan.id, "output_index": self.output.len(),
                "item": shown }),
        );
        self.output.push(shown);
    }

    pub(super) fn done(&self, status: &str, details: &Value, around: &mut Surroundings<'_>) {
        let usage = match (status, self.plan.reading) {
            // The real service may leave it out of a response that was cut off.
            ("cancelled" | "failed", _) | (_, None) => Value::Null,
            (_, Some(reading)) => tokens::usage(reading, self.written + Tokens::spoken(self.audio)),
        };
        around.out.event("response.done", self.body(status, details, &usage));
    }

    pub(super) fn body(&self, status: &str, details: &Value, usage: &Value) -> Value {
        let inside = self.plan.conversation == Membership::Inside;
        json!({ "response": {
            "id": self.plan.id, "object": "realtime.response", "status": status,
            "status_details": details, "output": self.output,
            "conversation_id": inside.then_some("conv_1"), "metadata": self.plan.metadata,
            "usage": usage } })
    }

    pub(super) fn place<'a>(&'a self, item: &'a str) -> Place<'a> {
        Place { response: &self.plan.id, item, output_index: self.output.len() }
    }
}
