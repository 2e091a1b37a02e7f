//! One session as a pure machine: a client's message or the passing of time in, messages out.
//! Holds no socket and no clock; whoever does drains its outbox and wakes it when it asks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::behaviour::{Behaviour, Fault, Pace, Transcripts};
use super::conversation::{Conversation, Entry};
use super::hearing::Hearing;
use super::probing::Probing;
use super::response::{Ids, Progress, Response, Surroundings};
use super::settings::{Settings, Turns};
use super::wire::{self, Complaint, End, Outbox, Outgoing};
use crate::rehearsal::phone::Probes;
use crate::rehearsal::speech::{Account, Rate, Utterance};

mod items;
mod responding;
mod trouble;
mod turns;

use turns::Pending;

/// Responses outside the conversation that may run at once beside the one inside.
const SIDE_RESPONSES_MAX: usize = 8;

/// How long after an answer began the caller's transcript comes, when it comes late.
const TRANSCRIPT_LAG: Duration = Duration::from_millis(150);

/// What a session is opened with.
pub(super) struct Opening {
    pub(super) index: usize,
    pub(super) model: String,
    /// Seconds of the Unix epoch at which the session began.
    pub(super) unix_s: u64,
    pub(super) faults: Vec<Fault>,
    pub(super) probes: Option<Arc<Probes>>,
}

/// A session of the simulated server.
pub(super) struct Session {
    pub(super) settings: Settings,
    pub(super) conversation: Conversation,
    pub(super) out: Outbox,
    hearing: Hearing,
    /// The item that the caller's present speech will become.
    turn: Option<String>,
    main: Option<Response>,
    side: Vec<Response>,
    /// Transcripts to be delivered, in order.
    transcripts: VecDeque<Pending>,
    troubles: trouble::Troubles,
    ids: Ids,
    thinking: Duration,
    pace: Pace,
    lag: Option<Duration>,
    expires: Instant,
    has_spoken: bool,
    probing: Probing,
    transcribes: bool,
    truncates: bool,
    tells_usage: bool,
    /// Lines to be rendered.
    to_render: Vec<ToRender>,
    /// When the caller will have been silent for too long.
    idle_at: Option<Instant>,
}

/// Lines of one response that wait to be rendered as speech.
#[derive(Debug)]
pub(super) struct ToRender {
    pub(super) response: String,
    pub(super) lines: Vec<String>,
    pub(super) rate: Rate,
}

impl Session {
    /// Opens a session and greets the client with `session.created`.
    pub(super) fn open(opening: Opening, behaviour: &Behaviour, now: Instant) -> Self {
        let Opening { index, model, unix_s, faults, probes } = opening;
        let troubles = trouble::Troubles::new(faults, now);
        let age = troubles.session_age().unwrap_or(behaviour.session_age);
        let id = format!("sess_{index}");
        let settings = Settings::new(&id, &model, unix_s + age.as_secs());
        let lag = match behaviour.transcripts {
            Transcripts::Prompt => None,
            Transcripts::Late => Some(behaviour.thinking + TRANSCRIPT_LAG),
        };
        let mut session = Self {
            hearing: Hearing::new(settings.input),
            settings,
            conversation: Conversation::default(),
            out: Outbox::default(),
            turn: None,
            main: None,
            side: Vec::new(),
            transcripts: VecDeque::new(),
            troubles,
            ids: Ids::of_session(index),
            thinking: behaviour.thinking,
            pace: behaviour.pace,
            lag,
            expires: now + age,
            has_spoken: false,
            probing: Probing::new(probes),
            transcribes: behaviour.transcribes,
            truncates: behaviour.truncates,
            tells_usage: behaviour.tells_usage,
            to_render: Vec::new(),
            idle_at: None,
        };
        let created = json!({ "session": session.settings.document() });
        session.out.event("session.created", created);
        session
    }

    /// Takes a message of the client.
    pub(super) fn take(&mut self, text: &str, now: Instant) {
        let head = match wire::head(text) {
            Ok(head) => head,
            Err(complaint) => return self.complain(&complaint, ""),
        };
        let outcome = if head.kind == "input_audio_buffer.append" {
            self.append(&head.audio, now)
        } else {
            self.obey(&head.kind, text, now)
        };
        if let Err(complaint) = outcome {
            self.complain(&complaint, &head.event_id);
        }
    }

    /// A binary message, which the protocol does not know.
    pub(super) fn take_binary(&mut self) {
        self.complain(&Complaint::new("invalid_json", "Binary messages are not supported."), "");
    }

    fn obey(&mut self, kind: &str, text: &str, now: Instant) -> Result<(), Complaint> {
        let event: Value = serde_json::from_str(text)
            .map_err(|_| Complaint::new("invalid_json", "The event is not valid JSON."))?;
        match kind {
            "session.update" => self.update(&event["session"]),
            "input_audio_buffer.commit" => self.commit(now),
            "input_audio_buffer.clear" => {
                self.hearing.clear();
                self.turn = None;
                self.out.event("input_audio_buffer.cleared", json!({}));
                Ok(())
            }
            "conversation.item.create" => self.create_item(&event),
            "conversation.item.retrieve" => self.retrieve_item(&event),
            "conversation.item.truncate" if self.truncates => self.truncate_item(&event),
            "conversation.item.delete" => self.delete_item(&event),
            "response.create" => self.create_response(&event["response"], now),
            "response.cancel" => self.cancel_response(&event["response_id"]),
            _ => Err(Complaint::invalid("type", format!("Invalid value: '{kind}'."))),
        }
    }

