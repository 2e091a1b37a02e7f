//! Responses: asked for by the client or by the end of a turn, one at a time inside the
//! conversation and a few beside it.

use std::collections::VecDeque;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{SIDE_RESPONSES_MAX, Session, ToRender};
use crate::rehearsal::realtime::conversation::Entry;
use crate::rehearsal::realtime::mind::{self, View};
use crate::rehearsal::realtime::response::{
    Membership, Plan, Response, Stopped, Surroundings, Trick,
};
use crate::rehearsal::realtime::settings::{self, check};
use crate::rehearsal::realtime::tokens::{Memory, Preface, Reading, Tokens};
use crate::rehearsal::realtime::wire::Complaint;

/// Fields of `response.create.response`.
const KEYS: &[&str] = &[
    "instructions",
    "output_modalities",
    "audio",
    "conversation",
    "input",
    "metadata",
    "tools",
    "tool_choice",
    "max_output_tokens",
    "parallel_tool_calls",
    "reasoning",
    "prompt",
];

/// Pairs of metadata that a response may carry.
const METADATA_MAX: usize = 16;

impl Session {
    /// `response.create`; `wanted` is null when everything is as the session has it.
    pub(super) fn create_response(
        &mut self,
        wanted: &Value,
        now: Instant,
    ) -> Result<(), Complaint> {
        let membership = check(wanted)?;
        match membership {
            Membership::Inside if self.main.is_some() => {
                let message = "Conversation already has an active response in progress. \
                    Wait until the response is finished before creating a new one.";
                return Err(Complaint::new("conversation_already_has_active_response", message));
            }
            Membership::OutOfBand if self.side.len() >= SIDE_RESPONSES_MAX => {
                return Err(Complaint::new("rate_limit_exceeded", "Too many responses at once."));
            }
            Membership::Inside | Membership::OutOfBand => {}
        }
        let entries = match wanted["input"].as_array() {
            None => self.entries(),
            Some(input) => self.read_input(input)?,
        };
        self.begin(wanted, &entries, membership, now);
        Ok(())
    }

    fn read_input(&mut self, input: &[Value]) -> Result<Vec<Entry>, Complaint> {
        let mut entries = Vec::with_capacity(input.len());
        for item in input {
            if item["type"] == "item_reference" {
                let id = item["id"].as_str().ok_or_else(|| Complaint::missing("input.id"))?;
                entries.push(self.conversation.retrieve(id)?.entry.clone());
            } else {
                entries.push(self.read_item(item)?.entry);
            }
        }
        Ok(entries)
    }

    /// Begins a response; what it says is decided here, from what stands in the conversation.
    pub(super) fn begin(
        &mut self,
        wanted: &Value,
        entries: &[Entry],
        membership: Membership,
        now: Instant,
    ) {
        let instructions = wanted["instructions"].as_str().unwrap_or(&self.settings.instructions);
        let instructions = match self.troubles.skips_disclosure() {
            true => mind::without_disclosure(instructions),
            false => instructions.to_owned(),
        };
        let tools = wanted["tools"].as_array().map(|tools| settings::tool_names(tools));
        let view = View {
            entries,
            instructions: &instructions,
            tools: tools.as_ref().unwrap_or(&self.settings.tools),
        };
        let mut acts = mind::think(&view);
        let claim = mind::claim(&view);
        let reading = self.read(wanted, entries);
        let mut pace = self.pace;
        let trick = match membership {
            Membership::Inside => self.bend(&mut acts, claim, &mut pace, now),
            Membership::OutOfBand => Trick::None,
        };
        let modalities = &wanted["output_modalities"];
        let modality = if modalities.is_null() {
            self.settings.modality
        } else {
            settings::modality(modalities)
        };
        let plan = Plan {
            id: self.ids.next("resp"),
            acts: VecDeque::from(acts),
            metadata: wanted["metadata"].clone(),
            conversation: membership,
            modality,
            format: self.settings.output,
            pace,
            trick,
            reading,
            begins: now + self.thinking,
        };
        let response = Response::begin(plan, &mut self.out);
        self.tell_limits(now);
        let lines = response.lines();
        if !lines.is_empty() {
            let rate = self.settings.output.rate();
            self.to_render.push(ToRender { response: response.id().to_owned(), lines, rate });
        }
        match membership {
            Membership::Inside => {
                self.idle_at = None;
                self.main = Some(response);
            }
            Membership::OutOfBand => self.side.push(response),
        }
    }

