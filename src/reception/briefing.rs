//! What a call is told: the model's instructions around the task of this call.

use serde_json::Value;
use tandem_actors::audio::Format;
use tandem_actors::briefing::{Briefing, CallId, Direction, Text, Voicemail};
use tandem_actors::tool::Promise;

use super::{House, New};
use crate::clips::Stock;
use crate::config;
use crate::tool::own;
use crate::tool::result::{self, REPORT_RESULT};

/// How to speak on a phone, for every call.
const MANNER: &str = "\
You are on a phone call. Speak naturally, in one or two short sentences at a time, and let the \
other side finish. Never make up facts; say when you do not know. Say who you are calling for \
when asked. Before a tool that takes time, say so briefly. When a tool answers with a question to \
confirm, ask exactly that question; only the human can confirm. When the conversation has come to \
its end, say goodbye and call the tool hang_up.";

/// How a message is left: the model makes it of the task. An
/// answering machine gives no second chance, so it says all at once.
const MESSAGE: &str = "\
The answering machine records now. Leave the message: who is calling, for whom, what it is about \
and what you ask for, in at most three short sentences. Nothing personal that the task does not \
say. End with goodbye. Ask nothing and call no tool.";

const OUTBOUND: &str = "You have placed this call. Greet and say in one sentence what you want.";
const INBOUND: &str = "Somebody has called you. Greet and ask what you can do for them.";

pub(super) fn of(
    house: &House,
    clips: &Stock,
    call: &CallId,
    new: New,
    format: Format,
) -> Briefing {
    let greeting = match new.direction {
        Direction::Inbound => INBOUND,
        Direction::Outbound => OUTBOUND,
    };
    let result = new.result.as_ref().map_or("", |_| result::INSTRUCTION);
    let instructions = Text(format!("{MANNER}\n\n{result}\n\nTask: {}", new.task.as_str()));
    Briefing {
        call: call.clone(),
        direction: new.direction,
        remote: new.remote,
        local: new.local,
        greeting: greeting.into(),
        instructions,
        task: new.task,
        voice: house.voice.clone(),
        format,
        tools: allowed(&house.tools, new.tools.as_deref(), new.result.as_ref()),
        limits: house.limits,
        clips: clips.of(format),
        voicemail: match new.voicemail {
            config::Voicemail::LeaveMessage => Voicemail::LeaveMessage(MESSAGE.into()),
            config::Voicemail::HangUp => Voicemail::HangUp,
            config::Voicemail::Wait => Voicemail::Wait,
        },
        pin: house.pin.clone(),
        language: house.language.clone(),
        human: house.human.clone(),
        own: own::read,
    }
}

/// The tools of this call. What a call does itself is not for an order to forbid: without it
/// nobody could hang up.
fn allowed(all: &[Promise], named: Option<&[String]>, wanted: Option<&Value>) -> Vec<Promise> {
    let is_own = |name: &str| own::read(name, &Text::default()).is_some();
    let is_named = |name: &String| named.is_none_or(|named| named.contains(name));
    all.iter()
        .filter_map(|tool| match tool.name.as_str() {
            REPORT_RESULT => wanted.map(result::promise),
            name if is_own(name) || is_named(&tool.name) => Some(tool.clone()),
            _ => None,
        })
        .collect()
}