    fn update(&mut self, change: &Value) -> Result<(), Complaint> {
        if change.is_null() {
            return Err(Complaint::missing("session"));
        }
        if !self.transcribes && !change["audio"]["input"]["transcription"].is_null() {
            return Err(Complaint::unknown("session.audio.input.transcription"));
        }
        self.settings.update(change, self.has_spoken)?;
        self.hearing.adjust(self.settings.input, self.settings.turns);
        let updated = json!({ "session": self.settings.document() });
        self.out.event("session.updated", updated);
        Ok(())
    }

    fn complain(&mut self, complaint: &Complaint, event_id: &str) {
        self.out.event("error", complaint.body(event_id));
    }

    /// Does everything that is due.
    pub(super) fn tick(&mut self, now: Instant) {
        if self.out.end.is_some() {
            return;
        }
        if now >= self.expires {
            return self.expire();
        }
        self.strike(now);
        self.show_transcripts(now);
        self.notice_idleness(now);
        while self.out.end.is_none() && self.main.as_ref().is_some_and(|main| main.is_due(now)) {
            self.step_main(now);
        }
        for mut response in std::mem::take(&mut self.side) {
            let mut progress = Progress::Running;
            while progress == Progress::Running && response.is_due(now) {
                let mut around = Surroundings {
                    conversation: &mut self.conversation,
                    out: &mut self.out,
                    ids: &mut self.ids,
                };
                progress = response.step(&mut around, |_, _| {});
            }
            if progress == Progress::Running {
                self.side.push(response);
            }
        }
    }

    fn step_main(&mut self, now: Instant) {
        let Some(mut response) = self.main.take() else { return };
        let mut around = Surroundings {
            conversation: &mut self.conversation,
            out: &mut self.out,
            ids: &mut self.ids,
        };
        let probing = &self.probing;
        let progress = response.step(&mut around, |sequence, due| probing.sent(sequence, due));
        self.has_spoken |= !response.audio().is_zero();
        if self.troubles.cuts_after(response.audio()) {
            self.out.end = Some(End::Drop);
        }
        if progress == Progress::Running {
            self.main = Some(response);
        } else if let Turns::Detected { idle: Some(idle), .. } = self.settings.turns {
            // The real service assumes that speech is played as it is sent, from the end on.
            self.idle_at = Some(now + response.audio() + idle);
        }
    }

    fn expire(&mut self) {
        let reason = "Your session hit the maximum duration of 60 minutes.";
        self.complain(&Complaint::new("session_expired", reason), "");
        self.out.end = Some(End::Close(1001, reason.to_owned()));
    }

    /// When it wants to be ticked next.
    pub(super) fn wakes_at(&self) -> Instant {
        let responses = self.main.iter().chain(&self.side).filter_map(Response::due);
        let transcript = self.transcripts.front().map(|pending| pending.due);
        let trouble = self.troubles.next_due();
        let next = responses.chain(transcript).chain(trouble).chain(self.idle_at).min();
        next.map_or(self.expires, |due| due.min(self.expires))
    }

    /// The lines to be rendered; each comes back by [`Session::speak`].
    pub(super) fn drain_lines(&mut self) -> Vec<ToRender> {
        std::mem::take(&mut self.to_render)
    }

    /// Takes a line of a response as speech. A response that ended meanwhile needs it no more.
    pub(super) fn speak(&mut self, response: &str, utterance: Arc<Utterance>, now: Instant) {
        let mut running = self.main.iter_mut().chain(&mut self.side);
        if let Some(running) = running.find(|running| running.id() == response) {
            running.take_rendered(utterance, now);
        }
    }

    /// Whether it is sending a sentence right now.
    pub(super) fn is_speaking(&self) -> bool {
        self.main.as_ref().is_some_and(Response::is_speaking)
    }

    /// Gives a fault to an open session.
    pub(super) fn meet(&mut self, fault: Fault, now: Instant) {
        if let Fault::SessionAge(age) = fault {
            self.expires = now + age;
        } else {
            self.troubles.add(fault, now);
        }
    }

    /// How the frames of what the caller said arrived.
    pub(super) const fn caller_account(&self) -> Account {
        self.hearing.account()
    }

    /// Every entry of the conversation as it stands.
    pub(super) fn entries(&self) -> Vec<Entry> {
        self.conversation.entries()
    }

    /// The messages to be sent now.
    pub(super) fn drain(&mut self) -> Vec<Outgoing> {
        std::mem::take(&mut self.out.messages)
    }
}

#[cfg(test)]
mod tests;