    /// What the model reads for a response; nothing when this server does not tell.
    fn read(&mut self, wanted: &Value, given: &[Entry]) -> Option<Reading> {
        if !self.tells_usage {
            return None;
        }
        let instructions = wanted["instructions"].as_str();
        let instructions = instructions.unwrap_or(&self.settings.instructions);
        let given_tools = Some(&wanted["tools"]).filter(|tools| !tools.is_null());
        let tools = given_tools.unwrap_or(&self.settings.document()["tools"]);
        let preface = Preface::new(instructions, tools);
        if wanted["input"].is_null() {
            return Some(self.conversation.read(preface));
        }
        let given: Vec<Tokens> = given.iter().map(Entry::written).collect();
        Some(Memory::default().read(preface, &given))
    }

    /// What is left of the allowance.
    pub(super) fn tell_limits(&mut self, now: Instant) {
        let (remaining, reset_s) = match self.exhausted_for(now) {
            Some(left) => (0, left.as_secs_f64()),
            None => (39_000, 1.3),
        };
        let limits = json!({ "rate_limits": [
            { "name": "tokens", "limit": 40_000, "remaining": remaining,
                "reset_seconds": reset_s } ] });
        self.out.event("rate_limits.updated", limits);
    }

    /// `response.cancel`; without an id the one inside the conversation.
    pub(super) fn cancel_response(&mut self, id: &Value) -> Result<(), Complaint> {
        let beside = id.as_str().and_then(|id| self.side.iter().position(|side| side.id() == id));
        if let Some(at) = beside {
            let response = self.side.remove(at);
            self.stop(response, Stopped::ByClient);
            return Ok(());
        }
        let named = |main: &mut Response| id.as_str().is_none_or(|id| main.id() == id);
        let Some(response) = self.main.take_if(named) else {
            let message = "Cancellation failed: no active response found";
            return Err(Complaint::new("response_cancel_not_active", message));
        };
        self.stop(response, Stopped::ByClient);
        Ok(())
    }

    /// Stops the response inside the conversation because the caller speaks.
    pub(super) fn interrupt(&mut self) {
        if let Some(response) = self.main.take() {
            self.stop(response, Stopped::ByCaller);
        }
    }

    fn stop(&mut self, response: Response, why: Stopped) {
        let mut around = Surroundings {
            conversation: &mut self.conversation,
            out: &mut self.out,
            ids: &mut self.ids,
        };
        response.stop(why, &mut around);
    }
}

fn check(wanted: &Value) -> Result<Membership, Complaint> {
    if wanted.is_null() {
        return Ok(Membership::Inside);
    }
    let Some(fields) = wanted.as_object() else {
        return Err(Complaint::invalid("response", "Expected an object."));
    };
    if let Some(stranger) = fields.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(Complaint::unknown(format!("response.{stranger}")));
    }
    if fields.get("metadata").and_then(Value::as_object).is_some_and(|m| m.len() > METADATA_MAX) {
        return Err(Complaint::invalid("response.metadata", "Too many properties."));
    }
    check::tools(&wanted["tools"])?;
    check::modalities(&wanted["output_modalities"])?;
    match wanted["conversation"].as_str() {
        None | Some("auto") => Ok(Membership::Inside),
        Some("none") => Ok(Membership::OutOfBand),
        Some(other) => {
            let message = format!("Invalid value: '{other}'.");
            Err(Complaint::invalid("response.conversation", message))
        }
    }
}
